/* Conditions of rules: their table, and the lists of values behind them. */
#include "model/config_rules.h"
#include "base/must.h"
#include "syntax/address.h"
#include "syntax/domain.h"
#include "syntax/ip.h"

_Static_assert(SERVICE_SMTP == 0 && SERVICE_POP3S == 5, "CONFIG_SERVICES has their order");

static const struct config_condition_row conditions[] = {
    [CONFIG_WHEN_CLIENT] = { STR_INIT("client"), CONFIG_AT_CONNECT, "NETWORK ...",
                             "client 192.0.2.0/24",
                             "The client's address is in one of the networks; unix is a client on "
                             "a "
                             "Unix socket." },
    [CONFIG_WHEN_SERVICE] = { STR_INIT("service"), CONFIG_AT_CONNECT, "SERVICE ...", "service smtp",
                              "The client came in by one of these services, named as in listen." },
    [CONFIG_WHEN_TLS] = { STR_INIT("tls"), CONFIG_AT_MAIL, "yes|no", "tls no",
                          "The connection is encrypted, or is not." },
    [CONFIG_WHEN_HELO] = { STR_INIT("helo"), CONFIG_AT_HELO, "PATTERN ...", "helo *.example.org",
                           "The name that the client gives with HELO, EHLO or LHLO." },
    [CONFIG_WHEN_LOGIN] = { STR_INIT("login"), CONFIG_AT_MAIL, "PATTERN ...",
                            "login ann@example.org",
                            "The account that the client has logged in to. login * is any, not "
                            "login * is nobody." },
    [CONFIG_WHEN_FROM] = { STR_INIT("from"), CONFIG_AT_MAIL, "PATTERN ...", "from *@example.org",
                           "The sender of the envelope; <> is the null one of bounces." },
    [CONFIG_WHEN_TO] = { STR_INIT("to"), CONFIG_AT_RCPT, "PATTERN ...", "to ann@example.org",
                         "The recipient of the envelope." },
    [CONFIG_WHEN_DOMAIN] = { STR_INIT("domain"), CONFIG_AT_RCPT, "PATTERN ...",
                             "domain example.org",
                             "The domain of the recipient; *.example.org is every name below "
                             "example.org, but not itself." },
};

const struct config_condition_row *config_condition_at(size_t i)
{
    return i < sizeof conditions / sizeof conditions[0] ? &conditions[i] : NULL;
}

bool config_is_keyword(const struct conf_word *w)
{
    size_t index;
    return !w->quoted && (config_choice(STR(CONFIG_CONDITIONS), w->text, &index) == OK ||
                          config_choice(STR(CONFIG_ACTIONS), w->text, &index) == OK ||
                          str_eq(w->text, STR("not")));
}

/* Does the list of values of a condition end before word `i`? At a keyword; and, so that one
 * mistake is one fault, at what must have been meant as the action. */
static bool ends_values(const struct config_parsing *p, enum config_condition_kind kind, size_t i)
{
    const struct conf_word *w = &p->line->words[i], *next = w + 1;
    size_t index;

    if (config_is_keyword(w)) return true;
    if (w->quoted) return false;
    bool before_reply =
        i + 1 == p->line->n || next->quoted || (next->text.n > 0 && byte_is_digit(next->text.p[0]));
    bool is_action = config_choice(STR(CONFIG_ACTIONS), config_foreign_word(w->text), &index) == OK;
    bool is_no_client = kind == CONFIG_WHEN_CLIENT && str_find(w->text, '.') == STR_NOWHERE &&
                        str_find(w->text, ':') == STR_NOWHERE && !str_eq(w->text, STR("unix"));
    return before_reply && (is_action || (is_no_client && i > p->at + 1));
}

/* ---- values of conditions ---- */

/* No blanks and no control characters; UTF-8 is fine (RFC 6531). */
static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f) return false;
    }
    return s.n > 0;
}

static bool take_domain_pattern(struct config_parsing *p, const struct conf_word *w,
                                struct str *pattern_out)
{
    struct config_reading *r = p->r;
    struct conf_word name = *w;
    struct str prefix = STR_NONE;

    if (str_find(w->text, '@') != STR_NOWHERE) {
        CONFIG_ERROR(r, &w->at, CONFIG_JOIN(r, STR("write: to "), w->text),
                     config_quote(r, w->text), STR(" is an address, not a domain"));
        return false;
    }
    if (str_starts(w->text, STR(".")) && w->text.n > 1) {
        CONFIG_ERROR(r, &w->at, config_did_you_mean(r, CONFIG_JOIN(r, STR("*"), w->text)),
                     config_quote(r, w->text), STR(" is not a domain"));
        return false;
    }
    if (str_starts(w->text, STR("*."))) {
        prefix = STR("*.");
        name.text = str_skip(w->text, 2);
    }
    if (str_find(name.text, '*') != STR_NOWHERE && is_visible(name.text)) {
        *pattern_out = config_keep(r, w->text);
        return true;
    }
    struct str domain;
    if (!config_take_name(r, &name, &domain)) return false;
    *pattern_out = prefix.n > 0 ? ARENA_JOIN(&r->c->arena, prefix, domain) : domain;
    return true;
}

/* An address or a pattern of addresses; the domain in its normal form where it is a whole one. */
static bool take_address_pattern(struct config_parsing *p, enum config_condition_kind kind,
                                 const struct conf_word *w, struct str *pattern_out)
{
    struct config_reading *r = p->r;
    size_t split = str_rfind(w->text, '@');
    bool wild = str_find(w->text, '*') != STR_NOWHERE;

    if (str_eq(w->text, STR("*")) || (kind == CONFIG_WHEN_FROM && str_eq(w->text, STR("<>")))) {
        *pattern_out = config_keep(r, w->text);
        return true;
    }
    if (str_starts(w->text, STR("<")) && str_ends(w->text, STR(">")) && w->text.n > 2) {
        CONFIG_ERROR(r, &w->at, config_did_you_mean(r, str_part(w->text, 1, w->text.n - 2)),
                     config_quote(r, w->text),
                     STR(" has brackets that are not part of the address"));
        return false;
    }
    if (split == STR_NOWHERE || split == 0) {
        struct str name = split == 0 ? str_skip(w->text, 1) : w->text;
        CONFIG_ERROR(r, &w->at, CONFIG_JOIN(r, STR("for all addresses of a domain write *@"), name),
                     config_quote(r, w->text), STR(" is not an address"));
        return false;
    }
    struct conf_word domain = *w;
    domain.text = str_skip(w->text, split + 1);
    struct str normal, local = str_part(w->text, 0, split + 1);
    if (wild && (!is_visible(w->text) || local.n == 1)) {
        CONFIG_ERROR(r, &w->at, STR("a pattern looks like *@example.org or ann+*@example.org"),
                     config_quote(r, w->text), STR(" is not a pattern of addresses"));
        return false;
    }
    if (wild && (str_find(domain.text, '*') != STR_NOWHERE || str_starts(domain.text, STR("[")))) {
        *pattern_out = config_keep(r, w->text);
        return true;
    }
    if (wild) {
        if (!config_take_name(r, &domain, &normal)) return false;
        *pattern_out = ARENA_JOIN(&r->c->arena, local, normal);
        return true;
    }
    const struct config_option o = { .name = "", .kind = CONFIG_KIND_ADDRESS };
    return config_value_take(r, &o, w, pattern_out);
}

static bool take_helo_pattern(struct config_parsing *p, const struct conf_word *w,
                              struct str *pattern_out)
{
    if (!is_visible(w->text)) {
        CONFIG_ERROR(p->r, &w->at, STR("it looks like mail.example.org or *.example.org"),
                     config_quote(p->r, w->text), STR(" is not a name that a client can give"));
        return false;
    }
    *pattern_out = config_keep(p->r, w->text);
    return true;
}

static bool take_client(struct config_parsing *p, struct config_condition *c, struct ip_net *net,
                        const struct conf_word *w)
{
    if (str_eq(w->text, STR("unix"))) {
        c->unix_peers = true;
    } else {
        if (!config_take_net(p->r, w, net)) return false;
        c->net_count++;
    }
    return true;
}

static bool take_choice(struct config_parsing *p, struct str choices, const struct conf_word *w,
                        size_t *index_out)
{
    if (config_choice(choices, w->text, index_out) == OK) return true;
    CONFIG_ERROR(p->r, &w->at, config_did_you_mean(p->r, config_nearest(choices, w->text)),
                 p->line->words[p->at].text, STR(" is "), config_listing(p->r, choices),
                 STR(", not "), config_quote(p->r, w->text));
    return false;
}

/* One value of the condition whose keyword is at hand. */
static bool take_condition_value(struct config_parsing *p, struct config_condition *c,
                                 struct ip_net *nets, struct str *patterns,
                                 const struct conf_word *w)
{
    size_t index = 0;

    switch (c->kind) {
    case CONFIG_WHEN_CLIENT:
        return take_client(p, c, &nets[c->net_count], w);
    case CONFIG_WHEN_SERVICE:
        if (!take_choice(p, STR(CONFIG_SERVICES), w, &index)) return false;
        c->services |= 1u << index;
        return true;
    case CONFIG_WHEN_TLS:
        if (!take_choice(p, STR("yes|no"), w, &index)) return false;
        c->negated ^= index == 1;
        return true;
    case CONFIG_WHEN_HELO:
        return take_helo_pattern(p, w, &patterns[c->pattern_count++]);
    case CONFIG_WHEN_LOGIN:
    case CONFIG_WHEN_FROM:
    case CONFIG_WHEN_TO:
        return take_address_pattern(p, c->kind, w, &patterns[c->pattern_count++]);
    case CONFIG_WHEN_DOMAIN:
        return take_domain_pattern(p, w, &patterns[c->pattern_count++]);
    }
    must(false);
    return false;
}

void config_take_condition(struct config_parsing *p, enum config_condition_kind kind, bool negated)
{
    struct config_reading *r = p->r;
    struct config_rule *rule = p->rule;
    const struct conf_line *line = p->line;
    size_t end = p->at + 1;

    while (end < line->n && !ends_values(p, kind, end)) {
        end++;
    }
    size_t values = end - p->at - 1;
    if (values == 0 || (kind == CONFIG_WHEN_TLS && values > 1)) {
        CONFIG_ERROR(
            r, &line->words[p->at].at,
            CONFIG_JOIN(r, STR("write: "), str_c(conditions[kind].example),
                        end < line->n && values == 0
                            ? STR("; a value that is spelled like a keyword goes into quotes")
                            : STR("")),
            conditions[kind].name, values == 0 ? STR(" needs a value") : STR(" takes one value"));
        p->lost = true;
        return;
    }
    rule->conditions =
        config_grow(r, rule->conditions, rule->condition_count, sizeof *rule->conditions);
    struct config_condition *c = &rule->conditions[rule->condition_count++];
    *c = (struct config_condition){ .kind = kind, .negated = negated };
    struct ip_net *nets = NULL;
    struct str *patterns = NULL;
    if (kind == CONFIG_WHEN_CLIENT) {
        nets = arena_alloc(&r->c->arena, values, sizeof *nets);
    } else {
        patterns = ARENA_MANY(&r->c->arena, struct str, values);
    }
    c->nets = nets;
    c->patterns = patterns;
    for (size_t i = p->at + 1; i < end; i++) {
        (void)take_condition_value(p, c, nets, patterns, &line->words[i]);
    }
    if (conditions[kind].stage > rule->stage) rule->stage = conditions[kind].stage;
    p->at = end;
}

/* ---- showing ---- */

void config_put_condition(struct buf *b, const struct config_condition *c)
{
    bool no = c->kind == CONFIG_WHEN_TLS;

    buf_put(b, c->negated && !no ? STR(" not ") : STR(" "));
    buf_put(b, conditions[c->kind].name);
    if (no) buf_put(b, c->negated ? STR(" no") : STR(" yes"));
    for (size_t i = 0; i < c->net_count; i++) {
        buf_put_lit(b, " ");
        ip_net_put(b, &c->nets[i]);
    }
    if (c->unix_peers) buf_put_lit(b, " unix");
    for (unsigned i = 0; c->services >> i != 0; i++) {
        if ((c->services & 1u << i) == 0) continue;
        buf_put_lit(b, " ");
        buf_put(b, config_choice_at(STR(CONFIG_SERVICES), i));
    }
    for (size_t i = 0; i < c->pattern_count; i++) {
        struct conf_word w = { .text = c->patterns[i] };
        buf_put_lit(b, " ");
        if (config_is_keyword(&w)) {
            conf_put_quoted(b, w.text);
        } else {
            conf_put_word(b, w.text);
        }
    }
}
