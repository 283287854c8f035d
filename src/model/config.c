/* Making a configuration, and its way to other processes: as the very files it was read from, so
 * that each role reads what the keeper read and every place in it stays true. */
#include "model/config_reading.h"
#include "base/must.h"
#include "base/wire.h"
#include "syntax/ip.h"

enum { PACK_VERSION = 1, SCRATCH_MAX = 256 << 20 };

static struct config *config_new(void)
{
    struct arena a = ARENA_INIT(0);
    struct config *c = ARENA_NEW(&a, struct config);
    c->arena = a; /* the arena holds the struct that holds the arena */
    c->holders = 1;
    return c;
}

struct config *config_hold(struct config *c)
{
    c->holders++;
    return c;
}

void config_free(struct config **c)
{
    struct config *held = *c;

    *c = NULL;
    if (held == NULL) return;
    must(held->holders > 0);
    if (--held->holders > 0) return;
    struct arena a = held->arena;
    arena_free(&a);
}

static void keep_source(struct config_reading *r)
{
    struct config *c = r->c;

    c->machine = config_keep(r, r->source->machine);
    c->file_count = r->conf.file_count;
    c->files = ARENA_MANY(&c->arena, struct conf_file, c->file_count);
    for (size_t i = 0; i < c->file_count; i++) {
        c->files[i] = (struct conf_file){ .name = config_keep(r, r->conf.files[i].name),
                                          .bytes = config_keep(r, r->conf.files[i].bytes) };
    }
}

static void put_standards(struct config_reading *r)
{
    const struct config_option *o;

    config_standards(r, "", r->c);
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        must(i < CONFIG_OPTION_MAX);
        bool holds_one = (o->flags & CONFIG_BLOCK) != 0 && (o->flags & CONFIG_REPEATS) == 0;
        if (holds_one) config_standards(r, o->name, r->c);
    }
}

enum err config_read(const struct config_source *source, struct config **config_out,
                     struct conf_faults *faults)
{
    struct arena scratch = ARENA_INIT(SCRATCH_MAX);
    struct config *c = config_new();
    struct config_reading r = { .c = c, .scratch = &scratch, .faults = faults, .source = source };

    conf_parse(&scratch, source->name, &source->reader, &r.conf, faults);
    if (r.conf.file_count > 0) {
        keep_source(&r);
        put_standards(&r);
        config_lines(&r, "", r.conf.lines, c);
        config_finish(&r);
    }
    conf_faults_sort(faults, &r.conf);
    arena_free(&scratch);
    if (faults->errors > 0) {
        config_free(&c);
        return ERR_INVALID;
    }
    *config_out = c;
    return OK;
}

/* ---- to other processes ---- */

void config_pack(struct buf *b, const struct config *c)
{
    wire_put_u8(b, PACK_VERSION);
    wire_put_vstr(b, c->machine);
    wire_put_var(b, c->file_count);
    for (size_t i = 0; i < c->file_count; i++) {
        wire_put_vstr(b, c->files[i].name);
        wire_put_vstr(b, c->files[i].bytes);
    }
}

struct packed {
    struct conf_file files[CONF_FILES_MAX];
    size_t n;
};

static enum err read_packed(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    const struct packed *packed = ctx;

    (void)a;
    for (size_t i = 0; i < packed->n; i++) {
        if (!str_eq(packed->files[i].name, path)) continue;
        *bytes_out = packed->files[i].bytes;
        return OK;
    }
    return ERR_NOT_FOUND;
}

enum err config_unpack(struct str bytes, struct config **config_out)
{
    struct wire w = wire_of(bytes);
    struct packed packed = { 0 };
    uint8_t version = wire_get_u8(&w);
    struct str machine = wire_get_vstr(&w);
    uint64_t n = wire_get_var(&w);

    if (version != PACK_VERSION || n == 0 || n > CONF_FILES_MAX) return ERR_CORRUPT;
    for (packed.n = 0; packed.n < n; packed.n++) {
        packed.files[packed.n].name = wire_get_vstr(&w);
        packed.files[packed.n].bytes = wire_get_vstr(&w);
    }
    if (wire_end(&w) != OK) return ERR_CORRUPT;

    struct config_source source = { .name = packed.files[0].name,
                                    .reader = { read_packed, &packed },
                                    .machine = machine };
    struct conf_faults faults = CONF_FAULTS_INIT;
    enum err e = config_read(&source, config_out, &faults);
    conf_faults_free(&faults);
    return e == OK ? OK : ERR_CORRUPT;
}

/* ---- parameters ---- */

void config_apply_params(const struct config *c)
{
    param_reset();
    for (size_t i = 0; i < c->limit_count; i++) {
        const struct config_limit *l = &c->limits[i];
        enum err e = param_set(str_c(l->param->name), l->value);
        must(e == OK); /* the range was checked when the line was read */
    }
}

/* ---- rights ---- */

unsigned config_may(const struct config *c, struct str ip_text)
{
    bool is_unix = str_eq(ip_text, STR("unix"));
    struct ip_addr ip = { 0 };
    unsigned may = 0;

    if (!is_unix && ip_parse(ip_text, &ip) != OK) return 0;
    for (size_t i = 0; i < c->trust_count; i++) {
        const struct config_trust *t = &c->trusts[i];
        bool has = is_unix && t->unix_peers;
        for (size_t n = 0; !is_unix && !has && n < t->net_count; n++) {
            has = ip_net_has(&t->nets[n], &ip);
        }
        if (has) may |= t->may;
    }
    return may;
}
