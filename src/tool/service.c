#include "tool/service.h"

#include "base/clock.h"
#include "tool/config_file.h"
#include "tool/print.h"

#include <time.h>

enum { WAIT_STANDARD_S = 120, WAIT_MAX_S = 86400, LOOK_EVERY_MS = 20 };

int tool_run(struct command *c)
{
    return c->world->run(c->config_path);
}

static int tell(struct command *c, enum tool_signal what)
{
    enum err e = c->world->tell_keeper(c->config_path, what, &c->why);
    if (e == OK) return EXIT_GOOD;
    command_say_why(c, e);
    return e == ERR_INVALID ? EXIT_USAGE : EXIT_NEGATIVE;
}

static int say_done(const struct command *c, struct str words)
{
    struct printer p;
    printer_begin(&p, c->json);
    printer_message(&p, words, false);
    printer_end(&p);
    return EXIT_GOOD;
}

int tool_stop(struct command *c)
{
    uint64_t wait_s = WAIT_STANDARD_S;
    if (!command_number(c, "wait", WAIT_MAX_S, &wait_s)) return EXIT_USAGE;
    int code = tell(c, TOOL_STOP);
    if (code != EXIT_GOOD) return code;
    int64_t until_ms = clock_deadline((int64_t)wait_s * 1000);
    while (wait_s > 0 && c->world->keeper_runs(c->config_path, &c->why) != ERR_NOT_FOUND) {
        if (clock_now() >= until_ms)
            return command_say(EXIT_TEMPORARY, "it has been told, and is still ending", STR_NONE);
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_EVERY_MS * 1000000l }, NULL);
    }
    return say_done(c, wait_s > 0 ? STR("stopped") : STR("told to stop"));
}

int tool_reload(struct command *c)
{
    struct conf_faults faults = CONF_FAULTS_INIT;
    struct config *config = NULL;
    enum err e = config_file_read(arena_c(&c->arena, c->config_path), &config, &faults);
    conf_faults_free(&faults);
    config_free(&config);
    if (e != OK)
        return command_say(EXIT_USAGE,
                           "the configuration has errors, which 'postrider config check' tells; "
                           "the system goes on with the one it has",
                           STR_NONE);
    int code = tell(c, TOOL_RELOAD);
    return code == EXIT_GOOD ? say_done(c, STR("told to reload; the log says what became of it"))
                             : code;
}

int tool_status(struct command *c)
{
    enum err e = c->world->keeper_runs(c->config_path, &c->why);
    if (e == OK) return command_with_depot(c, command_ask_and_print);
    if (e == ERR_NOT_FOUND) buf_put_lit(&c->why, "Postrider does not run");
    command_say_why(c, e);
    return e == ERR_INVALID ? EXIT_USAGE : EXIT_TEMPORARY;
}
