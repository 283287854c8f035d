/* TLS 1.2 and 1.3, by OpenSSL, which never sees a descriptor: cipher bytes go in and out by calls,
 * so nothing here waits. sys/stream sits on top.
 *
 * A session's life: tls_new_server() or tls_new_client(), tls_handshake() until OK, tls_read() and
 * tls_write(), tls_close_notify(), tls_free(). Whatever a call says, take the cipher bytes and send
 * them afterwards (tls_take_cipher); even a failure may have left an alert for the peer there.
 *
 * A session that has ended (the peer's close_notify, or an error) has ended for ever: nothing that
 * arrives after it is looked at, and there is no way from a session back to clear text. */
#ifndef SYS_TLS_H
#define SYS_TLS_H

#include "base/arena.h"
#include "base/buf.h"

struct tls_config;
struct tls_session;

/* ---- configuration: made whole, never changed, shared by reference ---- */

/* A certificate with its chain (leaf first) and its private key, as PEM bytes. Certificates of
 * several key types for the same names (RSA beside P-256) are given as several pairs. */
struct tls_pair {
    struct str cert_pem, key_pem;
    struct str name; /* what messages call it, e.g. the path */
};

/* Read a pair from two files (which may be the same) into the arena. `why_out` gets the reason of a
 * failure in words. ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT (above TLS_PEM_MAX), ERR_IO. */
enum { TLS_PEM_MAX = 1024 * 1024 };
enum err tls_pair_read(const char *cert_path, const char *key_path, struct arena *a,
                       struct tls_pair *pair_out, struct buf *why_out);

/* What session tickets are sealed with, so that a client can resume at any process that has the
 * same seed. The secret of the next period follows from that of this one but not the reverse, and
 * old ones are forgotten: tickets are good for one period to two, and what was recorded earlier
 * stays sealed even if the process is taken over. */
struct tls_ticket_seed {
    int64_t period;
    uint8_t secret[32];
};
/* A fresh seed from the kernel's randomness. */
void tls_ticket_seed_new(struct tls_ticket_seed *seed_out);
/* Bring a kept seed to the present: before it is handed to a new process. */
void tls_ticket_seed_advance(struct tls_ticket_seed *seed);

enum tls_versions { TLS_12_OR_13, TLS_ONLY_13, TLS_ONLY_12 };

struct tls_server_options {
    const struct tls_pair *pairs; /* the first serves clients that name no host or an unknown one */
    size_t pair_count;
    const struct tls_ticket_seed *tickets; /* null: one for this config alone */
    enum tls_versions versions;
    const char *tls12_ciphers; /* OpenSSL's list syntax; null: ECDHE with AEAD, then with CBC */
};

/* Check and load everything. A host name that a client asks for (SNI) selects the pairs whose
 * certificate bears that name, exactly or by a wildcard for its first label (RFC 6125 6.4.3).
 *
 * ERR_INVALID with words in `why_out`: which pair, and what is wrong with it (no certificate in the
 * PEM, key of another certificate, key sealed by a password, unusable algorithm, bad list). */
enum err tls_config_new_server(const struct tls_server_options *o, struct tls_config **config_out,
                               struct buf *why_out);

struct tls_client_options {
    bool verify;       /* the server's chain and name; false: any certificate will do */
    struct str ca_pem; /* trusted roots; empty: the system's, which are read from files now */
    enum tls_versions versions;
};
enum err tls_config_new_client(const struct tls_client_options *o, struct tls_config **config_out,
                               struct buf *why_out);

/* One more owner. Sessions hold their own reference: a new configuration is a new object, and old
 * sessions finish with the old one. */
struct tls_config *tls_config_ref(struct tls_config *config);
void tls_config_free(struct tls_config **config);

/* When the first of the certificates expires (clock_wall_us() time), and which pair that is;
 * INT64_MAX for a client. An expired certificate is served none the less: mail must go on. */
int64_t tls_config_expires_us(const struct tls_config *config, struct str *name_out);

/* ---- sessions ---- */

enum {
    TLS_PUT_MAX = 64 * 1024,   /* cipher bytes waiting to be read */
    TLS_WRITE_MAX = 64 * 1024, /* clear bytes per tls_write() */
    TLS_OUT_HIGH = 128 * 1024, /* cipher bytes waiting to be sent, above which writing must wait */
    TLS_HELLO_MAX = 16 * 1024, /* a stranger's first message */
};

struct tls_session *tls_new_server(struct tls_config *config);

/* `host`: the server's name, sent as SNI and verified if the config says so; empty: neither. An IP
 * address is verified and not sent. Ends the process if `host` holds NUL or is above 255 bytes. */
struct tls_session *tls_new_client(struct tls_config *config, struct str host);
void tls_free(struct tls_session **s);

/* Before the handshake: the protocol names (RFC 7301) we speak, best first; they must outlive the
 * session. A server whose client offers names and none of these refuses the handshake (ALPACA); a
 * server without names ignores what is offered. */
void tls_set_alpn(struct tls_session *s, const struct str *names, size_t n);

/* Bytes from the network; copied. ERR_LIMIT: TLS_PUT_MAX are waiting already (read first);
 * ERR_CLOSED: the session has ended and the bytes are dropped. */
enum err tls_put_cipher(struct tls_session *s, struct str bytes);

/* Move what must go to the network to the end of `out` (whose ceiling must allow TLS_OUT_HIGH and
 * TLS_WRITE_MAX and a little). Without copying if `out` is empty: what memory it has is freed. */
void tls_take_cipher(struct tls_session *s, struct buf *out);

/* True: cipher bytes wait to be taken. */
bool tls_has_cipher(const struct tls_session *s);

/* Go on with the handshake. OK: done. ERR_AGAIN: more bytes from the peer are needed. ERR_TLS: it
 * failed, see tls_error(). ERR_CLOSED: the peer said goodbye. */
enum err tls_handshake(struct tls_session *s);

/* Clear bytes, 1 to `n` of them. ERR_AGAIN: more from the network is needed; ERR_CLOSED: the peer
 * said goodbye; ERR_TLS. Read until ERR_AGAIN. Only after the handshake. */
enum err tls_read(struct tls_session *s, void *to, size_t n, size_t *got_out);

/* Encrypt all of `bytes` (at most TLS_WRITE_MAX). ERR_AGAIN: nothing was taken, since TLS_OUT_HIGH
 * cipher bytes wait to be sent; ERR_CLOSED: after our own close_notify; ERR_TLS. Only after the
 * handshake. */
enum err tls_write(struct tls_session *s, struct str bytes);

/* Say goodbye; nothing can be written afterwards. What the peer still sends can be read. Harmless
 * at any time. */
void tls_close_notify(struct tls_session *s);

/* Why the session failed, in words for the log; empty if it did not. Lives as long as `s`. */
struct str tls_error(const struct tls_session *s);

/* ---- what is known after the handshake ---- */

/* Views live as long as the session. */
struct tls_info {
    struct str version; /* "TLSv1.3" */
    struct str cipher;  /* IETF name, "TLS_AES_128_GCM_SHA256" */
    unsigned bits;      /* of the cipher's key */
    struct str sni;     /* what the client asked for, or empty */
    struct str alpn;    /* what was agreed, or empty */
    bool resumed;
};
struct tls_info tls_info(const struct tls_session *s);

enum tls_binding {
    TLS_EXPORTER,         /* RFC 9266; TLS 1.2 only with the extended master secret */
    TLS_UNIQUE,           /* RFC 5929 3; TLS 1.2 with the extended master secret only */
    TLS_SERVER_END_POINT, /* RFC 5929 4 */
};
/* Append the channel binding data for SASL. ERR_UNSUPPORTED: not defined for this session. */
enum err tls_channel_binding(const struct tls_session *s, enum tls_binding kind, struct buf *out);

/* ---- resumption, client side ---- */

/* What the server gave us to come back with; ERR_NOT_FOUND: nothing yet (TLS 1.3 sends it after the
 * handshake, so read first). Take it before tls_free(). */
struct tls_ticket;
enum err tls_ticket_take(struct tls_session *s, struct tls_ticket **ticket_out);
/* Before the handshake; the ticket stays the caller's. */
void tls_ticket_use(struct tls_session *s, const struct tls_ticket *ticket);
void tls_ticket_free(struct tls_ticket **ticket);

#endif
