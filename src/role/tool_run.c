/* A door to the depot: through the control socket when Postrider runs; else a depot is started for
 * this one command, linked to us by a channel, and ends with us. */
#include "role/tool_run.h"

#include "agent/auth/credential.h"
#include "base/must.h"
#include "role/keeper_files.h"
#include "role/role.h"
#include "sys/channel.h"
#include "sys/net.h"
#include "sys/spawn.h"
#include "tool/config_file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BEGIN_WAIT_MS = 600000, LINK_WAIT_MS = 10000, END_WAIT_MS = 60000 };

static struct config *config;
static struct spawn_child child = { .pidfd = -1 };
static struct door *control;

static void ended(void *ctx, struct door *d)
{
    (void)ctx;
    if (control == d) control = NULL;
}

static enum err read_config(struct str path, struct buf *why)
{
    struct arena a = ARENA_INIT(0);
    struct conf_faults faults = CONF_FAULTS_INIT;
    enum err e = config_file_read(arena_c(&a, path), &config, &faults);
    if (e != OK) {
        buf_put_lit(why, "the configuration ");
        buf_put(why, path);
        buf_put_lit(why, " cannot be used; 'postrider config check' tells more");
    }
    conf_faults_free(&faults);
    arena_free(&a);
    return e;
}

/* The running Postrider. ERR_NOT_FOUND, ERR_UNAVAILABLE: none. */
static enum err open_running(struct door **door_out, struct buf *why)
{
    struct buf path = BUF_INIT(4096);
    struct net_addr to;
    int fd = -1;
    buf_put_lit(&path, "unix:");
    buf_put(&path, config->run);
    buf_put_lit(&path, "/control.sock");
    enum err e = net_parse(buf_str(&path), &to);
    if (e == OK) e = net_connect(&to, NULL, &fd);
    if (e == OK)
        e = door_open(fd, &(struct door_settings){ .us = ROLE_TOOL, .peer = ROLE_DEPOT }, door_out);
    if (e == ERR_DENIED) {
        buf_put_lit(why, "not permitted to speak to ");
        buf_put(why, buf_str(&path));
        buf_put_lit(why, "; this needs root or the user that the depot runs as");
    }
    buf_free(&path);
    return e;
}

static enum err start_depot(void)
{
    int fds[2];
    const char *args[] = { "postrider: depot for a tool", "--role", role_name(ROLE_DEPOT), NULL };
    enum err e = channel_pair(fds);
    if (e != OK) return e;
    const struct spawn_fd give[] = { { STDERR_FILENO, STDERR_FILENO },
                                     { fds[1], SPAWN_CONTROL_FD } };
    e = spawn_start(
        &(struct spawn){ .args = args, .env = keeper_environment(), .fds = give, .fd_count = 2 },
        &child);
    close(fds[1]);
    if (e != OK) {
        close(fds[0]);
        return e;
    }
    return door_open(
        fds[0], &(struct door_settings){ .us = ROLE_KEEPER, .peer = ROLE_DEPOT, .on_close = ended },
        &control);
}

static enum err begin_depot(struct buf *why)
{
    struct arena a = ARENA_INIT(0);
    struct buf packed = BUF_INIT(CONFIG_PACKED_MAX), b = BUF_INIT(VERB_PLAN);
    struct str reply = STR_NONE;
    struct text_rep rep = { .text = STR_NONE };
    struct role_begin_req in = { .siblings = 1, .quiet = true }; /* errors are told all the same */
    config_pack(&packed, config);
    in.config = buf_str(&packed);
    enum err e = keeper_user(&config->user[ROLE_DEPOT], &in.change_user, &in.uid, &in.gid);
    role_begin_req_put(&b, &in);
    if (e == OK) e = door_call(control, VERB_role_begin, buf_str(&b), BEGIN_WAIT_MS, &a, &reply);
    if (e != OK && reply.n > 0 && text_rep_get(reply, &a, &rep) == OK) buf_put(why, rep.text);
    buf_free(&packed);
    buf_free(&b);
    arena_free(&a);
    return e;
}

static enum err link_depot(struct door **door_out)
{
    int fds[2];
    struct buf b = BUF_INIT(64);
    struct role_link_req in = { .role = ROLE_TOOL };
    enum err e = channel_pair(fds);
    if (e != OK) return e;
    role_link_req_put(&b, &in);
    e = door_call_fd(control, VERB_role_link, buf_str(&b), fds[1], LINK_WAIT_MS, NULL, NULL, NULL);
    if (e == OK) {
        e = door_open(fds[0], &(struct door_settings){ .us = ROLE_TOOL, .peer = ROLE_DEPOT },
                      door_out);
    } else {
        close(fds[0]);
    }
    buf_free(&b);
    return e;
}

/* Read the configuration, once. ERR_INVALID with words. */
static enum err need_config(struct str path, struct buf *why)
{
    struct arena a = ARENA_INIT(0);
    if (config != NULL) return OK;
    char *absolute = realpath(arena_c(&a, path), NULL);
    enum err e = ERR_INVALID;
    if (absolute == NULL) {
        buf_put_lit(why, "cannot read the configuration ");
        buf_put(why, path);
    } else {
        e = read_config(arena_str(&a, str_c(absolute)), why);
        if (e == OK) config_apply_params(config);
    }
    free(absolute);
    arena_free(&a);
    return e == OK ? OK : ERR_INVALID;
}

static enum err open_depot(struct str config_path, struct door **door_out, struct buf *why)
{
    enum err e = need_config(config_path, why);
    if (e != OK) return e;
    e = open_running(door_out, why);
    if (e != ERR_NOT_FOUND && e != ERR_UNAVAILABLE) return e;
    if (config->store.engine != CONFIG_ENGINE_EMBEDDED) {
        buf_put_lit(why, "Postrider does not run, and its store is in memory: there is nothing to "
                         "look at or to change");
        return ERR_UNAVAILABLE;
    }
    /* Nobody serves: the store is ours for the moment. */
    log_setup("tool", LOG_LOGFMT, LOG_ERROR, STDERR_FILENO);
    e = keeper_folders(config);
    if (e == OK) e = start_depot();
    if (e == OK) e = begin_depot(why);
    return e == OK ? link_depot(door_out) : e;
}

static void close_depot(void)
{
    struct buf b = BUF_INIT(64);
    struct role_stop_req in = { .grace_ms = 0 };
    struct spawn_end end;
    struct watch w;
    int64_t deadline_ms = clock_deadline(END_WAIT_MS);
    if (child.pid == 0 || watch_open(&w, child.pidfd) != OK) return;
    role_stop_req_put(&b, &in);
    if (control != NULL) {
        err_ignore(door_tell(control, VERB_role_stop, buf_str(&b))); /* or it is ending already */
    }
    buf_free(&b);
    while (spawn_reap(&child, &end) == ERR_AGAIN && clock_now() < deadline_ms) {
        err_ignore(watch_wait_read(&w, clock_deadline(1000))); /* looked at again in any case */
    }
}

static enum err make_credential(struct str config_path, struct str password, struct buf *out,
                                struct buf *why)
{
    struct arena a = ARENA_INIT(0);
    struct credential c;
    enum err e = need_config(config_path, why);
    if (e != OK) return e;
    struct credential_wants wants = { .mechanisms = config->auth.mechanisms,
                                      .hash = config->auth.hash };
    e = credential_make(&wants, password, &a, &c);
    if (e == OK) {
        credential_encode(&c, out);
    } else {
        buf_put_lit(why,
                    "this password cannot be used (too long, control characters, or not UTF-8)");
    }
    arena_free(&a);
    return e;
}

static enum err store_folder(struct str config_path, struct arena *a, struct str *path_out,
                             struct buf *why)
{
    enum err e = need_config(config_path, why);
    if (e != OK) return e;
    if (config->store.engine != CONFIG_ENGINE_EMBEDDED) {
        buf_put_lit(why, "the store is in memory: it has no folder");
        return ERR_UNSUPPORTED;
    }
    *path_out = arena_str(a, config->store.path);
    return OK;
}

/* ---- the keeper ---- */

static enum err tell_keeper(struct str config_path, enum tool_signal what, struct buf *why)
{
    static const int numbers[] = { [TOOL_STOP] = SIGTERM, [TOOL_RELOAD] = SIGHUP };
    enum err e = need_config(config_path, why);
    if (e != OK) return e;
    e = keeper_signal(config->run, numbers[what]);
    if (e == ERR_NOT_FOUND) {
        buf_put_lit(why, "Postrider does not run (nobody holds ");
        buf_put(why, config->run);
        buf_put_lit(why, "/postrider.pid)");
    } else if (e != OK) {
        buf_put_lit(why, "cannot signal the keeper of ");
        buf_put(why, config->run);
        buf_put_lit(why, ": ");
        buf_put(why, str_c(err_words(e)));
    }
    return e;
}

static enum err keeper_runs(struct str config_path, struct buf *why)
{
    enum err e = need_config(config_path, why);
    return e == OK ? keeper_signal(config->run, 0) : e;
}

static int run(struct str config_path)
{
    struct arena a = ARENA_INIT(0);
    int code = EXIT_USAGE;
    char *path = realpath(arena_c(&a, config_path), NULL);
    if (path == NULL) {
        (void)fprintf(stderr, "postrider: cannot read %s: %s\n", arena_c(&a, config_path),
                      strerror(errno));
    } else {
        code = keeper_main(arena_str(&a, str_c(path)));
    }
    free(path);
    arena_free(&a);
    return code;
}

const struct tool_world tool_world = { .open_depot = open_depot,
                                       .close_depot = close_depot,
                                       .make_credential = make_credential,
                                       .store_folder = store_folder,
                                       .tell_keeper = tell_keeper,
                                       .keeper_runs = keeper_runs,
                                       .run = run };
