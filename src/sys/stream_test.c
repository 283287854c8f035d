#include "base/unit.h"

#include "base/must.h"
#include "sys/stream.h"
#include "sys/tls.h"
#include "sys/tls_selfsigned.h"

#include <sys/socket.h>
#include <unistd.h>

/* A stream at one end of a socketpair; the test's own hand at the other. */
static struct stream near;
static int far = -1;

static void open_near(void)
{
    int fds[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    must(stream_open(&near, fds[0]) == OK);
    far = fds[1];
}

static void close_far(void)
{
    if (far >= 0) close(far);
    far = -1;
}

static void say(struct str s)
{
    must(send(far, s.p, s.n, MSG_NOSIGNAL) == (ssize_t)s.n);
}

static void run(fiber_fn fn)
{
    loop_init();
    fiber_spawn("test", fn, NULL);
    loop_run();
}

static void finish(void)
{
    close_far();
    stream_close(&near);
    loop_stop();
}

/* ---- lines ---- */

enum { LINE_MAX_HERE = 12, READS_MAX = 4 };

static const struct line_row {
    const char *name;
    struct str sent;
    struct {
        enum err err;
        struct str line;
    } reads[READS_MAX];
} line_rows[] = {
    { "one line", STR_INIT("EHLO a\r\n"), { { OK, STR_INIT("EHLO a") }, { ERR_CLOSED } } },
    { "two at once",
      STR_INIT("one\r\ntwo\r\n"),
      { { OK, STR_INIT("one") }, { OK, STR_INIT("two") }, { ERR_CLOSED } } },
    { "an empty one", STR_INIT("\r\n"), { { OK, STR_INIT("") }, { ERR_CLOSED } } },
    { "without its end", STR_INIT("QUIT"), { { ERR_CLOSED } } },
    { "with half of its end", STR_INIT("QUIT\r"), { { ERR_CLOSED } } },
    { "bare LF",
      STR_INIT("one\ntwo\r\n"),
      { { ERR_SYNTAX, STR_INIT("one") }, { OK, STR_INIT("two") }, { ERR_CLOSED } } },
    { "bare CR", STR_INIT("on\re\r\n"), { { ERR_SYNTAX, STR_INIT("on\re") }, { ERR_CLOSED } } },
    { "CR CR LF", STR_INIT("on\r\r\n"), { { ERR_SYNTAX, STR_INIT("on\r") }, { ERR_CLOSED } } },
    { "NUL is a byte like others",
      STR_INIT("a\0b\r\n"),
      { { OK, STR_INIT("a\0b") }, { ERR_CLOSED } } },
    { "as long as it may be",
      STR_INIT("0123456789\r\n"),
      { { OK, STR_INIT("0123456789") }, { ERR_CLOSED } } },
    { "one octet more",
      STR_INIT("0123456789a\r\nx\r\n"),
      { { ERR_LIMIT }, { OK, STR_INIT("x") }, { ERR_CLOSED } } },
    { "much more",
      STR_INIT("0123456789abcdef0123456789abcdef\r\nx\r\n"),
      { { ERR_LIMIT }, { OK, STR_INIT("x") }, { ERR_CLOSED } } },
};

static size_t drip_bytes; /* what arrives at once; 0: all */
static size_t wrong;

static void drip_life(void *arg)
{
    const struct line_row *row = arg;
    size_t step = drip_bytes > 0 ? drip_bytes : row->sent.n;
    for (size_t at = 0; at < row->sent.n; at += step) {
        say(str_part(row->sent, at, step));
        fiber_yield();
    }
    close_far();
}

static void lines_life(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < UNIT_COUNT(line_rows); i++) {
        const struct line_row *row = &line_rows[i];
        open_near();
        fiber_spawn("drip", drip_life, (void *)(uintptr_t)row);
        for (size_t k = 0; k < READS_MAX; k++) {
            struct str line;
            enum err e = stream_read_line(&near, LINE_MAX_HERE, 2000, &line);
            bool good =
                e == row->reads[k].err && (e == ERR_CLOSED || str_eq(line, row->reads[k].line));
            if (!good) {
                print_message("  case: %s, read %zu: %s\n", row->name, k, err_name(e));
                wrong++;
            }
            if (e == ERR_CLOSED) break;
        }
        while (far >= 0) {
            fiber_yield();
        }
        stream_close(&near);
    }
    finish();
}

static void lines_end_in_crlf_and_nothing_else(void **state)
{
    (void)state;
    for (drip_bytes = 0; drip_bytes < 4; drip_bytes++) {
        wrong = 0;
        run(lines_life);
        assert_int_equal(wrong, 0);
    }
}

/* ---- time ---- */

static enum err slow_end;
static int64_t slow_took_ms;
static bool slow_goes_on;

static void slow_life(void *arg)
{
    (void)arg;
    for (int i = 0; slow_goes_on && i < 200; i++) {
        say(STR("x"));
        err_ignore(fiber_sleep(10)); /* nobody cancels */
    }
    close_far();
}

static void wait_for_slow(void *arg)
{
    struct str line;
    (void)arg;
    open_near();
    slow_goes_on = true;
    fiber_spawn("slow", slow_life, NULL);
    int64_t begun = clock_now();
    slow_end = stream_read_line(&near, 1000, 100, &line);
    slow_took_ms = clock_now() - begun;
    slow_goes_on = false;
    while (far >= 0) {
        err_ignore(fiber_sleep(5));
    }
    finish();
}

static void a_line_in_drops_has_one_deadline(void **state)
{
    (void)state;
    run(wait_for_slow);
    assert_int_equal(slow_end, ERR_TIMEOUT);
    assert_in_range(slow_took_ms, 90, 1500);
}

static void flood_life(void *arg)
{
    static const char zeros[32 * 1024];
    (void)arg;
    int64_t until = clock_deadline(3000);
    while (slow_goes_on && clock_now() < until) {
        if (send(far, zeros, sizeof zeros, MSG_NOSIGNAL) < 0) fiber_yield();
    }
    close_far();
}

static void wait_for_flood(void *arg)
{
    struct str line;
    (void)arg;
    open_near();
    slow_goes_on = true;
    fiber_spawn("flood", flood_life, NULL);
    int64_t begun = clock_now();
    slow_end = stream_read_line(&near, 1000, 100, &line);
    slow_took_ms = clock_now() - begun;
    slow_goes_on = false;
    while (far >= 0) {
        fiber_yield();
    }
    finish();
}

static void a_line_without_end_has_a_deadline_however_fast_it_comes(void **state)
{
    (void)state;
    run(wait_for_flood);
    assert_int_equal(slow_end, ERR_TIMEOUT);
    assert_in_range(slow_took_ms, 90, 2000);
}

/* ---- writing ---- */

static size_t taken;
static enum err big_end, gone_end, over_end, late_end;

static void taker_life(void *arg)
{
    static char bytes[8192];
    (void)arg;
    for (;;) {
        ssize_t n = recv(far, bytes, sizeof bytes, 0);
        if (n == 0) break;
        if (n > 0) taken += (size_t)n;
        err_ignore(fiber_sleep(n > 0 ? 0 : 1)); /* nobody cancels */
    }
    close_far();
}

static void write_big(size_t n)
{
    for (size_t i = 0; i < n; i += 1024) {
        static char kilo[1024];
        stream_write(&near, str_of(kilo, sizeof kilo));
    }
}

static void write_life(void *arg)
{
    (void)arg;
    open_near();
    fiber_spawn("taker", taker_life, NULL);
    write_big(STREAM_OUT_MAX);
    big_end = stream_flush(&near, 5000);
    stream_close(&near);
    while (far >= 0) {
        err_ignore(fiber_sleep(1)); /* nobody cancels */
    }
    open_near(); /* nobody reads */
    write_big(STREAM_OUT_MAX);
    late_end = stream_flush(&near, 50);
    stream_close(&near);
    close_far();
    open_near();
    write_big(STREAM_OUT_MAX + 1024);
    over_end = stream_flush(&near, 50);
    stream_close(&near);
    close_far();
    open_near();
    close_far();
    write_big(STREAM_OUT_MAX);
    gone_end = stream_flush(&near, 50);
    finish();
}

static void writes_wait_for_the_peer_and_not_for_ever(void **state)
{
    (void)state;
    taken = 0;
    run(write_life);
    assert_int_equal(big_end, OK);
    assert_int_equal(taken, STREAM_OUT_MAX);
    assert_int_equal(late_end, ERR_TIMEOUT);
    assert_int_equal(over_end, ERR_LIMIT);
    assert_int_equal(gone_end, ERR_CLOSED);
}

static size_t poll_saw, buffered_after;
static bool had_line_before, had_line_after;

static void poll_life(void *arg)
{
    (void)arg;
    open_near();
    stream_poll(&near);
    poll_saw = stream_buffered(&near);
    had_line_before = stream_has_line(&near);
    say(STR("a\r\nb"));
    stream_poll(&near);
    buffered_after = stream_buffered(&near);
    had_line_after = stream_has_line(&near);
    stream_consume(&near, 4);
    must(near.in_at == 0 && stream_buffered(&near) == 0);
    finish();
}

static void polling_takes_in_without_waiting(void **state)
{
    (void)state;
    run(poll_life);
    assert_int_equal(poll_saw, 0);
    assert_false(had_line_before);
    assert_int_equal(buffered_after, 4);
    assert_true(had_line_after);
}

/* ---- TLS ---- */

static struct tls_config *server, *client;
static struct tls_session *theirs;
static enum err handshake_end, tls_line_end[3], tls_last_end;
static size_t tls_bytes;
static bool tls_line_good[3];

static void configure(void)
{
    static const struct str names[] = { STR_INIT("mail.example.org") };
    struct tls_selfsigned made;
    struct buf why = BUF_INIT(1000);
    must(tls_selfsigned_new(names, 1, 2, &made) == OK);
    struct tls_pair pair = { .cert_pem = buf_str(&made.cert_pem),
                             .key_pem = buf_str(&made.key_pem),
                             .name = STR("made here") };
    must(tls_config_new_server(&(struct tls_server_options){ .pairs = &pair, .pair_count = 1 },
                               &server, &why) == OK);
    must(tls_config_new_client(
             &(struct tls_client_options){ .verify = true, .ca_pem = buf_str(&made.ca_pem) },
             &client, &why) == OK);
    tls_selfsigned_free(&made);
    buf_free(&why);
}

/* Send what the client's session has to say, and take in what has come for it. */
static bool client_turn(void)
{
    struct buf out = BUF_INIT(1 << 20);
    static char in[16 * 1024];
    tls_take_cipher(theirs, &out);
    if (out.n > 0 && send(far, out.p, out.n, MSG_NOSIGNAL) < 0) { /* the server went first */
    }
    buf_free(&out);
    ssize_t n = recv(far, in, sizeof in, 0);
    return n > 0 && tls_put_cipher(theirs, str_of(in, (size_t)n)) == OK;
}

static void tls_client_life(void *arg)
{
    static char clear[64 * 1024];
    bool said = false;
    (void)arg;
    theirs = tls_new_client(client, STR("mail.example.org"));
    for (int idle = 0; idle < 2000;) {
        size_t got = 0;
        idle = client_turn() ? 0 : idle + 1;
        if (tls_handshake(theirs) != OK) {
            fiber_yield();
            continue;
        }
        if (!said) {
            /* Three lines in one record: what is left over must not wait for the network. */
            must(tls_write(theirs, STR("one\r\ntwo\r\nthree\r\n")) == OK);
            said = true;
        }
        enum err e;
        while ((e = tls_read(theirs, clear, sizeof clear, &got)) == OK) {
            tls_bytes += got;
        }
        if (e == ERR_CLOSED) break;
        fiber_yield();
    }
    tls_close_notify(theirs);
    client_turn();
    tls_free(&theirs);
    close_far();
}

static void tls_server_life(void *arg)
{
    static const struct str want[] = { STR_INIT("one"), STR_INIT("two"), STR_INIT("three") };
    struct str line;
    (void)arg;
    open_near();
    fiber_spawn("client", tls_client_life, NULL);
    handshake_end = stream_start_tls(&near, server, &(struct str){ "smtp", 4 }, 3000, NULL);
    for (size_t i = 0; i < 3 && handshake_end == OK; i++) {
        tls_line_end[i] = stream_read_line(&near, 100, 3000, &line);
        tls_line_good[i] = str_eq(line, want[i]);
    }
    write_big(1024 * 1024);
    tls_last_end = stream_flush(&near, 5000);
    stream_close(&near);
    while (far >= 0) {
        fiber_yield();
    }
    loop_stop();
}

static void under_tls_too(void **state)
{
    (void)state;
    configure();
    tls_bytes = 0;
    run(tls_server_life);
    assert_int_equal(handshake_end, OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tls_line_end[i], OK);
        assert_true(tls_line_good[i]);
    }
    assert_int_equal(tls_last_end, OK);
    assert_int_equal(tls_bytes, 1024 * 1024);
    tls_config_free(&server);
    tls_config_free(&client);
}

static enum err silent_end, nonsense_end;

static void no_tls_life(void *arg)
{
    (void)arg;
    open_near();
    silent_end = stream_start_tls(&near, server, &(struct str){ "smtp", 4 }, 50, NULL);
    stream_close(&near);
    close_far();
    open_near();
    say(STR("EHLO this is no handshake\r\n"));
    nonsense_end = stream_start_tls(&near, server, &(struct str){ "smtp", 4 }, 2000, NULL);
    finish();
}

static void a_handshake_that_does_not_come_ends(void **state)
{
    (void)state;
    configure();
    run(no_tls_life);
    assert_int_equal(silent_end, ERR_TIMEOUT);
    assert_int_equal(nonsense_end, ERR_TLS);
    tls_config_free(&server);
    tls_config_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_crlf_and_nothing_else),
        cmocka_unit_test(a_line_in_drops_has_one_deadline),
        cmocka_unit_test(a_line_without_end_has_a_deadline_however_fast_it_comes),
        cmocka_unit_test(writes_wait_for_the_peer_and_not_for_ever),
        cmocka_unit_test(polling_takes_in_without_waiting),
        cmocka_unit_test(under_tls_too),
        cmocka_unit_test(a_handshake_that_does_not_come_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
