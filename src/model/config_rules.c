/* `check` and `route` lines: conditions, then an action.
 *
 *     check client 192.0.2.0/24 not helo "*.example.org" refuse 554 5.7.1 "go away"
 *
 * Keywords end the list of values of the condition before them; a value that is spelled like a
 * keyword is put into quotes. */
#include "model/config_reading.h"
#include "base/must.h"
#include "base/near.h"
#include "syntax/address.h"
#include "syntax/domain.h"

enum { RULE_TEXT_MAX = 400 };

#define SERVICES "smtp|submission|submissions|lmtp|pop3|pop3s"

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
#define CONDITIONS "client|service|tls|helo|login|from|to|domain"

const struct config_condition_row *config_condition_at(size_t i)
{
    return i < sizeof conditions / sizeof conditions[0] ? &conditions[i] : NULL;
}

/* In the order of enum config_action. */
#define ACTIONS       "accept|refuse|tempfail|local|queue|discard"
#define CHECK_ACTIONS "accept|refuse|tempfail"
#define ROUTE_ACTIONS "local|queue|discard|refuse|tempfail"

/* What others call it. */
static const struct {
    struct str theirs, ours;
} foreign[] = {
    { STR_INIT("sender"), STR_INIT("from") },    { STR_INIT("mail"), STR_INIT("from") },
    { STR_INIT("rcpt"), STR_INIT("to") },        { STR_INIT("recipient"), STR_INIT("to") },
    { STR_INIT("ehlo"), STR_INIT("helo") },      { STR_INIT("ip"), STR_INIT("client") },
    { STR_INIT("network"), STR_INIT("client") }, { STR_INIT("address"), STR_INIT("client") },
    { STR_INIT("user"), STR_INIT("login") },     { STR_INIT("reject"), STR_INIT("refuse") },
    { STR_INIT("deny"), STR_INIT("refuse") },    { STR_INIT("block"), STR_INIT("refuse") },
    { STR_INIT("allow"), STR_INIT("accept") },   { STR_INIT("permit"), STR_INIT("accept") },
    { STR_INIT("ok"), STR_INIT("accept") },      { STR_INIT("pass"), STR_INIT("accept") },
    { STR_INIT("defer"), STR_INIT("tempfail") }, { STR_INIT("drop"), STR_INIT("discard") },
    { STR_INIT("relay"), STR_INIT("queue") },    { STR_INIT("forward"), STR_INIT("queue") },
    { STR_INIT("deliver"), STR_INIT("local") },
};

struct parsing {
    struct config_reading *r;
    const struct conf_line *line;
    size_t at; /* word at hand */
    struct config_rule *rule;
    bool is_route;
    bool lost; /* nothing sensible can be said about the rest of the line */
};

static struct str actions_of(const struct parsing *p)
{
    return p->is_route ? STR(ROUTE_ACTIONS) : STR(CHECK_ACTIONS);
}

static bool is_keyword(const struct conf_word *w)
{
    size_t index;
    return !w->quoted &&
           (config_choice(STR(CONDITIONS), w->text, &index) == OK ||
            config_choice(STR(ACTIONS), w->text, &index) == OK || str_eq(w->text, STR("not")));
}

/* What others call it; empty when nobody does. */
static struct str foreign_word(struct str word)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (str_eq_nocase(word, foreign[i].theirs)) return foreign[i].ours;
    }
    return STR_NONE;
}

/* Does the list of values of a condition end before word `i`? At a keyword; and, so that one
 * mistake is one fault, at what must have been meant as the action. */
static bool ends_values(const struct parsing *p, enum config_condition_kind kind, size_t i)
{
    const struct conf_word *w = &p->line->words[i], *next = w + 1;
    size_t index;

    if (is_keyword(w)) return true;
    if (w->quoted) return false;
    bool before_reply =
        i + 1 == p->line->n || next->quoted || (next->text.n > 0 && byte_is_digit(next->text.p[0]));
    bool is_action = config_choice(STR(ACTIONS), foreign_word(w->text), &index) == OK;
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

static bool take_domain_pattern(struct parsing *p, const struct conf_word *w,
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
static bool take_address_pattern(struct parsing *p, enum config_condition_kind kind,
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

static bool take_helo_pattern(struct parsing *p, const struct conf_word *w, struct str *pattern_out)
{
    if (!is_visible(w->text)) {
        CONFIG_ERROR(p->r, &w->at, STR("it looks like mail.example.org or *.example.org"),
                     config_quote(p->r, w->text), STR(" is not a name that a client can give"));
        return false;
    }
    *pattern_out = config_keep(p->r, w->text);
    return true;
}

static bool take_client(struct parsing *p, struct config_condition *c, struct ip_net *net,
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

static bool take_choice(struct parsing *p, struct str choices, const struct conf_word *w,
                        size_t *index_out)
{
    if (config_choice(choices, w->text, index_out) == OK) return true;
    CONFIG_ERROR(p->r, &w->at, config_did_you_mean(p->r, config_nearest(choices, w->text)),
                 p->line->words[p->at].text, STR(" is "), config_listing(p->r, choices),
                 STR(", not "), config_quote(p->r, w->text));
    return false;
}

/* One value of the condition whose keyword is at hand. */
static bool take_condition_value(struct parsing *p, struct config_condition *c, struct ip_net *nets,
                                 struct str *patterns, const struct conf_word *w)
{
    size_t index = 0;

    switch (c->kind) {
    case CONFIG_WHEN_CLIENT:
        return take_client(p, c, &nets[c->net_count], w);
    case CONFIG_WHEN_SERVICE:
        if (!take_choice(p, STR(SERVICES), w, &index)) return false;
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

/* `KIND VALUE ...` with the keyword at hand. */
static void take_condition(struct parsing *p, enum config_condition_kind kind, bool negated)
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

/* ---- actions ---- */

static bool take_code(struct parsing *p, const struct conf_word *w)
{
    struct config_rule *rule = p->rule;
    uint64_t low = rule->action == CONFIG_REFUSE ? 500 : 400, code = 0;

    if (str_to_u64(w->text, 999, &code) == OK && code >= low && code < low + 60 && w->text.n == 3) {
        rule->code = (uint16_t)code;
        return true;
    }
    CONFIG_ERROR(p->r, &w->at,
                 rule->action == CONFIG_REFUSE
                     ? (code >= 400 && code < 460 ? STR("for a 4xx code the action is tempfail")
                                                  : STR("refuse takes a code from 500 to 559"))
                     : (code >= 500 && code < 560 ? STR("for a 5xx code the action is refuse")
                                                  : STR("tempfail takes a code from 400 to 459")),
                 STR("reply code "), config_quote(p->r, w->text), STR(" does not fit"));
    return false;
}

/* RFC 3463 section 2: class "." subject "." detail */
static bool take_enhanced(struct parsing *p, const struct conf_word *w)
{
    struct config_rule *rule = p->rule;
    uint64_t class = 0, subject = 0, detail = 0, want = rule->action == CONFIG_REFUSE ? 5 : 4;
    struct str left = w->text, a = STR_NONE, b = STR_NONE;

    (void)str_cut(&left, '.', &a);
    (void)str_cut(&left, '.', &b);
    if (str_to_u64(a, 9, &class) == OK && class == want && str_to_u64(b, 999, &subject) == OK &&
        str_to_u64(left, 999, &detail) == OK) {
        rule->class = (uint8_t) class;
        rule->subject = (uint16_t)subject;
        rule->detail = (uint16_t)detail;
        return true;
    }
    CONFIG_ERROR(p->r, &w->at,
                 want == 5 ? STR("refuse takes one like 5.7.1")
                           : STR("tempfail takes one like 4.7.1"),
                 STR("enhanced code "), config_quote(p->r, w->text), STR(" does not fit"));
    return false;
}

static bool take_reply_text(struct parsing *p, const struct conf_word *w)
{
    if (!w->quoted) {
        CONFIG_ERROR(p->r, &w->at,
                     CONFIG_JOIN(p->r, STR("write: "), p->line->words[p->at].text,
                                 STR(" \"text for the peer\"")),
                     STR("the text of a reply goes into quotes: "), config_quote(p->r, w->text));
        return false;
    }
    for (size_t i = 0; i < w->text.n; i++) {
        if (w->text.p[i] >= ' ' && w->text.p[i] <= '~') continue;
        CONFIG_ERROR(p->r, &w->at, STR("write printable ASCII only"),
                     STR("the text of a reply has a foreign character: "),
                     config_quote(p->r, w->text));
        return false;
    }
    if (w->text.n == 0 || w->text.n > RULE_TEXT_MAX) {
        CONFIG_ERROR(p->r, &w->at,
                     w->text.n == 0 ? STR("leave it out for the standard text")
                                    : STR("a reply line has room for 400 characters"),
                     w->text.n == 0 ? STR("the text of a reply is empty")
                                    : STR("the text of a reply is too long"));
        return false;
    }
    p->rule->text = config_keep(p->r, w->text);
    return true;
}

/* `refuse|tempfail [CODE] [ENHANCED] ["TEXT"]`, with the keyword at hand. */
static void take_reply(struct parsing *p)
{
    struct config_rule *rule = p->rule;
    const struct conf_line *line = p->line;
    bool refuse = rule->action == CONFIG_REFUSE;
    size_t at = p->at + 1;

    rule->code = refuse ? 550 : 450;
    rule->class = refuse ? 5 : 4;
    rule->subject = 7;
    rule->detail = 1;
    rule->text = refuse ? STR("Refused by local policy") : STR("Refused for now by local policy");
    if (at < line->n && !line->words[at].quoted && line->words[at].text.n > 0 &&
        byte_is_digit(line->words[at].text.p[0]) &&
        str_find(line->words[at].text, '.') == STR_NOWHERE) {
        if (!take_code(p, &line->words[at++])) return;
    }
    if (at < line->n && !line->words[at].quoted && line->words[at].text.n > 0 &&
        byte_is_digit(line->words[at].text.p[0])) {
        if (!take_enhanced(p, &line->words[at++])) return;
    }
    if (at < line->n && !is_keyword(&line->words[at])) {
        if (!take_reply_text(p, &line->words[at++])) return;
    }
    if (at < line->n) {
        CONFIG_ERROR(p->r, &line->words[at].at,
                     is_keyword(&line->words[at])
                         ? STR("conditions stand before the action, one action ends the line")
                         : STR("put the whole text into one pair of quotes"),
                     config_quote(p->r, line->words[at].text), STR(" is too much for "),
                     line->words[p->at].text);
    }
}

static void take_action(struct parsing *p, size_t index)
{
    const struct conf_word *w = &p->line->words[p->at];
    size_t known;

    if (config_choice(actions_of(p), w->text, &known) != OK) {
        CONFIG_ERROR(
            p->r, &w->at, CONFIG_JOIN(p->r, STR("it may be "), config_listing(p->r, actions_of(p))),
            w->text,
            p->is_route ? STR(" is not an action of route") : STR(" is not an action of check"));
        return;
    }
    p->rule->action = (enum config_action)index;
    if (p->rule->action == CONFIG_REFUSE || p->rule->action == CONFIG_TEMPFAIL) {
        take_reply(p);
    } else if (p->at + 1 < p->line->n) {
        const struct conf_word *extra = &p->line->words[p->at + 1];
        bool via = str_eq(extra->text, STR("via")) || str_eq(extra->text, STR("strangers"));
        CONFIG_ERROR(p->r, &extra->at,
                     via ? STR("put it into a block: queue { via mail.example.org }")
                         : STR("conditions stand before the action, one action ends the line"),
                     config_quote(p->r, extra->text), STR(" is too much for "), w->text);
    }
}

/* ---- the line ---- */

/* What `word` is called here, by the table above or by its spelling. */
static struct str meant(const struct parsing *p, struct str word)
{
    struct str best = foreign_word(word);
    if (best.n > 0) return best;
    best = config_nearest(actions_of(p), word);
    return best.n > 0 ? best : config_nearest(STR(CONDITIONS "|not"), word);
}

static void say_no_keyword(struct parsing *p, const struct conf_word *w)
{
    struct config_reading *r = p->r;
    struct str best = meant(p, w->text);
    struct ip_net net;
    struct str hint;

    if (best.n > 0) {
        hint = config_did_you_mean(r, best);
    } else if (ip_net_parse(w->text, &net) == OK) {
        hint = CONFIG_JOIN(r, STR("write: client "), w->text);
    } else {
        hint = CONFIG_JOIN(r, STR("conditions are "), config_listing(r, STR(CONDITIONS)),
                           STR("; actions are "), config_listing(r, actions_of(p)));
    }
    CONFIG_ERROR(r, &w->at, hint, config_quote(r, w->text),
                 STR(" is neither a condition nor an action"));
}

/* The line ends behind a condition; its last word may have been meant as the action. */
static void say_no_action(struct parsing *p)
{
    struct config_reading *r = p->r;
    const struct conf_word *last = &p->line->words[p->line->n - 1];
    struct str best = last->quoted ? STR_NONE : meant(p, last->text);
    size_t index;
    bool is_action = config_choice(actions_of(p), best, &index) == OK;

    CONFIG_ERROR(r, is_action ? &last->at : &p->line->words[0].at,
                 is_action
                     ? config_did_you_mean(r, best)
                     : CONFIG_JOIN(r, STR("end the line with "), config_listing(r, actions_of(p))),
                 p->line->words[0].text, STR(" has no action"));
}

/* The word at hand begins a condition or the action. True when the line goes on behind it. */
static bool take_part(struct parsing *p)
{
    const struct conf_line *line = p->line;
    const struct conf_word *w = &line->words[p->at];
    bool negated = !w->quoted && str_eq(w->text, STR("not"));
    size_t index;

    if (negated) {
        bool fine = ++p->at < line->n && !line->words[p->at].quoted &&
                    config_choice(STR(CONDITIONS), line->words[p->at].text, &index) == OK;
        if (!fine) {
            CONFIG_ERROR(
                p->r, &w->at,
                CONFIG_JOIN(p->r, STR("conditions are "), config_listing(p->r, STR(CONDITIONS))),
                STR("not stands before a condition"));
            return false;
        }
        w = &line->words[p->at];
    }
    if (!w->quoted && config_choice(STR(CONDITIONS), w->text, &index) == OK) {
        take_condition(p, (enum config_condition_kind)index, negated);
        if (p->lost) return false;
        if (p->at < line->n) return true;
        say_no_action(p);
    } else if (!w->quoted && config_choice(STR(ACTIONS), w->text, &index) == OK) {
        take_action(p, index);
    } else {
        say_no_keyword(p, w);
    }
    return false;
}

static void take_rule(struct config_reading *r, const struct conf_line *line,
                      struct config_rule *rule, size_t index, bool is_route)
{
    struct parsing p = { .r = r, .line = line, .at = 1, .rule = rule, .is_route = is_route };

    rule->index = (uint32_t)index;
    rule->at = config_keep_at(r, &line->words[0].at);
    if (is_route) rule->stage = CONFIG_AT_RCPT;
    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at,
                     is_route
                         ? STR("write: route domain example.org queue { via mail.example.org }")
                         : STR("write: check client 192.0.2.0/24 refuse"),
                     line->words[0].text, STR(" needs conditions and an action"));
        return;
    }
    while (take_part(&p)) {
    }
}

CONFIG_TAKE(route)
{
    struct config *c = r->c;

    (void)o;
    (void)base;
    c->routes = config_grow(r, c->routes, c->route_count, sizeof *c->routes);
    struct config_rule *rule = &c->routes[c->route_count];
    take_rule(r, line, rule, c->route_count++, true);
    return rule;
}

CONFIG_TAKE(check)
{
    struct config *c = r->c;

    (void)o;
    c->checks = config_grow(r, c->checks, c->check_count, sizeof *c->checks);
    take_rule(r, line, &c->checks[c->check_count], c->check_count, false);
    c->check_count++;
    return base;
}

/* route ... queue { via HOST[:PORT] } */
CONFIG_TAKE(via)
{
    struct config_rule *rule = base;

    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at, STR("write: via mail.example.org"),
                     STR("via needs a host"));
        return base;
    }
    if (!config_words_most(r, o, line, 2)) return base;
    struct conf_word host = line->words[1];
    struct str port = STR_NONE;
    size_t close = str_rfind(host.text, ']'), colon = str_rfind(host.text, ':');
    if (colon != STR_NOWHERE && (close == STR_NOWHERE || colon > close)) {
        port = str_skip(host.text, colon + 1);
        host.text = str_part(host.text, 0, colon);
    }
    uint64_t number = 0;
    if (colon != STR_NOWHERE && host.text.n < line->words[1].text.n &&
        (str_to_u64(port, 65535, &number) != OK || number == 0)) {
        CONFIG_ERROR(r, &host.at, STR("a port is a number from 1 to 65535"), STR("no port "),
                     config_quote(r, port), STR(" in "), config_quote(r, line->words[1].text));
        return base;
    }
    struct ip_addr ip;
    if (str_starts(host.text, STR("["))) {
        struct mail_address literal;
        if (address_literal_parse(host.text, r->scratch, &literal) == ADDRESS_FINE &&
            literal.kind != ADDRESS_GENERAL) {
            rule->via = config_keep(r, literal.domain);
        } else if (ip6_parse(str_part(host.text, 1, host.text.n - 2), &ip) == OK) {
            rule->via = ARENA_JOIN(&r->c->arena, STR("[IPv6:"), str_skip(host.text, 1));
        } else {
            CONFIG_ERROR(r, &host.at, STR("write an address as [192.0.2.1] or [IPv6:2001:db8::1]"),
                         config_quote(r, host.text), STR(" is not an address"));
        }
    } else if (ip_parse(line->words[1].text, &ip) == OK || ip_parse(host.text, &ip) == OK) {
        CONFIG_ERROR(r, &host.at, STR("write an address as [192.0.2.1] or [IPv6:2001:db8::1]"),
                     STR("an address needs brackets: "), config_quote(r, line->words[1].text));
    } else if (!config_take_name(r, &host, &rule->via)) {
        return base;
    }
    rule->via_port = (uint16_t)number;
    return base;
}

/* ---- showing ---- */

static void put_condition(struct buf *b, const struct config_condition *c)
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
        buf_put(b, config_choice_at(STR(SERVICES), i));
    }
    for (size_t i = 0; i < c->pattern_count; i++) {
        struct conf_word w = { .text = c->patterns[i] };
        buf_put_lit(b, " ");
        if (is_keyword(&w)) {
            conf_put_quoted(b, w.text);
        } else {
            conf_put_word(b, w.text);
        }
    }
}

static void put_action(struct buf *b, const struct config_rule *rule)
{
    buf_put_lit(b, " ");
    buf_put(b, config_choice_at(STR(ACTIONS), rule->action));
    if (rule->action == CONFIG_REFUSE || rule->action == CONFIG_TEMPFAIL) {
        buf_put_lit(b, " ");
        buf_put_u64(b, rule->code);
        buf_put_lit(b, " ");
        buf_put_u64(b, rule->class);
        buf_put_lit(b, ".");
        buf_put_u64(b, rule->subject);
        buf_put_lit(b, ".");
        buf_put_u64(b, rule->detail);
        buf_put_lit(b, " ");
        conf_put_quoted(b, rule->text);
    }
    if (rule->via.n == 0 && !rule->strangers) return;
    buf_put_lit(b, " {");
    if (rule->via.n > 0) {
        buf_put_lit(b, " via ");
        buf_put(b, rule->via);
        if (rule->via_port > 0) {
            buf_put_lit(b, ":");
            buf_put_u64(b, rule->via_port);
        }
        if (rule->strangers) buf_put_lit(b, ";");
    }
    if (rule->strangers) buf_put_lit(b, " strangers yes");
    buf_put_lit(b, " }");
}

static void show_rules(struct config_showing *s, const struct config_option *o,
                       const struct config_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf b = buf_new(CONFIG_VALUE_MAX * 5);
        for (size_t k = 0; k < rules[i].condition_count; k++) {
            put_condition(&b, &rules[i].conditions[k]);
        }
        put_action(&b, &rules[i]);
        config_entry_add(s, o, str_skip(buf_str(&b), 1), &rules[i].at);
        buf_free(&b);
    }
}

CONFIG_SHOW(routes)
{
    show_rules(s, o, s->c->routes, s->c->route_count);
}

CONFIG_SHOW(checks)
{
    show_rules(s, o, s->c->checks, s->c->check_count);
}
