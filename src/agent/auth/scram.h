/* SCRAM, the server's side (RFC 5802, RFC 7677; channel bindings RFC 5929, RFC 9266).
 *
 * One exchange is: scram_first() with what the client says first, scram_challenge() once the keys
 * of its account are known, scram_final() with the client's proof. Nothing waits in here.
 *
 * Written here because libgsasl (2.2) binds to tls-unique and tls-exporter only, accepts a binding
 * flag in the mechanisms without -PLUS, compares proofs with memcmp(), and draws its nonce itself,
 * so that the examples of the RFCs cannot be replayed. Its client is what the tests talk to. */
#ifndef AGENT_AUTH_SCRAM_H
#define AGENT_AUTH_SCRAM_H

#include "base/arena.h"
#include "base/buf.h"

enum scram_hash { SCRAM_SHA1, SCRAM_SHA256 };
enum { SCRAM_KEY_MAX = 32, SCRAM_SALT_BYTES = 16, SCRAM_SALT_MAX = 64 };
enum { SCRAM_ITERATIONS_MIN = 4096, SCRAM_ITERATIONS_MAX = 10000000 };

/* Bytes of a key: 20 or 32. */
size_t scram_key_bytes(enum scram_hash hash);

/* What is stored of a password: enough to check a client and to prove ourselves, not enough to log
 * in elsewhere. Whoever reads it can guess the password at the price of `iterations`. */
struct scram_keys {
    uint32_t iterations; /* 0: there are none */
    struct str salt, stored_key, server_key;
};

/* Keys from a prepared password. The result lives in `a`. Takes about 0.3 us per iteration.
 *                                                                         Source: RFC 5802 3 */
void scram_keys_make(enum scram_hash hash, struct str password, struct str salt,
                     uint32_t iterations, struct arena *a, struct scram_keys *out);

/* Keys for a login that has none: the same salt for the same login as long as `secret` stays, and
 * no password that fits.                                                  Source: RFC 5802 9 */
void scram_keys_decoy(enum scram_hash hash, struct str login, struct str secret,
                      uint32_t iterations, struct arena *a, struct scram_keys *out);

/* Channel binding data of the connection, by type; empty: not to be had. */
struct scram_bindings {
    struct str exporter;  /* tls-exporter, RFC 9266 */
    struct str unique;    /* tls-unique, RFC 5929 3; never with TLS 1.3 */
    struct str end_point; /* tls-server-end-point, RFC 5929 4 */
};

struct scram {
    enum scram_hash hash;
    struct buf login, authzid; /* decoded, not prepared; authzid may be empty */
    struct buf nonce;          /* both halves */
    struct buf bound;          /* what "c=" has to decode to */
    struct buf messages;       /* AuthMessage as far as it is known */
    struct str stored_key, server_key;
};

/* Read the client's first message.
 *
 *   plus          the mechanism is a -PLUS one
 *   bindings      what we have; if there is any, a client that says it could bind but saw no offer
 *                 has been lied to
 *   server_nonce  our half: printable ASCII without comma, at least 18 random bytes' worth
 *
 * ERR_SYNTAX       not in the grammar
 * ERR_LIMIT        nonce or name too long
 * ERR_UNSUPPORTED  a mandatory extension, or a type of binding that we have no data for
 * ERR_INVALID      binding flag and mechanism do not go together: an offer was removed on the way
 *
 * scram_free() in any case.                                        Source: RFC 5802 5, 6 */
enum err scram_first(struct scram *s, enum scram_hash hash, bool plus,
                     const struct scram_bindings *bindings, struct str server_nonce,
                     struct str message);

/* Append our first message. `keys` must live as long as `s`. */
void scram_challenge(struct scram *s, const struct scram_keys *keys, struct buf *out);

/* Read the client's final message, append ours.
 *
 * ERR_SYNTAX   not in the grammar
 * ERR_INVALID  another nonce or channel binding than agreed
 * ERR_DENIED   the proof does not fit the keys; nothing is appended then */
enum err scram_final(struct scram *s, struct str message, struct buf *out);

void scram_free(struct scram *s);

#endif
