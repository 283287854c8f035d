/* Whether a rule's conditions hold. Pure: what follows from it is decided elsewhere. */
#include "model/config.h"
#include "base/must.h"
#include "syntax/ip.h"

bool config_pattern_matches(struct str pattern, struct str text)
{
    /* Greedy with one point of return: after the last '*' seen, try one byte further on. */
    size_t p = 0, t = 0, star = STR_NOWHERE, retry = 0;

    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.n && byte_lower(pattern.p[p]) == byte_lower(text.p[t])) {
            p++;
            t++;
        } else if (star != STR_NOWHERE) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

static bool any_pattern(const struct config_condition *c, struct str text)
{
    for (size_t i = 0; i < c->pattern_count; i++) {
        if (config_pattern_matches(c->patterns[i], text)) return true;
    }
    return false;
}

static bool client_holds(const struct config_condition *c, struct str ip_text)
{
    struct ip_addr ip;

    if (str_eq(ip_text, STR("unix"))) return c->unix_peers;
    if (ip_parse(ip_text, &ip) != OK) return false;
    for (size_t i = 0; i < c->net_count; i++) {
        if (ip_net_has(&c->nets[i], &ip)) return true;
    }
    return false;
}

/* What stands behind the last '@'; empty for a bare local part. */
static struct str domain_of(struct str address)
{
    size_t at = str_rfind(address, '@');
    return at == STR_NOWHERE ? STR_NONE : str_skip(address, at + 1);
}

static bool holds(const struct config_condition *c, const struct config_facts *facts)
{
    const struct peer *peer = facts->peer;

    switch (c->kind) {
    case CONFIG_WHEN_CLIENT:
        return client_holds(c, peer->ip);
    case CONFIG_WHEN_SERVICE:
        return (c->services & 1u << peer->service) != 0;
    case CONFIG_WHEN_TLS:
        return peer->tls.n > 0;
    case CONFIG_WHEN_HELO:
        return any_pattern(c, peer->helo);
    case CONFIG_WHEN_LOGIN:
        return peer->login.n > 0 && any_pattern(c, peer->login);
    case CONFIG_WHEN_FROM:
        return any_pattern(c, facts->from.n > 0 ? facts->from : STR("<>"));
    case CONFIG_WHEN_TO:
        return any_pattern(c, facts->to);
    case CONFIG_WHEN_DOMAIN:
        return any_pattern(c, domain_of(facts->to));
    }
    must(false);
    return false;
}

bool config_rule_matches(const struct config_rule *rule, const struct config_facts *facts)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct config_condition *c = &rule->conditions[i];
        if (holds(c, facts) == c->negated) return false;
    }
    return true;
}
