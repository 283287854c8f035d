/* Non-blocking connections for the programs of bench/: the floor (a server) and the load driver (a
 * client with thousands of sessions). One epoll loop a process, edge-triggered, no threads here.
 *
 * A connection has one owner. The owner is told through `struct conn_ops`, and may close the
 * connection, or close it and open it anew, inside any of the calls. IPv4 only: benchmarks run on
 * loopback. */
#ifndef BENCH_CONN_H
#define BENCH_CONN_H

#include <netinet/in.h>
#include <openssl/ssl.h>

#include "base/buf.h"

/* Anything the loop waits for. */
struct watch {
    void (*ready)(struct watch *w, uint32_t events);
};

struct loop {
    int epoll_fd;
    void (*tick)(void *arg); /* called about every `tick_ms`, if set */
    void *tick_arg;
    int tick_ms;
    bool stop; /* set it to leave loop_run() */
};

/* Ends the process with a message when the kernel has no epoll instance left. */
void loop_open(struct loop *l);
void loop_add(struct loop *l, int fd, struct watch *w, uint32_t events);

/* Serve until `stop`, or until the clock passes `deadline_us` (of now_us()). True when stopped,
 * false at the deadline. */
bool loop_run(struct loop *l, int64_t deadline_us);

/* Microseconds of a clock that never jumps. */
int64_t now_us(void);

/* Processor time of this process so far, in seconds. */
double cpu_seconds(void);

/* As many descriptors as the hard limit permits. */
void descriptors_raise(void);

/* Print `what` and the present errno, end the process with 1. */
_Noreturn void die(const char *what);

struct conn;

struct conn_ops {
    /* A client's connect, or a TLS handshake, is done. May be null for servers. */
    void (*up)(struct conn *c);
    /* Bytes have come: `in` is everything that was not taken yet. Returns how many it took. What it
     * queued with conn_put() is sent when it returns. */
    size_t (*eat)(struct conn *c, struct str in);
    /* The other side is gone (or never came); the connection is closed already. */
    void (*down)(struct conn *c, enum err why);
};

struct conn {
    struct watch watch;
    struct loop *loop;
    const struct conn_ops *ops;
    int fd; /* -1: closed */
    SSL *ssl;
    bool connecting, shaking;
    bool paused;    /* set by the owner: take no more input until conn_resume() */
    bool hung_up;   /* the kernel told that the peer has ended its side */
    unsigned lives; /* how often this structure was closed; tells a reopened one from the old */
    struct buf in;  /* what came and was not taken */
    struct buf out; /* what still has to go; the first `out_done` bytes went */
    size_t out_done;
    struct str shared; /* goes after `out`; not owned */
};

/* Make `c` a closed connection that belongs to `l`. `in_max` limits what may wait untaken. */
void conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops, size_t in_max);

/* Begin to connect to `to`; from `from` unless its address is 0. The result comes as up() or
 * down(), later. Errors here: the kernel refused at once (ERR_IO, ERR_FULL ...). */
enum err conn_open(struct conn *c, const struct sockaddr_in *to, struct in_addr from);

/* Serve an accepted, non-blocking descriptor, which now belongs to `c`. */
void conn_adopt(struct conn *c, int fd);

/* Begin a TLS handshake as client, without a session to resume; up() tells its end. Only inside
 * eat(); the handshake begins when that returns. */
void conn_start_tls(struct conn *c, SSL_CTX *ctx);

/* Queue bytes: copied, or `s` itself, which must live until it is sent. After shared bytes nothing
 * can be queued until all is sent. */
void conn_put(struct conn *c, struct str s);
void conn_put_shared(struct conn *c, struct str s);

/* Send what is queued; what the kernel does not take now goes when it can. A broken connection is
 * told by down(). */
void conn_flush(struct conn *c);

/* Go on after `paused`: offers the bytes left behind, then reads on. */
void conn_resume(struct conn *c);

/* Close without telling down(). Harmless when closed. */
void conn_close(struct conn *c);

/* Close, and give back the memory of the buffers. */
void conn_free(struct conn *c);

#endif
