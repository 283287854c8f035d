#include "model/directory.h"

void domain_put(struct buf *b, const struct domain *d)
{
    wire_put_vstr(b, d->name);
    wire_put_vstr(b, d->catch_all);
    wire_put_u8(b, d->disabled);
}

void domain_get(struct wire *w, struct domain *out)
{
    *out = (struct domain){ .name = wire_get_vstr(w) };
    out->catch_all = wire_get_vstr(w);
    out->disabled = wire_get_u8(w) != 0;
}

void account_put(struct buf *b, const struct account *x)
{
    wire_put_u64(b, x->id);
    wire_put_vstr(b, x->address);
    wire_put_u8(b, x->disabled);
    wire_put_var(b, x->quota_bytes);
    wire_put_var(b, x->quota_messages);
    wire_put_u64(b, (uint64_t)x->created_us);
}

void account_get(struct wire *w, struct account *out)
{
    *out = (struct account){ .id = wire_get_u64(w) };
    out->address = wire_get_vstr(w);
    out->disabled = wire_get_u8(w) != 0;
    out->quota_bytes = wire_get_var(w);
    out->quota_messages = wire_get_var(w);
    out->created_us = (int64_t)wire_get_u64(w);
}

void alias_put(struct buf *b, const struct alias *x)
{
    wire_put_vstr(b, x->address);
    wire_put_var(b, x->target_count);
    for (size_t i = 0; i < x->target_count; i++) {
        wire_put_vstr(b, x->targets[i]);
    }
}

void alias_get(struct wire *w, struct arena *a, struct alias *out)
{
    *out = (struct alias){ .address = wire_get_vstr(w) };
    uint64_t n = wire_get_var(w);
    if (n > ALIAS_TARGET_MAX) w->bad = true;
    if (w->bad) return;
    out->targets = ARENA_MANY(a, struct str, n);
    out->target_count = n;
    for (size_t i = 0; i < n; i++) {
        out->targets[i] = wire_get_vstr(w);
    }
}

void directory_answer_put(struct buf *b, const struct directory_answer *x)
{
    wire_put_u8(b, (uint8_t)x->kind);
    wire_put_u8(b, (uint8_t)x->way);
    wire_put_u8(b, (uint8_t)((x->domain_disabled ? 1 : 0) | (x->over_quota ? 2 : 0)));
    account_put(b, &x->account);
    wire_put_var(b, x->used_bytes);
    wire_put_var(b, x->used_messages);
    alias_put(b, &x->alias);
    wire_put_vstr(b, x->detail);
    wire_put_u64(b, x->generation);
}

void directory_answer_get(struct wire *w, struct arena *a, struct directory_answer *out)
{
    uint8_t kind = wire_get_u8(w), way = wire_get_u8(w), flags = wire_get_u8(w);

    if (kind > DIRECTORY_DOMAIN_ONLY || way > DIRECTORY_CATCH_ALL) w->bad = true;
    *out = (struct directory_answer){ .kind = DIRECTORY_NOTHING };
    if (w->bad) return;
    out->kind = (enum directory_kind)kind;
    out->way = (enum directory_way)way;
    out->domain_disabled = (flags & 1) != 0;
    out->over_quota = (flags & 2) != 0;
    account_get(w, &out->account);
    out->used_bytes = wire_get_var(w);
    out->used_messages = wire_get_var(w);
    alias_get(w, a, &out->alias);
    out->detail = wire_get_vstr(w);
    out->generation = wire_get_u64(w);
}
