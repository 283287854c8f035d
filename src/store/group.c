#include "store/group.h"
#include "base/must.h"
#include "store/sum.h"

#include <stdlib.h>

/* Larger than what the writer lets a group grow to, by one record of the largest size. */
enum { GROUP_BUF_MAX = 64 * 1024 * 1024 };

void group_clear(struct group *g)
{
    if (g->bytes.max_bytes == 0) g->bytes = buf_new(GROUP_BUF_MAX);
    buf_clear(&g->bytes);
    g->piece_count = g->run_count = g->record_count = g->touched_count = g->stage_count = 0;
    g->log_bytes = 0;
    live_clear(&g->live);
}

void group_free(struct group *g)
{
    buf_free(&g->bytes);
    free(g->pieces);
    free(g->runs);
    free(g->records);
    free(g->touched);
    free(g->stages);
    live_free(&g->live);
    *g = (struct group){ 0 };
}

/* Room for one more in an array that grows by doubling. */
#define GROW(array, count, room)                                                                   \
    do {                                                                                           \
        if ((count) == (room)) {                                                                   \
            (room) = (room) > 0 ? (room)*2 : 64;                                                   \
            (array) = reallocarray((array), (room), sizeof *(array));                              \
            must((array) != NULL);                                                                 \
        }                                                                                          \
    } while (0)

/* ---- making a record ---- */

struct draft {
    struct txn *t;
    size_t begin; /* of the header in the buffer */
    uint32_t payload_bytes, data_bytes;
};

static bool has_inline(const struct txn_blob *b)
{
    return b->head.n + b->small.n > 0;
}

static void put_parts(struct group *g, struct draft *d)
{
    uint64_t parts = 0;
    for (const struct txn_blob *b = d->t->blobs; b != NULL; b = b->next) {
        parts += has_inline(b);
    }
    wire_put_var(&g->bytes, parts);
    for (const struct txn_blob *b = d->t->blobs; b != NULL; b = b->next) {
        if (!has_inline(b)) continue;
        part_write(&g->bytes, b->head, b->small);
        d->data_bytes += (uint32_t)(b->head.n + b->small.n);
    }
}

static void put_ops(struct group *g, const struct draft *d)
{
    const struct memtable *own = d->t->view.own;
    for (enum table table = 0; table < TABLE_COUNT; table++) {
        const struct mem_node *n = memtable_first(own, table, STR_NONE);
        for (; n != NULL; n = memtable_next(n)) {
            struct mem_found row;
            if (!memtable_at(n, MEMTABLE_NEWEST, &row)) continue;
            redo_write(&g->bytes,
                       &(struct redo){
                           .table = table, .gone = row.gone, .key = row.key, .value = row.value });
        }
    }
}

static struct str draft_payload(const struct group *g, const struct draft *d)
{
    return str_part(buf_str(&g->bytes), d->begin + RECORD_HEADER_BYTES, d->payload_bytes);
}

static enum err draft_write(struct group *g, struct draft *d)
{
    if (buf_reserve(&g->bytes, RECORD_HEADER_BYTES) == NULL) return ERR_AGAIN;
    buf_commit(&g->bytes, RECORD_HEADER_BYTES);
    put_parts(g, d);
    put_ops(g, d);
    if (g->bytes.over) return ERR_AGAIN;
    size_t payload = g->bytes.n - d->begin - RECORD_HEADER_BYTES;
    if (payload > RECORD_PAYLOAD_MAX) return ERR_LIMIT;
    d->payload_bytes = (uint32_t)payload;
    return OK;
}

static void pad(struct buf *b, uint64_t bytes)
{
    for (uint64_t n = record_pad(bytes) - bytes; n > 0; n--) {
        buf_put_byte(b, 0);
    }
}

/* ---- its place ---- */

static void piece_add(struct group *g, const char *p, size_t at, size_t n)
{
    if (n == 0) return;
    struct group_piece *last = g->piece_count > 0 ? &g->pieces[g->piece_count - 1] : NULL;
    bool same_run = g->run_count > 0 && g->runs[g->run_count - 1].first_piece < g->piece_count;
    if (p == NULL && last != NULL && same_run && last->p == NULL && last->at + last->n == at) {
        last->n += n;
        return;
    }
    GROW(g->pieces, g->piece_count, g->piece_room);
    g->pieces[g->piece_count++] = (struct group_piece){ p, at, n };
}

static void run_extend(struct group *g, struct place at, uint64_t bytes)
{
    struct group_run *last = g->run_count > 0 ? &g->runs[g->run_count - 1] : NULL;
    if (last != NULL && last->run.at.segment == at.segment &&
        last->run.at.offset + last->run.bytes == at.offset) {
        last->run.bytes += bytes;
        return;
    }
    GROW(g->runs, g->run_count, g->run_room);
    g->runs[g->run_count++] = (struct group_run){ { at, bytes }, g->piece_count };
}

/* The pieces of the data behind the payload; the heads are copied, the bodies are not. */
static void put_data(struct group *g, const struct draft *d)
{
    for (const struct txn_blob *b = d->t->blobs; b != NULL; b = b->next) {
        size_t at = g->bytes.n;
        buf_put(&g->bytes, b->head);
        piece_add(g, NULL, at, b->head.n);
        piece_add(g, b->small.p, 0, b->small.n);
        if (b->stage == NULL) continue;
        GROW(g->stages, g->stage_count, g->stage_room);
        g->stages[g->stage_count++] = b->stage;
    }
    size_t at = g->bytes.n;
    pad(&g->bytes, d->data_bytes);
    piece_add(g, NULL, at, g->bytes.n - at);
}

static void fill_header(struct group *g, const struct draft *d, uint64_t group, uint64_t salt)
{
    struct record r = { .type = RECORD_TXN,
                        .salt = salt,
                        .group = group,
                        .payload_bytes = d->payload_bytes,
                        .data_bytes = d->data_bytes,
                        .payload_sum = sum_of(draft_payload(g, d)) };
    record_write(g->bytes.p + d->begin, &r);
}

static void keep_record(struct group *g, const struct draft *d, struct place at)
{
    uint64_t bytes = record_bytes(d->payload_bytes, d->data_bytes);
    run_extend(g, at, bytes);
    pad(&g->bytes, d->payload_bytes);
    piece_add(g, NULL, d->begin, g->bytes.n - d->begin);
    put_data(g, d);
    must(!g->bytes.over);
    GROW(g->records, g->record_count, g->record_room);
    g->records[g->record_count++] =
        (struct group_record){ d->begin + RECORD_HEADER_BYTES, d->payload_bytes };
    g->log_bytes += bytes;
    g->end = (struct place){ at.segment, at.offset + bytes };
}

/* Room in the buffer for what put_data() and the padding will add, so that they cannot fail. */
static bool room_for_data(struct group *g, const struct txn *t)
{
    return buf_reserve(&g->bytes, t->inline_bytes + 16) != NULL;
}

/* Everything that can fail. */
static enum err prepare(struct group *g, struct embedded *e, struct draft *d, struct live *died,
                        struct place *at, uint64_t *salt)
{
    enum err r = draft_write(g, d);
    if (r == OK && !room_for_data(g, d->t)) r = ERR_AGAIN;
    if (r == ERR_AGAIN && g->record_count == 0) r = ERR_LIMIT;
    if (r != OK) return r;
    /* What was there before is what the layers below say, without the transaction's own writes. */
    struct view before = d->t->view;
    before.own = NULL;
    r = apply_count_before(&before, draft_payload(g, d), d->data_bytes, died);
    if (r != OK) return r;
    return log_reserve(e->log, d->payload_bytes, d->data_bytes, at, salt);
}

enum err group_add(struct group *g, struct embedded *e, struct txn *t, uint64_t seq)
{
    struct draft d = { .t = t, .begin = g->bytes.n };
    struct apply a = { .e = e,
                       .seq = seq,
                       .live = &g->live,
                       .touched = &g->touched,
                       .touched_count = &g->touched_count,
                       .touched_room = &g->touched_room };
    struct live died = { 0 };
    uint64_t salt;
    enum err r = prepare(g, e, &d, &died, &a.at, &salt);
    if (r == OK) {
        fill_header(g, &d, log_group(e->log), salt);
        keep_record(g, &d, a.at);
        live_merge(&g->live, &died);
        must(apply_rows(&a, draft_payload(g, &d), d.data_bytes) == OK);
    } else {
        g->bytes.over = false;
        buf_truncate(&g->bytes, d.begin);
    }
    live_free(&died);
    return r;
}

/* ---- writing ---- */

static void iovec_of(const struct group *g, const struct group_piece *piece, struct iovec *out)
{
    const char *p = piece->p != NULL ? piece->p : g->bytes.p + piece->at;
    out->iov_len = piece->n;
    memcpy(&out->iov_base, &p, sizeof p); /* iovec has no const; writing only reads */
}

static enum err write_run(struct group *g, struct log *l, size_t i, struct iovec *iov)
{
    size_t first = g->runs[i].first_piece;
    size_t end = i + 1 < g->run_count ? g->runs[i + 1].first_piece : g->piece_count;
    for (size_t k = first; k < end; k++) {
        iovec_of(g, &g->pieces[k], &iov[k - first]);
    }
    return log_write(l, iov, end - first, g->runs[i].run.at);
}

enum err group_write(struct group *g, struct log *l)
{
    struct iovec *iov = calloc(g->piece_count + 1, sizeof *iov);
    must(iov != NULL);
    enum err e = OK;
    for (size_t i = 0; e == OK && i < g->run_count; i++) {
        e = write_run(g, l, i, iov);
    }
    free(iov);
    return e;
}

void group_undo(struct group *g, uint64_t seq_before)
{
    for (size_t i = 0; i < g->touched_count; i++) {
        memtable_undo(g->touched[i], seq_before);
    }
}

enum err group_cancel(struct group *g, struct log *l, uint64_t seq_before)
{
    group_undo(g, seq_before);
    struct log_run *runs = calloc(g->run_count + 1, sizeof *runs);
    must(runs != NULL);
    for (size_t i = 0; i < g->run_count; i++) {
        runs[i] = g->runs[i].run;
    }
    enum err e = log_cancel(l, runs, g->run_count);
    free(runs);
    return e;
}

/* ---- after it ---- */

void group_watch(const struct group *g, engine_watch f, void *ctx)
{
    for (size_t i = 0; i < g->record_count; i++) {
        const struct group_record *r = &g->records[i];
        struct parts parts =
            parts_begin(str_part(buf_str(&g->bytes), r->payload_at, r->payload_bytes), UINT32_MAX);
        struct part part;
        while (parts_next(&parts, &part)) {
        }
        struct redo op;
        while (redo_next(&parts.wire, &op)) {
            if (op.table == TABLE_ROWS) f(ctx, op.key);
        }
    }
}
