/* Transfer encodings: decoding does not depend on chunks; what is encoded decodes to itself and
 * keeps the rules of its encoding. */
#include "base/must.h"
#include "syntax/encoding.h"
#include "syntax/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(enum encoding encoding, struct str in, size_t chunk, struct buf *out)
{
    struct decoder d;
    decoder_begin(&d, encoding);
    for (; in.n > 0; in = str_skip(in, chunk)) {
        size_t before = out->n;
        decoder_feed(&d, str_part(in, 0, chunk), out);
        must(out->n - before <= chunk + 1100);
    }
    decoder_end(&d, out);
}

static void encode(enum encoding encoding, bool text, struct str in, size_t chunk, struct buf *out)
{
    struct encoder e;
    encoder_begin(&e, encoding, text);
    for (; in.n > 0; in = str_skip(in, chunk)) {
        encoder_feed(&e, str_part(in, 0, chunk), out);
    }
    encoder_end(&e, out);
}

static void lines_are_good(struct str s)
{
    struct str line;
    while (str_cut(&s, '\n', &line)) {
        must(s.n == 0 || str_ends(line, STR("\r")));
        if (str_ends(line, STR("\r"))) line.n--;
        must(line.n <= 76 && str_all(line, BYTE_VCHAR | BYTE_WSP));
        must(line.n == 0 || !byte_is(line.p[line.n - 1], BYTE_WSP));
        must(!str_starts(line, STR("From ")) && !str_starts(line, STR(".")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum encoding encodings[] = { ENCODING_IDENTITY, ENCODING_QUOTED_PRINTABLE,
                                               ENCODING_BASE64 };
    struct str in = str_of(data, size);
    size_t chunk = size > 0 ? data[0] % 100 + 1 : 1;
    for (size_t i = 0; i < 3; i++) {
        struct buf one = BUF_INIT(4 * size + 2000), two = BUF_INIT(4 * size + 2000);
        decode(encodings[i], in, size + 1, &one);
        decode(encodings[i], in, chunk, &two);
        must(size > 900 || str_eq(buf_str(&one), buf_str(&two)));
        for (int text = 0; text < 2; text++) {
            buf_clear(&one);
            buf_clear(&two);
            encode(encodings[i], text, in, chunk, &one);
            if (i > 0) lines_are_good(buf_str(&one));
            decode(encodings[i], buf_str(&one), chunk, &two);
            must(!one.over && !two.over && str_eq(buf_str(&two), in));
        }
        buf_free(&one);
        buf_free(&two);
    }
    return 0;
}
