/* What happened, told as events: the life of a message (`postrider trace`) and the inputs of a
 * refusal (`postrider explain`). Names are the same words as in log events. */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include "base/arena.h"
#include "base/wire.h"

enum { FACT_MAX = 64 };

struct fact {
    struct str name, value;
};

struct trace_event {
    int64_t time_us;
    struct str name; /* "smtp.accepted", "mail.filed", "queue.put" ... */
    struct fact *facts;
    size_t fact_count;
};

/* A refusal as it can be looked up: what was said, by which rule, and what it was decided on. */
struct refusal {
    uint64_t lookup; /* the code that was told to the peer (model/outcome.h) */
    int64_t time_us;
    uint32_t conn;
    struct str reason; /* stable name, row of the table of outcomes */
    struct str rule;   /* file:line, or empty */
    struct str text;   /* the whole reply line(s), as said */
    struct fact *inputs;
    size_t input_count;
};

/* Wire forms. The get functions return views into the source; lists live in the arena. */
void facts_put(struct buf *b, const struct fact *facts, size_t n);
void facts_get(struct wire *w, struct arena *a, struct fact **facts_out, size_t *n_out);
void trace_event_put(struct buf *b, const struct trace_event *e);
void trace_event_get(struct wire *w, struct arena *a, struct trace_event *out);
void refusal_put(struct buf *b, const struct refusal *r);
void refusal_get(struct wire *w, struct arena *a, struct refusal *out);

#endif
