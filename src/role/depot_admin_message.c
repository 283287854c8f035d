/* mailbox and message commands. What came from outside is not looked into here: the structure of a
 * message goes to the tool as the record that the filter made. */
#include "role/depot_admin.h"

#include "mail/directory.h"
#include "mail/message.h"

enum { LIST_ROWS = 2000 };

/* ---- who and where ---- */

/* The account of argument 0 and the mailbox of argument `at` (INBOX when there is none). */
static enum err find_mailbox(struct txn *t, struct admin *a, size_t at, uint64_t *account_out,
                             struct mailbox_info *mailbox_out)
{
    struct account x;
    struct str name = admin_arg(a, at);
    enum err e = directory_account_get(t, admin_arg(a, 0), &x);
    if (e == ERR_NOT_FOUND || e == ERR_INVALID)
        return admin_fail(a, ERR_NOT_FOUND, "there is no such account: ", admin_arg(a, 0));
    if (e != OK) return e;
    e = mailbox_find(t, x.id, name.n > 0 ? name : STR("INBOX"), mailbox_out);
    if (e == ERR_NOT_FOUND) return admin_fail(a, e, "the account has no such mailbox: ", name);
    if (e == OK) *account_out = x.id;
    return e;
}

static enum err find_uid(struct admin *a, uint32_t *uid_out)
{
    uint64_t uid = 0;
    if (str_to_u64(admin_arg(a, 1), UINT32_MAX, &uid) != OK || uid == 0)
        return admin_fail(a, ERR_SYNTAX, "a UID is a number from 1 on, not ", admin_arg(a, 1));
    *uid_out = (uint32_t)uid;
    return OK;
}

static enum err resume_number(const struct admin *a, uint64_t max, uint64_t *value_out)
{
    *value_out = 0;
    return a->resume.n > 0 ? str_to_u64(a->resume, max, value_out) : OK;
}

static void more_behind(struct admin *a, uint64_t value)
{
    struct buf b = BUF_INIT(32);
    buf_put_u64(&b, value);
    admin_more(a, buf_str(&b));
    buf_free(&b);
}

/* ---- mailboxes ---- */

static void put_attributes(struct admin *a, uint32_t attributes)
{
    static const char *const names[] = { "all",  "archive", "drafts",    "flagged",   "junk",
                                         "sent", "trash",   "important", "subscribed" };
    struct buf b = BUF_INIT(256);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((attributes & 1u << i) == 0) continue;
        if (b.n > 0) buf_put_byte(&b, ' ');
        buf_put(&b, str_c(names[i]));
    }
    admin_cell(a, buf_str(&b));
    buf_free(&b);
}

static enum err mailbox_list_body(struct txn *t, struct admin *a)
{
    struct mailbox_info inbox, *list = ARENA_MANY(txn_arena(t), struct mailbox_info, ADMIN_PAGE);
    uint64_t account = 0, after = 0;
    size_t n = 0;
    bool more = false;
    enum err e = find_mailbox(t, a, SIZE_MAX, &account, &inbox);
    if (e == OK) e = resume_number(a, UINT32_MAX, &after);
    if (e == OK) e = mailbox_list(t, account, after, ADMIN_PAGE, list, &n, &more);
    for (size_t i = 0; e == OK && i < n; i++) {
        admin_cell(a, list[i].name);
        admin_cell_u64(a, list[i].messages);
        admin_cell_u64(a, list[i].unseen);
        admin_cell_u64(a, list[i].bytes);
        admin_cell_u64(a, list[i].uid_validity);
        admin_cell_u64(a, list[i].uid_next);
        put_attributes(a, list[i].attributes);
    }
    if (e == OK && more) more_behind(a, list[n - 1].id);
    return e;
}

static enum err mailbox_list_serve(struct admin *a)
{
    ADMIN_COLUMNS(a, STR("mailbox"), STR("#messages"), STR("#unseen"), STR("#bytes"),
                  STR("#uid-validity"), STR("#uid-next"), STR("attributes"));
    return admin_read(a, mailbox_list_body);
}

/* ---- listing ---- */

static struct str flags_words(struct txn *t, uint32_t flags, const struct keywords *all,
                              struct str ids)
{
    static const struct {
        uint32_t flag;
        struct str name;
    } names[] = {
        { MESSAGE_SEEN, STR_INIT("\\Seen") },       { MESSAGE_ANSWERED, STR_INIT("\\Answered") },
        { MESSAGE_FLAGGED, STR_INIT("\\Flagged") }, { MESSAGE_DELETED, STR_INIT("\\Deleted") },
        { MESSAGE_DRAFT, STR_INIT("\\Draft") },
    };
    struct buf b = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].flag) == 0) continue;
        if (b.n > 0) buf_put_byte(&b, ' ');
        buf_put(&b, names[i].name);
    }
    for (size_t i = 0; i < ids.n; i++) {
        size_t id = (unsigned char)ids.p[i];
        if (b.n > 0) buf_put_byte(&b, ' ');
        buf_put(&b, id < all->n ? all->names[id] : STR("?"));
    }
    struct str words = arena_str(txn_arena(t), buf_str(&b));
    buf_free(&b);
    return words;
}

static void cell_id(struct admin *a, uint64_t id)
{
    struct buf b = BUF_INIT(32);
    buf_put_hex_u64(&b, id, 16);
    admin_cell(a, buf_str(&b));
    buf_free(&b);
}

static enum err list_body(struct txn *t, struct admin *a)
{
    struct message_row *rows = ARENA_MANY(txn_arena(t), struct message_row, LIST_ROWS);
    struct mailbox_info mailbox = { 0 };
    struct keywords all;
    uint64_t account = 0, after = 0;
    size_t n = 0;
    bool more = false;
    enum err e = find_mailbox(t, a, 1, &account, &mailbox);
    if (e == OK) e = keywords_get(t, account, &all);
    if (e == OK) e = resume_number(a, UINT32_MAX, &after);
    if (e == OK)
        e = message_list_page(t, account, mailbox.id, (uint32_t)after, LIST_ROWS, rows, &n, &more);
    for (size_t i = 0; e == OK && i < n; i++) {
        admin_cell_u64(a, rows[i].info.uid);
        cell_id(a, rows[i].info.message);
        admin_cell_u64(a, rows[i].info.bytes);
        admin_cell_time(a, rows[i].info.received_us);
        admin_cell(a, flags_words(t, rows[i].info.flags, &all, rows[i].keywords));
    }
    if (e == OK && more) more_behind(a, rows[n - 1].info.uid);
    return e;
}

static enum err message_list_serve(struct admin *a)
{
    ADMIN_COLUMNS(a, STR("#uid"), STR("message"), STR("#bytes"), STR("received"), STR("flags"));
    return admin_read(a, list_body);
}

/* ---- one message ---- */

static void fact(struct admin *a, struct str name, struct str value)
{
    admin_cell(a, name);
    admin_cell(a, value);
}

static void fact_u64(struct admin *a, struct str name, uint64_t value)
{
    admin_cell(a, name);
    admin_cell_u64(a, value);
}

static void fact_time(struct admin *a, struct str name, int64_t wall_us)
{
    admin_cell(a, name);
    admin_cell_time(a, wall_us);
}

/* Unless something else is missing that has been named already. */
static enum err no_message(struct admin *a)
{
    return a->message.n > 0
               ? ERR_NOT_FOUND
               : admin_fail(a, ERR_NOT_FOUND,
                            "the mailbox has no message with this UID: ", admin_arg(a, 1));
}

static enum err show_body(struct txn *t, struct admin *a)
{
    struct mailbox_info mailbox = { 0 };
    struct message_row row;
    struct message_fixed fixed;
    struct keywords all;
    uint64_t account = 0;
    uint32_t uid = 0;
    enum err e = find_uid(a, &uid);
    if (e == OK) e = find_mailbox(t, a, 2, &account, &mailbox);
    if (e == OK) e = keywords_get(t, account, &all);
    if (e == OK) e = message_get(t, account, mailbox.id, uid, &row);
    if (e == ERR_NOT_FOUND) return no_message(a);
    if (e == OK) e = message_fixed_get(t, account, mailbox.id, uid, &fixed);
    if (e != OK) return e;
    admin_cell(a, STR("message"));
    cell_id(a, row.info.message);
    fact(a, STR("mailbox"), mailbox.name);
    fact_u64(a, STR("uid"), uid);
    fact_u64(a, STR("bytes"), row.info.bytes);
    fact(a, STR("flags"), flags_words(t, row.info.flags, &all, row.keywords));
    fact_time(a, STR("received"), row.info.received_us);
    fact_time(a, STR("saved"), row.saved_us);
    fact_u64(a, STR("modseq"), row.info.modseq);
    fact_u64(a, STR("prefix-bytes"), fixed.prefix.n);
    a->rep.data = arena_str(a->arena, fixed.structure);
    return OK;
}

static enum err message_show_serve(struct admin *a)
{
    ADMIN_COLUMNS(a, STR("what"), STR("value"));
    return admin_read(a, show_body);
}

/* A page of its bytes as they are served. */
static enum err export_body(struct txn *t, struct admin *a)
{
    struct mailbox_info mailbox = { 0 };
    struct message_row row;
    struct buf bytes = BUF_INIT(ENGINE_CHUNK_MAX);
    uint64_t account = 0, at = 0;
    uint32_t uid = 0;
    enum err e = find_uid(a, &uid);
    if (e == OK) e = find_mailbox(t, a, 2, &account, &mailbox);
    if (e == OK) e = resume_number(a, UINT64_MAX, &at);
    if (e == OK) e = message_get(t, account, mailbox.id, uid, &row);
    if (e == ERR_NOT_FOUND) return no_message(a);
    if (e == OK) e = depot_message_bytes(t, account, mailbox.id, uid, at, ENGINE_CHUNK_MAX, &bytes);
    if (e == OK) {
        a->rep.data = arena_str(a->arena, buf_str(&bytes));
        if (bytes.n > 0 && at + bytes.n < row.info.bytes) more_behind(a, at + bytes.n);
    }
    buf_free(&bytes);
    return e;
}

static enum err message_export_serve(struct admin *a)
{
    return admin_read(a, export_body);
}

const struct admin_row admin_message_rows[] = {
    { "mailbox", "list", mailbox_list_serve, false },
    { "message", "list", message_list_serve, false },
    { "message", "show", message_show_serve, false },
    { "message", "export", message_export_serve, false },
    { NULL, NULL, NULL, false },
};
