/* The janitor of bodies. A segment of which less than half is alive (or that is small: every start
 * leaves one) is chosen; what lives in it is copied to a cold segment, which is synced; then one
 * transaction lets the blobs' rows point to the copies, if they still point to the old place. The
 * empty segment is given up when nobody looks at it any more (supplier.c).
 *
 * A blob that cannot be read is not moved: its segment stays, for whoever wants to save something.
 */
#include "store/embedded.h"
#include "base/must.h"
#include "store/scan.h"
#include "store/sum.h"
#include "sys/os.h"

#include <stdlib.h>

enum { MOVES_MAX = 1000, SMALL_PART = 8 };

/* ---- choosing ---- */

struct choice {
    uint64_t tree_segment, full_bytes;
    uint64_t id;
    double alive; /* the least so far */
};

static void consider(void *ctx, struct segment *g)
{
    struct choice *c = ctx;
    if (g->in_use || g->stuck || g->pins > 0 || g->live_bytes <= 0) return;
    if (!segment_is_cold(g->id) && g->id >= c->tree_segment) return; /* replay needs it */
    uint64_t used = g->end - SEGMENT_FIRST_RECORD;
    double alive = used > 0 ? (double)g->live_bytes / (double)used : 1;
    bool small = !segment_is_cold(g->id) && used < c->full_bytes / SMALL_PART;
    if (alive >= 0.5 && !small) return;
    if (c->id != 0 && alive >= c->alive) return;
    c->id = g->id;
    c->alive = alive;
}

static uint64_t choose(struct embedded *e)
{
    struct choice c = { .full_bytes = segments_size(e->segments) };
    pthread_mutex_lock(&e->view_lock);
    c.tree_segment = e->tree_mark.at.segment;
    pthread_mutex_unlock(&e->view_lock);
    segments_each(e->segments, consider, &c);
    return c.id;
}

/* ---- what may live in it ---- */

static void id_add(struct compaction *c, struct str id)
{
    if (id.n != BLOB_ID_BYTES) return;
    if (c->n == c->room) {
        c->room = c->room > 0 ? c->room * 2 : 1024;
        c->ids = reallocarray(c->ids, c->room, sizeof *c->ids);
        must(c->ids != NULL);
    }
    memcpy(c->ids[c->n++].bytes, id.p, BLOB_ID_BYTES);
}

static bool has_inline(struct str row)
{
    struct blob_row b;
    struct extent x;
    if (blob_row_parse(row, &b) != OK) return false;
    while (extent_next(&b, &x)) {
        if (x.segment == 0) return true;
    }
    return false;
}

static void ids_of_payload(struct compaction *c, const struct record *r, struct str payload)
{
    struct parts parts = parts_begin(payload, r->data_bytes);
    struct part part;
    while (parts_next(&parts, &part)) {
    }
    if (r->type == RECORD_COPY) id_add(c, parts.wire.left);
    struct redo op;
    while (r->type == RECORD_TXN && redo_next(&parts.wire, &op)) {
        if (op.table == TABLE_BLOBS && !op.gone && has_inline(op.value)) id_add(c, op.key);
    }
}

static void id_of_stage(struct compaction *c, const struct view *view, uint64_t stage)
{
    struct buf key = BUF_INIT(8);
    struct str id;
    wire_put_u64(&key, stage);
    if (view_get(view, TABLE_STAGES, buf_str(&key), &id) == OK) id_add(c, id);
    buf_free(&key);
}

static int id_cmp(const void *a, const void *b)
{
    return memcmp(a, b, BLOB_ID_BYTES);
}

static void sort_ids(struct compaction *c)
{
    size_t n = 0;
    if (c->n > 0) qsort(c->ids, c->n, sizeof *c->ids, id_cmp);
    for (size_t i = 0; i < c->n; i++) {
        if (n == 0 || id_cmp(&c->ids[n - 1], &c->ids[i]) != 0) c->ids[n++] = c->ids[i];
    }
    c->n = n;
}

/* The ids of all records of the victim, damaged ones left out. */
static enum err list_ids(struct embedded *e, struct segment *g, const struct view *view)
{
    struct compaction *c = &e->compaction;
    struct scan scan;
    uint64_t at = SEGMENT_FIRST_RECORD;
    enum err r;
    scan_init(&scan, e->segments);
    c->n = c->next = 0;
    while ((r = scan_ahead(&scan, g, at, &at)) == OK) {
        struct record record;
        struct str payload;
        r = scan_payload(&scan, g, at, &record, &payload);
        if (r != OK && r != ERR_CORRUPT) break;
        if (r == OK && record.type == RECORD_CHUNK) {
            id_of_stage(c, view, record.owner);
        } else if (r == OK) {
            ids_of_payload(c, &record, payload);
        }
        at += r == OK ? record_bytes(record.payload_bytes, record.data_bytes) : RECORD_HEADER_BYTES;
    }
    scan_free(&scan);
    sort_ids(c);
    return r == ERR_NOT_FOUND ? OK : r;
}

/* ---- copying ---- */

struct move {
    struct blob_id id;
    struct place from, to;
};

struct slice {
    struct embedded *e;
    const struct view *view;
    uint64_t victim;
    size_t left; /* bytes that may still be copied */
    struct move *moves;
    size_t n;
};

static enum err cold_begin(struct embedded *e)
{
    struct compaction *c = &e->compaction;
    uint64_t last = segments_last(e->segments, true);
    space_look(e);
    if (atomic_load(&e->free_bytes) < e->c.reserve_bytes / 4 + e->c.segment_bytes) return ERR_FULL;
    int fd;
    enum err r = segment_make(e->segments, last > 0 ? last + 2 : 1, NULL, &c->cold);
    if (r == OK) r = segment_hold(e->segments, c->cold, &fd);
    c->cold_tail = SEGMENT_FIRST_RECORD;
    return r;
}

static enum err cold_sync(struct embedded *e)
{
    struct compaction *c = &e->compaction;
    if (c->cold == NULL || os->fdatasync(c->cold->fd) == 0) return OK;
    atomic_store(&e->broken, true);
    log_break(e->log);
    return ERR_BROKEN;
}

static enum err cold_end(struct embedded *e)
{
    struct compaction *c = &e->compaction;
    enum err r = cold_sync(e);
    if (r != OK || c->cold == NULL) return r;
    segment_retire(e->segments, c->cold, c->cold_tail);
    segment_release(e->segments, c->cold);
    c->cold = NULL;
    return OK;
}

/* Write one copy; where its bytes are. */
static enum err cold_write(struct embedded *e, struct blob_id id, struct str bytes,
                           struct place *at_out)
{
    struct compaction *c = &e->compaction;
    char header[RECORD_HEADER_BYTES];
    struct buf payload = BUF_INIT(1024), all = BUF_INIT(ENGINE_CHUNK_MAX + 4096);
    wire_put_var(&payload, 1);
    part_write(&payload, bytes, STR_NONE);
    buf_put(&payload, str_of(id.bytes, sizeof id.bytes));
    uint64_t n = record_bytes((uint32_t)payload.n, (uint32_t)bytes.n);
    enum err r = OK;
    if (c->cold != NULL && c->cold_tail + n > c->cold->file_bytes) r = cold_end(e);
    if (r == OK && c->cold == NULL) r = cold_begin(e);
    if (r == OK) {
        struct record record = { .type = RECORD_COPY,
                                 .salt = c->cold->salt,
                                 .payload_bytes = (uint32_t)payload.n,
                                 .data_bytes = (uint32_t)bytes.n,
                                 .payload_sum = sum_of(buf_str(&payload)) };
        record_write(header, &record);
        buf_put(&all, str_of(header, sizeof header));
        buf_put(&all, buf_str(&payload));
        while (all.n % 8 != 0) {
            buf_put_byte(&all, 0);
        }
        *at_out = (struct place){ c->cold->id, c->cold_tail + all.n };
        buf_put(&all, bytes);
        must(!all.over && !payload.over);
        r = os_write_str(c->cold->fd, buf_str(&all), c->cold_tail);
        if (r == OK) c->cold_tail += n;
    }
    buf_free(&payload);
    buf_free(&all);
    return r;
}

static enum err copy_extent(struct slice *s, struct blob_id id, const struct extent *x)
{
    struct buf bytes = BUF_INIT(RECORD_DATA_MAX);
    struct move m = { .id = id, .from = { x->segment, x->offset } };
    enum err r = extent_read(s->e->segments, x, 0, x->bytes, &bytes);
    if (r == OK) r = cold_write(s->e, id, buf_str(&bytes), &m.to);
    if (r == OK) s->moves[s->n++] = m;
    s->left -= s->left < x->bytes ? s->left : x->bytes;
    buf_free(&bytes);
    return r == ERR_CORRUPT ? OK : r; /* stays where it is */
}

/* What of this blob lies in the victim; *all_out: everything was copied. */
static enum err copy_blob(struct slice *s, struct blob_id id, bool *all_out)
{
    struct str row;
    struct blob_row b;
    struct extent x;
    *all_out = true;
    enum err r = view_get(s->view, TABLE_BLOBS, str_of(id.bytes, sizeof id.bytes), &row);
    if (r == ERR_NOT_FOUND) return OK;
    if (r == OK) r = blob_row_parse(row, &b);
    while (r == OK && extent_next(&b, &x)) {
        if (x.segment != s->victim) continue;
        *all_out = s->left > 0 && s->n < MOVES_MAX;
        if (!*all_out) return OK;
        r = copy_extent(s, id, &x);
    }
    return r;
}

/* ---- moving ---- */

static bool moved(const struct slice *s, size_t first, size_t end, struct extent *x)
{
    for (size_t i = first; i < end; i++) {
        const struct move *m = &s->moves[i];
        if (m->from.segment != x->segment || m->from.offset != x->offset) continue;
        x->segment = m->to.segment;
        x->offset = m->to.offset;
        return true;
    }
    return false;
}

/* The moves [first, end) are of one blob. */
static enum err move_blob(struct txn *t, const struct slice *s, size_t first, size_t end)
{
    struct str key = str_of(s->moves[first].id.bytes, BLOB_ID_BYTES), row;
    struct blob_row b;
    struct extent x;
    bool any = false;
    enum err r = view_get(&t->view, TABLE_BLOBS, key, &row);
    if (r == ERR_NOT_FOUND) return OK; /* gone meanwhile */
    if (r == OK) r = blob_row_parse(row, &b);
    if (r != OK) return r;
    struct buf changed = BUF_INIT(ENGINE_VALUE_MAX);
    blob_row_write(&changed, &b);
    while (extent_next(&b, &x)) {
        any |= moved(s, first, end, &x);
        extent_write(&changed, &x);
    }
    r = b.wire.bad ? ERR_CORRUPT : buf_check(&changed);
    if (r == OK && any) r = txn_write(t, TABLE_BLOBS, key, buf_str(&changed));
    buf_free(&changed);
    return r;
}

static enum err move_body(struct txn *t, void *ctx)
{
    const struct slice *s = ctx;
    enum err r = OK;
    for (size_t first = 0, end; r == OK && first < s->n; first = end) {
        for (end = first + 1; end < s->n && id_cmp(&s->moves[first].id, &s->moves[end].id) == 0;) {
            end++;
        }
        r = move_blob(t, s, first, end);
    }
    return r;
}

/* ---- a slice ---- */

static enum err run_slice(struct slice *s)
{
    struct compaction *c = &s->e->compaction;
    enum err r = OK;
    bool all = true;
    while (r == OK && all && c->next < c->n) {
        r = copy_blob(s, c->ids[c->next], &all);
        if (r == OK && all) c->next++;
    }
    /* What was copied before an error is moved as well. */
    enum err m = s->n > 0 ? cold_sync(s->e) : OK;
    if (m == OK && s->n > 0) m = engine_commit(&s->e->engine, INTENT_VISIBLE, move_body, s);
    return r != OK ? r : m;
}

static void victim_done(struct embedded *e, uint64_t id)
{
    segments_stuck(e->segments, id);
    e->compaction.victim = 0;
    /* So that its file can go now and not at the next commit that is due. */
    err_ignore(flush_wait(e));
    supplier_wake(e, true);
}

static enum err victim_begin(struct embedded *e, const struct view *view)
{
    struct compaction *c = &e->compaction;
    c->victim = choose(e);
    struct segment *g = c->victim != 0 ? segment_find(e->segments, c->victim) : NULL;
    enum err r = g != NULL ? list_ids(e, g, view) : OK;
    if (r != OK) c->victim = 0;
    return r;
}

enum err embedded_compact(struct engine *engine, size_t max_bytes, bool *more_out)
{
    struct embedded *e = embedded_of(engine);
    struct compaction *c = &e->compaction;
    struct txn *t;
    if (atomic_load(&e->broken)) return ERR_BROKEN;
    pthread_mutex_lock(&c->lock);
    /* The snapshot keeps the victim from being given up as long as we look at it. */
    enum err r = engine_snapshot_begin(engine, &t);
    if (r != OK) {
        pthread_mutex_unlock(&c->lock);
        return r;
    }
    if (c->victim == 0) r = victim_begin(e, &t->view);
    *more_out = r == OK && c->victim != 0;
    bool done = false;
    if (*more_out) {
        struct slice s = { .e = e, .view = &t->view, .victim = c->victim, .left = max_bytes };
        s.moves = calloc(MOVES_MAX, sizeof *s.moves);
        must(s.moves != NULL);
        r = run_slice(&s);
        free(s.moves);
        done = r == OK && c->next == c->n;
    }
    engine_snapshot_end(&t);
    if (done) victim_done(e, c->victim);
    pthread_mutex_unlock(&c->lock);
    return r;
}
