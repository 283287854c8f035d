/* Arenas: memory that is given back all at once.
 *
 * One per command, transaction or session. Allocation cannot fail for lack of memory (the process
 * ends then). What a peer can make grow is bounded before it is copied here; a ceiling on the whole
 * arena is the second net: reaching it is our own fault and ends the process. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    char *at;
    size_t left_bytes, total_bytes, max_bytes;
};

/* `max_bytes` 0 means 64 MiB. */
#define ARENA_INIT(max)                                                                            \
    {                                                                                              \
        .max_bytes = (max)                                                                         \
    }

/* Memory for `n` objects of `size` bytes, zeroed, aligned for anything. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), 1, sizeof(type)))
#define ARENA_MANY(a, type, n_) ((type *)arena_alloc((a), (n_), sizeof(type)))

/* Copy of `s` that lives as long as the arena. */
struct str arena_str(struct arena *a, struct str s);

/* Copy of `s` with a NUL behind it, for the kernel's and the libraries' doors. */
const char *arena_c(struct arena *a, struct str s);

/* All parts one behind the other: ARENA_JOIN(a, STR("no "), name, STR(" here")). */
struct str arena_join(struct arena *a, const struct str *parts, size_t n);
#define ARENA_JOIN(a, ...)                                                                         \
    arena_join((a), (const struct str[]){ __VA_ARGS__ },                                           \
               sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))

/* Give everything back; the arena is empty and usable again. */
void arena_free(struct arena *a);

#endif
