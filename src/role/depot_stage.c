/* Bodies on their way in: chunks that an edge has brought and that no transaction speaks of yet. */
#include "role/depot.h"

#include "base/map.h"
#include "base/must.h"
#include "base/rand.h"

#include <stdlib.h>

struct depot_stage {
    uint64_t id;
    struct stage *stage;
    const struct door *owner; /* the edge that fills it */
    bool taken;               /* by a commit under way */
    bool dropped;             /* while it was taken */
};

static struct str key_of(const uint64_t *id)
{
    return str_of(id, sizeof *id);
}

static struct depot_stage *find(uint64_t id)
{
    struct depot_stage *s = map_get(&depot.stages, key_of(&id));
    return s != NULL && !s->taken ? s : NULL;
}

static void drop(struct depot_stage *s)
{
    map_del(&depot.stages, key_of(&s->id));
    engine_stage_drop(depot.engine, &s->stage);
    free(s);
}

enum err depot_serve_stage_open(void *ctx, struct door_request *q)
{
    (void)ctx;
    struct depot_stage *s = calloc(1, sizeof *s);
    must(s != NULL);
    *s = (struct depot_stage){ .id = rand_u64() | 1, .owner = q->door };
    enum err e = depot_checked(engine_stage_new(depot.engine, &s->stage));
    /* A link that has ended meanwhile does not come back to drop it. */
    if (e == OK && !door_is_open(q->door)) e = ERR_CLOSED;
    if (e == OK && map_get(&depot.stages, key_of(&s->id)) != NULL) e = ERR_BUSY; /* once in 2^63 */
    if (e == OK) e = map_put(&depot.stages, key_of(&s->id), s);
    if (e != OK) {
        if (s->stage != NULL) engine_stage_drop(depot.engine, &s->stage);
        free(s);
        return e;
    }
    struct stage_rep out = { .stage = s->id };
    stage_rep_put(&q->reply, &out);
    return OK;
}

enum err depot_serve_stage_append(void *ctx, struct door_request *q)
{
    struct stage_append_req in;
    (void)ctx;
    if (stage_append_req_get(q->bytes, &q->arena, &in) != OK || in.bytes.n == 0 ||
        in.bytes.n > ENGINE_CHUNK_MAX)
        return ERR_PROTOCOL;
    struct depot_stage *s = find(in.stage);
    if (s == NULL || s->owner != q->door) return ERR_NOT_FOUND;
    return depot_checked(engine_stage_append(depot.engine, s->stage, in.bytes));
}

enum err depot_serve_stage_drop(void *ctx, struct door_request *q)
{
    struct stage_rep in;
    (void)ctx;
    if (stage_rep_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    struct depot_stage *s = map_get(&depot.stages, key_of(&in.stage));
    if (s == NULL || s->owner != q->door) return OK; /* it has become a message */
    if (s->taken) {
        s->dropped = true;
    } else {
        drop(s);
    }
    return OK;
}

enum err depot_serve_stage_read(void *ctx, struct door_request *q)
{
    struct stage_read_req in;
    (void)ctx;
    if (stage_read_req_get(q->bytes, &q->arena, &in) != OK || in.max_bytes > ENGINE_CHUNK_MAX)
        return ERR_PROTOCOL;
    struct depot_stage *s = find(in.stage);
    if (s == NULL) return ERR_NOT_FOUND;
    /* bytes_rep by hand: a megabyte is read to where it is sent from, its length is put before it
     * afterwards. */
    struct buf length = BUF_INIT(8);
    wire_put_u32(&q->reply, 0);
    if (buf_reserve(&q->reply, in.max_bytes) == NULL) return ERR_LIMIT;
    size_t head = q->reply.n;
    enum err e = depot_checked(
        engine_stage_read(depot.engine, s->stage, in.offset, in.max_bytes, &q->reply));
    wire_put_u32(&length, (uint32_t)(q->reply.n - head));
    memcpy(q->reply.p, length.p, length.n);
    buf_free(&length);
    return e;
}

struct depot_stage *depot_stage_take(uint64_t id)
{
    struct depot_stage *s = find(id);
    if (s != NULL) s->taken = true;
    return s;
}

struct stage *depot_stage_of(struct depot_stage *s)
{
    return s->stage;
}

void depot_stage_put_back(struct depot_stage *s)
{
    s->taken = false;
    if (s->dropped) drop(s);
}

void depot_stage_done(struct depot_stage *s)
{
    drop(s);
}

void depot_stages_of_door_gone(const struct door *d)
{
    for (;;) {
        struct depot_stage *gone = NULL;
        size_t at = 0;
        struct str key;
        void *value;
        while (gone == NULL && map_next(&depot.stages, &at, &key, &value)) {
            struct depot_stage *s = value;
            if (s->owner == d && !s->dropped) gone = s;
        }
        if (gone == NULL) return;
        if (gone->taken) {
            gone->dropped = true;
        } else {
            drop(gone);
        }
    }
}
