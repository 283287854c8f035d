/* Start this program again as a process of its own, with exactly what it is due, and watch over it.
 *
 * The new process gets a fresh address layout (exec), the descriptors of a list at the numbers of
 * that list and no other, an environment of a list and no other, its own process group (a Ctrl-C
 * at the terminal reaches the keeper only), default signal handling and an empty signal mask.
 *
 * No parent-death signal: it is lost on a change of user and hits at the wrong moment when a thread
 * ends. Instead each child holds one end of a control channel; when the other end closes, for
 * whatever reason, the child reads end-of-file there and must end itself.
 *
 * Nothing here waits, except for the moments between fork and exec. */
#ifndef SYS_SPAWN_H
#define SYS_SPAWN_H

#include <sys/types.h>

#include "base/buf.h"

/* The agreed number of the control channel in every child. */
enum { SPAWN_CONTROL_FD = 3, SPAWN_FDS_MAX = 256 };

/* Parent's descriptor `fd` becomes number `at` in the child. */
struct spawn_fd {
    int fd, at;
};

struct spawn {
    const char *exe;            /* path; null: this very program, even if its file was replaced */
    const char *const *args;    /* argv, ends with null; args[0] is the name shown by ps */
    const char *const *env;     /* "NAME=value", ends with null; null: empty */
    const struct spawn_fd *fds; /* `at` in [0, SPAWN_FDS_MAX), each once; of 0, 1 and 2 those */
    size_t fd_count;            /* that are not listed become /dev/null */
};

struct spawn_child {
    pid_t pid;
    int pidfd; /* readable when the child has ended: watch it in the loop; -1: none */
};

/* Start it. The parent's descriptors stay open here; close them if they were only for the child.
 *
 * OK means that exec succeeded. ERR_NOT_FOUND, ERR_DENIED: the program; ERR_LIMIT: processes,
 * descriptors or memory; ERR_UNSUPPORTED: a kernel older than 5.9. */
enum err spawn_start(const struct spawn *want, struct spawn_child *child_out);

/* Send a signal to this very process, never to another that got its number. ERR_NOT_FOUND: it has
 * ended already. */
enum err spawn_signal(const struct spawn_child *child, int signal);

/* How a process ended. */
struct spawn_end {
    bool by_signal; /* then `code` is the signal's number, else the exit code */
    int code;
};

/* Collect the child that has ended; the pidfd is closed and `child` forgets it. ERR_AGAIN: it still
 * runs. ERR_NOT_FOUND: no such child (somebody collected it before). */
enum err spawn_reap(struct spawn_child *child, struct spawn_end *end_out);

/* Words for the log: "exit 1", "signal 31 (Bad system call)". */
void spawn_end_put(struct buf *b, struct spawn_end end);

/* In the child, first thing: check that the descriptors `at[0..n)` are open, make them close on
 * exec from now on, and give the process a name that ps and top show (cut at 15 bytes).
 * ERR_INVALID: a descriptor is missing: nobody spawned us. */
enum err spawn_adopt(const char *name, const int *at, size_t n);

#endif
