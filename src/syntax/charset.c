#include "syntax/charset.h"

#include "base/must.h"
#include "syntax/charset_tables.h"
#include "syntax/utf8.h"

#include <errno.h>
#include <iconv.h>

enum { REPLACEMENT = 0xfffd, IS_UTF8 = -1 };

static const struct {
    struct str name;
    int table;
} one_byte[] = {
    { STR_INIT("utf-8"), IS_UTF8 },
    { STR_INIT("utf8"), IS_UTF8 },
    { STR_INIT("us-ascii"), IS_UTF8 },
    { STR_INIT("ascii"), IS_UTF8 },
    { STR_INIT("ansi_x3.4-1968"), IS_UTF8 },
    { STR_INIT("iso-8859-1"), CHARSET_WINDOWS_1252 },
    { STR_INIT("iso8859-1"), CHARSET_WINDOWS_1252 },
    { STR_INIT("iso_8859-1"), CHARSET_WINDOWS_1252 },
    { STR_INIT("latin1"), CHARSET_WINDOWS_1252 },
    { STR_INIT("windows-1252"), CHARSET_WINDOWS_1252 },
    { STR_INIT("cp1252"), CHARSET_WINDOWS_1252 },
    { STR_INIT("iso-8859-2"), CHARSET_ISO_8859_2 },
    { STR_INIT("latin2"), CHARSET_ISO_8859_2 },
    { STR_INIT("iso-8859-3"), CHARSET_ISO_8859_3 },
    { STR_INIT("iso-8859-4"), CHARSET_ISO_8859_4 },
    { STR_INIT("iso-8859-5"), CHARSET_ISO_8859_5 },
    { STR_INIT("iso-8859-6"), CHARSET_ISO_8859_6 },
    { STR_INIT("iso-8859-7"), CHARSET_ISO_8859_7 },
    { STR_INIT("iso-8859-8"), CHARSET_ISO_8859_8 },
    { STR_INIT("iso-8859-8-i"), CHARSET_ISO_8859_8 },
    { STR_INIT("iso-8859-9"), CHARSET_WINDOWS_1254 },
    { STR_INIT("iso-8859-10"), CHARSET_ISO_8859_10 },
    { STR_INIT("iso-8859-11"), CHARSET_WINDOWS_874 },
    { STR_INIT("tis-620"), CHARSET_WINDOWS_874 },
    { STR_INIT("windows-874"), CHARSET_WINDOWS_874 },
    { STR_INIT("iso-8859-13"), CHARSET_ISO_8859_13 },
    { STR_INIT("iso-8859-14"), CHARSET_ISO_8859_14 },
    { STR_INIT("iso-8859-15"), CHARSET_ISO_8859_15 },
    { STR_INIT("latin-9"), CHARSET_ISO_8859_15 },
    { STR_INIT("iso-8859-16"), CHARSET_ISO_8859_16 },
    { STR_INIT("windows-1250"), CHARSET_WINDOWS_1250 },
    { STR_INIT("windows-1251"), CHARSET_WINDOWS_1251 },
    { STR_INIT("cp1251"), CHARSET_WINDOWS_1251 },
    { STR_INIT("windows-1253"), CHARSET_WINDOWS_1253 },
    { STR_INIT("windows-1254"), CHARSET_WINDOWS_1254 },
    { STR_INIT("windows-1255"), CHARSET_WINDOWS_1255 },
    { STR_INIT("windows-1256"), CHARSET_WINDOWS_1256 },
    { STR_INIT("windows-1257"), CHARSET_WINDOWS_1257 },
    { STR_INIT("windows-1258"), CHARSET_WINDOWS_1258 },
    { STR_INIT("koi8-r"), CHARSET_KOI8_R },
    { STR_INIT("koi8-u"), CHARSET_KOI8_U },
    { STR_INIT("ibm437"), CHARSET_IBM437 },
    { STR_INIT("cp437"), CHARSET_IBM437 },
    { STR_INIT("ibm850"), CHARSET_IBM850 },
    { STR_INIT("cp850"), CHARSET_IBM850 },
    { STR_INIT("ibm852"), CHARSET_IBM852 },
    { STR_INIT("cp852"), CHARSET_IBM852 },
    { STR_INIT("ibm866"), CHARSET_IBM866 },
    { STR_INIT("cp866"), CHARSET_IBM866 },
    { STR_INIT("macintosh"), CHARSET_MACINTOSH },
};

/* Name in mail, number of the converter below. Supersets are taken where senders mean them. */
enum { GB, BIG5, KOREAN, SHIFT_JIS, EUC_JP, ISO_2022_JP, CONVERTERS };
static const char *const converter_names[CONVERTERS] = { "GB18030", "BIG5-HKSCS", "CP949",
                                                         "CP932",   "EUC-JP",     "ISO-2022-JP" };
static const struct {
    struct str name;
    int converter;
} many_bytes[] = {
    { STR_INIT("gb2312"), GB },
    { STR_INIT("gbk"), GB },
    { STR_INIT("cp936"), GB },
    { STR_INIT("gb18030"), GB },
    { STR_INIT("big5"), BIG5 },
    { STR_INIT("big5-hkscs"), BIG5 },
    { STR_INIT("euc-kr"), KOREAN },
    { STR_INIT("ks_c_5601-1987"), KOREAN },
    { STR_INIT("shift_jis"), SHIFT_JIS },
    { STR_INIT("shift-jis"), SHIFT_JIS },
    { STR_INIT("x-sjis"), SHIFT_JIS },
    { STR_INIT("euc-jp"), EUC_JP },
    { STR_INIT("iso-2022-jp"), ISO_2022_JP },
};

/* Opened once and kept, so that a locked-in process still has them. */
static struct {
    bool tried;
    iconv_t handle; /* (iconv_t)-1: there is none */
} converters[CONVERTERS];

#define NO_ICONV ((iconv_t)-1)

static iconv_t converter(int which)
{
    if (!converters[which].tried) {
        converters[which].handle = iconv_open("UTF-8", converter_names[which]);
        converters[which].tried = true;
    }
    return converters[which].handle;
}

unsigned charset_prepare(void)
{
    unsigned missing = 0;
    for (int i = 0; i < CONVERTERS; i++) {
        missing += converter(i) == NO_ICONV;
    }
    return missing;
}

void charset_put_char(struct buf *b, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = REPLACEMENT;
    if (c < 0x80) {
        buf_put_byte(b, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_put_byte(b, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_put_byte(b, (char)(0xe0 | c >> 12));
        } else {
            buf_put_byte(b, (char)(0xf0 | c >> 18));
            buf_put_byte(b, (char)(0x80 | (c >> 12 & 63)));
        }
        buf_put_byte(b, (char)(0x80 | (c >> 6 & 63)));
    }
    buf_put_byte(b, (char)(0x80 | (c & 63)));
}

void charset_put_utf8(struct buf *b, struct str bytes)
{
    while (bytes.n > 0) {
        size_t good = utf8_valid_prefix(bytes);
        buf_put(b, str_part(bytes, 0, good));
        bytes = str_skip(bytes, good);
        if (bytes.n > 0) {
            charset_put_char(b, REPLACEMENT);
            bytes = str_skip(bytes, 1);
        }
    }
}

static void put_by_table(struct buf *b, const uint16_t *table, struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        uint32_t code_point = c < 128 ? c : table[c - 128];
        charset_put_char(b, c >= 128 && code_point == 0 ? REPLACEMENT : code_point);
    }
}

/* iconv wants bytes that it may write to, and stops at what it does not know. */
static void put_by_iconv(struct buf *b, iconv_t cd, struct str bytes)
{
    struct buf in = BUF_INIT(bytes.n), out = BUF_INIT(bytes.n * 3 + 16);
    buf_put(&in, bytes);
    char *from = in.p;
    size_t left = in.n;

    iconv(cd, NULL, NULL, NULL, NULL);
    while (left > 0) {
        char *to = buf_reserve(&out, out.max_bytes - out.n), *to_begin = to;
        size_t room = out.max_bytes - out.n;
        size_t result = iconv(cd, &from, &left, &to, &room);
        buf_commit(&out, (size_t)(to - to_begin));
        if (result != (size_t)-1) break;
        if (errno == E2BIG || left == 0) break;
        charset_put_char(&out, REPLACEMENT);
        from++;
        left--;
    }
    charset_put_utf8(b, buf_str(&out));
    buf_free(&in);
    buf_free(&out);
}

enum err charset_to_utf8(struct buf *b, struct str charset, struct str bytes)
{
    for (size_t i = 0; i < sizeof one_byte / sizeof one_byte[0]; i++) {
        if (!str_eq_nocase(charset, one_byte[i].name)) continue;
        if (one_byte[i].table == IS_UTF8) {
            charset_put_utf8(b, bytes);
        } else {
            put_by_table(b, charset_tables[one_byte[i].table], bytes);
        }
        return OK;
    }
    for (size_t i = 0; i < sizeof many_bytes / sizeof many_bytes[0]; i++) {
        if (!str_eq_nocase(charset, many_bytes[i].name)) continue;
        iconv_t cd = converter(many_bytes[i].converter);
        if (cd == NO_ICONV) return ERR_UNSUPPORTED;
        put_by_iconv(b, cd, bytes);
        return OK;
    }
    return ERR_UNSUPPORTED;
}
