/* The parser sees lines. A frame stands for a part that is open: the innermost is the one whose
 * head or body is being read; those below it are the multiparts and messages around it. A line that
 * begins with "--" is compared with the boundaries of all open multiparts, the innermost first; all
 * other lines of a body are only counted, which is what makes it fast.
 *
 * A line that a chunk does not end is carried over by its first LINE_MAX bytes: enough for every
 * boundary. What comes after them cannot make it one.
 *
 * Line counts are differences of one counter of the whole message. */
#include "syntax/mime.h"

#include "base/must.h"
#include "syntax/header.h"
#include "syntax/scan.h"

enum { CARRY_MAX = 2 + MIME_BOUNDARY_MAX + 2 + 100 /* blanks behind it */ };

struct mime_frame {
    uint32_t part;
    uint32_t last_child;
    struct str boundary; /* empty: none, or no more (the closing one was seen) */
    uint64_t first8;     /* first bytes of the boundary, to compare cheaply */
    uint64_t
        lines_before; /* lines of the message before the head of the part, then before its body */
    bool is_digest;
};

static struct mime_part *part_at(struct mime_parser *p, uint32_t index)
{
    must(index < p->tree.count);
    return &p->tree.parts[index];
}

static struct mime_frame *top(struct mime_parser *p)
{
    must(p->open > 0);
    return &p->stack[p->open - 1];
}

/* ---- opening parts ---- */

static uint32_t new_part(struct mime_parser *p)
{
    struct mime_tree *tree = &p->tree;
    if (tree->count == p->part_room) {
        uint32_t room = p->part_room > 0 ? p->part_room * 2 : 4;
        struct mime_part *parts = ARENA_MANY(p->keeper.arena, struct mime_part, room);
        if (tree->count > 0) memcpy(parts, tree->parts, tree->count * sizeof *parts);
        tree->parts = parts;
        p->part_room = room;
    }
    return tree->count++;
}

static void link_part(struct mime_parser *p, uint32_t index)
{
    struct mime_part *part = part_at(p, index);
    part->parent = part->first_child = part->next = MIME_NO_PART;
    if (p->open == 0) return;
    struct mime_frame *frame = top(p);
    struct mime_part *parent = part_at(p, frame->part);
    part->parent = frame->part;
    part->depth = (uint16_t)(parent->depth + 1);
    if (frame->last_child == MIME_NO_PART) {
        parent->first_child = index;
    } else {
        part_at(p, frame->last_child)->next = index;
    }
    frame->last_child = index;
}

/* A part begins at `from`, inside the innermost frame. False: no more parts are kept. */
static bool open_part(struct mime_parser *p, uint64_t from)
{
    if (p->tree.count == MIME_PARTS_MAX) {
        p->tree.cut = true;
        p->current = MIME_NO_PART;
        p->in_head = false;
        return false;
    }
    must(p->open < MIME_DEPTH_MAX);
    uint32_t index = new_part(p);
    link_part(p, index);
    part_at(p, index)->head_from = from;
    p->stack[p->open++] = (struct mime_frame){ .part = index,
                                               .last_child = MIME_NO_PART,
                                               .lines_before = p->tree.lines };
    p->current = index;
    p->in_head = true;
    buf_clear(&p->head);
    p->head_line_at = 0;
    return true;
}

/* ---- heads ---- */

enum content_field {
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_DISPOSITION,
    CONTENT_ID,
    CONTENT_DESCRIPTION,
    CONTENT_LANGUAGE,
    CONTENT_MD5,
    CONTENT_LOCATION,
    CONTENT_FIELDS,
};

static const struct str content_names[CONTENT_FIELDS] = {
    [CONTENT_TYPE] = STR_INIT("Content-Type"),
    [CONTENT_ENCODING] = STR_INIT("Content-Transfer-Encoding"),
    [CONTENT_DISPOSITION] = STR_INIT("Content-Disposition"),
    [CONTENT_ID] = STR_INIT("Content-ID"),
    [CONTENT_DESCRIPTION] = STR_INIT("Content-Description"),
    [CONTENT_LANGUAGE] = STR_INIT("Content-Language"),
    [CONTENT_MD5] = STR_INIT("Content-MD5"),
    [CONTENT_LOCATION] = STR_INIT("Content-Location"),
};

static void default_type(struct mime_part *part, bool in_digest)
{
    part->type = in_digest ? STR("message") : STR("text");
    part->subtype = in_digest ? STR("rfc822") : STR("plain");
    part->params = (struct mime_params){ 0 };
}

static void read_content_field(struct mime_parser *p, struct mime_part *part,
                               enum content_field which, struct str value)
{
    struct mime_keeper *k = &p->keeper;
    enum err e = OK;
    switch (which) {
    case CONTENT_TYPE:
        e = mime_type_parse(k, value, &part->type, &part->subtype, &part->params);
        break;
    case CONTENT_ENCODING:
        part->encoding = mime_word_parse(k, value);
        break;
    case CONTENT_DISPOSITION:
        e = mime_disposition_parse(k, value, &part->disposition, &part->disposition_params);
        break;
    case CONTENT_ID:
        part->id = mime_text_parse(k, value);
        break;
    case CONTENT_DESCRIPTION:
        part->description = mime_text_parse(k, value);
        break;
    case CONTENT_LANGUAGE:
        part->language_count = mime_languages_parse(k, value, &part->languages);
        break;
    case CONTENT_MD5:
        part->md5 = mime_text_parse(k, value);
        break;
    case CONTENT_LOCATION:
        part->location = mime_text_parse(k, value);
        break;
    case CONTENT_FIELDS:
        break;
    }
    if (e != OK) p->tree.broken = true;
}

/* The first of each name counts. */
static void read_content_fields(struct mime_parser *p, struct mime_part *part, struct str head)
{
    struct header_walk w = header_walk_of(head);
    struct header_field field;
    bool seen[CONTENT_FIELDS] = { false };

    while (header_next(&w, &field)) {
        if (!str_starts_nocase(field.name, STR("Content-"))) continue;
        for (int i = 0; i < CONTENT_FIELDS; i++) {
            if (seen[i] || !str_eq_nocase(field.name, content_names[i])) continue;
            seen[i] = true;
            read_content_field(p, part, (enum content_field)i, field.value);
        }
    }
    if (w.over) p->tree.cut = true;
}

bool mime_part_is(const struct mime_part *part, struct str type, struct str subtype)
{
    return str_eq_nocase(part->type, type) &&
           (subtype.n == 0 || str_eq_nocase(part->subtype, subtype));
}

static bool is_identity(struct str encoding)
{
    return encoding.n == 0 || str_eq_nocase(encoding, STR("7bit")) ||
           str_eq_nocase(encoding, STR("8bit")) || str_eq_nocase(encoding, STR("binary"));
}

static uint64_t first8_of(struct str s)
{
    uint64_t v = 0;
    memcpy(&v, s.p, s.n < sizeof v ? s.n : sizeof v);
    return v;
}

/* Empty if there is none. That it was written with a charset (RFC 2231) has been seen. */
static struct str boundary_of(struct mime_parser *p, const struct mime_part *part)
{
    const struct mime_param *boundary = mime_param_find(&part->params, STR("boundary"));
    struct str charset, text;
    if (boundary == NULL || !boundary->extended) {
        return boundary != NULL ? boundary->value : STR_NONE;
    }
    struct buf b = BUF_INIT(boundary->value.n);
    mime_param_put(&b, boundary, &charset);
    text = mime_keep(&p->keeper, buf_str(&b));
    buf_free(&b);
    return text;
}

/* A multipart whose parts can be found; else it stays one without parts. */
static void open_multipart(struct mime_parser *p, struct mime_part *part)
{
    struct str boundary = boundary_of(p, part);
    p->current = MIME_NO_PART;
    if (boundary.n == 0 || boundary.n > MIME_BOUNDARY_MAX) {
        p->tree.broken = true;
        return;
    }
    if (p->open == MIME_DEPTH_MAX) {
        p->tree.cut = true;
        return;
    }
    struct mime_frame *frame = top(p);
    frame->boundary = boundary;
    frame->first8 = first8_of(boundary);
    frame->is_digest = mime_part_is(part, STR("multipart"), STR("digest"));
    p->boundaries++;
}

static void open_message(struct mime_parser *p, struct mime_part *part)
{
    if (!is_identity(part->encoding)) return;
    if (p->open == MIME_DEPTH_MAX) {
        p->tree.cut = true;
        return;
    }
    uint64_t from = part->body_from;
    uint32_t index = p->current;
    if (open_part(p, from)) {
        part_at(p, index)->kind = MIME_MESSAGE;
    } else {
        p->current = index; /* no room for the message inside: a leaf, read as one */
    }
}

static bool is_message_head(struct mime_parser *p, const struct mime_part *part)
{
    return part->parent == MIME_NO_PART || part_at(p, part->parent)->kind == MIME_MESSAGE;
}

/* The head of the current part is complete: `lines` of the message and `body_from` bytes of it have
 * gone by. */
static void finish_head(struct mime_parser *p, uint64_t body_from, uint64_t lines)
{
    struct mime_part *part = part_at(p, p->current);
    struct mime_frame *frame = top(p);
    bool in_digest = p->open >= 2 && p->stack[p->open - 2].is_digest;

    p->in_head = false;
    part->body_from = part->body_end = body_from;
    part->head_lines = lines - frame->lines_before;
    frame->lines_before = lines;
    default_type(part, in_digest);
    read_content_fields(p, part, buf_str(&p->head));
    if (mime_part_is(part, STR("multipart"), STR_NONE)) part->kind = MIME_MULTIPART;
    if (p->head.over) p->tree.cut = true;
    if (p->hook != NULL) p->hook(p->ctx, part, buf_str(&p->head), is_message_head(p, part));
}

/* The body of the current part follows. */
static void begin_body(struct mime_parser *p)
{
    struct mime_part *part = part_at(p, p->current);
    if (part->kind == MIME_MULTIPART) {
        open_multipart(p, part);
    } else if (mime_part_is(part, STR("message"), STR("rfc822")) ||
               mime_part_is(part, STR("message"), STR("global"))) {
        open_message(p, part);
    }
}

/* ---- closing parts ---- */

/* All frames above the first `keep` end at `end`; `lines` are those of the message up to there. */
static void close_parts(struct mime_parser *p, size_t keep, uint64_t end, uint64_t lines)
{
    while (p->open > keep) {
        struct mime_frame *frame = &p->stack[--p->open];
        struct mime_part *part = part_at(p, frame->part);
        part->body_end = end > part->body_from ? end : part->body_from;
        part->body_lines = lines > frame->lines_before ? lines - frame->lines_before : 0;
        if (part->body_end == part->body_from) part->body_lines = 0;
        if (frame->boundary.n > 0) {
            p->tree.broken = true; /* its closing boundary never came */
            p->boundaries--;
        }
        if (part->kind == MIME_MULTIPART && part->first_child == MIME_NO_PART) {
            p->tree.broken = true;
        }
    }
}

/* ---- boundaries ---- */

enum { NOT_FOUND = MIME_DEPTH_MAX };

/* The frame whose boundary is exactly `text`, or NOT_FOUND. */
static size_t find_boundary(const struct mime_parser *p, struct str text)
{
    if (text.n == 0) return NOT_FOUND;
    uint64_t first8 = first8_of(text);
    for (size_t i = p->open; i > 0; i--) {
        const struct mime_frame *frame = &p->stack[i - 1];
        if (frame->first8 == first8 && str_eq(frame->boundary, text)) return i - 1;
    }
    return NOT_FOUND;
}

/* Is the line ("--" and more, with its line end) a boundary, and which? */
static size_t match_boundary(const struct mime_parser *p, struct str line, bool *closing_out)
{
    struct str text = str_skip(line, 2);
    while (text.n > 0 && (byte_is(text.p[text.n - 1], BYTE_WSP) || text.p[text.n - 1] == '\r' ||
                          text.p[text.n - 1] == '\n')) {
        text.n--;
    }
    if (text.n > MIME_BOUNDARY_MAX + 2) return NOT_FOUND;
    size_t found = find_boundary(p, text);
    *closing_out = false;
    if (found == NOT_FOUND && str_ends(text, STR("--"))) {
        *closing_out = true;
        text.n -= 2;
        found = find_boundary(p, text);
    }
    return found;
}

/* Where the body before a boundary line ends, and how many lines the message has up to there. The
 * line end before the line is the boundary's (RFC 2046 5.1.1); if there was nothing before that
 * line end, it was no line of the body. */
static uint64_t end_before_line(const struct mime_parser *p, uint64_t *lines_out)
{
    bool crlf = (p->before & 0xffff) == ('\r' << 8 | '\n');
    uint64_t line_end = crlf ? 2 : 1;
    bool empty = ((p->before >> (crlf ? 16 : 8)) & 0xff) == '\n';
    uint64_t lines = p->tree.lines - 1; /* without the boundary's own */

    *lines_out = empty && lines > 0 ? lines - 1 : lines;
    return p->line_from >= line_end ? p->line_from - line_end : 0;
}

/* The boundary of the multipart in frame `at` was seen; it ends before offset `behind`. */
static void take_boundary(struct mime_parser *p, size_t at, bool closing, uint64_t behind)
{
    if (p->in_head) { /* a part without an empty line is all head */
        buf_truncate(&p->head, p->head_line_at);
        p->tree.broken = true;
        finish_head(p, p->line_from, p->tree.lines - 1);
    }
    uint64_t lines, end = end_before_line(p, &lines);
    close_parts(p, at + 1, end, lines);
    p->current = MIME_NO_PART;
    if (closing) {
        p->stack[at].boundary = STR_NONE;
        p->stack[at].first8 = 0;
        p->boundaries--;
    } else {
        open_part(p, behind);
    }
}

/* ---- lines ---- */

static bool look_for_boundary(struct mime_parser *p, struct str line, uint64_t behind)
{
    bool closing;
    if (p->boundaries == 0 || line.n < 2 || line.p[0] != '-' || line.p[1] != '-') return false;
    if (line.n >= CARRY_MAX) return false; /* whether a chunk ends in it or not */
    size_t at = match_boundary(p, line, &closing);
    if (at == NOT_FOUND) return false;
    take_boundary(p, at, closing, behind);
    return true;
}

static bool is_empty_line(struct str line)
{
    return line.n <= 2 && (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n")));
}

/* A line is complete and ends before offset `behind`. */
static void end_line(struct mime_parser *p, struct str line, uint64_t behind)
{
    bool was_head = p->in_head;

    p->tree.lines++;
    if (look_for_boundary(p, line, behind) || !was_head) return;
    p->head_line_at = p->head.n;
    if (!is_empty_line(line)) return;
    finish_head(p, behind, p->tree.lines);
    begin_body(p);
}

/* Lines of a body that begin with anything but "-" are only counted. Takes as many whole ones as
 * there are; returns how many bytes. */
static size_t skip_plain_lines(struct mime_parser *p, struct str chunk)
{
    const bool all = p->boundaries == 0;
    size_t at = 0;
    uint64_t lines = 0;
    while (at < chunk.n && (all || chunk.p[at] != '-')) {
        const char *lf = memchr(chunk.p + at, '\n', chunk.n - at);
        if (lf == NULL) break;
        at = (size_t)(lf - chunk.p) + 1;
        lines++;
    }
    p->tree.lines += lines;
    return at;
}

/* One line, or the part of one that the chunk has; returns how many bytes. */
static size_t take_line(struct mime_parser *p, struct str chunk, bool *ended_out)
{
    size_t lf = str_find(chunk, '\n');
    bool whole = lf != STR_NOWHERE;
    struct str piece = str_part(chunk, 0, whole ? lf + 1 : chunk.n);

    *ended_out = whole;
    if (p->in_head) buf_put(&p->head, piece);
    if (whole && p->line.n == 0) {
        end_line(p, piece, p->at + piece.n);
        return piece.n;
    }
    buf_put(&p->line, str_part(piece, 0, CARRY_MAX - p->line.n));
    if (whole) {
        end_line(p, buf_str(&p->line), p->at + piece.n);
        buf_clear(&p->line);
    }
    return piece.n;
}

static void remember(struct mime_parser *p, struct str seen)
{
    for (size_t i = seen.n > 4 ? seen.n - 4 : 0; i < seen.n; i++) {
        p->recent = p->recent << 8 | (unsigned char)seen.p[i];
    }
}

static void feed_lines(struct mime_parser *p, struct str chunk)
{
    while (chunk.n > 0) {
        bool ended = true;
        size_t n = !p->in_head && p->line.n == 0 ? skip_plain_lines(p, chunk) : 0;
        if (n == 0) n = take_line(p, chunk, &ended);
        remember(p, str_part(chunk, 0, n));
        p->at += n;
        if (ended) {
            p->before = p->recent;
            p->line_from = p->at;
        }
        chunk = str_skip(chunk, n);
    }
}

/* ---- the message ---- */

static bool has_8bit(struct str s)
{
    uint64_t all = 0, word;
    size_t at = 0;
    for (; s.n - at >= 4 * sizeof word; at += 4 * sizeof word) {
        for (size_t i = 0; i < 4; i++) {
            memcpy(&word, s.p + at + i * sizeof word, sizeof word);
            all |= word;
        }
    }
    for (; at < s.n; at++) {
        all |= (unsigned char)s.p[at];
    }
    return (all & 0x8080808080808080u) != 0;
}

void mime_parser_init(struct mime_parser *p, struct arena *a, mime_head_hook *hook, void *ctx)
{
    *p = (struct mime_parser){ .keeper = mime_keeper_of(a),
                               .stack = ARENA_MANY(a, struct mime_frame, MIME_DEPTH_MAX),
                               .head = BUF_INIT(HEADER_BYTES_MAX),
                               .line = BUF_INIT(CARRY_MAX),
                               .hook = hook,
                               .ctx = ctx };
    open_part(p, 0);
}

void mime_parser_feed(struct mime_parser *p, struct str chunk)
{
    if (!p->tree.has_8bit) p->tree.has_8bit = has_8bit(chunk);
    if (!p->tree.has_nul) p->tree.has_nul = str_find(chunk, 0) != STR_NOWHERE;
    feed_lines(p, chunk);
}

void mime_parser_end(struct mime_parser *p, struct mime_tree *tree_out)
{
    if (p->line.n > 0) end_line(p, buf_str(&p->line), p->at);
    while (p->in_head) { /* a second time for the empty message inside a message */
        finish_head(p, p->at, p->tree.lines);
        begin_body(p);
    }
    close_parts(p, 0, p->at, p->tree.lines);
    p->tree.bytes = p->at;
    if (p->keeper.cut) p->tree.cut = true;
    *tree_out = p->tree;
    mime_parser_free(p);
}

void mime_parser_free(struct mime_parser *p)
{
    buf_free(&p->head);
    buf_free(&p->line);
}
