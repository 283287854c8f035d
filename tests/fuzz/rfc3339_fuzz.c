/* A date that is taken is the moment that the C library computes from the same digits. */
#include "base/must.h"
#include "syntax/rfc3339.h"

#include <time.h>

static int digits(struct str s, size_t at, size_t n)
{
    uint64_t value;
    must(str_to_u64(str_part(s, at, n), 9999, &value) == OK);
    return (int)value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    int64_t seconds;

    if (rfc3339_parse(in, &seconds) != OK) return 0;
    struct tm tm = {
        .tm_year = digits(in, 0, 4) - 1900,
        .tm_mon = digits(in, 5, 2) - 1,
        .tm_mday = digits(in, 8, 2),
        .tm_hour = digits(in, 11, 2),
        .tm_min = digits(in, 14, 2),
        .tm_sec = digits(in, 17, 2),
    };
    int64_t utc = timegm(&tm);
    if (!str_ends(in, STR("Z")) && !str_ends(in, STR("z"))) {
        int east = digits(in, in.n - 5, 2) * 3600 + digits(in, in.n - 2, 2) * 60;
        utc += in.p[in.n - 6] == '-' ? east : -east;
    }
    must(seconds == utc && seconds >= 0);
    return 0;
}
