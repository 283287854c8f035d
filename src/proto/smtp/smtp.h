/* The SMTP server: receiver-SMTP, submission and LMTP (RFC 5321, 6409, 2033). One fiber a
 * connection; it knows words, not mail: every decision is asked of another role through a door. */
#ifndef PROTO_SMTP_SMTP_H
#define PROTO_SMTP_SMTP_H

#include "door/door.h"
#include "model/config.h"
#include "proto/smtp/crowd.h"
#include "sys/net.h"
#include "sys/tls.h"

/* What all sessions of a process share. Owned by the role. */
struct smtp_world {
    struct links *filter, *depot, *authd;
    struct config *config;  /* held; sessions hold it for themselves */
    struct tls_config *tls; /* null: no certificate, no STARTTLS */
    struct crowd *crowd;    /* who is connected, across all processes */
    struct list sessions;
    size_t session_count;
    bool stopping;
    struct waitline left; /* woken when a session ends */
};

void smtp_world_init(struct smtp_world *w);

/* Serve a connection in a fiber of its own. Takes `fd` over.
 *   listen  line of the configuration; copied as far as it is needed */
void smtp_serve(struct smtp_world *w, const struct config_listen *listen, int fd,
                const struct net_addr *peer);

/* A link to a depot has ended: whoever staged a body through it says so at the end of its data. */
void smtp_door_gone(struct smtp_world *w, const struct door *d);

/* Ask the sessions to end: those between transactions say 421 now, the others after theirs. Waits
 * until all have or `deadline_ms` has passed; then they are cut off. */
void smtp_world_stop(struct smtp_world *w, int64_t deadline_ms);

#endif
