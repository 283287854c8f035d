/* Hash table from bytes to pointers, keyed by SipHash so that a stranger cannot choose collisions.
 *
 * Keys are copied in. The number of members is bounded by `max_members`; the caller decides whom to
 * forget. Members keep their place while the table is walked if nothing is put meanwhile. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_slot {
    uint64_t hash;
    char *key;
    size_t key_bytes;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t slot_count, members, max_members;
};

#define MAP_INIT(max)                                                                              \
    {                                                                                              \
        .max_members = (max)                                                                       \
    }

/* Value under `key`, or null. */
void *map_get(const struct map *m, struct str key);

/* Put or replace; `value` not null. ERR_LIMIT when a new member would exceed `max_members`. */
enum err map_put(struct map *m, struct str key, void *value);

/* Take out; returns the value, or null when there was none. */
void *map_del(struct map *m, struct str key);

/* Walk: start with *at = 0; false at the end. map_del() of the member just seen is allowed only
 * through a second pass (collect, then delete). */
bool map_next(const struct map *m, size_t *at, struct str *key_out, void **value_out);

/* Free the table and its keys, not the values. */
void map_free(struct map *m);

/* SipHash-2-4 of `s` under the process's random key. */
uint64_t hash_keyed(struct str s);

/* SipHash-2-4 under a given key (the fixed key of a row, or the test vectors). */
uint64_t hash_siphash(uint64_t k0, uint64_t k1, struct str s);

#endif
