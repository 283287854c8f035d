/* Mail addresses and the paths of SMTP.
 *
 *     Ann.Bee@Example.ORG   "two words"@[IPv6:2001:db8::1]   <@relay.example:ann@example.org>   <>
 *
 * Parsing gives meaning, not spelling: the local part without quotes and backslashes and with its
 * case kept, the domain in the one normal form. Two addresses are equal when both are equal byte
 * for byte. What was written is kept beside it for traces.
 *                                              Source: RFC 5321 4.1.2, 4.1.3, 4.5.3.1; RFC 6531 3.3
 */
#ifndef SYNTAX_ADDRESS_H
#define SYNTAX_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "syntax/ip.h"
#include "syntax/scan.h"

enum { ADDRESS_LOCAL_MAX = 64, ADDRESS_PATH_MAX = 256, ADDRESS_ROUTE_HOSTS_MAX = 20 };

enum address_domain_kind {
    ADDRESS_BARE,    /* no domain: <postmaster> */
    ADDRESS_DOMAIN,  /* a domain name */
    ADDRESS_IPV4,    /* [192.0.2.1] */
    ADDRESS_IPV6,    /* [IPv6:2001:db8::1] */
    ADDRESS_GENERAL, /* [tag:anything] */
};

struct mail_address {
    struct str local;        /* the value, unquoted; may be empty ("" as a quoted string) */
    struct str domain;       /* normal form; a literal in canonical form with its brackets */
    struct str domain_shown; /* as it was written */
    enum address_domain_kind kind;
    struct ip_addr ip; /* of ADDRESS_IPV4 and ADDRESS_IPV6 */
    bool local_utf8;   /* the local part has other than ASCII: only SMTPUTF8 can carry it */
    bool domain_utf8;  /* the domain was written with U-labels; `domain` is ASCII all the same */
};

struct path {
    struct str text;  /* as it was written, with the angle brackets */
    struct str route; /* "@a,@b" of a source route (RFC 5321 appendix C), or empty; to be ignored */
    bool null;        /* <>: no address */
    struct mail_address address;
};

enum address_option {
    ADDRESS_UTF8 = 1 << 0,        /* RFC 6531: UTF-8 in local parts and domains */
    ADDRESS_NULL = 1 << 1,        /* paths: <> */
    ADDRESS_POSTMASTER = 1 << 2,  /* "postmaster" may stand alone */
    ADDRESS_ANY_BARE = 1 << 3,    /* any local part may stand alone */
    ADDRESS_UNDERSCORE = 1 << 4,  /* tolerance: underscores in domains */
    ADDRESS_LONG_LOCAL = 1 << 5,  /* tolerance: only the path's limit holds for the local part, for
                                     bounce addresses that encode another address */
    ADDRESS_NO_BRACKETS = 1 << 6, /* tolerance: paths without angle brackets */
};

/* What was wrong; none is 0. */
#define ADDRESS_FAULTS(X)                                                                          \
    X(ADDRESS_FINE, "no fault")                                                                    \
    X(ADDRESS_FAULT_EMPTY, "an address is missing")                                                \
    X(ADDRESS_FAULT_OPEN, "'<' is missing before the address")                                     \
    X(ADDRESS_FAULT_CLOSE, "'>' is missing behind the address")                                    \
    X(ADDRESS_FAULT_ROUTE, "the source route is not in the grammar")                               \
    X(ADDRESS_FAULT_LOCAL, "the part before '@' is not in the grammar")                            \
    X(ADDRESS_FAULT_LOCAL_LONG, "the part before '@' is longer than 64 bytes")                     \
    X(ADDRESS_FAULT_QUOTE, "a quoted string is not closed or has a foreign byte")                  \
    X(ADDRESS_FAULT_NO_DOMAIN, "'@' and a domain are missing")                                     \
    X(ADDRESS_FAULT_DOMAIN, "the domain is not in the grammar")                                    \
    X(ADDRESS_FAULT_DOMAIN_LONG, "the domain or one of its labels is too long")                    \
    X(ADDRESS_FAULT_IDNA, "the domain is not a valid internationalised name")                      \
    X(ADDRESS_FAULT_LITERAL, "the address literal is not in the grammar")                          \
    X(ADDRESS_FAULT_UTF8, "not valid UTF-8")                                                       \
    X(ADDRESS_FAULT_NOT_ASCII, "the address is not ASCII, which only SMTPUTF8 allows")             \
    X(ADDRESS_FAULT_TRAILING, "something follows the address")                                     \
    X(ADDRESS_FAULT_LONG, "the address is longer than 256 bytes")

enum address_fault {
#define X(name, words) name,
    ADDRESS_FAULTS(X)
#undef X
        ADDRESS_FAULT_COUNT
};

/* Words for a human, static lifetime. */
const char *address_fault_words(enum address_fault fault);

/* Parse a path at the place of `s`, which moves behind it; on a fault it stands where the fault is.
 *
 *   options  bits of enum address_option
 *   a        holds every view of the result; nothing points into `s`
 *
 * The result is untouched on a fault. */
enum address_fault path_parse(struct scan *s, unsigned options, struct arena *a,
                              struct path *path_out);

/* Parse a whole text as an address without angle brackets (configuration, directory, logins).
 * `at_out` (may be null) is set on a fault: the offset of it. */
enum address_fault address_parse(struct str text, unsigned options, struct arena *a,
                                 struct mail_address *address_out, size_t *at_out);

/* Parse a whole text as "[...]". Fills kind, domain, domain_shown and ip only. */
enum address_fault address_literal_parse(struct str text, struct arena *a,
                                         struct mail_address *address_out);

/* Same local part (byte for byte) at the same domain. */
bool address_eq(const struct mail_address *x, const struct mail_address *y);

/* Append in the shortest correct spelling: quotes only where the grammar needs them. */
void address_put_local(struct buf *b, struct str local);
void address_write(struct buf *b, const struct mail_address *address);

/* Append with angle brackets; a null path is "<>". The source route is left out. */
void path_write(struct buf *b, const struct path *path);

#endif
