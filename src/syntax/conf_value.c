/* Tables of units, largest first, so that the same table reads and writes. */
#include "syntax/conf_value.h"

struct unit {
    struct str name;
    int64_t factor;
};

static const struct unit times[] = {
    { STR_INIT("w"), 604800000 }, { STR_INIT("d"), 86400000 }, { STR_INIT("h"), 3600000 },
    { STR_INIT("m"), 60000 },     { STR_INIT("s"), 1000 },     { STR_INIT("ms"), 1 },
};
static const struct unit sizes[] = {
    { STR_INIT("T"), INT64_C(1) << 40 }, { STR_INIT("G"), 1 << 30 }, { STR_INIT("M"), 1 << 20 },
    { STR_INIT("K"), 1 << 10 },          { STR_INIT(""), 1 },
};

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

enum err conf_parse_count(struct str s, int64_t *count_out)
{
    uint64_t count;
    enum err e = str_to_u64(s, INT64_MAX, &count);
    if (e != OK) return e;
    *count_out = (int64_t)count;
    return OK;
}

/* Digits, then one of the units. */
static enum err parse_with_unit(struct str s, const struct unit *units, size_t n,
                                int64_t *value_out)
{
    size_t digits = 0;
    while (digits < s.n && byte_is_digit(s.p[digits])) {
        digits++;
    }
    struct str unit = str_skip(s, digits);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(unit, units[i].name)) continue;
        int64_t count;
        enum err e = conf_parse_count(str_part(s, 0, digits), &count);
        if (e != OK) return e;
        int64_t value;
        if (__builtin_mul_overflow(count, units[i].factor, &value)) return ERR_RANGE;
        *value_out = value;
        return OK;
    }
    return ERR_SYNTAX;
}

enum err conf_parse_time(struct str s, int64_t *ms_out)
{
    if (str_eq(s, STR("0"))) {
        *ms_out = 0;
        return OK;
    }
    return parse_with_unit(s, times, COUNT_OF(times), ms_out);
}

enum err conf_parse_bytes(struct str s, int64_t *bytes_out)
{
    return parse_with_unit(s, sizes, COUNT_OF(sizes), bytes_out);
}

enum err conf_parse_bool(struct str s, bool *yes_out)
{
    bool yes = str_eq(s, STR("yes"));
    if (!yes && !str_eq(s, STR("no"))) return ERR_SYNTAX;
    *yes_out = yes;
    return OK;
}

static void put_with_unit(struct buf *b, int64_t value, const struct unit *units, size_t n)
{
    for (size_t i = 0; value != 0 && i < n; i++) {
        if (value % units[i].factor != 0) continue;
        buf_put_i64(b, value / units[i].factor);
        buf_put(b, units[i].name);
        return;
    }
    buf_put_i64(b, value);
}

void conf_put_time(struct buf *b, int64_t ms)
{
    put_with_unit(b, ms, times, COUNT_OF(times));
}

void conf_put_bytes(struct buf *b, int64_t bytes)
{
    put_with_unit(b, bytes, sizes, COUNT_OF(sizes));
}
