#include "mail/explain.h"
#include "base/must.h"

static struct key slot_key(uint64_t lookup)
{
    return (struct key){ .kind = KEY_REFUSAL, .slot = (uint32_t)(lookup % EXPLAIN_SLOTS) };
}

static enum err put_one(struct txn *t, const struct refusal *r)
{
    struct key k = slot_key(r->lookup);
    struct refusal cut = *r;
    struct fact inputs[EXPLAIN_INPUTS_MAX];
    cut.reason = str_part(r->reason, 0, EXPLAIN_TEXT_MAX);
    cut.rule = str_part(r->rule, 0, EXPLAIN_TEXT_MAX);
    cut.text = str_part(r->text, 0, EXPLAIN_TEXT_MAX);
    cut.inputs = inputs;
    if (cut.input_count > EXPLAIN_INPUTS_MAX) cut.input_count = EXPLAIN_INPUTS_MAX;
    for (size_t i = 0; i < cut.input_count; i++) {
        inputs[i].name = str_part(r->inputs[i].name, 0, EXPLAIN_TEXT_MAX);
        inputs[i].value = str_part(r->inputs[i].value, 0, EXPLAIN_TEXT_MAX);
    }
    struct buf b = row_buf();
    refusal_put(&b, &cut);
    return row_put(t, &k, &b);
}

enum err explain_put(struct txn *t, const struct refusal *refusals, size_t n)
{
    enum err e = OK;
    must(n <= EXPLAIN_BATCH_MAX);
    for (size_t i = 0; e == OK && i < n; i++) {
        e = put_one(t, &refusals[i]);
    }
    return e;
}

enum err explain_get(struct txn *t, uint64_t lookup, struct refusal *out)
{
    struct key k = slot_key(lookup);
    struct str value;
    struct refusal r;
    enum err e = row_get(t, &k, &value);
    if (e != OK) return e;
    struct wire w = wire_of(value);
    refusal_get(&w, txn_arena(t), &r);
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    if (r.lookup != lookup) return ERR_NOT_FOUND;
    *out = r;
    return OK;
}
