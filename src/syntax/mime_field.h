/* The Content-* fields: types, parameters, dispositions, languages.
 *
 * Source: RFC 2045 5, 6; RFC 2183; RFC 2231 3, 4; RFC 3282; RFC 2557 4 */
#ifndef SYNTAX_MIME_FIELD_H
#define SYNTAX_MIME_FIELD_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    MIME_PARAMS_MAX = 100,         /* read of one field */
    MIME_LANGUAGES_MAX = 20,       /* read of one field */
    MIME_VALUE_MAX = 4096,         /* bytes of one text; longer ones are cut */
    MIME_TEXT_TOTAL_MAX = 4 << 20, /* bytes of all texts of a message */
    MIME_PARAMS_TOTAL_MAX = 20000, /* of a whole message */
};

/* Where texts are copied to, and what is left of the message's allowance. */
struct mime_keeper {
    struct arena *arena;
    size_t text_left_bytes, params_left;
    bool cut; /* something was left out or cut for want of allowance */
};

struct mime_keeper mime_keeper_of(struct arena *a);

/* Copy of `s`, cut to MIME_VALUE_MAX and to the allowance. */
struct str mime_keep(struct mime_keeper *k, struct str s);

/* Pieces (name*0, name*1) are put together. With `extended` the value is as RFC 2231 4 has it:
 * charset'language'text, text with %XX; else it is plain. */
struct mime_param {
    struct str name; /* as spelled, without "*" and numbers */
    struct str value;
    bool extended;
};

struct mime_params {
    struct mime_param *at;
    size_t count;
};

/* "text/plain; charset=utf-8". ERR_SYNTAX: no type and subtype at its beginning. */
enum err mime_type_parse(struct mime_keeper *k, struct str value, struct str *type_out,
                         struct str *subtype_out, struct mime_params *params_out);

/* "attachment; filename=x". ERR_SYNTAX: no word at its beginning. */
enum err mime_disposition_parse(struct mime_keeper *k, struct str value, struct str *word_out,
                                struct mime_params *params_out);

/* First word of a field: a transfer encoding. Empty when there is none. */
struct str mime_word_parse(struct mime_keeper *k, struct str value);

/* "de, en": up to MIME_LANGUAGES_MAX tags; returns how many. */
size_t mime_languages_parse(struct mime_keeper *k, struct str value, struct str **tags_out);

/* Free text: unfolded and trimmed. */
struct str mime_text_parse(struct mime_keeper *k, struct str value);

/* Value of a parameter (ASCII case folded); the extended one when there are both. Null: none. */
const struct mime_param *mime_param_find(const struct mime_params *params, struct str name);

/* Split an extended value: charset and language as they stand, text with its %XX undone appended to
 * `b`. A plain value has an empty charset and is appended as it is. */
void mime_param_put(struct buf *b, const struct mime_param *param, struct str *charset_out);

#endif
