#include "store/engine_conformance.h"
#include "store/engine_embedded.h"
#include "store/record.h"
#include "store/store_load.h"
#include "store/store_scratch.h"
#include "sys/os_fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

struct scratch {
    char *path;
    struct embedded_config config;
    struct ledger *ledger;
};

static struct scratch scratch_begin(void)
{
    struct scratch s = { .path = scratch_new(), .ledger = ledger_new() };
    s.config = scratch_config(s.path);
    return s;
}

static void scratch_end(struct scratch *s)
{
    munmap(s->ledger, sizeof *s->ledger);
    scratch_remove(s->path);
    free(s->path);
}

static struct engine *open_again(struct scratch *s)
{
    struct engine *e = NULL;
    assert_int_equal(engine_embedded_open(&s->config, &e, NULL), OK);
    return e;
}

static struct engine *open_new(void *ctx)
{
    struct scratch *s = ctx;
    scratch_remove(s->path);
    return open_again(s);
}

static void reopen(void *ctx, struct engine **e)
{
    engine_close(e);
    *e = open_again(ctx);
}

static void conforms(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    conformance_run(&(struct conformance){ .open_new = open_new, .reopen = reopen, .ctx = &s });
    scratch_end(&s);
}

/* ---- files ---- */

static size_t files_in(const struct scratch *s, const char *folder, const char *ending)
{
    char *path = NULL;
    size_t n = 0;
    must(asprintf(&path, "%s/%s", s->path, folder) > 0);
    DIR *d = opendir(path);
    for (struct dirent *f; d != NULL && (f = readdir(d)) != NULL;) {
        n += f->d_name[0] != '.' && str_ends(str_c(f->d_name), str_c(ending));
    }
    if (d != NULL) closedir(d);
    free(path);
    return n;
}

/* Run `f` in a child that is killed at its end, without closing anything. */
static void in_killed_child(struct scratch *s, void (*f)(struct scratch *s, struct engine *e))
{
    fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        struct engine *e = NULL;
        must(engine_embedded_open(&s->config, &e, NULL) == OK);
        f(s, e);
        kill(getpid(), SIGKILL);
    }
    int status;
    must(waitpid(pid, &status, 0) == pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void load_200(struct scratch *s, struct engine *e)
{
    must(load_run(e, s->ledger, 200, 8) >= 200);
}

/* ---- opening ---- */

static void one_process(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    struct engine *e = open_again(&s), *other = NULL;
    unit_case("a second one is refused");
    assert_int_equal(engine_embedded_open(&s.config, &other, NULL), ERR_BUSY);
    engine_close(&e);
    unit_case("a folder that cannot be made");
    s.config.path = "/proc/no/such/place";
    assert_int_equal(engine_embedded_open(&s.config, &other, NULL), ERR_NOT_FOUND);
    scratch_end(&s);
}

static void restarts(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    unit_case("opening and closing, or being killed, leaves no heap of files");
    for (int i = 0; i < 10; i++) {
        struct engine *e = open_again(&s);
        assert_int_equal(SCRIPT(e, PUT_("k", "v")), OK);
        engine_close(&e);
        if (i % 3 == 0) in_killed_child(&s, load_200);
    }
    struct engine *e = open_again(&s);
    load_verify(e, s.ledger);
    for (bool more = true; more;) {
        assert_int_equal(engine_compact(e, 1 << 20, &more), OK);
    }
    engine_close(&e);
    e = open_again(&s);
    engine_close(&e);
    print_message("  %zu log and %zu cold segments\n", files_in(&s, "log", ".log"),
                  files_in(&s, "log", ".cold"));
    assert_true(files_in(&s, "log", ".log") <= 4);
    scratch_end(&s);
}

static void recovery_syncs(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    in_killed_child(&s, load_200);
    unit_case("what was found whole is synced before anything builds on it");
    struct engine *e = NULL;
    struct embedded_opening how;
    os_fault_arm(&(struct os_fault){ .what = OS_FAULT_NONE });
    assert_int_equal(engine_embedded_open(&s.config, &e, &how), OK);
    assert_true(how.replayed_records > 0);
    assert_true(os_fault_calls(OS_FDATASYNC) >= 1);
    load_verify(e, s.ledger);
    engine_close(&e);
    os_fault_off();
    scratch_end(&s);
}

/* ---- damage ---- */

static char *newest_log(const struct scratch *s)
{
    char *best = NULL, *path = NULL;
    must(asprintf(&path, "%s/log", s->path) > 0);
    DIR *d = opendir(path);
    must(d != NULL);
    for (struct dirent *f; (f = readdir(d)) != NULL;) {
        struct stat st;
        char *name = NULL;
        must(asprintf(&name, "%s/%s", path, f->d_name) > 0);
        bool log = str_ends(str_c(f->d_name), STR(".log")) && stat(name, &st) == 0;
        /* The spare behind the active one has no first record. */
        char first[4] = { 0 };
        int fd = log ? open(name, O_RDONLY | O_CLOEXEC) : -1;
        log = fd >= 0 && pread(fd, first, 4, 4096) == 4 && first[0] == 'P';
        if (fd >= 0) close(fd);
        if (log && (best == NULL || strcmp(name, best) > 0)) {
            free(best);
            best = name;
        } else {
            free(name);
        }
    }
    closedir(d);
    free(path);
    must(best != NULL);
    return best;
}

static void flip_byte(const char *path, off_t at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char c;
    must(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c = (char)(c ^ 0x10);
    must(pwrite(fd, &c, 1, at) == 1);
    close(fd);
}

/* Where the last record before `at` begins. */
static off_t record_near(const char *path, size_t at)
{
    enum { ROOM = 8 << 20 };
    char *bytes = calloc(1, ROOM);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(bytes != NULL && fd >= 0);
    ssize_t n = pread(fd, bytes, ROOM, 0);
    off_t last = 0;
    for (off_t i = 4096; i + 8 <= n && (size_t)i < at; i += 8) {
        if (memcmp(bytes + i, "PRre", 4) == 0) last = i;
    }
    close(fd);
    free(bytes);
    return last;
}

static void damage_in_log(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.memory_bytes = 64 << 20;
    in_killed_child(&s, load_200);
    char *log = newest_log(&s);
    off_t damaged = record_near(log, 100000);
    flip_byte(log, damaged + 70);
    free(log);
    unit_case("damage among what was synced is not taken for a torn tail");
    struct engine *e = NULL;
    struct embedded_opening how;
    assert_int_equal(engine_embedded_open(&s.config, &e, &how), ERR_CORRUPT);
    assert_true(how.damage_segment != 0);
    assert_int_equal(how.damage_offset, damaged);
    unit_case("on demand it is stepped over, and the rest is there");
    s.config.salvage = true;
    assert_int_equal(engine_embedded_open(&s.config, &e, &how), OK);
    assert_int_equal(how.damaged_records, 1);
    assert_true(how.replayed_records > 150);
    struct txn *t;
    size_t there = 0;
    assert_int_equal(engine_snapshot_begin(e, &t), OK);
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t bytes;
        there += txn_blob_bytes(t, load_id(i), &bytes) == OK;
    }
    engine_snapshot_end(&t);
    assert_true(there > 100);
    engine_close(&e);
    unit_case("afterwards it opens without asking");
    s.config.salvage = false;
    assert_int_equal(engine_embedded_open(&s.config, &e, NULL), OK);
    engine_close(&e);
    scratch_end(&s);
}

static void torn_tail(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.memory_bytes = 64 << 20;
    in_killed_child(&s, load_200);
    char *log = newest_log(&s);
    /* The last record of all: its header stays, its payload does not. */
    flip_byte(log, record_near(log, SIZE_MAX) + 70);
    free(log);
    unit_case("the last record torn: cut, kept aside, everything before it is there");
    struct engine *e = NULL;
    struct embedded_opening how;
    assert_int_equal(engine_embedded_open(&s.config, &e, &how), OK);
    assert_true(how.torn_bytes > 0);
    assert_int_equal(files_in(&s, "torn", ""), 1);
    engine_close(&e);
    scratch_end(&s);
}

static void damaged_blob(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    struct engine *e = open_again(&s);
    struct inline_blob big = { STR_INIT(""), str_of(calloc(1, 400000), 400000), 1, OK };
    assert_int_equal(engine_commit(e, INTENT_DURABLE, inline_blob_body, &big), OK);
    assert_int_equal(SCRIPT(e, BLOB_("good", "bytes", 1)), OK);
    engine_close(&e);
    char *log = newest_log(&s);
    flip_byte(log, 4096 + 300000); /* in the second block of the large one */
    free(log);
    e = open_again(&s);
    struct txn *t;
    struct blob_id id = { { 'i' } };
    struct buf out = BUF_INIT(1 << 20);
    assert_int_equal(engine_snapshot_begin(e, &t), OK);
    unit_case("the block that is damaged is not served, in whole or in part");
    assert_int_equal(txn_blob_read(t, id, 0, 400000, &out), ERR_CORRUPT);
    assert_int_equal(txn_blob_read(t, id, 399999, 1, &out), ERR_CORRUPT);
    assert_int_equal(out.n, 0);
    unit_case("the one before it is");
    assert_int_equal(txn_blob_read(t, id, 0, ENGINE_SUM_BYTES, &out), OK);
    engine_snapshot_end(&t);
    unit_case("the check names it, and nothing else");
    struct engine_report r;
    assert_int_equal(engine_check(e, &(struct engine_check){ 0 }, &r), ERR_CORRUPT);
    assert_int_equal(r.damaged_blobs, 1);
    unit_case("the janitor lets it lie, and comes to an end");
    assert_int_equal(SCRIPT(e, COUNT_("good", -1)), OK);
    for (bool more = true; more;) {
        assert_int_equal(engine_compact(e, 1 << 20, &more), OK);
    }
    assert_int_equal(engine_check(e, &(struct engine_check){ 0 }, &r), ERR_CORRUPT);
    assert_int_equal(r.damaged_blobs, 1);
    engine_close(&e);
    buf_free(&out);
    char *p = NULL;
    memcpy(&p, &big.small.p, sizeof p);
    free(p);
    scratch_end(&s);
}

/* ---- chunks between records ---- */

static struct {
    struct os table;
    struct engine *e;
    struct stage *stage;
    atomic_bool armed;
} hook;

/* A chunk arrives while a group is being written: it lies behind the group, under its number. */
static ssize_t hooked_pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
    ssize_t done = pwritev(fd, iov, n, at);
    const char *bytes = iov[0].iov_base;
    bool group = iov[0].iov_len > 4 && memcmp(bytes, "PRre", 4) == 0 && bytes[4] == RECORD_TXN;
    if (group && atomic_exchange(&hook.armed, false))
        must(engine_stage_append(hook.e, hook.stage, STR("between two groups")) == OK);
    return done;
}

static void chunk_child(struct scratch *s, struct engine *e)
{
    (void)s;
    must(engine_stage_new(e, &hook.stage) == OK);
    hook.e = e;
    atomic_store(&hook.armed, true);
    must(SCRIPT(e, PUT_("before", "1")) == OK);
    must(!atomic_load(&hook.armed));
    must(engine_embedded_flush(e) == OK); /* the mark stands before the chunk */
    must(SCRIPT(e, PUT_("after", "2")) == OK);
    struct step put = { .verb = STEP_BLOB, .key = STR_INIT("b"), .stage = hook.stage };
    must(SCRIPT(e, put) == OK);
}

static void chunk_behind_group(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.flush_ms = 3600000;
    hook.table = os_real;
    hook.table.pwritev = hooked_pwritev;
    os = &hook.table;
    in_killed_child(&s, chunk_child);
    os = &os_real;
    unit_case("replay goes on behind a chunk of the group that the tree has");
    struct engine *e = open_again(&s);
    LOOK(e, GET_("before", "1"), GET_("after", "2"), SIZE_("b", 18));
    engine_close(&e);
    scratch_end(&s);
}

/* ---- sizes ---- */

static void big_child(struct scratch *s, struct engine *e)
{
    (void)s;
    struct buf copy = BUF_INIT(32 << 20);
    struct stage *stage;
    must(engine_stage_new(e, &stage) == OK);
    stage_fill(e, stage, 24, ENGINE_CHUNK_MAX, &copy);
    struct step put = { .verb = STEP_BLOB, .key = STR_INIT("big"), .stage = stage };
    must(SCRIPT(e, put) == OK);
    engine_stage_drop(e, &stage);
    buf_free(&copy);
}

static void across_segments(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.segment_bytes = 1200 * 1024; /* one chunk each */
    s.config.reserve_bytes = 1 << 20;
    in_killed_child(&s, big_child);
    struct engine *e = open_again(&s);
    unit_case("a body over many segments, none of them synced before its commit");
    struct buf want = BUF_INIT(32 << 20);
    for (size_t i = 0; i < 24; i++) {
        for (size_t k = 0; k < ENGINE_CHUNK_MAX; k += 8) {
            wire_put_u64(&want, i * 1000003 + k);
        }
    }
    struct buf have = BUF_INIT(32 << 20);
    while (have.n < want.n) {
        assert_int_equal(blob_read_all(e, STR("big"), have.n, ENGINE_CHUNK_MAX, &have), OK);
    }
    assert_memory_equal(have.p, want.p, want.n);
    buf_free(&have);
    buf_free(&want);
    unit_case("deleted, its segments go");
    assert_true(files_in(&s, "log", ".log") > 20);
    assert_int_equal(SCRIPT(e, COUNT_("big", -1)), OK);
    assert_int_equal(engine_embedded_flush(e), OK);
    engine_close(&e);
    e = open_again(&s);
    engine_close(&e);
    assert_true(files_in(&s, "log", ".log") <= 4);
    unit_case("a transaction larger than a segment is refused");
    s.config.segment_bytes = 256 * 1024;
    e = open_again(&s);
    struct inline_blob b = { STR_INIT(""), str_of(calloc(1, 300000), 300000), 1, OK };
    assert_int_equal(engine_commit(e, INTENT_DURABLE, inline_blob_body, &b), ERR_LIMIT);
    assert_int_equal(SCRIPT(e, PUT_("k", "v")), OK);
    engine_close(&e);
    char *p = NULL;
    memcpy(&p, &b.small.p, sizeof p);
    free(p);
    scratch_end(&s);
}

/* ---- cost ---- */

static void one_sync_a_group(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.flush_ms = 3600000;
    os_fault_arm(&(struct os_fault){ .what = OS_FAULT_NONE });
    struct engine *e = open_again(&s);
    struct engine_stats before, after;
    assert_int_equal(SCRIPT(e, PUT_("warm", "up")), OK);
    usleep(200000); /* the supplier has made the spare segment */
    os_fault_arm(&(struct os_fault){ .what = OS_FAULT_NONE });
    engine_stats(e, &before);
    for (int i = 0; i < 50; i++) {
        struct step blob = { .verb = STEP_BLOB, .key = str_of(&i, 4), .value = STR_INIT("body") };
        assert_int_equal(SCRIPT(e, blob, PUT_("k", "v")), OK);
    }
    engine_stats(e, &after);
    unit_case("one write and one sync for each group, nothing else");
    assert_int_equal(after.groups - before.groups, 50);
    assert_int_equal(after.syncs - before.syncs, 50);
    assert_int_equal(os_fault_calls(OS_FDATASYNC), 50);
    assert_int_equal(os_fault_calls(OS_PWRITE), 50);
    assert_int_equal(os_fault_calls(OS_FSYNC), 0);
    engine_close(&e);
    os_fault_off();
    scratch_end(&s);
}

/* ---- space ---- */

static struct {
    struct os table;
    _Atomic uint64_t free_bytes;
} room;

static int hooked_fstatvfs(int fd, struct statvfs *out)
{
    (void)fd;
    *out = (struct statvfs){ .f_frsize = 1, .f_bavail = atomic_load(&room.free_bytes) };
    return 0;
}

static void little_space(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.reserve_bytes = 1000 << 20;
    room.table = os_real;
    room.table.fstatvfs = hooked_fstatvfs;
    os = &room.table;
    atomic_store(&room.free_bytes, 2000ull << 20);
    struct engine *e = open_again(&s);
    struct stage *stage;
    assert_int_equal(engine_stage_new(e, &stage), OK);
    assert_int_equal(SCRIPT(e, BLOB_("old", "bytes", 1), PUT_("row", "1")), OK);
    struct step blob = { .verb = STEP_BLOB, .key = STR_INIT("new"), .want = ERR_FULL };
    unit_case("below the reserve: no bodies, but rows change and bodies go");
    atomic_store(&room.free_bytes, 999ull << 20);
    assert_int_equal(SCRIPT(e, blob), OK);
    assert_int_equal(engine_stage_append(e, stage, STR("chunk")), ERR_FULL);
    assert_int_equal(SCRIPT(e, COUNT_("old", -1), PUT_("row", "2")), OK);
    unit_case("below a quarter: nothing");
    atomic_store(&room.free_bytes, 249ull << 20);
    assert_int_equal(SCRIPT(e, PUT_("row", "3")), ERR_FULL);
    LOOK(e, GET_("row", "2"), NO_BLOB_("old"));
    unit_case("with space again everything goes on");
    atomic_store(&room.free_bytes, 2000ull << 20);
    assert_int_equal(SCRIPT(e, BLOB_("new", "b", 1), PUT_("row", "4")), OK);
    assert_int_equal(engine_stage_append(e, stage, STR("chunk")), OK);
    engine_stage_drop(e, &stage);
    engine_close(&e);
    os = &os_real;
    scratch_end(&s);
}

static enum err value_body(struct txn *t, void *ctx)
{
    static char bytes[30000];
    return txn_put(t, str_of(ctx, 4), str_of(bytes, sizeof bytes));
}

static void full_tree(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.map_bytes = 4 << 20; /* the tree cannot grow beyond this */
    struct engine *e = open_again(&s);
    enum err r = OK;
    int done = 0;
    for (; r == OK && done < 2000; done++) {
        r = engine_commit(e, INTENT_DURABLE, value_body, &done);
    }
    unit_case("a tree that cannot take more: full, and nothing lost");
    assert_int_equal(r, ERR_FULL);
    assert_int_equal(engine_embedded_flush(e), ERR_FULL);
    struct txn *t;
    struct str value;
    assert_int_equal(engine_snapshot_begin(e, &t), OK);
    for (int i = 0; i < done - 1; i++) {
        assert_int_equal(txn_get(t, str_of(&i, 4), &value), OK);
    }
    engine_snapshot_end(&t);
    engine_close(&e);
    unit_case("with room everything is there, and goes on");
    s.config.map_bytes = 1 << 30;
    e = open_again(&s);
    assert_int_equal(engine_snapshot_begin(e, &t), OK);
    for (int i = 0; i < done - 1; i++) {
        assert_int_equal(txn_get(t, str_of(&i, 4), &value), OK);
    }
    assert_int_equal(txn_get(t, str_of(&(int){ done - 1 }, 4), &value), ERR_NOT_FOUND);
    engine_snapshot_end(&t);
    assert_int_equal(engine_commit(e, INTENT_DURABLE, value_body, &done), OK);
    engine_close(&e);
    scratch_end(&s);
}

/* ---- the janitor ---- */

static void await_files(const struct scratch *s, size_t at_most)
{
    for (int i = 0; i < 200 && files_in(s, "log", ".log") > at_most; i++) {
        usleep(10000);
    }
    assert_true(files_in(s, "log", ".log") <= at_most);
}

static enum err thin_out(struct txn *t, void *ctx)
{
    uint32_t first = *(uint32_t *)ctx;
    struct load_item it = { .deletes = true };
    enum err e = OK;
    for (it.i = first; e == OK && it.i < first + 100; it.i++) {
        if (it.i % 5 != 0 && it.i % 3 != 1) e = load_delete_body(t, &it);
    }
    return e;
}

static void compaction(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.segment_bytes = 512 * 1024;
    s.config.flush_ms = 3600000;
    s.config.memory_bytes = 64 << 20;
    struct engine *e = open_again(&s);
    load_run(e, s.ledger, 1000, 16);
    assert_int_equal(engine_embedded_flush(e), OK);
    size_t before = files_in(&s, "log", ".log");
    assert_true(before > 10);
    struct txn *old;
    assert_int_equal(engine_snapshot_begin(e, &old), OK);
    for (uint32_t i = 0; i < 1000; i += 100) {
        assert_int_equal(engine_commit(e, INTENT_DURABLE, thin_out, &i), OK);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        if (i % 5 != 0 && i % 3 != 1) atomic_store(&s.ledger->state[i], LEDGER_DELETE_DONE);
    }
    assert_int_equal(engine_embedded_flush(e), OK);
    struct engine_report r;
    assert_int_equal(engine_check(e, &(struct engine_check){ 0 }, &r), OK);
    uint64_t garbage = r.garbage_bytes;
    for (bool more = true; more;) {
        assert_int_equal(engine_compact(e, 200000, &more), OK);
    }
    unit_case("an old snapshot still reads what was deleted");
    struct buf out = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    for (uint32_t i = 0; i < 1000; i++) {
        if (i % 3 == 1) continue;
        buf_clear(&out);
        buf_clear(&want);
        load_content(i, &want);
        assert_int_equal(txn_blob_read(old, load_id(i), 0, 1 << 20, &out), OK);
        assert_str(buf_str(&out), buf_str(&want));
    }
    engine_snapshot_end(&old);
    buf_free(&out);
    buf_free(&want);
    unit_case("when nobody looks any more the files go, and what lives is there");
    assert_int_equal(SCRIPT(e, PUT_("k", "v")), OK);
    assert_int_equal(engine_embedded_flush(e), OK);
    await_files(&s, 8);
    load_verify(e, s.ledger);
    assert_int_equal(engine_check(e, &(struct engine_check){ 0 }, &r), OK);
    print_message("  %zu segments before, %zu log and %zu cold after; garbage %llu, then %llu\n",
                  before, files_in(&s, "log", ".log"), files_in(&s, "log", ".cold"),
                  (unsigned long long)garbage, (unsigned long long)r.garbage_bytes);
    assert_true(r.garbage_bytes < garbage / 2);
    reopen(&s, &e);
    load_verify(e, s.ledger);
    engine_close(&e);
    scratch_end(&s);
}

/* ---- backup, work ---- */

struct worked {
    struct engine_work work; /* first */
    atomic_bool done;
};

static void worked_done(struct intent *i)
{
    atomic_store(&((struct worked *)(void *)i)->done, true);
}

static enum err work_and_load(struct engine *e, struct worked *w, struct ledger *g)
{
    w->work.intent = (struct intent){ .done = worked_done };
    engine_work(e, &w->work);
    while (!atomic_load(&w->done)) {
        if (g != NULL) load_run(e, g, 20, 4);
    }
    return w->work.intent.result;
}

static void backup(void **state)
{
    (void)state;
    struct scratch s = scratch_begin(), copy = scratch_begin();
    s.config.segment_bytes = copy.config.segment_bytes = 512 * 1024;
    struct engine *e = open_again(&s), *b = NULL;
    load_run(e, s.ledger, 500, 16);
    uint32_t before = atomic_load(&s.ledger->next);
    int fd = open(copy.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct worked w = { .work = { .kind = WORK_BACKUP, .folder_fd = fd } };
    assert_int_equal(work_and_load(e, &w, s.ledger), OK);
    unit_case("a copy is not written over");
    assert_int_equal(engine_backup(e, fd), ERR_EXISTS);
    close(fd);
    unit_case("the copy has everything that was there at its begin, and is well");
    assert_int_equal(engine_embedded_open(&copy.config, &b, NULL), OK);
    struct engine_report r;
    struct engine_check check = { load_refs, load_say, NULL };
    assert_int_equal(engine_check(b, &check, &r), OK);
    struct txn *t;
    assert_int_equal(engine_snapshot_begin(b, &t), OK);
    for (uint32_t i = 0; i < before; i++) {
        if (i % 3 != 1) assert_true(load_there(t, i, UINT32_MAX));
    }
    engine_snapshot_end(&t);
    assert_int_equal(SCRIPT(b, PUT_("k", "v")), OK);
    engine_close(&b);
    unit_case("the original goes on");
    load_verify(e, s.ledger);
    struct worked c = { .work = { .kind = WORK_CHECK, .check = &check } };
    assert_int_equal(work_and_load(e, &c, NULL), OK);
    assert_true(c.work.report.rows > 0);
    struct worked k = { .work = { .kind = WORK_COMPACT, .max_bytes = 100000 } };
    assert_int_equal(work_and_load(e, &k, s.ledger), OK);
    engine_close(&e);
    scratch_end(&s);
    scratch_end(&copy);
}

/* ---- everything at once ---- */

struct bustle {
    struct engine *e;
    struct ledger *ledger;
    atomic_bool stop;
};

static void *bustle_load(void *ctx)
{
    struct bustle *b = ctx;
    must(load_run(b->e, b->ledger, 400, 8) >= 400);
    return NULL;
}

static void *bustle_read(void *ctx)
{
    struct bustle *b = ctx;
    while (!atomic_load(&b->stop)) {
        struct txn *t;
        uint32_t puts, next = atomic_load(&b->ledger->next);
        must(engine_snapshot_begin(b->e, &t) == OK);
        must(load_number(t, STR("puts"), &puts) == OK);
        for (uint32_t i = next > 30 ? next - 30 : 0; i < next; i++) {
            load_there(t, i, puts);
        }
        engine_snapshot_end(&t);
    }
    return NULL;
}

static void *bustle_tend(void *ctx)
{
    struct bustle *b = ctx;
    struct engine_check check = { load_refs, load_say, NULL };
    while (!atomic_load(&b->stop)) {
        bool more;
        struct engine_report r;
        must(engine_compact(b->e, 200000, &more) == OK);
        must(engine_check(b->e, &check, &r) == OK);
    }
    return NULL;
}

static void bustle(void **state)
{
    (void)state;
    struct scratch s = scratch_begin();
    s.config.segment_bytes = 512 * 1024;
    s.config.memory_bytes = 64 * 1024;
    s.config.flush_ms = 20;
    struct bustle b = { .e = open_again(&s), .ledger = s.ledger };
    pthread_t t[5];
    unit_case("loads, readers, janitor and checks together");
    void *(*const what[])(void *) = { bustle_load, bustle_load, bustle_load, bustle_read,
                                      bustle_tend };
    for (size_t i = 0; i < UNIT_COUNT(t); i++) {
        assert_int_equal(pthread_create(&t[i], NULL, what[i], &b), 0);
    }
    for (size_t i = 0; i < UNIT_COUNT(t); i++) {
        if (i == 3) atomic_store(&b.stop, true);
        pthread_join(t[i], NULL);
    }
    load_verify(b.e, s.ledger);
    reopen(&s, &b.e);
    load_verify(b.e, s.ledger);
    engine_close(&b.e);
    scratch_end(&s);
}

static void many_snapshots(void **state)
{
    (void)state;
    enum { MANY = 1100 };
    struct scratch s = scratch_begin();
    struct engine *e = open_again(&s);
    struct txn **all = calloc(MANY, sizeof(struct txn *));
    assert_non_null(all);
    size_t n = 0;
    enum err r = OK;
    for (; n < MANY; n++) {
        r = engine_snapshot_begin(e, &all[n]);
        if (r != OK) break;
    }
    unit_case("more readers than there is room for");
    assert_int_equal(r, ERR_LIMIT);
    assert_true(n > 900);
    while (n > 0) {
        engine_snapshot_end(&all[--n]);
    }
    LOOK(e, NONE_("k"));
    free(all);
    engine_close(&e);
    scratch_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conforms),        cmocka_unit_test(one_process),
        cmocka_unit_test(restarts),        cmocka_unit_test(recovery_syncs),
        cmocka_unit_test(damage_in_log),   cmocka_unit_test(torn_tail),
        cmocka_unit_test(damaged_blob),    cmocka_unit_test(chunk_behind_group),
        cmocka_unit_test(across_segments), cmocka_unit_test(one_sync_a_group),
        cmocka_unit_test(little_space),    cmocka_unit_test(full_tree),
        cmocka_unit_test(compaction),      cmocka_unit_test(backup),
        cmocka_unit_test(many_snapshots),  cmocka_unit_test(bustle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
