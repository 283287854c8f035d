#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static struct {
    bool on;
    int64_t now_ms, wall_us;
} test_clock;

int64_t clock_now(void)
{
    if (test_clock.on) return test_clock.now_ms;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_us(void)
{
    if (test_clock.on) return test_clock.wall_us;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void clock_test_set(int64_t now_ms, int64_t wall_us)
{
    test_clock.on = true;
    test_clock.now_ms = now_ms;
    test_clock.wall_us = wall_us;
}

void clock_test_off(void)
{
    test_clock.on = false;
}

int64_t clock_deadline(int64_t wait_ms)
{
    int64_t now = clock_now();
    return wait_ms >= CLOCK_NEVER - now ? CLOCK_NEVER : now + wait_ms;
}
