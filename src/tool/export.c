#include "tool/export.h"

#include "base/must.h"

enum { READ_BYTES = 1024 * 1024, MAILBOXES_MAX = 200000 };

static enum err ask(struct exporting *ex, enum verb verb, struct buf *b, struct arena *a,
                    struct str *reply_out)
{
    enum err e = command_ask(ex->command, verb, b, a, reply_out);
    buf_free(b);
    return e;
}

/* ---- mailboxes ---- */

static void add_mailboxes(struct exporting *ex, const struct transfer_mailboxes_rep *rep)
{
    struct arena *a = &ex->command->arena;
    size_t n = ex->mailbox_count + rep->mailboxes_count;
    struct mailbox_info *more = ARENA_MANY(a, struct mailbox_info, n);
    for (size_t i = 0; i < n; i++) {
        bool old = i < ex->mailbox_count;
        more[i] = old ? ex->mailboxes[i] : rep->mailboxes[i - ex->mailbox_count];
        if (!old) more[i].name = arena_str(a, more[i].name);
    }
    ex->mailboxes = more;
    ex->mailbox_count = n;
}

enum err export_begin(struct exporting *ex, struct command *c, struct str account)
{
    bool more = true;
    enum err e = OK;
    *ex = (struct exporting){ .command = c };
    while (e == OK && more && ex->mailbox_count < MAILBOXES_MAX) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_SMALL);
        struct transfer_mailboxes_req in = { .account = account };
        struct transfer_mailboxes_rep rep;
        struct str reply;
        if (ex->mailbox_count > 0) in.after = ex->mailboxes[ex->mailbox_count - 1].id;
        transfer_mailboxes_req_put(&b, &in);
        e = ask(ex, VERB_transfer_mailboxes, &b, &a, &reply);
        if (e == OK) e = transfer_mailboxes_rep_get(reply, &a, &rep);
        if (e == OK) {
            ex->account = rep.account;
            more = rep.more;
            add_mailboxes(ex, &rep);
        }
        arena_free(&a);
    }
    if (e == ERR_NOT_FOUND) {
        buf_put_lit(&c->why, "there is no such account: ");
        buf_put(&c->why, account);
    }
    return e;
}

const struct mailbox_info *export_find(struct exporting *ex, struct str name)
{
    bool inbox = str_eq_nocase(name, STR("INBOX"));
    for (size_t i = 0; i < ex->mailbox_count; i++) {
        if (str_eq(ex->mailboxes[i].name, inbox ? STR("INBOX") : name)) return &ex->mailboxes[i];
    }
    buf_put_lit(&ex->command->why, "the account has no such mailbox: ");
    buf_put(&ex->command->why, name);
    return NULL;
}

/* ---- messages ---- */

static void tell_damaged(struct exporting *ex, const struct export_one *m)
{
    struct buf b = BUF_INIT(256);
    buf_put_u64(&b, m->info.uid);
    buf_put_lit(&b, " (message ");
    buf_put_hex_u64(&b, m->info.message, 16);
    buf_put_lit(&b, ") is damaged and was left out");
    command_say(0, "UID ", buf_str(&b));
    buf_free(&b);
    ex->damaged++;
}

static enum err take_page(struct exporting *ex, uint64_t mailbox, const struct export_page_rep *rep,
                          export_take take, void *ctx)
{
    enum err e = OK;
    if (rep->keywords_count != rep->messages_count || rep->contents_count != rep->messages_count)
        return ERR_PROTOCOL;
    for (size_t i = 0; e == OK && i < rep->messages_count; i++) {
        struct export_one m = { .mailbox = mailbox,
                                .info = rep->messages[i],
                                .keywords = rep->keywords[i],
                                .content = rep->contents[i] };
        e = take(ctx, &m);
        if (e == ERR_CORRUPT) {
            tell_damaged(ex, &m);
            e = OK;
        }
        if (e == ERR_NOT_FOUND) e = OK; /* expunged meanwhile */
    }
    return e;
}

enum err export_each(struct exporting *ex, uint64_t mailbox, bool contents, export_take take,
                     void *ctx)
{
    struct export_page_req in = { .account = ex->account,
                                  .mailbox = mailbox,
                                  .contents = contents };
    bool more = true;
    enum err e = OK;
    while (e == OK && more) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_SMALL);
        struct export_page_rep rep;
        struct str reply;
        export_page_req_put(&b, &in);
        e = ask(ex, VERB_export_page, &b, &a, &reply);
        if (e == OK) e = export_page_rep_get(reply, &a, &rep);
        if (e == OK) e = take_page(ex, mailbox, &rep, take, ctx);
        more = e == OK && rep.more && rep.messages_count > 0;
        if (more) in.after_uid = rep.messages[rep.messages_count - 1].uid;
        arena_free(&a);
    }
    return e;
}

static enum err read_some(struct exporting *ex, const struct export_one *m, uint64_t at,
                          uint32_t max_bytes, struct arena *a, struct str *bytes_out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct bytes_rep rep;
    struct str reply;
    struct export_read_req in = { .account = ex->account,
                                  .mailbox = m->mailbox,
                                  .uid = m->info.uid,
                                  .offset = at,
                                  .max_bytes = max_bytes };
    export_read_req_put(&b, &in);
    enum err e = ask(ex, VERB_export_read, &b, a, &reply);
    if (e == OK) e = bytes_rep_get(reply, a, &rep);
    if (e == OK && rep.bytes.n == 0) e = ERR_CORRUPT; /* shorter than its row says */
    if (e == OK) *bytes_out = rep.bytes;
    return e;
}

enum err export_bytes(struct exporting *ex, const struct export_one *m, export_piece piece,
                      void *ctx)
{
    if (m->content.n == m->info.bytes) return piece(ctx, m->content);
    enum err e = OK;
    for (uint64_t at = 0; e == OK && at < m->info.bytes;) {
        struct arena a = ARENA_INIT(0);
        struct str bytes = STR_NONE;
        e = read_some(ex, m, at, READ_BYTES, &a, &bytes);
        at += bytes.n;
        if (e == OK) e = piece(ctx, bytes);
        arena_free(&a);
    }
    return e;
}

enum err export_beginning(struct exporting *ex, const struct export_one *m, uint32_t max_bytes,
                          struct arena *a, struct str *bytes_out)
{
    if (m->content.n != m->info.bytes) return read_some(ex, m, 0, max_bytes, a, bytes_out);
    *bytes_out = str_part(m->content, 0, max_bytes);
    return OK;
}

void export_add_row(struct exporting *ex, struct str mailbox, uint64_t written, uint64_t present)
{
    struct arena *a = &ex->command->arena;
    uint64_t numbers[] = { written, present };
    if (ex->row_count + 3 > ex->row_room) {
        size_t room = ex->row_room > 0 ? ex->row_room * 2 : 30;
        struct str *more = ARENA_MANY(a, struct str, room);
        for (size_t i = 0; i < ex->row_count; i++) {
            more[i] = ex->rows[i];
        }
        ex->rows = more;
        ex->row_room = room;
    }
    ex->rows[ex->row_count++] = mailbox;
    for (size_t i = 0; i < 2; i++) {
        struct buf b = BUF_INIT(32);
        buf_put_u64(&b, numbers[i]);
        ex->rows[ex->row_count++] = arena_str(a, buf_str(&b));
        buf_free(&b);
    }
}
