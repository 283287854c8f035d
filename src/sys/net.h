/* Sockets and their addresses. Numbers and paths only: no name is ever looked up here.
 *
 * Nothing here waits: every descriptor that comes out is non-blocking and closes on exec. Failures
 * come as `enum err`; errno still holds the kernel's word when a call that touched the kernel
 * returns one, for the caller's log line beside the address that it holds anyway. */
#ifndef SYS_NET_H
#define SYS_NET_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"

enum net_kind { NET_NONE, NET_IP4, NET_IP6, NET_UNIX };

/* One end of a connection. One address has one form: an IPv4 address in IPv6 clothes (RFC 4291
 * 2.5.5.2) becomes NET_IP4 wherever it enters. */
struct net_addr {
    enum net_kind kind;
    uint16_t port;   /* host order; 0 on listening asks the kernel for a free one */
    uint32_t scope;  /* interface number of a link-local IPv6 address, else 0 */
    uint8_t ip[16];  /* network order; NET_IP4 uses the first 4, the rest is 0 */
    struct str path; /* NET_UNIX: absolute path, a view; empty for a peer without a name */
};

/* The longest path that the kernel's struct takes with its NUL (unix(7)). */
enum { NET_PATH_MAX = 107 };

/* "127.0.0.1:25", "[::1]:25", "[fe80::1%eth0]:25" or "unix:/run/x.sock". `addr_out->path` looks
 * into `s`. ERR_SYNTAX; ERR_RANGE: the port or the length of the path; ERR_NOT_FOUND: no such
 * interface. */
enum err net_parse(struct str s, struct net_addr *addr_out);

/* An IP address alone, without port and brackets. ERR_SYNTAX, ERR_NOT_FOUND as above. */
enum err net_parse_ip(struct str s, struct net_addr *addr_out);

/* The form that net_parse() reads. IPv6 as in RFC 5952; an unnamed Unix peer is "unix:". */
void net_put(struct buf *b, const struct net_addr *addr);

/* The address alone, without port and brackets ("unix" for Unix sockets): for logs, the trace
 * header and limits per address. */
void net_put_ip(struct buf *b, const struct net_addr *addr);

/* The same as text in the arena. */
struct str net_ip_text(struct arena *a, const struct net_addr *addr);

bool net_eq(const struct net_addr *a, const struct net_addr *b);    /* address and port */
bool net_eq_ip(const struct net_addr *a, const struct net_addr *b); /* address only */

/* 127.0.0.0/8, ::1 or a Unix socket: who speaks sits on this machine. */
bool net_is_loopback(const struct net_addr *addr);

/* The network that `addr` is in: bits past the first `ip4_bits` or `ip6_bits` cleared, port 0.
 * For limits per network. Unix addresses come out as they are. */
struct net_addr net_network(const struct net_addr *addr, unsigned ip4_bits, unsigned ip6_bits);

/* "10.0.0.0/8", "2001:db8::/32", or a lone address. */
struct net_range {
    struct net_addr base;
    unsigned bits;
};

/* ERR_SYNTAX; ERR_RANGE: more bits than the address has; ERR_INVALID: bits set behind the prefix,
 * which is almost always a slip of the finger. */
enum err net_range_parse(struct str s, struct net_range *range_out);
bool net_range_has(const struct net_range *range, const struct net_addr *addr);

struct net_listen {
    struct net_addr addr;
    int backlog;             /* 0: as much as the kernel gives */
    unsigned defer_accept_s; /* wake only when the client has spoken; for protocols in which it
                                speaks first (implicit TLS, HTTP); 0: off */
    bool share_port;         /* SO_REUSEPORT: several processes, each with its own queue */
    mode_t unix_mode;        /* rights on the path; 0: 0600 */
    bool unix_chown;         /* give the path to these: */
    uid_t unix_uid;
    gid_t unix_gid;
};

/* A listening socket. TCP: SO_REUSEADDR, IPv6 without IPv4. Unix: a socket that a dead process
 * left at the path is removed; a live one, or anything that is not a socket, is not touched.
 * Blocks for as long as another starter holds the same folder, so call it before serving.
 *
 * ERR_BUSY: somebody listens there; ERR_EXISTS: the path is no socket; ERR_DENIED; ERR_NOT_FOUND:
 * the address is not on this machine, or the folder is missing; else from errno. */
enum err net_listen(const struct net_listen *want, int *fd_out);

/* Remove the path of a Unix listener at the end; does nothing for others or if it is no socket. */
void net_unlisten(const struct net_addr *addr);

/* The next waiting connection. Connections that died in the queue are passed over (accept(2)).
 * Call it until ERR_AGAIN. ERR_LIMIT: no descriptor left: connections stay in the queue and an
 * edge-triggered watch will not tell again, so the caller must come back by itself. */
enum err net_accept(int listen_fd, int *fd_out, struct net_addr *peer_out);

/* Begin to connect to `to` from the source address `from` (null: the kernel's choice; its port
 * should be 0). OK: either done or on its way; wait until the descriptor is writable, then ask
 * net_connect_result(). ERR_AGAIN: a Unix listener's queue is full. */
enum err net_connect(const struct net_addr *to, const struct net_addr *from, int *fd_out);

/* How the connection attempt ended: OK, ERR_UNAVAILABLE (refused, unreachable), ERR_TIMEOUT … */
enum err net_connect_result(int fd);

/* Both ends' addresses. Unix: the kind only, the path stays empty. */
enum err net_local(int fd, struct net_addr *addr_out);
enum err net_peer(int fd, struct net_addr *addr_out);

/* Who connected to this Unix socket, as the kernel saw it then (SO_PEERCRED). */
struct net_cred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
enum err net_peer_cred(int fd, struct net_cred *cred_out);

/* Send small writes at once. ERR_UNSUPPORTED on Unix sockets, where it means nothing. */
enum err net_set_nodelay(int fd);

/* Notice a peer that vanished without a word: first question after `idle_s`, then every
 * `interval_s`, dead after `count` without an answer. */
enum err net_set_keepalive(int fd, unsigned idle_s, unsigned interval_s, unsigned count);

#endif
