#include "base/unit.h"

#include "base/must.h"
#include "sys/fiber.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* Names that fibers are given. */
static char name_a[] = "a", name_b[] = "b", name_1[] = "1", name_2[] = "2", name_3[] = "3";

static char story[256];
static size_t story_n;

static void tell(char c)
{
    if (story_n + 1 < sizeof story) story[story_n++] = c;
    story[story_n] = 0;
}

static int fresh(void **state)
{
    (void)state;
    story_n = 0;
    story[0] = 0;
    loop_init();
    return 0;
}

static void two_steps(void *arg)
{
    char c = *(const char *)arg;
    tell(c);
    fiber_yield();
    tell((char)(c - 'a' + 'A'));
    if (c == 'b') loop_stop();
}

static void fibers_take_turns(void **state)
{
    (void)state;
    fiber_spawn("a", two_steps, name_a);
    fiber_spawn("b", two_steps, name_b);
    loop_run();
    assert_string_equal(story, "abAB");
}

static struct fiber *sleeper;
static enum err slept;

static void sleep_long(void *arg)
{
    slept = fiber_sleep(*(const int64_t *)arg);
    tell('s');
    loop_stop();
}

static void cancel_it(void *arg)
{
    (void)arg;
    tell('c');
    fiber_cancel(sleeper);
}

static void sleeping_ends_in_time(void **state)
{
    int64_t wait_ms = 20, begin_ms = clock_now();
    (void)state;
    sleeper = fiber_spawn("sleeper", sleep_long, &wait_ms);
    loop_run();
    assert_int_equal(slept, OK);
    assert_true(clock_now() - begin_ms >= 20);
}

static void sleeping_can_be_cancelled(void **state)
{
    int64_t wait_ms = 60000;
    (void)state;
    sleeper = fiber_spawn("sleeper", sleep_long, &wait_ms);
    fiber_spawn("canceller", cancel_it, NULL);
    loop_run();
    assert_int_equal(slept, ERR_CANCELLED);
    assert_string_equal(story, "cs");
}

static int order[300];
static size_t order_n;

static void sleep_then_note(void *arg)
{
    int i = *(int *)arg;
    err_ignore(fiber_sleep(1 + (i * 7) % 50)); /* nobody cancels here */
    order[order_n++] = (i * 7) % 50;
    if (order_n == 300) loop_stop();
}

static void many_timers_fire_in_order(void **state)
{
    static int numbers[300];
    (void)state;
    order_n = 0;
    for (int i = 0; i < 300; i++) {
        numbers[i] = i;
        fiber_spawn("timer", sleep_then_note, &numbers[i]);
    }
    loop_run();
    for (size_t i = 1; i < 300; i++) {
        assert_true(order[i - 1] <= order[i] + 2);
    }
}

static struct watch pipe_in;

static void read_all(void *arg)
{
    char c;
    (void)arg;
    for (;;) {
        ssize_t n = read(pipe_in.fd, &c, 1);
        if (n == 1) {
            tell(c);
        } else if (n == 0) {
            break;
        } else {
            enum err e = watch_wait_read(&pipe_in, clock_deadline(1000));
            if (e != OK) tell('!');
        }
    }
    watch_close(&pipe_in);
    loop_stop();
}

static void write_slowly(void *arg)
{
    int fd = *(int *)arg;
    for (const char *c = "xyz"; *c != 0; c++) {
        must(write(fd, c, 1) == 1);
        err_ignore(fiber_sleep(5));
    }
    close(fd);
}

static void a_descriptor_wakes_its_reader(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(watch_open(&pipe_in, fds[0]), OK);
    fiber_spawn("reader", read_all, NULL);
    fiber_spawn("writer", write_slowly, &fds[1]);
    loop_run();
    assert_string_equal(story, "xyz");
}

static struct waitline line;

static void wait_in_line(void *arg)
{
    enum err e = waitline_wait(&line, clock_deadline(5000));
    tell(e == OK ? *(const char *)arg : '?');
}

static void serve_line(void *arg)
{
    (void)arg;
    fiber_yield();
    waitline_wake_one(&line);
    fiber_yield();
    waitline_wake_all(&line);
    fiber_yield();
    loop_stop();
}

static void a_line_is_served_in_order(void **state)
{
    (void)state;
    waitline_init(&line);
    fiber_spawn("1", wait_in_line, name_1);
    fiber_spawn("2", wait_in_line, name_2);
    fiber_spawn("3", wait_in_line, name_3);
    fiber_spawn("s", serve_line, NULL);
    loop_run();
    assert_string_equal(story, "123");
}

enum { NOTES = 1000 };
static struct loop_note notes[NOTES];
static size_t notes_seen;

static void on_note(struct loop_note *n)
{
    if (n == &notes[notes_seen]) notes_seen++;
    if (notes_seen == NOTES) loop_stop();
}

static void *post_notes(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < NOTES; i++) {
        notes[i].fn = on_note;
        loop_post(&notes[i]);
    }
    return NULL;
}

static void notes_come_from_other_threads_in_order(void **state)
{
    pthread_t t;
    (void)state;
    notes_seen = 0;
    assert_int_equal(pthread_create(&t, NULL, post_notes, NULL), 0);
    loop_run();
    pthread_join(t, NULL);
    assert_int_equal(notes_seen, NOTES);
}

static size_t deep(size_t n)
{
    char block[512];
    memset(block, (int)n, sizeof block);
    __asm__ volatile("" ::"r"(block) : "memory");
    return n == 0 ? 0 : deep(n - 1) + (block[7] == (char)n);
}

static size_t finished;

static void use_stack(void *arg)
{
    (void)arg;
    must(deep(80) == 80);
    fiber_yield();
    must(deep(40) == 40);
    if (++finished == 500) loop_stop();
}

static void many_fibers_keep_their_stacks(void **state)
{
    (void)state;
    finished = 0;
    for (int i = 0; i < 500; i++) {
        fiber_spawn("deep", use_stack, NULL);
    }
    loop_run();
    assert_int_equal(finished, 500);
}

static void spawn_inside(void *arg)
{
    int depth = *(int *)arg;
    static int next[5];
    tell((char)('0' + depth));
    if (depth == 4) {
        loop_stop();
        return;
    }
    next[depth] = depth + 1;
    fiber_spawn("inner", spawn_inside, &next[depth]);
    fiber_yield();
    tell('.');
}

static void a_fiber_may_spawn_fibers(void **state)
{
    int zero = 0;
    (void)state;
    fiber_spawn("outer", spawn_inside, &zero);
    loop_run();
    assert_string_equal(story, "01.2.3.4.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fibers_take_turns, fresh),
        cmocka_unit_test_setup(sleeping_ends_in_time, fresh),
        cmocka_unit_test_setup(sleeping_can_be_cancelled, fresh),
        cmocka_unit_test_setup(many_timers_fire_in_order, fresh),
        cmocka_unit_test_setup(a_descriptor_wakes_its_reader, fresh),
        cmocka_unit_test_setup(a_line_is_served_in_order, fresh),
        cmocka_unit_test_setup(notes_come_from_other_threads_in_order, fresh),
        cmocka_unit_test_setup(many_fibers_keep_their_stacks, fresh),
        cmocka_unit_test_setup(a_fiber_may_spawn_fibers, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
