#include "agent/route/cache.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/must.h"
#include "base/param.h"

#include <stdlib.h>

PARAM(route_cache_entries_max, COUNT, 16, 10000000, 50000,
      "directory answers that a filter process keeps")
PARAM(route_cache_keep_ms, TIME_MS, 0, 3600000, 60000,
      "how long it keeps one at most (a change of the directory empties it at once)")
COUNTER(route_cache_hits, "directory answers from the cache")
COUNTER(route_cache_misses, "directory answers that had to be asked for")

struct entry {
    int64_t until_ms;
    size_t bytes;
    char wire[];
};

struct route_cache {
    struct map map;
    uint64_t generation;
};

struct route_cache *route_cache_new(void)
{
    struct route_cache *c = calloc(1, sizeof *c);
    must(c != NULL);
    c->map = (struct map)MAP_INIT(SIZE_MAX);
    return c;
}

static void empty(struct route_cache *c)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&c->map, &at, &key, &value)) {
        free(value);
    }
    map_free(&c->map);
}

void route_cache_forget(struct route_cache *c, uint64_t generation)
{
    if (generation <= c->generation) return;
    empty(c);
    c->generation = generation;
}

enum err route_cache_get(struct route_cache *c, struct str address, struct arena *a,
                         struct directory_answer *out)
{
    struct entry *e = map_get(&c->map, address);
    if (e == NULL || e->until_ms <= clock_now()) {
        route_cache_misses++;
        return ERR_NOT_FOUND;
    }
    struct wire w = wire_of(arena_str(a, str_of(e->wire, e->bytes)));
    directory_answer_get(&w, a, out);
    must(wire_end(&w) == OK);
    route_cache_hits++;
    return OK;
}

void route_cache_put(struct route_cache *c, struct str address, const struct directory_answer *d)
{
    struct buf b = BUF_INIT(1 << 20);
    if (d->generation < c->generation) return; /* asked before the change that we know of */
    route_cache_forget(c, d->generation);
    if (c->map.members >= (size_t)route_cache_entries_max) empty(c);
    directory_answer_put(&b, d);
    if (!b.over) {
        struct entry *e = malloc(sizeof *e + b.n);
        must(e != NULL);
        *e = (struct entry){ .until_ms = clock_deadline(route_cache_keep_ms), .bytes = b.n };
        memcpy(e->wire, b.p, b.n);
        free(map_get(&c->map, address));
        err_ignore(map_put(&c->map, address, e)); /* the map has no ceiling of its own */
    }
    buf_free(&b);
}

void route_cache_free(struct route_cache **c)
{
    if (*c == NULL) return;
    empty(*c);
    free(*c);
    *c = NULL;
}
