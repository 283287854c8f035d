/* Tables to man(7). Sentences begin on lines of their own, as the typesetter likes them. */
#include "tool/man.h"
#include "model/config_option.h"
#include "syntax/conf_value.h"
#include "tool/command.h"

#include <stdio.h>

enum { MAN_MAX = 1 << 20 };

/* ---- text ---- */

/* Text as it is, in a request's argument or in a line: nothing in it is a command. */
static void put_escaped(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\\') {
            buf_put_lit(b, "\\e");
        } else if (c == '-') {
            buf_put_lit(b, "\\-");
        } else if (c == '"') {
            buf_put_lit(b, "\\(dq");
        } else {
            buf_put_byte(b, c);
        }
    }
}

/* A line of text, of which the first byte must not make a request. */
static void put_line(struct buf *b, struct str line)
{
    if (str_starts(line, STR(".")) || str_starts(line, STR("'"))) buf_put_lit(b, "\\&");
    put_escaped(b, line);
    buf_put_lit(b, "\n");
}

/* A paragraph, a sentence a line. */
static void put_text(struct buf *b, struct str text)
{
    while (text.n > 0) {
        size_t stop = str_find_str(text, STR(". "));
        put_line(b, stop == STR_NOWHERE ? text : str_part(text, 0, stop + 1));
        text = stop == STR_NOWHERE ? STR_NONE : str_skip(text, stop + 2);
    }
}

/* Name in bold, and what follows it; words in capitals are what the reader puts in. */
static void put_tag(struct buf *b, struct str name, struct str usage)
{
    buf_put_lit(b, ".TP\n\\fB");
    put_escaped(b, name);
    buf_put_lit(b, "\\fP");
    for (struct str word; str_cut(&usage, ' ', &word);) {
        size_t capitals = 0;
        while (capitals < word.n && word.p[capitals] >= 'A' && word.p[capitals] <= 'Z') {
            capitals++;
        }
        bool is_place = capitals > 1 && capitals == word.n;
        buf_put(b, is_place ? STR(" \\fI") : STR(" "));
        put_escaped(b, word);
        if (is_place) buf_put_lit(b, "\\fP");
    }
    buf_put_lit(b, "\n");
}

static void put_example(struct buf *b, struct str example)
{
    buf_put_lit(b, ".IP\n.nf\n.ft CW\n");
    for (struct str line; str_cut(&example, '\n', &line);) {
        put_line(b, line);
    }
    buf_put_lit(b, ".ft\n.fi\n");
}

/* ---- settings ---- */

static void put_standard(struct buf *b, const struct config_option *o)
{
    if (o->standard == NULL && o->standard_words == NULL) return;
    buf_put_lit(b, "Standard: ");
    if (o->standard != NULL && str_eq(str_c(o->standard), STR("\"\""))) {
        buf_put_lit(b, "empty");
    } else {
        put_escaped(b, str_c(o->standard != NULL ? o->standard : o->standard_words));
    }
    buf_put_lit(b, ".\n");
}

static void put_range(struct buf *b, const struct config_option *o)
{
    bool bytes = o->kind == CONFIG_KIND_BYTES;

    if (!bytes && o->kind != CONFIG_KIND_COUNT && o->kind != CONFIG_KIND_CORES) return;
    buf_put_lit(b, "From ");
    if (bytes) {
        conf_put_bytes(b, o->min);
    } else {
        buf_put_i64(b, o->min);
    }
    buf_put_lit(b, " to ");
    if (bytes) {
        conf_put_bytes(b, o->max);
    } else {
        buf_put_i64(b, o->max);
    }
    buf_put(b, o->kind == CONFIG_KIND_CORES ? STR(", or cores: as many as processor cores.\n")
                                            : STR(".\n"));
}

static void put_option(struct buf *b, const struct config_option *o)
{
    put_tag(b, str_c(o->name), str_c(o->usage));
    put_text(b, str_c(o->doc));
    put_range(b, o);
    put_standard(b, o);
    if (o->effect == CONFIG_ON_RESTART) buf_put_lit(b, "A change takes effect on a restart.\n");
    if (o->example != NULL) put_example(b, str_c(o->example));
}

static void put_block(struct buf *b, const char *block)
{
    const struct config_option *o;
    bool any = false;

    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (!str_eq(str_c(o->block), str_c(block))) continue;
        if (!any) buf_put_lit(b, ".RS\n");
        any = true;
        put_option(b, o);
    }
    if (any) buf_put_lit(b, ".RE\n");
}

static void put_settings(struct buf *b)
{
    const struct config_option *o;

    buf_put_lit(b, ".SH SETTINGS\nThe settings of a block are set off to the right below it.\n");
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (o->block[0] != 0) continue;
        put_option(b, o);
        put_block(b, o->name);
    }
}

/* ---- conditions ---- */

static void put_conditions(struct buf *b)
{
    static const char *const stages[] = {
        [CONFIG_AT_CONNECT] = "Known at the connection.",
        [CONFIG_AT_HELO] = "Known at EHLO.",
        [CONFIG_AT_MAIL] = "Known at MAIL.",
        [CONFIG_AT_RCPT] = "Known at RCPT.",
    };
    const struct config_condition_row *c;

    buf_put_lit(b, ".SH CONDITIONS\n");
    put_text(b, STR("These stand in route and check lines, before the action. A condition with "
                    "several values holds when one of them fits; a line with several conditions "
                    "matches when all of them hold; not before a condition turns it round. In a "
                    "PATTERN the character * stands for anything, and case does not count. A value "
                    "that is spelled like a condition or an action goes into quotation marks."));
    for (size_t i = 0; (c = config_condition_at(i)) != NULL; i++) {
        put_tag(b, c->name, str_c(c->usage));
        put_text(b, str_c(c->doc));
        put_line(b, str_c(stages[c->stage]));
    }
}

/* ---- limits ---- */

static void put_param(struct buf *b, const struct param *p)
{
    static const char *const kinds[] = {
        [PARAM_TIME_MS] = "TIME",
        [PARAM_BYTES] = "SIZE",
        [PARAM_COUNT] = "NUMBER",
        [PARAM_BOOL] = "yes|no",
    };

    put_tag(b, str_c(p->name), str_c(kinds[p->kind]));
    put_text(b, str_c(p->doc));
    buf_put_lit(b, ".br\n");
    if (p->kind != PARAM_BOOL) {
        buf_put_lit(b, "From ");
        config_put_param(b, p, p->min);
        buf_put_lit(b, " to ");
        config_put_param(b, p, p->max);
        buf_put_lit(b, ". ");
    }
    buf_put_lit(b, "Standard: ");
    config_put_param(b, p, p->standard);
    buf_put_lit(b, ".\n");
}

static void put_limits(struct buf *b)
{
    struct arena a = ARENA_INIT(0);
    size_t n;
    const struct param **params = config_params(&a, &n);

    buf_put_lit(b, ".SH LIMITS\n");
    put_text(b, STR("Each of these is set by a line of its own: limit NAME VALUE. A value out of "
                    "its range is an error."));
    for (size_t i = 0; i < n; i++) {
        put_param(b, params[i]);
    }
    arena_free(&a);
}

void man_put_conf(struct buf *b)
{
    put_settings(b);
    put_conditions(b);
    put_limits(b);
}

/* ---- commands ---- */

/* Words of a usage line: capitals are what the reader puts in, the rest is typed as it is. */
static void put_words(struct buf *b, struct str words)
{
    size_t i = 0;
    while (i < words.n) {
        size_t from = i;
        while (i < words.n && words.p[i] >= 'A' && words.p[i] <= 'Z') {
            i++;
        }
        /* "MESSAGE-ID" is one word, "N]" is one, "A" of "--Ab" is none. */
        while (i > from && i + 1 < words.n && words.p[i] == '-' && words.p[i + 1] >= 'A' &&
               words.p[i + 1] <= 'Z') {
            i++;
            while (i < words.n && words.p[i] >= 'A' && words.p[i] <= 'Z') {
                i++;
            }
        }
        if (i > from) {
            buf_put_lit(b, "\\fI");
            put_escaped(b, str_part(words, from, i - from));
            buf_put_lit(b, "\\fP");
        } else {
            put_escaped(b, str_part(words, i++, 1));
        }
    }
}

static void put_command(struct buf *b, const struct command_row *r)
{
    buf_put_lit(b, ".TP\n\\fB");
    put_escaped(b, r->noun);
    if (r->verb.n > 0 && !r->verb_implied) {
        buf_put_byte(b, ' ');
        put_escaped(b, r->verb);
    }
    buf_put_lit(b, "\\fP");
    if (r->words != NULL) {
        buf_put_byte(b, ' ');
        put_words(b, str_c(r->words));
    }
    buf_put_byte(b, '\n');
    /* What it does, as a sentence. */
    struct buf does = BUF_INIT(1024);
    buf_put(&does, str_c(r->does));
    if (does.n > 0 && does.p[0] >= 'a' && does.p[0] <= 'z')
        does.p[0] = (char)(does.p[0] - 'a' + 'A');
    buf_put_byte(&does, '.');
    put_text(b, buf_str(&does));
    buf_free(&does);
    if (r->doc != NULL) put_text(b, str_c(r->doc));
}

void man_put_commands(struct buf *b)
{
    const struct command_row *r;

    buf_put_lit(b, ".SH COMMANDS\n");
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        put_command(b, r);
    }
}

int tool_man(int argc, char **argv)
{
    struct buf b = buf_new(MAN_MAX);
    struct str part = argc == 2 ? str_c(argv[1]) : STR_NONE;

    if (str_eq(part, STR("conf"))) {
        man_put_conf(&b);
    } else if (str_eq(part, STR("commands"))) {
        man_put_commands(&b);
    } else {
        (void)fputs("usage: postrider man conf|commands\n\n"
                    "  print the parts of postrider.conf(5) and postrider(8) that come from the "
                    "program's tables\n",
                    stderr);
        return EXIT_USAGE;
    }
    (void)fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
    return EXIT_GOOD;
}
