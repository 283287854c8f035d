/* How many messages a second the embedded engine takes, durable and acknowledged, at several
 * numbers of submitters; with what it costs: bytes to the device, syncs, processor time, latency.
 *
 * A submitter is an intent that is submitted again as soon as it is done; one thread of ours plays
 * all of them, as the depot's loop does. A message is a body and seven small rows (about 600
 * bytes), two of them read before: what a delivery into a mailbox writes. */
#include "store/engine_embedded.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/rand.h"
#include "base/wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LATENCIES_MAX = 1 << 22 };

struct load {
    struct engine *e;
    size_t accounts;
    struct str body;
    bool random_ids;
    pthread_mutex_t lock;
    pthread_cond_t some_done;
    struct intent *done;
    uint64_t next_message;
    uint32_t *latency_us;
    size_t latency_count;
};

struct submitter {
    struct intent intent; /* first */
    struct load *load;
    uint64_t account, message;
    int64_t since_us;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- one message ---- */

static struct str key_of(struct buf *b, char kind, uint64_t account, uint64_t number)
{
    buf_clear(b);
    buf_put_byte(b, kind);
    wire_put_u64(b, account);
    if (number != 0) wire_put_u64(b, number);
    return buf_str(b);
}

static struct str value_of(struct buf *b, uint64_t head, size_t bytes)
{
    buf_clear(b);
    wire_put_u64(b, head);
    while (b->n < bytes) {
        wire_put_u64(b, head ^ b->n);
    }
    return buf_str(b);
}

static enum err read_number(struct txn *t, struct str key, uint64_t *out)
{
    struct str value;
    enum err e = txn_get(t, key, &value);
    struct wire w = wire_of(e == OK ? value : STR_NONE);
    *out = wire_get_u64(&w);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err put_rows(struct txn *t, const struct submitter *s, uint64_t uid, uint64_t used)
{
    static const struct {
        char kind;
        size_t bytes;
    } rows[] = { { 'm', 300 }, { 'c', 56 }, { 's', 80 }, { 'q', 24 },
                 { 'i', 40 },  { 't', 56 }, { 'r', 16 } };
    struct buf key = BUF_INIT(64), value = BUF_INIT(1024);
    enum err e = OK;
    for (size_t i = 0; e == OK && i < sizeof rows / sizeof rows[0]; i++) {
        bool counter = rows[i].kind == 's' || rows[i].kind == 'q';
        bool by_message = rows[i].kind == 'i' || rows[i].kind == 't';
        uint64_t owner = by_message ? s->message : s->account;
        uint64_t head = rows[i].kind == 'q' ? used : uid;
        e = txn_put(t, key_of(&key, rows[i].kind, owner, counter || by_message ? 0 : uid),
                    value_of(&value, head, rows[i].bytes));
    }
    buf_free(&key);
    buf_free(&value);
    return e;
}

static enum err body(struct txn *t, void *ctx)
{
    struct submitter *s = ctx;
    struct buf key = BUF_INIT(64);
    uint64_t uid, used;
    enum err e = read_number(t, key_of(&key, 's', s->account, 0), &uid);
    if (e == OK) e = read_number(t, key_of(&key, 'q', s->account, 0), &used);
    if (e == OK) e = put_rows(t, s, uid + 1, used + s->load->body.n);
    struct blob_id id = { { 0 } };
    uint64_t mixed = s->message * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < 8; i++) {
        id.bytes[i] = (unsigned char)((s->load->random_ids ? mixed : s->message) >> (8 * (7 - i)));
    }
    if (e == OK)
        e = txn_blob_put(t, id, STR("Received: from client (bench) by bench; now\r\n"),
                         s->load->body, NULL, 1);
    buf_free(&key);
    return e;
}

/* ---- the load ---- */

static void on_done(struct intent *i)
{
    struct load *l = ((struct submitter *)(void *)i)->load;
    pthread_mutex_lock(&l->lock);
    bool first = l->done == NULL;
    i->next = l->done;
    l->done = i;
    if (first) pthread_cond_signal(&l->some_done);
    pthread_mutex_unlock(&l->lock);
}

static void submit(struct submitter *s)
{
    s->account = rand_below(s->load->accounts) + 1;
    s->message = ++s->load->next_message;
    s->since_us = now_us();
    s->intent = (struct intent){ .body = body, .ctx = s, .kind = INTENT_DURABLE, .done = on_done };
    engine_submit(s->load->e, &s->intent);
}

static struct intent *await(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->done == NULL) {
        pthread_cond_wait(&l->some_done, &l->lock);
    }
    struct intent *all = l->done;
    l->done = NULL;
    pthread_mutex_unlock(&l->lock);
    return all;
}

/* Take the done ones; submit them again while `go_on`. How many. */
static size_t turn(struct load *l, bool go_on)
{
    size_t n = 0;
    for (struct intent *i = await(l), *next; i != NULL; i = next, n++) {
        next = i->next;
        must(i->result == OK);
        struct submitter *s = (struct submitter *)(void *)i;
        if (l->latency_count < LATENCIES_MAX)
            l->latency_us[l->latency_count++] = (uint32_t)(now_us() - s->since_us);
        if (go_on) submit(s);
    }
    return n;
}

static size_t run(struct load *l, size_t submitters, int64_t for_us)
{
    struct submitter *all = calloc(submitters, sizeof *all);
    must(all != NULL);
    int64_t until = now_us() + for_us;
    for (size_t i = 0; i < submitters; i++) {
        all[i].load = l;
        submit(&all[i]);
    }
    size_t n = 0, out = submitters;
    while (now_us() < until) {
        n += turn(l, true);
    }
    while (out > 0) {
        size_t back = turn(l, false);
        out -= back;
        n += back;
    }
    free(all);
    return n;
}

/* ---- numbers ---- */

struct cost {
    int64_t at_us, cpu_us;
    uint64_t device_bytes;
    struct engine_stats stats;
};

static uint64_t device_bytes(void)
{
    FILE *f = fopen("/proc/self/io", "r");
    unsigned long long n = 0;
    char line[128];
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "write_bytes: %llu", &n) == 1) break;
    }
    if (f != NULL) fclose(f);
    return n;
}

static struct cost cost_now(struct engine *e)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    struct cost c = { .at_us = now_us(), .device_bytes = device_bytes() };
    c.cpu_us = ((int64_t)u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
               u.ru_stime.tv_usec;
    engine_stats(e, &c.stats);
    return c;
}

static int u32_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double latency_ms(struct load *l, double part)
{
    return l->latency_us[(size_t)((double)(l->latency_count - 1) * part)] / 1000.0;
}

static void level(struct load *l, size_t submitters, int64_t seconds)
{
    /* What the level before left in memory is not to be paid by this one. */
    must(engine_embedded_flush(l->e) == OK);
    l->latency_count = 0;
    struct cost before = cost_now(l->e);
    double n = (double)run(l, submitters, seconds * 1000000);
    struct cost running = cost_now(l->e);
    must(engine_embedded_flush(l->e) == OK);
    struct cost after = cost_now(l->e);
    qsort(l->latency_us, l->latency_count, sizeof *l->latency_us, u32_cmp);
    double wall = (double)(running.at_us - before.at_us) / 1e6;
    double bytes = (double)(after.device_bytes - before.device_bytes);
    double log = (double)(running.stats.log_bytes_written - before.stats.log_bytes_written);
    printf("%6zu %9.0f %8.3f %8.3f %7.1f %8.4f %7.1f %8.0f %8.0f %6.2f %7llu\n", submitters,
           n / wall, latency_ms(l, 0.5), latency_ms(l, 0.99),
           (double)(after.cpu_us - before.cpu_us) / n,
           (double)(running.stats.syncs - before.stats.syncs) / n,
           (double)(running.stats.transactions - before.stats.transactions) /
               (double)(running.stats.groups - before.stats.groups),
           log / n, bytes / n, bytes / n / (double)l->body.n,
           (unsigned long long)(after.stats.row_commits - before.stats.row_commits));
    fflush(stdout);
}

static int usage(void)
{
    fprintf(stderr, "usage: store_bench [-d FOLDER] [-s SECONDS] [-b BODY-BYTES] [-a ACCOUNTS]\n"
                    "                   [-m MEMORY-MIB] [-r] [SUBMITTERS ...]\n"
                    "  -r  blob ids at random (they grow with time otherwise)\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *folder = "store-bench.d";
    long seconds = 5, bytes = 4096, accounts = 1000, memory = 0;
    struct load l = { .lock = PTHREAD_MUTEX_INITIALIZER, .some_done = PTHREAD_COND_INITIALIZER };
    for (int c; (c = getopt(argc, argv, "d:s:b:a:m:r")) != -1;) {
        switch (c) {
        case 'd':
            folder = optarg;
            break;
        case 's':
            seconds = atol(optarg);
            break;
        case 'b':
            bytes = atol(optarg);
            break;
        case 'a':
            accounts = atol(optarg);
            break;
        case 'm':
            memory = atol(optarg);
            break;
        case 'r':
            l.random_ids = true;
            break;
        default:
            return usage();
        }
    }
    struct embedded_config config = { .path = folder, .memory_bytes = (uint64_t)memory << 20 };
    struct embedded_opening how;
    int64_t begun_us = now_us();
    enum err e = engine_embedded_open(&config, &l.e, &how);
    int64_t open_us = now_us() - begun_us;
    if (e != OK || seconds < 1 || bytes < 1 || bytes > ENGINE_BLOB_INLINE_MAX || accounts < 1) {
        fprintf(stderr, "%s: %s\n", folder, err_words(e));
        return e != OK ? 1 : usage();
    }
    char *text = calloc(1, (size_t)bytes);
    l.latency_us = calloc(LATENCIES_MAX, sizeof *l.latency_us);
    must(text != NULL && l.latency_us != NULL);
    rand_bytes(text, (size_t)bytes);
    l.body = str_of(text, (size_t)bytes);
    l.accounts = (size_t)accounts;
    l.next_message = (uint64_t)clock_wall_us();
    printf("opened in %.1f ms, %llu records replayed\n", (double)open_us / 1000,
           (unsigned long long)how.replayed_records);
    printf("bodies of %ld bytes, %ld accounts, %ld s a level\n", bytes, accounts, seconds);
    printf("submit     msg/s   p50 ms   p99 ms  cpu us sync/msg msg/grp log B/m  dev B/m ratio "
           "commits\n");
    if (optind == argc) {
        static const size_t levels[] = { 1, 10, 100, 1000 };
        for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
            level(&l, levels[i], seconds);
        }
    }
    for (int i = optind; i < argc; i++) {
        level(&l, (size_t)atol(argv[i]), seconds);
    }
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("at most %ld MiB of memory\n", u.ru_maxrss / 1024);
    engine_close(&l.e);
    free(text);
    free(l.latency_us);
    return 0;
}
