/* UTF-16 in base64 without padding, ',' for '/', between '&' and '-'. */
#include "syntax/mutf7.h"

#include "syntax/utf8.h"

static const struct str digits =
    STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,");

/* ---- out ---- */

struct writer {
    struct buf *b;
    uint32_t bits;  /* not yet written, low ones last */
    unsigned count; /* of them; below 6 between units */
    bool shifted;
};

static void put_unit(struct writer *w, uint32_t unit)
{
    if (!w->shifted) buf_put_byte(w->b, '&');
    w->shifted = true;
    w->bits = w->bits << 16 | unit;
    w->count += 16;
    while (w->count >= 6) {
        w->count -= 6;
        buf_put_byte(w->b, digits.p[w->bits >> w->count & 63]);
    }
    w->bits &= (1u << w->count) - 1;
}

static void end_shift(struct writer *w)
{
    if (!w->shifted) return;
    if (w->count > 0) buf_put_byte(w->b, digits.p[w->bits << (6 - w->count) & 63]);
    buf_put_byte(w->b, '-');
    *w = (struct writer){ .b = w->b };
}

static void put_character(struct writer *w, uint32_t c)
{
    if (c >= 0x10000) {
        put_unit(w, 0xd800 + ((c - 0x10000) >> 10));
        put_unit(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        put_unit(w, c);
    }
}

void mutf7_put(struct buf *b, struct str name, struct str shift)
{
    struct writer w = { .b = b };
    struct scan s = scan_of(name);
    while (!scan_end(&s)) {
        int32_t c = utf8_take(&s);
        if (c < 0) scan_get(&s);
        bool plain = c >= 0x20 && c < 0x7f && str_find(shift, (char)c) == STR_NOWHERE;
        if (!plain) {
            put_character(&w, c < 0 ? 0xfffd : (uint32_t)c);
            continue;
        }
        end_shift(&w);
        buf_put_byte(b, (char)c);
        if (c == '&') buf_put_byte(b, '-');
    }
    end_shift(&w);
}

/* ---- in ---- */

static void put_utf8(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_put_byte(b, (char)c);
    } else if (c < 0x800) {
        buf_put_byte(b, (char)(0xc0 | c >> 6));
        buf_put_byte(b, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_put_byte(b, (char)(0xe0 | c >> 12));
        buf_put_byte(b, (char)(0x80 | (c >> 6 & 63)));
        buf_put_byte(b, (char)(0x80 | (c & 63)));
    } else {
        buf_put_byte(b, (char)(0xf0 | c >> 18));
        buf_put_byte(b, (char)(0x80 | (c >> 12 & 63)));
        buf_put_byte(b, (char)(0x80 | (c >> 6 & 63)));
        buf_put_byte(b, (char)(0x80 | (c & 63)));
    }
}

/* One UTF-16 unit; *high is the first half of a pair that waits, or 0. */
static bool take_unit(struct buf *b, uint32_t unit, uint32_t *high)
{
    bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;
    if ((*high != 0) != is_low) return false;
    if (is_high) {
        *high = unit;
    } else if (is_low) {
        put_utf8(b, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
        *high = 0;
    } else {
        put_utf8(b, unit);
    }
    return true;
}

/* Behind '&' up to and with '-'. */
static bool take_shift(struct buf *b, struct scan *s)
{
    uint32_t bits = 0, high = 0;
    unsigned count = 0;
    if (scan_byte(s, '-')) {
        buf_put_byte(b, '&');
        return true;
    }
    while (!scan_byte(s, '-')) {
        int c = scan_get(s);
        size_t digit = c > 0 ? str_find(digits, (char)c) : STR_NOWHERE;
        if (digit == STR_NOWHERE) return false;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count < 16) continue;
        count -= 16;
        if (!take_unit(b, bits >> count & 0xffff, &high)) return false;
        bits &= (1u << count) - 1;
    }
    return high == 0 && count < 6 && bits == 0;
}

enum err mutf7_decode(struct buf *b, struct str text)
{
    size_t before = b->n;
    struct scan s = scan_of(text);
    bool good = utf8_valid(text);
    while (good && !scan_end(&s)) {
        if (scan_byte(&s, '&')) {
            good = take_shift(b, &s);
        } else {
            buf_put_byte(b, (char)scan_get(&s));
        }
    }
    if (!good) buf_truncate(b, before);
    return good ? OK : ERR_SYNTAX;
}
