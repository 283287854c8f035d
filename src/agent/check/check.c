#include "agent/check/check.h"

/* An accept rule of this or an earlier stage spares what comes behind it. */
static bool accepted_before(const struct config *c, enum config_stage stage, size_t until,
                            const struct config_facts *facts)
{
    for (size_t i = 0; i < until; i++) {
        const struct config_rule *r = &c->checks[i];
        if (r->action == CONFIG_ACCEPT && r->stage <= stage && config_rule_matches(r, facts))
            return true;
    }
    return false;
}

void check_rules(const struct config *c, enum config_stage stage, const struct config_facts *facts,
                 struct arena *a, struct outcome *out, bool *accepted_out)
{
    *out = outcome_of("ok");
    if (accepted_out != NULL) *accepted_out = accepted_before(c, stage, c->check_count, facts);
    for (size_t i = 0; i < c->check_count; i++) {
        const struct config_rule *r = &c->checks[i];
        struct buf at = BUF_INIT(8192);
        if (r->stage != stage || r->action == CONFIG_ACCEPT || !config_rule_matches(r, facts))
            continue;
        if (accepted_before(c, stage, i, facts)) return;
        conf_at_put(&at, &r->at);
        *out = (struct outcome){ .code = r->code,
                                 .class = r->class,
                                 .subject = r->subject,
                                 .detail = r->detail,
                                 .text = r->text,
                                 .reason = r->action == CONFIG_REFUSE ? STR("policy")
                                                                      : STR("policy-later"),
                                 .rule = arena_str(a, buf_str(&at)) };
        buf_free(&at);
        return;
    }
}

bool check_may_relay(const struct config *c, const struct peer *p)
{
    return p->login.n > 0 || (config_may(c, p->ip) & CONFIG_MAY_RELAY) != 0;
}
