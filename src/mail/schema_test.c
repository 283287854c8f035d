#include "base/unit.h"
#include "base/rand.h"
#include "mail/schema.h"

#include <fcntl.h>
#include <unistd.h>

#define DIGEST STR_INIT("0123456789abcdef")

static const struct {
    const char *name;
    struct key key;
    struct str bytes;
} cases[] = {
    { "version", { .kind = KEY_VERSION }, STR_INIT("Zv") },
    { "generation", { .kind = KEY_GENERATION }, STR_INIT("Dg") },
    { "next account", { .kind = KEY_NEXT_ACCOUNT }, STR_INIT("Dn") },
    { "domain",
      { .kind = KEY_DOMAIN, .domain = STR_INIT("example.org") },
      STR_INIT("Ddexample.org") },
    { "address",
      { .kind = KEY_ADDRESS, .domain = STR_INIT("example.org"), .local = STR_INIT("ann bee") },
      STR_INIT("Daexample.org\0ann bee") },
    { "targets",
      { .kind = KEY_TARGETS,
        .domain = STR_INIT("example.org"),
        .local = STR_INIT("all"),
        .chunk = 258 },
      STR_INIT("Dtexample.org\0all\0\1\2") },
    { "account", { .kind = KEY_ACCOUNT, .account = 5 }, STR_INIT("Di\0\0\0\0\0\0\0\5") },
    { "credentials", { .kind = KEY_CREDENTIALS, .account = 5 }, STR_INIT("Dc\0\0\0\0\0\0\0\5") },
    { "gone account", { .kind = KEY_GONE_ACCOUNT, .account = 5 }, STR_INIT("Dx\0\0\0\0\0\0\0\5") },
    { "gone domain", { .kind = KEY_GONE_DOMAIN, .domain = STR_INIT("x.y") }, STR_INIT("Dyx.y") },
    { "state", { .kind = KEY_STATE, .account = 5 }, STR_INIT("A\0\0\0\0\0\0\0\5s") },
    { "mailbox",
      { .kind = KEY_MAILBOX, .account = 5, .mailbox = 6 },
      STR_INIT("A\0\0\0\0\0\0\0\5b\0\0\0\6") },
    { "mailbox name",
      { .kind = KEY_MAILBOX_NAME, .account = 5, .name = STR_INIT("a/b") },
      STR_INIT("A\0\0\0\0\0\0\0\5na/b") },
    { "gone mailbox",
      { .kind = KEY_GONE_MAILBOX, .account = 5, .mailbox = 6 },
      STR_INIT("A\0\0\0\0\0\0\0\5x\0\0\0\6") },
    { "message",
      { .kind = KEY_MESSAGE, .account = 5, .mailbox = 6, .uid = 0x01020304 },
      STR_INIT("A\0\0\0\0\0\0\0\5m\0\0\0\6\1\2\3\4") },
    { "fixed",
      { .kind = KEY_FIXED, .account = 5, .mailbox = 6, .uid = 7 },
      STR_INIT("A\0\0\0\0\0\0\0\5f\0\0\0\6\0\0\0\7") },
    { "change",
      { .kind = KEY_CHANGE, .account = 5, .modseq = 9 },
      STR_INIT("A\0\0\0\0\0\0\0\5c\0\0\0\0\0\0\0\11") },
    { "keywords", { .kind = KEY_KEYWORDS, .account = 5 }, STR_INIT("A\0\0\0\0\0\0\0\5k") },
    { "structure",
      { .kind = KEY_STRUCTURE, .message = 0x1122334455667788, .chunk = 1 },
      STR_INIT("B\x11\x22\x33\x44\x55\x66\x77\x88s\0\1") },
    { "intake",
      { .kind = KEY_INTAKE, .message = 0x1122334455667788 },
      STR_INIT("M\x11\x22\x33\x44\x55\x66\x77\x88i") },
    { "intake items",
      { .kind = KEY_INTAKE_ITEMS, .message = 1, .chunk = 2 },
      STR_INIT("M\0\0\0\0\0\0\0\1j\0\2") },
    { "event",
      { .kind = KEY_EVENT, .message = 1, .time_us = 2, .index = 3 },
      STR_INIT("M\0\0\0\0\0\0\0\1e\0\0\0\0\0\0\0\2\0\0\0\3") },
    { "repeat",
      { .kind = KEY_REPEAT, .hour = 1, .digest = DIGEST },
      STR_INIT("Rd\0\0\0\1"
               "0123456789abcdef") },
    { "refusal", { .kind = KEY_REFUSAL, .slot = 0xffff }, STR_INIT("Er\0\0\xff\xff") },
    { "queue message",
      { .kind = KEY_QUEUE_MESSAGE, .shard = 3, .message = 1 },
      STR_INIT("Q\3m\0\0\0\0\0\0\0\1") },
    { "queue recipient",
      { .kind = KEY_QUEUE_RCPT, .shard = 3, .message = 1, .index = 2 },
      STR_INIT("Q\3r\0\0\0\0\0\0\0\1\0\0\0\2") },
    { "queue hop",
      { .kind = KEY_QUEUE_HOP, .shard = 3, .name = STR_INIT("example.com") },
      STR_INIT("Q\3hexample.com") },
    { "queue hop due",
      { .kind = KEY_QUEUE_HOP_DUE, .shard = 3, .time_us = 4, .name = STR_INIT("[::1]") },
      STR_INIT("Q\3e\0\0\0\0\0\0\0\4[::1]") },
    { "queue due",
      { .kind = KEY_QUEUE_DUE,
        .shard = 3,
        .name = STR_INIT("example.com"),
        .time_us = 4,
        .message = 5,
        .index = 6 },
      STR_INIT("Q\3dexample.com\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\5\0\0\0\6") },
};

static void same_key(const struct key *a, const struct key *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->account, b->account);
    assert_int_equal(a->message, b->message);
    assert_int_equal(a->modseq, b->modseq);
    assert_int_equal(a->time_us, b->time_us);
    assert_int_equal(a->mailbox, b->mailbox);
    assert_int_equal(a->uid, b->uid);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->hour, b->hour);
    assert_int_equal(a->chunk, b->chunk);
    assert_int_equal(a->shard, b->shard);
    assert_str(a->domain, b->domain);
    assert_str(a->local, b->local);
    assert_str(a->name, b->name);
    assert_str(a->digest, b->digest);
}

static void built_and_parsed(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    assert_int_equal(UNIT_COUNT(cases), KEY_KINDS);
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        assert_int_equal(cases[i].key.kind, i);
        struct key k = { .kind = KEY_VERSION };
        assert_str(key_make(&a, &cases[i].key), cases[i].bytes);
        assert_int_equal(key_parse(cases[i].bytes, &k), OK);
        same_key(&k, &cases[i].key);
    }
    arena_free(&a);
}

static void foreign_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str bytes;
    } bad[] = {
        { "empty", STR_INIT("") },
        { "unknown owner", STR_INIT("Xg") },
        { "unknown space", STR_INIT("DZ") },
        { "owner only", STR_INIT("D") },
        { "short number", STR_INIT("Di\0\0\0\0\0\0\5") },
        { "long number", STR_INIT("Di\0\0\0\0\0\0\0\0\5") },
        { "no NUL behind the domain", STR_INIT("Daexample.org") },
        { "negative time", STR_INIT("Q\3e\xff\0\0\0\0\0\0\4x") },
    };
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        unit_case(bad[i].name);
        struct key k;
        assert_int_equal(key_parse(bad[i].bytes, &k), ERR_CORRUPT);
    }
}

/* Any bytes: parsed or refused, and what is parsed is built back the same. */
static void random_bytes(void **state)
{
    (void)state;
    static const struct str owners = STR_INIT("ZDABMREQX"),
                            spaces = STR_INIT("vgndaticxysbnmfckijerh");
    struct arena a = ARENA_INIT(0);
    rand_test_seed(11);
    for (unsigned round = 0; round < 200000; round++) {
        char bytes[40];
        size_t n = rand_below(sizeof bytes), parsed = 0;
        rand_bytes(bytes, sizeof bytes);
        bytes[0] = owners.p[rand_below(owners.n)];
        bytes[1] = rand_below(2) ? bytes[1] : spaces.p[rand_below(spaces.n)];
        bytes[9] = rand_below(2) ? bytes[9] : spaces.p[rand_below(spaces.n)];
        struct key k;
        if (key_parse(str_of(bytes, n), &k) == OK) {
            parsed++;
            assert_str(key_make(&a, &k), str_of(bytes, n));
        }
        if (round % 1000 == 0) arena_free(&a);
    }
    rand_test_seed(0);
    arena_free(&a);
}

/* Byte order of keys is the order of their numbers. */
static void ordered(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    static const uint64_t numbers[] = { 0, 1, 255, 256, 65535, 1u << 24, UINT32_MAX };
    for (size_t i = 0; i + 1 < UNIT_COUNT(numbers); i++) {
        struct key low = { .kind = KEY_MESSAGE, .account = numbers[i], .uid = UINT32_MAX };
        struct key high = { .kind = KEY_MESSAGE, .account = numbers[i + 1] };
        assert_true(str_cmp(key_make(&a, &low), key_make(&a, &high)) < 0);
        low = (struct key){ .kind = KEY_CHANGE, .modseq = numbers[i] };
        high = (struct key){ .kind = KEY_CHANGE, .modseq = numbers[i + 1] };
        assert_true(str_cmp(key_make(&a, &low), key_make(&a, &high)) < 0);
    }
    arena_free(&a);
}

static bool within(struct key_range r, struct str key)
{
    return str_cmp(r.from, key) <= 0 && (r.until.n == 0 || str_cmp(key, r.until) < 0);
}

static void ranges(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    static const struct {
        const char *name;
        struct key of;
        unsigned fields;
        struct key key;
        bool in;
    } rows[] = {
        { "messages of an account",
          { .kind = KEY_MESSAGE, .account = 1 },
          0,
          { .kind = KEY_MESSAGE, .account = 1, .mailbox = UINT32_MAX, .uid = UINT32_MAX },
          true },
        { "not of the next",
          { .kind = KEY_MESSAGE, .account = 1 },
          0,
          { .kind = KEY_MESSAGE, .account = 2 },
          false },
        { "not another space",
          { .kind = KEY_MESSAGE, .account = 1 },
          0,
          { .kind = KEY_FIXED, .account = 1 },
          false },
        { "messages of a mailbox",
          { .kind = KEY_MESSAGE, .account = 1, .mailbox = 0xffff },
          1,
          { .kind = KEY_MESSAGE, .account = 1, .mailbox = 0xffff, .uid = 7 },
          true },
        { "the next mailbox",
          { .kind = KEY_MESSAGE, .account = 1, .mailbox = 0xffff },
          1,
          { .kind = KEY_MESSAGE, .account = 1, .mailbox = 0x10000 },
          false },
        { "the last account's",
          { .kind = KEY_MESSAGE, .account = UINT64_MAX },
          0,
          { .kind = KEY_MESSAGE, .account = UINT64_MAX, .mailbox = 1 },
          true },
        { "addresses of a domain",
          { .kind = KEY_ADDRESS, .domain = STR_INIT("b.example") },
          1,
          { .kind = KEY_ADDRESS, .domain = STR_INIT("b.example"), .local = STR_INIT("\xff\xff") },
          true },
        { "not of one that begins alike",
          { .kind = KEY_ADDRESS, .domain = STR_INIT("b.example") },
          1,
          { .kind = KEY_ADDRESS, .domain = STR_INIT("b.example.org"), .local = STR_INIT("x") },
          false },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unit_case(rows[i].name);
        struct key_range r = key_range(&a, &rows[i].of, rows[i].fields);
        assert_int_equal(within(r, key_make(&a, &rows[i].key)), rows[i].in);
    }
    unit_case("an owner has all of its rows and nobody else's");
    struct key_range owner =
        key_owner_range(&a, &(struct key){ .kind = KEY_STATE, .account = 255 });
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct key k = cases[i].key;
        k.account = 255;
        assert_int_equal(within(owner, key_make(&a, &k)), key_is_of_account(&k));
        k.account = 256;
        assert_false(within(owner, key_make(&a, &k)));
    }
    arena_free(&a);
}

/* The longest names make keys that the engine takes. */
static void limits(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    char *many = arena_alloc(&a, 512, 1);
    memset(many, 'x', 512);
    struct key k = { .domain = str_of(many, KEY_DOMAIN_MAX),
                     .local = str_of(many, KEY_LOCAL_MAX),
                     .digest = DIGEST };
    for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
        k.kind = (enum key_kind)kind;
        k.name = str_of(many, kind == KEY_MAILBOX_NAME ? KEY_MAILBOX_NAME_MAX : KEY_NEXT_HOP_MAX);
        assert_true(key_make(&a, &k).n <= ENGINE_KEY_MAX);
    }
    arena_free(&a);
}

static void news(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        uint64_t account = 0;
        bool is = key_is_news(cases[i].bytes, &account);
        assert_int_equal(is, cases[i].key.kind == KEY_STATE);
        assert_int_equal(account, is ? 5 : 0);
    }
    arena_free(&a);
}

static void blobs(void **state)
{
    (void)state;
    struct blob_id id = blob_of_message(0x0102030405060708);
    assert_memory_equal(id.bytes, "\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0", BLOB_ID_BYTES);
    assert_int_equal(message_of_blob(id), 0x0102030405060708);
}

/* ---- the table for people ---- */

static void put_row(struct buf *b, enum key_kind kind)
{
    struct key_doc d = key_doc(kind);
    buf_put_lit(b, "| ");
    buf_put(b, str_c(d.name));
    buf_put_lit(b, " | ");
    buf_put_byte(b, d.owner);
    if (d.owner_field != NULL) {
        buf_put_byte(b, ' ');
        buf_put(b, str_c(d.owner_field));
    }
    buf_put_lit(b, " | ");
    buf_put_byte(b, d.space);
    buf_put_lit(b, " | ");
    for (size_t i = 0; i < 4 && d.fields[i] != NULL; i++) {
        if (i > 0) buf_put_lit(b, ", ");
        buf_put(b, str_c(d.fields[i]));
    }
    buf_put_lit(b, " | ");
}

static void documented(void **state)
{
    (void)state;
    struct buf path = buf_new(1024), text = buf_new(1 << 20), row = buf_new(1024);
    buf_put(&path, str_part(STR(__FILE__), 0, sizeof __FILE__ - sizeof "src/mail/schema_test.c"));
    buf_put_lit(&path, "docs/keys.md");
    buf_put_byte(&path, 0);
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        print_message("not run from the build folder: %s is not there\n", path.p);
        buf_free(&path);
        skip();
    }
    for (ssize_t n = 1; n > 0;) {
        char *at = buf_reserve(&text, 4096);
        n = read(fd, at, 4096);
        if (n > 0) buf_commit(&text, (size_t)n);
    }
    close(fd);
    for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
        buf_clear(&row);
        put_row(&row, (enum key_kind)kind);
        print_message("%.*s\n", (int)row.n, row.p);
        assert_true(str_find_str(buf_str(&text), buf_str(&row)) != STR_NOWHERE);
    }
    buf_free(&row);
    buf_free(&text);
    buf_free(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_and_parsed),
        cmocka_unit_test(foreign_bytes),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(ordered),
        cmocka_unit_test(ranges),
        cmocka_unit_test(limits),
        cmocka_unit_test(news),
        cmocka_unit_test(blobs),
        cmocka_unit_test(documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
