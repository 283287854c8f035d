#include "base/log.h"
#include "base/clock.h"

#include <time.h>
#include <unistd.h>

static struct {
    const char *role;
    enum log_format format;
    enum log_level level;
    int fd;
} sink = { "-", LOG_LOGFMT, LOG_INFO, 2 };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void log_setup(const char *role, enum log_format format, enum log_level level, int fd)
{
    sink.role = role;
    sink.format = format;
    sink.level = level;
    sink.fd = fd;
}

bool log_enabled(enum log_level level)
{
    return level <= sink.level;
}

void buf_put_time(struct buf *b, int64_t wall_us)
{
    struct tm tm;
    time_t seconds = (time_t)(wall_us / 1000000);
    gmtime_r(&seconds, &tm);
    buf_put_u64_width(b, (uint64_t)(tm.tm_year + 1900), 4);
    buf_put_byte(b, '-');
    buf_put_u64_width(b, (uint64_t)tm.tm_mon + 1, 2);
    buf_put_byte(b, '-');
    buf_put_u64_width(b, (uint64_t)tm.tm_mday, 2);
    buf_put_byte(b, 'T');
    buf_put_u64_width(b, (uint64_t)tm.tm_hour, 2);
    buf_put_byte(b, ':');
    buf_put_u64_width(b, (uint64_t)tm.tm_min, 2);
    buf_put_byte(b, ':');
    buf_put_u64_width(b, (uint64_t)tm.tm_sec, 2);
    buf_put_byte(b, '.');
    buf_put_u64_width(b, (uint64_t)(wall_us / 1000 % 1000), 3);
    buf_put_byte(b, 'Z');
}

static void put_quoted(struct buf *b, struct str s)
{
    struct str shown = str_part(s, 0, LOG_VALUE_MAX);
    buf_put_byte(b, '"');
    for (size_t i = 0; i < shown.n; i++) {
        unsigned char c = (unsigned char)shown.p[i];
        if (c == '"' || c == '\\') {
            buf_put_byte(b, '\\');
            buf_put_byte(b, (char)c);
        } else if (c < 0x20 || c >= 0x7f) {
            buf_put_lit(b, "\\x");
            buf_put_hex_u64(b, c, 2);
        } else {
            buf_put_byte(b, (char)c);
        }
    }
    if (shown.n < s.n) buf_put_lit(b, "...");
    buf_put_byte(b, '"');
}

/* Length of the well-formed UTF-8 sequence at the front of `s`, 0 when there is none (RFC 3629 4).
 */
static size_t utf8_step(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : (c & 0xf0) == 0xe0    ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;
    if (n == 0 || n > s.n) return 0;
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80) return 0;
    }
    unsigned char d = n > 1 ? (unsigned char)s.p[1] : 0;
    if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) ||
        (c == 0xf4 && d > 0x8f))
        return 0;
    return n;
}

void buf_put_json(struct buf *b, struct str s)
{
    buf_put_byte(b, '"');
    while (s.n > 0) {
        size_t n = utf8_step(s);
        unsigned char c = (unsigned char)s.p[0];
        if (n == 0) {
            buf_put_lit(b, "\\ufffd");
            n = 1;
        } else if (c == '"' || c == '\\') {
            buf_put_byte(b, '\\');
            buf_put_byte(b, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            buf_put_lit(b, "\\u");
            buf_put_hex_u64(b, c, 4);
        } else {
            buf_put(b, str_part(s, 0, n));
        }
        s = str_skip(s, n);
    }
    buf_put_byte(b, '"');
}

static void put_value(struct buf *b, enum log_format format, const struct log_field *f)
{
    switch (f->kind) {
    case LOG_FIELD_U64:
        buf_put_u64(b, f->number);
        break;
    case LOG_FIELD_I64:
        buf_put_i64(b, (int64_t)f->number);
        break;
    case LOG_FIELD_ID:
        if (format == LOG_JSON) buf_put_byte(b, '"');
        buf_put_hex_u64(b, f->number, f->number >> 32 != 0 ? 16 : 8);
        if (format == LOG_JSON) buf_put_byte(b, '"');
        break;
    case LOG_FIELD_WORD:
        if (format == LOG_JSON) {
            buf_put_json(b, f->text);
        } else {
            buf_put(b, f->text);
        }
        break;
    case LOG_FIELD_STR:
        if (format == LOG_JSON) {
            buf_put_json(b, str_part(f->text, 0, LOG_VALUE_MAX));
        } else {
            put_quoted(b, f->text);
        }
        break;
    }
}

void log_format_line(struct buf *b, enum log_format format, int64_t wall_us, const char *role,
                     enum log_level level, const char *event, const struct log_field *fields,
                     size_t n)
{
    bool json = format == LOG_JSON;
    if (json) buf_put_lit(b, "{\"time\":\"");
    buf_put_time(b, wall_us);
    buf_put(b, json ? STR("\",\"role\":\"") : STR(" "));
    buf_put(b, str_c(role));
    buf_put(b, json ? STR("\",\"level\":\"") : STR(" "));
    buf_put(b, str_c(level_names[level]));
    buf_put(b, json ? STR("\",\"event\":\"") : STR(" "));
    buf_put(b, str_c(event));
    if (json) buf_put_byte(b, '"');
    for (size_t i = 0; i < n; i++) {
        buf_put(b, json ? STR(",\"") : STR(" "));
        buf_put(b, str_c(fields[i].name));
        buf_put(b, json ? STR("\":") : STR("="));
        put_value(b, format, &fields[i]);
    }
    if (json) buf_put_byte(b, '}');
}

void log_emit(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    struct buf line = BUF_INIT(LOG_LINE_MAX);
    log_format_line(&line, sink.format, clock_wall_us(), sink.role, level, event, fields, n);
    if (line.over) {
        buf_clear(&line);
        log_format_line(&line, sink.format, clock_wall_us(), sink.role, level, event, NULL, 0);
    }
    buf_put_byte(&line, '\n');
    ssize_t done = write(sink.fd, line.p, line.n);
    (void)done; /* there is nobody left to tell */
    buf_free(&line);
}
