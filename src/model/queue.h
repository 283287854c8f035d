/* The queue: messages with recipients at other hosts. */
#ifndef MODEL_QUEUE_H
#define MODEL_QUEUE_H

#include "model/envelope.h"

struct queue_message {
    uint64_t message; /* id */
    struct str reverse_path, envid;
    enum dsn_ret ret;
    enum body_kind body;
    bool smtputf8, require_tls;
    struct str login; /* who submitted it, or empty */
    int64_t received_us;
    uint64_t bytes;
    uint32_t waiting; /* recipients left (of the shard that was asked) */
};

struct queue_rcpt {
    uint64_t message;
    uint32_t index; /* among the message's queued recipients; with `message` its name */
    struct str address, orcpt;
    uint8_t notify;      /* DSN_NOTIFY_* */
    struct str next_hop; /* domain or [literal], lower case */
    int64_t due_us;      /* when it is tried next */
    uint32_t attempts;
    int64_t tried_us;  /* last attempt, 0 before the first */
    struct str answer; /* what the last attempt got, one line; empty before */
};

/* Wire forms; the get functions return views into the source. */
void queue_message_put(struct buf *b, const struct queue_message *m);
void queue_message_get(struct wire *w, struct queue_message *out);
void queue_rcpt_put(struct buf *b, const struct queue_rcpt *r);
void queue_rcpt_get(struct wire *w, struct queue_rcpt *out);

#endif
