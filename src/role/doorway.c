#include "role/doorway.h"

#include "base/log.h"
#include "base/must.h"
#include "sys/fiber.h"

#include <stdlib.h>
#include <unistd.h>

enum { TAKE_AT_ONCE = 2, NO_PLACE_PAUSE_MS = 100 };

struct listener {
    struct list link;
    struct doorway *doorway;
    struct config *config;
    const struct config_listen *listen;
    struct watch watch;
    struct fiber *fiber;
    bool closing;
};

static void listener_free(struct listener *l)
{
    watch_close(&l->watch);
    config_free(&l->config);
    list_take(&l->link);
    free(l);
}

/* Take what waits. OK: come back after the next arrival. */
static enum err take_some(struct listener *l)
{
    for (int i = 0; i < TAKE_AT_ONCE; i++) {
        int fd;
        struct net_addr peer;
        enum err e = net_accept(l->watch.fd, &fd, &peer);
        if (e == ERR_AGAIN) return watch_wait_read(&l->watch, CLOCK_NEVER);
        if (e == ERR_LIMIT) {
            /* No descriptor left: those inside go on, the others wait in the queue. */
            log_warn("listen.no_descriptors", L_ERR(e));
            return fiber_sleep(NO_PLACE_PAUSE_MS);
        }
        if (e != OK) {
            log_warn("listen.accept_failed", L_ERR(e));
            return fiber_sleep(NO_PLACE_PAUSE_MS);
        }
        l->doorway->arrive(l->doorway->ctx, l->listen, fd, &peer);
    }
    fiber_yield(); /* greet those who came; the other processes take their share meanwhile */
    return OK;
}

static void life(void *arg)
{
    struct listener *l = arg;
    while (!l->closing) {
        if (take_some(l) == ERR_CANCELLED) break;
    }
    listener_free(l);
}

void doorway_init(struct doorway *d,
                  void (*arrive)(void *, const struct config_listen *, int,
                                 const struct net_addr *),
                  void *ctx)
{
    *d = (struct doorway){ .arrive = arrive, .ctx = ctx };
    list_init(&d->listeners);
}

void doorway_open(struct doorway *d, struct config *config, const struct config_listen *listen,
                  int fd)
{
    struct listener *l = calloc(1, sizeof *l);
    must(l != NULL);
    *l = (struct listener){ .doorway = d, .config = config_hold(config), .listen = listen };
    list_init(&l->link);
    if (watch_open(&l->watch, fd) != OK) {
        log_error("listen.no_place");
        close(fd);
        config_free(&l->config);
        free(l);
        return;
    }
    list_put(&d->listeners, &l->link);
    l->fiber = fiber_spawn("listener", life, l);
}

void doorway_close(struct doorway *d)
{
    LIST_EACH(at, &d->listeners)
    {
        struct listener *l = LIST_OWNER(at, struct listener, link);
        l->closing = true;
        fiber_cancel(l->fiber);
    }
}
