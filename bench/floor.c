/* The floor: what accepting mail costs when next to nothing is done with it.
 *
 * One process, one epoll thread, just enough SMTP (RFC 5321: HELO, EHLO, MAIL, RCPT, DATA, RSET,
 * NOOP, QUIT; RFC 2920 PIPELINING). Every text is appended, as it stands on the wire, to one
 * preallocated file, and 250 is said after the fdatasync() that covers it. While a second thread
 * writes and syncs one group of texts, the next group fills. No durable server that speaks the same
 * dialog on the same machine can be much faster; the distance to it is what a real server spends
 * on being one.
 *
 * The file is used as a ring, so that a run of any length fits. A text above CHUNK_BYTES goes to
 * the file in chunks while it arrives.
 * Weak point: it checks nobody and nothing. Loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "base/must.h"
#include "bench/conn.h"

enum { CHUNK_BYTES = 1 << 20, LINE_MAX_BYTES = 2048, BACKLOG = 4096 };

/* One dialog. */
struct guest {
    struct conn conn;
    struct list link; /* in a group while it waits for the sync, else in `guests_free` */
    bool mail, rcpt, text;
    bool at_start;  /* of the text: a lone dot here ends it */
    size_t scanned; /* bytes of the untaken input in which no end of text begins */
    bool gone;      /* closed while it waited */
};

/* Texts that become durable together, and who waits for that. */
struct group {
    struct buf bytes;
    struct list guests;
};

static struct loop loop;
static struct list guests_free = LIST_INIT(guests_free);

static int log_fd = -1;
static off_t log_bytes = (off_t)1 << 30, log_end;

/* The two groups change places: the event loop fills one while the other is being synced. */
static struct group groups[2];
static int filling;
static bool syncing;
static off_t sync_at;
static int synced_fd = -1;
static pthread_mutex_t sync_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sync_wanted = PTHREAD_COND_INITIALIZER;
static struct group *sync_group; /* under `sync_lock`; null: nothing to do */

static off_t log_reserve(size_t n)
{
    if (log_end + (off_t)n > log_bytes) log_end = 0;
    off_t at = log_end;
    log_end += (off_t)n;
    return at;
}

static void log_write(struct str s, off_t at)
{
    while (s.n > 0) {
        ssize_t n = pwrite(log_fd, s.p, s.n, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) die("pwrite");
        s = str_skip(s, (size_t)n);
        at += n;
    }
}

static void *sync_main(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&sync_lock);
        while (sync_group == NULL) {
            pthread_cond_wait(&sync_wanted, &sync_lock);
        }
        struct group *g = sync_group;
        sync_group = NULL;
        pthread_mutex_unlock(&sync_lock);

        log_write(buf_str(&g->bytes), sync_at);
        if (fdatasync(log_fd) != 0) die("fdatasync");
        if (eventfd_write(synced_fd, 1) != 0) die("eventfd_write");
    }
    return NULL;
}

/* Give the filling group to the thread, if it is free and there is something in it. */
static void group_send(void)
{
    struct group *g = &groups[filling];

    if (syncing || list_is_empty(&g->guests)) return;
    must(buf_check(&g->bytes) == OK);
    syncing = true;
    sync_at = log_reserve(g->bytes.n);
    filling = 1 - filling;
    pthread_mutex_lock(&sync_lock);
    sync_group = g;
    pthread_cond_signal(&sync_wanted);
    pthread_mutex_unlock(&sync_lock);
}

static void guest_free(struct guest *g)
{
    list_take(&g->link);
    list_put(&guests_free, &g->link);
}

static void guest_down(struct conn *c, enum err why)
{
    struct guest *g = (struct guest *)(void *)c;

    (void)why;
    if (c->paused) {
        g->gone = true; /* its group still names it */
    } else {
        guest_free(g);
    }
}

/* The thread has synced its group: say 250 to all of it, and go on with their dialogs. */
static void group_synced(struct watch *w, uint32_t events)
{
    (void)w, (void)events;
    eventfd_t count;
    if (eventfd_read(synced_fd, &count) != 0) return;

    struct group *done = &groups[1 - filling];
    syncing = false;
    group_send();

    struct list *item;
    buf_clear(&done->bytes);
    while ((item = list_take_first(&done->guests)) != NULL) {
        struct guest *g = LIST_OWNER(item, struct guest, link);
        if (g->gone) {
            guest_free(g);
            continue;
        }
        conn_put(&g->conn, STR("250 2.0.0 durable\r\n"));
        g->conn.paused = false; /* whatever goes wrong from here on, no group names it */
        unsigned life = g->conn.lives;
        conn_flush(&g->conn);
        if (g->conn.lives == life) conn_resume(&g->conn);
    }
}

/* Take the text's next bytes. Returns how many of them are through with. */
static size_t text_eat(struct guest *g, struct str in)
{
    size_t end = STR_NOWHERE, skip = 5;

    if (g->at_start && str_starts(in, STR(".\r\n"))) {
        end = 0;
        skip = 3;
    } else {
        size_t at = str_find_str(str_skip(in, g->scanned), STR("\r\n.\r\n"));
        if (at != STR_NOWHERE) end = g->scanned + at;
    }
    if (end == STR_NOWHERE) {
        size_t sure = in.n > 4 ? in.n - 4 : 0; /* the end may begin in the last four bytes */
        g->scanned = sure;
        if (sure < CHUNK_BYTES) return 0;
        log_write(str_part(in, 0, sure), log_reserve(sure));
        g->scanned = 0;
        g->at_start = false;
        return sure;
    }
    buf_put(&groups[filling].bytes, str_part(in, 0, end));
    list_take(&g->link);
    list_put(&groups[filling].guests, &g->link);
    g->text = g->mail = g->rcpt = false;
    g->conn.paused = true;
    return end + skip;
}

static void do_hello(struct guest *g)
{
    g->mail = g->rcpt = false;
    conn_put(&g->conn, STR("250-floor\r\n250-PIPELINING\r\n250 8BITMIME\r\n"));
}

static void do_helo(struct guest *g)
{
    g->mail = g->rcpt = false;
    conn_put(&g->conn, STR("250 floor\r\n"));
}

static void do_mail(struct guest *g)
{
    g->mail = true;
    conn_put(&g->conn, STR("250 2.1.0 ok\r\n"));
}

static void do_rcpt(struct guest *g)
{
    if (g->mail) g->rcpt = true;
    conn_put(&g->conn, g->mail ? STR("250 2.1.5 ok\r\n") : STR("503 5.5.1 MAIL first\r\n"));
}

static void do_data(struct guest *g)
{
    if (g->rcpt) {
        g->text = g->at_start = true;
        g->scanned = 0;
    }
    conn_put(&g->conn, g->rcpt ? STR("354 go on\r\n") : STR("503 5.5.1 RCPT first\r\n"));
}

static void do_reset(struct guest *g)
{
    g->mail = g->rcpt = false;
    conn_put(&g->conn, STR("250 2.0.0 ok\r\n"));
}

static void do_noop(struct guest *g)
{
    conn_put(&g->conn, STR("250 2.0.0 ok\r\n"));
}

static const struct command {
    struct str name;
    void (*serve)(struct guest *g);
} commands[] = {
    { STR_INIT("EHLO"), do_hello }, { STR_INIT("HELO"), do_helo }, { STR_INIT("MAIL"), do_mail },
    { STR_INIT("RCPT"), do_rcpt },  { STR_INIT("DATA"), do_data }, { STR_INIT("RSET"), do_reset },
    { STR_INIT("NOOP"), do_noop },
};

static void line_serve(struct guest *g, struct str line)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (str_starts_nocase(line, commands[i].name)) {
            commands[i].serve(g);
            return;
        }
    }
    conn_put(&g->conn, STR("500 5.5.2 unknown\r\n"));
}

static size_t guest_eat(struct conn *c, struct str in)
{
    struct guest *g = (struct guest *)(void *)c;
    size_t taken = 0;

    while (!c->paused) {
        struct str rest = str_skip(in, taken);
        if (g->text) {
            taken += text_eat(g, rest);
            break;
        }
        size_t end = str_find(rest, '\n');
        if ((end == STR_NOWHERE ? rest.n : end) > LINE_MAX_BYTES ||
            str_starts_nocase(rest, STR("QUIT"))) {
            conn_put(c, STR("221 2.0.0 bye\r\n"));
            unsigned life = c->lives;
            conn_flush(c);
            if (c->lives != life) return 0; /* it went down by itself */
            conn_close(c);
            guest_free(g);
            return 0;
        }
        if (end == STR_NOWHERE) break;
        taken += end + 1;
        line_serve(g, str_part(rest, 0, end));
    }
    if (c->paused) group_send();
    return taken;
}

static const struct conn_ops guest_ops = { .eat = guest_eat, .down = guest_down };

static struct guest *guest_new(void)
{
    struct list *item = list_take_first(&guests_free);
    struct guest *g = item != NULL ? LIST_OWNER(item, struct guest, link) : NULL;

    if (g == NULL) {
        g = malloc(sizeof *g);
        must(g != NULL);
        conn_init(&g->conn, &loop, &guest_ops, 4 * CHUNK_BYTES);
        list_init(&g->link);
    }
    g->mail = g->rcpt = g->text = g->gone = false;
    return g;
}

static int listen_fd = -1;

static void guests_accept(struct watch *w, uint32_t events)
{
    (void)w, (void)events;
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == EMFILE)) return;
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (fd < 0) die("accept4");
        struct guest *g = guest_new();
        conn_adopt(&g->conn, fd);
        conn_put(&g->conn, STR("220 floor ESMTP\r\n"));
        conn_flush(&g->conn);
    }
}

static void listen_open(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int on = 1;

    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listen_fd < 0) die("socket");
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listen_fd, (const struct sockaddr *)&at, size) != 0) die("bind");
    if (listen(listen_fd, BACKLOG) != 0) die("listen");
    if (getsockname(listen_fd, (struct sockaddr *)&at, &size) != 0) die("getsockname");
    printf("port=%u\n", (unsigned)ntohs(at.sin_port));
    fflush(stdout);
}

static void log_open(const char *path)
{
    log_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log_fd < 0) die(path);
    errno = posix_fallocate(log_fd, 0, log_bytes);
    if (errno != 0) die("posix_fallocate");
    if (fsync(log_fd) != 0) die("fsync");
}

static void usage(void)
{
    fprintf(stderr, "usage: floor --file PATH [--port N] [--file-mib N]\n"
                    "  prints port=N when it listens on 127.0.0.1; ends on SIGTERM\n");
    exit(2);
}

static uint64_t number(const char *text, uint64_t max)
{
    uint64_t value = 0;

    if (str_to_u64(str_c(text), max, &value) != OK) usage();
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "file", required_argument, NULL, 'f' },
                                             { "port", required_argument, NULL, 'p' },
                                             { "file-mib", required_argument, NULL, 'm' },
                                             { 0 } };
    const char *path = NULL;
    uint16_t port = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'f')
            path = optarg;
        else if (option == 'p')
            port = (uint16_t)number(optarg, UINT16_MAX);
        else if (option == 'm')
            log_bytes = (off_t)number(optarg, 1 << 20) << 20;
        else
            usage();
    }
    if (path == NULL || optind != argc || log_bytes < 4 * CHUNK_BYTES) usage();

    signal(SIGPIPE, SIG_IGN);
    descriptors_raise();
    loop_open(&loop);
    log_open(path);
    for (int i = 0; i < 2; i++) {
        groups[i].bytes = buf_new((size_t)log_bytes);
        list_init(&groups[i].guests);
    }

    struct watch synced = { .ready = group_synced }, listening = { .ready = guests_accept };
    pthread_t thread;
    synced_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (synced_fd < 0) die("eventfd");
    if (pthread_create(&thread, NULL, sync_main, NULL) != 0) die("pthread_create");
    listen_open(port);
    loop_add(&loop, synced_fd, &synced, EPOLLIN | EPOLLET);
    loop_add(&loop, listen_fd, &listening, EPOLLIN | EPOLLET);
    loop_run(&loop, INT64_MAX);
    return 0;
}
