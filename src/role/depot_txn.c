#include "role/depot_txn.h"

#include "base/must.h"
#include "sys/fiber.h"

enum { CONFLICTS_MAX = 5 };

struct pending {
    struct intent intent;
    struct loop_note note;
    struct fiber *fiber;
    bool done;
};

/* On the loop's thread. */
static void on_note(struct loop_note *n)
{
    struct pending *p = LIST_OWNER(n, struct pending, note);
    p->done = true;
    fiber_wake(p->fiber);
}

/* On a thread of the engine's, or from within submit. */
static void on_done(struct intent *i)
{
    loop_post(&LIST_OWNER(i, struct pending, intent)->note);
}

static void wait_for(struct pending *p)
{
    bool cancelled = false;
    while (!p->done) {
        cancelled |= fiber_park(CLOCK_NEVER) == ERR_CANCELLED;
    }
    if (cancelled) fiber_cancel(p->fiber); /* its next wait shall hear of it */
}

enum err depot_commit(struct engine *e, enum intent_kind kind, txn_body body, void *ctx)
{
    enum err result = ERR_CONFLICT;
    if (e == NULL) return ERR_CLOSED; /* we are ending */
    for (int i = 0; i < CONFLICTS_MAX && result == ERR_CONFLICT; i++) {
        struct pending p = { .intent = { .body = body, .ctx = ctx, .kind = kind, .done = on_done },
                             .note = { .fn = on_note },
                             .fiber = fiber_self() };
        engine_submit(e, &p.intent);
        wait_for(&p);
        result = p.intent.result;
    }
    return result;
}

enum err depot_snapshot(struct engine *e, struct txn **t_out)
{
    struct pending p = { .intent = { .kind = INTENT_VISIBLE, .done = on_done },
                         .note = { .fn = on_note },
                         .fiber = fiber_self() };
    if (e == NULL) return ERR_CLOSED;
    engine_refresh(e, &p.intent);
    wait_for(&p);
    return p.intent.result == OK ? engine_snapshot_begin(e, t_out) : p.intent.result;
}

enum err depot_read(struct engine *e, txn_body body, void *ctx)
{
    struct txn *t = NULL;
    enum err err = depot_snapshot(e, &t);
    if (err != OK) return err;
    err = body(t, ctx);
    engine_snapshot_end(&t);
    return err;
}
