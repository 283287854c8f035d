/* The load driver's kinds of load, and the options they share. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/conn.h"

/* Source addresses: `count` of them from `first` on, in host order; count 0: the kernel chooses. */
struct sources {
    uint32_t first, count;
};

struct load_options {
    struct sockaddr_in server;
    struct sources from;
    uint32_t sessions;       /* at the same time */
    uint32_t messages;       /* all together (smtp, tls); in each mailbox (pop3) */
    uint32_t per_connection; /* messages until QUIT */
    uint32_t rcpts;          /* a message */
    uint32_t accounts;       /* how many names the address pattern stands for */
    uint32_t first_account;  /* the number of the first of them */
    size_t size;             /* bytes of a message, header and body, on the wire without the dot */
    struct str name_head, name_tail; /* the address pattern, before and after its '%' */
    struct str password;
    bool pipelining, starttls, hello, uidl;
    uint32_t slow;       /* idle: how many of the sessions dribble */
    uint32_t dribble_ms; /* idle: a byte each so often */
    uint32_t ramp;       /* idle: how many may be coming up at the same time */
    int64_t deadline_us; /* of now_us(): give up then */
};

/* Send `messages` through `sessions`; print one tally. True when all went well. */
bool load_smtp(const struct load_options *o);

/* The same dialog, but only up to the second EHLO after STARTTLS: counts handshakes. */
bool load_tls(const struct load_options *o);

/* Connect `sessions` and hold them. Prints one line of JSON when all are up or refused, and one
 * when standard input ends or the deadline comes. True when none was refused or lost. */
bool load_idle(const struct load_options *o);

/* Log in `sessions` accounts at once, list, and fetch `messages` each; print one tally. */
bool load_pop3(const struct load_options *o);

/* Say why the options make no sense, and how they should be; end with 2. */
_Noreturn void load_usage(const char *why);

/* Source address of session `index`. */
struct in_addr load_source(const struct load_options *o, uint32_t index);

/* The address of account `number` (counted from 0, taken modulo `accounts`). */
void load_put_name(const struct load_options *o, uint64_t number, struct buf *b);

/* A client's TLS context that checks nobody and resumes nothing. Ends the process on failure. */
SSL_CTX *load_tls_context(void);

/* The next whole reply (RFC 5321 4.2.1: lines with '-' after the code go on) in `in`.
 *
 *   code_out  its number
 *   last_out  its last line without CRLF
 *   n_out     bytes of all its lines
 *
 * OK, ERR_AGAIN (not whole yet), ERR_SYNTAX (no reply at all). */
enum err load_reply(struct str in, unsigned *code_out, struct str *last_out, size_t *n_out);

#endif
