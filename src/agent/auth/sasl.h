/* The SASL server (RFC 4422): PLAIN, LOGIN, SCRAM-SHA-256, SCRAM-SHA-256-PLUS and, where the
 * administrator switched them on, SCRAM-SHA-1 and CRAM-MD5. What is offered of them on a
 * connection, model/mechanism.h says; the same rule is checked here again.
 *
 *     sasl_open()  one room for the process: where accounts are looked up
 *     sasl_begin() one exchange
 *     sasl_step()  what the client says, until it is done or refused
 *     sasl_free()
 *
 * A login that does not exist, one that is disabled and a wrong password go through the same steps
 * at the same price and end in the same refusal; only sasl_result() tells them apart, for the log.
 *
 * The dialog of the mechanisms is ours; libgsasl prepares the strings (login.h) and is the client
 * that the tests speak to. Why not its server side: scram.h says it for SCRAM; its PLAIN refuses
 * passwords with characters later than Unicode 3.2, and its LOGIN ignores an initial response. */
#ifndef AGENT_AUTH_SASL_H
#define AGENT_AUTH_SASL_H

#include "agent/auth/credential.h"

enum { SASL_INPUT_MAX = 12288 }; /* decoded bytes of one step (RFC 4954 4 allows as much encoded) */

/* An account as the look-up finds it; everything lives in the arena that it was given. */
struct sasl_account {
    uint64_t id;
    struct str name;              /* primary address: what the login turns into */
    struct credential credential; /* .disabled: the account or its credential is */
};

struct sasl_backend {
    void *ctx;
    /* Find the account of a prepared login; may wait. OK, ERR_NOT_FOUND, or any other error: the
     * exchange then ends as SASL_LATER with it. */
    enum err (*lookup)(void *ctx, void *who, struct str login, struct arena *a,
                       struct sasl_account *out);
    /* May be null. The user has just proved the password and `fresh` is a better credential for
     * it: store it if the stored one is still what the look-up found. May wait; what goes wrong is
     * its own to report. */
    void (*renew)(void *ctx, void *who, const struct sasl_account *account,
                  const struct credential *fresh);
};

/* What the connection allows. */
struct sasl_terms {
    bool private; /* under TLS, or on loopback where that is permitted: else nobody logs in */
    struct scram_bindings bindings;
    void *who; /* given to the look-up: whose exchange this is */
};

enum sasl_state { SASL_CONTINUE = 1, SASL_DONE, SASL_FAIL };

#define SASL_WHYS(X)                                                                               \
    X(SASL_FINE, "fine")                                                                           \
    X(SASL_BAD_PASSWORD, "bad-password")                                                           \
    X(SASL_NO_ACCOUNT, "no-account")                                                               \
    X(SASL_NO_KEYS, "no-keys") /* nothing stored that this mechanism could check */                \
    X(SASL_DISABLED, "disabled")                                                                   \
    X(SASL_BAD_AUTHZID, "bad-authzid") /* wants to act for somebody else */                        \
    X(SASL_BAD_SYNTAX, "bad-syntax")                                                               \
    X(SASL_BAD_BINDING, "bad-channel-binding") /* another channel, or a removed offer */           \
    X(SASL_LATER, "unavailable") /* the look-up or the verifier failed: sasl_result.err */

enum sasl_why {
#define X(name, word) name,
    SASL_WHYS(X)
#undef X
        SASL_WHY_COUNT
};

struct sasl_result {
    struct str mechanism;
    struct str login;   /* as prepared; as it came when it could not be; empty before it is known */
    struct str account; /* primary address; empty unless SASL_DONE */
    uint64_t account_id;
    bool clear_password; /* the mechanism shows us the password */
    enum sasl_why why;
    enum err err; /* of the look-up or the stored hash */
};

struct sasl_room;
struct sasl;

struct sasl_settings {
    struct credential_wants wants;
    struct str default_domain; /* for logins without one, in normal form; empty: they are refused */
    struct str host;           /* our name, for CRAM-MD5's challenge */
};

/* Open the room; the settings are copied.
 *   decoy_key  secret that makes the salts shown for accounts that do not exist repeatable; empty:
 *              a random one, good as long as the process lives */
struct sasl_room *sasl_open(const struct sasl_backend *backend,
                            const struct sasl_settings *settings, struct str decoy_key);
void sasl_close(struct sasl_room **room); /* after the last exchange; accepts null */

/* Other settings from now on, for exchanges under way, too (except for their mechanism). */
void sasl_configure(struct sasl_room *room, const struct sasl_settings *settings);

/* Begin an exchange. The terms' views are copied.
 * ERR_UNSUPPORTED  no such mechanism, switched off, or -PLUS without binding data
 * ERR_DENIED       not on this connection: it needs TLS (RFC 4954 6: 538) */
enum err sasl_begin(struct sasl_room *room, const struct sasl_terms *terms, struct str mechanism,
                    struct sasl **sasl_out);

/* Take the client's next message and append ours to `out`. The first call takes the initial
 * response, or nothing. May wait in the look-up, and takes as long as a password hash does.
 *
 *   SASL_CONTINUE  `out` is the challenge, perhaps empty
 *   SASL_DONE      logged in; nothing to be said
 *   SASL_FAIL      refused; nothing to be said
 *
 * No further call after the last two. */
enum sasl_state sasl_step(struct sasl *s, struct str input, struct buf *out);

/* What is known so far; views live as long as the exchange. */
const struct sasl_result *sasl_result(const struct sasl *s);

/* Append the 32 hexadecimal digits that answer a CRAM-MD5 challenge.      Source: RFC 2195 2 */
void sasl_cram_digest(struct str secret, struct str challenge, struct buf *out);

/* "bad-password"; static lifetime. */
const char *sasl_why_word(enum sasl_why why);

void sasl_free(struct sasl **s);

#endif
