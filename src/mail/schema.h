/* THE KEYS: every row of the system has its name here, and nobody else spells one.
 *
 * A key is: owner tag (one byte), the owner's number if there is one, space tag (one byte), fields.
 * The owner stands first so that an engine of many nodes can shard by it. Numbers are big-endian,
 * so that byte order is their order. A name is either the last field (raw bytes) or ends in NUL.
 * `docs/keys.md` holds the same table for people; schema_test.c compares them. */
#ifndef MAIL_SCHEMA_H
#define MAIL_SCHEMA_H

#include "store/engine.h"

/* Version of keys and values, kept in the store itself (KEY_VERSION). */
enum { SCHEMA_VERSION = 1 };

/* First transaction of every start: writes the version into a new store. ERR_UNSUPPORTED: the store
 * was written under another version. */
enum err schema_begin(struct txn *t);

/* Limits that follow from keys of at most ENGINE_KEY_MAX bytes. */
enum {
    KEY_DOMAIN_MAX = 255,       /* RFC 5321 4.5.3.1.2 */
    KEY_LOCAL_MAX = 64,         /* RFC 5321 4.5.3.1.1 */
    KEY_MAILBOX_NAME_MAX = 400, /* bytes of UTF-8 */
    KEY_NEXT_HOP_MAX = 255,
    KEY_DIGEST_BYTES = 16,
};

enum key_kind {
    KEY_VERSION,       /* the store's schema version */
    KEY_GENERATION,    /* directory: raised by each change */
    KEY_NEXT_ACCOUNT,  /* directory: the next account id */
    KEY_DOMAIN,        /* directory: a domain */
    KEY_ADDRESS,       /* directory: account or alias behind an address */
    KEY_TARGETS,       /* directory: further targets of a long alias */
    KEY_ACCOUNT,       /* directory: address of an account id */
    KEY_CREDENTIALS,   /* directory: what authd keeps for an account */
    KEY_GONE_ACCOUNT,  /* directory: account deleted, its mail not yet */
    KEY_GONE_DOMAIN,   /* directory: domain deleted, its addresses not yet */
    KEY_STATE,         /* account: sequence, use, limits */
    KEY_MAILBOX,       /* account: a mailbox and its counters */
    KEY_MAILBOX_NAME,  /* account: mailbox id of a name */
    KEY_GONE_MAILBOX,  /* account: mailbox deleted, its messages not yet */
    KEY_MESSAGE,       /* account: a message's changing part */
    KEY_FIXED,         /* account: a message's unchanging part */
    KEY_CHANGE,        /* account: change log, sequence first */
    KEY_KEYWORDS,      /* account: names of keywords */
    KEY_STRUCTURE,     /* blob: structure record shared by its recipients, in chunks */
    KEY_INTAKE,        /* message: accepted; idempotency and first row of the trace */
    KEY_INTAKE_ITEMS,  /* message: further items of a long plan */
    KEY_EVENT,         /* message: what happened to it later */
    KEY_REPEAT,        /* digests of recent intakes, by hour (RFC 1047) */
    KEY_REFUSAL,       /* ring of refusals, by slot */
    KEY_QUEUE_MESSAGE, /* queue shard: a message with recipients elsewhere */
    KEY_QUEUE_RCPT,    /* queue shard: one of its recipients */
    KEY_QUEUE_HOP,     /* queue shard: a next hop, how many rows wait for it and since when */
    KEY_QUEUE_HOP_DUE, /* queue shard: next hops by their earliest due time */
    KEY_QUEUE_DUE,     /* queue shard: recipients by next hop and due time */
    KEY_KINDS
};

/* All fields a key can have; each kind uses some (the table in schema.c says which). */
struct key {
    enum key_kind kind;
    uint64_t account, message, modseq;
    int64_t time_us; /* not negative */
    uint32_t mailbox, uid, index, slot, hour;
    uint16_t chunk;
    uint8_t shard;
    struct str domain; /* without NUL */
    struct str local;  /* local part, raw (not quoted), ASCII folded to lower case */
    struct str name;   /* mailbox or next hop */
    struct str digest; /* KEY_DIGEST_BYTES */
};

/* The key's bytes. Fields must be within the limits above (whoever takes names from outside checks
 * before). Lives as long as the arena. */
struct str key_make(struct arena *a, const struct key *k);

/* The reverse; names are views into `bytes`. ERR_CORRUPT when it is no key of ours. */
enum err key_parse(struct str bytes, struct key *out);

struct key_range {
    struct str from, until; /* as for txn_range */
};

/* All keys of k->kind that share its first `fields` fields behind the space tag (0: the whole space
 * of that owner). */
struct key_range key_range(struct arena *a, const struct key *k, unsigned fields);

/* All keys of k's owner (an account's everything). */
struct key_range key_owner_range(struct arena *a, const struct key *k);

/* Everything. */
struct key_range key_whole_range(void);

/* The smallest key behind `key`: where a listing goes on. */
struct str key_after(struct arena *a, struct str key);

/* Row of the table for people: name ("message"), owner tag, space tag, and the n-th field's name or
 * null. */
struct key_doc {
    const char *name, *owner_field;
    char owner, space;
    const char *fields[4];
};
struct key_doc key_doc(enum key_kind kind);

/* Whether it is a row of an account's own. */
bool key_is_of_account(const struct key *k);

/* The account whose rows this key's change touches, for whoever waits for news of it: true for the
 * state row only, which every change of an account writes. */
bool key_is_news(struct str key, uint64_t *account_out);

/* Blob of a message: its id follows from the message's own. */
struct blob_id blob_of_message(uint64_t message);
uint64_t message_of_blob(struct blob_id id);

#endif
