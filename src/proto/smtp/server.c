/* The dialog: greeting, commands in their states, the end.
 *
 * Replies gather while commands are pipelined and leave in one write before the session waits (RFC
 * 2920). Invariant: what a client sent is answered in order, each command once. Weak point: a
 * client that pipelines into a DATA that is refused sends its text as commands; the count of errors
 * ends that. */
#include "proto/smtp/session.h"

#include "base/must.h"
#include "base/rand.h"

#include <stdlib.h>
#include <unistd.h>

PARAM(smtp_command_wait_ms, TIME_MS, 1000, 3600000, 300000,
      "how long a client may take for its next command (RFC 5321 4.5.3.2.7: at least 5 minutes)")
PARAM(
    smtp_data_wait_ms, TIME_MS, 1000, 3600000, 180000,
    "how long a client may take for its next piece of message text (RFC 5321 4.5.3.2.5: 3 minutes)")
PARAM(smtp_write_wait_ms, TIME_MS, 1000, 3600000, 60000,
      "how long a client may take to accept our replies")
PARAM(smtp_tls_wait_ms, TIME_MS, 1000, 600000, 30000, "how long a TLS handshake may take")
PARAM(smtp_ask_wait_ms, TIME_MS, 100, 600000, 30000,
      "how long the SMTP server waits for the answer of another role")
PARAM(smtp_greet_pause_ms, TIME_MS, 0, 60000, 0,
      "pause before the greeting on the smtp service; who speaks during it is refused")
PARAM(smtp_errors_max, COUNT, 1, 1000, 20, "wrong or refused commands before a client is sent away")
PARAM(smtp_tarpit_ms, TIME_MS, 0, 60000, 1000,
      "pause before each reply to a client that has made half of its errors")
PARAM(smtp_command_line_max, BYTES, 512, 16384, 4096,
      "longest command line, with CRLF (RFC 5321 4.5.3.1.4 asks for 512, its extensions for more)")
COUNTER(smtp_connections, "connections accepted by the SMTP listeners")
COUNTER(smtp_turned_away, "connections answered with 421 or 554 at once")

enum { GATHER_MAX = 64 * 1024 }; /* replies to pipelined commands that wait to be sent */

struct smtp_row {
    enum smtp_verb verb;
    unsigned states;   /* in which it may come */
    unsigned services; /* 1 << enum service: where it exists */
    bool before_tls;   /* may come before STARTTLS where TLS is required */
    smtp_do serve;
};

#define SMTP_DOORS (1u << SERVICE_SMTP | 1u << SERVICE_SUBMISSION | 1u << SERVICE_SUBMISSIONS)
#define LMTP_DOOR  (1u << SERVICE_LMTP)
#define ALL_DOORS  (SMTP_DOORS | LMTP_DOOR)

/* RFC 5321 4.1.4 (order of commands), RFC 2033 4.1 (LMTP). */
static const struct smtp_row rows[] = {
    { SMTP_VERB_HELO, SMTP_ANY, SMTP_DOORS, true, smtp_do_hello },
    { SMTP_VERB_EHLO, SMTP_ANY, SMTP_DOORS, true, smtp_do_hello },
    { SMTP_VERB_LHLO, SMTP_ANY, LMTP_DOOR, true, smtp_do_hello },
    { SMTP_VERB_MAIL, SMTP_NAMED, ALL_DOORS, false, smtp_do_mail },
    { SMTP_VERB_RCPT, SMTP_MAILING | SMTP_RCPTING, ALL_DOORS, false, smtp_do_rcpt },
    { SMTP_VERB_DATA, SMTP_RCPTING, ALL_DOORS, false, smtp_do_data },
    { SMTP_VERB_BDAT, SMTP_ANY, ALL_DOORS, true,
      smtp_do_bdat }, /* looks at the state itself: its chunk has to be read in any case */
    { SMTP_VERB_RSET, SMTP_ANY, ALL_DOORS, true, smtp_do_rset },
    { SMTP_VERB_NOOP, SMTP_ANY, ALL_DOORS, true, smtp_do_noop },
    { SMTP_VERB_QUIT, SMTP_ANY, ALL_DOORS, true, smtp_do_quit },
    { SMTP_VERB_HELP, SMTP_ANY, ALL_DOORS, true, smtp_do_help },
    { SMTP_VERB_VRFY, SMTP_ANY, ALL_DOORS, false, smtp_do_lookup },
    { SMTP_VERB_EXPN, SMTP_ANY, SMTP_DOORS, false, smtp_do_lookup },
    { SMTP_VERB_STARTTLS, SMTP_FRESH | SMTP_NAMED, ALL_DOORS, true, smtp_do_starttls },
    { SMTP_VERB_AUTH, SMTP_NAMED, SMTP_DOORS, false, smtp_do_auth },
    { SMTP_VERB_ETRN, SMTP_NAMED, SMTP_DOORS, false, smtp_do_etrn },
    { SMTP_VERB_XCLIENT, SMTP_FRESH | SMTP_NAMED, ALL_DOORS, true, smtp_do_xclient },
};

void smtp_put_verbs(struct buf *b, const struct smtp *s)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum smtp_verb v = rows[i].verb;
        if ((rows[i].services & 1u << s->service) == 0 || v == SMTP_VERB_XCLIENT ||
            v == SMTP_VERB_ETRN || (v == SMTP_VERB_AUTH && !s->offers_auth) ||
            (v == SMTP_VERB_STARTTLS && (s->tls == NULL || s->tls_mode == CONFIG_TLS_NO)))
            continue;
        buf_put_byte(b, ' ');
        buf_put(b, str_c(smtp_verb_name(rows[i].verb)));
    }
}

static const struct smtp_row *row_of(enum smtp_verb v, enum service service)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].verb == v && (rows[i].services & 1u << service) != 0) return &rows[i];
    }
    return NULL;
}

/* ---- one command ---- */

static enum err unknown(struct smtp *s, const struct smtp_command *c)
{
    static const enum smtp_verb known[] = { SMTP_VERB_SEND, SMTP_VERB_SOML, SMTP_VERB_SAML,
                                            SMTP_VERB_TURN, SMTP_VERB_ATRN, SMTP_VERB_HELO,
                                            SMTP_VERB_EHLO, SMTP_VERB_LHLO, SMTP_VERB_EXPN,
                                            SMTP_VERB_AUTH };
    struct buf inputs = BUF_INIT(256);
    buf_put_lit(&inputs, "command=");
    buf_put_json(&inputs, str_part(c->word, 0, 64));
    if (c->verb == SMTP_VERB_FOREIGN || (s->state == SMTP_FRESH && ++s->unknown_verbs >= 3)) {
        smtp_refuse(s, "not-smtp", buf_str(&inputs));
        buf_free(&inputs);
        return ERR_PROTOCOL;
    }
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        is_known |= c->verb == known[i];
    }
    /* RFC 5321 4.2.4: known but not here is 502, not known at all is 500. */
    smtp_refuse(s, is_known ? "not-implemented" : "unknown-command", buf_str(&inputs));
    buf_free(&inputs);
    return OK;
}

static enum err serve_line(struct smtp *s, struct str line)
{
    struct arena scratch = ARENA_INIT(0);
    struct smtp_command c;
    struct smtp_syntax syntax = { .tolerate = SMTP_TOLERATE_SPACE | SMTP_TOLERATE_HELLO |
                                              SMTP_TOLERATE_LONG_LOCAL | SMTP_TOLERATE_UNDERSCORE,
                                  .offered = SMTP_PARAMETER_SIZE | SMTP_PARAMETER_BODY |
                                             SMTP_PARAMETER_SMTPUTF8 | SMTP_PARAMETER_RET |
                                             SMTP_PARAMETER_ENVID | SMTP_PARAMETER_AUTH |
                                             SMTP_PARAMETER_NOTIFY | SMTP_PARAMETER_ORCPT,
                                  .utf8 = s->envelope.smtputf8 };
    enum err parsed = smtp_command_parse(line, &syntax, &scratch, &c);
    const struct smtp_row *row = row_of(c.verb, s->service);
    enum err e = OK;
    if (row == NULL) {
        e = unknown(s, &c);
    } else if ((row->states & s->state) == 0) {
        smtp_refuse(s, "bad-sequence", str_c(smtp_verb_name(c.verb)));
    } else if (!row->before_tls && s->tls_mode == CONFIG_TLS_REQUIRE && s->stream.tls == NULL) {
        smtp_refuse(s, "must-starttls", str_c(smtp_verb_name(c.verb)));
    } else if (parsed != OK) {
        smtp_say_fault(s, &c);
    } else {
        e = row->serve(s, &c);
    }
    arena_free(&scratch);
    return e;
}

/* Half of the errors are free; then each costs the client time. ERR_LIMIT: it has used them up. */
static enum err mind_errors(struct smtp *s, unsigned errors_before)
{
    if (s->errors == errors_before) return OK;
    if (s->errors >= (unsigned)smtp_errors_max) {
        smtp_refuse(s, "too-many-errors", STR_NONE);
        return ERR_LIMIT;
    }
    if (s->errors * 2 <= (unsigned)smtp_errors_max || smtp_tarpit_ms == 0) return OK;
    enum err e = smtp_flush(s);
    return e == OK ? fiber_sleep(smtp_tarpit_ms) : e;
}

static enum err next_line(struct smtp *s, struct str *line_out)
{
    size_t line_max = (size_t)smtp_command_line_max;
    enum err e = OK;
    if (!stream_has_line(&s->stream)) {
        e = smtp_flush(s);
        s->waiting_for_command = s->state == SMTP_FRESH || s->state == SMTP_NAMED;
        if (e == OK && s->world->stopping && s->waiting_for_command) e = ERR_CANCELLED;
    }
    if (e == OK && s->stream.out.n > GATHER_MAX) e = smtp_flush(s);
    if (e == OK) e = stream_read_line(&s->stream, line_max, smtp_command_wait_ms, line_out);
    s->waiting_for_command = false;
    return e;
}

/* The loop of commands; ends with the reason for the end. */
static enum err talk(struct smtp *s)
{
    for (;;) {
        struct str line;
        unsigned errors_before = s->errors;
        enum err e = next_line(s, &line);
        if (e == ERR_SYNTAX) {
            /* A bare LF or CR in a command: what follows it could be read as another command
             * elsewhere. */
            struct outcome o = outcome_of("bare-newline");
            o.code = 500;
            o.text = STR("Command lines end in CRLF (RFC 5321 2.3.8)");
            smtp_say_outcome(s, &o, STR("in a command"));
            return ERR_PROTOCOL;
        }
        if (e == ERR_LIMIT) {
            struct outcome o = outcome_of("bad-syntax");
            o.code = 500;
            o.text = STR("Line too long");
            s->errors++;
            smtp_say_outcome(s, &o, STR_NONE);
            e = OK;
        } else if (e == OK) {
            e = serve_line(s, line);
        }
        if (e == OK && !s->quit) e = mind_errors(s, errors_before);
        if (e != OK || s->quit) return e;
    }
}

/* ---- the beginning ---- */

static enum err say_greeting(struct smtp *s)
{
    struct buf b = BUF_INIT(512);
    buf_put(&b, s->config->host);
    buf_put(&b, s->service == SERVICE_LMTP ? STR(" LMTP Postrider") : STR(" ESMTP Postrider"));
    smtp_say(s, 220, 0, 0, 0, buf_str(&b));
    buf_free(&b);
    return smtp_flush(s);
}

/* Bots speak without waiting for the greeting; programs that mean it do not (RFC 5321 3.1). */
static enum err check_early(struct smtp *s)
{
    if (s->service != SERVICE_SMTP || s->wants_proxy || s->loopback) return OK;
    if (smtp_greet_pause_ms > 0) {
        enum err e = fiber_sleep(smtp_greet_pause_ms);
        if (e != OK) return e;
    }
    stream_poll(&s->stream);
    if (stream_buffered(&s->stream) == 0) return OK;
    smtp_refuse(s, "spoke-too-early", STR_NONE);
    return ERR_PROTOCOL;
}

static enum err check_client(struct smtp *s)
{
    struct outcome o;
    struct arena a = ARENA_INIT(0);
    enum err e = smtp_ask_peer(s, 0, &a, &o);
    if (e == OK && !outcome_is_ok(&o)) {
        /* RFC 5321 3.1: 554 instead of the greeting, or 421. */
        o.code = o.code < 500 ? 421 : 554;
        smtp_say_outcome(s, &o, STR("at=connect"));
        smtp_turned_away++;
        e = ERR_DENIED;
    }
    arena_free(&a);
    return e;
}

static enum err check_crowd(struct smtp *s)
{
    static const char *const reasons[] = { NULL, "too-many-connections", "too-many-connections",
                                           "overloaded" };
    if (s->stream.watch.fd < 0) return ERR_CLOSED;
    enum crowd_answer answer =
        crowd_enter(s->world->crowd, &s->from,
                    (s->may & CONFIG_MAY_UNLIMITED) != 0 || s->from.kind == NET_UNIX);
    if (answer == CROWD_WELCOME) {
        s->counted = true;
        return OK;
    }
    smtp_turned_away++;
    smtp_refuse(s, reasons[answer],
                answer == CROWD_NETWORK_FULL   ? STR("limit=smtp_connections_per_network")
                : answer == CROWD_ADDRESS_FULL ? STR("limit=smtp_connections_per_address")
                                               : STR("limit=smtp_connections_total"));
    return ERR_LIMIT;
}

static enum err begin(struct smtp *s)
{
    enum err e = check_crowd(s);
    if (e == OK && s->wants_proxy) e = smtp_read_proxy(s);
    if (e == OK && s->service == SERVICE_SUBMISSIONS) e = smtp_begin_tls(s);
    if (e == OK) e = check_early(s);
    if (e == OK) e = check_client(s);
    return e == OK ? say_greeting(s) : e;
}

/* ---- the end ---- */

/* Say why we close, where the standard has words for it (RFC 5321 3.8). */
static void say_goodbye(struct smtp *s, enum err why)
{
    if (why == ERR_TIMEOUT) smtp_refuse(s, "idle-timeout", STR_NONE);
    if (why == ERR_CANCELLED) smtp_refuse(s, "shutting-down", STR_NONE);
    if (why == ERR_CLOSED || why == ERR_IO || why == ERR_TLS) return;
    err_ignore(stream_flush(&s->stream, 2000)); /* whoever does not take it does not get it */
}

static void session_free(struct smtp *s)
{
    struct smtp_world *w = s->world;
    smtp_reset(s);
    stream_close(&s->stream);
    if (s->counted) crowd_leave(w->crowd, &s->from);
    tls_config_free(&s->tls);
    config_free(&s->config);
    arena_free(&s->session);
    arena_free(&s->hello);
    arena_free(&s->mail);
    list_take(&s->link);
    w->session_count--;
    waitline_wake_all(&w->left);
    free(s);
}

static void life(void *arg)
{
    struct smtp *s = arg;
    s->fiber = fiber_self();
    s->waiting_for_command = true; /* nothing has been promised yet */
    enum err e = begin(s);
    s->waiting_for_command = false;
    if (e == OK) e = talk(s);
    if (s->stream.watch.fd >= 0) say_goodbye(s, e);
    log_debug("smtp.closed", L_ID("conn", s->peer.conn), L_STR("client", s->peer.ip),
              L_U64("messages", s->messages), L_U64("errors", s->errors),
              L_U64("bytes_in", s->stream.bytes_in), L_ERR(e));
    session_free(s);
}

void smtp_serve(struct smtp_world *w, const struct config_listen *listen, int fd,
                const struct net_addr *peer)
{
    struct smtp *s = calloc(1, sizeof *s);
    must(s != NULL);
    smtp_connections++;
    *s = (struct smtp){ .world = w,
                        .config = config_hold(w->config),
                        .tls = w->tls != NULL ? tls_config_ref(w->tls) : NULL,
                        .from = *peer,
                        .service = listen->service,
                        .offers_auth = listen->auth,
                        .wants_proxy = listen->proxy,
                        .tls_mode = listen->tls,
                        .session = ARENA_INIT(0),
                        .hello = ARENA_INIT(0),
                        .mail = ARENA_INIT(0),
                        .state = SMTP_FRESH };
    s->from.path = STR_NONE;
    list_init(&s->link);
    list_put(&w->sessions, &s->link);
    w->session_count++;
    struct buf at = BUF_INIT(8192);
    struct net_addr local = { .kind = NET_NONE };
    conf_at_put(&at, &listen->at);
    if (net_local(fd, &local) != OK) local = (struct net_addr){ .kind = NET_NONE };
    s->peer = (struct peer){ .conn = (uint32_t)rand_u64(),
                             .service = listen->service,
                             .ip = net_ip_text(&s->session, peer),
                             .port = peer->port,
                             .local_ip = net_ip_text(&s->session, &local),
                             .local_port = local.port,
                             .listener = arena_str(&s->session, buf_str(&at)) };
    buf_free(&at);
    s->may = config_may(s->config, s->peer.ip);
    s->loopback = net_is_loopback(peer);
    if (stream_open(&s->stream, fd) != OK)
        log_warn("smtp.no_place", L_STR("client", s->peer.ip)); /* its life ends at once */
    if (peer->kind != NET_UNIX)
        err_ignore(net_set_nodelay(s->stream.watch.fd)); /* slower, not wrong */
    log_debug("smtp.connected", L_ID("conn", s->peer.conn), L_STR("client", s->peer.ip),
              L_U64("port", s->peer.port), L_WORD("service", service_name(s->service)));
    fiber_spawn("smtp", life, s);
}

/* ---- the world ---- */

void smtp_world_init(struct smtp_world *w)
{
    list_init(&w->sessions);
    waitline_init(&w->left);
}

void smtp_door_gone(struct smtp_world *w, const struct door *d)
{
    LIST_EACH(at, &w->sessions)
    {
        struct smtp *s = LIST_OWNER(at, struct smtp, link);
        if (s->body.stage_door != d) continue;
        s->body.stage_door = NULL;
        s->body.stage = 0;
        s->body.failed = ERR_CLOSED; /* with the link goes what was staged through it */
    }
}

void smtp_world_stop(struct smtp_world *w, int64_t deadline_ms)
{
    w->stopping = true;
    LIST_EACH(at, &w->sessions)
    {
        struct smtp *s = LIST_OWNER(at, struct smtp, link);
        if (s->waiting_for_command && s->fiber != NULL) fiber_cancel(s->fiber);
    }
    while (w->session_count > 0) {
        if (waitline_wait(&w->left, deadline_ms) != ERR_TIMEOUT) continue;
        log_warn("smtp.cut_off", L_U64("sessions", w->session_count));
        break;
    }
}
