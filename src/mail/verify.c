#include "mail/verify.h"
#include "mail/directory.h"
#include "mail/verify_say.h"
#include "base/must.h"

/* One mailbox: what its row says, and what its messages sum up to. */
struct verify_mailbox {
    struct mailbox_info row, counted; /* counted.uid_next: the highest uid there is, and one */
    bool has_row, gone;               /* gone: deleted, its messages wait to be reaped */
};

/* ---- saying ---- */

static void say_message(struct verify_account *v, uint32_t mailbox, uint32_t uid, const char *what)
{
    struct key k = { .kind = KEY_MESSAGE, .account = v->account, .mailbox = mailbox, .uid = uid };
    verify_say(&v->say, &v->findings, &k, what);
}

static void say_mailbox(struct verify_account *v, uint64_t mailbox, const char *what)
{
    struct key k = { .kind = KEY_MAILBOX, .account = v->account, .mailbox = (uint32_t)mailbox };
    verify_say(&v->say, &v->findings, &k, what);
}

static void say_state(struct verify_account *v, const char *what)
{
    struct key k = { .kind = KEY_STATE, .account = v->account };
    verify_say(&v->say, &v->findings, &k, what);
}

/* ---- mailboxes of the account ---- */

static struct verify_mailbox *mailbox_add(struct verify_account *v, uint64_t id)
{
    if (v->mailbox_count == v->mailbox_room) {
        size_t room = v->mailbox_room > 0 ? 2 * v->mailbox_room : 16;
        struct verify_mailbox *bigger = ARENA_MANY(&v->arena, struct verify_mailbox, room);
        if (v->mailbox_count > 0) {
            memcpy(bigger, v->mailboxes, v->mailbox_count * sizeof *bigger);
        }
        v->mailboxes = bigger;
        v->mailbox_room = room;
    }
    struct verify_mailbox *m = &v->mailboxes[v->mailbox_count++];
    *m = (struct verify_mailbox){ .counted = { .id = id } };
    return m;
}

static struct verify_mailbox *mailbox_of(struct verify_account *v, uint64_t id)
{
    for (size_t i = 0; i < v->mailbox_count; i++) {
        if (v->mailboxes[i].counted.id == id) return &v->mailboxes[i];
    }
    return NULL;
}

static enum err mailbox_rows(struct txn *t, struct verify_account *v)
{
    enum { PAGE = 500 };
    struct mailbox_info *page = ARENA_MANY(txn_arena(t), struct mailbox_info, PAGE);
    uint64_t after = 0;
    for (bool more = true; more;) {
        size_t n;
        enum err e = mailbox_list(t, v->account, after, PAGE, page, &n, &more);
        if (e == ERR_CORRUPT) say_state(v, "a mailbox row cannot be read");
        if (e != OK) return e;
        for (size_t i = 0; i < n; i++) {
            struct verify_mailbox *m = mailbox_add(v, page[i].id);
            m->row = page[i];
            m->row.name = arena_str(&v->arena, page[i].name);
            m->has_row = true;
            after = page[i].id;
        }
    }
    return OK;
}

static enum err gone_rows(struct txn *t, struct verify_account *v)
{
    struct key k = { .kind = KEY_GONE_MAILBOX, .account = v->account };
    struct rows rows;
    enum err e = row_page(t, &k, 0, STR_NONE, 10000, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = key_parse(rows.at[i].key, &k);
        if (e == OK) mailbox_add(v, k.mailbox)->gone = true;
    }
    return e;
}

/* The name row of each mailbox leads back to it. */
static enum err name_rows(struct txn *t, struct verify_account *v)
{
    for (size_t i = 0; i < v->mailbox_count; i++) {
        struct mailbox_info found;
        if (!v->mailboxes[i].has_row) continue;
        struct mailbox_info *row = &v->mailboxes[i].row;
        struct str value = STR_NONE;
        struct key k = { .kind = KEY_MAILBOX_NAME, .account = v->account, .name = row->name };
        enum err e = row_get(t, &k, &value);
        if (e == OK) e = mailbox_find(t, v->account, row->name, &found);
        if (e != OK && e != ERR_NOT_FOUND) return e;
        if (e == ERR_NOT_FOUND || found.id != row->id) {
            say_mailbox(v, row->id, "its name does not lead to it");
        }
    }
    return OK;
}

static enum err begin(struct txn *t, struct verify_account *v)
{
    arena_free(&v->arena);
    v->mailboxes = NULL;
    v->mailbox_count = v->mailbox_room = 0;
    v->mailbox = v->uid = 0;
    v->findings = 0;
    v->log_is_cut = false;
    v->counted = (struct account_state){ .account = v->account };
    enum err e = account_state_get(t, v->account, &v->state);
    if (e == OK) e = mailbox_rows(t, v);
    if (e == OK) e = gone_rows(t, v);
    if (e == OK) e = name_rows(t, v);
    if (e == OK) v->phase = VERIFY_MESSAGES;
    return e;
}

/* ---- messages ---- */

/* The rows that belong to a message row, and its body. */
static enum err message_needs(struct txn *t, struct verify_account *v, uint32_t mailbox,
                              const struct message_row *m)
{
    struct message_fixed fixed = { 0 };
    uint64_t blob_bytes = 0;
    enum err e = message_fixed_get(t, v->account, mailbox, m->info.uid, &fixed);
    if (e == ERR_CORRUPT) {
        say_message(v, mailbox, m->info.uid, "its unchanging row or structure cannot be read");
        return OK;
    }
    if (e != OK) return e;
    e = txn_blob_bytes(t, blob_of_message(m->info.message), &blob_bytes);
    if (e == ERR_NOT_FOUND) {
        say_message(v, mailbox, m->info.uid, "its body is lost");
        return OK;
    }
    if (e != OK) return e;
    if (fixed.prefix.n + blob_bytes != m->info.bytes) {
        say_message(v, mailbox, m->info.uid, "its size is not that of its body");
    }
    return OK;
}

static void count(struct verify_account *v, struct verify_mailbox *m, const struct message_row *row)
{
    v->counted.used_messages++;
    v->counted.used_bytes += row->info.bytes;
    m->counted.messages++;
    m->counted.bytes += row->info.bytes;
    m->counted.unseen += (row->info.flags & MESSAGE_SEEN) == 0;
    m->counted.deleted += (row->info.flags & MESSAGE_DELETED) != 0;
    m->counted.uid_next = row->info.uid + 1;
    if (row->info.modseq > m->counted.modseq) m->counted.modseq = row->info.modseq;
}

static enum err message_step(struct txn *t, struct verify_account *v, const struct row *row)
{
    struct key k;
    struct message_row m;
    enum err e = key_parse(row->key, &k);
    if (e != OK) return e;
    v->mailbox = k.mailbox;
    v->uid = k.uid;
    if (message_decode(row, &m) != OK) {
        say_message(v, k.mailbox, k.uid, "the row cannot be read");
        return OK;
    }
    struct verify_mailbox *box = mailbox_of(v, k.mailbox);
    if (box == NULL) {
        say_message(v, k.mailbox, k.uid, "there is no such mailbox");
        box = mailbox_add(v, k.mailbox);
    }
    count(v, box, &m);
    return box->gone ? OK : message_needs(t, v, k.mailbox, &m);
}

static enum err messages(struct txn *t, struct verify_account *v, bool *more_out)
{
    struct key k = {
        .kind = KEY_MESSAGE, .account = v->account, .mailbox = v->mailbox, .uid = v->uid
    };
    struct account_state now;
    struct rows rows;
    enum err e = account_state_get(t, v->account, &now);
    if (e != OK) return e;
    if (now.modseq != v->state.modseq || now.used_messages != v->state.used_messages) {
        return ERR_CONFLICT;
    }
    e = row_page(t, &k, 0, key_make(txn_arena(t), &k), VERIFY_ROWS, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = message_step(t, v, &rows.at[i]);
    }
    *more_out = rows.more;
    return e;
}

/* ---- sums ---- */

static bool counters_differ(const struct verify_mailbox *m)
{
    const struct mailbox_info *a = &m->row, *b = &m->counted;
    return a->messages != b->messages || a->unseen != b->unseen || a->deleted != b->deleted ||
           a->bytes != b->bytes;
}

static void mailbox_sums(struct verify_account *v, const struct verify_mailbox *m,
                         uint32_t *next_mailbox)
{
    if (m->counted.id >= *next_mailbox) *next_mailbox = (uint32_t)m->counted.id + 1;
    if (!m->has_row) return; /* said already, or deleted */
    if (counters_differ(m)) say_mailbox(v, m->row.id, "counters differ from its messages");
    if (m->row.uid_next < m->counted.uid_next || m->row.uid_next == 0) {
        say_mailbox(v, m->row.id, "the next uid is not above those in use");
    }
    if (m->row.modseq < m->counted.modseq || m->row.modseq > v->state.modseq) {
        say_mailbox(v, m->row.id, "its modseq is out of order");
    }
}

static void sums(struct verify_account *v)
{
    uint32_t next_mailbox = 0, rows = 0;
    for (size_t i = 0; i < v->mailbox_count; i++) {
        mailbox_sums(v, &v->mailboxes[i], &next_mailbox);
        rows += v->mailboxes[i].has_row;
    }
    if (v->state.next_mailbox < next_mailbox) say_state(v, "the next mailbox id is in use");
    if (v->state.mailboxes != rows) say_state(v, "the number of mailboxes is wrong");
    if (v->state.used_messages != v->counted.used_messages ||
        v->state.used_bytes != v->counted.used_bytes) {
        say_state(v, "use differs from the sum of its messages");
    }
}

/* The newest changes: the log reaches up to the state's modseq and not beyond. */
static enum err log_end(struct txn *t, struct verify_account *v)
{
    struct key k = { .kind = KEY_CHANGE, .account = v->account, .modseq = v->state.modseq };
    struct rows beyond;
    bool last = true;
    enum err e = row_page(t, &k, 0, key_make(txn_arena(t), &k), 1, &beyond);
    if (e == OK && v->state.modseq > v->state.changes_floor) e = row_exists(t, &k, &last);
    if (e != OK) return e;
    if (beyond.n > 0) say_state(v, "the change log goes beyond its modseq");
    if (!last) say_state(v, "the newest change is missing");
    v->log_is_cut = beyond.n > 0 || !last;
    return OK;
}

enum err verify_account_step(struct txn *t, struct verify_account *v, bool *done_out)
{
    bool more = true;
    enum err e = OK;
    if (v->phase == VERIFY_BEGIN) e = begin(t, v);
    if (e == OK && v->phase == VERIFY_MESSAGES) e = messages(t, v, &more);
    if (e == OK && !more) {
        sums(v);
        e = log_end(t, v);
        v->phase = VERIFY_DONE;
    }
    if (e != OK) v->phase = VERIFY_BEGIN;
    if (e == OK) *done_out = v->phase == VERIFY_DONE;
    return e;
}

void verify_account_free(struct verify_account *v)
{
    arena_free(&v->arena);
    v->mailboxes = NULL;
    v->mailbox_count = v->mailbox_room = 0;
    v->phase = VERIFY_BEGIN;
}

/* ---- repair ---- */

/* A mailbox that only its messages knew gets a name. */
static enum err recover(struct txn *t, struct account_state *s, struct verify_mailbox m,
                        int64_t now_us)
{
    struct buf b = buf_new(64);
    struct mailbox_info made;
    buf_put_lit(&b, "Recovered-");
    buf_put_u64(&b, m.counted.id);
    buf_put_byte(&b, '-');
    buf_put_u64(&b, (uint64_t)now_us); /* a name that nobody has */
    uint32_t next = s->next_mailbox;
    s->next_mailbox = (uint32_t)m.counted.id;
    enum err e = mailbox_make(t, s, arena_str(txn_arena(t), buf_str(&b)), 0, now_us, &made);
    buf_free(&b);
    s->next_mailbox = next > s->next_mailbox ? next : s->next_mailbox;
    if (e != OK) return e;
    m.counted.name = made.name;
    m.counted.uid_validity = made.uid_validity;
    m.counted.modseq = made.modseq;
    return mailbox_put(t, s->account, &m.counted);
}

static enum err repair_mailbox(struct txn *t, struct account_state *s,
                               const struct verify_mailbox *m, int64_t now_us)
{
    if (m->gone) return OK;
    if (!m->has_row) return recover(t, s, *m, now_us);
    struct mailbox_info fixed = m->counted;
    fixed.name = m->row.name;
    fixed.uid_validity = m->row.uid_validity;
    fixed.attributes = m->row.attributes;
    if (fixed.uid_next < m->row.uid_next) fixed.uid_next = m->row.uid_next;
    if (fixed.uid_next == 0) fixed.uid_next = 1;
    if (fixed.modseq < m->row.modseq) fixed.modseq = m->row.modseq;
    if (fixed.modseq > s->modseq) s->modseq = fixed.modseq;
    bool same =
        !counters_differ(m) && fixed.uid_next == m->row.uid_next && fixed.modseq == m->row.modseq;
    enum err e = same ? OK : mailbox_put(t, s->account, &fixed);
    return e == OK ? mailbox_name_mend(t, s->account, &fixed) : e;
}

static enum err highest_change(struct txn *t, uint64_t account, uint64_t *modseq_out)
{
    struct key k = { .kind = KEY_CHANGE, .account = account };
    struct key_range r = key_range(txn_arena(t), &k, 0);
    struct rows rows;
    enum err e = txn_range(t, r.from, r.until, RANGE_DOWN, 1, &rows);
    *modseq_out = 0;
    if (e != OK || rows.n == 0) return e;
    e = key_parse(rows.at[0].key, &k);
    if (e == OK) *modseq_out = k.modseq;
    return e;
}

enum err verify_account_repair(struct txn *t, const struct verify_account *v, int64_t now_us)
{
    struct account_state s;
    uint64_t highest;
    must(v->phase == VERIFY_DONE);
    enum err e = account_state_get(t, v->account, &s);
    if (e == OK) e = highest_change(t, v->account, &highest);
    if (e != OK) return e;
    if (s.modseq != v->state.modseq || s.used_messages != v->state.used_messages) {
        return ERR_CONFLICT;
    }
    if (s.modseq < highest) s.modseq = highest;
    s.used_bytes = v->counted.used_bytes;
    s.used_messages = v->counted.used_messages;
    s.mailboxes = 0;
    for (size_t i = 0; i < v->mailbox_count; i++) {
        const struct verify_mailbox *m = &v->mailboxes[i];
        if (m->counted.id >= s.next_mailbox) s.next_mailbox = (uint32_t)m->counted.id + 1;
        s.mailboxes += m->has_row;
    }
    for (size_t i = 0; e == OK && i < v->mailbox_count; i++) {
        e = repair_mailbox(t, &s, &v->mailboxes[i], now_us);
    }
    if (v->log_is_cut || s.modseq != v->state.modseq) s.changes_floor = s.modseq;
    return e == OK ? account_state_put(t, &s) : e;
}
