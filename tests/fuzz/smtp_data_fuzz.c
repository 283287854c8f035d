/* The streaming decoder of message text against a slow, obvious one: same text, same end, same
 * faults, however the input is cut. And back: what the stuffing writer writes of it is decoded to
 * the same text. First two bytes of the input: rules, and how to
 * cut (0: after each byte). */
#include "base/must.h"
#include "syntax/smtp_data.h"
#include "syntax/smtp_stuff.h"

enum { FUZZ_LINE_MAX = 20, FUZZ_BYTES_MAX = 60 };

/* What the slow one found. */
struct found {
    struct buf text;
    unsigned faults;
    uint64_t longest, header_bytes;
    uint32_t header_lines, received;
    bool in_header;
};

static void slow_end_line(struct found *f, size_t from)
{
    struct str line = str_skip(buf_str(&f->text), from);
    if (line.n > f->longest) f->longest = line.n;
    if (line.n > FUZZ_LINE_MAX) f->faults |= SMTP_DATA_LONG_LINE;
    if (!f->in_header) return;
    if (line.n == 0) {
        f->in_header = false;
        f->header_bytes = f->text.n + 2;
    } else {
        f->header_lines++;
        f->received += str_starts_nocase(line, STR("Received:"));
    }
}

/* One line as it came, without CRLF. */
static void slow_line(struct found *f, struct str line, bool dots, bool mend)
{
    size_t from = f->text.n;
    if (dots && str_starts(line, STR("."))) line = str_skip(line, 1);
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (c == '\r') f->faults |= SMTP_DATA_BARE_CR;
        if (c == '\n') f->faults |= SMTP_DATA_BARE_LF;
        if (c == 0) f->faults |= SMTP_DATA_NUL;
        if (mend && c == '\n') {
            slow_end_line(f, from);
            buf_put_lit(&f->text, "\r\n");
            from = f->text.n;
        } else {
            buf_put_byte(&f->text, mend && c == '\r' ? ' ' : c);
        }
    }
    slow_end_line(f, from);
    buf_put_lit(&f->text, "\r\n");
}

/* Whole lines of `text`; what stands behind the last CRLF comes back. */
static struct str slow_lines(struct found *f, struct str text, bool dots, bool mend)
{
    for (size_t end; (end = str_find_str(text, STR("\r\n"))) != STR_NOWHERE;) {
        slow_line(f, str_part(text, 0, end), dots, mend);
        text = str_skip(text, end + 2);
    }
    return text;
}

/* The last line of a text in chunks, without its CRLF: with mending it gets one. */
static void slow_open_line(struct found *f, struct str line, bool mend)
{
    if (line.n == 0) return;
    if (mend) {
        bool cr = str_ends(line, STR("\r")), lf = str_ends(line, STR("\n"));
        f->faults |= (cr ? SMTP_DATA_BARE_CR : 0u) | (lf ? SMTP_DATA_BARE_LF : 0u);
        slow_line(f, str_part(line, 0, line.n - (cr || lf)), false, true);
        return;
    }
    if (str_find(line, '\r') != STR_NOWHERE) f->faults |= SMTP_DATA_BARE_CR;
    if (str_find(line, '\n') != STR_NOWHERE) f->faults |= SMTP_DATA_BARE_LF;
    if (str_find(line, 0) != STR_NOWHERE) f->faults |= SMTP_DATA_NUL;
    if (line.n > FUZZ_LINE_MAX) f->faults |= SMTP_DATA_LONG_LINE;
    if (line.n > f->longest) f->longest = line.n;
    buf_put(&f->text, line);
}

/* Where the text ends and what is behind the end; STR_NOWHERE if it does not end. */
static size_t slow_text_bytes(struct str in, size_t *taken_out)
{
    if (str_starts(in, STR(".\r\n"))) {
        *taken_out = 3;
        return 0;
    }
    size_t end = str_find_str(in, STR("\r\n.\r\n"));
    *taken_out = end == STR_NOWHERE ? in.n : end + 5;
    return end == STR_NOWHERE ? end : end + 2;
}

static size_t feed(struct smtp_data *d, struct str in, struct buf *b, unsigned seed)
{
    const bool bytewise = seed == 0;
    size_t at = 0;
    while (at < in.n && !d->ended) {
        seed = seed * 1103515245u + 12345u;
        size_t step = 1 + (seed >> 16) % 9;
        if (seed % 5 == 0) step = in.n;
        if (bytewise) step = 1;
        size_t given = step < in.n - at ? step : in.n - at;
        size_t taken = smtp_data_take(d, str_part(in, at, given), b);
        must(taken == given || d->ended);
        at += taken;
    }
    must(d->wire_bytes == at);
    return at;
}

static void compare(const struct smtp_data *d, const struct buf *b, const struct found *f)
{
    unsigned faults = f->faults;
    if (f->text.n > FUZZ_BYTES_MAX) faults |= SMTP_DATA_TOO_BIG;
    must(d->faults == faults);
    must((d->first != 0) == ((faults & d->rules.refuse) != 0));
    must(d->bytes == f->text.n && d->longest_line_bytes == f->longest);
    must(d->header_lines == f->header_lines && d->received == f->received);
    must(d->in_header == f->in_header);
    must(d->header_bytes == (f->in_header ? f->text.n : f->header_bytes));
    if (d->first == 0) {
        must(str_eq(buf_str(b), buf_str(&f->text)));
    } else {
        must(str_starts(buf_str(&f->text), buf_str(b)));
    }
}

static void there_and_back(struct str text)
{
    struct buf wire = BUF_INIT(1 << 22), back = BUF_INIT(1 << 22);
    struct smtp_data_stuff w = { 0 };
    struct smtp_data d;
    struct smtp_data_rules rules = { .refuse = SMTP_DATA_BARE_CR | SMTP_DATA_BARE_LF };

    for (struct str left = text; left.n > 0; left = str_skip(left, 7)) {
        smtp_data_stuff(&w, str_part(left, 0, 7), &wire);
    }
    buf_put(&wire, smtp_data_stuff_end(&w));
    smtp_data_begin(&d, &rules);
    must(feed(&d, buf_str(&wire), &back, 1) == wire.n && d.ended && d.first == 0);
    if (!w.mended) must(str_starts(buf_str(&back), text) && back.n - text.n <= 2);
    buf_free(&wire);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct found f = { .text = BUF_INIT(1 << 22), .in_header = true };
    struct buf b = BUF_INIT(1 << 22);
    struct smtp_data d;
    size_t taken;

    if (size < 2) return 0;
    struct str in = str_of(data + 2, size - 2);
    bool mend = (data[0] & 32) != 0, chunks = (data[0] & 64) != 0;
    struct smtp_data_rules rules = { data[0] & 31, mend, FUZZ_LINE_MAX, FUZZ_BYTES_MAX };
    there_and_back(in);

    if (chunks) {
        smtp_data_begin_chunks(&d, &rules);
        feed(&d, in, &b, data[1]);
        struct str piece;
        if (smtp_data_finish(&d, &piece)) buf_put(&b, piece);
        slow_open_line(&f, slow_lines(&f, in, false, mend), mend);
        compare(&d, &b, &f);
    } else {
        size_t end = slow_text_bytes(in, &taken);
        smtp_data_begin(&d, &rules);
        must(feed(&d, in, &b, data[1]) == taken);
        must(d.ended == (end != STR_NOWHERE));
        if (d.ended) {
            slow_lines(&f, str_part(in, 0, end), true, mend);
            compare(&d, &b, &f);
        }
    }
    buf_free(&f.text);
    buf_free(&b);
    return 0;
}
