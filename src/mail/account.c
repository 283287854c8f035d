#include "mail/account.h"
#include "mail/mailbox.h"
#include "mail/message.h"
#include "base/must.h"

enum err account_state_get(struct txn *t, uint64_t account, struct account_state *out)
{
    struct key k = { .kind = KEY_STATE, .account = account };
    struct str value;
    enum err e = row_get(t, &k, &value);
    if (e != OK) return e;

    struct wire w = wire_of(value);
    struct account_state s = { .account = account, .modseq = wire_get_var(&w) };
    s.changes_floor = wire_get_var(&w);
    s.next_mailbox = wire_get_u32(&w);
    s.last_uid_validity = wire_get_u32(&w);
    s.mailboxes = wire_get_u32(&w);
    s.used_bytes = wire_get_var(&w);
    s.used_messages = wire_get_var(&w);
    s.quota_bytes = wire_get_var(&w);
    s.quota_messages = wire_get_var(&w);
    bool sane = s.changes_floor <= s.modseq && s.modseq < ACCOUNT_MODSEQ_MAX && s.next_mailbox > 0;
    if (wire_end(&w) != OK || !sane) return ERR_CORRUPT;
    *out = s;
    return OK;
}

enum err account_state_put(struct txn *t, const struct account_state *s)
{
    must(s->account != 0 && s->changes_floor <= s->modseq);
    struct key k = { .kind = KEY_STATE, .account = s->account };
    struct buf b = row_buf();
    wire_put_var(&b, s->modseq);
    wire_put_var(&b, s->changes_floor);
    wire_put_u32(&b, s->next_mailbox);
    wire_put_u32(&b, s->last_uid_validity);
    wire_put_u32(&b, s->mailboxes);
    wire_put_var(&b, s->used_bytes);
    wire_put_var(&b, s->used_messages);
    wire_put_var(&b, s->quota_bytes);
    wire_put_var(&b, s->quota_messages);
    return row_put(t, &k, &b);
}

enum err account_state_new(struct txn *t, uint64_t account, uint64_t quota_bytes,
                           uint64_t quota_messages, int64_t now_us)
{
    struct account_state s = { .account = account,
                               .next_mailbox = MAILBOX_INBOX,
                               .quota_bytes = quota_bytes,
                               .quota_messages = quota_messages };
    struct mailbox_info inbox;
    enum err e = mailbox_make(t, &s, STR("INBOX"), MAILBOX_SUBSCRIBED, now_us, &inbox);
    if (e != OK) return e;
    return account_state_put(t, &s);
}

/* Message rows point at blobs, so they go first and one by one; the rest goes as it lies. */
enum err account_reap(struct txn *t, uint64_t account, size_t max_rows, bool *more_out)
{
    struct key k = { .kind = KEY_MESSAGE, .account = account };
    struct rows rows;
    bool state;
    enum err e = row_exists(t, &(struct key){ .kind = KEY_STATE, .account = account }, &state);
    if (e != OK) return e;
    if (state) return ERR_INVALID;

    e = row_page(t, &k, 0, STR_NONE, max_rows, &rows);
    if (e != OK) return e;
    if (rows.n > 0) {
        *more_out = true;
        return message_reap_rows(t, &rows);
    }
    e = row_range(t, key_owner_range(txn_arena(t), &k), STR_NONE, max_rows, &rows);
    if (e != OK) return e;
    *more_out = rows.more;
    return row_del_all(t, &rows);
}
