#include "base/unit.h"

#include "base/must.h"
#include "sys/channel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAMES = 3000, BIG = 300 * 1024 };

static struct channel left, right;
static size_t seen, wrong;
static enum err ended;
static char *big;

static void count_frame(void *ctx, struct frame *f)
{
    (void)ctx;
    size_t want = f->id % 100 == 7 ? BIG : f->id % 1000;
    if (f->id != seen || f->verb != 5 || f->bytes.n != want ||
        (want == BIG && memcmp(f->bytes.p, big, BIG) != 0))
        wrong++;
    seen++;
}

static void receiver(void *arg)
{
    (void)arg;
    ended = channel_serve(&right, count_frame, NULL);
    channel_close(&right);
    loop_stop();
}

static void sender(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < FRAMES; i++) {
        struct frame f = {
            .id = i, .verb = 5, .fd = -1, .bytes = str_of(big, i % 100 == 7 ? BIG : i % 1000)
        };
        must(channel_send(&left, &f) == OK);
    }
    while (left.out.n > 0) {
        fiber_yield();
    }
    channel_close(&left);
}

static void open_both(void)
{
    int fds[2];
    loop_init();
    seen = wrong = 0;
    big = realloc(big, BIG);
    memset(big, 'x', BIG);
    assert_int_equal(channel_pair(fds), OK);
    assert_int_equal(channel_open(&left, fds[0]), OK);
    assert_int_equal(channel_open(&right, fds[1]), OK);
}

static void frames_arrive_in_order_and_whole(void **state)
{
    (void)state;
    open_both();
    fiber_spawn("receiver", receiver, NULL);
    fiber_spawn("sender", sender, NULL);
    loop_run();
    assert_int_equal(ended, ERR_CLOSED);
    assert_int_equal(seen, FRAMES);
    assert_int_equal(wrong, 0);
}

static void check_fd(void *ctx, struct frame *f)
{
    char c = 0;
    (void)ctx;
    if (f->id % 2 == 0 ? f->fd >= 0 : f->fd < 0) wrong++;
    if (f->fd >= 0) {
        if (read(f->fd, &c, 1) != 1 || c != (char)f->id) wrong++;
        close(f->fd);
    }
    seen++;
}

static void fd_receiver(void *arg)
{
    (void)arg;
    ended = channel_serve(&right, check_fd, NULL);
    channel_close(&right);
    loop_stop();
}

static void fd_sender(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < 100; i++) {
        int fds[2] = { -1, -1 };
        if (i % 2 == 1) {
            char c = (char)i;
            must(pipe2(fds, O_CLOEXEC) == 0 && write(fds[1], &c, 1) == 1);
            close(fds[1]);
        }
        struct frame f = { .id = i, .fd = fds[0], .bytes = STR("some bytes") };
        must(channel_send(&left, &f) == OK);
    }
    channel_close(&left);
}

static void descriptors_stay_with_their_frames(void **state)
{
    (void)state;
    open_both();
    fiber_spawn("receiver", fd_receiver, NULL);
    fiber_spawn("sender", fd_sender, NULL);
    loop_run();
    assert_int_equal(seen, 100);
    assert_int_equal(wrong, 0);
}

static void write_garbage(void *arg)
{
    int fd = *(int *)arg;
    char junk[64];
    memset(junk, 0xff, sizeof junk);
    must(write(fd, junk, sizeof junk) == sizeof junk);
}

static void a_malformed_frame_ends_the_channel(void **state)
{
    (void)state;
    open_both();
    int fd = watch_release(&left.watch);
    fiber_spawn("receiver", fd_receiver, NULL);
    fiber_spawn("garbage", write_garbage, &fd);
    loop_run();
    assert_int_equal(ended, ERR_PROTOCOL);
    assert_int_equal(seen, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_arrive_in_order_and_whole),
        cmocka_unit_test(descriptors_stay_with_their_frames),
        cmocka_unit_test(a_malformed_frame_ends_the_channel),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(big);
    return failed;
}
