/* Encoded words: what is decoded is clean UTF-8; what is encoded is a safe header value that
 * decodes to the same text. */
#include "base/must.h"
#include "syntax/encoded_word.h"
#include "syntax/header.h"
#include "syntax/scan.h"
#include "syntax/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (byte_is(s.p[i], BYTE_CONTROL)) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    struct str text = str_of(data, size), line;
    struct str decoded = encoded_word_decode(&a, text);
    must(utf8_valid(decoded) && !has_control(decoded) && decoded.n <= 3 * size);

    struct buf b = BUF_INIT(20 * size + 100);
    size_t column = size > 0 ? data[0] % 100 : 0;
    encoded_word_put(&b, decoded, &column);
    must(!b.over);
    struct str again = encoded_word_decode(&a, header_unfold(&a, buf_str(&b)));
    must(str_eq(again, str_trim(decoded)));

    buf_clear(&b);
    column = 9;
    encoded_word_put(&b, text, &column);
    for (struct str left = buf_str(&b); str_cut(&left, '\n', &line);) {
        must(left.n == 0 || (str_ends(line, STR("\r")) && byte_is(left.p[0], BYTE_WSP)));
        if (str_ends(line, STR("\r"))) line.n--;
        must(str_all(line, BYTE_VCHAR | BYTE_WSP) && line.n < 998);
    }
    buf_free(&b);
    arena_free(&a);
    return 0;
}
