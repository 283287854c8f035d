/* Logging in: USER and PASS, AUTH (RFC 5034), STLS (RFC 2595), PROXY. The words go to authd, and
 * with the good answer comes the door to the account's mailboxes. */
#include "proto/pop3/session.h"

#include "base/must.h"
#include "model/mechanism.h"
#include "syntax/proxy.h"
#include "syntax/sasl_line.h"

#include <unistd.h>

PARAM(pop3_failures_max, COUNT, 1, 100, 5, "failed logins before a POP3 connection is closed")
PARAM(pop3_tls_wait_ms, TIME_MS, 1000, 600000, 30000,
      "how long a TLS handshake of a POP3 client may take")
COUNTER(pop3_logins, "logins accepted on the POP3 listeners")
COUNTER(pop3_tls_sessions, "POP3 sessions that went under TLS")

enum { LINK_WAIT_MS = 5000, ROUNDS_MAX = 8 };

/* ---- questions to authd ---- */

static void ask_authd(struct pop3 *p, enum verb verb, struct buf *request, struct arena *a,
                      struct auth_rep *out, int *fd_out)
{
    struct door *authd = NULL;
    struct str reply;
    *fd_out = -1;
    enum err e = buf_check(request);
    if (e == OK) e = links_pick(p->world->authd, LINK_WAIT_MS, &authd);
    if (e == OK)
        e = door_call_fd(authd, verb, buf_str(request), -1, pop3_ask_wait_ms, a, &reply, fd_out);
    if (e == OK) e = auth_rep_get(reply, a, out);
    if (e != OK) {
        log_warn("pop3.no_answer", L_ID("conn", p->peer.conn), L_WORD("verb", verb_row(verb)->name),
                 L_ERR(e));
        *out =
            (struct auth_rep){ .state = AUTH_REFUSED, .outcome = outcome_of("auth-unavailable") };
    }
    explicit_bzero(request->p, request->n);
    buf_free(request);
}

static struct str binding(struct pop3 *p, enum tls_binding kind, struct arena *a)
{
    struct buf b = BUF_INIT(512);
    struct str data = STR_NONE;
    if (p->stream.tls != NULL && tls_channel_binding(p->stream.tls, kind, &b) == OK)
        data = arena_str(a, buf_str(&b));
    buf_free(&b);
    return data;
}

static void ask_begin(struct pop3 *p, struct str mechanism, bool has_initial, struct str initial,
                      struct arena *a, struct auth_rep *out, int *fd_out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct auth_begin_req in = { .peer = p->peer,
                                 .clear_ok = pop3_is_private(p),
                                 .mechanism = mechanism,
                                 .exporter = binding(p, TLS_EXPORTER, a),
                                 .unique = binding(p, TLS_UNIQUE, a),
                                 .end_point = binding(p, TLS_SERVER_END_POINT, a),
                                 .has_initial = has_initial,
                                 .initial = initial };
    auth_begin_req_put(&b, &in);
    ask_authd(p, VERB_auth_begin, &b, a, out, fd_out);
}

/* ---- the account's door ---- */

static void door_ended(void *ctx, struct door *d)
{
    struct pop3 *p = ctx;
    (void)d;
    p->door_closed = true;
    p->door = NULL;
}

static enum err enter(struct pop3 *p, int fd)
{
    struct door *d = NULL;
    if (fd < 0) return ERR_UNAVAILABLE;
    enum err e =
        door_open(fd,
                  &(struct door_settings){
                      .us = ROLE_SESSION, .peer = ROLE_DEPOT, .ctx = p, .on_close = door_ended },
                  &d);
    if (e != OK) return e;
    p->door = d;
    p->door_closed = false;
    return pop3_maildrop_open(p);
}

/* RFC 2449 8.1.1, RFC 3206: codes that tell a client whether another password would help. What is
 * wrong with the words or the mechanism is neither. */
static enum err refused(struct pop3 *p, const struct outcome *o)
{
    struct buf b = BUF_INIT(512);
    p->failures++;
    if (o->code < 500) buf_put_lit(&b, "[SYS/TEMP] ");
    if (str_eq(o->reason, STR("auth-failed"))) buf_put_lit(&b, "[AUTH] ");
    buf_put(&b, o->text);
    enum err e = pop3_no(p, buf_str(&b));
    buf_free(&b);
    if (e == OK && p->failures >= (unsigned)pop3_failures_max) {
        e = pop3_flush(p);
        if (e == OK) e = ERR_DENIED;
    }
    return e;
}

static enum err accepted(struct pop3 *p, const struct auth_rep *rep, int fd)
{
    struct buf b = BUF_INIT(128);
    enum err e = enter(p, fd);
    if (e == ERR_CANCELLED) return e;
    if (e != OK) {
        pop3_maildrop_close(p);
        p->state = POP3_HELLO;
        log_info("pop3.maildrop_refused", L_ID("conn", p->peer.conn), L_STR("login", rep->login),
                 L_ERR(e));
        return pop3_no(p, e == ERR_BUSY ? STR("[IN-USE] the maildrop is open in another session")
                                        : STR("[SYS/TEMP] the maildrop cannot be opened now"));
    }
    pop3_logins++;
    p->peer.login = arena_str(&p->session, rep->login);
    p->state = POP3_OPEN;
    log_info("pop3.opened", L_ID("conn", p->peer.conn), L_STR("login", p->peer.login),
             L_STR("client", p->peer.ip), L_U64("messages", p->message_count));
    buf_put_u64(&b, p->message_count);
    buf_put_lit(&b, " messages");
    e = pop3_ok(p, buf_str(&b));
    buf_free(&b);
    return e;
}

static enum err finish(struct pop3 *p, const struct auth_rep *rep, int fd)
{
    if (rep->state == AUTH_DONE) return accepted(p, rep, fd);
    if (fd >= 0) close(fd);
    return refused(p, &rep->outcome);
}

/* ---- USER and PASS ---- */

enum err pop3_do_user(struct pop3 *p, const struct pop3_words *w)
{
    arena_free(&p->name_arena); /* USER may come as often as a stranger likes */
    p->name = arena_str(&p->name_arena, w->text);
    p->state = POP3_NAMED;
    return pop3_ok(
        p, STR("and the password?")); /* whether the name exists is not told (RFC 1939 13) */
}

enum err pop3_do_pass(struct pop3 *p, const struct pop3_words *w)
{
    struct arena a = ARENA_INIT(0);
    struct buf words = BUF_INIT(4096);
    struct auth_rep rep;
    int fd;
    buf_put_byte(&words, 0);
    buf_put(&words, p->name);
    buf_put_byte(&words, 0);
    buf_put(&words, w->text);
    ask_begin(p, STR("PLAIN"), true, buf_str(&words), &a, &rep, &fd);
    explicit_bzero(words.p, words.n);
    buf_free(&words);
    p->state = POP3_HELLO; /* RFC 1939 7: after a failure USER comes again */
    enum err e = finish(p, &rep, fd);
    arena_free(&a);
    return e;
}

/* ---- AUTH ---- */

void pop3_put_mechanisms(struct buf *b, const struct pop3 *p)
{
    mechanisms_put(b, p->config, p->stream.tls != NULL, pop3_is_private(p));
}

static enum err list_mechanisms(struct pop3 *p)
{
    struct buf b = BUF_INIT(256);
    struct str rest, name;
    pop3_put_mechanisms(&b, p);
    enum err e = pop3_ok(p, STR("mechanisms follow"));
    rest = str_trim(buf_str(&b));
    while (str_cut(&rest, ' ', &name)) {
        stream_write(&p->stream, name);
        stream_write(&p->stream, STR("\r\n"));
    }
    stream_write(&p->stream, STR(".\r\n"));
    buf_free(&b);
    return e;
}

/* One challenge and its answer. */
static enum err challenge(struct pop3 *p, struct str ours, struct buf *theirs, bool *gave_up_out)
{
    struct str line;
    sasl_challenge_put(&p->stream.out, STR("+ "), ours);
    enum err e = pop3_flush(p);
    if (e == OK) e = stream_read_line(&p->stream, SASL_LINE_MAX, pop3_command_wait_ms, &line);
    if (e != OK && e != ERR_LIMIT) return e;
    if (theirs->n > 0) explicit_bzero(theirs->p, theirs->n);
    buf_clear(theirs);
    *gave_up_out = e == ERR_LIMIT || sasl_response_decode(theirs, line) != OK;
    return OK;
}

static void cancel(struct pop3 *p, uint64_t exchange)
{
    struct buf b = BUF_INIT(64);
    struct door *authd = NULL;
    struct auth_cancel_req in = { .exchange = exchange };
    auth_cancel_req_put(&b, &in);
    if (links_pick(p->world->authd, 0, &authd) == OK)
        err_ignore(door_tell(authd, VERB_auth_cancel, buf_str(&b))); /* it also times out */
    buf_free(&b);
}

static enum err exchange(struct pop3 *p, const struct pop3_words *w, struct buf *words,
                         struct arena *a)
{
    struct auth_rep rep;
    bool gave_up = false;
    int fd;
    enum err e = OK;
    ask_begin(p, w->text, w->has_extra, buf_str(words), a, &rep, &fd);
    for (int round = 0; e == OK && rep.state == AUTH_CONTINUE && round < ROUNDS_MAX; round++) {
        uint64_t id = rep.exchange;
        e = challenge(p, rep.words, words, &gave_up);
        if (e != OK || gave_up) {
            cancel(p, id);
            break;
        }
        struct buf b = BUF_INIT(VERB_SMALL);
        struct auth_step_req in = { .exchange = id, .words = buf_str(words) };
        auth_step_req_put(&b, &in);
        ask_authd(p, VERB_auth_step, &b, a, &rep, &fd);
    }
    if (e != OK) return e;
    return gave_up ? pop3_no(p, STR("login given up")) : finish(p, &rep, fd);
}

enum err pop3_do_auth(struct pop3 *p, const struct pop3_words *w)
{
    struct arena a = ARENA_INIT(0);
    struct buf words = BUF_INIT(SASL_LINE_MAX);
    enum err e = OK;
    if (w->text.n == 0) return list_mechanisms(p);
    if (w->has_extra && !str_eq(w->extra, STR("=")) &&
        sasl_response_decode(&words, w->extra) != OK) {
        e = pop3_no(p, STR("the initial response is not base64"));
    } else {
        e = exchange(p, w, &words, &a);
    }
    if (words.n > 0) explicit_bzero(words.p, words.n);
    buf_free(&words);
    arena_free(&a);
    return e;
}

/* ---- TLS ---- */

enum err pop3_begin_tls(struct pop3 *p)
{
    static const struct str alpn = STR_INIT("pop3"); /* as registered with IANA */
    struct buf why = BUF_INIT(1024), words = BUF_INIT(256);
    if (p->tls == NULL) return ERR_TLS; /* the configuration does not allow such a listener */
    enum err e = stream_start_tls(&p->stream, p->tls, &alpn, pop3_tls_wait_ms, &why);
    if (e == OK) {
        struct tls_info info = tls_info(p->stream.tls);
        pop3_tls_sessions++;
        buf_put(&words, info.version);
        buf_put_byte(&words, ' ');
        buf_put(&words, info.cipher);
        p->peer.tls = arena_str(&p->session, buf_str(&words));
    } else {
        log_info("pop3.tls_failed", L_ID("conn", p->peer.conn), L_STR("client", p->peer.ip),
                 L_ERR(e), L_STR("why", buf_str(&why)));
        e = ERR_TLS; /* for whatever reason: there is no channel for a goodbye */
    }
    buf_free(&why);
    buf_free(&words);
    return e;
}

enum err pop3_read_proxy(struct pop3 *p)
{
    struct str seen = STR_NONE;
    struct proxy h;
    size_t used = 0;
    enum err e = (config_may(p->config, p->peer.ip) & CONFIG_MAY_PROXY) != 0
                     ? stream_peek(&p->stream, pop3_tls_wait_ms, &seen)
                     : ERR_DENIED;
    while (e == OK && (e = proxy_parse(seen, &h, &used)) == ERR_AGAIN) {
        e = stream_peek_more(&p->stream, pop3_tls_wait_ms, &seen);
    }
    if (e != OK) {
        log_info("pop3.proxy_refused", L_ID("conn", p->peer.conn), L_STR("client", p->peer.ip),
                 L_ERR(e));
        return e == ERR_CANCELLED ? e : ERR_DENIED;
    }
    stream_consume(&p->stream, used);
    if (h.local) return OK; /* LOCAL, UNKNOWN: the proxy speaks for itself */
    struct buf b = BUF_INIT(64);
    ip_put(&b, &h.from);
    p->peer.ip = arena_str(&p->session, buf_str(&b));
    p->peer.port = h.from_port;
    p->loopback = ip_is_loopback(&h.from);
    buf_free(&b);
    return OK;
}

enum err pop3_do_stls(struct pop3 *p, const struct pop3_words *w)
{
    (void)w;
    if (p->stream.tls != NULL) return pop3_no(p, STR("TLS is on already"));
    if (p->tls == NULL || p->tls_mode == CONFIG_TLS_NO) return pop3_no(p, STR("no TLS here"));
    stream_poll(&p->stream);
    if (stream_buffered(&p->stream) > 0) {
        /* Commands behind STLS would seem to come from inside. */
        enum err refused = pop3_no(p, STR("nothing may follow STLS"));
        if (refused == OK) refused = pop3_flush(p);
        return refused == OK ? ERR_DENIED : refused;
    }
    enum err e = pop3_ok(p, STR("begin TLS"));
    if (e == OK) e = pop3_flush(p);
    p->waiting_for_command = true; /* the client may have gone to sleep here as well */
    if (e == OK) e = pop3_begin_tls(p);
    p->waiting_for_command = false;
    p->state = POP3_HELLO;
    p->name = STR_NONE;
    return e;
}
