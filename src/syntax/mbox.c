/* The reader waits with a line's beginning until it is clear what the line is: at most
 * MBOX_FROM_LINE_MAX bytes, and only of lines that begin like From_ lines. Everything else passes
 * through as views. One line end is always held back, since the last one of a message is not part
 * of its text. */
#include "syntax/mbox.h"

#include "base/must.h"
#include "syntax/date.h"
#include "syntax/header.h"
#include "syntax/scan.h"

static const struct str from_ = STR_INIT("From ");

enum { KEYWORDS_COLUMNS = 900 };

/* ---- From_ lines ---- */

static bool is_one_of(struct str word, struct str (*name)(int), int first, int last)
{
    for (int i = first; i <= last; i++) {
        if (str_eq_nocase(word, name(i))) return true;
    }
    return false;
}

static bool is_year(struct str word)
{
    return word.n == 4 && str_all(word, BYTE_DIGIT);
}

/* "01:05:34 1996", and what is in use besides: words between the time and the year are zones, and
 * so is the first one behind it. */
static enum err rest_parse(struct scan *s, struct str day, struct str month, int64_t *time_s_out)
{
    struct str time = scan_word(s), year = STR_NONE, zone = STR_NONE;
    struct buf b = BUF_INIT(200);
    struct date date;
    for (int i = 0; i < 3 && year.n == 0; i++) {
        struct str word = scan_word(s);
        if (is_year(word)) {
            year = word;
        } else if (zone.n == 0) {
            zone = word;
        }
    }
    if (zone.n == 0) zone = scan_word(s);
    if (str_eq(zone, STR("remote"))) zone = STR_NONE; /* "... 1996 remote from host" */
    const struct str parts[] = { day, month, year, time, zone };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (i > 0) buf_put_byte(&b, ' ');
        buf_put(&b, parts[i]);
    }
    enum err e = year.n > 0 && !b.over ? date_parse(buf_str(&b), &date) : ERR_SYNTAX;
    buf_free(&b);
    if (e == OK) *time_s_out = date.time_s;
    return e == OK ? OK : ERR_SYNTAX;
}

enum err mbox_from_parse(struct str line, struct str *sender_out, int64_t *time_s_out)
{
    struct scan s = scan_of(line);
    if (!str_starts(line, from_)) return ERR_SYNTAX;
    scan_take(&s, from_.n);
    struct str begin = s.left;
    while (!scan_end(&s)) {
        struct str sender = scan_since(&s, begin);
        struct scan date = s;
        struct str weekday = scan_word(&date), month = scan_word(&date), day = scan_word(&date);
        if (is_one_of(weekday, date_weekday_name, 0, 6) &&
            is_one_of(month, date_month_name, 1, 12) &&
            rest_parse(&date, day, month, time_s_out) == OK) {
            *sender_out = str_trim(sender);
            return OK;
        }
        scan_word(&s);
    }
    return ERR_SYNTAX;
}

void mbox_put_from(struct buf *b, struct str sender, int64_t time_s)
{
    struct date_parts d = date_split(time_s, 0);
    bool fits = sender.n > 0 && sender.n <= MBOX_FROM_LINE_MAX / 2;
    for (size_t i = 0; fits && i < sender.n; i++) {
        fits = !byte_is(sender.p[i], BYTE_WSP | BYTE_CONTROL);
    }
    buf_put(b, from_);
    buf_put(b, fits ? sender : STR("MAILER-DAEMON"));
    buf_put_byte(b, ' ');
    buf_put(b, date_weekday_name(d.weekday));
    buf_put_byte(b, ' ');
    buf_put(b, date_month_name(d.month));
    buf_put(b, d.day < 10 ? STR("  ") : STR(" "));
    buf_put_i64(b, d.day);
    buf_put_byte(b, ' ');
    buf_put_u64_width(b, (uint64_t)d.hour, 2);
    buf_put_byte(b, ':');
    buf_put_u64_width(b, (uint64_t)d.minute, 2);
    buf_put_byte(b, ':');
    buf_put_u64_width(b, (uint64_t)d.second, 2);
    buf_put_byte(b, ' ');
    buf_put_u64_width(b, d.year > 0 ? (uint64_t)d.year : 1, 4);
    buf_put_byte(b, '\n');
}

/* ---- beginnings of lines ---- */

enum what { WHAT_OPEN, WHAT_TEXT, WHAT_FROM };

/* Look at the next byte of a line's beginning. WHAT_TEXT: it is none, and the byte is not taken. */
static enum what start_step(struct mbox_start *start, char c)
{
    if (start->matched == 0 && c == '>') {
        if (start->quotes == MBOX_QUOTES_MAX) return WHAT_TEXT;
        start->quotes++;
        return WHAT_OPEN;
    }
    if (c != from_.p[start->matched]) return WHAT_TEXT;
    start->matched++;
    return start->matched == from_.n ? WHAT_FROM : WHAT_OPEN;
}

/* What was seen of it, with other quotes, as bytes. */
static void put_start(struct buf *b, const struct mbox_start *start, size_t quotes)
{
    for (size_t i = 0; i < quotes; i++) {
        buf_put_byte(b, '>');
    }
    buf_put(b, str_part(from_, 0, start->matched));
}

/* ---- reading ---- */

void mbox_reader_init(struct mbox_reader *r)
{
    *r = (struct mbox_reader){ .from = BUF_INIT(MBOX_FROM_LINE_MAX + 2) };
}

void mbox_reader_free(struct mbox_reader *r)
{
    buf_free(&r->from);
}

/* Bytes of text follow: what waited goes out before them. */
static void put_waiting(struct mbox_reader *r, struct buf *text)
{
    if (r->line_end) buf_put_lit(text, "\r\n");
    if (r->cr) buf_put_byte(text, '\r');
    r->line_end = r->cr = false;
}

/* The line is over. Its CR, if it has one, waits already. */
static void end_line(struct mbox_reader *r, struct buf *text)
{
    r->cr = false;
    put_waiting(r, text);
    r->line_end = true;
    r->at = MBOX_AT_START;
    r->start = (struct mbox_start){ 0 };
}

/* A piece of a line, perhaps with its end. */
static void put_line(struct mbox_reader *r, struct str piece, struct buf *text)
{
    bool ends = str_ends(piece, STR("\n"));
    if (ends) piece = str_part(piece, 0, piece.n - 1);
    bool cr = str_ends(piece, STR("\r"));
    if (cr) piece = str_part(piece, 0, piece.n - 1);
    if (piece.n > 0 || (cr && r->cr)) put_waiting(r, text);
    buf_put(text, piece);
    if (cr) r->cr = true;
    if (ends) end_line(r, text);
}

/* The beginning has turned out to be text. */
static void release_start(struct mbox_reader *r, size_t quotes, struct buf *text)
{
    if (r->start.quotes + r->start.matched > 0) put_waiting(r, text);
    put_start(text, &r->start, quotes);
    r->at = MBOX_IN_LINE;
}

static void take_start(struct mbox_reader *r, struct str *in, struct buf *text)
{
    enum what what = WHAT_OPEN;
    struct scan s = scan_of(*in);
    while (what == WHAT_OPEN && !scan_end(&s)) {
        what = start_step(&r->start, (char)scan_peek(&s));
        if (what != WHAT_TEXT) scan_get(&s);
    }
    *in = s.left;
    if (what == WHAT_TEXT) release_start(r, r->start.quotes, text);
    if (what != WHAT_FROM) return;
    if (r->start.quotes > 0) {
        release_start(r, r->start.quotes - 1, text);
    } else {
        buf_clear(&r->from);
        buf_put(&r->from, from_);
        r->at = MBOX_IN_FROM;
    }
}

/* The line that begins like a From_ line is complete, or longer than one. */
static bool from_is_over(struct mbox_reader *r, struct buf *text)
{
    struct str line = buf_str(&r->from), sender;
    bool ends = str_ends(line, STR("\n"));
    int64_t time_s;
    if (ends) line = str_part(line, 0, line.n - 1);
    if (str_ends(line, STR("\r"))) line = str_part(line, 0, line.n - 1);
    if (line.n <= MBOX_FROM_LINE_MAX && mbox_from_parse(line, &sender, &time_s) == OK) {
        buf_truncate(&r->from, line.n);
        r->in_message = true;
        r->line_end = false;
        r->at = MBOX_AT_START;
        r->start = (struct mbox_start){ 0 };
        return true;
    }
    r->at = MBOX_IN_LINE;
    put_line(r, buf_str(&r->from), text);
    return false;
}

static bool take_from(struct mbox_reader *r, struct str *in, struct buf *text)
{
    struct str piece = str_part(*in, 0, r->from.max_bytes - r->from.n);
    size_t end = str_find(piece, '\n');
    if (end != STR_NOWHERE) piece = str_part(piece, 0, end + 1);
    buf_put(&r->from, piece);
    *in = str_skip(*in, piece.n);
    bool over = end != STR_NOWHERE || r->from.n == r->from.max_bytes;
    return over && from_is_over(r, text);
}

static void take_line(struct mbox_reader *r, struct str *in, struct buf *text)
{
    size_t end = str_find(*in, '\n');
    struct str piece = end == STR_NOWHERE ? *in : str_part(*in, 0, end + 1);
    *in = str_skip(*in, piece.n);
    put_line(r, piece, text);
}

enum mbox_event mbox_next(struct mbox_reader *r, struct str *in, struct buf *text)
{
    while (in->n > 0) {
        switch (r->at) {
        case MBOX_AT_START:
            take_start(r, in, text);
            break;
        case MBOX_IN_FROM:
            if (take_from(r, in, text)) return MBOX_BEGIN;
            break;
        case MBOX_IN_LINE:
            take_line(r, in, text);
            break;
        }
    }
    return MBOX_MORE;
}

enum mbox_event mbox_finish(struct mbox_reader *r, struct buf *text)
{
    if (r->at == MBOX_IN_FROM && from_is_over(r, text)) return MBOX_BEGIN;
    if (r->at == MBOX_AT_START) release_start(r, r->start.quotes, text);
    if (r->cr) put_waiting(r, text);
    r->line_end = false; /* it goes with every message */
    r->start = (struct mbox_start){ 0 };
    r->at = MBOX_AT_START;
    return MBOX_MORE;
}

/* ---- writing ---- */

/* It is clear what the line begins with. */
static void write_start(struct mbox_writer *w, bool quote, struct buf *b)
{
    if (w->start.quotes == MBOX_QUOTES_MAX) w->altered = true; /* a reader takes it for quoted */
    put_start(b, &w->start, w->start.quotes + (size_t)quote);
    w->in_line = true;
}

static void emit(struct mbox_writer *w, struct str bytes, struct buf *b)
{
    if (bytes.n == 0) return;
    buf_put(b, bytes);
    w->last_cr = str_ends(bytes, STR("\r"));
}

/* A text's own CR before the line end needs a second one, since readers take one away. */
static void write_line_end(struct mbox_writer *w, struct buf *b)
{
    buf_put(b, w->last_cr ? STR("\r\n") : STR("\n"));
    *w = (struct mbox_writer){ .altered = w->altered };
}

/* The rest of a line up to its LF, or of the piece. */
static void write_line(struct mbox_writer *w, struct scan *s, struct buf *b)
{
    struct str part = scan_until(s, '\n');
    bool ends = scan_get(s) == '\n';
    if (part.n > 0) {
        if (w->cr) emit(w, STR("\r"), b);
        w->cr = str_ends(part, STR("\r"));
        emit(w, str_part(part, 0, part.n - (size_t)w->cr), b);
    }
    if (!ends) return;
    if (!w->cr) w->altered = true;
    write_line_end(w, b);
}

void mbox_put_text(struct mbox_writer *w, struct str piece, struct buf *b)
{
    struct scan s = scan_of(piece);
    while (!scan_end(&s)) {
        if (w->in_line) {
            write_line(w, &s, b);
            continue;
        }
        enum what what = start_step(&w->start, (char)scan_peek(&s));
        if (what != WHAT_TEXT) scan_get(&s);
        if (what == WHAT_TEXT) write_start(w, false, b);
        if (what == WHAT_FROM) write_start(w, w->start.quotes < MBOX_QUOTES_MAX, b);
    }
}

void mbox_put_end(struct mbox_writer *w, struct buf *b)
{
    if (!w->in_line) write_start(w, false, b);
    if (w->cr) emit(w, STR("\r"), b);
    write_line_end(w, b);
}

/* ---- what mail readers keep in the head ---- */

static const struct {
    struct str field;
    char letter;
    unsigned flag;
} letters[] = {
    { STR_INIT("Status"), 'R', MBOX_SEEN },       { STR_INIT("Status"), 'O', MBOX_OLD },
    { STR_INIT("X-Status"), 'A', MBOX_ANSWERED }, { STR_INIT("X-Status"), 'F', MBOX_FLAGGED },
    { STR_INIT("X-Status"), 'D', MBOX_DELETED },  { STR_INIT("X-Status"), 'T', MBOX_DRAFT },
};
enum { LETTER_COUNT = sizeof letters / sizeof letters[0] };

static uint32_t take_u32(struct scan *s)
{
    uint64_t value = 0;
    return str_to_u64(scan_word(s), UINT32_MAX, &value) == OK ? (uint32_t)value : 0;
}

static void take_keywords(struct arena *a, struct str value, struct mbox_meta *m)
{
    struct scan s = scan_of(header_unfold(a, value));
    if (m->keywords == NULL) m->keywords = ARENA_MANY(a, struct str, MBOX_KEYWORDS_MAX);
    for (struct str word; (word = scan_word(&s)).n > 0 && m->keyword_count < MBOX_KEYWORDS_MAX;) {
        m->keywords[m->keyword_count++] = word;
    }
}

/* The order in which they stand in a block of ours; 0: none of them. */
static unsigned rank_of(struct str name)
{
    static const struct str names[] = { STR_INIT("X-IMAPbase"), STR_INIT("X-IMAP"),
                                        STR_INIT("X-UID"),      STR_INIT("Status"),
                                        STR_INIT("X-Status"),   STR_INIT("X-Keywords") };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_eq_nocase(name, names[i])) return i + 1;
    }
    return 0;
}

static void take_field(struct arena *a, const struct header_field *f, struct mbox_meta *m)
{
    struct scan s = scan_of(f->value);
    if (str_eq_nocase(f->name, STR("X-UID"))) {
        m->uid = take_u32(&s);
    } else if (str_eq_nocase(f->name, STR("X-Keywords"))) {
        take_keywords(a, f->value, m);
    } else if (str_eq_nocase(f->name, STR("X-IMAPbase")) || str_eq_nocase(f->name, STR("X-IMAP"))) {
        m->uid_validity = take_u32(&s);
        m->uid_last = take_u32(&s);
    }
    for (size_t i = 0; i < LETTER_COUNT; i++) {
        if (str_eq_nocase(f->name, letters[i].field) &&
            str_find(f->value, letters[i].letter) != STR_NOWHERE)
            m->flags |= letters[i].flag;
    }
}

void mbox_meta_take(struct arena *a, struct str head, struct mbox_meta *meta_out,
                    struct mbox_range **drops_out, size_t *drop_count_out)
{
    struct header_walk w = header_walk_of(head);
    struct header_field f;
    struct mbox_range *drops = NULL;
    size_t n = 0;
    unsigned before = 0; /* rank of the block's last field; 0: it is no block */
    *meta_out = (struct mbox_meta){ 0 };
    while (header_next(&w, &f)) {
        unsigned rank = rank_of(f.name);
        if (before > 0 && (f.from != drops[0].end || rank <= before)) break;
        if (rank == 0) continue;
        take_field(a, &f, meta_out);
        if (drops == NULL) drops = ARENA_MANY(a, struct mbox_range, HEADER_FIELDS_MAX);
        if (f.from == 0 || before > 0) {
            before = rank;
            drops[0] = (struct mbox_range){ 0, f.end };
            n = 1;
        } else {
            drops[n++] = (struct mbox_range){ f.from, f.end };
        }
    }
    *drops_out = drops;
    *drop_count_out = n;
}

static void put_letters(struct buf *b, struct str field, unsigned flags)
{
    buf_put(b, field);
    buf_put_lit(b, ": ");
    for (size_t i = 0; i < LETTER_COUNT; i++) {
        if (str_eq(letters[i].field, field) && (flags & letters[i].flag) != 0)
            buf_put_byte(b, letters[i].letter);
    }
    buf_put_byte(b, '\n');
}

void mbox_meta_put(struct buf *b, const struct mbox_meta *m, bool first)
{
    if (first) {
        buf_put_lit(b, "X-IMAPbase: ");
        buf_put_u64(b, m->uid_validity);
        buf_put_byte(b, ' ');
        buf_put_u64(b, m->uid_last);
        buf_put_byte(b, '\n');
    }
    buf_put_lit(b, "X-UID: ");
    buf_put_u64(b, m->uid);
    buf_put_byte(b, '\n');
    put_letters(b, STR("Status"), m->flags);
    put_letters(b, STR("X-Status"), m->flags);
    buf_put_lit(b, "X-Keywords:");
    size_t column = 0;
    for (size_t i = 0; i < m->keyword_count; i++) {
        column += m->keywords[i].n + 1;
        if (column > KEYWORDS_COLUMNS) {
            buf_put_byte(b, '\n');
            column = 0;
        }
        buf_put_byte(b, ' ');
        buf_put(b, m->keywords[i]);
    }
    buf_put_byte(b, '\n');
}
