/* Import and export: messages as they are, between the store and the administrator's tool. The tool
 * reads and writes the files and computes the structure records; here bytes stay bytes. */
#include "role/depot.h"

#include "base/must.h"
#include "mail/directory.h"
#include "mail/transfer.h"

COUNTER(depot_imported, "messages brought in by imports")

enum { MAILBOXES_PAGE = 500, PAGE_ROWS = 2000, PAGE_BYTES = 1024 * 1024 };

/* ---- mailboxes ---- */

struct mailboxes {
    struct transfer_mailboxes_req in;
    struct buf *reply;
};

static enum err mailboxes_body(struct txn *t, void *ctx)
{
    struct mailboxes *m = ctx;
    struct account x;
    struct transfer_mailboxes_rep out = { .mailboxes = ARENA_MANY(txn_arena(t), struct mailbox_info,
                                                                  MAILBOXES_PAGE) };
    enum err e = directory_account_get(t, m->in.account, &x);
    if (e == ERR_INVALID) e = ERR_NOT_FOUND;
    if (e == OK)
        e = mailbox_list(t, x.id, m->in.after, MAILBOXES_PAGE, out.mailboxes, &out.mailboxes_count,
                         &out.more);
    if (e != OK) return e;
    out.account = x.id;
    transfer_mailboxes_rep_put(m->reply, &out);
    return OK;
}

enum err depot_serve_transfer_mailboxes(void *ctx, struct door_request *q)
{
    struct mailboxes m = { .reply = &q->reply };
    (void)ctx;
    if (transfer_mailboxes_req_get(q->bytes, &q->arena, &m.in) != OK || m.in.after > UINT32_MAX)
        return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, mailboxes_body, &m));
}

struct making {
    struct import_mailbox want;
    struct arena *arena;
    int64_t now_us;
    struct mailbox_info out;
};

static enum err make_body(struct txn *t, void *ctx)
{
    struct making *m = ctx;
    enum err e = import_mailbox(t, &m->want, m->now_us, &m->out);
    if (e == OK) m->out.name = arena_str(m->arena, m->out.name);
    return e;
}

enum err depot_serve_transfer_mailbox(void *ctx, struct door_request *q)
{
    struct transfer_mailbox_req in;
    (void)ctx;
    if (transfer_mailbox_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    struct making m = { .want = { .account = in.account,
                                  .name = in.name,
                                  .uid_validity = in.uid_validity,
                                  .uid_next = in.uid_next,
                                  .attributes = in.attributes },
                        .arena = &q->arena,
                        .now_us = clock_wall_us() };
    enum err e = depot_checked(depot_commit(depot.engine, INTENT_DURABLE, make_body, &m));
    if (e != OK) return e;
    struct mailbox_open_rep out = { .mailbox = m.out };
    mailbox_open_rep_put(&q->reply, &out);
    return OK;
}

/* ---- import ---- */

struct bringing {
    struct import_commit_req in;
    struct import_message *messages; /* ids and keywords, made before the transaction */
    struct depot_stage **stages;
    uint32_t *uids;
    int64_t now_us;
};

static enum err bring_body(struct txn *t, void *ctx)
{
    struct bringing *b = ctx;
    enum err e = OK;
    for (size_t i = 0; e == OK && i < b->in.messages_count; i++) {
        struct stage *stage = b->stages[i] != NULL ? depot_stage_of(b->stages[i]) : NULL;
        e = import_message(t, &b->messages[i], stage, b->now_us, &b->uids[i]);
    }
    return e;
}

static void split_keywords(struct arena *a, struct str words, struct import_message *m)
{
    struct str *names = ARENA_MANY(a, struct str, words.n / 2 + 1), word;
    while (str_cut(&words, ' ', &word)) {
        if (word.n > 0) names[m->keyword_count++] = word;
    }
    m->keywords = names;
}

static enum err prepare(struct bringing *b, struct arena *a)
{
    size_t n = b->in.messages_count;
    b->messages = ARENA_MANY(a, struct import_message, n);
    b->stages = ARENA_MANY(a, struct depot_stage *, n);
    b->uids = ARENA_MANY(a, uint32_t, n);
    for (size_t i = 0; i < n; i++) {
        const struct message_import *in = &b->in.messages[i];
        if (in->stage != 0 && (b->stages[i] = depot_stage_take(in->stage)) == NULL)
            return ERR_NOT_FOUND;
        b->messages[i] = (struct import_message){ .account = b->in.account,
                                                  .mailbox = b->in.mailbox,
                                                  .message = message_id_new(),
                                                  .content = in->content,
                                                  .structure = in->structure,
                                                  .flags = in->flags,
                                                  .received_us = in->received_us,
                                                  .uid = in->uid };
        split_keywords(a, in->keywords, &b->messages[i]);
    }
    return OK;
}

static void give_stages_back(struct bringing *b, enum err e)
{
    for (size_t i = 0; i < b->in.messages_count; i++) {
        if (b->stages[i] == NULL) continue;
        if (e == OK) {
            depot_stage_done(b->stages[i]);
        } else {
            depot_stage_put_back(b->stages[i]);
        }
    }
}

enum err depot_serve_import_commit(void *ctx, struct door_request *q)
{
    struct bringing b = { .now_us = clock_wall_us() };
    (void)ctx;
    if (import_commit_req_get(q->bytes, &q->arena, &b.in) != OK || b.in.messages_count == 0)
        return ERR_PROTOCOL;
    enum err e = prepare(&b, &q->arena);
    if (e == OK) e = depot_checked(depot_commit(depot.engine, INTENT_DURABLE, bring_body, &b));
    give_stages_back(&b, e);
    if (e != OK) return e;
    depot_imported += b.in.messages_count;
    struct import_commit_rep out = { .uids = b.uids, .uids_count = b.in.messages_count };
    import_commit_rep_put(&q->reply, &out);
    return OK;
}

/* ---- export ---- */

struct paging {
    struct export_page_req in;
    struct buf *reply;
};

static struct str keyword_words(struct txn *t, const struct keywords *all, struct str ids)
{
    struct buf b = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < ids.n; i++) {
        size_t id = (unsigned char)ids.p[i];
        if (id >= all->n) continue; /* store check tells of it */
        if (b.n > 0) buf_put_byte(&b, ' ');
        buf_put(&b, all->names[id]);
    }
    struct str words = arena_str(txn_arena(t), buf_str(&b));
    buf_free(&b);
    return words;
}

/* The bytes of a small message. A damaged one is left out: reading it alone tells the error. */
static struct str small_content(struct txn *t, const struct export_page_req *in,
                                const struct message_info *m)
{
    struct buf b = BUF_INIT(EXPORT_SMALL_MAX);
    struct str content = STR_NONE;
    if (m->bytes <= EXPORT_SMALL_MAX &&
        depot_message_bytes(t, in->account, in->mailbox, m->uid, 0, EXPORT_SMALL_MAX, &b) == OK)
        content = arena_str(txn_arena(t), buf_str(&b));
    buf_free(&b);
    return content;
}

static enum err page_body(struct txn *t, void *ctx)
{
    struct paging *p = ctx;
    struct arena *a = txn_arena(t);
    struct message_row *rows = ARENA_MANY(a, struct message_row, PAGE_ROWS);
    struct keywords all;
    size_t n = 0, bytes = 0;
    struct export_page_rep out = { .messages = ARENA_MANY(a, struct message_info, PAGE_ROWS),
                                   .keywords = ARENA_MANY(a, struct str, PAGE_ROWS),
                                   .contents = ARENA_MANY(a, struct str, PAGE_ROWS) };
    enum err e = keywords_get(t, p->in.account, &all);
    if (e == OK)
        e = message_list_page(t, p->in.account, p->in.mailbox, p->in.after_uid, PAGE_ROWS, rows, &n,
                              &out.more);
    if (e != OK) return e;
    size_t k = 0;
    for (; k < n && bytes < PAGE_BYTES; k++) {
        out.messages[k] = rows[k].info;
        out.keywords[k] = keyword_words(t, &all, rows[k].keywords);
        if (p->in.contents) out.contents[k] = small_content(t, &p->in, &rows[k].info);
        bytes += 100 + out.keywords[k].n + out.contents[k].n;
    }
    if (k < n) out.more = true;
    out.messages_count = out.keywords_count = out.contents_count = k;
    export_page_rep_put(p->reply, &out);
    return OK;
}

enum err depot_serve_export_page(void *ctx, struct door_request *q)
{
    struct paging p = { .reply = &q->reply };
    (void)ctx;
    if (export_page_req_get(q->bytes, &q->arena, &p.in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, page_body, &p));
}

struct reading {
    struct export_read_req in;
    struct buf *reply;
};

static enum err read_body(struct txn *t, void *ctx)
{
    struct reading *r = ctx;
    struct buf bytes = BUF_INIT(ENGINE_CHUNK_MAX);
    size_t max = r->in.max_bytes < ENGINE_CHUNK_MAX ? r->in.max_bytes : ENGINE_CHUNK_MAX;
    enum err e =
        depot_message_bytes(t, r->in.account, r->in.mailbox, r->in.uid, r->in.offset, max, &bytes);
    struct bytes_rep out = { .bytes = buf_str(&bytes) };
    if (e == OK) bytes_rep_put(r->reply, &out);
    buf_free(&bytes);
    return e;
}

enum err depot_serve_export_read(void *ctx, struct door_request *q)
{
    struct reading r = { .reply = &q->reply };
    (void)ctx;
    if (export_read_req_get(q->bytes, &q->arena, &r.in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, read_body, &r));
}
