/* The maildrop: what the INBOX held when it was opened, and what shall be gone from it at QUIT. */
#include "proto/pop3/session.h"

#include "base/must.h"
#include "syntax/smtp_stuff.h"

#include <stdlib.h>

PARAM(pop3_messages_max, COUNT, 1, 10000000, 1000000,
      "messages of one mailbox that a POP3 session lists")
COUNTER(pop3_retrieved, "messages sent to POP3 clients")
COUNTER(pop3_deleted, "messages deleted by POP3 clients")

enum { PAGE = 5000, READ_BYTES = 256 * 1024, EXPUNGE_AT_ONCE = 1000 };

static enum err ask(struct pop3 *p, enum verb verb, struct buf *request, struct arena *a,
                    struct str *reply_out)
{
    enum err e = buf_check(request);
    if (e == OK)
        e = p->door != NULL && !p->door_closed
                ? door_call(p->door, verb, buf_str(request), pop3_ask_wait_ms, a, reply_out)
                : ERR_CLOSED;
    buf_free(request);
    return e;
}

/* ---- opening ---- */

static enum err take_page(struct pop3 *p, const struct message_list_rep *page, size_t *cap)
{
    if (p->message_count + page->messages_count > (size_t)pop3_messages_max) return ERR_LIMIT;
    if (p->message_count + page->messages_count > *cap) {
        while (*cap < p->message_count + page->messages_count) {
            *cap = *cap > 0 ? *cap * 2 : 64;
        }
        p->messages = realloc(p->messages, *cap * sizeof *p->messages);
        must(p->messages != NULL);
    }
    for (size_t i = 0; i < page->messages_count; i++) {
        p->messages[p->message_count++] =
            (struct pop3_message){ .uid = page->messages[i].uid, .bytes = page->messages[i].bytes };
    }
    return OK;
}

static enum err list_all(struct pop3 *p)
{
    size_t cap = 0;
    bool more = true;
    uint32_t after = 0;
    enum err e = OK;
    while (more && e == OK) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_SMALL);
        struct str reply;
        struct message_list_rep page;
        struct message_list_req in = { .mailbox = p->mailbox, .after_uid = after, .max = PAGE };
        message_list_req_put(&b, &in);
        e = ask(p, VERB_message_list, &b, &a, &reply);
        if (e == OK) e = message_list_rep_get(reply, &a, &page);
        if (e == OK) e = take_page(p, &page, &cap);
        if (e == OK) {
            more = page.more;
            if (page.messages_count > 0) after = page.messages[page.messages_count - 1].uid;
        }
        arena_free(&a);
    }
    return e;
}

enum err pop3_maildrop_open(struct pop3 *p)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct mailbox_open_rep rep;
    struct mailbox_open_req in = { .name = STR("INBOX"), .exclusive = true };
    mailbox_open_req_put(&b, &in);
    enum err e = ask(p, VERB_mailbox_open, &b, &a, &reply);
    if (e == OK) e = mailbox_open_rep_get(reply, &a, &rep);
    if (e == OK) {
        p->mailbox = rep.mailbox.id;
        p->uid_validity = rep.mailbox.uid_validity;
        e = list_all(p);
    }
    arena_free(&a);
    return e;
}

void pop3_maildrop_close(struct pop3 *p)
{
    free(p->messages);
    p->messages = NULL;
    p->message_count = 0;
    /* The depot lets go of the mailbox when the door closes. The door speaks to us when it has, so
     * we must still be there. */
    struct door *door = p->door;
    door_close(&door);
    while (p->door != NULL) {
        fiber_yield();
    }
}

/* ---- the update at QUIT ---- */

static enum err expunge(struct pop3 *p, uint32_t *uids, size_t n)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct message_expunge_rep rep;
    struct message_expunge_req in = { .mailbox = p->mailbox, .uids = uids, .uids_count = n };
    message_expunge_req_put(&b, &in);
    enum err e = ask(p, VERB_message_expunge, &b, &a, &reply);
    if (e == OK) e = message_expunge_rep_get(reply, &a, &rep);
    if (e == OK) pop3_deleted += rep.removed;
    arena_free(&a);
    return e;
}

enum err pop3_maildrop_update(struct pop3 *p)
{
    uint32_t uids[EXPUNGE_AT_ONCE / 2];
    size_t n = 0;
    enum err e = OK;
    for (size_t i = 0; i < p->message_count && e == OK; i++) {
        if (!p->messages[i].deleted) continue;
        uids[n++] = p->messages[i].uid;
        if (n < sizeof uids / sizeof uids[0]) continue;
        e = expunge(p, uids, n);
        n = 0;
    }
    return e == OK && n > 0 ? expunge(p, uids, n) : e;
}

/* ---- listings ---- */

static struct pop3_message *message_at(struct pop3 *p, uint32_t number)
{
    if (number < 1 || number > p->message_count || p->messages[number - 1].deleted) return NULL;
    return &p->messages[number - 1];
}

static enum err no_such_message(struct pop3 *p)
{
    return pop3_no(p, STR("no such message"));
}

static void put_two(struct buf *b, uint64_t x, uint64_t y)
{
    buf_put_u64(b, x);
    buf_put_byte(b, ' ');
    buf_put_u64(b, y);
}

enum err pop3_do_stat(struct pop3 *p, const struct pop3_words *w)
{
    struct buf b = BUF_INIT(64);
    uint64_t n = 0, bytes = 0;
    (void)w;
    for (size_t i = 0; i < p->message_count; i++) {
        if (p->messages[i].deleted) continue;
        n++;
        bytes += p->messages[i].bytes;
    }
    put_two(&b, n, bytes);
    enum err e = pop3_ok(p, buf_str(&b));
    buf_free(&b);
    return e;
}

typedef void (*put_row)(struct buf *b, const struct pop3 *p, size_t i);

static void put_size(struct buf *b, const struct pop3 *p, size_t i)
{
    put_two(b, i + 1, p->messages[i].bytes);
}

/* RFC 1939 7: unique for ever within the maildrop: validity and UID are. */
static void put_uid(struct buf *b, const struct pop3 *p, size_t i)
{
    buf_put_u64(b, i + 1);
    buf_put_byte(b, ' ');
    buf_put_hex_u64(b, p->uid_validity, 8);
    buf_put_hex_u64(b, p->messages[i].uid, 8);
}

static enum err listing(struct pop3 *p, const struct pop3_words *w, put_row put)
{
    struct buf b = BUF_INIT(256);
    enum err e = OK;
    if (w->number != 0) {
        if (message_at(p, w->number) == NULL) return no_such_message(p);
        put(&b, p, w->number - 1);
        e = pop3_ok(p, buf_str(&b));
        buf_free(&b);
        return e;
    }
    e = pop3_ok(p, STR("listing follows"));
    for (size_t i = 0; i < p->message_count && e == OK; i++) {
        if (p->messages[i].deleted) continue;
        buf_clear(&b);
        put(&b, p, i);
        buf_put_lit(&b, "\r\n");
        stream_write(&p->stream, buf_str(&b));
        if (p->stream.out.n > STREAM_OUT_MAX / 4) e = pop3_flush(p);
    }
    stream_write(&p->stream, STR(".\r\n"));
    buf_free(&b);
    return e;
}

enum err pop3_do_list(struct pop3 *p, const struct pop3_words *w)
{
    return listing(p, w, put_size);
}

enum err pop3_do_uidl(struct pop3 *p, const struct pop3_words *w)
{
    return listing(p, w, put_uid);
}

/* ---- messages ---- */

/* How much of a message goes out: all, or the head and some lines (TOP). */
struct cut {
    bool all, in_body, line_empty;
    uint32_t lines_left;
};

/* The part of `bytes` that is wanted; false when nothing more is. */
static bool cut_next(struct cut *c, struct str *bytes)
{
    size_t at = 0;
    if (c->all) return true;
    while (at < bytes->n) {
        if (c->in_body && c->lines_left == 0) {
            *bytes = str_part(*bytes, 0, at);
            return false;
        }
        size_t end = str_find(str_skip(*bytes, at), '\n');
        struct str line = str_part(*bytes, at, end == STR_NOWHERE ? SIZE_MAX : end + 1);
        at += line.n;
        if (!str_eq(line, STR("\r\n")) && !str_eq(line, STR("\n")) && !str_eq(line, STR("\r")))
            c->line_empty = false;
        if (end == STR_NOWHERE) break;
        if (c->in_body) {
            c->lines_left--;
        } else if (c->line_empty) {
            c->in_body = true;
        }
        c->line_empty = true;
    }
    return !(c->in_body && c->lines_left == 0);
}

static enum err read_some(struct pop3 *p, uint32_t uid, uint64_t at, struct arena *a,
                          struct str *bytes_out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct bytes_rep rep;
    struct message_read_req in = {
        .mailbox = p->mailbox, .uid = uid, .offset = at, .max_bytes = READ_BYTES
    };
    message_read_req_put(&b, &in);
    enum err e = ask(p, VERB_message_read, &b, a, &reply);
    if (e == OK) e = bytes_rep_get(reply, a, &rep);
    if (e == OK) *bytes_out = rep.bytes;
    return e;
}

/* Send a message. Once the first line has been sent a failure can only be told by closing the
 * connection: half a message must not look like a whole one. */
static enum err send_message(struct pop3 *p, const struct pop3_message *m, struct cut *cut)
{
    struct smtp_data_stuff stuff = { 0 };
    bool wanted = true;
    enum err e = OK;
    for (uint64_t at = 0; wanted && e == OK && at < m->bytes;) {
        struct arena a = ARENA_INIT(0);
        struct str bytes, piece;
        e = read_some(p, m->uid, at, &a, &bytes);
        if (e == OK && bytes.n == 0) e = ERR_CORRUPT;
        if (e == OK && at == 0) {
            struct buf b = BUF_INIT(64);
            buf_put_u64(&b, m->bytes);
            buf_put_lit(&b, " octets");
            e = pop3_ok(p, buf_str(&b));
            buf_free(&b);
        }
        if (e == OK) {
            at += bytes.n;
            wanted = cut_next(cut, &bytes);
            while (smtp_data_stuff_next(&stuff, &bytes, &piece)) {
                stream_write(&p->stream, piece);
            }
            if (p->stream.out.n > STREAM_OUT_MAX / 4) e = pop3_flush(p);
        } else if (at == 0 && e != ERR_CANCELLED) {
            arena_free(&a);
            log_warn("pop3.read_failed", L_ID("conn", p->peer.conn), L_STR("login", p->peer.login),
                     L_U64("uid", m->uid), L_ERR(e));
            return pop3_no(p, e == ERR_CORRUPT
                                  ? STR("[SYS/PERM] this message is damaged in the store")
                                  : STR("[SYS/TEMP] cannot read it now"));
        }
        arena_free(&a);
    }
    if (e != OK) return e;
    stream_write(&p->stream, smtp_data_stuff_end(&stuff));
    pop3_retrieved++;
    return OK;
}

enum err pop3_do_retr(struct pop3 *p, const struct pop3_words *w)
{
    struct pop3_message *m = message_at(p, w->number);
    struct cut all = { .all = true };
    return m != NULL ? send_message(p, m, &all) : no_such_message(p);
}

enum err pop3_do_top(struct pop3 *p, const struct pop3_words *w)
{
    struct pop3_message *m = message_at(p, w->number);
    struct cut some = { .line_empty = true, .lines_left = w->body_lines };
    return m != NULL ? send_message(p, m, &some) : no_such_message(p);
}

enum err pop3_do_dele(struct pop3 *p, const struct pop3_words *w)
{
    struct pop3_message *m = message_at(p, w->number);
    if (m == NULL) return no_such_message(p);
    m->deleted = true;
    return pop3_ok(p, STR("will be gone after QUIT"));
}

enum err pop3_do_rset(struct pop3 *p, const struct pop3_words *w)
{
    (void)w;
    for (size_t i = 0; i < p->message_count; i++) {
        p->messages[i].deleted = false;
    }
    return pop3_ok(p, STR("nothing will be deleted"));
}
