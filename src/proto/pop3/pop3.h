/* The POP3 server (RFC 1939, 2449, 2595, 5034, 6856). One fiber a connection; after login
 * everything goes through a door that is bound to the account. */
#ifndef PROTO_POP3_POP3_H
#define PROTO_POP3_POP3_H

#include "door/door.h"
#include "model/config.h"
#include "sys/net.h"
#include "sys/tls.h"

/* What all sessions of a process share. Owned by the role. */
struct pop3_world {
    struct links *authd;
    struct config *config;
    struct tls_config *tls; /* null: no certificate, no STLS */
    struct list sessions;
    size_t session_count;
    bool stopping;
    struct waitline left;
};

void pop3_world_init(struct pop3_world *w);

/* Serve a connection in a fiber of its own. Takes `fd` over. */
void pop3_serve(struct pop3_world *w, const struct config_listen *listen, int fd,
                const struct net_addr *peer);

/* Ask the sessions to end: those that wait for a command do now, the others after theirs. Deletions
 * that were not confirmed by QUIT are not done (RFC 1939 6). Waits until all have ended or
 * `deadline_ms`. */
void pop3_world_stop(struct pop3_world *w, int64_t deadline_ms);

#endif
