/* Values by their kind, and how mistakes in them are said. */
#include "model/config_reading.h"
#include "base/must.h"
#include "syntax/address.h"
#include "syntax/conf_value.h"
#include "syntax/domain.h"

/* ---- words ---- */

static bool take_choice(struct config_reading *r, const struct config_option *o,
                        const struct conf_word *w, size_t *index_out)
{
    struct str choices = str_c(o->choices);

    if (config_choice(choices, w->text, index_out) == OK) return true;
    struct str best = config_nearest(choices, w->text);
    CONFIG_ERROR(r, &w->at, config_did_you_mean(r, best), str_c(o->name), STR(" is "),
                 config_listing(r, choices), STR(", not "), config_quote(r, w->text));
    return false;
}

static bool take_bool(struct config_reading *r, const struct config_option *o,
                      const struct conf_word *w, bool *yes_out)
{
    if (conf_parse_bool(w->text, yes_out) == OK) return true;
    struct str best = config_nearest(STR("yes|on|true|1"), w->text).n > 0    ? STR("yes")
                      : config_nearest(STR("no|off|false|0"), w->text).n > 0 ? STR("no")
                                                                             : STR_NONE;
    CONFIG_ERROR(r, &w->at, config_did_you_mean(r, best), str_c(o->name),
                 STR(" is yes or no, not "), config_quote(r, w->text));
    return false;
}

/* ---- names, addresses, paths ---- */

bool config_take_name(struct config_reading *r, const struct conf_word *w, struct str *name_out)
{
    struct str name;
    struct ip_addr ip;
    enum err e = domain_normalise(w->text, 0, r->scratch, &name);

    if (ip_parse(w->text, &ip) == OK) {
        CONFIG_ERROR(r, &w->at, STR("a name looks like mail.example.org"), config_quote(r, w->text),
                     STR(" is an address, not a name"));
        return false;
    }
    if (e == OK) {
        *name_out = config_keep(r, name);
        return true;
    }
    bool ends = w->text.n > 1 && str_ends(w->text, STR("."));
    CONFIG_ERROR(r, &w->at,
                 ends ? STR("leave out the dot at its end")
                      : STR("a name looks like mail.example.org"),
                 config_quote(r, w->text),
                 e == ERR_LIMIT     ? STR(" is too long for a host name")
                 : e == ERR_INVALID ? STR(" is not a valid internationalised host name")
                                    : STR(" is not a host name"));
    return false;
}

static bool take_address(struct config_reading *r, const struct conf_word *w,
                         struct str *address_out)
{
    struct mail_address address;
    size_t at = 0;
    enum address_fault fault = address_parse(w->text, ADDRESS_UTF8, r->scratch, &address, &at);

    if (fault == ADDRESS_FINE) {
        struct buf b = buf_new(CONF_WORD_BYTES_MAX);
        address_write(&b, &address);
        *address_out = config_keep(r, buf_str(&b));
        buf_free(&b);
        return true;
    }
    CONFIG_ERROR(r, &w->at, STR("an address looks like postmaster@example.org"),
                 config_quote(r, w->text), STR(" is not a mail address: "),
                 str_c(address_fault_words(fault)));
    return false;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) return true;
    }
    return false;
}

bool config_take_path(struct config_reading *r, const struct conf_word *w, struct str *path_out)
{
    if (w->text.n == 0 || has_control(w->text)) {
        CONFIG_ERROR(r, &w->at, STR("a path has at least one character and no control characters"),
                     config_quote(r, w->text), STR(" is not a path"));
        return false;
    }
    if (str_starts(w->text, STR("~"))) {
        CONFIG_ERROR(r, &w->at, STR("write the whole path"),
                     STR("'~' has no meaning in this file: "), config_quote(r, w->text));
        return false;
    }
    *path_out = config_keep(r, conf_path(r->scratch, w->at.file, w->text));
    return true;
}

static bool take_unix(struct config_reading *r, const struct conf_word *w, struct str *name_out)
{
    enum { UNIX_NAME_MAX = 32 };
    bool fine = w->text.n > 0 && w->text.n <= UNIX_NAME_MAX && w->text.p[0] != '-';

    for (size_t i = 0; i < w->text.n; i++) {
        char c = w->text.p[i];
        fine = fine && (byte_is_alpha(c) || byte_is_digit(c) || c == '_' || c == '-' || c == '.');
    }
    if (fine) {
        *name_out = config_keep(r, w->text);
        return true;
    }
    CONFIG_ERROR(r, &w->at, STR("it has at most 32 letters, digits and _ - ."),
                 config_quote(r, w->text), STR(" is not the name of a Unix user or group"));
    return false;
}

static bool take_text(struct config_reading *r, const struct conf_word *w, struct str *text_out)
{
    for (size_t i = 0; i < w->text.n; i++) {
        if (w->text.p[i] >= ' ' && w->text.p[i] <= '~') continue;
        CONFIG_ERROR(r, &w->at, STR("write printable ASCII only"), STR("a foreign character in "),
                     config_quote(r, w->text));
        return false;
    }
    *text_out = config_keep(r, w->text);
    return true;
}

bool config_take_net(struct config_reading *r, const struct conf_word *w, struct ip_net *net_out)
{
    enum err e = ip_net_parse(w->text, net_out);
    if (e == OK) return true;

    struct str left = w->text, head = STR_NONE;
    struct ip_addr ip;
    uint64_t bits = 0;
    (void)str_cut(&left, '/', &head);
    if (e == ERR_INVALID && ip_parse(head, &ip) == OK && str_to_u64(left, 128, &bits) == OK) {
        struct ip_net net = ip_net_around(&ip, (unsigned)bits, (unsigned)bits);
        struct buf b = buf_new(IP_NET_TEXT_MAX);
        ip_net_put(&b, &net);
        struct str fixed = arena_str(r->scratch, buf_str(&b));
        buf_free(&b);
        CONFIG_ERROR(r, &w->at, config_did_you_mean(r, fixed), config_quote(r, w->text),
                     STR(" has bits set behind its first "), left);
    } else if (e == ERR_RANGE) {
        CONFIG_ERROR(r, &w->at, STR("IPv4 has 32 bits, IPv6 has 128"), config_quote(r, w->text),
                     STR(" has more bits behind the '/' than the address has"));
    } else {
        CONFIG_ERROR(r, &w->at, STR("write it as 192.0.2.0/24, 2001:db8::/32 or one address"),
                     config_quote(r, w->text), STR(" is not a network"));
    }
    return false;
}

/* ---- numbers ---- */

static struct str number_text(struct config_reading *r, int64_t value,
                              void (*put)(struct buf *, int64_t))
{
    struct buf b = buf_new(40);
    put(&b, value);
    struct str s = arena_str(r->scratch, buf_str(&b));
    buf_free(&b);
    return s;
}

/* `value` as it was read, or ERR_RANGE when it did not fit any number. */
static bool in_range(struct config_reading *r, struct str name, const struct conf_word *w,
                     enum err e, int64_t value, int64_t min, int64_t max,
                     void (*put)(struct buf *, int64_t))
{
    if (e == OK && value >= min && value <= max) return true;
    CONFIG_ERROR(r, &w->at,
                 CONFIG_JOIN(r, STR("it may be from "), number_text(r, min, put), STR(" to "),
                             number_text(r, max, put)),
                 config_quote(r, w->text),
                 e == OK && value < min ? STR(" is too little for ") : STR(" is too much for "),
                 name);
    return false;
}

/* The digits at the front of a word that has the wrong unit or none. */
static struct str digits_of(struct str s)
{
    size_t n = 0;
    while (n < s.n && byte_is_digit(s.p[n])) {
        n++;
    }
    return str_part(s, 0, n);
}

static bool take_number(struct config_reading *r, struct str name, const struct conf_word *w,
                        int64_t min, int64_t max, int64_t *count_out)
{
    int64_t value = 0;
    enum err e = conf_parse_count(w->text, &value);

    if (e == ERR_SYNTAX) {
        CONFIG_ERROR(r, &w->at, STR("write digits only"), name, STR(" is a number, not "),
                     config_quote(r, w->text));
        return false;
    }
    if (!in_range(r, name, w, e, value, min, max, buf_put_i64)) return false;
    *count_out = value;
    return true;
}

static bool take_bytes(struct config_reading *r, struct str name, const struct conf_word *w,
                       int64_t min, int64_t max, int64_t *bytes_out)
{
    int64_t value = 0;
    enum err e = conf_parse_bytes(w->text, &value);

    if (e == ERR_SYNTAX) {
        struct str digits = digits_of(w->text), unit = str_skip(w->text, digits.n);
        bool near = digits.n > 0 && unit.n > 0 && unit.n <= 3 &&
                    str_find(STR("kKmMgGtT"), unit.p[0]) != STR_NOWHERE;
        char upper = near ? (char)(unit.p[0] & ~0x20) : 'M';
        CONFIG_ERROR(r, &w->at,
                     near ? config_did_you_mean(r, CONFIG_JOIN(r, digits, str_of(&upper, 1)))
                          : STR("write a number of bytes, or one with K, M, G or T: 64M"),
                     name, STR(" is a size, not "), config_quote(r, w->text));
        return false;
    }
    if (!in_range(r, name, w, e, value, min, max, conf_put_bytes)) return false;
    *bytes_out = value;
    return true;
}

static bool take_time(struct config_reading *r, struct str name, const struct conf_word *w,
                      int64_t min, int64_t max, int64_t *ms_out)
{
    int64_t value = 0;
    enum err e = conf_parse_time(w->text, &value);

    if (e == ERR_SYNTAX) {
        struct str digits = digits_of(w->text), unit = str_skip(w->text, digits.n);
        struct str known = config_nearest(STR("ms|milliseconds|s|sec|seconds|min|minutes|h|hours|"
                                              "d|days|w|weeks"),
                                          unit);
        struct str best = known.n == 0                    ? STR_NONE
                          : str_starts(known, STR("mil")) ? STR("ms")
                          : str_eq(known, STR("ms"))      ? known
                                                          : str_part(known, 0, 1);
        CONFIG_ERROR(r, &w->at,
                     digits.n > 0 && unit.n > 0 && best.n > 0
                         ? config_did_you_mean(r, CONFIG_JOIN(r, digits, best))
                     : digits.n > 0 && unit.n == 0
                         ? CONFIG_JOIN(r, STR("add a unit: "), digits, STR("ms, "), digits,
                                       STR("s, "), digits, STR("m, "), digits, STR("h or "), digits,
                                       STR("d"))
                         : STR("write a number with ms, s, m, h, d or w: 30s"),
                     name, STR(" is a time, not "), config_quote(r, w->text));
        return false;
    }
    if (!in_range(r, name, w, e, value, min, max, conf_put_time)) return false;
    *ms_out = value;
    return true;
}

static bool take_cores(struct config_reading *r, const struct config_option *o,
                       const struct conf_word *w, int64_t *count_out)
{
    if (str_eq(w->text, STR("cores"))) {
        *count_out = 0;
        return true;
    }
    if (w->text.n == 0 || !byte_is_digit(w->text.p[0])) {
        CONFIG_ERROR(r, &w->at, STR("write \"cores\" for one a processor core"), str_c(o->name),
                     STR(" is a number or \"cores\", not "), config_quote(r, w->text));
        return false;
    }
    return take_number(r, str_c(o->name), w, o->min, o->max, count_out);
}

static bool take_mode(struct config_reading *r, const struct conf_word *w, uint32_t *mode_out)
{
    uint32_t mode = 0;
    bool fine = w->text.n == 3 || (w->text.n == 4 && w->text.p[0] == '0');

    for (size_t i = 0; i < w->text.n; i++) {
        fine = fine && w->text.p[i] >= '0' && w->text.p[i] <= '7';
        mode = mode << 3 | (uint32_t)(w->text.p[i] & 7);
    }
    if (fine) {
        *mode_out = mode;
        return true;
    }
    CONFIG_ERROR(r, &w->at, STR("permissions are three octal digits: 0660"),
                 config_quote(r, w->text), STR(" is not a mode"));
    return false;
}

static void put_mode(struct buf *b, uint32_t mode)
{
    buf_put_lit(b, "0");
    for (unsigned shift = 9; shift > 0; shift -= 3) {
        buf_put_u64(b, mode >> (shift - 3) & 7);
    }
}

/* ---- by kind ---- */

bool config_value_take(struct config_reading *r, const struct config_option *o,
                       const struct conf_word *w, void *base)
{
    void *to = (char *)base + o->offset;
    size_t index = 0;

    switch (o->kind) {
    case CONFIG_KIND_NAME:
        return config_take_name(r, w, to);
    case CONFIG_KIND_ADDRESS:
        return take_address(r, w, to);
    case CONFIG_KIND_PATH:
        return config_take_path(r, w, to);
    case CONFIG_KIND_UNIX:
        return take_unix(r, w, to);
    case CONFIG_KIND_COUNT:
        return take_number(r, str_c(o->name), w, o->min, o->max, to);
    case CONFIG_KIND_CORES:
        return take_cores(r, o, w, to);
    case CONFIG_KIND_BYTES:
        return take_bytes(r, str_c(o->name), w, o->min, o->max, to);
    case CONFIG_KIND_MODE:
        return take_mode(r, w, to);
    case CONFIG_KIND_BOOL:
        return take_bool(r, o, w, to);
    case CONFIG_KIND_CHOICE:
        if (!take_choice(r, o, w, &index)) return false;
        *(unsigned *)to = (unsigned)index;
        return true;
    case CONFIG_KIND_TEXT:
        return take_text(r, w, to);
    case CONFIG_KIND_SECTION:
    case CONFIG_KIND_FLAG:
    case CONFIG_KIND_OWN:
        break;
    }
    must(false);
    return false;
}

void config_value_put(struct buf *b, const struct config_option *o, const void *base)
{
    const void *from = (const char *)base + o->offset;

    switch (o->kind) {
    case CONFIG_KIND_NAME:
    case CONFIG_KIND_ADDRESS:
    case CONFIG_KIND_PATH:
    case CONFIG_KIND_UNIX:
    case CONFIG_KIND_TEXT:
        conf_put_word(b, *(const struct str *)from);
        return;
    case CONFIG_KIND_COUNT:
        buf_put_i64(b, *(const int64_t *)from);
        return;
    case CONFIG_KIND_CORES:
        if (*(const int64_t *)from == 0) {
            buf_put_lit(b, "cores");
        } else {
            buf_put_i64(b, *(const int64_t *)from);
        }
        return;
    case CONFIG_KIND_BYTES:
        conf_put_bytes(b, *(const int64_t *)from);
        return;
    case CONFIG_KIND_MODE:
        put_mode(b, *(const uint32_t *)from);
        return;
    case CONFIG_KIND_BOOL:
        buf_put(b, *(const bool *)from ? STR("yes") : STR("no"));
        return;
    case CONFIG_KIND_CHOICE:
        buf_put(b, config_choice_at(str_c(o->choices), *(const unsigned *)from));
        return;
    case CONFIG_KIND_SECTION:
    case CONFIG_KIND_FLAG:
    case CONFIG_KIND_OWN:
        break;
    }
    must(false);
}

/* ---- parameters ---- */

bool config_take_param(struct config_reading *r, const struct param *p, const struct conf_word *w,
                       int64_t *value_out)
{
    struct str name = str_c(p->name);
    bool yes;

    switch (p->kind) {
    case PARAM_TIME_MS:
        return take_time(r, name, w, p->min, p->max, value_out);
    case PARAM_BYTES:
        return take_bytes(r, name, w, p->min, p->max, value_out);
    case PARAM_COUNT:
        return take_number(r, name, w, p->min, p->max, value_out);
    case PARAM_BOOL:
        break;
    }
    const struct config_option o = { .name = p->name };
    if (!take_bool(r, &o, w, &yes)) return false;
    *value_out = yes;
    return true;
}

void config_put_param(struct buf *b, const struct param *p, int64_t value)
{
    switch (p->kind) {
    case PARAM_TIME_MS:
        conf_put_time(b, value);
        return;
    case PARAM_BYTES:
        conf_put_bytes(b, value);
        return;
    case PARAM_COUNT:
        buf_put_i64(b, value);
        return;
    case PARAM_BOOL:
        buf_put(b, value != 0 ? STR("yes") : STR("no"));
        return;
    }
    must(false);
}
