/* A skip list of keys, each with a chain of versions, newest first.
 *
 * Invariants: a node is linked at its lowest level before the higher ones, with release order,
 * after its bytes are in place; nodes are never unlinked while the table lives (a row taken back
 * keeps an empty node); a version's bytes never change. So readers need acquire loads and nothing
 * else. Weak point: chains of much rewritten rows are walked from the newest, so old readers of hot
 * rows are slow; tables are short-lived, and so are readers. */
#include "store/memtable.h"
#include "base/must.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { HEIGHT_MAX = 12, BLOCK_FIRST_BYTES = 16 << 10, BLOCK_BYTES = 256 << 10 };

struct mem_version {
    uint64_t seq;
    struct mem_version *older;
    uint32_t bytes;
    bool gone;
    char value[];
};

struct mem_node {
    _Atomic(struct mem_version *) newest;
    uint16_t key_bytes;
    uint8_t table, height;
    _Atomic(struct mem_node *) next[]; /* `height` links, then the key */
};

struct block {
    struct block *older;
    size_t bytes;
    alignas(max_align_t) char at[];
};

struct memtable {
    struct block *blocks;
    char *free_at;
    size_t free_bytes;
    _Atomic size_t total_bytes, versions;
    uint64_t dice;
    struct mem_node *head;
};

static void *take(struct memtable *m, size_t bytes)
{
    bytes = (bytes + 7) & ~(size_t)7;
    if (bytes > m->free_bytes) {
        size_t want = m->blocks == NULL ? BLOCK_FIRST_BYTES : BLOCK_BYTES;
        if (want < bytes) want = bytes;
        struct block *b = malloc(sizeof *b + want);
        must(b != NULL);
        *b = (struct block){ .older = m->blocks, .bytes = want };
        m->blocks = b;
        m->free_at = b->at;
        m->free_bytes = want;
        atomic_fetch_add_explicit(&m->total_bytes, want, memory_order_relaxed);
    }
    void *p = m->free_at;
    m->free_at += bytes;
    m->free_bytes -= bytes;
    return p;
}

static struct mem_node *node_new(struct memtable *m, enum table table, struct str key,
                                 unsigned height)
{
    must(key.n <= UINT16_MAX && height <= HEIGHT_MAX);
    struct mem_node *n = take(m, sizeof *n + height * sizeof n->next[0] + key.n);
    atomic_init(&n->newest, NULL);
    n->key_bytes = (uint16_t)key.n;
    n->table = (uint8_t)table;
    n->height = (uint8_t)height;
    for (unsigned i = 0; i < height; i++) {
        atomic_init(&n->next[i], NULL);
    }
    if (key.n > 0) memcpy(&n->next[height], key.p, key.n);
    return n;
}

static struct str node_key(const struct mem_node *n)
{
    return str_of(&n->next[n->height], n->key_bytes);
}

static struct mem_node *node_next(const struct mem_node *n, unsigned level)
{
    return atomic_load_explicit(&n->next[level], memory_order_acquire);
}

static void start(struct memtable *m)
{
    m->dice = 0x9e3779b97f4a7c15u;
    m->head = node_new(m, TABLE_ROWS, STR_NONE, HEIGHT_MAX);
}

struct memtable *memtable_new(void)
{
    struct memtable *m = calloc(1, sizeof *m);
    must(m != NULL);
    start(m);
    return m;
}

static void blocks_free(struct memtable *m, struct block *until)
{
    while (m->blocks != until) {
        struct block *b = m->blocks;
        m->blocks = b->older;
        free(b);
    }
}

void memtable_free(struct memtable **m)
{
    if (*m == NULL) return;
    blocks_free(*m, NULL);
    free(*m);
    *m = NULL;
}

void memtable_reset(struct memtable *m)
{
    struct block *first = m->blocks;
    while (first->older != NULL) {
        first = first->older;
    }
    blocks_free(m, first);
    m->free_at = first->at;
    m->free_bytes = first->bytes;
    atomic_store_explicit(&m->total_bytes, first->bytes, memory_order_relaxed);
    atomic_store_explicit(&m->versions, 0, memory_order_relaxed);
    start(m);
}

/* Order of a node against a place: table first, then the key's bytes. */
static int node_cmp(const struct mem_node *n, enum table table, struct str key)
{
    if (n->table != (uint8_t)table) return n->table < (uint8_t)table ? -1 : 1;
    return str_cmp(node_key(n), key);
}

/* The first node at or behind the place; `before`, if given, gets its neighbour at each level. */
static struct mem_node *seek(const struct memtable *m, enum table table, struct str key,
                             struct mem_node **before)
{
    struct mem_node *at = m->head, *behind = NULL;
    for (unsigned level = HEIGHT_MAX; level-- > 0;) {
        struct mem_node *next;
        /* A node that ended the level above ends this one as well: no second comparison. */
        while ((next = node_next(at, level)) != NULL && next != behind &&
               node_cmp(next, table, key) < 0) {
            at = next;
        }
        behind = next;
        if (before != NULL) before[level] = at;
    }
    return behind;
}

static unsigned throw_height(struct memtable *m)
{
    m->dice ^= m->dice << 13;
    m->dice ^= m->dice >> 7;
    m->dice ^= m->dice << 17;
    unsigned height = 1;
    for (uint64_t bits = m->dice; height < HEIGHT_MAX && (bits & 3) == 0; bits >>= 2) {
        height++;
    }
    return height;
}

static struct mem_node *find_or_add(struct memtable *m, enum table table, struct str key)
{
    struct mem_node *before[HEIGHT_MAX];
    struct mem_node *n = seek(m, table, key, before);
    if (n != NULL && node_cmp(n, table, key) == 0) return n;
    n = node_new(m, table, key, throw_height(m));
    for (unsigned level = 0; level < n->height; level++) {
        struct mem_node *next = node_next(before[level], level);
        atomic_store_explicit(&n->next[level], next, memory_order_relaxed);
        atomic_store_explicit(&before[level]->next[level], n, memory_order_release);
    }
    return n;
}

static struct mem_node *add(struct memtable *m, uint64_t seq, enum table table, struct str key,
                            struct str value, bool gone)
{
    must(value.n <= UINT32_MAX);
    struct mem_node *n = find_or_add(m, table, key);
    struct mem_version *newest = atomic_load_explicit(&n->newest, memory_order_relaxed);
    must(newest == NULL || newest->seq <= seq);
    struct mem_version *v = take(m, sizeof *v + value.n);
    *v = (struct mem_version){
        .seq = seq, .older = newest, .bytes = (uint32_t)value.n, .gone = gone
    };
    if (value.n > 0) memcpy(v->value, value.p, value.n);
    atomic_store_explicit(&n->newest, v, memory_order_release);
    atomic_fetch_add_explicit(&m->versions, 1, memory_order_relaxed);
    return n;
}

struct mem_node *memtable_put(struct memtable *m, uint64_t seq, enum table table, struct str key,
                              struct str value)
{
    return add(m, seq, table, key, value, false);
}

struct mem_node *memtable_del(struct memtable *m, uint64_t seq, enum table table, struct str key)
{
    return add(m, seq, table, key, STR_NONE, true);
}

void memtable_undo(struct mem_node *node, uint64_t seq)
{
    struct mem_version *v = atomic_load_explicit(&node->newest, memory_order_relaxed);
    while (v != NULL && v->seq > seq) {
        v = v->older;
    }
    atomic_store_explicit(&node->newest, v, memory_order_release);
}

bool memtable_at(const struct mem_node *at, uint64_t seq, struct mem_found *out)
{
    const struct mem_version *v = atomic_load_explicit(&at->newest, memory_order_acquire);
    while (v != NULL && v->seq > seq) {
        v = v->older;
    }
    if (v == NULL) return false;
    *out = (struct mem_found){
        .key = node_key(at), .value = str_of(v->value, v->bytes), .seq = v->seq, .gone = v->gone
    };
    return true;
}

bool memtable_get(const struct memtable *m, uint64_t seq, enum table table, struct str key,
                  struct mem_found *out)
{
    const struct mem_node *n = seek(m, table, key, NULL);
    return n != NULL && node_cmp(n, table, key) == 0 && memtable_at(n, seq, out);
}

/* Walks stay within their table. */
static const struct mem_node *within(const struct mem_node *n, uint8_t table)
{
    return n != NULL && n->table == table ? n : NULL;
}

const struct mem_node *memtable_first(const struct memtable *m, enum table table, struct str from)
{
    return within(seek(m, table, from, NULL), (uint8_t)table);
}

/* The last node before a place, of whatever table. */
static const struct mem_node *last_before(const struct memtable *m, enum table table,
                                          struct str key)
{
    struct mem_node *before[HEIGHT_MAX];
    seek(m, table, key, before);
    return before[0] != m->head ? before[0] : NULL;
}

const struct mem_node *memtable_last(const struct memtable *m, enum table table, struct str until)
{
    const struct mem_node *n = until.n > 0 ? last_before(m, table, until)
                                           : last_before(m, (enum table)(table + 1), STR_NONE);
    return within(n, (uint8_t)table);
}

const struct mem_node *memtable_next(const struct mem_node *at)
{
    return within(node_next(at, 0), at->table);
}

const struct mem_node *memtable_prev(const struct memtable *m, const struct mem_node *at)
{
    return within(last_before(m, (enum table)at->table, node_key(at)), at->table);
}

size_t memtable_bytes(const struct memtable *m)
{
    return atomic_load_explicit(&m->total_bytes, memory_order_relaxed);
}

size_t memtable_versions(const struct memtable *m)
{
    return atomic_load_explicit(&m->versions, memory_order_relaxed);
}
