/* store commands: looking after the store while it works. What waits for the disk runs on a thread
 * of the engine's. */
#include "role/depot_admin.h"

#include "base/must.h"
#include "mail/check_refs.h"
#include "mail/directory.h"
#include "mail/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FINDINGS_MAX = 1000, ACCOUNTS_AT_ONCE = 500 };

/* ---- work of the engine's, waited for by a fiber ---- */

struct waiting {
    struct engine_work work;
    struct loop_note note;
    struct fiber *fiber;
    bool done;
};

static void on_note(struct loop_note *n)
{
    struct waiting *w = LIST_OWNER(n, struct waiting, note);
    w->done = true;
    fiber_wake(w->fiber);
}

static void on_done(struct intent *i)
{
    struct engine_work *work = LIST_OWNER(i, struct engine_work, intent);
    loop_post(&LIST_OWNER(work, struct waiting, work)->note);
}

static enum err work_and_wait(struct waiting *w)
{
    w->note.fn = on_note;
    w->work.intent.done = on_done;
    w->fiber = fiber_self();
    engine_work(depot.engine, &w->work);
    while (!w->done) {
        err_ignore(fiber_park(CLOCK_NEVER));
    } /* it speaks of our memory */
    return depot_checked(w->work.intent.result);
}

enum err depot_compact(size_t max_bytes, bool *more_out)
{
    struct waiting w = { .work = { .kind = WORK_COMPACT, .max_bytes = max_bytes } };
    enum err e = work_and_wait(&w);
    *more_out = w.work.more;
    return e;
}

/* ---- check ---- */

/* Findings of the engine's thread; read after it is done. */
struct findings {
    struct admin *admin;
    struct buf text;
    uint64_t count;
};

static void take_finding(void *ctx, struct str line)
{
    struct findings *f = ctx;
    if (f->count++ >= FINDINGS_MAX) return;
    buf_put(&f->text, line);
    buf_put_byte(&f->text, '\n');
}

static enum err check_engine(struct findings *f, struct engine_report *report)
{
    struct engine_check how = { .refs = check_refs, .say = take_finding, .ctx = f };
    struct waiting w = { .work = { .kind = WORK_CHECK, .check = &how } };
    enum err e = work_and_wait(&w);
    *report = w.work.report;
    return e;
}

struct account_step {
    struct verify_account *verify;
    bool done;
};

static enum err account_body(struct txn *t, void *ctx)
{
    struct account_step *s = ctx;
    return verify_account_step(t, s->verify, &s->done);
}

static enum err check_account(struct findings *f, uint64_t account)
{
    struct verify_account v = { .account = account, .say = { .say = take_finding, .ctx = f } };
    struct account_step s = { .verify = &v };
    enum err e = OK;
    while (!s.done && (e == OK || e == ERR_CONFLICT)) {
        e = depot_checked(depot_read(depot.engine, account_body, &s));
    }
    verify_account_free(&v);
    return e == ERR_NOT_FOUND ? OK : e; /* deleted meanwhile */
}

struct account_ids {
    uint64_t after, ids[ACCOUNTS_AT_ONCE / 4];
    size_t n;
    bool more;
};

static enum err ids_body(struct txn *t, void *ctx)
{
    struct account_ids *a = ctx;
    return directory_account_ids(t, a->after, sizeof a->ids / sizeof a->ids[0], a->ids, &a->n,
                                 &a->more);
}

static enum err check_accounts(struct findings *f, uint64_t *checked_out)
{
    struct account_ids a = { .more = true };
    enum err e = OK;
    while (a.more && e == OK) {
        e = depot_checked(depot_read(depot.engine, ids_body, &a));
        for (size_t i = 0; e == OK && i < a.n; i++) {
            e = check_account(f, a.ids[i]);
            a.after = a.ids[i];
            (*checked_out)++;
        }
    }
    return e;
}

struct rows_step {
    struct verify_rows verify;
    bool done;
};

static enum err rows_body(struct txn *t, void *ctx)
{
    struct rows_step *s = ctx;
    return verify_rows_step(t, &s->verify, &s->done);
}

static enum err check_rows(struct findings *f)
{
    struct rows_step s = { .verify = { .say = { .say = take_finding, .ctx = f },
                                       .after = BUF_INIT(ENGINE_KEY_MAX) } };
    enum err e = OK;
    while (!s.done && e == OK) {
        e = depot_checked(depot_read(depot.engine, rows_body, &s));
    }
    buf_free(&s.verify.after);
    return e;
}

static void put_number(struct admin *a, struct str name, uint64_t value)
{
    admin_cell(a, name);
    admin_cell_u64(a, value);
}

static enum err store_check(struct admin *a)
{
    struct findings f = { .admin = a, .text = BUF_INIT(1024 * 1024) };
    struct engine_report r = { 0 };
    uint64_t accounts = 0;
    enum err e = check_engine(&f, &r);
    if (e == OK || e == ERR_CORRUPT) e = check_accounts(&f, &accounts);
    if (e == OK) e = check_rows(&f);
    ADMIN_COLUMNS(a, STR("what"), STR("#count"));
    put_number(a, STR("rows"), r.rows);
    put_number(a, STR("blobs"), r.blobs);
    put_number(a, STR("blob bytes verified"), r.checked_bytes);
    put_number(a, STR("accounts"), accounts);
    put_number(a, STR("damaged blobs"), r.damaged_blobs);
    put_number(a, STR("lost blobs"), r.lost_blobs);
    put_number(a, STR("wrong counts"), r.wrong_counts);
    put_number(a, STR("findings"), f.count);
    if (e == OK && f.count + r.damaged_blobs + r.lost_blobs + r.wrong_counts > 0) e = ERR_CORRUPT;
    if (f.text.n > 0) admin_say(a, "", str_part(buf_str(&f.text), 0, 60000));
    if (e == OK) admin_say(a, "the store is in order", STR_NONE);
    if (e == ERR_CORRUPT)
        admin_say(a, "the store is damaged: restore what is named above from a backup", STR_NONE);
    buf_free(&f.text);
    return e;
}

/* ---- backup ---- */

static enum err new_folder(struct admin *a, struct str *path_out, int *fd_out)
{
    struct buf path = BUF_INIT(8192);
    buf_put(&path, depot.role->config->store.path);
    buf_put_lit(&path, "/backups");
    enum err e = mkdir(arena_c(a->arena, buf_str(&path)), 0700) == 0 || errno == EEXIST
                     ? OK
                     : err_from_errno(errno);
    buf_put_byte(&path, '/');
    buf_put_time(&path, a->now_us);
    *path_out = arena_str(a->arena, buf_str(&path));
    const char *name = arena_c(a->arena, *path_out);
    buf_free(&path);
    if (e == OK && mkdir(name, 0700) != 0) e = err_from_errno(errno);
    if (e == OK && (*fd_out = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        e = err_from_errno(errno);
    return e;
}

static enum err store_backup(struct admin *a)
{
    struct str path = STR_NONE;
    int fd = -1;
    if (depot.role->config->store.engine == CONFIG_ENGINE_MEMORY)
        return admin_fail(a, ERR_UNSUPPORTED, "a store in memory has no backup", STR_NONE);
    enum err e = new_folder(a, &path, &fd);
    if (e == OK) {
        struct waiting w = { .work = { .kind = WORK_BACKUP, .folder_fd = fd } };
        e = work_and_wait(&w);
    }
    if (fd >= 0) close(fd);
    if (e != OK) return admin_fail(a, e, "the backup failed: ", str_c(err_words(e)));
    ADMIN_COLUMNS(a, STR("folder"));
    admin_cell(a, path);
    return OK;
}

/* ---- compact, status ---- */

static enum err store_compact(struct admin *a)
{
    bool more = true;
    uint64_t slices = 0;
    enum err e = OK;
    while (more && e == OK) {
        e = depot_compact(4 << 20, &more);
        slices++;
    }
    if (e == OK) {
        struct buf b = BUF_INIT(32);
        buf_put_u64(&b, slices);
        admin_say(a, "done, slices of work: ", buf_str(&b));
        buf_free(&b);
    }
    return e;
}

static enum err store_status(struct admin *a)
{
    struct engine_stats s;
    engine_stats(depot.engine, &s);
    ADMIN_COLUMNS(a, STR("what"), STR("#value"));
    put_number(a, STR("transactions"), s.transactions);
    put_number(a, STR("groups"), s.groups);
    put_number(a, STR("syncs"), s.syncs);
    put_number(a, STR("row commits"), s.row_commits);
    put_number(a, STR("log bytes written"), s.log_bytes_written);
    put_number(a, STR("row bytes written"), s.row_bytes_written);
    put_number(a, STR("records replayed at the start"), s.replayed_records);
    put_number(a, STR("torn bytes set aside at the start"), s.torn_bytes);
    put_number(a, STR("free bytes of the file system"), s.free_bytes);
    return OK;
}

const struct admin_row admin_store_rows[] = {
    { "store", "check", store_check, false },
    { "store", "backup", store_backup, false },
    { "store", "compact", store_compact, false },
    { "store", "status", store_status, false },
    { NULL, NULL, NULL, false },
};
