/* Weak point: every function here reads the state and the mailbox row, changes them in memory and
 * writes them last, so whoever adds a function in between must not write them too. */
#include "mail/message.h"
#include "mail/changes.h"
#include "mail/quota.h"
#include "mail/structure.h"
#include "base/must.h"

enum { STRUCTURE_NONE, STRUCTURE_INLINE, STRUCTURE_SHARED };

static struct key row_key(enum key_kind kind, uint64_t account, uint64_t mailbox, uint32_t uid)
{
    return (
        struct key){ .kind = kind, .account = account, .mailbox = (uint32_t)mailbox, .uid = uid };
}

/* ---- the changing row ---- */

static enum err decode_value(uint32_t uid, struct str value, struct message_row *out)
{
    struct wire w = wire_of(value);
    struct message_row m = { .info = { .uid = uid, .message = wire_get_u64(&w) } };
    m.info.bytes = wire_get_var(&w);
    m.info.flags = (uint32_t)wire_get_var(&w);
    m.info.modseq = wire_get_var(&w);
    m.info.received_us = (int64_t)wire_get_u64(&w);
    m.saved_us = (int64_t)wire_get_u64(&w);
    m.keywords = wire_get_vstr(&w);
    bool sane = uid > 0 && m.info.message != 0 && (m.info.flags & ~(uint32_t)MESSAGE_FLAGS) == 0 &&
                m.keywords.n <= KEYWORD_MAX;
    if (wire_end(&w) != OK || !sane) return ERR_CORRUPT;
    *out = m;
    return OK;
}

enum err message_decode(const struct row *row, struct message_row *out)
{
    struct key k;
    enum err e = key_parse(row->key, &k);
    return e == OK ? decode_value(k.uid, row->value, out) : e;
}

static enum err message_put(struct txn *t, uint64_t account, uint64_t mailbox,
                            const struct message_row *m)
{
    struct key k = row_key(KEY_MESSAGE, account, mailbox, m->info.uid);
    struct buf b = row_buf();
    must(m->info.uid > 0 && m->info.message != 0);
    wire_put_u64(&b, m->info.message);
    wire_put_var(&b, m->info.bytes);
    wire_put_var(&b, m->info.flags);
    wire_put_var(&b, m->info.modseq);
    wire_put_u64(&b, (uint64_t)m->info.received_us);
    wire_put_u64(&b, (uint64_t)m->saved_us);
    wire_put_vstr(&b, m->keywords);
    return row_put(t, &k, &b);
}

enum err message_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                     struct message_row *out)
{
    if (mailbox == 0 || mailbox > UINT32_MAX) return ERR_NOT_FOUND;
    struct key k = row_key(KEY_MESSAGE, account, mailbox, uid);
    struct str value;
    enum err e = row_get(t, &k, &value);
    return e == OK ? decode_value(uid, value, out) : e;
}

/* ---- the unchanging row ---- */

static enum err fixed_put(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                          const struct message_new *new)
{
    struct key k = row_key(KEY_FIXED, account, mailbox, uid);
    struct buf b = row_buf();
    bool inside = !new->structure_shared &&new->structure.n > 0;
    wire_put_vstr(&b, new->prefix);
    wire_put_u8(&b, new->structure_shared ? STRUCTURE_SHARED
                    : inside              ? STRUCTURE_INLINE
                                          : STRUCTURE_NONE);
    if (inside) buf_put(&b, new->structure);
    return row_put(t, &k, &b);
}

static enum err fixed_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                          struct message_fixed *out, bool *shared_out)
{
    struct key k = row_key(KEY_FIXED, account, mailbox, uid);
    struct str value;
    enum err e = row_get(t, &k, &value);
    if (e != OK) return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    struct wire w = wire_of(value);
    struct message_fixed f = { .prefix = wire_get_vstr(&w) };
    uint8_t where = wire_get_u8(&w);
    if (w.bad || where > STRUCTURE_SHARED) return ERR_CORRUPT;
    if (where == STRUCTURE_INLINE) f.structure = w.left;
    *out = f;
    *shared_out = where == STRUCTURE_SHARED;
    return OK;
}

enum err message_fixed_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                           struct message_fixed *out)
{
    struct message_row m;
    bool shared;
    enum err e = message_get(t, account, mailbox, uid, &m);
    if (e == OK) e = fixed_get(t, account, mailbox, uid, out, &shared);
    if (e == OK && shared) e = structure_get(t, m.info.message, &out->structure);
    return e;
}

enum err message_prefix_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                            struct message_row *out, struct str *prefix_out)
{
    struct message_fixed fixed;
    bool shared;
    enum err e = message_get(t, account, mailbox, uid, out);
    if (e == OK) e = fixed_get(t, account, mailbox, uid, &fixed, &shared);
    if (e == OK) *prefix_out = fixed.prefix;
    return e;
}

/* ---- listing ---- */

enum err message_list_page(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t after,
                           size_t max, struct message_row *out, size_t *n_out, bool *more_out)
{
    if (mailbox == 0 || mailbox > UINT32_MAX) return ERR_NOT_FOUND;
    struct key k = row_key(KEY_MESSAGE, account, mailbox, after);
    struct rows rows;
    enum err e = row_page(t, &k, 1, key_make(txn_arena(t), &k), max, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = message_decode(&rows.at[i], &out[i]);
    }
    if (e != OK) return e;
    *n_out = rows.n;
    *more_out = rows.more;
    return OK;
}

/* ---- counting ---- */

static void count_in(struct account_state *s, struct mailbox_info *m, uint64_t bytes,
                     uint32_t flags)
{
    s->used_messages++;
    s->used_bytes += bytes;
    m->messages++;
    m->bytes += bytes;
    m->unseen += (flags & MESSAGE_SEEN) == 0;
    m->deleted += (flags & MESSAGE_DELETED) != 0;
}

/* Counters that a damaged store left too low stop at zero: the user must be able to tidy up, and
 * the check finds and mends them. */
static void lower(uint64_t *counter, uint64_t by)
{
    *counter -= *counter < by ? *counter : by;
}

static void count_out(struct account_state *s, struct mailbox_info *m, uint64_t bytes,
                      uint32_t flags)
{
    lower(&s->used_messages, 1);
    lower(&s->used_bytes, bytes);
    lower(&m->messages, 1);
    lower(&m->bytes, bytes);
    lower(&m->unseen, (flags & MESSAGE_SEEN) == 0);
    lower(&m->deleted, (flags & MESSAGE_DELETED) != 0);
    if (m->unseen > m->messages) m->unseen = m->messages;
    if (m->deleted > m->messages) m->deleted = m->messages;
}

enum err message_append(struct txn *t, struct account_state *s, struct mailbox_info *m,
                        const struct message_new *new, uint32_t *uid_out)
{
    if (m->uid_next == UINT32_MAX || new->uid == UINT32_MAX) return ERR_LIMIT;
    struct message_row row = { .info = { .uid = new->uid > m->uid_next ? new->uid : m->uid_next,
                                         .message = new->message,
                                         .bytes = new->bytes,
                                         .flags = new->flags &MESSAGE_FLAGS,
                                         .received_us = new->received_us },
                               .saved_us = new->saved_us,
                               .keywords = new->keywords };
    uint32_t uid = row.info.uid;
    enum err e = change_put(t, s, CHANGE_NEW, m->id, uid, &row.info.modseq);
    if (e == OK) e = message_put(t, s->account, m->id, &row);
    if (e == OK) e = fixed_put(t, s->account, m->id, uid, new);
    if (e != OK) return e;
    count_in(s, m, new->bytes, row.info.flags);
    m->uid_next = uid + 1;
    m->modseq = row.info.modseq;
    *uid_out = uid;
    return OK;
}

/* ---- letting go of blobs ---- */

enum err message_release(struct txn *t, uint64_t message)
{
    uint64_t bytes;
    struct blob_id blob = blob_of_message(message);
    enum err e = txn_blob_count(t, blob, -1);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    e = txn_blob_bytes(t, blob, &bytes);
    if (e != ERR_NOT_FOUND) return e;
    return structure_del(t, message);
}

enum err message_reap_rows(struct txn *t, const struct rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        struct key k;
        struct message_row m;
        enum err e = key_parse(rows->at[i].key, &k);
        if (e == OK) e = message_decode(&rows->at[i], &m);
        if (e == OK) e = message_release(t, m.info.message);
        if (e == OK) e = txn_del(t, rows->at[i].key);
        k.kind = KEY_FIXED;
        if (e == OK) e = row_del(t, &k);
        if (e != OK) return e;
    }
    return OK;
}

/* ---- changes by uid ---- */

/* State and mailbox of a change, read first and written last. */
struct change_of {
    struct txn *t;
    struct account_state s;
    struct mailbox_info m;
};

static enum err change_begin(struct change_of *c, struct txn *t, uint64_t account, uint64_t mailbox)
{
    *c = (struct change_of){ .t = t };
    enum err e = account_state_get(t, account, &c->s);
    return e == OK ? mailbox_get(t, account, mailbox, &c->m) : e;
}

static enum err change_end(struct change_of *c)
{
    enum err e = mailbox_put(c->t, c->s.account, &c->m);
    return e == OK ? account_state_put(c->t, &c->s) : e;
}

static uint32_t new_flags(uint32_t old, const struct flags_change *how)
{
    switch (how->how) {
    case FLAGS_REPLACE:
        return how->flags;
    case FLAGS_ADD:
        return old | how->flags;
    case FLAGS_REMOVE:
        return old & ~how->flags;
    }
    must(false);
}

/* `old` and `ids` are ascending sets of bytes. */
static struct str new_keywords(struct arena *a, struct str old, enum flags_how how, struct str ids)
{
    if (how == FLAGS_REPLACE) return ids;
    if (ids.n == 0) return old;
    struct buf b = buf_new(256);
    for (unsigned id = 0; id < KEYWORD_MAX; id++) {
        bool had = str_find(old, (char)id) != STR_NOWHERE;
        bool named = str_find(ids, (char)id) != STR_NOWHERE;
        bool has = how == FLAGS_ADD ? had || named : had && !named;
        if (has) buf_put_byte(&b, (char)id);
    }
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static enum err flags_one(struct change_of *c, uint32_t uid, const struct flags_change *how,
                          struct str ids, struct flags_result *out)
{
    struct message_row row;
    *out = (struct flags_result){ .result = ERR_NOT_FOUND };
    enum err e = message_get(c->t, c->s.account, c->m.id, uid, &row);
    if (e == ERR_NOT_FOUND) return OK;
    if (e != OK) return e;

    uint32_t flags = new_flags(row.info.flags, how);
    struct str keywords = new_keywords(txn_arena(c->t), row.keywords, how->how, ids);
    bool late = row.info.modseq > how->unchanged_since;
    bool same = flags == row.info.flags && str_eq(keywords, row.keywords);
    *out = (struct flags_result){ late ? ERR_CONFLICT : OK, row.info.flags, row.info.modseq };
    if (late || same) return OK;

    uint32_t old = row.info.flags;
    count_out(&c->s, &c->m, row.info.bytes, old);
    count_in(&c->s, &c->m, row.info.bytes, flags);
    row.info.flags = flags;
    row.keywords = keywords;
    e = change_put(c->t, &c->s, CHANGE_FLAGS, c->m.id, uid, &row.info.modseq);
    if (e == OK) e = message_put(c->t, c->s.account, c->m.id, &row);
    if (e != OK) return e;
    c->m.modseq = row.info.modseq;
    *out = (struct flags_result){ OK, flags, row.info.modseq };
    return OK;
}

enum err message_flags_change(struct txn *t, uint64_t account, uint64_t mailbox,
                              const uint32_t *uids, size_t n, const struct flags_change *how,
                              struct flags_result *out)
{
    struct change_of c;
    struct str ids;
    must(n <= MESSAGE_BATCH_MAX);
    if ((how->flags & ~(uint32_t)MESSAGE_FLAGS) != 0) return ERR_INVALID;
    enum err e = change_begin(&c, t, account, mailbox);
    uint64_t before = c.s.modseq;
    if (e == OK) {
        e = keywords_ids(t, account, how->keywords, how->keyword_count, how->how != FLAGS_REMOVE,
                         &ids);
    }
    for (size_t i = 0; e == OK && i < n; i++) {
        e = flags_one(&c, uids[i], how, ids, &out[i]);
    }
    if (e != OK || c.s.modseq == before) return e;
    return change_end(&c);
}

/* Take a message's rows away and say so in the log; its blob's reference is the caller's business.
 */
static enum err take_away(struct change_of *c, const struct message_row *row)
{
    struct key k = row_key(KEY_MESSAGE, c->s.account, c->m.id, row->info.uid);
    enum err e = row_del(c->t, &k);
    k.kind = KEY_FIXED;
    if (e == OK) e = row_del(c->t, &k);
    if (e == OK) {
        e = change_put(c->t, &c->s, CHANGE_EXPUNGED, c->m.id, row->info.uid, &c->m.modseq);
    }
    if (e == OK) count_out(&c->s, &c->m, row->info.bytes, row->info.flags);
    return e;
}

enum err message_expunge(struct txn *t, uint64_t account, uint64_t mailbox, const uint32_t *uids,
                         size_t n, size_t *expunged_out)
{
    struct change_of c;
    size_t expunged = 0;
    must(n <= MESSAGE_BATCH_MAX);
    enum err e = change_begin(&c, t, account, mailbox);
    for (size_t i = 0; e == OK && i < n; i++) {
        struct message_row row;
        e = message_get(t, account, mailbox, uids[i], &row);
        if (e == ERR_NOT_FOUND) {
            e = OK;
            continue;
        }
        if (e == OK) e = take_away(&c, &row);
        if (e == OK) e = message_release(t, row.info.message);
        expunged++;
    }
    if (e == OK && expunged > 0) e = change_end(&c);
    if (e == OK) *expunged_out = expunged;
    return e;
}

enum err message_expunge_slice(struct txn *t, uint64_t account, uint64_t mailbox,
                               const uint32_t *uids, size_t n, size_t at, size_t *next_out)
{
    size_t expunged;
    must(at <= n);
    size_t slice = n - at < MESSAGE_BATCH_MAX ? n - at : MESSAGE_BATCH_MAX;
    enum err e = message_expunge(t, account, mailbox, uids + at, slice, &expunged);
    if (e == OK) *next_out = at + slice;
    return e;
}

/* ---- copying ---- */

static enum err append_again(struct txn *t, uint64_t from_mailbox, const struct message_row *row,
                             struct account_state *s, struct mailbox_info *to, int64_t now_us,
                             uint32_t *uid_out)
{
    struct message_fixed fixed;
    bool shared;
    enum err e = fixed_get(t, s->account, from_mailbox, row->info.uid, &fixed, &shared);
    if (e != OK) return e;
    struct message_new new = { .message = row->info.message,
                               .bytes = row->info.bytes,
                               .flags = row->info.flags,
                               .keywords = row->keywords,
                               .prefix = fixed.prefix,
                               .structure = fixed.structure,
                               .structure_shared = shared,
                               .received_us = row->info.received_us,
                               .saved_us = now_us };
    return message_append(t, s, to, &new, uid_out);
}

static enum err copy_one(struct change_of *c, uint64_t from, uint32_t uid, int64_t now_us,
                         uint32_t *uid_out)
{
    struct message_row row;
    enum err e = message_get(c->t, c->s.account, from, uid, &row);
    if (e == ERR_NOT_FOUND) {
        *uid_out = 0;
        return OK;
    }
    if (e == OK) e = quota_check(&c->s, 1, row.info.bytes);
    if (e == OK) e = txn_blob_count(c->t, blob_of_message(row.info.message), 1);
    if (e == ERR_NOT_FOUND) e = ERR_CORRUPT;
    return e == OK ? append_again(c->t, from, &row, &c->s, &c->m, now_us, uid_out) : e;
}

enum err message_copy(struct txn *t, uint64_t account, uint64_t from, uint64_t to,
                      const uint32_t *uids, size_t n, int64_t now_us, uint32_t *uids_out)
{
    struct change_of c;
    struct mailbox_info source;
    must(n <= MESSAGE_BATCH_MAX);
    enum err e = change_begin(&c, t, account, to);
    if (e == OK) e = mailbox_get(t, account, from, &source);
    for (size_t i = 0; e == OK && i < n; i++) {
        e = copy_one(&c, from, uids[i], now_us, &uids_out[i]);
    }
    return e == OK ? change_end(&c) : e;
}

/* Within one mailbox source and target are the same row: only one of them may be kept in memory. */
static enum err move_one(struct change_of *c, struct mailbox_info *to, uint32_t uid, int64_t now_us,
                         uint32_t *uid_out)
{
    struct message_row row;
    enum err e = message_get(c->t, c->s.account, c->m.id, uid, &row);
    if (e == ERR_NOT_FOUND) {
        *uid_out = 0;
        return OK;
    }
    if (e == OK) {
        e = append_again(c->t, c->m.id, &row, &c->s, to != NULL ? to : &c->m, now_us, uid_out);
    }
    return e == OK ? take_away(c, &row) : e;
}

enum err message_move(struct txn *t, uint64_t account, uint64_t from, uint64_t to,
                      const uint32_t *uids, size_t n, int64_t now_us, uint32_t *uids_out)
{
    struct change_of c;
    struct mailbox_info target;
    must(n <= MESSAGE_BATCH_MAX);
    enum err e = change_begin(&c, t, account, from);
    if (e == OK && to != from) e = mailbox_get(t, account, to, &target);
    for (size_t i = 0; e == OK && i < n; i++) {
        e = move_one(&c, to != from ? &target : NULL, uids[i], now_us, &uids_out[i]);
    }
    if (e == OK && to != from) e = mailbox_put(t, account, &target);
    return e == OK ? change_end(&c) : e;
}
