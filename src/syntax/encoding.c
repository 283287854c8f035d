#include "syntax/encoding.h"

#include "base/must.h"
#include "syntax/base64.h"
#include "syntax/scan.h"

enum {
    LINE_MAX_COLUMNS = 76,
    BASE64_LINE_BYTES = 57, /* 76 characters */
    HELD_MAX = 1000,        /* a run of blanks at a line's end that is longer is data */
    LOOK_AHEAD = 5,         /* "From " */
};

enum encoding encoding_of(struct str word)
{
    static const struct {
        struct str word;
        enum encoding encoding;
    } words[] = {
        { STR_INIT(""), ENCODING_IDENTITY },
        { STR_INIT("7bit"), ENCODING_IDENTITY },
        { STR_INIT("8bit"), ENCODING_IDENTITY },
        { STR_INIT("binary"), ENCODING_IDENTITY },
        { STR_INIT("quoted-printable"), ENCODING_QUOTED_PRINTABLE },
        { STR_INIT("base64"), ENCODING_BASE64 },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_eq_nocase(word, words[i].word)) return words[i].encoding;
    }
    return ENCODING_UNKNOWN;
}

/* ---- decoding base64 ---- */

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Write the whole bytes of a group that has `have` characters. */
static void put_group(struct decoder *d, struct buf *out)
{
    if (d->have >= 2) buf_put_byte(out, (char)(d->bits >> (6 * d->have - 8)));
    if (d->have >= 3) buf_put_byte(out, (char)(d->bits >> (6 * d->have - 16)));
    if (d->have == 4) buf_put_byte(out, (char)d->bits);
    if (d->have == 1) d->clean = false; /* six bits are no byte */
    d->bits = 0;
    d->have = 0;
}

/* Whole groups at the front of `s`, straight into the buf; how many characters they were. */
static size_t put_whole_groups(struct str s, struct buf *out)
{
    size_t at = 0, made = 0;
    char *to = buf_reserve(out, s.n / 4 * 3);
    if (to == NULL) return 0;
    for (; s.n - at >= 4; at += 4) {
        int a = base64_value(s.p[at]), b = base64_value(s.p[at + 1]);
        int c = base64_value(s.p[at + 2]), e = base64_value(s.p[at + 3]);
        if ((a | b | c | e) < 0) break;
        to[made++] = (char)(a << 2 | b >> 4);
        to[made++] = (char)((b & 15) << 4 | c >> 2);
        to[made++] = (char)((c & 3) << 6 | e);
    }
    buf_commit(out, made);
    return at;
}

static void take_base64_char(struct decoder *d, char c, struct buf *out)
{
    int value = base64_value(c);
    if (c == '=') {
        if (d->have < 2) d->clean = false;
        put_group(d, out);
        d->ended = true;
    } else if (value >= 0) {
        d->bits = d->bits << 6 | (uint32_t)value;
        if (++d->have == 4) put_group(d, out);
    } else if (!byte_is(c, BYTE_WSP) && c != '\r' && c != '\n') {
        d->clean = false;
    }
}

static void feed_base64(struct decoder *d, struct str chunk, struct buf *out)
{
    for (size_t at = 0; at < chunk.n && !d->ended;) {
        if (d->have == 0) at += put_whole_groups(str_skip(chunk, at), out);
        if (at < chunk.n) take_base64_char(d, chunk.p[at++], out);
    }
}

/* ---- decoding quoted-printable ---- */

/* `s` has neither line ends nor a "=" whose digits are yet to come. */
static void put_unquoted(struct decoder *d, struct str s, struct buf *out)
{
    for (;;) {
        size_t equals = str_find(s, '=');
        if (equals == STR_NOWHERE) {
            buf_put(out, s);
            return;
        }
        buf_put(out, str_part(s, 0, equals));
        struct str hex = str_part(s, equals + 1, 2);
        if (hex.n == 2 && byte_hex(hex.p[0]) >= 0 && byte_hex(hex.p[1]) >= 0) {
            buf_put_byte(out, (char)(byte_hex(hex.p[0]) * 16 + byte_hex(hex.p[1])));
            s = str_skip(s, equals + 3);
        } else { /* RFC 2045 6.7: shown as it is */
            d->clean = false;
            buf_put_byte(out, '=');
            s = str_skip(s, equals + 1);
        }
    }
}

static struct str without_blanks_at_end(struct str s)
{
    while (s.n > 0 && byte_is(s.p[s.n - 1], BYTE_WSP)) {
        s.n--;
    }
    return s;
}

/* A whole line. Blanks at its end were added on the way (RFC 2045 6.7 (3)); a "=" there takes the
 * line end away. */
static void put_line(struct decoder *d, struct str line, struct buf *out)
{
    struct str end, text = line;
    if (text.n > 0 && text.p[text.n - 1] == '\n') text.n--;
    if (text.n > 0 && text.p[text.n - 1] == '\r') text.n--;
    end = str_skip(line, text.n);
    text = without_blanks_at_end(text);
    if (text.n > 0 && text.p[text.n - 1] == '=') {
        text.n--;
        end = STR_NONE;
    }
    put_unquoted(d, text, out);
    buf_put(out, end);
}

/* How much at the end of an unfinished line may still change its meaning. */
static size_t undecided(struct str s)
{
    struct str sure = s;
    if (str_ends(sure, STR("\r"))) sure.n--;
    sure = without_blanks_at_end(sure);
    for (size_t i = 1; i <= 2 && i <= sure.n; i++) {
        if (sure.p[sure.n - i] == '=') {
            sure.n -= i;
            break;
        }
    }
    return s.n - sure.n;
}

/* The line is not finished: hold back what is undecided. */
static void put_open_line(struct decoder *d, struct str s, struct buf *out)
{
    size_t tail = undecided(s);
    if (tail > HELD_MAX) {
        d->clean = false;
        tail = 0;
    }
    put_unquoted(d, str_part(s, 0, s.n - tail), out);
    struct buf held = BUF_INIT(HELD_MAX);
    buf_put(&held, str_skip(s, s.n - tail));
    buf_free(&d->held);
    d->held = held;
}

static void feed_quoted_printable(struct decoder *d, struct str chunk, struct buf *out)
{
    while (chunk.n > 0) {
        size_t lf = str_find(chunk, '\n');
        bool whole = lf != STR_NOWHERE;
        struct str piece = str_part(chunk, 0, whole ? lf + 1 : chunk.n);
        struct buf joined = BUF_INIT(HELD_MAX + piece.n);
        chunk = str_skip(chunk, piece.n);
        if (d->held.n > 0) {
            buf_put(&joined, buf_str(&d->held));
            buf_put(&joined, piece);
            buf_clear(&d->held);
            piece = buf_str(&joined);
        }
        if (whole) {
            put_line(d, piece, out);
        } else {
            put_open_line(d, piece, out);
        }
        buf_free(&joined);
    }
}

/* ---- decoding ---- */

void decoder_begin(struct decoder *d, enum encoding encoding)
{
    *d = (struct decoder){ .encoding = encoding, .clean = true, .held = BUF_INIT(HELD_MAX) };
}

void decoder_feed(struct decoder *d, struct str chunk, struct buf *out)
{
    if (d->encoding == ENCODING_BASE64) {
        feed_base64(d, chunk, out);
    } else if (d->encoding == ENCODING_QUOTED_PRINTABLE) {
        feed_quoted_printable(d, chunk, out);
    } else {
        buf_put(out, chunk);
    }
}

void decoder_end(struct decoder *d, struct buf *out)
{
    if (d->encoding == ENCODING_BASE64) put_group(d, out);
    if (d->encoding == ENCODING_QUOTED_PRINTABLE) put_line(d, buf_str(&d->held), out);
    buf_free(&d->held);
}

/* ---- encoding ---- */

static void soft_break(struct encoder *e, struct buf *out)
{
    buf_put_lit(out, "=\r\n");
    e->column = 0;
}

static bool is_literal(const struct encoder *e, struct str ahead)
{
    char c = ahead.p[0];
    struct str next = str_skip(ahead, 1);
    if (byte_is(c, BYTE_WSP)) return next.n > 0 && !(e->text && str_starts(next, STR("\r\n")));
    if (e->column == 0 && (c == '.' || str_eq(ahead, STR("From ")))) return false;
    return byte_is(c, BYTE_VCHAR) && c != '=';
}

/* Write the first of the bytes ahead; returns how many were taken. */
static size_t put_quoted(struct encoder *e, struct str ahead, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)ahead.p[0];

    if (e->text && str_starts(ahead, STR("\r\n"))) {
        buf_put_lit(out, "\r\n");
        e->column = 0;
        return 2;
    }
    /* What is at the line's beginning may no longer be so behind a break, and the other way round:
     * so break first, then look. A "=" has to fit behind everything. */
    unsigned width = is_literal(e, ahead) ? 1 : 3;
    if (e->column + width > LINE_MAX_COLUMNS - 1) {
        soft_break(e, out);
        width = is_literal(e, ahead) ? 1 : 3;
    }
    if (width == 1) {
        buf_put_byte(out, (char)c);
    } else {
        buf_put_byte(out, '=');
        buf_put_byte(out, hex[c >> 4]);
        buf_put_byte(out, hex[c & 15]);
    }
    e->column += width;
    return 1;
}

/* Inside a line visible bytes need no thought: write as many as the line has room for. */
static size_t put_plain_run(struct encoder *e, struct str ahead, struct buf *out)
{
    size_t n = 0, room = LINE_MAX_COLUMNS - 1 - e->column;
    if (e->column == 0) return 0;
    while (n < ahead.n && n < room && byte_is(ahead.p[n], BYTE_VCHAR) && ahead.p[n] != '=') {
        n++;
    }
    buf_put(out, str_part(ahead, 0, n));
    e->column += (unsigned)n;
    return n;
}

/* Write what is held as long as `enough` bytes are there to look ahead. */
static void put_held(struct encoder *e, size_t enough, struct buf *out)
{
    size_t at = 0;
    while (e->held.n - at >= enough && at < e->held.n) {
        at += put_plain_run(e, str_part(buf_str(&e->held), at, e->held.n - at - enough + 1), out);
        if (e->held.n - at < enough || at == e->held.n) break;
        at += put_quoted(e, str_part(buf_str(&e->held), at, LOOK_AHEAD), out);
    }
    buf_drop_front(&e->held, at);
}

static void put_base64_line(struct str bytes, struct buf *out)
{
    base64_put(out, bytes);
    buf_put_lit(out, "\r\n");
}

static void feed_base64_lines(struct encoder *e, struct str chunk, struct buf *out)
{
    if (e->held.n > 0) {
        struct str first = str_part(chunk, 0, BASE64_LINE_BYTES - e->held.n);
        buf_put(&e->held, first);
        chunk = str_skip(chunk, first.n);
        if (e->held.n < BASE64_LINE_BYTES) return;
        put_base64_line(buf_str(&e->held), out);
        buf_clear(&e->held);
    }
    for (; chunk.n >= BASE64_LINE_BYTES; chunk = str_skip(chunk, BASE64_LINE_BYTES)) {
        put_base64_line(str_part(chunk, 0, BASE64_LINE_BYTES), out);
    }
    buf_put(&e->held, chunk);
}

void encoder_begin(struct encoder *e, enum encoding encoding, bool text)
{
    must(encoding != ENCODING_UNKNOWN);
    *e = (struct encoder){ .encoding = encoding, .text = text, .held = BUF_INIT(4096) };
}

void encoder_feed(struct encoder *e, struct str chunk, struct buf *out)
{
    if (e->encoding == ENCODING_IDENTITY) {
        buf_put(out, chunk);
    } else if (e->encoding == ENCODING_BASE64) {
        feed_base64_lines(e, chunk, out);
    } else {
        for (size_t at = 0; at < chunk.n;) {
            struct str piece = str_part(chunk, at, 4096 - LOOK_AHEAD);
            buf_put(&e->held, piece);
            at += piece.n;
            put_held(e, LOOK_AHEAD, out);
        }
    }
}

void encoder_end(struct encoder *e, struct buf *out)
{
    if (e->encoding == ENCODING_BASE64 && e->held.n > 0) {
        put_base64_line(buf_str(&e->held), out);
    } else if (e->encoding == ENCODING_QUOTED_PRINTABLE) {
        put_held(e, 1, out);
    }
    buf_free(&e->held);
}
