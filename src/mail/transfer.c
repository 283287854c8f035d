#include "mail/transfer.h"
#include "mail/changes.h"
#include "mail/quota.h"
#include "mail/structure.h"
#include "mail/trace.h"
#include "base/must.h"

static enum err import_check(const struct import_message *m, const struct stage *stage)
{
    if (m->message == 0 || (m->flags & ~(uint32_t)MESSAGE_FLAGS) != 0) return ERR_INVALID;
    if (stage != NULL && m->content.n > 0) return ERR_INVALID;
    if (m->head.n == 0 && m->content.n == 0 && stage == NULL) return ERR_INVALID;
    return m->prefix.n > MESSAGE_PREFIX_MAX ? ERR_LIMIT : OK;
}

/* A full table of keywords must not keep a message out: the known ones stay with it. */
static enum err import_keywords(struct txn *t, const struct import_message *m, struct str *ids_out)
{
    enum err e = keywords_ids(t, m->account, m->keywords, m->keyword_count, true, ids_out);
    if (e != ERR_LIMIT) return e;
    return keywords_ids(t, m->account, m->keywords, m->keyword_count, false, ids_out);
}

static enum err tell(struct txn *t, const struct import_message *m, struct str mailbox,
                     int64_t now_us)
{
    struct fact facts[] = { { STR("mailbox"), mailbox } };
    struct trace_event event = {
        .time_us = now_us, .name = STR("mail.imported"), .facts = facts, .fact_count = 1
    };
    return trace_event_add(t, m->message, &event);
}

enum err import_message(struct txn *t, const struct import_message *m, struct stage *stage,
                        int64_t now_us, uint32_t *uid_out)
{
    struct account_state s;
    struct mailbox_info mailbox;
    uint64_t content = stage != NULL ? engine_stage_bytes(stage) : m->content.n;
    struct message_new new = { .message = m->message,
                               .bytes = m->prefix.n + m->head.n + content,
                               .flags = m->flags,
                               .uid = m->uid,
                               .prefix = m->prefix,
                               .received_us = m->received_us,
                               .saved_us = now_us };
    if (m->structure.n <= STRUCTURE_MAX) new.structure = m->structure;
    new.structure_shared = structure_is_shared(new.structure.n, 1);

    enum err e = import_check(m, stage);
    if (e == OK) e = account_state_get(t, m->account, &s);
    if (e == OK) e = mailbox_get(t, m->account, m->mailbox, &mailbox);
    if (e == OK && m->strict_quota) e = quota_check(&s, 1, new.bytes);
    if (e == OK) e = import_keywords(t, m, &new.keywords);
    if (e == OK) e = message_append(t, &s, &mailbox, &new, uid_out);
    if (e == OK) e = mailbox_put(t, m->account, &mailbox);
    if (e == OK) e = account_state_put(t, &s);
    if (e == OK) e = txn_blob_put(t, blob_of_message(m->message), m->head, m->content, stage, 1);
    if (e == OK && new.structure_shared) e = structure_put(t, m->message, new.structure);
    return e == OK ? tell(t, m, mailbox.name, now_us) : e;
}

/* ---- mailboxes ---- */

/* Nobody has seen a UID of it yet. */
static bool is_fresh(const struct mailbox_info *m)
{
    return m->uid_next == 1 && m->messages == 0;
}

static enum err take_over(struct txn *t, const struct import_mailbox *want, struct mailbox_info *m)
{
    struct account_state s;
    bool validity = want->uid_validity != 0 && want->uid_validity != m->uid_validity && is_fresh(m);
    uint32_t now_valid = validity ? want->uid_validity : m->uid_validity;
    bool next = now_valid == want->uid_validity && want->uid_next > m->uid_next;
    if (!validity && !next) return OK;
    enum err e = account_state_get(t, want->account, &s);
    if (e == OK) e = change_put(t, &s, CHANGE_MAILBOX_RENAMED, m->id, 0, &m->modseq);
    if (e != OK) return e;
    m->uid_validity = now_valid;
    if (next) m->uid_next = want->uid_next;
    /* A name that is used again later gets a higher one (RFC 9051 2.3.1.1). */
    if (s.last_uid_validity < now_valid) s.last_uid_validity = now_valid;
    e = mailbox_put(t, want->account, m);
    return e == OK ? account_state_put(t, &s) : e;
}

enum err import_mailbox(struct txn *t, const struct import_mailbox *want, int64_t now_us,
                        struct mailbox_info *out)
{
    struct mailbox_info m;
    enum err e = mailbox_find(t, want->account, want->name, &m);
    if (e == ERR_NOT_FOUND)
        e = mailbox_create(t, want->account, want->name, want->attributes, now_us, &m);
    if (e == OK) e = take_over(t, want, &m);
    if (e == OK) *out = m;
    return e;
}

/* ---- export ---- */

static enum err names_of(struct txn *t, const struct keywords *all, struct export_message *x)
{
    x->keywords = ARENA_MANY(txn_arena(t), struct str, x->row.keywords.n);
    for (size_t i = 0; i < x->row.keywords.n; i++) {
        size_t id = (unsigned char)x->row.keywords.p[i];
        if (id >= all->n) return ERR_CORRUPT;
        x->keywords[x->keyword_count++] = all->names[id];
    }
    return OK;
}

static enum err export_one(struct txn *t, uint64_t account, const struct keywords *all,
                           const struct row *row, struct export_message *out)
{
    struct key k;
    struct export_message x = { 0 };
    struct message_fixed fixed;
    enum err e = key_parse(row->key, &k);
    if (e == OK) e = message_decode(row, &x.row);
    if (e == OK) e = message_fixed_get(t, account, k.mailbox, k.uid, &fixed);
    if (e != OK) return e;
    x.mailbox = k.mailbox;
    x.prefix = fixed.prefix;
    e = names_of(t, all, &x);
    if (e == OK) *out = x;
    return e;
}

enum err export_next(struct txn *t, uint64_t account, struct export_at *at, size_t max,
                     struct export_message *out, size_t *n_out)
{
    struct key k = {
        .kind = KEY_MESSAGE, .account = account, .mailbox = at->mailbox, .uid = at->uid
    };
    struct keywords all;
    struct rows rows;
    must(max <= 1000);
    enum err e = keywords_get(t, account, &all);
    if (e == OK) e = row_page(t, &k, 0, key_make(txn_arena(t), &k), max, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = export_one(t, account, &all, &rows.at[i], &out[i]);
    }
    if (e != OK) return e;
    *n_out = rows.n;
    at->end = !rows.more;
    if (rows.n > 0) {
        at->mailbox = (uint32_t)out[rows.n - 1].mailbox;
        at->uid = out[rows.n - 1].row.info.uid;
    }
    return OK;
}
