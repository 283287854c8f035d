/* Calls that fail: ENOSPC, EDQUOT, EIO, EMFILE, short reads and writes, at the n-th call of each
 * kind and for a while (docs/crash.md): nothing that was acknowledged is lost, nothing refused is
 * there; when it was only room or descriptors that were missing, the engine goes on by itself;
 * after EIO it is broken, says so to all, and recovers when it is opened again.
 *
 * With STORE_CRASH_ROUNDS=n in the environment, n times as many points are tried. */
#include "store/store_load.h"
#include "store/store_scratch.h"
#include "base/unit.h"
#include "sys/os_fault.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct world {
    char *path;
    struct embedded_config config;
    struct ledger *ledger;
    unsigned rounds, broken, refused, not_opened;
};

static struct world world_new(void)
{
    struct world w = { .path = scratch_new(), .ledger = ledger_new(), .rounds = 1 };
    const char *rounds = getenv("STORE_CRASH_ROUNDS");
    if (rounds != NULL && atoi(rounds) > 0) w.rounds = (unsigned)atoi(rounds);
    w.config = scratch_config(w.path);
    w.config.segment_bytes = 512 * 1024;
    w.config.memory_bytes = 64 * 1024;
    w.config.flush_ms = 20;
    return w;
}

static void world_free(struct world *w)
{
    print_message("  %u broken, %u times intents refused, %u times not opened\n", w->broken,
                  w->refused, w->not_opened);
    munmap(w->ledger, sizeof *w->ledger);
    scratch_remove(w->path);
    free(w->path);
}

static void look(struct world *w)
{
    struct engine *e = NULL;
    assert_int_equal(engine_embedded_open(&w->config, &e, NULL), OK);
    load_verify(e, w->ledger);
    engine_close(&e);
}

static const struct os_fault no_fault = { .what = OS_FAULT_NONE };

/* One life with a fault in it. `lasting`: it may end the engine. */
static void live(struct world *w, const struct os_fault *f, bool lasting)
{
    struct engine *e = NULL;
    os_fault_arm(f);
    enum err r = engine_embedded_open(&w->config, &e, NULL);
    if (r != OK) {
        w->not_opened++;
        assert_int_not_equal(r, ERR_CORRUPT);
        os_fault_off();
        look(w);
        return;
    }
    size_t good = load_run(e, w->ledger, 80, 8);
    bool more = true;
    for (int i = 0; i < 10 && more; i++) {
        if (engine_compact(e, 100000, &more) != OK) break;
    }
    w->refused += good < 80;
    os_fault_arm(&no_fault);
    good = load_run(e, w->ledger, 20, 4);
    bool broken = good < 20;
    w->broken += broken;
    if (broken && !lasting)
        print_message("call %d at %llu\n", (int)f->call, (unsigned long long)f->at);
    if (!lasting) assert_false(broken); /* it goes on when the trouble is over */
    if (!broken) load_verify(e, w->ledger);
    engine_close(&e);
    os_fault_off();
    look(w);
}

static const enum os_call calls[] = { OS_PWRITE, OS_FALLOCATE, OS_OPEN,     OS_FDATASYNC,
                                      OS_FSYNC,  OS_FTRUNCATE, OS_RENAME,   OS_UNLINK,
                                      OS_PREAD,  OS_FSTAT,     OS_FSTATVFS, OS_LIST };

static bool is_sync(enum os_call c)
{
    return c == OS_FDATASYNC || c == OS_FSYNC;
}

static void each_call(struct world *w, int number, bool lasting, uint64_t repeat)
{
    for (unsigned round = 0; round < w->rounds; round++) {
        for (size_t i = 0; i < UNIT_COUNT(calls); i++) {
            struct os_fault f = { .call = calls[i],
                                  .at = 1 + (i * 3 + round * 7) % 23,
                                  .repeat = repeat,
                                  .what = OS_FAULT_ERRNO,
                                  .number = number };
            /* A sync that fails is final whatever it says; so is a place in the log that can be
             * neither written nor skipped. */
            bool final = is_sync(calls[i]) || (calls[i] == OS_PWRITE && repeat > 0);
            live(w, &f, lasting || final);
        }
    }
}

static void no_space(void **state)
{
    (void)state;
    struct world w = world_new();
    unit_case("once");
    each_call(&w, ENOSPC, false, 0);
    unit_case("for a while");
    each_call(&w, EDQUOT, false, 20);
    world_free(&w);
}

static void no_descriptors(void **state)
{
    (void)state;
    struct world w = world_new();
    static const enum os_call opens[] = { OS_OPEN, OS_LIST };
    for (unsigned i = 0; i < 6 * w.rounds; i++) {
        struct os_fault f = { .call = opens[i % 2],
                              .at = 1 + i,
                              .repeat = i % 3 * 4,
                              .what = OS_FAULT_ERRNO,
                              .number = i % 2 == 0 ? EMFILE : ENFILE };
        live(&w, &f, false);
    }
    world_free(&w);
}

static void input_output(void **state)
{
    (void)state;
    struct world w = world_new();
    each_call(&w, EIO, true, 0);
    assert_true(w.broken > 0);
    world_free(&w);
}

static void short_calls(void **state)
{
    (void)state;
    struct world w = world_new();
    unit_case("half a write, half a read: the rest is done by the next call");
    for (unsigned i = 0; i < 4 * w.rounds; i++) {
        struct os_fault f = { .call = i % 2 == 0 ? OS_PWRITE : OS_PREAD,
                              .at = 1 + i * 2,
                              .repeat = 30,
                              .what = OS_FAULT_SHORT };
        live(&w, &f, false);
        assert_int_equal(w.refused, 0);
    }
    world_free(&w);
}

/* Half of a group is on the disk when the space ends: it must not come back as done. */
static void half_a_group(void **state)
{
    (void)state;
    struct world w = world_new();
    w.config.memory_bytes = 64 << 20;
    w.config.flush_ms = 3600000;
    for (unsigned i = 0; i < 3 * w.rounds; i++) {
        fflush(NULL);
        pid_t pid = fork();
        must(pid >= 0);
        if (pid == 0) {
            struct engine *e = NULL;
            os_fault_arm(&no_fault);
            must(engine_embedded_open(&w.config, &e, NULL) == OK);
            load_run(e, w.ledger, 20, 8);
            /* A short write, then no space for its rest. */
            os_fault_arm(&(struct os_fault){
                .call = OS_PWRITE, .at = 4 + i % 6, .repeat = 1, .what = OS_FAULT_SHORT_FULL });
            load_run(e, w.ledger, 80, 8);
            os_fault_arm(&no_fault);
            must(load_run(e, w.ledger, 20, 8) >= 20);
            kill(getpid(), SIGKILL);
        }
        int status;
        must(waitpid(pid, &status, 0) == pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        look(&w);
    }
    uint32_t refused = 0;
    for (uint32_t k = 0; k < atomic_load(&w.ledger->next); k++) {
        refused += atomic_load(&w.ledger->state[k]) == LEDGER_NONE;
    }
    assert_true(refused > 0);
    world_free(&w);
}

/* The tree's own writes do not go through the table: a limit on the size of files meets them. */
static void tree_fails(void **state)
{
    (void)state;
    struct world w = world_new();
    w.config.segment_bytes = 256 * 1024;
    fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        struct engine *e = NULL;
        signal(SIGXFSZ, SIG_IGN);
        must(engine_embedded_open(&w.config, &e, NULL) == OK);
        struct rlimit limit = { 300 * 1024, RLIM_INFINITY };
        setrlimit(RLIMIT_FSIZE, &limit);
        size_t good = load_run(e, w.ledger, 3000, 16);
        limit.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        must(good < 3000);
        must(engine_embedded_flush(e) == OK);
        must(load_run(e, w.ledger, 20, 4) >= 20);
        engine_close(&e);
        _exit(0);
    }
    int status;
    must(waitpid(pid, &status, 0) == pid);
    unit_case("a tree that cannot grow: refused, nothing lost, goes on when it can");
    assert_int_equal(status, 0);
    look(&w);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_space),     cmocka_unit_test(no_descriptors),
        cmocka_unit_test(input_output), cmocka_unit_test(short_calls),
        cmocka_unit_test(half_a_group), cmocka_unit_test(tree_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
