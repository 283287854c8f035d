/* The session role: users' POP3 connections. After a login everything goes through a door that is
 * bound to the account; no files, no other accounts. */
#include "role/role.h"

#include "base/must.h"
#include "proto/pop3/pop3.h"
#include "role/doorway.h"

static struct pop3_world world;
static struct doorway doorway;

static void arrive(void *ctx, const struct config_listen *listen, int fd,
                   const struct net_addr *peer)
{
    (void)ctx;
    pop3_serve(&world, listen, fd, peer);
}

static void set_world(struct role_self *r)
{
    world.config = r->config;
    world.tls = r->tls;
}

static enum err begin(struct role_self *r, struct buf *why)
{
    (void)why;
    pop3_world_init(&world);
    world.authd = &r->links[ROLE_AUTHD];
    set_world(r);
    doorway_init(&doorway, arrive, NULL);
    return OK;
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
    pop3_world_stop(&world, r->stop_deadline_ms);
}

static void rights(const struct role_self *r, struct sandbox *box)
{
    (void)r;
    box->calls = SANDBOX_ACCEPT;
}

const struct role_def role_session = {
    .role = ROLE_SESSION,
    .wants_tls = true,
    .rights = rights,
    .begin = begin,
    .reload = reload,
    .listen = listen,
    .stop = stop,
};
