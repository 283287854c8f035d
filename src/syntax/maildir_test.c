#include "base/unit.h"

#include "syntax/maildir.h"

static const struct {
    const char *name;
    struct str file;
    enum err want;
    struct str base;
    unsigned flags;
    uint32_t keywords;
    uint64_t file_bytes, wire_bytes;
} files[] = {
    { "new", STR_INIT("1.M2.h"), OK, STR_INIT("1.M2.h"), 0, 0, 0, 0 },
    { "no flags", STR_INIT("1.M2.h:2,"), OK, STR_INIT("1.M2.h"), 0, 0, 0, 0 },
    { "all flags", STR_INIT("1.M2.h:2,DFPRST"), OK, STR_INIT("1.M2.h"), 63, 0, 0, 0 },
    { "keywords", STR_INIT("1:2,Saz"), OK, STR_INIT("1"), MAILDIR_SEEN, 1u << 25 | 1, 0, 0 },
    { "unknown flags", STR_INIT("1:2,SXY9"), OK, STR_INIT("1"), MAILDIR_SEEN, 0, 0, 0 },
    { "other info", STR_INIT("1:1,S"), OK, STR_INIT("1"), 0, 0, 0, 0 },
    { "sizes", STR_INIT("1.h,S=12,W=13:2,S"), OK, STR_INIT("1.h,S=12,W=13"), MAILDIR_SEEN, 0, 12,
      13 },
    { "one size", STR_INIT("1.h,S=12"), OK, STR_INIT("1.h,S=12"), 0, 0, 0, 0 },
    { "size that is none", STR_INIT("1.h,S=,W=1"), OK, STR_INIT("1.h,S=,W=1"), 0, 0, 0, 0 },
    { "dot", STR_INIT(".hidden"), ERR_SYNTAX, STR_INIT(""), 0, 0, 0, 0 },
    { "slash", STR_INIT("a/b"), ERR_SYNTAX, STR_INIT(""), 0, 0, 0, 0 },
    { "line end", STR_INIT("a\n"), ERR_SYNTAX, STR_INIT(""), 0, 0, 0, 0 },
    { "empty", STR_INIT(""), ERR_SYNTAX, STR_INIT(""), 0, 0, 0, 0 },
    { "only flags", STR_INIT(":2,S"), ERR_SYNTAX, STR_INIT(""), 0, 0, 0, 0 },
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(files); i++) {
        struct maildir_name m;
        unit_case(files[i].name);
        assert_int_equal(maildir_name_parse(files[i].file, &m), files[i].want);
        if (files[i].want != OK) continue;
        assert_str(m.base, files[i].base);
        assert_int_equal(m.flags, files[i].flags);
        assert_int_equal(m.keywords, files[i].keywords);
        assert_int_equal(m.has_sizes, files[i].wire_bytes > 0);
        if (m.has_sizes) {
            assert_int_equal(m.file_bytes, files[i].file_bytes);
            assert_int_equal(m.wire_bytes, files[i].wire_bytes);
        }
        struct buf b = BUF_INIT(1000);
        struct maildir_name again;
        maildir_put_name(&b, m.base, m.flags, m.keywords);
        assert_int_equal(maildir_name_parse(buf_str(&b), &again), OK);
        assert_str(again.base, m.base);
        assert_int_equal(again.flags, m.flags);
        assert_int_equal(again.keywords, m.keywords);
        buf_free(&b);
    }
}

static const struct {
    const char *name;
    struct str mailbox, folder;
} folders[] = {
    { "one level", STR_INIT("Sent"), STR_INIT(".Sent") },
    { "two levels", STR_INIT("Work/2026"), STR_INIT(".Work.2026") },
    { "below the inbox", STR_INIT("INBOX/x"), STR_INIT(".INBOX.x") },
    { "umlaut", STR_INIT("Entw\xc3\xbcrfe"), STR_INIT(".Entw&APw-rfe") },
    { "a dot in the name", STR_INIT("a.b/c"), STR_INIT(".a&AC4-b.c") },
    { "blanks and ampersands", STR_INIT("R & D"), STR_INIT(".R &- D") },
};

static void test_folders(void **state)
{
    static const struct str bad[] = { STR_INIT("Sent"),     STR_INIT("."),    STR_INIT(".."),
                                      STR_INIT(".a..b"),    STR_INIT(".a."),  STR_INIT(""),
                                      STR_INIT(".a&AC8-b"), STR_INIT(".\xff") };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(folders); i++) {
        struct buf b = BUF_INIT(1000), back = BUF_INIT(1000);
        unit_case(folders[i].name);
        maildir_put_folder(&b, folders[i].mailbox);
        assert_str(buf_str(&b), folders[i].folder);
        assert_int_equal(maildir_folder_parse(buf_str(&b), &back), OK);
        assert_str(buf_str(&back), folders[i].mailbox);
        buf_free(&b);
        buf_free(&back);
    }
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        struct buf b = BUF_INIT(1000);
        unit_case(bad[i].p);
        assert_int_equal(maildir_folder_parse(bad[i], &b), ERR_SYNTAX);
        assert_int_equal(b.n, 0);
        buf_free(&b);
    }
    /* Not modified UTF-7, but UTF-8: as other programs write it. */
    struct buf b = BUF_INIT(1000);
    assert_int_equal(maildir_folder_parse(STR(".R & D"), &b), OK);
    assert_str(buf_str(&b), STR("R & D"));
    buf_free(&b);
}

static const struct {
    const char *name;
    struct str line;
    enum err want;
    struct maildir_uidlist list;
} heads[] = {
    { "version 3",
      STR_INIT("3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1"),
      OK,
      { 3, 1275660208, 25022 } },
    { "without a guid", STR_INIT("3 N2 V1"), OK, { 3, 1, 2 } },
    { "version 1", STR_INIT("1 17 18"), OK, { 1, 17, 18 } },
    { "version 2", STR_INIT("2 17 18"), ERR_UNSUPPORTED, { 0 } },
    { "no validity", STR_INIT("3 N2"), ERR_SYNTAX, { 0 } },
    { "too large", STR_INIT("3 V4294967296 N2"), ERR_SYNTAX, { 0 } },
    { "zero", STR_INIT("1 0 1"), ERR_SYNTAX, { 0 } },
    { "empty", STR_INIT(""), ERR_SYNTAX, { 0 } },
    { "words", STR_INIT("three"), ERR_SYNTAX, { 0 } },
};

static const struct {
    const char *name;
    unsigned version;
    struct str line;
    enum err want;
    uint32_t uid;
    struct str base;
} uids[] = {
    { "plain", 3, STR_INIT("7 :1.M2.h,S=1"), OK, 7, STR_INIT("1.M2.h,S=1") },
    { "extensions", 3, STR_INIT("7 W12 P5xyz S11 :1.M2.h"), OK, 7, STR_INIT("1.M2.h") },
    { "with flags", 3, STR_INIT("7 :1.M2.h:2,S"), OK, 7, STR_INIT("1.M2.h") },
    { "no file", 3, STR_INIT("7 W12"), ERR_SYNTAX, 0, STR_INIT("") },
    { "no number", 3, STR_INIT("x :1"), ERR_SYNTAX, 0, STR_INIT("") },
    { "zero", 3, STR_INIT("0 :1"), ERR_SYNTAX, 0, STR_INIT("") },
    { "version 1", 1, STR_INIT("7 1.M2.h:2,S"), OK, 7, STR_INIT("1.M2.h") },
    { "version 1 without file", 1, STR_INIT("7"), ERR_SYNTAX, 0, STR_INIT("") },
};

static void test_uidlist(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(heads); i++) {
        struct maildir_uidlist l = { 0 };
        unit_case(heads[i].name);
        assert_int_equal(maildir_uidlist_parse(heads[i].line, &l), heads[i].want);
        if (heads[i].want != OK) continue;
        assert_int_equal(l.version, heads[i].list.version);
        assert_int_equal(l.uid_validity, heads[i].list.uid_validity);
        assert_int_equal(l.uid_next, heads[i].list.uid_next);
    }
    for (size_t i = 0; i < UNIT_COUNT(uids); i++) {
        struct maildir_uidlist l = { .version = uids[i].version };
        uint32_t uid;
        struct str base;
        unit_case(uids[i].name);
        assert_int_equal(maildir_uid_parse(&l, uids[i].line, &uid, &base), uids[i].want);
        if (uids[i].want != OK) continue;
        assert_int_equal(uid, uids[i].uid);
        assert_str(base, uids[i].base);
    }
    struct buf b = BUF_INIT(1000);
    struct maildir_uidlist l = { 3, 17, 4294967295u };
    maildir_put_uidlist(&b, &l, STR("0123456789abcdef"));
    maildir_put_uid(&b, 5, STR("1.h"));
    assert_str(buf_str(&b), STR("3 V17 N4294967295 G30313233343536373839616263646566\n5 :1.h\n"));
    buf_free(&b);
}

static void test_keywords(void **state)
{
    (void)state;
    unsigned index;
    struct str name;
    assert_int_equal(maildir_keyword_parse(STR("25 $Junk"), &index, &name), OK);
    assert_int_equal(index, 25);
    assert_str(name, STR("$Junk"));
    assert_int_equal(maildir_keyword_parse(STR("26 x"), &index, &name), ERR_SYNTAX);
    assert_int_equal(maildir_keyword_parse(STR("1"), &index, &name), ERR_SYNTAX);
    assert_int_equal(maildir_keyword_parse(STR(""), &index, &name), ERR_SYNTAX);
    struct buf b = BUF_INIT(100);
    maildir_put_keyword(&b, 3, STR("a"));
    assert_str(buf_str(&b), STR("3 a\n"));
    buf_free(&b);
}

static void test_subscriptions(void **state)
{
    (void)state;
    unsigned version = 1;
    struct buf b = BUF_INIT(100);
    assert_int_equal(maildir_subscription_parse(STR("Work.&AOQ-"), &version, &b), OK);
    assert_str(buf_str(&b), STR("Work/\xc3\xa4"));
    buf_clear(&b);
    assert_int_equal(maildir_subscription_parse(STR("V\t2"), &version, &b), ERR_NOT_FOUND);
    assert_int_equal(maildir_subscription_parse(STR(""), &version, &b), ERR_NOT_FOUND);
    assert_int_equal(maildir_subscription_parse(STR("Work\ta.b"), &version, &b), OK);
    assert_str(buf_str(&b), STR("Work/a.b"));
    assert_int_equal(maildir_subscription_parse(STR("Work\t\tx"), &version, &b), ERR_SYNTAX);
    assert_int_equal(maildir_subscription_parse(STR("V\t3"), &version, &b), ERR_UNSUPPORTED);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),         cmocka_unit_test(test_folders),
        cmocka_unit_test(test_uidlist),       cmocka_unit_test(test_keywords),
        cmocka_unit_test(test_subscriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
