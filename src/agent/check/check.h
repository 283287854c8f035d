/* The `check` rules of the configuration: all that match act, in their order, at the stage at which
 * the last of their conditions is known. */
#ifndef AGENT_CHECK_CHECK_H
#define AGENT_CHECK_CHECK_H

#include "model/config.h"
#include "model/outcome.h"

/* Ask the rules of one stage. The outcome is ok, or that of the first refusing rule; its views live
 * in `a` or as long as the configuration. `accepted_out` (may be null): an accept rule spares later
 * checks. Cannot fail. */
void check_rules(const struct config *c, enum config_stage stage, const struct config_facts *facts,
                 struct arena *a, struct outcome *out, bool *accepted_out);

/* Has the peer the right to send anywhere: by its network or by its login? */
bool check_may_relay(const struct config *c, const struct peer *p);

#endif
