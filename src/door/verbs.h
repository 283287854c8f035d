/* The verbs: every question that one role may ask another, in one table.
 *
 * A request or reply is a struct of nouns (VERB_STRUCTS below); its wire form is made from the same
 * list of fields, so that both ends cannot disagree. */
#ifndef DOOR_VERBS_H
#define DOOR_VERBS_H

#include "model/directory.h"
#include "model/envelope.h"
#include "model/message.h"
#include "model/outcome.h"
#include "model/plan.h"
#include "model/role.h"
#include "model/trace.h"

enum {
    VERB_SMALL = 64 * 1024,
    VERB_BODY = 256 * 1024,               /* a body that travels in a frame */
    VERB_OFFER = VERB_BODY + 1024 * 1024, /* with envelope of ENVELOPE_RCPT_MAX */
    VERB_PLAN = 3 * 1024 * 1024,
    VERB_CHUNK = 1024 * 1024 + 4096,
    VERB_PAGE = 2 * 1024 * 1024,
};

#define BIT(role)          (1u << (role))
#define FROM_STRANGER_SIDE (BIT(ROLE_EDGE) | BIT(ROLE_FILTER))

/* name, callers, server, needs an account-bound door, request max, reply max, what it asks */
/* A row a line. */
/* clang-format off */
#define VERB_LIST(X)                                                                               \
    /* the keeper and its roles */                                                                 \
    X(role_begin, BIT(ROLE_KEEPER), false, VERB_PLAN, VERB_SMALL, "configuration; answered when ready") \
    X(role_link, BIT(ROLE_KEEPER), false, VERB_SMALL, VERB_SMALL, "a channel to another role")     \
    X(role_listen, BIT(ROLE_KEEPER), false, VERB_SMALL, VERB_SMALL, "a listening socket")          \
    X(role_stop, BIT(ROLE_KEEPER), false, VERB_SMALL, VERB_SMALL, "finish what is under way and end") \
    X(role_status, BIT(ROLE_KEEPER), false, VERB_SMALL, VERB_PAGE, "counters")                     \
    X(system_status, BIT(ROLE_DEPOT), false, VERB_SMALL, VERB_PAGE, "counters of all roles")       \
    /* edge to filter */                                                                           \
    X(peer_check, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "may this client speak (check rules)") \
    X(sender_check, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "may this reverse-path be used") \
    X(route_rcpt, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "where a recipient leads") \
    X(address_expand, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "VRFY and EXPN") \
    X(offer, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_OFFER, VERB_PAGE, "a message: plan, commit, outcome") \
    /* edge and filter to depot */                                                                 \
    X(stage_open, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "begin to stage a large body")    \
    X(stage_append, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_CHUNK, VERB_SMALL, "its next chunk")               \
    X(stage_drop, BIT(ROLE_EDGE) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "forget it")                      \
    X(stage_read, BIT(ROLE_FILTER), false, VERB_SMALL, VERB_CHUNK, "bytes of a staged body")       \
    X(directory_resolve, BIT(ROLE_FILTER) | BIT(ROLE_TOOL), false, VERB_SMALL, VERB_PAGE, "one step of where an address leads") \
    X(quota_check, BIT(ROLE_FILTER), false, VERB_SMALL, VERB_SMALL, "has an account room for so many bytes") \
    X(directory_changed, BIT(ROLE_DEPOT), false, VERB_SMALL, VERB_SMALL, "forget cached look-ups") \
    X(intake_commit, BIT(ROLE_FILTER), false, VERB_PLAN, VERB_SMALL, "carry out a plan, durably")  \
    X(refusal_note, FROM_STRANGER_SIDE, false, VERB_SMALL, VERB_SMALL, "remember a refusal for explain") \
    /* logging in */                                                                               \
    X(auth_begin, BIT(ROLE_EDGE) | BIT(ROLE_SESSION), false, VERB_SMALL, VERB_SMALL, "begin a SASL exchange") \
    X(auth_step, BIT(ROLE_EDGE) | BIT(ROLE_SESSION), false, VERB_SMALL, VERB_SMALL, "the client's next words") \
    X(auth_cancel, BIT(ROLE_EDGE) | BIT(ROLE_SESSION), false, VERB_SMALL, VERB_SMALL, "the client gave up") \
    X(credential_get, BIT(ROLE_AUTHD), false, VERB_SMALL, VERB_SMALL, "how a login proves itself") \
    X(credential_renew, BIT(ROLE_AUTHD), false, VERB_SMALL, VERB_SMALL, "a better form of a credential that was just proved") \
    X(account_door, BIT(ROLE_AUTHD), false, VERB_SMALL, VERB_SMALL, "a channel bound to one account") \
    /* a user's door, bound to one account */                                                      \
    X(mailbox_open, BIT(ROLE_SESSION), true, VERB_SMALL, VERB_SMALL, "open a mailbox, perhaps alone") \
    X(mailbox_close, BIT(ROLE_SESSION), true, VERB_SMALL, VERB_SMALL, "give it back")              \
    X(message_list, BIT(ROLE_SESSION), true, VERB_SMALL, VERB_PAGE, "a page of a mailbox")         \
    X(message_read, BIT(ROLE_SESSION), true, VERB_SMALL, VERB_CHUNK, "bytes of a message as served") \
    X(message_expunge, BIT(ROLE_SESSION), true, VERB_SMALL, VERB_SMALL, "remove messages by UID")  \
    /* the administrator's door */                                                                 \
    X(admin, BIT(ROLE_TOOL), false, VERB_PLAN, VERB_PAGE, "a command of the command line (door/admin.h)") \
    X(transfer_mailboxes, BIT(ROLE_TOOL), false, VERB_SMALL, VERB_PAGE, "an account's mailboxes, for import and export") \
    X(transfer_mailbox, BIT(ROLE_TOOL), false, VERB_SMALL, VERB_SMALL, "find or make a mailbox for an import") \
    X(import_commit, BIT(ROLE_TOOL), false, VERB_PLAN, VERB_SMALL, "bring messages into a mailbox, all or none") \
    X(export_page, BIT(ROLE_TOOL), false, VERB_SMALL, VERB_PAGE, "messages of a mailbox, small ones with their bytes") \
    X(export_read, BIT(ROLE_TOOL), false, VERB_SMALL, VERB_CHUNK, "bytes of a message as served")

/* clang-format on */

enum verb {
    VERB_NONE,
#define X(name, callers, account, request, reply, doc) VERB_##name,
    VERB_LIST(X)
#undef X
        VERB_COUNT
};

struct verb_row {
    const char *name;
    uint32_t callers; /* bits of enum role */
    bool needs_account;
    size_t request_max, reply_max;
    const char *doc;
};

/* The row of a verb; static. */
const struct verb_row *verb_row(enum verb v);

/* ---- the words of each verb ---- */

/* A row a line. */
/* clang-format off */
/* F(kind, name): str, u8, u32, u64, i64, flag (bool), peer, envelope, outcome, account, directory_answer ...;
 * L(noun, name, max): a list of nouns. */
#define VERB_STRUCTS(S)                                                                            \
    /* `pems`: certificate chain and key of each certificate of the configuration, in turn, as bytes */ \
    S(role_begin_req, F(u32, index) F(u32, siblings) F(flag, change_user) F(u32, uid) F(u32, gid) F(str, config) F(str, ticket_seed) F(flag, quiet) \
      L(str, pems, 512)) \
    S(role_link_req, F(u8, role) F(u32, index))                                                    \
    S(role_listen_req, F(u32, listen)) /* index into the configuration's listeners; LISTEN_CONTROL */ \
    S(role_stop_req, F(u32, grace_ms))                                                             \
    S(text_rep, F(str, text))                                                                      \
    S(peer_check_req, F(peer, peer) F(u8, stage)) /* 0 at connect, 1 after HELO or EHLO */         \
    S(sender_check_req, F(peer, peer) F(envelope, envelope))                                       \
    S(outcome_rep, F(outcome, outcome))                                                            \
    S(route_rcpt_req, F(peer, peer) F(str, reverse_path) F(str, address) F(u64, size))             \
    S(route_rcpt_rep, F(outcome, outcome) F(str, address) F(str, leads_to))                        \
    S(address_expand_req, F(peer, peer) F(str, text) F(flag, expand))                              \
    S(address_expand_rep, F(outcome, outcome) L(str, lines, 1000))                                 \
    S(offer_req, F(peer, peer) F(envelope, envelope) F(u64, message) F(i64, begun_us) F(u64, stage) F(u64, stage_bytes) \
          F(str, content) F(flag, eight_bit) F(flag, lmtp))                                        \
    S(offer_rep, F(u64, message) F(outcome, outcome) L(outcome, rcpts, ENVELOPE_RCPT_MAX))         \
    S(stage_rep, F(u64, stage))                                                                    \
    S(stage_append_req, F(u64, stage) F(str, bytes))                                               \
    S(stage_read_req, F(u64, stage) F(u64, offset) F(u32, max_bytes))                              \
    S(bytes_rep, F(str, bytes))                                                                    \
    S(directory_resolve_req, F(str, address) F(str, separators) F(str, admin))                     \
    S(directory_resolve_rep, F(directory_answer, answer))                                          \
    S(quota_check_req, F(u64, account) F(u64, bytes))                                              \
    S(generation_req, F(u64, generation))                                                          \
    S(refusal_note_req, F(refusal, refusal))                                                       \
    S(auth_begin_req, F(peer, peer) F(flag, clear_ok) F(str, mechanism) F(str, exporter) F(str, unique) F(str, end_point) \
          F(flag, has_initial) F(str, initial))                                                    \
    S(auth_step_req, F(u64, exchange) F(str, words))                                               \
    S(auth_rep, F(u64, exchange) F(u8, state) F(str, words) F(str, login) F(u64, account) F(outcome, outcome)) \
    S(auth_cancel_req, F(u64, exchange))                                                           \
    S(credential_get_req, F(str, login))                                                           \
    S(credential_get_rep, F(account, account) F(str, credential))                                  \
    /* Stored only if the credential is still `old`. */                                            \
    S(credential_renew_req, F(u64, account) F(str, old) F(str, fresh))                             \
    S(account_door_req, F(u64, account))                                                           \
    S(mailbox_open_req, F(str, name) F(flag, exclusive))                                           \
    S(mailbox_open_rep, F(mailbox_info, mailbox))                                                  \
    S(mailbox_req, F(u64, mailbox))                                                                \
    S(message_list_req, F(u64, mailbox) F(u32, after_uid) F(u32, max))                             \
    S(message_list_rep, L(message_info, messages, 10000) F(flag, more))                            \
    S(message_read_req, F(u64, mailbox) F(u32, uid) F(u64, offset) F(u32, max_bytes))              \
    S(message_expunge_req, F(u64, mailbox) L(u32, uids, 5000))                                     \
    S(message_expunge_rep, F(u32, removed))                                                        \
    /* A command of the command line: its words, and data (a message, a text) where it has some. The answer is a \
     * table: `cells` row by row under `columns`; a column named "#x" holds numbers, "?x" yes or no. A `resume` \
     * that is not empty is sent back to get the next page. */                    \
    S(admin_req, L(str, args, 64) F(str, resume) F(str, data))                                     \
    S(admin_rep, F(str, message) L(str, columns, 64) L(str, cells, 200000) F(str, data) F(str, resume)) \
    S(transfer_mailboxes_req, F(str, account) F(u64, after))                                       \
    S(transfer_mailboxes_rep, F(u64, account) L(mailbox_info, mailboxes, 1000) F(flag, more))      \
    /* `uid_validity` and `uid_next` (0: none) are taken over where nobody can have seen others */ \
    S(transfer_mailbox_req, F(u64, account) F(str, name) F(u32, uid_validity) F(u32, uid_next) F(u32, attributes)) \
    S(import_commit_req, F(u64, account) F(u64, mailbox) L(message_import, messages, IMPORT_MESSAGES_MAX)) \
    S(import_commit_rep, L(u32, uids, IMPORT_MESSAGES_MAX))                                        \
    /* A message of more than EXPORT_SMALL_MAX bytes has empty contents: export_read has them. */  \
    S(export_page_req, F(u64, account) F(u64, mailbox) F(u32, after_uid) F(flag, contents))        \
    S(export_page_rep, L(message_info, messages, 5000) L(str, keywords, 5000) L(str, contents, 5000) F(flag, more)) \
    S(export_read_req, F(u64, account) F(u64, mailbox) F(u32, uid) F(u64, offset) F(u32, max_bytes))

enum { IMPORT_MESSAGES_MAX = 64, EXPORT_SMALL_MAX = 64 * 1024 };

/* role_listen: the administrator's socket, which no line of the configuration names. */
#define LISTEN_CONTROL UINT32_MAX

/* Auth reply states. */
enum { AUTH_CONTINUE = 1, AUTH_DONE = 2, AUTH_REFUSED = 3 };

typedef struct str wire_t_str;
typedef uint8_t wire_t_u8;
typedef uint32_t wire_t_u32;
typedef uint64_t wire_t_u64;
typedef int64_t wire_t_i64;
typedef bool wire_t_flag;
typedef struct peer wire_t_peer;
typedef struct envelope wire_t_envelope;
typedef struct outcome wire_t_outcome;
typedef struct account wire_t_account;
typedef struct directory_answer wire_t_directory_answer;
typedef struct refusal wire_t_refusal;
typedef struct mailbox_info wire_t_mailbox_info;
typedef struct message_info wire_t_message_info;
typedef struct message_import wire_t_message_import;

/* For each struct: put() appends its wire form; get() reads it (views into `bytes`, lists in the arena):
 * OK or ERR_CORRUPT. */
#define F(kind, name)      wire_t_##kind name;
#define L(kind, name, max) wire_t_##kind *name; size_t name##_count;
#define S(name, fields)                                                                            \
    struct name {                                                                                  \
        fields                                                                                     \
    };                                                                                             \
    void name##_put(struct buf *b, const struct name *v);                                          \
    enum err name##_get(struct str bytes, struct arena *a, struct name *out);
VERB_STRUCTS(S)
#undef F
#undef L
#undef S

/* clang-format on */

#endif
