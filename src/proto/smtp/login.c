/* AUTH (RFC 4954). The words go to authd and back; this process never learns whether they were a
 * password's. */
#include "proto/smtp/session.h"

COUNTER(smtp_logins, "logins accepted on the submission listeners")

enum { LINK_WAIT_MS = 5000, ROUNDS_MAX = 8 };

static enum err ask_authd(struct smtp *s, enum verb verb, struct buf *request, struct arena *a,
                          struct auth_rep *out)
{
    struct door *authd = NULL;
    struct str reply;
    enum err e = buf_check(request);
    if (e == OK) e = links_pick(s->world->authd, LINK_WAIT_MS, &authd);
    if (e == OK) e = door_call(authd, verb, buf_str(request), smtp_ask_wait_ms, a, &reply);
    if (e == OK) e = auth_rep_get(reply, a, out);
    if (e != OK) {
        log_warn("smtp.no_answer", L_ID("conn", s->peer.conn), L_WORD("verb", verb_row(verb)->name),
                 L_ERR(e));
        *out =
            (struct auth_rep){ .state = AUTH_REFUSED, .outcome = outcome_of("auth-unavailable") };
    }
    /* Requests and replies of a login may hold a password in clear. */
    explicit_bzero(request->p, request->n);
    buf_free(request);
    return OK;
}

static struct str binding(struct smtp *s, enum tls_binding kind, struct arena *a)
{
    struct buf b = BUF_INIT(512);
    struct str data = STR_NONE;
    if (s->stream.tls != NULL && tls_channel_binding(s->stream.tls, kind, &b) == OK)
        data = arena_str(a, buf_str(&b));
    buf_free(&b);
    return data;
}

static enum err ask_begin(struct smtp *s, const struct sasl_start *start, struct str initial,
                          struct arena *a, struct auth_rep *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct auth_begin_req in = { .peer = s->peer,
                                 .clear_ok = smtp_is_private(s),
                                 .mechanism = start->mechanism,
                                 .exporter = binding(s, TLS_EXPORTER, a),
                                 .unique = binding(s, TLS_UNIQUE, a),
                                 .end_point = binding(s, TLS_SERVER_END_POINT, a),
                                 .has_initial = start->has_initial,
                                 .initial = initial };
    auth_begin_req_put(&b, &in);
    return ask_authd(s, VERB_auth_begin, &b, a, out);
}

static enum err ask_step(struct smtp *s, uint64_t exchange, struct str words, struct arena *a,
                         struct auth_rep *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct auth_step_req in = { .exchange = exchange, .words = words };
    auth_step_req_put(&b, &in);
    return ask_authd(s, VERB_auth_step, &b, a, out);
}

static void ask_cancel(struct smtp *s, uint64_t exchange)
{
    struct buf b = BUF_INIT(64);
    struct door *authd = NULL;
    struct auth_cancel_req in = { .exchange = exchange };
    auth_cancel_req_put(&b, &in);
    if (links_pick(s->world->authd, 0, &authd) == OK)
        err_ignore(door_tell(authd, VERB_auth_cancel, buf_str(&b))); /* it also times out */
    buf_free(&b);
}

/* Say the challenge and read the client's answer, decoded into `words`. ERR_CANCELLED: it said "*"
 * ; ERR_SYNTAX. */
static enum err challenge(struct smtp *s, struct str words_out, struct buf *words,
                          bool *gave_up_out)
{
    struct str line;
    *gave_up_out = false;
    sasl_challenge_put(&s->stream.out, STR("334 "), words_out);
    enum err e = smtp_flush(s);
    if (e == OK) e = stream_read_line(&s->stream, SASL_LINE_MAX, smtp_command_wait_ms, &line);
    if (e != OK && e != ERR_LIMIT) return e;
    if (e == OK) e = sasl_response_decode(words, line);
    if (e == OK) return OK;
    *gave_up_out = true;
    if (e == ERR_LIMIT) {
        struct outcome o = outcome_of("bad-syntax");
        o.code = 500; /* RFC 4954 4 */
        o.detail = 6;
        o.text = STR("Authentication exchange line is too long");
        s->errors++;
        smtp_say_outcome(s, &o, STR_NONE);
        return OK;
    }
    smtp_refuse(s, "bad-syntax",
                e == ERR_CANCELLED ? STR("the client gave up") : STR("not base64"));
    return OK;
}

static void finish(struct smtp *s, const struct sasl_start *start, struct auth_rep *rep)
{
    struct buf facts = BUF_INIT(256);
    if (rep->state == AUTH_DONE) {
        smtp_logins++;
        s->peer.login = arena_str(&s->session, rep->login);
        smtp_say(s, 235, 2, 7, 0, STR("Authentication successful"));
    } else {
        s->errors++;
        buf_put_lit(&facts, "mechanism=");
        buf_put_json(&facts, start->mechanism);
        smtp_say_outcome(s, &rep->outcome, buf_str(&facts));
    }
    buf_free(&facts);
}

enum err smtp_do_auth(struct smtp *s, const struct smtp_command *c)
{
    struct arena a = ARENA_INIT(0);
    struct buf words = BUF_INIT(SASL_LINE_MAX);
    struct auth_rep rep = { .state = AUTH_REFUSED };
    enum err e = OK;
    bool gave_up = false;

    if (!s->offers_auth) {
        smtp_refuse(s, "not-implemented", STR("AUTH on a listener without it"));
    } else if (s->peer.login.n > 0) {
        smtp_refuse(s, "bad-sequence", STR("logged in already")); /* RFC 4954 4 */
    } else if (c->auth.has_initial && sasl_response_decode(&words, c->auth.initial) != OK &&
               c->auth.initial.n > 0) {
        smtp_refuse(s, "bad-syntax", STR("initial response is not base64"));
    } else {
        e = ask_begin(s, &c->auth, buf_str(&words), &a, &rep);
        for (int round = 0; e == OK && rep.state == AUTH_CONTINUE && !gave_up && round < ROUNDS_MAX;
             round++) {
            if (words.n > 0) explicit_bzero(words.p, words.n);
            buf_clear(&words);
            e = challenge(s, rep.words, &words, &gave_up);
            if (e == OK && !gave_up) e = ask_step(s, rep.exchange, buf_str(&words), &a, &rep);
        }
        if ((e != OK || gave_up) && rep.state == AUTH_CONTINUE) ask_cancel(s, rep.exchange);
        if (e == OK && !gave_up) finish(s, &c->auth, &rep);
    }
    if (words.n > 0) explicit_bzero(words.p, words.n);
    buf_free(&words);
    arena_free(&a);
    return e;
}
