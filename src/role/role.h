/* A role: a process by rights. What all roles have in common: they are started by the keeper with
 * one channel to it, get the configuration, prepare, lock themselves in, are linked to the others,
 * and serve. */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "door/door.h"
#include "model/config.h"
#include "sys/sandbox.h"
#include "sys/tls.h"

struct role_self {
    const struct role_def *def;
    uint32_t index, siblings; /* which one of how many of its kind */
    int shared_fd;            /* shared memory of the siblings until begin() takes it; -1 */
    struct config *config;    /* replaced by a reload; never keep a view over a wait */
    struct tls_config *tls;   /* for servers; null without a certificate; replaced by a reload */
    struct door *control;     /* to the keeper */
    struct links links[ROLE_COUNT];
    bool stopping;
    int64_t stop_deadline_ms;
};

struct role_def {
    enum role role;
    bool wants_tls;    /* is given certificates and keys */
    bool wants_shared; /* is given memory shared with its siblings */
    /* May open files, once: before the process locks itself in. Words for the log in `why`. Null:
     * nothing. */
    enum err (*prepare)(struct role_self *r, struct buf *why);
    /* What it is due, beyond what every fiber process has. Null: nothing. */
    void (*rights)(const struct role_self *r, struct sandbox *box);
    /* Locked in: start what runs by itself. Null: nothing. */
    enum err (*begin)(struct role_self *r, struct buf *why);
    /* After a reload put the new configuration in place. Null: nothing. */
    void (*reload)(struct role_self *r);
    /* A listening socket: `listen` is null for the administrator's socket. Null: closed at once. */
    void (*listen)(struct role_self *r, const struct config_listen *listen, uint32_t index, int fd);
    /* Asked to end: take in nothing new, let what is under way finish until r->stop_deadline_ms.
     * Waits. Null: nothing. */
    void (*stop)(struct role_self *r);
    /* A link has ended. Null: nothing. */
    void (*link_closed)(struct role_self *r, struct door *d);
    const struct door_service *services[ROLE_COUNT]; /* by who asks */
};

/* The process's own role; null before role_main() has begun. */
extern struct role_self *role_self;

/* Life of a role process; returns its exit code. `name` as in ps. */
int role_main(const struct role_def *def);

/* The definition of a role that this release has, or null. */
const struct role_def *role_def(enum role r);

extern const struct role_def role_edge, role_session, role_filter, role_depot, role_authd;

/* The keeper's life: `config_path` absolute. Returns the exit code. */
int keeper_main(struct str config_path);

#endif
