/* Who the client says it is, and whether anybody else can listen: HELO, EHLO, LHLO, STARTTLS,
 * XCLIENT, PROXY. */
#include "proto/smtp/session.h"

#include "base/must.h"
#include "model/mechanism.h"
#include "syntax/proxy.h"
#include "syntax/xclient.h"

COUNTER(smtp_tls_sessions, "SMTP sessions that went under TLS")
COUNTER(smtp_tls_failures, "TLS handshakes of SMTP sessions that failed")

bool smtp_is_private(const struct smtp *s)
{
    return s->stream.tls != NULL ||
           (s->loopback && s->config->auth.plaintext == CONFIG_PLAINTEXT_LOOPBACK);
}

static bool may_start_tls(const struct smtp *s)
{
    return s->tls != NULL && s->stream.tls == NULL && s->tls_mode != CONFIG_TLS_NO;
}

/* One line of the EHLO answer. */
static void put_line(struct buf *b, struct str line)
{
    buf_put_byte(b, '\n');
    buf_put(b, line);
}

static void put_extensions(struct buf *b, const struct smtp *s)
{
    put_line(b, STR("PIPELINING"));
    put_line(b, STR("SIZE "));
    buf_put_i64(b, smtp_message_max);
    put_line(b, STR("8BITMIME"));
    put_line(b, STR("SMTPUTF8"));
    put_line(b, STR("ENHANCEDSTATUSCODES"));
    put_line(b, STR("CHUNKING"));
    put_line(b, STR("BINARYMIME"));
    put_line(b, STR("DSN"));
    if (s->service != SERVICE_LMTP) put_line(b, STR("VRFY"));
    /* RFC 5321 3.5.2: EXPN must be listed where it is supported; for strangers it is not. */
    if (s->service != SERVICE_LMTP && (s->peer.login.n > 0 || (s->may & CONFIG_MAY_EXPN) != 0))
        put_line(b, STR("EXPN"));
    if (may_start_tls(s)) put_line(b, STR("STARTTLS"));
    if (s->offers_auth && s->peer.login.n == 0) {
        struct buf names = BUF_INIT(256);
        mechanisms_put(&names, s->config, s->stream.tls != NULL, smtp_is_private(s));
        if (names.n > 0) {
            put_line(b, STR("AUTH"));
            buf_put(b, buf_str(&names));
        }
        buf_free(&names);
    }
    if ((s->may & CONFIG_MAY_XCLIENT) != 0) {
        put_line(b, STR("XCLIENT "));
        buf_put(b, xclient_attributes());
    }
    put_line(b, STR("LIMITS RCPTMAX="));
    buf_put_i64(b, smtp_rcpts_max);
    put_line(b, STR("HELP"));
}

enum err smtp_do_hello(struct smtp *s, const struct smtp_command *c)
{
    struct arena a = ARENA_INIT(0);
    struct outcome o;
    /* RFC 5321 4.1.4: a second EHLO is a RSET as well. */
    smtp_reset(s);
    arena_free(&s->hello);
    s->peer.helo = arena_str(&s->hello, c->hello.name);
    s->peer.extended = c->verb != SMTP_VERB_HELO;
    enum err e = smtp_ask_peer(s, 1, &a, &o);
    if (e == OK && !outcome_is_ok(&o)) {
        s->errors++;
        s->state = SMTP_FRESH;
        smtp_say_outcome(s, &o, STR("at=helo"));
    } else if (e == OK) {
        struct buf b = BUF_INIT(2048);
        s->state = SMTP_NAMED;
        buf_put(&b, s->config->host);
        if (s->peer.extended) put_extensions(&b, s);
        smtp_say(s, 250, 0, 0, 0, buf_str(&b));
        buf_free(&b);
    }
    arena_free(&a);
    return e;
}

/* ---- TLS ---- */

enum err smtp_begin_tls(struct smtp *s)
{
    /* No name is registered for SMTP, so hardly anybody offers one; who offers others than this
     * was sent here by somebody in between (ALPACA). */
    static const struct str alpn = STR_INIT("smtp");
    struct buf why = BUF_INIT(1024), words = BUF_INIT(256);
    if (s->tls == NULL) return ERR_TLS; /* the configuration does not allow such a listener */
    enum err e = stream_start_tls(&s->stream, s->tls, &alpn, smtp_tls_wait_ms, &why);
    if (e == OK) {
        smtp_tls_sessions++;
        struct tls_info info = tls_info(s->stream.tls);
        buf_put(&words, info.version);
        buf_put_byte(&words, ' ');
        buf_put(&words, info.cipher);
        s->peer.tls = arena_str(&s->session, buf_str(&words));
    } else {
        smtp_tls_failures++;
        log_info("smtp.tls_failed", L_ID("conn", s->peer.conn), L_STR("client", s->peer.ip),
                 L_ERR(e), L_STR("why", buf_str(&why)));
        e = ERR_TLS; /* for whatever reason: there is no channel for a goodbye */
    }
    buf_free(&why);
    buf_free(&words);
    return e;
}

enum err smtp_do_starttls(struct smtp *s, const struct smtp_command *c)
{
    (void)c;
    if (s->stream.tls != NULL) {
        smtp_refuse(s, "bad-sequence", STR("TLS is on already"));
        return OK;
    }
    if (!may_start_tls(s)) {
        smtp_refuse(s, "not-implemented", STR("STARTTLS"));
        return OK;
    }
    /* Whoever stands between could have put commands behind STARTTLS; they would seem to come from
     * inside TLS. */
    stream_poll(&s->stream);
    if (stream_buffered(&s->stream) > 0) {
        smtp_refuse(s, "bad-sequence", STR("bytes behind STARTTLS"));
        return ERR_PROTOCOL;
    }
    smtp_say(s, 220, 2, 0, 0, STR("Ready to start TLS"));
    enum err e = smtp_flush(s);
    s->waiting_for_command = true; /* the client may have gone to sleep here as well */
    if (e == OK) e = smtp_begin_tls(s);
    s->waiting_for_command = false;
    if (e != OK) return e;
    /* RFC 3207 4.2: what was said before is forgotten. */
    smtp_reset(s);
    s->peer.helo = STR_NONE;
    s->peer.login = STR_NONE; /* whoever stands in between could have logged in as himself */
    s->peer.extended = false;
    s->state = SMTP_FRESH;
    return OK;
}

/* ---- speaking for another client ---- */

static void take_address(struct smtp *s, const struct ip_addr *ip, uint16_t port)
{
    struct buf b = BUF_INIT(64);
    ip_put(&b, ip);
    s->peer.ip = arena_str(&s->session, buf_str(&b));
    s->peer.port = port;
    buf_free(&b);
    s->may = config_may(s->config, s->peer.ip);
    s->loopback = ip_is_loopback(ip);
}

/* The limits are the real client's from now on. */
static enum err recount(struct smtp *s)
{
    struct net_addr to;
    if (net_parse_ip(s->peer.ip, &to) != OK) return OK;
    if (s->counted) crowd_leave(s->world->crowd, &s->from);
    s->counted = false;
    s->from = to;
    if (crowd_enter(s->world->crowd, &s->from, (s->may & CONFIG_MAY_UNLIMITED) != 0) !=
        CROWD_WELCOME) {
        smtp_refuse(s, "too-many-connections", STR("counted for the client behind the proxy"));
        return ERR_LIMIT;
    }
    s->counted = true;
    return OK;
}

enum err smtp_read_proxy(struct smtp *s)
{
    struct str seen = STR_NONE;
    struct proxy h;
    size_t used = 0;
    if ((s->may & CONFIG_MAY_PROXY) == 0) {
        smtp_refuse(s, "policy",
                    STR("a PROXY header is expected here, but this peer is not trusted with it"));
        return ERR_DENIED;
    }
    enum err e = stream_peek(&s->stream, smtp_tls_wait_ms, &seen);
    while (e == OK && (e = proxy_parse(seen, &h, &used)) == ERR_AGAIN) {
        e = stream_peek_more(&s->stream, smtp_tls_wait_ms, &seen);
    }
    if (e != OK) return e == ERR_SYNTAX ? ERR_PROTOCOL : e;
    stream_consume(&s->stream, used);
    s->wants_proxy = false;
    if (h.local) return OK; /* LOCAL, UNKNOWN: the proxy speaks for itself */
    take_address(s, &h.from, h.from_port);
    return recount(s);
}

enum err smtp_do_xclient(struct smtp *s, const struct smtp_command *c)
{
    struct arena a = ARENA_INIT(0);
    struct xclient x;
    struct str bad = STR_NONE;
    enum err e = OK;
    if ((s->may & CONFIG_MAY_XCLIENT) == 0) {
        smtp_refuse(s, "policy", STR("XCLIENT from a peer that is not trusted with it"));
    } else if (xclient_parse(c->arguments, &a, &x, &bad) != OK) {
        smtp_refuse(s, "bad-syntax", bad);
    } else {
        smtp_reset(s);
        if ((x.given & XCLIENT_ADDR) != 0)
            take_address(s, &x.addr, (x.given & XCLIENT_PORT) != 0 ? x.port : s->peer.port);
        if ((x.given & XCLIENT_HELO) != 0) s->peer.helo = arena_str(&s->session, x.helo);
        if ((x.given & XCLIENT_NAME) != 0) s->peer.name = arena_str(&s->session, x.name);
        if ((x.given & XCLIENT_LOGIN) != 0) s->peer.login = arena_str(&s->session, x.login);
        if ((x.given & XCLIENT_ADDR) != 0) e = recount(s);
        /* As after connecting: the greeting again, and the client begins with its name. */
        s->state = SMTP_FRESH;
        if (e == OK) smtp_say(s, 220, 0, 0, 0, s->config->host);
    }
    arena_free(&a);
    return e;
}
