/* Trace fields: Received, Return-Path, Delivered-To; and counting them.
 *
 * Whatever a stranger chose (HELO, addresses) is made safe here: it can neither end the line nor
 * the comment it stands in.      Source: RFC 5321 4.4, RFC 3848, RFC 6531 4.3, RFC 8314 4.3 */
#ifndef SYNTAX_TRACE_H
#define SYNTAX_TRACE_H

#include "base/buf.h"

enum trace_protocol {
    TRACE_LOCAL, /* handed over on this machine: no "with" */
    TRACE_SMTP,  /* HELO */
    TRACE_ESMTP, /* EHLO */
    TRACE_LMTP,
};

/* What a Received field says. Empty texts leave their part out. */
struct trace {
    enum trace_protocol protocol;
    bool tls, auth, utf8;   /* the S, A and UTF8 of the protocol's name */
    struct str helo;        /* what the client called itself; anything */
    struct str client_name; /* name of the client's address if it was verified, else empty */
    struct str client_ip;   /* "192.0.2.1" or "2001:db8::1"; empty: no "from" at all */
    struct str by;          /* our own name, as configured */
    struct str id;          /* id of the message */
    struct str tls_cipher;  /* name in the IANA registry, "TLS_AES_128_GCM_SHA256" */
    struct str tls_version; /* "TLSv1.3" */
    struct str recipient;   /* "ann@example.org" when there is exactly one; else empty */
    int64_t time_s;
    int zone_minutes;
};

/* Write "Received: ...CRLF", folded so that lines stay below 78 columns unless a single word is
 * longer. */
void trace_put_received(struct buf *b, const struct trace *t);

/* Name of the protocol: "ESMTPSA", "UTF8LMTPS", "" for TRACE_LOCAL. Static lifetime. */
struct str trace_with(const struct trace *t);

/* "Return-Path: <ann@example.org>CRLF"; an empty path is "<>". */
void trace_put_return_path(struct buf *b, struct str path);

/* "Delivered-To: ann@example.orgCRLF" */
void trace_put_delivered_to(struct buf *b, struct str address);

/* How many Received fields a head has, for the loop limit (RFC 5321 6.3). */
size_t trace_hops(struct str head);

/* Has the head a Delivered-To with this address (ASCII case folded)? */
bool trace_was_delivered_to(struct str head, struct str address);

#endif
