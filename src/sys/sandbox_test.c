/* Each case runs in a child of its own: it locks itself in and tries something. Run as root, every
 * case runs a second time as an ordinary user who locks himself in. */
#include "base/unit.h"
#include "base/rand.h"
#include "sys/fiber.h"
#include "sys/net.h"
#include "sys/sandbox.h"
#include "sys/sandbox_inner.h"

#include <argon2.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <lmdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Made before the lock closes, for the cases to use. */
static char folder[] = "/tmp/sandbox_test.XXXXXX";
static char own[64], shown[64];
static int listener;
static struct net_addr listener_addr;
static int report[2];

/* ---- what is tried; 0 is "as it should be" ---- */

static int does_its_daily_work(void)
{
    char byte = 'x', bytes[100];
    int pair[2];
    struct epoll_event ev = { .events = EPOLLIN };

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 1;
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, pair[0], &ev) != 0) return 2;
    if (send(pair[1], &byte, 1, MSG_NOSIGNAL) != 1) return 3;
    if (epoll_wait(poller, &ev, 1, 1000) != 1) return 4;
    if (recv(pair[0], &byte, 1, 0) != 1) return 5;

    /* a descriptor goes through a socket */
    char room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &poller, sizeof poller);
    if (sendmsg(pair[1], &msg, MSG_NOSIGNAL) != 1) return 6;
    if (recvmsg(pair[0], &msg, MSG_CMSG_CLOEXEC) != 1) return 7;

    char *big = malloc(10000000);
    if (big == NULL) return 8;
    memset(big, 1, 10000000);
    free(big);
    void *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, 4096, PROT_NONE) != 0) return 9;
    if (madvise((char *)stack + 4096, 4096, MADV_DONTNEED) != 0) return 10;
    if (munmap(stack, 65536) != 0) return 11;
    rand_bytes(bytes, sizeof bytes);
    struct timespec ts = { .tv_nsec = 1000 };
    nanosleep(&ts, NULL);
    if (prctl(PR_SET_NAME, "pr-test", 0, 0, 0) != 0) return 12;
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) return 13;
    if (fprintf(stderr, "%s", "") < 0 || dup(pair[0]) < 0) return 14;
    return signal(SIGTERM, SIG_IGN) == SIG_ERR ? 15 : 0;
}

static struct watch ends[2];
static bool heard;

static void says(void *arg)
{
    (void)arg;
    err_ignore(fiber_sleep(1));
    err_ignore(send(ends[0].fd, "x", 1, MSG_NOSIGNAL) == 1 ? OK : ERR_IO);
}

static void hears(void *arg)
{
    char byte;
    (void)arg;
    while (recv(ends[1].fd, &byte, 1, 0) != 1) {
        if (watch_wait_read(&ends[1], clock_deadline(5000)) != OK) break;
        heard = true;
    }
    loop_stop();
}

static int runs_fibers(void)
{
    int pair[2];
    loop_init();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0) return 1;
    if (watch_open(&ends[0], pair[0]) != OK || watch_open(&ends[1], pair[1]) != OK) return 2;
    fiber_spawn("says", says, NULL);
    fiber_spawn("hears", hears, NULL);
    loop_run();
    return heard ? 0 : 3;
}

static int opens_a_file(void)
{
    if (open("/etc/passwd", O_RDONLY) >= 0) return 1;
    if (errno != EACCES) return 2;
    if (open(shown, O_RDONLY) >= 0) return 3;
    return open("/dev/null", O_RDWR) >= 0 ? 4 : 0;
}

static int makes_a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

/* With the call filter out of the way, Landlock must hold by itself. */
static int connects(void)
{
    int fd;
    return net_connect(&listener_addr, NULL, &fd) == ERR_DENIED ? 0 : 1;
}

static int listens(void)
{
    struct net_listen want = { 0 };
    int fd;
    if (net_parse(STR("127.0.0.1:0"), &want.addr) != OK) return 1;
    return net_listen(&want, &fd) == ERR_DENIED ? 0 : 2;
}

static int runs_a_program(void)
{
    char *args[] = { NULL };
    execve("/bin/true", args, args);
    return 0;
}

static int forks(void)
{
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) _exit(0);
    return 0;
}

static int makes_code(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? 1 : 0;
}

static int turns_data_into_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int signals_its_parent(void)
{
    kill(getppid(), SIGCONT);
    return 0;
}

static int is_refused_to_signal(void)
{
    return kill(getppid(), SIGCONT) != 0 && errno == EPERM ? 0 : 1;
}

static int aborts(void)
{
    abort();
}

static int traces(void)
{
    return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static int attaches_a_kernel_program(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 1;
    return setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, "", 0);
}

static int takes_a_connection(void)
{
    struct net_addr peer;
    struct pollfd p = { .fd = listener, .events = POLLIN };
    int fd;
    if (poll(&p, 1, 5000) != 1) return 1;
    if (net_accept(listener, &fd, &peer) != OK) return 2;
    if (net_set_nodelay(fd) != OK || net_set_keepalive(fd, 60, 10, 3) != OK) return 3;
    struct net_addr seen;
    return net_peer(fd, &seen) == OK && net_eq(&seen, &peer) ? 0 : 4;
}

static int connects_from_an_address(void)
{
    struct net_addr from;
    int fd;
    if (net_parse_ip(STR("127.0.0.9"), &from) != OK) return 1;
    if (net_connect(&listener_addr, &from, &fd) != OK) return 2;
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    if (poll(&p, 1, 5000) != 1) return 3;
    return net_connect_result(fd) == OK ? 0 : 4;
}

static int binds_a_port_of_its_own(void)
{
    struct net_addr from;
    int fd;
    if (net_parse(STR("127.0.0.9:20025"), &from) != OK) return 1;
    return net_connect(&listener_addr, &from, &fd) == ERR_DENIED ? 0 : 2;
}

static int asks_by_datagram(void)
{
    struct net_addr none;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0) return 1;
    return net_local(fd, &none) == OK ? 0 : 2;
}

static int keeps_files(void)
{
    char a[100], b[100];
    snprintf(a, sizeof a, "%s/new", own);
    snprintf(b, sizeof b, "%s/renamed", own);
    int fd = open(a, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return 1;
    if (pwrite(fd, "hello", 5, 0) != 5 || fdatasync(fd) != 0 || ftruncate(fd, 3) != 0) return 2;
    if (fallocate(fd, 0, 0, 65536) != 0 && errno != EOPNOTSUPP) return 3;
    struct stat st;
    if (rename(a, b) != 0 || stat(b, &st) != 0 || fstat(fd, &st) != 0) return 4;
    if ((st.st_mode & 0777) != 0600 || unlink(b) != 0) return 5;
    if (open(shown, O_RDONLY) < 0) return 6;
    if (open(shown, O_WRONLY) >= 0) return 7;
    return open("/etc/passwd", O_RDONLY) >= 0 ? 8 : 0;
}

static int keeps_a_database(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = { 1, own }, value = { 5, own };
    if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env, 1UL << 40) != 0) return 1;
    if (mdb_env_open(env, own, 0, 0600) != 0) return 2;
    for (int i = 0; i < 3; i++) {
        if (mdb_txn_begin(env, NULL, 0, &txn) != 0) return 3;
        if (mdb_dbi_open(txn, NULL, 0, &dbi) != 0) return 4;
        if (mdb_put(txn, dbi, &key, &value, 0) != 0 || mdb_txn_commit(txn) != 0) return 5;
    }
    if (mdb_env_sync(env, 1) != 0) return 6;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0) return 7;
    if (mdb_get(txn, dbi, &key, &value) != 0) return 8;
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return 0;
}

static void *in_thread(void *arg)
{
    *(char **)arg = malloc(5000);
    return NULL;
}

static int starts_threads(void)
{
    pthread_t threads[3];
    char *made[3];
    for (int i = 0; i < 3; i++) {
        if (pthread_create(&threads[i], NULL, in_thread, &made[i]) != 0) return 1;
    }
    for (int i = 0; i < 3; i++) {
        if (pthread_join(threads[i], NULL) != 0) return 2;
        free(made[i]);
    }
    return 0;
}

static int hashes_passwords(void)
{
    struct crypt_data *d = calloc(1, sizeof *d);
    char hash[200];
    if (d == NULL) return 1;
    const char *is = crypt_r("pw", "$y$j75$F5Jx5fExrKuPp53xLKQ..1$", d);
    if (is == NULL || is[0] != '$') return 2;
    free(d);
    /* argon2 with lanes starts threads that end by pthread_exit() */
    if (argon2id_hash_encoded(1, 64, 2, "pw", 2, "saltsalt", 8, 32, hash, sizeof hash) != 0) {
        return 3;
    }
    return argon2id_verify(hash, "pw", 2) == 0 ? 0 : 4;
}

static int meets_its_limits(void)
{
    int fd = 0, last;
    struct rlimit r;
    do {
        last = fd;
        fd = dup(2);
    } while (fd >= 0);
    if (errno != EMFILE || last > 40) return 1;
    if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_max != 0) return 2;
    if (SANDBOX_SANITIZED) return 0;
    void *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? 0 : 3;
}

static int has_no_environment(void)
{
    return environ == NULL || environ[0] == NULL ? 0 : 1;
}

/* The database of one user is not another's. */
static void remove_in_own(void)
{
    static const char *const names[] = { "data.mdb", "lock.mdb" };
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/%s", own, names[i]);
        remove(path);
    }
}

/* ---- the table ---- */

static struct sandbox_path depot_paths[] = {
    { own, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CREATE },
    { shown, SANDBOX_READ },
};

static const struct {
    const char *name;
    int (*try)(void);
    struct sandbox box;
    int signal;      /* that ends it; 0: exit 0 */
    bool plain_only; /* sanitizers need what is forbidden here */
} cases[] = {
    { "daily work goes on", does_its_daily_work, { 0 }, 0, false },
    { "fibers run", runs_fibers, { 0 }, 0, false },
    { "files are closed", opens_a_file, { 0 }, 0, false },
    { "Landlock alone closes files", opens_a_file, { .on_violation = SANDBOX_LOG }, 0, false },
    { "no sockets", makes_a_socket, { 0 }, SIGSYS, false },
    { "no TCP with datagrams", makes_a_socket, { .calls = SANDBOX_DATAGRAM }, SIGSYS, false },
    { "no TCP with acceptance", makes_a_socket, { .calls = SANDBOX_ACCEPT }, SIGSYS, false },
    { "Landlock alone denies connect", connects, { .on_violation = SANDBOX_LOG }, 0, false },
    { "Landlock alone denies bind", listens, { .on_violation = SANDBOX_LOG }, 0, false },
    { "a client cannot listen", listens, { .calls = SANDBOX_CONNECT }, SIGSYS, false },
    { "execve kills", runs_a_program, { 0 }, SIGSYS, false },
    { "execve kills with files", runs_a_program, { .calls = SANDBOX_FILES }, SIGSYS, false },
    { "fork kills", forks, { 0 }, SIGSYS, false },
    { "fork kills with threads", forks, { .calls = SANDBOX_THREADS }, SIGSYS, false },
    { "new code kills", makes_code, { 0 }, SIGSYS, false },
    { "data does not become code", turns_data_into_code, { 0 }, SIGSYS, false },
    { "no signals to others", signals_its_parent, { 0 }, SIGSYS, true },
    { "Landlock alone denies signals",
      is_refused_to_signal,
      { .on_violation = SANDBOX_LOG },
      0,
      false },
    { "no tracing", traces, { 0 }, SIGSYS, true },
    { "no programs in the kernel", attaches_a_kernel_program, { 0 }, SIGSYS, false },
    { "a broken invariant ends as such", aborts, { 0 }, SIGABRT, false },
    { "connections are taken", takes_a_connection, { .calls = SANDBOX_ACCEPT }, 0, false },
    { "acceptance is a right", takes_a_connection, { 0 }, SIGSYS, false },
    { "a client connects", connects_from_an_address, { .calls = SANDBOX_CONNECT }, 0, false },
    { "a client's port is the kernel's",
      binds_a_port_of_its_own,
      { .calls = SANDBOX_CONNECT },
      0,
      false },
    { "a resolver asks", asks_by_datagram, { .calls = SANDBOX_DATAGRAM }, 0, false },
    { "the store keeps files",
      keeps_files,
      { .calls = SANDBOX_FILES, .paths = depot_paths, .path_count = 2 },
      0,
      false },
    { "the store keeps a database",
      keeps_a_database,
      { .calls = SANDBOX_FILES | SANDBOX_THREADS,
        .paths = depot_paths,
        .path_count = 2,
        .data_bytes_max = 64 << 20 },
      0,
      false },
    { "threads start", starts_threads, { .calls = SANDBOX_THREADS }, 0, false },
    { "threads are a right", starts_threads, { 0 }, SIGSYS, true },
    { "passwords are hashed", hashes_passwords, { .calls = SANDBOX_THREADS }, 0, false },
    { "limits hold",
      meets_its_limits,
      { .files_max = 40, .data_bytes_max = 32 << 20, .address_bytes_max = 1 << 30 },
      0,
      false },
    { "the environment is gone", has_no_environment, { 0 }, 0, false },
    { "a softer filter fails the call", forks, { .on_violation = SANDBOX_FAIL }, 0, false },
};

_Noreturn static void child(const struct sandbox *box, int (*try)(void))
{
    static const int caught[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
    struct buf missing = BUF_INIT(500);
    /* cmocka would turn these into a failed test and go on with its list, in the child. */
    for (size_t i = 0; i < UNIT_COUNT(caught); i++) {
        signal(caught[i], SIG_DFL);
    }
    setenv("LEFT", "over", 1);
    enum err e = sandbox_enter(box, &missing);
    buf_free(&missing);
    if (e != OK) _exit(100 + (int)e);
    _exit(try());
}

static void run_cases(bool as_nobody)
{
    remove_in_own();
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        if (cases[i].plain_only && SANDBOX_SANITIZED) continue;
        unit_case(cases[i].name);
        int visitor = -1, status;
        if (cases[i].try == takes_a_connection) {
            assert_int_equal(net_connect(&listener_addr, NULL, &visitor), OK);
        }
        pid_t pid = fork();
        if (pid == 0) {
            if (as_nobody && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                              setresuid(NOBODY, NOBODY, NOBODY) != 0)) {
                _exit(99);
            }
            child(&cases[i].box, cases[i].try);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (visitor >= 0) close(visitor);
        assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, cases[i].signal);
        if (cases[i].signal == 0) assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void locked_in(void **state)
{
    (void)state;
    run_cases(false);
}

static void locked_in_as_an_ordinary_user(void **state)
{
    (void)state;
    if (geteuid() != 0) skip();
    run_cases(true);
}

/* ---- what the kernel says about a locked process ---- */

static int waits_for_the_parent(void)
{
    char c;
    return write(report[1], "x", 1) == 1 && read(report[1], &c, 1) == 1 ? 0 : 1;
}

static void assert_status_line(struct str status, struct str line)
{
    if (str_find_str(status, line) == STR_NOWHERE) {
        print_message("missing: %.*s\n", (int)line.n, line.p);
        fail();
    }
}

static void the_user_changes(void **state)
{
    struct sandbox box = { .change_user = true, .uid = NOBODY, .gid = NOBODY };
    struct buf b = BUF_INIT(16384);
    char path[64];
    char c;
    int end;
    (void)state;
    if (geteuid() != 0) skip();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, report), 0);
    pid_t pid = fork();
    if (pid == 0) child(&box, waits_for_the_parent);
    assert_int_equal(read(report[0], &c, 1), 1);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, buf_reserve(&b, 8192), 8192);
    assert_true(got > 0);
    buf_commit(&b, (size_t)got);
    close(fd);
    assert_status_line(buf_str(&b), STR("Uid:\t65534\t65534\t65534\t65534\n"));
    assert_status_line(buf_str(&b), STR("Gid:\t65534\t65534\t65534\t65534\n"));
    assert_status_line(buf_str(&b), STR("\nGroups:\t \n"));
    assert_status_line(buf_str(&b), STR("CapPrm:\t0000000000000000\n"));
    assert_status_line(buf_str(&b), STR("CapEff:\t0000000000000000\n"));
    assert_status_line(buf_str(&b), STR("CapBnd:\t0000000000000000\n"));
    assert_status_line(buf_str(&b), STR("NoNewPrivs:\t1\n"));
    assert_status_line(buf_str(&b), STR("Seccomp:\t2\n"));
    assert_status_line(buf_str(&b), STR("Umask:\t0077\n"));
    assert_int_equal(write(report[0], "x", 1), 1);
    assert_int_equal(waitpid(pid, &end, 0), pid);
    assert_int_equal(end, 0);
    close(report[0]);
    close(report[1]);
    buf_free(&b);
}

static void what_is_missing_is_told(void **state)
{
    static const struct sandbox_path nowhere = { "/nowhere/at/all", SANDBOX_READ };
    struct sandbox box = { .paths = &nowhere, .path_count = 1, .calls = SANDBOX_FILES };
    struct buf missing = BUF_INIT(500);
    int status;
    (void)state;

    unit_case("a path that is not there");
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = sandbox_enter(&box, &missing) == ERR_NOT_FOUND &&
                  str_find_str(buf_str(&missing), STR(" /nowhere/at/all")) != STR_NOWHERE;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    unit_case("no privilege to change the user");
    pid = fork();
    if (pid == 0) {
        box = (struct sandbox){ .change_user = true, .uid = 12345, .gid = 12345 };
        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) _exit(2);
        bool ok = sandbox_enter(&box, &missing) == OK &&
                  str_find_str(buf_str(&missing), STR(" user")) != STR_NOWHERE;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    unit_case("a limit above what we may have");
    pid = fork();
    if (pid == 0) {
        struct rlimit low = { 30, 30 };
        box = (struct sandbox){ .files_max = 50 };
        if (setrlimit(RLIMIT_NOFILE, &low) != 0) _exit(2);
        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) _exit(3);
        bool ok = sandbox_enter(&box, &missing) == OK &&
                  str_find_str(buf_str(&missing), STR(" limit-files")) != STR_NOWHERE;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    buf_free(&missing);
}

static int set_up(void **state)
{
    struct net_listen want = { 0 };
    (void)state;
    if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0) return 1;
    snprintf(own, sizeof own, "%s/own", folder);
    snprintf(shown, sizeof shown, "%s/shown", folder);
    close(open(shown, O_CREAT | O_WRONLY, 0644));
    if (mkdir(own, 0700) != 0 || chmod(own, 01777) != 0) return 1;
    if (net_parse(STR("127.0.0.1:0"), &want.addr) != OK) return 1;
    if (net_listen(&want, &listener) != OK) return 1;
    return net_local(listener, &listener_addr) == OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    remove_in_own();
    remove(own);
    remove(shown);
    remove(folder);
    close(listener);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_in),
        cmocka_unit_test(locked_in_as_an_ordinary_user),
        cmocka_unit_test(the_user_changes),
        cmocka_unit_test(what_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
