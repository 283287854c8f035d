/* What the two files share that read the lines `check` and `route`; for these only. */
#ifndef MODEL_CONFIG_RULES_H
#define MODEL_CONFIG_RULES_H

#include "model/config_reading.h"

/* In the order of enum config_condition_kind and of enum config_action. */
#define CONFIG_CONDITIONS "client|service|tls|helo|login|from|to|domain"
#define CONFIG_ACTIONS    "accept|refuse|tempfail|local|queue|discard"

struct config_parsing {
    struct config_reading *r;
    const struct conf_line *line;
    size_t at; /* word at hand */
    struct config_rule *rule;
    bool is_route;
    bool lost; /* nothing sensible can be said about the rest of the line */
};

/* Does the word end the list of values of a condition? Quoted words do not. */
bool config_is_keyword(const struct conf_word *w);

/* What a word of other mail systems is called here; empty when it is none. */
struct str config_foreign_word(struct str word);

/* `KIND VALUE ...` with the keyword at hand; goes on to the word behind. */
void config_take_condition(struct config_parsing *p, enum config_condition_kind kind, bool negated);

void config_put_condition(struct buf *b, const struct config_condition *c);

#endif
