/* Lock this process in: after sandbox_enter() it can do what its role needs and nothing else, for
 * good, and so can whatever took it over.
 *
 * Four nets, each of which holds where another is missing:
 *   - another user without groups and capabilities (needs root or the capabilities for it);
 *   - Landlock (kernel 5.13; TCP 6.7; signals and abstract sockets 6.12): which paths may be
 *     opened and whether TCP may be bound or connected;
 *   - seccomp: which system calls exist at all. A forbidden one ends the process with SIGSYS;
 *   - resource limits, no_new_privs, no core dumps, no tracing, no environment, umask 077.
 *
 * What the roles need: edge and session ACCEPT; filter and keys nothing; courier CONNECT; resolver
 * CONNECT and DATAGRAM; depot FILES and THREADS with its folder; authd THREADS (password hashes
 * with lanes), and UNIX where an outside directory answers on such a socket.
 *
 * All but the first work for an ordinary user too. Descriptors that are open already go on working:
 * the keeper opens what the role may not. Enter before the first thread is started. */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include <sys/types.h>

#include "base/buf.h"

/* Groups of system calls, beside those that every role has: reading and writing open descriptors,
 * sockets' messages, epoll, memory that is never executable, futexes, clocks, randomness, its own
 * signals. What each group contains and why stands in sandbox_calls.c. */
enum sandbox_calls {
    SANDBOX_ACCEPT = 1 << 0,   /* take connections from a listener that it was given */
    SANDBOX_CONNECT = 1 << 1,  /* connect out over TCP, from a chosen source address */
    SANDBOX_DATAGRAM = 1 << 2, /* UDP: a resolver's questions */
    SANDBOX_UNIX = 1 << 3,     /* connect to Unix sockets (outside directories of users) */
    SANDBOX_FILES = 1 << 4,    /* open, read, write, sync and rename files; see `paths` */
    SANDBOX_THREADS = 1 << 5,  /* start threads (depot; password hashes with lanes) */
};

enum sandbox_rights {
    SANDBOX_READ = 1 << 0,   /* open files for reading, list folders */
    SANDBOX_WRITE = 1 << 1,  /* open files for writing, truncate */
    SANDBOX_CREATE = 1 << 2, /* make, rename and remove files and folders */
};

/* A file, or a folder with all below it. */
struct sandbox_path {
    const char *path;
    unsigned rights;
};

/* What happens at a forbidden system call. */
enum sandbox_violation {
    SANDBOX_KILL, /* the process ends with SIGSYS; always this in production */
    SANDBOX_FAIL, /* the call fails with EPERM: to see how far a role gets without it */
    SANDBOX_LOG,  /* the call is allowed and the kernel logs it: to find what a role needs */
};

struct sandbox {
    unsigned calls;
    const struct sandbox_path *paths; /* none: no file can be opened */
    size_t path_count;

    /* Limits; 0 leaves what is. A process that needs no threads can start no process either. */
    uint64_t files_max;         /* open descriptors */
    uint64_t data_bytes_max;    /* own writable memory (RLIMIT_DATA); mapped files do not count */
    uint64_t address_bytes_max; /* whole address space (RLIMIT_AS); not for roles with big maps */
    uint64_t file_bytes_max;    /* size of a file; mind that the log's descriptor may be a file */

    bool change_user; /* to these, with no other groups */
    uid_t uid;
    gid_t gid;

    enum sandbox_violation on_violation;
};

/* Lock this process in as far as kernel and privileges allow. What could not be had comes as words
 * in `missing_out`, each with a space before it (" user landlock-net"), for one log line:
 *
 *   user           still root, or still the user it was       (no privilege to change)
 *   groups         still in supplementary groups              (same)
 *   limit-X        a limit is higher or lower than asked for  (same, or the kernel's own maximum)
 *   landlock       no Landlock: paths are guarded by file rights only
 *   landlock-X     an older Landlock, without X
 *   seccomp        no system call filter
 *
 * ERR_NOT_FOUND and others: a path of the list cannot be opened; the path then stands as a word in
 * `missing_out`. ERR_DENIED: the change of user went wrong half-way. After an error the process is
 * in an unknown mixture of locks and must end.
 *
 * Builds with sanitizers leave out what would blind them: RLIMIT_AS, RLIMIT_DATA, the bans on
 * tracing and on threads, and they may read /proc. */
enum err sandbox_enter(const struct sandbox *box, struct buf *missing_out);

#endif
