/* The edge: strangers' SMTP, LMTP and submission connections. No files, no mail, no other networks.
 */
#include "role/role.h"

#include "base/must.h"
#include "proto/smtp/smtp.h"
#include "role/doorway.h"
#include "sys/net.h"

static struct smtp_world world;
static struct doorway doorway;

static void arrive(void *ctx, const struct config_listen *listen, int fd,
                   const struct net_addr *peer)
{
    (void)ctx;
    smtp_serve(&world, listen, fd, peer);
}

static void set_world(struct role_self *r)
{
    world.config = r->config;
    world.tls = r->tls;
}

static enum err begin(struct role_self *r, struct buf *why)
{
    smtp_world_init(&world);
    world.filter = &r->links[ROLE_FILTER];
    world.depot = &r->links[ROLE_DEPOT];
    world.authd = &r->links[ROLE_AUTHD];
    set_world(r);
    doorway_init(&doorway, arrive, NULL);
    enum err e = crowd_open(r->shared_fd, r->index, r->siblings, &world.crowd);
    r->shared_fd = -1;
    if (e != OK) buf_put_lit(why, "no shared memory for the counts of connections");
    return e;
}

static void reload(struct role_self *r)
{
    set_world(r);
    doorway_close(&doorway); /* the keeper gives all listeners again, with their new lines */
}

static void listen(struct role_self *r, const struct config_listen *l, uint32_t index, int fd)
{
    (void)index;
    must(l != NULL);
    doorway_open(&doorway, r->config, l, fd);
}

static void stop(struct role_self *r)
{
    doorway_close(&doorway);
    smtp_world_stop(&world, r->stop_deadline_ms);
}

static void link_closed(struct role_self *r, struct door *d)
{
    (void)r;
    smtp_door_gone(&world, d);
}

static void rights(const struct role_self *r, struct sandbox *box)
{
    (void)r;
    box->calls = SANDBOX_ACCEPT;
}

const struct role_def role_edge = {
    .role = ROLE_EDGE,
    .wants_tls = true,
    .wants_shared = true,
    .rights = rights,
    .begin = begin,
    .reload = reload,
    .listen = listen,
    .stop = stop,
    .link_closed = link_closed,
};
