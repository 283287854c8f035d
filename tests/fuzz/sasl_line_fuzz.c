/* Arguments of AUTH and response lines of a SASL exchange. */
#include "base/must.h"
#include "syntax/base64.h"
#include "syntax/sasl_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(SASL_LINE_MAX), challenge = BUF_INIT(1 << 16);
    struct str in = str_of(data, size);
    struct sasl_start start, again;

    if (sasl_start_parse(in, &a, &start) == OK) {
        must(start.mechanism.n > 0 && start.mechanism.n <= SASL_MECHANISM_MAX);
        must(start.has_initial || start.initial.n == 0);
        must(sasl_start_parse(start.mechanism, &a, &again) == OK);
        must(str_eq(start.mechanism, again.mechanism) && !again.has_initial);
    }
    enum err e = sasl_response_decode(&b, in);
    must(e != OK || in.n <= SASL_LINE_MAX);
    must((e == ERR_CANCELLED) == str_eq(in, STR("*")));
    if (e == OK) {
        sasl_challenge_put(&challenge, STR(""), buf_str(&b));
        must(str_eq(str_part(buf_str(&challenge), 0, in.n), in) && challenge.n == in.n + 2);
    }
    buf_free(&b);
    buf_free(&challenge);
    arena_free(&a);
    return 0;
}
