/* As if the disk were hostile: any value under any of an account's, the directory's and the queue's
 * keys, and then everything that reads or changes them. Nothing may end the process; what cannot be
 * read is an error. Input: pieces of one byte (which row), two bytes (length), the value. */
#include "base/must.h"
#include "mail/changes.h"
#include "mail/explain.h"
#include "mail/message.h"
#include "mail/queue.h"
#include "mail/resolve.h"
#include "mail/trace.h"
#include "mail/transfer.h"
#include "mail/verify.h"
#include "store/engine_memory.h"

#define S(lit) STR_INIT(lit)

static const struct key rows[] = {
    { .kind = KEY_STATE, .account = 1 },
    { .kind = KEY_MAILBOX, .account = 1, .mailbox = 1 },
    { .kind = KEY_MAILBOX, .account = 1, .mailbox = 2 },
    { .kind = KEY_MAILBOX_NAME, .account = 1, .name = S("x") },
    { .kind = KEY_MESSAGE, .account = 1, .mailbox = 1, .uid = 1 },
    { .kind = KEY_MESSAGE, .account = 1, .mailbox = 2, .uid = 1 },
    { .kind = KEY_FIXED, .account = 1, .mailbox = 1, .uid = 1 },
    { .kind = KEY_CHANGE, .account = 1, .modseq = 1 },
    { .kind = KEY_KEYWORDS, .account = 1 },
    { .kind = KEY_STRUCTURE, .message = 1 },
    { .kind = KEY_GENERATION },
    { .kind = KEY_DOMAIN, .domain = S("a.example") },
    { .kind = KEY_ADDRESS, .domain = S("a.example"), .local = S("x") },
    { .kind = KEY_TARGETS, .domain = S("a.example"), .local = S("x"), .chunk = 1 },
    { .kind = KEY_ACCOUNT, .account = 1 },
    { .kind = KEY_INTAKE, .message = 1 },
    { .kind = KEY_INTAKE_ITEMS, .message = 1 },
    { .kind = KEY_EVENT, .message = 1, .time_us = 5 },
    { .kind = KEY_REFUSAL, .slot = 1 },
    { .kind = KEY_QUEUE_MESSAGE, .shard = 3, .message = 1 },
    { .kind = KEY_QUEUE_RCPT, .shard = 3, .message = 1, .index = 2 },
    { .kind = KEY_QUEUE_HOP, .shard = 3, .name = S("example.org") },
    { .kind = KEY_QUEUE_HOP_DUE, .shard = 3, .time_us = 5, .name = S("example.org") },
    { .kind = KEY_QUEUE_DUE,
      .shard = 3,
      .name = S("example.org"),
      .time_us = 5,
      .message = 1,
      .index = 2 },
};

static enum err put_rows(struct txn *t, void *ctx)
{
    struct wire w = wire_of(*(struct str *)ctx);
    while (w.left.n > 3) {
        uint8_t which = wire_get_u8(&w);
        size_t n = wire_get_u16(&w);
        struct str value = wire_get_bytes(&w, n < w.left.n ? n : w.left.n);
        enum err e = row_put_str(t, &rows[which % (sizeof rows / sizeof rows[0])], value);
        if (e != OK) return e;
    }
    return txn_blob_put(t, blob_of_message(1), STR("head"), STR("body"), NULL, 3);
}

/* ---- changes: each in a transaction of its own, whatever it says ---- */

static enum err flags(struct txn *t, void *ctx)
{
    static const struct str word = S("work");
    struct flags_change how = { FLAGS_ADD, MESSAGE_DELETED, &word, 1, UINT64_MAX };
    struct flags_result result;
    uint32_t uid = 1;
    (void)ctx;
    return message_flags_change(t, 1, 1, &uid, 1, &how, &result);
}

static enum err move(struct txn *t, void *ctx)
{
    uint32_t uid = 1, new_uid;
    (void)ctx;
    enum err e = message_copy(t, 1, 1, 2, &uid, 1, 7, &new_uid);
    return e == OK ? message_move(t, 1, 2, 1, &uid, 1, 7, &new_uid) : e;
}

static enum err expunge(struct txn *t, void *ctx)
{
    uint32_t uid = 1;
    size_t n;
    (void)ctx;
    return message_expunge(t, 1, 1, &uid, 1, &n);
}

static enum err boxes(struct txn *t, void *ctx)
{
    struct mailbox_info m;
    bool more;
    (void)ctx;
    enum err e = mailbox_create(t, 1, STR("new"), 0, 7, &m);
    if (e == OK) e = mailbox_rename(t, 1, STR("x"), STR("z"));
    if (e == OK) e = mailbox_delete(t, 1, STR("z"));
    return e == OK ? mailbox_reap(t, 1, 10, &more) : e;
}

static enum err trim(struct txn *t, void *ctx)
{
    bool more;
    (void)ctx;
    return changes_trim(t, 1, 0, 10, &more);
}

static enum err import(struct txn *t, void *ctx)
{
    struct import_message m = {
        .account = 1, .mailbox = 1, .message = 2, .content = S("x"), .strict_quota = true
    };
    uint32_t uid;
    (void)ctx;
    return import_message(t, &m, NULL, 7, &uid);
}

static enum err account(struct txn *t, void *ctx)
{
    struct account x = { .address = S("x@a.example"), .quota_bytes = 5 };
    (void)ctx;
    enum err e = directory_account_set(t, &x);
    return e == OK ? directory_account_delete(t, x.address, 7) : e;
}

static enum err alias(struct txn *t, void *ctx)
{
    (void)ctx;
    return directory_alias_delete(t, STR("x@a.example"));
}

static enum err domain(struct txn *t, void *ctx)
{
    bool more;
    (void)ctx;
    enum err e = directory_domain_delete(t, STR("a.example"), true);
    return e == OK ? directory_domain_reap(t, STR("a.example"), 10, 7, &more) : e;
}

static enum err queue(struct txn *t, void *ctx)
{
    struct queue_rcpt r = { .message = 1, .index = 2, .next_hop = S("example.org"), .due_us = 9 };
    bool more;
    (void)ctx;
    enum err e = queue_rcpt_set(t, &r);
    return e == OK ? queue_drop(t, 1, &more) : e;
}

static enum err reap(struct txn *t, void *ctx)
{
    bool more;
    (void)ctx;
    enum err e = row_del(t, &rows[0]);
    return e == OK ? account_reap(t, 1, 100, &more) : e;
}

/* ---- looking ---- */

static void look_mail(struct txn *t)
{
    struct mailbox_info box[4];
    struct message_row row[4];
    struct message_fixed fixed;
    struct change change[4];
    struct export_message out[4];
    struct export_at at = { 0 };
    size_t n;
    bool more;
    err_ignore(mailbox_list(t, 1, 0, 4, box, &n, &more));
    err_ignore(mailbox_find(t, 1, STR("x"), box));
    err_ignore(message_list_page(t, 1, 1, 0, 4, row, &n, &more));
    err_ignore(message_fixed_get(t, 1, 1, 1, &fixed));
    err_ignore(changes_since(t, 1, 0, 4, change, &n, &more));
    err_ignore(export_next(t, 1, &at, 4, out, &n));
}

static void look_rest(struct txn *t)
{
    struct directory_answer answer;
    struct resolve_how how = { .separators = S("+") };
    struct trace_event event[8];
    struct refusal refusal;
    struct queue_message m[4];
    struct queue_rcpt r[4];
    struct queue_hop hop[4];
    struct queue_at at = { 0 };
    size_t n;
    bool more;
    err_ignore(directory_resolve(t, STR("x+y@a.example"), &how, &answer));
    err_ignore(trace_list(t, 1, 0, 8, event, &n, &more));
    err_ignore(explain_get(t, 1, &refusal));
    err_ignore(queue_list(t, &at, 4, m, &n));
    err_ignore(queue_rcpts(t, 1, 0, 4, r, &n, &more));
    err_ignore(queue_hops_due(t, 3, 100, 4, hop, &n, &more));
    err_ignore(queue_hop_rcpts(t, STR("example.org"), 100, 4, r, &n, &more));
}

static void look(struct engine *e)
{
    struct txn *t;
    must(engine_snapshot_begin(e, &t) == OK);
    look_mail(t);
    look_rest(t);
    engine_snapshot_end(&t);
}

static enum err repair(struct txn *t, void *ctx)
{
    return verify_account_repair(t, ctx, 7);
}

static void verify(struct engine *e)
{
    struct verify_account v = { .account = 1 };
    struct verify_rows rest = { .findings = 0 };
    bool done = false;
    enum err err = OK;
    while (!done && err == OK) {
        struct txn *t;
        must(engine_snapshot_begin(e, &t) == OK);
        err = verify_account_step(t, &v, &done);
        engine_snapshot_end(&t);
    }
    if (done) err_ignore(engine_commit(e, INTENT_DURABLE, repair, &v));
    verify_account_free(&v);
    for (done = false, err = OK; !done && err == OK;) {
        struct txn *t;
        must(engine_snapshot_begin(e, &t) == OK);
        err = verify_rows_step(t, &rest, &done);
        engine_snapshot_end(&t);
    }
    buf_free(&rest.after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const txn_body changes[] = { flags, move,  expunge, boxes,  trim, import,
                                        queue, alias, account, domain, reap };
    struct str in = str_of(data, n);
    struct engine *e = engine_memory_new();
    if (engine_commit(e, INTENT_DURABLE, put_rows, &in) == OK) {
        look(e);
        verify(e);
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
            err_ignore(engine_commit(e, INTENT_DURABLE, changes[i], NULL));
        }
        look(e);
    }
    engine_close(&e);
    return 0;
}
