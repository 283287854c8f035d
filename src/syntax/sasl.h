/* The messages of the SASL mechanisms, bytes to structs. No secrets are judged here and nothing is
 * decoded beyond the grammar; all results are views into the message.
 *
 * Every parser refuses a NUL where the grammar has none, and is bounded by its input. */
#ifndef SYNTAX_SASL_H
#define SYNTAX_SASL_H

#include "base/buf.h"

enum { SASL_NONCE_MAX = 512 };

struct sasl_plain {
    struct str authzid; /* empty when not given */
    struct str login, password;
};

/* [authzid] NUL authcid NUL passwd. ERR_SYNTAX: not two NULs, or an empty login or password.
 *                                                                        Source: RFC 4616 2 */
enum err sasl_plain_parse(struct str message, struct sasl_plain *out);

struct sasl_cram {
    struct str login;
    struct str digest; /* 32 hexadecimal digits in lower case */
};

/* login SP digest; the login may hold spaces. ERR_SYNTAX.                Source: RFC 2195 2 */
enum err sasl_cram_parse(struct str message, struct sasl_cram *out);

struct sasl_scram_first {
    char flag;             /* 'n', 'y' or 'p' */
    struct str binding;    /* cb-name behind "p=", else empty */
    struct str authzid;    /* still encoded; empty when not given */
    struct str login;      /* still encoded */
    struct str nonce;      /* the client's */
    struct str gs2_header; /* with its closing comma */
    struct str bare;       /* client-first-message-bare */
};

/* client-first-message. ERR_SYNTAX; ERR_LIMIT: nonce above SASL_NONCE_MAX; ERR_UNSUPPORTED: a
 * mandatory extension ("m="), of which none exists.           Source: RFC 5802 5.1, 7; RFC 5801 4
 */
enum err sasl_scram_first_parse(struct str message, struct sasl_scram_first *out);

struct sasl_scram_final {
    struct str binding;       /* base64 of gs2-header and binding data */
    struct str nonce;         /* the client's and the server's */
    struct str proof;         /* base64 */
    struct str without_proof; /* client-final-message-without-proof */
};

/* client-final-message. ERR_SYNTAX.                                  Source: RFC 5802 5.1, 7 */
enum err sasl_scram_final_parse(struct str message, struct sasl_scram_final *out);

/* Append a saslname with =2C and =3D decoded. ERR_SYNTAX: another "=", a comma, a NUL, or empty;
 * `out` may then hold a part of it.                                     Source: RFC 5802 5.1, 7 */
enum err sasl_name_decode(struct str name, struct buf *out);

#endif
