/* Stages: chunks go straight into the log; the handle remembers where. */
#include "store/embedded.h"
#include "base/must.h"

#include <stdlib.h>

enum err embedded_stage_new(struct engine *engine, struct stage **s_out)
{
    (void)engine;
    struct embedded_stage *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->sums = buf_new((size_t)ENGINE_STAGE_CHUNKS_MAX * part_sum_count(ENGINE_CHUNK_MAX) * 8);
    atomic_init(&s->adopted, false);
    *s_out = &s->stage;
    return OK;
}

/* The sums may have moved when they grew. */
static void extents_refer(struct embedded_stage *s)
{
    size_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t n = part_sum_count(s->extents[i].bytes) * 8;
        s->extents[i].sums = str_part(buf_str(&s->sums), at, n);
        at += n;
    }
}

static void extent_add(struct embedded_stage *s, struct place at, size_t bytes)
{
    s->extents = reallocarray(s->extents, s->n + 1, sizeof *s->extents);
    must(s->extents != NULL);
    s->extents[s->n++] =
        (struct extent){ .segment = at.segment, .offset = at.offset, .bytes = (uint32_t)bytes };
    extents_refer(s);
    s->stage.bytes += bytes;
}

enum err embedded_stage_append(struct engine *engine, struct stage *stage, struct str chunk)
{
    struct embedded *e = embedded_of(engine);
    struct embedded_stage *s = embedded_stage_of(stage);
    if (atomic_load(&e->broken)) return ERR_BROKEN;
    if (atomic_load(&s->adopted)) return ERR_INVALID;
    if (s->n >= ENGINE_STAGE_CHUNKS_MAX) return ERR_LIMIT;
    space_look(e);
    if (atomic_load(&e->space) != SPACE_ENOUGH) return ERR_FULL;
    struct place at;
    enum err r = log_chunk(e->log, &s->number, chunk, &at, &s->sums);
    if (r == ERR_BROKEN) atomic_store(&e->broken, true);
    if (r != OK) return r;
    extent_add(s, at, chunk.n);
    return OK;
}

enum err embedded_stage_read(struct engine *engine, struct stage *stage, uint64_t offset,
                             size_t max_bytes, struct buf *out)
{
    struct embedded *e = embedded_of(engine);
    struct embedded_stage *s = embedded_stage_of(stage);
    uint64_t begin = 0;
    size_t before = out->n, left = max_bytes;
    enum err r = OK;
    for (size_t i = 0; r == OK && left > 0 && i < s->n; i++) {
        const struct extent *x = &s->extents[i];
        if (offset < begin + x->bytes) {
            uint64_t from = offset - begin;
            size_t n = x->bytes - from < left ? (size_t)(x->bytes - from) : left;
            r = extent_read(e->segments, x, from, n, out);
            offset += n;
            left -= n;
        }
        begin += x->bytes;
    }
    if (r != OK) buf_truncate(out, before);
    return r;
}

void embedded_stage_drop(struct engine *engine, struct stage *stage)
{
    struct embedded *e = embedded_of(engine);
    struct embedded_stage *s = embedded_stage_of(stage);
    for (size_t i = 0; i < s->n; i++) {
        segments_pin(e->segments, s->extents[i].segment, false);
    }
    buf_free(&s->sums);
    free(s->extents);
    free(s);
}
