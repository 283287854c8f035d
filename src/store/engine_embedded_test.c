#include "store/engine_conformance.h"
#include "store/engine_embedded.h"
#include "store/store_scratch.h"

struct scratch {
    char *path;
    struct embedded_config config;
};

static struct engine *open_again(struct scratch *s)
{
    struct engine *e = NULL;
    assert_int_equal(engine_embedded_open(&s->config, &e, NULL), OK);
    return e;
}

static struct engine *open_new(void *ctx)
{
    struct scratch *s = ctx;
    scratch_remove(s->path);
    return open_again(s);
}

static void reopen(void *ctx, struct engine **e)
{
    engine_close(e);
    *e = open_again(ctx);
}

static void conforms(void **state)
{
    (void)state;
    struct scratch s = { .path = scratch_new() };
    s.config = scratch_config(s.path);
    conformance_run(&(struct conformance){ .open_new = open_new, .reopen = reopen, .ctx = &s });
    scratch_remove(s.path);
    free(s.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(conforms) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
