/* MIME trees: the same for every chunking; children inside their parents, one behind the other. */
#include "base/must.h"
#include "syntax/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct arena *a, struct str message, size_t chunk, struct mime_tree *tree)
{
    struct mime_parser p;
    mime_parser_init(&p, a, NULL, NULL);
    for (struct str left = message; left.n > 0; left = str_skip(left, chunk)) {
        mime_parser_feed(&p, str_part(left, 0, chunk));
    }
    mime_parser_end(&p, tree);
    must(tree->bytes == message.n && tree->count >= 1);
}

static uint64_t count_lines(struct str s)
{
    uint64_t n = s.n > 0 && !str_ends(s, STR("\n"));
    for (size_t i = 0; i < s.n; i++) {
        n += s.p[i] == '\n';
    }
    return n;
}

static void check_part(const struct mime_tree *t, uint32_t index, struct str message)
{
    const struct mime_part *part = &t->parts[index];
    must(part->head_from <= part->body_from && part->body_from <= part->body_end);
    must(part->body_end <= t->bytes && part->type.n > 0 && part->subtype.n > 0);
    must(part->body_lines ==
         count_lines(str_part(message, part->body_from, part->body_end - part->body_from)));
    must(part->head_lines ==
         count_lines(str_part(message, part->head_from, part->body_from - part->head_from)));
    must((part->kind == MIME_MESSAGE) <= (part->first_child != MIME_NO_PART));
    if (part->parent == MIME_NO_PART) {
        must(index == 0 && part->depth == 0 && part->next == MIME_NO_PART);
        return;
    }
    const struct mime_part *parent = &t->parts[part->parent];
    must(part->parent < index && parent->depth + 1 == part->depth);
    must(parent->kind == MIME_MULTIPART ||
         (part->next == MIME_NO_PART && parent->kind != MIME_LEAF));
    must(part->head_from >= parent->body_from);
    must(part->body_end <= parent->body_end || part->body_from == part->body_end);
    if (part->next != MIME_NO_PART) {
        must(part->next > index && t->parts[part->next].head_from >= part->body_end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_of(data, size);
    struct arena a = ARENA_INIT(0);
    struct mime_tree whole, pieces;
    size_t chunk = size > 0 ? (size_t)data[size - 1] % 80 + 1 : 1;

    parse(&a, message, size + 1, &whole);
    parse(&a, message, chunk, &pieces);
    must(whole.count == pieces.count && whole.lines == pieces.lines);
    must(whole.broken == pieces.broken && whole.cut == pieces.cut);
    must(whole.has_8bit == pieces.has_8bit && whole.has_nul == pieces.has_nul);
    must(whole.lines == count_lines(message));
    for (uint32_t i = 0; i < whole.count; i++) {
        const struct mime_part *one = &whole.parts[i], *two = &pieces.parts[i];
        check_part(&whole, i, message);
        must(one->head_from == two->head_from && one->body_from == two->body_from);
        must(one->body_end == two->body_end && one->body_lines == two->body_lines);
        must(str_eq(one->subtype, two->subtype) && one->params.count == two->params.count);
    }
    arena_free(&a);
    return 0;
}
