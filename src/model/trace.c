#include "model/trace.h"

void facts_put(struct buf *b, const struct fact *facts, size_t n)
{
    wire_put_var(b, n);
    for (size_t i = 0; i < n; i++) {
        wire_put_vstr(b, facts[i].name);
        wire_put_vstr(b, facts[i].value);
    }
}

void facts_get(struct wire *w, struct arena *a, struct fact **facts_out, size_t *n_out)
{
    uint64_t n = wire_get_var(w);
    if (n > FACT_MAX) w->bad = true;
    if (w->bad) n = 0;
    struct fact *facts = ARENA_MANY(a, struct fact, n);
    for (size_t i = 0; i < n; i++) {
        facts[i].name = wire_get_vstr(w);
        facts[i].value = wire_get_vstr(w);
    }
    *facts_out = facts;
    *n_out = n;
}

void trace_event_put(struct buf *b, const struct trace_event *e)
{
    wire_put_u64(b, (uint64_t)e->time_us);
    wire_put_vstr(b, e->name);
    facts_put(b, e->facts, e->fact_count);
}

void trace_event_get(struct wire *w, struct arena *a, struct trace_event *out)
{
    *out = (struct trace_event){ .time_us = (int64_t)wire_get_u64(w) };
    out->name = wire_get_vstr(w);
    facts_get(w, a, &out->facts, &out->fact_count);
}

void refusal_put(struct buf *b, const struct refusal *r)
{
    wire_put_u64(b, r->lookup);
    wire_put_u64(b, (uint64_t)r->time_us);
    wire_put_u32(b, r->conn);
    wire_put_vstr(b, r->reason);
    wire_put_vstr(b, r->rule);
    wire_put_vstr(b, r->text);
    facts_put(b, r->inputs, r->input_count);
}

void refusal_get(struct wire *w, struct arena *a, struct refusal *out)
{
    *out = (struct refusal){ .lookup = wire_get_u64(w) };
    out->time_us = (int64_t)wire_get_u64(w);
    out->conn = wire_get_u32(w);
    out->reason = wire_get_vstr(w);
    out->rule = wire_get_vstr(w);
    out->text = wire_get_vstr(w);
    facts_get(w, a, &out->inputs, &out->input_count);
}
