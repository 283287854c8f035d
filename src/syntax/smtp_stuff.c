/* The searches are cut at WINDOW_BYTES for the reason told in smtp_data.c. */
#include "syntax/smtp_stuff.h"

enum { WINDOW_BYTES = 2048 };

/* Take `taken` bytes of the slice, of which the first `n` are a piece; `owed` follows it. */
static struct str cut(struct smtp_data_stuff *w, struct str *in, size_t n, size_t taken,
                      struct str owed)
{
    struct str piece = str_part(*in, 0, n);
    *in = str_skip(*in, taken);
    w->owed = owed;
    return piece;
}

static struct str take_run(struct smtp_data_stuff *w, struct str *in)
{
    const struct str s = *in;
    size_t at = 0;

    while (at < s.n) {
        if (w->at == SMTP_STUFF_LINE_START && s.p[at] == '.') {
            w->at = SMTP_STUFF_IN_LINE;
            return cut(w, in, at, at, STR("."));
        }
        w->at = SMTP_STUFF_IN_LINE;
        struct str window = str_part(s, at, WINDOW_BYTES);
        size_t cr = str_find(window, '\r');
        struct str content = str_part(window, 0, cr);
        size_t lf = str_find(content, '\n');
        if (lf != STR_NOWHERE) {
            w->mended = true;
            w->at = SMTP_STUFF_LINE_START;
            return cut(w, in, at + lf, at + lf + 1, STR("\r\n"));
        }
        at += content.n;
        if (cr == STR_NOWHERE) continue;
        if (at + 1 == s.n) {
            w->at = SMTP_STUFF_CR;
            return cut(w, in, at, s.n, STR_NONE);
        }
        if (s.p[at + 1] != '\n') {
            w->mended = true;
            return cut(w, in, at, at + 1, STR(" "));
        }
        at += 2;
        w->at = SMTP_STUFF_LINE_START;
    }
    return cut(w, in, s.n, s.n, STR_NONE);
}

/* A CR stood at the end of the slice before. */
static struct str decide_cr(struct smtp_data_stuff *w, struct str *in)
{
    if (in->p[0] == '\n') {
        *in = str_skip(*in, 1);
        w->at = SMTP_STUFF_LINE_START;
        return STR("\r\n");
    }
    w->mended = true;
    w->at = SMTP_STUFF_IN_LINE;
    return STR(" ");
}

bool smtp_data_stuff_next(struct smtp_data_stuff *w, struct str *in, struct str *piece_out)
{
    while (w->owed.n > 0 || in->n > 0) {
        struct str piece = w->owed;
        w->owed = STR_NONE;
        if (piece.n == 0) piece = w->at == SMTP_STUFF_CR ? decide_cr(w, in) : take_run(w, in);
        if (piece.n == 0) continue;
        *piece_out = piece;
        return true;
    }
    return false;
}

struct str smtp_data_stuff_end(struct smtp_data_stuff *w)
{
    bool open = w->at != SMTP_STUFF_LINE_START;
    if (w->at == SMTP_STUFF_CR) w->mended = true;
    w->at = SMTP_STUFF_LINE_START;
    return open ? STR("\r\n.\r\n") : STR(".\r\n");
}

void smtp_data_stuff(struct smtp_data_stuff *w, struct str in, struct buf *b)
{
    struct str piece;
    while (smtp_data_stuff_next(w, &in, &piece)) {
        buf_put(b, piece);
    }
}
