#include "base/unit.h"

#include "base/near.h"
#include "tool/command.h"
#include "tool/help.h"

#include <stdio.h>
#include <unistd.h>

/* ---- a world in which nothing runs ---- */

static struct {
    enum err keeper;
    unsigned told, looked;
} world;

static void no_end(void) {}

static enum err no_depot(struct str config_path, struct door **door_out, struct buf *why)
{
    (void)door_out;
    buf_put_lit(why, "no depot for ");
    buf_put(why, config_path);
    return str_eq(config_path, STR("bad.conf")) ? ERR_INVALID : ERR_UNAVAILABLE;
}

static enum err tell_keeper(struct str config_path, enum tool_signal what, struct buf *why)
{
    (void)config_path;
    world.told += what == TOOL_STOP;
    if (world.keeper != OK) buf_put_lit(why, "no keeper");
    return world.keeper;
}

/* Runs for two looks. */
static enum err keeper_runs(struct str config_path, struct buf *why)
{
    (void)config_path;
    (void)why;
    return world.keeper == OK && world.looked++ < 2 ? OK : ERR_NOT_FOUND;
}

static int run_all(struct str config_path)
{
    return str_eq(config_path, STR("x.conf")) ? 0 : 9;
}

static const struct tool_world fake = { .open_depot = no_depot,
                                        .close_depot = no_end,
                                        .tell_keeper = tell_keeper,
                                        .keeper_runs = keeper_runs,
                                        .run = run_all };

/* ---- running one ---- */

static int run(const char *const *words, struct buf *out, struct buf *err)
{
    char *argv[12] = { (char[]){ "postrider" } };
    int argc = 1, kept[2], code;
    FILE *to[2];
    while (*words != NULL) {
        argv[argc++] = (char *)(uintptr_t)*words++;
    }
    (void)fflush(NULL);
    for (int i = 0; i < 2; i++) {
        to[i] = tmpfile();
        assert_non_null(to[i]);
        kept[i] = dup(i + 1);
        assert_int_equal(dup2(fileno(to[i]), i + 1), i + 1);
    }
    code = command_main(&fake, argc, argv);
    (void)fflush(NULL);
    for (int i = 0; i < 2; i++) {
        struct buf *b = i == 0 ? out : err;
        assert_int_equal(dup2(kept[i], i + 1), i + 1);
        close(kept[i]);
        rewind(to[i]);
        char *at = buf_reserve(b, 65536);
        buf_commit(b, fread(at, 1, 65536, to[i]));
        (void)fclose(to[i]);
    }
    return code;
}

static const struct {
    const char *name;
    const char *words[8];
    int code;
    struct str out, err; /* somewhere in it; empty: nothing at all comes out there */
} cases[] = {
    { "nothing", { NULL }, 2, STR_INIT(""), STR_INIT("usage: postrider NOUN VERB") },
    { "help", { "help" }, 0, STR_INIT("postrider domain add NAME"), STR_INIT("") },
    { "--help", { "--help" }, 0, STR_INIT("Exit codes: 0 done"), STR_INIT("") },
    { "help of a noun", { "help", "alias" }, 0, STR_INIT("alias delete ADDRESS"), STR_INIT("") },
    { "--help behind a noun",
      { "alias", "add", "--help" },
      0,
      STR_INIT("usage:\n  postrider alias"),
      STR_INIT("") },
    { "help of what is none",
      { "help", "alais" },
      2,
      STR_INIT(""),
      STR_INIT("no command \"alais\"; did you mean \"alias\"?") },
    { "help as JSON",
      { "help", "explain", "--json" },
      0,
      STR_INIT("{\"noun\":\"explain\",\"verb\":\"show\",\"words\":\"CODE\""),
      STR_INIT("") },
    { "version", { "version" }, 0, STR_INIT("postrider " POSTRIDER_VERSION "\n"), STR_INIT("") },
    { "--version", { "--version" }, 0, STR_INIT("postrider "), STR_INIT("") },
    { "unknown noun", { "domains" }, 2, STR_INIT(""), STR_INIT("did you mean \"domain\"?") },
    { "noun with a control byte", { "a\nb" }, 2, STR_INIT(""), STR_INIT("command \"a\\u000ab\"") },
    { "no verb", { "domain" }, 2, STR_INIT(""), STR_INIT("postrider domain: a verb is missing") },
    { "unknown verb", { "domain", "ad" }, 2, STR_INIT(""), STR_INIT("did you mean \"add\"?") },
    { "argument missing", { "domain", "add" }, 2, STR_INIT(""), STR_INIT("something is missing") },
    { "too many arguments",
      { "domain", "add", "a", "b" },
      2,
      STR_INIT(""),
      STR_INIT("too many words") },
    { "unknown option",
      { "domain", "add", "a", "--disable" },
      2,
      STR_INIT(""),
      STR_INIT("--disable; did you mean --disabled") },
    { "value for a switch",
      { "domain", "add", "a", "--disabled=yes" },
      2,
      STR_INIT(""),
      STR_INIT("takes no value: --disabled") },
    { "value missing",
      { "domain", "add", "a", "--catch-all" },
      2,
      STR_INIT(""),
      STR_INIT("a value is missing behind --catch-all") },
    { "-c without a file",
      { "domain", "list", "-c" },
      2,
      STR_INIT(""),
      STR_INIT("a file is missing behind -c") },
    { "no number",
      { "stop", "--wait=soon" },
      2,
      STR_INIT(""),
      STR_INIT("--wait takes a number up to 86400, not \"soon\"") },
    { "argument like an option",
      { "domain", "show", "--", "--x" },
      2,
      STR_INIT(""),
      STR_INIT("cannot begin with '--'") },
    { "depot not there",
      { "domain", "list" },
      75,
      STR_INIT(""),
      STR_INIT("no depot for /etc/postrider/postrider.conf\n") },
    { "configuration that cannot be used",
      { "domain", "list", "-c", "bad.conf" },
      2,
      STR_INIT(""),
      STR_INIT("no depot for bad.conf\n") },
    { "the same as JSON",
      { "domain", "list", "-c", "bad.conf", "--json" },
      2,
      STR_INIT("{\"error\":\"no depot for bad.conf\"}\n"),
      STR_INIT("") },
    { "run", { "run", "-c", "x.conf" }, 0, STR_INIT(""), STR_INIT("") },
    { "stop waits", { "stop" }, 0, STR_INIT("stopped\n"), STR_INIT("") },
    { "stop does not wait",
      { "stop", "--wait", "0" },
      0,
      STR_INIT("told to stop\n"),
      STR_INIT("") },
    { "stop as JSON",
      { "stop", "--json" },
      0,
      STR_INIT("{\"message\":\"stopped\"}\n"),
      STR_INIT("") },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = buf_new(65537), err = buf_new(65537);
        unit_case(cases[i].name);
        world.keeper = OK;
        world.looked = 0;
        assert_int_equal(run(cases[i].words, &out, &err), cases[i].code);
        assert_true(str_find_str(buf_str(&out), cases[i].out) != STR_NOWHERE);
        assert_true(str_find_str(buf_str(&err), cases[i].err) != STR_NOWHERE);
        assert_true(cases[i].out.n > 0 || out.n == 0);
        assert_true(cases[i].err.n > 0 || err.n == 0);
        buf_free(&out);
        buf_free(&err);
    }
}

static void test_nobody_runs(void **state)
{
    static const struct {
        const char *words[3];
        int code;
        struct str err;
    } quiet[] = { { { "stop" }, 1, STR_INIT("no keeper\n") },
                  { { "status" }, 75, STR_INIT("Postrider does not run\n") } };
    (void)state;
    world.keeper = ERR_NOT_FOUND;
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
        struct buf out = buf_new(65537), err = buf_new(65537);
        unit_case(quiet[i].words[0]);
        assert_int_equal(run(quiet[i].words, &out, &err), quiet[i].code);
        assert_true(str_find_str(buf_str(&err), quiet[i].err) != STR_NOWHERE);
        buf_free(&out);
        buf_free(&err);
    }
}

/* ---- the table ---- */

static void test_table(void **state)
{
    (void)state;
    const struct command_row *r;
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        unit_case(r->does);
        assert_true(r->noun.n > 0 && r->does != NULL && r->does[0] != 0);
        assert_true(!str_ends(str_c(r->does), STR(".")));
        assert_true(r->doc == NULL || str_ends(str_c(r->doc), STR(".")));
        assert_true(r->args_min <= r->args_max);
        if (r->main != NULL) continue;
        /* The list of options is blanks around names. */
        assert_non_null(r->options);
        assert_true(str_starts(str_c(r->options), STR(" ")));
        assert_true(str_ends(str_c(r->options), STR(" ")));
        struct str left = str_c(r->options), option;
        while (str_cut(&left, ' ', &option)) {
            if (option.n == 0) continue;
            assert_true(str_starts(option, STR("--")));
            /* ... and the usage line names each. */
            struct str name = str_part(option, 0, str_find(option, '='));
            assert_non_null(r->words);
            assert_true(str_find_str(str_c(r->words), name) != STR_NOWHERE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_nobody_runs),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
