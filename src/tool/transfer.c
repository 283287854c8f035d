#include "tool/transfer.h"

#include "tool/export.h"
#include "tool/import.h"
#include "tool/print.h"

enum form { FORM_NONE, FORM_MAILDIR, FORM_MBOX };

/* "maildir:FOLDER" or "mbox:FILE". */
static enum form form_of(struct str word, struct str *path_out)
{
    static const struct str prefixes[] = {
        [FORM_MAILDIR] = STR_INIT("maildir:"), [FORM_MBOX] = STR_INIT("mbox:")
    };
    for (enum form f = FORM_MAILDIR; f <= FORM_MBOX; f++) {
        if (!str_starts(word, prefixes[f]) || word.n == prefixes[f].n) continue;
        *path_out = str_skip(word, prefixes[f].n);
        /* "x/" is "x". */
        while (f == FORM_MAILDIR && path_out->n > 1 && str_ends(*path_out, STR("/"))) {
            *path_out = str_part(*path_out, 0, path_out->n - 1);
        }
        return f;
    }
    return FORM_NONE;
}

/* Rows of what was done; c->why has what should be said besides, or why it failed. */
static int tell(struct command *c, enum err e, struct str *rows, size_t n, bool quiet)
{
    static const struct str columns[] = { STR_INIT("mailbox"), STR_INIT("#done"),
                                          STR_INIT("#present") };
    struct printer p;
    struct admin_rep rep = { .columns = (struct str[]){ columns[0], columns[1], columns[2] },
                             .columns_count = 3,
                             .cells = rows,
                             .cells_count = n };
    struct str words = c->why.n > 0 ? str_trim(buf_str(&c->why)) : str_c(err_words(e));
    if (quiet) {
        if (c->why.n > 0 || e != OK) command_say(0, "", words);
        return command_exit_code(e);
    }
    printer_begin(&p, c->json);
    if (n > 0 || c->json) printer_page(&p, &rep);
    if (c->why.n > 0 || e != OK) printer_message(&p, words, e != OK);
    printer_end(&p);
    return command_exit_code(e);
}

int tool_import(struct command *c)
{
    struct import im;
    struct str path = STR_NONE;
    enum form form = form_of(command_arg(c, 1), &path);
    if (form == FORM_NONE)
        return command_say_usage(c->row, "from where? maildir:FOLDER or mbox:FILE, not ",
                                 command_arg(c, 1));
    enum err e = import_begin(&im, c, command_arg(c, 0));
    if (e == OK)
        e = form == FORM_MAILDIR
                ? import_maildir(&im, path, command_arg(c, 2))
                : import_mbox(&im, path, command_arg(c, 2), command_has(c, "plain"));
    import_end(&im);
    return tell(c, e, im.rows, im.row_count, false);
}

int tool_export(struct command *c)
{
    struct exporting ex;
    struct str path = STR_NONE, name = command_arg(c, 2);
    const struct mailbox_info *only = NULL;
    enum form form = form_of(command_arg(c, 1), &path);
    if (form == FORM_NONE)
        return command_say_usage(c->row, "to where? maildir:FOLDER or mbox:FILE, not ",
                                 command_arg(c, 1));
    enum err e = export_begin(&ex, c, command_arg(c, 0));
    if (e == OK && name.n == 0 && form == FORM_MBOX) name = STR("INBOX");
    if (e == OK && name.n > 0 && (only = export_find(&ex, name)) == NULL) e = ERR_NOT_FOUND;
    if (e == OK)
        e = form == FORM_MAILDIR ? export_maildir(&ex, path, only)
                                 : export_mbox(&ex, path, only, command_has(c, "plain"));
    if (e == OK && ex.damaged > 0) e = ERR_CORRUPT;
    return tell(c, e, ex.rows, ex.row_count, form == FORM_MBOX && str_eq(path, STR("-")));
}
