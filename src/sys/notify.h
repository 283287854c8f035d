/* Talk to the service manager: the sd_notify(3) protocol over its datagram socket.
 *
 * Without a manager (NOTIFY_SOCKET unset) every call succeeds and does nothing. Nothing waits: a
 * message that the manager's queue has no room for is ERR_AGAIN and gone. */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include "base/buf.h"

struct notify {
    int fd;              /* -1: no manager */
    int64_t watchdog_ms; /* say notify_alive() at least this often (half of what the manager waits);
                            0: it does not ask for it */
};

/* Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment and take them out of it,
 * so that no child speaks for us. ERR_INVALID: no usable address (it must be a path or "@" and an
 * abstract name); ERR_UNAVAILABLE, ERR_DENIED … : the socket. On failure there is no manager. */
enum err notify_open(struct notify *n);
void notify_close(struct notify *n);

/* READY=1, and a line for `systemctl status`. */
enum err notify_ready(const struct notify *n, struct str status);

/* RELOADING=1 with the time (Type=notify-reload); say notify_ready() when done. */
enum err notify_reloading(const struct notify *n);

/* STOPPING=1. */
enum err notify_stopping(const struct notify *n);

/* STATUS= alone. */
enum err notify_status(const struct notify *n, struct str status);

/* WATCHDOG=1. */
enum err notify_alive(const struct notify *n);

/* EXTEND_TIMEOUT_USEC=: start or stop takes up to this much longer (recovery of a big store). */
enum err notify_extend(const struct notify *n, int64_t more_ms);

#endif
