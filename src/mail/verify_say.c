#include "mail/verify_say.h"

static void say(const struct verify_say *to, uint64_t *findings, struct buf *line)
{
    ++*findings;
    if (to->say != NULL) to->say(to->ctx, buf_str(line));
    buf_free(line);
}

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
    say(to, findings, &b);
}

void verify_say_foreign(const struct verify_say *to, uint64_t *findings, struct str key)
{
    struct buf b = buf_new(2 * ENGINE_KEY_MAX + 64);
    buf_put_lit(&b, "row ");
    buf_put_hex(&b, key);
    buf_put_lit(&b, ": the key is in no table");
    say(to, findings, &b);
}
