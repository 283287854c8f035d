#include "base/unit.h"
#include "sys/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what the spawned side does: this same program with a word as first argument ---- */

/* The open descriptors, one letter each at its number's place: "012-4" style. */
static void put_open_fds(struct buf *b)
{
    for (int fd = 0; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            buf_put_u64(b, (uint64_t)fd);
            buf_put_byte(b, ' ');
        }
    }
}

static int child_report(void)
{
    static const int mine[] = { SPAWN_CONTROL_FD, 7 };
    struct buf b = BUF_INIT(4096);
    char name[16] = { 0 };
    sigset_t mask;

    put_open_fds(&b);
    buf_put(&b, spawn_adopt("pr-test-child-with-a-long-name", mine, 2) == OK ? STR("adopted ")
                                                                             : STR("alone "));
    buf_put(&b, (fcntl(7, F_GETFD) & FD_CLOEXEC) != 0 ? STR("cloexec ") : STR("open "));
    prctl(PR_GET_NAME, name, 0, 0, 0);
    buf_put(&b, str_c(name));
    buf_put(&b, getpgrp() == getpid() ? STR(" group") : STR(" nogroup"));
    sigprocmask(SIG_SETMASK, NULL, &mask);
    buf_put(&b, sigismember(&mask, SIGTERM) == 0 ? STR(" unmasked") : STR(" masked"));
    struct sigaction pipe_action;
    sigaction(SIGPIPE, NULL, &pipe_action);
    buf_put(&b, pipe_action.sa_handler == SIG_DFL ? STR(" default") : STR(" ignored"));
    for (char **at = environ; *at != NULL; at++) {
        if (str_find_str(str_c(*at), STR("SAN_OPTIONS=")) != STR_NOWHERE) continue;
        buf_put_byte(&b, ' ');
        buf_put(&b, str_c(*at));
    }
    ssize_t sent = write(7, b.p, b.n);
    buf_free(&b);
    return sent > 0 ? 5 : 6;
}

/* Wait until the control channel closes. */
static int child_wait(void)
{
    char c;
    ssize_t got = read(SPAWN_CONTROL_FD, &c, 1);
    return got == 0 ? 0 : 1;
}

/* ---- the tests ---- */

static int control[2];

static enum err start(const char *word, int report_fd, struct spawn_child *child)
{
    const char *args[] = { "postrider", word, NULL };
    const char *env[] = { "LANG=C", "KEPT=yes", NULL };
    struct spawn_fd fds[] = { { 0, SPAWN_CONTROL_FD }, { report_fd, 7 }, { 2, 2 } };
    struct spawn want = { .args = args, .env = env, .fds = fds, .fd_count = 3 };

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    fds[0].fd = control[1];
    enum err e = spawn_start(&want, child);
    close(control[1]);
    return e;
}

static struct spawn_end wait_end(struct spawn_child *child)
{
    struct spawn_end end = { 0 };
    struct pollfd p = { .fd = child->pidfd, .events = POLLIN };
    assert_int_equal(poll(&p, 1, 20000), 1);
    assert_int_equal(spawn_reap(child, &end), OK);
    assert_int_equal(child->pidfd, -1);
    return end;
}

static void a_child_gets_what_it_is_due(void **state)
{
    struct spawn_child child;
    char room[512];
    int report[2], stray = open("/dev/zero", O_RDONLY); /* would leak if we let it */
    sigset_t term, before;
    (void)state;

    assert_int_equal(pipe(report), 0);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(setenv("SECRET", "1", 1), 0);
    assert_int_equal(start("report", report[1], &child), OK);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    close(report[1]);
    ssize_t got = read(report[0], room, sizeof room);
    assert_true(got > 0);
    assert_str(str_of(room, (size_t)got), STR("0 1 2 3 7 adopted cloexec pr-test-child-w group "
                                              "unmasked default LANG=C KEPT=yes"));
    struct spawn_end end = wait_end(&child);
    assert_false(end.by_signal);
    assert_int_equal(end.code, 5);
    close(report[0]);
    close(stray);
    close(control[0]);
}

static void numbers_may_cross(void **state)
{
    struct spawn_child child;
    const char *args[] = { "postrider", "cross", NULL };
    int a[2], b[2];
    char c;
    (void)state;
    assert_int_equal(pipe2(a, O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_CLOEXEC), 0);
    /* each one's source is the other's target */
    struct spawn_fd fds[] = { { a[1], b[1] }, { b[1], a[1] }, { 2, 2 } };
    struct spawn want = { .args = args, .fds = fds, .fd_count = 3 };
    char number_a[8], number_b[8];
    snprintf(number_a, sizeof number_a, "%d", a[1]);
    snprintf(number_b, sizeof number_b, "%d", b[1]);
    const char *full[] = { "postrider", "cross", number_a, number_b, NULL };
    want.args = full;
    assert_int_equal(spawn_start(&want, &child), OK);
    assert_int_equal(wait_end(&child).code, 0);
    /* the child wrote 'a' to the number of a, which is b's pipe */
    assert_int_equal(read(b[0], &c, 1), 1);
    assert_int_equal(c, 'a');
    assert_int_equal(read(a[0], &c, 1), 1);
    assert_int_equal(c, 'b');
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

static void a_child_ends_with_its_control_channel(void **state)
{
    struct spawn_child child;
    struct spawn_end end;
    (void)state;
    assert_int_equal(start("wait", 2, &child), OK);
    assert_int_equal(spawn_reap(&child, &end), ERR_AGAIN);
    close(control[0]);
    end = wait_end(&child);
    assert_false(end.by_signal);
    assert_int_equal(end.code, 0);
    assert_int_equal(spawn_reap(&child, &end), ERR_NOT_FOUND);
    assert_int_equal(spawn_signal(&child, SIGTERM), ERR_NOT_FOUND);
}

static void a_child_can_be_signalled(void **state)
{
    struct spawn_child child;
    struct buf b = BUF_INIT(100);
    (void)state;
    assert_int_equal(start("wait", 2, &child), OK);
    assert_int_equal(spawn_signal(&child, SIGTERM), OK);
    struct spawn_end end = wait_end(&child);
    assert_true(end.by_signal);
    assert_int_equal(end.code, SIGTERM);
    spawn_end_put(&b, end);
    assert_str(buf_str(&b), STR("signal 15 (Terminated)"));
    buf_clear(&b);
    spawn_end_put(&b, (struct spawn_end){ .code = 3 });
    assert_str(buf_str(&b), STR("exit 3"));
    buf_free(&b);
    close(control[0]);
}

static void failures_come_back(void **state)
{
    const char *args[] = { "x", NULL };
    struct spawn want = { .exe = "/nowhere/x", .args = args };
    struct spawn_child child;
    (void)state;
    assert_int_equal(spawn_start(&want, &child), ERR_NOT_FOUND);
    want.exe = "/etc/passwd";
    assert_int_equal(spawn_start(&want, &child), ERR_DENIED);
}

static int child_main(int argc, char **argv)
{
    struct str word = str_c(argv[1]);
    if (str_eq(word, STR("report"))) return child_report();
    if (str_eq(word, STR("wait"))) return child_wait();
    if (str_eq(word, STR("cross")) && argc == 4) {
        bool ok = write(atoi(argv[2]), "a", 1) == 1 && write(atoi(argv[3]), "b", 1) == 1;
        return ok ? 0 : 1;
    }
    return 9;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gets_what_it_is_due),
        cmocka_unit_test(numbers_may_cross),
        cmocka_unit_test(a_child_ends_with_its_control_channel),
        cmocka_unit_test(a_child_can_be_signalled),
        cmocka_unit_test(failures_come_back),
    };
    if (argc > 1) return child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
