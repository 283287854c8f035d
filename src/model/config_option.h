/* The table of options: what may stand in postrider.conf. One row says all that the reader, the
 * printout, the manual page and the error messages need to know about a setting. */
#ifndef MODEL_CONFIG_OPTION_H
#define MODEL_CONFIG_OPTION_H

#include "model/config.h"

enum config_kind {
    CONFIG_KIND_SECTION, /* only a block */
    CONFIG_KIND_NAME,    /* host or domain name; kept in A-labels */
    CONFIG_KIND_ADDRESS, /* mail address */
    CONFIG_KIND_PATH,    /* file or folder; kept absolute */
    CONFIG_KIND_UNIX,    /* name of a Unix user or group */
    CONFIG_KIND_COUNT,
    CONFIG_KIND_CORES, /* a number, or "cores", kept as 0 */
    CONFIG_KIND_BYTES,
    CONFIG_KIND_MODE, /* permission bits in octal */
    CONFIG_KIND_BOOL,
    CONFIG_KIND_CHOICE, /* one of `choices`; kept as their number */
    CONFIG_KIND_TEXT,   /* printable ASCII */
    CONFIG_KIND_FLAG,   /* a right: its bit is `max`; several may stand on a line */
    CONFIG_KIND_OWN,    /* by a function of its own */
};

enum {
    CONFIG_REPEATS = 1, /* may be set several times */
    CONFIG_BLOCK = 2,   /* may have a block, whose settings are the rows with its name as `block` */
    CONFIG_ORDERED = 4, /* the order of its lines counts */
    CONFIG_QUIET = 8,   /* not printed when not set: another setting speaks for it then */
};

struct config_reading;
struct config_showing;

struct config_option {
    const char *block; /* name of the block it stands in; "" for none */
    const char *name;
    enum config_kind kind;
    unsigned flags;
    enum config_effect effect;
    size_t offset; /* of the value in struct config, or in what its block describes */
    int64_t min, max;
    const char *choices;        /* "a|b|c" */
    const char *usage;          /* what follows the name: "NAME", "yes|no" */
    const char *standard;       /* the value when it is not set, as it would be written; or null */
    const char *standard_words; /* how it is found otherwise, for the manual; or null */
    /* KIND_OWN: read a line (never bad) into `base`, return what its block describes (or null);
     * print its entries. */
    void *(*take)(struct config_reading *r, const struct config_option *o,
                  const struct conf_line *line, void *base);
    void (*show)(struct config_showing *s, const struct config_option *o);
    const char *doc;     /* sentences for the manual */
    const char *example; /* lines as they may stand in a file, or null */
};

/* Row `i`, or null past the last. Top level first, then block by block. */
const struct config_option *config_option_at(size_t i);

/* Row by block and name, or null; and its number. */
const struct config_option *config_option_find(struct str block, struct str name);
size_t config_option_number(const struct config_option *o);

/* The conditions of rules, by enum config_condition_kind; null past the last. */
struct config_condition_row {
    struct str name;
    enum config_stage stage;
    const char *usage;   /* what follows the name */
    const char *example; /* name and value */
    const char *doc;
};
const struct config_condition_row *config_condition_at(size_t i);

/* A value of a parameter as it would be written: "5m", "10M", "yes". */
void config_put_param(struct buf *b, const struct param *p, int64_t value);

/* All parameters by name, in `a`: the order of linking means nothing to a reader. */
const struct param **config_params(struct arena *a, size_t *n_out);

/* Words that people write in `block` because other mail systems have them or because it seems
 * natural, and how it is done here: null when the word is unknown. */
const char *config_foreign_hint(struct str block, struct str word);

#endif
