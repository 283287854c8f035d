/* Log events: one line each, a stable name from docs/events.md, ids first.
 *
 *     log_info("smtp.accepted", L_ID("conn", c->id), L_U64("rcpts", n), L_STR("from", path));
 *
 * Values from outside are quoted, non-printing bytes are written as \xHH, and each value is cut at
 * LOG_VALUE_MAX bytes: what a stranger sends never makes a line or a field of ours. error = act;
 * warn = went on anyway; info = a message or a login changed state; debug = the rest. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

enum { LOG_VALUE_MAX = 512, LOG_LINE_MAX = 8192 };
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *name;
    enum { LOG_FIELD_STR, LOG_FIELD_WORD, LOG_FIELD_U64, LOG_FIELD_I64, LOG_FIELD_ID } kind;
    struct str text;
    uint64_t number;
};

#define L_STR(name_, s) ((struct log_field){ .name = (name_), .kind = LOG_FIELD_STR, .text = (s) })
#define L_WORD(name_, c)                                                                           \
    ((struct log_field){ .name = (name_), .kind = LOG_FIELD_WORD, .text = str_c(c) })
#define L_U64(name_, v)                                                                            \
    ((struct log_field){ .name = (name_), .kind = LOG_FIELD_U64, .number = (v) })
#define L_I64(name_, v)                                                                            \
    ((struct log_field){ .name = (name_), .kind = LOG_FIELD_I64, .number = (uint64_t)(v) })
#define L_ID(name_, v) ((struct log_field){ .name = (name_), .kind = LOG_FIELD_ID, .number = (v) })
#define L_ERR(e)       L_WORD("err", err_name(e))

#define log_write(level, event, ...)                                                               \
    (log_enabled(level)                                                                            \
         ? log_emit((level), (event), (const struct log_field[]){ { 0 }, ##__VA_ARGS__ } + 1,      \
                    sizeof((const struct log_field[]){ { 0 }, ##__VA_ARGS__ }) /                   \
                            sizeof(struct log_field) -                                             \
                        1)                                                                         \
         : (void)0)
#define log_error(event, ...) log_write(LOG_ERROR, event, ##__VA_ARGS__)
#define log_warn(event, ...)  log_write(LOG_WARN, event, ##__VA_ARGS__)
#define log_info(event, ...)  log_write(LOG_INFO, event, ##__VA_ARGS__)
#define log_debug(event, ...) log_write(LOG_DEBUG, event, ##__VA_ARGS__)

/* Who writes: role name (static), format, highest level shown. The line goes to descriptor `fd` in
 * one write(2); a full or broken descriptor loses the line, never the process. */
void log_setup(const char *role, enum log_format format, enum log_level level, int fd);

bool log_enabled(enum log_level level);
void log_emit(enum log_level level, const char *event, const struct log_field *fields, size_t n);

/* The same line into a buf (without newline), for tests and for records. `wall_us` as in clock.h.
 */
void log_format_line(struct buf *b, enum log_format format, int64_t wall_us, const char *role,
                     enum log_level level, const char *event, const struct log_field *fields,
                     size_t n);

/* JSON string with quotes, for every JSON that the house writes. Invalid UTF-8 becomes U+FFFD. */
void buf_put_json(struct buf *b, struct str s);

/* 2026-01-02T03:04:05.678Z */
void buf_put_time(struct buf *b, int64_t wall_us);

#endif
