/* fork, arrange descriptors, exec.
 *
 * Between fork and exec only calls that are safe after a fork are made; everything that needs
 * memory is prepared before. A failure there travels back as an errno through a pipe that exec
 * closes; so spawn_start() knows whether the program really runs.
 *
 * Descriptors are moved in two steps, because source and target numbers may overlap: first all
 * sources are copied above every target, then down to their places. */
#include "sys/spawn.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPAWN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SPAWN_SANITIZED 1
#endif
#endif

/* What the child needs between fork and exec, made before the fork. */
struct plan {
    const char *exe;
    char **args, **env;
    const struct spawn_fd *fds;
    size_t fd_count;
    int *copies;     /* of each descriptor, above `above` */
    bool *is_target; /* by number, below `above` */
    int above;       /* one past the highest target, at least 3 */
    int tell;        /* write an errno here */
};

/* exec() takes `char *const *` for history's sake and changes nothing. */
static char **exec_list(const char *const *list, const char *const *more)
{
    size_t n = 0, m = 0;
    while (list != NULL && list[n] != NULL) {
        n++;
    }
    while (more[m] != NULL) {
        m++;
    }
    char **copy = calloc(n + m + 1, sizeof *copy);
    must(copy != NULL);
    if (n > 0) memcpy(copy, list, n * sizeof *copy);
    if (m > 0) memcpy(copy + n, more, m * sizeof *copy);
    return copy;
}

/* Sanitizer builds hand the sanitizers' options on, else a test's settings end at the first exec.
 */
static char **exec_env(const char *const *env)
{
    const char *extra[8] = { NULL };
#ifdef SPAWN_SANITIZED
    static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                         "TSAN_OPTIONS", "MSAN_OPTIONS" };
    size_t n = 0;
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            struct str name = str_c(names[i]), entry = str_c(*at);
            if (str_starts(entry, name) && entry.n > name.n && entry.p[name.n] == '=' && n < 7) {
                extra[n++] = *at;
            }
        }
    }
#endif
    return exec_list(env, extra);
}

static void plan_make(struct plan *p, const struct spawn *want)
{
    static const char *const nothing[] = { NULL };

    p->exe = want->exe != NULL ? want->exe : "/proc/self/exe";
    p->args = exec_list(want->args, nothing);
    p->env = exec_env(want->env);
    p->fds = want->fds;
    p->fd_count = want->fd_count;
    p->above = 3;
    for (size_t i = 0; i < want->fd_count; i++) {
        must(want->fds[i].fd >= 0 && want->fds[i].at >= 0 && want->fds[i].at < SPAWN_FDS_MAX);
        if (want->fds[i].at >= p->above) p->above = want->fds[i].at + 1;
    }
    p->copies = calloc(want->fd_count + 1, sizeof *p->copies);
    p->is_target = calloc((size_t)p->above, sizeof *p->is_target);
    must(p->copies != NULL && p->is_target != NULL);
    for (size_t i = 0; i < want->fd_count; i++) {
        must(!p->is_target[want->fds[i].at]);
        p->is_target[want->fds[i].at] = true;
    }
}

static void plan_free(struct plan *p)
{
    free(p->args);
    free(p->env);
    free(p->copies);
    free(p->is_target);
}

/* ---- in the child, between fork and exec ---- */

static int child_close_range(unsigned from, unsigned to, unsigned flags)
{
    return (int)syscall(SYS_close_range, from, to, flags);
}

static bool child_descriptors(struct plan *p)
{
    p->tell = fcntl(p->tell, F_DUPFD_CLOEXEC, p->above);
    if (p->tell < 0) return false;
    for (size_t i = 0; i < p->fd_count; i++) {
        p->copies[i] = fcntl(p->fds[i].fd, F_DUPFD_CLOEXEC, p->above);
        if (p->copies[i] < 0) return false;
    }
    for (size_t i = 0; i < p->fd_count; i++) {
        if (dup2(p->copies[i], p->fds[i].at) < 0) return false;
    }
    for (int n = 0; n < p->above; n++) {
        if (p->is_target[n]) continue;
        close(n);
        /* 0, 1 and 2 are never free: a library that prints there must not hit something else. The
         * lowest free number is n, because all below it are taken. */
        if (n < 3 && open("/dev/null", O_RDWR) != n) return false;
    }
    return child_close_range((unsigned)p->above, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

static bool child_signals(void)
{
    sigset_t none;
    struct sigaction standard = { .sa_handler = SIG_DFL };

    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &standard, NULL); /* fails for the few that cannot be changed */
    }
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

_Noreturn static void child_run(struct plan *p)
{
    if (setpgid(0, 0) == 0 && child_descriptors(p) && child_signals()) {
        execve(p->exe, p->args, p->env);
    }
    int number = errno;
    ssize_t sent = write(p->tell, &number, sizeof number);
    _exit(sent == (ssize_t)sizeof number ? 126 : 127);
}

/* ---- in the parent ---- */

/* What the child said before exec: 0 if nothing, so exec went well. */
static int read_verdict(int fd)
{
    int number = 0;
    ssize_t got;
    do {
        got = read(fd, &number, sizeof number);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof number ? number : 0;
}

static enum err open_child(pid_t pid, int verdict, struct spawn_child *child_out)
{
    int pidfd = verdict == 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (pidfd >= 0) {
        *child_out = (struct spawn_child){ .pid = pid, .pidfd = pidfd };
        return OK;
    }
    int number = verdict != 0 ? verdict : errno;
    if (verdict == 0) kill(pid, SIGKILL); /* ours and not collected: the number is still its own */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    errno = number;
    return err_from_errno(number);
}

enum err spawn_start(const struct spawn *want, struct spawn_child *child_out)
{
    struct plan plan = { 0 };
    sigset_t all, before;
    int pipe_fds[2];

    must(want->args != NULL && want->args[0] != NULL);
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) return err_from_errno(errno);
    plan_make(&plan, want);
    plan.tell = pipe_fds[1];

    /* No handler of ours may run in the child. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int number = errno;
    if (pid == 0) child_run(&plan);
    sigprocmask(SIG_SETMASK, &before, NULL);

    close(pipe_fds[1]);
    int verdict = pid > 0 ? read_verdict(pipe_fds[0]) : 0;
    close(pipe_fds[0]);
    plan_free(&plan);
    if (pid < 0) {
        errno = number;
        return number == EAGAIN ? ERR_LIMIT : err_from_errno(number);
    }
    return open_child(pid, verdict, child_out);
}

enum err spawn_signal(const struct spawn_child *child, int signal)
{
    if (child->pidfd < 0) return ERR_NOT_FOUND;
    if (syscall(SYS_pidfd_send_signal, child->pidfd, signal, NULL, 0) == 0) return OK;
    return errno == ESRCH ? ERR_NOT_FOUND : err_from_errno(errno);
}

enum err spawn_reap(struct spawn_child *child, struct spawn_end *end_out)
{
    siginfo_t info = { 0 };
    if (child->pidfd < 0) return ERR_NOT_FOUND;
    if (waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) != 0) {
        return errno == ECHILD ? ERR_NOT_FOUND : err_from_errno(errno);
    }
    if (info.si_pid == 0) return ERR_AGAIN;
    *end_out =
        (struct spawn_end){ .by_signal = info.si_code != CLD_EXITED, .code = info.si_status };
    close(child->pidfd);
    *child = (struct spawn_child){ .pid = 0, .pidfd = -1 };
    return OK;
}

void spawn_end_put(struct buf *b, struct spawn_end end)
{
    buf_put(b, end.by_signal ? STR("signal ") : STR("exit "));
    buf_put_i64(b, end.code);
    const char *words = end.by_signal ? sigdescr_np(end.code) : NULL;
    if (words == NULL) return;
    buf_put_lit(b, " (");
    buf_put(b, str_c(words));
    buf_put_byte(b, ')');
}

enum err spawn_adopt(const char *name, const int *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fcntl(at[i], F_SETFD, FD_CLOEXEC) != 0) return ERR_INVALID;
    }
    prctl(PR_SET_NAME, name, 0, 0, 0); /* cannot fail for a readable string */
    return OK;
}
