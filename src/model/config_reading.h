/* What the files that read the configuration share; for model/config*.c only. */
#ifndef MODEL_CONFIG_READING_H
#define MODEL_CONFIG_READING_H

#include "model/config_option.h"

enum { CONFIG_VALUE_MAX = 1 << 20 }; /* of one setting as text: all words of a line, escaped */

struct config_reading {
    struct config *c;      /* becomes the result; holds what is kept */
    struct arena *scratch; /* tree and messages; gone after the reading */
    struct conf_faults *faults;
    const struct config_source *source;
    struct conf conf;
};

/* Names of services, in the order of enum service. */
#define CONFIG_SERVICES "smtp|submission|submissions|lmtp|pop3|pop3s"

/* ---- saying what is wrong ---- */

/* "word" in quotes, cut when it is long. */
struct str config_quote(struct config_reading *r, struct str word);

/* An error at `at`; text in parts. The message is made only when it is kept. */
void config_say(struct config_reading *r, enum conf_severity severity, const struct conf_at *at,
                struct str hint, const struct str *parts, size_t n);
#define CONFIG_ERROR(r, at, hint, ...)                                                             \
    config_say((r), CONF_ERROR, (at), (hint), (const struct str[]){ __VA_ARGS__ },                 \
               sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
#define CONFIG_WARNING(r, at, hint, ...)                                                           \
    config_say((r), CONF_WARNING, (at), (hint), (const struct str[]){ __VA_ARGS__ },               \
               sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
#define CONFIG_JOIN(r, ...) ARENA_JOIN((r)->scratch, __VA_ARGS__)

/* "did you mean "x"?", or empty when `best` is. */
struct str config_did_you_mean(struct config_reading *r, struct str best);

/* The nearest of "a|b|c" to `word`; and "a, b, c" for a sentence. */
struct str config_nearest(struct str choices, struct str word);
struct str config_listing(struct config_reading *r, struct str choices);

/* "FILE:LINE" */
struct str config_place(struct config_reading *r, const struct conf_at *at);

/* ---- keeping ---- */

struct str config_keep(struct config_reading *r, struct str s);
struct conf_at config_keep_at(struct config_reading *r, const struct conf_at *at);

/* Make room for one more behind the `n` members of `size` bytes; the list lives in the
 * configuration's arena. Returns the list, at another place perhaps, the new member zeroed. */
void *config_grow(struct config_reading *r, void *list, size_t n, size_t size);

/* ---- values ---- */

/* Read `word` as `o` says into where `o` points in `base`. False when it was not understood (and
 * said so). */
bool config_value_take(struct config_reading *r, const struct config_option *o,
                       const struct conf_word *word, void *base);

/* The value as it would be written. */
void config_value_put(struct buf *b, const struct config_option *o, const void *base);

/* Index of `word` in "a|b|c". ERR_NOT_FOUND. */
enum err config_choice(struct str choices, struct str word, size_t *index_out);
struct str config_choice_at(struct str choices, size_t index);

/* Parts of values that several settings have. Each says what is wrong and returns false. */
bool config_take_name(struct config_reading *r, const struct conf_word *w, struct str *name_out);
bool config_take_path(struct config_reading *r, const struct conf_word *w, struct str *path_out);
bool config_take_net(struct config_reading *r, const struct conf_word *w, struct ip_net *net_out);

/* A value of a parameter. */
bool config_take_param(struct config_reading *r, const struct param *p, const struct conf_word *w,
                       int64_t *value_out);

/* ---- lines ---- */

/* Put the standard values of all rows of `block` into `base`. */
void config_standards(struct config_reading *r, const char *block, void *base);

/* Read lines as settings of `block` into `base`. */
void config_lines(struct config_reading *r, const char *block, const struct conf_line *line,
                  void *base);

/* Nothing may stand on the line behind its first `n` words: says so and returns false. */
bool config_words_most(struct config_reading *r, const struct config_option *o,
                       const struct conf_line *line, size_t n);

/* ---- lines of their own kind ---- */

#define CONFIG_TAKE(name)                                                                          \
    void *config_take_##name(struct config_reading *r, const struct config_option *o,              \
                             const struct conf_line *line, void *base)
CONFIG_TAKE(user);
CONFIG_TAKE(log_to);
CONFIG_TAKE(certificate);
CONFIG_TAKE(listen);
CONFIG_TAKE(trust);
CONFIG_TAKE(route);
CONFIG_TAKE(check);
CONFIG_TAKE(via);
CONFIG_TAKE(limit);
CONFIG_TAKE(separator);
CONFIG_TAKE(mechanisms);

/* What needs the whole: values that follow from others, and settings that contradict each other. */
void config_finish(struct config_reading *r);

/* ---- showing ---- */

struct config_showing {
    const struct config *c;
    struct arena *arena;
    struct config_entries entries;
    size_t capacity;
    bool all;
};

/* Add an entry; its line is made of block, name and `value`. */
void config_entry_add(struct config_showing *s, const struct config_option *o, struct str value,
                      const struct conf_at *at);

#define CONFIG_SHOW(name)                                                                          \
    void config_show_##name(struct config_showing *s, const struct config_option *o)
CONFIG_SHOW(user);
CONFIG_SHOW(log_to);
CONFIG_SHOW(certificate);
CONFIG_SHOW(listen);
CONFIG_SHOW(trust);
CONFIG_SHOW(routes);
CONFIG_SHOW(checks);
CONFIG_SHOW(limits);
CONFIG_SHOW(separator);
CONFIG_SHOW(mechanisms);

#endif
