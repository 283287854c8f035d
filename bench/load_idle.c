/* Strangers that hold their connection: silent ones, and slow ones that send a byte now and then.
 *
 * At most `ramp` come up at a time, so that the length of the server's accept queue is not what is
 * measured. A session that the server ends is counted as lost and not opened again. */
#include "bench/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/must.h"

enum { INPUT_MAX = 1 << 16, SLOW_LINE_BYTES = 400 };

struct stranger {
    struct conn conn;
    enum stranger_state { NOT_YET, GREETING, HELLO, STARTTLS, HOLDING, OVER } state;
    uint32_t said; /* bytes of the slow line so far */
};

static const struct load_options *opt;
static struct loop loop;
static SSL_CTX *tls;
static struct stranger *strangers;
static uint32_t opened, opening, holding, refused, lost, next_slow;
static uint64_t dribbled;
static int64_t begin_us;
static bool told;
static char first_loss[160];
static double slow_due;

static void print_state(const char *event)
{
    printf("{\"event\": \"%s\", \"wanted\": %u, \"holding\": %u, \"refused\": %u, \"lost\": %u, "
           "\"dribbled_bytes\": %" PRIu64 ", \"seconds\": %.3f, \"cpu_seconds\": %.6f, "
           "\"first_loss\": \"%s\"}\n",
           event, opt->sessions, holding, refused, lost, dribbled,
           (double)(now_us() - begin_us) / 1e6, cpu_seconds(), first_loss);
    fflush(stdout);
}

static void open_more(void)
{
    while (opened < opt->sessions && opening < opt->ramp) {
        struct stranger *s = &strangers[opened];
        struct in_addr from = load_source(opt, opened++);
        if (conn_open(&s->conn, &opt->server, from) != OK) {
            s->state = OVER;
            refused++;
            continue;
        }
        s->state = GREETING;
        opening++;
    }
    if (!told && holding + refused + lost == opt->sessions) {
        told = true;
        print_state("ready");
    }
}

static void stranger_lost(struct stranger *s, struct str why)
{
    if (refused + lost == 0) {
        for (size_t i = 0; i < why.n && i < sizeof first_loss - 1; i++) {
            char c = why.p[i];
            first_loss[i] = c < ' ' || c > '~' || c == '"' || c == '\\' ? ' ' : c;
        }
    }
    if (s->state == HOLDING) {
        holding--;
        lost++;
    } else {
        opening--;
        refused++;
    }
    s->state = OVER;
    conn_close(&s->conn);
    open_more();
}

static void stranger_down(struct conn *c, enum err why)
{
    stranger_lost((struct stranger *)(void *)c, str_c(err_words(why)));
}

static void say(struct stranger *s, enum stranger_state state, struct str line)
{
    s->state = state;
    conn_put(&s->conn, line);
}

static void hold(struct stranger *s)
{
    s->state = HOLDING;
    opening--;
    holding++;
    open_more();
}

static void stranger_up(struct conn *c)
{
    if (c->ssl != NULL) say((struct stranger *)(void *)c, HELLO, STR("EHLO idle.test\r\n"));
}

static void step(struct stranger *s)
{
    bool wants_tls = opt->starttls && s->conn.ssl == NULL;

    if (s->state == GREETING && (opt->hello || wants_tls)) {
        say(s, HELLO, STR("EHLO idle.test\r\n"));
    } else if (s->state == HELLO && wants_tls) {
        say(s, STARTTLS, STR("STARTTLS\r\n"));
    } else if (s->state == STARTTLS) {
        conn_start_tls(&s->conn, tls);
    } else {
        hold(s);
    }
}

static size_t stranger_eat(struct conn *c, struct str in)
{
    struct stranger *s = (struct stranger *)(void *)c;
    unsigned code = 0;
    struct str last = STR_NONE;
    size_t n = 0;

    enum err e = load_reply(in, &code, &last, &n);
    if (e == ERR_AGAIN) return 0;
    if (e != OK || code >= 400) {
        stranger_lost(s, e == OK ? last : STR("no reply"));
        return 0;
    }
    if (s->state != HOLDING) step(s);
    return n;
}

static const struct conn_ops stranger_ops = { stranger_up, stranger_eat, stranger_down };

/* One byte more of a line that ends only when it would become too long. */
static void dribble(struct stranger *s)
{
    static const struct str head = STR_INIT("NOOP ");

    if (s->said < head.n)
        conn_put(&s->conn, str_part(head, s->said, 1));
    else if (s->said < SLOW_LINE_BYTES)
        conn_put(&s->conn, STR("x"));
    else
        conn_put(&s->conn, STR("\r\n"));
    s->said = s->said < SLOW_LINE_BYTES ? s->said + 1 : 0;
    dribbled++;
    conn_flush(&s->conn);
}

/* The bytes that are due are spread evenly over the interval. */
static void tick(void *unused)
{
    (void)unused;
    slow_due += (double)opt->slow * loop.tick_ms / opt->dribble_ms;
    for (; slow_due >= 1; slow_due -= 1) {
        struct stranger *s = &strangers[next_slow];
        next_slow = (next_slow + 1) % opt->slow;
        if (s->state == HOLDING) dribble(s);
    }
}

/* Our master closes our standard input: that is the end. */
static void told_to_stop(struct watch *w, uint32_t events)
{
    char byte;

    (void)w, (void)events;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) loop.stop = true;
}

bool load_idle(const struct load_options *o)
{
    struct watch control = { .ready = told_to_stop };

    opt = o;
    if (o->slow > o->sessions) load_usage("--slow is more than --sessions");
    strangers = calloc(o->sessions, sizeof *strangers);
    must(strangers != NULL);
    if (o->starttls) tls = load_tls_context();
    loop_open(&loop);
    loop_add(&loop, STDIN_FILENO, &control, EPOLLIN);
    loop.tick = o->slow > 0 ? tick : NULL;
    begin_us = now_us();
    for (uint32_t i = 0; i < o->sessions; i++) {
        conn_init(&strangers[i].conn, &loop, &stranger_ops, INPUT_MAX);
    }
    open_more();
    loop_run(&loop, o->deadline_us);
    print_state("end");
    for (uint32_t i = 0; i < o->sessions; i++) {
        conn_close(&strangers[i].conn);
    }
    free(strangers);
    SSL_CTX_free(tls);
    return holding == o->sessions;
}
