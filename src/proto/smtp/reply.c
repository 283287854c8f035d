/* Replies, and what has to be said about refusals: to the client, to the log, to explain. */
#include "proto/smtp/session.h"

#include "base/must.h"
#include "syntax/smtp_reply.h"

COUNTER(smtp_refusals, "replies 4yz and 5yz given by the SMTP listeners")

PARAM(smtp_refusal_notes_per_second, COUNT, 0, 100000, 200,
      "refusals per second and edge process that are kept for 'postrider explain'; the rest is "
      "only logged")

void smtp_say(struct smtp *s, unsigned code, unsigned class, unsigned subject, unsigned detail,
              struct str text)
{
    struct smtp_enhanced enhanced =
        s->peer.extended ? SMTP_ENHANCED((uint16_t) class, (uint16_t)subject, (uint16_t)detail)
                         : SMTP_NO_ENHANCED;
    smtp_reply_put(&s->stream.out, code, enhanced, text, s->envelope.smtputf8);
}

/* A flood of refusals must not become a flood of rows. */
static bool may_note(void)
{
    static int64_t second;
    static int64_t noted;
    int64_t now = clock_now() / 1000;
    if (now != second) {
        second = now;
        noted = 0;
    }
    return noted++ < smtp_refusal_notes_per_second;
}

static void note_refusal(struct smtp *s, const struct outcome *o, struct str text,
                         struct str inputs)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct door *depot = NULL;
    struct fact facts[8];
    size_t n = 0;
    bool in_transaction = s->state != SMTP_FRESH && s->state != SMTP_NAMED;
    facts[n++] = (struct fact){ STR("service"), str_c(service_name(s->service)) };
    facts[n++] = (struct fact){ STR("listen"), s->peer.listener };
    facts[n++] = (struct fact){ STR("client"), s->peer.ip };
    if (s->peer.helo.n > 0) facts[n++] = (struct fact){ STR("helo"), s->peer.helo };
    if (s->peer.tls.n > 0) facts[n++] = (struct fact){ STR("tls"), s->peer.tls };
    if (s->peer.login.n > 0) facts[n++] = (struct fact){ STR("login"), s->peer.login };
    if (in_transaction) facts[n++] = (struct fact){ STR("mail"), s->envelope.reverse_path };
    if (inputs.n > 0) facts[n++] = (struct fact){ STR("inputs"), inputs };
    struct refusal_note_req in = { .refusal = { .lookup = o->lookup,
                                                .time_us = clock_wall_us(),
                                                .conn = s->peer.conn,
                                                .reason = o->reason,
                                                .rule = o->rule,
                                                .text = text,
                                                .inputs = facts,
                                                .input_count = n } };
    refusal_note_req_put(&b, &in);
    /* Without a depot the log line is what remains. */
    if (!b.over && links_pick(s->world->depot, 0, &depot) == OK)
        err_ignore(door_tell(depot, VERB_refusal_note, buf_str(&b)));
    buf_free(&b);
}

void smtp_say_outcome(struct smtp *s, struct outcome *o, struct str inputs)
{
    struct buf text = BUF_INIT(2048), lookup = BUF_INIT(16);
    if (outcome_is_ok(o)) {
        smtp_say(s, o->code, o->class, o->subject, o->detail, o->text);
        return;
    }
    smtp_refusals++;
    if (o->lookup == 0) o->lookup = lookup_new();
    lookup_put_text(&lookup, o->lookup);
    buf_put(&text, str_part(o->text, 0, 1024));
    buf_put_lit(&text, " [");
    buf_put(&text, buf_str(&lookup));
    buf_put_byte(&text, ']');
    smtp_say(s, o->code, o->class, o->subject, o->detail, buf_str(&text));
    log_info("smtp.refused", L_ID("conn", s->peer.conn), L_STR("client", s->peer.ip),
             L_U64("code", o->code), L_STR("reason", o->reason), L_STR("rule", o->rule),
             L_STR("lookup", buf_str(&lookup)), L_STR("inputs", inputs));
    if (may_note()) {
        struct buf said = BUF_INIT(2048);
        buf_put_u64(&said, o->code);
        buf_put_byte(&said, ' ');
        buf_put(&said, buf_str(&text));
        note_refusal(s, o, buf_str(&said), inputs);
        buf_free(&said);
    }
    buf_free(&text);
    buf_free(&lookup);
}

void smtp_refuse(struct smtp *s, const char *reason, struct str inputs)
{
    struct outcome o = outcome_of(reason);
    s->errors++;
    smtp_say_outcome(s, &o, inputs);
}

void smtp_say_fault(struct smtp *s, const struct smtp_command *c)
{
    struct buf words = BUF_INIT(1024), inputs = BUF_INIT(2048);
    const struct smtp_fault_row *row = smtp_fault_row(c->fault.kind);
    smtp_fault_put(&words, &c->fault);
    buf_put_lit(&inputs, "command=");
    buf_put_json(&inputs, str_part(c->word, 0, 64));
    buf_put_lit(&inputs, " arguments=");
    buf_put_json(&inputs, str_part(c->arguments, 0, 512));
    struct outcome o = { .code = (uint16_t)row->code,
                         .class = 5,
                         .subject = (uint16_t)row->subject,
                         .detail = (uint16_t)row->detail,
                         .text = buf_str(&words),
                         .reason = STR("bad-syntax") };
    s->errors++;
    smtp_say_outcome(s, &o, buf_str(&inputs));
    buf_free(&words);
    buf_free(&inputs);
}

enum err smtp_flush(struct smtp *s)
{
    return stream_flush(&s->stream, smtp_write_wait_ms);
}
