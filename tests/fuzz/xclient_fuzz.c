/* Arguments of XCLIENT: what is given is of its kind, what is refused is named. */
#include "base/must.h"
#include "syntax/scan.h"
#include "syntax/utf8.h"
#include "syntax/xclient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    struct str in = str_of(data, size), bad = STR_NONE;
    struct xclient c;

    if (xclient_parse(in, &a, &c, &bad) == OK) {
        must((c.given & c.unavailable) == 0 && (c.given & c.temporary) == 0);
        must((c.given & XCLIENT_NAME) != 0 || c.name.n == 0);
        must((c.given & XCLIENT_LOGIN) != 0 ? c.login.n > 0 : c.login.n == 0);
        must(str_all(c.helo, BYTE_PRINT) && utf8_valid(c.login) && utf8_is_ascii(c.name));
    } else {
        must(bad.n <= in.n);
    }
    arena_free(&a);
    return 0;
}
