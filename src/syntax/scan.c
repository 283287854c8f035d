#include "syntax/scan.h"

#define ALPHA(c)   (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define DIGIT(c)   ((c) >= '0' && (c) <= '9')
#define VISIBLE(c) ((c) > 32 && (c) < 127)
/* specials of RFC 5322 3.2.3, tspecials of RFC 2045 5.1 */
#define SPECIAL(c)                                                                                 \
    ((c) == '(' || (c) == ')' || (c) == '<' || (c) == '>' || (c) == '[' || (c) == ']' ||           \
     (c) == ':' || (c) == ';' || (c) == '@' || (c) == '\\' || (c) == ',' || (c) == '"')
#define ATEXT(c) ((c) >= 128 || (VISIBLE(c) && !SPECIAL(c) && (c) != '.'))
#define TOKEN(c)                                                                                   \
    ((c) >= 128 || (VISIBLE(c) && !SPECIAL(c) && (c) != '/' && (c) != '?' && (c) != '='))

/* RFC 5321 4.1.2 and 4.1.3: quotes, literals, parameters; RFC 3461 4: xtext */
#define QTEXT(c)    ((c) >= 32 && (c) < 127 && (c) != '"' && (c) != '\\')
#define DCONTENT(c) (VISIBLE(c) && (c) != '[' && (c) != '\\' && (c) != ']')
#define XCHAR(c)    (VISIBLE(c) && (c) != '=' && (c) != '+')

#define ONE(c)                                                                                     \
    (uint32_t)(((c) == ' ' || (c) == '\t' ? BYTE_WSP : 0) | (ATEXT(c) ? BYTE_ATEXT : 0) |          \
               (TOKEN(c) ? BYTE_TOKEN : 0) | (VISIBLE(c) && (c) != ':' ? BYTE_FTEXT : 0) |         \
               (VISIBLE(c) ? BYTE_VCHAR : 0) |                                                     \
               (ALPHA(c) || DIGIT(c) || (c) == '-' ? BYTE_LDH : 0) |                               \
               ((c) >= 128 ? BYTE_HIGH : 0) | ((c) < 32 || (c) == 127 ? BYTE_CONTROL : 0) |        \
               (DIGIT(c) ? BYTE_DIGIT : 0) | (ALPHA(c) ? BYTE_ALPHA : 0) |                         \
               (ALPHA(c) || DIGIT(c) || (c) == '+' || (c) == '/' ? BYTE_BASE64 : 0) |              \
               ((c) < 128 && ATEXT(c) ? BYTE_ATOM : 0) | (QTEXT(c) ? BYTE_QTEXT : 0) |             \
               (DCONTENT(c) ? BYTE_DCONTENT : 0) | (VISIBLE(c) && (c) != '=' ? BYTE_VALUE : 0) |   \
               (XCHAR(c) ? BYTE_XCHAR : 0) | ((c) >= 32 && (c) < 127 ? BYTE_PRINT : 0))
#define FOUR(c)    ONE(c), ONE((c) + 1), ONE((c) + 2), ONE((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY(c)   SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint32_t byte_classes[256] = { SIXTY(0), SIXTY(64), SIXTY(128), SIXTY(192) };

bool str_all(struct str s, unsigned classes)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!byte_is(s.p[i], classes)) return false;
    }
    return true;
}

struct str scan_take(struct scan *s, size_t n)
{
    struct str taken = str_part(s->left, 0, n);
    s->left = str_skip(s->left, taken.n);
    return taken;
}

struct str scan_while(struct scan *s, unsigned classes)
{
    size_t n = 0;
    while (n < s->left.n && byte_is(s->left.p[n], classes)) {
        n++;
    }
    return scan_take(s, n);
}

struct str scan_word(struct scan *s)
{
    scan_while(s, BYTE_WSP);
    size_t n = 0;
    while (n < s->left.n && !byte_is(s->left.p[n], BYTE_WSP)) {
        n++;
    }
    return scan_take(s, n);
}

bool scan_text(struct scan *s, struct str text)
{
    if (!str_starts_nocase(s->left, text)) return false;
    s->left = str_skip(s->left, text.n);
    return true;
}

struct str scan_until(struct scan *s, char c)
{
    size_t n = str_find(s->left, c);
    return scan_take(s, n == STR_NOWHERE ? s->left.n : n);
}
