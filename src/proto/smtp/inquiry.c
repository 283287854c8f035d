/* Small talk and questions: NOOP, QUIT, HELP, VRFY, EXPN, ETRN. */
#include "proto/smtp/session.h"

enum err smtp_do_noop(struct smtp *s, const struct smtp_command *c)
{
    (void)c;
    smtp_say_ok(s, 0, 0, "OK");
    return OK;
}

enum err smtp_do_quit(struct smtp *s, const struct smtp_command *c)
{
    (void)c;
    smtp_say(s, 221, 2, 0, 0, STR("Bye"));
    s->quit = true;
    return OK;
}

enum err smtp_do_help(struct smtp *s, const struct smtp_command *c)
{
    struct buf b = BUF_INIT(1024);
    (void)c;
    buf_put_lit(&b, "Commands:");
    smtp_put_verbs(&b, s);
    buf_put_lit(&b, "\nQuestions: <postmaster@");
    buf_put(&b, s->config->host);
    buf_put_lit(&b, ">");
    smtp_say(s, 214, 2, 0, 0, buf_str(&b));
    buf_free(&b);
    return OK;
}

/* RFC 5321 3.5 and 7.3: full answers for those who are trusted or logged in, "cannot verify" for
 * the others. */
enum err smtp_do_lookup(struct smtp *s, const struct smtp_command *c)
{
    bool expand = c->verb == SMTP_VERB_EXPN;
    struct arena a = ARENA_INIT(0);
    struct address_expand_rep rep;
    struct buf b = BUF_INIT(VERB_SMALL), facts = BUF_INIT(1024);
    enum err e = OK;

    if (s->peer.login.n == 0 && (s->may & (expand ? CONFIG_MAY_EXPN : CONFIG_MAY_VRFY)) == 0) {
        smtp_say(s, 252, 2, expand ? 5 : 1, expand ? 2 : 5,
                 STR("Cannot verify, but will take a message and attempt delivery"));
        return OK;
    }
    e = smtp_ask_expand(s, c->lookup.text, expand, &a, &rep);
    if (e == OK && outcome_is_ok(&rep.outcome)) {
        for (size_t i = 0; i < rep.lines_count; i++) {
            if (i > 0) buf_put_byte(&b, '\n');
            buf_put(&b, rep.lines[i]);
        }
        /* 252 with the address of another host: we take mail for it, but cannot know. */
        smtp_say(s, rep.outcome.code, 2, 1, 5, buf_str(&b));
    } else if (e == OK) {
        s->errors++;
        buf_put_lit(&facts, "text=");
        buf_put_json(&facts, str_part(c->lookup.text, 0, 256));
        smtp_say_outcome(s, &rep.outcome, buf_str(&facts));
    }
    buf_free(&facts);
    buf_free(&b);
    arena_free(&a);
    return e;
}

/* RFC 1985: there is no queue to be started for anybody yet who asks from outside. */
enum err smtp_do_etrn(struct smtp *s, const struct smtp_command *c)
{
    (void)c;
    smtp_refuse(s, "not-implemented", STR("ETRN"));
    return OK;
}
