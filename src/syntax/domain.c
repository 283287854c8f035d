/* Labels are taken one by one: plain ones are checked and folded here, only those that need IDNA go
 * through libidn2 (lookup without UTS 46 mapping, so nothing is mapped away silently: what is not
 * in NFC-normalised IDNA2008 form is refused). A label that came as A-label must survive the way
 * back and forth. The Bidi rule is checked within a label, not across the labels of a name.
 *
 * Real names break the rule "no hyphens in third and fourth place" (content networks do), so it
 * holds only for "xn--" and for labels with other characters. */
#include "syntax/domain.h"
#include "syntax/utf8.h"

#include <idn2.h>

static bool is_a_label(struct str label)
{
    return str_starts_nocase(label, STR("xn--"));
}

static enum err put_idna(struct buf *b, struct str label)
{
    struct buf folded = BUF_INIT(DOMAIN_MAX + 1);
    uint8_t *a_label = NULL;

    buf_put_lower(&folded, label);
    buf_put_byte(&folded, 0);
    int result = idn2_lookup_u8((const uint8_t *)folded.p, &a_label,
                                IDN2_NFC_INPUT | IDN2_NO_TR46 | IDN2_USE_STD3_ASCII_RULES);
    if (result == IDN2_OK) buf_put(b, str_c((const char *)a_label));
    idn2_free(a_label);
    buf_free(&folded);
    if (result == IDN2_OK) return OK;
    return result == IDN2_TOO_BIG_LABEL || result == IDN2_TOO_BIG_DOMAIN ? ERR_LIMIT : ERR_INVALID;
}

static bool is_plain(struct str label, unsigned options)
{
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        bool fits = byte_is(c, BYTE_LDH | BYTE_HIGH);
        if (!fits && !(c == '_' && (options & DOMAIN_UNDERSCORE) != 0)) return false;
    }
    return true;
}

static enum err put_label(struct buf *b, struct str label, unsigned options)
{
    if (label.n == 0 || !is_plain(label, options)) return ERR_SYNTAX;
    if (label.p[0] == '-' || label.p[label.n - 1] == '-') return ERR_SYNTAX;

    size_t from = b->n;
    if (!utf8_is_ascii(label) || is_a_label(label)) {
        if (!utf8_valid(label)) return ERR_INVALID;
        enum err e = put_idna(b, label);
        if (e != OK) return e;
    } else {
        buf_put_lower(b, label);
    }
    return b->n - from > DOMAIN_LABEL_MAX ? ERR_LIMIT : OK;
}

enum err domain_normalise(struct str text, unsigned options, struct arena *a,
                          struct str *domain_out)
{
    struct buf b = BUF_INIT(DOMAIN_MAX);
    struct scan s = scan_of(text);
    enum err e = text.n > DOMAIN_MAX ? ERR_LIMIT : OK;

    if (e == OK) e = put_label(&b, scan_until(&s, '.'), options);
    while (e == OK && scan_byte(&s, '.')) {
        buf_put_byte(&b, '.');
        e = put_label(&b, scan_until(&s, '.'), options);
    }
    if (e == OK) e = buf_check(&b);
    if (e == OK) *domain_out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return e;
}

bool domain_is_below(struct str name, struct str domain)
{
    if (!str_ends(name, domain) || domain.n == 0) return false;
    return name.n == domain.n || name.p[name.n - domain.n - 1] == '.';
}

static void put_shown_label(struct buf *b, struct str label)
{
    struct buf c = BUF_INIT(DOMAIN_MAX + 1);
    char *shown = NULL;

    buf_put(&c, label);
    buf_put_byte(&c, 0);
    int result = is_a_label(label) ? idn2_to_unicode_8z8z(c.p, &shown, 0) : IDN2_INVALID_ALABEL;
    buf_put(b, result == IDN2_OK ? str_c(shown) : label);
    idn2_free(shown);
    buf_free(&c);
}

void domain_put_shown(struct buf *b, struct str domain)
{
    struct scan s = scan_of(str_part(domain, 0, DOMAIN_MAX));
    put_shown_label(b, scan_until(&s, '.'));
    while (scan_byte(&s, '.')) {
        buf_put_byte(b, '.');
        put_shown_label(b, scan_until(&s, '.'));
    }
}
