/* Streams.
 *
 * Bytes are read into one scratch of the process and copied behind what is buffered, so an idle
 * stream holds no memory. A peer that always has more to give yields the processor after
 * EAGER_READS_MAX reads. Weak point: a stream has one reading and one writing fiber; they may be
 * different ones. */
#include "sys/stream.h"

#include "base/must.h"
#include "sys/tls.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRATCH_BYTES = STREAM_IN_MAX, EAGER_READS_MAX = 32 };
static char scratch[SCRATCH_BYTES];

enum err stream_open(struct stream *s, int fd)
{
    *s = (struct stream){ .in = BUF_INIT(STREAM_IN_MAX),
                          .out = BUF_INIT(STREAM_OUT_MAX),
                          .cipher = BUF_INIT(SIZE_MAX / 2) };
    enum err e = watch_open(&s->watch, fd);
    if (e != OK) {
        close(fd);
        s->watch.fd = -1;
    }
    return e;
}

size_t stream_buffered(const struct stream *s)
{
    return s->in.n - s->in_at;
}

static struct str buffered(const struct stream *s)
{
    return str_skip(buf_str(&s->in), s->in_at);
}

bool stream_has_line(const struct stream *s)
{
    return str_find(buffered(s), '\n') != STR_NOWHERE;
}

void stream_consume(struct stream *s, size_t n)
{
    must(n <= stream_buffered(s));
    s->in_at += n;
    if (s->in_at == s->in.n) {
        buf_clear(&s->in);
        s->in_at = 0;
    }
}

/* One read(2) into the scratch. OK with at least a byte, ERR_AGAIN, ERR_CLOSED, ERR_IO. */
static enum err read_raw(struct stream *s, size_t max_bytes, struct str *got_out)
{
    ssize_t n;
    do {
        n = recv(s->watch.fd, scratch, max_bytes, 0);
    } while (n < 0 && errno == EINTR);
    if (n == 0) return ERR_CLOSED;
    if (n < 0) return errno == EWOULDBLOCK ? ERR_AGAIN : err_from_errno(errno);
    s->bytes_in += (size_t)n;
    *got_out = str_of(scratch, (size_t)n);
    return OK;
}

/* Make room by moving what is left to the front; how many bytes may still come. */
static size_t room(struct stream *s)
{
    if (s->in_at > 0) {
        buf_drop_front(&s->in, s->in_at);
        s->in_at = 0;
    }
    return STREAM_IN_MAX - s->in.n;
}

/* Plain bytes out of TLS, as many as are ready. */
static enum err take_plain(struct stream *s)
{
    size_t got = 0, space = room(s);
    if (space == 0) return ERR_LIMIT;
    enum err e = tls_read(s->tls, scratch, space, &got);
    if (e == OK) buf_put(&s->in, str_of(scratch, got));
    return e;
}

/* Read once, without waiting. OK: more is buffered than before. ERR_AGAIN, ERR_CLOSED, ERR_LIMIT,
 * ERR_TLS ... ERR_BUSY: much was read and it held nothing; there may be more. */
static enum err fill_now(struct stream *s)
{
    struct str got;
    if (s->tls != NULL) {
        enum err e = take_plain(s);
        for (unsigned reads = 0; e == ERR_AGAIN; reads++) {
            /* Records without content are no reason to keep the processor either. */
            if (reads == EAGER_READS_MAX) return ERR_BUSY;
            e = read_raw(s, 16 * 1024, &got);
            if (e != OK) return e;
            e = tls_put_cipher(s->tls, got);
            if (e == OK) e = take_plain(s);
        }
        return e;
    }
    size_t space = room(s);
    if (space == 0) return ERR_LIMIT;
    enum err e = read_raw(s, space, &got);
    if (e == OK) buf_put(&s->in, got);
    return e;
}

static enum err fill(struct stream *s, int64_t deadline_ms)
{
    for (;;) {
        enum err e = fill_now(s);
        if (e == ERR_BUSY || (e == OK && ++s->eager_reads >= EAGER_READS_MAX)) {
            s->eager_reads = 0;
            fiber_yield();
            /* Who always has more to send never lets us wait, and has the same time as others. */
            if (clock_now() >= deadline_ms) return ERR_TIMEOUT;
        }
        if (e == ERR_BUSY) continue;
        if (e != ERR_AGAIN) return e;
        s->eager_reads = 0;
        if (stream_buffered(s) == 0) buf_free(&s->in);
        e = watch_wait_read(&s->watch, deadline_ms);
        if (e != OK) return e;
    }
}

void stream_poll(struct stream *s)
{
    err_ignore(fill_now(s)); /* whatever went wrong shows at the next read that waits */
}

enum err stream_peek(struct stream *s, int64_t wait_ms, struct str *bytes_out)
{
    if (stream_buffered(s) == 0) {
        enum err e = fill(s, clock_deadline(wait_ms));
        if (e != OK) return e;
    }
    *bytes_out = buffered(s);
    return OK;
}

enum err stream_peek_more(struct stream *s, int64_t wait_ms, struct str *bytes_out)
{
    enum err e = fill(s, clock_deadline(wait_ms));
    if (e == OK) *bytes_out = buffered(s);
    return e;
}

/* A line of `n` bytes including its LF stands at the front: hand it out. */
static enum err give_line(struct stream *s, size_t n, struct str *line_out)
{
    struct str line = str_part(buffered(s), 0, n - 1);
    bool crlf = line.n > 0 && line.p[line.n - 1] == '\r';
    if (crlf) line.n--;
    /* The bytes stay where they are until the next call on the stream. */
    s->in_at += n;
    *line_out = line;
    return crlf && str_find(line, '\r') == STR_NOWHERE ? OK : ERR_SYNTAX;
}

enum err stream_read_line(struct stream *s, size_t line_max, int64_t wait_ms, struct str *line_out)
{
    int64_t deadline_ms = CLOCK_NEVER;
    size_t seen = 0;
    bool too_long = false;
    must(line_max < STREAM_IN_MAX);
    *line_out = STR_NONE;
    for (;;) {
        size_t at = str_find(str_skip(buffered(s), seen), '\n');
        if (at != STR_NOWHERE) {
            at += seen + 1;
            if (!too_long && at <= line_max) return give_line(s, at, line_out);
            stream_consume(s, at);
            return ERR_LIMIT;
        }
        seen = stream_buffered(s);
        if (too_long || seen >= line_max) {
            too_long = true;
            stream_consume(s, seen);
            seen = 0;
        }
        if (deadline_ms == CLOCK_NEVER) deadline_ms = clock_deadline(wait_ms);
        enum err e = fill(s, deadline_ms);
        if (e != OK) return e;
    }
}

void stream_write(struct stream *s, struct str bytes)
{
    buf_put(&s->out, bytes);
}

static enum err send_all(struct stream *s, struct buf *from, int64_t deadline_ms)
{
    size_t at = 0;
    enum err e = OK;
    while (at < from->n && e == OK) {
        ssize_t n = send(s->watch.fd, from->p + at, from->n - at, MSG_NOSIGNAL);
        if (n >= 0) {
            at += (size_t)n;
            s->bytes_out += (size_t)n;
        } else if (errno == EWOULDBLOCK) {
            e = watch_wait_write(&s->watch, deadline_ms);
        } else if (errno != EINTR) {
            e = err_from_errno(errno);
        }
    }
    buf_free(from);
    return e;
}

enum err stream_flush(struct stream *s, int64_t wait_ms)
{
    enum err e = buf_check(&s->out);
    if (e != OK || s->out.n == 0) return e;
    int64_t deadline_ms = clock_deadline(wait_ms);
    if (s->tls == NULL) return send_all(s, &s->out, deadline_ms);
    for (size_t at = 0; at < s->out.n && e == OK;) {
        struct str slice = str_part(buf_str(&s->out), at, TLS_WRITE_MAX);
        e = tls_write(s->tls, slice);
        if (e == OK) at += slice.n;
        if (e == ERR_AGAIN || (e == OK && at == s->out.n)) {
            tls_take_cipher(s->tls, &s->cipher);
            e = send_all(s, &s->cipher, deadline_ms);
        }
    }
    buf_free(&s->out);
    return e;
}

enum err stream_start_tls(struct stream *s, struct tls_config *config, const struct str *alpn,
                          int64_t wait_ms, struct buf *why)
{
    int64_t deadline_ms = clock_deadline(wait_ms);
    must(s->tls == NULL && s->out.n == 0);
    s->tls = tls_new_server(config);
    tls_set_alpn(s->tls, alpn, 1);
    enum err e = tls_put_cipher(s->tls, buffered(s));
    stream_consume(s, stream_buffered(s));
    while (e == OK) {
        struct str got;
        e = tls_handshake(s->tls);
        if (e != OK && e != ERR_AGAIN && why != NULL) buf_put(why, tls_error(s->tls));
        tls_take_cipher(s->tls, &s->cipher); /* an alert goes out even when the handshake failed */
        enum err sent = s->cipher.n > 0 ? send_all(s, &s->cipher, deadline_ms) : OK;
        if (e != ERR_AGAIN) return e;
        if (sent != OK) return sent;
        while ((e = read_raw(s, 16 * 1024, &got)) == ERR_AGAIN) {
            e = watch_wait_read(&s->watch, deadline_ms);
            if (e != OK) return e;
        }
        if (e == OK) e = tls_put_cipher(s->tls, got);
    }
    return e;
}

void stream_close(struct stream *s)
{
    if (s->watch.fd >= 0 && s->tls != NULL) {
        tls_close_notify(s->tls);
        tls_take_cipher(s->tls, &s->cipher);
        if (s->cipher.n > 0 &&
            send(s->watch.fd, s->cipher.p, s->cipher.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            /* The peer has gone first: nothing to say to it. */
        }
    }
    if (s->tls != NULL) tls_free(&s->tls);
    watch_close(&s->watch);
    buf_free(&s->in);
    buf_free(&s->out);
    buf_free(&s->cipher);
    s->in_at = 0;
}
