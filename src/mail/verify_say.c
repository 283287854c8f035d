#include "mail/verify_say.h"

void verify_say(const struct verify_say *to, uint64_t *findings, const struct key *k,
                const char *what)
{
    struct buf b = buf_new(2048);
    buf_put(&b, str_c(key_doc(k->kind).name));
    if (k->account != 0) {
        buf_put_lit(&b, " account=");
        buf_put_u64(&b, k->account);
    }
    if (k->mailbox != 0) {
        buf_put_lit(&b, " mailbox=");
        buf_put_u64(&b, k->mailbox);
    }
    if (k->uid != 0) {
        buf_put_lit(&b, " uid=");
        buf_put_u64(&b, k->uid);
    }
    if (k->message != 0) {
        buf_put_lit(&b, " msg=");
        buf_put_hex_u64(&b, k->message, 16);
    }
    if (k->domain.n > 0 || k->local.n > 0) {
        buf_put_lit(&b, " address=");
        buf_put(&b, k->local);
        buf_put_byte(&b, '@');
        buf_put(&b, k->domain);
    }
    if (k->name.n > 0) {
        buf_put_lit(&b, " name=");
        buf_put(&b, k->name);
    }
    buf_put_lit(&b, ": ");
    buf_put(&b, str_c(what));
    ++*findings;
    if (to->say != NULL) to->say(to->ctx, buf_str(&b));
    buf_free(&b);
}
