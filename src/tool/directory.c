#include "tool/directory.h"

#include "tool/file.h"
#include "tool/print.h"

enum { TEXT_MAX = 8 * 1024 * 1024, PIECE_BYTES = 1024 * 1024 };

static enum err text_page(void *ctx, const struct admin_rep *rep)
{
    printer_data(ctx, rep->data);
    return OK;
}

static int finish(struct command *c, struct printer *p, enum err e)
{
    if (e != OK) printer_message(p, c->why.n > 0 ? buf_str(&c->why) : str_c(err_words(e)), true);
    printer_end(p);
    return command_exit_code(e);
}

int tool_snapshot(struct command *c)
{
    struct printer p;
    struct str words[] = { STR("directory"), STR("snapshot"), STR("--credentials") };
    printer_begin_as(&p, c->json, PRINT_TEXT);
    return finish(c, &p,
                  command_ask_admin(c, words, command_has(c, "credentials") ? 3 : 2, STR_NONE,
                                    text_page, &p));
}

/* ---- apply ---- */

static enum err id_page(void *ctx, const struct admin_rep *rep)
{
    struct buf *id = ctx;
    buf_clear(id);
    buf_put(id, rep->data);
    return OK;
}

/* Hand the text over in pieces; its id comes back. */
static enum err hand_in(struct command *c, struct str text, struct buf *id)
{
    enum err e = OK;
    bool first = true;
    while (e == OK && (first || text.n > 0)) {
        struct str piece = str_part(text, 0, PIECE_BYTES);
        struct str words[] = { STR("directory"), STR("text"), arena_str(&c->arena, buf_str(id)) };
        e = command_ask_admin(c, words, first ? 2 : 3, piece, id_page, id);
        text = str_skip(text, piece.n);
        first = false;
    }
    return e;
}

struct applying {
    struct printer printer;
    uint64_t changes;
};

static enum err changes_page(void *ctx, const struct admin_rep *rep)
{
    struct applying *x = ctx;
    x->changes += rep->cells_count;
    if (x->printer.json) {
        printer_page(&x->printer, rep);
        return OK;
    }
    for (size_t i = 0; i < rep->cells_count; i++) {
        printer_data(&x->printer, rep->cells[i]);
        printer_data(&x->printer, STR("\n"));
    }
    return OK;
}

int tool_apply(struct command *c)
{
    struct buf text = BUF_INIT(TEXT_MAX), id = BUF_INIT(64);
    struct applying x = { .changes = 0 };
    enum err e = file_read(c, command_arg(c, 0), &text);
    if (e != OK) {
        command_say_why(c, e);
        buf_free(&text);
        return EXIT_USAGE;
    }
    printer_begin(&x.printer, c->json);
    e = hand_in(c, buf_str(&text), &id);
    if (e == OK) {
        struct str words[5] = { STR("directory"), STR("apply"), buf_str(&id) };
        size_t n = 3;
        if (command_has(c, "remove")) words[n++] = STR("--remove");
        if (command_has(c, "dry-run")) words[n++] = STR("--dry-run");
        e = command_ask_admin(c, words, n, STR_NONE, changes_page, &x);
    }
    buf_free(&text);
    buf_free(&id);
    return finish(c, &x.printer, e);
}
