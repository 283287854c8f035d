#include "mail/check_refs.h"
#include "mail/queue.h"
#include "mail/structure.h"
#include "mail/unit_directory.h"
#include "mail/verify.h"

#define S(lit) STR_INIT(lit)

/* ---- a small store with a bit of everything ---- */

enum { ANN = 1, BOB = 2 }; /* account ids */

static struct engine *store(void)
{
    static const struct unit_directory_op ops[] = {
        { NULL, ALIAS_ADD, S("all@example.org"), S("ann@example.org x@y.example"), 0, OK },
        { NULL, CREDENTIALS, S("ann@example.org"), S("secret"), 0, OK },
    };
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    assert_int_equal(unit_account(e, "ann@example.org", 0, 0), ANN);
    assert_int_equal(unit_account(e, "bob@example.org", 0, 0), BOB);
    unit_directory_run(e, ops, UNIT_COUNT(ops));
    for (unsigned i = 1; i <= 10; i++) unit_deliver(e, i, ANN, i % 2 ? "INBOX" : "Work");
    struct plan_item both[] = {
        unit_file(ANN, "INBOX"),
        unit_file(BOB, "INBOX"),
        { .act = PLAN_QUEUE, .address = STR("x@far.example"), .next_hop = STR("far.example") },
        { .act = PLAN_QUEUE, .address = STR("y@far.example"), .next_hop = STR("far.example") },
    };
    struct unit_intake *x = unit_plan(&a, 100, both, 4);
    x->plan.structure = str_of(arena_alloc(&a, 2000, 1), 2000);
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    arena_free(&a);
    return e;
}

/* ---- looking ---- */

struct findings {
    struct buf text;
    size_t n;
};

static void hear(void *ctx, struct str line)
{
    struct findings *f = ctx;
    buf_put(&f->text, line);
    buf_put_byte(&f->text, '\n');
    f->n++;
}

static void look_account(struct engine *e, struct verify_account *v)
{
    bool done = false;
    while (!done) {
        UNIT_LOOK(e, t)
        {
            assert_int_equal(verify_account_step(t, v, &done), OK);
        }
    }
}

static void look_all(struct engine *e, struct findings *f)
{
    struct verify_rows rows = { .say = { hear, f } };
    bool done = false;
    buf_clear(&f->text);
    f->n = 0;
    for (uint64_t account = ANN; account <= BOB; account++) {
        struct verify_account v = { .account = account, .say = { hear, f } };
        look_account(e, &v);
        verify_account_free(&v);
    }
    while (!done) {
        UNIT_LOOK(e, t)
        {
            assert_int_equal(verify_rows_step(t, &rows, &done), OK);
        }
    }
    buf_free(&rows.after);
}

/* ---- damaging ---- */

enum damage {
    LOSE,        /* the row */
    SPOIL,       /* its value */
    WRONG_BOX,   /* counters of a mailbox row */
    LOW_UID,     /* uid_next of a mailbox row */
    HIGH_MODSEQ, /* of a mailbox row */
    WRONG_USE,   /* of a state row */
    LOW_MAILBOX, /* next mailbox of a state row */
    LOSE_BLOB,   /* of a message */
    FOREIGN,     /* a row with a key of nobody's */
    WRONG_HOP,   /* the number that waits for it */
};

struct harm {
    enum damage damage;
    struct key key;
};

static enum err harm_mailbox(struct txn *t, const struct harm *h)
{
    struct mailbox_info m;
    enum err e = mailbox_get(t, h->key.account, h->key.mailbox, &m);
    if (e != OK) return e;
    if (h->damage == WRONG_BOX) m.messages += 3, m.bytes = 7, m.unseen = 0;
    if (h->damage == LOW_UID) m.uid_next = 2;
    if (h->damage == HIGH_MODSEQ) m.modseq = 100000;
    return mailbox_put(t, h->key.account, &m);
}

static enum err harm_state(struct txn *t, const struct harm *h)
{
    struct account_state s;
    enum err e = account_state_get(t, h->key.account, &s);
    if (e != OK) return e;
    if (h->damage == WRONG_USE) s.used_bytes += 5;
    if (h->damage == LOW_MAILBOX) s.next_mailbox = 2;
    return account_state_put(t, &s);
}

static enum err harm_hop(struct txn *t, const struct harm *h)
{
    struct buf b = row_buf();
    wire_put_var(&b, 17);
    wire_put_u64(&b, (uint64_t)unit_now_us);
    return row_put(t, &h->key, &b);
}

static enum err harm_body(struct txn *t, void *ctx)
{
    const struct harm *h = ctx;
    switch (h->damage) {
    case LOSE:
        return row_del(t, &h->key);
    case SPOIL:
        return row_put_str(t, &h->key, STR("\xff\xff\xff"));
    case WRONG_BOX:
    case LOW_UID:
    case HIGH_MODSEQ:
        return harm_mailbox(t, h);
    case WRONG_USE:
    case LOW_MAILBOX:
        return harm_state(t, h);
    case LOSE_BLOB:
        return txn_blob_count(t, blob_of_message(h->key.message), -1);
    case WRONG_HOP:
        return harm_hop(t, h);
    case FOREIGN:
        return txn_put(t, STR("Xyz"), STR_NONE);
    }
    must(false);
}

struct mend {
    struct verify_account *v;
};

static enum err mend_body(struct txn *t, void *ctx)
{
    struct mend *m = ctx;
    return verify_account_repair(t, m->v, unit_now_us);
}

/* Count, put right, look again. */
static size_t mended(struct engine *e, struct findings *f)
{
    for (uint64_t account = ANN; account <= BOB; account++) {
        struct verify_account v = { .account = account };
        look_account(e, &v);
        assert_int_equal(unit_commit(e, mend_body, &(struct mend){ &v }), OK);
        verify_account_free(&v);
    }
    look_all(e, f);
    return f->n;
}

#define INBOX_1 .account = ANN, .mailbox = MAILBOX_INBOX, .uid = 1
#define FAR     .shard = 2, .name = S("far.example")

static const struct {
    const char *name;
    struct harm harm;
    const char *finding;
    bool mends;
} cases[] = {
    { "mailbox counters", { WRONG_BOX, { INBOX_1 } }, "counters differ", true },
    { "the next uid", { LOW_UID, { INBOX_1 } }, "next uid", true },
    { "modseq", { HIGH_MODSEQ, { INBOX_1 } }, "modseq is out of order", true },
    { "use", { WRONG_USE, { .account = BOB } }, "use differs", true },
    { "next mailbox", { LOW_MAILBOX, { .account = ANN } }, "next mailbox id", true },
    { "a mailbox row",
      { LOSE, { .kind = KEY_MAILBOX, .account = ANN, .mailbox = 2 } },
      "no such mailbox",
      false }, /* the old name still leads to nothing: said, harmless */
    { "a mailbox name",
      { LOSE, { .kind = KEY_MAILBOX_NAME, .account = ANN, .name = S("Work") } },
      "name does not lead",
      true },
    { "a message row", { LOSE, { .kind = KEY_MESSAGE, INBOX_1 } }, "counters differ", true },
    { "a fixed row", { LOSE, { .kind = KEY_FIXED, INBOX_1 } }, "unchanging row", false },
    { "a spoilt message row",
      { SPOIL, { .kind = KEY_MESSAGE, INBOX_1 } },
      "cannot be read",
      false },
    { "a shared structure",
      { LOSE, { .kind = KEY_STRUCTURE, .message = 100 } },
      "structure",
      false },
    { "a body", { LOSE_BLOB, { .message = 1 } }, "body is lost", false },
    { "the newest change",
      { LOSE, { .kind = KEY_CHANGE, .account = BOB, .modseq = 2 } },
      "newest change",
      false },
    { "a foreign row", { FOREIGN, { .kind = KEY_VERSION } }, "row 58797a", false },
    { "a domain",
      { LOSE, { .kind = KEY_DOMAIN, .domain = S("example.org") } },
      "domain is not there",
      false },
    { "an account's address",
      { LOSE, { .kind = KEY_ADDRESS, .domain = S("example.org"), .local = S("ann") } },
      "does not lead to it",
      false },
    { "an account's id",
      { LOSE, { .kind = KEY_ACCOUNT, .account = ANN } },
      "the directory does not know this account",
      false },
    { "a spoilt address",
      { SPOIL, { .kind = KEY_ADDRESS, .domain = S("example.org"), .local = S("all") } },
      "cannot be read",
      false },
    { "a spoilt trace",
      { SPOIL, { .kind = KEY_INTAKE, .message = 100 } },
      "cannot be read",
      false },
    { "a queued message",
      { LOSE, { .kind = KEY_QUEUE_MESSAGE, FAR, .message = 100 } },
      "message is not there",
      false },
    { "a queued recipient",
      { LOSE, { .kind = KEY_QUEUE_RCPT, FAR, .message = 100, .index = 2 } },
      "number of its recipients",
      false },
    { "a due time",
      { LOSE, { .kind = KEY_QUEUE_DUE, FAR, .message = 100, .index = 2, .time_us = -1 } },
      "in no order of due times",
      false },
    { "a next hop", { LOSE, { .kind = KEY_QUEUE_HOP, FAR } }, "next hop is not there", false },
    { "a next hop's number",
      { WRONG_HOP, { .kind = KEY_QUEUE_HOP, FAR } },
      "that wait for it",
      false },
    { "a next hop's due time",
      { LOSE, { .kind = KEY_QUEUE_HOP_DUE, FAR, .time_us = -1 } },
      "in no order of due times",
      false },
};

static void damages(void **state)
{
    (void)state;
    struct findings f = { .text = BUF_INIT(100000) };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct engine *e = store();
        look_all(e, &f);
        assert_int_equal(f.n, 0);
        struct harm h = cases[i].harm;
        if (h.key.time_us < 0) h.key.time_us = unit_now_us;
        if (h.key.name.n > 0 && h.key.kind != KEY_MAILBOX_NAME) {
            h.key.shard = queue_shard(h.key.name);
        }
        assert_int_equal(unit_commit(e, harm_body, &h), OK);
        look_all(e, &f);
        print_message("    %.*s", (int)f.text.n, f.text.p);
        assert_true(f.n > 0);
        assert_true(str_find_str(buf_str(&f.text), str_c(cases[i].finding)) != STR_NOWHERE);
        if (cases[i].mends) assert_int_equal(mended(e, &f), 0);
        engine_close(&e);
    }
    buf_free(&f.text);
}

/* Messages of a mailbox whose row is lost get one again. */
static void recovered(void **state)
{
    (void)state;
    struct findings f = { .text = BUF_INIT(100000) };
    struct engine *e = store();
    struct harm row = { LOSE, { .kind = KEY_MAILBOX, .account = ANN, .mailbox = 2 } };
    struct harm name = { LOSE, { .kind = KEY_MAILBOX_NAME, .account = ANN, .name = S("Work") } };
    assert_int_equal(unit_commit(e, harm_body, &row), OK);
    assert_int_equal(unit_commit(e, harm_body, &name), OK);
    assert_int_equal(mended(e, &f), 0);
    UNIT_LOOK(e, t)
    {
        struct mailbox_info m;
        assert_int_equal(mailbox_get(t, ANN, 2, &m), OK);
        assert_int_equal(m.messages, 5);
        assert_int_equal(m.uid_next, 6);
        assert_true(str_starts(m.name, STR("Recovered-2-")));
        assert_int_equal(mailbox_find(t, ANN, m.name, &m), OK);
    }
    unit_check_account(e, ANN);
    buf_free(&f.text);
    engine_close(&e);
}

/* An account that changes while it is checked is begun anew; a repair of old counts is refused. */
static void meanwhile(void **state)
{
    (void)state;
    struct engine *e = store();
    struct verify_account v = { .account = ANN };
    bool done = false;
    look_account(e, &v);
    unit_deliver(e, 200, ANN, "INBOX");
    assert_int_equal(unit_commit(e, mend_body, &(struct mend){ &v }), ERR_CONFLICT);
    v.phase = VERIFY_MESSAGES;
    UNIT_LOOK(e, t)
    {
        assert_int_equal(verify_account_step(t, &v, &done), ERR_CONFLICT);
    }
    look_account(e, &v);
    assert_int_equal(v.findings, 0);
    assert_int_equal(unit_commit(e, mend_body, &(struct mend){ &v }), OK);
    v.account = 99;
    v.phase = VERIFY_BEGIN;
    UNIT_LOOK(e, t)
    {
        assert_int_equal(verify_account_step(t, &v, &done), ERR_NOT_FOUND);
    }
    verify_account_free(&v);
    engine_close(&e);
}

/* The engine's own recount agrees with the references that rows name. */
static void references(void **state)
{
    (void)state;
    struct findings f = { .text = BUF_INIT(10000) };
    struct engine *e = store();
    struct engine_check how = { .refs = check_refs, .say = hear, .ctx = &f };
    struct engine_report report;
    assert_int_equal(engine_check(e, &how, &report), OK);
    assert_int_equal(report.blobs, 11);
    assert_int_equal(report.wrong_counts, 0);
    struct harm h = { LOSE, { .kind = KEY_MESSAGE, INBOX_1 } };
    assert_int_equal(unit_commit(e, harm_body, &h), OK);
    assert_int_equal(engine_check(e, &how, &report), ERR_CORRUPT);
    assert_true(report.wrong_counts + report.lost_blobs > 0);
    buf_free(&f.text);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damages),
        cmocka_unit_test(recovered),
        cmocka_unit_test(meanwhile),
        cmocka_unit_test(references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
