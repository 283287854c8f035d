/* Every check of an item comes before its first write, so that an item that fails leaves nothing;
 * whatever fails later ends the transaction. */
#include "mail/intake.h"
#include "mail/changes.h"
#include "mail/message.h"
#include "mail/queue.h"
#include "mail/quota.h"
#include "mail/repeat.h"
#include "mail/structure.h"
#include "mail/trace.h"
#include "base/must.h"
#include "base/param.h"

enum { ITEM_ADDRESS_MAX = 512, INTAKE_FACT_MAX = 2048 };

struct intake {
    struct txn *t;
    const struct plan *p;
    int64_t now_us;
    struct trace_item *items;
    struct str structure;
    bool structure_shared;
    uint32_t references; /* to the blob */
    size_t done;         /* items that went well */
};

/* ---- the plan by itself ---- */

static enum err item_check(const struct plan *p, const struct plan_item *i)
{
    if (i->rcpt >= p->envelope.rcpt_count) return ERR_INVALID;
    if (i->address.n > ITEM_ADDRESS_MAX || p->envelope.rcpts[i->rcpt].orcpt.n > INTAKE_FACT_MAX ||
        p->envelope.rcpts[i->rcpt].address.n > ITEM_ADDRESS_MAX) {
        return ERR_LIMIT;
    }
    if (i->prefix.n > MESSAGE_PREFIX_MAX || i->mailbox.n > KEY_MAILBOX_NAME_MAX) return ERR_LIMIT;
    if ((i->flags & ~(uint32_t)MESSAGE_FLAGS) != 0) return ERR_INVALID;
    if (i->act == PLAN_QUEUE && (i->next_hop.n == 0 || i->next_hop.n > KEY_NEXT_HOP_MAX)) {
        return ERR_INVALID;
    }
    return OK;
}

static enum err plan_check(const struct plan *p, const struct stage *stage)
{
    uint64_t content = stage != NULL ? engine_stage_bytes(stage) : p->content.n;
    const struct peer *peer = &p->peer;
    size_t facts = peer->ip.n + peer->local_ip.n + peer->helo.n + peer->name.n + peer->tls.n +
                   peer->login.n + peer->listener.n;
    if (p->message == 0 || p->item_count == 0 || p->received_us < 0) return ERR_INVALID;
    if (p->item_count > PLAN_ITEM_MAX || facts > 4 * INTAKE_FACT_MAX) return ERR_LIMIT;
    if (p->envelope.reverse_path.n > INTAKE_FACT_MAX || p->envelope.envid.n > INTAKE_FACT_MAX) {
        return ERR_LIMIT;
    }
    if ((p->stage != 0) != (stage != NULL) || (stage != NULL && p->content.n > 0)) {
        return ERR_INVALID;
    }
    if (p->total_bytes == 0 || p->total_bytes != p->head.n + content) return ERR_INVALID;
    enum err e = OK;
    for (size_t i = 0; e == OK && i < p->item_count; i++) {
        e = item_check(p, &p->items[i]);
    }
    return e;
}

/* ---- done before? ---- */

static void results_from(const struct trace_intake *x, uint64_t message, const struct plan *p,
                         struct plan_result *result)
{
    result->message = message;
    result->repeated = true;
    result->item_count = p->item_count;
    for (size_t i = 0; i < p->item_count; i++) {
        bool known = x->item_count == p->item_count;
        result->items[i] = (uint8_t)(known ? x->items[i].result : OK);
    }
}

/* OK: it was, and `result` says what came of it. ERR_NOT_FOUND: it was not. */
static enum err done_before(struct txn *t, const struct plan *p, int64_t now_us,
                            struct plan_result *result)
{
    struct str digest = str_of(p->digest, sizeof p->digest);
    struct trace_intake x;
    uint64_t earlier = 0;
    enum err e = trace_intake_get(t, p->message, &x);
    if (e == OK && (!str_eq(x.digest, digest) || x.received_us != p->received_us)) {
        return ERR_EXISTS;
    }
    if (e == OK) results_from(&x, p->message, p, result);
    if (e != ERR_NOT_FOUND || !p->repeatable) return e;

    e = repeat_find(t, digest, now_us, &earlier);
    if (e != OK) return e;
    e = trace_intake_get(t, earlier, &x);
    if (e == ERR_NOT_FOUND) x = (struct trace_intake){ 0 };
    if (e == OK || e == ERR_NOT_FOUND) {
        results_from(&x, earlier, p, result);
        e = OK;
    }
    return e;
}

/* ---- filing ---- */

/* What may go wrong with one account or mailbox without being the others' trouble. */
static bool is_items_own(enum err e)
{
    return e == ERR_NOT_FOUND || e == ERR_OVER_QUOTA || e == ERR_LIMIT || e == ERR_INVALID ||
           e == ERR_CORRUPT;
}

/* The mailbox to file into; m->id 0: it has to be made under `name`. A full list of mailboxes is no
 * reason to lose mail: it goes to INBOX then. */
static enum err target(struct intake *in, const struct account_state *s, struct str wanted,
                       struct str *name_out, struct mailbox_info *m_out)
{
    enum err e = mailbox_name_normal(txn_arena(in->t), wanted, name_out);
    if (e == OK) e = mailbox_find(in->t, s->account, *name_out, m_out);
    if (e != ERR_NOT_FOUND) return e;
    if (!mailbox_has_room(s)) {
        *name_out = STR("INBOX");
        return mailbox_get(in->t, s->account, MAILBOX_INBOX, m_out);
    }
    *m_out = (struct mailbox_info){ 0 };
    return OK;
}

static enum err file_write(struct intake *in, const struct plan_item *i, struct account_state *s,
                           struct str name, struct mailbox_info *m, uint32_t *uid_out)
{
    const struct plan *p = in->p;
    enum err e = OK;
    if (m->id == 0) {
        e = mailbox_make(in->t, s, name, MAILBOX_SUBSCRIBED, in->now_us, m);
        if (e != OK) return e;
    }
    struct message_new new = { .message = p->message,
                               .bytes = i->prefix.n + p->total_bytes,
                               .flags = i->flags,
                               .prefix = i->prefix,
                               .structure = in->structure,
                               .structure_shared = in->structure_shared,
                               .received_us = p->received_us,
                               .saved_us = in->now_us };
    e = message_append(in->t, s, m, &new, uid_out);
    if (e == OK) e = mailbox_put(in->t, s->account, m);
    if (e == OK) e = account_state_put(in->t, s);
    if (e == OK) in->references++;
    return e;
}

static enum err file(struct intake *in, const struct plan_item *i, struct trace_item *out)
{
    struct account_state s;
    struct mailbox_info m;
    struct str name = STR_NONE;
    uint64_t bytes = i->prefix.n + in->p->total_bytes;
    enum err e = account_state_get(in->t, i->account, &s);
    if (e == OK) e = target(in, &s, i->mailbox, &name, &m);
    if (e == OK && m.uid_next == UINT32_MAX) e = ERR_LIMIT;
    if (e == OK && in->p->strict_quota) e = quota_check(&s, 1, bytes);
    out->result = e;
    out->account = i->account;
    out->place = name;
    if (e != OK) return is_items_own(e) && !in->p->whole ? OK : e;
    return file_write(in, i, &s, name, &m, &out->uid);
}

/* ---- queueing ---- */

static struct queue_rcpt queued(const struct intake *in, uint32_t index)
{
    const struct plan *p = in->p;
    const struct plan_item *i = &p->items[index];
    struct buf hop = buf_new(KEY_NEXT_HOP_MAX);
    buf_put_lower(&hop, i->next_hop);
    struct queue_rcpt r = { .message = p->message,
                            .index = index,
                            .address = i->address,
                            .orcpt = p->envelope.rcpts[i->rcpt].orcpt,
                            .notify = p->envelope.rcpts[i->rcpt].notify,
                            .next_hop = arena_str(txn_arena(in->t), buf_str(&hop)),
                            .due_us = in->now_us };
    buf_free(&hop);
    return r;
}

static enum err queue_items(struct intake *in)
{
    const struct plan *p = in->p;
    struct queue_rcpt *rcpts = ARENA_MANY(txn_arena(in->t), struct queue_rcpt, p->item_count);
    size_t n = 0;
    for (uint32_t i = 0; i < p->item_count; i++) {
        if (p->items[i].act != PLAN_QUEUE) continue;
        rcpts[n++] = queued(in, i);
        in->items[i].place = rcpts[n - 1].next_hop;
    }
    if (n == 0) return OK;
    struct queue_message m = { .message = p->message,
                               .reverse_path = p->envelope.reverse_path,
                               .envid = p->envelope.envid,
                               .ret = p->envelope.ret,
                               .body = p->envelope.body,
                               .smtputf8 = p->envelope.smtputf8,
                               .require_tls = p->envelope.require_tls,
                               .login = p->peer.login,
                               .received_us = p->received_us,
                               .bytes = p->total_bytes };
    uint32_t references = 0;
    enum err e = queue_put(in->t, &m, rcpts, n, &references);
    in->references += references;
    return e;
}

/* ---- all of it ---- */

static void item_begin(struct intake *in, size_t at)
{
    const struct plan_item *i = &in->p->items[at];
    struct str given = in->p->envelope.rcpts[i->rcpt].address;
    in->items[at] = (struct trace_item){ .act = i->act,
                                         .address = i->address,
                                         .given = str_eq(given, i->address) ? STR_NONE : given };
}

static enum err items_do(struct intake *in)
{
    enum err e = OK;
    for (size_t i = 0; e == OK && i < in->p->item_count; i++) {
        item_begin(in, i);
        if (in->p->items[i].act == PLAN_FILE) e = file(in, &in->p->items[i], &in->items[i]);
        if (in->items[i].result == OK) in->done++;
    }
    return e == OK ? queue_items(in) : e;
}

static enum err message_put_once(struct intake *in, struct stage *stage)
{
    const struct plan *p = in->p;
    enum err e = OK;
    if (in->references > 0) {
        e = txn_blob_put(in->t, blob_of_message(p->message), p->head, p->content, stage,
                         in->references);
        if (e == OK && in->structure_shared) e = structure_put(in->t, p->message, in->structure);
    }
    if (e == OK) e = trace_intake_put(in->t, p, in->now_us, in->items, p->item_count);
    if (e == OK && p->repeatable) {
        e = repeat_put(in->t, str_of(p->digest, sizeof p->digest), in->now_us, p->message);
    }
    return e;
}

/* The structure record belongs to mailboxes only; one that is too large is not kept. */
static void structure_begin(struct intake *in)
{
    size_t copies = 0;
    for (size_t i = 0; i < in->p->item_count; i++) {
        copies += in->p->items[i].act == PLAN_FILE;
    }
    if (copies == 0 || in->p->structure.n == 0 || in->p->structure.n > STRUCTURE_MAX) return;
    in->structure = in->p->structure;
    in->structure_shared = structure_is_shared(in->structure.n, copies);
}

enum err intake_commit(struct txn *t, const struct plan *p, struct stage *stage, int64_t now_us,
                       struct plan_result *result)
{
    enum err e = plan_check(p, stage);
    if (e == OK) e = done_before(t, p, now_us, result);
    if (e != ERR_NOT_FOUND) return e;

    struct intake in = { .t = t, .p = p, .now_us = now_us };
    in.items = ARENA_MANY(txn_arena(t), struct trace_item, p->item_count);
    structure_begin(&in);
    e = items_do(&in);
    if (e == OK && in.done > 0) e = message_put_once(&in, stage);
    if (e != OK) return e;
    result->message = p->message;
    result->repeated = false;
    result->item_count = p->item_count;
    for (size_t i = 0; i < p->item_count; i++) {
        result->items[i] = (uint8_t)in.items[i].result;
    }
    return OK;
}
