#include "mail/changes.h"
#include "mail/unit_mail.h"

#define S(lit) STR_INIT(lit)
#define NO     STR_INIT("")

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str in, want; /* want empty: invalid */
    } cases[] = {
        { "plain", S("Archive"), S("Archive") },
        { "levels", S("a/b/c"), S("a/b/c") },
        { "INBOX in any case", S("iNbOx"), S("INBOX") },
        { "below INBOX", S("inbox/lists"), S("INBOX/lists") },
        { "not INBOX", S("inboxes"), S("inboxes") },
        { "case is kept", S("Sent Items"), S("Sent Items") },
        { "decomposed becomes NFC", S("Entwu\xcc\x88rfe"), S("Entw\xc3\xbcrfe") },
        { "composed stays", S("Entw\xc3\xbcrfe"), S("Entw\xc3\xbcrfe") },
        { "CJK", S("\xe5\x8f\xb0\xe5\x8c\x97"), S("\xe5\x8f\xb0\xe5\x8c\x97") },
        { "empty", NO, NO },
        { "a slash at the begin", S("/a"), NO },
        { "a slash at the end", S("a/"), NO },
        { "an empty level", S("a//b"), NO },
        { "NUL", S("a\0b"), NO },
        { "a line break", S("a\nb"), NO },
        { "DEL", S("a\x7f"), NO },
        { "a C1 control", S("a\xc2\x85"), NO },
        { "a line separator", S("a\xe2\x80\xa8"), NO },
        { "overlong UTF-8", S("a\xc0\xaf"), NO },
        { "a surrogate", S("\xed\xa0\x80"), NO },
        { "cut UTF-8", S("a\xc3"), NO },
        { "percent and star are letters", S("100%*"), S("100%*") },
    };
    struct arena a = ARENA_INIT(0);
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct str out = STR_NONE;
        enum err e = mailbox_name_normal(&a, cases[i].in, &out);
        assert_int_equal(e, cases[i].want.n > 0 ? OK : ERR_INVALID);
        assert_str(out, cases[i].want);
    }
    unit_case("length");
    char *many = arena_alloc(&a, KEY_MAILBOX_NAME_MAX + 1, 1);
    struct str out;
    memset(many, 'x', KEY_MAILBOX_NAME_MAX + 1);
    assert_int_equal(mailbox_name_normal(&a, str_of(many, KEY_MAILBOX_NAME_MAX), &out), OK);
    assert_int_equal(mailbox_name_normal(&a, str_of(many, KEY_MAILBOX_NAME_MAX + 1), &out),
                     ERR_INVALID);
    arena_free(&a);
}

/* ---- changes as a table ---- */

enum verb { CREATE, RENAME, DELETE, ATTRIBUTES };

struct op {
    const char *name;
    enum verb verb;
    struct str a, b;
    uint32_t attributes;
    enum err want;
};

struct step {
    struct op op;
    uint64_t account;
    struct mailbox_info m;
};

static enum err body(struct txn *t, void *ctx)
{
    struct step *s = ctx;
    struct mailbox_info m;
    enum err e = OK;
    switch (s->op.verb) {
    case CREATE:
        return mailbox_create(t, s->account, s->op.a, s->op.attributes, unit_now_us, &s->m);
    case RENAME:
        return mailbox_rename(t, s->account, s->op.a, s->op.b);
    case DELETE:
        return mailbox_delete(t, s->account, s->op.a);
    case ATTRIBUTES:
        e = mailbox_find(t, s->account, s->op.a, &m);
        return e == OK ? mailbox_attributes_set(t, s->account, m.id, s->op.attributes) : e;
    }
    must(false);
}

static void run(struct engine *e, uint64_t account, const struct op *ops, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct step s = { .op = ops[i], .account = account };
        unit_case(ops[i].name);
        assert_int_equal(unit_commit(e, body, &s), ops[i].want);
        unit_check_account(e, account);
    }
}

/* Names of all mailboxes by id, each found under its name. */
static void names_are(struct engine *e, uint64_t account, struct str want)
{
    struct buf have = buf_new(4096);
    UNIT_LOOK(e, t)
    {
        struct mailbox_info *list = ARENA_MANY(txn_arena(t), struct mailbox_info, 100);
        size_t n;
        bool more;
        assert_int_equal(mailbox_list(t, account, 0, 100, list, &n, &more), OK);
        assert_false(more);
        for (size_t i = 0; i < n; i++) {
            struct mailbox_info found;
            buf_put(&have, list[i].name);
            buf_put_byte(&have, '|');
            assert_int_equal(mailbox_find(t, account, list[i].name, &found), OK);
            assert_int_equal(found.id, list[i].id);
        }
        struct key k = { .kind = KEY_MAILBOX_NAME, .account = account };
        struct rows rows;
        assert_int_equal(row_page(t, &k, 0, STR_NONE, 100, &rows), OK);
        assert_int_equal(rows.n, n); /* no name leads nowhere */
    }
    assert_str(buf_str(&have), want);
    buf_free(&have);
}

static void rules(void **state)
{
    (void)state;
    static const struct op ops[] = {
        { "create", CREATE, S("Work"), NO, 0, OK },
        { "again", CREATE, S("Work"), NO, 0, ERR_EXISTS },
        { "INBOX is there", CREATE, S("inbox"), NO, 0, ERR_EXISTS },
        { "invalid", CREATE, S("a//b"), NO, 0, ERR_INVALID },
        { "unknown attribute", CREATE, S("y"), NO, 1u << 30, ERR_INVALID },
        { "below, the level above need not be", CREATE, S("Work/2026/May"), NO, 0, OK },
        { "a neighbour that begins alike", CREATE, S("Work0"), NO, MAILBOX_SENT, OK },
        { "rename takes what is below along", RENAME, S("Work"), S("Job"), 0, OK },
        { "onto itself", RENAME, S("Job"), S("Job"), 0, ERR_EXISTS },
        { "into itself", RENAME, S("Job"), S("Job/x"), 0, ERR_INVALID },
        { "onto another", RENAME, S("Job"), S("Work0"), 0, ERR_EXISTS },
        { "what is not there", RENAME, S("Nope"), S("x"), 0, ERR_NOT_FOUND },
        { "INBOX", RENAME, S("INBOX"), S("x"), 0, ERR_DENIED },
        { "to INBOX", RENAME, S("Job"), S("Inbox"), 0, ERR_EXISTS },
        { "to a longer name that begins alike", RENAME, S("Job"), S("Jobs"), 0, OK },
        { "attributes", ATTRIBUTES, S("Jobs"), NO, MAILBOX_ARCHIVE | MAILBOX_SUBSCRIBED, OK },
        { "unknown ones", ATTRIBUTES, S("Jobs"), NO, 512, ERR_INVALID },
        { "delete", DELETE, S("Jobs"), NO, 0, OK },
        { "again", DELETE, S("Jobs"), NO, 0, ERR_NOT_FOUND },
        { "INBOX", DELETE, S("InBox"), NO, 0, ERR_DENIED },
        { "a deleted name is free", CREATE, S("Jobs"), NO, 0, OK },
    };
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    run(e, ann, ops, UNIT_COUNT(ops));
    names_are(e, ann, STR("INBOX|Jobs/2026/May|Work0|Jobs|"));
    UNIT_LOOK(e, t)
    {
        struct change changes[100];
        size_t n;
        bool more;
        unit_case("every change is in the log");
        assert_int_equal(changes_since(t, ann, 0, 100, changes, &n, &more), OK);
        assert_int_equal(n, 1 + 3 + 2 + 2 + 1 + 1 + 1);
        for (size_t i = 0; i < n; i++) assert_int_equal(changes[i].modseq, i + 1);
        assert_int_equal(changes[n - 2].kind, CHANGE_MAILBOX_DELETED);
    }
    engine_close(&e);
}

static void uid_validity_grows(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    uint32_t last = 0;
    for (unsigned i = 0; i < 5; i++) {
        struct step s = { .op = { NULL, CREATE, S("x"), NO, 0, OK }, .account = ann };
        assert_int_equal(unit_commit(e, body, &s), OK);
        assert_true(s.m.uid_validity > last);
        last = s.m.uid_validity;
        s.op.verb = DELETE;
        assert_int_equal(unit_commit(e, body, &s), OK);
    }
    assert_true(last >= unit_now_us / 1000000);
    engine_close(&e);
}

struct reap {
    uint64_t account;
    bool more;
};

static enum err reap_body(struct txn *t, void *ctx)
{
    struct reap *r = ctx;
    return mailbox_reap(t, r->account, 7, &r->more);
}

/* Deleting gives quota back while the messages go, and bodies that are elsewhere as well stay. */
static void deleted_with_messages(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    struct plan_item both[] = { unit_file(ann, "Old"), unit_file(ann, "INBOX") };
    struct unit_intake *x = unit_plan(&a, 1, both, 2);
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    for (unsigned i = 0; i < 20; i++) unit_deliver(e, 10 + i, ann, i % 2 ? "Old" : "Older");
    struct op ops[] = {
        { "one", DELETE, S("Old"), NO, 0, OK },
        { "the other", DELETE, S("Older"), NO, 0, OK },
    };
    for (size_t i = 0; i < UNIT_COUNT(ops); i++) {
        struct step s = { .op = ops[i], .account = ann };
        assert_int_equal(unit_commit(e, body, &s), OK);
    }
    names_are(e, ann, STR("INBOX|"));
    struct reap r = { ann, true };
    unsigned slices = 0;
    for (; r.more; slices++) assert_int_equal(unit_commit(e, reap_body, &r), OK);
    assert_int_equal(slices, 4);
    unit_check_account(e, ann);
    UNIT_LOOK(e, t)
    {
        struct account_state s;
        uint64_t bytes;
        assert_int_equal(account_state_get(t, ann, &s), OK);
        assert_int_equal(s.used_messages, 1);
        assert_int_equal(txn_blob_bytes(t, blob_of_message(1), &bytes), OK);
        assert_int_equal(txn_blob_bytes(t, blob_of_message(10), &bytes), ERR_NOT_FOUND);
    }
    arena_free(&a);
    engine_close(&e);
}

static void count_is_limited(void **state)
{
    (void)state;
    assert_int_equal(param_set(STR("mailbox_count_max"), 10), OK);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    static const char *const all[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k" };
    for (size_t i = 0; i < 11; i++) {
        struct step s = { .op = { .verb = CREATE, .a = str_c(all[i]) }, .account = ann };
        assert_int_equal(unit_commit(e, body, &s), i < 9 ? OK : ERR_LIMIT);
    }
    unit_case("mail for one more goes to INBOX");
    unit_deliver(e, 5, ann, "another");
    UNIT_LOOK(e, t)
    {
        struct mailbox_info m;
        assert_int_equal(mailbox_find(t, ann, STR("INBOX"), &m), OK);
        assert_int_equal(m.messages, 1);
    }
    param_reset();
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(rules),
        cmocka_unit_test(uid_validity_grows),
        cmocka_unit_test(deleted_with_messages),
        cmocka_unit_test(count_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
