/* The grammar's nouns, one function each: path, route, mailbox, local part, domain, literal.
 * All of it is bounded by ADDRESS_PATH_MAX; the walk stops there and not at the end of the line. */
#include "syntax/address.h"
#include "base/must.h"
#include "syntax/domain.h"
#include "syntax/utf8.h"

/* Everything on the way from text to result. */
struct parse {
    struct scan *s;
    struct arena *a;
    unsigned options;
    bool utf8_seen;
};

const char *address_fault_words(enum address_fault fault)
{
    static const char *const words[ADDRESS_FAULT_COUNT] = {
#define X(name, text) [name] = text,
        ADDRESS_FAULTS(X)
#undef X
    };
    must((unsigned)fault < ADDRESS_FAULT_COUNT);
    return words[fault];
}

/* One character from outside ASCII. C1 controls are valid UTF-8, but no part of any name. */
static enum address_fault take_high(struct parse *p)
{
    struct scan t = *p->s;
    int32_t c = utf8_take(&t);
    if (c < 0 || (c >= 0x80 && c < 0xa0)) return ADDRESS_FAULT_UTF8;
    if ((p->options & ADDRESS_UTF8) == 0) return ADDRESS_FAULT_NOT_ASCII;
    *p->s = t;
    p->utf8_seen = true;
    return ADDRESS_FINE;
}

/* A run of `classes` and, if they are allowed here, characters from outside ASCII. */
static enum address_fault take_run(struct parse *p, unsigned classes)
{
    for (;;) {
        scan_while(p->s, classes);
        if (!scan_is(p->s, BYTE_HIGH)) return ADDRESS_FINE;
        enum address_fault fault = take_high(p);
        if (fault != ADDRESS_FINE) return fault;
    }
}

/* Dot-string = Atom *("." Atom); taken as one view. */
static enum address_fault take_dot_string(struct parse *p, struct str *local_out)
{
    struct str from = p->s->left;
    do {
        size_t left_bytes = p->s->left.n;
        enum address_fault fault = take_run(p, BYTE_ATOM);
        if (fault != ADDRESS_FINE) return fault;
        if (p->s->left.n == left_bytes) return ADDRESS_FAULT_LOCAL;
    } while (scan_byte(p->s, '.'));
    *local_out = scan_since(p->s, from);
    return ADDRESS_FINE;
}

/* The opening quote is taken; the value goes to `value` without backslashes. */
static enum address_fault take_quoted(struct parse *p, struct buf *value)
{
    while (!scan_byte(p->s, '"')) {
        struct str from = p->s->left;
        enum address_fault fault = take_run(p, BYTE_QTEXT);
        if (fault != ADDRESS_FINE) return fault;
        buf_put(value, scan_since(p->s, from));
        if (scan_byte(p->s, '\\')) {
            if (!scan_is(p->s, BYTE_PRINT)) return ADDRESS_FAULT_QUOTE;
            buf_put_byte(value, (char)scan_get(p->s));
        } else if (p->s->left.n == from.n) {
            return ADDRESS_FAULT_QUOTE;
        }
        if (value->over) return ADDRESS_FAULT_LOCAL_LONG;
    }
    return ADDRESS_FINE;
}

static enum address_fault take_local(struct parse *p, struct mail_address *address)
{
    struct buf value = BUF_INIT(ADDRESS_PATH_MAX);
    struct str local = STR_NONE;
    struct str from = p->s->left;
    enum address_fault fault;

    p->utf8_seen = false;
    if (scan_byte(p->s, '"')) {
        fault = take_quoted(p, &value);
        local = buf_str(&value);
    } else {
        fault = take_dot_string(p, &local);
    }
    size_t limit = p->options & ADDRESS_LONG_LOCAL ? ADDRESS_PATH_MAX : ADDRESS_LOCAL_MAX;
    if (fault == ADDRESS_FINE && from.n - p->s->left.n > limit) {
        p->s->left = str_skip(from, limit);
        fault = ADDRESS_FAULT_LOCAL_LONG;
    }
    if (fault == ADDRESS_FINE) {
        address->local = arena_str(p->a, local);
        address->local_utf8 = p->utf8_seen;
    }
    buf_free(&value);
    return fault;
}

/* Snum of RFC 5321 4.1.3 may have leading zeros and is decimal all the same; the normal form has
 * none. */
static enum err parse_quad(struct str text, struct ip_addr *ip_out)
{
    struct buf plain = BUF_INIT(15);
    struct scan s = scan_of(text);

    while (!scan_end(&s)) {
        struct str digits = scan_while(&s, BYTE_DIGIT);
        if (digits.n > 3) break;
        while (digits.n > 1 && str_starts(digits, STR("0"))) {
            digits = str_skip(digits, 1);
        }
        buf_put(&plain, digits);
        if (!scan_byte(&s, '.')) break;
        buf_put_byte(&plain, '.');
    }
    enum err e = scan_end(&s) ? ip4_parse(buf_str(&plain), ip_out) : ERR_SYNTAX;
    buf_free(&plain);
    return e;
}

static void literal_domain(struct mail_address *address, const char *tag, struct str text,
                           struct arena *a)
{
    struct buf b = BUF_INIT(ADDRESS_PATH_MAX * 2);
    buf_put_byte(&b, '[');
    buf_put(&b, str_c(tag));
    if (address->kind == ADDRESS_GENERAL) {
        buf_put(&b, text);
    } else {
        ip_put(&b, &address->ip);
    }
    buf_put_byte(&b, ']');
    must(!b.over);
    address->domain = arena_str(a, buf_str(&b));
    buf_free(&b);
}

/* What stands between the brackets. An IPv4-mapped address is an IPv4 literal in normal form,
 * however it came, so that two spellings of one host are equal. */
static enum address_fault literal_value(struct str text, struct arena *a,
                                        struct mail_address *address)
{
    struct scan s = scan_of(text);

    if (str_find(text, ':') == STR_NOWHERE) {
        address->kind = ADDRESS_IPV4;
        if (parse_quad(text, &address->ip) != OK) return ADDRESS_FAULT_LITERAL;
        literal_domain(address, "", text, a);
    } else if (scan_text(&s, STR("IPv6:"))) {
        if (ip6_parse(s.left, &address->ip) != OK) return ADDRESS_FAULT_LITERAL;
        bool v4 = ip_is_v4(&address->ip);
        address->kind = v4 ? ADDRESS_IPV4 : ADDRESS_IPV6;
        literal_domain(address, v4 ? "" : "IPv6:", text, a);
    } else {
        struct str tag = scan_while(&s, BYTE_LDH);
        if (tag.n == 0 || tag.p[tag.n - 1] == '-' || !scan_byte(&s, ':') || scan_end(&s)) {
            return ADDRESS_FAULT_LITERAL;
        }
        address->kind = ADDRESS_GENERAL;
        literal_domain(address, "", text, a);
    }
    return ADDRESS_FINE;
}

static enum address_fault take_literal(struct parse *p, struct mail_address *address)
{
    struct str from = p->s->left;
    if (!scan_byte(p->s, '[')) return ADDRESS_FAULT_LITERAL;
    struct str text = scan_while(p->s, BYTE_DCONTENT);
    if (!scan_byte(p->s, ']')) return ADDRESS_FAULT_LITERAL;
    if (text.n > ADDRESS_PATH_MAX) return ADDRESS_FAULT_LONG;

    enum address_fault fault = literal_value(text, p->a, address);
    if (fault != ADDRESS_FINE) {
        p->s->left = from;
        return fault;
    }
    address->domain_shown = arena_str(p->a, scan_since(p->s, from));
    return ADDRESS_FINE;
}

enum address_fault address_literal_parse(struct str text, struct arena *a,
                                         struct mail_address *address_out)
{
    struct scan s = scan_of(text);
    struct parse p = { .s = &s, .a = a };
    struct mail_address address = { 0 };

    enum address_fault fault = take_literal(&p, &address);
    if (fault == ADDRESS_FINE && !scan_end(&s)) fault = ADDRESS_FAULT_TRAILING;
    if (fault == ADDRESS_FINE) *address_out = address;
    return fault;
}

/* The bytes that could belong to a domain name; whether they are one is decided as a whole. */
static enum address_fault take_domain_text(struct parse *p, struct str *text_out)
{
    struct str from = p->s->left;
    do {
        enum address_fault fault = take_run(p, BYTE_LDH);
        if (fault != ADDRESS_FINE) return fault;
    } while (scan_byte(p->s, '.') || scan_byte(p->s, '_'));
    *text_out = scan_since(p->s, from);
    return ADDRESS_FINE;
}

static enum address_fault take_domain(struct parse *p, struct mail_address *address)
{
    struct str from = p->s->left;
    struct str text;

    if (scan_peek(p->s) == '[') return take_literal(p, address);
    p->utf8_seen = false;
    enum address_fault fault = take_domain_text(p, &text);
    if (fault != ADDRESS_FINE) return fault;
    unsigned options = p->options & ADDRESS_UNDERSCORE ? DOMAIN_UNDERSCORE : 0;
    enum err e = domain_normalise(text, options, p->a, &address->domain);
    if (e != OK) {
        p->s->left = from;
        return e == ERR_LIMIT     ? ADDRESS_FAULT_DOMAIN_LONG
               : e == ERR_INVALID ? ADDRESS_FAULT_IDNA
                                  : ADDRESS_FAULT_DOMAIN;
    }
    address->kind = ADDRESS_DOMAIN;
    address->domain_shown = arena_str(p->a, text);
    address->domain_utf8 = p->utf8_seen;
    return ADDRESS_FINE;
}

static bool may_stand_alone(const struct parse *p, struct str local)
{
    if ((p->options & ADDRESS_ANY_BARE) != 0) return true;
    return (p->options & ADDRESS_POSTMASTER) != 0 && str_eq_nocase(local, STR("postmaster"));
}

static enum address_fault take_mailbox(struct parse *p, struct mail_address *address)
{
    if (scan_end(p->s)) return ADDRESS_FAULT_EMPTY;
    enum address_fault fault = take_local(p, address);
    if (fault != ADDRESS_FINE) return fault;
    if (scan_byte(p->s, '@')) return take_domain(p, address);

    int next = scan_peek(p->s);
    bool ends = next < 0 || next == '>' || (next == ' ' && p->options & ADDRESS_NO_BRACKETS);
    if (!ends) return ADDRESS_FAULT_LOCAL;
    return may_stand_alone(p, address->local) ? ADDRESS_FINE : ADDRESS_FAULT_NO_DOMAIN;
}

/* A-d-l ":" of RFC 5321 4.1.2: parsed, kept as text, of no effect. */
static enum address_fault take_route(struct parse *p, struct str *route_out)
{
    struct str from = p->s->left;
    size_t hosts = 0;
    do {
        struct mail_address host = { 0 };
        if (!scan_byte(p->s, '@') || ++hosts > ADDRESS_ROUTE_HOSTS_MAX) return ADDRESS_FAULT_ROUTE;
        enum address_fault fault = take_domain(p, &host);
        if (fault != ADDRESS_FINE) return fault;
    } while (scan_byte(p->s, ','));
    struct str route = scan_since(p->s, from);
    if (!scan_byte(p->s, ':')) return ADDRESS_FAULT_ROUTE;
    *route_out = arena_str(p->a, route);
    return ADDRESS_FINE;
}

static enum address_fault take_path(struct parse *p, struct path *path)
{
    bool bracket = scan_byte(p->s, '<');
    if (!bracket && (p->options & ADDRESS_NO_BRACKETS) == 0) {
        return scan_end(p->s) ? ADDRESS_FAULT_EMPTY : ADDRESS_FAULT_OPEN;
    }
    if (bracket && scan_byte(p->s, '>')) {
        path->null = true;
        return (p->options & ADDRESS_NULL) != 0 ? ADDRESS_FINE : ADDRESS_FAULT_EMPTY;
    }
    if (bracket && scan_peek(p->s) == '@') {
        enum address_fault fault = take_route(p, &path->route);
        if (fault != ADDRESS_FINE) return fault;
    }
    enum address_fault fault = take_mailbox(p, &path->address);
    if (fault != ADDRESS_FINE) return fault;
    return !bracket || scan_byte(p->s, '>') ? ADDRESS_FINE : ADDRESS_FAULT_CLOSE;
}

enum address_fault path_parse(struct scan *s, unsigned options, struct arena *a,
                              struct path *path_out)
{
    /* A path longer than the limit is cut here, so it can only end in a fault. */
    struct str text = str_part(s->left, 0, ADDRESS_PATH_MAX + 1);
    struct scan near = scan_of(text);
    struct parse p = { .s = &near, .a = a, .options = options };
    struct path path = { 0 };

    enum address_fault fault = take_path(&p, &path);
    struct str taken = scan_since(&near, text);
    if (taken.n > ADDRESS_PATH_MAX) fault = ADDRESS_FAULT_LONG;
    if (fault == ADDRESS_FINE) path.text = arena_str(a, taken);
    scan_take(s, taken.n);
    if (fault == ADDRESS_FINE) *path_out = path;
    return fault;
}

enum address_fault address_parse(struct str text, unsigned options, struct arena *a,
                                 struct mail_address *address_out, size_t *at_out)
{
    struct str near = str_part(text, 0, ADDRESS_PATH_MAX + 1);
    struct scan s = scan_of(near);
    struct parse p = { .s = &s, .a = a, .options = options };
    struct mail_address address = { 0 };

    enum address_fault fault = take_mailbox(&p, &address);
    /* The limit is the path's, of which two bytes are the angle brackets. */
    size_t at = near.n - s.left.n;
    if (at > ADDRESS_PATH_MAX - 2) fault = ADDRESS_FAULT_LONG;
    if (fault == ADDRESS_FINE && at < text.n) fault = ADDRESS_FAULT_TRAILING;
    if (fault == ADDRESS_FINE) {
        *address_out = address;
    } else if (at_out != NULL) {
        *at_out = at;
    }
    return fault;
}

bool address_eq(const struct mail_address *x, const struct mail_address *y)
{
    return str_eq(x->local, y->local) && str_eq(x->domain, y->domain);
}

static bool is_dot_string(struct str local)
{
    struct scan s = scan_of(local);
    do {
        if (scan_while(&s, BYTE_ATOM | BYTE_HIGH).n == 0) return false;
    } while (scan_byte(&s, '.'));
    return scan_end(&s);
}

void address_put_local(struct buf *b, struct str local)
{
    if (is_dot_string(local)) {
        buf_put(b, local);
        return;
    }
    struct scan s = scan_of(local);
    buf_put_byte(b, '"');
    while (!scan_end(&s)) {
        buf_put(b, scan_while(&s, BYTE_QTEXT | BYTE_HIGH));
        if (scan_end(&s)) break;
        buf_put_byte(b, '\\');
        buf_put_byte(b, (char)scan_get(&s));
    }
    buf_put_byte(b, '"');
}

void address_write(struct buf *b, const struct mail_address *address)
{
    address_put_local(b, address->local);
    if (address->kind == ADDRESS_BARE) return;
    buf_put_byte(b, '@');
    buf_put(b, address->domain);
}

void path_write(struct buf *b, const struct path *path)
{
    buf_put_byte(b, '<');
    if (!path->null) address_write(b, &path->address);
    buf_put_byte(b, '>');
}
