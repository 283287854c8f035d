/* A plan as a filter that was taken over might send it: what is read can be written and means the
 * same; nothing is larger than the limits say. */
#include "base/must.h"
#include "model/plan.h"

static void results(struct str in, struct arena *a)
{
    struct wire w = wire_of(in);
    struct plan_result r;
    plan_result_get(&w, a, &r);
    if (wire_end(&w) == OK) must(r.item_count <= PLAN_ITEM_MAX);
}

static void plans(struct str in, struct arena *a)
{
    struct buf b = BUF_INIT(16 << 20), again_bytes = BUF_INIT(16 << 20);
    struct wire w = wire_of(in);
    struct plan p, again;
    plan_get(&w, a, &p);
    if (wire_end(&w) == OK) {
        must(p.item_count <= PLAN_ITEM_MAX && p.envelope.rcpt_count <= ENVELOPE_RCPT_MAX);
        for (size_t i = 0; i < p.item_count; i++) {
            must(p.items[i].rcpt < p.envelope.rcpt_count && p.items[i].act <= PLAN_DISCARD);
        }
        plan_put(&b, &p);
        struct wire v = wire_of(buf_str(&b));
        plan_get(&v, a, &again);
        must(wire_end(&v) == OK && again.item_count == p.item_count);
        plan_put(&again_bytes, &again);
        must(str_eq(buf_str(&b), buf_str(&again_bytes)));
    }
    buf_free(&b);
    buf_free(&again_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    plans(str_of(data, size), &a);
    results(str_of(data, size), &a);
    arena_free(&a);
    return 0;
}
