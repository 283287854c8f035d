/* The envelope: MAIL, RCPT, RSET. */
#include "proto/smtp/session.h"

#include "base/must.h"
#include "base/rand.h"

PARAM(smtp_message_max, BYTES, 65536, 4294967296, 52428800,
      "largest message, content only (RFC 5321 4.5.3.1.7: at least 64 KiB)")
PARAM(smtp_rcpts_max, COUNT, 100, ENVELOPE_RCPT_MAX, 1000,
      "recipients of one transaction (RFC 5321 4.5.3.1.8: at least 100)")

/* What the recipients of one transaction may take of an offer's frame. */
enum { RCPT_BYTES_MAX = (VERB_OFFER - VERB_BODY) / 4 * 3 };

void smtp_reset(struct smtp *s)
{
    if (s->body.stage != 0 && s->body.stage_door != NULL && door_is_open(s->body.stage_door)) {
        struct buf b = BUF_INIT(64);
        struct stage_rep in = { .stage = s->body.stage };
        stage_rep_put(&b, &in);
        err_ignore(door_tell(s->body.stage_door, VERB_stage_drop,
                             buf_str(&b))); /* a depot that is gone has forgotten it */
        buf_free(&b);
    }
    buf_free(&s->body.first);
    buf_free(&s->body.rest);
    s->body = (struct smtp_body_in){ .stage = 0 };
    arena_free(&s->mail);
    s->envelope = (struct envelope){ .rcpts = NULL };
    s->rcpt_cap = s->rcpt_bytes = 0;
    s->message = 0;
    if (s->state != SMTP_FRESH) s->state = SMTP_NAMED;
}

enum err smtp_do_rset(struct smtp *s, const struct smtp_command *c)
{
    (void)c;
    smtp_reset(s);
    smtp_say_ok(s, 0, 0, "OK");
    return OK;
}

/* Ids grow with time, so that a listing by id is a listing by age; the low bits keep processes
 * apart. */
static uint64_t next_message(void)
{
    static uint64_t last;
    uint64_t id = (uint64_t)clock_wall_us() << 12 | (rand_u64() & 0xfff);
    if (id <= last) id = last + 1;
    last = id;
    return id;
}

static struct str address_text(struct arena *a, const struct path *p)
{
    struct buf b = BUF_INIT(1024);
    if (!p->null) address_write(&b, &p->address);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static void fill_envelope(struct smtp *s, const struct smtp_mail *m)
{
    static const enum body_kind bodies[] = { [SMTP_BODY_7BIT] = BODY_7BIT,
                                             [SMTP_BODY_8BITMIME] = BODY_8BITMIME,
                                             [SMTP_BODY_BINARYMIME] = BODY_BINARYMIME };
    static const enum dsn_ret rets[] = { [SMTP_RET_UNSAID] = DSN_RET_NONE,
                                         [SMTP_RET_FULL] = DSN_RET_FULL,
                                         [SMTP_RET_HDRS] = DSN_RET_HDRS };
    s->envelope =
        (struct envelope){ .reverse_path = address_text(&s->mail, &m->from),
                           .envid = arena_str(&s->mail, m->envid),
                           .ret = rets[m->ret],
                           .body = bodies[m->body],
                           .smtputf8 = (m->given & SMTP_PARAMETER_SMTPUTF8) != 0,
                           .size = (m->given & SMTP_PARAMETER_SIZE) != 0 ? m->size_bytes : 0 };
    s->message = next_message();
    s->begun_us = clock_wall_us();
}

static void put_fact(struct buf *b, const char *name, struct str value)
{
    buf_put(b, str_c(name));
    buf_put_byte(b, '=');
    buf_put_json(b, str_part(value, 0, 512));
}

enum err smtp_do_mail(struct smtp *s, const struct smtp_command *c)
{
    struct arena a = ARENA_INIT(0);
    struct buf facts = BUF_INIT(2048);
    struct outcome o = outcome_of("ok");
    enum err e = OK;
    bool submission = s->service == SERVICE_SUBMISSION || s->service == SERVICE_SUBMISSIONS;

    fill_envelope(s, &c->mail);
    put_fact(&facts, "mail", s->envelope.reverse_path);
    if (s->envelope.size > (uint64_t)smtp_message_max) {
        o = outcome_of("message-too-big");
        buf_put_lit(&facts, " size=");
        buf_put_u64(&facts, s->envelope.size);
    } else if (submission && s->peer.login.n == 0 && (s->may & CONFIG_MAY_RELAY) == 0) {
        o = outcome_of("auth-required");
    } else {
        e = smtp_ask_sender(s, &s->envelope, &a, &o);
    }
    if (e == OK && outcome_is_ok(&o)) {
        s->state = SMTP_MAILING;
        smtp_say(s, 250, 2, 1, 0, STR("Sender OK"));
    } else if (e == OK) {
        s->errors++;
        smtp_say_outcome(s, &o, buf_str(&facts));
        smtp_reset(s);
    }
    buf_free(&facts);
    arena_free(&a);
    return e;
}

static struct recipient *place_for_rcpt(struct smtp *s)
{
    if (s->envelope.rcpt_count == s->rcpt_cap) {
        size_t cap = s->rcpt_cap > 0 ? s->rcpt_cap * 2 : 4;
        struct recipient *more = ARENA_MANY(&s->mail, struct recipient, cap);
        for (size_t i = 0; i < s->envelope.rcpt_count; i++) {
            more[i] = s->envelope.rcpts[i];
        }
        s->envelope.rcpts = more;
        s->rcpt_cap = cap;
    }
    return &s->envelope.rcpts[s->envelope.rcpt_count++];
}

static void take_rcpt(struct smtp *s, const struct smtp_rcpt *r, struct str address)
{
    static const struct {
        unsigned from;
        uint8_t to;
    } notify[] = { { SMTP_NOTIFY_NEVER, DSN_NOTIFY_NEVER },
                   { SMTP_NOTIFY_SUCCESS, DSN_NOTIFY_SUCCESS },
                   { SMTP_NOTIFY_FAILURE, DSN_NOTIFY_FAILURE },
                   { SMTP_NOTIFY_DELAY, DSN_NOTIFY_DELAY } };
    struct recipient *to = place_for_rcpt(s);
    to->address = arena_str(&s->mail, address);
    for (size_t i = 0; i < sizeof notify / sizeof notify[0]; i++) {
        if ((r->notify & notify[i].from) != 0) to->notify |= notify[i].to;
    }
    if ((r->given & SMTP_PARAMETER_ORCPT) != 0) {
        struct buf b = BUF_INIT(1024);
        buf_put(&b, r->orcpt_type);
        buf_put_byte(&b, ';');
        buf_put(&b, r->orcpt);
        to->orcpt = arena_str(&s->mail, buf_str(&b));
        buf_free(&b);
    }
    s->rcpt_bytes += to->address.n + to->orcpt.n + sizeof(uint64_t);
}

enum err smtp_do_rcpt(struct smtp *s, const struct smtp_command *c)
{
    struct arena a = ARENA_INIT(0);
    struct buf facts = BUF_INIT(2048);
    struct route_rcpt_rep rep;
    enum err e = OK;
    struct str address = address_text(&a, &c->rcpt.to);

    put_fact(&facts, "rcpt", address);
    if (s->envelope.rcpt_count >= (size_t)smtp_rcpts_max || s->rcpt_bytes > RCPT_BYTES_MAX) {
        rep = (struct route_rcpt_rep){ .outcome = outcome_of("too-many-recipients") };
    } else {
        e = smtp_ask_rcpt(s, address, &a, &rep);
    }
    if (e == OK && outcome_is_ok(&rep.outcome)) {
        take_rcpt(s, &c->rcpt, rep.address.n > 0 ? rep.address : address);
        s->state = SMTP_RCPTING;
        smtp_say(s, 250, 2, 1, 5, STR("Recipient OK"));
    } else if (e == OK) {
        /* RFC 5321 4.5.3.1.10: the client keeps the rest for another transaction; that is no error
         * of its own. */
        if (!str_eq(rep.outcome.reason, STR("too-many-recipients"))) s->errors++;
        smtp_say_outcome(s, &rep.outcome, buf_str(&facts));
    }
    buf_free(&facts);
    arena_free(&a);
    return e;
}
