#include "sys/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int real_openat(int folder, const char *name, int flags, mode_t mode)
{
    return openat(folder, name, flags | O_CLOEXEC, mode);
}

static int real_list(int folder, void (*each)(void *ctx, const char *name), void *ctx)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        if (fd >= 0) close(fd);
        return -1;
    }
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(d)) != NULL) {
        struct str name = str_c(entry->d_name);
        if (!str_eq(name, STR(".")) && !str_eq(name, STR(".."))) each(ctx, entry->d_name);
        errno = 0;
    }
    int failed = errno;
    closedir(d);
    errno = failed;
    return failed == 0 ? 0 : -1;
}

const struct os os_real = {
    .openat = real_openat,
    .close = close,
    .pread = pread,
    .pwritev = pwritev,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .fallocate = fallocate,
    .ftruncate = ftruncate,
    .renameat = renameat,
    .unlinkat = unlinkat,
    .mkdirat = mkdirat,
    .list = real_list,
    .fstat = fstat,
    .fstatvfs = fstatvfs,
    .flock = flock,
};

const struct os *os = &os_real;

enum err os_error(void)
{
    return err_from_errno(errno);
}

/* Forget the first `done` bytes. */
static void skip(struct iovec **iov, size_t *n, size_t done)
{
    while (*n > 0 && done >= (*iov)->iov_len) {
        done -= (*iov)->iov_len;
        (*iov)++;
        (*n)--;
    }
    if (*n == 0) return;
    (*iov)->iov_base = (char *)(*iov)->iov_base + done;
    (*iov)->iov_len -= done;
}

enum err os_write_all(int fd, struct iovec *iov, size_t n, uint64_t at)
{
    skip(&iov, &n, 0);
    while (n > 0) {
        ssize_t done = os->pwritev(fd, iov, n < IOV_MAX ? (int)n : IOV_MAX, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return os_error();
        if (done == 0) return ERR_IO;
        at += (uint64_t)done;
        skip(&iov, &n, (size_t)done);
    }
    return OK;
}

enum err os_write_str(int fd, struct str bytes, uint64_t at)
{
    /* iovec has no const; pwritev only reads. */
    struct iovec iov = { .iov_len = bytes.n };
    memcpy(&iov.iov_base, &bytes.p, sizeof bytes.p);
    return os_write_all(fd, &iov, 1, at);
}

enum err os_read_upto(int fd, void *to, size_t n, uint64_t at, size_t *got_out)
{
    size_t got = 0;
    while (got < n) {
        ssize_t done = os->pread(fd, (char *)to + got, n - got, (off_t)(at + got));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return os_error();
        if (done == 0) break;
        got += (size_t)done;
    }
    *got_out = got;
    return OK;
}

enum err os_read_all(int fd, void *to, size_t n, uint64_t at)
{
    size_t got = 0;
    enum err e = os_read_upto(fd, to, n, at, &got);
    if (e == OK && got < n) e = ERR_CORRUPT;
    return e;
}
