#include "tool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024 };

enum err file_why(struct command *c, struct str path, int number)
{
    if (c->why.n == 0) {
        buf_put(&c->why, path);
        buf_put_lit(&c->why, ": ");
        buf_put(&c->why, str_c(strerror(number)));
    }
    return err_from_errno(number);
}

enum err file_read(struct command *c, struct str path, struct buf *out)
{
    bool is_stdin = str_eq(path, STR("-"));
    int fd = is_stdin ? STDIN_FILENO : open(arena_c(&c->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_why(c, path, errno);
    enum err e = OK;
    for (;;) {
        char byte, *at = &byte; /* a full buf: is there more? */
        size_t room = out->max_bytes - out->n, want = room < READ_BYTES ? room : READ_BYTES;
        if (want > 0) at = buf_reserve(out, want);
        ssize_t n = read(fd, at, want > 0 ? want : 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) e = file_why(c, path, errno);
        if (n > 0 && want == 0) {
            buf_put(&c->why, path);
            buf_put_lit(&c->why, ": too large");
            e = ERR_LIMIT;
        }
        if (n <= 0 || e != OK) break;
        buf_commit(out, (size_t)n);
    }
    if (!is_stdin) close(fd);
    return e;
}

enum err file_write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_from_errno(errno);
        bytes = str_skip(bytes, (size_t)n);
    }
    return OK;
}
