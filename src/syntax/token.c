#include "syntax/token.h"

struct token_walk token_walk_of(struct str value, unsigned word_class)
{
    return (struct token_walk){ .scan = scan_of(value), .word_class = word_class };
}

/* Behind the opening parenthesis: to behind the closing one. */
static void skip_comment(struct token_walk *w)
{
    struct str from = w->scan.left;
    for (size_t depth = 1; depth > 0;) {
        int c = scan_get(&w->scan);
        if (c < 0) {
            w->broken = true;
            w->comment = from;
            return;
        }
        if (c == '\\') scan_get(&w->scan);
        if (c == '(') depth++;
        if (c == ')') depth--;
    }
    w->comment = str_part(from, 0, from.n - w->scan.left.n - 1);
}

/* True when there was something to skip. */
static bool skip_space(struct token_walk *w)
{
    size_t before = w->scan.left.n;
    for (;;) {
        int c = scan_peek(&w->scan);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            scan_get(&w->scan);
        } else if (c == '(') {
            scan_get(&w->scan);
            skip_comment(w);
        } else {
            return w->scan.left.n < before;
        }
    }
}

/* From the opening byte to behind the closing one. */
static void skip_until(struct token_walk *w, char close)
{
    scan_get(&w->scan);
    for (;;) {
        int c = scan_get(&w->scan);
        if (c == (unsigned char)close) return;
        if (c == '\\') c = scan_get(&w->scan);
        if (c < 0) {
            w->broken = true;
            return;
        }
    }
}

bool token_next(struct token_walk *w, struct token *token_out)
{
    struct token t = { .kind = TOKEN_END, .raw = STR_NONE, .spaced = skip_space(w) };
    struct str from = w->scan.left;
    int c = scan_peek(&w->scan);

    if (c == '"') {
        t.kind = TOKEN_QUOTED;
        skip_until(w, '"');
    } else if (c == '[') {
        t.kind = TOKEN_LITERAL;
        skip_until(w, ']');
    } else if (c >= 0 && byte_is((char)c, w->word_class)) {
        t.kind = TOKEN_WORD;
        scan_while(&w->scan, w->word_class);
    } else if (c >= 0) {
        t.kind = TOKEN_SPECIAL;
        scan_get(&w->scan);
    }
    t.raw = str_part(from, 0, from.n - w->scan.left.n);
    *token_out = t;
    return t.kind != TOKEN_END;
}

/* `s` without backslashes that quote, and without line ends. */
static void put_unquoted(struct buf *b, struct str s)
{
    struct scan scan = scan_of(s);
    for (int c; (c = scan_get(&scan)) >= 0;) {
        if (c == '\\' && scan.left.n > 0) c = scan_get(&scan);
        if (c != '\r' && c != '\n') buf_put_byte(b, (char)c);
    }
}

void token_put(struct buf *b, const struct token *t)
{
    struct str s = t->raw;
    switch (t->kind) {
    case TOKEN_QUOTED:
        s = str_skip(s, 1);
        /* A quote at the end closes unless a backslash quotes it; then nothing closes. */
        if (str_ends(s, STR("\""))) {
            size_t slashes = 0;
            while (slashes + 1 < s.n && s.p[s.n - 2 - slashes] == '\\') {
                slashes++;
            }
            if (slashes % 2 == 0) s.n--;
        }
        put_unquoted(b, s);
        break;
    case TOKEN_LITERAL:
        put_unquoted(b, s);
        break;
    case TOKEN_WORD:
    case TOKEN_SPECIAL:
    case TOKEN_END:
        buf_put(b, s);
        break;
    }
}

void token_put_comment(struct buf *b, struct str comment)
{
    put_unquoted(b, comment);
}
