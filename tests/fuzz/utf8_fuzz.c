/* The validator against a decoder that knows nothing of tables: it decodes by shifting and refuses
 * what would not be encoded that way. */
#include "base/must.h"
#include "syntax/utf8.h"

/* Length of the character at the front of `s`, 0 if there is none. */
static size_t slow_length(struct str s, int32_t *c_out)
{
    static const int32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (s.n == 0) return 0;
    unsigned first = (unsigned char)s.p[0];
    size_t n = first < 0x80       ? 1
               : first >> 5 == 6  ? 2
               : first >> 4 == 14 ? 3
               : first >> 3 == 30 ? 4
                                  : 0;
    if (n == 0 || n > s.n) return 0;
    int32_t c = (int32_t)(n == 1 ? first : first & (0x7fu >> n));
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (s.p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
    *c_out = c;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size), left = in;
    bool ascii = true;
    for (;;) {
        int32_t slow = -1;
        size_t n = slow_length(left, &slow);
        struct scan s = scan_of(left);
        must(utf8_take(&s) == slow && s.left.n == left.n - n);
        if (n == 0) break;
        left = str_skip(left, n);
    }
    for (size_t i = 0; i < in.n; i++) {
        ascii = ascii && (unsigned char)in.p[i] < 0x80;
    }
    must(utf8_valid_prefix(in) == in.n - left.n);
    must(utf8_valid(in) == (left.n == 0) && utf8_is_ascii(in) == ascii);
    return 0;
}
