/* Stored credentials, as if the disk were hostile: decoding ends well or in an error, and what it
 * accepts can be written and read again. */
#include "agent/auth/credential.h"
#include "agent/auth/hash.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct credential c, again;
    struct buf row = BUF_INIT(2 * CREDENTIAL_BYTES_MAX), import = BUF_INIT(HASH_TEXT_MAX);

    err_ignore(hash_import(str_of(data, size), &import));
    if (credential_decode(str_of(data, size), &c) == OK) {
        credential_encode(&c, &row);
        must(credential_decode(buf_str(&row), &again) == OK);
        must(str_eq(c.hash, again.hash) && str_eq(c.clear, again.clear));
        must(c.sha256.iterations == again.sha256.iterations && c.disabled == again.disabled);
        (void)hash_is_stale(c.hash, CONFIG_HASH_YESCRYPT);
    }
    buf_free(&row);
    buf_free(&import);
    return 0;
}
