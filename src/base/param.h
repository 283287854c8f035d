/* Parameters and counters: declared once, in the room that uses them.
 *
 *     PARAM(smtp_command_wait_ms, TIME_MS, 1000, 3600000, 300000,
 *           "how long a peer may take for its next command (RFC 5321 4.5.3.2.7: at least 5
 * minutes)")
 *
 * defines `int64_t smtp_command_wait_ms`, which the configuration's `limit` and `set` lines change
 * and from whose row the manual page is printed.
 *
 *     COUNTER(smtp_connections, "connections accepted by the SMTP listeners")
 *
 * defines `uint64_t smtp_connections`, which the room counts up and `postrider status` shows.
 * Both are rows of a linker section, so there is no second list to keep. */
#ifndef BASE_PARAM_H
#define BASE_PARAM_H

#include "base/str.h"

enum param_kind { PARAM_TIME_MS, PARAM_BYTES, PARAM_COUNT, PARAM_BOOL };

struct param {
    const char *name;
    enum param_kind kind;
    int64_t min, max, standard;
    const char *doc;
    int64_t *value;
};

#define PARAM(name_, kind_, min_, max_, standard_, doc_)                                           \
    int64_t name_ = (standard_);                                                                   \
    static const struct param param_row_##name_                                                    \
        __attribute__((used, section("params"), aligned(8))) = { #name_, PARAM_##kind_, (min_),    \
                                                                 (max_), (standard_),   doc_,      \
                                                                 &name_ };

struct counter {
    const char *name, *doc;
    uint64_t *value;
};

#define COUNTER(name_, doc_)                                                                       \
    uint64_t name_;                                                                                \
    static const struct counter counter_row_##name_                                                \
        __attribute__((used, section("counters"), aligned(8))) = { #name_, doc_, &name_ };

/* Row `i` in the order of linking, or null past the last. */
const struct param *param_at(size_t i);
const struct counter *counter_at(size_t i);

/* Row by name, or null. */
const struct param *param_find(struct str name);

/* Set by name. ERR_NOT_FOUND, ERR_RANGE. */
enum err param_set(struct str name, int64_t value);

/* All back to their standard values (before a configuration is applied again). */
void param_reset(void);

#endif
