/* Streams: buffered bytes to and from one peer, in clear or under TLS, for fibers.
 *
 * The one line reader of the house is here: lines end in CRLF and nothing else, so no two parts of
 * the program can disagree about where a line ends. Buffers of an idle stream are given back. */
#ifndef SYS_STREAM_H
#define SYS_STREAM_H

#include "base/buf.h"
#include "sys/fiber.h"

struct tls_session;
struct tls_config;

enum { STREAM_IN_MAX = 64 * 1024, STREAM_OUT_MAX = 2 * 1024 * 1024 };

struct stream {
    struct watch watch;
    struct buf in; /* read, not consumed: from in_at on */
    size_t in_at;
    struct buf out; /* written, not sent */
    struct tls_session *tls;
    struct buf cipher;    /* TLS records to send */
    unsigned eager_reads; /* reads that did not have to wait, since the last turn given to others */
    uint64_t bytes_in, bytes_out;
};

/* Take over a connected, non-blocking descriptor. ERR_LIMIT, ERR_IO (the descriptor is closed
 * then). */
enum err stream_open(struct stream *s, int fd);

/* Read one line. Waits at most `wait_ms` for the whole of it, however slowly its bytes drip in.
 *   line_max  octets with CRLF
 *   line_out  without CRLF; lives until the next call on this stream
 * OK; ERR_SYNTAX: ended by a bare LF or held a bare CR (consumed, line_out holds it); ERR_LIMIT:
 * longer than line_max (consumed to its end, line_out empty); ERR_CLOSED, ERR_TIMEOUT,
 * ERR_CANCELLED, ERR_IO, ERR_TLS. */
enum err stream_read_line(struct stream *s, size_t line_max, int64_t wait_ms, struct str *line_out);

/* Wait until something is buffered, and look at it (lives until the next call). Errors as above. */
enum err stream_peek(struct stream *s, int64_t wait_ms, struct str *bytes_out);

/* The same, but wait for more than what is buffered already. ERR_LIMIT when STREAM_IN_MAX are. */
enum err stream_peek_more(struct stream *s, int64_t wait_ms, struct str *bytes_out);

/* Done with the first `n` buffered bytes, also when others of this stream's calls were made since
 * the peek. */
void stream_consume(struct stream *s, size_t n);

/* How many bytes are buffered (after decryption) and not consumed. */
size_t stream_buffered(const struct stream *s);

/* Is a whole line buffered? Then reading it does not wait, and replies may gather (RFC 2920). */
bool stream_has_line(const struct stream *s);

/* Take in what has arrived without waiting: for the check whether a peer spoke before its turn. */
void stream_poll(struct stream *s);

/* Queue bytes for the peer; sent by the next flush. More than STREAM_OUT_MAX makes that fail with
 * ERR_LIMIT. */
void stream_write(struct stream *s, struct str bytes);

/* Send what is queued. Waits at most `wait_ms`. ERR_CLOSED, ERR_TIMEOUT, ERR_CANCELLED, ERR_IO,
 * ERR_LIMIT. */
enum err stream_flush(struct stream *s, int64_t wait_ms);

/* Begin TLS as the server; nothing may be queued for the peer. What is buffered counts as the
 * beginning of its handshake, as behind the header of a proxy; behind STARTTLS the caller has
 * refused it before. A client that offers protocol names (RFC 7301) without `alpn`, which must be
 * static, is refused. Waits. ERR_TLS with the reason in `why` (may be null), ERR_CLOSED,
 * ERR_TIMEOUT, ERR_CANCELLED. */
enum err stream_start_tls(struct stream *s, struct tls_config *config, const struct str *alpn,
                          int64_t wait_ms, struct buf *why);

/* Close: under TLS a close_notify is tried first, without waiting. Accepts a closed one. */
void stream_close(struct stream *s);

#endif
