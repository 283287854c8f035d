/* Doors: numbered calls over a channel.
 *
 * The reader fiber of a door cuts frames and either wakes the caller whose answer came or starts a
 * fiber that serves the call. A call's number is its slot and the slot's generation, so that a late
 * answer to a call that timed out finds nobody. */
#include "door/door.h"

#include "base/must.h"
#include "sys/channel.h"

#include <stdlib.h>
#include <unistd.h>

enum { KIND_CALL = 1, KIND_REPLY = 2, KIND_TELL = 3, SLOT_MAX = 1 << 16, SERVED_MAX = 20000 };

struct call {
    struct fiber *fiber;
    struct arena *arena;
    struct str reply;
    int fd;
    bool want_fd, done;
    enum err err;
};

struct slot {
    struct call *call; /* null: free */
    uint16_t generation;
    uint32_t next_free;
};

struct door {
    struct channel channel;
    struct door_settings how;
    door_serve serve[VERB_COUNT];
    struct slot *slots;
    uint32_t slot_count, free_slot; /* SLOT_MAX: none */
    uint32_t uses;                  /* the reader, each request being served, each call under way */
    struct fiber *reader;
    bool open;
};

static void door_release(struct door *d)
{
    if (--d->uses > 0) return;
    free(d->slots);
    free(d);
}

/* ---- calling ---- */

static uint32_t slot_take(struct door *d, struct call *c)
{
    if (d->free_slot == SLOT_MAX) {
        uint32_t more = d->slot_count > 0 ? d->slot_count * 2 : 16;
        must(more <= SLOT_MAX);
        d->slots = realloc(d->slots, more * sizeof *d->slots);
        must(d->slots != NULL);
        for (uint32_t i = d->slot_count; i < more; i++) {
            d->slots[i] = (struct slot){ .next_free = i + 1 < more ? i + 1 : SLOT_MAX };
        }
        d->free_slot = d->slot_count;
        d->slot_count = more;
    }
    uint32_t i = d->free_slot;
    d->free_slot = d->slots[i].next_free;
    d->slots[i].call = c;
    return i;
}

static void slot_give(struct door *d, uint32_t i)
{
    d->slots[i].call = NULL;
    d->slots[i].generation++;
    d->slots[i].next_free = d->free_slot;
    d->free_slot = i;
}

enum err door_call_fd(struct door *d, enum verb verb, struct str request, int fd, int64_t wait_ms,
                      struct arena *a, struct str *reply_out, int *fd_out)
{
    struct call c = { .fiber = fiber_self(), .arena = a, .fd = -1, .want_fd = fd_out != NULL };
    if (fd_out != NULL) *fd_out = -1;
    if (!d->open || request.n > verb_row(verb)->request_max) {
        if (fd >= 0) close(fd);
        return d->open ? ERR_LIMIT : ERR_CLOSED;
    }
    d->uses++;
    uint32_t i = slot_take(d, &c);
    struct frame f = { .id = (uint32_t)d->slots[i].generation << 16 | i,
                       .verb = (uint16_t)verb,
                       .kind = KIND_CALL,
                       .bytes = request,
                       .fd = fd };
    int64_t deadline_ms = clock_deadline(wait_ms);
    enum err e = channel_send(&d->channel, &f);
    while (!c.done && e == OK) {
        e = fiber_park(deadline_ms);
    }
    slot_give(d, i);
    door_release(d);
    if (c.done) {
        /* An answer beats a deadline that passed in the same turn. */
        if (reply_out != NULL) *reply_out = c.reply;
        if (fd_out != NULL) *fd_out = c.fd;
        return c.err;
    }
    return e;
}

enum err door_call(struct door *d, enum verb verb, struct str request, int64_t wait_ms,
                   struct arena *a, struct str *reply_out)
{
    return door_call_fd(d, verb, request, -1, wait_ms, a, reply_out, NULL);
}

enum err door_tell(struct door *d, enum verb verb, struct str request)
{
    if (!d->open) return ERR_CLOSED;
    if (request.n > verb_row(verb)->request_max) return ERR_LIMIT;
    struct frame f = { .verb = (uint16_t)verb, .kind = KIND_TELL, .bytes = request, .fd = -1 };
    d->uses++;
    enum err e = channel_send(&d->channel, &f);
    door_release(d);
    return e;
}

static void on_reply(struct door *d, struct frame *f)
{
    uint32_t i = f->id & 0xffff;
    struct call *c =
        i < d->slot_count && d->slots[i].generation == f->id >> 16 ? d->slots[i].call : NULL;
    if (c == NULL || c->done) return;
    c->reply = c->arena != NULL ? arena_str(c->arena, f->bytes) : STR_NONE;
    c->err = (enum err)f->err;
    if (c->want_fd) {
        c->fd = f->fd;
        f->fd = -1;
    }
    c->done = true;
    fiber_wake(c->fiber);
}

/* ---- serving ---- */

struct serving {
    struct door_request request;
    uint32_t id;
    uint8_t kind;
};

static void serve_life(void *arg)
{
    struct serving *s = arg;
    struct door *d = s->request.door;
    enum err e = d->serve[s->request.verb](d->how.ctx, &s->request);
    if (s->kind == KIND_CALL && d->open) {
        /* How long an answer gets may lie in what a stranger sent: too long is an error like
         * others, and nothing to end a process for. */
        if (s->request.reply.over) {
            buf_clear(&s->request.reply);
            if (e == OK) e = ERR_LIMIT;
        }
        struct frame f = { .id = s->id,
                           .verb = (uint16_t)s->request.verb,
                           .kind = KIND_REPLY,
                           .err = (uint8_t)e,
                           .bytes = buf_str(&s->request.reply),
                           .fd = s->request.reply_fd };
        s->request.reply_fd = -1;
        err_ignore(channel_send(&d->channel, &f)); /* the caller is gone: its own end tells it */
    }
    if (s->request.fd >= 0) close(s->request.fd);
    if (s->request.reply_fd >= 0) close(s->request.reply_fd);
    buf_free(&s->request.reply);
    arena_free(&s->request.arena);
    free(s);
    door_release(d);
}

/* More than can be served: what waits here already goes first, and the link stays. */
static void turn_away(struct door *d, const struct frame *f)
{
    struct frame no = { .id = f->id,
                        .verb = f->verb,
                        .kind = KIND_REPLY,
                        .err = (uint8_t)ERR_BUSY,
                        .bytes = STR_NONE,
                        .fd = -1 };
    /* Must not wait here; a caller who hears nothing has its deadline. */
    if (f->kind == KIND_CALL && !channel_is_full(&d->channel))
        err_ignore(channel_send(&d->channel, &no));
}

static void on_call(struct door *d, struct frame *f)
{
    const struct verb_row *row = f->verb < VERB_COUNT ? verb_row((enum verb)f->verb) : NULL;
    /* Our own roles ask only for what is theirs: anything else is a role that was taken over. */
    if (row == NULL || (row->callers & (1u << d->how.peer)) == 0 || f->bytes.n > row->request_max ||
        (row->needs_account && d->how.account == 0) || d->serve[f->verb] == NULL) {
        d->open = false;
        fiber_cancel(d->reader);
        return;
    }
    if (d->uses > SERVED_MAX) {
        turn_away(d, f);
        return;
    }
    struct serving *s = malloc(sizeof *s + f->bytes.n);
    must(s != NULL);
    char *bytes = (char *)(s + 1);
    if (f->bytes.n > 0) memcpy(bytes, f->bytes.p, f->bytes.n);
    *s = (struct serving){ .id = f->id,
                           .kind = f->kind,
                           .request = { .door = d,
                                        .verb = (enum verb)f->verb,
                                        .bytes = str_of(bytes, f->bytes.n),
                                        .fd = f->fd,
                                        .reply_fd = -1,
                                        .arena = ARENA_INIT(0),
                                        .reply = BUF_INIT(row->reply_max) } };
    f->fd = -1;
    d->uses++;
    fiber_spawn(row->name, serve_life, s);
}

static void on_frame(void *ctx, struct frame *f)
{
    struct door *d = ctx;
    if (!d->open) {
        /* Closing: nothing more is taken in. */
    } else if (f->kind == KIND_REPLY) {
        on_reply(d, f);
    } else if (f->kind == KIND_CALL || f->kind == KIND_TELL) {
        on_call(d, f);
    }
    if (f->fd >= 0) close(f->fd);
}

static void reader_life(void *arg)
{
    struct door *d = arg;
    err_ignore(channel_serve(&d->channel, on_frame, d)); /* whatever ended it, the door is shut */
    d->open = false;
    for (uint32_t i = 0; i < d->slot_count; i++) {
        struct call *c = d->slots[i].call;
        if (c == NULL || c->done) continue;
        c->done = true;
        c->err = ERR_CLOSED;
        fiber_wake(c->fiber);
    }
    channel_close(&d->channel);
    if (d->how.on_close != NULL) d->how.on_close(d->how.ctx, d);
    door_release(d);
}

/* ---- life ---- */

enum err door_open(int fd, const struct door_settings *how, struct door **door_out)
{
    struct door *d = calloc(1, sizeof *d);
    must(d != NULL);
    d->how = *how;
    d->free_slot = SLOT_MAX;
    d->uses = 1;
    d->open = true;
    for (const struct door_service *s = how->services; s != NULL && s->serve != NULL; s++) {
        d->serve[s->verb] = s->serve;
    }
    enum err e = channel_open(&d->channel, fd);
    if (e != OK) {
        free(d);
        return e;
    }
    d->reader = fiber_spawn("door", reader_life, d);
    *door_out = d;
    return OK;
}

void door_close(struct door **d)
{
    struct door *door = *d;
    *d = NULL;
    if (door == NULL || !door->open) return;
    door->open = false;
    fiber_cancel(door->reader);
}

bool door_is_open(const struct door *d)
{
    return d->open;
}

enum role door_peer(const struct door *d)
{
    return d->how.peer;
}

uint64_t door_account(const struct door *d)
{
    return d->how.account;
}

void *door_ctx(const struct door *d)
{
    return d->how.ctx;
}

/* ---- links ---- */

void links_init(struct links *l)
{
    *l = (struct links){ .count = 0 };
    waitline_init(&l->arrivals);
}

void links_put(struct links *l, struct door *d)
{
    must(l->count < LINKS_MAX);
    l->doors[l->count++] = d;
    waitline_wake_all(&l->arrivals);
}

void links_drop(struct links *l, struct door *d)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->doors[i] != d) continue;
        l->doors[i] = l->doors[--l->count];
        return;
    }
}

enum err links_pick(struct links *l, int64_t wait_ms, struct door **door_out)
{
    int64_t deadline_ms = clock_deadline(wait_ms);
    for (;;) {
        for (size_t tried = 0; tried < l->count; tried++) {
            struct door *d = l->doors[l->next++ % l->count];
            if (!d->open) continue;
            *door_out = d;
            return OK;
        }
        enum err e = waitline_wait(&l->arrivals, deadline_ms);
        if (e == ERR_TIMEOUT) return ERR_UNAVAILABLE;
        if (e != OK) return e;
    }
}
