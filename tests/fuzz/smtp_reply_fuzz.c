/* Whatever text goes into a reply, it comes out as one reply with lines in their limits and without
 * foreign bytes, and the reader takes it. And any bytes can be read as a reply without harm. First
 * byte of the input: code, enhanced code, UTF-8. */
#include "base/must.h"
#include "syntax/smtp_reply.h"
#include "syntax/utf8.h"

static void write_and_read(struct str text, unsigned code, struct smtp_enhanced enhanced, bool utf8)
{
    struct buf b = BUF_INIT(1 << 24);
    struct smtp_reply r;
    enum err e = ERR_AGAIN;

    smtp_reply_put(&b, code, enhanced, text, utf8);
    must(utf8 ? utf8_valid(buf_str(&b)) : utf8_is_ascii(buf_str(&b)));
    smtp_reply_begin(&r);
    struct str left = buf_str(&b);
    while (left.n > 0) {
        size_t end = str_find_str(left, STR("\r\n"));
        must(end != STR_NOWHERE && end + 2 <= SMTP_REPLY_LINE_MAX && e == ERR_AGAIN);
        struct str line = str_part(left, 0, end);
        for (size_t i = 0; i < line.n; i++) {
            must((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
        }
        e = smtp_reply_add(&r, line);
        left = str_skip(left, end + 2);
        if (e == ERR_LIMIT) break;
    }
    must(e == OK || e == ERR_LIMIT);
    must(r.code == code);
    if (enhanced.class != 0) must(r.enhanced.detail == enhanced.detail);
    smtp_reply_free(&r);
    buf_free(&b);
}

static void read_anything(struct str in)
{
    struct smtp_reply r;
    struct str line;
    enum err e = ERR_AGAIN;

    smtp_reply_begin(&r);
    while (e == ERR_AGAIN && str_cut(&in, '\n', &line)) {
        e = smtp_reply_add(&r, line);
    }
    must(r.text.n <= SMTP_REPLY_TEXT_MAX && r.lines <= SMTP_REPLY_LINES_MAX);
    must(r.code == 0 || (r.code >= 200 && r.code <= 599));
    must(r.enhanced.class == 0 || r.enhanced.class == r.code / 100);
    smtp_reply_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct str in = str_of(data + 1, size - 1);
    unsigned class = 2 + data[0] % 4;
    bool has_enhanced = (data[0] & 64) != 0 && class != 3;
    struct smtp_enhanced e =
        has_enhanced ? SMTP_ENHANCED((uint16_t) class, 7, 123) : SMTP_NO_ENHANCED;
    write_and_read(in, class * 100 + 50, e, (data[0] & 128) != 0);
    read_anything(in);
    return 0;
}
