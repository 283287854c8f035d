/* What is printed by `show` is itself a configuration: each setting on a line of its own, with the
 * place it comes from as a comment. */
#include "tool/config.h"
#include "base/near.h"
#include "tool/config_file.h"

#include <stdio.h>

enum { OUT_MAX = 64 << 20, COMMENT_COLUMN = 56 };
enum { EXIT_FINE = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 2 };

struct options {
    const char *file;
    bool json, all, set;
};

static const char usage[] = "usage: postrider config check [-c FILE] [--json]\n"
                            "       postrider config show  [-c FILE] [--json] [--set | --all]\n"
                            "\n"
                            "  check    report every error and warning with its place\n"
                            "  show     print all settings, each with where it comes from\n"
                            "  -c FILE  instead of " CONFIG_FILE_STANDARD "\n"
                            "  --set    only what the file sets\n"
                            "  --all    limits that have their standard values as well\n"
                            "  --json   one JSON object\n";

static void print(FILE *to, const struct buf *b)
{
    (void)fwrite(b->p != NULL ? b->p : "", 1, b->n, to);
}

static enum err read_options(int argc, char **argv, struct options *out)
{
    struct options o = { .file = CONFIG_FILE_STANDARD };

    for (int i = 2; i < argc; i++) {
        struct str word = str_c(argv[i]);
        if (str_eq(word, STR("-c")) && i + 1 < argc) {
            o.file = argv[++i];
        } else if (str_eq(word, STR("--json"))) {
            o.json = true;
        } else if (str_eq(word, STR("--all"))) {
            o.all = true;
        } else if (str_eq(word, STR("--set"))) {
            o.set = true;
        } else {
            return ERR_SYNTAX;
        }
    }
    *out = o;
    return o.all && o.set ? ERR_SYNTAX : OK;
}

/* ---- faults ---- */

static void put_fault_json(struct buf *b, const struct conf_fault *f)
{
    buf_put_lit(b, "{\"severity\":");
    buf_put(b, f->severity == CONF_ERROR ? STR("\"error\"") : STR("\"warning\""));
    buf_put_lit(b, ",\"file\":");
    buf_put_json(b, f->at.file);
    buf_put_lit(b, ",\"line\":");
    buf_put_u64(b, f->at.line);
    buf_put_lit(b, ",\"column\":");
    buf_put_u64(b, f->at.column);
    buf_put_lit(b, ",\"text\":");
    buf_put_json(b, f->text);
    buf_put_lit(b, ",\"hint\":");
    buf_put_json(b, f->hint);
    buf_put_lit(b, "}");
}

static void put_faults_json(struct buf *b, const struct conf_faults *faults)
{
    buf_put(b, faults->errors == 0 ? STR("{\"ok\":true") : STR("{\"ok\":false"));
    buf_put_lit(b, ",\"errors\":");
    buf_put_u64(b, faults->errors);
    buf_put_lit(b, ",\"warnings\":");
    buf_put_u64(b, faults->warnings);
    buf_put_lit(b, ",\"faults\":[");
    for (size_t i = 0; i < faults->n; i++) {
        if (i > 0) buf_put_lit(b, ",");
        put_fault_json(b, &faults->list[i]);
    }
    buf_put_lit(b, "]}\n");
}

static void put_number_of(struct buf *b, size_t n, struct str noun)
{
    buf_put_u64(b, n);
    buf_put_lit(b, " ");
    buf_put(b, noun);
    if (n != 1) buf_put_lit(b, "s");
}

static void put_faults(struct buf *b, const struct conf_faults *faults)
{
    for (size_t i = 0; i < faults->n; i++) {
        conf_fault_put(b, &faults->list[i]);
        buf_put_lit(b, "\n");
    }
    size_t left = faults->errors + faults->warnings - faults->n;
    if (left > 0) {
        buf_put_lit(b, "and ");
        put_number_of(b, left, STR("more fault"));
        buf_put_lit(b, "\n");
    }
}

static int check(const struct options *o)
{
    struct conf_faults faults = CONF_FAULTS_INIT;
    struct config *c = NULL;
    struct buf b = buf_new(OUT_MAX);

    err_ignore(config_file_read(o->file, &c, &faults)); /* the faults say it all */
    if (o->json) {
        put_faults_json(&b, &faults);
    } else {
        put_faults(&b, &faults);
        buf_put(&b, str_c(o->file));
        buf_put(&b, faults.errors == 0 ? STR(": good, ") : STR(": "));
        put_number_of(&b, faults.errors, STR("error"));
        buf_put_lit(&b, ", ");
        put_number_of(&b, faults.warnings, STR("warning"));
        buf_put_lit(&b, "\n");
    }
    print(stdout, &b);
    int code = faults.errors == 0 ? EXIT_FINE : EXIT_NEGATIVE;
    buf_free(&b);
    conf_faults_free(&faults);
    config_free(&c);
    return code;
}

/* ---- settings ---- */

static void put_entry(struct buf *b, const struct config_entry *e)
{
    size_t from = b->n;

    buf_put(b, e->line);
    do {
        buf_put_lit(b, " ");
    } while (b->n - from < COMMENT_COLUMN);
    buf_put_lit(b, "# ");
    conf_at_put(b, &e->at);
    buf_put_lit(b, "\n");
}

static void put_entry_json(struct buf *b, const struct config_entry *e)
{
    buf_put_lit(b, "{\"name\":");
    buf_put_json(b, e->name);
    buf_put_lit(b, ",\"value\":");
    buf_put_json(b, e->value);
    buf_put_lit(b, ",\"line\":");
    buf_put_json(b, e->line);
    if (e->at.line > 0) {
        buf_put_lit(b, ",\"standard\":false,\"at\":{\"file\":");
        buf_put_json(b, e->at.file);
        buf_put_lit(b, ",\"line\":");
        buf_put_u64(b, e->at.line);
        buf_put_lit(b, "}");
    } else {
        buf_put_lit(b, ",\"standard\":true");
    }
    buf_put_lit(b, ",\"needs_restart\":");
    buf_put(b, e->effect == CONFIG_ON_RESTART ? STR("true}") : STR("false}"));
}

static void put_settings(struct buf *b, const struct options *o, const struct config *c)
{
    struct arena a = ARENA_INIT(0);
    struct config_entries entries = config_entries(c, &a, o->all);
    size_t shown = 0;

    if (o->json) buf_put_lit(b, "{\"settings\":[");
    for (size_t i = 0; i < entries.n; i++) {
        if (o->set && entries.list[i].at.line == 0) continue;
        if (!o->json) {
            put_entry(b, &entries.list[i]);
            continue;
        }
        if (shown++ > 0) buf_put_lit(b, ",\n");
        put_entry_json(b, &entries.list[i]);
    }
    if (o->json) buf_put_lit(b, "]}\n");
    arena_free(&a);
}

static int show(const struct options *o)
{
    struct conf_faults faults = CONF_FAULTS_INIT;
    struct config *c = NULL;
    struct buf b = buf_new(OUT_MAX);
    int code = EXIT_FINE;

    if (config_file_read(o->file, &c, &faults) == OK) {
        put_settings(&b, o, c);
        print(stdout, &b);
    } else {
        put_faults(&b, &faults);
        print(stderr, &b);
        code = EXIT_USAGE;
    }
    buf_free(&b);
    conf_faults_free(&faults);
    config_free(&c);
    return code;
}

static int say_usage(struct str verb)
{
    struct near near = near_of(verb);

    near_offer(&near, STR("check"));
    near_offer(&near, STR("show"));
    if (near_best(&near).n > 0 && near.distance > 0) {
        (void)fprintf(stderr, "postrider config: did you mean \"%.*s\"?\n", (int)near_best(&near).n,
                      near_best(&near).p);
    }
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}

int tool_config(int argc, char **argv)
{
    struct str verb = argc > 1 ? str_c(argv[1]) : STR_NONE;
    struct options o;

    if (read_options(argc, argv, &o) == OK) {
        if (str_eq(verb, STR("check"))) return check(&o);
        if (str_eq(verb, STR("show"))) return show(&o);
    }
    return say_usage(verb);
}
