/* What every engine must do: the laws of engine.h as cases. Tests only: a test of an engine
 * includes this and calls conformance_run(). */
#ifndef STORE_ENGINE_CONFORMANCE_H
#define STORE_ENGINE_CONFORMANCE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/unit.h"
#include "base/rand.h"
#include "base/must.h"
#include "base/wire.h"
#include "store/engine.h"

/* How a test gets its engine. */
struct conformance {
    struct engine *(*open_new)(void *ctx);
    /* Close and open again with everything still there; null: the engine forgets. */
    void (*reopen)(void *ctx, struct engine **e);
    void *ctx;
};

/* ---- scripts: a body as a list of steps with what each must say ---- */

enum step_verb { STEP_PUT, STEP_DEL, STEP_GET, STEP_BLOB, STEP_COUNT, STEP_SIZE, STEP_FAIL };

struct step {
    enum step_verb verb;
    struct str key, value; /* blob: head, small */
    enum err want;
    struct stage *stage;
    int32_t number;
};

struct script {
    const struct step *steps;
    size_t n;
};

static inline struct blob_id script_blob_id(struct str name)
{
    struct blob_id id = { { 0 } };
    must(name.n <= BLOB_ID_BYTES);
    memcpy(id.bytes, name.p, name.n);
    return id;
}

static inline enum err script_step(struct txn *t, const struct step *s)
{
    struct str value;
    uint64_t bytes;
    enum err e = OK;
    switch (s->verb) {
    case STEP_PUT:
        return txn_put(t, s->key, s->value);
    case STEP_DEL:
        return txn_del(t, s->key);
    case STEP_FAIL:
        return s->want;
    case STEP_COUNT:
        return txn_blob_count(t, script_blob_id(s->key), s->number);
    case STEP_BLOB:
        return txn_blob_put(t, script_blob_id(s->key), s->value, STR_NONE, s->stage,
                            s->number > 0 ? (uint32_t)s->number : 1);
    case STEP_GET:
        e = txn_get(t, s->key, &value);
        if (e == OK) assert_str(value, s->value);
        return e;
    case STEP_SIZE:
        e = txn_blob_bytes(t, script_blob_id(s->key), &bytes);
        if (e == OK) assert_int_equal(bytes, s->number);
        return e;
    }
    return e;
}

static inline enum err script_body(struct txn *t, void *ctx)
{
    const struct script *script = ctx;
    for (size_t i = 0; i < script->n; i++) {
        const struct step *s = &script->steps[i];
        enum err e = script_step(t, s);
        if (s->verb == STEP_FAIL) return e;
        if (e != s->want) print_message("step %zu: %s\n", i, err_name(e));
        assert_int_equal(e, s->want);
    }
    return OK;
}

static inline enum err script_commit(struct engine *e, const struct step *steps, size_t n)
{
    struct script s = { steps, n };
    return engine_commit(e, INTENT_VISIBLE, script_body, &s);
}
#define SCRIPT(e, ...)                                                                             \
    script_commit((e), (const struct step[]){ __VA_ARGS__ },                                       \
                  sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

/* The same steps (reading ones) on a snapshot. */
static inline void script_look(struct engine *e, const struct step *steps, size_t n)
{
    struct txn *t;
    struct script s = { steps, n };
    assert_int_equal(engine_snapshot_begin(e, &t), OK);
    assert_int_equal(script_body(t, &s), OK);
    engine_snapshot_end(&t);
    assert_null(t);
}
#define LOOK(e, ...)                                                                               \
    script_look((e), (const struct step[]){ __VA_ARGS__ },                                         \
                sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

#define PUT_(k, v)                                                                                 \
    {                                                                                              \
        .verb = STEP_PUT, .key = STR_INIT(k), .value = STR_INIT(v)                                 \
    }
#define DEL_(k)                                                                                    \
    {                                                                                              \
        .verb = STEP_DEL, .key = STR_INIT(k)                                                       \
    }
#define GET_(k, v)                                                                                 \
    {                                                                                              \
        .verb = STEP_GET, .key = STR_INIT(k), .value = STR_INIT(v)                                 \
    }
#define NONE_(k)                                                                                   \
    {                                                                                              \
        .verb = STEP_GET, .key = STR_INIT(k), .want = ERR_NOT_FOUND                                \
    }
#define BLOB_(k, v, refs)                                                                          \
    {                                                                                              \
        .verb = STEP_BLOB, .key = STR_INIT(k), .value = STR_INIT(v), .number = (refs)              \
    }
#define COUNT_(k, n)                                                                               \
    {                                                                                              \
        .verb = STEP_COUNT, .key = STR_INIT(k), .number = (n)                                      \
    }
#define SIZE_(k, n)                                                                                \
    {                                                                                              \
        .verb = STEP_SIZE, .key = STR_INIT(k), .number = (n)                                       \
    }
#define NO_BLOB_(k)                                                                                \
    {                                                                                              \
        .verb = STEP_SIZE, .key = STR_INIT(k), .want = ERR_NOT_FOUND                               \
    }
#define FAIL_(e)                                                                                   \
    {                                                                                              \
        .verb = STEP_FAIL, .want = (e)                                                             \
    }

/* Read a blob from a new snapshot. */
static inline enum err blob_read_all(struct engine *e, struct str name, uint64_t offset,
                                     size_t max_bytes, struct buf *out)
{
    struct txn *t;
    assert_int_equal(engine_snapshot_begin(e, &t), OK);
    enum err r = txn_blob_read(t, script_blob_id(name), offset, max_bytes, out);
    engine_snapshot_end(&t);
    return r;
}

/* ---- rows ---- */

static inline void case_rows(const struct conformance *how, struct engine **e)
{
    (void)how;
    unit_case("what is put is there, in the body and after it");
    assert_int_equal(SCRIPT(*e, PUT_("a", "1"), PUT_("b", ""), GET_("a", "1"), NONE_("c")), OK);
    LOOK(*e, GET_("a", "1"), GET_("b", ""), NONE_("c"));
    unit_case("rewritten, deleted, deleted again");
    assert_int_equal(SCRIPT(*e, PUT_("a", "2"), PUT_("a", "3"), GET_("a", "3"), DEL_("b"),
                            NONE_("b"), DEL_("b"), DEL_("zz"), PUT_("d", "4")),
                     OK);
    LOOK(*e, GET_("a", "3"), NONE_("b"), GET_("d", "4"));
    unit_case("put again after a deletion, in one body");
    assert_int_equal(SCRIPT(*e, DEL_("a"), PUT_("a", "5")), OK);
    LOOK(*e, GET_("a", "5"));
    unit_case("a body that fails leaves no trace");
    assert_int_equal(SCRIPT(*e, PUT_("a", "6"), DEL_("d"), PUT_("n", "new"), FAIL_(ERR_OVER_QUOTA)),
                     ERR_OVER_QUOTA);
    LOOK(*e, GET_("a", "5"), GET_("d", "4"), NONE_("n"));
    unit_case("bytes of any value in keys and values");
    assert_int_equal(SCRIPT(*e, PUT_("\0", "\0\0"), PUT_("\0\0", "x"), PUT_("\xff\xff", "\xff")),
                     OK);
    LOOK(*e, GET_("\0", "\0\0"), GET_("\0\0", "x"), GET_("\xff\xff", "\xff"), NONE_("\xff"));
}

/* ---- limits ---- */

struct limits {
    char *bytes;
    enum err first_key, long_key, empty_key, long_value, value;
    size_t ops, total_bytes;
};

static inline enum err limits_body(struct txn *t, void *ctx)
{
    struct limits *l = ctx;
    l->first_key = txn_put(t, str_of(l->bytes, ENGINE_KEY_MAX), STR("v"));
    l->long_key = txn_put(t, str_of(l->bytes, ENGINE_KEY_MAX + 1), STR("v"));
    l->empty_key = txn_put(t, STR_NONE, STR("v"));
    l->value = txn_put(t, STR("value"), str_of(l->bytes, ENGINE_VALUE_MAX));
    l->long_value = txn_put(t, STR("value"), str_of(l->bytes, ENGINE_VALUE_MAX + 1));
    return OK;
}

static inline enum err limits_ops_body(struct txn *t, void *ctx)
{
    struct limits *l = ctx;
    l->ops = 0;
    for (enum err e = OK; l->ops <= ENGINE_TXN_OPS_MAX; l->ops++) {
        char key[4] = { 'o', (char)(l->ops >> 16), (char)(l->ops >> 8), (char)l->ops };
        e = txn_put(t, str_of(key, 4), STR_NONE);
        if (e != OK) return e;
    }
    return OK;
}

static inline enum err limits_bytes_body(struct txn *t, void *ctx)
{
    struct limits *l = ctx;
    for (l->total_bytes = 0;; l->total_bytes += ENGINE_VALUE_MAX + 1) {
        char key[1] = { (char)(l->total_bytes >> 16) };
        enum err e = txn_put(t, str_of(key, 1), str_of(l->bytes, ENGINE_VALUE_MAX));
        if (e != OK) return e;
    }
}

static inline void case_limits(const struct conformance *how, struct engine **e)
{
    (void)how;
    struct limits l = { .bytes = calloc(1, ENGINE_VALUE_MAX + 1) };
    assert_non_null(l.bytes);
    memset(l.bytes, 'k', ENGINE_VALUE_MAX + 1);
    unit_case("keys and values at and beyond their limits");
    assert_int_equal(engine_commit(*e, INTENT_VISIBLE, limits_body, &l), OK);
    assert_int_equal(l.first_key, OK);
    assert_int_equal(l.long_key, ERR_LIMIT);
    assert_int_equal(l.empty_key, ERR_LIMIT);
    assert_int_equal(l.value, OK);
    assert_int_equal(l.long_value, ERR_LIMIT);
    unit_case("too many operations");
    assert_int_equal(engine_commit(*e, INTENT_VISIBLE, limits_ops_body, &l), ERR_LIMIT);
    assert_int_equal(l.ops, ENGINE_TXN_OPS_MAX);
    unit_case("too many bytes");
    assert_int_equal(engine_commit(*e, INTENT_VISIBLE, limits_bytes_body, &l), ERR_LIMIT);
    assert_in_range(l.total_bytes, ENGINE_TXN_BYTES_MAX - 2 * ENGINE_VALUE_MAX,
                    ENGINE_TXN_BYTES_MAX);
    LOOK(*e, NONE_("o\0\0\0"), NONE_("o\0\0\1"));
    free(l.bytes);
}

/* ---- ranges against a model ---- */

enum { MODEL_KEYS = 192 };

struct model {
    uint32_t value[MODEL_KEYS]; /* 0: not there */
    uint32_t next[MODEL_KEYS];
    size_t writes;
    uint64_t seed;
    bool fail;
};

/* Keys in two lengths, so that prefixes of each other occur. */
static inline struct str model_key(size_t i, char out[3])
{
    out[0] = (char)('a' + i / 64);
    out[1] = (char)(i % 64 / 2);
    out[2] = 'x';
    return str_of(out, i % 2 == 0 ? 2 : 3);
}

static inline enum err model_check_range(struct txn *t, const uint32_t *have, size_t from,
                                         size_t until, enum range_order order, size_t max_rows)
{
    char a[3], b[3];
    struct rows rows;
    enum err e =
        txn_range(t, model_key(from, a), until < MODEL_KEYS ? model_key(until, b) : STR_NONE, order,
                  max_rows, &rows);
    if (e != OK) return e;
    size_t n = 0, seen = 0;
    for (size_t k = from; k < until; k++) {
        size_t i = order == RANGE_UP ? k : until - 1 - (k - from);
        if (have[i] == 0) continue;
        seen++;
        if (n == max_rows) continue;
        struct wire w = wire_of(rows.at[n].value);
        assert_str(rows.at[n].key, model_key(i, a));
        assert_int_equal(wire_get_u32(&w), have[i]);
        n++;
    }
    assert_int_equal(rows.n, n);
    assert_int_equal(rows.more, seen > n);
    return OK;
}

static inline enum err model_check(struct txn *t, const uint32_t *have)
{
    for (size_t i = 0; i < 6; i++) {
        size_t from = rand_below(MODEL_KEYS), until = from + rand_below(MODEL_KEYS - from + 1);
        if (i == 0) from = 0;
        if (i <= 1) until = MODEL_KEYS;
        size_t max_rows = i % 2 == 0 ? 10000 : 1 + rand_below(20);
        enum err e = model_check_range(t, have, from, until, RANGE_UP, max_rows);
        if (e == OK) e = model_check_range(t, have, from, until, RANGE_DOWN, max_rows);
        if (e != OK) return e;
    }
    return OK;
}

static inline enum err model_body(struct txn *t, void *ctx)
{
    struct model *m = ctx;
    rand_test_seed(m->seed);
    memcpy(m->next, m->value, sizeof m->next);
    for (size_t i = 0; i < m->writes; i++) {
        char key[3];
        size_t k = rand_below(4) == 0 ? i % MODEL_KEYS : rand_below(MODEL_KEYS);
        uint32_t v = rand_below(3) == 0 ? 0 : (uint32_t)rand_u64() | 1;
        struct buf value = BUF_INIT(1024);
        wire_put_u32(&value, v);
        for (uint64_t fill = rand_below(32); fill > 0; fill--) {
            buf_put_byte(&value, 'f');
        }
        enum err e =
            v != 0 ? txn_put(t, model_key(k, key), buf_str(&value)) : txn_del(t, model_key(k, key));
        buf_free(&value);
        if (e != OK) return e;
        m->next[k] = v;
    }
    enum err e = model_check(t, m->next);
    return e == OK && m->fail ? ERR_DENIED : e;
}

static inline void case_ranges(const struct conformance *how, struct engine **e)
{
    struct model m = { .writes = 0 };
    unit_case("an empty engine has empty ranges");
    struct txn *t, *old = NULL;
    assert_int_equal(engine_snapshot_begin(*e, &t), OK);
    assert_int_equal(model_check(t, m.value), OK);
    struct rows rows;
    assert_int_equal(txn_range(t, STR("b"), STR("a"), RANGE_UP, 10, &rows), OK);
    assert_int_equal(rows.n, 0);
    assert_false(rows.more);
    engine_snapshot_end(&t);

    unit_case("random writes, ranges in bodies, in snapshots, in old snapshots");
    uint32_t then[MODEL_KEYS] = { 0 };
    for (size_t round = 0; round < 200; round++) {
        m.seed = round * 7919 + 17;
        m.writes = round * 31 % 60;
        m.fail = round % 7 == 3;
        assert_int_equal(engine_commit(*e, INTENT_DURABLE, model_body, &m),
                         m.fail ? ERR_DENIED : OK);
        if (!m.fail) memcpy(m.value, m.next, sizeof m.value);
        assert_int_equal(engine_snapshot_begin(*e, &t), OK);
        assert_int_equal(model_check(t, m.value), OK);
        if (old != NULL) assert_int_equal(model_check(old, then), OK);
        if (round % 10 == 0) {
            engine_snapshot_end(&old);
            old = t;
            memcpy(then, m.value, sizeof then);
        } else {
            engine_snapshot_end(&t);
        }
        if (round % 50 == 49 && how->reopen != NULL) {
            engine_snapshot_end(&old);
            how->reopen(how->ctx, e);
        }
    }
    engine_snapshot_end(&old);
    rand_test_seed(0);
}

/* ---- blobs ---- */

static inline void case_blobs(const struct conformance *how, struct engine **e)
{
    struct buf out = BUF_INIT(1 << 20);
    unit_case("a blob is there with its size, in the body and after it");
    assert_int_equal(SCRIPT(*e, BLOB_("b1", "Received: x\r\n", 2), SIZE_("b1", 13), NO_BLOB_("b2")),
                     OK);
    LOOK(*e, SIZE_("b1", 13), NO_BLOB_("b2"));
    assert_int_equal(blob_read_all(*e, STR("b1"), 0, 100, &out), OK);
    assert_str(buf_str(&out), STR("Received: x\r\n"));
    unit_case("a part of it, appended; nothing behind its end");
    assert_int_equal(blob_read_all(*e, STR("b1"), 10, 2, &out), OK);
    assert_str(buf_str(&out), STR("Received: x\r\nx\r"));
    assert_int_equal(blob_read_all(*e, STR("b1"), 13, 2, &out), OK);
    assert_int_equal(blob_read_all(*e, STR("b1"), UINT64_MAX, 2, &out), OK);
    assert_int_equal(out.n, 15);
    unit_case("a full buffer is said, and nothing appended");
    struct buf tight = BUF_INIT(5);
    assert_int_equal(blob_read_all(*e, STR("b1"), 0, 6, &tight), ERR_LIMIT);
    assert_int_equal(tight.n, 0);
    buf_free(&tight);
    unit_case("the id is taken: before, and within one body");
    assert_int_equal(SCRIPT(*e, { .verb = STEP_BLOB, .key = STR_INIT("b1"), .want = ERR_EXISTS },
                            BLOB_("b3", "", 1),
                            { .verb = STEP_BLOB, .key = STR_INIT("b3"), .want = ERR_EXISTS }),
                     OK);
    LOOK(*e, SIZE_("b3", 0));
    unit_case("counts go up and down, not below 0");
    assert_int_equal(
        SCRIPT(*e, COUNT_("b1", 3), COUNT_("b1", -4),
               { .verb = STEP_COUNT, .key = STR_INIT("b1"), .number = -2, .want = ERR_RANGE },
               { .verb = STEP_COUNT, .key = STR_INIT("b9"), .number = 1, .want = ERR_NOT_FOUND }),
        OK);
    struct txn *old;
    assert_int_equal(engine_snapshot_begin(*e, &old), OK);
    unit_case("at 0 it is gone, but an older snapshot still reads it");
    assert_int_equal(SCRIPT(*e, COUNT_("b1", -1), NO_BLOB_("b1")), OK);
    LOOK(*e, NO_BLOB_("b1"));
    buf_clear(&out);
    assert_int_equal(blob_read_all(*e, STR("b1"), 0, 9, &out), ERR_NOT_FOUND);
    assert_int_equal(txn_blob_read(old, script_blob_id(STR("b1")), 0, 9, &out), OK);
    assert_str(buf_str(&out), STR("Received:"));
    engine_snapshot_end(&old);
    unit_case("the id can be used again, also in the body that let it go");
    assert_int_equal(
        SCRIPT(*e, BLOB_("b1", "second", 1), COUNT_("b1", -1), BLOB_("b1", "third", 1)), OK);
    if (how->reopen != NULL) how->reopen(how->ctx, e);
    buf_clear(&out);
    assert_int_equal(blob_read_all(*e, STR("b1"), 0, 9, &out), OK);
    assert_str(buf_str(&out), STR("third"));
    unit_case("a body that fails makes no blob");
    assert_int_equal(SCRIPT(*e, BLOB_("b4", "x", 1), COUNT_("b1", 1), FAIL_(ERR_DENIED)),
                     ERR_DENIED);
    LOOK(*e, NO_BLOB_("b4"), SIZE_("b1", 5));
    assert_int_equal(SCRIPT(*e, COUNT_("b1", -1), NO_BLOB_("b1")), OK);
    buf_free(&out);
}

struct inline_blob {
    struct str head, small;
    size_t blobs;
    enum err e;
};

static inline enum err inline_blob_body(struct txn *t, void *ctx)
{
    struct inline_blob *b = ctx;
    for (size_t i = 0; i < b->blobs; i++) {
        struct blob_id id = { { 'i', (unsigned char)i, (unsigned char)(i >> 8) } };
        b->e = txn_blob_put(t, id, b->head, b->small, NULL, 1);
        if (b->e != OK) return b->e;
    }
    return OK;
}

static inline void case_blob_limits(const struct conformance *how, struct engine **e)
{
    (void)how;
    char *bytes = calloc(1, ENGINE_BLOB_INLINE_MAX + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i <= ENGINE_BLOB_INLINE_MAX; i++) {
        bytes[i] = (char)(i * 31 >> 3);
    }
    unit_case("too large for one part");
    struct inline_blob b = { str_of(bytes, 1), str_of(bytes, ENGINE_BLOB_INLINE_MAX), 1, OK };
    assert_int_equal(engine_commit(*e, INTENT_DURABLE, inline_blob_body, &b), ERR_LIMIT);
    unit_case("too many, too large together");
    b = (struct inline_blob){ STR_INIT("h"), STR_INIT("b"), ENGINE_TXN_BLOBS_MAX + 1, OK };
    assert_int_equal(engine_commit(*e, INTENT_DURABLE, inline_blob_body, &b), ERR_LIMIT);
    b = (struct inline_blob){ STR_INIT(""), str_of(bytes, ENGINE_BLOB_INLINE_MAX), 17, OK };
    assert_int_equal(engine_commit(*e, INTENT_DURABLE, inline_blob_body, &b), ERR_LIMIT);
    unit_case("the largest that goes, read in slices of odd sizes");
    b = (struct inline_blob){ str_of(bytes, 1000),
                              str_of(bytes + 1000, ENGINE_BLOB_INLINE_MAX - 1000), 16, OK };
    assert_int_equal(engine_commit(*e, INTENT_DURABLE, inline_blob_body, &b), OK);
    struct buf out = BUF_INIT(ENGINE_BLOB_INLINE_MAX);
    struct txn *t;
    assert_int_equal(engine_snapshot_begin(*e, &t), OK);
    struct blob_id id = { { 'i', 15 } };
    for (size_t slice = 1; out.n < ENGINE_BLOB_INLINE_MAX; slice = slice * 3 + 1) {
        assert_int_equal(txn_blob_read(t, id, out.n, slice, &out), OK);
    }
    assert_memory_equal(out.p, bytes, ENGINE_BLOB_INLINE_MAX);
    engine_snapshot_end(&t);
    buf_free(&out);
    free(bytes);
}

/* ---- stages ---- */

static inline void stage_fill(struct engine *e, struct stage *s, size_t chunks, size_t chunk_bytes,
                              struct buf *copy)
{
    for (size_t i = 0; i < chunks; i++) {
        size_t before = copy->n;
        for (size_t k = 0; k < chunk_bytes; k += 8) {
            wire_put_u64(copy, i * 1000003 + k);
        }
        assert_int_equal(engine_stage_append(e, s, str_skip(buf_str(copy), before)), OK);
    }
}

static inline void stage_compare(struct engine *e, struct stage *s, struct str name,
                                 struct str want, size_t slice)
{
    struct buf out = BUF_INIT(8 << 20);
    while (out.n < want.n) {
        enum err r = s != NULL ? engine_stage_read(e, s, out.n, slice, &out)
                               : blob_read_all(e, name, out.n, slice, &out);
        assert_int_equal(r, OK);
    }
    assert_str(buf_str(&out), want);
    buf_free(&out);
}

static inline void case_stages(const struct conformance *how, struct engine **e)
{
    struct buf copy = BUF_INIT(8 << 20);
    struct stage *s, *other;
    buf_put_lit(&copy, "Received: from a stranger\r\n");
    size_t head_n = copy.n;
    assert_int_equal(engine_stage_new(*e, &s), OK);
    assert_int_equal(engine_stage_new(*e, &other), OK);
    unit_case("an empty stage makes no blob");
    assert_int_equal(
        SCRIPT(*e, { .verb = STEP_BLOB, .key = STR_INIT("s"), .stage = s, .want = ERR_INVALID }),
        OK);
    unit_case("chunks are read back before any transaction");
    stage_fill(*e, s, 3, ENGINE_CHUNK_MAX, &copy);
    assert_int_equal(engine_stage_append(*e, other, STR("forgotten")), OK);
    stage_fill(*e, s, 1, 1000, &copy);
    assert_int_equal(engine_stage_bytes(s), 3 * ENGINE_CHUNK_MAX + 1000);
    stage_compare(*e, s, STR_NONE, str_skip(buf_str(&copy), head_n), 700001);
    unit_case("a body that fails leaves the stage usable");
    struct step put = { .verb = STEP_BLOB,
                        .key = STR_INIT("s"),
                        .stage = s,
                        .number = 2,
                        .value = str_part(buf_str(&copy), 0, head_n) };
    assert_int_equal(SCRIPT(*e, put, FAIL_(ERR_OVER_QUOTA)), ERR_OVER_QUOTA);
    unit_case("head and chunks are one blob");
    assert_int_equal(SCRIPT(*e, put, SIZE_("s", 3 * ENGINE_CHUNK_MAX + 1000 + 27)), OK);
    stage_compare(*e, NULL, STR("s"), buf_str(&copy), 300000);
    unit_case("one stage makes one blob");
    assert_int_equal(
        SCRIPT(*e, { .verb = STEP_BLOB, .key = STR_INIT("s2"), .stage = s, .want = ERR_INVALID }),
        OK);
    engine_stage_drop(*e, &s);
    engine_stage_drop(*e, &other);
    assert_null(s);
    if (how->reopen != NULL) how->reopen(how->ctx, e);
    stage_compare(*e, NULL, STR("s"), buf_str(&copy), ENGINE_SUM_BYTES);
    assert_int_equal(SCRIPT(*e, COUNT_("s", -2), NO_BLOB_("s")), OK);
    unit_case("dropped is dropped");
    engine_stage_drop(*e, &s);
    buf_free(&copy);
}

/* ---- many threads ---- */

enum { CROWD_THREADS = 4, CROWD_EACH = 50 };

struct crowd {
    struct engine *e;
    atomic_uint done_calls;
    atomic_bool stop;
};

static inline enum err crowd_body(struct txn *t, void *ctx)
{
    uint64_t *seen = ctx;
    struct str value;
    uint64_t n = 0;
    enum err e = txn_get(t, STR("counter"), &value);
    if (e == OK) {
        struct wire w = wire_of(value);
        n = wire_get_u64(&w);
    } else if (e != ERR_NOT_FOUND) {
        return e;
    }
    *seen = ++n;
    struct buf b = BUF_INIT(8);
    wire_put_u64(&b, n);
    e = txn_put(t, STR("counter"), buf_str(&b));
    /* Two rows that always agree: what readers look for. */
    if (e == OK) e = txn_put(t, STR("mirror"), buf_str(&b));
    buf_free(&b);
    return e;
}

static inline void *crowd_writer(void *ctx)
{
    struct crowd *c = ctx;
    uint64_t last = 0, seen = 0;
    for (size_t i = 0; i < CROWD_EACH; i++) {
        must(engine_commit(c->e, INTENT_VISIBLE, crowd_body, &seen) == OK);
        must(seen > last);
        last = seen;
        atomic_fetch_add(&c->done_calls, 1);
    }
    return NULL;
}

static inline void *crowd_reader(void *ctx)
{
    struct crowd *c = ctx;
    struct buf before = BUF_INIT(8);
    while (!atomic_load(&c->stop)) {
        struct txn *t;
        must(engine_snapshot_begin(c->e, &t) == OK);
        struct str a = STR_NONE, b = STR_NONE;
        enum err e = txn_get(t, STR("counter"), &a);
        enum err f = txn_get(t, STR("mirror"), &b);
        must(e == f && str_eq(a, b));
        must(str_cmp(buf_str(&before), a) <= 0); /* never back in time */
        buf_clear(&before);
        buf_put(&before, a);
        engine_snapshot_end(&t);
    }
    buf_free(&before);
    return NULL;
}

static inline void case_crowd(const struct conformance *how, struct engine **e)
{
    (void)how;
    unit_case("writers from many threads, a reader beside them");
    struct crowd c = { .e = *e };
    pthread_t writers[CROWD_THREADS], reader;
    assert_int_equal(pthread_create(&reader, NULL, crowd_reader, &c), 0);
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        assert_int_equal(pthread_create(&writers[i], NULL, crowd_writer, &c), 0);
    }
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        pthread_join(writers[i], NULL);
    }
    atomic_store(&c.stop, true);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&c.done_calls), CROWD_THREADS * CROWD_EACH);
    LOOK(*e, GET_("counter", "\0\0\0\0\0\0\0\xc8"), GET_("mirror", "\0\0\0\0\0\0\0\xc8"));
}

/* ---- watch, refresh, order ---- */

struct watched {
    struct buf keys;
    pthread_mutex_t lock;
};

static inline void watched_tell(void *ctx, struct str key)
{
    struct watched *w = ctx;
    pthread_mutex_lock(&w->lock);
    buf_put(&w->keys, key);
    buf_put_byte(&w->keys, ' ');
    pthread_mutex_unlock(&w->lock);
}

static inline void case_watch(const struct conformance *how, struct engine **e)
{
    (void)how;
    struct watched w = { BUF_INIT(1000), PTHREAD_MUTEX_INITIALIZER };
    engine_watch_set(*e, watched_tell, &w);
    unit_case("each key written is told before the answer; none of a body that failed");
    assert_int_equal(SCRIPT(*e, PUT_("k2", "v"), DEL_("k1"), PUT_("k2", "w")), OK);
    assert_int_equal(SCRIPT(*e, PUT_("k3", "v"), FAIL_(ERR_DENIED)), ERR_DENIED);
    assert_str(buf_str(&w.keys), STR("k1 k2 "));
    engine_watch_set(*e, NULL, NULL);
    assert_int_equal(SCRIPT(*e, PUT_("k4", "v")), OK);
    assert_str(buf_str(&w.keys), STR("k1 k2 "));
    buf_free(&w.keys);
}

struct ordered {
    struct intent intent;
    struct str key;
    atomic_bool *done;
};

static inline enum err ordered_body(struct txn *t, void *ctx)
{
    struct ordered *o = ctx;
    return txn_put(t, STR("last"), o->key);
}

static inline void ordered_done(struct intent *i)
{
    struct ordered *o = (struct ordered *)(void *)i;
    if (o->done != NULL) atomic_store(o->done, true);
}

static inline void case_order(const struct conformance *how, struct engine **e)
{
    (void)how;
    unit_case("intents of one thread are evaluated in the order of submission");
    struct ordered o[3] = { 0 };
    atomic_bool done = false;
    static const char *const names[3] = { "one", "two", "three" };
    for (size_t i = 0; i < 3; i++) {
        o[i] = (struct ordered){
            .intent = { .body = ordered_body, .ctx = &o[i], .done = ordered_done },
            .key = str_c(names[i]),
            .done = i == 2 ? &done : NULL
        };
        engine_submit(*e, &o[i].intent);
    }
    while (!atomic_load(&done)) {
        sched_yield();
    }
    LOOK(*e, GET_("last", "three"));
    unit_case("a refresh is answered");
    atomic_store(&done, false);
    struct ordered r = { .intent = { .done = ordered_done }, .done = &done };
    engine_refresh(*e, &r.intent);
    while (!atomic_load(&done)) {
        sched_yield();
    }
    assert_int_equal(r.intent.result, OK);
}

/* ---- check and compact ---- */

static inline void refs_of_row(struct str key, struct str value,
                               void (*add)(void *, struct blob_id), void *ctx)
{
    (void)key;
    if (str_starts(value, STR("ref:"))) add(ctx, script_blob_id(str_skip(value, 4)));
}

static inline void count_lines(void *ctx, struct str line)
{
    size_t *lines = ctx;
    assert_true(line.n > 0);
    ++*lines;
}

static inline void case_check(const struct conformance *how, struct engine **e)
{
    size_t lines = 0;
    struct engine_check check = { refs_of_row, count_lines, &lines };
    struct engine_report r;
    unit_case("an empty engine is well");
    assert_int_equal(engine_check(*e, &check, &r), OK);
    unit_case("rows and blobs that agree are well");
    assert_int_equal(SCRIPT(*e, BLOB_("b1", "bytes", 2), BLOB_("b2", "more bytes", 1),
                            PUT_("m1", "ref:b1"), PUT_("m2", "ref:b1"), PUT_("m3", "ref:b2"),
                            PUT_("x", "none")),
                     OK);
    assert_int_equal(engine_check(*e, &check, &r), OK);
    assert_int_equal(r.rows, 4);
    assert_int_equal(r.blobs, 2);
    assert_int_equal(r.blob_bytes, 15);
    assert_int_equal(r.checked_bytes, 15);
    assert_int_equal(lines, 0);
    unit_case("a wrong count and a lost blob are found");
    assert_int_equal(SCRIPT(*e, DEL_("m2"), PUT_("m4", "ref:b0"), PUT_("m5", "ref:b9")), OK);
    assert_int_equal(engine_check(*e, &check, &r), ERR_CORRUPT);
    assert_int_equal(r.wrong_counts, 1);
    assert_int_equal(r.lost_blobs, 2);
    assert_int_equal(lines, 3);
    unit_case("without the references only bytes are looked at");
    assert_int_equal(engine_check(*e, &(struct engine_check){ 0 }, &r), OK);
    unit_case("compacting leaves everything readable");
    for (bool more = true; more;) {
        assert_int_equal(engine_compact(*e, 1 << 20, &more), OK);
    }
    if (how->reopen != NULL) how->reopen(how->ctx, e);
    assert_int_equal(engine_check(*e, &(struct engine_check){ 0 }, &r), OK);
    assert_int_equal(r.blobs, 2);
    struct engine_stats stats;
    engine_stats(*e, &stats);
}

/* ---- the run ---- */

static const struct {
    const char *name;
    void (*run)(const struct conformance *how, struct engine **e);
} conformance_cases[] = {
    { "rows", case_rows },
    { "limits", case_limits },
    { "ranges", case_ranges },
    { "blobs", case_blobs },
    { "blob limits", case_blob_limits },
    { "stages", case_stages },
    { "crowd", case_crowd },
    { "watch", case_watch },
    { "order", case_order },
    { "check", case_check },
};

/* Run all cases, each on a new engine. */
static inline void conformance_run(const struct conformance *how)
{
    for (size_t i = 0; i < UNIT_COUNT(conformance_cases); i++) {
        print_message("conformance: %s\n", conformance_cases[i].name);
        struct engine *e = how->open_new(how->ctx);
        assert_non_null(e);
        conformance_cases[i].run(how, &e);
        engine_close(&e);
        assert_null(e);
    }
}

#endif
