/* A field is built from words that are never broken; the folder puts a space or a fold before each.
 * Words are made in a scratch buf, so that their length is known before they are placed. */
#include "syntax/trace.h"

#include "base/must.h"
#include "syntax/date.h"
#include "syntax/header.h"
#include "syntax/scan.h"

enum {
    COLUMNS_MAX = 77,
    WORD_MAX = 1024,   /* a clause with all its parts; longest line: 998, RFC 5322 2.1.1 */
    DOMAIN_MAX = 255,  /* RFC 5321 4.5.3.1.2 */
    ADDRESS_MAX = 340, /* local part 64, domain 255, and forgiveness; RFC 5321 4.5.3.1 */
    COMMENT_MAX = 100, /* of what is not a name */
    TAB_COLUMNS = 8,
};

/* ---- folding ---- */

struct folder {
    struct buf *to, word;
    size_t column;
};

/* Put the word that was made, behind a space or a fold. */
static void end_word(struct folder *f, bool fold)
{
    if (fold || f->column + 1 + f->word.n > COLUMNS_MAX) {
        buf_put_lit(f->to, "\r\n\t");
        f->column = TAB_COLUMNS;
    } else {
        buf_put_byte(f->to, ' ');
        f->column++;
    }
    buf_put(f->to, buf_str(&f->word));
    f->column += f->word.n;
    buf_clear(&f->word);
}

/* ---- foreign values ---- */

/* `s` with everything that could end a comment or a line replaced by "?". */
static void put_tamed(struct buf *b, struct str s, bool utf8)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool bad = byte_is(c, BYTE_CONTROL) || (byte_is(c, BYTE_HIGH) && !utf8) || c == '(' ||
                   c == ')' || c == '\\' || c == '<' || c == '>' || c == '"' || c == ';';
        buf_put_byte(b, bad ? '?' : c);
    }
}

static bool is_domain(struct str s, bool utf8)
{
    if (s.n == 0 || s.n > DOMAIN_MAX || s.p[0] == '.' || s.p[0] == '-') return false;
    for (size_t i = 0; i < s.n; i++) {
        if (byte_is(s.p[i], utf8 ? BYTE_LDH | BYTE_HIGH : BYTE_LDH)) continue;
        if (s.p[i] != '.' && s.p[i] != '_') return false;
    }
    return true;
}

static bool is_literal(struct str s)
{
    if (s.n < 3 || s.n > DOMAIN_MAX || s.p[0] != '[' || s.p[s.n - 1] != ']') return false;
    for (size_t i = 1; i < s.n - 1; i++) {
        if (!byte_is(s.p[i], BYTE_LDH) && s.p[i] != '.' && s.p[i] != ':') return false;
    }
    return true;
}

/* An atom that needs no care: ids and the names of ciphers. */
static bool is_plain(struct str s)
{
    if (s.n == 0 || s.n > DOMAIN_MAX) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!byte_is(s.p[i], BYTE_LDH) && s.p[i] != '_' && s.p[i] != '.') return false;
    }
    return true;
}

/* Fit to stand between "<" and ">": no control bytes, and blanks and brackets only in quotes. */
static bool is_path(struct str s, bool utf8)
{
    bool quoted = false;
    if (s.n == 0 || s.n > ADDRESS_MAX) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (byte_is(c, BYTE_CONTROL) || (byte_is(c, BYTE_HIGH) && !utf8)) return false;
        if (quoted && c == '\\') {
            if (++i == s.n || byte_is(s.p[i], BYTE_CONTROL)) return false;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ' ' || c == '<' || c == '>' || c == '(' || c == ')')) {
            return false;
        }
    }
    return !quoted;
}

static void put_literal(struct buf *b, struct str ip)
{
    buf_put(b, str_find(ip, ':') != STR_NOWHERE ? STR("[IPv6:") : STR("["));
    put_tamed(b, str_part(ip, 0, DOMAIN_MAX), false);
    buf_put_byte(b, ']');
}

/* ---- clauses ---- */

/* from HELO (NAME [IP]). A HELO that is no name stands in a comment only. */
static void put_from(struct folder *f, const struct trace *t)
{
    bool good_helo = is_domain(t->helo, t->utf8) || is_literal(t->helo);

    buf_put_lit(&f->word, "from ");
    if (good_helo) {
        buf_put(&f->word, t->helo);
    } else {
        put_literal(&f->word, t->client_ip);
    }
    end_word(f, false);
    if (!good_helo && t->helo.n > 0) {
        buf_put_lit(&f->word, "(HELO ");
        put_tamed(&f->word, str_part(t->helo, 0, COMMENT_MAX), false);
        buf_put_byte(&f->word, ')');
        end_word(f, false);
    }
    buf_put_byte(&f->word, '(');
    if (is_domain(t->client_name, t->utf8)) {
        buf_put(&f->word, t->client_name);
        buf_put_byte(&f->word, ' ');
    }
    put_literal(&f->word, t->client_ip);
    buf_put_byte(&f->word, ')');
    end_word(f, false);
}

static void put_clause(struct folder *f, struct str name, struct str value)
{
    if (!is_plain(value)) return;
    buf_put(&f->word, name);
    buf_put(&f->word, value);
    end_word(f, false);
}

/* RFC 8314 4.3 registers the clause; the version is a comment to it. */
static void put_tls(struct folder *f, const struct trace *t)
{
    if (!t->tls || !is_plain(t->tls_cipher)) return;
    put_clause(f, STR("tls "), t->tls_cipher);
    if (!is_plain(t->tls_version)) return;
    buf_put_byte(&f->word, '(');
    buf_put(&f->word, t->tls_version);
    buf_put_byte(&f->word, ')');
    end_word(f, false);
}

static const struct str with_names[4][8] = {
    /* bits: 1 S, 2 A, 4 UTF8. HELO knows neither; a login or TLS under it is ESMTP in all but name.
     */
    [TRACE_SMTP] = { STR_INIT("SMTP"), STR_INIT("ESMTPS"), STR_INIT("ESMTPA"), STR_INIT("ESMTPSA"),
                     STR_INIT("UTF8SMTP"), STR_INIT("UTF8SMTPS"), STR_INIT("UTF8SMTPA"),
                     STR_INIT("UTF8SMTPSA") },
    [TRACE_ESMTP] = { STR_INIT("ESMTP"), STR_INIT("ESMTPS"), STR_INIT("ESMTPA"),
                      STR_INIT("ESMTPSA"), STR_INIT("UTF8SMTP"), STR_INIT("UTF8SMTPS"),
                      STR_INIT("UTF8SMTPA"), STR_INIT("UTF8SMTPSA") },
    [TRACE_LMTP] = { STR_INIT("LMTP"), STR_INIT("LMTPS"), STR_INIT("LMTPA"), STR_INIT("LMTPSA"),
                     STR_INIT("UTF8LMTP"), STR_INIT("UTF8LMTPS"), STR_INIT("UTF8LMTPA"),
                     STR_INIT("UTF8LMTPSA") },
};

struct str trace_with(const struct trace *t)
{
    must(t->protocol <= TRACE_LMTP);
    struct str name =
        with_names[t->protocol][(t->tls ? 1 : 0) | (t->auth ? 2 : 0) | (t->utf8 ? 4 : 0)];
    return str_of(name.p, name.n);
}

void trace_put_received(struct buf *b, const struct trace *t)
{
    struct folder f = { .to = b, .word = BUF_INIT(WORD_MAX) };
    bool has_from = t->client_ip.n > 0;
    bool has_for = is_path(t->recipient, t->utf8);

    buf_put_lit(b, "Received:");
    f.column = sizeof "Received:" - 1;
    if (has_from) put_from(&f, t);
    buf_put_lit(&f.word, "by ");
    put_tamed(&f.word, str_part(t->by, 0, DOMAIN_MAX), true);
    end_word(&f, has_from);
    put_clause(&f, STR("with "), trace_with(t));
    put_clause(&f, STR("id "), t->id);
    if (has_for) {
        buf_put_lit(&f.word, "for <");
        buf_put(&f.word, t->recipient);
        buf_put_byte(&f.word, '>');
        end_word(&f, false);
    }
    put_tls(&f, t);
    buf_put_byte(b, ';');
    date_put(&f.word, t->time_s, t->zone_minutes);
    end_word(&f, true);
    buf_put_lit(b, "\r\n");
    buf_free(&f.word);
}

/* An address as the envelope had it; its grammar was checked there, this only keeps the line. */
static void put_address(struct buf *b, struct str address)
{
    address = str_part(address, 0, ADDRESS_MAX);
    for (size_t i = 0; i < address.n; i++) {
        buf_put_byte(b, byte_is(address.p[i], BYTE_CONTROL) ? '?' : address.p[i]);
    }
}

void trace_put_return_path(struct buf *b, struct str path)
{
    buf_put_lit(b, "Return-Path: <");
    put_address(b, path);
    buf_put_lit(b, ">\r\n");
}

void trace_put_delivered_to(struct buf *b, struct str address)
{
    buf_put_lit(b, "Delivered-To: ");
    put_address(b, address);
    buf_put_lit(b, "\r\n");
}

size_t trace_hops(struct str head)
{
    return header_count(head, STR("Received"));
}

bool trace_was_delivered_to(struct str head, struct str address)
{
    struct header_walk w = header_walk_of(head);
    struct header_field field;
    while (header_next(&w, &field)) {
        if (str_eq_nocase(field.name, STR("Delivered-To")) &&
            str_eq_nocase(str_trim(field.value), address)) {
            return true;
        }
    }
    return false;
}
