/* The content: DATA and BDAT, and the one reply that hands over responsibility.
 *
 * What is wrong with the content is remembered while its bytes are read to their end, so that the
 * dialog stays in step; then one reply says it. The first FIRST_MAX bytes stay in memory and travel
 * with the offer, the rest is staged at the depot in chunks while it arrives, so no process ever
 * holds a large message whole. Invariant: 250 is said after the filter has said that the depot has
 * committed, and at no other place. */
#include "proto/smtp/session.h"

#include "base/must.h"

PARAM(smtp_hops_max, COUNT, 10, 1000, 100,
      "Received fields before a message is taken for a loop (RFC 5321 6.3: at least 100)")
PARAM(smtp_text_line_max, BYTES, 1000, 1048576, 1000,
      "longest line of message text, with CRLF (RFC 5321 4.5.3.1.6: 1000)")
COUNTER(smtp_messages, "messages answered with 250 after the final dot")
COUNTER(smtp_bytes, "bytes of accepted message content")

enum { FIRST_MAX = VERB_BODY, CHUNK_BYTES = 256 * 1024, FEED_MAX = 64 * 1024, LINK_WAIT_MS = 5000 };

/* ---- taking in ---- */

static void body_begin(struct smtp *s)
{
    struct smtp_body_in *b = &s->body;
    bool binary = s->envelope.body == BODY_BINARYMIME;
    bool submission = s->service == SERVICE_SUBMISSION || s->service == SERVICE_SUBMISSIONS;
    buf_free(&b->first);
    buf_free(&b->rest);
    *b = (struct smtp_body_in){ .first = BUF_INIT(FIRST_MAX),
                                .rest = BUF_INIT(CHUNK_BYTES + FEED_MAX) };
    b->rules =
        (struct smtp_data_rules){ .refuse = binary ? 0 : SMTP_DATA_ALL_FAULTS,
                                  .mend = submission && !binary,
                                  .line_max_bytes = binary ? 0 : (uint32_t)smtp_text_line_max - 2,
                                  .bytes_max = (uint64_t)smtp_message_max };
    /* What mending repairs is not refused (RFC 6409 8: a submission server may fix what a relay
     * must not touch). */
    if (b->rules.mend) b->rules.refuse &= ~(unsigned)(SMTP_DATA_BARE_CR | SMTP_DATA_BARE_LF);
}

static enum err stage_begin(struct smtp *s)
{
    struct arena a = ARENA_INIT(0);
    struct str reply;
    struct stage_rep rep;
    enum err e = links_pick(s->world->depot, LINK_WAIT_MS, &s->body.stage_door);
    if (e == OK)
        e = door_call(s->body.stage_door, VERB_stage_open, STR_NONE, smtp_ask_wait_ms, &a, &reply);
    if (e == OK) e = stage_rep_get(reply, &a, &rep);
    if (e == OK) s->body.stage = rep.stage;
    arena_free(&a);
    return e;
}

static enum err stage_send(struct smtp *s, struct str chunk)
{
    struct buf b = BUF_INIT(VERB_CHUNK);
    struct stage_append_req in = { .stage = s->body.stage, .bytes = chunk };
    if (s->body.stage_door == NULL) return ERR_CLOSED;
    stage_append_req_put(&b, &in);
    enum err e =
        door_call(s->body.stage_door, VERB_stage_append, buf_str(&b), smtp_ask_wait_ms, NULL, NULL);
    buf_free(&b);
    return e;
}

/* Hand whole chunks on; what is left over waits for more (or, at the end, is the last chunk). */
static void stage_some(struct smtp *s, bool at_end)
{
    struct smtp_body_in *b = &s->body;
    if (b->failed == OK && b->stage == 0 && b->rest.n > 0) b->failed = stage_begin(s);
    while (b->failed == OK && (b->rest.n >= CHUNK_BYTES || (at_end && b->rest.n > 0))) {
        size_t n = b->rest.n < CHUNK_BYTES ? b->rest.n : CHUNK_BYTES;
        b->failed = stage_send(s, str_part(buf_str(&b->rest), 0, n));
        if (b->failed == OK) buf_drop_front(&b->rest, n);
    }
    if (b->failed != OK && b->rest.n > 0) {
        log_warn("smtp.stage_failed", L_ID("conn", s->peer.conn), L_ERR(b->failed));
        buf_clear(&b->rest);
    }
}

/* Keep a piece of decoded text: the first FIRST_MAX bytes here, the rest for the stage. */
static void keep(struct smtp *s, struct str piece)
{
    struct smtp_body_in *b = &s->body;
    size_t room = FIRST_MAX - b->first.n;
    buf_put(&b->first, str_part(piece, 0, room));
    if (piece.n <= room || b->failed != OK) return;
    buf_put(&b->rest, str_skip(piece, room));
    if (b->rest.n >= CHUNK_BYTES) stage_some(s, false);
}

/* Decode `in` and keep it; how many bytes were taken. */
static size_t take(struct smtp *s, struct str in)
{
    struct str left = in, piece;
    while (smtp_data_next(&s->body.text, &left, &piece)) {
        if (s->body.text.first == 0) keep(s, piece);
    }
    return in.n - left.n;
}

/* Why the text cannot be taken, or null. */
static const char *text_refusal(const struct smtp *s)
{
    static const struct {
        enum smtp_data_fault fault;
        const char *reason;
    } reasons[] = {
        { SMTP_DATA_BARE_CR, "bare-newline" },
        { SMTP_DATA_BARE_LF, "bare-newline" },
        { SMTP_DATA_NUL, "nul-byte" },
        { SMTP_DATA_LONG_LINE, "line-too-long" },
        { SMTP_DATA_TOO_BIG, "message-too-big" },
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (s->body.text.first == reasons[i].fault) return reasons[i].reason;
    }
    return s->body.text.received > (uint32_t)smtp_hops_max ? "too-many-hops" : NULL;
}

/* ---- handing over ---- */

static enum err say_each(struct smtp *s, struct offer_rep *rep, struct str facts)
{
    /* RFC 2033 4.2: one reply for each recipient that was accepted. */
    enum err e = OK;
    for (size_t i = 0; i < s->envelope.rcpt_count && e == OK; i++) {
        struct outcome o = i < rep->rcpts_count ? rep->rcpts[i] : rep->outcome;
        smtp_say_outcome(s, &o, facts);
        if (s->stream.out.n > STREAM_OUT_MAX / 4) e = smtp_flush(s);
    }
    return e;
}

static enum err say_result(struct smtp *s, struct offer_rep *rep)
{
    struct buf text = BUF_INIT(512), facts = BUF_INIT(1024);
    enum err e = OK;
    buf_put_lit(&facts, "message=");
    buf_put_hex_u64(&facts, s->message, 16);
    buf_put_lit(&facts, " bytes=");
    buf_put_u64(&facts, s->body.text.bytes);
    buf_put_lit(&facts, " rcpts=");
    buf_put_u64(&facts, s->envelope.rcpt_count);
    if (outcome_is_ok(&rep->outcome)) {
        s->messages++;
        smtp_messages++;
        smtp_bytes += s->body.text.bytes;
        buf_put_lit(&text, "OK message ");
        buf_put_hex_u64(&text, rep->message, 16);
        rep->outcome.text = buf_str(&text);
        log_info("smtp.accepted", L_ID("conn", s->peer.conn), L_ID("msg", rep->message),
                 L_U64("rcpts", s->envelope.rcpt_count), L_U64("bytes", s->body.text.bytes),
                 L_STR("from", s->envelope.reverse_path), L_STR("client", s->peer.ip),
                 L_WORD("again", rep->message != s->message ? "yes" : "no"));
        for (size_t i = 0; i < rep->rcpts_count; i++) {
            if (outcome_is_ok(&rep->rcpts[i])) rep->rcpts[i].text = buf_str(&text);
        }
    }
    if (s->service == SERVICE_LMTP) {
        e = say_each(s, rep, buf_str(&facts));
    } else {
        if (!outcome_is_ok(&rep->outcome)) s->errors++;
        smtp_say_outcome(s, &rep->outcome, buf_str(&facts));
    }
    buf_free(&text);
    buf_free(&facts);
    return e;
}

/* The content is complete: offer it and answer. */
static enum err hand_over(struct smtp *s)
{
    struct arena a = ARENA_INIT(0);
    struct smtp_body_in *b = &s->body;
    struct offer_rep rep = { .message = s->message };
    const char *refusal = text_refusal(s);
    enum err e = OK;

    if (refusal == NULL) stage_some(s, true);
    if (refusal != NULL) {
        rep.outcome = outcome_of(refusal);
    } else if (b->failed != OK) {
        rep.outcome = outcome_from_err(b->failed);
    } else {
        struct offer_req in = { .peer = s->peer,
                                .envelope = s->envelope,
                                .message = s->message,
                                .begun_us = s->begun_us,
                                .stage = b->stage,
                                .stage_bytes = b->stage != 0 ? b->text.bytes - b->first.n : 0,
                                .content = buf_str(&b->first),
                                .eight_bit = b->text.eight_bit,
                                .lmtp = s->service == SERVICE_LMTP };
        e = smtp_ask_offer(s, &in, &a, &rep);
        if (outcome_is_ok(&rep.outcome)) b->stage = 0; /* it is the message's now */
    }
    if (e == OK) e = say_result(s, &rep);
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
    body_begin(s);
    smtp_data_begin(&s->body.text, &s->body.rules);
    smtp_say(s, 354, 0, 0, 0, STR("End data with <CR><LF>.<CR><LF>"));
    enum err e = smtp_flush(s);
    while (e == OK && !s->body.text.ended) {
        struct str bytes;
        e = stream_peek(&s->stream, smtp_data_wait_ms, &bytes);
        if (e == OK) stream_consume(&s->stream, take(s, str_part(bytes, 0, FEED_MAX)));
    }
    return e == OK ? hand_over(s) : e;
}

/* ---- BDAT (RFC 3030) ---- */

/* Read exactly `n` bytes, kept or forgotten. */
static enum err read_chunk(struct smtp *s, uint64_t n, bool kept)
{
    while (n > 0) {
        struct str bytes;
        enum err e = stream_peek(&s->stream, smtp_data_wait_ms, &bytes);
        if (e != OK) return e;
        bytes = str_part(bytes, 0, n < FEED_MAX ? (size_t)n : FEED_MAX);
        size_t used = kept ? take(s, bytes) : bytes.n;
        must(used == bytes.n);
        n -= used;
        stream_consume(&s->stream, used);
    }
    return OK;
}

enum err smtp_do_bdat(struct smtp *s, const struct smtp_command *c)
{
    if ((s->state & (SMTP_RCPTING | SMTP_CHUNKING)) == 0) {
        /* The chunk is on its way in any case and must not be read as commands. */
        enum err e = read_chunk(s, c->chunk.bytes, false);
        if (e == OK) smtp_refuse(s, "bad-sequence", STR("BDAT"));
        return e;
    }
    if (s->state == SMTP_RCPTING) {
        body_begin(s);
        smtp_data_begin_chunks(&s->body.text, &s->body.rules);
        s->state = SMTP_CHUNKING;
    }
    enum err e = read_chunk(s, c->chunk.bytes, true);
    if (e != OK) return e;
    if (c->chunk.last) {
        struct str piece;
        if (smtp_data_finish(&s->body.text, &piece) && s->body.text.first == 0) keep(s, piece);
        return hand_over(s);
    }
    struct buf text = BUF_INIT(64);
    buf_put_u64(&text, c->chunk.bytes);
    buf_put_lit(&text, " octets received");
    smtp_say(s, 250, 2, 0, 0, buf_str(&text));
    buf_free(&text);
    return OK;
}
