#include "model/message.h"
#include "base/clock.h"
#include "base/rand.h"

enum { ID_RANDOM_BITS = 12 };

uint64_t message_id_new(void)
{
    static _Thread_local uint64_t last;
    uint64_t id = (uint64_t)clock_wall_us() << ID_RANDOM_BITS | rand_below(1u << ID_RANDOM_BITS);

    /* A clock that stands or steps back must not make an id twice. */
    if (id <= last) id = last + 1;
    last = id;
    return id;
}

int64_t message_id_time_us(uint64_t id)
{
    return (int64_t)(id >> ID_RANDOM_BITS);
}

uint64_t message_id_first(int64_t time_us)
{
    return time_us > 0 ? (uint64_t)time_us << ID_RANDOM_BITS : 0;
}

void message_info_put(struct buf *b, const struct message_info *m)
{
    wire_put_u32(b, m->uid);
    wire_put_u64(b, m->message);
    wire_put_var(b, m->bytes);
    wire_put_var(b, m->modseq);
    wire_put_var(b, m->flags);
    wire_put_u64(b, (uint64_t)m->received_us);
}

void message_info_get(struct wire *w, struct message_info *out)
{
    *out = (struct message_info){ .uid = wire_get_u32(w) };
    out->message = wire_get_u64(w);
    out->bytes = wire_get_var(w);
    out->modseq = wire_get_var(w);
    out->flags = (uint32_t)wire_get_var(w);
    out->received_us = (int64_t)wire_get_u64(w);
}

void message_import_put(struct buf *b, const struct message_import *m)
{
    wire_put_u32(b, m->uid);
    wire_put_u32(b, m->flags);
    wire_put_vstr(b, m->keywords);
    wire_put_u64(b, (uint64_t)m->received_us);
    wire_put_vstr(b, m->structure);
    wire_put_vstr(b, m->content);
    wire_put_u64(b, m->stage);
}

void message_import_get(struct wire *w, struct message_import *out)
{
    *out = (struct message_import){ .uid = wire_get_u32(w) };
    out->flags = wire_get_u32(w);
    out->keywords = wire_get_vstr(w);
    out->received_us = (int64_t)wire_get_u64(w);
    out->structure = wire_get_vstr(w);
    out->content = wire_get_vstr(w);
    out->stage = wire_get_u64(w);
}

void mailbox_info_put(struct buf *b, const struct mailbox_info *m)
{
    wire_put_u64(b, m->id);
    wire_put_vstr(b, m->name);
    wire_put_u32(b, m->uid_validity);
    wire_put_u32(b, m->uid_next);
    wire_put_var(b, m->messages);
    wire_put_var(b, m->unseen);
    wire_put_var(b, m->deleted);
    wire_put_var(b, m->bytes);
    wire_put_var(b, m->modseq);
    wire_put_var(b, m->attributes);
}

void mailbox_info_get(struct wire *w, struct mailbox_info *out)
{
    *out = (struct mailbox_info){ .id = wire_get_u64(w) };
    out->name = wire_get_vstr(w);
    out->uid_validity = wire_get_u32(w);
    out->uid_next = wire_get_u32(w);
    out->messages = wire_get_var(w);
    out->unseen = wire_get_var(w);
    out->deleted = wire_get_var(w);
    out->bytes = wire_get_var(w);
    out->modseq = wire_get_var(w);
    uint64_t attributes = wire_get_var(w);
    if (attributes > MAILBOX_ATTRIBUTES) w->bad = true;
    out->attributes = w->bad ? 0 : (uint32_t)attributes;
}
