/* A line of a client's dialog, from bytes to meaning: SMTP, submission and LMTP.
 *
 * The verb is always found out, so that a server can look up what it thinks of it; whether its
 * arguments are in the grammar stands in `fault`, as precisely as a reply can say it.
 *      Source: RFC 5321 4.1; RFC 1870, 1985, 2033, 2645, 2852, 3030, 3207, 3461, 4865, 4954, 6152,
 *              6531, 6533, 6710, 8689; XCLIENT as Postfix documents it */
#ifndef SYNTAX_SMTP_COMMAND_H
#define SYNTAX_SMTP_COMMAND_H

#include "syntax/address.h"
#include "syntax/sasl_line.h"

enum smtp_verb {
    SMTP_VERB_UNKNOWN,
    SMTP_VERB_FOREIGN, /* a word of HTTP: this peer believes to speak to somebody else */
    SMTP_VERB_HELO,
    SMTP_VERB_EHLO,
    SMTP_VERB_LHLO,
    SMTP_VERB_MAIL,
    SMTP_VERB_RCPT,
    SMTP_VERB_DATA,
    SMTP_VERB_BDAT,
    SMTP_VERB_RSET,
    SMTP_VERB_NOOP,
    SMTP_VERB_QUIT,
    SMTP_VERB_HELP,
    SMTP_VERB_VRFY,
    SMTP_VERB_EXPN,
    SMTP_VERB_STARTTLS,
    SMTP_VERB_AUTH,
    SMTP_VERB_ETRN,
    SMTP_VERB_ATRN,
    SMTP_VERB_XCLIENT,
    SMTP_VERB_SEND, /* these four are obsolete (RFC 5321 appendix F) */
    SMTP_VERB_SOML,
    SMTP_VERB_SAML,
    SMTP_VERB_TURN,
    SMTP_VERB_COUNT
};

/* Parameters of MAIL and RCPT, one bit each. */
enum smtp_parameter {
    SMTP_PARAMETER_SIZE = 1 << 0,
    SMTP_PARAMETER_BODY = 1 << 1,
    SMTP_PARAMETER_SMTPUTF8 = 1 << 2,
    SMTP_PARAMETER_RET = 1 << 3,
    SMTP_PARAMETER_ENVID = 1 << 4,
    SMTP_PARAMETER_AUTH = 1 << 5,
    SMTP_PARAMETER_MT_PRIORITY = 1 << 6,
    SMTP_PARAMETER_HOLDFOR = 1 << 7,
    SMTP_PARAMETER_HOLDUNTIL = 1 << 8,
    SMTP_PARAMETER_BY = 1 << 9,
    SMTP_PARAMETER_REQUIRETLS = 1 << 10,
    SMTP_PARAMETER_NOTIFY = 1 << 11,
    SMTP_PARAMETER_ORCPT = 1 << 12,
    SMTP_PARAMETER_ALL = (1 << 13) - 1
};

/* What is let pass although the grammar says no; each is something real clients do. */
enum smtp_tolerance {
    SMTP_TOLERATE_SPACE = 1 << 0,      /* "MAIL FROM: <a@b>" */
    SMTP_TOLERATE_BRACKETS = 1 << 1,   /* "MAIL FROM:a@b" */
    SMTP_TOLERATE_HELLO = 1 << 2,      /* any graphic word as the name after HELO and EHLO */
    SMTP_TOLERATE_LONG_LOCAL = 1 << 3, /* local parts over 64 bytes (bounce addresses) */
    SMTP_TOLERATE_UNDERSCORE = 1 << 4, /* underscores in domains */
};

struct smtp_syntax {
    unsigned tolerate; /* bits of enum smtp_tolerance */
    unsigned offered;  /* bits of enum smtp_parameter; the others are unknown here */
    bool utf8;         /* this transaction began with SMTPUTF8: RCPT may have UTF-8 */
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };
enum smtp_ret { SMTP_RET_UNSAID, SMTP_RET_FULL, SMTP_RET_HDRS };
enum smtp_notify {
    SMTP_NOTIFY_NEVER = 1 << 0,
    SMTP_NOTIFY_SUCCESS = 1 << 1,
    SMTP_NOTIFY_FAILURE = 1 << 2,
    SMTP_NOTIFY_DELAY = 1 << 3,
};

enum { SMTP_ENVID_MAX = 100, SMTP_ORCPT_MAX = 500, SMTP_AUTH_PARAMETER_MAX = 500 };

enum smtp_hello_kind {
    SMTP_HELLO_DOMAIN,
    SMTP_HELLO_LITERAL,
    SMTP_HELLO_ODD, /* neither; only with SMTP_TOLERATE_HELLO */
};

struct smtp_hello {
    enum smtp_hello_kind kind;
    struct str name;             /* as it was said: at most 255 graphic bytes */
    struct mail_address literal; /* kind, domain and ip of SMTP_HELLO_LITERAL */
    struct str domain;           /* normal form of SMTP_HELLO_DOMAIN, else empty */
};

struct smtp_mail {
    struct path from;
    unsigned given;      /* bits of enum smtp_parameter: which were there */
    uint64_t size_bytes; /* UINT64_MAX: too large for a number */
    enum smtp_body body;
    enum smtp_ret ret;
    struct str envid;         /* decoded; printable ASCII */
    struct str auth;          /* decoded; empty: "<>", nobody vouches */
    int mt_priority;          /* -9 .. 9 */
    int64_t hold_for_s;       /* of HOLDFOR */
    int64_t hold_until_s;     /* of HOLDUNTIL: since 1970 UTC */
    int64_t by_s;             /* of BY: may be negative */
    bool by_return, by_trace; /* BY: 'R' (not 'N'); 'T' */
};

struct smtp_rcpt {
    struct path to;
    unsigned given;
    unsigned notify;              /* bits of enum smtp_notify; 0: not said */
    struct str orcpt_type, orcpt; /* "rfc822" as written; the address decoded */
};

struct smtp_chunk {
    uint64_t bytes;
    bool last;
};

/* VRFY and EXPN. */
struct smtp_lookup {
    struct str text; /* user name, address or list, as written */
    bool utf8;       /* SMTPUTF8 stood behind it (RFC 6531 3.7.4.2) */
};

/* kind, reply code, enhanced code (class is the code's first digit), words */
#define SMTP_FAULTS(X)                                                                             \
    X(SMTP_FINE, 250, 0, 0, "no fault")                                                            \
    X(SMTP_FAULT_VERB, 500, 5, 1, "command not recognized")                                        \
    X(SMTP_FAULT_CONTROL, 500, 5, 2, "control characters in the command")                          \
    X(SMTP_FAULT_NOT_ASCII, 500, 5, 2, "this command is ASCII only")                               \
    X(SMTP_FAULT_ARGUMENT_MISSING, 501, 5, 4, "an argument is missing")                            \
    X(SMTP_FAULT_ARGUMENT_EXTRA, 501, 5, 4, "this command takes no such argument")                 \
    X(SMTP_FAULT_HELLO, 501, 5, 4, "neither a domain name nor an address literal")                 \
    X(SMTP_FAULT_FROM, 501, 5, 4, "MAIL must be followed by FROM:")                                \
    X(SMTP_FAULT_TO, 501, 5, 4, "RCPT must be followed by TO:")                                    \
    X(SMTP_FAULT_SPACE, 501, 5, 4, "no space is allowed before the path")                          \
    X(SMTP_FAULT_SENDER, 501, 1, 7, "bad sender address")                                          \
    X(SMTP_FAULT_RECIPIENT, 501, 1, 3, "bad recipient address")                                    \
    X(SMTP_FAULT_SENDER_UTF8, 553, 6, 7, "the sender address needs SMTPUTF8")                      \
    X(SMTP_FAULT_RECIPIENT_UTF8, 553, 6, 7, "the recipient address needs SMTPUTF8")                \
    X(SMTP_FAULT_PARAMETER, 501, 5, 4, "a parameter is not in the grammar")                        \
    X(SMTP_FAULT_PARAMETER_UNKNOWN, 555, 5, 4, "parameter not recognized")                         \
    X(SMTP_FAULT_PARAMETER_TWICE, 501, 5, 4, "a parameter stands twice")                           \
    X(SMTP_FAULT_PARAMETER_VALUE, 501, 5, 4, "bad value of a parameter")                           \
    X(SMTP_FAULT_PARAMETER_CONFLICT, 501, 5, 4, "these parameters exclude each other")             \
    X(SMTP_FAULT_CHUNK, 501, 5, 4, "bad size of a chunk")                                          \
    X(SMTP_FAULT_MECHANISM, 501, 5, 4, "bad name of a mechanism or too many arguments")            \
    X(SMTP_FAULT_LONG, 500, 5, 6, "an argument is too long")

enum smtp_fault_kind {
#define X(name, code, subject, detail, words) name,
    SMTP_FAULTS(X)
#undef X
        SMTP_FAULT_COUNT
};

struct smtp_fault {
    enum smtp_fault_kind kind;
    size_t at;                  /* offset in the line */
    enum address_fault address; /* of a bad path */
    struct str word;            /* keyword of a bad parameter; view into the line */
};

/* What the standards say to a fault of this kind. */
struct smtp_fault_row {
    unsigned code;            /* 501 */
    unsigned subject, detail; /* of the enhanced code 5.subject.detail */
    const char *words;
};

struct smtp_command {
    enum smtp_verb verb;
    struct str word;      /* the verb as written; view into the line */
    struct str arguments; /* what follows, without white space at both ends; view into the line */
    struct smtp_fault fault;
    union {                        /* filled when there is no fault */
        struct smtp_hello hello;   /* HELO, EHLO, LHLO */
        struct smtp_mail mail;     /* MAIL */
        struct smtp_rcpt rcpt;     /* RCPT */
        struct smtp_chunk chunk;   /* BDAT */
        struct smtp_lookup lookup; /* VRFY, EXPN */
        struct sasl_start auth;    /* AUTH */
    };
};

/* Parse a line.
 *
 *   line         without CRLF; its length is the caller's limit
 *   a            holds what had to be decoded; paths and parameters do not point into `line`
 *   command_out  filled in any case: verb, word, arguments and fault always
 *
 * NOOP and HELP take any argument, ETRN, ATRN and XCLIENT are not looked into; white space at the
 * end of a line is ignored (RFC 5321 4.1.1).
 * ERR_SYNTAX when fault.kind is not SMTP_FINE, also for an unknown verb. */
enum err smtp_command_parse(struct str line, const struct smtp_syntax *syntax, struct arena *a,
                            struct smtp_command *command_out);

/* Name of a verb in capitals; "?" for the unknown. Static lifetime. */
const char *smtp_verb_name(enum smtp_verb verb);

/* Reply code, enhanced code and words of a fault. */
const struct smtp_fault_row *smtp_fault_row(enum smtp_fault_kind kind);

/* Append the words of a fault as a reply may say them: what, which part, at which place of the
 * line. ASCII; nothing of what the client said but a parameter's keyword. */
void smtp_fault_put(struct buf *b, const struct smtp_fault *fault);

/* Append the canonical parameters of MAIL or RCPT, each with a space before it, for the next hop.
 */
void smtp_mail_put_parameters(struct buf *b, const struct smtp_mail *mail);
void smtp_rcpt_put_parameters(struct buf *b, const struct smtp_rcpt *rcpt);

#endif
