#include "syntax/xclient.h"
#include "syntax/domain.h"
#include "syntax/utf8.h"
#include "syntax/xtext.h"

enum { VALUE_MAX = 512 };

/* Decoded value to field; false if it is not of its kind. */
typedef bool value_parser(struct str value, struct arena *a, struct xclient *c);

static bool parse_name(struct str value, struct arena *a, struct xclient *c)
{
    return domain_normalise(value, DOMAIN_UNDERSCORE, a, &c->name) == OK;
}

static bool parse_ip(struct str value, struct ip_addr *ip)
{
    struct scan s = scan_of(value);
    if (scan_text(&s, STR("IPV6:"))) return ip6_parse(s.left, ip) == OK;
    return ip4_parse(value, ip) == OK;
}

static bool parse_addr(struct str value, struct arena *a, struct xclient *c)
{
    (void)a;
    return parse_ip(value, &c->addr);
}

static bool parse_destaddr(struct str value, struct arena *a, struct xclient *c)
{
    (void)a;
    return parse_ip(value, &c->dest_addr);
}

static bool parse_number(struct str value, uint16_t *port)
{
    uint64_t number;
    if (str_to_u64(value, UINT16_MAX, &number) != OK) return false;
    *port = (uint16_t)number;
    return true;
}

static bool parse_port(struct str value, struct arena *a, struct xclient *c)
{
    (void)a;
    return parse_number(value, &c->port);
}

static bool parse_destport(struct str value, struct arena *a, struct xclient *c)
{
    (void)a;
    return parse_number(value, &c->dest_port);
}

static bool parse_proto(struct str value, struct arena *a, struct xclient *c)
{
    (void)a;
    c->esmtp = str_eq_nocase(value, STR("ESMTP"));
    return c->esmtp || str_eq_nocase(value, STR("SMTP"));
}

static bool parse_helo(struct str value, struct arena *a, struct xclient *c)
{
    c->helo = arena_str(a, value);
    return str_all(value, BYTE_PRINT);
}

static bool parse_login(struct str value, struct arena *a, struct xclient *c)
{
    c->login = arena_str(a, value);
    return value.n > 0 && str_all(value, BYTE_PRINT | BYTE_HIGH) && utf8_valid(value);
}

static const struct row {
    struct str name;
    enum xclient_attribute bit;
    value_parser *parse;
} rows[] = {
    { STR_INIT("NAME"), XCLIENT_NAME, parse_name },
    { STR_INIT("ADDR"), XCLIENT_ADDR, parse_addr },
    { STR_INIT("PORT"), XCLIENT_PORT, parse_port },
    { STR_INIT("PROTO"), XCLIENT_PROTO, parse_proto },
    { STR_INIT("HELO"), XCLIENT_HELO, parse_helo },
    { STR_INIT("LOGIN"), XCLIENT_LOGIN, parse_login },
    { STR_INIT("DESTADDR"), XCLIENT_DESTADDR, parse_destaddr },
    { STR_INIT("DESTPORT"), XCLIENT_DESTPORT, parse_destport },
};

struct str xclient_attributes(void)
{
    return STR("NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
}

static const struct row *find_row(struct str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_eq_nocase(name, rows[i].name)) return &rows[i];
    }
    return NULL;
}

static enum err take_value(struct str raw, const struct row *row, struct arena *a,
                           struct xclient *c)
{
    struct buf value = BUF_INIT(VALUE_MAX);
    if (str_eq_nocase(raw, STR("[UNAVAILABLE]"))) {
        c->unavailable |= row->bit;
        return OK;
    }
    if (str_eq_nocase(raw, STR("[TEMPUNAVAIL]"))) {
        c->temporary |= row->bit;
        return OK;
    }
    bool good = xtext_decode(&value, raw) == OK && !value.over;
    good = good && row->parse(buf_str(&value), a, c);
    buf_free(&value);
    if (!good) return ERR_SYNTAX;
    c->given |= row->bit;
    return OK;
}

enum err xclient_parse(struct str text, struct arena *a, struct xclient *client_out,
                       struct str *bad_out)
{
    struct scan s = scan_of(text);
    struct xclient c = { 0 };
    unsigned seen = 0;

    do {
        struct str word = scan_word(&s), name = word;
        size_t equals = str_find(word, '=');
        enum err e = ERR_SYNTAX;
        if (equals != STR_NOWHERE) {
            name = str_part(word, 0, equals);
            const struct row *row = find_row(name);
            if (row == NULL) {
                e = ERR_UNSUPPORTED;
            } else if ((seen & row->bit) == 0) {
                seen |= row->bit;
                e = take_value(str_skip(word, equals + 1), row, a, &c);
            }
        }
        if (e != OK) {
            *bad_out = name;
            return e;
        }
        scan_while(&s, BYTE_WSP);
    } while (!scan_end(&s));
    *client_out = c;
    return OK;
}
