/* The configuration's interpretation. Files as in conf_fuzz: the input is cut at NUL bytes into /0,
 * /1, ... What is read without an error is printed, packed and read again, and is the same then. */
#include "base/must.h"
#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err read_part(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    struct str left = *(const struct str *)ctx, part = STR_NONE;
    uint64_t number;

    (void)a;
    if (str_to_u64(str_skip(path, 1), 9, &number) != OK) return ERR_NOT_FOUND;
    for (uint64_t i = 0; i <= number; i++) {
        if (!str_cut(&left, 0, &part) && i > 0) return ERR_NOT_FOUND;
    }
    *bytes_out = part;
    return OK;
}

static enum err read_text(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    (void)path;
    (void)a;
    *bytes_out = *(const struct str *)ctx;
    return OK;
}

static void must_be_same(const struct config *x, const struct config *y)
{
    struct arena a = ARENA_INIT(0);
    struct config_difference d = config_difference(x, y, &a);
    must(d.went.n == 0 && d.came.n == 0 && !d.needs_restart);
    arena_free(&a);
}

static void check_again(const struct config *c)
{
    struct arena a = ARENA_INIT(0);
    struct config_entries entries = config_entries(c, &a, true);
    struct buf b = buf_new(16 << 20);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct config *again = NULL;

    config_pack(&b, c);
    must(buf_check(&b) == OK && b.n <= CONFIG_PACKED_MAX);
    must(config_unpack(buf_str(&b), &again) == OK);
    must_be_same(c, again);
    config_free(&again);
    buf_clear(&b);
    for (size_t i = 0; i < entries.n; i++) {
        buf_put(&b, entries.list[i].line);
        buf_put_lit(&b, "\n");
    }
    struct str text = buf_str(&b);
    if (b.n < CONF_BYTES_MAX) {
        const struct config_source source = { .name = STR("/0"),
                                              .reader = { read_text, &text },
                                              .machine = STR("m.example") };
        must(config_read(&source, &again, &f) == OK);
        must_be_same(c, again);
        config_free(&again);
    }
    conf_faults_free(&f);
    buf_free(&b);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_of(data, size);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct config *c = NULL;
    const struct config_source source = { .name = STR("/0"),
                                          .reader = { read_part, &all },
                                          .machine = STR("machine.example.net") };
    const struct peer peer = { .ip = STR("192.0.2.1"), .helo = STR("a.b"), .login = STR("a@b") };
    const struct config_facts facts = { .peer = &peer, .from = STR("x@y"), .to = STR("z@y") };

    if (config_read(&source, &c, &f) == OK) {
        (void)config_may(c, peer.ip);
        for (size_t i = 0; i < c->check_count; i++) {
            (void)config_rule_matches(&c->checks[i], &facts);
        }
        for (size_t i = 0; i < c->route_count; i++) {
            (void)config_rule_matches(&c->routes[i], &facts);
        }
        config_apply_params(c);
        check_again(c);
        config_free(&c);
    } else {
        must(f.errors > 0 && c == NULL);
    }
    conf_faults_free(&f);
    return 0;
}
