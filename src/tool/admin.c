#include "tool/admin.h"

#include "base/must.h"
#include "base/near.h"
#include "sys/fiber.h"
#include "tool/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { WORDS_MAX = 60, PASSWORD_MAX = 1024, DATA_MAX = 2 * 1024 * 1024, ASK_WAIT_MS = 600000 };

enum data { DATA_NONE, DATA_PASSWORD, DATA_PASSWORD_MAYBE, DATA_STDIN };

static const struct row {
    struct str noun, verb;
    unsigned args_min, args_max;
    enum data data;
    const char *words;   /* of the usage line */
    const char *options; /* "--name" or "--name=", with spaces around each */
    const char *does;
} rows[] = {
    { STR_INIT("domain"), STR_INIT("add"), 1, 1, DATA_NONE,
      "NAME [--catch-all=ADDRESS] [--disabled]", " --catch-all= --disabled ",
      "take mail for a domain" },
    { STR_INIT("domain"), STR_INIT("set"), 1, 1, DATA_NONE,
      "NAME [--catch-all=ADDRESS] [--disabled|--enabled]", " --catch-all= --disabled --enabled ",
      "change it" },
    { STR_INIT("domain"), STR_INIT("list"), 0, 0, DATA_NONE, "", " ", "all domains" },
    { STR_INIT("domain"), STR_INIT("show"), 1, 1, DATA_NONE, "NAME", " ", "one domain" },
    { STR_INIT("domain"), STR_INIT("delete"), 1, 1, DATA_NONE, "NAME [--force]", " --force ",
      "take no more mail for it" },
    { STR_INIT("account"), STR_INIT("add"), 1, 1, DATA_PASSWORD_MAYBE,
      "ADDRESS [--password-stdin] [--quota-bytes=N] [--quota-messages=N] [--disabled]",
      " --password-stdin --no-password --quota-bytes= --quota-messages= --disabled ",
      "make an account; asks for its password" },
    { STR_INIT("account"), STR_INIT("set"), 1, 1, DATA_NONE,
      "ADDRESS [--quota-bytes=N] [--quota-messages=N] [--disabled|--enabled]",
      " --quota-bytes= --quota-messages= --disabled --enabled ", "change it" },
    { STR_INIT("account"), STR_INIT("passwd"), 1, 1, DATA_PASSWORD, "ADDRESS [--password-stdin]",
      " --password-stdin ", "give it another password" },
    { STR_INIT("account"), STR_INIT("list"), 0, 1, DATA_NONE, "[DOMAIN]", " ", "all accounts" },
    { STR_INIT("account"), STR_INIT("show"), 1, 1, DATA_NONE, "ADDRESS", " ",
      "one account with its use" },
    { STR_INIT("account"), STR_INIT("delete"), 1, 1, DATA_NONE, "ADDRESS", " ",
      "delete it with its mail" },
    { STR_INIT("alias"), STR_INIT("add"), 2, WORDS_MAX, DATA_NONE, "ADDRESS TARGET...", " ",
      "let an address lead to others" },
    { STR_INIT("alias"), STR_INIT("set"), 2, WORDS_MAX, DATA_NONE, "ADDRESS TARGET...", " ",
      "give it other targets" },
    { STR_INIT("alias"), STR_INIT("list"), 0, 1, DATA_NONE, "[DOMAIN]", " ", "all aliases" },
    { STR_INIT("alias"), STR_INIT("show"), 1, 1, DATA_NONE, "ADDRESS", " ", "one alias" },
    { STR_INIT("alias"), STR_INIT("delete"), 1, 1, DATA_NONE, "ADDRESS", " ", "delete it" },
    { STR_INIT("status"), STR_INIT("show"), 0, 0, DATA_NONE, "", " ", "processes and counters" },
    { STR_INIT("trace"), STR_INIT("show"), 1, 1, DATA_NONE, "MESSAGE-ID", " ",
      "what happened to a message" },
    { STR_INIT("explain"), STR_INIT("show"), 1, 1, DATA_NONE, "CODE", " ",
      "why something was refused, and what to do" },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* One command under way. */
struct command {
    const struct tool_world *world;
    const struct row *row;
    struct str config_path;
    struct str words[WORDS_MAX + 4];
    size_t word_count;
    bool json, password_stdin, no_password;
    struct buf data, why;
    int code;
};

bool tool_admin_has(struct str noun)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (str_eq(rows[i].noun, noun)) return true;
    }
    return false;
}

/* "status", "trace X" and "explain X" go without the verb. */
static bool verb_goes_without(const struct row *r)
{
    return str_eq(r->verb, STR("show")) &&
           (str_eq(r->noun, STR("status")) || str_eq(r->noun, STR("trace")) ||
            str_eq(r->noun, STR("explain")));
}

static void put_usage(struct buf *b, const struct row *r)
{
    buf_put_lit(b, "  postrider ");
    buf_put(b, r->noun);
    if (!verb_goes_without(r)) {
        buf_put_byte(b, ' ');
        buf_put(b, r->verb);
    }
    if (r->words[0] != 0) buf_put_byte(b, ' ');
    buf_put(b, str_c(r->words));
    buf_put_lit(b, "\n      ");
    buf_put(b, str_c(r->does));
    buf_put_byte(b, '\n');
}

void tool_admin_usage(struct buf *b)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        put_usage(b, &rows[i]);
    }
}

static int say_usage(struct str noun, const char *what, struct str about)
{
    struct buf b = BUF_INIT(64 * 1024);
    buf_put_lit(&b, "postrider: ");
    buf_put(&b, str_c(what));
    buf_put(&b, about);
    buf_put_lit(&b, "\nusage:\n");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (str_eq(rows[i].noun, noun)) put_usage(&b, &rows[i]);
    }
    buf_put_lit(&b, "  each with [--json] [-c FILE]\n");
    print_error(buf_str(&b));
    buf_free(&b);
    return EXIT_USAGE;
}

/* ---- words ---- */

static const struct row *row_of(struct str noun, struct str verb, bool *without_out)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        *without_out = false;
        if (!str_eq(rows[i].noun, noun)) continue;
        if (str_eq(rows[i].verb, verb)) return &rows[i];
        *without_out = true;
        if (verb_goes_without(&rows[i])) return &rows[i];
    }
    return NULL;
}

static bool option_known(const struct row *r, struct str word)
{
    struct buf b = BUF_INIT(1024);
    size_t equals = str_find(word, '=');
    buf_put_byte(&b, ' ');
    buf_put(&b, str_part(word, 0, equals == STR_NOWHERE ? SIZE_MAX : equals + 1));
    buf_put_byte(&b, ' ');
    bool known = !b.over && str_find_str(str_c(r->options), buf_str(&b)) != STR_NOWHERE;
    buf_free(&b);
    return known;
}

/* Sort the words into the command. 0, or the exit code of a usage error that has been told. */
static int take_words(struct command *c, int argc, char **argv)
{
    struct str noun = str_c(argv[0]), verb = argc > 1 ? str_c(argv[1]) : STR_NONE;
    bool without = false;
    c->row = row_of(noun, verb, &without);
    if (c->row == NULL)
        return say_usage(noun, verb.n > 0 ? "no such verb: " : "a verb is missing", verb);
    c->words[c->word_count++] = c->row->noun;
    c->words[c->word_count++] = c->row->verb;
    unsigned args = 0;
    for (int i = without ? 1 : 2; i < argc; i++) {
        struct str word = str_c(argv[i]);
        if (str_eq(word, STR("--json"))) {
            c->json = true;
        } else if (str_eq(word, STR("-c")) && i + 1 < argc) {
            c->config_path = str_c(argv[++i]);
        } else if (str_starts(word, STR("--")) && !option_known(c->row, word)) {
            return say_usage(noun, "no such option here: ", word);
        } else if (str_eq(word, STR("--password-stdin"))) {
            c->password_stdin = true;
        } else if (str_eq(word, STR("--no-password"))) {
            c->no_password = true;
        } else if (c->word_count >= WORDS_MAX) {
            return say_usage(noun, "too many words", STR_NONE);
        } else {
            if (!str_starts(word, STR("--"))) args++;
            c->words[c->word_count++] = word;
        }
    }
    if (args < c->row->args_min) return say_usage(noun, "something is missing", STR_NONE);
    if (args > c->row->args_max) return say_usage(noun, "too many words", STR_NONE);
    return 0;
}

static void say_why(const struct command *c, enum err e)
{
    struct buf b = BUF_INIT(16 * 1024);
    buf_put_lit(&b, "postrider: ");
    buf_put(&b, c->why.n > 0 ? buf_str(&c->why) : str_c(err_words(e)));
    buf_put_byte(&b, '\n');
    print_error(buf_str(&b));
    buf_free(&b);
}

/* ---- passwords ---- */

static enum err read_line(FILE *f, struct buf *out)
{
    int ch;
    while ((ch = fgetc(f)) != EOF && ch != '\n') {
        buf_put_byte(out, (char)ch);
    }
    if (out->n > 0 && out->p[out->n - 1] == '\r') buf_truncate(out, out->n - 1);
    return out->over ? ERR_LIMIT : out->n == 0 && ch == EOF ? ERR_CLOSED : OK;
}

static enum err ask_hidden(const char *prompt, struct buf *out)
{
    struct termios was, quiet;
    FILE *tty = fopen("/dev/tty", "r+");
    if (tty == NULL) return ERR_UNAVAILABLE;
    fputs(prompt, tty);
    fflush(tty);
    enum err e = tcgetattr(fileno(tty), &was) == 0 ? OK : ERR_IO;
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (e == OK && tcsetattr(fileno(tty), TCSAFLUSH, &quiet) != 0) e = ERR_IO;
    if (e == OK) e = read_line(tty, out);
    tcsetattr(fileno(tty), TCSAFLUSH, &was);
    fputc('\n', tty);
    fclose(tty);
    return e;
}

static int take_password(struct command *c)
{
    struct buf word = BUF_INIT(PASSWORD_MAX), again = BUF_INIT(PASSWORD_MAX);
    enum err e = OK;
    int code = 0;
    if (c->no_password && c->row->data == DATA_PASSWORD_MAYBE) return 0;
    if (c->password_stdin) {
        e = read_line(stdin, &word);
    } else {
        e = ask_hidden("Password: ", &word);
        if (e == OK) e = ask_hidden("Once more: ", &again);
        if (e == OK && !str_eq(buf_str(&word), buf_str(&again))) {
            print_error(STR("postrider: the two are not the same\n"));
            code = EXIT_NEGATIVE;
        }
    }
    if (code == 0 && (e != OK || word.n == 0)) {
        print_error(STR("postrider: no password was given; type it at the terminal, or use "
                        "--password-stdin\n"));
        code = EXIT_USAGE;
    }
    if (code == 0 &&
        c->world->make_credential(c->config_path, buf_str(&word), &c->data, &c->why) != OK) {
        say_why(c, ERR_INVALID);
        code = EXIT_USAGE;
    }
    if (word.n > 0) explicit_bzero(word.p, word.n);
    if (again.n > 0) explicit_bzero(again.p, again.n);
    buf_free(&word);
    buf_free(&again);
    return code;
}

/* ---- asking ---- */

static int exit_code(enum err e)
{
    if (e == OK) return EXIT_GOOD;
    if (e == ERR_SYNTAX) return EXIT_USAGE;
    return err_class(e) == CLASS_PERMANENT || err_class(e) == CLASS_LIMIT ||
                   err_class(e) == CLASS_CORRUPT
               ? EXIT_NEGATIVE
               : EXIT_TEMPORARY;
}

/* Ask page by page and print. */
static enum err ask_all(struct command *c, struct door *depot)
{
    struct printer p;
    struct buf resume = BUF_INIT(4096);
    enum err e = OK;
    printer_begin(&p, c->json);
    do {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_PLAN);
        struct str reply = STR_NONE;
        struct admin_rep rep = { .message = STR_NONE };
        struct admin_req in = { .args = c->words,
                                .args_count = c->word_count,
                                .resume = buf_str(&resume),
                                .data = buf_str(&c->data) };
        admin_req_put(&b, &in);
        e = door_call(depot, VERB_admin, buf_str(&b), ASK_WAIT_MS, &a, &reply);
        if (reply.n > 0 && admin_rep_get(reply, &a, &rep) != OK) e = ERR_PROTOCOL;
        if (e == OK) printer_page(&p, &rep);
        if (rep.message.n > 0) printer_message(&p, rep.message, e != OK);
        if (e != OK && rep.message.n == 0) printer_message(&p, str_c(err_words(e)), true);
        buf_clear(&resume);
        buf_put(&resume, rep.resume);
        buf_free(&b);
        arena_free(&a);
    } while (e == OK && resume.n > 0);
    printer_end(&p);
    buf_free(&resume);
    return e;
}

static void life(void *arg)
{
    struct command *c = arg;
    struct door *depot = NULL;
    enum err e = c->world->open_depot(c->config_path, &depot, &c->why);
    if (e != OK) {
        say_why(c, e);
        c->code = e == ERR_INVALID ? EXIT_USAGE : EXIT_TEMPORARY;
    } else {
        c->code = exit_code(ask_all(c, depot));
        door_close(&depot);
    }
    loop_stop();
}

int tool_admin(const struct tool_world *w, int argc, char **argv)
{
    struct command c = { .world = w,
                         .config_path = STR("/etc/postrider/postrider.conf"),
                         .data = BUF_INIT(DATA_MAX),
                         .why = BUF_INIT(8192) };
    int code = take_words(&c, argc, argv);
    if (code == 0 && (c.row->data == DATA_PASSWORD || c.row->data == DATA_PASSWORD_MAYBE))
        code = take_password(&c);
    if (code == 0) {
        loop_init();
        fiber_spawn("command", life, &c);
        loop_run();
        code = c.code;
    }
    if (c.data.n > 0) explicit_bzero(c.data.p, c.data.n);
    buf_free(&c.data);
    buf_free(&c.why);
    return code;
}
