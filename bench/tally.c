/* Counting and printing. Percentiles are exact: every latency is kept and sorted at the end. */
#include "bench/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "bench/conn.h"

enum { REASON_MAX = 400 };

void tally_begin(struct tally *t, const char *what, uint64_t wanted)
{
    *t = (struct tally){ .what = what, .wanted = wanted, .first_failure = buf_new(REASON_MAX) };
    t->latency_us = calloc(wanted + 1, sizeof *t->latency_us);
    must(t->latency_us != NULL);
    t->begin_us = t->end_us = now_us();
}

void tally_done(struct tally *t, int64_t since_us, uint64_t bytes)
{
    must(t->done < t->wanted);
    t->end_us = now_us();
    t->latency_us[t->done] = (uint32_t)(t->end_us - since_us);
    t->done++;
    t->bytes += bytes;
}

void tally_failed(struct tally *t, struct str why)
{
    if (t->failed == 0) buf_put(&t->first_failure, str_part(why, 0, REASON_MAX));
    t->failed++;
}

bool tally_is_full(const struct tally *t)
{
    return t->done + t->failed >= t->wanted;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The value that `percent` of all are not above. */
static uint32_t percentile(const struct tally *t, unsigned percent)
{
    if (t->done == 0) return 0;
    uint64_t at = (t->done * percent + 99) / 100;
    return t->latency_us[at > 0 ? at - 1 : 0];
}

/* A JSON string; bytes beyond printable ASCII become spaces. */
static void print_string(struct str s)
{
    putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\') putchar('\\');
        putchar(c >= ' ' && c <= '~' ? c : ' ');
    }
    putchar('"');
}

void tally_print(struct tally *t)
{
    double seconds = (double)(t->end_us - t->begin_us) / 1e6;
    uint64_t known = t->done + t->failed;

    qsort(t->latency_us, t->done, sizeof *t->latency_us, by_value);
    printf("{\"what\": \"%s\", \"wanted\": %" PRIu64 ", \"done\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"unfinished\": %" PRIu64 ", \"bytes\": %" PRIu64,
           t->what, t->wanted, t->done, t->failed, known < t->wanted ? t->wanted - known : 0,
           t->bytes);
    printf(", \"seconds\": %.6f, \"per_second\": %.3f, \"cpu_seconds\": %.6f", seconds,
           seconds > 0 ? (double)t->done / seconds : 0, cpu_seconds());
    printf(", \"latency_us\": {\"min\": %u, \"p50\": %u, \"p90\": %u, \"p99\": %u, \"max\": %u}",
           percentile(t, 0), percentile(t, 50), percentile(t, 90), percentile(t, 99),
           percentile(t, 100));
    printf(", \"first_failure\": ");
    print_string(buf_str(&t->first_failure));
    printf("}\n");
    fflush(stdout);
    free(t->latency_us);
    t->latency_us = NULL;
}
