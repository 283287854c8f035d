#include "syntax/xtext.h"
#include "syntax/utf8.h"

enum { REPLACEMENT = 0xfffd, CODE_POINT_MAX = 0x10ffff };

/* Two hexadecimal digits, or -1. */
static int take_hex_byte(struct scan *s)
{
    int high = scan_end(s) ? -1 : byte_hex((char)scan_get(s));
    int low = scan_end(s) ? -1 : byte_hex((char)scan_get(s));
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

enum err xtext_decode(struct buf *b, struct str text)
{
    struct scan s = scan_of(text);
    size_t from = b->n;

    while (!scan_end(&s)) {
        buf_put(b, scan_while(&s, BYTE_XCHAR));
        if (scan_end(&s)) break;
        int byte = scan_byte(&s, '+') ? take_hex_byte(&s) : -1;
        if (byte < 0) {
            buf_truncate(b, from);
            return ERR_SYNTAX;
        }
        buf_put_byte(b, (char)byte);
    }
    return OK;
}

static void put_hex_upper(struct buf *b, uint32_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        unsigned nibble = value >> (4 * (i - 1)) & 15;
        buf_put_byte(b, (char)(nibble < 10 ? '0' + nibble : 'A' + nibble - 10));
    }
}

void xtext_put(struct buf *b, struct str bytes)
{
    struct scan s = scan_of(bytes);
    while (!scan_end(&s)) {
        buf_put(b, scan_while(&s, BYTE_XCHAR));
        if (scan_end(&s)) break;
        buf_put_byte(b, '+');
        put_hex_upper(b, (unsigned char)scan_get(&s), 2);
    }
}

static void put_utf8(struct buf *b, uint32_t c)
{
    static const unsigned char lead[4] = { 0, 0xc0, 0xe0, 0xf0 };
    if (c < 0x80) {
        buf_put_byte(b, (char)c);
        return;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    buf_put_byte(b, (char)(unsigned char)(lead[more] | c >> (6 * more)));
    while (more-- > 0) {
        buf_put_byte(b, (char)(unsigned char)(0x80 | (c >> (6 * more) & 0x3f)));
    }
}

/* "x{20AC}" behind the backslash: the code point, or -1. */
static int32_t take_embedded(struct scan *s)
{
    int32_t c = 0;
    size_t digits = 0;

    if (!scan_text(s, STR("x{"))) return -1;
    for (; digits < 6 && !scan_end(s) && byte_hex((char)scan_peek(s)) >= 0; digits++) {
        c = c << 4 | byte_hex((char)scan_get(s));
    }
    if (digits < 2 || !scan_byte(s, '}')) return -1;
    bool exists = c <= CODE_POINT_MAX && (c < 0xd800 || c > 0xdfff);
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    return exists && !control ? c : -1;
}

enum err xtext_utf8_decode(struct buf *b, struct str text, bool raw_utf8)
{
    struct scan s = scan_of(text);
    size_t from = b->n;

    while (!scan_end(&s)) {
        int32_t c = -1;
        if (scan_byte(&s, '\\')) {
            c = take_embedded(&s);
        } else if (scan_is(&s, BYTE_XCHAR)) {
            c = scan_get(&s);
        } else if (raw_utf8 && scan_is(&s, BYTE_HIGH)) {
            c = utf8_take(&s);
            if (c < 0xa0) c = -1;
        }
        if (c < 0) {
            buf_truncate(b, from);
            return ERR_SYNTAX;
        }
        put_utf8(b, (uint32_t)c);
    }
    return OK;
}

void xtext_utf8_put(struct buf *b, struct str text, bool raw_utf8)
{
    struct scan s = scan_of(text);
    while (!scan_end(&s)) {
        bool plain = scan_is(&s, BYTE_XCHAR) && scan_peek(&s) != '\\';
        int32_t c = utf8_take(&s);
        if (c < 0) {
            scan_get(&s);
            c = REPLACEMENT;
        }
        if (plain || (raw_utf8 && c >= 0x80)) {
            put_utf8(b, (uint32_t)c);
            continue;
        }
        buf_put_lit(b, "\\x{");
        put_hex_upper(b, (uint32_t)c,
                      c > 0xfffff  ? 6
                      : c > 0xffff ? 5
                      : c > 0xfff  ? 4
                      : c > 0xff   ? 3
                                   : 2);
        buf_put_byte(b, '}');
    }
}
