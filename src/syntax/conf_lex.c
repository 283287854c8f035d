/* Character by character, strict UTF-8. What people really paste into configuration files is met
 * with a fault that names it: typographic quotes, no-break spaces, other encodings, NUL bytes.
 * After a fault the lexer goes on behind the character or word, so that the rest is still read. */
#include "syntax/conf_lex.h"
#include "syntax/utf8.h"

enum { END = CONF_CHAR_END, NOT_UTF8 = CONF_CHAR_NOT_UTF8, LINE = '\n' };

struct conf_lex conf_lex_of(struct str file, struct str bytes, struct arena *a,
                            struct conf_faults *faults)
{
    if (str_starts(bytes, STR("\xef\xbb\xbf"))) bytes = str_skip(bytes, 3); /* a byte order mark */
    return (struct conf_lex){ .left = bytes,
                              .here = { .file = file, .line = 1, .column = 1 },
                              .arena = a,
                              .faults = faults };
}

/* ---- characters ---- */

int32_t conf_char(struct str s, size_t *bytes_out)
{
    struct scan scan = scan_of(s);
    int32_t c = utf8_take(&scan);

    if (c < 0) {
        *bytes_out = s.n > 0 ? 1 : 0;
        return s.n > 0 ? NOT_UTF8 : END;
    }
    *bytes_out = s.n - scan.left.n;
    return c;
}

/* The next character; CR LF counts as LF. Takes nothing. */
static int32_t peek_bytes(const struct conf_lex *l, size_t *bytes_out)
{
    if (str_starts(l->left, STR("\r\n"))) {
        *bytes_out = 2;
        return LINE;
    }
    return conf_char(l->left, bytes_out);
}

static int32_t peek(const struct conf_lex *l)
{
    size_t bytes;
    return peek_bytes(l, &bytes);
}

static int32_t take(struct conf_lex *l)
{
    size_t bytes;
    int32_t c = peek_bytes(l, &bytes);

    l->left = str_skip(l->left, bytes);
    if (c == LINE) {
        l->here.line++;
        l->here.column = 1;
    } else if (c != END) {
        l->here.column++;
    }
    return c;
}

/* What was read since `left` was left. */
static struct str since(const struct conf_lex *l, struct str left)
{
    return str_part(left, 0, left.n - l->left.n);
}

static bool is_typographic_quote(int32_t c)
{
    return c == 0xab || c == 0xbb || (c >= 0x2018 && c <= 0x201f);
}

/* Looks like a blank or like nothing, and is neither. */
static bool is_odd_blank(int32_t c)
{
    return c == 0xa0 || c == 0xad || (c >= 0x2000 && c <= 0x200f) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x2060 || c == 0x3000 || c == 0xfeff;
}

static bool is_control(int32_t c)
{
    return (c >= 0 && c < ' ' && c != '\t' && c != LINE) || (c >= 0x7f && c < 0xa0);
}

static bool is_delimiter(int32_t c)
{
    return c == END || c == LINE || c == ' ' || c == '\t' || c == '{' || c == '}' || c == ';';
}

/* ---- faults ---- */

static void fault(struct conf_lex *l, const struct conf_at *at, struct str text, struct str hint)
{
    conf_fault_add(l->faults, CONF_ERROR, at, text, hint);
    l->bad = true;
}

/* Report a character that may stand nowhere outside quotes, or nowhere at all; once a line. */
static void report_odd(struct conf_lex *l, int32_t c, bool quoted)
{
    bool odd =
        c == NOT_UTF8 || is_control(c) || (!quoted && (is_typographic_quote(c) || is_odd_blank(c)));
    if (!odd) return;
    l->bad = true;
    if (l->odd_line == l->here.line) return;
    l->odd_line = l->here.line;

    struct buf b = buf_new(8);
    if (c == NOT_UTF8) {
        buf_put_hex_u64(&b, (unsigned char)l->left.p[0], 2);
        fault(l, &l->here, ARENA_JOIN(l->arena, STR("byte 0x"), buf_str(&b), STR(" is not UTF-8")),
              STR("save the file as UTF-8"));
    } else if (is_control(c)) {
        buf_put_hex_u64(&b, (uint64_t)c, 2);
        fault(l, &l->here, ARENA_JOIN(l->arena, STR("control character 0x"), buf_str(&b)),
              c == '\r' ? STR("lines end with LF or CR LF") : STR("take it out"));
    } else if (is_typographic_quote(c)) {
        fault(l, &l->here, STR("typographic quotation mark"), STR("write a plain \""));
    } else {
        buf_put_hex_u64(&b, (uint64_t)c, 4);
        fault(
            l, &l->here,
            ARENA_JOIN(l->arena, STR("invisible character U+"), buf_str(&b), STR(", not a blank")),
            STR("write a plain blank"));
    }
    buf_free(&b);
}

/* ---- words ---- */

/* Everything up to the end of the line, without it, in whatever encoding. */
static void skip_comment(struct conf_lex *l)
{
    while (peek(l) != LINE && peek(l) != END) {
        (void)take(l);
    }
}

/* A '\' with nothing but blanks behind it joins the next line to this one. */
static bool skip_joint(struct conf_lex *l)
{
    struct conf_lex t = *l;
    (void)take(&t);
    while (peek(&t) == ' ' || peek(&t) == '\t') {
        (void)take(&t);
    }
    if (peek(&t) != LINE) return false;
    (void)take(&t);
    *l = t;
    return true;
}

static void skip_blanks(struct conf_lex *l)
{
    for (;;) {
        int32_t c = peek(l);
        if (c == ' ' || c == '\t') {
            (void)take(l);
        } else if (c == '#') {
            skip_comment(l);
        } else if (c == '\\') {
            if (!skip_joint(l)) return;
        } else if (is_odd_blank(c)) {
            report_odd(l, c, false);
            (void)take(l);
        } else {
            return;
        }
    }
}

static void plain_word(struct conf_lex *l, struct conf_word *w)
{
    struct str from = l->left;
    for (int32_t c; !is_delimiter(c = peek(l)) && !is_odd_blank(c);) {
        if (c == '"') {
            fault(l, &l->here, STR("a quotation mark in the middle of a word"),
                  STR("put the whole word into quotes, or a blank before the mark"));
        } else if (c == '#') {
            fault(l, &l->here, STR("'#' in the middle of a word"),
                  STR("put a blank before it for a comment, or the word into quotes"));
        } else if (c == '\\') {
            fault(l, &l->here, STR("'\\' outside quotes"),
                  STR("it joins lines when it is the last thing on a line after a blank; else put "
                      "the word into quotes and write \\\\"));
        } else {
            report_odd(l, c, false);
        }
        if (c == '"' || c == '#' || c == '\\') {
            /* One mistake, one fault: what follows to the next blank belongs to it. */
            while (!is_delimiter(peek(l))) {
                (void)take(l);
            }
            break;
        }
        (void)take(l);
    }
    w->text = since(l, from);
}

/* Behind the '\' of a quoted word. */
static void take_escape(struct conf_lex *l, const struct conf_at *at, struct buf *b)
{
    int32_t c = peek(l);
    if (c == LINE || c == END) return; /* the open end is reported by the caller */
    (void)take(l);
    if (c == '"' || c == '\\') {
        buf_put_byte(b, (char)c);
    } else if (c == 'n') {
        buf_put_byte(b, '\n');
    } else if (c == 't') {
        buf_put_byte(b, '\t');
    } else {
        int32_t high = c == 'x' ? peek(l) : END;
        if (high >= 0 && high < 128 && byte_hex((char)high) >= 0) {
            (void)take(l);
            int32_t low = peek(l);
            if (low >= 0 && low < 128 && byte_hex((char)low) >= 0) {
                (void)take(l);
                buf_put_byte(b, (char)(byte_hex((char)high) << 4 | byte_hex((char)low)));
                return;
            }
        }
        fault(l, at, STR("unknown escape in a quoted word"),
              STR("known are \\\" \\\\ \\n \\t and \\xHH with two hexadecimal digits"));
    }
}

static void quoted_word(struct conf_lex *l, struct conf_word *w)
{
    struct buf b = buf_new(CONF_WORD_BYTES_MAX + 4);

    w->quoted = true;
    (void)take(l);
    for (;;) {
        struct conf_at at = l->here;
        int32_t c = peek(l);
        if (c == LINE || c == END) {
            fault(l, &w->at, STR("this quotation mark is never closed"),
                  STR("end the word with \" on the same line"));
            break;
        }
        report_odd(l, c, true);
        struct str from = l->left;
        (void)take(l);
        if (c == '"') {
            if (!is_delimiter(peek(l)) && peek(l) != '#') {
                fault(l, &l->here, STR("no blank after the closing quotation mark"),
                      STR("put a blank between two words; a \" inside quotes is written \\\""));
            }
            break;
        }
        if (c == '\\') {
            take_escape(l, &at, &b);
        } else {
            buf_put(&b, since(l, from));
        }
    }
    w->text = arena_str(l->arena, str_part(buf_str(&b), 0, CONF_WORD_BYTES_MAX + 1));
    buf_free(&b);
}

static struct conf_token mark(struct conf_lex *l, enum conf_token_kind kind)
{
    struct conf_token t = { .kind = kind, .word = { .text = STR_NONE, .at = l->here } };
    (void)take(l);
    return t;
}

struct conf_token conf_lex_next(struct conf_lex *l)
{
    struct conf_token t;

    l->bad = false;
    skip_blanks(l);
    int32_t c = peek(l);
    if (c == END) {
        t = mark(l, CONF_TOKEN_END);
    } else if (c == LINE || c == ';') {
        t = mark(l, CONF_TOKEN_BREAK);
    } else if (c == '{') {
        t = mark(l, CONF_TOKEN_OPEN);
    } else if (c == '}') {
        t = mark(l, CONF_TOKEN_CLOSE);
    } else {
        t = (struct conf_token){ .kind = CONF_TOKEN_WORD, .word = { .at = l->here } };
        if (c == '"') {
            quoted_word(l, &t.word);
        } else {
            plain_word(l, &t.word);
        }
        if (t.word.text.n > CONF_WORD_BYTES_MAX) {
            fault(l, &t.word.at, STR("a word of more than 4096 bytes"), STR_NONE);
            t.word.text = str_part(t.word.text, 0, CONF_WORD_BYTES_MAX);
        }
    }
    t.bad = l->bad;
    return t;
}
