/* POP3 readers (RFC 1939 client): log in, list, retrieve every message, QUIT. Nothing is deleted,
 * so that a run can be repeated. Each session has an account of its own, because a maildrop is
 * locked while it is open. */
#include "bench/load.h"
#include "bench/tally.h"

#include <stdlib.h>

#include "base/must.h"

enum { INPUT_MAX = 4 << 20, WINDOW = 32 };

struct reader {
    struct conn conn;
    uint32_t index;
    enum reader_step { GREETING, USER, PASS, LIST, RETR, QUIT } step;
    bool in_text;   /* of a multi-line reply, behind its first line (but before that line's CRLF) */
    uint32_t lines; /* of the list, the CRLF before it counted, too */
    uint32_t asked; /* messages asked for */
    uint32_t fetched; /* messages that came whole */
    int64_t asked_us;
    uint64_t text_bytes; /* of the message at hand, with the CRLF before it */
};

static const struct load_options *opt;
static struct loop loop;
static struct tally tally;
static uint32_t reading;

static void reader_end(struct reader *r)
{
    conn_close(&r->conn);
    reading--;
    loop.stop = reading == 0;
}

/* What this mailbox still owes counts as failed. */
static void reader_failed(struct reader *r, struct str why)
{
    for (uint32_t i = r->fetched; i < opt->messages; i++) {
        tally_failed(&tally, why);
    }
    r->fetched = opt->messages;
    reader_end(r);
}

static void reader_down(struct conn *c, enum err why)
{
    struct reader *r = (struct reader *)(void *)c;

    if (r->step == QUIT)
        reader_end(r);
    else
        reader_failed(r, str_c(err_words(why)));
}

static void say(struct reader *r, enum reader_step step, struct str line)
{
    r->step = step;
    conn_put(&r->conn, line);
}

static void say_retr(struct reader *r)
{
    uint32_t window = opt->pipelining ? WINDOW : 1;

    if (r->asked == r->fetched) r->asked_us = now_us();
    while (r->asked < opt->messages && r->asked - r->fetched < window) {
        conn_put(&r->conn, STR("RETR "));
        buf_put_u64(&r->conn.out, ++r->asked);
        conn_put(&r->conn, STR("\r\n"));
    }
}

static void say_user(struct reader *r)
{
    conn_put(&r->conn, STR("USER "));
    load_put_name(opt, r->index, &r->conn.out);
    say(r, USER, STR("\r\n"));
}

static void say_pass(struct reader *r)
{
    conn_put(&r->conn, STR("PASS "));
    conn_put(&r->conn, opt->password);
    say(r, PASS, STR("\r\n"));
}

/* A reply of one line, or the first line of a longer one, was good. */
static void on_good(struct reader *r)
{
    switch (r->step) {
    case GREETING:
        say_user(r);
        break;
    case USER:
        say_pass(r);
        break;
    case PASS:
        say(r, LIST, opt->uidl ? STR("UIDL\r\n") : STR("LIST\r\n"));
        break;
    case LIST:
    case RETR:
        r->in_text = true;
        break;
    case QUIT:
        break; /* the server closes, after it has given the maildrop free */
    }
}

static void on_text_end(struct reader *r)
{
    r->in_text = false;
    if (r->step == LIST) {
        r->step = RETR;
        if (r->lines <= opt->messages)
            reader_failed(r, STR("too few messages in the list"));
        else
            say_retr(r);
        return;
    }
    r->fetched++;
    tally_done(&tally, r->asked_us, r->text_bytes - 2);
    r->text_bytes = 0;
    if (r->fetched == opt->messages)
        say(r, QUIT, STR("QUIT\r\n"));
    else
        say_retr(r);
}

/* Bytes of `in` that are done with. The text begins with the CRLF of the reply's first line, so
 * that its end is CRLF.CRLF even when it is empty. */
static size_t text_eat(struct reader *r, struct str in)
{
    size_t end = str_find_str(in, STR("\r\n.\r\n"));
    size_t n = end != STR_NOWHERE ? end + 5 : in.n > 4 ? in.n - 4 : 0;
    struct str part = str_part(in, 0, end != STR_NOWHERE ? end + 2 : n);

    if (r->step == LIST) {
        for (size_t at; (at = str_find(part, '\n')) != STR_NOWHERE; part = str_skip(part, at + 1)) {
            r->lines++;
        }
    } else {
        r->text_bytes += part.n;
    }
    if (end != STR_NOWHERE) on_text_end(r);
    return n;
}

static size_t line_eat(struct reader *r, struct str in)
{
    size_t end = str_find_str(in, STR("\r\n"));
    unsigned life = r->conn.lives;

    if (end == STR_NOWHERE) return 0;
    struct str line = str_part(in, 0, end);
    if (!str_starts(line, STR("+OK"))) {
        reader_failed(r, line);
        return 0;
    }
    on_good(r);
    if (r->conn.lives != life) return 0;
    return r->in_text ? end : end + 2;
}

static size_t reader_eat(struct conn *c, struct str in)
{
    struct reader *r = (struct reader *)(void *)c;
    unsigned life = c->lives;
    size_t taken = 0;

    for (;;) {
        struct str rest = str_skip(in, taken);
        size_t n = r->in_text ? text_eat(r, rest) : line_eat(r, rest);
        if (c->lives != life || n == 0) return taken;
        taken += n;
    }
}

static const struct conn_ops reader_ops = { .eat = reader_eat, .down = reader_down };

bool load_pop3(const struct load_options *o)
{
    struct reader *readers = calloc(o->sessions, sizeof *readers);

    must(readers != NULL);
    if (o->messages == 0) load_usage("--messages must not be 0");
    if (o->accounts < o->sessions) load_usage("each session needs an account of its own");
    opt = o;
    loop_open(&loop);
    tally_begin(&tally, "messages", (uint64_t)o->sessions * o->messages);
    reading = o->sessions;
    for (uint32_t i = 0; i < o->sessions; i++) {
        struct reader *r = &readers[i];
        r->index = i;
        conn_init(&r->conn, &loop, &reader_ops, INPUT_MAX);
        if (conn_open(&r->conn, &o->server, load_source(o, i)) != OK) {
            reader_failed(r, STR("the kernel refused to connect"));
        }
    }
    loop.stop = reading == 0;
    loop_run(&loop, o->deadline_us);
    bool good = tally.done == tally.wanted;
    tally_print(&tally);
    for (uint32_t i = 0; i < o->sessions; i++) {
        conn_close(&readers[i].conn);
    }
    free(readers);
    return good;
}
