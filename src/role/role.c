/* What all roles have in common. The order matters: configuration first, then what needs files,
 * then the lock, and only then the first byte from anybody but the keeper. */
#include "role/role.h"

#include "base/must.h"
#include "sys/fiber.h"
#include "sys/spawn.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct role_self *role_self;

const struct role_def *role_def(enum role r)
{
    static const struct role_def *const defs[ROLE_COUNT] = {
        [ROLE_EDGE] = &role_edge,   [ROLE_SESSION] = &role_session, [ROLE_FILTER] = &role_filter,
        [ROLE_DEPOT] = &role_depot, [ROLE_AUTHD] = &role_authd,
    };
    return defs[r];
}

/* ---- configuration ---- */

/* `tls_out` stays null where there is nothing to serve TLS with. */
static enum err load_tls(const struct role_self *r, const struct config *config,
                         const struct role_begin_req *in, struct tls_config **tls_out,
                         struct buf *why)
{
    struct arena a = ARENA_INIT(0);
    struct tls_ticket_seed seed;
    if (!r->def->wants_tls || in->pems_count < 2) return OK;
    if (in->ticket_seed.n != sizeof seed || in->pems_count / 2 != config->tls.certificate_count)
        return ERR_PROTOCOL;
    memcpy(&seed, in->ticket_seed.p, sizeof seed);
    struct tls_pair *pairs = ARENA_MANY(&a, struct tls_pair, in->pems_count / 2);
    for (size_t i = 0; i < in->pems_count / 2; i++) {
        pairs[i] = (struct tls_pair){ .cert_pem = in->pems[2 * i],
                                      .key_pem = in->pems[2 * i + 1],
                                      .name = config->tls.certificates[i].certificate };
    }
    struct tls_server_options o = {
        .pairs = pairs,
        .pair_count = in->pems_count / 2,
        .tickets = &seed,
        .versions = config->tls.minimum == CONFIG_TLS_1_3 ? TLS_ONLY_13 : TLS_12_OR_13,
        .tls12_ciphers = config->tls.ciphers.n > 0 ? arena_c(&a, config->tls.ciphers) : NULL
    };
    enum err e = tls_config_new_server(&o, tls_out, why);
    explicit_bzero(&seed, sizeof seed);
    arena_free(&a);
    return e;
}

/* All or nothing: what is in force is not touched before everything new is known to be good. */
static enum err take_config(struct role_self *r, const struct role_begin_req *in, struct buf *why)
{
    struct config *config = NULL;
    struct tls_config *tls = NULL;
    enum err e = config_unpack(in->config, &config);
    if (e != OK) return e;
    e = load_tls(r, config, in, &tls, why);
    if (e != OK) {
        config_free(&config);
        return e;
    }
    config_free(&r->config);
    tls_config_free(&r->tls); /* sessions under way have their own share of it */
    r->config = config;
    r->tls = tls;
    config_apply_params(config);
    log_setup(role_name(r->def->role), config->log.format,
              in->quiet ? LOG_ERROR : config->log.level, STDERR_FILENO);
    return OK;
}

/* As many descriptors as the keeper's limits allow. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("role.descriptors_not_raised", L_U64("limit", limit.rlim_cur));
}

static enum err lock_in(struct role_self *r, const struct role_begin_req *in, struct buf *why)
{
    struct sandbox box = { .change_user = in->change_user, .uid = in->uid, .gid = in->gid };
    struct buf missing = BUF_INIT(4096);
    /* A second net behind the limits of each room: no role needs as much. */
    box.data_bytes_max = (uint64_t)(r->def->role == ROLE_DEPOT ? 16 : 4) << 30;
    if (r->def->rights != NULL) r->def->rights(r, &box);
    enum err e = sandbox_enter(&box, &missing);
    if (e != OK) {
        buf_put_lit(why, "cannot lock itself in:");
        buf_put(why, buf_str(&missing));
    } else if (missing.n > 0) {
        log_warn("role.locked_in_partly", L_STR("missing", str_trim(buf_str(&missing))));
    }
    buf_free(&missing);
    return e;
}

static enum err first_begin(struct role_self *r, const struct role_begin_req *in, struct buf *why)
{
    raise_descriptors();
    enum err e = r->def->prepare != NULL ? r->def->prepare(r, why) : OK;
    if (e == OK) e = lock_in(r, in, why);
    if (e == OK && r->def->begin != NULL) e = r->def->begin(r, why);
    return e;
}

static enum err serve_begin(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct role_begin_req in;
    struct buf why = BUF_INIT(4096);
    bool first = r->config == NULL;
    enum err e = role_begin_req_get(q->bytes, &q->arena, &in);
    if (e == OK) {
        r->index = in.index;
        r->siblings = in.siblings;
        if (first) {
            r->shared_fd = q->fd;
            q->fd = -1;
        } else if (q->fd >= 0 && dup3(q->fd, STDERR_FILENO, 0) < 0) {
            log_warn("role.log_not_changed");
        }
        e = take_config(r, &in, &why);
    }
    if (e == OK && first) e = first_begin(r, &in, &why);
    if (e == OK && !first && r->def->reload != NULL) r->def->reload(r);
    if (e != OK) {
        struct text_rep out = { .text = buf_str(&why) };
        text_rep_put(&q->reply, &out);
    }
    buf_free(&why);
    return e;
}

/* ---- links ---- */

static void link_closed(void *ctx, struct door *d)
{
    struct role_self *r = ctx;
    links_drop(&r->links[door_peer(d)], d);
    if (r->def->link_closed != NULL) r->def->link_closed(r, d);
}

static enum err serve_link(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct role_link_req in;
    enum err e = role_link_req_get(q->bytes, &q->arena, &in);
    if (e != OK || q->fd < 0 || in.role >= ROLE_COUNT) return ERR_PROTOCOL;
    struct door_settings how = { .us = r->def->role,
                                 .peer = (enum role)in.role,
                                 .services = r->def->services[in.role],
                                 .ctx = r,
                                 .on_close = link_closed };
    struct door *d = NULL;
    int fd = q->fd;
    q->fd = -1;
    e = door_open(fd, &how, &d);
    if (e == OK) links_put(&r->links[in.role], d);
    return e;
}

static enum err serve_listen(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct role_listen_req in;
    enum err e = role_listen_req_get(q->bytes, &q->arena, &in);
    if (e != OK || q->fd < 0) return ERR_PROTOCOL;
    if (in.listen != LISTEN_CONTROL && in.listen >= r->config->listen_count) return ERR_PROTOCOL;
    if (r->def->listen == NULL) return ERR_DENIED;
    int fd = q->fd;
    q->fd = -1;
    r->def->listen(r, in.listen == LISTEN_CONTROL ? NULL : &r->config->listens[in.listen],
                   in.listen, fd);
    return OK;
}

/* ---- the end ---- */

static void stop_life(void *arg)
{
    struct role_self *r = arg;
    if (r->def->stop != NULL) r->def->stop(r);
    loop_stop();
}

static enum err serve_stop(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct role_stop_req in;
    if (role_stop_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    if (r->stopping) return OK;
    r->stopping = true;
    r->stop_deadline_ms = clock_deadline(in.grace_ms);
    fiber_spawn("stop", stop_life, r);
    return OK;
}

static enum err serve_status(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct buf text = BUF_INIT(VERB_SMALL);
    const struct counter *c;
    for (size_t i = 0; (c = counter_at(i)) != NULL; i++) {
        if (*c->value == 0) continue; /* a role lists what it has counted */
        buf_put(&text, str_c(c->name));
        buf_put_byte(&text, ' ');
        buf_put_u64(&text, *c->value);
        buf_put_byte(&text, '\n');
    }
    buf_put_lit(&text, "fibers ");
    buf_put_u64(&text, fiber_count());
    buf_put_byte(&text, '\n');
    struct text_rep out = { .text = buf_str(&text) };
    text_rep_put(&q->reply, &out);
    buf_free(&text);
    (void)r;
    return OK;
}

/* The keeper has gone: so do we. What was not acknowledged is sent again by its sender. */
static void control_closed(void *ctx, struct door *d)
{
    (void)ctx;
    (void)d;
    loop_stop();
}

int role_main(const struct role_def *def)
{
    static const struct door_service services[] = {
        { VERB_role_begin, serve_begin },   { VERB_role_link, serve_link },
        { VERB_role_listen, serve_listen }, { VERB_role_stop, serve_stop },
        { VERB_role_status, serve_status }, { VERB_NONE, NULL },
    };
    static struct role_self self;
    const int control_fd = SPAWN_CONTROL_FD;

    log_setup(role_name(def->role), LOG_LOGFMT, LOG_INFO, STDERR_FILENO);
    if (spawn_adopt(role_name(def->role), &control_fd, 1) != OK) {
        log_error("role.no_keeper",
                  L_STR("words", STR("a role is started by the keeper, not by hand")));
        return 2;
    }
    /* Frames of a quarter of a megabyte come and go: without this each of them is mapped and
     * unmapped. */
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    loop_init();
    role_self = &self;
    self.def = def;
    self.shared_fd = -1;
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        links_init(&self.links[i]);
    }
    struct door_settings how = { .us = def->role,
                                 .peer = ROLE_KEEPER,
                                 .services = services,
                                 .ctx = &self,
                                 .on_close = control_closed };
    if (door_open(control_fd, &how, &self.control) != OK) return 2;
    loop_run();
    return 0;
}
