/* One table: verb, shape of its arguments. A shape is one function that reads what follows the
 * verb. Clients are forgiven doubled and trailing spaces, except where the argument is free text
 * (USER and PASS), which is taken as it stands behind exactly one space. */
#include "syntax/pop3_command.h"

#include "base/must.h"
#include "syntax/scan.h"

typedef enum err (*shape)(struct scan *s, struct pop3_words *w);

static enum err at_end(struct scan *s)
{
    scan_while(s, BYTE_WSP);
    return s->left.n == 0 ? OK : ERR_SYNTAX;
}

static enum err no_arguments(struct scan *s, struct pop3_words *w)
{
    (void)w;
    return at_end(s);
}

static enum err free_text(struct scan *s, struct pop3_words *w)
{
    if (!scan_byte(s, ' ') || s->left.n == 0) return ERR_SYNTAX;
    w->text = scan_take(s, s->left.n);
    return OK;
}

static enum err message_number(struct scan *s, struct pop3_words *w)
{
    uint64_t number;
    enum err e = str_to_u64(scan_word(s), POP3_NUMBER_MAX, &number);
    if (e != OK) return e;
    e = at_end(s);
    if (e != OK) return e;
    if (number == 0) return ERR_RANGE;
    w->number = (uint32_t)number;
    return OK;
}

static enum err maybe_number(struct scan *s, struct pop3_words *w)
{
    scan_while(s, BYTE_WSP);
    return s->left.n == 0 ? OK : message_number(s, w);
}

static enum err number_and_lines(struct scan *s, struct pop3_words *w)
{
    struct scan number = scan_of(scan_word(s));
    uint64_t lines;
    enum err e = str_to_u64(scan_word(s), POP3_LINES_ALL, &lines);

    if (e == ERR_RANGE) lines = POP3_LINES_ALL; /* "all of it" in whatever number came to mind */
    if (e == ERR_SYNTAX || at_end(s) != OK) return ERR_SYNTAX;
    w->body_lines = (uint32_t)lines;
    return message_number(&number, w);
}

static enum err name_and_digest(struct scan *s, struct pop3_words *w)
{
    w->text = scan_word(s);
    w->extra = scan_word(s);
    if (w->text.n == 0 || w->extra.n != POP3_APOP_DIGEST_BYTES) return ERR_SYNTAX;
    for (size_t i = 0; i < w->extra.n; i++) {
        if (byte_hex(w->extra.p[i]) < 0) return ERR_SYNTAX;
    }
    return at_end(s);
}

static bool is_mechanism(struct str s)
{
    enum { MECHANISM_BYTES_MAX = 20 }; /* RFC 4422 3.1 */
    for (size_t i = 0; i < s.n; i++) {
        if (!byte_is(s.p[i], BYTE_LDH) && s.p[i] != '_') return false;
    }
    return s.n <= MECHANISM_BYTES_MAX;
}

/* Not decoded here, but nothing else than base64 goes on to who does. RFC 5034 4 */
static bool is_initial_response(struct str s)
{
    if (str_eq(s, STR("="))) return true;
    while (str_ends(s, STR("="))) {
        s.n--;
    }
    return str_all(s, BYTE_BASE64);
}

static enum err mechanism(struct scan *s, struct pop3_words *w)
{
    w->text = scan_word(s);
    w->extra = scan_word(s);
    w->has_extra = w->extra.n > 0;
    if (!is_mechanism(w->text) || !is_initial_response(w->extra)) return ERR_SYNTAX;
    return at_end(s);
}

static enum err language_tag(struct scan *s, struct pop3_words *w)
{
    w->text = scan_word(s);
    if (!str_all(w->text, BYTE_LDH) && !str_eq(w->text, STR("*"))) return ERR_SYNTAX;
    return at_end(s);
}

static const struct {
    struct str name;
    shape arguments;
} verbs[POP3_VERB_COUNT] = {
    [POP3_VERB_USER] = { STR_INIT("USER"), free_text },
    [POP3_VERB_PASS] = { STR_INIT("PASS"), free_text },
    [POP3_VERB_APOP] = { STR_INIT("APOP"), name_and_digest },
    [POP3_VERB_AUTH] = { STR_INIT("AUTH"), mechanism },
    [POP3_VERB_QUIT] = { STR_INIT("QUIT"), no_arguments },
    [POP3_VERB_STAT] = { STR_INIT("STAT"), no_arguments },
    [POP3_VERB_LIST] = { STR_INIT("LIST"), maybe_number },
    [POP3_VERB_RETR] = { STR_INIT("RETR"), message_number },
    [POP3_VERB_DELE] = { STR_INIT("DELE"), message_number },
    [POP3_VERB_NOOP] = { STR_INIT("NOOP"), no_arguments },
    [POP3_VERB_RSET] = { STR_INIT("RSET"), no_arguments },
    [POP3_VERB_TOP] = { STR_INIT("TOP"), number_and_lines },
    [POP3_VERB_UIDL] = { STR_INIT("UIDL"), maybe_number },
    [POP3_VERB_CAPA] = { STR_INIT("CAPA"), no_arguments },
    [POP3_VERB_STLS] = { STR_INIT("STLS"), no_arguments },
    [POP3_VERB_UTF8] = { STR_INIT("UTF8"), no_arguments },
    [POP3_VERB_LANG] = { STR_INIT("LANG"), language_tag },
};

static bool has_control(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (byte_is(line.p[i], BYTE_CONTROL) && line.p[i] != '\t') return true;
    }
    return false;
}

enum err pop3_line_parse(struct str line, struct pop3_words *words_out)
{
    struct scan s = scan_of(line);

    if (line.n > POP3_LINE_MAX - 2) return ERR_LIMIT;
    if (has_control(line)) return ERR_SYNTAX;
    struct str verb = scan_while(&s, BYTE_VCHAR | BYTE_HIGH);
    for (size_t i = 0; i < POP3_VERB_COUNT; i++) {
        if (!str_eq_nocase(verb, verbs[i].name)) continue;
        struct pop3_words words = { .verb = (enum pop3_verb)i };
        enum err e = verbs[i].arguments(&s, &words);
        if (e == OK) *words_out = words;
        return e;
    }
    return verb.n == 0 ? ERR_SYNTAX : ERR_UNSUPPORTED;
}

struct str pop3_verb_name(enum pop3_verb verb)
{
    must(verb < POP3_VERB_COUNT);
    return verbs[verb].name;
}
