#include "base/arena.h"
#include "base/must.h"

#include <stdalign.h>
#include <stdlib.h>

enum { ARENA_BLOCK_BYTES = 4096, ARENA_DEFAULT_MAX = 64 << 20 };

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) char bytes[];
};

static void grow(struct arena *a, size_t bytes)
{
    size_t block_bytes = ARENA_BLOCK_BYTES - sizeof(struct arena_block);
    if (block_bytes < bytes) block_bytes = bytes;
    must(a->total_bytes + block_bytes <= (a->max_bytes > 0 ? a->max_bytes : ARENA_DEFAULT_MAX));

    struct arena_block *b = malloc(sizeof *b + block_bytes);
    must(b != NULL);
    b->next = a->blocks;
    a->blocks = b;
    a->at = b->bytes;
    a->left_bytes = block_bytes;
    a->total_bytes += block_bytes;
}

static void *take(struct arena *a, size_t bytes)
{
    size_t rounded = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    must(rounded >= bytes);
    if (rounded > a->left_bytes) grow(a, rounded);
    char *p = a->at;
    a->at += rounded;
    a->left_bytes -= rounded;
    return p;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    must(!__builtin_mul_overflow(n, size, &bytes));
    void *p = take(a, bytes);
    if (bytes > 0) memset(p, 0, bytes); /* of nothing in a fresh arena there is no place */
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    if (s.n == 0) return STR_NONE;
    char *p = take(a, s.n);
    memcpy(p, s.p, s.n);
    return str_of(p, s.n);
}

const char *arena_c(struct arena *a, struct str s)
{
    must(s.n < SIZE_MAX);
    char *p = take(a, s.n + 1);
    if (s.n > 0) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

struct str arena_join(struct arena *a, const struct str *parts, size_t n)
{
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        must(!__builtin_add_overflow(bytes, parts[i].n, &bytes));
    }
    if (bytes == 0) return STR_NONE;
    char *p = take(a, bytes);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0) memcpy(p + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    return str_of(p, bytes);
}

void arena_free(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    *a = (struct arena)ARENA_INIT(a->max_bytes);
}
