/* SMTP senders (RFC 5321 client): a table of steps, each with the reply that leads to the next.
 *
 * Only a 250 after the final dot counts as an accepted message. A message that fails is counted,
 * its connection is given up and the next one begins with a new connection; nothing is sent twice.
 * Every message differs from every other in its header, because a server may recognise a
 * repetition. */
#include "bench/load.h"
#include "bench/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"

enum { LINE_BYTES = 72, BLOCK_LINES = 256, INPUT_MAX = 1 << 20 };

struct sender {
    struct conn conn;
    uint32_t index;
    enum step { GREETING, HELLO, STARTTLS, MAIL, RCPT, DATA, DOT, QUIT } step;
    bool busy;           /* a message of `number` is under way */
    uint32_t number;     /* which one */
    uint32_t rcpts_said; /* replies to RCPT so far */
    uint32_t on_connection;
    int64_t since_us; /* when the message, or the connection for it, began */
};

static const struct load_options *opt;
static struct loop loop;
static struct tally tally;
static SSL_CTX *tls;
static bool handshakes_only;
static uint32_t begun;     /* messages taken on so far */
static uint32_t connected; /* sessions that are not at their end */
static struct buf filler;  /* body lines and the final dot */

static void sender_open(struct sender *s);

static void sender_end(struct sender *s)
{
    conn_close(&s->conn);
    connected--;
    loop.stop = connected == 0;
}

/* The connection is over: open the next one if there is anything left to send. */
static void sender_next(struct sender *s)
{
    conn_close(&s->conn);
    if (begun < opt->messages) {
        sender_open(s);
    } else {
        sender_end(s);
    }
}

static void sender_failed(struct sender *s, struct str why)
{
    if (!s->busy && s->step != QUIT && begun < opt->messages) {
        begun++; /* what it came for */
        s->busy = true;
    }
    if (s->busy) tally_failed(&tally, why);
    s->busy = false;
    sender_next(s);
}

static void sender_down(struct conn *c, enum err why)
{
    struct sender *s = (struct sender *)(void *)c;

    sender_failed(s, str_c(err_words(why)));
}

static void say(struct sender *s, enum step step, struct str line)
{
    s->step = step;
    conn_put(&s->conn, line);
}

static void say_rcpt(struct sender *s, uint32_t i)
{
    struct buf *out = &s->conn.out;

    buf_put_lit(out, "RCPT TO:<");
    load_put_name(opt, (uint64_t)s->number * opt->rcpts + i, out);
    buf_put_lit(out, ">\r\n");
}

/* MAIL, and with pipelining all that may go with it (RFC 2920). */
static void say_mail(struct sender *s)
{
    s->number = begun++;
    s->busy = true;
    s->on_connection++;
    s->rcpts_said = 0;
    if (s->on_connection > 1) s->since_us = now_us();
    say(s, MAIL, STR("MAIL FROM:<sender@load.test>\r\n"));
    if (!opt->pipelining) return;
    for (uint32_t i = 0; i < opt->rcpts; i++) {
        say_rcpt(s, i);
    }
    conn_put(&s->conn, STR("DATA\r\n"));
}

/* The session has been greeted (and is under TLS if that was asked for), or a message is done. */
static void on_ready(struct sender *s)
{
    if (handshakes_only && s->busy) {
        s->busy = false;
        tally_done(&tally, s->since_us, 0);
    }
    if (handshakes_only || begun >= opt->messages || s->on_connection >= opt->per_connection) {
        say(s, QUIT, STR("QUIT\r\n"));
    } else {
        say_mail(s);
    }
}

static void on_greeting(struct sender *s)
{
    if (handshakes_only) {
        if (begun >= opt->messages) {
            say(s, QUIT, STR("QUIT\r\n"));
            return;
        }
        begun++;
        s->busy = true;
    }
    say(s, HELLO, STR("EHLO load.test\r\n"));
}

static void on_hello(struct sender *s)
{
    if (opt->starttls && s->conn.ssl == NULL) {
        say(s, STARTTLS, STR("STARTTLS\r\n"));
    } else {
        on_ready(s);
    }
}

static void on_starttls(struct sender *s)
{
    conn_start_tls(&s->conn, tls);
}

static void on_mail(struct sender *s)
{
    s->step = RCPT;
    if (!opt->pipelining) say_rcpt(s, 0);
}

static void on_rcpt(struct sender *s)
{
    s->rcpts_said++;
    if (s->rcpts_said == opt->rcpts) {
        s->step = DATA;
        if (!opt->pipelining) conn_put(&s->conn, STR("DATA\r\n"));
    } else if (!opt->pipelining) {
        say_rcpt(s, s->rcpts_said);
    }
}

/* A header of whole lines of LINE_BYTES, so that the filler behind it begins with a line, too. */
static void on_data(struct sender *s)
{
    struct buf *out = &s->conn.out;
    size_t begin = out->n;

    buf_put_lit(out, "From: Load Driver <sender@load.test>\r\nTo: ");
    load_put_name(opt, (uint64_t)s->number * opt->rcpts, out);
    buf_put_lit(out, "\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <");
    buf_put_u64(out, (uint64_t)getpid());
    buf_put_byte(out, '.');
    buf_put_i64(out, tally.begin_us);
    buf_put_byte(out, '.');
    buf_put_u64(out, s->number);
    buf_put_lit(out, "@load.test>\r\nSubject: message ");
    buf_put_u64(out, s->number);
    buf_put_byte(out, ' ');
    while ((out->n - begin + 4) % LINE_BYTES != 0) {
        buf_put_byte(out, 'x');
    }
    buf_put_lit(out, "\r\n\r\n");
    must(buf_check(out) == OK);
    size_t header = out->n - begin;
    /* The filler is the whole size; what the header takes is left out of it, but never the dot. */
    size_t skip = header < filler.n - 3 ? header : filler.n - 3;
    conn_put_shared(&s->conn, str_skip(buf_str(&filler), skip));
    s->step = DOT;
}

static void on_dot(struct sender *s)
{
    s->busy = false;
    tally_done(&tally, s->since_us, opt->size);
    on_ready(s);
}

static void on_quit(struct sender *s)
{
    sender_next(s);
}

static const struct {
    unsigned want;
    void (*go)(struct sender *s);
} steps[] = {
    [GREETING] = { 220, on_greeting }, [HELLO] = { 250, on_hello },
    [STARTTLS] = { 220, on_starttls }, [MAIL] = { 250, on_mail },
    [RCPT] = { 250, on_rcpt },         [DATA] = { 354, on_data },
    [DOT] = { 250, on_dot },           [QUIT] = { 221, on_quit },
};

static size_t sender_eat(struct conn *c, struct str in)
{
    struct sender *s = (struct sender *)(void *)c;
    unsigned life = c->lives;
    size_t taken = 0;

    for (;;) {
        unsigned code = 0;
        struct str last = STR_NONE;
        size_t n = 0;
        enum err e = load_reply(str_skip(in, taken), &code, &last, &n);
        if (e == ERR_AGAIN) return taken;
        if (e != OK || code != steps[s->step].want) {
            sender_failed(s, e == OK ? last : STR("no reply"));
            return 0;
        }
        taken += n;
        steps[s->step].go(s);
        if (c->lives != life || c->shaking) return taken;
    }
}

static void sender_up(struct conn *c)
{
    struct sender *s = (struct sender *)(void *)c;

    if (c->ssl != NULL) say(s, HELLO, STR("EHLO load.test\r\n"));
}

static const struct conn_ops sender_ops = { sender_up, sender_eat, sender_down };

static void sender_open(struct sender *s)
{
    s->step = GREETING;
    s->busy = false;
    s->on_connection = 0;
    s->since_us = now_us();
    while (conn_open(&s->conn, &opt->server, load_source(opt, s->index)) != OK) {
        tally_failed(&tally, STR("the kernel refused to connect"));
        begun++;
        if (begun >= opt->messages) {
            sender_end(s);
            return;
        }
    }
}

/* Text lines, and the final dot: `size` bytes without the dot. The first BLOCK_LINES are made (the
 * same in every run), the rest repeats them. */
static void filler_make(size_t size)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789";
    const size_t block = (size_t)BLOCK_LINES * LINE_BYTES;
    size_t text = size > 2 ? size - 2 : 0; /* the last CRLF is put by itself */
    uint32_t x = 2463534242u;              /* xorshift */

    filler = buf_new(size + 2 * block);
    while (filler.n < text && filler.n < block) {
        size_t column = filler.n % LINE_BYTES;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        buf_put_byte(&filler, column == LINE_BYTES - 2   ? '\r'
                              : column == LINE_BYTES - 1 ? '\n'
                                                         : letters[x % (sizeof letters - 1)]);
    }
    while (filler.n < text) {
        (void)buf_reserve(&filler, block);
        buf_put(&filler,
                str_part(buf_str(&filler), 0, text - filler.n < block ? text - filler.n : block));
    }
    /* Never half a line end: what the cut left of one becomes letters. */
    for (size_t i = filler.n; i > 0 && (filler.p[i - 1] == '\r' || filler.p[i - 1] == '\n'); i--) {
        filler.p[i - 1] = 'x';
    }
    buf_put_lit(&filler, "\r\n.\r\n");
    must(buf_check(&filler) == OK);
}

static bool run(const struct load_options *o, const char *what)
{
    struct sender *senders = calloc(o->sessions, sizeof *senders);

    must(senders != NULL);
    opt = o;
    filler_make(o->size);
    if (o->starttls) tls = load_tls_context();
    loop_open(&loop);
    tally_begin(&tally, what, o->messages);
    connected = o->sessions < o->messages ? o->sessions : o->messages;
    loop.stop = connected == 0;
    for (uint32_t i = 0; i < o->sessions; i++) {
        senders[i].index = i;
        conn_init(&senders[i].conn, &loop, &sender_ops, INPUT_MAX);
        if (i < o->messages) sender_open(&senders[i]);
    }
    loop_run(&loop, o->deadline_us);
    bool good = tally.done == o->messages;
    tally_print(&tally);
    for (uint32_t i = 0; i < o->sessions; i++) {
        conn_close(&senders[i].conn);
    }
    free(senders);
    buf_free(&filler);
    SSL_CTX_free(tls);
    return good;
}

bool load_smtp(const struct load_options *o)
{
    return run(o, "messages");
}

bool load_tls(const struct load_options *o)
{
    struct load_options with_tls = *o;

    with_tls.starttls = true;
    handshakes_only = true;
    return run(&with_tls, "handshakes");
}
