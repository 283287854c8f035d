/* Decode what is xtext, encode anything and get it back. First byte of the input: which form. */
#include "base/must.h"
#include "syntax/utf8.h"
#include "syntax/xtext.h"

static bool has_control(struct str s)
{
    struct scan scan = scan_of(s);
    for (int32_t c; (c = utf8_take(&scan)) >= 0;) {
        if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22), again = BUF_INIT(1 << 22);
    if (size == 0) return 0;
    struct str in = str_of(data + 1, size - 1);
    bool utf8 = (data[0] & 1) != 0, raw = (data[0] & 2) != 0;

    enum err e = utf8 ? xtext_utf8_decode(&b, in, raw) : xtext_decode(&b, in);
    if (e == OK && utf8) must(utf8_valid(buf_str(&b)) && !has_control(buf_str(&b)));
    if (e != OK) must(b.n == 0);

    buf_clear(&b);
    if (utf8) {
        xtext_utf8_put(&b, in, raw);
        bool back_again = utf8_valid(in) && !has_control(in);
        if (back_again) must(xtext_utf8_decode(&back, buf_str(&b), raw) == OK);
        if (back_again) must(str_eq(buf_str(&back), in));
        must(raw || utf8_is_ascii(buf_str(&b)));
    } else {
        xtext_put(&b, in);
        must(xtext_decode(&back, buf_str(&b)) == OK && str_eq(buf_str(&back), in));
    }
    buf_free(&b);
    buf_free(&back);
    buf_free(&again);
    return 0;
}
