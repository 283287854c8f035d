/* Work that nobody waits for: what was deleted goes for good, what is old is forgotten.
 *
 * Looking happens on a snapshot, doing in small transactions, each of which leaves the store in
 * order: a crash anywhere costs nothing but starting to look again. */
#ifndef MAIL_JANITOR_H
#define MAIL_JANITOR_H

#include "mail/row.h"

enum { JANITOR_ROWS = 500 }; /* rows of one transaction's slice */

enum janitor_kind {
    JANITOR_DOMAIN,  /* addresses of a deleted domain */
    JANITOR_ACCOUNT, /* mail of a deleted account */
    JANITOR_MAILBOX, /* messages of deleted mailboxes of an account */
    JANITOR_CHANGES, /* old changes of an account's log */
    JANITOR_REPEATS, /* digests beyond the window */
    JANITOR_TRACES,  /* traces beyond their retention */
    JANITOR_KINDS
};

struct janitor_job {
    enum janitor_kind kind;
    uint64_t account;
    struct str domain;
};

/* Where a round stands; zeroed: at its beginning. */
struct janitor {
    enum janitor_kind kind;
    uint64_t account; /* behind this one */
};

enum janitor_found {
    JANITOR_JOB,  /* *job_out is to be done, until janitor_work says there is no more of it */
    JANITOR_ON,   /* nothing so far; look on, in another snapshot */
    JANITOR_REST, /* the round is over, `j` is at the beginning again */
};

/* Look for the next piece of work, at most some hundred accounts far. The domain in the job is a
 * copy in `a`. */
enum err janitor_look(struct txn *t, struct janitor *j, int64_t now_us, struct arena *a,
                      struct janitor_job *job_out, enum janitor_found *found_out);

/* A job that fails is left for the next round: go on with the next kind of work. */
void janitor_skip(struct janitor *j);

/* Do a slice of it, in a body. *more_out: do another. */
enum err janitor_work(struct txn *t, const struct janitor_job *job, int64_t now_us, bool *more_out);

#endif
