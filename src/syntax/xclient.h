/* XCLIENT: a trusted relay in front of us tells who its client is.
 *
 *     XCLIENT NAME=mail.example.org ADDR=IPV6:2001:db8::1 PORT=4711 LOGIN=[UNAVAILABLE]
 *                                                      Source: Postfix, XCLIENT_README */
#ifndef SYNTAX_XCLIENT_H
#define SYNTAX_XCLIENT_H

#include "base/arena.h"
#include "syntax/ip.h"

enum xclient_attribute {
    XCLIENT_NAME = 1 << 0,
    XCLIENT_ADDR = 1 << 1,
    XCLIENT_PORT = 1 << 2,
    XCLIENT_PROTO = 1 << 3,
    XCLIENT_HELO = 1 << 4,
    XCLIENT_LOGIN = 1 << 5,
    XCLIENT_DESTADDR = 1 << 6,
    XCLIENT_DESTPORT = 1 << 7,
};

struct xclient {
    unsigned given;       /* attributes that came with a value */
    unsigned unavailable; /* that came as [UNAVAILABLE]: there is none */
    unsigned temporary;   /* that came as [TEMPUNAVAIL]: could not be found out now */
    struct str name;      /* host name in normal form */
    struct str helo;      /* printable ASCII */
    struct str login;     /* printable UTF-8, not empty */
    struct ip_addr addr, dest_addr;
    uint16_t port, dest_port;
    bool esmtp; /* PROTO=ESMTP, not SMTP */
};

/* Attributes this parser knows, as EHLO offers them: "NAME ADDR PORT ...". Static lifetime. */
struct str xclient_attributes(void);

/* Parse what stands behind the word XCLIENT. Values are put into the arena.
 *
 * ERR_SYNTAX: not name=value, a name twice, a value that is no xtext or not of its kind;
 * ERR_UNSUPPORTED: an unknown name. `bad_out` then is the name at fault, a view into `text`. */
enum err xclient_parse(struct str text, struct arena *a, struct xclient *client_out,
                       struct str *bad_out);

#endif
