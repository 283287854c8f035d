/* The header of the PROXY protocol, versions 1 and 2: a load balancer in front of us tells who its
 * client is, before the first byte of the protocol proper.
 *                                              Source: HAProxy, proxy-protocol.txt (2020/03/05) */
#ifndef SYNTAX_PROXY_H
#define SYNTAX_PROXY_H

#include "syntax/ip.h"

enum {
    PROXY_V1_MAX = 107, /* longest line of version 1, CRLF included */
    PROXY_V2_MIN = 16,  /* signature, command, family, length */
    PROXY_MAX = 4096,   /* longest header of version 2 that is taken, with its TLVs */
};

struct proxy {
    unsigned version;        /* 1 or 2 */
    bool local;              /* no client: the connection's own addresses hold */
    struct ip_addr from, to; /* of the client, and what it connected to */
    uint16_t from_port, to_port;
    struct str authority;             /* server name the client asked for (SNI), or empty */
    struct str alpn, unique_id;       /* or empty */
    bool tls;                         /* the client spoke TLS with the balancer */
    bool certificate;                 /* and showed a certificate that was verified */
    struct str tls_version, tls_name; /* "TLSv1.3"; common name of that certificate; or empty */
};

/* Parse the header at the front of what has arrived so far.
 *
 *   proxy_out  its views point into `bytes`
 *   used_out   length of the header; what stands behind it is the protocol's
 *
 * ERR_AGAIN: a header may be beginning here, but more bytes are needed (never more than PROXY_MAX
 * in all); ERR_SYNTAX: this is none (decided with the first byte that does not fit), or its
 * checksum fails; ERR_LIMIT: longer than PROXY_MAX; ERR_UNSUPPORTED: datagrams or local sockets. */
enum err proxy_parse(struct str bytes, struct proxy *proxy_out, size_t *used_out);

#endif
