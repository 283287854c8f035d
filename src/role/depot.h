/* The depot's parts know each other here. */
#ifndef ROLE_DEPOT_H
#define ROLE_DEPOT_H

#include "base/map.h"
#include "role/depot_txn.h"
#include "role/role.h"
#include "sys/net.h"

struct depot {
    struct role_self *role;
    struct engine *engine;
    struct map stages;        /* id (8 bytes) -> struct depot_stage */
    struct map mailbox_locks; /* "account mailbox" -> the door that has it open alone */
    bool broken; /* the store has stopped: the process ends as soon as it has said so */
};
extern struct depot depot;

/* After an error of the engine's: a broken store ends the process (the keeper starts it again, and
 * it recovers). */
enum err depot_checked(enum err e);

/* The directory has changed: tell the filters. Waits only for full channels. */
void depot_directory_changed(void);

/* ---- depot_stage.c: bodies on their way in ---- */
enum err depot_serve_stage_open(void *ctx, struct door_request *q);
enum err depot_serve_stage_append(void *ctx, struct door_request *q);
enum err depot_serve_stage_drop(void *ctx, struct door_request *q);
enum err depot_serve_stage_read(void *ctx, struct door_request *q);
/* The stage of that id, taken out of the table for a commit; null when there is none.
 * depot_stage_put_back() if the commit failed, depot_stage_done() if not. */
struct depot_stage *depot_stage_take(uint64_t id);
struct stage *depot_stage_of(struct depot_stage *s);
void depot_stage_put_back(struct depot_stage *s);
void depot_stage_done(struct depot_stage *s);
/* An edge has gone: what it staged goes too. */
void depot_stages_of_door_gone(const struct door *d);

/* ---- depot_account.c: a user's door ---- */
enum err depot_serve_account_door(void *ctx, struct door_request *q);
/* Append at most `max_bytes` of a message as it is served, its prefix and its blob as one text.
 * ERR_NOT_FOUND; ERR_CORRUPT is logged. On a snapshot. */
enum err depot_message_bytes(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                             uint64_t offset, size_t max_bytes, struct buf *out);

/* ---- depot_transfer.c: import and export ---- */
enum err depot_serve_transfer_mailboxes(void *ctx, struct door_request *q);
enum err depot_serve_transfer_mailbox(void *ctx, struct door_request *q);
enum err depot_serve_import_commit(void *ctx, struct door_request *q);
enum err depot_serve_export_page(void *ctx, struct door_request *q);
enum err depot_serve_export_read(void *ctx, struct door_request *q);

/* ---- depot_refusal.c: notes for explain, gathered and written together ---- */
enum err depot_serve_refusal_note(void *ctx, struct door_request *q);
/* Write what has been gathered now: before somebody asks for it, and before the end. Waits. */
void depot_refusals_write(void);

/* ---- depot_janitor.c ---- */
void depot_janitor_begin(void);
void depot_janitor_end(void);

/* ---- depot_admin_store.c ---- */
/* A slice of compaction, on a thread of the engine's. Waits. */
enum err depot_compact(size_t max_bytes, bool *more_out);

/* ---- depot_admin.c: the administrator's door ---- */
void depot_admin_arrive(void *ctx, const struct config_listen *listen, int fd,
                        const struct net_addr *peer);
extern const struct door_service depot_admin_services[];
enum err depot_serve_admin(void *ctx, struct door_request *q);
/* ---- depot.c ---- */
enum err depot_serve_resolve(void *ctx, struct door_request *q);

#endif
