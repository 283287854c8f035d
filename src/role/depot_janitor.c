/* The janitor: what was deleted goes for good, what is old is forgotten, garbage becomes free
 * space; in small slices that let everything else pass. */
#include "role/depot.h"

#include "base/must.h"
#include "mail/janitor.h"

PARAM(depot_janitor_rest_ms, TIME_MS, 100, 86400000, 60000,
      "pause between two rounds of the janitor")
PARAM(depot_compact_bytes, BYTES, 65536, 67108864, 4194304,
      "bytes that one slice of compaction may copy")
COUNTER(depot_janitor_slices, "slices of work done by the janitor")

enum { BREATH_MS = 20 };

struct look {
    struct janitor *janitor;
    struct arena *arena;
    struct janitor_job job;
    enum janitor_found found;
};

static enum err look_body(struct txn *t, void *ctx)
{
    struct look *l = ctx;
    return janitor_look(t, l->janitor, clock_wall_us(), l->arena, &l->job, &l->found);
}

struct work {
    const struct janitor_job *job;
    bool more;
};

static enum err work_body(struct txn *t, void *ctx)
{
    struct work *w = ctx;
    return janitor_work(t, w->job, clock_wall_us(), &w->more);
}

static enum err do_job(const struct janitor_job *job)
{
    struct work w = { .job = job, .more = true };
    enum err e = OK;
    while (w.more && e == OK) {
        e = depot_checked(depot_commit(depot.engine, INTENT_VISIBLE, work_body, &w));
        depot_janitor_slices++;
        if (e == OK) e = fiber_sleep(BREATH_MS);
    }
    return e;
}

/* One round through the whole store. */
static enum err mail_round(void)
{
    struct janitor j = { 0 };
    enum err e = OK;
    enum janitor_found found = JANITOR_ON;
    while (e == OK && found != JANITOR_REST) {
        struct arena a = ARENA_INIT(0);
        struct look l = { .janitor = &j, .arena = &a };
        e = depot_checked(depot_read(depot.engine, look_body, &l));
        found = l.found;
        if (e == OK && found == JANITOR_JOB) {
            e = do_job(&l.job);
            if (e != OK && e != ERR_CANCELLED && !depot.broken) {
                /* One bad row must not stop all other work. */
                log_warn("depot.janitor_job_failed", L_U64("kind", l.job.kind),
                         L_U64("account", l.job.account), L_ERR(e));
                janitor_skip(&j);
                e = OK;
            }
        }
        if (e == OK) e = fiber_sleep(BREATH_MS);
        arena_free(&a);
    }
    return e;
}

static enum err compact_round(void)
{
    bool more = true;
    enum err e = OK;
    while (e == OK && more) {
        e = depot_compact((size_t)depot_compact_bytes, &more);
        if (e == OK) e = fiber_sleep(BREATH_MS);
    }
    return e;
}

static void life(void *arg)
{
    (void)arg;
    for (;;) {
        enum err e = fiber_sleep(depot_janitor_rest_ms);
        if (e == OK) e = mail_round();
        if (e == OK) e = compact_round();
        if (e == ERR_CANCELLED || depot.broken || depot.role->stopping) return;
        if (e != OK) log_warn("depot.janitor", L_ERR(e));
    }
}

static struct fiber *janitor;

void depot_janitor_begin(void)
{
    janitor = fiber_spawn("janitor", life, NULL);
}

void depot_janitor_end(void)
{
    if (janitor != NULL) fiber_cancel(janitor);
    janitor = NULL;
}
