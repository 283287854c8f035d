/* Channels: frames between two roles over a Unix stream socket, with descriptors beside them.
 *
 * A frame is a header (length, id, verb, kind, number of descriptors) and its bytes. What one turn
 * of the loop sends leaves in one system call. Both ends are processes of ours: a malformed frame
 * is not answered, the channel is closed. */
#ifndef SYS_CHANNEL_H
#define SYS_CHANNEL_H

#include "base/buf.h"
#include "sys/fiber.h"

enum { CHANNEL_FRAME_MAX = 4 * 1024 * 1024, CHANNEL_OUT_MAX = 8 * 1024 * 1024 };

struct frame {
    uint32_t id;
    uint16_t verb;
    uint8_t kind; /* the door's affair */
    uint8_t err;  /* enum err of a reply */
    struct str bytes;
    int fd; /* -1: none; a receiver owns it */
};

struct channel {
    struct watch watch;
    struct buf in, out;
    struct list fds; /* received, not yet claimed by their frames */
    struct loop_hook flush;
    struct waitline drained; /* writers that wait because `out` is full */
    struct fiber *flusher;   /* while the kernel's buffer is full */
    bool broken;
};

/* Take over one end of a socketpair (SOCK_STREAM, non-blocking). ERR_LIMIT, ERR_IO. */
enum err channel_open(struct channel *c, int fd);

/* Queue a frame; it leaves at the end of the turn. Waits while CHANNEL_OUT_MAX bytes are queued.
 * Takes f->fd over (sent and closed here) whatever happens. ERR_CLOSED when the other end is gone;
 * ERR_CANCELLED. */
enum err channel_send(struct channel *c, const struct frame *f);

/* Would channel_send() of a frame without descriptor have to wait? */
bool channel_is_full(const struct channel *c);

/* Wait for frames and hand each to `on_frame` (views live during the call, which must not wait),
 * until the channel ends: ERR_CLOSED, ERR_PROTOCOL, ERR_CANCELLED. */
enum err channel_serve(struct channel *c, void (*on_frame)(void *ctx, struct frame *f), void *ctx);

/* Close; queued frames are tried once. Nobody may be waiting in it (cancel and yield before). */
void channel_close(struct channel *c);

/* Make a connected pair. ERR_LIMIT. */
enum err channel_pair(int fds_out[2]);

#endif
