/* Name and password preparation. The Unicode work is done by libidn (through libgsasl) and libidn2;
 * this file keeps their inputs bounded and free of NUL, and checks their outputs against the
 * grammar of a mail address.
 *
 * Weak point: SASLprep speaks Unicode 3.2, so two spellings of a character that came later are two
 * names; and it is compatibility-folding, so that a name written in full-width letters is the
 * same as one in ASCII (which is wanted: that is what the clients do). */
#include "agent/auth/login.h"
#include "agent/auth/secret.h"
#include "base/must.h"

#include <gsasl.h>
#include <idn2.h>
#include <stdlib.h>

enum { LOCAL_MAX = 64, DOMAIN_MAX = 255, LABEL_MAX = 63 };

/* Copy with a NUL behind it, for the libraries. Caller wipes and frees. */
static char *c_copy(struct str s)
{
    char *c = malloc(s.n + 1);
    must(c != NULL);
    if (s.n > 0) memcpy(c, s.p, s.n);
    c[s.n] = '\0';
    return c;
}

/* SASLprep of a query string (RFC 3454 7: unassigned code points pass), at most `max` bytes. The
 * flag is 0 because libgsasl means it the wrong way round: with GSASL_ALLOW_UNASSIGNED, which it
 * hands on as libidn's STRINGPREP_NO_UNASSIGNED, such code points are refused (the test would tell
 * if that were ever mended). */
static enum err saslprep(struct str raw, size_t max, struct buf *out)
{
    if (raw.n == 0 || str_find(raw, '\0') != STR_NOWHERE) return ERR_SYNTAX;
    char *in = c_copy(raw);
    char *prepared = NULL;
    int rc = gsasl_saslprep(in, 0, &prepared, NULL);
    secret_wipe(in, raw.n);
    free(in);
    must(rc != GSASL_MALLOC_ERROR);
    if (rc != GSASL_OK) return ERR_SYNTAX;

    struct str s = str_c(prepared);
    enum err e = s.n == 0 ? ERR_SYNTAX : s.n > max ? ERR_LIMIT : OK;
    if (e == OK) buf_put(out, s);
    secret_wipe(prepared, s.n);
    gsasl_free(prepared);
    return e != OK ? e : buf_check(out);
}

static bool label_is_good(struct str label)
{
    if (label.n == 0 || label.n > LABEL_MAX) return false;
    if (label.p[0] == '-' || label.p[label.n - 1] == '-') return false;
    for (size_t i = 0; i < label.n; i++) {
        if (!byte_is_alpha(label.p[i]) && !byte_is_digit(label.p[i]) && label.p[i] != '-')
            return false;
    }
    return true;
}

static bool domain_is_good(struct str domain)
{
    struct str label, left = domain;

    if (domain.n == 0 || domain.n > DOMAIN_MAX || str_ends(domain, STR("."))) return false;
    while (str_cut(&left, '.', &label)) {
        if (!label_is_good(label)) return false;
    }
    return true;
}

enum err login_domain_prepare(struct str domain, struct buf *out)
{
    if (domain.n == 0 || domain.n > LOGIN_RAW_MAX || str_find(domain, '\0') != STR_NOWHERE)
        return ERR_SYNTAX;
    char *in = c_copy(domain);
    uint8_t *ascii = NULL;
    int rc = idn2_lookup_u8((const uint8_t *)in, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    free(in);
    must(rc != IDN2_MALLOC);
    if (rc != IDN2_OK) return ERR_SYNTAX;

    struct str s = str_c((const char *)ascii);
    bool good = domain_is_good(s);
    if (good) buf_put_lower(out, s);
    idn2_free(ascii);
    return good ? buf_check(out) : ERR_SYNTAX;
}

/* `name` is prepared; put it together with its domain. */
static enum err name_put(struct str name, struct str default_domain, struct buf *out)
{
    size_t at = str_rfind(name, '@');
    struct str local = at == STR_NOWHERE ? name : str_part(name, 0, at);

    if (local.n == 0 || str_find(local, '@') != STR_NOWHERE) return ERR_SYNTAX;
    if (local.n > LOCAL_MAX) return ERR_LIMIT;
    if (at == STR_NOWHERE && default_domain.n == 0) return ERR_INVALID;

    buf_put_lower(out, local);
    buf_put_byte(out, '@');
    if (at != STR_NOWHERE) return login_domain_prepare(str_skip(name, at + 1), out);
    buf_put(out, default_domain);
    return buf_check(out);
}

enum err login_prepare(struct str raw, struct str default_domain, struct buf *out)
{
    if (raw.n > LOGIN_RAW_MAX) return ERR_LIMIT;
    struct buf name = BUF_INIT(LOGIN_RAW_MAX);
    enum err e = saslprep(raw, LOGIN_RAW_MAX, &name);
    size_t before = out->n;
    if (e == OK) e = name_put(buf_str(&name), default_domain, out);
    if (e != OK) buf_truncate(out, before);
    buf_free(&name);
    return e;
}

enum err password_prepare(struct str raw, struct buf *out)
{
    return raw.n > PASSWORD_MAX ? ERR_LIMIT : saslprep(raw, PASSWORD_MAX, out);
}
