/* The envelope: what SMTP says about a message beside its content (RFC 5321 2.3.1), and the peer
 * that said it. Plain nouns: the edge fills them, the filter decides on them, the depot keeps them.
 */
#ifndef MODEL_ENVELOPE_H
#define MODEL_ENVELOPE_H

#include "base/arena.h"
#include "base/wire.h"

enum { ENVELOPE_RCPT_MAX = 10000 };

enum body_kind { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME }; /* RFC 6152, RFC 3030 */
enum dsn_ret { DSN_RET_NONE, DSN_RET_FULL, DSN_RET_HDRS };    /* RFC 3461 4.3 */

/* RFC 3461 4.1; 0 = the parameter was not given. */
enum { DSN_NOTIFY_NEVER = 1, DSN_NOTIFY_SUCCESS = 2, DSN_NOTIFY_FAILURE = 4, DSN_NOTIFY_DELAY = 8 };

struct recipient {
    struct str address; /* as given, without <> and source route: local part's case kept, domain
                           normalised */
    struct str orcpt;   /* "type;address" decoded from xtext; empty when not given */
    uint8_t notify;     /* DSN_NOTIFY_* */
};

struct envelope {
    struct str reverse_path; /* without <>; empty is the null reverse-path */
    struct str envid;        /* decoded; empty when not given */
    enum dsn_ret ret;
    enum body_kind body;
    bool smtputf8, require_tls;
    uint64_t size; /* declared by SIZE=, 0 when not */
    struct recipient *rcpts;
    size_t rcpt_count;
};

/* Which door the peer came in by; also the choice of rules. */
enum service {
    SERVICE_SMTP,
    SERVICE_SUBMISSION,
    SERVICE_SUBMISSIONS,
    SERVICE_LMTP,
    SERVICE_POP3,
    SERVICE_POP3S,
    SERVICE_LOCAL
};

struct peer {
    uint32_t conn; /* connection id, in every log line about it */
    enum service service;
    struct str ip; /* text of the address that counts (after PROXY or XCLIENT), "unix" for a local
                      socket */
    uint16_t port;
    struct str local_ip; /* our own end */
    uint16_t local_port;
    struct str helo;     /* argument of HELO, EHLO or LHLO; empty before */
    struct str name;     /* verified reverse name, or empty */
    bool extended;       /* EHLO or LHLO rather than HELO */
    struct str tls;      /* "TLSv1.3 TLS_AES_256_GCM_SHA384", empty in clear */
    struct str login;    /* account address when authenticated */
    struct str listener; /* file:line of the listen line */
};

/* Wire forms. The get functions return views into the source; lists live in the arena. A malformed
 * source sets w->bad and gives empty nouns. */
void envelope_put(struct buf *b, const struct envelope *e);
void envelope_get(struct wire *w, struct arena *a, struct envelope *out);
void peer_put(struct buf *b, const struct peer *p);
void peer_get(struct wire *w, struct peer *out);

/* "smtp", "submission" ... static lifetime. */
const char *service_name(enum service s);

#endif
