/* Heads, tokens and dates: a walk stays inside its head and moves on; what is written back of a
 * parsed date parses to the same moment. */
#include "base/must.h"
#include "syntax/date.h"
#include "syntax/header.h"
#include "syntax/token.h"
#include "syntax/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_tokens(struct str value, unsigned word_class)
{
    struct token_walk w = token_walk_of(value, word_class);
    struct token t;
    struct buf b = BUF_INIT(1 << 20);
    size_t taken = 0;
    while (token_next(&w, &t)) {
        must(t.raw.n > 0);
        taken += t.raw.n;
        token_put(&b, &t);
    }
    token_put_comment(&b, w.comment);
    must(taken <= value.n && w.scan.left.n == 0 && !b.over && b.n <= value.n);
    buf_free(&b);
}

static void dates_come_back(struct str value)
{
    struct date d, again;
    struct buf b = BUF_INIT(100);
    if (date_parse(value, &d) == OK && d.zone_minutes > -1440 && d.zone_minutes < 1440 &&
        d.time_s > -2208900000 && d.time_s < 253402200000) {
        date_put(&b, d.time_s, d.zone_minutes);
        must(date_parse(buf_str(&b), &again) == OK && again.time_s == d.time_s);
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str head = str_of(data, size);
    struct arena a = ARENA_INIT(0);
    struct header_walk w = header_walk_of(head);
    struct header_field f;
    size_t end = header_bytes(head), before = 0;

    while (header_next(&w, &f)) {
        must(f.from >= before && f.end > f.from && f.end <= head.n);
        must(end == STR_NOWHERE || f.end <= end);
        must(f.name.n > 0 && f.name.n + f.value.n < f.end - f.from);
        before = f.end;
        must(header_unfold(&a, f.value).n <= f.value.n);
        walk_tokens(f.value, BYTE_ATEXT);
        walk_tokens(f.value, BYTE_TOKEN);
        dates_come_back(f.value);
    }
    must(trace_hops(head) <= HEADER_FIELDS_MAX);
    arena_free(&a);
    return 0;
}
