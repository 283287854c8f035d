/* The administrator's door: commands of the command line, from a local socket whose peer the kernel
 * names. */
#include "role/depot.h"

#include "base/must.h"

#include <unistd.h>

static const struct door_service services[] = {
    { VERB_NONE, NULL },
};

void depot_admin_arrive(void *ctx, const struct config_listen *listen, int fd,
                        const struct net_addr *peer)
{
    struct net_cred cred;
    struct door *d = NULL;
    (void)ctx;
    (void)peer;
    must(listen == NULL);
    /* Root, or whoever the depot itself runs as. */
    if (net_peer_cred(fd, &cred) != OK || (cred.uid != 0 && cred.uid != getuid())) {
        log_warn("admin.refused", L_U64("uid", cred.uid));
        close(fd);
        return;
    }
    struct door_settings how = { .us = ROLE_DEPOT, .peer = ROLE_TOOL, .services = services };
    err_ignore(door_open(fd, &how, &d)); /* without a place the tool sees its end */
}
