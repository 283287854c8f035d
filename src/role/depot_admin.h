/* The administrator's commands, as the depot carries them out. A command is a noun, a verb and
 * words; the answer is a message, a table, or bytes (door/verbs.h, admin_rep). */
#ifndef ROLE_DEPOT_ADMIN_H
#define ROLE_DEPOT_ADMIN_H

#include "role/depot.h"

enum { ADMIN_PAGE = 500, ADMIN_CELLS_MAX = 20000 };

/* One command under way. */
struct admin {
    struct arena *arena;
    struct str *args; /* behind noun and verb; options as "name=value" or "name" are among them */
    size_t arg_count;
    struct str resume; /* where the page begins; empty: at the first */
    struct str data;
    struct admin_rep rep; /* `cells` point into the arena */
    size_t cell_cap;
    struct buf message;
    int64_t now_us;
};

typedef enum err (*admin_do)(struct admin *a);

struct admin_row {
    const char *noun, *verb;
    admin_do serve;
    bool changes_directory; /* the filters' caches are told afterwards */
};

/* Tables of the files that serve them; each ends with a null noun. */
extern const struct admin_row admin_directory_rows[], admin_message_rows[], admin_store_rows[],
    admin_system_rows[], admin_snapshot_rows[];

/* ---- for those who serve ---- */

/* Plain argument `i` (options do not count), or empty. */
struct str admin_arg(const struct admin *a, size_t i);
/* Value of an option, "" for one without; false when it was not given. */
bool admin_option(const struct admin *a, const char *name, struct str *value_out);
/* The same as a number; *value_out stays when it was not given. ERR_SYNTAX with a message. */
enum err admin_option_u64(struct admin *a, const char *name, uint64_t *value_out);

/* Columns once, then cells row by row. A name "#x" is a number, "?x" yes or no. */
void admin_columns(struct admin *a, const struct str *names, size_t n);
#define ADMIN_COLUMNS(a, ...)                                                                      \
    admin_columns((a), (const struct str[]){ __VA_ARGS__ },                                        \
                  sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
void admin_cell(struct admin *a, struct str text);
void admin_cell_u64(struct admin *a, uint64_t value);
void admin_cell_time(struct admin *a, int64_t wall_us);
void admin_cell_flag(struct admin *a, bool value);
/* There is more behind this key. */
void admin_more(struct admin *a, struct str resume);
/* A sentence for the administrator. */
void admin_say(struct admin *a, const char *text, struct str about);
/* A failure in words, and its error. */
enum err admin_fail(struct admin *a, enum err e, const char *text, struct str about);

/* Transactions whose context is the command; results go to its arena (copied: views die with the
 * transaction). */
typedef enum err (*admin_body)(struct txn *t, struct admin *a);
enum err admin_read(struct admin *a, admin_body body);
enum err admin_commit(struct admin *a, admin_body body);

#endif
