/* The outer waist: roles ask each other verbs over a channel.
 *
 * A door is one end of a link between two roles. Either side may call; calls are numbered, so many
 * are under way at once and answers come in any order. The verb table (verbs.h) says which role may
 * call which verb; a call that it does not allow ends the door, since no role of ours asks for what
 * it may not. */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "door/verbs.h"
#include "model/role.h"
#include "sys/fiber.h"

struct door;

/* A call being served. */
struct door_request {
    struct door *door;
    enum verb verb;
    struct str bytes; /* lives until the server returns */
    int fd; /* -1 or a descriptor that came along; the server closes or keeps it (set -1 then) */
    struct arena arena; /* for the server; freed after the reply has been queued */
    struct buf reply;   /* to be filled */
    int reply_fd;       /* -1 or a descriptor to send along */
};

/* Serves one verb in a fiber of its own; may wait. The error and `reply` go back (a reply may come
 * with an error as well). */
typedef enum err (*door_serve)(void *ctx, struct door_request *r);

struct door_service {
    enum verb verb;
    door_serve serve;
};

struct door_settings {
    enum role us, peer;
    const struct door_service *services; /* ends with { 0, NULL }; may be null: nothing is served */
    void *ctx;
    uint64_t account; /* sessions' doors: the account it is bound to; else 0 */
    void (*on_close)(void *ctx, struct door *d); /* once, after the link ended; may be null */
};

/* Take over one end of a channel. ERR_LIMIT, ERR_IO (the descriptor is closed then). */
enum err door_open(int fd, const struct door_settings *how, struct door **door_out);

/* Ask and wait for the answer.
 *   request    the verb's encoded request
 *   a          where the reply is copied to; reply_out lives as long as it
 *   reply_out  may be null when the verb answers nothing
 *   fd_out     may be null; else -1 or a descriptor that the caller owns now
 * The error is what the server returned, or ERR_CLOSED (link gone), ERR_LIMIT (request or reply
 * above the verb's maximum), ERR_BUSY (too many calls wait there already), ERR_TIMEOUT,
 * ERR_CANCELLED. */
enum err door_call(struct door *d, enum verb verb, struct str request, int64_t wait_ms,
                   struct arena *a, struct str *reply_out);
enum err door_call_fd(struct door *d, enum verb verb, struct str request, int fd, int64_t wait_ms,
                      struct arena *a, struct str *reply_out, int *fd_out);

/* Tell without waiting for an answer (waits only when the channel is full). ERR_CLOSED, ERR_LIMIT,
 * ERR_CANCELLED. */
enum err door_tell(struct door *d, enum verb verb, struct str request);

bool door_is_open(const struct door *d);
enum role door_peer(const struct door *d);
uint64_t door_account(const struct door *d);
void *door_ctx(const struct door *d);

/* End the link: calls under way here get ERR_CLOSED. The memory goes when the last request being
 * served has ended; the pointer is dead after on_close. Accepts null. */
void door_close(struct door **d);

/* ---- links: all doors to the roles of one kind ---- */

/* Twice the processes of a role: a new one may come before the end of the old one is noticed. */
enum { LINKS_MAX = 128 };
struct links {
    struct door *doors[LINKS_MAX];
    size_t count, next;
    struct waitline arrivals;
};
void links_init(struct links *l);
void links_put(struct links *l, struct door *d);
void links_drop(struct links *l, struct door *d);

/* An open door in turn; waits up to `wait_ms` for one to arrive (a role is being restarted).
 * ERR_UNAVAILABLE, ERR_CANCELLED. */
enum err links_pick(struct links *l, int64_t wait_ms, struct door **door_out);

#endif
