#include "base/unit.h"

#include "base/must.h"
#include "door/door.h"
#include "sys/channel.h"

#include <fcntl.h>
#include <unistd.h>

static struct door *edge_end, *filter_end;
static size_t closed;

/* The filter's side: answers after a nap for odd ids, so that answers overtake each other. */
static enum err serve_route(void *ctx, struct door_request *r)
{
    struct route_rcpt_req in;
    (void)ctx;
    if (route_rcpt_req_get(r->bytes, &r->arena, &in) != OK) return ERR_PROTOCOL;
    if (in.size % 2 == 1) err_ignore(fiber_sleep(10)); /* nobody cancels */
    if (in.size == 99) err_ignore(fiber_sleep(200));
    struct route_rcpt_rep out = { .outcome = outcome_of(in.size == 4 ? "unknown-recipient" : "ok"),
                                  .address = in.address,
                                  .leads_to = STR("mailbox") };
    route_rcpt_rep_put(&r->reply, &out);
    return in.size == 6 ? ERR_NOT_FOUND : OK;
}

static enum err serve_expand(void *ctx, struct door_request *r)
{
    char c = 0;
    (void)ctx;
    if (r->fd < 0 || read(r->fd, &c, 1) != 1 || c != 'q') return ERR_INVALID;
    int fds[2];
    must(pipe2(fds, O_CLOEXEC) == 0 && write(fds[1], "a", 1) == 1);
    close(fds[1]);
    r->reply_fd = fds[0];
    return OK;
}

/* More than the verb may answer. */
static enum err serve_too_much(void *ctx, struct door_request *r)
{
    (void)ctx;
    for (int i = 0; i <= VERB_SMALL / 8; i++) {
        buf_put_lit(&r->reply, "too much");
    }
    return OK;
}

static const struct door_service filter_services[] = { { VERB_sender_check, serve_too_much },
                                                       { VERB_route_rcpt, serve_route },
                                                       { VERB_address_expand, serve_expand },
                                                       { VERB_NONE, NULL } };

/* Let what is still being served come to its end. */
static void linger(void *arg)
{
    (void)arg;
    while (fiber_count() > 1) {
        err_ignore(fiber_sleep(5));
    }
    loop_stop();
}

static void on_close(void *ctx, struct door *d)
{
    (void)ctx;
    if (d == edge_end) edge_end = NULL;
    if (d == filter_end) filter_end = NULL;
    if (++closed == 2) fiber_spawn("linger", linger, NULL);
}

static void open_pair(void)
{
    int fds[2];
    loop_init();
    closed = 0;
    assert_int_equal(channel_pair(fds), OK);
    assert_int_equal(door_open(fds[0],
                               &(struct door_settings){
                                   .us = ROLE_EDGE, .peer = ROLE_FILTER, .on_close = on_close },
                               &edge_end),
                     OK);
    assert_int_equal(door_open(fds[1],
                               &(struct door_settings){ .us = ROLE_FILTER,
                                                        .peer = ROLE_EDGE,
                                                        .services = filter_services,
                                                        .on_close = on_close },
                               &filter_end),
                     OK);
}

static void finish(void)
{
    struct door *d = edge_end;
    door_close(&d);
}

static size_t answered, wrong;
enum { ASKERS = 200 };

static void ask(void *arg)
{
    uint64_t n = *(uint64_t *)arg;
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply = STR_NONE;
    struct route_rcpt_req in = { .address = STR("a@b"), .size = n };
    struct route_rcpt_rep out;
    route_rcpt_req_put(&b, &in);
    enum err e = door_call(edge_end, VERB_route_rcpt, buf_str(&b), 5000, &a, &reply);
    if (e != (n == 6 ? ERR_NOT_FOUND : OK) || route_rcpt_rep_get(reply, &a, &out) != OK ||
        out.outcome.code != (n == 4 ? 550 : 250) || !str_eq(out.address, STR("a@b"))) {
        wrong++;
    }
    buf_free(&b);
    arena_free(&a);
    if (++answered == ASKERS) finish();
}

static void many_calls_at_once(void **state)
{
    static uint64_t n[ASKERS];
    (void)state;
    open_pair();
    answered = wrong = 0;
    for (size_t i = 0; i < ASKERS; i++) {
        n[i] = i == 99 ? 101 : i;
        fiber_spawn("ask", ask, &n[i]);
    }
    loop_run();
    assert_int_equal(answered, ASKERS);
    assert_int_equal(wrong, 0);
}

static void ask_with_fd(void *arg)
{
    int fds[2], got = -1;
    char c = 0;
    (void)arg;
    must(pipe2(fds, O_CLOEXEC) == 0 && write(fds[1], "q", 1) == 1);
    close(fds[1]);
    enum err e =
        door_call_fd(edge_end, VERB_address_expand, STR(""), fds[0], 1000, NULL, NULL, &got);
    if (e != OK || got < 0 || read(got, &c, 1) != 1 || c != 'a') wrong++;
    if (got >= 0) close(got);
    finish();
}

static void descriptors_travel_both_ways(void **state)
{
    (void)state;
    open_pair();
    wrong = 0;
    fiber_spawn("ask", ask_with_fd, NULL);
    loop_run();
    assert_int_equal(wrong, 0);
}

static void ask_impatiently(void *arg)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct route_rcpt_req in = { .size = 99 };
    (void)arg;
    route_rcpt_req_put(&b, &in);
    if (door_call(edge_end, VERB_route_rcpt, buf_str(&b), 20, NULL, NULL) != ERR_TIMEOUT) wrong++;
    finish(); /* while the other side is still serving */
    buf_free(&b);
}

static void a_call_can_time_out(void **state)
{
    (void)state;
    open_pair();
    wrong = 0;
    fiber_spawn("ask", ask_impatiently, NULL);
    loop_run();
    assert_int_equal(wrong, 0);
}

static void ask_what_is_forbidden(void *arg)
{
    (void)arg;
    /* intake_commit is for the filter to ask the depot. */
    if (door_call(edge_end, VERB_intake_commit, STR("x"), 1000, NULL, NULL) != ERR_CLOSED) wrong++;
}

static void a_forbidden_verb_ends_the_door(void **state)
{
    (void)state;
    open_pair();
    wrong = 0;
    fiber_spawn("ask", ask_what_is_forbidden, NULL);
    loop_run();
    assert_int_equal(wrong, 0);
    assert_int_equal(closed, 2);
}

static struct links links;

static void pick_late(void *arg)
{
    struct door *d = NULL;
    (void)arg;
    if (links_pick(&links, 10, &d) != ERR_UNAVAILABLE) wrong++;
    if (links_pick(&links, 2000, &d) != OK || d != edge_end) wrong++;
    finish();
}

static void arrive(void *arg)
{
    (void)arg;
    err_ignore(fiber_sleep(30));
    links_put(&links, edge_end);
}

static void a_link_is_waited_for(void **state)
{
    (void)state;
    open_pair();
    links_init(&links);
    wrong = 0;
    fiber_spawn("pick", pick_late, NULL);
    fiber_spawn("arrive", arrive, NULL);
    loop_run();
    assert_int_equal(wrong, 0);
}

static void every_verb_has_limits_and_callers(void **state)
{
    (void)state;
    for (unsigned v = VERB_NONE + 1; v < VERB_COUNT; v++) {
        const struct verb_row *r = verb_row((enum verb)v);
        unit_case(r->name);
        assert_true(r->callers != 0 && r->request_max > 0 && r->reply_max > 0 && r->doc[0] != 0);
    }
}

static enum err too_much_answered, too_much_asked, after_it, gone;
static int fd_seen;

static void ask_too_much(void *arg)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_SMALL + 1);
    (void)arg;
    too_much_answered =
        door_call(edge_end, VERB_sender_check, STR_NONE, 2000, &a, &(struct str){ 0 });
    must(buf_reserve(&b, VERB_SMALL + 1) != NULL);
    memset(b.p, 'x', VERB_SMALL + 1);
    buf_commit(&b, VERB_SMALL + 1);
    too_much_asked = door_call(edge_end, VERB_sender_check, buf_str(&b), 2000, NULL, NULL);
    must(door_tell(edge_end, VERB_refusal_note, buf_str(&b)) == ERR_LIMIT);
    buf_free(&b);
    after_it = door_call(edge_end, VERB_sender_check, STR_NONE, 2000, NULL, NULL);
    struct door *d = edge_end;
    finish();
    fd_seen = 0;
    gone = door_call_fd(d, VERB_sender_check, STR_NONE, -1, 2000, NULL, NULL, &fd_seen);
    arena_free(&a);
}

static void what_is_too_long_is_an_error_and_the_link_stays(void **state)
{
    (void)state;
    open_pair();
    fiber_spawn("ask", ask_too_much, NULL);
    loop_run();
    assert_int_equal(too_much_answered, ERR_LIMIT);
    assert_int_equal(too_much_asked, ERR_LIMIT);
    assert_int_equal(after_it, ERR_LIMIT); /* the link is still there */
    assert_int_equal(gone, ERR_CLOSED);
    assert_int_equal(fd_seen, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_calls_at_once),
        cmocka_unit_test(descriptors_travel_both_ways),
        cmocka_unit_test(a_call_can_time_out),
        cmocka_unit_test(a_forbidden_verb_ends_the_door),
        cmocka_unit_test(a_link_is_waited_for),
        cmocka_unit_test(every_verb_has_limits_and_callers),
        cmocka_unit_test(what_is_too_long_is_an_error_and_the_link_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
