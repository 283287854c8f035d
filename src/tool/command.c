/* Words into commands. An option's value stands behind '=' or in the next word; everything that
 * does not begin with "--" is an argument, everything behind a lone "--" as well. */
#include "tool/command.h"

#include "base/log.h"
#include "base/near.h"
#include "tool/config_file.h"
#include "tool/help.h"
#include "tool/print.h"

#include <stdio.h>

enum { DATA_MAX = 9 * 1024 * 1024, WHY_MAX = 64 * 1024, USAGE_MAX = 64 * 1024 };

/* ---- telling ---- */

void command_put_usage(struct buf *b, const struct command_row *r)
{
    buf_put_lit(b, "  postrider ");
    buf_put(b, r->noun);
    if (r->verb.n > 0 && !r->verb_implied) {
        buf_put_byte(b, ' ');
        buf_put(b, r->verb);
    }
    if (r->words != NULL) {
        buf_put_byte(b, ' ');
        buf_put(b, str_c(r->words));
    }
    buf_put_lit(b, "\n      ");
    buf_put(b, str_c(r->does));
    buf_put_byte(b, '\n');
}

int command_say(int code, const char *what, struct str about)
{
    struct buf b = BUF_INIT(WHY_MAX);
    buf_put_lit(&b, "postrider: ");
    buf_put(&b, str_c(what));
    buf_put(&b, about);
    buf_put_byte(&b, '\n');
    printer_error(buf_str(&b));
    buf_free(&b);
    return code;
}

int command_exit_code(enum err e)
{
    if (e == OK) return EXIT_GOOD;
    if (e == ERR_SYNTAX) return EXIT_USAGE;
    return err_class(e) == CLASS_PERMANENT || err_class(e) == CLASS_LIMIT ||
                   err_class(e) == CLASS_CORRUPT
               ? EXIT_NEGATIVE
               : EXIT_TEMPORARY;
}

int command_say_why(const struct command *c, enum err e)
{
    struct str words = c->why.n > 0 ? buf_str(&c->why) : str_c(err_words(e));
    if (c->json) {
        struct printer p;
        printer_begin(&p, true);
        printer_message(&p, words, true);
        printer_end(&p);
    } else {
        command_say(0, "", words);
    }
    return command_exit_code(e);
}

static int say_usage_of(struct str noun, const struct command_row *only, const char *what,
                        struct str about)
{
    struct buf b = BUF_INIT(USAGE_MAX);
    const struct command_row *r;
    buf_put_lit(&b, "postrider ");
    buf_put(&b, noun);
    buf_put_lit(&b, ": ");
    buf_put(&b, str_c(what));
    buf_put(&b, about);
    buf_put_lit(&b, "\nusage:\n");
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        if (str_eq(r->noun, noun) && (only == NULL || only == r)) command_put_usage(&b, r);
    }
    buf_put_lit(&b, "  each with [--json] [-c FILE]\n");
    printer_error(buf_str(&b));
    buf_free(&b);
    return EXIT_USAGE;
}

int command_say_usage(const struct command_row *r, const char *what, struct str about)
{
    return say_usage_of(r->noun, r, what, about);
}

/* ---- words ---- */

struct str command_arg(const struct command *c, size_t i)
{
    for (size_t k = 2; k < c->word_count; k++) {
        if (str_starts(c->words[k], STR("--"))) continue;
        if (i-- == 0) return c->words[k];
    }
    return STR_NONE;
}

bool command_option(const struct command *c, const char *name, size_t nth, struct str *value_out)
{
    for (size_t k = 2; k < c->word_count; k++) {
        struct str word = c->words[k], head;
        if (!str_starts(word, STR("--"))) continue;
        word = str_skip(word, 2);
        bool has_value = str_find(word, '=') != STR_NOWHERE;
        if (!str_cut(&word, '=', &head) || !str_eq(head, str_c(name))) continue;
        if (nth-- > 0) continue;
        *value_out = has_value ? word : STR_NONE;
        return true;
    }
    return false;
}

bool command_has(const struct command *c, const char *name)
{
    struct str value;
    return command_option(c, name, 0, &value);
}

bool command_number(const struct command *c, const char *name, uint64_t max, uint64_t *value_out)
{
    struct str value;
    if (!command_option(c, name, 0, &value)) return true;
    if (str_to_u64(value, max, value_out) == OK) return true;
    struct buf b = BUF_INIT(1024);
    buf_put_lit(&b, "--");
    buf_put(&b, str_c(name));
    buf_put_lit(&b, " takes a number up to ");
    buf_put_u64(&b, max);
    buf_put_lit(&b, ", not ");
    buf_put_json(&b, str_part(value, 0, 100));
    buf_put_byte(&b, 0);
    command_say_usage(c->row, b.over ? "a number is needed" : b.p, STR_NONE);
    buf_free(&b);
    return false;
}

/* Is "--name" (or "--name=") in the row's list? */
static bool option_is(const struct command_row *r, struct str name, bool with_value)
{
    struct buf b = BUF_INIT(1024);
    buf_put_byte(&b, ' ');
    buf_put(&b, name);
    buf_put(&b, with_value ? STR("= ") : STR(" "));
    bool known = !b.over && str_find_str(str_c(r->options), buf_str(&b)) != STR_NOWHERE;
    buf_free(&b);
    return known;
}

static int say_no_option(const struct command_row *r, struct str word)
{
    struct near near = near_of(word);
    struct str left = str_c(r->options), option;
    while (str_cut(&left, ' ', &option)) {
        if (option.n > 0)
            near_offer(&near,
                       option.p[option.n - 1] == '=' ? str_part(option, 0, option.n - 1) : option);
    }
    if (near_best(&near).n == 0) return command_say_usage(r, "no such option here: ", word);
    struct buf b = BUF_INIT(1024);
    buf_put(&b, str_part(word, 0, 200));
    buf_put_lit(&b, "; did you mean ");
    buf_put(&b, near_best(&near));
    int code = command_say_usage(r, "no such option here: ", buf_str(&b));
    buf_free(&b);
    return code;
}

/* One option, perhaps with the word behind it. 0, or an exit code. */
static int take_option(struct command *c, struct str word, const char *next, bool *used_next_out)
{
    size_t equals = str_find(word, '=');
    struct str name = str_part(word, 0, equals);
    *used_next_out = false;
    if (equals == STR_NOWHERE && option_is(c->row, name, false)) {
        c->words[c->word_count++] = word;
        return 0;
    }
    if (!option_is(c->row, name, true)) {
        if (equals != STR_NOWHERE && option_is(c->row, name, false))
            return command_say_usage(c->row, "this option takes no value: ", name);
        return say_no_option(c->row, name);
    }
    if (equals == STR_NOWHERE) {
        if (next == NULL) return command_say_usage(c->row, "a value is missing behind ", name);
        word = ARENA_JOIN(&c->arena, name, STR("="), str_c(next));
        *used_next_out = true;
    }
    c->words[c->word_count++] = word;
    return 0;
}

/* Sort the words behind noun and verb. 0, or the exit code of a usage error that has been told. */
static int take_words(struct command *c, int argc, char **argv)
{
    unsigned args = 0;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        struct str word = str_c(argv[i]);
        bool used_next = false;
        if (c->word_count >= COMMAND_WORDS_MAX)
            return command_say_usage(c->row, "too many words", STR_NONE);
        if (options_end || !str_starts(word, STR("-")) || str_eq(word, STR("-"))) {
            if (str_starts(word, STR("--")))
                return command_say_usage(c->row, "this cannot begin with '--': ", word);
            c->words[c->word_count++] = word;
            args++;
        } else if (str_eq(word, STR("--"))) {
            options_end = true;
        } else if (str_eq(word, STR("--json"))) {
            c->json = true;
        } else if (str_eq(word, STR("-c"))) {
            if (i + 1 >= argc)
                return command_say_usage(c->row, "a file is missing behind -c", STR_NONE);
            c->config_path = str_c(argv[++i]);
        } else {
            int code = take_option(c, word, i + 1 < argc ? argv[i + 1] : NULL, &used_next);
            if (code != 0) return code;
            i += used_next;
        }
    }
    if (args < c->row->args_min) return command_say_usage(c->row, "something is missing", STR_NONE);
    if (args > c->row->args_max) return command_say_usage(c->row, "too many words", STR_NONE);
    return 0;
}

/* ---- finding the row ---- */

/* The row of noun and verb; *used_out: how many words that were. */
static const struct command_row *row_of(struct str noun, struct str verb, int *used_out)
{
    const struct command_row *r, *without = NULL;
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        if (!str_eq(r->noun, noun)) continue;
        *used_out = 2;
        if (r->verb.n > 0 && str_eq(r->verb, verb)) return r;
        if (r->verb.n == 0 || r->verb_implied) without = r;
    }
    *used_out = 1;
    return without;
}

static bool noun_known(struct str noun)
{
    const struct command_row *r;
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        if (str_eq(r->noun, noun)) return true;
    }
    return false;
}

static int say_no_verb(struct str noun, struct str verb)
{
    struct near near = near_of(verb);
    const struct command_row *r;
    if (verb.n == 0 || str_starts(verb, STR("-")))
        return say_usage_of(noun, NULL, "a verb is missing", STR_NONE);
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        if (str_eq(r->noun, noun)) near_offer(&near, r->verb);
    }
    struct buf b = BUF_INIT(1024);
    buf_put_json(&b, str_part(verb, 0, 100));
    if (near_best(&near).n > 0) {
        buf_put_lit(&b, "; did you mean \"");
        buf_put(&b, near_best(&near));
        buf_put_lit(&b, "\"?");
    }
    int code = say_usage_of(noun, NULL, "no such verb: ", buf_str(&b));
    buf_free(&b);
    return code;
}

/* ---- running ---- */

static int carry_out(struct command *c)
{
    if (c->row->data != DATA_NONE) {
        int code = command_take_password(c);
        if (code != 0) return code;
    }
    if (c->row->run != NULL) return c->row->run(c);
    return command_with_depot(c, c->row->with_depot != NULL ? c->row->with_depot
                                                            : command_ask_and_print);
}

/* What people try first. */
static struct str plain_noun(struct str word)
{
    if (str_eq(word, STR("--help")) || str_eq(word, STR("-h"))) return STR("help");
    if (str_eq(word, STR("--version")) || str_eq(word, STR("-V"))) return STR("version");
    return word;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (str_eq(str_c(argv[i]), STR("--help")) || str_eq(str_c(argv[i]), STR("-h"))) return true;
    }
    return false;
}

int command_main(const struct tool_world *w, int argc, char **argv)
{
    struct str noun = argc > 1 ? plain_noun(str_c(argv[1])) : STR_NONE;
    struct str verb = argc > 2 ? str_c(argv[2]) : STR_NONE;
    char *help[] = { argv[0], (char[]){ "help" }, argc > 1 ? argv[1] : NULL, NULL };
    int used = 0;
    if (noun.n == 0) {
        struct buf b = BUF_INIT(256 * 1024);
        help_put(&b);
        printer_error(buf_str(&b));
        buf_free(&b);
        return EXIT_USAGE;
    }
    if (!noun_known(noun)) return help_no_such(noun);
    if (asks_for_help(argc - 2, argv + 2)) return command_main(w, 3, help);
    const struct command_row *r = row_of(noun, verb, &used);
    if (r == NULL) return say_no_verb(noun, verb);
    if (r->main != NULL) return r->main(argc - 1, argv + 1);

    struct command c = { .world = w,
                         .row = r,
                         .arena = ARENA_INIT(0),
                         .config_path = STR(CONFIG_FILE_STANDARD),
                         .data = BUF_INIT(DATA_MAX),
                         .why = BUF_INIT(WHY_MAX),
                         .words = { r->noun, r->verb },
                         .word_count = 2 };
    int code = take_words(&c, argc - 1 - used, argv + 1 + used);
    if (code == 0) code = carry_out(&c);
    if (c.data.n > 0) explicit_bzero(c.data.p, c.data.n);
    buf_free(&c.data);
    buf_free(&c.why);
    arena_free(&c.arena);
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? code : EXIT_TEMPORARY;
}
