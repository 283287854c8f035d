#include "base/buf.h"
#include "base/must.h"

#include <stdlib.h>

enum { BUF_FIRST_BYTES = 64 };

void buf_free(struct buf *b)
{
    free(b->p);
    *b = buf_new(b->max_bytes);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->over = false;
}

enum err buf_check(const struct buf *b)
{
    return b->over ? ERR_LIMIT : OK;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->over || n > b->max_bytes - b->n) {
        b->over = true;
        return NULL;
    }
    if (n > b->cap - b->n) {
        size_t cap = b->cap > 0 ? b->cap : BUF_FIRST_BYTES;
        while (cap - b->n < n) {
            cap *= 2;
        }
        if (cap > b->max_bytes) cap = b->max_bytes;
        b->p = realloc(b->p, cap);
        must(b->p != NULL);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
    must(n <= b->cap - b->n);
    b->n += n;
}

void buf_put(struct buf *b, struct str s)
{
    if (s.n == 0) return;
    char *at = buf_reserve(b, s.n);
    if (at == NULL) return;
    memcpy(at, s.p, s.n);
    b->n += s.n;
}

void buf_put_byte(struct buf *b, char c)
{
    char *at = buf_reserve(b, 1);
    if (at == NULL) return;
    *at = c;
    b->n++;
}

void buf_put_u64_width(struct buf *b, uint64_t value, unsigned width)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (n < width && n < sizeof digits) {
        digits[sizeof digits - ++n] = '0';
    }
    buf_put(b, str_of(digits + sizeof digits - n, n));
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    buf_put_u64_width(b, value, 1);
}

void buf_put_i64(struct buf *b, int64_t value)
{
    if (value < 0) buf_put_byte(b, '-');
    buf_put_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static const char hex_digits[] = "0123456789abcdef";

void buf_put_hex(struct buf *b, struct str bytes)
{
    char *at = buf_reserve(b, bytes.n * 2);
    if (at == NULL) return;
    for (size_t i = 0; i < bytes.n; i++) {
        at[2 * i] = hex_digits[(unsigned char)bytes.p[i] >> 4];
        at[2 * i + 1] = hex_digits[(unsigned char)bytes.p[i] & 15];
    }
    b->n += bytes.n * 2;
}

void buf_put_hex_u64(struct buf *b, uint64_t value, unsigned digits)
{
    must(digits <= 16);
    for (unsigned i = digits; i > 0; i--) {
        buf_put_byte(b, hex_digits[(value >> (4 * (i - 1))) & 15]);
    }
}

void buf_put_lower(struct buf *b, struct str s)
{
    char *at = buf_reserve(b, s.n);
    if (at == NULL) return;
    for (size_t i = 0; i < s.n; i++) {
        at[i] = byte_lower(s.p[i]);
    }
    b->n += s.n;
}

void buf_drop_front(struct buf *b, size_t n)
{
    must(n <= b->n);
    if (n == 0) return;
    b->n -= n;
    memmove(b->p, b->p + n, b->n);
}

void buf_truncate(struct buf *b, size_t n)
{
    must(n <= b->n);
    b->n = n;
}
