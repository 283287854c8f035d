#include "model/mechanism.h"

void mechanisms_put(struct buf *b, const struct config *c, bool tls, bool private)
{
    static const struct {
        unsigned bit;
        bool needs_tls;
        struct str name;
    } rows[] = {
        { CONFIG_AUTH_SCRAM_SHA_256_PLUS, true, STR_INIT(" SCRAM-SHA-256-PLUS") },
        { CONFIG_AUTH_SCRAM_SHA_256, false, STR_INIT(" SCRAM-SHA-256") },
        { CONFIG_AUTH_SCRAM_SHA_1, false, STR_INIT(" SCRAM-SHA-1") },
        { CONFIG_AUTH_CRAM_MD5, false, STR_INIT(" CRAM-MD5") },
        { CONFIG_AUTH_PLAIN, false, STR_INIT(" PLAIN") },
        { CONFIG_AUTH_LOGIN, false, STR_INIT(" LOGIN") },
    };
    if (!private) return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((c->auth.mechanisms & rows[i].bit) == 0) continue;
        if (rows[i].needs_tls && !tls) continue;
        buf_put(b, rows[i].name);
    }
}
