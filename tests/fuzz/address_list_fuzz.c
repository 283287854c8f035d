/* Address lists: groups are balanced, texts are no longer than their source, and what is written of
 * a whole address reads back as the same one. */
#include "base/must.h"
#include "syntax/address_list.h"
#include "syntax/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void comes_back(const struct address *address)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(1 << 20);
    struct address_list list;
    address_put(&b, address->local, address->domain);
    address_list_parse(&a, buf_str(&b), 10, &list);
    must(list.count == 1 && !list.broken);
    must(str_eq(list.at[0].local, address->local) && str_eq(list.at[0].domain, address->domain));
    arena_free(&a);
    buf_free(&b);
}

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
    struct address_list list;
    size_t max = size > 0 ? data[0] : 0, text = 0, depth = 0;

    address_list_parse(&a, str_of(data, size), max, &list);
    must(list.count <= max);
    for (size_t i = 0; i < list.count; i++) {
        const struct address *at = &list.at[i];
        text += at->name.n + at->route.n + at->local.n + at->domain.n;
        if (at->kind == ADDRESS_GROUP) must(++depth == 1);
        if (at->kind == ADDRESS_GROUP_END) must(depth-- == 1);
        if (!list.broken && at->kind == ADDRESS_MAILBOX && !has_control(at->local) &&
            !has_control(at->domain)) {
            comes_back(at);
        }
    }
    must(depth == 0 && text <= 2 * size);
    arena_free(&a);
    return 0;
}
