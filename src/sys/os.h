/* The one table through which the store calls the file system, so that a test can make any call
 * fail, come back short, or be the last one (os_fault.h). LMDB's own calls do not go through it.
 *
 * Each member behaves like the system call of its name: -1 and errno on failure. */
#ifndef SYS_OS_H
#define SYS_OS_H

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/str.h"

enum os_call {
    OS_OPEN,
    OS_CLOSE,
    OS_PREAD,
    OS_PWRITE, /* pwritev as well */
    OS_FDATASYNC,
    OS_FSYNC,
    OS_FALLOCATE,
    OS_FTRUNCATE,
    OS_RENAME,
    OS_UNLINK,
    OS_MKDIR,
    OS_LIST,
    OS_FSTAT,
    OS_FSTATVFS,
    OS_FLOCK,
    OS_CALL_COUNT,
};

struct os {
    int (*openat)(int folder, const char *name, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*pread)(int fd, void *to, size_t n, off_t at);
    ssize_t (*pwritev)(int fd, const struct iovec *iov, int n, off_t at);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*fallocate)(int fd, int mode, off_t at, off_t n);
    int (*ftruncate)(int fd, off_t bytes);
    int (*renameat)(int from_folder, const char *from, int to_folder, const char *to);
    int (*unlinkat)(int folder, const char *name, int flags);
    int (*mkdirat)(int folder, const char *name, mode_t mode);
    /* Calls `each` for every name but "." and "..", in no order. */
    int (*list)(int folder, void (*each)(void *ctx, const char *name), void *ctx);
    int (*fstat)(int fd, struct stat *out);
    int (*fstatvfs)(int fd, struct statvfs *out);
    int (*flock)(int fd, int how);
};

/* The table in use: os_real unless a test has put another one there (before any thread). */
extern const struct os *os;
extern const struct os os_real;

/* Write all of it, however many calls it takes; `iov` is used up. ERR_FULL, ERR_IO, ... as
 * err_from_errno(); the disk may then hold a part. */
enum err os_write_all(int fd, struct iovec *iov, size_t n, uint64_t at);
enum err os_write_str(int fd, struct str bytes, uint64_t at);

/* Read up to `n` bytes until the end of the file. ERR_IO, ... */
enum err os_read_upto(int fd, void *to, size_t n, uint64_t at, size_t *got_out);

/* Read exactly `n` bytes; ERR_CORRUPT when the file ends before. */
enum err os_read_all(int fd, void *to, size_t n, uint64_t at);

/* The error of the call that just failed. */
enum err os_error(void);

#endif
