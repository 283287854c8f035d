#include "base/unit.h"
#include "base/buf.h"
#include "sys/net.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *name;
        struct str in, want;
        enum err e;
    } cases[] = {
        { "IPv4", STR_INIT("127.0.0.1:25"), STR_INIT("127.0.0.1:25"), OK },
        { "IPv6", STR_INIT("[::1]:25"), STR_INIT("[::1]:25"), OK },
        { "IPv6 long form", STR_INIT("[2001:DB8:0:0:0:0:0:1]:587"), STR_INIT("[2001:db8::1]:587"),
          OK },
        { "mapped IPv4", STR_INIT("[::ffff:10.0.0.1]:1"), STR_INIT("10.0.0.1:1"), OK },
        { "scope by number", STR_INIT("[fe80::1%7]:25"), STR_INIT("[fe80::1%7]:25"), OK },
        { "scope by name", STR_INIT("[fe80::1%lo]:25"), STR_INIT("[fe80::1%1]:25"), OK },
        { "any port", STR_INIT("0.0.0.0:0"), STR_INIT("0.0.0.0:0"), OK },
        { "path", STR_INIT("unix:/run/x y.sock"), STR_INIT("unix:/run/x y.sock"), OK },
        { "no port", STR_INIT("127.0.0.1"), STR_NONE, ERR_SYNTAX },
        { "empty port", STR_INIT("127.0.0.1:"), STR_NONE, ERR_SYNTAX },
        { "port too high", STR_INIT("127.0.0.1:65536"), STR_NONE, ERR_RANGE },
        { "IPv6 without brackets", STR_INIT("::1:25"), STR_NONE, ERR_SYNTAX },
        { "IPv4 in brackets", STR_INIT("[127.0.0.1]:25"), STR_NONE, ERR_SYNTAX },
        { "octal", STR_INIT("127.0.0.01:25"), STR_NONE, ERR_SYNTAX },
        { "short", STR_INIT("127.1:25"), STR_NONE, ERR_SYNTAX },
        { "a name", STR_INIT("localhost:25"), STR_NONE, ERR_SYNTAX },
        { "NUL", STR_INIT("127.0.0.1\0:25"), STR_NONE, ERR_SYNTAX },
        { "no such interface", STR_INIT("[fe80::1%nosuch]:25"), STR_NONE, ERR_NOT_FOUND },
        { "relative path", STR_INIT("unix:run/x"), STR_NONE, ERR_SYNTAX },
        { "empty", STR_INIT(""), STR_NONE, ERR_SYNTAX },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct net_addr addr;
        struct buf b = BUF_INIT(200);
        unit_case(cases[i].name);
        enum err e = net_parse(cases[i].in, &addr);
        assert_int_equal(e, cases[i].e);
        if (e == OK) net_put(&b, &addr);
        assert_str(buf_str(&b), cases[i].want);
        buf_free(&b);
    }
}

static void a_path_has_a_longest(void **state)
{
    struct net_addr addr;
    struct buf b = BUF_INIT(200);
    (void)state;
    buf_put_lit(&b, "unix:/");
    while (b.n < 5 + NET_PATH_MAX) {
        buf_put_byte(&b, 'x');
    }
    assert_int_equal(net_parse(buf_str(&b), &addr), OK);
    buf_put_byte(&b, 'x');
    assert_int_equal(net_parse(buf_str(&b), &addr), ERR_RANGE);
    buf_free(&b);
}

static void ranges_hold_addresses(void **state)
{
    static const struct {
        const char *name;
        struct str range, ip;
        enum err e;
        bool has;
    } cases[] = {
        { "inside", STR_INIT("10.0.0.0/8"), STR_INIT("10.255.0.1"), OK, true },
        { "outside", STR_INIT("10.0.0.0/8"), STR_INIT("11.0.0.0"), OK, false },
        { "odd bits", STR_INIT("192.0.2.128/25"), STR_INIT("192.0.2.129"), OK, true },
        { "odd bits outside", STR_INIT("192.0.2.128/25"), STR_INIT("192.0.2.127"), OK, false },
        { "everything", STR_INIT("0.0.0.0/0"), STR_INIT("8.8.8.8"), OK, true },
        { "one", STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1"), OK, true },
        { "IPv6", STR_INIT("2001:db8::/33"), STR_INIT("2001:db8:7fff::1"), OK, true },
        { "IPv6 outside", STR_INIT("2001:db8::/33"), STR_INIT("2001:db8:8000::1"), OK, false },
        { "mapped is IPv4", STR_INIT("10.0.0.0/8"), STR_INIT("::ffff:10.1.1.1"), OK, true },
        { "IPv6 is not IPv4", STR_INIT("0.0.0.0/0"), STR_INIT("::1"), OK, false },
        { "host bits", STR_INIT("10.0.0.1/8"), STR_INIT("::1"), ERR_INVALID, false },
        { "too many bits", STR_INIT("10.0.0.0/33"), STR_INIT("::1"), ERR_RANGE, false },
        { "no bits", STR_INIT("10.0.0.0/"), STR_INIT("::1"), ERR_SYNTAX, false },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct net_range range;
        struct net_addr addr;
        unit_case(cases[i].name);
        assert_int_equal(net_parse_ip(cases[i].ip, &addr), OK);
        enum err e = net_range_parse(cases[i].range, &range);
        assert_int_equal(e, cases[i].e);
        if (e == OK) assert_int_equal(net_range_has(&range, &addr), cases[i].has);
    }
}

static void networks_and_loopback(void **state)
{
    struct net_addr a, b;
    (void)state;
    assert_int_equal(net_parse(STR("192.0.2.77:25"), &a), OK);
    assert_int_equal(net_parse_ip(STR("192.0.2.0"), &b), OK);
    struct net_addr net = net_network(&a, 24, 64);
    assert_true(net_eq(&net, &b));
    assert_false(net_is_loopback(&a));
    assert_int_equal(net_parse(STR("127.9.9.9:25"), &a), OK);
    assert_true(net_is_loopback(&a));
    assert_int_equal(net_parse(STR("[::1]:25"), &a), OK);
    assert_true(net_is_loopback(&a));
}

static void wait_for(int fd, short what)
{
    struct pollfd p = { .fd = fd, .events = what };
    assert_int_equal(poll(&p, 1, 5000), 1);
}

static void a_connection(struct str at, const struct net_addr *from)
{
    struct net_listen want = { .backlog = 5 };
    struct net_addr here, peer, seen;
    int listener, client, server;

    assert_int_equal(net_parse(at, &want.addr), OK);
    assert_int_equal(net_listen(&want, &listener), OK);
    assert_true((fcntl(listener, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(net_accept(listener, &server, &peer), ERR_AGAIN);
    here = want.addr;
    if (here.kind != NET_UNIX) {
        assert_int_equal(net_local(listener, &here), OK);
        assert_true(here.port != 0);
    }
    assert_int_equal(net_connect(&here, from, &client), OK);
    wait_for(client, POLLOUT);
    assert_int_equal(net_connect_result(client), OK);
    wait_for(listener, POLLIN);
    assert_int_equal(net_accept(listener, &server, &peer), OK);
    assert_int_equal(peer.kind, here.kind);
    assert_true((fcntl(server, F_GETFL) & O_NONBLOCK) != 0);
    if (from != NULL) assert_true(net_eq_ip(&peer, from));
    assert_int_equal(net_local(client, &seen), OK);
    if (here.kind != NET_UNIX) {
        assert_true(net_eq(&seen, &peer));
        assert_int_equal(net_peer(client, &seen), OK);
        assert_true(net_eq(&seen, &here));
        assert_int_equal(net_set_nodelay(server), OK);
        assert_int_equal(net_set_keepalive(server, 60, 10, 3), OK);
    } else {
        assert_int_equal(net_set_nodelay(server), ERR_UNSUPPORTED);
    }
    close(client);
    close(server);
    close(listener);
    net_unlisten(&want.addr);
}

static void tcp_connects(void **state)
{
    struct net_addr from;
    (void)state;
    a_connection(STR("127.0.0.1:0"), NULL);
    assert_int_equal(net_parse_ip(STR("127.0.3.7"), &from), OK);
    a_connection(STR("127.0.0.1:0"), &from);
    if (access("/proc/net/if_inet6", F_OK) == 0) a_connection(STR("[::1]:0"), NULL);
}

static void errors_have_names(void **state)
{
    struct net_listen want = { 0 };
    struct net_addr here;
    int fd, second;
    (void)state;
    assert_int_equal(net_parse(STR("127.0.0.1:0"), &want.addr), OK);
    assert_int_equal(net_listen(&want, &fd), OK);
    assert_int_equal(net_local(fd, &here), OK);
    unit_case("somebody listens there");
    want.addr = here;
    assert_int_equal(net_listen(&want, &second), ERR_BUSY);
    close(fd);
    unit_case("nobody listens any more");
    assert_int_equal(net_connect(&here, NULL, &fd), OK);
    wait_for(fd, POLLOUT);
    assert_int_equal(net_connect_result(fd), ERR_UNAVAILABLE);
    close(fd);
    unit_case("not an address of ours");
    assert_int_equal(net_parse(STR("192.0.2.1:25"), &want.addr), OK);
    assert_int_equal(net_listen(&want, &fd), ERR_NOT_FOUND);
    unit_case("source of another family");
    assert_int_equal(net_parse_ip(STR("::1"), &want.addr), OK);
    assert_int_equal(net_connect(&here, &want.addr, &fd), ERR_INVALID);
}

static struct str path_in(struct buf *b, const char *folder, const char *name)
{
    buf_clear(b);
    buf_put_lit(b, "unix:");
    buf_put(b, str_c(folder));
    buf_put_byte(b, '/');
    buf_put(b, str_c(name));
    buf_put_byte(b, '\0'); /* for the kernel calls of the test */
    return str_of(b->p, b->n - 1);
}

static void unix_sockets(void **state)
{
    char folder[] = "/tmp/net_test.XXXXXX";
    struct buf b = BUF_INIT(200);
    struct net_listen want = { .unix_mode = 0660 };
    struct net_cred cred;
    struct stat st;
    int fd, second;
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct str at = path_in(&b, folder, "s");
    const char *path = b.p + 5;

    a_connection(at, NULL);
    assert_int_not_equal(lstat(path, &st), 0);
    assert_int_equal(net_parse(at, &want.addr), OK);
    unit_case("rights are as asked, whatever the umask");
    mode_t old = umask(077);
    assert_int_equal(net_listen(&want, &fd), OK);
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    unit_case("a live socket stays");
    assert_int_equal(net_listen(&want, &second), ERR_BUSY);
    unit_case("a dead one goes");
    close(fd);
    want.unix_chown = true;
    want.unix_uid = getuid();
    want.unix_gid = getgid();
    assert_int_equal(net_listen(&want, &fd), OK);
    close(fd);
    unit_case("a file stays");
    unlink(path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(net_listen(&want, &fd), ERR_EXISTS);
    net_unlisten(&want.addr);
    assert_int_equal(unlink(path), 0);
    unit_case("a link is not followed");
    assert_int_equal(symlink("/tmp/nowhere", path), 0);
    assert_int_equal(net_listen(&want, &fd), ERR_EXISTS);
    unlink(path);
    rmdir(folder);
    unit_case("no folder");
    assert_int_equal(net_listen(&want, &fd), ERR_NOT_FOUND);

    unit_case("a pair knows who made it");
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(net_peer_cred(pair[0], &cred), OK);
    assert_int_equal(cred.pid, getpid());
    assert_int_equal(cred.uid, getuid());
    close(pair[0]);
    close(pair[1]);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(a_path_has_a_longest),
        cmocka_unit_test(ranges_hold_addresses),
        cmocka_unit_test(networks_and_loopback),
        cmocka_unit_test(tcp_connects),
        cmocka_unit_test(errors_have_names),
        cmocka_unit_test(unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
