/* The content: DATA and BDAT, and the one reply that hands over responsibility.
 *
 * What is wrong with the content is remembered while its bytes are read to their end, so that the dialog
 * stays in step; then one reply says it. A content up to SMALL_MAX stays in memory and travels with the offer; a
 * larger one is staged at the depot in chunks while it arrives, so no process ever holds it whole.
 * Invariant: 250 is said after the filter has said that the depot has committed, and at no other place. */
#include "proto/smtp/session.h"

#include "base/must.h"

PARAM(smtp_hops_max, COUNT, 10, 1000, 50, "Received fields before a message is taken for a loop (RFC 5321 6.3: at least 100 is allowed, loops are found earlier with less)")
PARAM(smtp_text_line_max, BYTES, 1000, 1048576, 1000, "longest line of message text, with CRLF (RFC 5321 4.5.3.1.6: 1000)")
COUNTER(smtp_bytes, "bytes of accepted message content")

enum { SMALL_MAX = VERB_BODY, CHUNK_BYTES = 256 * 1024, FEED_MAX = 64 * 1024, LINK_WAIT_MS = 5000 };

/* ---- taking in ---- */

static void body_begin(struct smtp *s)
{
    buf_free(&s->body.small);
    s->body = (struct smtp_body_in){ .small = BUF_INIT(SMALL_MAX + FEED_MAX) };
}

static enum err stage_begin(struct smtp *s)
{
    struct arena a = ARENA_INIT(0);
    struct str reply;
    struct stage_rep rep;
    enum err e = links_pick(s->world->depot, LINK_WAIT_MS, &s->body.stage_door);
    if (e == OK) e = door_call(s->body.stage_door, VERB_stage_open, STR_NONE, smtp_ask_wait_ms, &a, &reply);
    if (e == OK) e = stage_rep_get(reply, &a, &rep);
    if (e == OK) s->body.stage = rep.stage;
    arena_free(&a);
    return e;
}

static enum err stage_send(struct smtp *s, struct str chunk)
{
    struct buf b = BUF_INIT(VERB_CHUNK);
    struct stage_append_req in = { .stage = s->body.stage, .bytes = chunk };
    stage_append_req_put(&b, &in);
    enum err e = door_is_open(s->body.stage_door) ? door_call(s->body.stage_door, VERB_stage_append, buf_str(&b), smtp_ask_wait_ms, NULL, NULL)
                                                  : ERR_CLOSED;
    buf_free(&b);
    return e;
}

/* Hand whole chunks on; the rest waits for more (or, at the end, is the last chunk). */
static void stage_some(struct smtp *s, bool at_end)
{
    struct smtp_body_in *b = &s->body;
    if (b->failed != OK || b->too_big) {
        buf_clear(&b->small);
        return;
    }
    if (b->stage == 0) b->failed = stage_begin(s);
    while (b->failed == OK && (b->small.n >= CHUNK_BYTES || (at_end && b->small.n > 0))) {
        size_t n = b->small.n < CHUNK_BYTES ? b->small.n : CHUNK_BYTES;
        b->failed = stage_send(s, str_part(buf_str(&b->small), 0, n));
        if (b->failed == OK) buf_drop_front(&b->small, n);
    }
    if (b->failed != OK) {
        log_warn("smtp.stage_failed", L_ID("conn", s->peer.conn), L_ERR(b->failed));
        buf_clear(&b->small);
    }
}

/* After bytes were added to body.small. */
static void body_grew(struct smtp *s, size_t added)
{
    s->body.bytes += added;
    if (s->body.bytes > (uint64_t)smtp_message_max) s->body.too_big = true;
    if (s->body.too_big) buf_clear(&s->body.small);
    if (s->body.small.n > SMALL_MAX || (s->body.stage != 0 && s->body.small.n >= CHUNK_BYTES)) stage_some(s, false);
}

static void note_content(struct smtp *s, const struct smtp_data *d)
{
    struct smtp_body_in *b = &s->body;
    static const struct {
        enum smtp_data_fault fault;
        const char *reason;
    } reasons[] = {
        { SMTP_DATA_BARE_CR, "bare-newline" }, { SMTP_DATA_BARE_LF, "bare-newline" },
        { SMTP_DATA_NUL, "nul-byte" },         { SMTP_DATA_LONG_LINE, "line-too-long" },
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && b->refuse == NULL; i++) {
        if ((d->faults & (unsigned)reasons[i].fault) != 0) b->refuse = reasons[i].reason;
    }
    if (d->hops > (size_t)smtp_hops_max && b->refuse == NULL) b->refuse = "too-many-hops";
    b->eight_bit |= d->eight_bit;
}

/* ---- handing over ---- */

static enum err say_each(struct smtp *s, struct offer_rep *rep, struct str facts)
{
    /* RFC 2033 4.2: one reply for each recipient that was accepted. */
    for (size_t i = 0; i < s->envelope.rcpt_count; i++) {
        struct outcome o = i < rep->rcpts_count ? rep->rcpts[i] : rep->outcome;
        smtp_say_outcome(s, &o, facts);
    }
    return OK;
}

static void say_result(struct smtp *s, struct offer_rep *rep)
{
    struct buf text = BUF_INIT(512), facts = BUF_INIT(1024);
    buf_put_lit(&facts, "message=");
    buf_put_hex_u64(&facts, s->message, 16);
    buf_put_lit(&facts, " bytes=");
    buf_put_u64(&facts, s->body.bytes);
    buf_put_lit(&facts, " rcpts=");
    buf_put_u64(&facts, s->envelope.rcpt_count);
    if (outcome_is_ok(&rep->outcome)) {
        s->messages++;
        smtp_messages++;
        smtp_bytes += s->body.bytes;
        buf_put_lit(&text, "OK message ");
        buf_put_hex_u64(&text, rep->message, 16);
        rep->outcome.text = buf_str(&text);
        log_info("smtp.accepted", L_ID("conn", s->peer.conn), L_ID("msg", rep->message), L_U64("rcpts", s->envelope.rcpt_count),
                 L_U64("bytes", s->body.bytes), L_STR("from", s->envelope.reverse_path), L_STR("client", s->peer.ip),
                 L_WORD("again", rep->message != s->message ? "yes" : "no"));
        for (size_t i = 0; i < rep->rcpts_count; i++) {
            if (outcome_is_ok(&rep->rcpts[i])) rep->rcpts[i].text = buf_str(&text);
        }
    }
    if (s->service == SERVICE_LMTP) {
        err_ignore(say_each(s, rep, buf_str(&facts)));
    } else {
        if (!outcome_is_ok(&rep->outcome)) s->errors++;
        smtp_say_outcome(s, &rep->outcome, buf_str(&facts));
    }
    buf_free(&text);
    buf_free(&facts);
}

/* The content is complete: offer it and answer. */
static enum err hand_over(struct smtp *s)
{
    struct arena a = ARENA_INIT(0);
    struct smtp_body_in *b = &s->body;
    struct offer_rep rep = { .message = s->message };
    enum err e = OK;

    if (b->stage != 0) stage_some(s, true);
    if (b->too_big) {
        rep.outcome = outcome_of("message-too-big");
    } else if (b->refuse != NULL) {
        rep.outcome = outcome_of(b->refuse);
    } else if (b->failed != OK) {
        rep.outcome = outcome_from_err(b->failed);
    } else {
        struct offer_req in = { .peer = s->peer, .envelope = s->envelope, .message = s->message, .begun_us = s->begun_us, .stage = b->stage,
                                .stage_bytes = b->stage != 0 ? b->bytes : 0, .content = buf_str(&b->small), .eight_bit = b->eight_bit,
                                .lmtp = s->service == SERVICE_LMTP };
        e = smtp_ask_offer(s, &in, &a, &rep);
        if (outcome_is_ok(&rep.outcome)) b->stage = 0; /* it is the message's now */
    }
    if (e == OK) say_result(s, &rep);
    smtp_reset(s);
    arena_free(&a);
    return e;
}

/* ---- DATA ---- */

enum err smtp_do_data(struct smtp *s, const struct smtp_command *c)
{
    (void)c;
    if (s->envelope.body == BODY_BINARYMIME) {
        smtp_refuse(s, "bad-sequence", STR("BODY=BINARYMIME goes with BDAT only (RFC 3030 3)"));
        return OK;
    }
    struct smtp_data d;
    smtp_data_begin(&d, (size_t)smtp_text_line_max);
    body_begin(s);
    smtp_say(s, 354, 0, 0, 0, STR("End data with <CR><LF>.<CR><LF>"));
    enum err e = smtp_flush(s);
    while (e == OK && !d.ended) {
        struct str bytes;
        e = stream_peek(&s->stream, smtp_data_wait_ms, &bytes);
        if (e != OK) break;
        size_t before = s->body.small.n;
        size_t used = smtp_data_feed(&d, str_part(bytes, 0, FEED_MAX / 2), &s->body.small);
        stream_consume(&s->stream, used);
        body_grew(s, s->body.small.n - before);
    }
    if (e != OK) return e;
    note_content(s, &d);
    return hand_over(s);
}

/* ---- BDAT (RFC 3030) ---- */

/* Read exactly `n` bytes; kept, or read and forgotten. */
static enum err read_chunk(struct smtp *s, uint64_t n, bool keep, struct smtp_data *check)
{
    while (n > 0) {
        struct str bytes;
        enum err e = stream_peek(&s->stream, smtp_data_wait_ms, &bytes);
        if (e != OK) return e;
        bytes = str_part(bytes, 0, n < FEED_MAX / 2 ? (size_t)n : FEED_MAX / 2);
        if (keep) {
            smtp_data_check(check, bytes);
            buf_put(&s->body.small, bytes);
        }
        n -= bytes.n;
        size_t used = bytes.n;
        stream_consume(&s->stream, used);
        if (keep) body_grew(s, used);
    }
    return OK;
}

enum err smtp_do_bdat(struct smtp *s, const struct smtp_command *c)
{
    bool in_order = (s->state & (SMTP_RCPTING | SMTP_CHUNKING)) != 0;
    if (!in_order) {
        /* The chunk is on its way in any case and must not be read as commands. */
        enum err e = read_chunk(s, c->chunk.bytes, false, NULL);
        if (e == OK) smtp_refuse(s, "bad-sequence", STR("BDAT"));
        return e;
    }
    if (s->state == SMTP_RCPTING) {
        body_begin(s);
        smtp_data_begin(&s->chunk_check, s->envelope.body == BODY_BINARYMIME ? 0 : (size_t)smtp_text_line_max);
        s->state = SMTP_CHUNKING;
    }
    enum err e = read_chunk(s, c->chunk.bytes, true, &s->chunk_check);
    if (e != OK) return e;
    if (c->chunk.last) {
        smtp_data_check_end(&s->chunk_check);
        note_content(s, &s->chunk_check);
        if (s->envelope.body == BODY_BINARYMIME && s->body.refuse != NULL && !str_eq(str_c(s->body.refuse), STR("too-many-hops"))) {
            s->body.refuse = NULL; /* binary content has no lines to be wrong */
        }
        return hand_over(s);
    }
    struct buf text = BUF_INIT(64);
    buf_put_u64(&text, c->chunk.bytes);
    buf_put_lit(&text, " octets received");
    smtp_say(s, 250, 2, 0, 0, buf_str(&text));
    buf_free(&text);
    return OK;
}
