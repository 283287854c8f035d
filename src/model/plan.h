/* The plan: what shall happen to one message, recipient by recipient. The filter writes it, the
 * depot carries it out in one transaction. Nothing in it has to be parsed again. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "model/envelope.h"
#include "model/outcome.h"

/* So many items are one transaction of at most 10,000 writes and 8 MiB in the worst case. */
enum { PLAN_ITEM_MAX = 1024, PLAN_DIGEST_BYTES = 16 };

enum plan_act {
    PLAN_FILE,    /* into a mailbox here */
    PLAN_QUEUE,   /* a row for another host */
    PLAN_DISCARD, /* accepted and dropped, by rule */
};

struct plan_item {
    enum plan_act act;
    uint32_t rcpt;       /* index into the envelope's recipients that led here */
    struct str address;  /* final recipient address (RFC 3464 2.3.2) */
    uint64_t account;    /* PLAN_FILE: account id */
    struct str mailbox;  /* PLAN_FILE: "INBOX" ... ; made when it does not exist */
    uint32_t flags;      /* PLAN_FILE: MESSAGE_* system flags to set */
    struct str prefix;   /* PLAN_FILE: header lines served before the blob (Return-Path,
                            Delivered-To), CRLF each */
    struct str next_hop; /* PLAN_QUEUE: domain or [literal] */
};

struct plan {
    uint64_t message; /* id of the message, in logs, reply, Received; also the idempotency id of the
                         transaction */
    uint8_t digest[PLAN_DIGEST_BYTES]; /* of client, envelope and content: recognises a repeated
                                          intake (RFC 1047) */
    bool repeatable; /* digest holds; false: never treat as a repeat (submission without Message-ID
                        ...) */
    bool strict_quota;   /* an item over quota fails with ERR_OVER_QUOTA; else it is filed above the
                            quota */
    bool whole;          /* an item that fails fails the plan: one reply speaks for all (SMTP) */
    int64_t received_us; /* wall clock */
    struct peer peer;
    struct envelope envelope;
    struct str head; /* trace and mended header lines that go before the content */
    uint64_t stage;  /* the depot's stage that holds the content; 0: it is `content` */
    struct str content;
    struct str structure; /* compact record of head + content (syntax/structure.h) */
    uint64_t total_bytes; /* head + content */
    struct plan_item *items;
    size_t item_count;
};

/* What became of it. */
struct plan_result {
    uint64_t message; /* as in the plan, or the earlier message's when this was a repeat */
    bool repeated;    /* recognised: nothing was stored a second time */
    size_t item_count;
    uint8_t *items; /* enum err of each item */
};

void plan_put(struct buf *b, const struct plan *p);
void plan_get(struct wire *w, struct arena *a, struct plan *out);
void plan_result_put(struct buf *b, const struct plan_result *r);
void plan_result_get(struct wire *w, struct arena *a, struct plan_result *out);

#endif
