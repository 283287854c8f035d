/* The directory's text: any bytes are read or refused; what was read, applied to an empty store and
 * written out, is read again to the same directory. */
#include "base/must.h"
#include "mail/directory_text.h"
#include "store/engine_memory.h"

struct applying {
    struct directory_diff diff;
    size_t at, failed;
};

static enum err apply(struct txn *t, void *ctx)
{
    struct applying *x = ctx;
    return directory_diff_apply(t, &x->diff, x->at, 7, &x->at, &x->failed);
}

/* Make the directory like the text; how many changes that took. */
static bool take(struct engine *e, struct str text, size_t *changes_out)
{
    struct arena a = ARENA_INIT(0);
    struct directory_text x;
    struct applying todo = { .at = 0 };
    bool ok = directory_text_parse(text, &a, &x) == OK;
    if (ok) {
        struct txn *t;
        must(engine_snapshot_begin(e, &t) == OK);
        must(directory_text_diff(t, &x, true, &a, &todo.diff) == OK);
        engine_snapshot_end(&t);
    }
    while (ok && todo.at < todo.diff.n) {
        ok = engine_commit(e, INTENT_DURABLE, apply, &todo) == OK;
    }
    *changes_out = todo.diff.n;
    arena_free(&a);
    return ok;
}

static void write_out(struct engine *e, struct buf *out)
{
    struct arena a = ARENA_INIT(0);
    struct directory_text_at at = { 0 };
    while (at.part != DIRECTORY_TEXT_END) {
        struct txn *t;
        must(engine_snapshot_begin(e, &t) == OK);
        must(directory_text_next(t, true, 10, &a, &at, out) == OK);
        engine_snapshot_end(&t);
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 16384) return 0;
    struct engine *e = engine_memory_new();
    size_t changes;
    if (take(e, str_of(data, n), &changes)) {
        struct buf out = buf_new(1 << 22), again = buf_new(1 << 22);
        write_out(e, &out);
        must(take(e, buf_str(&out), &changes) && changes == 0);
        write_out(e, &again);
        must(str_eq(buf_str(&out), buf_str(&again)));
        buf_free(&again);
        buf_free(&out);
    }
    engine_close(&e);
    return 0;
}
