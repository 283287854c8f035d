/* sd_notify(3), written out: one datagram of "KEY=value" lines per message. Not linking libsystemd
 * keeps its dependencies out of the one process that may run as root. */
#include "sys/notify.h"
#include "base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1024, STATUS_MAX = 512 };

static enum err connect_to(struct str name, int *fd_out)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    if (name.n < 2 || name.n >= sizeof to.sun_path) return ERR_INVALID;
    if (!str_starts(name, STR("/")) && !str_starts(name, STR("@"))) return ERR_INVALID;
    memcpy(to.sun_path, name.p, name.n);
    /* An abstract name begins with NUL and is as long as the address says; a path ends in NUL. */
    bool abstract = to.sun_path[0] == '@';
    if (abstract) to.sun_path[0] = '\0';
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n + !abstract);

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return err_from_errno(errno);
    if (connect(fd, (const struct sockaddr *)&to, n) != 0) {
        enum err e = err_from_errno(errno);
        close(fd);
        return e;
    }
    *fd_out = fd;
    return OK;
}

/* What the manager asks for, if it means this process. */
static int64_t read_watchdog_ms(void)
{
    uint64_t us, pid;
    struct str pid_text = str_c(getenv("WATCHDOG_PID"));

    if (str_to_u64(str_c(getenv("WATCHDOG_USEC")), INT64_MAX, &us) != OK) return 0;
    if (pid_text.n > 0 && (str_to_u64(pid_text, INT32_MAX, &pid) != OK || (pid_t)pid != getpid())) {
        return 0;
    }
    int64_t half_ms = (int64_t)(us / 2000);
    return us > 0 && half_ms == 0 ? 1 : half_ms;
}

enum err notify_open(struct notify *n)
{
    struct str name = str_c(getenv("NOTIFY_SOCKET"));
    enum err e = OK;

    *n = (struct notify){ .fd = -1 };
    if (name.n > 0) e = connect_to(name, &n->fd);
    if (n->fd >= 0) n->watchdog_ms = read_watchdog_ms();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return e;
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0) close(n->fd);
    n->fd = -1;
}

/* Sends `b` and frees it. */
static enum err send_message(const struct notify *n, struct buf *b)
{
    enum err e = buf_check(b);
    if (e == OK && n->fd >= 0 && send(n->fd, b->p, b->n, MSG_NOSIGNAL) < 0) {
        e = err_from_errno(errno);
    }
    buf_free(b);
    return e;
}

/* One line, so that a status cannot forge another key. */
static void put_status(struct buf *b, struct str status)
{
    struct str shown = str_part(status, 0, STATUS_MAX);
    buf_put_lit(b, "STATUS=");
    for (size_t i = 0; i < shown.n; i++) {
        unsigned char c = (unsigned char)shown.p[i];
        buf_put_byte(b, c < 0x20 || c == 0x7f ? ' ' : shown.p[i]);
    }
}

enum err notify_ready(const struct notify *n, struct str status)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    buf_put_lit(&b, "READY=1\n");
    put_status(&b, status);
    return send_message(n, &b);
}

enum err notify_reloading(const struct notify *n)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    struct timespec ts;
    /* Not clock_now(): the manager compares with the moment of its signal, to the microsecond. */
    must(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    buf_put_lit(&b, "RELOADING=1\nMONOTONIC_USEC=");
    buf_put_i64(&b, (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
    return send_message(n, &b);
}

enum err notify_stopping(const struct notify *n)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    buf_put_lit(&b, "STOPPING=1");
    return send_message(n, &b);
}

enum err notify_status(const struct notify *n, struct str status)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    put_status(&b, status);
    return send_message(n, &b);
}

enum err notify_alive(const struct notify *n)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    buf_put_lit(&b, "WATCHDOG=1");
    return send_message(n, &b);
}

enum err notify_extend(const struct notify *n, int64_t more_ms)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    must(more_ms >= 0 && more_ms <= INT64_MAX / 1000);
    buf_put_lit(&b, "EXTEND_TIMEOUT_USEC=");
    buf_put_i64(&b, more_ms * 1000);
    return send_message(n, &b);
}
