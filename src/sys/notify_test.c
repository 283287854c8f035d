#include "base/unit.h"
#include "sys/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager;

static void manager_listens(const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s", name);
    socklen_t n = sizeof at;
    if (name[0] == '@') {
        at.sun_path[0] = '\0';
        n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    }
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&at, n), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void assert_heard(struct str want)
{
    char room[2000];
    ssize_t got = recv(manager, room, sizeof room, MSG_DONTWAIT);
    assert_true(got > 0);
    assert_str(str_of(room, (size_t)got), want);
}

static void says_everything(struct notify *n)
{
    char room[200];
    assert_int_equal(notify_ready(n, STR("3 listeners\nREADY=0")), OK);
    assert_heard(STR("READY=1\nSTATUS=3 listeners READY=0"));
    assert_int_equal(notify_reloading(n), OK);
    ssize_t got = recv(manager, room, sizeof room, MSG_DONTWAIT);
    struct str head = STR("RELOADING=1\nMONOTONIC_USEC=");
    assert_true(got > (ssize_t)head.n);
    assert_true(str_starts(str_of(room, (size_t)got), head));
    uint64_t us;
    assert_int_equal(str_to_u64(str_skip(str_of(room, (size_t)got), head.n), INT64_MAX, &us), OK);
    assert_int_equal(notify_stopping(n), OK);
    assert_heard(STR("STOPPING=1"));
    assert_int_equal(notify_status(n, STR("busy")), OK);
    assert_heard(STR("STATUS=busy"));
    assert_int_equal(notify_alive(n), OK);
    assert_heard(STR("WATCHDOG=1"));
    assert_int_equal(notify_extend(n, 1500), OK);
    assert_heard(STR("EXTEND_TIMEOUT_USEC=1500000"));
}

static void by_path_and_by_abstract_name(void **state)
{
    char folder[] = "/tmp/notify_test.XXXXXX", path[64], name[64];
    struct notify n;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(name, sizeof name, "@%s", folder);
    const char *const both[] = { path, name };
    for (size_t i = 0; i < 2; i++) {
        unit_case(both[i]);
        manager_listens(both[i]);
        setenv("WATCHDOG_USEC", "3000000", 1);
        assert_int_equal(notify_open(&n), OK);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_null(getenv("WATCHDOG_USEC"));
        assert_int_equal(n.watchdog_ms, 1500);
        says_everything(&n);
        notify_close(&n);
        close(manager);
    }
    unlink(path);
    rmdir(folder);
}

static void without_a_manager(void **state)
{
    struct notify n;
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_open(&n), OK);
    assert_int_equal(notify_ready(&n, STR("x")), OK);
    assert_int_equal(n.watchdog_ms, 0);
    notify_close(&n);
}

static void bad_surroundings(void **state)
{
    struct notify n;
    (void)state;
    unit_case("relative name");
    setenv("NOTIFY_SOCKET", "x/y", 1);
    assert_int_equal(notify_open(&n), ERR_INVALID);
    assert_int_equal(notify_alive(&n), OK);
    unit_case("nobody there");
    setenv("NOTIFY_SOCKET", "/nowhere/x", 1);
    assert_int_equal(notify_open(&n), ERR_NOT_FOUND);
    unit_case("the watchdog means another process");
    char name[64];
    snprintf(name, sizeof name, "@notify_test.%ld", (long)getpid());
    manager_listens(name);
    setenv("WATCHDOG_USEC", "3000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_open(&n), OK);
    assert_int_equal(n.watchdog_ms, 0);
    unit_case("a full queue does not hold us up");
    enum err e = OK;
    for (int i = 0; i < 100000 && e == OK; i++) {
        e = notify_alive(&n);
    }
    assert_int_equal(e, ERR_AGAIN);
    notify_close(&n);
    close(manager);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_path_and_by_abstract_name),
        cmocka_unit_test(without_a_manager),
        cmocka_unit_test(bad_surroundings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
