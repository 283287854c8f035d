#include "model/plan.h"

static void item_put(struct buf *b, const struct plan_item *i)
{
    wire_put_u8(b, (uint8_t)i->act);
    wire_put_u32(b, i->rcpt);
    wire_put_vstr(b, i->address);
    wire_put_u64(b, i->account);
    wire_put_vstr(b, i->mailbox);
    wire_put_u32(b, i->flags);
    wire_put_vstr(b, i->prefix);
    wire_put_vstr(b, i->next_hop);
}

static void item_get(struct wire *w, struct plan_item *out)
{
    uint8_t act = wire_get_u8(w);
    if (act > PLAN_DISCARD) w->bad = true;
    out->act = w->bad ? PLAN_DISCARD : (enum plan_act)act;
    out->rcpt = wire_get_u32(w);
    out->address = wire_get_vstr(w);
    out->account = wire_get_u64(w);
    out->mailbox = wire_get_vstr(w);
    out->flags = wire_get_u32(w);
    out->prefix = wire_get_vstr(w);
    out->next_hop = wire_get_vstr(w);
}

void plan_put(struct buf *b, const struct plan *p)
{
    wire_put_u64(b, p->message);
    buf_put(b, str_of(p->digest, sizeof p->digest));
    wire_put_u8(
        b, (uint8_t)((p->repeatable ? 1 : 0) | (p->strict_quota ? 2 : 0) | (p->whole ? 4 : 0)));
    wire_put_u64(b, (uint64_t)p->received_us);
    peer_put(b, &p->peer);
    envelope_put(b, &p->envelope);
    wire_put_vstr(b, p->head);
    wire_put_u64(b, p->stage);
    wire_put_vstr(b, p->content);
    wire_put_vstr(b, p->structure);
    wire_put_u64(b, p->total_bytes);
    wire_put_var(b, p->item_count);
    for (size_t i = 0; i < p->item_count; i++) {
        item_put(b, &p->items[i]);
    }
}

void plan_get(struct wire *w, struct arena *a, struct plan *out)
{
    *out = (struct plan){ .message = wire_get_u64(w) };
    struct str digest = wire_get_bytes(w, sizeof out->digest);
    if (digest.n > 0) memcpy(out->digest, digest.p, digest.n);
    uint8_t flags = wire_get_u8(w);
    out->repeatable = (flags & 1) != 0;
    out->strict_quota = (flags & 2) != 0;
    out->whole = (flags & 4) != 0;
    out->received_us = (int64_t)wire_get_u64(w);
    peer_get(w, &out->peer);
    envelope_get(w, a, &out->envelope);
    out->head = wire_get_vstr(w);
    out->stage = wire_get_u64(w);
    out->content = wire_get_vstr(w);
    out->structure = wire_get_vstr(w);
    out->total_bytes = wire_get_u64(w);
    uint64_t n = wire_get_var(w);
    if (n > PLAN_ITEM_MAX) w->bad = true;
    if (w->bad) return;
    out->items = ARENA_MANY(a, struct plan_item, n);
    out->item_count = n;
    for (size_t i = 0; i < n; i++) {
        item_get(w, &out->items[i]);
        if (out->items[i].rcpt >= out->envelope.rcpt_count) w->bad = true;
    }
}

void plan_result_put(struct buf *b, const struct plan_result *r)
{
    wire_put_u64(b, r->message);
    wire_put_u8(b, r->repeated);
    wire_put_vstr(b, str_of(r->items, r->item_count));
}

void plan_result_get(struct wire *w, struct arena *a, struct plan_result *out)
{
    *out = (struct plan_result){ .message = wire_get_u64(w), .repeated = wire_get_u8(w) != 0 };
    struct str items = arena_str(a, wire_get_vstr(w));
    if (items.n > PLAN_ITEM_MAX) w->bad = true;
    for (size_t i = 0; i < items.n; i++) {
        if ((unsigned char)items.p[i] >= ERR_COUNT) w->bad = true;
    }
    if (w->bad) return;
    out->items = ARENA_MANY(a, uint8_t, items.n);
    if (items.n > 0) memcpy(out->items, items.p, items.n);
    out->item_count = items.n;
}
