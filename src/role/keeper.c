/* The keeper: reads the configuration, binds, starts the roles, wires them to each other, and
 * starts them again when they die. It parses nothing that comes from the network.
 *
 * Each role instance has a post, and each post a fiber that lives its life: spawn, begin, link,
 * listen, wait for the end, back off, again. Everything the posts share is only touched between
 * waits. */
#include "role/role.h"

#include "base/must.h"
#include "role/keeper_files.h"
#include "proto/smtp/crowd.h"
#include "sys/channel.h"
#include "sys/fiber.h"
#include "sys/net.h"
#include "sys/notify.h"
#include "sys/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

PARAM(keeper_stop_grace_ms, TIME_MS, 0, 600000, 10000,
      "how long sessions may finish what they are doing when the system is stopped")
PARAM(keeper_begin_wait_ms, TIME_MS, 1000, 3600000, 600000,
      "how long a role may take to become ready (the depot replays its log)")
COUNTER(keeper_role_restarts, "roles that ended by themselves and were started again")

enum {
    POSTS_MAX = 200,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 10000,
    STABLE_MS = 30000,
    WAIT_SHORT_MS = 5000
};

struct post {
    enum role role;
    uint32_t index;
    struct spawn_child child;
    struct door *door;
    struct fiber *fiber;
    bool up, done;
    bool begun;       /* it has a configuration: the next one is a reload */
    uint64_t loaded;  /* which of all configurations it was given last */
    uint64_t came_up; /* which of all comings up this was */
    int64_t backoff_ms;
};

struct listener {
    struct list link;
    struct str key;       /* the address as written, owned */
    struct net_addr addr; /* path looks into key */
    int fd;
    bool wanted;
};

static struct {
    struct str config_path;
    struct config *config;
    struct buf packed;
    struct pems pems;
    struct tls_ticket_seed tickets; /* so that a session can be resumed at any process */
    struct notify notify;
    struct post posts[POSTS_MAX];
    size_t post_count;
    struct list listeners;
    int control_fd, crowd_fd;
    bool stopping, ready_told;
    uint64_t comings_up, loads;
    struct waitline ended;
} keeper;

/* Which roles talk to each other. */
static const struct {
    enum role a, b;
} wires[] = {
    { ROLE_EDGE, ROLE_FILTER },  { ROLE_EDGE, ROLE_DEPOT },    { ROLE_EDGE, ROLE_AUTHD },
    { ROLE_FILTER, ROLE_DEPOT }, { ROLE_SESSION, ROLE_AUTHD }, { ROLE_AUTHD, ROLE_DEPOT },
};

/* ---- wiring ---- */

static enum err give_link(struct post *to, const struct post *other, int fd)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct role_link_req in = { .role = (uint8_t)other->role, .index = other->index };
    role_link_req_put(&b, &in);
    enum err e =
        door_call_fd(to->door, VERB_role_link, buf_str(&b), fd, WAIT_SHORT_MS, NULL, NULL, NULL);
    buf_free(&b);
    return e;
}

static bool wired(enum role a, enum role b)
{
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
        if ((wires[i].a == a && wires[i].b == b) || (wires[i].a == b && wires[i].b == a))
            return true;
    }
    return false;
}

/* Link a post that has just come up to all that came up before it. Linking waits, and who comes up
 * meanwhile links itself to this one: so each pair has one link, which matters, because what one
 * call begins on a link (a login, a stage) the next can only go on with on the same. A link that
 * fails belongs to a role that is dying: its next life makes a new one. */
static void link_up(struct post *p)
{
    for (size_t i = 0; i < keeper.post_count; i++) {
        struct post *other = &keeper.posts[i];
        int fds[2];
        if (!other->up || other->came_up >= p->came_up || !wired(p->role, other->role)) continue;
        if (channel_pair(fds) != OK) continue;
        enum err e = give_link(p, other, fds[0]);
        enum err f = other->door != NULL ? give_link(other, p, fds[1]) : ERR_CLOSED;
        if (other->door == NULL) close(fds[1]);
        if (e != OK || f != OK)
            log_warn("role.link_failed", L_WORD("a", role_name(p->role)),
                     L_WORD("b", role_name(other->role)), L_ERR(e != OK ? e : f));
        if (p->door == NULL) return;
    }
}

static enum role serves(const struct config_listen *l)
{
    return l->service == SERVICE_POP3 || l->service == SERVICE_POP3S ? ROLE_SESSION : ROLE_EDGE;
}

static enum err give_listener(struct post *p, uint32_t index, int fd)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct role_listen_req in = { .listen = index };
    role_listen_req_put(&b, &in);
    int copy = dup(fd);
    enum err e = copy >= 0 ? door_call_fd(p->door, VERB_role_listen, buf_str(&b), copy,
                                          WAIT_SHORT_MS, NULL, NULL, NULL)
                           : ERR_LIMIT;
    buf_free(&b);
    return e;
}

static void listener_key(struct buf *b, const struct config_listen *l)
{
    if (l->path.n > 0) {
        buf_put_lit(b, "unix:");
        buf_put(b, l->path);
        return;
    }
    bool v6 = str_find(l->address, ':') != STR_NOWHERE;
    if (v6) buf_put_byte(b, '[');
    buf_put(b, l->address);
    if (v6) buf_put_byte(b, ']');
    buf_put_byte(b, ':');
    buf_put_u64(b, l->port);
}

static struct listener *listener_find(const struct config_listen *l)
{
    struct buf key = BUF_INIT(4096);
    struct listener *found = NULL;
    listener_key(&key, l);
    LIST_EACH(at, &keeper.listeners)
    {
        struct listener *x = LIST_OWNER(at, struct listener, link);
        if (str_eq(x->key, buf_str(&key))) found = x;
    }
    buf_free(&key);
    return found;
}

static void listen_up(struct post *p)
{
    /* Listeners are named by their place in the configuration. When another one has come while we
     * waited, the reload that brought it gives all of them again. */
    for (size_t i = 0; i < keeper.config->listen_count && p->door != NULL; i++) {
        if (p->loaded != keeper.loads) return;
        const struct config_listen *l = &keeper.config->listens[i];
        struct listener *x = serves(l) == p->role ? listener_find(l) : NULL;
        if (x == NULL) continue;
        enum err e = give_listener(p, (uint32_t)i, x->fd);
        if (e != OK)
            log_warn("role.listen_failed", L_WORD("role", role_name(p->role)),
                     L_STR("address", x->key), L_ERR(e));
    }
    if (p->role == ROLE_DEPOT && p->door != NULL && keeper.control_fd >= 0)
        err_ignore(give_listener(p, LISTEN_CONTROL, keeper.control_fd));
}

/* ---- a post's life ---- */

static enum err serve_system_status(void *ctx, struct door_request *q);

static void post_closed(void *ctx, struct door *d)
{
    (void)ctx;
    for (size_t i = 0; i < keeper.post_count; i++) {
        if (keeper.posts[i].door != d) continue;
        keeper.posts[i].door = NULL;
        keeper.posts[i].up = false;
    }
}

static enum err start_process(struct post *p)
{
    static const struct door_service services[] = { { VERB_system_status, serve_system_status },
                                                    { VERB_NONE, NULL } };
    int fds[2];
    struct buf title = BUF_INIT(64);
    enum err e = channel_pair(fds);
    if (e != OK) return e;
    buf_put_lit(&title, "postrider: ");
    buf_put(&title, str_c(role_name(p->role)));
    buf_put_byte(&title, ' ');
    buf_put_u64(&title, p->index);
    buf_put_byte(&title, 0);
    const char *args[] = { title.p, "--role", role_name(p->role), NULL };
    const struct spawn_fd give[] = { { STDERR_FILENO, STDERR_FILENO },
                                     { fds[1], SPAWN_CONTROL_FD } };
    e = spawn_start(
        &(struct spawn){ .args = args, .env = keeper_environment(), .fds = give, .fd_count = 2 },
        &p->child);
    close(fds[1]);
    buf_free(&title);
    if (e != OK) {
        close(fds[0]);
        return e;
    }
    return door_open(
        fds[0],
        &(struct door_settings){
            .us = ROLE_KEEPER, .peer = p->role, .services = services, .on_close = post_closed },
        &p->door);
}

static uint32_t siblings(enum role r)
{
    uint32_t n = 0;
    for (size_t i = 0; i < keeper.post_count; i++) {
        n += keeper.posts[i].role == r;
    }
    return n;
}

static enum err tell_begin(struct post *p)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_PLAN);
    struct role_begin_req in = { .index = p->index,
                                 .siblings = siblings(p->role),
                                 .config = buf_str(&keeper.packed) };
    int shared = -1;
    uint64_t loads = keeper.loads;
    struct str reply = STR_NONE;
    enum err e = keeper_user(&keeper.config->user[p->role], &in.change_user, &in.uid, &in.gid);
    if (e != OK)
        log_error("role.no_such_user", L_WORD("role", role_name(p->role)),
                  L_STR("user", keeper.config->user[p->role]));
    const struct role_def *def = role_def(p->role);
    if (def->wants_tls) {
        tls_ticket_seed_advance(&keeper.tickets);
        in.ticket_seed = str_of(&keeper.tickets, sizeof keeper.tickets);
        in.pems = keeper.pems.texts;
        in.pems_count = keeper.pems.count;
    }
    role_begin_req_put(&b, &in);
    if (e == OK) e = buf_check(&b);
    if (e == OK && p->door == NULL) e = ERR_CLOSED;
    if (e == OK && def->wants_shared && !p->begun) shared = dup(keeper.crowd_fd);
    if (e == OK && p->begun) shared = dup(STDERR_FILENO); /* the log may be another file now */
    if (e == OK)
        e = door_call_fd(p->door, VERB_role_begin, buf_str(&b), shared, keeper_begin_wait_ms, &a,
                         &reply, NULL);
    if (e == OK) {
        p->begun = true;
        p->loaded = loads;
    }
    struct text_rep out = { .text = STR_NONE };
    if (e != OK && reply.n > 0)
        err_ignore(text_rep_get(reply, &a, &out)); /* without words the error stands alone */
    if (e != OK)
        log_error("role.begin_failed", L_WORD("role", role_name(p->role)), L_U64("index", p->index),
                  L_ERR(e), L_STR("why", out.text));
    buf_free(&b);
    arena_free(&a);
    return e;
}

/* Tell the service manager when everybody has come up for the first time. */
static void tell_ready(void)
{
    for (size_t i = 0; i < keeper.post_count; i++) {
        if (!keeper.posts[i].up) return;
    }
    if (keeper.ready_told) return;
    keeper.ready_told = true;
    log_info("keeper.ready", L_U64("roles", keeper.post_count));
    err_ignore(notify_ready(&keeper.notify, STR("serving"))); /* nobody may be listening */
}

static enum err post_up(struct post *p)
{
    p->begun = false;
    enum err e = start_process(p);
    if (e == OK) e = tell_begin(p);
    /* A reload while it began has passed it by. */
    while (e == OK && p->loaded != keeper.loads) {
        e = tell_begin(p);
    }
    if (e != OK) return e;
    p->up = true;
    p->came_up = ++keeper.comings_up;
    log_info("role.up", L_WORD("role", role_name(p->role)), L_U64("index", p->index),
             L_I64("process", p->child.pid));
    link_up(p);
    listen_up(p);
    tell_ready();
    return OK;
}

/* Wait for the process to be gone for good and collect it. */
static void post_wait_end(struct post *p)
{
    struct watch w;
    struct spawn_end end = { 0 };
    if (p->child.pid == 0) return;
    enum err e = watch_open(&w, p->child.pidfd);
    must(e == OK);
    while (spawn_reap(&p->child, &end) == ERR_AGAIN) {
        err_ignore(watch_wait_read(&w, clock_deadline(1000))); /* looked at again in any case */
    }
    w.fd = -1; /* spawn_reap() has closed it */
    struct buf words = BUF_INIT(256);
    spawn_end_put(&words, end);
    if (!keeper.stopping || end.by_signal || end.code != 0) {
        log_error("role.ended", L_WORD("role", role_name(p->role)), L_U64("index", p->index),
                  L_STR("how", buf_str(&words)));
    }
    buf_free(&words);
    p->child = (struct spawn_child){ .pidfd = -1 };
}

static void post_life(void *arg)
{
    struct post *p = arg;
    while (!keeper.stopping) {
        int64_t begun_ms = clock_now();
        enum err e = post_up(p);
        if (e != OK && p->child.pid != 0)
            err_ignore(spawn_signal(&p->child, SIGKILL)); /* half-started: gone is gone */
        post_wait_end(p);
        p->up = false;
        struct door *d = p->door;
        door_close(&d);
        if (keeper.stopping) break;
        if (e == OK) keeper_role_restarts++;
        p->backoff_ms = clock_now() - begun_ms > STABLE_MS || p->backoff_ms == 0
                            ? BACKOFF_FIRST_MS
                            : p->backoff_ms * 2;
        if (p->backoff_ms > BACKOFF_MAX_MS) p->backoff_ms = BACKOFF_MAX_MS;
        err_ignore(fiber_sleep(p->backoff_ms)); /* cancelled: we are stopping */
    }
    p->done = true;
    waitline_wake_all(&keeper.ended);
}

static void hire(enum role role, int64_t count)
{
    for (uint32_t i = 0; i < count && keeper.post_count < POSTS_MAX; i++) {
        struct post *p = &keeper.posts[keeper.post_count++];
        *p = (struct post){ .role = role, .index = i, .child = { .pidfd = -1 } };
        p->fiber = fiber_spawn("post", post_life, p);
    }
}

static int64_t process_count(enum role r)
{
    int64_t n = keeper.config->processes[r];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (n > 0) return n;
    return cores < 1 ? 1 : cores < CROWD_PROCESSES_MAX ? cores : CROWD_PROCESSES_MAX;
}

/* ---- listeners ---- */

static enum err listener_open(const struct config_listen *l)
{
    struct buf key = BUF_INIT(4096);
    struct net_listen want = { .backlog = (int)l->backlog };
    struct listener *x = calloc(1, sizeof *x);
    must(x != NULL);
    listener_key(&key, l);
    x->key = str_of(key.p, key.n); /* the buf's memory is the listener's now */
    enum err e = net_parse(x->key, &x->addr);
    want.addr = x->addr;
    want.unix_mode = (mode_t)l->mode;
    if (e == OK && l->group.n > 0) e = keeper_group(l->group, &want.unix_gid);
    want.unix_chown = l->group.n > 0;
    want.unix_uid = geteuid();
    if (e == OK) e = net_listen(&want, &x->fd);
    if (e != OK) {
        log_error("keeper.cannot_listen", L_STR("address", x->key), L_ERR(e),
                  L_STR("words", str_c(err_words(e))));
        buf_free(&key);
        free(x);
        return e;
    }
    x->wanted = true;
    list_put(&keeper.listeners, &x->link);
    return OK;
}

static void listener_close(struct listener *x)
{
    list_take(&x->link);
    net_unlisten(&x->addr);
    close(x->fd);
    free((char *)(uintptr_t)x->key.p);
    free(x);
}

/* Bring the sockets into line with the configuration: open new ones, close those that no line
 * names. */
static enum err listeners_match(void)
{
    enum err worst = OK;
    LIST_EACH(at, &keeper.listeners)
    {
        LIST_OWNER(at, struct listener, link)->wanted = false;
    }
    for (size_t i = 0; i < keeper.config->listen_count; i++) {
        struct listener *x = listener_find(&keeper.config->listens[i]);
        if (x != NULL) {
            x->wanted = true;
        } else {
            enum err e = listener_open(&keeper.config->listens[i]);
            if (e != OK) worst = e;
        }
    }
    LIST_EACH(at, &keeper.listeners)
    {
        struct listener *x = LIST_OWNER(at, struct listener, link);
        if (!x->wanted) listener_close(x);
    }
    return worst;
}

static enum err control_open(void)
{
    struct buf path = BUF_INIT(4096);
    struct net_listen want = { .backlog = 64, .unix_mode = 0600 };
    buf_put_lit(&path, "unix:");
    buf_put(&path, keeper.config->run);
    buf_put_lit(&path, "/control.sock");
    enum err e = net_parse(buf_str(&path), &want.addr);
    if (e == OK) e = net_listen(&want, &keeper.control_fd);
    if (e != OK)
        log_error("keeper.cannot_listen", L_STR("address", buf_str(&path)), L_ERR(e),
                  L_STR("words", str_c(err_words(e))));
    buf_free(&path);
    return e;
}

/* ---- status ---- */

static enum err serve_system_status(void *ctx, struct door_request *q)
{
    struct buf text = BUF_INIT(VERB_PAGE / 2);
    (void)ctx;
    for (size_t i = 0; i < keeper.post_count; i++) {
        struct post *p = &keeper.posts[i];
        struct str reply = STR_NONE;
        struct text_rep rep = { .text = STR_NONE };
        enum err e = p->door != NULL
                         ? door_call(p->door, VERB_role_status, STR_NONE, 2000, &q->arena, &reply)
                         : ERR_CLOSED;
        if (e == OK) e = text_rep_get(reply, &q->arena, &rep);
        buf_put_byte(&text, '[');
        buf_put(&text, str_c(role_name(p->role)));
        buf_put_byte(&text, ' ');
        buf_put_u64(&text, p->index);
        buf_put_lit(&text, "]\nprocess ");
        buf_put_i64(&text, p->child.pid);
        buf_put_lit(&text, "\nup ");
        buf_put_u64(&text, e == OK);
        buf_put_byte(&text, '\n');
        buf_put(&text, rep.text);
    }
    buf_put_lit(&text, "[keeper 0]\nprocess ");
    buf_put_i64(&text, getpid());
    buf_put_lit(&text, "\nup 1\nkeeper_role_restarts ");
    buf_put_u64(&text, keeper_role_restarts);
    buf_put_byte(&text, '\n');
    struct text_rep out = { .text = buf_str(&text) };
    text_rep_put(&q->reply, &out);
    buf_free(&text);
    return OK;
}

/* ---- reload and stop ---- */

/* Would the roles take these certificates? A role that came up later could not refuse them any more
 * and serve on with the old ones. */
static enum err check_pems(const struct config *c, const struct pems *pems)
{
    struct arena a = ARENA_INIT(0);
    struct buf why = BUF_INIT(4096);
    struct tls_config *tls = NULL;
    if (pems->count < 2) return OK;
    struct tls_pair *pairs = ARENA_MANY(&a, struct tls_pair, pems->count / 2);
    for (size_t i = 0; i < pems->count / 2; i++) {
        pairs[i] = (struct tls_pair){ .cert_pem = pems->texts[2 * i],
                                      .key_pem = pems->texts[2 * i + 1],
                                      .name = c->tls.certificates[i].certificate };
    }
    struct tls_server_options o = {
        .pairs = pairs,
        .pair_count = pems->count / 2,
        .versions = c->tls.minimum == CONFIG_TLS_1_3 ? TLS_ONLY_13 : TLS_12_OR_13,
        .tls12_ciphers = c->tls.ciphers.n > 0 ? arena_c(&a, c->tls.ciphers) : NULL
    };
    enum err e = tls_config_new_server(&o, &tls, &why);
    if (e != OK) log_error("keeper.bad_certificate", L_STR("why", buf_str(&why)));
    tls_config_free(&tls);
    buf_free(&why);
    arena_free(&a);
    return e;
}

static enum err load(void)
{
    struct config *fresh = NULL;
    struct pems pems = { .count = 0 };
    enum err e = keeper_read_config(keeper.config_path, &fresh);
    if (e == OK) e = keeper_read_pems(fresh, &pems);
    if (e == OK) e = check_pems(fresh, &pems);
    if (e != OK) {
        pems_free(&pems);
        config_free(&fresh);
        return e;
    }
    if (keeper.config != NULL) keeper_warn_restart(keeper.config, fresh);
    config_free(&keeper.config);
    pems_free(&keeper.pems);
    keeper.config = fresh;
    keeper.pems = pems;
    keeper.loads++;
    buf_clear(&keeper.packed);
    config_pack(&keeper.packed, fresh);
    config_apply_params(fresh);
    err_ignore(keeper_open_log(fresh)); /* told there; the old place goes on */
    log_setup("keeper", fresh->log.format, fresh->log.level, STDERR_FILENO);
    return buf_check(&keeper.packed);
}

static void reload(void)
{
    err_ignore(notify_reloading(&keeper.notify)); /* nobody may be listening */
    enum err e = load();
    if (e == OK) {
        err_ignore(listeners_match()); /* each failure has been told; the others serve */
        for (size_t i = 0; i < keeper.post_count; i++) {
            struct post *p = &keeper.posts[i];
            if (!p->up) continue;
            if (tell_begin(p) == OK) listen_up(p);
        }
        log_info("keeper.reloaded", L_STR("file", keeper.config_path));
    } else {
        log_error("keeper.reload_refused", L_STR("file", keeper.config_path),
                  L_STR("words", STR("the configuration in force stays")));
    }
    err_ignore(notify_ready(&keeper.notify, STR("serving")));
}

/* Ask one kind of role to end and wait until it has. */
static void stop_role(enum role role, int64_t grace_ms)
{
    struct buf b = BUF_INIT(64);
    struct role_stop_req in = { .grace_ms = (uint32_t)grace_ms };
    role_stop_req_put(&b, &in);
    int64_t kill_ms = clock_deadline(grace_ms + WAIT_SHORT_MS);
    for (size_t i = 0; i < keeper.post_count; i++) {
        struct post *p = &keeper.posts[i];
        if (p->role != role) continue;
        if (p->up && p->door != NULL) {
            err_ignore(door_tell(p->door, VERB_role_stop,
                                 buf_str(&b))); /* a dying role ends without being told */
        } else if (p->child.pid != 0) {
            err_ignore(spawn_signal(&p->child, SIGKILL)); /* has not begun: holds nothing */
        } else {
            fiber_cancel(p->fiber);
        }
    }
    buf_free(&b);
    for (size_t i = 0; i < keeper.post_count; i++) {
        struct post *p = &keeper.posts[i];
        while (p->role == role && !p->done) {
            if (waitline_wait(&keeper.ended, kill_ms) == ERR_TIMEOUT && !p->done) {
                log_warn("role.killed", L_WORD("role", role_name(p->role)),
                         L_U64("index", p->index));
                err_ignore(spawn_signal(&p->child, SIGKILL));
                kill_ms = clock_deadline(WAIT_SHORT_MS);
            }
        }
    }
}

/* From the door inwards: nothing new comes in, then what is under way finishes, the store last. */
static void stop_life(void *arg)
{
    static const enum role order[] = { ROLE_EDGE, ROLE_SESSION, ROLE_FILTER, ROLE_AUTHD,
                                       ROLE_DEPOT };
    (void)arg;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        stop_role(order[i], i < 2 ? keeper_stop_grace_ms : WAIT_SHORT_MS);
    }
    loop_stop();
}

static void stop(const char *why)
{
    if (keeper.stopping) return;
    keeper.stopping = true;
    log_info("keeper.stopping", L_WORD("signal", why));
    err_ignore(notify_stopping(&keeper.notify));
    fiber_spawn("stop", stop_life, NULL);
}

static void signals_life(void *arg)
{
    struct watch w;
    struct signalfd_siginfo info;
    enum err e = watch_open(&w, *(int *)arg);
    must(e == OK);
    for (;;) {
        ssize_t n = read(w.fd, &info, sizeof info);
        if (n != sizeof info) {
            if (watch_wait_read(&w, CLOCK_NEVER) != OK) return;
            continue;
        }
        if (info.ssi_signo == SIGHUP && !keeper.stopping) reload();
        if (info.ssi_signo == SIGTERM) stop("TERM");
        if (info.ssi_signo == SIGINT) stop("INT");
    }
}

int keeper_main(struct str config_path)
{
    sigset_t set;
    log_setup("keeper", LOG_LOGFMT, LOG_INFO, STDERR_FILENO);
    keeper.config_path = config_path;
    keeper.packed = buf_new(CONFIG_PACKED_MAX);
    keeper.control_fd = -1;
    list_init(&keeper.listeners);
    waitline_init(&keeper.ended);
    tls_ticket_seed_new(&keeper.tickets);
    if (notify_open(&keeper.notify) != OK) log_warn("keeper.no_service_manager");
    if (load() != OK) return 2;
    if (keeper_folders(keeper.config) != OK || keeper_pid_file(keeper.config->run) != OK) return 2;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    static int signal_fd;
    signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    must(signal_fd >= 0);

    /* Memory of the edges' counts of connections; it outlives each of them. */
    keeper.crowd_fd = memfd_create("postrider-crowd", MFD_CLOEXEC);
    must(keeper.crowd_fd >= 0 &&
         ftruncate(keeper.crowd_fd, (off_t)crowd_bytes((size_t)process_count(ROLE_EDGE))) == 0);
    loop_init();
    if (control_open() != OK || listeners_match() != OK) return 2;
    fiber_spawn("signals", signals_life, &signal_fd);
    hire(ROLE_DEPOT, 1);
    hire(ROLE_AUTHD, 1);
    hire(ROLE_FILTER, process_count(ROLE_FILTER));
    hire(ROLE_EDGE, process_count(ROLE_EDGE));
    hire(ROLE_SESSION, process_count(ROLE_SESSION));
    loop_run();
    LIST_EACH(at, &keeper.listeners)
    {
        listener_close(LIST_OWNER(at, struct listener, link));
    }
    keeper_clean(keeper.config->run);
    log_info("keeper.stopped");
    return 0;
}
