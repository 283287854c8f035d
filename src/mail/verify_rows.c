/* The rows outside of accounts, one after the other, each with what it needs. Accounts are passed
 * over whole; only whether somebody knows them is looked at. */
#include "mail/directory.h"
#include "mail/account.h"
#include "mail/explain.h"
#include "mail/queue.h"
#include "mail/trace.h"
#include "mail/verify.h"
#include "mail/verify_say.h"

/* Counting what waits for a next hop is exact up to so many. */
enum { HOP_COUNT_MAX = 10000 };

static enum err needs(struct txn *t, const struct key *k, const char *words,
                      const char **finding_out)
{
    bool there;
    enum err e = row_exists(t, k, &there);
    if (e == OK && !there) *finding_out = words;
    return e;
}

/* The domain is there, or is going and its addresses with it. */
static enum err needs_domain(struct txn *t, struct str domain, const char **finding_out)
{
    struct key k = { .kind = KEY_GONE_DOMAIN, .domain = domain };
    bool going;
    enum err e = row_exists(t, &k, &going);
    if (e != OK || going) return e;
    k.kind = KEY_DOMAIN;
    return needs(t, &k, "its domain is not there", finding_out);
}

static enum err check_address(struct txn *t, const struct key *k, const char **finding_out)
{
    enum directory_kind kind = DIRECTORY_NOTHING;
    struct account x = { 0 }, by_id;
    struct alias alias;
    enum err e = directory_exact(t, k->domain, k->local, &kind, &x, &alias);
    if (e == OK) e = needs_domain(t, k->domain, finding_out);
    if (e != OK || kind != DIRECTORY_ACCOUNT) return e;
    struct key state = { .kind = KEY_STATE, .account = x.id };
    e = directory_account_by_id(t, x.id, &by_id);
    if (e == ERR_NOT_FOUND || e == ERR_CORRUPT) {
        *finding_out = "its account id does not lead back to it";
        return OK;
    }
    return e == OK ? needs(t, &state, "the account has no state", finding_out) : e;
}

static enum err check_account(struct txn *t, const struct key *k, const char **finding_out)
{
    struct account x;
    enum err e = directory_account_by_id(t, k->account, &x);
    if (e != ERR_CORRUPT) return e;
    *finding_out = "its address does not lead to it";
    return OK;
}

static enum err check_queue_message(struct txn *t, const struct key *k, const struct row *row,
                                    const char **finding_out)
{
    struct key rcpt = { .kind = KEY_QUEUE_RCPT, .shard = k->shard, .message = k->message };
    struct queue_message m = { 0 };
    struct rows rows;
    uint64_t bytes;
    enum err e = queue_message_decode(row, &m);
    if (e == OK) e = row_page(t, &rcpt, 1, STR_NONE, PLAN_ITEM_MAX, &rows);
    if (e != OK) return e;
    if (rows.n != m.waiting) *finding_out = "the number of its recipients is wrong";
    e = txn_blob_bytes(t, blob_of_message(k->message), &bytes);
    if (e != ERR_NOT_FOUND) return e;
    *finding_out = "its body is lost";
    return OK;
}

static enum err check_queue_rcpt(struct txn *t, const struct key *k, const struct row *row,
                                 const char **finding_out)
{
    struct queue_rcpt r;
    if (queue_rcpt_decode(row, &r) != OK) return ERR_CORRUPT;
    struct key due = { .kind = KEY_QUEUE_DUE,
                       .shard = k->shard,
                       .name = r.next_hop,
                       .time_us = r.due_us,
                       .message = k->message,
                       .index = k->index };
    struct key message = { .kind = KEY_QUEUE_MESSAGE, .shard = k->shard, .message = k->message };
    enum err e = needs(t, &due, "it is in no order of due times", finding_out);
    return e == OK ? needs(t, &message, "its message is not there", finding_out) : e;
}

static enum err check_queue_due(struct txn *t, const struct key *k, const char **finding_out)
{
    struct key rcpt = {
        .kind = KEY_QUEUE_RCPT, .shard = k->shard, .message = k->message, .index = k->index
    };
    struct key hop = { .kind = KEY_QUEUE_HOP, .shard = k->shard, .name = k->name };
    enum err e = needs(t, &rcpt, "its recipient is not there", finding_out);
    return e == OK ? needs(t, &hop, "its next hop is not there", finding_out) : e;
}

static enum err check_queue_hop(struct txn *t, const struct key *k, const char **finding_out)
{
    struct key due = { .kind = KEY_QUEUE_DUE, .shard = k->shard, .name = k->name };
    struct queue_hop hop;
    struct rows rows;
    enum err e = queue_hop_get(t, k->name, &hop);
    if (e == OK) e = row_page(t, &due, 1, STR_NONE, HOP_COUNT_MAX, &rows);
    if (e != OK) return e;
    bool counted = !rows.more;
    bool wrong = counted ? rows.n != hop.waiting : hop.waiting < rows.n;
    if (wrong) *finding_out = "the number of rows that wait for it is wrong";
    if (rows.n == 0) return OK;
    e = key_parse(rows.at[0].key, &due);
    if (e == OK && due.time_us != hop.due_us) *finding_out = "its due time is not its first row's";
    due = (struct key){
        .kind = KEY_QUEUE_HOP_DUE, .shard = k->shard, .time_us = hop.due_us, .name = k->name
    };
    return e == OK ? needs(t, &due, "it is in no order of due times", finding_out) : e;
}

static enum err check_structure(struct txn *t, const struct key *k, const char **finding_out)
{
    uint64_t bytes;
    enum err e = txn_blob_bytes(t, blob_of_message(k->message), &bytes);
    if (e != ERR_NOT_FOUND) return e;
    *finding_out = "its blob is gone";
    return OK;
}

/* ERR_CORRUPT: the row cannot be read. */
static enum err check_row(struct txn *t, const struct key *k, const struct row *row,
                          const char **finding_out)
{
    struct key account = { .kind = KEY_ACCOUNT, .account = k->account };
    struct key address = { .kind = KEY_ADDRESS, .domain = k->domain, .local = k->local };
    struct key hop = { .kind = KEY_QUEUE_HOP, .shard = k->shard, .name = k->name };
    struct trace_intake intake;
    switch ((int)k->kind) { /* the kinds that need something */
    case KEY_ADDRESS:
        return check_address(t, k, finding_out);
    case KEY_ACCOUNT:
        return check_account(t, k, finding_out);
    case KEY_CREDENTIALS:
        return needs(t, &account, "its account is not there", finding_out);
    case KEY_TARGETS:
        return needs(t, &address, "its alias is not there", finding_out);
    case KEY_STRUCTURE:
        return check_structure(t, k, finding_out);
    case KEY_INTAKE:
        return trace_intake_get(t, k->message, &intake);
    case KEY_QUEUE_MESSAGE:
        return check_queue_message(t, k, row, finding_out);
    case KEY_QUEUE_RCPT:
        return check_queue_rcpt(t, k, row, finding_out);
    case KEY_QUEUE_DUE:
        return check_queue_due(t, k, finding_out);
    case KEY_QUEUE_HOP:
        return check_queue_hop(t, k, finding_out);
    case KEY_QUEUE_HOP_DUE:
        return needs(t, &hop, "its next hop is not there", finding_out);
    default:
        return OK;
    }
}

/* Rows of an account that nobody knows. */
static enum err check_owner(struct txn *t, uint64_t account, const char **finding_out)
{
    struct key k = { .kind = KEY_GONE_ACCOUNT, .account = account };
    bool going;
    enum err e = row_exists(t, &k, &going);
    if (e != OK || going) return e;
    k.kind = KEY_ACCOUNT;
    return needs(t, &k, "the directory does not know this account", finding_out);
}

/* One row, and where the next one is looked for. */
static enum err one(struct txn *t, struct verify_rows *v, const struct row *row,
                    struct str *next_out)
{
    const char *finding = NULL;
    struct key k;
    enum err e = OK;
    *next_out = key_after(txn_arena(t), row->key);
    if (key_parse(row->key, &k) != OK) {
        verify_say_foreign(&v->say, &v->findings, row->key);
        return OK;
    }
    if (key_is_of_account(&k)) {
        *next_out = key_owner_range(txn_arena(t), &k).until;
        e = check_owner(t, k.account, &finding);
    } else {
        e = check_row(t, &k, row, &finding);
    }
    if (e == ERR_CORRUPT) {
        finding = "the row cannot be read";
        e = OK;
    }
    if (finding != NULL) verify_say(&v->say, &v->findings, &k, finding);
    return e;
}

enum err verify_rows_step(struct txn *t, struct verify_rows *v, bool *done_out)
{
    struct key_range whole = key_whole_range();
    struct str from = v->after.n > 0 ? arena_str(txn_arena(t), buf_str(&v->after)) : whole.from;
    struct rows rows = { .more = true };
    for (unsigned looked = 0; rows.more && looked < VERIFY_ROWS;) {
        enum err e = txn_range(t, from, whole.until, RANGE_UP, 200, &rows);
        if (e != OK) return e;
        for (size_t i = 0; e == OK && i < rows.n; i++) {
            if (str_cmp(rows.at[i].key, from) < 0) continue; /* of an account passed over */
            e = one(t, v, &rows.at[i], &from);
            looked++;
        }
        if (e != OK) return e;
    }
    v->after.max_bytes = ENGINE_KEY_MAX + 1;
    buf_clear(&v->after);
    buf_put(&v->after, from);
    *done_out = !rows.more;
    return OK;
}
