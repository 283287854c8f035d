/* The command line: one table of commands (commands.c), from which also the help and postrider(8)
 * are printed, and one way for the commands to take words, ask the depot, and answer. */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include "door/door.h"

enum { EXIT_GOOD = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 2, EXIT_TEMPORARY = 75 };

enum { COMMAND_WORDS_MAX = 60, COMMAND_OPTION_MAX = 32 };

struct command;

enum tool_signal { TOOL_STOP, TOOL_RELOAD };

/* What the program around the tools lends them: they do not see roles, mail or the rooms where
 * passwords are made. All take the path of the configuration and put words into `why` on failure.
 */
struct tool_world {
    /* A door to the depot: the running one, or one of our own when nothing runs. Waits.
     * ERR_INVALID: the configuration. */
    enum err (*open_depot)(struct str config_path, struct door **door_out, struct buf *why);
    /* After the last call, the door closed: a depot of our own has ended when this returns, so
     * that the next command finds its store free. Also after open_depot() has failed. Waits. */
    void (*close_depot)(void);
    /* The credential row of a password, as the configuration wants them. */
    enum err (*make_credential)(struct str config_path, struct str password, struct buf *out,
                                struct buf *why);
    /* The folder of the store. ERR_INVALID, ERR_UNSUPPORTED (it is in memory). */
    enum err (*store_folder)(struct str config_path, struct arena *a, struct str *path_out,
                             struct buf *why);
    /* Tell the keeper that runs with this configuration. ERR_NOT_FOUND: none does. */
    enum err (*tell_keeper)(struct str config_path, enum tool_signal what, struct buf *why);
    /* Does it run? ERR_NOT_FOUND: no. */
    enum err (*keeper_runs)(struct str config_path, struct buf *why);
    /* `postrider run`: the whole system in the foreground; its exit code. */
    int (*run)(struct str config_path);
    /* `postrider try`. */
    int (*try_out)(struct command *c);
};

enum command_data { DATA_NONE, DATA_PASSWORD, DATA_PASSWORD_MAYBE };

struct command_row {
    struct str noun, verb; /* verb empty: there is none */
    bool verb_implied;     /* "status" is "status show" */
    unsigned args_min, args_max;
    enum command_data data;
    const char *words;   /* of the usage line */
    const char *options; /* " --name --name= " with blanks around each; "=" takes a value */
    const char *does;    /* in a few words */
    const char *doc;     /* sentences for the manual, or null */
    /* Who does it: `main` reads the words (argv[0] is the noun) and does everything itself; `run`
     * gets them sorted; `with_depot` as well, in a fiber and with c->depot open. All null: the
     * depot does it, and its answer is printed. */
    int (*main)(int argc, char **argv);
    int (*run)(struct command *c);
    int (*with_depot)(struct command *c);
};

/* One command under way. */
struct command {
    const struct tool_world *world;
    const struct command_row *row;
    struct arena arena;
    struct str config_path;
    struct str words[COMMAND_WORDS_MAX + 4]; /* noun, verb, then arguments and options */
    size_t word_count;
    bool json;
    struct buf data, why;
    struct door *depot;
    int code;
};

/* Rows of the table; null past the last. */
const struct command_row *command_row_at(size_t i);

/* Run `postrider WORDS...`; argv[0] is the program. Returns the exit code. */
int command_main(const struct tool_world *w, int argc, char **argv);

/* "  postrider NOUN VERB WORDS" and what it does. */
void command_put_usage(struct buf *b, const struct command_row *r);

/* ---- for those who serve ---- */

/* Argument `i` (options do not count), or empty. */
struct str command_arg(const struct command *c, size_t i);
/* Value of an option, the `nth` of its name; "" for one without value; false: not given. */
bool command_option(const struct command *c, const char *name, size_t nth, struct str *value_out);
bool command_has(const struct command *c, const char *name);
/* The same as a number up to `max`; *value_out stays when it was not given. False: no number, and
 * that has been said. */
bool command_number(const struct command *c, const char *name, uint64_t max, uint64_t *value_out);

/* "postrider: WHAT ABOUT" to standard error; returns `code`. */
int command_say(int code, const char *what, struct str about);
/* The same with c->why, or the error's words when there are none; returns its exit code. */
int command_say_why(const struct command *c, enum err e);
int command_exit_code(enum err e);
/* What is wrong with the words, and how they should be; returns EXIT_USAGE. */
int command_say_usage(const struct command_row *r, const char *what, struct str about);

/* ---- ask.c: asking the depot ---- */

/* Ask a verb of its; the reply lives in `a`. Waits. */
enum err command_ask(struct command *c, enum verb verb, struct buf *request, struct arena *a,
                     struct str *reply_out);

/* Have it carry out an administrator's command, page by page. `page` gets each page that came with
 * OK, and may end it by an error. A message of the depot's on failure is put into c->why. */
typedef enum err (*command_page)(void *ctx, const struct admin_rep *rep);
enum err command_ask_admin(struct command *c, const struct str *words, size_t n, struct str data,
                           command_page page, void *ctx);

/* The standard way: send the words, print the answer. Returns the exit code. */
int command_ask_and_print(struct command *c);

/* Open the depot, run `f` with it in a fiber. Returns its exit code. */
int command_with_depot(struct command *c, int (*f)(struct command *c));

/* Fill c->data with the credential of a password that is asked for, or read from standard input. 0,
 * or an exit code. */
int command_take_password(struct command *c);

#endif
