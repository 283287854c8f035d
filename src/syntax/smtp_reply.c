#include "syntax/smtp_reply.h"
#include "base/must.h"
#include "syntax/utf8.h"

enum { CODE_MIN = 200, CODE_MAX = 599, ENHANCED_PART_MAX = 999 };

void smtp_enhanced_put(struct buf *b, struct smtp_enhanced enhanced)
{
    if (enhanced.class == 0) return;
    buf_put_u64(b, enhanced.class);
    buf_put_byte(b, '.');
    buf_put_u64(b, enhanced.subject);
    buf_put_byte(b, '.');
    buf_put_u64(b, enhanced.detail);
}

/* Append one character of a text as it may stand in a reply. */
static void put_safe(struct buf *b, struct scan *s, bool utf8)
{
    struct str from = s->left;
    int32_t c = utf8_take(s);
    if (c < 0) scan_get(s);
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    if (control || (c >= 0x80 && !utf8)) {
        buf_put_byte(b, '?');
    } else {
        buf_put(b, scan_since(s, from));
    }
}

/* The head of a line; `separator` is ' ' on the last one, '-' on those before. */
static void put_line(struct buf *b, unsigned code, char separator, struct smtp_enhanced enhanced,
                     struct str text)
{
    buf_put_u64(b, code);
    buf_put_byte(b, separator);
    smtp_enhanced_put(b, enhanced);
    if (enhanced.class != 0 && text.n > 0) buf_put_byte(b, ' ');
    buf_put(b, text);
    buf_put_lit(b, "\r\n");
}

/* How much of `text` goes on the next line if `max` bytes fit: all, or up to a space, or up to the
 * beginning of a character. */
static size_t fitting(struct str text, size_t max)
{
    if (text.n <= max) return text.n;
    struct str part = str_part(text, 0, max);
    size_t space = str_rfind(part, ' ');
    if (space != STR_NOWHERE && space > 0) return space;
    return utf8_valid_prefix(part);
}

void smtp_reply_put(struct buf *b, unsigned code, struct smtp_enhanced enhanced, struct str text,
                    bool utf8)
{
    must(code >= CODE_MIN && code <= CODE_MAX);
    must(enhanced.class == 0 || enhanced.class == code / 100);
    must(enhanced.subject <= ENHANCED_PART_MAX && enhanced.detail <= ENHANCED_PART_MAX);
    struct buf line = BUF_INIT(SIZE_MAX / 2);
    struct scan s = scan_of(text);
    /* Code and separator, "5.999.999 ", CRLF. */
    const size_t max = SMTP_REPLY_LINE_MAX - 4 - 10 - 2;

    do {
        struct scan t = scan_of(scan_until(&s, '\n'));
        if (str_ends(t.left, STR("\r"))) t.left.n--;
        buf_clear(&line);
        while (!scan_end(&t)) {
            put_safe(&line, &t, utf8);
        }
        bool last = scan_end(&s);
        struct str left = buf_str(&line);
        while (left.n > max) {
            size_t n = fitting(left, max);
            put_line(b, code, '-', enhanced, str_part(left, 0, n));
            left = str_trim(str_skip(left, n));
        }
        put_line(b, code, last ? ' ' : '-', enhanced, left);
    } while (scan_byte(&s, '\n'));
    buf_free(&line);
}

/* 1*3 digits without a leading zero. */
static bool take_part(struct scan *s, uint16_t *part_out)
{
    struct str digits = scan_while(s, BYTE_DIGIT);
    uint64_t part;
    if (digits.n > 3 || (digits.n > 1 && str_starts(digits, STR("0")))) return false;
    if (str_to_u64(digits, ENHANCED_PART_MAX, &part) != OK) return false;
    *part_out = (uint16_t)part;
    return true;
}

bool smtp_enhanced_take(struct str *text, unsigned class, struct smtp_enhanced *enhanced_out)
{
    struct scan s = scan_of(*text);
    struct smtp_enhanced e;
    bool whole = take_part(&s, &e.class) && scan_byte(&s, '.') && take_part(&s, &e.subject) &&
                 scan_byte(&s, '.') && take_part(&s, &e.detail);
    if (!whole || e.class != class || (!scan_end(&s) && !scan_byte(&s, ' '))) return false;
    *text = s.left;
    *enhanced_out = e;
    return true;
}

enum err smtp_reply_line_parse(struct str line, struct smtp_reply_line *line_out)
{
    struct scan s = scan_of(line);
    uint64_t code;
    if (str_to_u64(scan_take(&s, 3), CODE_MAX, &code) != OK || code < CODE_MIN) return ERR_SYNTAX;
    bool more = scan_byte(&s, '-');
    if (!more && !scan_end(&s) && !scan_byte(&s, ' ')) return ERR_SYNTAX;
    *line_out = (struct smtp_reply_line){ (unsigned)code, more, s.left };
    return OK;
}

void smtp_reply_begin(struct smtp_reply *r)
{
    *r = (struct smtp_reply){ .kept = BUF_INIT(SMTP_REPLY_TEXT_MAX) };
}

void smtp_reply_free(struct smtp_reply *r)
{
    buf_free(&r->kept);
    smtp_reply_begin(r);
}

enum err smtp_reply_add(struct smtp_reply *r, struct str line)
{
    struct smtp_reply_line l;
    struct smtp_enhanced enhanced = SMTP_NO_ENHANCED;

    if (smtp_reply_line_parse(line, &l) != OK) return ERR_PROTOCOL;
    if (r->code != 0 && r->code != l.code) return ERR_PROTOCOL;
    if (r->lines == SMTP_REPLY_LINES_MAX) return ERR_LIMIT;
    smtp_enhanced_take(&l.text, l.code / 100, &enhanced);
    if (r->lines == 0) r->enhanced = enhanced;
    r->code = l.code;

    if (r->lines > 0) buf_put_byte(&r->kept, '\n');
    struct str fits = str_part(l.text, 0, SMTP_REPLY_TEXT_MAX - r->kept.n);
    buf_put(&r->kept, fits);
    r->cut = r->cut || r->kept.over || fits.n < l.text.n;
    r->text = buf_str(&r->kept);
    r->lines++;
    return l.more ? ERR_AGAIN : OK;
}
