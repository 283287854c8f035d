/* A doorway: the listening sockets of a role and the fibers that take connections from them. */
#ifndef ROLE_DOORWAY_H
#define ROLE_DOORWAY_H

#include "base/list.h"
#include "model/config.h"
#include "sys/net.h"

struct doorway {
    struct list listeners;
    void (*arrive)(void *ctx, const struct config_listen *listen, int fd,
                   const struct net_addr *peer);
    void *ctx;
};

/* `arrive` takes each connection over; it must not wait. `listen` is null for the administrator's
 * socket and lives during the call. */
void doorway_init(struct doorway *d,
                  void (*arrive)(void *, const struct config_listen *, int,
                                 const struct net_addr *),
                  void *ctx);

/* Take connections from `fd` (taken over). The configuration is held as long as the listener lives.
 */
void doorway_open(struct doorway *d, struct config *config, const struct config_listen *listen,
                  int fd);

/* Stop taking connections: all listeners of this process are closed. */
void doorway_close(struct doorway *d);

#endif
