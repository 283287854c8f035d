/* Counts are compared within one snapshot: all references are collected, sorted and walked beside
 * the blobs, both in order of ids. The memory for it is 16 bytes a reference, so large stores are
 * looked at in several rounds, each for a part of the ids. Bytes are read in short snapshots. */
#include "store/check.h"
#include "base/must.h"
#include "base/wire.h"
#include "store/txn.h"

#include <stdlib.h>

enum { ROUND_BLOBS = 2 << 20, SLICE_BYTES = 16 << 20, SLICE_BLOBS = 1000 };

struct check {
    struct engine *engine;
    const struct engine_check *how;
    struct engine_report *out;
    struct blob_id *refs;
    size_t ref_count, ref_room;
    uint64_t round, rounds; /* this round looks at ids with hash % rounds == round */
};

void check_say(const struct engine_check *how, struct str words, struct str bytes)
{
    if (how->say == NULL) return;
    struct buf line = BUF_INIT(4096);
    buf_put(&line, words);
    if (bytes.n > 0) buf_put_byte(&line, ' ');
    buf_put_hex(&line, str_part(bytes, 0, 1024));
    how->say(how->ctx, buf_str(&line));
    buf_free(&line);
}

static bool in_round(const struct check *c, const struct blob_id *id)
{
    uint64_t mix = 0;
    for (size_t i = 0; i < BLOB_ID_BYTES; i++) {
        mix = mix * 31 + id->bytes[i];
    }
    return mix % c->rounds == c->round;
}

static void ref_add(void *ctx, struct blob_id id)
{
    struct check *c = ctx;
    if (!in_round(c, &id)) return;
    if (c->ref_count == c->ref_room) {
        c->ref_room = c->ref_room > 0 ? c->ref_room * 2 : 1024;
        c->refs = reallocarray(c->refs, c->ref_room, sizeof *c->refs);
        must(c->refs != NULL);
    }
    c->refs[c->ref_count++] = id;
}

static int id_cmp(const void *a, const void *b)
{
    return memcmp(a, b, BLOB_ID_BYTES);
}

static struct blob_id id_of(struct str key)
{
    struct blob_id id = { 0 };
    memcpy(id.bytes, key.p, key.n < BLOB_ID_BYTES ? key.n : BLOB_ID_BYTES);
    return id;
}

static struct str id_str(const struct blob_id *id)
{
    return str_of(id->bytes, BLOB_ID_BYTES);
}

/* ---- counts ---- */

static enum err read_rows(struct check *c, struct txn *t)
{
    enum err e;
    struct view_walk *w = view_walk_begin(&t->view, TABLE_ROWS, STR_NONE, STR_NONE, RANGE_UP, &e);
    struct row row;
    while (e == OK && (e = view_walk_next(w, &row)) == OK) {
        if (c->round == 0) c->out->rows++;
        if (c->how->refs != NULL) c->how->refs(row.key, row.value, ref_add, c);
    }
    view_walk_end(&w);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* References to an id below `limit` (null: all that are left) that no blob row stands for. */
static void lost_until(struct check *c, size_t *at, const struct blob_id *limit)
{
    for (; *at < c->ref_count; (*at)++) {
        const struct blob_id *id = &c->refs[*at];
        if (limit != NULL && id_cmp(id, limit) >= 0) return;
        if (*at > 0 && id_cmp(id, id - 1) == 0) continue;
        c->out->lost_blobs++;
        check_say(c->how, STR("row refers to a blob that is not there:"), id_str(id));
    }
}

static void compare_one(struct check *c, size_t *at, struct row row)
{
    struct blob_id id = id_of(row.key);
    if (!in_round(c, &id)) return;
    struct wire w = wire_of(row.value);
    uint32_t count = wire_get_u32(&w);
    lost_until(c, at, &id);
    uint64_t seen = 0;
    for (; *at < c->ref_count && id_cmp(&c->refs[*at], &id) == 0; (*at)++) {
        seen++;
    }
    if (seen == count && !w.bad) return;
    c->out->wrong_counts++;
    check_say(c->how, STR("blob's count is not the number of rows that refer to it:"), id_str(&id));
}

static enum err compare(struct check *c, struct txn *t)
{
    if (c->how->refs == NULL) return OK;
    if (c->ref_count > 0) qsort(c->refs, c->ref_count, sizeof *c->refs, id_cmp);
    size_t at = 0;
    enum err e;
    struct view_walk *w = view_walk_begin(&t->view, TABLE_BLOBS, STR_NONE, STR_NONE, RANGE_UP, &e);
    struct row row;
    while (e == OK && (e = view_walk_next(w, &row)) == OK) {
        compare_one(c, &at, row);
    }
    view_walk_end(&w);
    if (e == ERR_NOT_FOUND) lost_until(c, &at, NULL);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err count_blobs(struct check *c, struct txn *t)
{
    enum err e;
    struct view_walk *w = view_walk_begin(&t->view, TABLE_BLOBS, STR_NONE, STR_NONE, RANGE_UP, &e);
    struct row row;
    while (e == OK && (e = view_walk_next(w, &row)) == OK) {
        c->out->blobs++;
    }
    view_walk_end(&w);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err check_counts(struct check *c)
{
    struct txn *t;
    enum err e = engine_snapshot_begin(c->engine, &t);
    if (e != OK) return e;
    e = count_blobs(c, t);
    c->rounds = c->how->refs != NULL ? c->out->blobs / ROUND_BLOBS + 1 : 1;
    for (c->round = 0; e == OK && c->round < c->rounds; c->round++) {
        c->ref_count = 0;
        e = read_rows(c, t);
        if (e == OK) e = compare(c, t);
    }
    engine_snapshot_end(&t);
    return e;
}

/* ---- bytes ---- */

/* False: could not look (the error says why); damage is counted and is no error here. */
static enum err read_blob(struct check *c, struct txn *t, struct blob_id id, uint64_t *bytes_out)
{
    enum err e = txn_blob_bytes(t, id, bytes_out);
    struct buf part = BUF_INIT(ENGINE_SUM_BYTES);
    uint64_t at = 0;
    while (e == OK && at < *bytes_out) {
        buf_clear(&part);
        e = txn_blob_read(t, id, at, ENGINE_SUM_BYTES, &part);
        if (e == OK && part.n == 0) e = ERR_CORRUPT;
        at += part.n;
        c->out->checked_bytes += part.n;
    }
    buf_free(&part);
    if (e == OK) return OK;
    if (e != ERR_CORRUPT && e != ERR_NOT_FOUND) return e;
    c->out->damaged_blobs++;
    check_say(c->how, STR("blob's bytes are damaged or missing:"), id_str(&id));
    return OK;
}

/* Some blobs behind `*from`; it becomes the place to go on from. ERR_NOT_FOUND: that was all. */
static enum err check_slice(struct check *c, struct buf *from)
{
    struct txn *t;
    enum err e = engine_snapshot_begin(c->engine, &t);
    if (e != OK) return e;
    struct view_walk *w =
        view_walk_begin(&t->view, TABLE_BLOBS, buf_str(from), STR_NONE, RANGE_UP, &e);
    struct blob_id id = { 0 };
    uint64_t slice_bytes = 0;
    for (size_t n = 0; e == OK && n < SLICE_BLOBS && slice_bytes < SLICE_BYTES; n++) {
        struct row row;
        e = view_walk_next(w, &row);
        if (e != OK) break;
        id = id_of(row.key);
        uint64_t bytes = 0;
        e = read_blob(c, t, id, &bytes);
        c->out->blob_bytes += bytes;
        slice_bytes += bytes;
    }
    view_walk_end(&w);
    engine_snapshot_end(&t);
    buf_clear(from);
    buf_put(from, id_str(&id));
    buf_put_byte(from, 0); /* the smallest key behind this one */
    return e;
}

static enum err check_bytes(struct check *c)
{
    struct buf from = BUF_INIT(BLOB_ID_BYTES + 1);
    enum err e;
    do {
        e = check_slice(c, &from);
    } while (e == OK);
    buf_free(&from);
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err check_all(struct engine *engine, const struct engine_check *how, struct engine_report *out)
{
    struct check c = { .engine = engine, .how = how, .out = out };
    enum err e = check_counts(&c);
    if (e == OK) e = check_bytes(&c);
    free(c.refs);
    if (e != OK) return e;
    return out->damaged_blobs + out->wrong_counts + out->lost_blobs > 0 ? ERR_CORRUPT : OK;
}
