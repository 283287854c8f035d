/* listen SERVICE ADDRESS { ... } */
#include "model/config_reading.h"
#include "syntax/conf_value.h"
#include "syntax/ip.h"

enum { UNIX_PATH_MAX_BYTES = 107 }; /* sun_path without its NUL */

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
#define LATER "imap|imaps|managesieve|sieve|http|https|jmap"

static bool take_service(struct config_reading *r, const struct conf_word *w, size_t *index_out)
{
    size_t later;

    if (config_choice(STR(CONFIG_SERVICES), w->text, index_out) == OK) return true;
    if (config_choice(STR(LATER), w->text, &later) == OK) {
        CONFIG_ERROR(r, &w->at,
                     CONFIG_JOIN(r, STR("take the line out; served are "),
                                 config_listing(r, STR(CONFIG_SERVICES))),
                     STR("this release does not serve "), w->text);
        return false;
    }
    struct str best = str_eq(w->text, STR("smtps")) ? STR("submissions")
                                                    : config_nearest(STR(CONFIG_SERVICES), w->text);
    CONFIG_ERROR(r, &w->at,
                 best.n > 0
                     ? config_did_you_mean(r, best)
                     : CONFIG_JOIN(r, STR("known are "), config_listing(r, STR(CONFIG_SERVICES))),
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
    struct str rest;

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
