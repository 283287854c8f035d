/* Anything encoded comes back; what the strict decoder takes is the one spelling of its bytes, and
 * the lenient decoder agrees and finds it clean. */
#include "base/must.h"
#include "syntax/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22), loose = BUF_INIT(1 << 22);
    struct str in = str_of(data, size);
    bool clean, clean_again;

    base64_put(&b, in);
    must(b.n == base64_length(in.n));
    must(base64_decode(&back, buf_str(&b)) == OK && str_eq(buf_str(&back), in));

    buf_clear(&back);
    must(base64_decode_lenient(&loose, in, &clean) == OK);
    must(loose.n <= in.n / 4 * 3 + 3);
    if (base64_decode(&back, in) == OK) {
        must(clean && str_eq(buf_str(&back), buf_str(&loose)));
        buf_clear(&b);
        base64_put(&b, buf_str(&back));
        must(str_eq(buf_str(&b), in));
    }
    /* What the lenient one made of it, written well, is clean. */
    buf_clear(&b);
    buf_clear(&back);
    base64_put(&b, buf_str(&loose));
    must(base64_decode_lenient(&back, buf_str(&b), &clean_again) == OK && clean_again);
    must(str_eq(buf_str(&back), buf_str(&loose)));
    buf_free(&b);
    buf_free(&back);
    buf_free(&loose);
    return 0;
}
