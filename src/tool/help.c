#include "tool/help.h"

#include "base/log.h"
#include "base/near.h"
#include "tool/print.h"

#include <stdio.h>

#ifndef POSTRIDER_VERSION
#error "the build names the release"
#endif

enum { HELP_MAX = 256 * 1024 };

static const char ending[] = "\nEach takes -c FILE (the configuration, else "
                             "/etc/postrider/postrider.conf) and --json.\n"
                             "Exit codes: 0 done, 1 a negative answer, 2 usage or configuration, "
                             "75 try again later.\n";

void help_put(struct buf *b)
{
    const struct command_row *r;
    buf_put_lit(b, "usage: postrider NOUN VERB [WORDS]\n\n");
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        command_put_usage(b, r);
    }
    buf_put(b, str_c(ending));
}

int help_no_such(struct str noun)
{
    struct near near = near_of(noun);
    struct buf b = BUF_INIT(HELP_MAX);
    const struct command_row *r;
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        near_offer(&near, r->noun);
    }
    buf_put_lit(&b, "postrider: there is no command ");
    buf_put_json(&b, str_part(noun, 0, 100));
    if (near_best(&near).n > 0) {
        buf_put_lit(&b, "; did you mean \"");
        buf_put(&b, near_best(&near));
        buf_put_byte(&b, '"');
    }
    buf_put_lit(&b, "? 'postrider help' lists them\n");
    printer_error(buf_str(&b));
    buf_free(&b);
    return EXIT_USAGE;
}

static void put_row(struct arena *a, struct admin_rep *rep, const struct command_row *r)
{
    struct str *cell = &rep->cells[rep->cells_count];
    cell[0] = r->noun;
    cell[1] = r->verb;
    cell[2] = arena_str(a, str_c(r->words));
    cell[3] = str_c(r->does);
    rep->cells_count += 4;
}

/* The table as JSON: for completions and the like. */
static void print_json(struct command *c, struct str noun)
{
    struct str columns[] = { STR("noun"), STR("verb"), STR("words"), STR("does") };
    struct printer p;
    const struct command_row *r;
    size_t n = 0;
    while (command_row_at(n) != NULL) {
        n++;
    }
    struct admin_rep rep = { .columns = columns,
                             .columns_count = 4,
                             .cells = ARENA_MANY(&c->arena, struct str, n * 4) };
    for (size_t i = 0; (r = command_row_at(i)) != NULL; i++) {
        if (noun.n == 0 || str_eq(r->noun, noun)) put_row(&c->arena, &rep, r);
    }
    printer_begin(&p, true);
    printer_page(&p, &rep);
    printer_end(&p);
}

static void put_long(struct buf *b, const struct command_row *r)
{
    command_put_usage(b, r);
    if (r->doc == NULL) return;
    buf_put_lit(b, "      ");
    for (struct str left = str_c(r->doc), sentence; left.n > 0;) {
        size_t stop = str_find_str(left, STR(". "));
        sentence = stop == STR_NOWHERE ? left : str_part(left, 0, stop + 1);
        left = str_skip(left, sentence.n + 1);
        buf_put(b, sentence);
        buf_put(b, left.n > 0 ? STR("\n      ") : STR("\n"));
    }
}

int tool_help(struct command *c)
{
    struct str noun = command_arg(c, 0);
    struct buf b = BUF_INIT(HELP_MAX);
    const struct command_row *r;
    size_t found = 0;
    for (size_t i = 0; noun.n > 0 && (r = command_row_at(i)) != NULL; i++) {
        if (!str_eq(r->noun, noun)) continue;
        if (found++ == 0) buf_put_lit(&b, "usage:\n");
        put_long(&b, r);
    }
    if (noun.n == 0) help_put(&b);
    if (noun.n > 0 && found > 0) buf_put(&b, str_c(ending));
    int code = noun.n > 0 && found == 0 ? help_no_such(noun) : EXIT_GOOD;
    if (code == EXIT_GOOD && c->json) {
        print_json(c, noun);
    } else if (code == EXIT_GOOD) {
        (void)fwrite(b.p, 1, b.n, stdout);
    }
    buf_free(&b);
    return code;
}

int tool_version(struct command *c)
{
    struct str columns[] = { STR("version") }, cells[] = { STR(POSTRIDER_VERSION) };
    struct printer p;
    if (!c->json) {
        (void)fputs("postrider " POSTRIDER_VERSION "\n", stdout);
        return EXIT_GOOD;
    }
    printer_begin(&p, true);
    printer_page(&p,
                 &(struct admin_rep){
                     .columns = columns, .columns_count = 1, .cells = cells, .cells_count = 1 });
    printer_end(&p);
    return EXIT_GOOD;
}
