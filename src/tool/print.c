#include "tool/print.h"

#include "base/log.h"
#include "syntax/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COLUMN_WIDTH_MAX = 60 };

static void out(struct str s)
{
    fwrite(s.p, 1, s.n, stdout);
}

void printer_error(struct str text)
{
    fflush(stdout);
    fwrite(text.p, 1, text.n, stderr);
}

void printer_begin_as(struct printer *p, bool json, enum printer_kind kind)
{
    *p = (struct printer){ .json = json, .kind = kind };
}

void printer_begin(struct printer *p, bool json)
{
    printer_begin_as(p, json, PRINT_ROWS);
}

/* A column's name without the mark of its kind. */
static struct str column_name(struct str column)
{
    return column.n > 0 && (column.p[0] == '#' || column.p[0] == '?') ? str_skip(column, 1)
                                                                      : column;
}

static void open_value(struct printer *p)
{
    static const struct str opens[] = { [PRINT_ROWS] = STR_INIT("{\"rows\":["),
                                        [PRINT_TEXT] = STR_INIT("{\"text\":\""),
                                        [PRINT_BYTES] = STR_INIT("{\"base64\":\"") };
    if (!p->begun) out(opens[p->kind]);
    p->begun = true;
}

/* ---- JSON ---- */

static void put_json_cell(struct buf *b, struct str column, struct str cell)
{
    if (column.n > 0 && column.p[0] == '#' && cell.n > 0) {
        buf_put(b, cell);
    } else if (column.n > 0 && column.p[0] == '?') {
        buf_put(b, str_eq(cell, STR("yes")) ? STR("true") : STR("false"));
    } else {
        buf_put_json(b, cell);
    }
}

static void json_page(struct printer *p, const struct admin_rep *rep)
{
    struct buf b = BUF_INIT(16 * 1024 * 1024);
    size_t columns = rep->columns_count;
    open_value(p);
    for (size_t i = 0; columns > 0 && i + columns <= rep->cells_count; i += columns) {
        buf_put(&b, p->rows++ > 0 ? STR(",\n{") : STR("\n{"));
        for (size_t k = 0; k < columns; k++) {
            if (k > 0) buf_put_byte(&b, ',');
            buf_put_json(&b, column_name(rep->columns[k]));
            buf_put_byte(&b, ':');
            put_json_cell(&b, rep->columns[k], rep->cells[i + k]);
        }
        buf_put_byte(&b, '}');
    }
    out(buf_str(&b));
    buf_free(&b);
}

/* ---- tables ---- */

/* What a terminal may be given: control bytes become '?'. */
static void put_plain(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        buf_put_byte(b, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

static void put_padded(struct buf *b, struct str s, size_t width, bool right)
{
    size_t gap = s.n < width ? width - s.n : 0;
    for (size_t i = 0; right && i < gap; i++) {
        buf_put_byte(b, ' ');
    }
    put_plain(b, s);
    for (size_t i = 0; !right && i < gap; i++) {
        buf_put_byte(b, ' ');
    }
}

static void table_page(struct printer *p, const struct admin_rep *rep)
{
    struct buf b = BUF_INIT(16 * 1024 * 1024);
    size_t columns = rep->columns_count;
    size_t *widths = calloc(columns + 1, sizeof *widths);
    if (widths == NULL || columns == 0) {
        free(widths);
        return;
    }
    for (size_t k = 0; k < columns; k++) {
        widths[k] = column_name(rep->columns[k]).n;
    }
    for (size_t i = 0; i < rep->cells_count; i++) {
        size_t n = rep->cells[i].n < COLUMN_WIDTH_MAX ? rep->cells[i].n : COLUMN_WIDTH_MAX;
        if (n > widths[i % columns]) widths[i % columns] = n;
    }
    for (size_t k = 0; !p->begun && k < columns; k++) {
        bool right = rep->columns[k].p[0] == '#';
        if (k > 0) buf_put_lit(&b, "  ");
        put_padded(&b, column_name(rep->columns[k]), k + 1 < columns || right ? widths[k] : 0,
                   right);
    }
    if (!p->begun) buf_put_byte(&b, '\n');
    p->begun = true;
    for (size_t i = 0; i + columns <= rep->cells_count; i += columns) {
        p->rows++;
        for (size_t k = 0; k < columns; k++) {
            bool right = rep->columns[k].p[0] == '#';
            if (k > 0) buf_put_lit(&b, "  ");
            put_padded(&b, rep->cells[i + k], k + 1 < columns || right ? widths[k] : 0, right);
        }
        buf_put_byte(&b, '\n');
    }
    free(widths);
    out(buf_str(&b));
    buf_free(&b);
}

void printer_page(struct printer *p, const struct admin_rep *rep)
{
    if (rep->data.n > 0) {
        printer_data(p, rep->data);
    } else if (p->json) {
        json_page(p, rep);
    } else if (rep->columns_count > 0) {
        table_page(p, rep);
    }
}

/* ---- text and bytes ---- */

static void put_base64(struct printer *p, struct str bytes)
{
    struct buf group = BUF_INIT(bytes.n + sizeof p->odd), text = BUF_INIT(bytes.n * 2 + 16);
    buf_put(&group, str_of(p->odd, p->odd_count));
    buf_put(&group, bytes);
    p->odd_count = group.n % 3;
    struct str left = str_skip(buf_str(&group), group.n - p->odd_count);
    for (size_t i = 0; i < left.n; i++) {
        p->odd[i] = left.p[i];
    }
    base64_put(&text, str_part(buf_str(&group), 0, group.n - p->odd_count));
    out(buf_str(&text));
    buf_free(&group);
    buf_free(&text);
}

static void put_text(struct str text)
{
    struct buf b = BUF_INIT(text.n * 6 + 16);
    buf_put_json(&b, text);
    out(str_part(buf_str(&b), 1, b.n - 2)); /* the quotes stand around the whole */
    buf_free(&b);
}

void printer_data(struct printer *p, struct str bytes)
{
    if (!p->json) {
        out(bytes);
        return;
    }
    open_value(p);
    if (p->kind == PRINT_BYTES) {
        put_base64(p, bytes);
    } else if (p->kind == PRINT_TEXT) {
        put_text(bytes);
    }
}

static void close_value(struct printer *p)
{
    if (p->kind == PRINT_BYTES) {
        struct buf b = BUF_INIT(16);
        base64_put(&b, str_of(p->odd, p->odd_count));
        out(buf_str(&b));
        buf_free(&b);
    }
    out(p->kind == PRINT_ROWS ? STR("\n]") : STR("\""));
}

/* ---- the end ---- */

void printer_message(struct printer *p, struct str text, bool failure)
{
    struct buf b = BUF_INIT(1024 * 1024);
    if (p->json) {
        if (p->begun) close_value(p);
        buf_put(&b, p->begun ? STR(",") : STR("{"));
        buf_put(&b, failure ? STR("\"error\":") : STR("\"message\":"));
        buf_put_json(&b, text);
        buf_put_lit(&b, "}\n");
        out(buf_str(&b));
        p->closed = true;
    } else {
        if (failure) buf_put_lit(&b, "postrider: ");
        buf_put(&b, text);
        buf_put_byte(&b, '\n');
        if (failure) {
            printer_error(buf_str(&b));
        } else {
            out(buf_str(&b));
        }
    }
    buf_free(&b);
}

void printer_end(struct printer *p)
{
    if (p->json && !p->closed) {
        open_value(p);
        close_value(p);
        out(STR("}\n"));
    }
    fflush(stdout);
}
