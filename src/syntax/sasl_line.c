#include "syntax/sasl_line.h"
#include "syntax/base64.h"
#include "syntax/scan.h"

static bool is_mechanism(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!byte_is(name.p[i], BYTE_LDH) && name.p[i] != '_') return false;
    }
    return name.n > 0 && name.n <= SASL_MECHANISM_MAX;
}

static struct str in_capitals(struct arena *a, struct str name)
{
    char *p = arena_alloc(a, name.n, 1);
    for (size_t i = 0; i < name.n; i++) {
        bool low = name.p[i] >= 'a' && name.p[i] <= 'z';
        p[i] = low ? (char)(name.p[i] - 'a' + 'A') : name.p[i];
    }
    return str_of(p, name.n);
}

enum err sasl_start_parse(struct str text, struct arena *a, struct sasl_start *start_out)
{
    if (text.n > SASL_LINE_MAX) return ERR_LIMIT;
    struct scan s = scan_of(text);
    struct str mechanism = scan_until(&s, ' ');
    if (!is_mechanism(mechanism)) return ERR_SYNTAX;

    while (scan_byte(&s, ' ')) {
        /* RFC 4954 wants exactly one space; more of them mean nothing else. */
    }
    struct str initial = scan_while(&s, BYTE_VCHAR);
    if (!scan_end(&s)) return ERR_SYNTAX;
    *start_out = (struct sasl_start){
        .mechanism = in_capitals(a, mechanism),
        .has_initial = initial.n > 0,
        .initial = str_eq(initial, STR("=")) ? STR_NONE : arena_str(a, initial),
    };
    return OK;
}

enum err sasl_response_decode(struct buf *b, struct str line)
{
    if (line.n > SASL_LINE_MAX) return ERR_LIMIT;
    if (str_eq(line, STR("*"))) return ERR_CANCELLED;
    return base64_decode(b, line);
}

void sasl_challenge_put(struct buf *b, struct str prefix, struct str challenge)
{
    buf_put(b, prefix);
    base64_put(b, challenge);
    buf_put_lit(b, "\r\n");
}
