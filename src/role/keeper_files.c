/* What the keeper does with files. Everything here may block: it runs at start and on a reload. */
#include "role/keeper_files.h"

#include "base/must.h"
#include "tool/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PEM_MAX = 256 * 1024 };

/* Whole file into `out`. ERR_LIMIT when it does not fit, else from errno. */
static enum err read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    enum err e = fd >= 0 ? OK : err_from_errno(errno);
    while (e == OK) {
        char *at = buf_reserve(out, 4096);
        ssize_t n = at != NULL ? read(fd, at, 4096) : 0;
        if (at == NULL) {
            e = ERR_LIMIT;
        } else if (n < 0) {
            if (errno != EINTR) e = err_from_errno(errno);
        } else if (n == 0) {
            break;
        } else {
            buf_commit(out, (size_t)n);
        }
    }
    if (fd >= 0) close(fd);
    return e;
}

enum err keeper_read_config(struct str path, struct config **config_out)
{
    struct arena a = ARENA_INIT(0);
    struct conf_faults faults = CONF_FAULTS_INIT;
    enum err e = config_file_read(arena_c(&a, path), config_out, &faults);
    for (size_t i = 0; i < faults.n; i++) {
        struct buf line = BUF_INIT(8192);
        conf_fault_put(&line, &faults.list[i]);
        buf_put_byte(&line, '\n');
        ssize_t n = write(STDERR_FILENO, line.p, line.n);
        (void)n; /* there is nobody left to tell */
        buf_free(&line);
    }
    conf_faults_free(&faults);
    arena_free(&a);
    return e;
}

static enum err read_pem(struct str path, const struct conf_at *at, struct str *out)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(PEM_MAX), where = BUF_INIT(8192);
    enum err e = read_file(arena_c(&a, path), &b);
    conf_at_put(&where, at);
    if (e != OK) {
        log_error("keeper.cannot_read", L_STR("file", path), L_STR("at", buf_str(&where)),
                  L_STR("words", str_c(err_words(e))));
        explicit_bzero(b.p, b.n);
        buf_free(&b);
    } else {
        *out = str_of(b.p, b.n); /* the buf's memory is the list's now */
    }
    buf_free(&where);
    arena_free(&a);
    return e;
}

enum err keeper_read_pems(const struct config *c, struct pems *out)
{
    struct pems p = { .texts = calloc(2 * c->tls.certificate_count + 1, sizeof(struct str)) };
    must(p.texts != NULL);
    for (size_t i = 0; i < c->tls.certificate_count; i++) {
        const struct config_certificate *x = &c->tls.certificates[i];
        enum err e = read_pem(x->certificate, &x->at, &p.texts[p.count]);
        if (e == OK) {
            p.count++;
            e = read_pem(x->key, &x->at, &p.texts[p.count]);
        }
        if (e != OK) {
            pems_free(&p);
            return e;
        }
        p.count++;
    }
    *out = p;
    return OK;
}

void pems_free(struct pems *p)
{
    for (size_t i = 0; i < p->count; i++) {
        char *bytes = (char *)(uintptr_t)p->texts[i].p;
        if (p->texts[i].n == 0) continue;
        explicit_bzero(bytes, p->texts[i].n);
        free(bytes);
    }
    free(p->texts);
    *p = (struct pems){ .count = 0 };
}

void keeper_warn_restart(const struct config *was, const struct config *now)
{
    struct arena a = ARENA_INIT(0);
    struct config_difference d = config_difference(was, now, &a);
    for (size_t i = 0; i < d.came.n; i++) {
        struct buf at = BUF_INIT(8192);
        if (d.came.list[i].effect != CONFIG_ON_RESTART) continue;
        conf_at_put(&at, &d.came.list[i].at);
        log_warn("keeper.needs_restart", L_STR("at", buf_str(&at)),
                 L_STR("line", d.came.list[i].line));
        buf_free(&at);
    }
    arena_free(&a);
}

enum err keeper_open_log(const struct config *c)
{
    struct arena a = ARENA_INIT(0);
    if (c->log.to != CONFIG_LOG_FILE) return OK;
    int fd =
        open(arena_c(&a, c->log.path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    enum err e = fd >= 0 && dup2(fd, STDERR_FILENO) >= 0 ? OK : err_from_errno(errno);
    if (fd >= 0) close(fd);
    if (e != OK)
        log_error("keeper.cannot_log", L_STR("file", c->log.path),
                  L_STR("words", str_c(err_words(e))));
    arena_free(&a);
    return e;
}

/* Make a folder and those above it. */
static enum err make_folder(struct str path, mode_t mode)
{
    struct arena a = ARENA_INIT(0);
    enum err e = OK;
    for (size_t i = 1; i <= path.n && e == OK; i++) {
        if (i < path.n && path.p[i] != '/') continue;
        if (mkdir(arena_c(&a, str_part(path, 0, i)), i < path.n ? 0755 : mode) != 0 &&
            errno != EEXIST)
            e = err_from_errno(errno);
    }
    arena_free(&a);
    if (e != OK)
        log_error("keeper.cannot_make_folder", L_STR("path", path),
                  L_STR("words", str_c(err_words(e))));
    return e;
}

/* Does every role's user exist? Told before anything is started. */
static enum err keeper_users(const struct config *c)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        bool change;
        uint32_t uid, gid;
        if (keeper_user(&c->user[i], &change, &uid, &gid) == OK) continue;
        log_error(
            "keeper.no_such_user", L_WORD("role", role_name((enum role)i)),
            L_STR("user", c->user[i]),
            L_STR("words",
                  STR("make it with 'useradd --system NAME', or name another with a 'user' line")));
        return ERR_NOT_FOUND;
    }
    return OK;
}

enum err keeper_folders(const struct config *c)
{
    struct arena a = ARENA_INIT(0);
    bool change;
    uint32_t uid, gid;
    enum err e = make_folder(c->run, 0755);
    if (e == OK && c->store.engine == CONFIG_ENGINE_EMBEDDED) e = make_folder(c->store.path, 0700);
    if (e == OK) e = keeper_users(c);
    if (e == OK) e = keeper_user(&c->user[ROLE_DEPOT], &change, &uid, &gid);
    if (e == OK && change && c->store.engine == CONFIG_ENGINE_EMBEDDED) {
        /* The folder is made for the depot; what is inside belongs to it already. */
        if (chown(arena_c(&a, c->store.path), uid, gid) != 0) e = err_from_errno(errno);
    }
    if (e != OK)
        log_error("keeper.cannot_prepare", L_STR("run", c->run), L_STR("store", c->store.path),
                  L_STR("words", str_c(err_words(e))));
    arena_free(&a);
    return e;
}

static const char *run_path(struct arena *a, struct str run, struct str name)
{
    struct buf b = BUF_INIT(8192);
    buf_put(&b, run);
    buf_put_byte(&b, '/');
    buf_put(&b, name);
    const char *path = arena_c(a, buf_str(&b));
    buf_free(&b);
    return path;
}

/* A tool that asks who runs here holds a lock for the time of a look: a few tries tell that from a
 * keeper. */
static bool pid_file_lock(int fd)
{
    bool held = false;
    for (int i = 0; i < 10 && !held; i++) {
        if (i > 0) nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000000l }, NULL);
        held = flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    return held;
}

enum err keeper_pid_file(struct str run)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(32);
    int fd = open(run_path(&a, run, STR("postrider.pid")),
                  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    enum err e = fd >= 0 ? OK : err_from_errno(errno);
    /* The lock lives as long as the process; the descriptor stays open on purpose. */
    if (e == OK && !pid_file_lock(fd)) e = ERR_BUSY;
    buf_put_i64(&b, getpid());
    buf_put_byte(&b, '\n');
    if (e == OK && (ftruncate(fd, 0) != 0 || pwrite(fd, b.p, b.n, 0) != (ssize_t)b.n))
        e = err_from_errno(errno);
    if (e != OK) {
        log_error("keeper.pid_file", L_STR("run", run),
                  L_STR("words", e == ERR_BUSY ? STR("another keeper runs there already")
                                               : str_c(err_words(e))));
    }
    buf_free(&b);
    arena_free(&a);
    return e;
}

/* Is the file locked by somebody? */
static enum err pid_file_held(int fd)
{
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK ? OK : ERR_IO;
    (void)flock(fd, LOCK_UN);
    return ERR_NOT_FOUND;
}

static enum err pid_file_read(int fd, pid_t *pid_out)
{
    char text[32];
    uint64_t pid = 0;
    ssize_t n = pread(fd, text, sizeof text, 0);
    if (n < 0) return err_from_errno(errno);
    /* Empty between the lock and the number. */
    enum err e = str_to_u64(str_trim(str_of(text, (size_t)n)), INT32_MAX, &pid);
    if (e != OK || pid == 0) return ERR_BUSY;
    *pid_out = (pid_t)pid;
    return OK;
}

enum err keeper_signal(struct str run, int number)
{
    struct arena a = ARENA_INIT(0);
    int process = -1;
    pid_t pid = 0;
    int fd = open(run_path(&a, run, STR("postrider.pid")), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    enum err e = fd >= 0 ? pid_file_held(fd) : err_from_errno(errno);
    if (e == OK && number != 0) e = pid_file_read(fd, &pid);
    if (e == OK && number != 0 && (process = (int)syscall(SYS_pidfd_open, pid, 0)) < 0)
        e = err_from_errno(errno);
    /* Still held now that the process is ours to name: the number cannot have become another's. */
    if (e == OK && number != 0) e = pid_file_held(fd);
    if (e == OK && number != 0 && syscall(SYS_pidfd_send_signal, process, number, NULL, 0) != 0)
        e = err_from_errno(errno);
    if (process >= 0) close(process);
    if (fd >= 0) close(fd);
    arena_free(&a);
    return e;
}

void keeper_clean(struct str run)
{
    struct arena a = ARENA_INIT(0);
    unlink(run_path(&a, run, STR("postrider.pid")));
    unlink(run_path(&a, run, STR("control.sock")));
    arena_free(&a);
}

enum err keeper_user(const struct str *name, bool *change_out, uint32_t *uid_out, uint32_t *gid_out)
{
    struct arena a = ARENA_INIT(0);
    enum err e = OK;
    *change_out = false;
    *uid_out = geteuid();
    *gid_out = getegid();
    if (geteuid() == 0 && name->n > 0) {
        const struct passwd *p = getpwnam(arena_c(&a, *name));
        if (p != NULL) {
            *change_out = p->pw_uid != 0;
            *uid_out = p->pw_uid;
            *gid_out = p->pw_gid;
        } else {
            e = ERR_NOT_FOUND;
        }
    }
    arena_free(&a);
    return e;
}

enum err keeper_group(struct str name, gid_t *gid_out)
{
    struct arena a = ARENA_INIT(0);
    const struct group *g = getgrnam(arena_c(&a, name));
    arena_free(&a);
    if (g == NULL) return ERR_NOT_FOUND;
    *gid_out = g->gr_gid;
    return OK;
}

const char *const *keeper_environment(void)
{
    static const char *kept[8];
    static const char *const names[] = { "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=",
                                         "TZ=" };
    extern char **environ;
    size_t n = 0;
    for (char **v = environ; *v != NULL && n < 7; v++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (str_starts(str_c(*v), str_c(names[i])) && n < 7) kept[n++] = *v;
        }
    }
    kept[n] = NULL;
    return kept;
}
