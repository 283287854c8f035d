/* Blobs: their rows, and their bytes. */
#include "store/embedded.h"
#include "base/must.h"

static struct str id_key(const struct blob_id *id)
{
    return str_of(id->bytes, sizeof id->bytes);
}

/* ---- in bodies ---- */

static bool stage_is_taken(const struct txn *t, const struct stage *stage)
{
    for (const struct txn_blob *b = t->blobs; b != NULL; b = b->next) {
        if (b->stage == stage) return true;
    }
    return false;
}

/* The row of a new blob: its inline bytes are a part of the record that is being made. */
static void row_new(struct buf *b, const struct txn_blob *blob, uint64_t part, uint32_t references)
{
    uint64_t inline_bytes = blob->head.n + blob->small.n;
    const struct embedded_stage *s = blob->stage != NULL ? embedded_stage_of(blob->stage) : NULL;
    struct blob_row row = { .count = references, .bytes = inline_bytes };
    row.extents = inline_bytes > 0;
    if (s != NULL) {
        row.stage = s->number;
        row.bytes += s->stage.bytes;
        row.extents += s->n;
    }
    blob_row_write(b, &row);
    if (inline_bytes > 0)
        extent_write(b, &(struct extent){ .offset = part, .bytes = (uint32_t)inline_bytes });
    for (size_t i = 0; s != NULL && i < s->n; i++) {
        extent_write(b, &s->extents[i]);
    }
}

static uint64_t parts_so_far(const struct txn *t)
{
    uint64_t n = 0;
    for (const struct txn_blob *b = t->blobs; b != NULL; b = b->next) {
        n += b->head.n + b->small.n > 0;
    }
    return n;
}

static void stage_key(char out[8], uint64_t number)
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (char)(number >> (8 * (7 - i)));
    }
}

enum err embedded_blob_put(struct txn *t, struct blob_id id, struct str head, struct str small,
                           struct stage *stage, uint32_t references)
{
    struct embedded *e = embedded_of(t->engine);
    struct str before;
    enum err r = view_get(&t->view, TABLE_BLOBS, id_key(&id), &before);
    if (r == OK) return ERR_EXISTS;
    if (r != ERR_NOT_FOUND) return r;
    struct embedded_stage *s = stage != NULL ? embedded_stage_of(stage) : NULL;
    if (s != NULL && (s->n == 0 || atomic_load(&s->adopted) || stage_is_taken(t, stage)))
        return ERR_INVALID;
    if (atomic_load(&e->space) != SPACE_ENOUGH) return ERR_FULL;

    struct txn_blob blob = { .id = id, .head = head, .small = small, .stage = stage };
    uint64_t part = parts_so_far(t);
    r = txn_blob_note(t, &blob);
    if (r != OK) return r;
    struct buf row = BUF_INIT(ENGINE_VALUE_MAX);
    row_new(&row, &blob, part, references);
    r = buf_check(&row);
    if (r == OK) r = txn_write(t, TABLE_BLOBS, id_key(&id), buf_str(&row));
    if (r == OK && s != NULL) {
        char key[8];
        stage_key(key, s->number);
        r = txn_write(t, TABLE_STAGES, str_of(key, sizeof key), id_key(&id));
    }
    buf_free(&row);
    return r;
}

static enum err row_recount(struct txn *t, struct blob_id id, struct blob_row *row, uint32_t count)
{
    struct buf b = BUF_INIT(ENGINE_VALUE_MAX);
    row->count = count;
    blob_row_write(&b, row);
    buf_put(&b, row->wire.left); /* the extents as they are */
    enum err e = buf_check(&b);
    if (e == OK) e = txn_write(t, TABLE_BLOBS, id_key(&id), buf_str(&b));
    buf_free(&b);
    return e;
}

static enum err row_drop(struct txn *t, struct blob_id id, const struct blob_row *row)
{
    if (row->stage != 0) {
        char key[8];
        stage_key(key, row->stage);
        enum err e = txn_erase(t, TABLE_STAGES, str_of(key, sizeof key));
        if (e != OK) return e;
    }
    return txn_erase(t, TABLE_BLOBS, id_key(&id));
}

static enum err row_find(struct txn *t, struct blob_id id, struct blob_row *out)
{
    struct str row;
    enum err e = view_get(&t->view, TABLE_BLOBS, id_key(&id), &row);
    return e == OK ? blob_row_parse(row, out) : e;
}

enum err embedded_blob_count(struct txn *t, struct blob_id id, int32_t add)
{
    struct blob_row row;
    enum err e = row_find(t, id, &row);
    if (e != OK) return e;
    int64_t count = (int64_t)row.count + add;
    if (count < 0 || count > ENGINE_BLOB_COUNT_MAX) return ERR_RANGE;
    return count > 0 ? row_recount(t, id, &row, (uint32_t)count) : row_drop(t, id, &row);
}

enum err embedded_blob_bytes(struct txn *t, struct blob_id id, uint64_t *bytes_out)
{
    struct blob_row row;
    enum err e = row_find(t, id, &row);
    if (e == OK) *bytes_out = row.bytes;
    return e;
}

/* ---- reading ---- */

/* One block whole into `out`, or the wanted part of it by way of a copy. */
static enum err block_read(struct segments *s, const struct extent *x, size_t block, size_t from,
                           size_t until, struct buf *out)
{
    size_t at = block * ENGINE_SUM_BYTES;
    size_t n = x->bytes - at < ENGINE_SUM_BYTES ? x->bytes - at : ENGINE_SUM_BYTES;
    bool whole = from == 0 && until == n;
    struct buf copy = BUF_INIT(ENGINE_SUM_BYTES);
    char *to = buf_reserve(whole ? out : &copy, n);
    if (to == NULL) return ERR_LIMIT;
    enum err e = segments_read(s, x->segment, to, n, x->offset + at);
    if (e == OK && !part_is_whole(str_of(to, n), str_part(x->sums, block * 8, 8))) e = ERR_CORRUPT;
    if (e == OK && whole) buf_commit(out, n);
    if (e == OK && !whole) buf_put(out, str_of(to + from, until - from));
    buf_free(&copy);
    return e == OK && out->over ? ERR_LIMIT : e;
}

enum err extent_read(struct segments *s, const struct extent *x, uint64_t from, size_t n,
                     struct buf *out)
{
    enum err e = OK;
    must(from <= x->bytes && n <= x->bytes - from);
    for (uint64_t at = from; e == OK && at < from + n;) {
        size_t block = (size_t)(at / ENGINE_SUM_BYTES), begin = (size_t)(at % ENGINE_SUM_BYTES);
        size_t end = begin + (size_t)(from + n - at);
        if (end > ENGINE_SUM_BYTES) end = ENGINE_SUM_BYTES;
        e = block_read(s, x, block, begin, end, out);
        at += end - begin;
    }
    return e;
}

enum err embedded_blob_read(struct txn *t, struct blob_id id, uint64_t offset, size_t max_bytes,
                            struct buf *out)
{
    struct embedded *e = embedded_of(t->engine);
    struct blob_row row;
    struct extent x;
    enum err r = row_find(t, id, &row);
    if (r != OK) return r;
    uint64_t begin = 0;
    size_t before = out->n, left = max_bytes;
    while (r == OK && left > 0 && extent_next(&row, &x)) {
        if (offset < begin + x.bytes) {
            uint64_t from = offset - begin;
            size_t n = x.bytes - from < left ? (size_t)(x.bytes - from) : left;
            r = extent_read(e->segments, &x, from, n, out);
            offset += n;
            left -= n;
        }
        begin += x.bytes;
    }
    if (r == OK && row.wire.bad) r = ERR_CORRUPT;
    if (r == ERR_NOT_FOUND) r = ERR_CORRUPT; /* the row is there, its segment is not */
    if (r != OK) buf_truncate(out, before);
    return r;
}
