/* Every call takes the lock, counts itself, and asks the schedule. Tracking keeps the old bytes of
 * each write in memory (the store's writes between two syncs are few MiB) and takes them back in
 * reverse order. A file that is unlinked is kept under another name until its folder is synced.
 *
 * Not modelled: a file whose length was changed by fallocate or ftruncate but not synced keeps the
 * new length with zeros (the store writes no byte that means anything before such a sync). */
#include "sys/os_fault.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_BYTES = 64, SECTOR_BYTES = 512 };

enum deed_kind { DEED_WRITE, DEED_CREATE, DEED_RENAME, DEED_UNLINK };

/* Something done that a power cut may undo, newest first. */
struct deed {
    struct deed *older;
    enum deed_kind kind;
    ino_t inode; /* of the file, or of the folder for names */
    int fd;      /* our own: file or folder */
    off_t at;
    size_t n;
    char *old_bytes;
    char from[NAME_BYTES], to[NAME_BYTES];
};

static struct {
    pthread_mutex_t lock;
    struct os_fault f;
    uint64_t calls[OS_CALL_COUNT];
    struct deed *deeds;
    uint64_t names;
    uint64_t dice;
} st = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t throw_dice(void)
{
    st.dice ^= st.dice << 13;
    st.dice ^= st.dice >> 7;
    st.dice ^= st.dice << 17;
    return st.dice * 0x2545f4914f6cdd1du >> 33;
}

/* ---- tracking ---- */

static ino_t inode_of(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 ? s.st_ino : 0;
}

static struct deed *deed_new(enum deed_kind kind, int fd)
{
    struct deed *d = calloc(1, sizeof *d);
    must(d != NULL);
    d->kind = kind;
    d->inode = inode_of(fd);
    d->fd = dup(fd);
    must(d->fd >= 0);
    d->older = st.deeds;
    st.deeds = d;
    return d;
}

static void deed_free(struct deed *d)
{
    close(d->fd);
    free(d->old_bytes);
    free(d);
}

/* What this file or folder has done is on the disk now. */
static void deeds_synced(int fd)
{
    ino_t inode = inode_of(fd);
    for (struct deed **at = &st.deeds; *at != NULL;) {
        struct deed *d = *at;
        if (d->inode != inode) {
            at = &d->older;
            continue;
        }
        if (d->kind == DEED_UNLINK) unlinkat(d->fd, d->to, 0);
        *at = d->older;
        deed_free(d);
    }
}

static void track_write(int fd, off_t at, size_t n)
{
    struct deed *d = deed_new(DEED_WRITE, fd);
    d->at = at;
    d->n = n;
    d->old_bytes = calloc(1, n + 1);
    must(d->old_bytes != NULL);
    /* Our own descriptor may be for writing only: read through another. */
    char path[NAME_BYTES];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = reader >= 0 ? pread(reader, d->old_bytes, n, at) : -1;
    must(got >= 0);
    close(reader);
}

static void undo_write(const struct deed *d, enum os_fault_cut how)
{
    if (how == OS_CUT_SOME && throw_dice() % 2 == 0) return;
    size_t step = how == OS_CUT_SECTORS ? SECTOR_BYTES : d->n;
    for (size_t i = 0; i < d->n;) {
        size_t end = i + step - ((size_t)d->at + i) % (how == OS_CUT_SECTORS ? SECTOR_BYTES : 1);
        if (end > d->n) end = d->n;
        bool keep = how == OS_CUT_SECTORS && throw_dice() % 2 == 0;
        if (!keep) must(pwrite(d->fd, d->old_bytes + i, end - i, d->at + (off_t)i) >= 0);
        i = end;
    }
}

static void undo(const struct deed *d, enum os_fault_cut how)
{
    if (d->kind == DEED_WRITE) {
        undo_write(d, how);
        return;
    }
    if (how != OS_CUT_ALL && throw_dice() % 2 == 0) {
        if (d->kind == DEED_UNLINK) unlinkat(d->fd, d->to, 0);
        return;
    }
    if (d->kind == DEED_CREATE) {
        unlinkat(d->fd, d->to, 0);
    } else {
        renameat(d->fd, d->to, d->fd, d->from);
    }
}

static void cut(enum os_fault_cut how, uint64_t seed)
{
    st.dice = seed * 2 + 1;
    while (st.deeds != NULL) {
        struct deed *d = st.deeds;
        st.deeds = d->older;
        undo(d, how);
        deed_free(d);
    }
}

void os_fault_cut(enum os_fault_cut how, uint64_t seed)
{
    pthread_mutex_lock(&st.lock);
    cut(how, seed);
    pthread_mutex_unlock(&st.lock);
}

/* ---- the schedule ---- */

static void die(bool with_cut)
{
    if (with_cut) cut(st.f.cut, st.f.seed);
    kill(getpid(), SIGKILL);
    pause();
}

/* With the lock held. What shall happen to this call; deaths happen here. */
static enum os_fault_what enter(enum os_call call)
{
    uint64_t n = ++st.calls[call];
    if (st.f.what == OS_FAULT_NONE || call != st.f.call) return OS_FAULT_NONE;
    if (n < st.f.at || n - st.f.at > st.f.repeat) return OS_FAULT_NONE;
    if (st.f.what == OS_FAULT_KILL_BEFORE) die(false);
    if (st.f.what == OS_FAULT_CUT_BEFORE) die(true);
    if (st.f.what == OS_FAULT_SHORT_FULL) {
        st.f.number = ENOSPC;
        return n == st.f.at ? OS_FAULT_SHORT : OS_FAULT_ERRNO;
    }
    return st.f.what;
}

static void leave(enum os_fault_what what)
{
    if (what == OS_FAULT_KILL_AFTER) die(false);
    if (what == OS_FAULT_CUT_AFTER) die(true);
    pthread_mutex_unlock(&st.lock);
}

/* Begin a call: false when it is to fail with what errno says. */
static bool begin(enum os_call call, enum os_fault_what *what_out)
{
    pthread_mutex_lock(&st.lock);
    *what_out = enter(call);
    bool data = call == OS_PREAD || call == OS_PWRITE;
    if (*what_out != OS_FAULT_ERRNO && (*what_out != OS_FAULT_SHORT || data)) return true;
    pthread_mutex_unlock(&st.lock);
    errno = st.f.number;
    return false;
}

/* For calls that need nothing but counting. */
#define PLAIN(call, expression)                                                                    \
    do {                                                                                           \
        enum os_fault_what what;                                                                   \
        if (!begin((call), &what)) return -1;                                                      \
        int plain_result = (expression);                                                           \
        int plain_errno = errno;                                                                   \
        leave(what);                                                                               \
        errno = plain_errno;                                                                       \
        return plain_result;                                                                       \
    } while (0)

static void name_put(char to[NAME_BYTES], const char *name)
{
    must(snprintf(to, NAME_BYTES, "%s", name) < NAME_BYTES);
}

static int create(int folder, const char *name, int flags, mode_t mode)
{
    bool was_there = faccessat(folder, name, F_OK, 0) == 0;
    int fd = os_real.openat(folder, name, flags, mode);
    if (fd >= 0 && st.f.track && !was_there && folder >= 0)
        name_put(deed_new(DEED_CREATE, folder)->to, name);
    return fd;
}

static int fault_openat(int folder, const char *name, int flags, mode_t mode)
{
    PLAIN(OS_OPEN, create(folder, name, flags, mode));
}

static int fault_close(int fd)
{
    PLAIN(OS_CLOSE, os_real.close(fd));
}

static ssize_t fault_pread(int fd, void *to, size_t n, off_t at)
{
    enum os_fault_what what;
    if (!begin(OS_PREAD, &what)) return -1;
    ssize_t got = pread(fd, to, what == OS_FAULT_SHORT && n > 1 ? n / 2 : n, at);
    leave(what);
    return got;
}

static ssize_t write_short(int fd, const struct iovec *iov, int n, off_t at)
{
    int parts = n > 1 ? n / 2 : 1;
    struct iovec half = iov[0];
    if (n == 1 && half.iov_len > 1) half.iov_len /= 2;
    return n > 1 ? pwritev(fd, iov, parts, at) : pwritev(fd, &half, 1, at);
}

static ssize_t fault_pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
    enum os_fault_what what;
    if (!begin(OS_PWRITE, &what)) return -1;
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        bytes += iov[i].iov_len;
    }
    if (st.f.track) track_write(fd, at, bytes);
    ssize_t done = what == OS_FAULT_SHORT ? write_short(fd, iov, n, at) : pwritev(fd, iov, n, at);
    leave(what);
    return done;
}

static int sync_and_forget(int fd, bool data)
{
    int r = data ? fdatasync(fd) : fsync(fd);
    if (r == 0 && st.f.track) deeds_synced(fd);
    return r;
}

static int fault_fdatasync(int fd)
{
    PLAIN(OS_FDATASYNC, sync_and_forget(fd, true));
}

static int fault_fsync(int fd)
{
    PLAIN(OS_FSYNC, sync_and_forget(fd, false));
}

static int fault_fallocate(int fd, int mode, off_t at, off_t n)
{
    PLAIN(OS_FALLOCATE, fallocate(fd, mode, at, n));
}

static int fault_ftruncate(int fd, off_t bytes)
{
    PLAIN(OS_FTRUNCATE, ftruncate(fd, bytes));
}

static int track_rename(int from_folder, const char *from, int to_folder, const char *to)
{
    int r = renameat(from_folder, from, to_folder, to);
    if (r == 0 && st.f.track) {
        must(inode_of(from_folder) == inode_of(to_folder));
        struct deed *d = deed_new(DEED_RENAME, to_folder);
        name_put(d->from, from);
        name_put(d->to, to);
    }
    return r;
}

static int fault_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    PLAIN(OS_RENAME, track_rename(from_folder, from, to_folder, to));
}

static int track_unlink(int folder, const char *name, int flags)
{
    if (!st.f.track || flags != 0) return unlinkat(folder, name, flags);
    char hidden[NAME_BYTES];
    snprintf(hidden, sizeof hidden, ".cut-%d-%llu", (int)getpid(), (unsigned long long)st.names++);
    int r = renameat(folder, name, folder, hidden);
    if (r != 0) return r;
    struct deed *d = deed_new(DEED_UNLINK, folder);
    name_put(d->from, name);
    name_put(d->to, hidden);
    return 0;
}

static int fault_unlinkat(int folder, const char *name, int flags)
{
    PLAIN(OS_UNLINK, track_unlink(folder, name, flags));
}

static int fault_mkdirat(int folder, const char *name, mode_t mode)
{
    PLAIN(OS_MKDIR, mkdirat(folder, name, mode));
}

static int fault_list(int folder, void (*each)(void *ctx, const char *name), void *ctx)
{
    PLAIN(OS_LIST, os_real.list(folder, each, ctx));
}

static int fault_fstat(int fd, struct stat *out)
{
    PLAIN(OS_FSTAT, fstat(fd, out));
}

static int fault_fstatvfs(int fd, struct statvfs *out)
{
    PLAIN(OS_FSTATVFS, fstatvfs(fd, out));
}

static int fault_flock(int fd, int how)
{
    PLAIN(OS_FLOCK, os_real.flock(fd, how));
}

static const struct os os_faulty = {
    .openat = fault_openat,
    .close = fault_close,
    .pread = fault_pread,
    .pwritev = fault_pwritev,
    .fdatasync = fault_fdatasync,
    .fsync = fault_fsync,
    .fallocate = fault_fallocate,
    .ftruncate = fault_ftruncate,
    .renameat = fault_renameat,
    .unlinkat = fault_unlinkat,
    .mkdirat = fault_mkdirat,
    .list = fault_list,
    .fstat = fault_fstat,
    .fstatvfs = fault_fstatvfs,
    .flock = fault_flock,
};

void os_fault_arm(const struct os_fault *f)
{
    pthread_mutex_lock(&st.lock);
    st.f = *f;
    memset(st.calls, 0, sizeof st.calls);
    pthread_mutex_unlock(&st.lock);
    if (os != &os_faulty) os = &os_faulty;
}

void os_fault_off(void)
{
    os = &os_real;
    pthread_mutex_lock(&st.lock);
    while (st.deeds != NULL) {
        struct deed *d = st.deeds;
        st.deeds = d->older;
        if (d->kind == DEED_UNLINK) unlinkat(d->fd, d->to, 0);
        deed_free(d);
    }
    st.f = (struct os_fault){ 0 };
    pthread_mutex_unlock(&st.lock);
}

uint64_t os_fault_calls(enum os_call call)
{
    pthread_mutex_lock(&st.lock);
    uint64_t n = st.calls[call];
    pthread_mutex_unlock(&st.lock);
    return n;
}
