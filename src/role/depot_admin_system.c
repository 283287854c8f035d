/* status, trace, explain. */
#include "role/depot_admin.h"

#include "mail/explain.h"
#include "mail/trace.h"

/* ---- status: the keeper asks everybody ---- */

static enum err status_show(struct admin *a)
{
    struct str reply;
    struct text_rep rep = { .text = STR_NONE };
    enum err e =
        door_call(depot.role->control, VERB_system_status, STR_NONE, 10000, a->arena, &reply);
    if (e == OK) e = text_rep_get(reply, a->arena, &rep);
    if (e != OK) return e;
    ADMIN_COLUMNS(a, STR("role"), STR("name"), STR("#value"));
    struct str line, section = STR_NONE;
    while (str_cut(&rep.text, '\n', &line)) {
        struct str name;
        if (line.n > 2 && line.p[0] == '[') {
            section = str_part(line, 1, line.n - 2);
        } else if (str_cut(&line, ' ', &name)) {
            admin_cell(a, section);
            admin_cell(a, name);
            admin_cell(a, line);
        }
    }
    return OK;
}

/* ---- trace ---- */

static void put_facts(struct admin *a, const struct fact *facts, size_t n)
{
    struct buf b = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_put_byte(&b, ' ');
        buf_put(&b, facts[i].name);
        buf_put_byte(&b, '=');
        buf_put_json(&b, facts[i].value);
    }
    admin_cell(a, buf_str(&b));
    buf_free(&b);
}

static enum err parse_id(struct admin *a, uint64_t *id_out)
{
    struct str text = admin_arg(a, 0);
    uint64_t id = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = byte_hex(text.p[i]);
        if (digit < 0 || text.n > 16)
            return admin_fail(a, ERR_SYNTAX, "a message id is 16 hexadecimal digits: ", text);
        id = id << 4 | (uint64_t)digit;
    }
    *id_out = id;
    return text.n > 0 ? OK : admin_fail(a, ERR_SYNTAX, "which message?", STR_NONE);
}

static enum err trace_body(struct txn *t, struct admin *a)
{
    struct trace_event *events = ARENA_MANY(txn_arena(t), struct trace_event, ADMIN_PAGE);
    uint64_t id, skip = 0;
    size_t n = 0;
    bool more = false;
    enum err e = parse_id(a, &id);
    if (e == OK && a->resume.n > 0) e = str_to_u64(a->resume, UINT32_MAX, &skip);
    if (e != OK) return e;
    e = trace_list(t, id, (size_t)skip, ADMIN_PAGE, events, &n, &more);
    if (e == ERR_NOT_FOUND)
        return admin_fail(a, e, "nothing is known about this message: ", admin_arg(a, 0));
    for (size_t i = 0; e == OK && i < n; i++) {
        admin_cell_time(a, events[i].time_us);
        admin_cell(a, events[i].name);
        put_facts(a, events[i].facts, events[i].fact_count);
    }
    if (e == OK && more) {
        struct buf b = BUF_INIT(32);
        buf_put_u64(&b, skip + n);
        admin_more(a, buf_str(&b));
        buf_free(&b);
    }
    return e;
}

static enum err trace_show(struct admin *a)
{
    ADMIN_COLUMNS(a, STR("time"), STR("event"), STR("facts"));
    return admin_read(a, trace_body);
}

/* ---- explain ---- */

static void put_line(struct admin *a, struct str name, struct str value)
{
    if (value.n == 0) return;
    admin_cell(a, name);
    admin_cell(a, value);
}

static enum err explain_body(struct txn *t, struct admin *a)
{
    struct refusal r;
    uint64_t lookup;
    if (lookup_parse(admin_arg(a, 0), &lookup) != OK)
        return admin_fail(a, ERR_SYNTAX,
                          "a look-up code is 8 letters and digits: ", admin_arg(a, 0));
    enum err e = explain_get(t, lookup, &r);
    if (e == ERR_NOT_FOUND) {
        return admin_fail(
            a, e,
            "this code is not known (any more); the log line smtp.refused with it may still tell: ",
            admin_arg(a, 0));
    }
    if (e != OK) return e;
    const struct outcome_kind *k = outcome_kind(r.reason);
    struct buf time = BUF_INIT(64);
    buf_put_time(&time, r.time_us);
    put_line(a, STR("time"), buf_str(&time));
    put_line(a, STR("said"), r.text);
    put_line(a, STR("reason"), r.reason);
    put_line(a, STR("rule"), r.rule);
    for (size_t i = 0; i < r.input_count; i++) {
        put_line(a, r.inputs[i].name, r.inputs[i].value);
    }
    if (k != NULL) put_line(a, STR("what to do"), str_c(k->advice));
    buf_free(&time);
    return OK;
}

static enum err explain_show(struct admin *a)
{
    ADMIN_COLUMNS(a, STR("what"), STR("value"));
    depot_refusals_write(); /* who asks has often just been refused */
    return admin_read(a, explain_body);
}

const struct admin_row admin_system_rows[] = {
    { "status", "show", status_show, false },
    { "trace", "show", trace_show, false },
    { "explain", "show", explain_show, false },
    { NULL, NULL, NULL, false },
};
