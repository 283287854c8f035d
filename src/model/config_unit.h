/* What the unit tests of the configuration share: configurations from memory. Tests only. */
#ifndef MODEL_CONFIG_UNIT_H
#define MODEL_CONFIG_UNIT_H

#include "base/unit.h"
#include "model/config.h"

struct unit_file {
    const char *name;
    struct str bytes;
};

static inline enum err unit_read_file(void *ctx, struct str path, struct arena *a,
                                      struct str *bytes_out)
{
    for (const struct unit_file *f = ctx; f->name != NULL; f++) {
        if (!str_eq(str_c(f->name), path)) continue;
        *bytes_out = arena_str(a, f->bytes);
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* Read files, the first being the one; null when there are errors. What there is to say goes into
 * `said`, a line each. */
static inline struct config *unit_config_files(struct unit_file *files, struct buf *said)
{
    struct conf_faults faults = CONF_FAULTS_INIT;
    struct config_source source = { .name = str_c(files[0].name),
                                    .reader = { unit_read_file, files },
                                    .machine = STR("machine.example.net") };
    struct config *c = NULL;
    enum err e = config_read(&source, &c, &faults);

    assert_int_equal(e, faults.errors > 0 ? ERR_INVALID : OK);
    for (size_t i = 0; i < faults.n; i++) {
        if (i > 0) buf_put_lit(said, "\n");
        conf_fault_put(said, &faults.list[i]);
    }
    conf_faults_free(&faults);
    return c;
}

static inline struct config *unit_config(struct str text, struct buf *said)
{
    struct unit_file files[] = { { "/c", text }, { 0 } };
    return unit_config_files(files, said);
}

/* A configuration without a fault. */
static inline struct config *unit_config_good(struct str text)
{
    struct buf said = buf_new(10000);
    struct config *c = unit_config(text, &said);

    if (said.n > 0) print_message("said: %.*s\n", (int)said.n, said.p);
    assert_int_equal(said.n, 0);
    assert_non_null(c);
    buf_free(&said);
    return c;
}

#endif
