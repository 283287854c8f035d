/* An outcome: what is answered for a recipient, a message or a command, with everything that makes
 * it explainable. Reply codes are RFC 5321 4.2, enhanced codes RFC 3463 / RFC 5248. */
#ifndef MODEL_OUTCOME_H
#define MODEL_OUTCOME_H

#include "base/wire.h"

struct outcome {
    uint16_t code; /* 250, 452, 550 ... */
    uint8_t class; /* 2, 4, 5: first digit of the enhanced code; 0 = none is sent */
    uint16_t subject, detail;
    struct str text;   /* for the peer; one line, printable */
    struct str reason; /* stable name of why, as in logs: "relay-denied"; empty on success */
    struct str rule;   /* file:line of the deciding rule, or empty */
    uint64_t lookup;   /* code for `postrider explain`, 0 = none */
};

/* Static outcomes by stable name: the one table of refusals (name, codes, text, advice for the
 * administrator). ERR_NOT_FOUND names no row. */
struct outcome_kind {
    const char *reason;
    uint16_t code;
    uint8_t class;
    uint16_t subject, detail;
    const char *text;
    const char *advice;
};
const struct outcome_kind *outcome_kind(struct str reason);
const struct outcome_kind *outcome_kind_at(size_t i);

/* The outcome of that kind, standing text, no rule, no look-up code yet. The name must be in the
 * table. */
struct outcome outcome_of(const char *reason);

/* Error class to outcome: the only place that turns `enum err` into reply codes. */
struct outcome outcome_from_err(enum err e);

static inline bool outcome_is_ok(const struct outcome *o)
{
    return o->code >= 200 && o->code < 400;
}

void outcome_put(struct buf *b, const struct outcome *o);
void outcome_get(struct wire *w, struct outcome *out); /* views into the source */

/* A look-up code is 40 random bits (never 0), written as 8 characters of base 32 without I, L, O,
 * U: "7K3QX2MD". */
uint64_t lookup_new(void);
void lookup_put_text(struct buf *b, uint64_t lookup);
enum err lookup_parse(struct str text, uint64_t *lookup_out); /* any case; ERR_SYNTAX */

#endif
