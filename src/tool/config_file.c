/* Plain blocking reads with a ceiling. Only regular files: a configuration that is a pipe or a
 * device would hold the keeper up. */
#include "tool/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 256, READ_BYTES = 65536 };

static enum err read_all(int fd, struct buf *b)
{
    for (;;) {
        char *at = buf_reserve(b, READ_BYTES);
        if (at == NULL) return ERR_LIMIT;
        ssize_t n = read(fd, at, READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_from_errno(errno);
        if (n == 0) return OK;
        buf_commit(b, (size_t)n);
    }
}

static enum err read_file(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    struct buf b = buf_new(CONF_BYTES_MAX + READ_BYTES + 1);
    struct stat st;

    (void)ctx;
    int fd = open(arena_c(a, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return err_from_errno(errno);
    enum err e = fstat(fd, &st) == 0 ? OK : err_from_errno(errno);
    if (e == OK && !S_ISREG(st.st_mode)) e = ERR_UNSUPPORTED;
    if (e == OK) e = read_all(fd, &b);
    close(fd);
    if (e == OK) *bytes_out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return e;
}

enum err config_file_read(const char *path, struct config **config_out, struct conf_faults *faults)
{
    struct arena a = ARENA_INIT(0);
    struct str name = str_c(path);
    char machine[NAME_BYTES] = { 0 };

    if (gethostname(machine, sizeof machine - 1) != 0) machine[0] = 0;
    if (!str_starts(name, STR("/"))) {
        char *here = getcwd(NULL, 0);
        while (str_starts(name, STR("./"))) {
            name = str_skip(name, 2);
        }
        if (here != NULL) name = ARENA_JOIN(&a, str_c(here), STR("/"), name);
        free(here);
    }
    struct config_source source = { .name = name,
                                    .reader = { .read = read_file },
                                    .machine = str_c(machine) };
    enum err e = config_read(&source, config_out, faults);
    arena_free(&a);
    return e;
}
