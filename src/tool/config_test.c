#include "base/unit.h"

#include "base/buf.h"
#include "tool/config.h"
#include "tool/config_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own for every run; its name stands as @ in the expected texts. */
static char folder[] = "/tmp/postrider-config-XXXXXX";

static void write_file(const char *name, struct str text)
{
    struct arena a = ARENA_INIT(0);
    int fd = open(arena_c(&a, ARENA_JOIN(&a, str_c(folder), STR("/"), str_c(name))),
                  O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.p, text.n), text.n);
    close(fd);
    arena_free(&a);
}

/* Run the tool in the folder; what it writes on `fd_of_interest` goes into `out`. */
static int run(int argc, char **argv, int fd_of_interest, struct buf *out)
{
    FILE *to = tmpfile();
    assert_non_null(to);
    (void)fflush(NULL);
    int kept = dup(fd_of_interest);
    assert_int_equal(dup2(fileno(to), fd_of_interest), fd_of_interest);
    int code = tool_config(argc, argv);
    (void)fflush(NULL);
    assert_int_equal(dup2(kept, fd_of_interest), fd_of_interest);
    close(kept);
    rewind(to);
    char *at = buf_reserve(out, 65536);
    buf_commit(out, fread(at, 1, 65536, to));
    (void)fclose(to);
    return code;
}

/* Replace the folder's name by '@'. */
static void hide_folder(struct buf *b)
{
    struct buf hidden = buf_new(b->max_bytes);
    struct str left = buf_str(b);
    for (size_t at; (at = str_find_str(left, str_c(folder))) != STR_NOWHERE;) {
        buf_put(&hidden, str_part(left, 0, at));
        buf_put_lit(&hidden, "@");
        left = str_skip(left, at + sizeof folder - 1);
    }
    buf_put(&hidden, left);
    buf_free(b);
    *b = hidden;
}

static const struct {
    const char *name;
    const char *words[5];
    int code, fd;
    struct str text;
    bool whole; /* the text is all of the output, not only a part of it */
} cases[] = {
    { "check of a good file",
      { "config", "check", "-c", "good.conf" },
      0,
      1,
      STR_INIT("good.conf: good, 0 errors, 0 warnings\n"),
      true },
    { "check of one with errors",
      { "config", "check", "-c", "bad.conf" },
      1,
      1,
      STR_INIT("@/bad.conf:1:1: error: unknown setting \"hots\"; did you mean \"host\"?\n"
               "@/bad.conf:2:13: error: level is error, warn, info or debug, not \"x\"\n"
               "bad.conf: 2 errors, 0 warnings\n"),
      true },
    { "check as JSON",
      { "config", "check", "--json", "-c", "bad.conf" },
      1,
      1,
      STR_INIT("{\"ok\":false,\"errors\":2,\"warnings\":0,\"faults\":[{\"severity\":\"error\","
               "\"file\":\"@/bad.conf\",\"line\":1,\"column\":1,\"text\":\"unknown setting "
               "\\\"hots\\\"\",\"hint\":\"did you mean \\\"host\\\"?\"},{\"severity\":\"error\","
               "\"file\":\"@/bad.conf\",\"line\":2,\"column\":13,\"text\":\"level is error, warn, "
               "info or debug, not \\\"x\\\"\",\"hint\":\"\"}]}\n"),
      true },
    { "check of no file",
      { "config", "check", "-c", "gone.conf" },
      1,
      1,
      STR_INIT("@/gone.conf: error: cannot read @/gone.conf: not found\n"
               "gone.conf: 1 error, 0 warnings\n"),
      true },
    { "check of a folder",
      { "config", "check", "-c", "." },
      1,
      1,
      STR_INIT("not supported here\n.: 1 error, 0 warnings\n"),
      false },
    { "show of what is set",
      { "config", "show", "-c", "./good.conf", "--set" },
      0,
      1,
      STR_INIT("host mail.example.org                                   # @/good.conf:1\n"
               "store @/data "),
      false },
    { "show of standard values",
      { "config", "show", "-c", "good.conf" },
      0,
      1,
      STR_INIT("\nlog { format logfmt }                                   # standard\n"),
      false },
    { "show of a setting from an included file",
      { "config", "show", "-c", "good.conf" },
      0,
      1,
      STR_INIT("\nlog { level debug }                                     # @/more.conf:2\n"),
      false },
    { "show with all limits",
      { "config", "show", "--all", "-c", "good.conf" },
      0,
      1,
      STR_INIT("\nlimit smtp_command_wait_ms 5m                           # standard\n"),
      false },
    { "show as JSON",
      { "config", "show", "--json", "-c", "good.conf" },
      0,
      1,
      STR_INIT("{\"settings\":[{\"name\":\"host\",\"value\":\"mail.example.org\",\"line\":\"host "
               "mail.example.org\",\"standard\":false,\"at\":{\"file\":\"@/good.conf\",\"line\":1},"
               "\"needs_restart\":false},\n"),
      false },
    { "show of one with errors",
      { "config", "show", "-c", "bad.conf" },
      2,
      2,
      STR_INIT("@/bad.conf:1:1: error: unknown setting \"hots\"; did you mean \"host\"?\n"),
      false },
    { "no verb", { "config" }, 2, 2, STR_INIT("usage: postrider config check"), false },
    { "another verb",
      { "config", "chekc" },
      2,
      2,
      STR_INIT("postrider config: did you mean \"check\"?\nusage: "),
      false },
    { "unknown option", { "config", "check", "--jsno" }, 2, 2, STR_INIT("usage: "), false },
    { "two that exclude each other",
      { "config", "show", "--all", "--set" },
      2,
      2,
      STR_INIT("usage: "),
      false },
    { "-c without a file", { "config", "check", "-c" }, 2, 2, STR_INIT("usage: "), false },
};

static void test_cases(void **state)
{
    (void)state;
    write_file("good.conf", STR("host mail.example.org\ninclude more.conf\nstore data\n"));
    write_file("more.conf", STR("# more\nlog { level debug }\n"));
    write_file("bad.conf", STR("hots x\nlog { level x }\nhost a.example\n"));
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf out = buf_new(1 << 20);
        char *argv[6] = { NULL };
        int argc = 0;
        unit_case(cases[i].name);
        for (; argc < 5 && cases[i].words[argc] != NULL; argc++) {
            argv[argc] = (char *)(uintptr_t)arena_c(&a, str_c(cases[i].words[argc]));
        }
        assert_int_equal(run(argc, argv, cases[i].fd, &out), cases[i].code);
        hide_folder(&out);
        bool is_in = str_find_str(buf_str(&out), cases[i].text) != STR_NOWHERE;
        if (!is_in) print_message("have: %.*s\n", (int)out.n, out.p);
        assert_true(is_in);
        if (cases[i].whole) assert_str(buf_str(&out), cases[i].text);
        buf_free(&out);
        arena_free(&a);
    }
}

/* A pipe for a file must not hold the keeper up. */
static void test_pipe(void **state)
{
    (void)state;
    struct conf_faults faults = CONF_FAULTS_INIT;
    struct config *c = NULL;

    assert_int_equal(mkfifo("pipe.conf", 0600), 0);
    assert_int_equal(config_file_read("pipe.conf", &c, &faults), ERR_INVALID);
    assert_int_equal(faults.n, 1);
    conf_faults_free(&faults);
    write_file("big.conf", STR(""));
    assert_int_equal(truncate("big.conf", CONF_BYTES_MAX + 1), 0);
    assert_int_equal(config_file_read("big.conf", &c, &faults), ERR_INVALID);
    assert_true(faults.n >= 1);
    conf_faults_free(&faults);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int end(void **state)
{
    (void)state;
    static const char *const names[] = { "good.conf", "more.conf", "bad.conf", "pipe.conf",
                                         "big.conf" };
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        (void)unlink(names[i]);
    }
    return chdir("/") != 0 || rmdir(folder) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_pipe),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
