/* Kills and power cuts at every kind of call of the table in sys/os.h, and kills at random moments
 * (docs/crash.md): everything that was acknowledged is there, whole and once; what was not is there
 * whole or not at all.
 *
 * A child runs the load on a store that it finds or makes; it dies; the parent opens, verifies, and
 * sends the next child on the same store, so that every recovery has to carry the ones before.
 * With STORE_CRASH_ROUNDS=n in the environment, n times as many points are tried. */
#include "store/store_load.h"
#include "store/store_scratch.h"
#include "base/unit.h"
#include "sys/os_fault.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

struct world {
    char *path;
    struct embedded_config config;
    struct ledger *ledger;
    uint64_t deaths, replayed, torn;
    unsigned rounds;
};

static struct world world_new(void)
{
    struct world w = { .path = scratch_new(), .ledger = ledger_new(), .rounds = 1 };
    const char *rounds = getenv("STORE_CRASH_ROUNDS");
    if (rounds != NULL && atoi(rounds) > 0) w.rounds = (unsigned)atoi(rounds);
    w.config = scratch_config(w.path);
    w.config.segment_bytes = 512 * 1024; /* many switches */
    w.config.memory_bytes = 64 * 1024;   /* many commits of the tree */
    w.config.flush_ms = 20;
    return w;
}

static void world_free(struct world *w)
{
    print_message("  %llu deaths, %llu records replayed, %llu torn bytes\n",
                  (unsigned long long)w->deaths, (unsigned long long)w->replayed,
                  (unsigned long long)w->torn);
    munmap(w->ledger, sizeof *w->ledger);
    scratch_remove(w->path);
    free(w->path);
}

/* What a child does until it dies, or to its end. */
static void live(const struct world *w, const struct os_fault *f, size_t messages)
{
    struct engine *e = NULL;
    os_fault_arm(f);
    if (engine_embedded_open(&w->config, &e, NULL) != OK) _exit(3);
    load_run(e, w->ledger, messages, 8);
    bool more = true;
    for (int i = 0; i < 20 && more; i++) {
        if (engine_compact(e, 100000, &more) != OK) break;
    }
    load_run(e, w->ledger, messages / 4, 8);
    engine_close(&e);
    _exit(0);
}

static pid_t child_start(const struct world *w, const struct os_fault *f, size_t messages)
{
    fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) live(w, f, messages);
    return pid;
}

/* True: it was killed; false: it came to its end. */
static bool child_end(struct world *w, pid_t pid)
{
    int status;
    must(waitpid(pid, &status, 0) == pid);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        print_message("child ended with status %x\n", (unsigned)status);
    must(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    w->deaths += killed;
    return killed;
}

static void look(struct world *w)
{
    struct engine *e = NULL;
    struct embedded_opening how;
    enum err r = engine_embedded_open(&w->config, &e, &how);
    if (r != OK)
        print_message("%s at %llx:%llx\n", err_name(r), (unsigned long long)how.damage_segment,
                      (unsigned long long)how.damage_offset);
    assert_int_equal(r, OK);
    w->replayed += how.replayed_records;
    w->torn += how.torn_bytes;
    load_verify(e, w->ledger);
    engine_close(&e);
}

static void die_at(struct world *w, struct os_fault f, size_t messages)
{
    pid_t pid = child_start(w, &f, messages);
    child_end(w, pid);
    look(w);
}

static const enum os_call calls[] = { OS_PWRITE,    OS_FDATASYNC, OS_FSYNC,  OS_FALLOCATE,
                                      OS_FTRUNCATE, OS_RENAME,    OS_UNLINK, OS_OPEN,
                                      OS_PREAD,     OS_MKDIR,     OS_CLOSE,  OS_FSTATVFS };

static void each_point(struct world *w, enum os_fault_what before, enum os_fault_what after,
                       bool track)
{
    uint64_t at = 1;
    for (unsigned round = 0; round < w->rounds * 2; round++, at += 1 + round * 3) {
        for (size_t i = 0; i < UNIT_COUNT(calls); i++) {
            struct os_fault f = { .call = calls[i],
                                  .at = at + (i * 5 + round * 7) % 11,
                                  .what = (round + i) % 2 == 0 ? before : after,
                                  .track = track,
                                  .cut = (enum os_fault_cut)((round + i) % 3),
                                  .seed = round * 100 + i };
            if (calls[i] == OS_MKDIR || calls[i] == OS_RENAME) f.at = 1 + round % 3;
            die_at(w, f, 60);
        }
    }
}

static void kills(void **state)
{
    (void)state;
    struct world w = world_new();
    each_point(&w, OS_FAULT_KILL_BEFORE, OS_FAULT_KILL_AFTER, false);
    world_free(&w);
}

static void cuts(void **state)
{
    (void)state;
    struct world w = world_new();
    each_point(&w, OS_FAULT_CUT_BEFORE, OS_FAULT_CUT_AFTER, true);
    world_free(&w);
}

/* A store that is new each time: the first steps of its life. */
static void cuts_at_birth(void **state)
{
    (void)state;
    struct world w = world_new();
    static const enum os_call first[] = { OS_MKDIR,     OS_OPEN,   OS_FSYNC,
                                          OS_FALLOCATE, OS_PWRITE, OS_FDATASYNC };
    for (uint64_t at = 1; at <= 2 + 3 * w.rounds; at++) {
        for (size_t i = 0; i < UNIT_COUNT(first); i++) {
            scratch_remove(w.path);
            memset(w.ledger, 0, sizeof *w.ledger);
            die_at(&w,
                   (struct os_fault){ .call = first[i],
                                      .at = at,
                                      .what = OS_FAULT_CUT_AFTER,
                                      .track = true,
                                      .cut = (enum os_fault_cut)(at % 3),
                                      .seed = at },
                   8);
        }
    }
    world_free(&w);
}

static void random_kills(void **state)
{
    (void)state;
    struct world w = world_new();
    uint64_t dice = 88172645463325252u;
    for (unsigned i = 0; i < w.rounds * 12; i++) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        struct os_fault none = { .what = OS_FAULT_NONE };
        pid_t pid = child_start(&w, &none, 2000);
        struct timespec pause = { .tv_nsec = (long)(dice % 120) * 1000000 };
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        child_end(&w, pid);
        look(&w);
    }
    world_free(&w);
}

/* The tree falls back to an older commit: replay brings everything. */
static void old_tree(void **state)
{
    (void)state;
    struct world w = world_new();
    w.config.memory_bytes = 64 << 20; /* commits only where we say so */
    w.config.flush_ms = 3600000;
    struct engine *e = NULL;
    must(engine_embedded_open(&w.config, &e, NULL) == OK);
    load_run(e, w.ledger, 100, 8);
    engine_close(&e);
    char *command = NULL;
    must(asprintf(&command, "cp %s/rows.mdb %s/rows.old", w.path, w.path) > 0);
    must(system(command) == 0);
    free(command);

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        must(engine_embedded_open(&w.config, &e, NULL) == OK);
        load_run(e, w.ledger, 150, 8);
        must(engine_embedded_flush(e) == OK);
        load_run(e, w.ledger, 150, 8);
        kill(getpid(), SIGKILL);
    }
    child_end(&w, pid);
    must(asprintf(&command, "mv %s/rows.old %s/rows.mdb", w.path, w.path) > 0);
    must(system(command) == 0);
    free(command);
    look(&w);
    assert_true(w.replayed >= 300);
    unit_case("without any tree, all of the log brings it back, as long as it is there");
    must(asprintf(&command, "rm %s/rows.mdb", w.path) > 0);
    must(system(command) == 0);
    free(command);
    look(&w);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills),        cmocka_unit_test(cuts),     cmocka_unit_test(cuts_at_birth),
        cmocka_unit_test(random_kills), cmocka_unit_test(old_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
