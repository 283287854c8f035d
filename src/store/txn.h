/* A transaction or a snapshot as all engines share it: reading through a view, collecting writes,
 * counting them against the limits. Only engines include this. */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include "store/engine.h"
#include "store/view.h"

/* A blob that a body has asked for, until its transaction is written. The views are the caller's
 * and stay until done(). */
struct txn_blob {
    struct txn_blob *next;
    struct blob_id id;
    struct str head, small;
    struct stage *stage;
};

struct txn {
    struct engine *engine;
    struct arena arena;
    struct view view; /* view.own null: a snapshot */
    size_t ops, bytes;
    struct txn_blob *blobs, **blobs_end;
    size_t blob_count, inline_bytes;
};

/* Ready for a body: the write set empty, the arena empty; `view` is the engine's to fill in. */
void txn_start(struct txn *t, struct engine *e);

/* Give back what the body used. */
void txn_finish(struct txn *t);

/* The same as txn_put and txn_del for the engine's own tables; key and value within limits. */
enum err txn_write(struct txn *t, enum table table, struct str key, struct str value);
enum err txn_erase(struct txn *t, enum table table, struct str key);

/* Note a blob to be written with the transaction. ERR_LIMIT. */
enum err txn_blob_note(struct txn *t, const struct txn_blob *b);

#endif
