/* A load for tests that kill: messages with rows and bodies, some deleted again, and a ledger in
 * shared memory of what was submitted and what was answered, which outlives the process that runs
 * the load. Tests only. */
#ifndef STORE_STORE_LOAD_H
#define STORE_STORE_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/must.h"
#include "base/wire.h"
#include "store/engine.h"

enum { LEDGER_MAX = 200000, LOAD_STAGED_EVERY = 9, LOAD_CHUNK_BYTES = 30000 };

enum ledger_state {
    LEDGER_NONE,        /* never submitted, or known not to have happened */
    LEDGER_PUT_SENT,    /* may be there */
    LEDGER_PUT_DONE,    /* must be there */
    LEDGER_DELETE_SENT, /* may be there */
    LEDGER_DELETE_DONE, /* must not be there */
};

struct ledger {
    atomic_uint next; /* the first message not yet submitted */
    atomic_uint answered;
    atomic_uchar state[LEDGER_MAX];
    atomic_bool happened[LEDGER_MAX]; /* it was there once */
};

static inline struct ledger *ledger_new(void)
{
    void *p = mmap(NULL, sizeof(struct ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);
    must(p != MAP_FAILED);
    return p;
}

/* ---- what message `i` is ---- */

static inline size_t load_bytes(uint32_t i)
{
    return i % LOAD_STAGED_EVERY == 0 ? 3 * LOAD_CHUNK_BYTES - 1000 : 100 + i * 7919u % 9000;
}

static inline void load_content(uint32_t i, struct buf *out)
{
    uint64_t z = i * 0x9e3779b97f4a7c15u + 1;
    size_t bytes = load_bytes(i);
    while (out->n < bytes) {
        z ^= z << 13;
        z ^= z >> 7;
        z ^= z << 17;
        wire_put_u64(out, z);
    }
    buf_truncate(out, bytes);
}

static inline struct blob_id load_id(uint32_t i)
{
    struct blob_id id = { { 'm' } };
    for (size_t k = 0; k < 4; k++) {
        id.bytes[k + 4] = (unsigned char)(i >> (24 - 8 * k));
    }
    return id;
}

struct load_key {
    char bytes[5];
};
static inline struct str load_key(struct load_key *k, char kind, uint32_t n)
{
    k->bytes[0] = kind;
    for (size_t b = 0; b < 4; b++) {
        k->bytes[b + 1] = (char)(n >> (24 - 8 * b));
    }
    return str_of(k->bytes, sizeof k->bytes);
}

static inline enum err load_number(struct txn *t, struct str key, uint32_t *out)
{
    struct str value = STR_NONE;
    enum err e = txn_get(t, key, &value);
    struct wire w = wire_of(value);
    *out = e == OK ? wire_get_u32(&w) : 0;
    return e == ERR_NOT_FOUND ? OK : e;
}

static inline enum err load_set(struct txn *t, struct str key, uint32_t number)
{
    char v[4] = { (char)(number >> 24), (char)(number >> 16), (char)(number >> 8), (char)number };
    return txn_put(t, key, str_of(v, 4));
}

/* ---- one message ---- */

struct load_item {
    struct intent intent; /* first */
    struct load *load;
    uint32_t i;
    bool deletes;
    struct buf content;
    struct stage *stage;
};

struct load {
    struct engine *e;
    struct ledger *ledger;
    pthread_mutex_t lock;
    pthread_cond_t told;
    struct intent *done;
};

/* Message i gets the next number; rows both ways, so that half of it would be seen. */
static inline enum err load_put_body(struct txn *t, void *ctx)
{
    struct load_item *it = ctx;
    struct load_key k;
    uint32_t uid;
    enum err e = load_number(t, STR("puts"), &uid);
    if (e == OK) e = load_set(t, STR("puts"), uid + 1);
    if (e == OK) e = load_set(t, load_key(&k, 'm', it->i), uid + 1);
    if (e == OK) e = load_set(t, load_key(&k, 'u', uid + 1), it->i);
    struct str all = buf_str(&it->content);
    struct str head = str_part(all, 0, 17);
    struct str small = it->stage == NULL ? str_skip(all, 17) : STR_NONE;
    if (e == OK)
        e = txn_blob_put(t, load_id(it->i), it->stage == NULL ? head : STR_NONE, small, it->stage,
                         1);
    return e;
}

static inline enum err load_delete_body(struct txn *t, void *ctx)
{
    struct load_item *it = ctx;
    struct load_key k;
    uint32_t uid, deletes = 0;
    enum err e = load_number(t, load_key(&k, 'm', it->i), &uid);
    if (e == OK && uid == 0) return ERR_NOT_FOUND;
    if (e == OK) e = load_number(t, STR("deletes"), &deletes);
    if (e == OK) e = load_set(t, STR("deletes"), deletes + 1);
    if (e == OK) e = txn_del(t, load_key(&k, 'm', it->i));
    if (e == OK) e = txn_del(t, load_key(&k, 'u', uid));
    if (e == OK) e = txn_blob_count(t, load_id(it->i), -1);
    return e;
}

static inline void load_on_done(struct intent *i)
{
    struct load_item *it = (struct load_item *)(void *)i;
    struct load *l = it->load;
    struct ledger *g = l->ledger;
    /* What is not known stays "sent". */
    if (i->result == OK) {
        atomic_store(&g->state[it->i], it->deletes ? LEDGER_DELETE_DONE : LEDGER_PUT_DONE);
        atomic_store(&g->happened[it->i], true);
    } else if (i->result != ERR_UNKNOWN) {
        atomic_store(&g->state[it->i], it->deletes ? LEDGER_PUT_DONE : LEDGER_NONE);
    }
    atomic_fetch_add(&g->answered, 1);
    pthread_mutex_lock(&l->lock);
    i->next = l->done;
    l->done = i;
    pthread_cond_signal(&l->told);
    pthread_mutex_unlock(&l->lock);
}

static inline bool load_stage(struct load *l, struct load_item *it)
{
    enum err e = engine_stage_new(l->e, &it->stage);
    struct str left = buf_str(&it->content);
    for (; e == OK && left.n > 0; left = str_skip(left, LOAD_CHUNK_BYTES)) {
        e = engine_stage_append(l->e, it->stage, str_part(left, 0, LOAD_CHUNK_BYTES));
    }
    if (e != OK && it->stage != NULL) engine_stage_drop(l->e, &it->stage);
    return e == OK;
}

static inline void load_item_free(struct load *l, struct load_item *it)
{
    if (it->stage != NULL) engine_stage_drop(l->e, &it->stage);
    buf_free(&it->content);
    free(it);
}

/* False: the message could not even be staged. */
static inline bool load_submit(struct load *l, uint32_t i, bool deletes)
{
    struct load_item *it = calloc(1, sizeof *it);
    must(it != NULL);
    *it = (struct load_item){ .load = l, .i = i, .deletes = deletes };
    it->content = buf_new(1 << 20);
    if (!deletes) load_content(i, &it->content);
    if (!deletes && i % LOAD_STAGED_EVERY == 0 && !load_stage(l, it)) {
        load_item_free(l, it);
        return false;
    }
    it->intent = (struct intent){ .body = deletes ? load_delete_body : load_put_body,
                                  .ctx = it,
                                  .kind = INTENT_DURABLE,
                                  .done = load_on_done };
    atomic_store(&l->ledger->state[i], deletes ? LEDGER_DELETE_SENT : LEDGER_PUT_SENT);
    engine_submit(l->e, &it->intent);
    return true;
}

static inline struct intent *load_await(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->done == NULL) {
        pthread_cond_wait(&l->told, &l->lock);
    }
    struct intent *all = l->done;
    l->done = NULL;
    pthread_mutex_unlock(&l->lock);
    return all;
}

/* `n` messages, `at_once` under way at a time; every third that was done is deleted again. Stops
 * when the engine is broken. How many were answered OK. */
static inline size_t load_run(struct engine *e, struct ledger *g, size_t n, size_t at_once)
{
    struct load l = { e, g, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL };
    size_t out = 0, good = 0;
    bool broken = false;
    while (out > 0 || (n > 0 && !broken)) {
        while (n > 0 && !broken && out < at_once) {
            uint32_t i = atomic_fetch_add(&g->next, 1);
            must(i < LEDGER_MAX);
            n--;
            out += load_submit(&l, i, false);
        }
        if (out == 0) continue;
        for (struct intent *i = load_await(&l), *next; i != NULL; i = next) {
            next = i->next;
            struct load_item *it = (struct load_item *)(void *)i;
            broken |= i->result == ERR_BROKEN || i->result == ERR_UNKNOWN;
            good += i->result == OK;
            out--;
            if (i->result == OK && !it->deletes && it->i % 3 == 1 && !broken)
                out += load_submit(&l, it->i, true);
            load_item_free(&l, it);
        }
    }
    return good;
}

/* ---- afterwards ---- */

static inline void load_refs(struct str key, struct str value, void (*add)(void *, struct blob_id),
                             void *ctx)
{
    (void)value;
    struct wire w = wire_of(key);
    if (wire_get_u8(&w) != 'm' || key.n != 5) return;
    add(ctx, load_id(wire_get_u32(&w)));
}

static inline void load_say(void *ctx, struct str line)
{
    (void)ctx;
    fprintf(stderr, "check: %.*s\n", (int)line.n, line.p);
}

/* Is message `i` there? Whole then: rows both ways, the bytes. */
static inline bool load_there(struct txn *t, uint32_t i, uint32_t puts)
{
    struct load_key k;
    uint32_t uid, back;
    must(load_number(t, load_key(&k, 'm', i), &uid) == OK);
    uint64_t bytes;
    enum err e = txn_blob_bytes(t, load_id(i), &bytes);
    if (uid == 0) {
        must(e == ERR_NOT_FOUND); /* the body goes with the rows */
        return false;
    }
    must(e == OK && uid <= puts && bytes == load_bytes(i));
    must(load_number(t, load_key(&k, 'u', uid), &back) == OK && back == i); /* numbers are unique */
    struct buf want = BUF_INIT(1 << 20), have = BUF_INIT(1 << 20);
    load_content(i, &want);
    must(txn_blob_read(t, load_id(i), 0, bytes, &have) == OK);
    must(str_eq(buf_str(&want), buf_str(&have)));
    buf_free(&want);
    buf_free(&have);
    return true;
}

/* Everything the ledger demands, or the process ends. Sets the ledger to what is there. */
static inline void load_verify(struct engine *e, struct ledger *g)
{
    struct txn *t;
    uint32_t puts, deletes, happened = 0, gone = 0;
    must(engine_snapshot_begin(e, &t) == OK);
    must(load_number(t, STR("puts"), &puts) == OK);
    must(load_number(t, STR("deletes"), &deletes) == OK);
    for (uint32_t i = 0; i < atomic_load(&g->next); i++) {
        bool there = load_there(t, i, puts);
        enum ledger_state state = atomic_load(&g->state[i]);
        if (state == LEDGER_PUT_DONE) must(there);
        if (state == LEDGER_NONE || state == LEDGER_DELETE_DONE) must(!there);
        if (there) atomic_store(&g->happened[i], true);
        bool once = atomic_load(&g->happened[i]);
        happened += once;
        gone += once && !there;
        atomic_store(&g->state[i], there  ? LEDGER_PUT_DONE
                                   : once ? LEDGER_DELETE_DONE
                                          : LEDGER_NONE);
    }
    engine_snapshot_end(&t);
    must(puts == happened && deletes == gone); /* once and only once */
    struct engine_report r;
    struct engine_check check = { load_refs, load_say, NULL };
    must(engine_check(e, &check, &r) == OK);
    must(r.blobs == happened - gone);
}

#endif
