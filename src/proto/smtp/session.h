/* One SMTP session, as the files of this folder share it. */
#ifndef PROTO_SMTP_SESSION_H
#define PROTO_SMTP_SESSION_H

#include "base/param.h"
#include "proto/smtp/smtp.h"
#include "sys/stream.h"
#include "syntax/smtp_command.h"
#include "syntax/smtp_data.h"

extern int64_t smtp_command_wait_ms, smtp_data_wait_ms, smtp_write_wait_ms, smtp_ask_wait_ms,
    smtp_tls_wait_ms;
extern int64_t smtp_message_max, smtp_rcpts_max, smtp_hops_max, smtp_text_line_max, smtp_errors_max,
    smtp_tarpit_ms;

/* Where the dialog stands; a command names the states in which it may come. */
enum smtp_state {
    SMTP_FRESH = 1 << 0,    /* no greeting of the client's yet */
    SMTP_NAMED = 1 << 1,    /* HELO, EHLO or LHLO heard; no transaction */
    SMTP_MAILING = 1 << 2,  /* MAIL accepted, no recipient yet */
    SMTP_RCPTING = 1 << 3,  /* at least one recipient accepted */
    SMTP_CHUNKING = 1 << 4, /* BDAT has begun */
    SMTP_ANY = SMTP_FRESH | SMTP_NAMED | SMTP_MAILING | SMTP_RCPTING | SMTP_CHUNKING,
};

/* The content as it arrives: its first part in memory, the rest at the depot. */
struct smtp_body_in {
    struct smtp_data_rules rules;
    struct smtp_data text;
    struct buf first, rest;  /* rest: decoded, not yet staged */
    uint64_t stage;          /* 0: nothing staged */
    struct door *stage_door; /* the depot that holds it; null when that link has closed */
    enum err failed;         /* why staging gave up; the dialog goes on to the end of the data */
};

struct smtp {
    struct list link; /* in world->sessions */
    struct smtp_world *world;
    struct config *config;
    struct tls_config *tls;
    struct fiber *fiber;
    struct stream stream;
    struct net_addr from; /* of the socket, for the crowd */
    bool counted;

    enum service service;
    bool offers_auth, wants_proxy;
    enum config_tls tls_mode;

    struct arena session; /* lives until the end: nothing that a client can repeat goes here */
    struct arena hello;   /* what the last HELO, EHLO or LHLO said */
    struct peer peer;
    unsigned may; /* CONFIG_MAY_* */
    bool loopback;

    enum smtp_state state;
    struct arena mail; /* of the transaction */
    struct envelope envelope;
    size_t rcpt_cap, rcpt_bytes;
    uint64_t message;
    int64_t begun_us;
    struct smtp_body_in body;

    unsigned errors; /* refused or odd commands */
    unsigned unknown_verbs;
    uint32_t messages;        /* accepted */
    bool waiting_for_command; /* may be told to go at once */
    bool quit;
};

/* ---- reply.c ---- */

/* Queue a reply: `code`, enhanced code if `class` > 0 (and the client spoke EHLO or LHLO), text. */
void smtp_say(struct smtp *s, unsigned code, unsigned class, unsigned subject, unsigned detail,
              struct str text);
#define smtp_say_ok(s, subject, detail, lit) smtp_say((s), 250, 2, (subject), (detail), STR(lit))

/* Queue an outcome. A refusal gets a look-up code, a log line, and a note for explain; `inputs` are
 * the facts that it was decided on ("rcpt=ann@example.org size=12"). */
void smtp_say_outcome(struct smtp *s, struct outcome *o, struct str inputs);

/* A standing refusal by its name in the table; counts as an error of the client. */
void smtp_refuse(struct smtp *s, const char *reason, struct str inputs);

/* A fault in the grammar, said precisely. */
void smtp_say_fault(struct smtp *s, const struct smtp_command *c);

/* Send what is queued. */
enum err smtp_flush(struct smtp *s);

/* ---- ask.c: questions to other roles; a role that is away becomes a temporary outcome, OK always
 * ---- */

/* `stage` 0: at connect, 1: after HELO or EHLO. Views in the outcome live in `a`. */
enum err smtp_ask_peer(struct smtp *s, unsigned stage, struct arena *a, struct outcome *out);
enum err smtp_ask_sender(struct smtp *s, const struct envelope *e, struct arena *a,
                         struct outcome *out);
enum err smtp_ask_rcpt(struct smtp *s, struct str address, struct arena *a,
                       struct route_rcpt_rep *out);
enum err smtp_ask_expand(struct smtp *s, struct str text, bool expand, struct arena *a,
                         struct address_expand_rep *out);
enum err smtp_ask_offer(struct smtp *s, const struct offer_req *in, struct arena *a,
                        struct offer_rep *out);

/* ---- the commands: hello.c mail.c content.c login.c inquiry.c ---- */

/* Each serves one command whose state and grammar have been checked. OK, or an error that ends the
 * session. */
typedef enum err (*smtp_do)(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_hello(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_starttls(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_xclient(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_mail(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_rcpt(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_rset(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_data(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_bdat(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_auth(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_noop(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_quit(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_help(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_lookup(struct smtp *s, const struct smtp_command *c);
enum err smtp_do_etrn(struct smtp *s, const struct smtp_command *c);

/* Forget the transaction (and its stage). */
void smtp_reset(struct smtp *s);

/* Read the PROXY header that a trusted proxy sends first. ERR_PROTOCOL, ERR_DENIED and those of
 * streams. */
enum err smtp_read_proxy(struct smtp *s);

/* Begin TLS as the server and note what came out of it. ERR_TLS: nothing more can be said. */
enum err smtp_begin_tls(struct smtp *s);

/* May passwords and mail go over this connection as it is? */
bool smtp_is_private(const struct smtp *s);

/* Names of the commands that HELP lists, with spaces: those that do something here. */
void smtp_put_verbs(struct buf *b, const struct smtp *s);

#endif
