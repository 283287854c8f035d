/* The calendar is computed, not asked of the C library: no locale, no time zone files, no limits of
 * its own. Days are counted in years that begin in March, so that the leap day comes last. */
#include "syntax/date.h"

#include "base/must.h"
#include "syntax/token.h"

enum {
    DAY_S = 86400,
    ERA_DAYS = 146097 /* 400 years */,
    EPOCH_DAYS = 719468 /* since 0000-03-01 */
};

static const struct str months[12] = {
    STR_INIT("Jan"), STR_INIT("Feb"), STR_INIT("Mar"), STR_INIT("Apr"),
    STR_INIT("May"), STR_INIT("Jun"), STR_INIT("Jul"), STR_INIT("Aug"),
    STR_INIT("Sep"), STR_INIT("Oct"), STR_INIT("Nov"), STR_INIT("Dec"),
};
static const struct str weekdays[7] = {
    STR_INIT("Sun"), STR_INIT("Mon"), STR_INIT("Tue"), STR_INIT("Wed"),
    STR_INIT("Thu"), STR_INIT("Fri"), STR_INIT("Sat"),
};

/* RFC 5322 4.3. Letters of the military alphabet were specified wrongly in RFC 822, so that they
 * count as unknown like any other word. */
static const struct {
    struct str name;
    int minutes;
} zones[] = {
    { STR_INIT("UT"), 0 },        { STR_INIT("GMT"), 0 },       { STR_INIT("UTC"), 0 },
    { STR_INIT("Z"), 0 },         { STR_INIT("EST"), -5 * 60 }, { STR_INIT("EDT"), -4 * 60 },
    { STR_INIT("CST"), -6 * 60 }, { STR_INIT("CDT"), -5 * 60 }, { STR_INIT("MST"), -7 * 60 },
    { STR_INIT("MDT"), -6 * 60 }, { STR_INIT("PST"), -8 * 60 }, { STR_INIT("PDT"), -7 * 60 },
};

struct str date_month_name(int month)
{
    must(month >= 1 && month <= 12);
    return months[month - 1];
}

struct str date_weekday_name(int weekday)
{
    must(weekday >= 0 && weekday <= 6);
    return weekdays[weekday];
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           EPOCH_DAYS;
}

struct date_parts date_split(int64_t time_s, int zone_minutes)
{
    const int64_t first = -62135596800, last = 253402300799; /* years 1 to 9999 */
    int64_t zone_s = (int64_t)zone_minutes * 60;
    if (zone_s > DAY_S || zone_s < -DAY_S) zone_s = 0;
    int64_t t = time_s < first ? first : time_s > last ? last : time_s;
    t += zone_s;
    t = t < first ? first : t > last ? last : t;

    int64_t days = floor_div(t, DAY_S), second = t - days * DAY_S;
    int64_t z = days + EPOCH_DAYS, era = floor_div(z, ERA_DAYS), d = z - era * ERA_DAYS;
    int64_t year_of_era = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t day_of_year = d - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    return (struct date_parts){
        .year = (int)(year_of_era + era * 400 + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        .hour = (int)(second / 3600),
        .minute = (int)(second / 60 % 60),
        .second = (int)(second % 60),
        .weekday = (int)((days % 7 + 11) % 7),
    };
}

static int month_days(int year, int month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2) return leap ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

enum err date_join(const struct date_parts *p, int zone_minutes, int64_t *time_s_out)
{
    if (p->year < 1 || p->year > 9999 || p->month < 1 || p->month > 12) return ERR_RANGE;
    if (p->day < 1 || p->day > month_days(p->year, p->month)) return ERR_RANGE;
    if (p->hour < 0 || p->hour > 23 || p->minute < 0 || p->minute > 59) return ERR_RANGE;
    if (p->second < 0 || p->second > 60) return ERR_RANGE;
    *time_s_out = days_of(p->year, p->month, p->day) * DAY_S + (int64_t)p->hour * 3600 +
                  (int64_t)p->minute * 60 + p->second - (int64_t)zone_minutes * 60;
    return OK;
}

void date_put(struct buf *b, int64_t time_s, int zone_minutes)
{
    if (zone_minutes > 1440 || zone_minutes < -1440) zone_minutes = 0;
    struct date_parts p = date_split(time_s, zone_minutes);
    unsigned zone = (unsigned)(zone_minutes < 0 ? -zone_minutes : zone_minutes);

    buf_put(b, date_weekday_name(p.weekday));
    buf_put_lit(b, ", ");
    buf_put_u64_width(b, (uint64_t)p.day, 2);
    buf_put_byte(b, ' ');
    buf_put(b, date_month_name(p.month));
    buf_put_byte(b, ' ');
    buf_put_u64_width(b, (uint64_t)p.year, 4);
    buf_put_byte(b, ' ');
    buf_put_u64_width(b, (uint64_t)p.hour, 2);
    buf_put_byte(b, ':');
    buf_put_u64_width(b, (uint64_t)p.minute, 2);
    buf_put_byte(b, ':');
    buf_put_u64_width(b, (uint64_t)p.second, 2);
    buf_put(b, zone_minutes < 0 ? STR(" -") : STR(" +"));
    buf_put_u64_width(b, zone / 60, 2);
    buf_put_u64_width(b, zone % 60, 2);
}

/* ---- parsing ---- */

/* One token ahead of the grammar. */
struct reader {
    struct token_walk walk;
    struct token ahead;
};

static void advance(struct reader *r)
{
    token_next(&r->walk, &r->ahead);
}

static bool at_word(const struct reader *r)
{
    return r->ahead.kind == TOKEN_WORD;
}

static bool take_special(struct reader *r, char c)
{
    if (!token_is(&r->ahead, c)) return false;
    advance(r);
    return true;
}

static enum err take_number(struct reader *r, size_t digits_max, int *value_out)
{
    uint64_t value;
    if (!at_word(r) || r->ahead.raw.n > digits_max) return ERR_SYNTAX;
    enum err e = str_to_u64(r->ahead.raw, 9999, &value);
    if (e != OK) return e;
    *value_out = (int)value;
    advance(r);
    return OK;
}

static enum err take_month(struct reader *r, int *month_out)
{
    for (int i = 0; i < 12 && at_word(r); i++) {
        if (!str_eq_nocase(r->ahead.raw, months[i])) continue;
        *month_out = i + 1;
        advance(r);
        return OK;
    }
    return ERR_SYNTAX;
}

static enum err take_year(struct reader *r, int *year_out)
{
    size_t digits = r->ahead.raw.n;
    enum err e = digits < 2 ? ERR_SYNTAX : take_number(r, 4, year_out);
    if (e != OK) return e;
    if (digits == 2) *year_out += *year_out < 50 ? 2000 : 1900;
    if (digits == 3) *year_out += 1900;
    return *year_out < 1900 ? ERR_RANGE : OK;
}

static enum err take_day(struct reader *r, struct date_parts *p)
{
    if (at_word(r) && !byte_is_digit(r->ahead.raw.p[0])) {
        advance(r);
        take_special(r, '.'); /* "Sat.," has been seen */
        if (!take_special(r, ',')) return ERR_SYNTAX;
    }
    enum err e = take_number(r, 2, &p->day);
    if (e == OK) e = take_month(r, &p->month);
    if (e == OK) e = take_year(r, &p->year);
    return e;
}

static enum err take_time(struct reader *r, struct date_parts *p)
{
    enum err e = take_number(r, 2, &p->hour);
    if (e == OK && !take_special(r, ':')) e = ERR_SYNTAX;
    if (e == OK) e = take_number(r, 2, &p->minute);
    if (e == OK && take_special(r, ':')) e = take_number(r, 2, &p->second);
    return e;
}

static enum err numeric_zone(struct str word, struct date *d)
{
    uint64_t hhmm;
    if (word.n != 5 || str_to_u64(str_skip(word, 1), 9999, &hhmm) != OK) return ERR_SYNTAX;
    if (hhmm % 100 > 59) return ERR_RANGE;
    int minutes = (int)(hhmm / 100 * 60 + hhmm % 100);
    d->zone_minutes = (int16_t)(word.p[0] == '-' ? -minutes : minutes);
    d->zone_known = !str_eq(word, STR("-0000"));
    return OK;
}

static enum err take_zone(struct reader *r, struct date *d)
{
    if (r->ahead.kind == TOKEN_END) return OK;
    if (!at_word(r)) return ERR_SYNTAX;
    struct str word = r->ahead.raw;
    advance(r);
    if (word.p[0] == '+' || word.p[0] == '-') return numeric_zone(word, d);
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (!str_eq_nocase(word, zones[i].name)) continue;
        d->zone_minutes = (int16_t)zones[i].minutes;
        d->zone_known = true;
    }
    return str_all(word, BYTE_ALPHA) ? OK : ERR_SYNTAX;
}

enum err date_parse(struct str value, struct date *date_out)
{
    struct reader r = { .walk = token_walk_of(value, BYTE_ATEXT) };
    struct date_parts p = { 0 };
    struct date d = { 0 };

    advance(&r);
    enum err e = take_day(&r, &p);
    if (e == OK) e = take_time(&r, &p);
    if (e == OK) e = take_zone(&r, &d);
    if (e == OK && r.ahead.kind != TOKEN_END && !at_word(&r)) e = ERR_SYNTAX;
    if (e == OK) e = date_join(&p, d.zone_minutes, &d.time_s);
    if (e == OK) *date_out = d;
    return e;
}
