/* Values of the configuration file with their units, read and written. */
#ifndef SYNTAX_CONF_VALUE_H
#define SYNTAX_CONF_VALUE_H

#include "base/buf.h"

/* 500ms, 30s, 5m, 2h, 1d, 1w, and a bare 0. ERR_SYNTAX (no number, no unit, an unknown one),
 * ERR_RANGE (does not fit). */
enum err conf_parse_time(struct str s, int64_t *ms_out);

/* 512, 256K, 10M, 1G, 1T: powers of 1024. ERR_SYNTAX, ERR_RANGE. */
enum err conf_parse_bytes(struct str s, int64_t *bytes_out);

/* Decimal digits. ERR_SYNTAX, ERR_RANGE. */
enum err conf_parse_count(struct str s, int64_t *count_out);

/* yes or no, nothing else. ERR_SYNTAX. */
enum err conf_parse_bool(struct str s, bool *yes_out);

/* The shortest exact form with one unit: 5m, 90s, 1500ms; 10M, 1000. */
void conf_put_time(struct buf *b, int64_t ms);
void conf_put_bytes(struct buf *b, int64_t bytes);

#endif
