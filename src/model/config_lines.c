/* Lines with words of their own kind: trust, certificates, users, limits and the like. `listen` and
 * the rules have files of theirs. */
#include "model/config_reading.h"
#include "base/near.h"
#include "syntax/ip.h"

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
