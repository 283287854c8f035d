#include "mail/janitor.h"
#include "mail/changes.h"
#include "mail/directory.h"
#include "mail/mailbox.h"
#include "mail/repeat.h"
#include "mail/trace.h"
#include "base/must.h"
#include "base/param.h"

PARAM(changes_keep, COUNT, 100, 10000000, 20000,
      "how many changes of an account are kept for clients that ask what happened since")

enum { ACCOUNTS_A_LOOK = 200 };
/* The log is trimmed when it is this much longer than it shall be, not for each change. */
enum { CHANGES_SLACK = 500 };

/* ---- looking ---- */

/* The first row of a kind, as its key. ERR_NOT_FOUND. */
static enum err first_of(struct txn *t, enum key_kind kind, struct key *out)
{
    struct key k = { .kind = kind };
    struct rows rows;
    enum err e = row_page(t, &k, 0, STR_NONE, 1, &rows);
    if (e == OK && rows.n == 0) e = ERR_NOT_FOUND;
    return e == OK ? key_parse(rows.at[0].key, out) : e;
}

static enum err look_first(struct txn *t, enum key_kind kind, struct janitor_job *job)
{
    struct key k;
    enum err e = first_of(t, kind, &k);
    if (e != OK) return e;
    job->account = k.account;
    job->domain = k.domain;
    return OK;
}

static enum err wants_mailbox(struct txn *t, uint64_t account)
{
    struct key k = { .kind = KEY_GONE_MAILBOX, .account = account };
    struct rows rows;
    enum err e = row_page(t, &k, 0, STR_NONE, 1, &rows);
    return e == OK && rows.n == 0 ? ERR_NOT_FOUND : e;
}

static enum err wants_changes(struct txn *t, uint64_t account)
{
    struct account_state s;
    enum err e = account_state_get(t, account, &s);
    if (e != OK) return e;
    bool long_log = s.modseq - s.changes_floor > (uint64_t)changes_keep + CHANGES_SLACK;
    return long_log ? OK : ERR_NOT_FOUND;
}

/* The next account that wants the work of j->kind. ERR_NOT_FOUND: none among those looked at;
 * *end_out: these were the last. */
static enum err look_accounts(struct txn *t, struct janitor *j, struct janitor_job *job,
                              bool *end_out)
{
    uint64_t *ids = ARENA_MANY(txn_arena(t), uint64_t, ACCOUNTS_A_LOOK);
    size_t n = 0;
    bool more;
    enum err e = directory_account_ids(t, j->account, ACCOUNTS_A_LOOK, ids, &n, &more);
    if (e != OK) return e;
    for (size_t i = 0; i < n; i++) {
        e = j->kind == JANITOR_MAILBOX ? wants_mailbox(t, ids[i]) : wants_changes(t, ids[i]);
        j->account = ids[i];
        job->account = ids[i];
        if (e != ERR_NOT_FOUND) return e;
    }
    *end_out = !more;
    return ERR_NOT_FOUND;
}

/* OK: a job. ERR_NOT_FOUND: none; *end_out: this kind is through. */
static enum err look_kind(struct txn *t, struct janitor *j, int64_t now_us, struct janitor_job *job,
                          bool *end_out)
{
    bool old = false;
    enum err e = OK;
    *end_out = true;
    switch (j->kind) {
    case JANITOR_DOMAIN:
        return look_first(t, KEY_GONE_DOMAIN, job);
    case JANITOR_ACCOUNT:
        return look_first(t, KEY_GONE_ACCOUNT, job);
    case JANITOR_MAILBOX:
    case JANITOR_CHANGES:
        *end_out = false;
        return look_accounts(t, j, job, end_out);
    case JANITOR_REPEATS:
        e = repeat_is_old(t, now_us, &old);
        break;
    case JANITOR_TRACES:
        e = trace_is_old(t, now_us, &old);
        break;
    case JANITOR_KINDS:
        must(false);
    }
    return e == OK && !old ? ERR_NOT_FOUND : e;
}

enum err janitor_look(struct txn *t, struct janitor *j, int64_t now_us, struct arena *a,
                      struct janitor_job *job_out, enum janitor_found *found_out)
{
    struct janitor_job job = { .kind = j->kind };
    bool end = false;
    enum err e = look_kind(t, j, now_us, &job, &end);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    bool found = e == OK;
    /* Jobs by marker rows and by age are done before the next look, so looking again at the same
     * kind finds the next one. */
    if (!found && end) *j = (struct janitor){ .kind = (enum janitor_kind)(j->kind + 1) };
    *found_out = found ? JANITOR_JOB : JANITOR_ON;
    if (j->kind == JANITOR_KINDS) {
        *j = (struct janitor){ 0 };
        *found_out = JANITOR_REST;
    }
    if (found) {
        job.domain = arena_str(a, job.domain);
        *job_out = job;
    }
    return OK;
}

void janitor_skip(struct janitor *j)
{
    *j = (struct janitor){ .kind = (enum janitor_kind)((j->kind + 1) % JANITOR_KINDS) };
}

/* ---- doing ---- */

static enum err account_work(struct txn *t, uint64_t account, bool *more_out)
{
    struct key k = { .kind = KEY_GONE_ACCOUNT, .account = account };
    bool more = false;
    enum err e = account_reap(t, account, JANITOR_ROWS, &more);
    if (e == OK && !more) e = row_del(t, &k);
    if (e == OK) *more_out = more;
    return e;
}

/* The account may have been deleted since the look: then there is nothing to do. */
static enum err unless_gone(enum err e, bool *more_out)
{
    if (e != ERR_NOT_FOUND) return e;
    *more_out = false;
    return OK;
}

enum err janitor_work(struct txn *t, const struct janitor_job *job, int64_t now_us, bool *more_out)
{
    switch (job->kind) {
    case JANITOR_DOMAIN:
        return directory_domain_reap(t, job->domain, JANITOR_ROWS, now_us, more_out);
    case JANITOR_ACCOUNT:
        return account_work(t, job->account, more_out);
    case JANITOR_MAILBOX:
        return unless_gone(mailbox_reap(t, job->account, JANITOR_ROWS, more_out), more_out);
    case JANITOR_CHANGES:
        return unless_gone(
            changes_trim(t, job->account, (uint64_t)changes_keep, JANITOR_ROWS, more_out),
            more_out);
    case JANITOR_REPEATS:
        return repeat_expire(t, now_us, JANITOR_ROWS, more_out);
    case JANITOR_TRACES:
        return trace_expire(t, now_us, JANITOR_ROWS, more_out);
    case JANITOR_KINDS:
        break;
    }
    must(false);
}
