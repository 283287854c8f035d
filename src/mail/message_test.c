#include "mail/changes.h"
#include "mail/transfer.h"
#include "mail/unit_mail.h"

/* ---- one body for all changes ---- */

enum verb { FLAGS, EXPUNGE, EXPUNGE_SLICE, COPY, MOVE, IMPORT, TRIM };

struct step {
    enum verb verb;
    uint64_t account, from, to;
    const uint32_t *uids;
    size_t n, at, done;
    struct flags_change how;
    struct flags_result results[8];
    uint32_t new_uids[8];
    struct import_message import;
    uint64_t keep;
    bool more;
};

static enum err body(struct txn *t, void *ctx)
{
    struct step *s = ctx;
    memset(s->results, 0xee, sizeof s->results);
    memset(s->new_uids, 0xee, sizeof s->new_uids);
    switch (s->verb) {
    case FLAGS:
        return message_flags_change(t, s->account, s->from, s->uids, s->n, &s->how, s->results);
    case EXPUNGE:
        return message_expunge(t, s->account, s->from, s->uids, s->n, &s->done);
    case EXPUNGE_SLICE:
        return message_expunge_slice(t, s->account, s->from, s->uids, s->n, s->at, &s->done);
    case COPY:
        return message_copy(t, s->account, s->from, s->to, s->uids, s->n, unit_now_us, s->new_uids);
    case MOVE:
        return message_move(t, s->account, s->from, s->to, s->uids, s->n, unit_now_us, s->new_uids);
    case IMPORT:
        return import_message(t, &s->import, NULL, unit_now_us, &s->new_uids[0]);
    case TRIM:
        return changes_trim(t, s->account, s->keep, 5, &s->more);
    }
    must(false);
}

static uint64_t box(struct engine *e, uint64_t account, const char *name)
{
    uint64_t id = 0;
    UNIT_LOOK(e, t)
    {
        struct mailbox_info m;
        assert_int_equal(mailbox_find(t, account, str_c(name), &m), OK);
        id = m.id;
    }
    return id;
}

static struct message_row row_of(struct engine *e, uint64_t account, uint64_t mailbox, uint32_t uid)
{
    struct message_row row = { 0 };
    UNIT_LOOK(e, t)
    {
        assert_int_equal(message_get(t, account, mailbox, uid, &row), OK);
    }
    row.keywords = STR_NONE; /* it went with the snapshot */
    return row;
}

static void flags(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum flags_how how;
        uint32_t flags;
        struct str keyword;
        uint64_t unchanged_since;
        enum err result;
        uint32_t want;
        size_t keywords;
        bool changed;
    } cases[] = {
        { "add", FLAGS_ADD, MESSAGE_SEEN, STR_INIT(""), UINT64_MAX, OK, MESSAGE_SEEN, 0, true },
        { "add again: nothing", FLAGS_ADD, MESSAGE_SEEN, STR_INIT(""), UINT64_MAX, OK, MESSAGE_SEEN,
          0, false },
        { "with a keyword", FLAGS_ADD, MESSAGE_FLAGGED, STR_INIT("$Later"), UINT64_MAX, OK,
          MESSAGE_SEEN | MESSAGE_FLAGGED, 1, true },
        { "keywords in any case", FLAGS_ADD, 0, STR_INIT("$LATER"), UINT64_MAX, OK,
          MESSAGE_SEEN | MESSAGE_FLAGGED, 1, false },
        { "another keyword", FLAGS_ADD, 0, STR_INIT("work"), UINT64_MAX, OK,
          MESSAGE_SEEN | MESSAGE_FLAGGED, 2, true },
        { "remove one", FLAGS_REMOVE, MESSAGE_SEEN, STR_INIT("$later"), UINT64_MAX, OK,
          MESSAGE_FLAGGED, 1, true },
        { "remove what nobody ever named", FLAGS_REMOVE, 0, STR_INIT("never"), UINT64_MAX, OK,
          MESSAGE_FLAGGED, 1, false },
        { "changed since", FLAGS_ADD, MESSAGE_SEEN, STR_INIT(""), 1, ERR_CONFLICT, MESSAGE_FLAGGED,
          1, false },
        { "replace", FLAGS_REPLACE, MESSAGE_DELETED, STR_INIT(""), UINT64_MAX, OK, MESSAGE_DELETED,
          0, true },
    };
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    unit_deliver(e, 1, ann, "INBOX");
    uint32_t uids[] = { 1, 99 };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        uint64_t before = row_of(e, ann, MAILBOX_INBOX, 1).info.modseq;
        struct step s = { .verb = FLAGS,
                          .account = ann,
                          .from = MAILBOX_INBOX,
                          .uids = uids,
                          .n = 2,
                          .how = { .how = cases[i].how,
                                   .flags = cases[i].flags,
                                   .keywords = &cases[i].keyword,
                                   .keyword_count = cases[i].keyword.n > 0,
                                   .unchanged_since = cases[i].unchanged_since } };
        assert_int_equal(unit_commit(e, body, &s), OK);
        assert_int_equal(s.results[0].result, cases[i].result);
        assert_int_equal(s.results[0].flags, cases[i].want);
        assert_int_equal(s.results[1].result, ERR_NOT_FOUND);
        assert_int_equal(s.results[0].modseq > before, cases[i].changed);
        assert_int_equal(row_of(e, ann, MAILBOX_INBOX, 1).info.modseq, s.results[0].modseq);
        UNIT_LOOK(e, t)
        {
            struct message_row row;
            assert_int_equal(message_get(t, ann, MAILBOX_INBOX, 1, &row), OK);
            assert_int_equal(row.keywords.n, cases[i].keywords);
        }
        unit_check_account(e, ann);
    }
    engine_close(&e);
}

static void keyword_rules(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str keyword;
    } bad[] = {
        { "empty", STR_INIT("") },
        { "a space", STR_INIT("a b") },
        { "a backslash", STR_INIT("\\Seen") },
        { "a bracket", STR_INIT("a]") },
        { "UTF-8", STR_INIT("\xc3\xa4") },
        { "a star", STR_INIT("*") },
    };
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    unit_deliver(e, 1, ann, "INBOX");
    uint32_t uid = 1;
    struct step s = { .verb = FLAGS, .account = ann, .from = MAILBOX_INBOX, .uids = &uid, .n = 1 };
    s.how = (struct flags_change){ .how = FLAGS_ADD,
                                   .keyword_count = 1,
                                   .unchanged_since = UINT64_MAX };
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        unit_case(bad[i].name);
        s.how.keywords = &bad[i].keyword;
        assert_int_equal(unit_commit(e, body, &s), ERR_INVALID);
    }
    unit_case("as many as there may be");
    for (unsigned i = 0; i <= KEYWORD_MAX; i++) {
        struct buf b = buf_new(16);
        buf_put_byte(&b, 'k');
        buf_put_u64(&b, i);
        struct str name = buf_str(&b);
        s.how.keywords = &name;
        assert_int_equal(unit_commit(e, body, &s), i < KEYWORD_MAX ? OK : ERR_LIMIT);
        buf_free(&b);
    }
    UNIT_LOOK(e, t)
    {
        struct message_row row;
        assert_int_equal(message_get(t, ann, MAILBOX_INBOX, 1, &row), OK);
        assert_int_equal(row.keywords.n, KEYWORD_MAX);
    }
    engine_close(&e);
}

static void expunge(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    for (unsigned i = 1; i <= 5; i++) unit_deliver(e, i, ann, "INBOX");
    static const uint32_t uids[] = { 2, 4, 77, 4 };
    struct step s = {
        .verb = EXPUNGE, .account = ann, .from = MAILBOX_INBOX, .uids = uids, .n = 4
    };
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(s.done, 2);
    unit_check_account(e, ann);
    UNIT_LOOK(e, t)
    {
        struct mailbox_info m;
        struct message_row row;
        struct change changes[20];
        uint64_t bytes;
        size_t n;
        bool more;
        assert_int_equal(mailbox_get(t, ann, MAILBOX_INBOX, &m), OK);
        assert_int_equal(m.messages, 3);
        assert_int_equal(m.uid_next, 6);
        assert_int_equal(message_get(t, ann, MAILBOX_INBOX, 2, &row), ERR_NOT_FOUND);
        assert_int_equal(txn_blob_bytes(t, blob_of_message(2), &bytes), ERR_NOT_FOUND);
        assert_int_equal(txn_blob_bytes(t, blob_of_message(3), &bytes), OK);
        assert_int_equal(changes_since(t, ann, 6, 20, changes, &n, &more), OK);
        assert_int_equal(n, 2);
        assert_int_equal(changes[1].kind, CHANGE_EXPUNGED);
        assert_int_equal(changes[1].uid, 4);
        assert_int_equal(m.modseq, changes[1].modseq);
    }
    unit_case("nothing to do changes nothing");
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(s.done, 0);
    s.from = 55;
    assert_int_equal(unit_commit(e, body, &s), ERR_NOT_FOUND);
    engine_close(&e);
}

static void expunge_in_slices(void **state)
{
    (void)state;
    enum { N = 2500 };
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    uint32_t *uids = ARENA_MANY(&a, uint32_t, N);
    for (unsigned i = 0; i < N; i++) {
        unit_deliver(e, 1 + i, ann, "INBOX");
        uids[i] = i + 1;
    }
    struct step s = {
        .verb = EXPUNGE_SLICE, .account = ann, .from = MAILBOX_INBOX, .uids = uids, .n = N
    };
    unsigned slices = 0;
    for (; s.at < N; slices++) {
        assert_int_equal(unit_commit(e, body, &s), OK);
        s.at = s.done;
    }
    assert_int_equal(slices, 3);
    unit_check_account(e, ann);
    arena_free(&a);
    engine_close(&e);
}

static void copy_and_move(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    for (unsigned i = 1; i <= 3; i++) unit_deliver(e, i, ann, "INBOX");
    unit_deliver(e, 9, ann, "Work");
    uint64_t work = box(e, ann, "Work");
    static const uint32_t uids[] = { 3, 50, 1 };
    struct step s = { .account = ann, .from = MAILBOX_INBOX, .to = work, .uids = uids, .n = 3 };

    unit_case("copy: the body counts once more");
    s.verb = COPY;
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(s.new_uids[0], 2);
    assert_int_equal(s.new_uids[1], 0);
    assert_int_equal(s.new_uids[2], 3);
    unit_check_account(e, ann);
    assert_int_equal(row_of(e, ann, work, 2).info.message, 3);

    unit_case("move: the same body, another place");
    s.verb = MOVE;
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(s.new_uids[0], 4);
    unit_check_account(e, ann);
    UNIT_LOOK(e, t)
    {
        struct message_row row;
        struct message_fixed fixed;
        assert_int_equal(message_get(t, ann, MAILBOX_INBOX, 3, &row), ERR_NOT_FOUND);
        assert_int_equal(message_fixed_get(t, ann, work, 4, &fixed), OK);
        assert_str(fixed.structure, STR("structure of it"));
    }

    unit_case("move within a mailbox gives new uids");
    static const uint32_t again[] = { 1 };
    struct step within = {
        .verb = MOVE, .account = ann, .from = work, .to = work, .uids = again, .n = 1
    };
    assert_int_equal(unit_commit(e, body, &within), OK);
    assert_int_equal(within.new_uids[0], 6);
    unit_check_account(e, ann);

    unit_case("a mailbox that is not there");
    s.to = 99;
    assert_int_equal(unit_commit(e, body, &s), ERR_NOT_FOUND);
    engine_close(&e);
}

static void copy_heeds_quota(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 3);
    for (unsigned i = 1; i <= 2; i++) unit_deliver(e, i, ann, "INBOX");
    static const uint32_t uids[] = { 1, 2 };
    struct step s = { .verb = COPY,
                      .account = ann,
                      .from = MAILBOX_INBOX,
                      .to = MAILBOX_INBOX,
                      .uids = uids,
                      .n = 2 };
    assert_int_equal(unit_commit(e, body, &s), ERR_OVER_QUOTA);
    unit_check_account(e, ann);
    s.n = 1;
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(s.new_uids[0], 3);
    unit_check_account(e, ann);
    engine_close(&e);
}

static void pages(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    for (unsigned i = 1; i <= 20; i++) unit_deliver(e, i, ann, i % 2 ? "INBOX" : "Other");
    for (size_t max = 1; max <= 12; max++) {
        uint32_t after = 0;
        size_t seen = 0;
        for (bool more = true; more;) {
            UNIT_LOOK(e, t)
            {
                struct message_row rows[12];
                size_t n;
                assert_int_equal(
                    message_list_page(t, ann, MAILBOX_INBOX, after, max, rows, &n, &more), OK);
                assert_true(n > 0);
                for (size_t i = 0; i < n; i++) assert_int_equal(rows[i].info.uid, ++seen);
                after = rows[n - 1].info.uid;
            }
        }
        assert_int_equal(seen, 10);
    }
    engine_close(&e);
}

/* ---- import and export ---- */

static void imports(void **state)
{
    (void)state;
    static const struct str words[] = { STR_INIT("$Done"), STR_INIT("home") };
    static const struct {
        const char *name;
        uint64_t message;
        uint32_t uid, want_uid;
        struct str content;
        enum err want;
    } cases[] = {
        { "the next uid", 1, 0, 1, STR_INIT("one"), OK },
        { "a wanted one", 2, 100, 100, STR_INIT("two"), OK },
        { "one that is too low", 3, 50, 101, STR_INIT("three"), OK },
        { "an id that is taken", 2, 0, 0, STR_INIT("four"), ERR_EXISTS },
        { "no bytes", 4, 0, 0, STR_INIT(""), ERR_INVALID },
        { "the last uid of all", 5, UINT32_MAX, 0, STR_INIT("five"), ERR_LIMIT },
    };
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct step s = { .verb = IMPORT };
        s.import = (struct import_message){ .account = ann,
                                            .mailbox = MAILBOX_INBOX,
                                            .message = cases[i].message,
                                            .content = cases[i].content,
                                            .structure = STR("s"),
                                            .flags = MESSAGE_SEEN,
                                            .keywords = words,
                                            .keyword_count = 2,
                                            .received_us = 1234,
                                            .uid = cases[i].uid };
        assert_int_equal(unit_commit(e, body, &s), cases[i].want);
        if (cases[i].want == OK) assert_int_equal(s.new_uids[0], cases[i].want_uid);
        unit_check_account(e, ann);
    }
    unit_case("and out again");
    UNIT_LOOK(e, t)
    {
        struct export_message out[10];
        struct export_at at = { 0 };
        size_t n;
        assert_int_equal(export_next(t, ann, &at, 2, out, &n), OK);
        assert_true(n == 2 && !at.end);
        assert_int_equal(export_next(t, ann, &at, 2, out, &n), OK);
        assert_true(n == 1 && at.end);
        assert_int_equal(out[0].row.info.uid, 101);
        assert_int_equal(out[0].row.info.received_us, 1234);
        assert_int_equal(out[0].row.info.flags, MESSAGE_SEEN);
        assert_int_equal(out[0].keyword_count, 2);
        assert_str(out[0].keywords[1], STR("home"));
    }
    engine_close(&e);
}

/* ---- the log's floor ---- */

static void trimmed(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    for (unsigned i = 1; i <= 19; i++) unit_deliver(e, i, ann, "INBOX"); /* 20 changes */
    struct step s = { .verb = TRIM, .account = ann, .keep = 8 };
    unsigned slices = 0;
    for (s.more = true; s.more; slices++) assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(slices, 3);
    UNIT_LOOK(e, t)
    {
        struct change changes[30];
        struct account_state state_now;
        size_t n;
        bool more;
        assert_int_equal(account_state_get(t, ann, &state_now), OK);
        assert_int_equal(state_now.changes_floor, 12);
        assert_int_equal(changes_since(t, ann, 11, 30, changes, &n, &more), ERR_RANGE);
        assert_int_equal(changes_since(t, ann, 12, 30, changes, &n, &more), OK);
        assert_int_equal(n, 8);
        assert_int_equal(changes[0].modseq, 13);
        assert_int_equal(changes_since(t, ann, 15, 2, changes, &n, &more), OK);
        assert_true(n == 2 && more);
        assert_int_equal(changes_since(t, ann, 99, 2, changes, &n, &more), OK);
        assert_int_equal(n, 0);
        assert_int_equal(changes_since(t, ann + 1, 0, 2, changes, &n, &more), ERR_NOT_FOUND);
    }
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags),         cmocka_unit_test(keyword_rules),
        cmocka_unit_test(expunge),       cmocka_unit_test(expunge_in_slices),
        cmocka_unit_test(copy_and_move), cmocka_unit_test(copy_heeds_quota),
        cmocka_unit_test(pages),         cmocka_unit_test(imports),
        cmocka_unit_test(trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
