#include "mail/trace.h"
#include "base/must.h"
#include "base/param.h"
#include "model/message.h"

PARAM(trace_keep_ms, TIME_MS, 86400000, 31536000000, 1209600000,
      "how long the trace of a message is kept (not less than the time a commit may be in doubt)")

/* Items in the intake row itself, and in each further row: a message for a few recipients has one
 * row, and no row is large. */
enum { ITEMS_FIRST_BYTES = 4096, ITEMS_CHUNK_BYTES = 32 * 1024 };

/* ---- items ---- */

static void item_put(struct buf *b, const struct trace_item *i)
{
    wire_put_u8(b, (uint8_t)i->act);
    wire_put_u8(b, (uint8_t)i->result);
    wire_put_vstr(b, i->address);
    wire_put_vstr(b, i->given);
    wire_put_vstr(b, i->place);
    if (i->act != PLAN_FILE) return;
    wire_put_var(b, i->account);
    wire_put_var(b, i->uid);
}

static void item_get(struct wire *w, struct trace_item *out)
{
    uint8_t act = wire_get_u8(w), result = wire_get_u8(w);
    if (act > PLAN_DISCARD || result >= ERR_COUNT) w->bad = true;
    if (w->bad) return;
    *out = (struct trace_item){ .act = (enum plan_act)act, .result = (enum err)result };
    out->address = wire_get_vstr(w);
    out->given = wire_get_vstr(w);
    out->place = wire_get_vstr(w);
    if (act != PLAN_FILE) return;
    out->account = wire_get_var(w);
    out->uid = (uint32_t)wire_get_var(w);
}

/* Items from `from` on, whole ones, while `b` stays below `max_bytes`; says how many. */
static size_t items_put(struct buf *b, const struct trace_item *items, size_t from, size_t n,
                        size_t max_bytes)
{
    size_t i = from;
    while (i < n && b->n < max_bytes) {
        item_put(b, &items[i]);
        i++;
    }
    return i;
}

static size_t items_get(struct wire *w, struct trace_item *items, size_t from, size_t n)
{
    size_t i = from;
    while (i < n && w->left.n > 0 && !w->bad) {
        item_get(w, &items[i]);
        i++;
    }
    return i;
}

/* ---- the intake row ---- */

enum err trace_intake_put(struct txn *t, const struct plan *p, int64_t now_us,
                          const struct trace_item *items, size_t n)
{
    struct key k = { .kind = KEY_INTAKE, .message = p->message };
    struct buf b = row_buf();
    wire_put_u64(&b, (uint64_t)now_us);
    wire_put_u64(&b, (uint64_t)p->received_us);
    buf_put(&b, str_of(p->digest, sizeof p->digest));
    peer_put(&b, &p->peer);
    wire_put_vstr(&b, p->envelope.reverse_path);
    wire_put_vstr(&b, p->envelope.envid);
    wire_put_u8(&b, (uint8_t)p->envelope.body);
    wire_put_u8(&b, p->envelope.smtputf8);
    wire_put_var(&b, p->total_bytes);
    wire_put_var(&b, n);
    size_t i = items_put(&b, items, 0, n, ITEMS_FIRST_BYTES);
    enum err e = row_put(t, &k, &b);
    k.kind = KEY_INTAKE_ITEMS;
    while (e == OK && i < n) {
        struct buf more = row_buf();
        i = items_put(&more, items, i, n, ITEMS_CHUNK_BYTES);
        e = row_put(t, &k, &more);
        k.chunk++;
    }
    return e;
}

static enum err items_collect(struct txn *t, uint64_t message, struct wire *first,
                              struct trace_intake *x)
{
    struct key k = { .kind = KEY_INTAKE_ITEMS, .message = message };
    x->items = ARENA_MANY(txn_arena(t), struct trace_item, x->item_count);
    size_t i = items_get(first, x->items, 0, x->item_count);
    if (wire_end(first) != OK) return ERR_CORRUPT;
    while (i < x->item_count) {
        struct str value;
        enum err e = row_get(t, &k, &value);
        if (e != OK) return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
        struct wire w = wire_of(value);
        size_t next = items_get(&w, x->items, i, x->item_count);
        if (wire_end(&w) != OK || next == i) return ERR_CORRUPT;
        i = next;
        k.chunk++;
    }
    return OK;
}

enum err trace_intake_get(struct txn *t, uint64_t message, struct trace_intake *out)
{
    struct key k = { .kind = KEY_INTAKE, .message = message };
    struct str value;
    enum err e = row_get(t, &k, &value);
    if (e != OK) return e;
    struct wire w = wire_of(value);
    struct trace_intake x = { .committed_us = (int64_t)wire_get_u64(&w) };
    x.received_us = (int64_t)wire_get_u64(&w);
    x.digest = wire_get_bytes(&w, PLAN_DIGEST_BYTES);
    peer_get(&w, &x.peer);
    x.reverse_path = wire_get_vstr(&w);
    x.envid = wire_get_vstr(&w);
    uint8_t body = wire_get_u8(&w);
    x.smtputf8 = wire_get_u8(&w) != 0;
    x.bytes = wire_get_var(&w);
    uint64_t n = wire_get_var(&w);
    if (w.bad || body > BODY_BINARYMIME || n > PLAN_ITEM_MAX) return ERR_CORRUPT;
    x.body = (enum body_kind)body;
    x.item_count = n;
    e = items_collect(t, message, &w, &x);
    if (e == OK) *out = x;
    return e;
}

/* ---- events ---- */

enum err trace_event_add(struct txn *t, uint64_t message, const struct trace_event *event)
{
    struct key k = { .kind = KEY_EVENT,
                     .message = message,
                     .time_us = event->time_us > 0 ? event->time_us : 0 };
    struct fact facts[FACT_MAX];
    size_t n = event->fact_count < FACT_MAX ? event->fact_count : FACT_MAX;
    for (bool taken = true; taken; k.index++) { /* two events of one microsecond */
        enum err e = row_exists(t, &k, &taken);
        if (e != OK) return e;
        if (!taken) break;
    }
    for (size_t i = 0; i < n; i++) {
        facts[i] = event->facts[i];
        facts[i].value = str_part(facts[i].value, 0, TRACE_FACT_MAX);
    }
    struct buf b = row_buf();
    wire_put_vstr(&b, event->name);
    facts_put(&b, facts, n);
    return row_put(t, &k, &b);
}

static enum err event_decode(struct txn *t, const struct row *row, struct trace_event *out)
{
    struct key k;
    enum err e = key_parse(row->key, &k);
    if (e != OK) return e;
    struct wire w = wire_of(row->value);
    struct trace_event event = { .time_us = k.time_us, .name = wire_get_vstr(&w) };
    facts_get(&w, txn_arena(t), &event.facts, &event.fact_count);
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    *out = event;
    return OK;
}

/* ---- telling it as events ---- */

static struct str number(struct arena *a, uint64_t v)
{
    struct buf b = buf_new(24);
    buf_put_u64(&b, v);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static struct str hex(struct arena *a, uint64_t v, unsigned digits)
{
    struct buf b = buf_new(24);
    buf_put_hex_u64(&b, v, digits);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

/* What is empty is not told. */
static void fact_add(struct trace_event *e, const char *name, struct str value)
{
    must(e->fact_count < FACT_MAX);
    if (value.n == 0) return;
    e->facts[e->fact_count++] = (struct fact){ str_c(name), value };
}

static void tell_peer(struct arena *a, const struct peer *p, struct trace_event *e)
{
    fact_add(e, "conn", hex(a, p->conn, 8));
    fact_add(e, "service", str_c(service_name(p->service)));
    fact_add(e, "ip", p->ip);
    fact_add(e, "helo", p->helo);
    fact_add(e, "name", p->name);
    fact_add(e, "tls", p->tls);
    fact_add(e, "login", p->login);
    fact_add(e, "listener", p->listener);
}

static struct trace_event tell_intake(struct arena *a, const struct trace_intake *x)
{
    static const char *const bodies[] = {
        [BODY_7BIT] = "7BIT", [BODY_8BITMIME] = "8BITMIME", [BODY_BINARYMIME] = "BINARYMIME"
    };
    struct trace_event e = { .time_us = x->received_us,
                             .name = STR("mail.received"),
                             .facts = ARENA_MANY(a, struct fact, FACT_MAX) };
    tell_peer(a, &x->peer, &e);
    e.facts[e.fact_count++] = (struct fact){ STR("from"), x->reverse_path };
    fact_add(&e, "envid", x->envid);
    fact_add(&e, "bytes", number(a, x->bytes));
    fact_add(&e, "body", str_c(bodies[x->body]));
    if (x->smtputf8) fact_add(&e, "smtputf8", STR("yes"));
    fact_add(&e, "rcpts", number(a, x->item_count));
    return e;
}

static struct trace_event tell_item(struct arena *a, const struct trace_intake *x,
                                    const struct trace_item *i)
{
    static const char *const names[] = {
        [PLAN_FILE] = "mail.filed", [PLAN_QUEUE] = "mail.queued", [PLAN_DISCARD] = "mail.discarded"
    };
    struct trace_event e = { .time_us = x->committed_us,
                             .name = str_c(i->result == OK ? names[i->act] : "mail.refused"),
                             .facts = ARENA_MANY(a, struct fact, 8) };
    fact_add(&e, "rcpt", i->address);
    fact_add(&e, "given", i->given);
    if (i->result != OK) {
        fact_add(&e, "err", str_c(err_name(i->result)));
        return e;
    }
    fact_add(&e, i->act == PLAN_QUEUE ? "next_hop" : "mailbox", i->place);
    if (i->act == PLAN_FILE) {
        fact_add(&e, "account", number(a, i->account));
        fact_add(&e, "uid", number(a, i->uid));
    }
    return e;
}

/* Where the listing stands: `seen` events so far. */
struct telling {
    size_t skip, max, seen, n;
    struct trace_event *out;
};

static bool wanted(struct telling *l)
{
    size_t at = l->seen++;
    return at >= l->skip && l->n < l->max;
}

static enum err tell_later(struct txn *t, uint64_t message, struct telling *l, bool *any_out)
{
    struct key k = { .kind = KEY_EVENT, .message = message };
    struct rows rows = { .more = true };
    struct str after = STR_NONE;
    *any_out = false;
    while (rows.more) {
        enum err e = row_page(t, &k, 0, after, 1000, &rows);
        for (size_t i = 0; e == OK && i < rows.n; i++) {
            *any_out = true;
            if (wanted(l)) e = event_decode(t, &rows.at[i], &l->out[l->n++]);
            after = rows.at[i].key;
        }
        if (e != OK) return e;
    }
    return OK;
}

enum err trace_list(struct txn *t, uint64_t message, size_t skip, size_t max,
                    struct trace_event *out, size_t *n_out, bool *more_out)
{
    struct telling l = { .skip = skip, .max = max, .out = out };
    struct arena *a = txn_arena(t);
    struct trace_intake x;
    bool later = false;
    enum err e = trace_intake_get(t, message, &x);
    bool known = e == OK;
    if (e != OK && e != ERR_NOT_FOUND) return e;
    if (known) {
        if (wanted(&l)) out[l.n++] = tell_intake(a, &x);
        for (size_t i = 0; i < x.item_count; i++) {
            if (wanted(&l)) out[l.n++] = tell_item(a, &x, &x.items[i]);
        }
    }
    e = tell_later(t, message, &l, &later);
    if (e != OK) return e;
    if (!known && !later) return ERR_NOT_FOUND;
    *n_out = l.n;
    *more_out = l.seen > l.skip + l.n;
    return OK;
}

static enum err old_rows(struct txn *t, int64_t now_us, size_t max_rows, struct rows *out)
{
    struct arena *a = txn_arena(t);
    int64_t until_us = now_us - trace_keep_ms * 1000;
    struct key first = { .kind = KEY_INTAKE };
    struct key last = { .kind = KEY_INTAKE, .message = message_id_first(until_us) };
    struct key_range r = { key_owner_range(a, &first).from, key_owner_range(a, &last).from };
    return row_range(t, r, STR_NONE, max_rows, out);
}

enum err trace_is_old(struct txn *t, int64_t now_us, bool *old_out)
{
    struct rows rows;
    enum err e = old_rows(t, now_us, 1, &rows);
    if (e == OK) *old_out = rows.n > 0;
    return e;
}

enum err trace_expire(struct txn *t, int64_t now_us, size_t max_rows, bool *more_out)
{
    struct rows rows;
    enum err e = old_rows(t, now_us, max_rows, &rows);
    if (e == OK) e = row_del_all(t, &rows);
    if (e == OK) *more_out = rows.more;
    return e;
}
