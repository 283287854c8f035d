/* From an offered message to a committed plan.
 *
 * Every recipient is routed again here: what the edge was told at RCPT may have changed, and the
 * edge is not believed. Recipients that lead to the same mailbox or address get one copy (RFC 5321
 * 5 leaves it open; one is what people expect). Then the text is mended, its structure computed,
 * and the plan committed. */
#include "role/filter_offer.h"

#include "agent/intake/text.h"
#include "base/map.h"
#include "base/must.h"
#include "base/param.h"
#include "syntax/structure.h"

/* The state of the streaming hash is declared for static use only; it stays inside this file. */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

COUNTER(filter_repeats, "messages recognised as repeats of one already stored (RFC 1047)")

enum {
    STAGE_READ_BYTES = 1024 * 1024,
    LED_WORDS = PLAN_ITEM_MAX / 64, /* one bit for each item */
    ROUTES_AT_ONCE = 16,            /* before others get a turn */
};

struct making {
    struct role_self *role;
    const struct offer_req *in;
    struct arena *arena;
    struct offer_rep *out;
    struct outcome *rcpts; /* by recipient: why it was refused, or ok so far */
    uint64_t *led;         /* by recipient, LED_WORDS each: the items it leads to */
    struct plan plan;
    uint8_t staged_digest[PLAN_DIGEST_BYTES];
    size_t item_cap;
    struct map seen; /* mailbox or remote address that has an item already -> that item's mark */
    uint32_t *marks; /* PLAN_ITEM_MAX, each holds its own index */
};

/* ---- items ---- */

static struct str item_key(struct arena *a, const struct route_leaf *l)
{
    struct buf b = BUF_INIT(2048);
    buf_put_byte(&b, l->end == ROUTE_MAILBOX ? 'm' : l->end == ROUTE_HOST ? 'h' : 'd');
    buf_put_lower(&b, l->address);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static struct plan_item *item_new(struct making *m)
{
    struct plan *p = &m->plan;
    if (p->item_count == m->item_cap) {
        size_t cap = m->item_cap > 0 ? m->item_cap * 2 : 4;
        struct plan_item *more = ARENA_MANY(m->arena, struct plan_item, cap);
        for (size_t i = 0; i < p->item_count; i++) {
            more[i] = p->items[i];
        }
        p->items = more;
        m->item_cap = cap;
    }
    return &p->items[p->item_count++];
}

/* `l` lives in a short-lived arena: what the plan keeps of it is copied. */
static void add_leaf(struct making *m, uint32_t rcpt, const struct route_leaf *l, struct arena *a)
{
    struct str key = item_key(a, l);
    uint64_t *led = &m->led[(size_t)rcpt * LED_WORDS];
    const uint32_t *mark = map_get(&m->seen, key);
    if (mark != NULL) { /* it gets its copy already, and this recipient shares its fate */
        led[*mark / 64] |= 1ull << *mark % 64;
        return;
    }
    if (m->plan.item_count >= PLAN_ITEM_MAX) {
        m->rcpts[rcpt] = outcome_of("too-many-recipients");
        return;
    }
    uint32_t at = (uint32_t)m->plan.item_count;
    struct plan_item *i = item_new(m);
    *i = (struct plan_item){ .rcpt = rcpt, .address = arena_str(m->arena, l->address) };
    switch (l->end) {
    case ROUTE_MAILBOX:
        i->act = PLAN_FILE;
        i->account = l->account.id;
        i->mailbox = STR("INBOX");
        i->prefix = intake_prefix(m->arena, &m->in->envelope, l->account.address);
        break;
    case ROUTE_HOST:
        i->act = PLAN_QUEUE;
        i->next_hop = arena_str(m->arena, l->next_hop);
        break;
    case ROUTE_DROP:
        i->act = PLAN_DISCARD;
        break;
    }
    m->marks[at] = at;
    led[at / 64] |= 1ull << at % 64;
    err_ignore(map_put(&m->seen, key, &m->marks[at])); /* bounded by PLAN_ITEM_MAX */
}

/* Route all recipients, each in an arena of its own: the same wide alias may be named by every one
 * of them. ERR_CANCELLED. */
static enum err make_items(struct making *m)
{
    const struct envelope *e = &m->in->envelope;
    for (size_t i = 0; i < e->rcpt_count; i++) {
        struct arena a = ARENA_INIT(0);
        struct route r;
        enum err err =
            filter_route(m->role, &m->in->peer, e->reverse_path, e->rcpts[i].address, &a, &r);
        if (err == OK) {
            m->rcpts[i] = r.outcome;
            m->rcpts[i].text = arena_str(m->arena, r.outcome.text);
            m->rcpts[i].reason = arena_str(m->arena, r.outcome.reason);
            m->rcpts[i].rule = arena_str(m->arena, r.outcome.rule);
        }
        for (size_t k = 0; err == OK && k < r.leaf_count; k++) {
            add_leaf(m, (uint32_t)i, &r.leaves[k], &a);
        }
        arena_free(&a);
        if (err != OK) return err;
        if (i % ROUTES_AT_ONCE == ROUTES_AT_ONCE - 1) fiber_yield();
    }
    return OK;
}

/* ---- structure ---- */

/* Feed what is staged to the structure and to the digest. Waits. */
static enum err feed_stage(struct making *m, struct structure_builder *s)
{
    enum err e = OK;
    XXH3_state_t digest;
    XXH128_canonical_t canonical;
    XXH3_128bits_reset(&digest);
    for (uint64_t at = 0; at < m->in->stage_bytes && e == OK;) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_SMALL);
        struct str reply;
        struct bytes_rep rep;
        struct stage_read_req in = { .stage = m->in->stage,
                                     .offset = at,
                                     .max_bytes = STAGE_READ_BYTES };
        stage_read_req_put(&b, &in);
        e = filter_ask_depot(m->role, VERB_stage_read, &b, &a, &reply);
        if (e == OK) e = bytes_rep_get(reply, &a, &rep);
        if (e == OK && rep.bytes.n == 0) e = ERR_CORRUPT; /* shorter than the edge said */
        if (e == OK) {
            structure_feed(s, rep.bytes);
            XXH3_128bits_update(&digest, rep.bytes.p, rep.bytes.n);
            at += rep.bytes.n;
        }
        arena_free(&a);
    }
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&digest));
    memcpy(m->staged_digest, &canonical, sizeof m->staged_digest);
    return e;
}

static enum err make_structure(struct making *m, const struct intake_text *t)
{
    struct buf record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure_builder s;
    struct structure found;
    structure_begin(&s, m->arena);
    structure_feed(&s, t->trace);
    structure_feed(&s, t->content);
    enum err e = m->in->stage != 0 ? feed_stage(m, &s) : OK;
    if (e != OK) {
        structure_free(&s);
        return e;
    }
    structure_end(&s, &found);
    structure_encode(&found, &record);
    m->plan.structure = arena_str(m->arena, buf_str(&record));
    buf_free(&record);
    return OK;
}

/* ---- the plan ---- */

static enum err own_addresses(struct making *m, struct intake_in *in)
{
    /* Only the author has to be looked at: is it the login's own by an alias? */
    struct str from;
    if (m->in->peer.login.n == 0 || !intake_author(m->arena, m->in->content, &from)) return OK;
    enum err e = filter_owns(m->role, m->in->peer.login, from);
    if (e == ERR_CANCELLED) return e;
    if (e != OK) return OK; /* then a Sender field tells who it was */
    struct str *own = ARENA_NEW(m->arena, struct str);
    *own = from;
    in->own = own;
    in->own_count = 1;
    return OK;
}

static enum err make_text(struct making *m, struct intake_text *t, struct outcome *refused)
{
    const struct offer_req *o = m->in;
    struct intake_in in = { .config = m->role->config,
                            .peer = &o->peer,
                            .envelope = &o->envelope,
                            .message = o->message,
                            .begun_us = o->begun_us,
                            .content = o->content,
                            .staged = o->stage != 0,
                            .eight_bit = o->eight_bit };
    enum err e = own_addresses(m, &in);
    return e == OK ? intake_text_make(&in, o->content.n + o->stage_bytes, m->arena, t, refused) : e;
}

static void fill_plan(struct making *m, const struct intake_text *t)
{
    const struct offer_req *o = m->in;
    struct plan *p = &m->plan;
    p->message = o->message;
    memcpy(p->digest, t->digest, sizeof p->digest);
    if (o->stage != 0) intake_digest_mix(p->digest, m->staged_digest);
    p->repeatable = t->repeatable;
    p->strict_quota = o->lmtp || p->item_count == 1;
    p->whole = !o->lmtp; /* one reply must not say 250 for a recipient who got nothing */
    p->received_us = clock_wall_us();
    p->peer = o->peer;
    p->envelope = o->envelope;
    if (o->stage == 0) {
        p->head = t->trace;
        p->content = t->content;
        p->total_bytes = t->trace.n + t->content.n;
        return;
    }
    /* What is staged stays as it is; trace and the (mended) first part stand before it. */
    struct buf head = BUF_INIT(t->trace.n + t->content.n + 1);
    buf_put(&head, t->trace);
    buf_put(&head, t->content);
    p->head = arena_str(m->arena, buf_str(&head));
    buf_free(&head);
    p->stage = o->stage;
    p->total_bytes = p->head.n + o->stage_bytes;
}

static enum err commit(struct making *m, struct plan_result *result)
{
    struct buf b = BUF_INIT(VERB_PLAN);
    struct str reply;
    plan_put(&b, &m->plan);
    enum err e = filter_ask_depot(m->role, VERB_intake_commit, &b, m->arena, &reply);
    if (e != OK) return e;
    struct wire w = wire_of(reply);
    plan_result_get(&w, m->arena, result);
    return wire_end(&w);
}

/* What the depot said of each item, as outcomes of all recipients that led to it: nobody is told
 * "taken" of a copy that somebody else's name stands on and that was not stored. */
static void take_result(struct making *m, const struct plan_result *result)
{
    bool any = false;
    struct outcome worst = outcome_of("ok");
    m->out->message = result->message;
    if (result->repeated) filter_repeats++;
    for (size_t i = 0; i < m->plan.item_count && i < result->item_count; i++) {
        if (result->items[i] == OK) {
            any = true;
            continue;
        }
        worst = outcome_from_err((enum err)result->items[i]);
        for (size_t k = 0; k < m->in->envelope.rcpt_count; k++) {
            if ((m->led[k * LED_WORDS + i / 64] & 1ull << i % 64) != 0) m->rcpts[k] = worst;
        }
    }
    /* SMTP has one reply: good when anybody has got it (the others' quota was looked at when they
     * were named). */
    m->out->outcome = any || result->repeated ? outcome_of("ok") : worst;
}

static enum err make(struct making *m)
{
    struct intake_text text;
    struct outcome refused = outcome_of("ok");
    struct plan_result result;
    enum err e = make_items(m);
    if (e != OK) return e;
    for (size_t i = 0; i < m->in->envelope.rcpt_count; i++) {
        /* A recipient that was good at RCPT and is refused now: SMTP cannot say so for one alone.
         */
        if (!outcome_is_ok(&m->rcpts[i]) && (!m->in->lmtp || m->plan.item_count == 0)) {
            m->out->outcome = m->rcpts[i];
            if (!m->in->lmtp) return OK;
        }
    }
    if (m->plan.item_count == 0) return OK;
    e = make_text(m, &text, &refused);
    if (e == ERR_DENIED) {
        m->out->outcome = refused;
        for (size_t i = 0; i < m->in->envelope.rcpt_count; i++) {
            m->rcpts[i] = refused;
        }
        return OK;
    }
    if (e == OK) e = make_structure(m, &text);
    if (e == OK) fill_plan(m, &text);
    if (e == OK) e = commit(m, &result);
    if (e == OK) take_result(m, &result);
    return e;
}

enum err filter_offer(struct role_self *r, const struct offer_req *in, struct arena *a,
                      struct offer_rep *out)
{
    *out = (struct offer_rep){ .message = in->message,
                               .outcome = outcome_of("internal"),
                               .rcpts_count = in->envelope.rcpt_count };
    struct making *m = ARENA_NEW(a, struct making);
    *m = (struct making){ .role = r,
                          .in = in,
                          .arena = a,
                          .out = out,
                          .seen = MAP_INIT(PLAN_ITEM_MAX + 1),
                          .rcpts = ARENA_MANY(a, struct outcome, in->envelope.rcpt_count),
                          .marks = ARENA_MANY(a, uint32_t, PLAN_ITEM_MAX),
                          .led = ARENA_MANY(a, uint64_t, in->envelope.rcpt_count * LED_WORDS) };
    out->rcpts = m->rcpts;
    for (size_t i = 0; i < out->rcpts_count; i++) {
        m->rcpts[i] = outcome_of("internal");
    }
    enum err e = make(m);
    map_free(&m->seen);
    if (e == ERR_CANCELLED) return e;
    if (e != OK) {
        if (e != ERR_OVER_QUOTA) /* which is an answer, not a failure */
            log_warn("filter.offer_failed", L_ID("conn", in->peer.conn), L_ID("msg", in->message),
                     L_ERR(e));
        out->outcome = outcome_from_err(e);
        for (size_t i = 0; i < out->rcpts_count; i++) {
            m->rcpts[i] = out->outcome;
        }
    }
    if (!in->lmtp) out->rcpts_count = 0; /* nobody reads them */
    return OK;
}

/* ---- quota at RCPT ---- */

void filter_check_quota(struct role_self *r, const struct route *route, uint64_t size,
                        struct arena *a, struct outcome *out)
{
    size_t full = 0;
    for (size_t i = 0; i < route->leaf_count; i++) {
        const struct account *x = &route->leaves[i].account;
        if (route->leaves[i].end != ROUTE_MAILBOX ||
            (x->quota_bytes == 0 && x->quota_messages == 0))
            return;
        struct buf b = BUF_INIT(VERB_SMALL);
        struct quota_check_req in = { .account = x->id, .bytes = size };
        quota_check_req_put(&b, &in);
        if (filter_ask_depot(r, VERB_quota_check, &b, a, NULL) == ERR_OVER_QUOTA) full++;
    }
    if (full > 0 && full == route->leaf_count) *out = outcome_of("over-quota");
}
