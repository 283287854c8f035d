/* Dates of message heads.                                        Source: RFC 5322 3.3, 4.3 */
#ifndef SYNTAX_DATE_H
#define SYNTAX_DATE_H

#include "base/buf.h"

struct date {
    int64_t time_s;       /* seconds since 1970-01-01 UTC; negative before */
    int16_t zone_minutes; /* what the writer's clock was ahead of UTC */
    bool zone_known;      /* false for "-0000", letters that say nothing, or no zone at all */
};

/* Parse the raw value of a Date field: comments and folds may stand anywhere, years of two and
 * three digits and named zones are taken, the day of the week may be absent and is not checked
 * against the date, seconds and zone may be missing. Years 1900 to 9999.
 *
 * ERR_SYNTAX  not a date
 * ERR_RANGE   a number out of its range (30 Feb, 25:00, +9999 is fine, +0160 is not) */
enum err date_parse(struct str value, struct date *date_out);

/* "Sat, 21 Nov 2026 22:00:00 +0000": always 31 bytes. Years outside of 1 to 9999 are cut to them,
 * zones to a day. */
void date_put(struct buf *b, int64_t time_s, int zone_minutes);

/* The parts of a moment in a zone. */
struct date_parts {
    int year, month, day;              /* month and day from 1 */
    int hour, minute, second, weekday; /* weekday: 0 is Sunday */
};
struct date_parts date_split(int64_t time_s, int zone_minutes);

/* Seconds since 1970-01-01 UTC of that date in the Gregorian calendar; ERR_RANGE for what is none
 * (second 60 is taken as the next minute's first; `weekday` is not looked at). */
enum err date_join(const struct date_parts *parts, int zone_minutes, int64_t *time_s_out);

/* Three letters. `month` 1 to 12, `weekday` 0 to 6. Static lifetime. */
struct str date_month_name(int month);
struct str date_weekday_name(int weekday);

#endif
