#include "base/str.h"

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n > 0 ? memcmp(a.p, b.p, n) : 0;

    if (d != 0) return d;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (byte_lower(a.p[i]) != byte_lower(b.p[i])) return false;
    }
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_part(s, 0, prefix.n), prefix);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_part(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

struct str str_part(struct str s, size_t from, size_t n)
{
    if (from >= s.n) return STR_NONE;
    if (n > s.n - from) n = s.n - from;
    return str_of(s.p + from, n);
}

struct str str_skip(struct str s, size_t n)
{
    return str_part(s, n, SIZE_MAX);
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;
    return at != NULL ? (size_t)(at - s.p) : STR_NOWHERE;
}

size_t str_rfind(struct str s, char c)
{
    const char *at = s.n > 0 ? memrchr(s.p, c, s.n) : NULL;
    return at != NULL ? (size_t)(at - s.p) : STR_NOWHERE;
}

size_t str_find_str(struct str s, struct str needle)
{
    if (needle.n == 0) return 0;
    const char *at = s.n >= needle.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at != NULL ? (size_t)(at - s.p) : STR_NOWHERE;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_space(s.p[0])) {
        s = str_skip(s, 1);
    }
    while (s.n > 0 && is_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

bool str_cut(struct str *s, char sep, struct str *head_out)
{
    if (s->n == 0) return false;
    size_t at = str_find(*s, sep);
    if (at == STR_NOWHERE) {
        *head_out = *s;
        *s = STR_NONE;
    } else {
        *head_out = str_part(*s, 0, at);
        *s = str_skip(*s, at + 1);
    }
    return true;
}

enum err str_to_u64(struct str s, uint64_t max, uint64_t *value_out)
{
    uint64_t value = 0;

    if (s.n == 0) return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        if (!byte_is_digit(s.p[i])) return ERR_SYNTAX;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value) || value > max) {
            return ERR_RANGE;
        }
    }
    *value_out = value;
    return OK;
}

int byte_hex(char c)
{
    if (byte_is_digit(c)) return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
