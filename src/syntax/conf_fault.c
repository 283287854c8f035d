/* Faults and places as text, and words as they stand in a file. */
#include "syntax/conf.h"
#include "syntax/conf_lex.h"

enum { FAULT_TEXT_MAX = 1000, FAULT_FILE_MAX = 4096 };

void conf_fault_add(struct conf_faults *f, enum conf_severity severity, const struct conf_at *at,
                    struct str text, struct str hint)
{
    if (severity == CONF_ERROR) {
        f->errors++;
    } else {
        f->warnings++;
    }
    if (f->n == CONF_FAULTS_MAX) return;
    if (f->list == NULL) f->list = ARENA_MANY(&f->arena, struct conf_fault, CONF_FAULTS_MAX);

    struct conf_fault *fault = &f->list[f->n++];
    fault->at = *at;
    const struct conf_fault *last = f->n > 1 ? fault - 1 : NULL;
    fault->at.file = last != NULL && str_eq(last->at.file, at->file)
                         ? last->at.file
                         : arena_str(&f->arena, str_part(at->file, 0, FAULT_FILE_MAX));
    fault->severity = severity;
    fault->text = arena_str(&f->arena, str_part(text, 0, FAULT_TEXT_MAX));
    fault->hint = arena_str(&f->arena, str_part(hint, 0, FAULT_TEXT_MAX));
}

static size_t rank_of(const struct conf *c, struct str file)
{
    size_t i = 0;
    while (i < c->file_count && !str_eq(str_part(c->files[i].name, 0, FAULT_FILE_MAX), file)) {
        i++;
    }
    return i;
}

static bool stands_before(const struct conf *c, const struct conf_fault *a,
                          const struct conf_fault *b)
{
    size_t rank_a = rank_of(c, a->at.file), rank_b = rank_of(c, b->at.file);

    if (rank_a != rank_b) return rank_a < rank_b;
    if (a->at.line != b->at.line) return a->at.line < b->at.line;
    return a->at.column < b->at.column;
}

void conf_faults_sort(struct conf_faults *f, const struct conf *c)
{
    /* Insertion keeps faults of one place in the order they were found; there are few of them. */
    for (size_t i = 1; i < f->n; i++) {
        struct conf_fault fault = f->list[i];
        size_t to = i;
        for (; to > 0 && stands_before(c, &fault, &f->list[to - 1]); to--) {
            f->list[to] = f->list[to - 1];
        }
        f->list[to] = fault;
    }
}

void conf_fault_put(struct buf *b, const struct conf_fault *fault)
{
    buf_put(b, fault->at.file);
    if (fault->at.line > 0) {
        buf_put_lit(b, ":");
        buf_put_u64(b, fault->at.line);
        buf_put_lit(b, ":");
        buf_put_u64(b, fault->at.column);
    }
    buf_put(b, fault->severity == CONF_ERROR ? STR(": error: ") : STR(": warning: "));
    buf_put(b, fault->text);
    if (fault->hint.n > 0) {
        buf_put_lit(b, "; ");
        buf_put(b, fault->hint);
    }
}

void conf_at_put(struct buf *b, const struct conf_at *at)
{
    if (at->line == 0) {
        buf_put_lit(b, "standard");
        return;
    }
    buf_put(b, at->file);
    buf_put_lit(b, ":");
    buf_put_u64(b, at->line);
}

void conf_faults_free(struct conf_faults *f)
{
    arena_free(&f->arena);
    *f = (struct conf_faults)CONF_FAULTS_INIT;
}

static bool is_plain(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (c <= ' ' || c > '~' || c == '{' || c == '}' || c == ';' || c == '#' || c == '"' ||
            c == '\\') {
            return false;
        }
    }
    return word.n > 0;
}

void conf_put_word(struct buf *b, struct str word)
{
    if (is_plain(word)) {
        buf_put(b, word);
        return;
    }
    conf_put_quoted(b, word);
}

/* Characters that stand for themselves in quotes; the others are written as escapes. */
static bool is_readable(int32_t c)
{
    return c >= ' ' && c != 0x7f && (c < 0x80 || c >= 0xa0) && c != '"' && c != '\\';
}

void conf_put_quoted(struct buf *b, struct str word)
{
    buf_put_lit(b, "\"");
    for (size_t n; word.n > 0; word = str_skip(word, n)) {
        int32_t c = conf_char(word, &n);
        if (is_readable(c)) {
            buf_put(b, str_part(word, 0, n));
        } else if (c == '\n') {
            buf_put_lit(b, "\\n");
        } else if (c == '\t') {
            buf_put_lit(b, "\\t");
        } else if (c == '"' || c == '\\') {
            buf_put_lit(b, "\\");
            buf_put_byte(b, (char)c);
        } else {
            for (size_t i = 0; i < n; i++) {
                buf_put_lit(b, "\\x");
                buf_put_hex(b, str_part(word, i, 1));
            }
        }
    }
    buf_put_lit(b, "\"");
}
