/* One row a parameter: where it may stand, whether it has a value, who reads that. The order of the
 * checks gives the most telling fault: grammar, known here, not twice, value, and at the end what
 * only all of them together can show. */
#include "syntax/smtp_parameter.h"
#include "syntax/rfc3339.h"
#include "syntax/utf8.h"
#include "syntax/xtext.h"

enum { BY_DIGITS_MAX = 9, HOLD_DIGITS_MAX = 9, SIZE_DIGITS_MAX = 20, PRIORITY_MAX = 9 };

/* Where a value goes. */
struct sink {
    struct arena *a;
    bool utf8; /* SMTPUTF8 holds, as far as is known when the value is read */
    struct smtp_mail *mail;
    struct smtp_rcpt *rcpt;
};

/* True if the value is in the grammar of its parameter. */
typedef bool value_parser(struct str value, struct sink *to);

static bool parse_size(struct str value, struct sink *to)
{
    if (value.n > SIZE_DIGITS_MAX || !str_all(value, BYTE_DIGIT)) return false;
    if (str_to_u64(value, UINT64_MAX, &to->mail->size_bytes) != OK) {
        to->mail->size_bytes = UINT64_MAX;
    }
    return true;
}

static bool parse_body(struct str value, struct sink *to)
{
    static const struct str names[] = {
        [SMTP_BODY_7BIT] = STR_INIT("7BIT"),
        [SMTP_BODY_8BITMIME] = STR_INIT("8BITMIME"),
        [SMTP_BODY_BINARYMIME] = STR_INIT("BINARYMIME"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!str_eq_nocase(value, names[i])) continue;
        to->mail->body = (enum smtp_body)i;
        return true;
    }
    return false;
}

static bool parse_ret(struct str value, struct sink *to)
{
    bool full = str_eq_nocase(value, STR("FULL"));
    if (!full && !str_eq_nocase(value, STR("HDRS"))) return false;
    to->mail->ret = full ? SMTP_RET_FULL : SMTP_RET_HDRS;
    return true;
}

/* xtext of printable ASCII, into the arena. */
static bool parse_xtext(struct str value, size_t max, struct arena *a, struct str *text_out)
{
    struct buf b = BUF_INIT(SMTP_ORCPT_MAX);
    bool good = value.n <= max && xtext_decode(&b, value) == OK && !b.over &&
                str_all(buf_str(&b), BYTE_PRINT);
    if (good) *text_out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return good;
}

static bool parse_envid(struct str value, struct sink *to)
{
    return parse_xtext(value, SMTP_ENVID_MAX, to->a, &to->mail->envid);
}

static bool parse_auth(struct str value, struct sink *to)
{
    if (str_eq(value, STR("<>"))) return true;
    return parse_xtext(value, SMTP_AUTH_PARAMETER_MAX, to->a, &to->mail->auth);
}

/* ["-"] digits without leading zeros, within the limits. */
static bool parse_signed(struct str text, uint64_t max, int64_t *value_out)
{
    struct scan s = scan_of(text);
    bool minus = scan_byte(&s, '-');
    uint64_t value;
    if (str_to_u64(s.left, max, &value) != OK) return false;
    *value_out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool parse_mt_priority(struct str value, struct sink *to)
{
    int64_t priority;
    if (value.n > 2 || !parse_signed(value, PRIORITY_MAX, &priority)) return false;
    if (str_eq(value, STR("-0")) || (value.n > 1 && str_starts(value, STR("0")))) return false;
    to->mail->mt_priority = (int)priority;
    return true;
}

static bool parse_holdfor(struct str value, struct sink *to)
{
    if (value.n > HOLD_DIGITS_MAX || str_starts(value, STR("0")) || str_starts(value, STR("-"))) {
        return false;
    }
    return parse_signed(value, INT32_MAX, &to->mail->hold_for_s);
}

static bool parse_holduntil(struct str value, struct sink *to)
{
    return rfc3339_parse(value, &to->mail->hold_until_s) == OK;
}

/* RFC 2852 4: by-time ";" by-mode [by-trace]; a return needs time left to deliver in. */
static bool parse_by(struct str value, struct sink *to)
{
    struct scan s = scan_of(value);
    struct str time = scan_until(&s, ';');
    if (str_starts(time, STR("+"))) {
        time = str_skip(time, 1);
        if (!str_all(time, BYTE_DIGIT)) return false;
    }
    size_t digits = time.n - (str_starts(time, STR("-")) ? 1 : 0);
    if (digits > BY_DIGITS_MAX || !parse_signed(time, INT32_MAX, &to->mail->by_s)) return false;
    if (!scan_byte(&s, ';')) return false;
    to->mail->by_return = scan_text(&s, STR("R"));
    if (!to->mail->by_return && !scan_text(&s, STR("N"))) return false;
    to->mail->by_trace = scan_text(&s, STR("T"));
    return scan_end(&s) && (!to->mail->by_return || to->mail->by_s > 0);
}

static bool parse_notify(struct str value, struct sink *to)
{
    static const struct {
        struct str name;
        enum smtp_notify bit;
    } words[] = {
        { STR_INIT("SUCCESS"), SMTP_NOTIFY_SUCCESS },
        { STR_INIT("FAILURE"), SMTP_NOTIFY_FAILURE },
        { STR_INIT("DELAY"), SMTP_NOTIFY_DELAY },
    };
    struct scan s = scan_of(value);
    unsigned notify = 0;

    if (str_eq_nocase(value, STR("NEVER"))) {
        to->rcpt->notify = SMTP_NOTIFY_NEVER;
        return true;
    }
    do {
        struct str word = scan_until(&s, ',');
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (str_eq_nocase(word, words[i].name)) bit = words[i].bit;
        }
        if (bit == 0) return false;
        notify |= bit;
    } while (scan_byte(&s, ','));
    to->rcpt->notify = notify;
    return true;
}

/* RFC 3461 4.2; RFC 6533 3 for the type utf-8, where "\x{...}" takes the place of xtext's "+". */
static bool parse_orcpt(struct str value, struct sink *to)
{
    struct scan s = scan_of(value);
    struct str type = scan_while(&s, BYTE_LDH);
    if (value.n > SMTP_ORCPT_MAX || type.n == 0 || !scan_byte(&s, ';') || scan_end(&s)) {
        return false;
    }
    struct buf b = BUF_INIT(SMTP_ORCPT_MAX);
    bool good;
    if (str_eq_nocase(type, STR("utf-8"))) {
        good = xtext_utf8_decode(&b, s.left, to->utf8) == OK;
    } else {
        good = xtext_decode(&b, s.left) == OK && str_all(buf_str(&b), BYTE_PRINT);
    }
    good = good && !b.over && b.n > 0;
    if (good) {
        to->rcpt->orcpt_type = arena_str(to->a, type);
        to->rcpt->orcpt = arena_str(to->a, buf_str(&b));
    }
    buf_free(&b);
    return good;
}

/* A row without a parser has no value. */
static const struct row {
    struct str name;
    enum smtp_parameter bit;
    value_parser *parse;
    bool mail;
} rows[] = {
    { STR_INIT("SIZE"), SMTP_PARAMETER_SIZE, parse_size, true },
    { STR_INIT("BODY"), SMTP_PARAMETER_BODY, parse_body, true },
    { STR_INIT("SMTPUTF8"), SMTP_PARAMETER_SMTPUTF8, NULL, true },
    { STR_INIT("RET"), SMTP_PARAMETER_RET, parse_ret, true },
    { STR_INIT("ENVID"), SMTP_PARAMETER_ENVID, parse_envid, true },
    { STR_INIT("AUTH"), SMTP_PARAMETER_AUTH, parse_auth, true },
    { STR_INIT("MT-PRIORITY"), SMTP_PARAMETER_MT_PRIORITY, parse_mt_priority, true },
    { STR_INIT("HOLDFOR"), SMTP_PARAMETER_HOLDFOR, parse_holdfor, true },
    { STR_INIT("HOLDUNTIL"), SMTP_PARAMETER_HOLDUNTIL, parse_holduntil, true },
    { STR_INIT("BY"), SMTP_PARAMETER_BY, parse_by, true },
    { STR_INIT("REQUIRETLS"), SMTP_PARAMETER_REQUIRETLS, NULL, true },
    { STR_INIT("NOTIFY"), SMTP_PARAMETER_NOTIFY, parse_notify, false },
    { STR_INIT("ORCPT"), SMTP_PARAMETER_ORCPT, parse_orcpt, false },
};

static const struct row *find_row(const struct parse *p, struct str name, bool mail)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool here = rows[i].mail == mail && (p->syntax->offered & rows[i].bit) != 0;
        if (here && str_eq_nocase(rows[i].name, name)) return &rows[i];
    }
    return NULL;
}

/* esmtp-value, with the UTF-8 that RFC 6531 3.3 adds to it. */
static bool take_value(struct parse *p, struct str *value_out)
{
    struct str value = scan_while(&p->scan, BYTE_VALUE | BYTE_HIGH);
    *value_out = value;
    return value.n > 0 && utf8_valid(value);
}

static enum smtp_fault_kind take_parameter(struct parse *p, struct sink *to, unsigned *given)
{
    struct str from = p->scan.left, value = STR_NONE, name = scan_while(&p->scan, BYTE_LDH);
    bool has_value = scan_byte(&p->scan, '=');
    if (name.n == 0 || str_starts(name, STR("-")) || (has_value && !take_value(p, &value))) {
        return SMTP_FAULT_PARAMETER;
    }
    if (!scan_end(&p->scan) && scan_peek(&p->scan) != ' ') return SMTP_FAULT_PARAMETER;

    enum smtp_fault_kind kind = SMTP_FINE;
    const struct row *row = find_row(p, name, to->mail != NULL);
    if (row == NULL) {
        kind = SMTP_FAULT_PARAMETER_UNKNOWN;
    } else if ((*given & row->bit) != 0) {
        kind = SMTP_FAULT_PARAMETER_TWICE;
    } else if (has_value != (row->parse != NULL) || (has_value && !row->parse(value, to))) {
        kind = SMTP_FAULT_PARAMETER_VALUE;
    } else {
        *given |= row->bit;
        return SMTP_FINE;
    }
    p->fault->word = name;
    p->scan.left = from;
    return kind;
}

static enum smtp_fault_kind take_all(struct parse *p, struct sink *to, unsigned *given)
{
    enum smtp_fault_kind kind = SMTP_FINE;
    parse_spaces(p);
    while (kind == SMTP_FINE && !scan_end(&p->scan)) {
        kind = take_parameter(p, to, given);
        parse_spaces(p);
    }
    return kind;
}

enum smtp_fault_kind smtp_parameters_parse_mail(struct parse *p, struct smtp_mail *mail)
{
    struct sink to = { .a = p->a, .mail = mail };
    enum smtp_fault_kind kind = take_all(p, &to, &mail->given);
    const unsigned hold = SMTP_PARAMETER_HOLDFOR | SMTP_PARAMETER_HOLDUNTIL;
    if (kind == SMTP_FINE && (mail->given & hold) == hold) kind = SMTP_FAULT_PARAMETER_CONFLICT;
    return kind;
}

enum smtp_fault_kind smtp_parameters_parse_rcpt(struct parse *p, struct smtp_rcpt *rcpt)
{
    struct sink to = { .a = p->a, .rcpt = rcpt, .utf8 = p->syntax->utf8 };
    return take_all(p, &to, &rcpt->given);
}

static void put_key(struct buf *b, const char *key)
{
    buf_put_byte(b, ' ');
    buf_put(b, str_c(key));
}

static void put_dsn(struct buf *b, const struct smtp_mail *mail)
{
    if (mail->ret != SMTP_RET_UNSAID) {
        put_key(b, mail->ret == SMTP_RET_FULL ? "RET=FULL" : "RET=HDRS");
    }
    if ((mail->given & SMTP_PARAMETER_ENVID) != 0) {
        put_key(b, "ENVID=");
        xtext_put(b, mail->envid);
    }
    if ((mail->given & SMTP_PARAMETER_AUTH) != 0) {
        put_key(b, "AUTH=");
        if (mail->auth.n == 0) buf_put_lit(b, "<>");
        xtext_put(b, mail->auth);
    }
}

static void put_by(struct buf *b, const struct smtp_mail *mail)
{
    put_key(b, "BY=");
    buf_put_i64(b, mail->by_s);
    buf_put_byte(b, ';');
    buf_put_byte(b, mail->by_return ? 'R' : 'N');
    if (mail->by_trace) buf_put_byte(b, 'T');
}

/* HOLDFOR and HOLDUNTIL are not passed on: who holds a message has taken them over (RFC 4865 4). */
void smtp_mail_put_parameters(struct buf *b, const struct smtp_mail *mail)
{
    static const char *const bodies[] = { "BODY=7BIT", "BODY=8BITMIME", "BODY=BINARYMIME" };

    if ((mail->given & SMTP_PARAMETER_SIZE) != 0) {
        put_key(b, "SIZE=");
        buf_put_u64(b, mail->size_bytes);
    }
    if ((mail->given & SMTP_PARAMETER_BODY) != 0) put_key(b, bodies[mail->body]);
    if ((mail->given & SMTP_PARAMETER_SMTPUTF8) != 0) put_key(b, "SMTPUTF8");
    put_dsn(b, mail);
    if ((mail->given & SMTP_PARAMETER_MT_PRIORITY) != 0) {
        put_key(b, "MT-PRIORITY=");
        buf_put_i64(b, mail->mt_priority);
    }
    if ((mail->given & SMTP_PARAMETER_BY) != 0) put_by(b, mail);
    if ((mail->given & SMTP_PARAMETER_REQUIRETLS) != 0) put_key(b, "REQUIRETLS");
}

static void put_notify(struct buf *b, unsigned notify)
{
    static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
    const char *lead = " NOTIFY=";
    for (unsigned i = 0; i < 4; i++) {
        if ((notify & 1u << i) == 0) continue;
        buf_put(b, str_c(lead));
        buf_put(b, str_c(words[i]));
        lead = ",";
    }
}

void smtp_rcpt_put_parameters(struct buf *b, const struct smtp_rcpt *rcpt)
{
    put_notify(b, rcpt->notify);
    if (rcpt->orcpt.n == 0) return;
    put_key(b, "ORCPT=");
    buf_put(b, rcpt->orcpt_type);
    buf_put_byte(b, ';');
    if (str_eq_nocase(rcpt->orcpt_type, STR("utf-8"))) {
        xtext_utf8_put(b, rcpt->orcpt, false);
    } else {
        xtext_put(b, rcpt->orcpt);
    }
}
