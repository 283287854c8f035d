/* Name and password preparation. The Unicode work is done by libidn (through libgsasl); this file
 * keeps its inputs bounded and free of NUL, and reads its outputs by the grammar of a mail address.
 *
 * Weak point: SASLprep speaks Unicode 3.2, so two spellings of a character that came later are two
 * names; and it is compatibility-folding, so that a local part written in full-width letters is
 * the same as one in ASCII (which is wanted: that is what the clients do). */
#include "agent/auth/login.h"
#include "agent/auth/secret.h"
#include "base/must.h"
#include "syntax/address.h"

#include <gsasl.h>
#include <stdlib.h>

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

static enum err name_parse(struct str raw, struct arena *a, struct mail_address *address)
{
    enum address_fault fault =
        address_parse(raw, ADDRESS_UTF8 | ADDRESS_ANY_BARE, a, address, NULL);
    if (fault == ADDRESS_FAULT_LOCAL_LONG || fault == ADDRESS_FAULT_DOMAIN_LONG ||
        fault == ADDRESS_FAULT_LONG)
        return ERR_LIMIT;
    if (fault != ADDRESS_FINE) return ERR_SYNTAX;
    return address->kind == ADDRESS_DOMAIN || address->kind == ADDRESS_BARE ? OK : ERR_INVALID;
}

/* The directory's spelling, and a domain for those that have none. */
static enum err name_put(struct str local, struct str domain, struct buf *out)
{
    struct buf spelt = BUF_INIT(LOGIN_MAX);
    address_put_local(&spelt, local);
    size_t local_bytes = spelt.n; /* preparation and quotes may have lengthened it */
    buf_put_byte(&spelt, '@');
    buf_put(&spelt, domain);
    enum err e = local_bytes > ADDRESS_LOCAL_MAX ? ERR_LIMIT : buf_check(&spelt);
    if (e == OK) buf_put_lower(out, buf_str(&spelt));
    buf_free(&spelt);
    return e == OK ? buf_check(out) : e;
}

/* The local part is prepared apart from the domain, as PRECIS has it (RFC 8265 3.1): SASLprep's
 * rule about directions would refuse any right-to-left local part at a left-to-right domain. */
enum err login_prepare(struct str raw, struct str default_domain, struct buf *out)
{
    struct arena a = ARENA_INIT(65536);
    struct buf local = BUF_INIT(LOGIN_RAW_MAX);
    struct mail_address address;
    size_t before = out->n;
    enum err e = raw.n > LOGIN_RAW_MAX ? ERR_LIMIT : name_parse(raw, &a, &address);

    if (e == OK && address.kind == ADDRESS_BARE) {
        address.domain = default_domain;
        if (default_domain.n == 0) e = ERR_INVALID;
    }
    if (e == OK) e = saslprep(address.local, LOGIN_RAW_MAX, &local);
    if (e == OK) e = name_put(buf_str(&local), address.domain, out);
    if (e != OK) buf_truncate(out, before);
    buf_free(&local);
    arena_free(&a);
    return e;
}

enum err password_prepare(struct str raw, struct buf *out)
{
    return raw.n > PASSWORD_MAX ? ERR_LIMIT : saslprep(raw, PASSWORD_MAX, out);
}
