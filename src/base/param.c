#include "base/param.h"

extern const struct param __start_params[] __attribute__((weak));
extern const struct param __stop_params[] __attribute__((weak));
extern const struct counter __start_counters[] __attribute__((weak));
extern const struct counter __stop_counters[] __attribute__((weak));

const struct param *param_at(size_t i)
{
    return i < (size_t)(__stop_params - __start_params) ? &__start_params[i] : NULL;
}

const struct counter *counter_at(size_t i)
{
    return i < (size_t)(__stop_counters - __start_counters) ? &__start_counters[i] : NULL;
}

const struct param *param_find(struct str name)
{
    const struct param *p;
    for (size_t i = 0; (p = param_at(i)) != NULL; i++) {
        if (str_eq(str_c(p->name), name)) return p;
    }
    return NULL;
}

enum err param_set(struct str name, int64_t value)
{
    const struct param *p = param_find(name);
    if (p == NULL) return ERR_NOT_FOUND;
    if (value < p->min || value > p->max) return ERR_RANGE;
    *p->value = value;
    return OK;
}

void param_reset(void)
{
    const struct param *p;
    for (size_t i = 0; (p = param_at(i)) != NULL; i++) {
        *p->value = p->standard;
    }
}
