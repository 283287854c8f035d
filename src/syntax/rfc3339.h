/* Dates of RFC 3339 (2026-01-02T03:04:05.678+01:00), as ESMTP parameters carry them. */
#ifndef SYNTAX_RFC3339_H
#define SYNTAX_RFC3339_H

#include "base/str.h"

/* All of `text` as a date-time. Fractions of a second are dropped, a leap second (:60) counts as
 * the next second.
 *
 *   seconds_out  since 1970-01-01 UTC; years 1970 to 9999
 *
 * ERR_SYNTAX: not in the grammar; ERR_RANGE: no such day or time, or before 1970.
 *                                                                       Source: RFC 3339 5.6 */
enum err rfc3339_parse(struct str text, int64_t *seconds_out);

#endif
