/* Structure records, twice over the same bytes: as a message (what is computed survives the record)
 * and as a record (whatever is read is safe and settles when it is written again). */
#include "base/must.h"
#include "syntax/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct structure *s)
{
    must(s->tree.count >= 1 && structure_envelope_of(&s->tree.parts[0]) != NULL);
    for (uint32_t i = 0; i < s->tree.count; i++) {
        const struct mime_part *part = &s->tree.parts[i];
        must(part->head_from <= part->body_from && part->body_from <= part->body_end);
        must(part->body_end <= s->tree.bytes && part->depth < MIME_DEPTH_MAX);
        must(part->parent == MIME_NO_PART ? i == 0 : part->parent < i);
        must(part->next == MIME_NO_PART || (part->next > i && part->next < s->tree.count));
    }
}

/* Writing, reading and writing again gives the same record. */
static void settles(const struct structure *s)
{
    struct arena a = ARENA_INIT(0);
    struct buf first = BUF_INIT(STRUCTURE_RECORD_MAX), second = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure again;
    structure_encode(s, &first);
    must(!first.over && structure_decode(&a, buf_str(&first), &again) == OK);
    check(&again);
    must(again.truncated || again.tree.count == s->tree.count);
    structure_encode(&again, &second);
    must(str_eq(buf_str(&first), buf_str(&second)));
    buf_free(&first);
    buf_free(&second);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = str_of(data, size);
    struct arena a = ARENA_INIT(0);
    struct structure_builder b;
    struct structure s;

    structure_begin(&b, &a);
    structure_feed(&b, str_part(input, 0, size / 2));
    structure_feed(&b, str_skip(input, size / 2));
    structure_end(&b, &s);
    check(&s);
    settles(&s);
    if (structure_decode(&a, input, &s) == OK) {
        check(&s);
        settles(&s);
    }
    arena_free(&a);
    return 0;
}
