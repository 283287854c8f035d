/* Sockets: a thin, exact layer over the kernel's calls.
 *
 * The one piece of cleverness is the Unix listener. A dead process leaves its path behind, and
 * bind() then fails for ever. Removing it is safe only if nobody listens there and nobody starts to
 * between the look and the removal; so the folder is locked (flock on the folder itself, which
 * leaves nothing behind) around look, removal and bind. That excludes other starters of this
 * program, and nobody else has business in the folder. */
#include "sys/net.h"
#include "base/must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { IP_TEXT_MAX = INET6_ADDRSTRLEN + IF_NAMESIZE };

union kernel_addr {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
    struct sockaddr_un path;
};

static void close_keeping_errno(int fd)
{
    int number = errno;
    close(fd);
    errno = number;
}

/* ---- text ---- */

static void set_ip4(struct net_addr *addr, const void *four)
{
    addr->kind = NET_IP4;
    memset(addr->ip, 0, sizeof addr->ip);
    memcpy(addr->ip, four, 4);
}

static void set_ip6(struct net_addr *addr, const struct in6_addr *six)
{
    if (IN6_IS_ADDR_V4MAPPED(six)) {
        set_ip4(addr, &six->s6_addr[12]);
        return;
    }
    addr->kind = NET_IP6;
    memcpy(addr->ip, six->s6_addr, sizeof addr->ip);
}

/* `s` with a NUL for the C library's door. */
static bool to_c(struct str s, char *room, size_t room_bytes)
{
    if (s.n >= room_bytes || str_find(s, '\0') != STR_NOWHERE) return false;
    memcpy(room, s.p, s.n);
    room[s.n] = '\0';
    return true;
}

static enum err parse_scope(struct str s, uint32_t *scope_out)
{
    char name[IF_NAMESIZE];
    uint64_t number;

    if (str_to_u64(s, UINT32_MAX, &number) == OK && number > 0) {
        *scope_out = (uint32_t)number;
        return OK;
    }
    if (!to_c(s, name, sizeof name) || s.n == 0) return ERR_SYNTAX;
    unsigned found = if_nametoindex(name);
    if (found == 0) return ERR_NOT_FOUND;
    *scope_out = found;
    return OK;
}

enum err net_parse_ip(struct str s, struct net_addr *addr_out)
{
    struct net_addr addr = { .path = STR_NONE };
    char room[INET6_ADDRSTRLEN];
    struct in_addr four;
    struct in6_addr six;
    size_t percent = str_find(s, '%');

    if (!to_c(str_part(s, 0, percent), room, sizeof room)) return ERR_SYNTAX;
    if (percent == STR_NOWHERE && inet_pton(AF_INET, room, &four) == 1) {
        set_ip4(&addr, &four);
    } else if (inet_pton(AF_INET6, room, &six) == 1) {
        set_ip6(&addr, &six);
    } else {
        return ERR_SYNTAX;
    }
    if (percent != STR_NOWHERE) {
        if (addr.kind != NET_IP6) return ERR_SYNTAX;
        enum err e = parse_scope(str_skip(s, percent + 1), &addr.scope);
        if (e != OK) return e;
    }
    *addr_out = addr;
    return OK;
}

static enum err parse_path(struct str path, struct net_addr *addr_out)
{
    if (!str_starts(path, STR("/")) || str_find(path, '\0') != STR_NOWHERE) return ERR_SYNTAX;
    if (path.n > NET_PATH_MAX) return ERR_RANGE;
    *addr_out = (struct net_addr){ .kind = NET_UNIX, .path = path };
    return OK;
}

enum err net_parse(struct str s, struct net_addr *addr_out)
{
    if (str_starts(s, STR("unix:"))) return parse_path(str_skip(s, 5), addr_out);

    size_t colon = str_rfind(s, ':');
    if (colon == STR_NOWHERE) return ERR_SYNTAX;
    struct str ip = str_part(s, 0, colon), digits = str_skip(s, colon + 1);
    bool in_brackets = ip.n >= 2 && str_starts(ip, STR("[")) && str_ends(ip, STR("]"));
    if (in_brackets) ip = str_part(ip, 1, ip.n - 2);
    /* Only IPv6 has colons; it must wear brackets, and nothing else may. */
    if (in_brackets != (str_find(ip, ':') != STR_NOWHERE)) return ERR_SYNTAX;

    uint64_t port;
    struct net_addr addr;
    enum err e = str_to_u64(digits, UINT16_MAX, &port);
    if (e != OK) return e;
    e = net_parse_ip(ip, &addr);
    if (e != OK) return e;
    addr.port = (uint16_t)port;
    *addr_out = addr;
    return OK;
}

void net_put_ip(struct buf *b, const struct net_addr *addr)
{
    char room[IP_TEXT_MAX];

    switch (addr->kind) {
    case NET_IP4:
        must(inet_ntop(AF_INET, addr->ip, room, sizeof room) != NULL);
        buf_put(b, str_c(room));
        break;
    case NET_IP6:
        must(inet_ntop(AF_INET6, addr->ip, room, sizeof room) != NULL);
        buf_put(b, str_c(room));
        if (addr->scope != 0) {
            buf_put_byte(b, '%');
            buf_put_u64(b, addr->scope);
        }
        break;
    case NET_UNIX:
        buf_put_lit(b, "unix");
        break;
    case NET_NONE:
        buf_put_lit(b, "-");
        break;
    }
}

void net_put(struct buf *b, const struct net_addr *addr)
{
    if (addr->kind == NET_IP6) buf_put_byte(b, '[');
    net_put_ip(b, addr);
    if (addr->kind == NET_IP6) buf_put_byte(b, ']');
    if (addr->kind == NET_NONE) return;
    buf_put_byte(b, ':');
    if (addr->kind == NET_UNIX) {
        buf_put(b, addr->path);
    } else {
        buf_put_u64(b, addr->port);
    }
}

/* ---- comparing ---- */

bool net_eq_ip(const struct net_addr *a, const struct net_addr *b)
{
    if (a->kind != b->kind) return false;
    if (a->kind == NET_UNIX) return str_eq(a->path, b->path);
    return a->scope == b->scope && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

struct str net_ip_text(struct arena *a, const struct net_addr *addr)
{
    struct buf b = BUF_INIT(128);

    net_put_ip(&b, addr);
    struct str text = arena_str(a, buf_str(&b));
    buf_free(&b);
    return text;
}

bool net_eq(const struct net_addr *a, const struct net_addr *b)
{
    return net_eq_ip(a, b) && a->port == b->port;
}

bool net_is_loopback(const struct net_addr *addr)
{
    static const uint8_t ip6_loopback[16] = { [15] = 1 };
    if (addr->kind == NET_IP4) return addr->ip[0] == 127;
    if (addr->kind == NET_IP6) return memcmp(addr->ip, ip6_loopback, 16) == 0;
    return addr->kind == NET_UNIX;
}

static unsigned address_bits(enum net_kind kind)
{
    return kind == NET_IP4 ? 32 : kind == NET_IP6 ? 128 : 0;
}

struct net_addr net_network(const struct net_addr *addr, unsigned ip4_bits, unsigned ip6_bits)
{
    struct net_addr net = *addr;
    unsigned bits = addr->kind == NET_IP4 ? ip4_bits : ip6_bits;

    must(ip4_bits <= 32 && ip6_bits <= 128);
    if (address_bits(addr->kind) == 0) return net;
    net.port = 0;
    for (unsigned i = 0; i < sizeof net.ip; i++) {
        unsigned keep = bits > 8 * i ? bits - 8 * i : 0;
        if (keep < 8) net.ip[i] = (uint8_t)(net.ip[i] & (0xff00u >> keep));
    }
    return net;
}

enum err net_range_parse(struct str s, struct net_range *range_out)
{
    struct net_range range;
    struct str ip = s;
    size_t slash = str_find(s, '/');

    if (slash != STR_NOWHERE) ip = str_part(s, 0, slash);
    enum err e = net_parse_ip(ip, &range.base);
    if (e != OK) return e;
    range.bits = address_bits(range.base.kind);
    if (slash != STR_NOWHERE) {
        uint64_t bits;
        e = str_to_u64(str_skip(s, slash + 1), range.bits, &bits);
        if (e != OK) return e;
        range.bits = (unsigned)bits;
    }
    unsigned ip4_bits = range.base.kind == NET_IP4 ? range.bits : 0;
    unsigned ip6_bits = range.base.kind == NET_IP6 ? range.bits : 0;
    struct net_addr base = net_network(&range.base, ip4_bits, ip6_bits);
    if (!net_eq_ip(&base, &range.base)) return ERR_INVALID;
    *range_out = range;
    return OK;
}

bool net_range_has(const struct net_range *range, const struct net_addr *addr)
{
    if (range->base.kind != addr->kind || address_bits(addr->kind) == 0) return false;
    if (range->base.scope != 0 && range->base.scope != addr->scope) return false;
    unsigned ip4_bits = addr->kind == NET_IP4 ? range->bits : 0;
    unsigned ip6_bits = addr->kind == NET_IP6 ? range->bits : 0;
    struct net_addr net = net_network(addr, ip4_bits, ip6_bits);
    return memcmp(net.ip, range->base.ip, sizeof net.ip) == 0;
}

/* ---- to and from the kernel's structs ---- */

static socklen_t to_kernel(const struct net_addr *addr, union kernel_addr *k)
{
    memset(k, 0, sizeof *k);
    switch (addr->kind) {
    case NET_IP4:
        k->ip4.sin_family = AF_INET;
        k->ip4.sin_port = htons(addr->port);
        memcpy(&k->ip4.sin_addr, addr->ip, 4);
        return sizeof k->ip4;
    case NET_IP6:
        k->ip6.sin6_family = AF_INET6;
        k->ip6.sin6_port = htons(addr->port);
        k->ip6.sin6_scope_id = addr->scope;
        memcpy(&k->ip6.sin6_addr, addr->ip, 16);
        return sizeof k->ip6;
    case NET_UNIX:
        must(addr->path.n > 0 && addr->path.n <= NET_PATH_MAX);
        k->path.sun_family = AF_UNIX;
        memcpy(k->path.sun_path, addr->path.p, addr->path.n);
        return sizeof k->path;
    case NET_NONE:
        break;
    }
    must(addr->kind != NET_NONE);
    return 0;
}

static struct net_addr from_kernel(const union kernel_addr *k)
{
    struct net_addr addr = { .path = STR_NONE };

    switch (k->any.sa_family) {
    case AF_INET:
        set_ip4(&addr, &k->ip4.sin_addr);
        addr.port = ntohs(k->ip4.sin_port);
        break;
    case AF_INET6:
        set_ip6(&addr, &k->ip6.sin6_addr);
        addr.port = ntohs(k->ip6.sin6_port);
        if (addr.kind == NET_IP6) addr.scope = k->ip6.sin6_scope_id;
        break;
    case AF_UNIX:
        addr.kind = NET_UNIX;
        break;
    default:
        break;
    }
    return addr;
}

static enum err from_errno(void)
{
    switch (errno) {
    case EADDRNOTAVAIL:
        return ERR_NOT_FOUND;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
        return ERR_UNAVAILABLE;
    case ENOBUFS:
        return ERR_LIMIT;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return ERR_UNSUPPORTED;
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return ERR_INVALID;
    default:
        return err_from_errno(errno);
    }
}

static enum err new_socket(enum net_kind kind, int *fd_out)
{
    int family = kind == NET_IP4 ? AF_INET : kind == NET_IP6 ? AF_INET6 : AF_UNIX;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return from_errno();
    *fd_out = fd;
    return OK;
}

static enum err set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? OK : from_errno();
}

/* ---- listening ---- */

static enum err bind_to(int fd, const struct net_addr *addr)
{
    union kernel_addr k;
    socklen_t n = to_kernel(addr, &k);
    return bind(fd, &k.any, n) == 0 ? OK : from_errno();
}

/* The folder of the path, locked against other starters until it is closed. */
static enum err lock_folder(struct str path, int *folder_out)
{
    char room[NET_PATH_MAX + 1];
    size_t slash = str_rfind(path, '/');

    must(to_c(str_part(path, 0, slash > 0 ? slash : 1), room, sizeof room));
    int folder = open(room, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return from_errno();
    while (flock(folder, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        close_keeping_errno(folder);
        return from_errno();
    }
    *folder_out = folder;
    return OK;
}

/* OK: the path is free now; nobody listened at what stood there. */
static enum err remove_stale(const struct net_addr *addr)
{
    union kernel_addr k;
    socklen_t n = to_kernel(addr, &k);
    struct stat st;
    int probe;

    if (lstat(k.path.sun_path, &st) != 0) return errno == ENOENT ? OK : from_errno();
    if (!S_ISSOCK(st.st_mode)) return ERR_EXISTS;
    enum err e = new_socket(NET_UNIX, &probe);
    if (e != OK) return e;
    int result = connect(probe, &k.any, n);
    close_keeping_errno(probe);
    /* EAGAIN is a full queue, EACCES somebody else's socket: both may be alive. */
    if (result == 0 || errno == EAGAIN) return ERR_BUSY;
    if (errno != ECONNREFUSED) return from_errno();
    return unlink(k.path.sun_path) == 0 ? OK : from_errno();
}

static enum err bind_path(int fd, const struct net_listen *want)
{
    union kernel_addr k;
    int folder;

    (void)to_kernel(&want->addr, &k);
    /* The new inode's mode is that of the socket before bind() less the umask: set so, there is no
     * moment in which the path can be used by more than it should. */
    if (fchmod(fd, want->unix_mode != 0 ? want->unix_mode : 0600) != 0) return from_errno();
    enum err e = lock_folder(want->addr.path, &folder);
    if (e != OK) return e;
    mode_t old = umask(0);
    e = bind_to(fd, &want->addr);
    if (e == ERR_BUSY) {
        e = remove_stale(&want->addr);
        if (e == OK) e = bind_to(fd, &want->addr);
    }
    umask(old);
    if (e == OK && want->unix_chown &&
        lchown(k.path.sun_path, want->unix_uid, want->unix_gid) != 0) {
        e = from_errno();
        err_ignore(unlink(k.path.sun_path) == 0 ? OK : ERR_IO); /* it is ours and useless now */
    }
    close_keeping_errno(folder);
    return e;
}

static enum err bind_ip(int fd, const struct net_listen *want)
{
    enum err e = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (e == OK && want->share_port) e = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (e == OK && want->addr.kind == NET_IP6) e = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (e == OK && want->defer_accept_s > 0) {
        e = set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, (int)want->defer_accept_s);
    }
    return e == OK ? bind_to(fd, &want->addr) : e;
}

enum err net_listen(const struct net_listen *want, int *fd_out)
{
    int fd;
    enum err e = new_socket(want->addr.kind, &fd);
    if (e != OK) return e;
    e = want->addr.kind == NET_UNIX ? bind_path(fd, want) : bind_ip(fd, want);
    /* The kernel cuts the backlog at net.core.somaxconn. */
    if (e == OK && listen(fd, want->backlog > 0 ? want->backlog : 65535) != 0) e = from_errno();
    if (e != OK) {
        close_keeping_errno(fd);
        return e;
    }
    *fd_out = fd;
    return OK;
}

void net_unlisten(const struct net_addr *addr)
{
    union kernel_addr k;
    struct stat st;

    if (addr->kind != NET_UNIX) return;
    (void)to_kernel(addr, &k);
    if (lstat(k.path.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return;
    (void)!unlink(k.path.sun_path); /* a left-over path is removed at the next start as well */
}

/* ---- connections ---- */

/* The errors of a connection that died while it waited (accept(2), "Error handling"). */
static bool died_in_queue(int number)
{
    switch (number) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EPERM: /* a firewall rule forbade it */
        return true;
    default:
        return false;
    }
}

enum err net_accept(int listen_fd, int *fd_out, struct net_addr *peer_out)
{
    union kernel_addr k;

    /* Bounded, so that a broken interface cannot hold the loop: the rest waits for the next call.
     */
    for (int tries = 0; tries < 1000; tries++) {
        socklen_t n = sizeof k;
        memset(&k, 0, sizeof k);
        int fd = accept4(listen_fd, &k.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            *fd_out = fd;
            *peer_out = from_kernel(&k);
            return OK;
        }
        if (!died_in_queue(errno)) return from_errno();
    }
    return ERR_LIMIT;
}

static enum err connect_from(int fd, const struct net_addr *to, const struct net_addr *from)
{
    union kernel_addr k;
    enum err e = OK;

    if (from != NULL) {
        /* Choose the port at connect(), when the other end is known: many more can share it. */
        if (from->port == 0 && from->kind != NET_UNIX) {
            e = set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        }
        if (e == OK) e = bind_to(fd, from);
        if (e != OK) return e;
    }
    socklen_t n = to_kernel(to, &k);
    if (connect(fd, &k.any, n) == 0 || errno == EINPROGRESS || errno == EINTR) return OK;
    return from_errno();
}

enum err net_connect(const struct net_addr *to, const struct net_addr *from, int *fd_out)
{
    int fd;
    if (from != NULL && from->kind != to->kind) return ERR_INVALID;
    enum err e = new_socket(to->kind, &fd);
    if (e != OK) return e;
    e = connect_from(fd, to, from);
    if (e != OK) {
        close_keeping_errno(fd);
        return e;
    }
    *fd_out = fd;
    return OK;
}

enum err net_connect_result(int fd)
{
    int number = 0;
    socklen_t n = sizeof number;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0) return from_errno();
    if (number == 0) return OK;
    errno = number;
    return from_errno();
}

enum err net_local(int fd, struct net_addr *addr_out)
{
    union kernel_addr k = { .any.sa_family = AF_UNSPEC };
    socklen_t n = sizeof k;
    if (getsockname(fd, &k.any, &n) != 0) return from_errno();
    *addr_out = from_kernel(&k);
    return OK;
}

enum err net_peer(int fd, struct net_addr *addr_out)
{
    union kernel_addr k = { .any.sa_family = AF_UNSPEC };
    socklen_t n = sizeof k;
    if (getpeername(fd, &k.any, &n) != 0) return from_errno();
    *addr_out = from_kernel(&k);
    return OK;
}

enum err net_peer_cred(int fd, struct net_cred *cred_out)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0) return from_errno();
    /* The kernel says pid 0 and uid -1 for a socket that has no such peer (TCP). */
    if (cred.uid == (uid_t)-1) return ERR_UNSUPPORTED;
    *cred_out = (struct net_cred){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
    return OK;
}

enum err net_set_nodelay(int fd)
{
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

enum err net_set_keepalive(int fd, unsigned idle_s, unsigned interval_s, unsigned count)
{
    enum err e = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (e == OK) e = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle_s);
    if (e == OK) e = set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)interval_s);
    if (e == OK) e = set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, (int)count);
    return e;
}
