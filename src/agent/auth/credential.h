/* The credential of an account: what is stored so that its user can be recognised.
 *
 * It is the value of a row in the store; everything in it is secret. It can hold
 *   - a password hash (hash.h), for PLAIN and LOGIN;
 *   - SCRAM keys, so that the password need never travel;
 *   - the prepared password itself, for CRAM-MD5, and only if the administrator switched that on:
 * it is DANGEROUS, because whoever reads the store then has every password in clear. */
#ifndef AGENT_AUTH_CREDENTIAL_H
#define AGENT_AUTH_CREDENTIAL_H

#include "agent/auth/scram.h"
#include "model/config.h"

enum { CREDENTIAL_BYTES_MAX = 4096 };

struct credential {
    struct str hash;                /* empty: no password logs in */
    struct scram_keys sha256, sha1; /* .iterations 0: none */
    struct str clear;               /* for CRAM-MD5; empty: none */
    bool disabled;                  /* nobody logs in, whatever else is set */
    int64_t changed_us;             /* wall clock of the last change */
};

/* What the configuration's block `auth` asks for. */
struct credential_wants {
    unsigned mechanisms; /* CONFIG_AUTH_*: decides what is stored, too */
    enum config_hash hash;
};

/* Append the stored form. The credential must keep the limits that credential_decode() checks. */
void credential_encode(const struct credential *c, struct buf *out);

/* Read the stored form; `out` holds views into `row`.
 * ERR_UNSUPPORTED: written by a later version. ERR_CORRUPT: anything else that is not a credential.
 */
enum err credential_decode(struct str row, struct credential *out);

/* A fresh credential from a password as the user gave it: a hash of the scheme that is wanted, and
 * what the wanted mechanisms need beside it. Not disabled, changed now. Takes as long as the costs
 * say (about 45 ms by standard) and does not yield. The result lives in `a`.
 *
 * Errors of password_prepare() and hash_make(). */
enum err credential_make(const struct credential_wants *wants, struct str password, struct arena *a,
                         struct credential *out);

/* A credential from a hash that comes from elsewhere (hash_import() tells the forms and errors). It
 * has no SCRAM keys; these are made at the first login with a password (auth_renew). */
enum err credential_import(struct str hash_text, struct arena *a, struct credential *out);

/* Would credential_make() write a better one today: a stale hash, missing or cheaper SCRAM keys, or
 * something in it that is switched off by now? */
bool credential_is_stale(const struct credential_wants *wants, const struct credential *c);

/* Iterations of SCRAM keys made today. */
uint32_t credential_scram_iterations(void);

#endif
