#include "store/redo.h"

enum { REDO_GONE = 0x80 };

void redo_write(struct buf *b, const struct redo *r)
{
    wire_put_u8(b, (uint8_t)((unsigned)r->table | (r->gone ? REDO_GONE : 0)));
    wire_put_vstr(b, r->key);
    if (!r->gone) wire_put_vstr(b, r->value);
}

bool redo_next(struct wire *w, struct redo *out)
{
    if (w->bad || w->left.n == 0) return false;
    unsigned head = wire_get_u8(w);
    struct redo r = { .gone = (head & REDO_GONE) != 0 };
    r.key = wire_get_vstr(w);
    if (!r.gone) r.value = wire_get_vstr(w);
    head &= ~(unsigned)REDO_GONE;
    if (head >= TABLE_COUNT || r.key.n == 0 || r.key.n > ENGINE_KEY_MAX ||
        r.value.n > ENGINE_VALUE_MAX)
        w->bad = true;
    if (w->bad) return false;
    r.table = (enum table)head;
    *out = r;
    return true;
}
