/* Login names and passwords as typed: what preparation yields is bounded, and preparing it again
 * changes nothing. */
#include "agent/auth/login.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = BUF_INIT(PASSWORD_MAX), twice = BUF_INIT(PASSWORD_MAX);
    struct str raw = str_of(data, size);

    if (login_prepare(raw, STR("example.org"), &once) == OK) {
        must(once.n > 0 && once.n <= LOGIN_MAX && str_find(buf_str(&once), '@') != STR_NOWHERE);
        must(login_prepare(buf_str(&once), STR_NONE, &twice) == OK);
        must(str_eq(buf_str(&once), buf_str(&twice)));
    }
    buf_clear(&once);
    buf_clear(&twice);
    if (password_prepare(raw, &once) == OK) must(once.n > 0 && once.n <= PASSWORD_MAX);
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
