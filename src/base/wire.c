#include "base/wire.h"
#include "base/must.h"

static void put_be(struct buf *b, uint64_t v, unsigned bytes)
{
    char out[8];
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (char)(v >> (8 * (bytes - 1 - i)));
    }
    buf_put(b, str_of(out, bytes));
}

void wire_put_u8(struct buf *b, uint8_t v)
{
    put_be(b, v, 1);
}

void wire_put_u16(struct buf *b, uint16_t v)
{
    put_be(b, v, 2);
}

void wire_put_u32(struct buf *b, uint32_t v)
{
    put_be(b, v, 4);
}

void wire_put_u64(struct buf *b, uint64_t v)
{
    put_be(b, v, 8);
}

void wire_put_str(struct buf *b, struct str s)
{
    must(s.n <= UINT32_MAX);
    wire_put_u32(b, (uint32_t)s.n);
    buf_put(b, s);
}

void wire_put_var(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) {
        buf_put_byte(b, (char)(v | 0x80));
    }
    buf_put_byte(b, (char)v);
}

void wire_put_vstr(struct buf *b, struct str s)
{
    wire_put_var(b, s.n);
    buf_put(b, s);
}

struct str wire_get_bytes(struct wire *w, size_t n)
{
    if (w->bad || n > w->left.n) {
        w->bad = true;
        return STR_NONE;
    }
    struct str s = str_part(w->left, 0, n);
    w->left = str_skip(w->left, n);
    return s;
}

static uint64_t get_be(struct wire *w, unsigned bytes)
{
    struct str s = wire_get_bytes(w, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        v = v << 8 | (unsigned char)s.p[i];
    }
    return v;
}

uint8_t wire_get_u8(struct wire *w)
{
    return (uint8_t)get_be(w, 1);
}

uint16_t wire_get_u16(struct wire *w)
{
    return (uint16_t)get_be(w, 2);
}

uint32_t wire_get_u32(struct wire *w)
{
    return (uint32_t)get_be(w, 4);
}

uint64_t wire_get_u64(struct wire *w)
{
    return get_be(w, 8);
}

uint64_t wire_get_var(struct wire *w)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char c = wire_get_u8(w);
        if (w->bad) return 0;
        if (shift == 63 && c > 1) break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) return v;
    }
    w->bad = true;
    return 0;
}

struct str wire_get_str(struct wire *w)
{
    return wire_get_bytes(w, wire_get_u32(w));
}

struct str wire_get_vstr(struct wire *w)
{
    return wire_get_bytes(w, wire_get_var(w));
}

enum err wire_end(const struct wire *w)
{
    return w->bad || w->left.n > 0 ? ERR_CORRUPT : OK;
}
