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

void summary_write(struct buf *b, const struct summary *s)
{
    wire_put_u32(b, s->offset);
    wire_put_u8(b, (uint8_t)s->kind);
    if (s->kind == SUMMARY_BLOB) {
        buf_put(b, str_of(s->blob.bytes, BLOB_ID_BYTES));
    } else {
        wire_put_u64(b, s->stage);
        wire_put_u64(b, 0);
    }
}

bool summary_next(struct wire *w, struct summary *out)
{
    if (w->bad || w->left.n == 0) return false;
    struct summary s = { .offset = wire_get_u32(w) };
    unsigned kind = wire_get_u8(w);
    struct wire name = wire_of(wire_get_bytes(w, BLOB_ID_BYTES));
    if (kind > SUMMARY_STAGE) w->bad = true;
    if (w->bad) return false;
    s.kind = (enum summary_kind)kind;
    if (s.kind == SUMMARY_BLOB) {
        memcpy(s.blob.bytes, name.left.p, BLOB_ID_BYTES);
    } else {
        s.stage = wire_get_u64(&name);
    }
    *out = s;
    return true;
}
