#include "syntax/encoded_word.h"

#include "syntax/base64.h"
#include "syntax/charset.h"
#include "syntax/scan.h"
#include "syntax/utf8.h"

enum {
    CHARSET_NAME_MAX = 64,
    COLUMNS_MAX = 76,     /* RFC 2047 2: of a line with encoded words */
    WORD_MAX = 75,        /* of an encoded word */
    WORD_FRAME = 12,      /* "=?utf-8?q?" and "?=" */
    PLAIN_WORD_MAX = 900, /* longer ones could not be folded within RFC 5322 2.1.1 */
};

/* ---- decoding ---- */

struct word {
    struct str charset, text;
    bool is_base64;
};

/* At "=?": the whole encoded word, or false and nothing is taken. Text has no blanks and no "?", so
 * that no byte is looked at by more than one attempt. */
static bool take_word(struct scan *s, struct word *w)
{
    struct scan at = *s;
    if (!scan_byte(&at, '=') || !scan_byte(&at, '?')) return false;
    w->charset = scan_while(&at, BYTE_TOKEN);
    if (w->charset.n == 0 || w->charset.n > CHARSET_NAME_MAX || !scan_byte(&at, '?')) return false;
    int encoding = scan_get(&at) | 0x20;
    if ((encoding != 'q' && encoding != 'b') || !scan_byte(&at, '?')) return false;
    struct str from = at.left;
    while (scan_peek(&at) > ' ' && scan_peek(&at) != '?') {
        scan_get(&at);
    }
    w->text = str_part(from, 0, from.n - at.left.n);
    w->is_base64 = encoding == 'b';
    if (!scan_byte(&at, '?') || !scan_byte(&at, '=')) return false;
    w->charset = str_part(w->charset, 0, str_find(w->charset, '*')); /* RFC 2231 5: a language */
    *s = at;
    return true;
}

static void put_q(struct buf *b, struct str text)
{
    struct scan s = scan_of(text);
    for (int c; (c = scan_get(&s)) >= 0;) {
        struct str hex = str_part(s.left, 0, 2);
        if (c == '=' && hex.n == 2 && byte_hex(hex.p[0]) >= 0 && byte_hex(hex.p[1]) >= 0) {
            c = byte_hex(hex.p[0]) * 16 + byte_hex(hex.p[1]);
            scan_take(&s, 2);
        } else if (c == '_') {
            c = ' ';
        }
        buf_put_byte(b, (char)c);
    }
}

struct word_decoder {
    struct buf out;
    struct buf pending; /* bytes of encoded words of one charset, not converted yet */
    struct str charset; /* theirs */
    struct str raw;     /* the words as they stand, in case the charset is unknown */
};

static void flush(struct word_decoder *d)
{
    if (d->charset.n == 0) return;
    if (charset_to_utf8(&d->out, d->charset, buf_str(&d->pending)) != OK) {
        charset_put_utf8(&d->out, d->raw);
    }
    d->charset = STR_NONE;
    buf_clear(&d->pending);
}

static void add_word(struct word_decoder *d, const struct word *w, struct str raw)
{
    if (!str_eq_nocase(d->charset, w->charset)) {
        flush(d);
        d->charset = w->charset;
        d->raw = raw;
    } else { /* from the first of them to the end of this one */
        d->raw = str_of(d->raw.p, (size_t)(raw.p + raw.n - d->raw.p));
    }
    if (w->is_base64) {
        err_ignore(base64_decode_lenient(&d->pending, w->text, NULL)); /* room is there for all */
    } else {
        put_q(&d->pending, w->text);
    }
}

static void blank_controls(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (byte_is(b->p[i], BYTE_CONTROL)) b->p[i] = ' ';
    }
}

struct str encoded_word_decode(struct arena *a, struct str text)
{
    if (str_all(text, BYTE_VCHAR | BYTE_WSP) && str_find_str(text, STR("=?")) == STR_NOWHERE &&
        str_find(text, '\t') == STR_NOWHERE) {
        return arena_str(a, text);
    }
    struct word_decoder d = { .out = BUF_INIT(text.n * 3 + 64), .pending = BUF_INIT(text.n + 64) };
    struct scan s = scan_of(text);
    while (s.left.n > 0) {
        struct str from = s.left;
        struct word word;
        struct str blanks = scan_while(&s, BYTE_WSP);
        struct str at_word = s.left;
        if (take_word(&s, &word)) {
            if (d.charset.n == 0) buf_put(&d.out, blanks);
            add_word(&d, &word, str_part(at_word, 0, at_word.n - s.left.n));
            continue;
        }
        /* No encoded word: all up to the next place where one could begin. */
        flush(&d);
        scan_get(&s);
        size_t next = str_find_str(s.left, STR("=?"));
        struct str plain = str_part(s.left, 0, next);
        while (plain.n > 0 && byte_is(plain.p[plain.n - 1], BYTE_WSP) && next != STR_NOWHERE) {
            plain.n--; /* they may stand between two words */
        }
        scan_take(&s, plain.n);
        charset_put_utf8(&d.out, str_part(from, 0, from.n - s.left.n));
    }
    flush(&d);
    blank_controls(&d.out);
    struct str decoded = arena_str(a, buf_str(&d.out));
    buf_free(&d.out);
    buf_free(&d.pending);
    return decoded;
}

/* ---- encoding ---- */

static bool is_plain(struct str text)
{
    struct str left = text, word;
    if (!str_all(text, BYTE_VCHAR | BYTE_WSP)) return false;
    if (str_find_str(text, STR("=?")) != STR_NOWHERE) return false;
    while (str_cut(&left, ' ', &word)) {
        if (word.n > PLAIN_WORD_MAX) return false;
    }
    return true;
}

/* Folds stand before blanks, which stay. */
static void put_plain(struct buf *b, struct str text, size_t *column)
{
    struct scan s = scan_of(text);
    for (bool first = true; s.left.n > 0; first = false) {
        struct str blanks = scan_while(&s, BYTE_WSP);
        struct str word = scan_while(&s, BYTE_VCHAR);
        if (!first && *column + blanks.n + word.n > COLUMNS_MAX) {
            buf_put_lit(b, "\r\n");
            *column = 0;
        }
        buf_put(b, blanks);
        buf_put(b, word);
        *column += blanks.n + word.n;
    }
}

/* What may stand in a Q word of a phrase as well. RFC 2047 5 (3) */
static bool is_q_literal(char c)
{
    return byte_is(c, BYTE_ALPHA | BYTE_DIGIT) || c == '!' || c == '*' || c == '+' || c == '-' ||
           c == '/';
}

static size_t q_length(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += is_q_literal(s.p[i]) || s.p[i] == ' ' ? 1 : 3;
    }
    return n;
}

static void put_q_text(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == ' ') {
            buf_put_byte(b, '_');
        } else if (is_q_literal(s.p[i])) {
            buf_put_byte(b, s.p[i]);
        } else {
            buf_put_byte(b, '=');
            buf_put_byte(b, hex[c >> 4]);
            buf_put_byte(b, hex[c & 15]);
        }
    }
}

static size_t encoded_length(struct str s, bool base64)
{
    return base64 ? base64_length(s.n) : q_length(s);
}

/* As many whole characters as fit into `room`, at least one. */
static struct str characters_for(struct str text, bool base64, size_t room)
{
    struct scan s = scan_of(text);
    size_t n = 0;
    while (s.left.n > 0) {
        utf8_take(&s);
        size_t with = text.n - s.left.n;
        if (n > 0 && encoded_length(str_part(text, 0, with), base64) > room) break;
        n = with;
    }
    return str_part(text, 0, n);
}

static void put_words(struct buf *b, struct str text, size_t *column)
{
    enum { LEAST_ROOM = 30 };
    bool base64 = 3 * base64_length(text.n) < 2 * q_length(text); /* else Q, which can be read */
    for (bool first = true; text.n > 0; first = false) {
        size_t space = first ? 0 : 1;
        if (*column + space + LEAST_ROOM > COLUMNS_MAX || !first) {
            buf_put_lit(b, "\r\n ");
            *column = 1;
        }
        size_t room = COLUMNS_MAX - *column;
        if (room > WORD_MAX) room = WORD_MAX;
        struct str part = characters_for(text, base64, room - WORD_FRAME);
        size_t before = b->n;
        buf_put(b, base64 ? STR("=?utf-8?b?") : STR("=?utf-8?q?"));
        if (base64) {
            base64_put(b, part);
        } else {
            put_q_text(b, part);
        }
        buf_put_lit(b, "?=");
        *column += b->n - before;
        text = str_skip(text, part.n);
    }
}

void encoded_word_put(struct buf *b, struct str text, size_t *column)
{
    text = str_trim(text);
    if (is_plain(text)) {
        put_plain(b, text, column);
        return;
    }
    struct buf clean = BUF_INIT(text.n * 3);
    charset_put_utf8(&clean, text);
    put_words(b, buf_str(&clean), column);
    buf_free(&clean);
}
