/* A file system that fails: the table of os.h with a schedule. Tests only, one schedule a process.
 *
 * Counts calls per kind over all threads. Power cuts: with `track`, each write, truncation and
 * change of names is remembered until its file or folder is synced, and os_fault_cut() takes back
 * what was not. */
#ifndef SYS_OS_FAULT_H
#define SYS_OS_FAULT_H

#include "sys/os.h"

enum os_fault_what {
    OS_FAULT_NONE,
    OS_FAULT_ERRNO,       /* the call fails, nothing is done */
    OS_FAULT_SHORT,       /* read or write: half of it is done (at least one byte); else as ERRNO */
    OS_FAULT_SHORT_FULL,  /* a write: the first time half of it is done, then ENOSPC */
    OS_FAULT_KILL_BEFORE, /* SIGKILL instead of the call */
    OS_FAULT_KILL_AFTER,
    OS_FAULT_CUT_BEFORE, /* power cut instead of the call, then SIGKILL */
    OS_FAULT_CUT_AFTER,
};

enum os_fault_cut {
    OS_CUT_ALL,    /* nothing that was not synced is left */
    OS_CUT_SOME,   /* each write and each name at random */
    OS_CUT_SECTORS /* each sector of 512 bytes and each name at random */
};

struct os_fault {
    enum os_call call;
    uint64_t at;     /* the call of this kind (1: the first from now on) ... */
    uint64_t repeat; /* ... and so many more after it; UINT64_MAX: all */
    enum os_fault_what what;
    int number; /* errno */
    bool track;
    enum os_fault_cut cut;
    uint64_t seed; /* of the cut */
};

/* Put the table in place, while no other thread uses it. May be called again at any time: another
 * schedule (or none), the counts begin anew. */
void os_fault_arm(const struct os_fault *f);

/* Back to the real table, while no other thread uses it; forgets what was tracked. */
void os_fault_off(void);

/* Calls of a kind since os_fault_arm(). */
uint64_t os_fault_calls(enum os_call call);

/* Take back what was not synced. The process has to end right after it. */
void os_fault_cut(enum os_fault_cut how, uint64_t seed);

#endif
