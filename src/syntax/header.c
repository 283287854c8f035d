/* A walk looks at each byte once: memchr to the line end, one byte beyond to see whether it is
 * folded. Malformed lines are passed over one by one and cost no more than others. */
#include "syntax/header.h"

#include "syntax/scan.h"

/* Offset behind the line that begins at `at`; the end of `s` when it has no line end. */
static size_t line_end(struct str s, size_t at)
{
    size_t lf = str_find(str_skip(s, at), '\n');
    return lf == STR_NOWHERE ? s.n : at + lf + 1;
}

static struct str without_line_end(struct str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\n') line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

static bool is_folded(struct str s, size_t at)
{
    return at < s.n && byte_is(s.p[at], BYTE_WSP);
}

struct header_walk header_walk_of(struct str head)
{
    return (struct header_walk){ .head = head };
}

size_t header_line_end(struct str head, size_t at)
{
    size_t end = line_end(head, at);
    while (is_folded(head, end)) {
        end = line_end(head, end);
    }
    return end;
}

/* Name and value of the lines in `text`; false when they are no field. */
static bool split(struct str text, struct header_field *field)
{
    struct scan s = scan_of(without_line_end(text));
    field->name = scan_while(&s, BYTE_FTEXT);
    scan_while(&s, BYTE_WSP);
    if (field->name.n == 0 || !scan_byte(&s, ':')) return false;
    field->value = s.left;
    return true;
}

bool header_next(struct header_walk *w, struct header_field *field_out)
{
    while (w->at < w->head.n) {
        size_t from = w->at, end = line_end(w->head, from);
        if (without_line_end(str_part(w->head, from, end - from)).n == 0) return false;
        if (is_folded(w->head, end)) end = header_line_end(w->head, end);
        if (w->fields >= HEADER_FIELDS_MAX || end > HEADER_BYTES_MAX) {
            w->over = true;
            return false;
        }
        w->at = end;
        struct header_field field = { .from = from, .end = end };
        if (split(str_part(w->head, from, end - from), &field)) {
            w->fields++;
            *field_out = field;
            return true;
        }
        w->junk++;
    }
    return false;
}

bool header_find(struct str head, struct str name, struct header_field *field_out)
{
    struct header_walk w = header_walk_of(head);
    struct header_field field;
    while (header_next(&w, &field)) {
        if (str_eq_nocase(field.name, name)) {
            *field_out = field;
            return true;
        }
    }
    return false;
}

size_t header_count(struct str head, struct str name)
{
    struct header_walk w = header_walk_of(head);
    struct header_field field;
    size_t n = 0;
    while (header_next(&w, &field)) {
        n += str_eq_nocase(field.name, name);
    }
    return n;
}

size_t header_bytes(struct str message)
{
    for (size_t at = 0, end; at < message.n; at = end) {
        end = line_end(message, at);
        struct str line = str_part(message, at, end - at);
        if (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n"))) return end;
    }
    return STR_NOWHERE;
}

struct str header_unfold(struct arena *a, struct str raw)
{
    raw = str_trim(raw);
    if (str_find(raw, '\n') == STR_NOWHERE) return raw;
    struct buf b = BUF_INIT(raw.n);
    struct str line;
    while (str_cut(&raw, '\n', &line)) {
        if (str_ends(line, STR("\r"))) line.n--;
        buf_put(&b, line);
    }
    struct str flat = arena_str(a, buf_str(&b));
    buf_free(&b);
    return flat;
}
