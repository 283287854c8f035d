#include "mail/queue.h"
#include "mail/message.h"
#include "base/map.h"
#include "base/must.h"
#include "model/plan.h"

#include <stdlib.h>

uint8_t queue_shard(struct str next_hop)
{
    /* A fixed key: the shard is part of stored keys. Who picks names to crowd one shard gains
     * nothing but that shard's order. */
    return (uint8_t)(hash_siphash(0x706f737472696465, 0x7275657565736861, next_hop) % QUEUE_SHARDS);
}

static bool hop_is_valid(struct str name)
{
    return name.n > 0 && name.n <= KEY_NEXT_HOP_MAX && str_find(name, 0) == STR_NOWHERE;
}

static struct key rcpt_key(const struct queue_rcpt *r)
{
    return (struct key){ .kind = KEY_QUEUE_RCPT,
                         .shard = queue_shard(r->next_hop),
                         .message = r->message,
                         .index = r->index };
}

static struct key due_key(const struct queue_rcpt *r)
{
    struct key k = rcpt_key(r);
    k.kind = KEY_QUEUE_DUE;
    k.name = r->next_hop;
    k.time_us = r->due_us;
    return k;
}

/* ---- rows ---- */

enum err queue_message_decode(const struct row *row, struct queue_message *out)
{
    struct wire w = wire_of(row->value);
    struct queue_message m;
    queue_message_get(&w, &m);
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    *out = m;
    return OK;
}

static enum err message_row_get(struct txn *t, uint8_t shard, uint64_t message,
                                struct queue_message *out)
{
    struct key k = { .kind = KEY_QUEUE_MESSAGE, .shard = shard, .message = message };
    struct row row = { 0 };
    enum err e = row_get(t, &k, &row.value);
    return e == OK ? queue_message_decode(&row, out) : e;
}

static enum err message_row_put(struct txn *t, uint8_t shard, const struct queue_message *m)
{
    struct key k = { .kind = KEY_QUEUE_MESSAGE, .shard = shard, .message = m->message };
    struct buf b = row_buf();
    queue_message_put(&b, m);
    return row_put(t, &k, &b);
}

static enum err rcpt_decode(struct str value, struct queue_rcpt *out)
{
    struct wire w = wire_of(value);
    struct queue_rcpt r;
    queue_rcpt_get(&w, &r);
    if (wire_end(&w) != OK || !hop_is_valid(r.next_hop)) return ERR_CORRUPT;
    *out = r;
    return OK;
}

enum err queue_rcpt_decode(const struct row *row, struct queue_rcpt *out)
{
    return rcpt_decode(row->value, out);
}

static enum err rcpt_rows_put(struct txn *t, const struct queue_rcpt *r)
{
    struct key row = rcpt_key(r), due = due_key(r);
    struct buf b = row_buf();
    queue_rcpt_put(&b, r);
    enum err e = row_put(t, &row, &b);
    return e == OK ? row_put_str(t, &due, STR_NONE) : e;
}

static enum err rcpt_rows_del(struct txn *t, const struct queue_rcpt *r)
{
    struct key row = rcpt_key(r), due = due_key(r);
    enum err e = row_del(t, &row);
    return e == OK ? row_del(t, &due) : e;
}

/* ---- next hops ---- */

static struct key hop_key(struct str name)
{
    return (struct key){ .kind = KEY_QUEUE_HOP, .shard = queue_shard(name), .name = name };
}

static struct key hop_due_key(const struct queue_hop *hop)
{
    struct key k = hop_key(hop->name);
    k.kind = KEY_QUEUE_HOP_DUE;
    k.time_us = hop->due_us;
    return k;
}

static enum err hop_decode(struct str name, struct str value, struct queue_hop *out)
{
    struct wire w = wire_of(value);
    struct queue_hop hop = { .name = name, .waiting = wire_get_var(&w) };
    hop.due_us = (int64_t)wire_get_u64(&w);
    if (wire_end(&w) != OK || hop.due_us < 0) return ERR_CORRUPT;
    *out = hop;
    return OK;
}

enum err queue_hop_get(struct txn *t, struct str next_hop, struct queue_hop *out)
{
    struct key k = hop_key(next_hop);
    struct str value;
    enum err e = row_get(t, &k, &value);
    return e == OK ? hop_decode(next_hop, value, out) : e;
}

static enum err hop_put(struct txn *t, const struct queue_hop *hop)
{
    struct key k = hop_key(hop->name), due = hop_due_key(hop);
    struct buf b = row_buf();
    wire_put_var(&b, hop->waiting);
    wire_put_u64(&b, (uint64_t)hop->due_us);
    enum err e = row_put(t, &k, &b);
    return e == OK ? row_put_str(t, &due, STR_NONE) : e;
}

static enum err hop_del(struct txn *t, const struct queue_hop *hop)
{
    struct key k = hop_key(hop->name), due = hop_due_key(hop);
    enum err e = row_del(t, &k);
    return e == OK ? row_del(t, &due) : e;
}

/* The earliest due time among the hop's index rows. ERR_NOT_FOUND: there are none. */
static enum err hop_first_due(struct txn *t, struct str name, int64_t *due_out)
{
    struct key k = hop_key(name);
    struct rows rows;
    k.kind = KEY_QUEUE_DUE;
    enum err e = row_page(t, &k, 1, STR_NONE, 1, &rows);
    if (e == OK && rows.n == 0) e = ERR_NOT_FOUND;
    if (e == OK) e = key_parse(rows.at[0].key, &k);
    if (e == OK) *due_out = k.time_us;
    return e;
}

/* After `added` rows came (or went, negative) or moved: the hop's row says so again. */
static enum err hop_settle(struct txn *t, struct str name, int64_t added)
{
    struct queue_hop old = { .name = name }, new = { .name = name };
    enum err e = queue_hop_get(t, name, &old);
    bool there = e == OK;
    if (e != OK && e != ERR_NOT_FOUND) return e;
    if (added < 0 && old.waiting < (uint64_t)-added) return ERR_CORRUPT;
    new.waiting = added < 0 ? old.waiting - (uint64_t)-added : old.waiting + (uint64_t)added;
    if (new.waiting > 0) {
        e = hop_first_due(t, name, &new.due_us);
        if (e != OK) return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    }
    if (there && new.waiting == old.waiting &&new.due_us == old.due_us) return OK;
    if (there && (new.waiting == 0 || new.due_us != old.due_us)) {
        e = hop_del(t, &old);
        if (e != OK) return e;
    }
    return new.waiting > 0 ? hop_put(t, &new) : OK;
}

/* ---- putting ---- */

static int by_hop(const void *x, const void *y)
{
    const struct queue_rcpt *const *a = x, *const *b = y;
    uint8_t shard_a = queue_shard((*a)->next_hop), shard_b = queue_shard((*b)->next_hop);
    if (shard_a != shard_b) return shard_a < shard_b ? -1 : 1;
    int d = str_cmp((*a)->next_hop, (*b)->next_hop);
    if (d != 0) return d;
    return (*a)->index < (*b)->index ? -1 : (*a)->index > (*b)->index;
}

static enum err put_shard(struct txn *t, const struct queue_message *m, uint8_t shard,
                          size_t waiting)
{
    struct queue_message row = *m;
    enum err e = message_row_get(t, shard, m->message, &row);
    if (e == OK) return ERR_EXISTS;
    if (e != ERR_NOT_FOUND) return e;
    row = *m;
    row.waiting = (uint32_t)waiting;
    return message_row_put(t, shard, &row);
}

static enum err put_sorted(struct txn *t, const struct queue_message *m,
                           const struct queue_rcpt *const *sorted, size_t n,
                           uint32_t *references_out)
{
    size_t hop_first = 0, shard_first = 0;
    *references_out = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t shard = queue_shard(sorted[i]->next_hop);
        enum err e = rcpt_rows_put(t, sorted[i]);
        bool last = i + 1 == n;
        if (e == OK && (last || !str_eq(sorted[i + 1]->next_hop, sorted[i]->next_hop))) {
            e = hop_settle(t, sorted[i]->next_hop, (int64_t)(i + 1 - hop_first));
            hop_first = i + 1;
        }
        if (e == OK && (last || queue_shard(sorted[i + 1]->next_hop) != shard)) {
            e = put_shard(t, m, shard, i + 1 - shard_first);
            shard_first = i + 1;
            ++*references_out;
        }
        if (e != OK) return e;
    }
    return OK;
}

enum err queue_put(struct txn *t, const struct queue_message *m, const struct queue_rcpt *rcpts,
                   size_t n, uint32_t *references_out)
{
    must(n > 0 && n <= PLAN_ITEM_MAX);
    const struct queue_rcpt **sorted =
        arena_alloc(txn_arena(t), n, sizeof(const struct queue_rcpt *));
    for (size_t i = 0; i < n; i++) {
        bool ok = hop_is_valid(rcpts[i].next_hop) && rcpts[i].due_us >= 0 &&
                  rcpts[i].message == m->message;
        if (!ok) return ERR_INVALID;
        sorted[i] = &rcpts[i];
    }
    qsort(sorted, n, sizeof sorted[0], by_hop);
    return put_sorted(t, m, sorted, n, references_out);
}

/* ---- looking ---- */

enum err queue_list(struct txn *t, struct queue_at *at, size_t max, struct queue_message *out,
                    size_t *n_out)
{
    size_t n = 0;
    while (n < max && at->shard < QUEUE_SHARDS) {
        struct key k = { .kind = KEY_QUEUE_MESSAGE, .shard = at->shard, .message = at->message };
        struct str after = at->message > 0 ? key_make(txn_arena(t), &k) : STR_NONE;
        struct rows rows;
        enum err e = row_page(t, &k, 0, after, max - n, &rows);
        for (size_t i = 0; e == OK && i < rows.n; i++) {
            e = queue_message_decode(&rows.at[i], &out[n]);
            if (e == OK) at->message = out[n++].message;
        }
        if (e != OK) return e;
        if (rows.more) continue;
        at->shard++;
        at->message = 0;
    }
    at->end = at->shard >= QUEUE_SHARDS;
    *n_out = n;
    return OK;
}

enum err queue_show(struct txn *t, uint64_t message, struct queue_message *out)
{
    uint32_t waiting = 0;
    bool found = false;
    for (uint8_t shard = 0; shard < QUEUE_SHARDS; shard++) {
        struct queue_message m;
        enum err e = message_row_get(t, shard, message, &m);
        if (e == ERR_NOT_FOUND) continue;
        if (e != OK) return e;
        waiting += m.waiting;
        *out = m;
        found = true;
    }
    if (!found) return ERR_NOT_FOUND;
    out->waiting = waiting;
    return OK;
}

static enum err shard_rcpts(struct txn *t, uint8_t shard, uint64_t message, size_t max,
                            struct rows *out)
{
    struct key k = { .kind = KEY_QUEUE_RCPT, .shard = shard, .message = message };
    return row_page(t, &k, 1, STR_NONE, max, out);
}

enum err queue_rcpts(struct txn *t, uint64_t message, size_t skip, size_t max,
                     struct queue_rcpt *out, size_t *n_out, bool *more_out)
{
    size_t n = 0, seen = 0;
    *more_out = false;
    for (uint8_t shard = 0; shard < QUEUE_SHARDS; shard++) {
        struct rows rows;
        enum err e = shard_rcpts(t, shard, message, PLAN_ITEM_MAX, &rows);
        for (size_t i = 0; e == OK && i < rows.n; i++) {
            if (seen++ < skip) continue;
            if (n == max) {
                *more_out = true;
                break;
            }
            e = rcpt_decode(rows.at[i].value, &out[n++]);
        }
        if (e != OK) return e;
    }
    *n_out = n;
    return OK;
}

/* ---- taking out ---- */

/* `n` recipients of a shard have gone: lower the message's count, and let go of it with the last.
 */
static enum err message_lower(struct txn *t, uint8_t shard, uint64_t message, size_t n)
{
    struct queue_message m;
    struct key k = { .kind = KEY_QUEUE_MESSAGE, .shard = shard, .message = message };
    enum err e = message_row_get(t, shard, message, &m);
    if (e != OK) return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    if (m.waiting < n) return ERR_CORRUPT;
    m.waiting -= (uint32_t)n;
    if (m.waiting > 0) return message_row_put(t, shard, &m);
    e = row_del(t, &k);
    return e == OK ? message_release(t, message) : e;
}

static enum err drop_rows(struct txn *t, const struct rows *rows)
{
    enum err e = OK;
    for (size_t i = 0; e == OK && i < rows->n; i++) {
        struct queue_rcpt r;
        e = rcpt_decode(rows->at[i].value, &r);
        if (e == OK) e = rcpt_rows_del(t, &r);
        if (e == OK) e = hop_settle(t, r.next_hop, -1);
    }
    return e;
}

enum err queue_drop(struct txn *t, uint64_t message, bool *more_out)
{
    size_t left = QUEUE_BATCH_MAX;
    bool found = false, more = false;
    for (uint8_t shard = 0; shard < QUEUE_SHARDS; shard++) {
        struct rows rows;
        enum err e = shard_rcpts(t, shard, message, left > 0 ? left : 1, &rows);
        if (e != OK) return e;
        if (rows.n == 0) continue;
        found = true;
        if (left == 0) {
            more = true;
            break;
        }
        more = more || rows.more;
        left -= rows.n;
        e = drop_rows(t, &rows);
        if (e == OK) e = message_lower(t, shard, message, rows.n);
        if (e != OK) return e;
    }
    if (!found) return ERR_NOT_FOUND;
    *more_out = more;
    return OK;
}

static enum err rcpt_get(struct txn *t, struct str next_hop, uint64_t message, uint32_t index,
                         struct queue_rcpt *out)
{
    struct queue_rcpt name = { .message = message, .index = index, .next_hop = next_hop };
    struct key k = rcpt_key(&name);
    struct str value;
    enum err e = row_get(t, &k, &value);
    if (e == OK) e = rcpt_decode(value, out);
    return e == OK && !str_eq(out->next_hop, next_hop) ? ERR_NOT_FOUND : e;
}

enum err queue_rcpt_drop(struct txn *t, struct str next_hop, uint64_t message, uint32_t index)
{
    struct queue_rcpt r;
    enum err e = rcpt_get(t, next_hop, message, index, &r);
    if (e == OK) e = rcpt_rows_del(t, &r);
    if (e == OK) e = hop_settle(t, r.next_hop, -1);
    return e == OK ? message_lower(t, queue_shard(r.next_hop), message, 1) : e;
}

enum err queue_rcpt_set(struct txn *t, const struct queue_rcpt *r)
{
    struct queue_rcpt old;
    if (r->due_us < 0) return ERR_INVALID;
    enum err e = rcpt_get(t, r->next_hop, r->message, r->index, &old);
    if (e == OK) e = rcpt_rows_del(t, &old);
    if (e == OK) e = rcpt_rows_put(t, r);
    return e == OK ? hop_settle(t, r->next_hop, 0) : e;
}

/* ---- what is due ---- */

enum err queue_hops_due(struct txn *t, uint8_t shard, int64_t now_us, size_t max,
                        struct queue_hop *out, size_t *n_out, bool *more_out)
{
    struct key first = { .kind = KEY_QUEUE_HOP_DUE, .shard = shard };
    struct key last = { .kind = KEY_QUEUE_HOP_DUE, .shard = shard, .time_us = now_us + 1 };
    struct key_range r = { key_make(txn_arena(t), &first), key_make(txn_arena(t), &last) };
    struct rows rows;
    enum err e = row_range(t, r, STR_NONE, max, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        struct key k;
        e = key_parse(rows.at[i].key, &k);
        if (e == OK) e = queue_hop_get(t, k.name, &out[i]);
    }
    if (e != OK) return e;
    *n_out = rows.n;
    *more_out = rows.more;
    return OK;
}

enum err queue_hop_rcpts(struct txn *t, struct str next_hop, int64_t now_us, size_t max,
                         struct queue_rcpt *out, size_t *n_out, bool *more_out)
{
    struct key first = hop_key(next_hop);
    first.kind = KEY_QUEUE_DUE;
    struct key last = first;
    last.time_us = now_us + 1;
    struct key_range r = { key_make(txn_arena(t), &first), key_make(txn_arena(t), &last) };
    struct rows rows;
    enum err e = row_range(t, r, STR_NONE, max, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        struct key k;
        e = key_parse(rows.at[i].key, &k);
        if (e == OK) e = rcpt_get(t, next_hop, k.message, k.index, &out[i]);
    }
    if (e == ERR_NOT_FOUND) e = ERR_CORRUPT; /* the index names a row that is not there */
    if (e != OK) return e;
    *n_out = rows.n;
    *more_out = rows.more;
    return OK;
}
