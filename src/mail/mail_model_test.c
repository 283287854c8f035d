/* Random operations against a naive model: after each one the store must say what the model says.
 *
 * The model is a flat list of messages and a flat list of changes; everything that the store keeps
 * as a counter is counted anew here. On the engine in memory bodies run twice, and now and then a
 * commit fails first; on the embedded one the store is closed and opened again in between. */
#include "mail/changes.h"
#include "mail/check_refs.h"
#include "mail/janitor.h"
#include "mail/queue.h"
#include "mail/transfer.h"
#include "mail/unit_mail.h"
#include "mail/verify.h"
#include "store/store_scratch.h"

enum {
    ACCOUNTS = 3,
    MESSAGES = 6000,
    CHANGES = 20000,
    BOXES = 400,
    STEPS = 2500,
    NAMES = 7,
    BATCH = 6,
};

static const char *const names[NAMES] = {
    "INBOX", "Work", "Work/a", "Work/b", "Trash", "x", "y/z"
};

struct model_message {
    bool alive;
    unsigned account;
    uint64_t mailbox, message, bytes, modseq;
    uint32_t uid, flags;
};

struct model_box {
    bool alive, gone; /* gone: deleted, its messages are still counted */
    unsigned account;
    uint64_t id;
    const char *name;
    uint32_t uid_next, uid_validity;
    uint64_t modseq;
};

struct model_account {
    uint64_t id, modseq, floor, quota_bytes, quota_messages;
    struct change changes[CHANGES];
    size_t change_count;
    uint64_t next_mailbox;
};

struct model_queued {
    bool alive;
    uint64_t message;
    unsigned references, waiting;
};

static struct model {
    struct engine *e;
    const char *path; /* of an embedded store */
    struct model_account accounts[ACCOUNTS];
    struct model_message messages[MESSAGES];
    size_t message_count;
    struct model_box boxes[BOXES];
    size_t box_count;
    struct model_queued queued[MESSAGES];
    size_t queued_count;
    uint64_t next_message;
} m;

/* ---- the model's own arithmetic ---- */

static void model_change(unsigned account, enum change_kind kind, uint64_t mailbox, uint32_t uid)
{
    struct model_account *x = &m.accounts[account];
    must(x->change_count < CHANGES);
    x->changes[x->change_count++] = (struct change){
        .modseq = ++x->modseq, .mailbox = (uint32_t)mailbox, .uid = uid, .kind = kind
    };
}

static struct model_box *model_box_named(unsigned account, const char *name)
{
    for (size_t i = 0; i < m.box_count; i++) {
        struct model_box *b = &m.boxes[i];
        if (b->alive && b->account == account && strcmp(b->name, name) == 0) return b;
    }
    return NULL;
}

static struct model_box *model_box_make(unsigned account, const char *name)
{
    must(m.box_count < BOXES);
    struct model_box *b = &m.boxes[m.box_count++];
    *b = (struct model_box){ .alive = true,
                             .account = account,
                             .id = m.accounts[account].next_mailbox++,
                             .name = name,
                             .uid_next = 1 };
    model_change(account, CHANGE_MAILBOX_CREATED, b->id, 0);
    b->modseq = m.accounts[account].modseq;
    return b;
}

static struct model_message *model_file(struct model_box *b, uint64_t message, uint64_t bytes,
                                        uint32_t flags)
{
    must(m.message_count < MESSAGES);
    struct model_message *x = &m.messages[m.message_count++];
    *x = (struct model_message){ .alive = true,
                                 .account = b->account,
                                 .mailbox = b->id,
                                 .message = message,
                                 .bytes = bytes,
                                 .uid = b->uid_next++,
                                 .flags = flags };
    model_change(b->account, CHANGE_NEW, b->id, x->uid);
    x->modseq = b->modseq = m.accounts[b->account].modseq;
    return x;
}

static void model_expunge(struct model_box *b, struct model_message *x)
{
    x->alive = false;
    model_change(b->account, CHANGE_EXPUNGED, b->id, x->uid);
    b->modseq = m.accounts[b->account].modseq;
}

static struct model_message *model_find(const struct model_box *b, uint32_t uid)
{
    for (size_t i = 0; i < m.message_count; i++) {
        struct model_message *x = &m.messages[i];
        if (x->alive && x->account == b->account && x->mailbox == b->id && x->uid == uid) return x;
    }
    return NULL;
}

static void model_use(unsigned account, uint64_t *messages, uint64_t *bytes)
{
    *messages = *bytes = 0;
    for (size_t i = 0; i < m.message_count; i++) {
        if (!m.messages[i].alive || m.messages[i].account != account) continue;
        ++*messages;
        *bytes += m.messages[i].bytes;
    }
}

static bool model_fits(unsigned account, uint64_t bytes)
{
    uint64_t used_messages, used_bytes;
    const struct model_account *x = &m.accounts[account];
    model_use(account, &used_messages, &used_bytes);
    return (x->quota_bytes == 0 || used_bytes + bytes <= x->quota_bytes) &&
           (x->quota_messages == 0 || used_messages + 1 <= x->quota_messages);
}

/* ---- the store against the model ---- */

static void same_messages(struct txn *t, const struct model_box *b, const struct mailbox_info *have)
{
    static struct message_row rows[MESSAGES];
    uint64_t unseen = 0, deleted = 0, bytes = 0;
    size_t n, found = 0;
    bool more;
    assert_int_equal(
        message_list_page(t, m.accounts[b->account].id, b->id, 0, MESSAGES, rows, &n, &more), OK);
    for (size_t i = 0; i < n; i++) {
        const struct model_message *x = model_find(b, rows[i].info.uid);
        assert_non_null(x);
        assert_int_equal(rows[i].info.message, x->message);
        assert_int_equal(rows[i].info.bytes, x->bytes);
        assert_int_equal(rows[i].info.flags, x->flags);
        assert_int_equal(rows[i].info.modseq, x->modseq);
        unseen += (x->flags & MESSAGE_SEEN) == 0;
        deleted += (x->flags & MESSAGE_DELETED) != 0;
        bytes += x->bytes;
    }
    for (size_t i = 0; i < m.message_count; i++) {
        found += m.messages[i].alive && m.messages[i].account == b->account &&
                 m.messages[i].mailbox == b->id;
    }
    assert_int_equal(found, n);
    assert_int_equal(have->messages, n);
    assert_int_equal(have->unseen, unseen);
    assert_int_equal(have->deleted, deleted);
    assert_int_equal(have->bytes, bytes);
}

static void same_boxes(struct txn *t, unsigned account, const struct account_state *s)
{
    struct mailbox_info *list = ARENA_MANY(txn_arena(t), struct mailbox_info, 100);
    size_t n, alive = 0;
    bool more;
    assert_int_equal(mailbox_list(t, m.accounts[account].id, 0, 100, list, &n, &more), OK);
    assert_int_equal(s->mailboxes, n);
    for (size_t i = 0; i < n; i++) {
        struct model_box *b = model_box_named(account, arena_c(txn_arena(t), list[i].name));
        assert_non_null(b);
        assert_int_equal(list[i].id, b->id);
        assert_int_equal(list[i].uid_next, b->uid_next);
        assert_int_equal(list[i].modseq, b->modseq);
        if (b->uid_validity == 0) b->uid_validity = list[i].uid_validity;
        assert_int_equal(list[i].uid_validity, b->uid_validity);
        same_messages(t, b, &list[i]);
    }
    for (size_t i = 0; i < m.box_count; i++) {
        alive += m.boxes[i].alive && m.boxes[i].account == account;
    }
    assert_int_equal(alive, n);
}

/* The log from its floor on is the model's, number by number. */
static void same_changes(struct txn *t, unsigned account, uint64_t since)
{
    const struct model_account *x = &m.accounts[account];
    static struct change list[10000];
    size_t n;
    bool more;
    enum err e = changes_since(t, x->id, since, 10000, list, &n, &more);
    assert_int_equal(e, since < x->floor ? ERR_RANGE : OK);
    if (e != OK) return;
    assert_int_equal(n, x->modseq - since);
    for (size_t i = 0; i < n; i++) {
        const struct change *want = &x->changes[x->change_count - n + i];
        assert_int_equal(list[i].modseq, since + 1 + i);
        assert_int_equal(list[i].modseq, want->modseq);
        assert_int_equal(list[i].mailbox, want->mailbox);
        assert_int_equal(list[i].uid, want->uid);
        assert_int_equal(list[i].kind, want->kind);
    }
}

static void same(void)
{
    UNIT_LOOK(m.e, t)
    {
        for (unsigned i = 0; i < ACCOUNTS; i++) {
            struct account_state s;
            uint64_t messages, bytes;
            model_use(i, &messages, &bytes);
            assert_int_equal(account_state_get(t, m.accounts[i].id, &s), OK);
            assert_int_equal(s.modseq, m.accounts[i].modseq);
            assert_int_equal(s.changes_floor, m.accounts[i].floor);
            assert_int_equal(s.used_messages, messages);
            assert_int_equal(s.used_bytes, bytes);
            same_boxes(t, i, &s);
            same_changes(t, i, rand_below(s.modseq + 1));
        }
    }
}

/* Each body is counted as often as it is referred to, and gone when nobody does. */
static void same_blobs(void)
{
    struct engine_check how = { .refs = check_refs };
    struct engine_report report;
    struct map referred = MAP_INIT(2 * MESSAGES);
    assert_int_equal(engine_check(m.e, &how, &report), OK);
    for (size_t i = 0; i < m.message_count; i++) {
        if (!m.messages[i].alive) continue;
        must(map_put(&referred, str_of(&m.messages[i].message, 8), &m) == OK);
    }
    for (size_t i = 0; i < m.queued_count; i++) {
        if (!m.queued[i].alive) continue;
        must(map_put(&referred, str_of(&m.queued[i].message, 8), &m) == OK);
    }
    assert_int_equal(report.blobs, referred.members);
    map_free(&referred);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        struct verify_account v = { .account = m.accounts[i].id };
        bool done = false;
        while (!done) {
            UNIT_LOOK(m.e, t)
            {
                assert_int_equal(verify_account_step(t, &v, &done), OK);
            }
        }
        assert_int_equal(v.findings, 0);
        verify_account_free(&v);
    }
}

/* ---- doing it to the store ---- */

/* Now and then the commit fails first; that must leave nothing. */
static enum err commit(txn_body body, void *ctx)
{
    static const enum memory_fault faults[] = { MEMORY_CONFLICT, MEMORY_FULL, MEMORY_UNKNOWN_LOST };
    if (unit_has_faults && rand_below(20) == 0) {
        engine_memory_fail(m.e, 1, faults[rand_below(3)]);
        enum err e = engine_commit(m.e, INTENT_DURABLE, body, ctx);
        assert_true(e != OK);
    }
    return unit_commit(m.e, body, ctx);
}

static struct model_box *some_box(void)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        struct model_box *b = &m.boxes[rand_below(m.box_count)];
        if (b->alive) return b;
    }
    must(false);
}

/* Different uids, most of them there. */
static size_t some_uids(const struct model_box *b, uint32_t *uids)
{
    size_t n = 0;
    for (unsigned tries = 0; tries < BATCH; tries++) {
        uint32_t uid = 1 + (uint32_t)rand_below(b->uid_next);
        bool twice = false;
        for (size_t i = 0; i < n; i++) twice = twice || uids[i] == uid;
        if (!twice) uids[n++] = uid;
    }
    return n;
}

/* ---- delivering ---- */

static void model_deliver(const struct unit_intake *x)
{
    unsigned references = 0, queued = 0;
    uint8_t shards[QUEUE_SHARDS] = { 0 };
    for (size_t i = 0; i < x->plan.item_count; i++) {
        const struct plan_item *item = &x->plan.items[i];
        if (item->act == PLAN_QUEUE) {
            shards[queue_shard(item->next_hop)] = 1;
            queued++;
            assert_int_equal(x->result.items[i], OK);
            continue;
        }
        uint64_t bytes = item->prefix.n + x->plan.total_bytes;
        unsigned account = 0;
        while (account < ACCOUNTS && m.accounts[account].id != item->account) account++;
        enum err want = account == ACCOUNTS ? ERR_NOT_FOUND : OK;
        if (want == OK && x->plan.strict_quota && !model_fits(account, bytes))
            want = ERR_OVER_QUOTA;
        assert_int_equal(x->result.items[i], want);
        if (want != OK) continue;
        const char *name = names[0];
        for (size_t j = 0; j < NAMES; j++) {
            if (str_eq(item->mailbox, str_c(names[j]))) name = names[j];
        }
        struct model_box *b = model_box_named(account, name);
        if (b == NULL) b = model_box_make(account, name);
        model_file(b, x->plan.message, bytes, item->flags);
    }
    for (unsigned i = 0; i < QUEUE_SHARDS; i++) references += shards[i];
    if (queued == 0) return;
    m.queued[m.queued_count++] = (struct model_queued){ true, x->plan.message, references, queued };
}

static struct plan_item some_item(struct arena *a)
{
    static const char *const hops[] = { "a.example", "b.example", "c.example", "d.example" };
    uint64_t account = rand_below(30) == 0 ? 999 : m.accounts[rand_below(ACCOUNTS)].id;
    struct plan_item item = unit_file(account, names[rand_below(NAMES)]);
    char *fill = arena_alloc(a, 200, 1);
    memset(fill, 'p', 200);
    item.prefix = str_of(fill, rand_below(200));
    item.flags = (uint32_t)rand_below(32);
    if (rand_below(6) == 0) {
        item = (struct plan_item){ .act = PLAN_QUEUE,
                                   .address = STR("x@y.example"),
                                   .next_hop = str_c(hops[rand_below(4)]) };
    }
    return item;
}

static void do_deliver(void)
{
    struct arena a = ARENA_INIT(0);
    struct plan_item items[5];
    size_t n = 1 + rand_below(5);
    for (size_t i = 0; i < n; i++) items[i] = some_item(&a);
    struct unit_intake *x = unit_plan(&a, m.next_message++, items, n);
    char *content = arena_alloc(&a, 3000, 1);
    memset(content, 'c', 3000);
    x->plan.content = str_of(content, 1 + rand_below(3000));
    x->plan.structure = str_of(content, rand_below(2500));
    x->plan.total_bytes = x->plan.head.n + x->plan.content.n;
    x->plan.strict_quota = rand_below(2) == 0;
    x->plan.repeatable = rand_below(2) == 0;
    x->now_us += (int64_t)x->plan.message;
    assert_int_equal(commit(unit_intake_body, x), OK);
    assert_false(x->result.repeated);
    bool any = false;
    for (size_t i = 0; i < n; i++) any = any || x->result.items[i] == OK;
    model_deliver(x);
    if (any && rand_below(4) == 0) { /* the same once more */
        uint8_t before[5];
        memcpy(before, x->items, n);
        if (x->plan.repeatable && rand_below(2) == 0) x->plan.message = m.next_message++;
        assert_int_equal(commit(unit_intake_body, x), OK);
        assert_true(x->result.repeated);
        assert_memory_equal(before, x->items, n);
    }
    arena_free(&a);
}

/* ---- changes by uid ---- */

enum verb { FLAGS, EXPUNGE, COPY, MOVE, CREATE, RENAME, DELETE, IMPORT, REAP, TRIM, QUEUE_DROP };

struct change_step {
    enum verb verb;
    uint64_t account, from, to, message;
    uint32_t uids[BATCH], new_uids[BATCH];
    size_t n, count;
    struct flags_change how;
    struct flags_result results[BATCH];
    struct str name, other;
    struct mailbox_info made;
    bool more;
    uint64_t keep;
};

static enum err step_body(struct txn *t, void *ctx)
{
    struct change_step *s = ctx;
    struct import_message import = { .account = s->account,
                                     .mailbox = s->from,
                                     .message = s->message,
                                     .content = STR("imported"),
                                     .flags = s->how.flags };
    memset(s->new_uids, 0xee, sizeof s->new_uids);
    memset(s->results, 0xee, sizeof s->results);
    switch (s->verb) {
    case FLAGS:
        return message_flags_change(t, s->account, s->from, s->uids, s->n, &s->how, s->results);
    case EXPUNGE:
        return message_expunge(t, s->account, s->from, s->uids, s->n, &s->count);
    case COPY:
        return message_copy(t, s->account, s->from, s->to, s->uids, s->n, unit_now_us, s->new_uids);
    case MOVE:
        return message_move(t, s->account, s->from, s->to, s->uids, s->n, unit_now_us, s->new_uids);
    case CREATE:
        return mailbox_create(t, s->account, s->name, 0, unit_now_us, &s->made);
    case RENAME:
        return mailbox_rename(t, s->account, s->name, s->other);
    case DELETE:
        return mailbox_delete(t, s->account, s->name);
    case IMPORT:
        return import_message(t, &import, NULL, unit_now_us, &s->new_uids[0]);
    case REAP:
        return mailbox_reap(t, s->account, 3, &s->more);
    case TRIM:
        return changes_trim(t, s->account, s->keep, 100, &s->more);
    case QUEUE_DROP:
        return queue_drop(t, s->message, &s->more);
    }
    must(false);
}

static struct change_step step_of(enum verb verb, const struct model_box *b)
{
    struct change_step s = { .verb = verb, .account = m.accounts[b->account].id, .from = b->id };
    s.n = some_uids(b, s.uids);
    return s;
}

static uint32_t with(uint32_t old, const struct flags_change *how)
{
    if (how->how == FLAGS_ADD) return old | how->flags;
    return how->how == FLAGS_REMOVE ? old & ~how->flags : how->flags;
}

static void do_flags(void)
{
    struct model_box *b = some_box();
    struct change_step s = step_of(FLAGS, b);
    s.how = (struct flags_change){ .how = (enum flags_how)rand_below(3),
                                   .flags = (uint32_t)rand_below(32),
                                   .unchanged_since =
                                       rand_below(3) ? UINT64_MAX : rand_below(b->modseq + 1) };
    assert_int_equal(commit(step_body, &s), OK);
    for (size_t i = 0; i < s.n; i++) {
        struct model_message *x = model_find(b, s.uids[i]);
        enum err want = x == NULL                           ? ERR_NOT_FOUND
                        : x->modseq > s.how.unchanged_since ? ERR_CONFLICT
                                                            : OK;
        assert_int_equal(s.results[i].result, want);
        if (want != OK || with(x->flags, &s.how) == x->flags) continue;
        x->flags = with(x->flags, &s.how);
        model_change(b->account, CHANGE_FLAGS, b->id, x->uid);
        x->modseq = b->modseq = m.accounts[b->account].modseq;
        assert_int_equal(s.results[i].modseq, x->modseq);
    }
}

static void do_expunge(void)
{
    struct model_box *b = some_box();
    struct change_step s = step_of(EXPUNGE, b);
    size_t there = 0;
    assert_int_equal(commit(step_body, &s), OK);
    for (size_t i = 0; i < s.n; i++) {
        struct model_message *x = model_find(b, s.uids[i]);
        if (x == NULL) continue;
        model_expunge(b, x);
        there++;
    }
    assert_int_equal(s.count, there);
}

static struct model_box *another_box(const struct model_box *b)
{
    for (;;) {
        struct model_box *to = some_box();
        if (to->account == b->account) return to;
    }
}

static bool copy_fits(const struct model_box *b, const struct change_step *s)
{
    uint64_t messages, bytes;
    const struct model_account *x = &m.accounts[b->account];
    model_use(b->account, &messages, &bytes);
    for (size_t i = 0; i < s->n; i++) {
        const struct model_message *y = model_find(b, s->uids[i]);
        if (y == NULL) continue;
        messages++;
        bytes += y->bytes;
        if (x->quota_bytes != 0 && bytes > x->quota_bytes) return false;
        if (x->quota_messages != 0 && messages > x->quota_messages) return false;
    }
    return true;
}

static void do_copy(enum verb verb)
{
    struct model_box *b = some_box(), *to = another_box(b);
    struct change_step s = step_of(verb, b);
    s.to = to->id;
    bool fits = verb == MOVE || copy_fits(b, &s);
    assert_int_equal(commit(step_body, &s), fits ? OK : ERR_OVER_QUOTA);
    for (size_t i = 0; fits && i < s.n; i++) {
        struct model_message *x = model_find(b, s.uids[i]);
        if (x == NULL) {
            assert_int_equal(s.new_uids[i], 0);
            continue;
        }
        struct model_message *y = model_file(to, x->message, x->bytes, x->flags);
        assert_int_equal(s.new_uids[i], y->uid);
        if (verb == MOVE) model_expunge(b, x);
    }
}

static void do_import(void)
{
    struct model_box *b = some_box();
    struct change_step s = step_of(IMPORT, b);
    s.message = m.next_message++;
    s.how.flags = (uint32_t)rand_below(32);
    assert_int_equal(commit(step_body, &s), OK);
    struct model_message *x = model_file(b, s.message, 8, s.how.flags);
    assert_int_equal(s.new_uids[0], x->uid);
}

/* ---- mailboxes ---- */

static void do_create(void)
{
    unsigned account = (unsigned)rand_below(ACCOUNTS);
    const char *name = names[rand_below(NAMES)];
    bool there = model_box_named(account, name) != NULL;
    struct change_step s = { .verb = CREATE,
                             .account = m.accounts[account].id,
                             .name = str_c(name) };
    assert_int_equal(commit(step_body, &s), there ? ERR_EXISTS : OK);
    if (there) return;
    struct model_box *b = model_box_make(account, name);
    assert_int_equal(s.made.id, b->id);
}

/* Only renames that the model can say simply: of a mailbox without others below it. */
static void do_rename(void)
{
    static const char *const ends[] = { "Work/a", "Work/b", "Trash", "x" };
    unsigned account = (unsigned)rand_below(ACCOUNTS);
    const char *from = ends[rand_below(4)], *to = ends[rand_below(4)];
    struct model_box *b = model_box_named(account, from);
    struct change_step s = {
        .verb = RENAME, .account = m.accounts[account].id, .name = str_c(from), .other = str_c(to)
    };
    enum err want = b == NULL                              ? ERR_NOT_FOUND
                    : model_box_named(account, to) != NULL ? ERR_EXISTS
                                                           : OK;
    assert_int_equal(commit(step_body, &s), want);
    if (want != OK) return;
    b->name = to;
    model_change(account, CHANGE_MAILBOX_RENAMED, b->id, 0);
    b->modseq = m.accounts[account].modseq;
}

static void do_delete(void)
{
    unsigned account = (unsigned)rand_below(ACCOUNTS);
    const char *name = names[rand_below(NAMES)];
    struct model_box *b = model_box_named(account, name);
    struct change_step s = { .verb = DELETE,
                             .account = m.accounts[account].id,
                             .name = str_c(name) };
    bool inbox = strcmp(name, "INBOX") == 0;
    assert_int_equal(commit(step_body, &s), b == NULL ? ERR_NOT_FOUND : inbox ? ERR_DENIED : OK);
    if (b == NULL || inbox) return;
    b->alive = false;
    b->gone = true;
    model_change(account, CHANGE_MAILBOX_DELETED, b->id, 0);
}

static void do_reap(void)
{
    unsigned account = (unsigned)rand_below(ACCOUNTS);
    struct change_step s = { .verb = REAP, .account = m.accounts[account].id, .more = true };
    while (s.more) assert_int_equal(commit(step_body, &s), OK);
    for (size_t i = 0; i < m.box_count; i++) {
        struct model_box *b = &m.boxes[i];
        if (!b->gone || b->account != account) continue;
        b->gone = false;
        for (size_t j = 0; j < m.message_count; j++) {
            struct model_message *x = &m.messages[j];
            if (x->account == account && x->mailbox == b->id) x->alive = false;
        }
    }
}

static void do_trim(void)
{
    unsigned account = (unsigned)rand_below(ACCOUNTS);
    struct model_account *x = &m.accounts[account];
    struct change_step s = { .verb = TRIM, .account = x->id, .keep = 200, .more = true };
    while (s.more) assert_int_equal(commit(step_body, &s), OK);
    if (x->modseq - x->floor > 200) x->floor = x->modseq - 200;
}

static void do_queue_drop(void)
{
    if (m.queued_count == 0) return;
    struct model_queued *q = &m.queued[rand_below(m.queued_count)];
    UNIT_LOOK(m.e, t)
    {
        struct queue_message have;
        assert_int_equal(queue_show(t, q->message, &have), q->alive ? OK : ERR_NOT_FOUND);
        if (q->alive) assert_int_equal(have.waiting, q->waiting);
    }
    struct change_step s = { .verb = QUEUE_DROP, .message = q->message };
    assert_int_equal(commit(step_body, &s), q->alive ? OK : ERR_NOT_FOUND);
    q->alive = false;
}

/* ---- all of it ---- */

static void open_embedded(void)
{
    struct embedded_config c = scratch_config(m.path);
    struct embedded_opening how;
    assert_int_equal(engine_embedded_open(&c, &m.e, &how), OK);
    assert_int_equal(how.damaged_records, 0);
}

static void begin(uint64_t seed, const char *path)
{
    memset(&m, 0, sizeof m);
    rand_test_seed(seed);
    m.path = path;
    unit_has_faults = path == NULL;
    if (path != NULL) open_embedded();
    if (path == NULL) m.e = engine_memory_new();
    m.next_message = 1;
    static const char *const addresses[] = { "a@example.org", "b@example.org", "c@example.org" };
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        struct model_account *x = &m.accounts[i];
        x->quota_bytes = i == 1 ? 100000 : 0;
        x->quota_messages = i == 2 ? 60 : 0;
        x->next_mailbox = 1;
        x->id = unit_account(m.e, addresses[i], x->quota_bytes, x->quota_messages);
        model_box_make(i, "INBOX");
    }
}

static void step(void)
{
    uint64_t dice = rand_below(100);
    if (dice < 30) {
        do_deliver();
    } else if (dice < 45) {
        do_flags();
    } else if (dice < 65) {
        do_expunge();
    } else if (dice < 70) {
        do_copy(COPY);
    } else if (dice < 78) {
        do_copy(MOVE);
    } else if (dice < 82) {
        do_import();
    } else if (dice < 85) {
        do_create();
    } else if (dice < 88) {
        do_rename();
    } else if (dice < 91) {
        do_delete();
    } else if (dice < 94) {
        do_reap();
    } else if (dice < 96) {
        do_trim();
    } else {
        do_queue_drop();
    }
}

static void run(uint64_t seed, const char *path, unsigned steps)
{
    print_message("  seed %u\n", (unsigned)seed);
    begin(seed, path);
    for (unsigned i = 0; i < steps && m.box_count < BOXES - 10; i++) {
        step();
        same();
        if (i % 100 == 0) same_blobs();
        if (path != NULL && rand_below(50) == 0) {
            engine_close(&m.e);
            open_embedded();
        }
    }
    same_blobs();
    rand_test_seed(0);
    engine_close(&m.e);
}

static void in_memory(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) run(seed, NULL, STEPS);
}

static void embedded(void **state)
{
    (void)state;
    char *path = scratch_new();
    run(4, path, STEPS / 5);
    scratch_remove(path);
    free(path);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_memory), cmocka_unit_test(embedded) };
    uint64_t seed = 0;
    if (argc == 2 && str_to_u64(str_c(argv[1]), UINT64_MAX, &seed) == OK) {
        run(seed, NULL, STEPS); /* by hand: another seed */
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
