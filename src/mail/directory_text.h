/* The directory as text: one line for each fact, in one order, for people, editors and git.
 *
 *     # comment
 *     domain example.org
 *     domain example.net catch-all=ann@example.org disabled
 *     account ann@example.org quota-bytes=1073741824 quota-messages=50000
 *     credentials ann@example.org cGFz...
 *     alias sales@example.org ann@example.org
 *     alias sales@example.org bob@elsewhere.example
 *
 * Words stand between spaces; a word with a space, a quote, a backslash, '#' or a control character
 * in it is written in double quotes with backslashes (\" \\ \n \t). An alias has a line for each
 * target. Credentials are authd's value in base64. */
#ifndef MAIL_DIRECTORY_TEXT_H
#define MAIL_DIRECTORY_TEXT_H

#include "mail/directory.h"

enum {
    DIRECTORY_TEXT_MAX = 8 * 1024 * 1024,
    DIRECTORY_FAULTS_MAX = 100,
};

/* ---- out ---- */

/* Where the text stands; zeroed: at the beginning. Views live in the caller's arena. */
struct directory_text_at {
    enum {
        DIRECTORY_TEXT_DOMAINS,
        DIRECTORY_TEXT_ACCOUNTS,
        DIRECTORY_TEXT_ALIASES,
        DIRECTORY_TEXT_END
    } part;
    struct str after;
};

/* Append the next lines, about `max_rows` rows of the directory, to `out` (with room for them: a
 * row has at most some hundred bytes, an alias that for each target). ERR_LIMIT: `out` is full, and
 * nothing was lost: try again with another. */
enum err directory_text_next(struct txn *t, bool credentials, size_t max_rows, struct arena *a,
                             struct directory_text_at *at, struct buf *out);

/* ---- in ---- */

struct directory_fault {
    uint32_t line;
    struct str words;
};

struct directory_account_text {
    struct account account;
    struct str credentials;
    bool has_credentials;
};

struct directory_text {
    struct domain *domains;
    struct directory_account_text *accounts;
    struct alias *aliases;
    size_t domain_count, account_count, alias_count;
    struct directory_fault *faults; /* the first DIRECTORY_FAULTS_MAX, by line */
    size_t fault_count;
};

/* Read a text. OK with fault_count 0; ERR_SYNTAX and all faults in one pass; ERR_LIMIT: longer than
 * DIRECTORY_TEXT_MAX. Everything lives as long as the arena. */
enum err directory_text_parse(struct str text, struct arena *a, struct directory_text *out);

/* ---- making the one like the other ---- */

enum directory_change_kind {
    DIRECTORY_DOMAIN_ADD,
    DIRECTORY_DOMAIN_SET,
    DIRECTORY_ALIAS_DELETE,
    DIRECTORY_ACCOUNT_DELETE,
    DIRECTORY_ACCOUNT_ADD,
    DIRECTORY_ACCOUNT_SET,
    DIRECTORY_CREDENTIALS_SET,
    DIRECTORY_ALIAS_ADD,
    DIRECTORY_ALIAS_SET,
    DIRECTORY_DOMAIN_DELETE,
    DIRECTORY_CHANGE_KINDS
};

struct directory_change {
    enum directory_change_kind kind;
    struct domain domain;
    struct account account; /* also of credentials: its address */
    struct alias alias;
    struct str credentials;
};

struct directory_diff {
    struct directory_change *changes; /* in the order in which they can be carried out */
    size_t n;
};

/* What would have to be changed so that the directory says what the text says. `remove`: also
 * delete what the text does not name (with `remove` an account's mail goes as well). An address
 * that is an account here and an alias there is a change of kind, which needs `remove`: else
 * ERR_EXISTS. Credentials that the text does not name stay. Nothing is written; on a snapshot. */
enum err directory_text_diff(struct txn *t, const struct directory_text *text, bool remove,
                             struct arena *a, struct directory_diff *out);

/* Carry out changes from `at` on, as many as fit one transaction, in a body; *next_out is where to
 * go on (n: done). Errors as of the change that failed, and *failed_out is its index. */
enum err directory_diff_apply(struct txn *t, const struct directory_diff *diff, size_t at,
                              int64_t now_us, size_t *next_out, size_t *failed_out);

/* One line about a change for people: "+ account ann@example.org quota-bytes=100", "~ alias ...",
 * "- domain example.net". Credentials are named, not shown. */
void directory_change_put_text(struct buf *b, const struct directory_change *c);

#endif
