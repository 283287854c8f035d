#include "model/queue.h"

void queue_message_put(struct buf *b, const struct queue_message *m)
{
    wire_put_u64(b, m->message);
    wire_put_vstr(b, m->reverse_path);
    wire_put_vstr(b, m->envid);
    wire_put_u8(b, (uint8_t)m->ret);
    wire_put_u8(b, (uint8_t)m->body);
    wire_put_u8(b, (uint8_t)((m->smtputf8 ? 1 : 0) | (m->require_tls ? 2 : 0)));
    wire_put_vstr(b, m->login);
    wire_put_u64(b, (uint64_t)m->received_us);
    wire_put_var(b, m->bytes);
    wire_put_u32(b, m->waiting);
}

void queue_message_get(struct wire *w, struct queue_message *out)
{
    *out = (struct queue_message){ .message = wire_get_u64(w) };
    out->reverse_path = wire_get_vstr(w);
    out->envid = wire_get_vstr(w);
    uint8_t ret = wire_get_u8(w), body = wire_get_u8(w), flags = wire_get_u8(w);
    if (ret > DSN_RET_HDRS || body > BODY_BINARYMIME || flags > 3) w->bad = true;
    if (w->bad) return;
    out->ret = (enum dsn_ret)ret;
    out->body = (enum body_kind)body;
    out->smtputf8 = (flags & 1) != 0;
    out->require_tls = (flags & 2) != 0;
    out->login = wire_get_vstr(w);
    out->received_us = (int64_t)wire_get_u64(w);
    out->bytes = wire_get_var(w);
    out->waiting = wire_get_u32(w);
}

void queue_rcpt_put(struct buf *b, const struct queue_rcpt *r)
{
    wire_put_u64(b, r->message);
    wire_put_u32(b, r->index);
    wire_put_vstr(b, r->address);
    wire_put_vstr(b, r->orcpt);
    wire_put_u8(b, r->notify);
    wire_put_vstr(b, r->next_hop);
    wire_put_u64(b, (uint64_t)r->due_us);
    wire_put_u32(b, r->attempts);
    wire_put_u64(b, (uint64_t)r->tried_us);
    wire_put_vstr(b, r->answer);
}

void queue_rcpt_get(struct wire *w, struct queue_rcpt *out)
{
    *out = (struct queue_rcpt){ .message = wire_get_u64(w) };
    out->index = wire_get_u32(w);
    out->address = wire_get_vstr(w);
    out->orcpt = wire_get_vstr(w);
    out->notify = wire_get_u8(w);
    out->next_hop = wire_get_vstr(w);
    out->due_us = (int64_t)wire_get_u64(w);
    out->attempts = wire_get_u32(w);
    out->tried_us = (int64_t)wire_get_u64(w);
    out->answer = wire_get_vstr(w);
    if (out->due_us < 0) w->bad = true;
}
