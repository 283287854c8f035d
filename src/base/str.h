/* struct str: bytes that somebody else owns.
 *
 * All input, from the first byte read to the last parser, travels as views. A view never owns,
 * never ends in NUL by promise, and an absent value is a view of length 0 (`p` may then be anything
 * but is never followed). NUL-terminated strings exist only at the kernel's and the libraries'
 * doors. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct str {
    const char *p;
    size_t n;
};

#define STR_INIT(lit)                                                                              \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }                                        /* in tables */
#define STR(lit) ((struct str)STR_INIT(lit)) /* in expressions */
#define STR_NONE ((struct str){ "", 0 })

/* View of `n` bytes at `p`. */
static inline struct str str_of(const void *p, size_t n)
{
    return (struct str){ n > 0 ? (const char *)p : "", n };
}

/* View of a NUL-terminated string; null becomes empty. */
static inline struct str str_c(const char *c)
{
    return c != NULL ? str_of(c, strlen(c)) : STR_NONE;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Byte order, shorter first among equal prefixes: <0, 0, >0. */
int str_cmp(struct str a, struct str b);

/* Equality with ASCII letters folded; other bytes are compared as they are (RFC 5321 2.4). */
bool str_eq_nocase(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Part of `s` from byte `from`, at most `n` bytes; out-of-range parts are cut, never an error. */
struct str str_part(struct str s, size_t from, size_t n);

/* `s` without its first `n` bytes (all of them if it is shorter). */
struct str str_skip(struct str s, size_t n);

/* Index of the first/last byte `c`, or STR_NOWHERE. */
#define STR_NOWHERE SIZE_MAX
size_t str_find(struct str s, char c);
size_t str_rfind(struct str s, char c);

/* Index of the first place where `needle` stands in `s`, or STR_NOWHERE. An empty needle is at 0.
 */
size_t str_find_str(struct str s, struct str needle);

/* `s` without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);

/* Cut at the first `sep`: what stands before it into `head_out`, what stands behind it stays in
 * `*s`. Without a `sep`, all of `*s` becomes the head and `*s` becomes empty. False when `*s` was
 * empty. */
bool str_cut(struct str *s, char sep, struct str *head_out);

/* Decimal digits only, all of `s`, no sign, no space. ERR_SYNTAX, ERR_RANGE (above `max`). */
enum err str_to_u64(struct str s, uint64_t max, uint64_t *value_out);

/* ASCII classes; never look at the locale. */
static inline bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool byte_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline char byte_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
/* Value of a hexadecimal digit, or -1. */
int byte_hex(char c);

#endif
