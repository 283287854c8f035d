/* Any line gives a verb and either a meaning or a fault with its place. A MAIL or RCPT that was
 * understood is written canonically and understood the same again. First two bytes of the input:
 * tolerances; whether the transaction is SMTPUTF8, and which parameters are offered. */
#include "base/must.h"
#include "syntax/smtp_command.h"
#include "syntax/utf8.h"

static void write_mail(struct buf *b, const struct smtp_mail *m)
{
    buf_put_lit(b, "MAIL FROM:");
    path_write(b, &m->from);
    smtp_mail_put_parameters(b, m);
}

static void write_rcpt(struct buf *b, const struct smtp_rcpt *r)
{
    buf_put_lit(b, "RCPT TO:");
    path_write(b, &r->to);
    smtp_rcpt_put_parameters(b, r);
}

static void write_command(struct buf *b, const struct smtp_command *c)
{
    if (c->verb == SMTP_VERB_MAIL) write_mail(b, &c->mail);
    if (c->verb == SMTP_VERB_RCPT) write_rcpt(b, &c->rcpt);
}

static const struct path *path_of(const struct smtp_command *c)
{
    return c->verb == SMTP_VERB_MAIL ? &c->mail.from : &c->rcpt.to;
}

static void round_trip(const struct smtp_command *c, const struct smtp_syntax *syntax,
                       struct arena *a)
{
    struct buf b = BUF_INIT(1 << 16), again_text = BUF_INIT(1 << 16), path = BUF_INIT(4096);
    struct smtp_command again;

    write_command(&b, c);
    path_write(&path, path_of(c));
    /* The canonical form may be longer than what was written, and then over a limit. */
    bool fits = path.n <= ADDRESS_PATH_MAX && (c->verb != SMTP_VERB_RCPT || c->rcpt.orcpt.n < 80) &&
                (c->verb != SMTP_VERB_MAIL || (c->mail.envid.n < 33 && c->mail.auth.n < 160));
    if (fits) {
        must(smtp_command_parse(buf_str(&b), syntax, a, &again) == OK);
        write_command(&again_text, &again);
        must(str_eq(buf_str(&b), buf_str(&again_text)));
        must(path_of(c)->null == path_of(&again)->null);
    }
    buf_free(&b);
    buf_free(&again_text);
    buf_free(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    struct buf words = BUF_INIT(4096);
    struct smtp_command c;

    if (size < 2) return 0;
    struct smtp_syntax syntax = {
        .tolerate = data[0],
        .utf8 = (data[1] & 1) != 0,
        .offered = (data[1] & 2) != 0 ? SMTP_PARAMETER_SIZE : SMTP_PARAMETER_ALL,
    };
    struct str line = str_of(data + 2, size - 2);
    enum err e = smtp_command_parse(line, &syntax, &a, &c);
    must((e == OK) == (c.fault.kind == SMTP_FINE) && c.fault.at <= line.n);
    must(c.verb < SMTP_VERB_COUNT && c.word.n + c.arguments.n <= line.n);
    smtp_fault_put(&words, &c.fault);
    must(!words.over && utf8_is_ascii(buf_str(&words)));
    bool mail_or_rcpt = c.verb == SMTP_VERB_MAIL || c.verb == SMTP_VERB_RCPT;
    if (e == OK && mail_or_rcpt) round_trip(&c, &syntax, &a);
    buf_free(&words);
    arena_free(&a);
    return 0;
}
