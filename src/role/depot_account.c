/* A user's door: what one account may ask of its own mailboxes. The account is bound to the door by
 * who asked for it (authd, after a login), never by what comes through it. */
#include "role/depot.h"

#include "base/must.h"
#include "mail/directory.h"
#include "mail/message.h"
#include "sys/channel.h"

#include <unistd.h>

COUNTER(depot_account_doors, "doors opened for logged-in users")
COUNTER(depot_mailboxes_busy, "mailboxes that were asked for alone while somebody had them")

enum { LIST_MAX = 5000 };

/* ---- who has a mailbox for itself (RFC 1939 8: POP3 locks) ---- */

struct lock_key {
    uint64_t account, mailbox;
};

static struct str key_of(const struct lock_key *k)
{
    return str_of(k, sizeof *k);
}

static enum err lock(struct door *d, uint64_t mailbox)
{
    /* A door that closed while the mailbox was looked up has said goodbye already, and nobody would
     * ever unlock. */
    if (!door_is_open(d)) return ERR_CLOSED;
    struct lock_key k = { door_account(d), mailbox };
    struct door *holder = map_get(&depot.mailbox_locks, key_of(&k));
    if (holder != NULL && holder != d) {
        depot_mailboxes_busy++;
        return ERR_BUSY;
    }
    return map_put(&depot.mailbox_locks, key_of(&k), d);
}

static void unlock(struct door *d, uint64_t mailbox)
{
    struct lock_key k = { door_account(d), mailbox };
    if (map_get(&depot.mailbox_locks, key_of(&k)) == d) map_del(&depot.mailbox_locks, key_of(&k));
}

static void door_gone(void *ctx, struct door *d)
{
    (void)ctx;
    for (;;) {
        size_t at = 0;
        struct str key, found = STR_NONE;
        void *value;
        while (found.n == 0 && map_next(&depot.mailbox_locks, &at, &key, &value)) {
            if (value == d) found = key;
        }
        if (found.n == 0) return;
        struct lock_key k;
        memcpy(&k, found.p, sizeof k);
        map_del(&depot.mailbox_locks, key_of(&k));
    }
}

/* ---- mailboxes ---- */

struct opening {
    uint64_t account;
    struct str name;
    struct arena *arena;
    struct mailbox_info out;
};

static enum err open_body(struct txn *t, void *ctx)
{
    struct opening *o = ctx;
    enum err e = mailbox_find(t, o->account, o->name, &o->out);
    if (e == OK) o->out.name = arena_str(o->arena, o->out.name);
    return e;
}

static enum err serve_mailbox_open(void *ctx, struct door_request *q)
{
    struct mailbox_open_req in;
    (void)ctx;
    if (mailbox_open_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    struct opening o = { .account = door_account(q->door), .name = in.name, .arena = &q->arena };
    enum err e = depot_checked(depot_read(depot.engine, open_body, &o));
    if (e == OK && in.exclusive) e = lock(q->door, o.out.id);
    if (e != OK) return e;
    struct mailbox_open_rep out = { .mailbox = o.out };
    mailbox_open_rep_put(&q->reply, &out);
    return OK;
}

static enum err serve_mailbox_close(void *ctx, struct door_request *q)
{
    struct mailbox_req in;
    (void)ctx;
    if (mailbox_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    unlock(q->door, in.mailbox);
    return OK;
}

/* ---- messages ---- */

struct listing {
    uint64_t account;
    struct message_list_req in;
    struct buf *reply;
};

static enum err list_body(struct txn *t, void *ctx)
{
    struct listing *l = ctx;
    struct arena *a = txn_arena(t);
    size_t max = l->in.max > 0 && l->in.max < LIST_MAX ? l->in.max : LIST_MAX;
    struct message_row *rows = ARENA_MANY(a, struct message_row, max);
    struct message_list_rep out = { .messages = ARENA_MANY(a, struct message_info, max) };
    enum err e = message_list_page(t, l->account, l->in.mailbox, l->in.after_uid, max, rows,
                                   &out.messages_count, &out.more);
    if (e != OK) return e;
    for (size_t i = 0; i < out.messages_count; i++) {
        out.messages[i] = rows[i].info;
    }
    message_list_rep_put(l->reply, &out);
    return OK;
}

static enum err serve_message_list(void *ctx, struct door_request *q)
{
    struct listing l = { .account = door_account(q->door), .reply = &q->reply };
    (void)ctx;
    if (message_list_req_get(q->bytes, &q->arena, &l.in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, list_body, &l));
}

struct reading {
    uint64_t account;
    struct message_read_req in;
    struct buf *reply;
};

enum err depot_message_bytes(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                             uint64_t offset, size_t max_bytes, struct buf *out)
{
    struct message_row row;
    struct str prefix;
    size_t before = out->n;
    enum err e = message_prefix_get(t, account, mailbox, uid, &row, &prefix);
    if (e != OK) return e;
    if (offset < prefix.n) buf_put(out, str_part(prefix, (size_t)offset, max_bytes));
    size_t n = out->n - before;
    if (n < max_bytes)
        e = txn_blob_read(t, blob_of_message(row.info.message), offset + n - prefix.n,
                          max_bytes - n, out);
    if (e == ERR_CORRUPT)
        log_error("depot.damaged_body", L_U64("account", account), L_U64("uid", uid),
                  L_ID("msg", row.info.message));
    return e;
}

static enum err read_body(struct txn *t, void *ctx)
{
    struct reading *r = ctx;
    struct buf bytes = BUF_INIT(ENGINE_CHUNK_MAX);
    size_t max = r->in.max_bytes < ENGINE_CHUNK_MAX ? r->in.max_bytes : ENGINE_CHUNK_MAX;
    enum err e =
        depot_message_bytes(t, r->account, r->in.mailbox, r->in.uid, r->in.offset, max, &bytes);
    struct bytes_rep out = { .bytes = buf_str(&bytes) };
    if (e == OK) bytes_rep_put(r->reply, &out);
    buf_free(&bytes);
    return e;
}

static enum err serve_message_read(void *ctx, struct door_request *q)
{
    struct reading r = { .account = door_account(q->door), .reply = &q->reply };
    (void)ctx;
    if (message_read_req_get(q->bytes, &q->arena, &r.in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, read_body, &r));
}

struct expunging {
    uint64_t account;
    struct message_expunge_req in;
    size_t at, next, removed;
};

static enum err expunge_body(struct txn *t, void *ctx)
{
    struct expunging *x = ctx;
    size_t n = x->in.uids_count - x->at, removed = 0;
    if (n > MESSAGE_BATCH_MAX) n = MESSAGE_BATCH_MAX;
    enum err e = message_expunge(t, x->account, x->in.mailbox, x->in.uids + x->at, n, &removed);
    x->next = x->at + n;
    x->removed = removed;
    return e;
}

static enum err serve_message_expunge(void *ctx, struct door_request *q)
{
    struct expunging x = { .account = door_account(q->door) };
    struct message_expunge_rep out = { .removed = 0 };
    enum err e = OK;
    (void)ctx;
    if (message_expunge_req_get(q->bytes, &q->arena, &x.in) != OK) return ERR_PROTOCOL;
    while (x.at < x.in.uids_count && e == OK) {
        e = depot_checked(depot_commit(depot.engine, INTENT_DURABLE, expunge_body, &x));
        out.removed += (uint32_t)x.removed;
        x.at = x.next;
    }
    message_expunge_rep_put(&q->reply, &out);
    return e;
}

/* ---- the door itself ---- */

static enum err exists_body(struct txn *t, void *ctx)
{
    struct account x;
    enum err e = directory_account_by_id(t, *(uint64_t *)ctx, &x);
    return e == OK && x.disabled ? ERR_DENIED : e;
}

enum err depot_serve_account_door(void *ctx, struct door_request *q)
{
    static const struct door_service services[] = {
        { VERB_mailbox_open, serve_mailbox_open },
        { VERB_mailbox_close, serve_mailbox_close },
        { VERB_message_list, serve_message_list },
        { VERB_message_read, serve_message_read },
        { VERB_message_expunge, serve_message_expunge },
        { VERB_NONE, NULL },
    };
    struct account_door_req in;
    int fds[2];
    struct door *d = NULL;
    (void)ctx;
    if (account_door_req_get(q->bytes, &q->arena, &in) != OK || in.account == 0)
        return ERR_PROTOCOL;
    enum err e = depot_checked(depot_read(depot.engine, exists_body, &in.account));
    if (e == OK) e = channel_pair(fds);
    if (e != OK) return e;
    e = door_open(fds[0],
                  &(struct door_settings){ .us = ROLE_DEPOT,
                                           .peer = ROLE_SESSION,
                                           .services = services,
                                           .account = in.account,
                                           .on_close = door_gone },
                  &d);
    if (e != OK) {
        close(fds[1]);
        return e;
    }
    depot_account_doors++;
    q->reply_fd = fds[1];
    return OK;
}
