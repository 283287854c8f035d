#include "syntax/rfc3339.h"
#include "syntax/date.h"
#include "syntax/scan.h"

static bool take_number(struct scan *s, size_t digits, unsigned *value_out)
{
    struct str text = scan_take(s, digits);
    uint64_t value;
    if (text.n != digits || str_to_u64(text, 9999, &value) != OK) return false;
    *value_out = (unsigned)value;
    return true;
}

/* "Z" or "+hh:mm": minutes east of UTC. */
static enum err take_offset(struct scan *s, int *east_minutes_out)
{
    unsigned hour, minute;
    if (scan_text(s, STR("Z"))) {
        *east_minutes_out = 0;
        return OK;
    }
    bool west = scan_byte(s, '-');
    if (!west && !scan_byte(s, '+')) return ERR_SYNTAX;
    if (!take_number(s, 2, &hour) || !scan_byte(s, ':') || !take_number(s, 2, &minute)) {
        return ERR_SYNTAX;
    }
    if (hour > 23 || minute > 59) return ERR_RANGE;
    int east = (int)(hour * 60 + minute);
    *east_minutes_out = west ? -east : east;
    return OK;
}

enum err rfc3339_parse(struct str text, int64_t *seconds_out)
{
    struct scan s = scan_of(text);
    unsigned year, month, day, hour, minute, second;
    int east_minutes;

    bool date = take_number(&s, 4, &year) && scan_byte(&s, '-') && take_number(&s, 2, &month) &&
                scan_byte(&s, '-') && take_number(&s, 2, &day) && scan_text(&s, STR("T"));
    bool time = date && take_number(&s, 2, &hour) && scan_byte(&s, ':') &&
                take_number(&s, 2, &minute) && scan_byte(&s, ':') && take_number(&s, 2, &second);
    if (!time) return ERR_SYNTAX;
    if (scan_byte(&s, '.') && scan_while(&s, BYTE_DIGIT).n == 0) return ERR_SYNTAX;
    enum err e = take_offset(&s, &east_minutes);
    if (e != OK) return e;
    if (!scan_end(&s)) return ERR_SYNTAX;
    struct date_parts parts = { .year = (int)year,
                                .month = (int)month,
                                .day = (int)day,
                                .hour = (int)hour,
                                .minute = (int)minute,
                                .second = (int)second };
    int64_t seconds;
    e = date_join(&parts, east_minutes, &seconds);
    if (e == OK && seconds < 0) e = ERR_RANGE;
    if (e == OK) *seconds_out = seconds;
    return e;
}
