/* The POP3 dialog: greeting, commands in their states, the end. */
#include "proto/pop3/session.h"

#include "base/must.h"
#include "base/rand.h"

#include <stdlib.h>

PARAM(pop3_command_wait_ms, TIME_MS, 1000, 86400000, 600000,
      "how long a POP3 client may be silent (RFC 1939 3: at least 10 minutes)")
PARAM(pop3_write_wait_ms, TIME_MS, 1000, 3600000, 120000,
      "how long a POP3 client may take to accept what it asked for")
PARAM(pop3_ask_wait_ms, TIME_MS, 100, 600000, 30000,
      "how long the POP3 server waits for the answer of another role")
PARAM(pop3_connections_total, COUNT, 1, 1000000, 10000,
      "POP3 connections of one session process at once")
enum { GATHER_MAX = 64 * 1024 }; /* replies to pipelined commands that wait to be sent */
COUNTER(pop3_connections, "connections accepted by the POP3 listeners")

static enum err do_quit(struct pop3 *p, const struct pop3_words *w);
static enum err do_noop(struct pop3 *p, const struct pop3_words *w);
static enum err do_capa(struct pop3 *p, const struct pop3_words *w);
static enum err do_utf8(struct pop3 *p, const struct pop3_words *w);
static enum err do_lang(struct pop3 *p, const struct pop3_words *w);

/* RFC 1939 5-7, RFC 2449 5, RFC 2595 4, RFC 5034 4, RFC 6856 2-3. */
static const struct {
    enum pop3_verb verb;
    unsigned states;
    bool private_only; /* would show a password to who listens */
    pop3_do serve;
} commands[] = {
    { POP3_VERB_USER, POP3_HELLO | POP3_NAMED, true, pop3_do_user },
    { POP3_VERB_PASS, POP3_NAMED, true, pop3_do_pass },
    { POP3_VERB_AUTH, POP3_HELLO | POP3_NAMED, false, pop3_do_auth },
    { POP3_VERB_STLS, POP3_HELLO | POP3_NAMED, false, pop3_do_stls },
    { POP3_VERB_UTF8, POP3_HELLO | POP3_NAMED, false, do_utf8 },
    { POP3_VERB_LANG, POP3_ANY, false, do_lang },
    { POP3_VERB_CAPA, POP3_ANY, false, do_capa },
    { POP3_VERB_NOOP, POP3_OPEN, false, do_noop },
    { POP3_VERB_QUIT, POP3_ANY, false, do_quit },
    { POP3_VERB_STAT, POP3_OPEN, false, pop3_do_stat },
    { POP3_VERB_LIST, POP3_OPEN, false, pop3_do_list },
    { POP3_VERB_RETR, POP3_OPEN, false, pop3_do_retr },
    { POP3_VERB_DELE, POP3_OPEN, false, pop3_do_dele },
    { POP3_VERB_RSET, POP3_OPEN, false, pop3_do_rset },
    { POP3_VERB_TOP, POP3_OPEN, false, pop3_do_top },
    { POP3_VERB_UIDL, POP3_OPEN, false, pop3_do_uidl },
};

/* ---- replies ---- */

static enum err say(struct pop3 *p, struct str status, struct str text)
{
    stream_write(&p->stream, status);
    stream_write(&p->stream, text);
    stream_write(&p->stream, STR("\r\n"));
    return OK;
}

enum err pop3_ok(struct pop3 *p, struct str text)
{
    return say(p, STR("+OK "), text);
}

enum err pop3_no(struct pop3 *p, struct str text)
{
    return say(p, STR("-ERR "), text);
}

enum err pop3_flush(struct pop3 *p)
{
    return stream_flush(&p->stream, pop3_write_wait_ms);
}

bool pop3_is_private(const struct pop3 *p)
{
    return p->stream.tls != NULL ||
           (p->loopback && p->config->auth.plaintext == CONFIG_PLAINTEXT_LOOPBACK);
}

/* ---- commands without a maildrop ---- */

static enum err do_noop(struct pop3 *p, const struct pop3_words *w)
{
    (void)w;
    return pop3_ok(p, STR("still here"));
}

static enum err do_utf8(struct pop3 *p, const struct pop3_words *w)
{
    (void)w;
    p->utf8 = true;
    return pop3_ok(p, STR("UTF-8 from now on"));
}

/* RFC 6856 3: one language, ours. */
static enum err do_lang(struct pop3 *p, const struct pop3_words *w)
{
    if (w->text.n == 0) {
        err_ignore(pop3_ok(p, STR("languages follow"))); /* queueing cannot fail here */
        stream_write(&p->stream, STR("en English\r\n.\r\n"));
        return OK;
    }
    if (str_eq(w->text, STR("*")) || str_eq_nocase(w->text, STR("en")) ||
        str_eq_nocase(w->text, STR("i-default")))
        return pop3_ok(p, STR("en"));
    return pop3_no(p, STR("no such language"));
}

static enum err do_capa(struct pop3 *p, const struct pop3_words *w)
{
    struct buf b = BUF_INIT(1024);
    (void)w;
    buf_put_lit(
        &b,
        "+OK capabilities "
        "follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n"
        "LOGIN-DELAY 0\r\nUTF8 USER\r\nLANG\r\n");
    if (p->state != POP3_OPEN) {
        if (pop3_is_private(p)) buf_put_lit(&b, "USER\r\n");
        struct buf names = BUF_INIT(256);
        pop3_put_mechanisms(&names, p);
        if (names.n > 0) {
            buf_put_lit(&b, "SASL");
            buf_put(&b, buf_str(&names));
            buf_put_lit(&b, "\r\n");
        }
        buf_free(&names);
        if (p->tls != NULL && p->stream.tls == NULL && p->tls_mode != CONFIG_TLS_NO)
            buf_put_lit(&b, "STLS\r\n");
    }
    buf_put_lit(&b, "IMPLEMENTATION Postrider\r\n.\r\n");
    stream_write(&p->stream, buf_str(&b));
    buf_free(&b);
    return OK;
}

static enum err do_quit(struct pop3 *p, const struct pop3_words *w)
{
    (void)w;
    p->quit = true;
    if (p->state != POP3_OPEN) return pop3_ok(p, STR("bye"));
    enum err e = pop3_maildrop_update(p);
    if (e == ERR_CANCELLED) return e;
    if (e == ERR_NOT_FOUND) e = OK; /* the account went first, and its messages with it */
    if (e != OK) {
        log_warn("pop3.update_failed", L_ID("conn", p->peer.conn), L_STR("login", p->peer.login),
                 L_ERR(e));
        return pop3_no(p, STR("[SYS/TEMP] some deleted messages were not removed"));
    }
    return pop3_ok(p, STR("bye"));
}

/* ---- the loop ---- */

static enum err say_fault(struct pop3 *p, enum err e)
{
    if (e == ERR_LIMIT) return pop3_no(p, STR("line too long"));
    if (e == ERR_UNSUPPORTED) return pop3_no(p, STR("no such command"));
    if (e == ERR_RANGE) return pop3_no(p, STR("no such message"));
    return pop3_no(p, STR("syntax error"));
}

static enum err serve_line(struct pop3 *p, struct str line)
{
    struct pop3_words w;
    enum err e = pop3_line_parse(line, &w);
    if (e != OK) return say_fault(p, e);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].verb != w.verb) continue;
        if ((commands[i].states & p->state) == 0) return pop3_no(p, STR("not now"));
        if (commands[i].private_only && !pop3_is_private(p))
            return pop3_no(p,
                           STR("begin TLS first (STLS), or log in without showing the password"));
        return commands[i].serve(p, &w);
    }
    return pop3_no(
        p, STR("not offered here")); /* APOP: it would need the password in clear in the store */
}

static enum err talk(struct pop3 *p)
{
    while (!p->quit) {
        struct str line;
        enum err e = OK;
        if (!stream_has_line(&p->stream)) {
            e = pop3_flush(p);
            if (e == OK && p->world->stopping) e = ERR_CANCELLED;
            p->waiting_for_command = true;
        }
        if (e == OK && p->stream.out.n > GATHER_MAX) e = pop3_flush(p);
        if (e == OK) e = stream_read_line(&p->stream, POP3_LINE_MAX, pop3_command_wait_ms, &line);
        p->waiting_for_command = false;
        if (e == ERR_SYNTAX) return ERR_PROTOCOL;
        e = e == ERR_LIMIT ? say_fault(p, e) : e == OK ? serve_line(p, line) : e;
        if (e != OK) return e;
    }
    return pop3_flush(p);
}

static enum err begin(struct pop3 *p)
{
    struct buf b = BUF_INIT(512);
    enum err e = OK;
    if (p->stream.watch.fd < 0) return ERR_CLOSED;
    if (p->world->session_count > (size_t)pop3_connections_total) {
        err_ignore(
            pop3_no(p, STR("[SYS/TEMP] too many connections"))); /* queueing cannot fail here */
        return ERR_LIMIT;
    }
    if (p->wants_proxy) e = pop3_read_proxy(p);
    if (e == OK && p->peer.service == SERVICE_POP3S) e = pop3_begin_tls(p);
    if (e != OK) return e;
    buf_put(&b, p->config->host);
    buf_put_lit(&b, " POP3 Postrider");
    e = pop3_ok(p, buf_str(&b));
    buf_free(&b);
    return e == OK ? pop3_flush(p) : e;
}

static void session_free(struct pop3 *p)
{
    struct pop3_world *w = p->world;
    pop3_maildrop_close(p);
    stream_close(&p->stream);
    tls_config_free(&p->tls);
    config_free(&p->config);
    arena_free(&p->session);
    arena_free(&p->name_arena);
    list_take(&p->link);
    w->session_count--;
    waitline_wake_all(&w->left);
    free(p);
}

static void life(void *arg)
{
    struct pop3 *p = arg;
    p->fiber = fiber_self();
    p->waiting_for_command = true; /* nothing has been promised yet */
    enum err e = begin(p);
    p->waiting_for_command = false;
    if (e == OK) e = talk(p);
    if (p->stream.watch.fd >= 0 && (e == ERR_CANCELLED || e == ERR_LIMIT || e == ERR_PROTOCOL)) {
        if (e == ERR_CANCELLED)
            err_ignore(
                pop3_no(p, STR("[SYS/TEMP] closing, come back later"))); /* queueing cannot fail */
        if (e == ERR_PROTOCOL) err_ignore(pop3_no(p, STR("lines end in CRLF")));
        err_ignore(stream_flush(&p->stream, 2000)); /* whoever does not take it does not get it */
    }
    /* RFC 1939 3: an inactive session is closed without a reply and without the update. */
    log_debug("pop3.closed", L_ID("conn", p->peer.conn), L_STR("login", p->peer.login), L_ERR(e));
    session_free(p);
}

void pop3_serve(struct pop3_world *w, const struct config_listen *listen, int fd,
                const struct net_addr *peer)
{
    struct pop3 *p = calloc(1, sizeof *p);
    must(p != NULL);
    pop3_connections++;
    *p = (struct pop3){ .world = w,
                        .config = config_hold(w->config),
                        .tls = w->tls != NULL ? tls_config_ref(w->tls) : NULL,
                        .tls_mode = listen->tls,
                        .wants_proxy = listen->proxy,
                        .session = ARENA_INIT(0),
                        .name_arena = ARENA_INIT(0),
                        .state = POP3_HELLO,
                        .loopback = net_is_loopback(peer) };
    list_init(&p->link);
    list_put(&w->sessions, &p->link);
    w->session_count++;
    struct buf at = BUF_INIT(8192);
    conf_at_put(&at, &listen->at);
    p->peer = (struct peer){ .conn = (uint32_t)rand_u64(),
                             .service = listen->service,
                             .ip = net_ip_text(&p->session, peer),
                             .port = peer->port,
                             .listener = arena_str(&p->session, buf_str(&at)) };
    buf_free(&at);
    if (stream_open(&p->stream, fd) != OK)
        log_warn("pop3.no_place", L_STR("client", p->peer.ip)); /* its life ends at once */
    else if (peer->kind != NET_UNIX)
        err_ignore(net_set_nodelay(p->stream.watch.fd)); /* slower, not wrong */
    log_debug("pop3.connected", L_ID("conn", p->peer.conn), L_STR("client", p->peer.ip));
    fiber_spawn("pop3", life, p);
}

void pop3_world_init(struct pop3_world *w)
{
    list_init(&w->sessions);
    waitline_init(&w->left);
}

void pop3_world_stop(struct pop3_world *w, int64_t deadline_ms)
{
    w->stopping = true;
    LIST_EACH(at, &w->sessions)
    {
        struct pop3 *p = LIST_OWNER(at, struct pop3, link);
        if (p->waiting_for_command && p->fiber != NULL) fiber_cancel(p->fiber);
    }
    while (w->session_count > 0) {
        if (waitline_wait(&w->left, deadline_ms) != ERR_TIMEOUT) continue;
        log_warn("pop3.cut_off", L_U64("sessions", w->session_count));
        break;
    }
}
