#include "model/envelope.h"

void envelope_put(struct buf *b, const struct envelope *e)
{
    wire_put_vstr(b, e->reverse_path);
    wire_put_vstr(b, e->envid);
    wire_put_u8(b, (uint8_t)e->ret);
    wire_put_u8(b, (uint8_t)e->body);
    wire_put_u8(b, (uint8_t)((e->smtputf8 ? 1 : 0) | (e->require_tls ? 2 : 0)));
    wire_put_var(b, e->size);
    wire_put_var(b, e->rcpt_count);
    for (size_t i = 0; i < e->rcpt_count; i++) {
        wire_put_vstr(b, e->rcpts[i].address);
        wire_put_vstr(b, e->rcpts[i].orcpt);
        wire_put_u8(b, e->rcpts[i].notify);
    }
}

void envelope_get(struct wire *w, struct arena *a, struct envelope *out)
{
    *out = (struct envelope){ .reverse_path = wire_get_vstr(w) };
    out->envid = wire_get_vstr(w);
    uint8_t ret = wire_get_u8(w), body = wire_get_u8(w), flags = wire_get_u8(w);
    out->size = wire_get_var(w);
    uint64_t n = wire_get_var(w);

    if (ret > DSN_RET_HDRS || body > BODY_BINARYMIME || n > ENVELOPE_RCPT_MAX) w->bad = true;
    if (w->bad) return;
    out->ret = (enum dsn_ret)ret;
    out->body = (enum body_kind)body;
    out->smtputf8 = (flags & 1) != 0;
    out->require_tls = (flags & 2) != 0;
    out->rcpts = ARENA_MANY(a, struct recipient, n);
    out->rcpt_count = n;
    for (size_t i = 0; i < n; i++) {
        out->rcpts[i].address = wire_get_vstr(w);
        out->rcpts[i].orcpt = wire_get_vstr(w);
        out->rcpts[i].notify = wire_get_u8(w);
    }
}

void peer_put(struct buf *b, const struct peer *p)
{
    wire_put_u32(b, p->conn);
    wire_put_u8(b, (uint8_t)p->service);
    wire_put_vstr(b, p->ip);
    wire_put_u16(b, p->port);
    wire_put_vstr(b, p->local_ip);
    wire_put_u16(b, p->local_port);
    wire_put_vstr(b, p->helo);
    wire_put_vstr(b, p->name);
    wire_put_u8(b, p->extended);
    wire_put_vstr(b, p->tls);
    wire_put_vstr(b, p->login);
    wire_put_vstr(b, p->listener);
}

void peer_get(struct wire *w, struct peer *out)
{
    *out = (struct peer){ .conn = wire_get_u32(w) };
    uint8_t service = wire_get_u8(w);
    if (service > SERVICE_LOCAL) w->bad = true;
    if (w->bad) return;
    out->service = (enum service)service;
    out->ip = wire_get_vstr(w);
    out->port = wire_get_u16(w);
    out->local_ip = wire_get_vstr(w);
    out->local_port = wire_get_u16(w);
    out->helo = wire_get_vstr(w);
    out->name = wire_get_vstr(w);
    out->extended = wire_get_u8(w) != 0;
    out->tls = wire_get_vstr(w);
    out->login = wire_get_vstr(w);
    out->listener = wire_get_vstr(w);
}

const char *service_name(enum service s)
{
    static const char *const names[] = {
        [SERVICE_SMTP] = "smtp",
        [SERVICE_SUBMISSION] = "submission",
        [SERVICE_SUBMISSIONS] = "submissions",
        [SERVICE_LMTP] = "lmtp",
        [SERVICE_POP3] = "pop3",
        [SERVICE_POP3S] = "pop3s",
        [SERVICE_LOCAL] = "local",
    };
    return names[s];
}
