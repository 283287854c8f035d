#include "store/record.h"
#include "base/must.h"
#include "store/sum.h"

enum { MAGIC = 0x50527265, SUMMED_BYTES = 56 };

static void put(char *at, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (char)(v >> (8 * (bytes - 1 - i)));
    }
}

void record_write(char out[RECORD_HEADER_BYTES], const struct record *r)
{
    memset(out, 0, RECORD_HEADER_BYTES);
    put(out, MAGIC, 4);
    put(out + 4, r->type, 1);
    put(out + 8, r->salt, 8);
    put(out + 16, r->group, 8);
    put(out + 24, r->owner, 8);
    put(out + 32, r->payload_bytes, 4);
    put(out + 36, r->data_bytes, 4);
    put(out + 40, r->payload_sum, 8);
    put(out + 56, sum_of(str_of(out, SUMMED_BYTES)), 8);
}

bool record_may_begin(const char *at)
{
    return memcmp(at, "PRre", 4) == 0; /* the magic, big-endian */
}

enum err record_parse(struct str header, uint64_t salt, struct record *out)
{
    if (header.n < RECORD_HEADER_BYTES) return ERR_CORRUPT;
    struct wire w = wire_of(header);
    if (wire_get_u32(&w) != MAGIC) return ERR_CORRUPT;
    unsigned type = wire_get_u8(&w);
    (void)wire_get_bytes(&w, 3);
    struct record r = { .salt = wire_get_u64(&w) };
    r.group = wire_get_u64(&w);
    r.owner = wire_get_u64(&w);
    r.payload_bytes = wire_get_u32(&w);
    r.data_bytes = wire_get_u32(&w);
    r.payload_sum = wire_get_u64(&w);
    (void)wire_get_u64(&w);
    if (r.salt != salt || wire_get_u64(&w) != sum_of(str_part(header, 0, SUMMED_BYTES)))
        return ERR_CORRUPT;
    if (type < RECORD_OPEN || type >= RECORD_TYPE_END) return ERR_CORRUPT;
    if (r.payload_bytes > RECORD_PAYLOAD_MAX || r.data_bytes > RECORD_DATA_MAX) return ERR_CORRUPT;
    r.type = (enum record_type)type;
    *out = r;
    return OK;
}

/* ---- parts ---- */

/* Sum of the bytes [at, at + n) of `first` followed by `second`. */
static uint64_t sum_across(struct str first, struct str second, size_t at, size_t n)
{
    if (at >= first.n) return sum_of(str_part(second, at - first.n, n));
    if (at + n <= first.n) return sum_of(str_part(first, at, n));
    XXH3_state_t *state = XXH3_createState();
    must(state != NULL && XXH3_64bits_reset(state) == XXH_OK);
    struct str head = str_skip(first, at);
    XXH3_64bits_update(state, head.p, head.n);
    XXH3_64bits_update(state, second.p, n - head.n);
    uint64_t sum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return sum;
}

void part_write(struct buf *b, struct str first, struct str second)
{
    size_t bytes = first.n + second.n;
    must(bytes <= RECORD_DATA_MAX);
    wire_put_var(b, bytes);
    for (size_t at = 0; at < bytes; at += ENGINE_SUM_BYTES) {
        size_t n = bytes - at < ENGINE_SUM_BYTES ? bytes - at : ENGINE_SUM_BYTES;
        wire_put_u64(b, sum_across(first, second, at, n));
    }
}

struct parts parts_begin(struct str payload, uint32_t data_bytes)
{
    struct parts p = { .wire = wire_of(payload), .data_bytes = data_bytes };
    p.left = wire_get_var(&p.wire);
    return p;
}

bool parts_next(struct parts *p, struct part *out)
{
    if (p->left == 0 || p->wire.bad) return false;
    uint64_t bytes = wire_get_var(&p->wire);
    if (bytes > p->data_bytes - p->at) {
        p->wire.bad = true;
        return false;
    }
    struct str sums = wire_get_bytes(&p->wire, part_sum_count(bytes) * sizeof(uint64_t));
    if (p->wire.bad) return false;
    *out = (struct part){ .at = p->at, .bytes = (uint32_t)bytes, .sums = sums };
    p->at += bytes;
    p->left--;
    return true;
}

uint64_t part_sum(struct str sums, size_t i)
{
    struct wire w = wire_of(str_part(sums, i * sizeof(uint64_t), sizeof(uint64_t)));
    return wire_get_u64(&w);
}

bool part_is_whole(struct str bytes, struct str sums)
{
    if (sums.n != part_sum_count(bytes.n) * sizeof(uint64_t)) return false;
    for (size_t i = 0; i * ENGINE_SUM_BYTES < bytes.n; i++) {
        struct str block = str_part(bytes, i * ENGINE_SUM_BYTES, ENGINE_SUM_BYTES);
        if (sum_of(block) != part_sum(sums, i)) return false;
    }
    return true;
}
