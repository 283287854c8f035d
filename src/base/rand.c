#include "base/rand.h"
#include "base/must.h"

#include <string.h>
#include <sys/random.h>

static _Thread_local unsigned char pool[256];
static _Thread_local size_t pool_left;
static _Thread_local uint64_t test_state;

/* splitmix64: good enough to make a test repeatable, and used for nothing else. */
static uint64_t test_next(void)
{
    uint64_t z = (test_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void from_kernel(unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        must(got > 0);
        p += got;
        n -= (size_t)got;
    }
}

void rand_bytes(void *p, size_t n)
{
    unsigned char *to = p;

    if (test_state != 0) {
        for (size_t i = 0; i < n; i++) {
            to[i] = (unsigned char)test_next();
        }
        return;
    }
    if (n > sizeof pool) {
        from_kernel(to, n);
        return;
    }
    if (n > pool_left) {
        from_kernel(pool, sizeof pool);
        pool_left = sizeof pool;
    }
    pool_left -= n;
    memcpy(to, pool + pool_left, n);
    memset(pool + pool_left, 0, n); /* what was handed out is not kept */
}

uint64_t rand_u64(void)
{
    uint64_t v;
    rand_bytes(&v, sizeof v);
    return v;
}

uint64_t rand_below(uint64_t n)
{
    must(n > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t v;
    do {
        v = rand_u64();
    } while (v >= limit);
    return v % n;
}

void rand_test_seed(uint64_t seed)
{
    test_state = seed;
    pool_left = 0;
}
