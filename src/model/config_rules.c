/* `check` and `route` lines: conditions, then an action.
 *
 *     check client 192.0.2.0/24 not helo "*.example.org" refuse 554 5.7.1 "go away"
 *
 * Keywords end the list of values of the condition before them; a value that is spelled like a
 * keyword is put into quotes. */
#include "model/config_rules.h"
#include "base/must.h"
#include "syntax/address.h"

enum { RULE_TEXT_MAX = 400 };

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

static struct str actions_of(const struct config_parsing *p)
{
    return p->is_route ? STR(ROUTE_ACTIONS) : STR(CHECK_ACTIONS);
}

struct str config_foreign_word(struct str word)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (str_eq_nocase(word, foreign[i].theirs)) return foreign[i].ours;
    }
    return STR_NONE;
}

/* ---- actions ---- */

static bool take_code(struct config_parsing *p, const struct conf_word *w)
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
static bool take_enhanced(struct config_parsing *p, const struct conf_word *w)
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

static bool take_reply_text(struct config_parsing *p, const struct conf_word *w)
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
static void take_reply(struct config_parsing *p)
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
    if (at < line->n && !config_is_keyword(&line->words[at])) {
        if (!take_reply_text(p, &line->words[at++])) return;
    }
    if (at < line->n) {
        CONFIG_ERROR(p->r, &line->words[at].at,
                     config_is_keyword(&line->words[at])
                         ? STR("conditions stand before the action, one action ends the line")
                         : STR("put the whole text into one pair of quotes"),
                     config_quote(p->r, line->words[at].text), STR(" is too much for "),
                     line->words[p->at].text);
    }
}

static void take_action(struct config_parsing *p, size_t index)
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
static struct str meant(const struct config_parsing *p, struct str word)
{
    struct str best = config_foreign_word(word);
    if (best.n > 0) return best;
    best = config_nearest(actions_of(p), word);
    return best.n > 0 ? best : config_nearest(STR(CONFIG_CONDITIONS "|not"), word);
}

static void say_no_keyword(struct config_parsing *p, const struct conf_word *w)
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
        hint = CONFIG_JOIN(r, STR("conditions are "), config_listing(r, STR(CONFIG_CONDITIONS)),
                           STR("; actions are "), config_listing(r, actions_of(p)));
    }
    CONFIG_ERROR(r, &w->at, hint, config_quote(r, w->text),
                 STR(" is neither a condition nor an action"));
}

/* The line ends behind a condition; its last word may have been meant as the action. */
static void say_no_action(struct config_parsing *p)
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
static bool take_part(struct config_parsing *p)
{
    const struct conf_line *line = p->line;
    const struct conf_word *w = &line->words[p->at];
    bool negated = !w->quoted && str_eq(w->text, STR("not"));
    size_t index;

    if (negated) {
        bool fine = ++p->at < line->n && !line->words[p->at].quoted &&
                    config_choice(STR(CONFIG_CONDITIONS), line->words[p->at].text, &index) == OK;
        if (!fine) {
            CONFIG_ERROR(p->r, &w->at,
                         CONFIG_JOIN(p->r, STR("conditions are "),
                                     config_listing(p->r, STR(CONFIG_CONDITIONS))),
                         STR("not stands before a condition"));
            return false;
        }
        w = &line->words[p->at];
    }
    if (!w->quoted && config_choice(STR(CONFIG_CONDITIONS), w->text, &index) == OK) {
        config_take_condition(p, (enum config_condition_kind)index, negated);
        if (p->lost) return false;
        if (p->at < line->n) return true;
        say_no_action(p);
    } else if (!w->quoted && config_choice(STR(CONFIG_ACTIONS), w->text, &index) == OK) {
        take_action(p, index);
    } else {
        say_no_keyword(p, w);
    }
    return false;
}

static void take_rule(struct config_reading *r, const struct conf_line *line,
                      struct config_rule *rule, size_t index, bool is_route)
{
    struct config_parsing p = { .r = r, .line = line, .at = 1, .rule = rule, .is_route = is_route };

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

static void put_action(struct buf *b, const struct config_rule *rule)
{
    buf_put_lit(b, " ");
    buf_put(b, config_choice_at(STR(CONFIG_ACTIONS), rule->action));
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
            config_put_condition(&b, &rules[i].conditions[k]);
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
