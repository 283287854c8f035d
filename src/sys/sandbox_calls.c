/* The system call filter: which calls a role has, by group, each with its reason.
 *
 * A call that is in no group of the role ends the process. The exceptions fail with an error
 * instead, because libraries try them and have a second way:
 *   - opening and looking at files without SANDBOX_FILES: EACCES (the C library looks for
 *     /sys/devices/system/cpu/online when a second thread allocates, for time zones, for modules);
 *   - clone3: ENOSYS, so that pthread_create() takes clone(), whose flags the filter can see.
 *
 * Weak points. The filter sees numbers, not what pointers point at: stat by path cannot be told
 * from fstat when the caller sets AT_EMPTY_PATH, so existence and size of files leak where file
 * rights allow it. Memory once made executable (the program and its libraries) stays so; no new
 * memory becomes executable. Integer arguments are compared in their low 32 bits, because nothing
 * promises what a caller leaves in the high ones. */
#include "sys/sandbox_inner.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Every role: the group without a bit. */
enum { BASE = 0 };
enum { NET_OUT = SANDBOX_CONNECT | SANDBOX_DATAGRAM | SANDBOX_UNIX };
enum { FILES = SANDBOX_FILES, THREADS = SANDBOX_THREADS, ACCEPT = SANDBOX_ACCEPT };

/* A call is allowed when its row's groups are BASE or share a bit with the role's. */
static const struct {
    unsigned groups;
    int call;
} plain[] = {
    /* descriptors that are open: logs, sockets, doors, pipes */
    { BASE, SCMP_SYS(read) },
    { BASE, SCMP_SYS(write) },
    { BASE, SCMP_SYS(readv) },
    { BASE, SCMP_SYS(writev) },
    { BASE, SCMP_SYS(close) },
    { BASE, SCMP_SYS(close_range) },
    { BASE, SCMP_SYS(dup) },
    { BASE, SCMP_SYS(dup3) }, /* another log file after a reload */
    { BASE, SCMP_SYS(lseek) },
    { BASE, SCMP_SYS(fstat) },
    { BASE, SCMP_SYS(pipe2) },
    { BASE, SCMP_SYS(eventfd2) },

    /* messages and descriptors over sockets that are open */
    { BASE, SCMP_SYS(recvfrom) },
    { BASE, SCMP_SYS(recvmsg) },
    { BASE, SCMP_SYS(sendto) },
    { BASE, SCMP_SYS(sendmsg) },
    { BASE, SCMP_SYS(shutdown) },
    { BASE, SCMP_SYS(getsockopt) },
    { BASE, SCMP_SYS(getsockname) },
    { BASE, SCMP_SYS(getpeername) },

    /* the loop */
    { BASE, SCMP_SYS(epoll_create1) },
    { BASE, SCMP_SYS(epoll_ctl) },
    { BASE, SCMP_SYS(epoll_wait) },
    { BASE, SCMP_SYS(epoll_pwait) },
    { BASE, SCMP_SYS(epoll_pwait2) },
    { BASE, SCMP_SYS(poll) },
    { BASE, SCMP_SYS(ppoll) },
    { BASE, SCMP_SYS(timerfd_create) },
    { BASE, SCMP_SYS(timerfd_settime) },
    { BASE, SCMP_SYS(timerfd_gettime) },
    { BASE, SCMP_SYS(signalfd4) },

    /* memory: fiber stacks, the allocator; mmap and mprotect stand below */
    { BASE, SCMP_SYS(munmap) },
    { BASE, SCMP_SYS(mremap) },
    { BASE, SCMP_SYS(madvise) },
    { BASE, SCMP_SYS(brk) },
    { BASE, SCMP_SYS(mlock) }, /* the secure heap of crypto libraries */
    { BASE, SCMP_SYS(munlock) },

    /* locks of the C library, per-thread set-up */
    { BASE, SCMP_SYS(futex) },
    { BASE, SCMP_SYS(set_robust_list) },
    { BASE, SCMP_SYS(rseq) },
    { BASE, SCMP_SYS(sched_yield) },
    { BASE, SCMP_SYS(getcpu) },

    /* time, where the vDSO cannot answer; sleeping */
    { BASE, SCMP_SYS(clock_gettime) },
    { BASE, SCMP_SYS(clock_getres) },
    { BASE, SCMP_SYS(clock_nanosleep) },
    { BASE, SCMP_SYS(nanosleep) },
    { BASE, SCMP_SYS(gettimeofday) },
    { BASE, SCMP_SYS(time) },

    { BASE, SCMP_SYS(getrandom) },

    /* its own signals and its end */
    { BASE, SCMP_SYS(rt_sigaction) },
    { BASE, SCMP_SYS(rt_sigprocmask) },
    { BASE, SCMP_SYS(rt_sigreturn) },
    { BASE, SCMP_SYS(sigaltstack) },
    { BASE, SCMP_SYS(restart_syscall) },
    { BASE, SCMP_SYS(exit) },
    { BASE, SCMP_SYS(exit_group) },

    /* who am I, what did I use (counters; sysconf() in qsort and malloc) */
    { BASE, SCMP_SYS(getpid) },
    { BASE, SCMP_SYS(gettid) },
    { BASE, SCMP_SYS(getppid) },
    { BASE, SCMP_SYS(getuid) },
    { BASE, SCMP_SYS(geteuid) },
    { BASE, SCMP_SYS(getgid) },
    { BASE, SCMP_SYS(getegid) },
    { BASE, SCMP_SYS(getrusage) },
    { BASE, SCMP_SYS(getrlimit) },
    { BASE, SCMP_SYS(sysinfo) },
    { BASE, SCMP_SYS(uname) },
    { BASE, SCMP_SYS(sched_getaffinity) },

    /* edge, session: the listener comes open and bound from the keeper */
    { ACCEPT, SCMP_SYS(accept4) },
    { ACCEPT, SCMP_SYS(accept) },

    /* courier, resolver: sockets of their own (the kinds stand below); bind chooses the source */
    { NET_OUT, SCMP_SYS(connect) },
    { SANDBOX_CONNECT | SANDBOX_DATAGRAM, SCMP_SYS(bind) },
    { SANDBOX_DATAGRAM, SCMP_SYS(recvmmsg) },
    { SANDBOX_DATAGRAM, SCMP_SYS(sendmmsg) },

    /* depot: segments, LMDB (pwrite, writev, msync, fstatfs, sigwait while it copies), backup */
    { FILES, SCMP_SYS(open) },
    { FILES, SCMP_SYS(openat) },
    { FILES, SCMP_SYS(openat2) },
    { FILES, SCMP_SYS(pread64) },
    { FILES, SCMP_SYS(pwrite64) },
    { FILES, SCMP_SYS(preadv) },
    { FILES, SCMP_SYS(pwritev) },
    { FILES, SCMP_SYS(preadv2) },
    { FILES, SCMP_SYS(pwritev2) },
    { FILES, SCMP_SYS(fsync) },
    { FILES, SCMP_SYS(fdatasync) },
    { FILES, SCMP_SYS(sync_file_range) },
    { FILES, SCMP_SYS(syncfs) },
    { FILES, SCMP_SYS(msync) },
    { FILES, SCMP_SYS(ftruncate) },
    { FILES, SCMP_SYS(truncate) },
    { FILES, SCMP_SYS(fallocate) },
    { FILES, SCMP_SYS(fadvise64) },
    { FILES, SCMP_SYS(readahead) },
    { FILES, SCMP_SYS(copy_file_range) },
    { FILES, SCMP_SYS(sendfile) },
    { FILES, SCMP_SYS(mincore) },
    { FILES, SCMP_SYS(flock) },
    { FILES, SCMP_SYS(statfs) },
    { FILES, SCMP_SYS(fstatfs) },
    { FILES, SCMP_SYS(stat) },
    { FILES, SCMP_SYS(lstat) },
    { FILES, SCMP_SYS(newfstatat) },
    { FILES, SCMP_SYS(statx) },
    { FILES, SCMP_SYS(access) },
    { FILES, SCMP_SYS(faccessat) },
    { FILES, SCMP_SYS(faccessat2) },
    { FILES, SCMP_SYS(readlink) },
    { FILES, SCMP_SYS(readlinkat) },
    { FILES, SCMP_SYS(getdents64) },
    { FILES, SCMP_SYS(mkdir) },
    { FILES, SCMP_SYS(mkdirat) },
    { FILES, SCMP_SYS(rmdir) },
    { FILES, SCMP_SYS(unlink) },
    { FILES, SCMP_SYS(unlinkat) },
    { FILES, SCMP_SYS(rename) },
    { FILES, SCMP_SYS(renameat) },
    { FILES, SCMP_SYS(renameat2) },
    { FILES, SCMP_SYS(link) },
    { FILES, SCMP_SYS(linkat) },
    { FILES, SCMP_SYS(fchmod) },
    { FILES, SCMP_SYS(utimensat) },
    { FILES, SCMP_SYS(getcwd) },
    { FILES, SCMP_SYS(rt_sigtimedwait) },

    { THREADS, SCMP_SYS(membarrier) },
};

/* Fail softly where the role lacks the group; see above. */
static const struct {
    unsigned groups;
    int call;
    int error;
} soft[] = {
    { FILES, SCMP_SYS(open), EACCES },        { FILES, SCMP_SYS(openat), EACCES },
    { FILES, SCMP_SYS(openat2), EACCES },     { FILES, SCMP_SYS(stat), EACCES },
    { FILES, SCMP_SYS(lstat), EACCES },       { FILES, SCMP_SYS(access), EACCES },
    { FILES, SCMP_SYS(faccessat), EACCES },   { FILES, SCMP_SYS(faccessat2), EACCES },
    { FILES, SCMP_SYS(readlink), EACCES },    { FILES, SCMP_SYS(readlinkat), EACCES },
    { THREADS, SCMP_SYS(membarrier), EPERM },
};

#define IS(number, value)                                                                          \
    {                                                                                              \
        (number), SCMP_CMP_MASKED_EQ, 0xffffffffu, (unsigned)(value)                               \
    }
#define HAS(number, mask, value)                                                                   \
    {                                                                                              \
        (number), SCMP_CMP_MASKED_EQ, (mask), (value)                                              \
    }
#define THREAD_FLAGS ((uint64_t)(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD))
#define SPACE_FLAGS                                                                                \
    ((uint64_t)(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |         \
                CLONE_NEWNET | CLONE_NEWCGROUP))

/* Calls that are allowed with certain arguments only. */
static const struct {
    unsigned groups;
    int call;
    unsigned n;
    struct scmp_arg_cmp args[2];
} bound[] = {
    /* Writable or executable, never both, and nothing becomes executable later. */
    { BASE, SCMP_SYS(mmap), 1, { HAS(2, PROT_EXEC, 0) } },
    { BASE, SCMP_SYS(mprotect), 1, { HAS(2, PROT_EXEC, 0) } },

    { BASE, SCMP_SYS(fcntl), 1, { IS(1, F_GETFD) } },
    { BASE, SCMP_SYS(fcntl), 1, { IS(1, F_SETFD) } },
    { BASE, SCMP_SYS(fcntl), 1, { IS(1, F_GETFL) } },
    { BASE, SCMP_SYS(fcntl), 1, { IS(1, F_SETFL) } },
    { BASE, SCMP_SYS(fcntl), 1, { IS(1, F_DUPFD_CLOEXEC) } },
    /* Record locks: LMDB's table of readers. */
    { FILES, SCMP_SYS(fcntl), 1, { IS(1, F_GETLK) } },
    { FILES, SCMP_SYS(fcntl), 1, { IS(1, F_SETLK) } },
    { FILES, SCMP_SYS(fcntl), 1, { IS(1, F_SETLKW) } },
    { FILES, SCMP_SYS(fcntl), 1, { IS(1, F_OFD_SETLK) } },

    /* stdio asks a terminal what it is; how many bytes wait in a socket */
    { BASE, SCMP_SYS(ioctl), 1, { IS(1, TCGETS) } },
    { BASE, SCMP_SYS(ioctl), 1, { IS(1, FIONREAD) } },
    { BASE, SCMP_SYS(ioctl), 1, { IS(1, FIONBIO) } },

    /* fstat() of newer C libraries */
    { BASE, SCMP_SYS(newfstatat), 1, { HAS(3, AT_EMPTY_PATH, AT_EMPTY_PATH) } },

    /* names of processes and threads; limits are read, never written */
    { BASE, SCMP_SYS(prctl), 1, { IS(0, PR_SET_NAME) } },
    { BASE, SCMP_SYS(prctl), 1, { IS(0, PR_GET_NAME) } },
    { BASE, SCMP_SYS(prlimit64), 1, { { 2, SCMP_CMP_EQ, 0, 0 } } },

    /* buffers, and the noticing of dead peers; nothing that loads programs into the kernel */
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, SOL_SOCKET), IS(2, SO_SNDBUF) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, SOL_SOCKET), IS(2, SO_RCVBUF) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, SOL_SOCKET), IS(2, SO_LINGER) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, SOL_SOCKET), IS(2, SO_REUSEADDR) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_CORK) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_QUICKACK) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPIDLE) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPINTVL) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPCNT) } },
    { BASE, SCMP_SYS(setsockopt), 2, { IS(1, IPPROTO_TCP), IS(2, TCP_USER_TIMEOUT) } },
    { NET_OUT, SCMP_SYS(setsockopt), 1, { IS(1, IPPROTO_IP) } },
    { NET_OUT, SCMP_SYS(setsockopt), 1, { IS(1, IPPROTO_IPV6) } },

    /* pairs for doors within the process; new sockets by kind */
    { BASE, SCMP_SYS(socketpair), 1, { IS(0, AF_UNIX) } },
    { SANDBOX_UNIX, SCMP_SYS(socket), 1, { IS(0, AF_UNIX) } },
    { SANDBOX_CONNECT, SCMP_SYS(socket), 2, { IS(0, AF_INET), HAS(1, 0xf, SOCK_STREAM) } },
    { SANDBOX_CONNECT, SCMP_SYS(socket), 2, { IS(0, AF_INET6), HAS(1, 0xf, SOCK_STREAM) } },
    { SANDBOX_DATAGRAM, SCMP_SYS(socket), 2, { IS(0, AF_INET), HAS(1, 0xf, SOCK_DGRAM) } },
    { SANDBOX_DATAGRAM, SCMP_SYS(socket), 2, { IS(0, AF_INET6), HAS(1, 0xf, SOCK_DGRAM) } },

    /* a thread of this process, never a process or a name space */
    { THREADS, SCMP_SYS(clone), 1, { HAS(0, THREAD_FLAGS | SPACE_FLAGS, THREAD_FLAGS) } },
};

/* What a sanitizer does when it ends the process: stop all threads and look for leaks. */
static const int for_sanitizers[] = {
    SCMP_SYS(openat), SCMP_SYS(open),       SCMP_SYS(readlink),  SCMP_SYS(readlinkat),
    SCMP_SYS(stat),   SCMP_SYS(newfstatat), SCMP_SYS(pread64),   SCMP_SYS(getdents64),
    SCMP_SYS(prctl),  SCMP_SYS(clone),      SCMP_SYS(ptrace),    SCMP_SYS(wait4),
    SCMP_SYS(kill),   SCMP_SYS(tgkill),     SCMP_SYS(prlimit64), SCMP_SYS(process_vm_readv),
};

static uint32_t violation_action(enum sandbox_violation on)
{
    return on == SANDBOX_KILL   ? SCMP_ACT_KILL_PROCESS
           : on == SANDBOX_FAIL ? SCMP_ACT_ERRNO(EPERM)
                                : SCMP_ACT_LOG;
}

static bool has_group(const struct sandbox *box, unsigned groups)
{
    return groups == BASE || (box->calls & groups) != 0;
}

/* Rules that this machine's architecture does not know are passed over (-EDOM). */
static bool add(scmp_filter_ctx filter, uint32_t action, int call, unsigned n,
                const struct scmp_arg_cmp *args)
{
    int result = seccomp_rule_add_array(filter, action, call, n, args);
    return result == 0 || result == -EDOM || result == -EEXIST || result == -EACCES;
}

static bool add_all(scmp_filter_ctx filter, const struct sandbox *box)
{
    bool ok = true;
    uint32_t denied = violation_action(box->on_violation);

    if (SANDBOX_SANITIZED) {
        for (size_t i = 0; i < sizeof for_sanitizers / sizeof for_sanitizers[0]; i++) {
            ok = ok && add(filter, SCMP_ACT_ALLOW, for_sanitizers[i], 0, NULL);
        }
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (!has_group(box, plain[i].groups)) continue;
        ok = ok && add(filter, SCMP_ACT_ALLOW, plain[i].call, 0, NULL);
    }
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        if (!has_group(box, bound[i].groups)) continue;
        ok = ok && add(filter, SCMP_ACT_ALLOW, bound[i].call, bound[i].n, bound[i].args);
    }
    for (size_t i = 0; i < sizeof soft / sizeof soft[0] && !SANDBOX_SANITIZED; i++) {
        if (has_group(box, soft[i].groups) || denied == SCMP_ACT_LOG) continue;
        uint32_t action = SCMP_ACT_ERRNO((uint16_t)soft[i].error);
        ok = ok && add(filter, action, soft[i].call, 0, NULL);
    }
    if ((box->calls & FILES) == 0 && denied != SCMP_ACT_LOG && !SANDBOX_SANITIZED) {
        const struct scmp_arg_cmp by_path = HAS(3, AT_EMPTY_PATH, 0);
        ok = ok && add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1, &by_path);
    }
    if ((box->calls & THREADS) != 0) {
        ok = ok && add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    }
    /* abort() sends the signal to itself; nobody else's process or thread is reachable. */
    const struct scmp_arg_cmp myself = IS(0, getpid());
    return ok && add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &myself);
}

void sandbox_lock_calls(const struct sandbox *box, struct buf *missing)
{
    scmp_filter_ctx filter = seccomp_init(violation_action(box->on_violation));
    must(filter != NULL);
    /* All threads, should a library have started one; the kernel's audit log names the call. Both
     * are extras that old kernels lack. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary search */
    must(add_all(filter, box));
    if (seccomp_load(filter) != 0) sandbox_miss(missing, STR("seccomp"));
    seccomp_release(filter);
}
