/* What only this engine has to verify: that the living bytes counted for each segment are those
 * that the blobs' rows refer to. A wrong number would keep a segment for ever, or give it up too
 * early. */
#include "store/check.h"
#include "base/must.h"
#include "store/embedded.h"

#include <stdlib.h>

enum { TRIES = 10 };

struct counted {
    struct live live; /* as the engine counts; then minus what the rows say */
    struct engine_report *out;
};

static void note_segment(void *ctx, struct segment *g)
{
    struct counted *c = ctx;
    live_add(&c->live, g->id, g->live_bytes, 0);
    c->out->log_bytes += g->file_bytes;
    int64_t used = (int64_t)g->end - SEGMENT_FIRST_RECORD;
    if (used > g->live_bytes) c->out->garbage_bytes += (uint64_t)(used - g->live_bytes);
}

/* The engine's numbers and a look at the rows of the same moment. They change many times a second
 * under load; a few tries find a quiet moment, or it is left to the next check. */
static enum err take_both(struct embedded *e, struct counted *c, struct look *look, bool *good_out)
{
    struct engine_report before = *c->out;
    *good_out = false;
    for (size_t i = 0; i < TRIES && !*good_out; i++) {
        *c->out = before;
        live_clear(&c->live);
        uint64_t change = atomic_load(&e->live_change);
        segments_each(e->segments, note_segment, c);
        enum err r = look_take(e, look);
        if (r != OK) return r;
        *good_out = change % 2 == 0 && atomic_load(&e->live_change) == change;
        if (!*good_out) look_drop(e, look);
    }
    return OK;
}

static enum err subtract_rows(const struct look *look, struct live *live)
{
    enum err e;
    struct view_walk *w =
        view_walk_begin(&look->view, TABLE_BLOBS, STR_NONE, STR_NONE, RANGE_UP, &e);
    struct row row;
    while (e == OK && (e = view_walk_next(w, &row)) == OK) {
        e = live_add_row(live, row.value, -1);
    }
    view_walk_end(&w);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err check_live(struct embedded *e, const struct engine_check *how,
                           struct engine_report *out)
{
    struct counted c = { .out = out };
    struct look look;
    bool good;
    enum err r = take_both(e, &c, &look, &good);
    if (r == OK && good) {
        r = subtract_rows(&look, &c.live);
        look_drop(e, &look);
    }
    for (size_t i = 0; r == OK && good && i < c.live.n; i++) {
        if (c.live.at[i].bytes == 0) continue;
        struct buf id = BUF_INIT(8);
        wire_put_u64(&id, c.live.at[i].segment);
        check_say(how, STR("living bytes of a segment are counted wrong:"), buf_str(&id));
        buf_free(&id);
        out->wrong_counts++;
    }
    live_free(&c.live);
    return r;
}

enum err embedded_check(struct engine *engine, const struct engine_check *how,
                        struct engine_report *out)
{
    enum err e = check_live(embedded_of(engine), how, out);
    if (e != OK) return e;
    bool wrong = out->wrong_counts > 0;
    e = check_all(engine, how, out);
    return e == OK && wrong ? ERR_CORRUPT : e;
}
