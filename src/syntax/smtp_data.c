/* Speed comes from looking at each byte with memchr: once for the CR that ends the line, once for
 * an LF before it, and over whole pieces for NUL and for bytes above 127. Lines are short, so the
 * search for CR is cut at WINDOW_BYTES: without that a slice full of LFs and with no CR would be
 * searched to its end again and again.
 *
 * Held back is only what cannot be decided yet: a dot at the beginning of a line, a CR behind it,
 * and a CR at the end of a slice. */
#include "syntax/smtp_data.h"
#include "base/must.h"

enum { WINDOW_BYTES = 2048 };

static const struct str received = STR_INIT("received:");

void smtp_data_begin(struct smtp_data *d, const struct smtp_data_rules *rules)
{
    *d = (struct smtp_data){ .rules = *rules, .in_header = true };
    d->rules.refuse |= SMTP_DATA_TOO_BIG;
}

void smtp_data_begin_chunks(struct smtp_data *d, const struct smtp_data_rules *rules)
{
    smtp_data_begin(d, rules);
    d->chunks = true;
}

/* `at`: offset in the slice at hand, whose beginning is at wire_bytes. */
static void note(struct smtp_data *d, enum smtp_data_fault fault, size_t at)
{
    d->faults |= fault;
    if (d->first != 0 || (d->rules.refuse & fault) == 0) return;
    d->first = fault;
    d->first_at = d->wire_bytes + at;
}

static void match_received(struct smtp_data *d, struct str content)
{
    for (size_t i = 0; i < content.n && d->matched < received.n; i++) {
        if (d->line_bytes + i != d->matched) return;
        if (byte_lower(content.p[i]) != received.p[d->matched]) return;
        d->matched++;
    }
}

/* Bytes of the line at hand, without its end. */
static void add_content(struct smtp_data *d, struct str content, size_t at)
{
    if (d->in_header && d->line_bytes < received.n) match_received(d, content);
    d->line_bytes += content.n;
    if (d->line_bytes > d->longest_line_bytes) {
        d->longest_line_bytes = d->line_bytes;
        uint64_t max = d->rules.line_max_bytes;
        if (max > 0 && d->line_bytes > max) note(d, SMTP_DATA_LONG_LINE, at);
    }
}

/* The line ends with the byte before decoded offset `bytes`. */
static void end_line(struct smtp_data *d, uint64_t bytes)
{
    if (d->in_header) {
        if (d->line_bytes == 0) {
            d->in_header = false;
            d->header_bytes = bytes;
        } else {
            d->header_lines++;
            if (d->matched == received.n) d->received++;
        }
    }
    d->line_bytes = 0;
    d->matched = 0;
}

static void put_bare_cr(struct smtp_data *d, size_t at)
{
    note(d, SMTP_DATA_BARE_CR, at);
    add_content(d, d->rules.mend ? STR(" ") : STR("\r"), at);
}

/* Take `taken` bytes of the slice, of which the first `n` are a piece. */
static struct str cut(struct str *in, size_t n, size_t taken)
{
    struct str piece = str_part(*in, 0, n);
    *in = str_skip(*in, taken);
    return piece;
}

/* The ordinary way: line after line, until something cannot be handed out as it stands. */
static struct str take_run(struct smtp_data *d, struct str *in)
{
    const struct str s = *in;
    size_t at = 0;

    while (at < s.n) {
        if (d->at == SMTP_DATA_LINE_START && s.p[at] == '.' && !d->chunks) {
            d->at = SMTP_DATA_DOT;
            return cut(in, at, at + 1);
        }
        d->at = SMTP_DATA_IN_LINE;
        struct str window = str_part(s, at, WINDOW_BYTES);
        size_t cr = str_find(window, '\r');
        struct str content = str_part(window, 0, cr);
        size_t lf = str_find(content, '\n');
        if (lf != STR_NOWHERE) {
            note(d, SMTP_DATA_BARE_LF, at + lf);
            if (d->rules.mend) {
                add_content(d, str_part(content, 0, lf), at);
                end_line(d, d->bytes + at + lf + 2);
                d->owed = STR("\r\n");
                return cut(in, at + lf, at + lf + 1);
            }
        }
        add_content(d, content, at);
        at += content.n;
        if (cr == STR_NOWHERE) continue;
        if (at + 1 == s.n) {
            d->at = SMTP_DATA_CR;
            return cut(in, at, s.n);
        }
        if (s.p[at + 1] == '\n') {
            at += 2;
            d->at = SMTP_DATA_LINE_START;
            end_line(d, d->bytes + at);
            continue;
        }
        put_bare_cr(d, at);
        if (d->rules.mend) {
            d->owed = STR(" ");
            return cut(in, at, at + 1);
        }
        at++;
    }
    return cut(in, s.n, s.n);
}

/* A CR is held back; the next byte tells what it was. */
static struct str decide_cr(struct smtp_data *d, struct str *in)
{
    if (in->p[0] == '\n') {
        d->at = SMTP_DATA_LINE_START;
        end_line(d, d->bytes + 2);
        cut(in, 0, 1);
        return STR("\r\n");
    }
    d->at = SMTP_DATA_IN_LINE;
    put_bare_cr(d, 0);
    return d->rules.mend ? STR(" ") : STR("\r");
}

/* A dot at the beginning of a line is dropped, unless it is alone on it. */
static struct str decide_dot(struct smtp_data *d, struct str *in)
{
    if (in->p[0] == '\r') {
        d->at = SMTP_DATA_DOT_CR;
        cut(in, 0, 1);
    } else {
        d->at = SMTP_DATA_IN_LINE;
    }
    return STR_NONE;
}

static struct str decide_dot_cr(struct smtp_data *d, struct str *in)
{
    if (in->p[0] == '\n') {
        d->ended = true;
        cut(in, 0, 1);
    } else {
        d->at = SMTP_DATA_CR;
    }
    return STR_NONE;
}

static struct str take_piece(struct smtp_data *d, struct str *in)
{
    switch (d->at) {
    case SMTP_DATA_CR:
        return decide_cr(d, in);
    case SMTP_DATA_DOT:
        return decide_dot(d, in);
    case SMTP_DATA_DOT_CR:
        return decide_dot_cr(d, in);
    case SMTP_DATA_LINE_START:
    case SMTP_DATA_IN_LINE:
    default:
        return take_run(d, in);
    }
}

/* Is any byte above 127? Four words at a time: without them this loop would be the slowest here. */
static bool has_high(struct str s)
{
    uint64_t all[4] = { 0 };
    size_t i = 0;
    for (; i + sizeof all <= s.n; i += sizeof all) {
        uint64_t words[4];
        memcpy(words, s.p + i, sizeof words);
        all[0] |= words[0];
        all[1] |= words[1];
        all[2] |= words[2];
        all[3] |= words[3];
    }
    unsigned char rest = 0;
    for (; i < s.n; i++) {
        rest |= (unsigned char)s.p[i];
    }
    return ((all[0] | all[1] | all[2] | all[3]) & 0x8080808080808080u) != 0 || rest > 127;
}

static void count_piece(struct smtp_data *d, struct str piece)
{
    if (!d->eight_bit) d->eight_bit = has_high(piece);
    if ((d->faults & SMTP_DATA_NUL) == 0) {
        size_t at = str_find(piece, 0);
        if (at != STR_NOWHERE) note(d, SMTP_DATA_NUL, at);
    }
    d->bytes += piece.n;
    if (d->in_header) d->header_bytes = d->bytes;
    if (d->rules.bytes_max > 0 && d->bytes > d->rules.bytes_max) note(d, SMTP_DATA_TOO_BIG, 0);
}

bool smtp_data_next(struct smtp_data *d, struct str *in, struct str *piece_out)
{
    while (d->owed.n > 0 || (in->n > 0 && !d->ended)) {
        struct str piece = d->owed;
        size_t before = in->n;
        d->owed = STR_NONE;
        if (piece.n == 0) piece = take_piece(d, in);
        count_piece(d, piece);
        d->wire_bytes += before - in->n;
        if (piece.n == 0 || d->first != 0) continue;
        *piece_out = piece;
        return true;
    }
    return false;
}

bool smtp_data_ends_in_line(const struct smtp_data *d)
{
    return d->at == SMTP_DATA_LINE_START || (d->at == SMTP_DATA_IN_LINE && d->line_bytes == 0);
}

bool smtp_data_finish(struct smtp_data *d, struct str *piece_out)
{
    must(d->chunks && d->owed.n == 0);
    if (d->ended) return false;
    d->ended = true;
    bool held = d->at == SMTP_DATA_CR;
    if (held) note(d, SMTP_DATA_BARE_CR, 0);
    struct str piece = STR_NONE;
    if (d->rules.mend && !smtp_data_ends_in_line(d)) {
        piece = STR("\r\n");
        d->at = SMTP_DATA_LINE_START;
        end_line(d, d->bytes + piece.n);
    } else if (held) {
        piece = STR("\r");
        d->at = SMTP_DATA_IN_LINE;
        add_content(d, piece, 0);
    }
    count_piece(d, piece);
    if (piece.n == 0 || d->first != 0) return false;
    *piece_out = piece;
    return true;
}

size_t smtp_data_take(struct smtp_data *d, struct str in, struct buf *b)
{
    struct str left = in, piece;
    while (smtp_data_next(d, &left, &piece)) {
        buf_put(b, piece);
    }
    return in.n - left.n;
}

const struct smtp_data_fault_row *smtp_data_fault_row(enum smtp_data_fault fault)
{
    static const struct smtp_data_fault_row rows[] = {
#define X(name, bit, code, subject, detail, words) [bit] = { code, subject, detail, words },
        SMTP_DATA_FAULTS(X)
#undef X
    };
    unsigned bit = 0;
    must(fault > 0 && fault <= SMTP_DATA_ALL_FAULTS && (fault & (fault - 1)) == 0);
    while ((1u << bit) != fault) {
        bit++;
    }
    return &rows[bit];
}
