/* Lines with words of their own kind: listen, trust, certificates, users, limits and the like. The
 * rules have a file of theirs. */
#include "model/config_reading.h"
#include "base/near.h"
#include "syntax/conf_value.h"
#include "syntax/ip.h"

enum { UNIX_PATH_MAX_BYTES = 107 }; /* sun_path without its NUL */

/* ---- listen ---- */

static const struct {
    struct str name;
    enum service service;
    uint16_t port;
} services[] = {
    { STR_INIT("smtp"), SERVICE_SMTP, 25 },
    { STR_INIT("submission"), SERVICE_SUBMISSION, 587 },
    { STR_INIT("submissions"), SERVICE_SUBMISSIONS, 465 },
    { STR_INIT("lmtp"), SERVICE_LMTP, 24 },
    { STR_INIT("pop3"), SERVICE_POP3, 110 },
    { STR_INIT("pop3s"), SERVICE_POP3S, 995 },
};
#define SERVICES "smtp|submission|submissions|lmtp|pop3|pop3s"
#define LATER    "imap|imaps|managesieve|sieve|http|https|jmap"

static bool take_service(struct config_reading *r, const struct conf_word *w, size_t *index_out)
{
    size_t later;

    if (config_choice(STR(SERVICES), w->text, index_out) == OK) return true;
    if (config_choice(STR(LATER), w->text, &later) == OK) {
        CONFIG_ERROR(
            r, &w->at,
            CONFIG_JOIN(r, STR("take the line out; served are "), config_listing(r, STR(SERVICES))),
            STR("this release does not serve "), w->text);
        return false;
    }
    struct str best =
        str_eq(w->text, STR("smtps")) ? STR("submissions") : config_nearest(STR(SERVICES), w->text);
    CONFIG_ERROR(r, &w->at,
                 best.n > 0 ? config_did_you_mean(r, best)
                            : CONFIG_JOIN(r, STR("known are "), config_listing(r, STR(SERVICES))),
                 STR("unknown service "), config_quote(r, w->text));
    return false;
}

/* The number behind the ':' of an address. */
static bool take_port(struct config_reading *r, const struct conf_word *w, struct str text,
                      uint16_t *port_out)
{
    uint64_t port;

    if (str_to_u64(text, 65535, &port) == OK && port > 0) {
        *port_out = (uint16_t)port;
        return true;
    }
    CONFIG_ERROR(r, &w->at, STR("a port is a number from 1 to 65535"), STR("no port "),
                 config_quote(r, text), STR(" in "), config_quote(r, w->text));
    return false;
}

/* "[::1]:25" or "192.0.2.1:25" in two; false when the brackets are wrong. */
static bool split_address(struct str s, struct str *ip_out, struct str *port_out)
{
    struct str rest = s;

    if (str_starts(s, STR("["))) {
        rest = str_skip(s, 1);
        size_t close = str_find(rest, ']');
        if (close == STR_NOWHERE) return false;
        *ip_out = str_part(rest, 0, close);
        rest = str_skip(rest, close + 1);
        if (rest.n == 0) {
            *port_out = STR_NONE;
            return true;
        }
        if (!str_starts(rest, STR(":"))) return false;
        *port_out = str_skip(rest, 1);
        return port_out->n > 0;
    }
    size_t colon = str_find(s, ':');
    *ip_out = str_part(s, 0, colon);
    *port_out = colon == STR_NOWHERE ? STR_NONE : str_skip(s, colon + 1);
    return colon == STR_NOWHERE || port_out->n > 0;
}

static void say_no_address(struct config_reading *r, const struct conf_word *w)
{
    struct ip_addr ip;
    struct str s = w->text, host = s, port = STR_NONE, hint;
    int64_t number;

    (void)split_address(s, &host, &port);
    if (str_starts(s, STR("[")) && ip4_parse(host, &ip) == OK) {
        hint = STR("brackets are for IPv6");
    } else if (ip6_parse(s, &ip) == OK || str_find(s, ':') != str_rfind(s, ':')) {
        hint = STR("put an IPv6 address into brackets: [::1]:25");
    } else if (str_starts(s, STR("*")) || str_starts(s, STR(":")) ||
               conf_parse_count(s, &number) == OK) {
        hint = STR("write 0.0.0.0:PORT for all IPv4 addresses, [::]:PORT for all IPv6 addresses");
    } else if (str_starts(s, STR("/"))) {
        hint = CONFIG_JOIN(r, STR("write a Unix socket as unix:"), s);
    } else {
        hint = STR("write an IP address, and a port behind ':': 127.0.0.1:25");
    }
    CONFIG_ERROR(r, &w->at, hint, config_quote(r, s), STR(" is not an address to listen on"));
}

static void take_tcp(struct config_reading *r, const struct conf_word *w, struct config_listen *l)
{
    struct str host = STR_NONE, port = STR_NONE;
    struct ip_addr ip;

    if (!split_address(w->text, &host, &port) || ip_parse(host, &ip) != OK ||
        ip_is_v4(&ip) == str_starts(w->text, STR("["))) {
        say_no_address(r, w);
        return;
    }
    if (port.n > 0 && !take_port(r, w, port, &l->port)) return;
    if (l->service == SERVICE_LMTP && l->port == 25) {
        CONFIG_ERROR(r, &w->at, STR("choose another port; 24 is usual"),
                     STR("LMTP must not be used on port 25 (RFC 2033 section 5)"));
    }
    struct buf b = buf_new(IP_TEXT_MAX);
    ip_put(&b, &ip);
    l->address = config_keep(r, buf_str(&b));
    buf_free(&b);
}

static void take_socket(struct config_reading *r, const struct conf_word *w,
                        struct config_listen *l)
{
    struct conf_word path = *w;
    path.text = str_skip(w->text, 5);

    if (l->service != SERVICE_LMTP) {
        CONFIG_ERROR(r, &w->at, STR("write an IP address and a port"),
                     STR("only lmtp can listen on a Unix socket"));
        return;
    }
    if (!config_take_path(r, &path, &l->path)) return;
    if (l->path.n > UNIX_PATH_MAX_BYTES) {
        CONFIG_ERROR(r, &w->at, STR("the kernel takes 107 bytes"),
                     STR("the path of the Unix socket is too long: "), config_quote(r, l->path));
    }
}

static bool has_auth(enum service s)
{
    return s == SERVICE_SUBMISSION || s == SERVICE_SUBMISSIONS;
}

CONFIG_TAKE(listen)
{
    struct config *c = r->c;
    size_t service = 0;

    (void)base;
    c->listens = config_grow(r, c->listens, c->listen_count, sizeof *c->listens);
    struct config_listen *l = &c->listens[c->listen_count++];
    config_standards(r, "listen", l);
    l->at = config_keep_at(r, &line->words[0].at);
    if (line->n < 2) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: listen smtp 0.0.0.0:25"),
                     STR("listen needs a service and an address"));
        return l;
    }
    if (!take_service(r, &line->words[1], &service)) return l;
    l->service = services[service].service;
    l->port = services[service].port;
    l->auth = has_auth(l->service);
    if (line->n < 3) {
        CONFIG_ERROR(r, &line->words[1].at,
                     CONFIG_JOIN(r, STR("write: listen "), services[service].name,
                                 STR(" 0.0.0.0 for its usual port on all IPv4 addresses")),
                     STR("listen needs an address"));
        return l;
    }
    if (!config_words_most(r, o, line, 3)) return l;
    if (str_starts(line->words[2].text, STR("unix:"))) {
        l->port = 0;
        take_socket(r, &line->words[2], l);
    } else {
        take_tcp(r, &line->words[2], l);
    }
    return l;
}

static void put_listen(struct buf *b, const struct config_listen *l)
{
    buf_put(b, str_c(service_name(l->service)));
    buf_put_lit(b, " ");
    if (l->path.n > 0) {
        struct buf where = buf_new(CONFIG_VALUE_MAX);
        buf_put_lit(&where, "unix:");
        buf_put(&where, l->path);
        conf_put_word(b, buf_str(&where));
        buf_free(&where);
        return;
    }
    bool v6 = str_find(l->address, ':') != STR_NOWHERE;
    if (v6) buf_put_lit(b, "[");
    buf_put(b, l->address);
    buf_put(b, v6 ? STR("]:") : STR(":"));
    buf_put_u64(b, l->port);
}

/* Is a setting of the block other than it would be without a word? */
static bool is_told(const struct config_listen *l, const struct config_option *in, struct str value)
{
    struct str name = str_c(in->name);

    if (str_eq(name, STR("auth"))) return l->auth != has_auth(l->service);
    return !str_eq(value, STR("\"\"")) && !str_eq(value, str_c(in->standard));
}

static void put_listen_block(struct buf *b, const struct config_listen *l)
{
    const struct config_option *in;
    bool open = false;

    for (size_t row = 0; (in = config_option_at(row)) != NULL; row++) {
        if (!str_eq(str_c(in->block), STR("listen"))) continue;
        struct buf value = buf_new(CONFIG_VALUE_MAX);
        config_value_put(&value, in, l);
        if (is_told(l, in, buf_str(&value))) {
            buf_put(b, open ? STR("; ") : STR(" { "));
            buf_put(b, str_c(in->name));
            buf_put_lit(b, " ");
            buf_put(b, buf_str(&value));
            open = true;
        }
        buf_free(&value);
    }
    if (open) buf_put_lit(b, " }");
}

CONFIG_SHOW(listen)
{
    for (size_t i = 0; i < s->c->listen_count; i++) {
        const struct config_listen *l = &s->c->listens[i];
        struct buf b = buf_new(CONFIG_VALUE_MAX);
        put_listen(&b, l);
        put_listen_block(&b, l);
        config_entry_add(s, o, buf_str(&b), &l->at);
        buf_free(&b);
    }
}

/* ---- tls { certificate PATH key PATH } ---- */

CONFIG_TAKE(certificate)
{
    struct config *c = r->c;
    struct config_certificate pair = { .at = config_keep_at(r, &line->words[0].at) };

    if (line->n < 4 || !str_eq(line->words[2].text, STR("key"))) {
        CONFIG_ERROR(r, &line->words[line->n < 3 ? 0 : 2].at,
                     STR("write: certificate /path/fullchain.pem key /path/key.pem"),
                     STR("certificate needs the file of the chain, the word key, and the file of "
                         "its key"));
        return base;
    }
    if (!config_words_most(r, o, line, 4)) return base;
    bool fine = config_take_path(r, &line->words[1], &pair.certificate);
    if (!config_take_path(r, &line->words[3], &pair.key) || !fine) return base;
    c->tls.certificates =
        config_grow(r, c->tls.certificates, c->tls.certificate_count, sizeof *c->tls.certificates);
    c->tls.certificates[c->tls.certificate_count++] = pair;
    return base;
}

CONFIG_SHOW(certificate)
{
    for (size_t i = 0; i < s->c->tls.certificate_count; i++) {
        const struct config_certificate *pair = &s->c->tls.certificates[i];
        struct buf b = buf_new(CONFIG_VALUE_MAX);
        conf_put_word(&b, pair->certificate);
        buf_put_lit(&b, " key ");
        conf_put_word(&b, pair->key);
        config_entry_add(s, o, buf_str(&b), &pair->at);
        buf_free(&b);
    }
}

/* ---- trust NETWORK ... { RIGHT ... } ---- */

CONFIG_TAKE(trust)
{
    struct config *c = r->c;

    (void)base;
    c->trusts = config_grow(r, c->trusts, c->trust_count, sizeof *c->trusts);
    struct config_trust *t = &c->trusts[c->trust_count++];
    t->at = config_keep_at(r, &line->words[0].at);
    struct ip_net *nets = arena_alloc(&c->arena, line->n, sizeof *nets);
    t->nets = nets;
    for (size_t i = 1; i < line->n; i++) {
        const struct conf_word *w = &line->words[i];
        if (str_eq(w->text, STR("unix"))) {
            t->unix_peers = true;
        } else if (config_option_find(STR("trust"), w->text) != NULL) {
            (void)config_words_most(r, o, line, i);
            return t;
        } else if (config_take_net(r, w, &nets[t->net_count])) {
            t->net_count++;
        }
    }
    if (line->n < 2) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: trust 192.0.2.0/24 { relay }"),
                     STR("trust needs a network"));
    } else if (!line->has_block) {
        CONFIG_ERROR(r, &line->words[0].at, STR("say what it may do: trust 192.0.2.0/24 { relay }"),
                     STR("trust gives no right"));
    }
    return t;
}

CONFIG_SHOW(trust)
{
    for (size_t i = 0; i < s->c->trust_count; i++) {
        const struct config_trust *t = &s->c->trusts[i];
        struct buf b = buf_new(CONF_LINE_WORDS_MAX * (IP_NET_TEXT_MAX + 1) + 200);
        const struct config_option *in;

        for (size_t n = 0; n < t->net_count; n++) {
            if (n > 0) buf_put_lit(&b, " ");
            ip_net_put(&b, &t->nets[n]);
        }
        if (t->unix_peers) buf_put(&b, t->net_count > 0 ? STR(" unix") : STR("unix"));
        buf_put_lit(&b, " {");
        for (size_t row = 0; (in = config_option_at(row)) != NULL; row++) {
            if (in->kind != CONFIG_KIND_FLAG || (t->may & (unsigned)in->max) == 0) continue;
            buf_put_lit(&b, " ");
            buf_put(&b, str_c(in->name));
        }
        buf_put_lit(&b, " }");
        config_entry_add(s, o, buf_str(&b), &t->at);
        buf_free(&b);
    }
}

/* ---- user NAME; user { ROLE NAME } ---- */

CONFIG_TAKE(user)
{
    const struct config_option all = { .name = o->name,
                                       .kind = CONFIG_KIND_UNIX,
                                       .offset = offsetof(struct config, user) };

    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: user postrider"), STR("user needs a name"));
    } else if (config_words_most(r, o, line, 2)) {
        /* The keeper's place holds it until the whole file has been read. */
        (void)config_value_take(r, &all, &line->words[1], base);
    }
    return base;
}

CONFIG_SHOW(user)
{
    config_entry_add(s, o, s->c->user[ROLE_KEEPER], &s->c->set_at[config_option_number(o)]);
}

/* ---- log { to stderr } ---- */

CONFIG_TAKE(log_to)
{
    struct config *c = base;

    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: log { to stderr }"),
                     STR("to needs a value"));
        return base;
    }
    if (!config_words_most(r, o, line, 2)) return base;
    const struct conf_word *w = &line->words[1];
    if (str_eq(w->text, STR("stderr"))) {
        c->log.to = CONFIG_LOG_STDERR;
        c->log.path = STR_NONE;
    } else if (str_find(w->text, '/') != STR_NOWHERE) {
        c->log.to = CONFIG_LOG_FILE;
        (void)config_take_path(r, w, &c->log.path);
    } else {
        CONFIG_ERROR(r, &w->at,
                     str_eq(w->text, STR("syslog")) || str_eq(w->text, STR("journal"))
                         ? STR("stderr goes to the journal when systemd starts the program")
                         : STR("write a path with a '/' for a file"),
                     STR("logs go to stderr or to a file, not to "), config_quote(r, w->text));
    }
    return base;
}

CONFIG_SHOW(log_to)
{
    struct buf b = buf_new(CONFIG_VALUE_MAX);
    const struct config *c = s->c;

    if (c->log.to == CONFIG_LOG_STDERR) {
        buf_put_lit(&b, "stderr");
    } else {
        conf_put_word(&b, c->log.path);
    }
    config_entry_add(s, o, buf_str(&b), &c->set_at[config_option_number(o)]);
    buf_free(&b);
}

/* ---- limit NAME VALUE ---- */

static const struct param *take_param_name(struct config_reading *r, const struct conf_word *w)
{
    const struct param *p = param_find(w->text);
    if (p != NULL) return p;

    struct near near = near_of(w->text);
    for (size_t i = 0; (p = param_at(i)) != NULL; i++) {
        near_offer(&near, str_c(p->name));
    }
    struct str best = near_best(&near);
    CONFIG_ERROR(r, &w->at,
                 best.n > 0 ? config_did_you_mean(r, best)
                            : STR("'postrider config show --all' lists all limits"),
                 STR("unknown limit "), config_quote(r, w->text));
    return NULL;
}

CONFIG_TAKE(limit)
{
    struct config *c = r->c;

    if (line->n < 3) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: limit NAME VALUE"),
                     STR("limit needs a name and a value"));
        return base;
    }
    if (!config_words_most(r, o, line, 3)) return base;
    const struct param *p = take_param_name(r, &line->words[1]);
    int64_t value;
    if (p == NULL || !config_take_param(r, p, &line->words[2], &value)) return base;
    for (size_t i = 0; i < c->limit_count; i++) {
        if (c->limits[i].param != p) continue;
        CONFIG_ERROR(r, &line->words[1].at,
                     CONFIG_JOIN(r, STR("it is set at "), config_place(r, &c->limits[i].at),
                                 STR(" already; take one of them out")),
                     str_c(p->name), STR(" is set twice"));
        return base;
    }
    c->limits = config_grow(r, c->limits, c->limit_count, sizeof *c->limits);
    c->limits[c->limit_count++] = (struct config_limit){
        .param = p, .value = value, .at = config_keep_at(r, &line->words[0].at)
    };
    return base;
}

/* ---- address { separator CHARACTERS } ---- */

CONFIG_TAKE(separator)
{
    struct config *c = base;

    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: address { separator + }"),
                     STR("separator needs a value"));
        return base;
    }
    if (!config_words_most(r, o, line, 2)) return base;
    const struct conf_word *w = &line->words[1];
    if (str_eq(w->text, STR("none"))) {
        c->address.separators = STR_NONE;
        return base;
    }
    for (size_t i = 0; i < w->text.n; i++) {
        if (str_find(STR("+-_=#~!$%&*/"), w->text.p[i]) != STR_NOWHERE) continue;
        CONFIG_ERROR(r, &w->at, STR("allowed are + - _ = # ~ ! $ % & * /, or the word none"),
                     config_quote(r, w->text), STR(" cannot separate user and detail"));
        return base;
    }
    c->address.separators = config_keep(r, w->text);
    return base;
}

CONFIG_SHOW(separator)
{
    struct buf b = buf_new(CONFIG_VALUE_MAX);

    if (s->c->address.separators.n == 0) {
        buf_put_lit(&b, "none");
    } else {
        conf_put_word(&b, s->c->address.separators);
    }
    config_entry_add(s, o, buf_str(&b), &s->c->set_at[config_option_number(o)]);
    buf_free(&b);
}

/* ---- auth { mechanisms NAME ... } ---- */

/* In the order of the CONFIG_AUTH_ bits. */
#define MECHANISMS "PLAIN|LOGIN|SCRAM-SHA-256|SCRAM-SHA-256-PLUS|SCRAM-SHA-1|CRAM-MD5"

CONFIG_TAKE(mechanisms)
{
    struct config *c = base;
    unsigned wanted = 0;

    (void)o;
    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: auth { mechanisms PLAIN SCRAM-SHA-256 }"),
                     STR("mechanisms needs at least one name"));
    }
    for (size_t i = 1; i < line->n; i++) {
        const struct conf_word *w = &line->words[i];
        size_t index;
        if (config_choice(STR(MECHANISMS), w->text, &index) == OK) {
            wanted |= 1u << index;
            continue;
        }
        struct str best = config_nearest(STR(MECHANISMS), w->text);
        CONFIG_ERROR(r, &w->at,
                     best.n > 0
                         ? config_did_you_mean(r, best)
                         : CONFIG_JOIN(r, STR("known are "), config_listing(r, STR(MECHANISMS))),
                     STR("unknown mechanism "), config_quote(r, w->text));
    }
    c->auth.mechanisms = wanted;
    return base;
}

CONFIG_SHOW(mechanisms)
{
    struct buf b = buf_new(200);
    struct str names = STR(MECHANISMS), name;

    for (unsigned i = 0; str_cut(&names, '|', &name); i++) {
        if ((s->c->auth.mechanisms & 1u << i) == 0) continue;
        if (b.n > 0) buf_put_lit(&b, " ");
        buf_put(&b, name);
    }
    config_entry_add(s, o, buf_str(&b), &s->c->set_at[config_option_number(o)]);
    buf_free(&b);
}
