/* Mending: what comes out is a head that needs no more mending, shows no Bcc and has one From. */
#include "base/must.h"
#include "syntax/header.h"
#include "syntax/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(struct buf *b, struct str head, const struct mend *mend)
{
    size_t at = 0;
    buf_put(b, mend->prepend);
    for (size_t i = 0; i < mend->drop_count; i++) {
        must(mend->drops[i].from >= at && mend->drops[i].end > mend->drops[i].from);
        buf_put(b, str_part(head, at, mend->drops[i].from - at));
        at = mend->drops[i].end;
    }
    must(at <= head.n);
    buf_put(b, str_skip(head, at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str own[] = { STR_INIT("bob@y") };
    const struct mend_rules rules = { .message_id = STR("i@d"),
                                      .login = STR("ann@x"),
                                      .own = own,
                                      .own_count = 1,
                                      .detail_separator = '+' };
    struct str head = str_of(data, size), which;
    struct arena a = ARENA_INIT(0);
    struct mend mend, again;

    if (mend_head(&a, head, &rules, &mend, &which) == MEND_FINE) {
        struct buf b = BUF_INIT(size + 10000);
        apply(&b, head, &mend);
        must(!b.over);
        enum mend_fault fault = mend_head(&a, buf_str(&b), &rules, &again, &which);
        must(fault == MEND_FINE || fault == MEND_TOO_LONG);
        must(fault != MEND_FINE || again.prepend.n == 0);
        must(fault != MEND_FINE || mend.junk > 0 || again.drop_count == 0);
        must(header_count(buf_str(&b), STR("From")) == 1);
        must(header_count(buf_str(&b), STR("Bcc")) == 0);
        buf_free(&b);
    }
    arena_free(&a);
    return 0;
}
