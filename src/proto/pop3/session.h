/* One POP3 session, as the files of this folder share it. */
#ifndef PROTO_POP3_SESSION_H
#define PROTO_POP3_SESSION_H

#include "base/param.h"
#include "proto/pop3/pop3.h"
#include "sys/stream.h"
#include "syntax/pop3_command.h"

extern int64_t pop3_command_wait_ms, pop3_write_wait_ms, pop3_ask_wait_ms;

enum pop3_state {
    POP3_HELLO = 1 << 0, /* no name yet; nothing about the peer may be trusted */
    POP3_NAMED = 1 << 1, /* name heard, password not; still a stranger */
    POP3_OPEN = 1 << 2,  /* logged in; the door is bound to one account */
    POP3_ANY = POP3_HELLO | POP3_NAMED | POP3_OPEN,
};

/* A message as it was when the maildrop was opened (RFC 1939 5: numbers do not change). */
struct pop3_message {
    uint32_t uid;
    bool deleted;
    uint64_t bytes;
};

struct pop3 {
    struct list link;
    struct pop3_world *world;
    struct config *config;
    struct tls_config *tls;
    struct fiber *fiber;
    struct stream stream;
    enum config_tls tls_mode;
    struct arena session;
    struct peer peer;
    bool loopback, wants_proxy, waiting_for_command, quit, utf8;

    enum pop3_state state;
    struct arena name_arena;
    struct str name;   /* of USER; in name_arena */
    unsigned failures; /* of logging in */
    struct door *door; /* to the account's mailboxes */
    bool door_closed;
    uint64_t mailbox;
    uint32_t uid_validity;
    struct pop3_message *messages;
    size_t message_count;
};

/* ---- server.c ---- */

/* Queue "+OK text" or "-ERR text". */
enum err pop3_ok(struct pop3 *p, struct str text);
enum err pop3_no(struct pop3 *p, struct str text);
bool pop3_is_private(const struct pop3 *p);
enum err pop3_flush(struct pop3 *p);

typedef enum err (*pop3_do)(struct pop3 *p, const struct pop3_words *w);

/* ---- login.c ---- */
enum err pop3_do_user(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_pass(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_auth(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_stls(struct pop3 *p, const struct pop3_words *w);
enum err pop3_begin_tls(struct pop3 *p);
/* Read the PROXY header that a trusted proxy sends first; the client is the one it names from then
 * on. ERR_DENIED: no header, or from a peer that is not trusted with it; and those of streams. */
enum err pop3_read_proxy(struct pop3 *p);
void pop3_put_mechanisms(struct buf *b, const struct pop3 *p);

/* ---- maildrop.c ---- */
/* Open the account's INBOX alone, and list it. ERR_BUSY: somebody has it. */
enum err pop3_maildrop_open(struct pop3 *p);
/* Do the deletions that were asked for. */
enum err pop3_maildrop_update(struct pop3 *p);
void pop3_maildrop_close(struct pop3 *p);
enum err pop3_do_stat(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_list(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_uidl(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_retr(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_top(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_dele(struct pop3 *p, const struct pop3_words *w);
enum err pop3_do_rset(struct pop3 *p, const struct pop3_words *w);

#endif
