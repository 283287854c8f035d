/* One decoder, driven by the table of RFC 3629 4: what the first byte allows the second to be is
 * where overlong forms, surrogates and the upper end are refused. */
#include "syntax/utf8.h"

static const struct {
    unsigned char first_low, first_high, second_low, second_high, more;
} forms[] = {
    { 0xc2, 0xdf, 0x80, 0xbf, 1 },                                /* c0 and c1 would be overlong */
    { 0xe0, 0xe0, 0xa0, 0xbf, 2 },                                /* below a0: overlong */
    { 0xe1, 0xec, 0x80, 0xbf, 2 }, { 0xed, 0xed, 0x80, 0x9f, 2 }, /* above 9f: surrogates */
    { 0xee, 0xef, 0x80, 0xbf, 2 }, { 0xf0, 0xf0, 0x90, 0xbf, 3 }, /* below 90: overlong */
    { 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 }, /* above 8f: over U+10FFFF */
};

int32_t utf8_take(struct scan *s)
{
    struct scan t = *s;
    int c = scan_get(&t);

    if (c >= 0x80) {
        size_t form = 0;
        while (form < sizeof forms / sizeof forms[0] &&
               (c < forms[form].first_low || c > forms[form].first_high)) {
            form++;
        }
        if (form == sizeof forms / sizeof forms[0]) return -1;
        int low = forms[form].second_low, high = forms[form].second_high;
        c &= 0x3f >> forms[form].more;
        for (int more = forms[form].more; more > 0; more--) {
            int next = scan_get(&t);
            if (next < low || next > high) return -1;
            c = c << 6 | (next & 0x3f);
            low = 0x80, high = 0xbf;
        }
    }
    if (c >= 0) *s = t;
    return c;
}

/* Bytes from the front that are ASCII, whole words at a time while they last. */
static size_t ascii_prefix(struct str s)
{
    size_t n = 0;
    while (n + 8 <= s.n) {
        uint64_t word;
        memcpy(&word, s.p + n, 8);
        if ((word & 0x8080808080808080u) != 0) break;
        n += 8;
    }
    while (n < s.n && (unsigned char)s.p[n] < 0x80) {
        n++;
    }
    return n;
}

size_t utf8_valid_prefix(struct str s)
{
    struct scan t = scan_of(s);
    do {
        scan_take(&t, ascii_prefix(t.left));
    } while (utf8_take(&t) >= 0);
    return s.n - t.left.n;
}

bool utf8_valid(struct str s)
{
    return utf8_valid_prefix(s) == s.n;
}

bool utf8_is_ascii(struct str s)
{
    return ascii_prefix(s) == s.n;
}
