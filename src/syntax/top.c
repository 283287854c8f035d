#include "syntax/top.h"

struct top top_of(uint32_t body_lines)
{
    return (struct top){ .lines_left = body_lines };
}

/* Of a line that a chunk may have begun: its first byte and whether there is a second one are
 * enough to know an empty line (CRLF or LF) when it ends. */
static void note(struct top *t, struct str piece)
{
    if (piece.n == 0) return;
    if (t->line_bytes == 0) t->begins_with_cr = piece.p[0] == '\r';
    size_t n = t->line_bytes + piece.n;
    t->line_bytes = (uint8_t)(n < 2 ? n : 2);
}

static void end_line(struct top *t)
{
    bool empty = t->line_bytes == 0 || (t->line_bytes == 1 && t->begins_with_cr);

    if (t->in_body) {
        t->lines_left--;
    } else if (empty) {
        t->in_body = true;
    }
    t->done = t->in_body && t->lines_left == 0;
    t->line_bytes = 0;
}

struct str top_take(struct top *t, struct str chunk)
{
    size_t at = 0;
    while (!t->done && at < chunk.n) {
        struct str left = str_skip(chunk, at);
        size_t lf = str_find(left, '\n');
        note(t, str_part(left, 0, lf));
        if (lf == STR_NOWHERE) return chunk;
        at += lf + 1;
        end_line(t);
    }
    return str_part(chunk, 0, at);
}
