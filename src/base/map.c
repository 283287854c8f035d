/* Open addressing with linear probing and backward-shift deletion (no tombstones); at most 3/4
 * full. */
#include "base/map.h"
#include "base/must.h"
#include "base/rand.h"

#include <stdlib.h>

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTL(v[1], 13) ^ v[0];
    v[0] = ROTL(v[0], 32);
    v[2] += v[3];
    v[3] = ROTL(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTL(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTL(v[1], 17) ^ v[2];
    v[2] = ROTL(v[2], 32);
}

uint64_t hash_siphash(uint64_t k0, uint64_t k1, struct str s)
{
    uint64_t v[4] = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                      k1 ^ 0x7465646279746573u };
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t m = 0;
        memcpy(&m, s.p + i, 8); /* little-endian hosts only; see docs/architecture.md */
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)s.n << 56;
    for (unsigned shift = 0; i < s.n; i++, shift += 8) {
        last |= (uint64_t)(unsigned char)s.p[i] << shift;
    }
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int r = 0; r < 4; r++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_keyed(struct str s)
{
    static uint64_t key[2];
    if (key[0] == 0) {
        key[1] = rand_u64();
        key[0] = rand_u64() | 1;
    }
    return hash_siphash(key[0], key[1], s);
}

/* Slot that holds `key`, or the free one where it would go. */
static size_t probe(const struct map *m, uint64_t hash, struct str key)
{
    size_t mask = m->slot_count - 1;
    size_t i = (size_t)hash & mask;
    for (; m->slots[i].value != NULL; i = (i + 1) & mask) {
        const struct map_slot *s = &m->slots[i];
        if (s->hash == hash && str_eq(str_of(s->key, s->key_bytes), key)) break;
    }
    return i;
}

static void grow(struct map *m)
{
    struct map bigger = { .slot_count = m->slot_count > 0 ? m->slot_count * 2 : 16,
                          .members = m->members,
                          .max_members = m->max_members };
    bigger.slots = calloc(bigger.slot_count, sizeof *bigger.slots);
    must(bigger.slots != NULL);
    for (size_t i = 0; i < m->slot_count; i++) {
        struct map_slot *s = &m->slots[i];
        if (s->value != NULL)
            bigger.slots[probe(&bigger, s->hash, str_of(s->key, s->key_bytes))] = *s;
    }
    free(m->slots);
    *m = bigger;
}

void *map_get(const struct map *m, struct str key)
{
    if (m->members == 0) return NULL;
    return m->slots[probe(m, hash_keyed(key), key)].value;
}

enum err map_put(struct map *m, struct str key, void *value)
{
    must(value != NULL);
    if (m->members + 1 > m->slot_count / 4 * 3) grow(m);
    uint64_t hash = hash_keyed(key);
    struct map_slot *s = &m->slots[probe(m, hash, key)];
    if (s->value == NULL) {
        if (m->members >= m->max_members) return ERR_LIMIT;
        *s = (struct map_slot){ .hash = hash, .key = malloc(key.n + 1), .key_bytes = key.n };
        must(s->key != NULL);
        if (key.n > 0) memcpy(s->key, key.p, key.n);
        m->members++;
    }
    s->value = value;
    return OK;
}

void *map_del(struct map *m, struct str key)
{
    if (m->members == 0) return NULL;
    size_t mask = m->slot_count - 1;
    size_t hole = probe(m, hash_keyed(key), key);
    void *value = m->slots[hole].value;
    if (value == NULL) return NULL;
    free(m->slots[hole].key);
    for (size_t i = (hole + 1) & mask; m->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = (size_t)m->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){ 0 };
    m->members--;
    return value;
}

bool map_next(const struct map *m, size_t *at, struct str *key_out, void **value_out)
{
    for (; *at < m->slot_count; (*at)++) {
        const struct map_slot *s = &m->slots[*at];
        if (s->value == NULL) continue;
        *key_out = str_of(s->key, s->key_bytes);
        *value_out = s->value;
        (*at)++;
        return true;
    }
    return false;
}

void map_free(struct map *m)
{
    for (size_t i = 0; i < m->slot_count; i++) {
        free(m->slots[i].key);
    }
    free(m->slots);
    *m = (struct map)MAP_INIT(m->max_members);
}
