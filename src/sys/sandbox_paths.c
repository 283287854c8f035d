/* The Landlock half of the sandbox, by raw system calls: the C library has no wrappers, and the
 * header of the build machine may be older than the kernel that runs the program. So the numbers
 * are our own (from the kernel's uapi/linux/landlock.h) and the version is asked at run time.
 *
 * What Landlock does not govern: descriptors that are open already, metadata (stat, chmod), and
 * Unix sockets by path. The system call filter stands before the last two. */
#include "sys/sandbox_inner.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Access to files: bit and the version that has it. */
enum {
    LL_EXECUTE = 1 << 0,
    LL_WRITE_FILE = 1 << 1,
    LL_READ_FILE = 1 << 2,
    LL_READ_DIR = 1 << 3,
    LL_REMOVE_DIR = 1 << 4,
    LL_REMOVE_FILE = 1 << 5,
    LL_MAKE_CHAR = 1 << 6,
    LL_MAKE_DIR = 1 << 7,
    LL_MAKE_REG = 1 << 8,
    LL_MAKE_SOCK = 1 << 9,
    LL_MAKE_FIFO = 1 << 10,
    LL_MAKE_BLOCK = 1 << 11,
    LL_MAKE_SYM = 1 << 12,
    LL_REFER = 1 << 13,     /* 2 */
    LL_TRUNCATE = 1 << 14,  /* 3 */
    LL_IOCTL_DEV = 1 << 15, /* 5 */
};
enum { LL_FS_1 = LL_REFER - 1 };
enum { LL_FOR_FILES = LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | LL_TRUNCATE | LL_IOCTL_DEV };

enum { LL_BIND_TCP = 1 << 0, LL_CONNECT_TCP = 1 << 1 };        /* 4 */
enum { LL_SCOPE_ABSTRACT = 1 << 0, LL_SCOPE_SIGNAL = 1 << 1 }; /* 6 */
enum { LL_RULE_PATH = 1, LL_RULE_PORT = 2, LL_GET_VERSION = 1 };

struct ll_ruleset {
    uint64_t fs, net, scoped;
};
struct ll_path_rule {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));
struct ll_port_rule {
    uint64_t allowed, port;
};

static void wanted(const struct sandbox *box, long version, struct ll_ruleset *set)
{
    *set = (struct ll_ruleset){ .fs = LL_FS_1 };
    if (version >= 2) set->fs |= LL_REFER;
    if (version >= 3) set->fs |= LL_TRUNCATE;
    if (version >= 5) set->fs |= LL_IOCTL_DEV;
    if (version >= 4) {
        set->net = LL_BIND_TCP;
        if ((box->calls & SANDBOX_CONNECT) == 0) set->net |= LL_CONNECT_TCP;
    }
    if (version >= 6) set->scoped = LL_SCOPE_ABSTRACT | LL_SCOPE_SIGNAL;
}

static void tell_missing(long version, struct buf *missing)
{
    if (version < 2) sandbox_miss(missing, STR("landlock-rename"));
    if (version < 3) sandbox_miss(missing, STR("landlock-truncate"));
    if (version < 4) sandbox_miss(missing, STR("landlock-net"));
    if (version < 5) sandbox_miss(missing, STR("landlock-ioctl"));
    if (version < 6) sandbox_miss(missing, STR("landlock-scope"));
}

/* An older kernel wants the struct no longer than it knows it. */
static size_t ruleset_bytes(long version)
{
    return version >= 6 ? 24 : version >= 4 ? 16 : 8;
}

static uint64_t to_access(unsigned rights)
{
    uint64_t access = 0;
    if ((rights & SANDBOX_READ) != 0) access |= LL_READ_FILE | LL_READ_DIR;
    if ((rights & SANDBOX_WRITE) != 0) access |= LL_WRITE_FILE | LL_TRUNCATE;
    if ((rights & SANDBOX_CREATE) != 0) {
        access |= LL_MAKE_REG | LL_MAKE_DIR | LL_REMOVE_FILE | LL_REMOVE_DIR | LL_REFER;
    }
    return access;
}

static enum err add_path(int ruleset, const struct ll_ruleset *set, const struct sandbox_path *p)
{
    struct stat st;
    int fd = open(p->path, O_PATH | O_CLOEXEC);
    if (fd < 0) return err_from_errno(errno);

    struct ll_path_rule rule = { .allowed = to_access(p->rights) & set->fs, .folder = fd };
    int result = fstat(fd, &st);
    if (result == 0) {
        if (!S_ISDIR(st.st_mode)) rule.allowed &= LL_FOR_FILES;
        result = (int)syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule, 0);
    }
    enum err e = result == 0 ? OK : err_from_errno(errno);
    close(fd);
    return e;
}

static enum err add_paths(int ruleset, const struct ll_ruleset *set, const struct sandbox *box,
                          struct buf *missing)
{
    for (size_t i = 0; i < box->path_count; i++) {
        enum err e = add_path(ruleset, set, &box->paths[i]);
        if (e != OK) {
            sandbox_miss(missing, str_c(box->paths[i].path));
            return e;
        }
    }
#if SANDBOX_SANITIZED
    static const struct sandbox_path proc = { "/proc", SANDBOX_READ };
    return add_path(ruleset, set, &proc);
#else
    return OK;
#endif
}

/* A client binds to a source address with the port left to the kernel: port 0 alone is allowed. */
static enum err add_source_port(int ruleset, const struct ll_ruleset *set,
                                const struct sandbox *box)
{
    struct ll_port_rule rule = { .allowed = LL_BIND_TCP, .port = 0 };
    if (set->net == 0 || (box->calls & SANDBOX_CONNECT) == 0) return OK;
    if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PORT, &rule, 0) == 0) return OK;
    return err_from_errno(errno);
}

enum err sandbox_lock_paths(const struct sandbox *box, struct buf *missing)
{
    struct ll_ruleset set;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_GET_VERSION);
    if (version < 1) {
        sandbox_miss(missing, STR("landlock"));
        return OK;
    }
    wanted(box, version, &set);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &set, ruleset_bytes(version), 0);
    if (ruleset < 0) {
        sandbox_miss(missing, STR("landlock"));
        return OK;
    }
    enum err e = add_paths(ruleset, &set, box, missing);
    if (e == OK) e = add_source_port(ruleset, &set, box);
    if (e == OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        sandbox_miss(missing, STR("landlock"));
    } else if (e == OK) {
        tell_missing(version, missing);
    }
    close(ruleset);
    return e;
}
