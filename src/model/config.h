/* The configuration: what postrider.conf says, checked and with every standard value filled in.
 *
 * Made by config_read() (the keeper and the tools, who may open files) or by config_unpack() (all
 * other roles, from the keeper's bytes); both run the same code over the same text, so that each
 * role sees the same settings with the same file:line. Read-only from then on. The options are
 * rows of one table (config_option.h), from which postrider.conf(5) is printed.
 *
 * Domains, accounts and aliases are not here: they live in the store. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/log.h"
#include "base/param.h"
#include "model/envelope.h"
#include "model/role.h"
#include "syntax/conf.h"

struct ip_net;

enum { CONFIG_OPTION_MAX = 96, CONFIG_PACKED_MAX = CONF_BYTES_MAX + (512 << 10) };

/* listen ... { tls ... }: what a listener without implicit TLS does about STARTTLS or STLS. */
enum config_tls {
    CONFIG_TLS_OFFER,   /* when there is a certificate */
    CONFIG_TLS_REQUIRE, /* nothing but EHLO, STARTTLS, NOOP, QUIT before it */
    CONFIG_TLS_NO,
};

struct config_listen {
    enum service service;
    struct str address; /* "192.0.2.1", "::", without brackets; empty for a Unix socket */
    uint16_t port;
    struct str path;  /* of the Unix socket, absolute; empty for TCP */
    uint32_t mode;    /* of the Unix socket */
    struct str group; /* of the Unix socket; empty: the keeper's */
    bool proxy;       /* every connection begins with a PROXY header (v1 or v2) */
    bool auth;        /* AUTH is offered */
    enum config_tls tls;
    struct str host; /* name in the greeting, when not config->host; empty otherwise */
    int64_t backlog;
    struct conf_at at; /* line 0: one of the standard listeners */
};

/* Implicit TLS from the first byte? */
static inline bool config_listen_is_tls(const struct config_listen *l)
{
    return l->service == SERVICE_SUBMISSIONS || l->service == SERVICE_POP3S;
}

struct config_certificate {
    struct str certificate, key; /* absolute paths of PEM files */
    struct conf_at at;
};

/* What a network may do without logging in. */
enum {
    CONFIG_MAY_RELAY = 1,      /* send to anywhere */
    CONFIG_MAY_VRFY = 2,       /* full answers to VRFY */
    CONFIG_MAY_EXPN = 4,       /* full answers to EXPN */
    CONFIG_MAY_XCLIENT = 8,    /* speak for another client by XCLIENT */
    CONFIG_MAY_PROXY = 16,     /* speak for another client by the PROXY protocol */
    CONFIG_MAY_UNLIMITED = 32, /* connection and rate limits do not count */
};

struct config_trust {
    const struct ip_net *nets;
    size_t net_count;
    bool unix_peers; /* peers on Unix sockets as well */
    unsigned may;
    struct conf_at at;
};

/* ---- rules: `check` and `route` ---- */

enum config_condition_kind {
    CONFIG_WHEN_CLIENT,  /* nets, unix */
    CONFIG_WHEN_SERVICE, /* set of enum service */
    CONFIG_WHEN_TLS,     /* the connection is encrypted */
    CONFIG_WHEN_HELO,    /* patterns on the name the peer gave */
    CONFIG_WHEN_LOGIN,   /* patterns on the account; no login matches none */
    CONFIG_WHEN_FROM,    /* patterns on the reverse-path; "<>" is the null one */
    CONFIG_WHEN_TO,      /* patterns on the recipient */
    CONFIG_WHEN_DOMAIN,  /* patterns on the recipient's domain */
};

/* One condition holds when one of its values does (then `negated` turns that round). */
struct config_condition {
    enum config_condition_kind kind;
    bool negated;
    const struct ip_net *nets;
    size_t net_count;
    bool unix_peers;
    unsigned services;          /* 1 << enum service */
    const struct str *patterns; /* '*' stands for anything; case does not count */
    size_t pattern_count;
};

enum config_action {
    CONFIG_ACCEPT,   /* check: later checks are spared */
    CONFIG_REFUSE,   /* both */
    CONFIG_TEMPFAIL, /* both */
    CONFIG_LOCAL,    /* route: look the address up in the directory */
    CONFIG_QUEUE,    /* route: to another host, for those who may relay */
    CONFIG_DISCARD,  /* route: take it and drop it */
};

/* When the last of a rule's conditions can be known. */
enum config_stage { CONFIG_AT_CONNECT, CONFIG_AT_HELO, CONFIG_AT_MAIL, CONFIG_AT_RCPT };

struct config_rule {
    uint32_t index; /* among its kind, from 0, in the order of the file */
    struct conf_at at;
    struct config_condition *conditions; /* all of them must hold; none: always */
    size_t condition_count;
    enum config_stage stage; /* routes: always CONFIG_AT_RCPT */
    enum config_action action;
    uint16_t code; /* refuse: 5xx, tempfail: 4xx */
    uint8_t class; /* enhanced code, as in struct outcome */
    uint16_t subject, detail;
    struct str text;   /* for the peer; never empty for refuse and tempfail; printable ASCII */
    struct str via;    /* queue: next host, "name" or "[address]"; empty: the recipient's MX */
    uint16_t via_port; /* 0: the standard one */
    bool strangers;    /* queue: even for those who may not relay (a domain we are backup for) */
};

/* What a rule is asked about. Later stages' fields may be empty at earlier ones. */
struct config_facts {
    const struct peer *peer;
    struct str from; /* reverse-path without <>; empty is the null one */
    struct str to;   /* recipient */
};

/* Do all conditions hold? Ask at `rule->stage` or later: what is not known yet counts as empty.
 * Cost: the product of pattern and text lengths. */
bool config_rule_matches(const struct config_rule *rule, const struct config_facts *facts);

/* '*' in `pattern` stands for any bytes; ASCII letters are folded. Linear memory, no recursion. */
bool config_pattern_matches(struct str pattern, struct str text);

/* CONFIG_MAY_* of a peer: everything that any `trust` line with its address gives. `ip` as in
 * struct peer; text that is no address has no rights. */
struct config;
unsigned config_may(const struct config *c, struct str ip);

/* ---- auth ---- */

enum {
    CONFIG_AUTH_PLAIN = 1,
    CONFIG_AUTH_LOGIN = 2,
    CONFIG_AUTH_SCRAM_SHA_256 = 4,
    CONFIG_AUTH_SCRAM_SHA_256_PLUS = 8,
    CONFIG_AUTH_SCRAM_SHA_1 = 16, /* for old clients, by the administrator's choice */
    CONFIG_AUTH_CRAM_MD5 = 32,    /* the same */
};

enum config_plaintext { CONFIG_PLAINTEXT_LOOPBACK, CONFIG_PLAINTEXT_NEVER };
enum config_hash {
    CONFIG_HASH_YESCRYPT,
    CONFIG_HASH_ARGON2ID,
    CONFIG_HASH_BCRYPT,
    CONFIG_HASH_SHA512_CRYPT
};
enum config_engine { CONFIG_ENGINE_EMBEDDED, CONFIG_ENGINE_MEMORY };
enum config_log_to { CONFIG_LOG_STDERR, CONFIG_LOG_FILE };
enum config_tls_version { CONFIG_TLS_1_2, CONFIG_TLS_1_3 };

/* A parameter with another value than its standard one. */
struct config_limit {
    const struct param *param;
    int64_t value;
    struct conf_at at;
};

struct config {
    struct arena arena; /* holds all of this, the struct itself included */
    unsigned holders;
    struct conf_file *files; /* the source, in order of reading */
    size_t file_count;
    struct str machine;                       /* the machine's own name, as given */
    struct conf_at set_at[CONFIG_OPTION_MAX]; /* where each option was set; line 0: standard */

    struct str host;  /* name in the greeting and in Received; A-labels */
    struct str admin; /* gets what is for postmaster where no such account or alias exists */

    struct {
        struct str path; /* absolute folder */
        enum config_engine engine;
        int64_t map_bytes;     /* address space for the rows; sparse */
        int64_t reserve_bytes; /* free space that is never filled */
    } store;
    struct str run; /* absolute folder of control socket and pid file */

    struct str user[ROLE_COUNT];   /* Unix user of each role but the keeper, which stays who it is;
                                      of no effect when that is not root */
    int64_t processes[ROLE_COUNT]; /* edge, session, filter, courier; 0: as many as cores */

    struct {
        enum config_log_to to;
        struct str path; /* absolute, for CONFIG_LOG_FILE */
        enum log_format format;
        enum log_level level;
    } log;

    struct {
        struct config_certificate *certificates; /* the first one is for clients without SNI */
        size_t certificate_count;
        enum config_tls_version minimum;
        struct str ciphers; /* OpenSSL's list for TLS 1.2; empty: ours */
        struct str suites;  /* OpenSSL's list for TLS 1.3; empty: OpenSSL's */
    } tls;

    struct config_listen *listens;
    size_t listen_count;

    struct config_trust *trusts;
    size_t trust_count;

    struct config_rule *routes; /* the first that matches decides */
    size_t route_count;
    struct config_rule *checks; /* every one that matches acts, in this order */
    size_t check_count;

    struct config_limit *limits;
    size_t limit_count;

    struct {
        struct str separators; /* characters that begin the detail of user+detail; may be empty */
    } address;

    struct {
        unsigned mechanisms;       /* CONFIG_AUTH_* */
        struct str default_domain; /* for logins without @; config->host when not set */
        enum config_plaintext plaintext;
        enum config_hash hash; /* for passwords set from now on */
    } auth;
};

/* ---- making one ---- */

struct config_source {
    struct str name; /* of the file; absolute, because relative paths in it start at its folder */
    struct conf_reader reader;
    struct str machine; /* the machine's own name, for `host` when the file does not say it */
};

/* Read and check. ERR_INVALID when there is an error among `faults` (which is sorted then); there
 * may be warnings otherwise. `*config_out` lives until config_free(). */
enum err config_read(const struct config_source *source, struct config **config_out,
                     struct conf_faults *faults);

/* Keep it for another holder, who calls config_free() as well; it goes with the last one. A session
 * goes on with the settings it began with while the role takes up new ones. */
struct config *config_hold(struct config *c);
void config_free(struct config **c);

/* The whole source as bytes for another process, at most CONFIG_PACKED_MAX, and back. ERR_CORRUPT
 * when these are not the bytes of a configuration without errors. */
void config_pack(struct buf *b, const struct config *c);
enum err config_unpack(struct str packed, struct config **config_out);

/* All parameters back to standard, then as `limit` lines say. */
void config_apply_params(const struct config *c);

/* ---- looking at one ---- */

enum config_effect { CONFIG_ON_RELOAD, CONFIG_ON_RESTART };

/* One setting as a line of configuration that could stand in a file: all entries together make a
 * configuration equal to this one. */
struct config_entry {
    struct str name;   /* "store.map", "listen", "limit.smtp_command_wait_ms" */
    struct str line;   /* "store { map 1T }", without comment; one line */
    struct str value;  /* "1T": the line without its name and braces */
    struct conf_at at; /* line 0: standard */
    enum config_effect effect;
    size_t option; /* number of its row in the option table */
};
struct config_entries {
    struct config_entry *list;
    size_t n;
};

/* Every setting, in the order of the option table, in `a`. Parameters that no line sets are in only
 * when `all`. */
struct config_entries config_entries(const struct config *c, struct arena *a, bool all);

/* What is different between two: entries of `was` that went, entries of `now` that came (a changed
 * one is in both lists), and whether one of them takes effect on restart only. Equal
 * configurations have none. Where a setting stands does not count; the order of lines does for
 * routes, checks and certificates. */
struct config_difference {
    struct config_entries went, came;
    bool needs_restart;
};
struct config_difference config_difference(const struct config *was, const struct config *now,
                                           struct arena *a);

#endif
