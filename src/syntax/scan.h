/* Reading bytes from front to back, and the byte classes of the mail grammars.
 *
 * The one way the message parsers look at input: a scan never reads past its end, whatever it is
 * asked, and what it hands out are views into its source. Cannot fail. */
#ifndef SYNTAX_SCAN_H
#define SYNTAX_SCAN_H

#include "base/str.h"

enum byte_class {
    BYTE_WSP = 1,       /* space, tab                                        RFC 5234 B.1 */
    BYTE_ATEXT = 2,     /* atext, with bytes from 0x80 on        RFC 5322 3.2.3, RFC 6532 3.2 */
    BYTE_TOKEN = 4,     /* MIME token; bytes from 0x80 on are tolerated      RFC 2045 5.1 */
    BYTE_FTEXT = 8,     /* bytes of a field's name                           RFC 5322 3.6.8 */
    BYTE_VCHAR = 16,    /* visible ASCII                                     RFC 5234 B.1 */
    BYTE_LDH = 32,      /* letters, digits, hyphen                           RFC 1035 2.3.1 */
    BYTE_HIGH = 64,     /* 0x80 and above */
    BYTE_CONTROL = 128, /* 0 to 31 and 127 */
    BYTE_DIGIT = 256,
    BYTE_ALPHA = 512,
    BYTE_BASE64 = 1024,   /* alphabet of base64 without "="                    RFC 4648 4 */
    BYTE_ATOM = 2048,     /* atext, ASCII only                                 RFC 5321 4.1.2 */
    BYTE_QTEXT = 4096,    /* qtextSMTP: in quotes, no quote, no backslash      RFC 5321 4.1.2 */
    BYTE_DCONTENT = 8192, /* inside of an address literal                    RFC 5321 4.1.3 */
    BYTE_VALUE = 16384,   /* esmtp-value: visible, without "="               RFC 5321 4.1.2 */
    BYTE_XCHAR = 32768,   /* stands for itself in xtext                      RFC 3461 4 */
    BYTE_PRINT = 65536,   /* visible ASCII and space */
};

/* Class bits of each byte. */
extern const uint32_t byte_classes[256];

/* Is `c` in one of `classes` (bits of enum byte_class, or'ed)? */
static inline bool byte_is(char c, unsigned classes)
{
    return (byte_classes[(unsigned char)c] & classes) != 0;
}

/* Is every byte of `s` in one of `classes`? True for an empty one. */
bool str_all(struct str s, unsigned classes);

struct scan {
    struct str left; /* what has not been read yet */
};

static inline struct scan scan_of(struct str s)
{
    return (struct scan){ .left = s };
}

/* Next byte as 0 to 255 without taking it, or -1 at the end. */
static inline int scan_peek(const struct scan *s)
{
    return s->left.n > 0 ? (unsigned char)s->left.p[0] : -1;
}

/* Take one byte: 0 to 255, or -1 at the end. */
static inline int scan_get(struct scan *s)
{
    int c = scan_peek(s);
    if (c >= 0) s->left = str_of(s->left.p + 1, s->left.n - 1);
    return c;
}

/* Take the next byte if it is `c`; tells whether. */
static inline bool scan_byte(struct scan *s, char c)
{
    if (scan_peek(s) != (unsigned char)c) return false;
    scan_get(s);
    return true;
}

static inline bool scan_end(const struct scan *s)
{
    return s->left.n == 0;
}

/* Is the next byte in one of `classes`? Takes nothing. */
static inline bool scan_is(const struct scan *s, unsigned classes)
{
    return s->left.n > 0 && byte_is(s->left.p[0], classes);
}

/* What was taken since `s->left` was `from`. */
static inline struct str scan_since(const struct scan *s, struct str from)
{
    return str_part(from, 0, from.n - s->left.n);
}

/* Take `text` if it comes next, ASCII letters folded; tells whether. */
bool scan_text(struct scan *s, struct str text);

/* Take up to the next `c`, not with it, or to the end. */
struct str scan_until(struct scan *s, char c);

/* Take `n` bytes, or what is left. */
struct str scan_take(struct scan *s, size_t n);

/* Take bytes as long as they are in one of `classes`; may be empty. */
struct str scan_while(struct scan *s, unsigned classes);

/* Take the next word: skips spaces and tabs before it, ends before the next one. */
struct str scan_word(struct scan *s);

#endif
