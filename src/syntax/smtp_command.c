/* Line to verb, verb to the parser of its arguments. The parsers share one `struct parse`: where
 * they stand, what is tolerated, and where the fault is noted. Parameters of MAIL and RCPT are in
 * smtp_parameter.c. */
#include "syntax/smtp_command.h"
#include "base/must.h"
#include "syntax/domain.h"
#include "syntax/smtp_parameter.h"
#include "syntax/utf8.h"

/* Arguments to struct. On failure the scan stands where the fault is. */
typedef enum smtp_fault_kind argument_parser(struct parse *p, struct smtp_command *command);

static const struct smtp_fault_row faults[SMTP_FAULT_COUNT] = {
#define X(kind, code, subject, detail, words) [kind] = { code, subject, detail, words },
    SMTP_FAULTS(X)
#undef X
};

const struct smtp_fault_row *smtp_fault_row(enum smtp_fault_kind kind)
{
    must((unsigned)kind < SMTP_FAULT_COUNT);
    return &faults[kind];
}

static enum smtp_fault_kind parse_nothing(struct parse *p, struct smtp_command *command)
{
    (void)command;
    return scan_end(&p->scan) ? SMTP_FINE : SMTP_FAULT_ARGUMENT_EXTRA;
}

static enum smtp_fault_kind parse_anything(struct parse *p, struct smtp_command *command)
{
    (void)p, (void)command;
    return SMTP_FINE;
}

static enum smtp_fault_kind parse_something(struct parse *p, struct smtp_command *command)
{
    (void)command;
    return scan_end(&p->scan) ? SMTP_FAULT_ARGUMENT_MISSING : SMTP_FINE;
}

static enum smtp_fault_kind parse_hello(struct parse *p, struct smtp_command *command)
{
    struct smtp_hello *hello = &command->hello;
    struct str from = p->scan.left, name = scan_until(&p->scan, ' ');

    if (name.n == 0) return SMTP_FAULT_ARGUMENT_MISSING;
    if (!scan_end(&p->scan)) return SMTP_FAULT_ARGUMENT_EXTRA;
    hello->kind = SMTP_HELLO_ODD;
    if (str_starts(name, STR("["))) {
        if (address_literal_parse(name, p->a, &hello->literal) == ADDRESS_FINE) {
            hello->kind = SMTP_HELLO_LITERAL;
        }
    } else if (utf8_is_ascii(name) && domain_normalise(name, 0, p->a, &hello->domain) == OK) {
        hello->kind = SMTP_HELLO_DOMAIN;
    }
    bool odd = hello->kind == SMTP_HELLO_ODD;
    bool tolerable = (p->syntax->tolerate & SMTP_TOLERATE_HELLO) != 0 && name.n <= DOMAIN_MAX &&
                     str_all(name, BYTE_VCHAR);
    if (odd && !tolerable) {
        p->scan.left = from;
        return SMTP_FAULT_HELLO;
    }
    hello->name = arena_str(p->a, name);
    return SMTP_FINE;
}

static unsigned path_options(const struct smtp_syntax *syntax)
{
    unsigned options = 0;
    if ((syntax->tolerate & SMTP_TOLERATE_BRACKETS) != 0) options |= ADDRESS_NO_BRACKETS;
    if ((syntax->tolerate & SMTP_TOLERATE_LONG_LOCAL) != 0) options |= ADDRESS_LONG_LOCAL;
    if ((syntax->tolerate & SMTP_TOLERATE_UNDERSCORE) != 0) options |= ADDRESS_UNDERSCORE;
    return options;
}

/* The path behind FROM: or TO:, and that a space or the end follows it. */
static enum smtp_fault_kind parse_path(struct parse *p, unsigned options, struct path *path)
{
    if (scan_peek(&p->scan) == ' ') {
        if ((p->syntax->tolerate & SMTP_TOLERATE_SPACE) == 0) return SMTP_FAULT_SPACE;
        parse_spaces(p);
    }
    options |= path_options(p->syntax);
    p->fault->address = path_parse(&p->scan, options, p->a, path);
    if (p->fault->address == ADDRESS_FINE && !scan_end(&p->scan) && scan_peek(&p->scan) != ' ') {
        p->fault->address = ADDRESS_FAULT_TRAILING;
    }
    return p->fault->address == ADDRESS_FINE ? SMTP_FINE : SMTP_FAULT_SENDER;
}

/* The sender's path stands before the parameter that says whether it may have UTF-8. */
static enum smtp_fault_kind parse_mail(struct parse *p, struct smtp_command *command)
{
    struct smtp_mail *mail = &command->mail;
    bool utf8 = (p->syntax->offered & SMTP_PARAMETER_SMTPUTF8) != 0;

    if (!scan_text(&p->scan, STR("FROM:"))) return SMTP_FAULT_FROM;
    struct str path_at = p->scan.left;
    enum smtp_fault_kind kind =
        parse_path(p, ADDRESS_NULL | (utf8 ? ADDRESS_UTF8 : 0), &mail->from);
    if (kind == SMTP_FAULT_SENDER && p->fault->address == ADDRESS_FAULT_NOT_ASCII) {
        kind = SMTP_FAULT_SENDER_UTF8;
    }
    if (kind == SMTP_FINE) kind = smtp_parameters_parse_mail(p, mail);
    if (kind != SMTP_FINE) return kind;

    const struct mail_address *from = &mail->from.address;
    bool declared = (mail->given & SMTP_PARAMETER_SMTPUTF8) != 0;
    if ((from->local_utf8 || from->domain_utf8) && !declared) {
        p->scan.left = path_at;
        p->fault->address = ADDRESS_FAULT_NOT_ASCII;
        return SMTP_FAULT_SENDER_UTF8;
    }
    return SMTP_FINE;
}

static enum smtp_fault_kind parse_rcpt(struct parse *p, struct smtp_command *command)
{
    struct smtp_rcpt *rcpt = &command->rcpt;
    unsigned options = ADDRESS_POSTMASTER | (p->syntax->utf8 ? ADDRESS_UTF8 : 0u);

    if (!scan_text(&p->scan, STR("TO:"))) return SMTP_FAULT_TO;
    enum smtp_fault_kind kind = parse_path(p, options, &rcpt->to);
    if (kind == SMTP_FAULT_SENDER) {
        bool utf8 = p->fault->address == ADDRESS_FAULT_NOT_ASCII;
        kind = utf8 ? SMTP_FAULT_RECIPIENT_UTF8 : SMTP_FAULT_RECIPIENT;
    }
    return kind == SMTP_FINE ? smtp_parameters_parse_rcpt(p, rcpt) : kind;
}

/* RFC 3030 2: chunk-size [SP "LAST"]. */
static enum smtp_fault_kind parse_chunk(struct parse *p, struct smtp_command *command)
{
    struct smtp_chunk *chunk = &command->chunk;
    struct str from = p->scan.left, digits = scan_while(&p->scan, BYTE_DIGIT);

    if (from.n == 0) return SMTP_FAULT_ARGUMENT_MISSING;
    if (str_to_u64(digits, INT64_MAX, &chunk->bytes) != OK) {
        p->scan.left = from;
        return SMTP_FAULT_CHUNK;
    }
    if (scan_end(&p->scan)) return SMTP_FINE;
    if (scan_peek(&p->scan) != ' ') return SMTP_FAULT_CHUNK;
    parse_spaces(p);
    chunk->last = scan_text(&p->scan, STR("LAST"));
    return chunk->last && scan_end(&p->scan) ? SMTP_FINE : SMTP_FAULT_ARGUMENT_EXTRA;
}

/* The string stays as it is: what it means is the server's business, and mostly it tells nothing.
 * The word SMTPUTF8 behind it is the one parameter there is. */
static enum smtp_fault_kind parse_lookup(struct parse *p, struct smtp_command *command)
{
    struct smtp_lookup *lookup = &command->lookup;
    struct str text = p->scan.left;

    if (text.n == 0) return SMTP_FAULT_ARGUMENT_MISSING;
    size_t space = str_rfind(text, ' ');
    if (space != STR_NOWHERE && (p->syntax->offered & SMTP_PARAMETER_SMTPUTF8) != 0) {
        lookup->utf8 = str_eq_nocase(str_skip(text, space + 1), STR("SMTPUTF8"));
        if (lookup->utf8) text = str_trim(str_part(text, 0, space));
    }
    size_t good = utf8_valid_prefix(text);
    if (good < text.n || (!lookup->utf8 && !utf8_is_ascii(text))) return SMTP_FAULT_NOT_ASCII;
    lookup->text = arena_str(p->a, text);
    return SMTP_FINE;
}

static enum smtp_fault_kind parse_auth(struct parse *p, struct smtp_command *command)
{
    if (scan_end(&p->scan)) return SMTP_FAULT_ARGUMENT_MISSING;
    enum err e = sasl_start_parse(p->scan.left, p->a, &command->auth);
    return e == OK ? SMTP_FINE : e == ERR_LIMIT ? SMTP_FAULT_LONG : SMTP_FAULT_MECHANISM;
}

static const struct {
    struct str name;
    argument_parser *parse;
    bool utf8; /* its arguments may have other bytes than ASCII */
} verbs[SMTP_VERB_COUNT] = {
    [SMTP_VERB_UNKNOWN] = { STR_INIT("?"), NULL, true },
    [SMTP_VERB_FOREIGN] = { STR_INIT("?"), NULL, true },
    [SMTP_VERB_HELO] = { STR_INIT("HELO"), parse_hello, false },
    [SMTP_VERB_EHLO] = { STR_INIT("EHLO"), parse_hello, false },
    [SMTP_VERB_LHLO] = { STR_INIT("LHLO"), parse_hello, false },
    [SMTP_VERB_MAIL] = { STR_INIT("MAIL"), parse_mail, true },
    [SMTP_VERB_RCPT] = { STR_INIT("RCPT"), parse_rcpt, true },
    [SMTP_VERB_DATA] = { STR_INIT("DATA"), parse_nothing, false },
    [SMTP_VERB_BDAT] = { STR_INIT("BDAT"), parse_chunk, false },
    [SMTP_VERB_RSET] = { STR_INIT("RSET"), parse_nothing, false },
    [SMTP_VERB_NOOP] = { STR_INIT("NOOP"), parse_anything, false },
    [SMTP_VERB_QUIT] = { STR_INIT("QUIT"), parse_nothing, false },
    [SMTP_VERB_HELP] = { STR_INIT("HELP"), parse_anything, false },
    [SMTP_VERB_VRFY] = { STR_INIT("VRFY"), parse_lookup, true },
    [SMTP_VERB_EXPN] = { STR_INIT("EXPN"), parse_lookup, true },
    [SMTP_VERB_STARTTLS] = { STR_INIT("STARTTLS"), parse_nothing, false },
    [SMTP_VERB_AUTH] = { STR_INIT("AUTH"), parse_auth, false },
    [SMTP_VERB_ETRN] = { STR_INIT("ETRN"), parse_something, false },
    [SMTP_VERB_ATRN] = { STR_INIT("ATRN"), parse_anything, false },
    [SMTP_VERB_XCLIENT] = { STR_INIT("XCLIENT"), parse_something, false },
    [SMTP_VERB_SEND] = { STR_INIT("SEND"), parse_anything, true },
    [SMTP_VERB_SOML] = { STR_INIT("SOML"), parse_anything, true },
    [SMTP_VERB_SAML] = { STR_INIT("SAML"), parse_anything, true },
    [SMTP_VERB_TURN] = { STR_INIT("TURN"), parse_nothing, false },
};

/* RFC 9110 9.3 and RFC 5789. */
static const struct str foreign[] = {
    STR_INIT("GET"),     STR_INIT("HEAD"),   STR_INIT("POST"),
    STR_INIT("PUT"),     STR_INIT("DELETE"), STR_INIT("CONNECT"),
    STR_INIT("OPTIONS"), STR_INIT("TRACE"),  STR_INIT("PATCH"),
};

const char *smtp_verb_name(enum smtp_verb verb)
{
    must((unsigned)verb < SMTP_VERB_COUNT);
    return verbs[verb].name.p;
}

static enum smtp_verb find_verb(struct str word)
{
    for (size_t i = SMTP_VERB_FOREIGN + 1; i < SMTP_VERB_COUNT; i++) {
        if (str_eq_nocase(word, verbs[i].name)) return (enum smtp_verb)i;
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (str_eq_nocase(word, foreign[i])) return SMTP_VERB_FOREIGN;
    }
    return SMTP_VERB_UNKNOWN;
}

static struct str without_white_end(struct str line)
{
    while (line.n > 0 && byte_is(line.p[line.n - 1], BYTE_WSP)) {
        line.n--;
    }
    return line;
}

/* What holds for any command: no control bytes, and ASCII unless its grammar knows better. */
static enum smtp_fault_kind check_bytes(struct parse *p, enum smtp_verb verb)
{
    struct scan s = p->scan;
    scan_while(&s, BYTE_PRINT | (verbs[verb].utf8 ? BYTE_HIGH : 0u));
    if (scan_end(&s)) return SMTP_FINE;
    p->scan = s;
    return scan_is(&s, BYTE_HIGH) ? SMTP_FAULT_NOT_ASCII : SMTP_FAULT_CONTROL;
}

enum err smtp_command_parse(struct str line, const struct smtp_syntax *syntax, struct arena *a,
                            struct smtp_command *command_out)
{
    struct smtp_command *command = command_out;
    struct parse p = { .a = a, .syntax = syntax, .fault = &command->fault };

    *command = (struct smtp_command){ 0 };
    line = without_white_end(line);
    p.scan = scan_of(line);
    command->word = scan_until(&p.scan, ' ');
    command->verb = find_verb(command->word);
    parse_spaces(&p);
    command->arguments = p.scan.left;

    bool known = verbs[command->verb].parse != NULL;
    enum smtp_fault_kind kind = known ? check_bytes(&p, command->verb) : SMTP_FAULT_VERB;
    if (kind == SMTP_FINE) kind = verbs[command->verb].parse(&p, command);
    command->fault.kind = kind;
    if (kind == SMTP_FINE) return OK;
    command->fault.at = line.n - p.scan.left.n;
    return ERR_SYNTAX;
}

void smtp_fault_put(struct buf *b, const struct smtp_fault *fault)
{
    buf_put(b, str_c(smtp_fault_row(fault->kind)->words));
    if (fault->word.n > 0) {
        buf_put_lit(b, ": ");
        buf_put(b, fault->word);
    }
    if (fault->address != ADDRESS_FINE) {
        buf_put_lit(b, ": ");
        buf_put(b, str_c(address_fault_words(fault->address)));
    }
    if (fault->kind == SMTP_FINE || fault->kind == SMTP_FAULT_VERB) return;
    buf_put_lit(b, " (at ");
    buf_put_u64(b, fault->at + 1);
    buf_put_byte(b, ')');
}
