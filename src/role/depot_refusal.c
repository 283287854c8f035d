/* Notes of refusals for explain: gathered for a moment, then written in one transaction that nobody
 * waits for. */
#include "role/depot.h"

#include "base/must.h"
#include "mail/explain.h"

#include <stdlib.h>

COUNTER(depot_refusals_noted, "refusals kept for 'postrider explain'")
COUNTER(depot_refusals_lost, "refusals that came too fast to be kept")

enum { GATHER_MS = 300, HELD_MAX = EXPLAIN_BATCH_MAX };

static struct {
    struct refusal list[HELD_MAX];
    struct arena arenas[HELD_MAX];
    size_t n;
    bool writer_runs, writing; /* writing: the list belongs to a transaction under way */
} held;

struct batch {
    struct refusal *list;
    size_t n;
};

static enum err batch_body(struct txn *t, void *ctx)
{
    struct batch *b = ctx;
    return explain_put(t, b->list, b->n);
}

static void writer_life(void *arg)
{
    (void)arg;
    err_ignore(fiber_sleep(GATHER_MS)); /* nobody cancels it */
    struct batch b = { .list = held.list, .n = held.n };
    held.writing = true; /* new ones are lost meanwhile, and counted */
    if (depot_checked(depot_commit(depot.engine, INTENT_VISIBLE, batch_body, &b)) == OK)
        depot_refusals_noted += b.n;
    for (size_t i = 0; i < held.n; i++) {
        arena_free(&held.arenas[i]);
    }
    held.n = 0;
    held.writer_runs = held.writing = false;
}

enum err depot_serve_refusal_note(void *ctx, struct door_request *q)
{
    struct refusal_note_req in;
    (void)ctx;
    if (held.n == HELD_MAX || held.writing || depot.broken) {
        depot_refusals_lost++;
        return ERR_LIMIT;
    }
    struct arena *a = &held.arenas[held.n];
    *a = (struct arena)ARENA_INIT(0);
    if (refusal_note_req_get(arena_str(a, q->bytes), a, &in) != OK) {
        arena_free(a);
        return ERR_PROTOCOL;
    }
    held.list[held.n] = in.refusal;
    held.n++;
    if (!held.writer_runs) {
        held.writer_runs = true;
        fiber_spawn("refusals", writer_life, NULL);
    }
    return OK;
}
