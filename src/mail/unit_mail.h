/* What the tests of mail/ share: a store in memory in which every body runs twice, accounts in it,
 * messages for them. Tests only. */
#ifndef MAIL_UNIT_MAIL_H
#define MAIL_UNIT_MAIL_H

#include "base/unit.h"
#include "base/must.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/param.h"
#include "base/rand.h"
#include "mail/directory.h"
#include "mail/intake.h"
#include "mail/message.h"
#include "store/engine_memory.h"

static const int64_t unit_now_us = 1800000000ll * 1000000;

/* False while a test works on another engine than that in memory. */
static bool unit_has_faults = true;

/* Each body's first run is thrown away: results must come from the second alone. */
static inline enum err unit_commit(struct engine *e, txn_body body, void *ctx)
{
    if (unit_has_faults) engine_memory_fail(e, 1, MEMORY_RERUN);
    return engine_commit(e, INTENT_DURABLE, body, ctx);
}

#define UNIT_LOOK(e, t)                                                                            \
    for (struct txn *t = unit_look_begin(e); t != NULL; engine_snapshot_end(&t), t = NULL)

static inline struct txn *unit_look_begin(struct engine *e)
{
    struct txn *t = NULL;
    must(engine_snapshot_begin(e, &t) == OK);
    return t;
}

/* ---- accounts ---- */

struct unit_account {
    struct account account;
    uint64_t id;
    enum err domain;
};

static inline enum err unit_account_body(struct txn *t, void *ctx)
{
    struct unit_account *x = ctx;
    struct str domain = str_skip(x->account.address, str_rfind(x->account.address, '@') + 1);
    x->domain = directory_domain_add(t, &(struct domain){ .name = domain });
    if (x->domain != OK && x->domain != ERR_EXISTS) return x->domain;
    return directory_account_add(t, &x->account, unit_now_us, &x->id);
}

/* An account, its domain made when it is missing; quotas 0: none. */
static inline uint64_t unit_account(struct engine *e, const char *address, uint64_t quota_bytes,
                                    uint64_t quota_messages)
{
    struct unit_account x = { .account = { .address = str_c(address),
                                           .quota_bytes = quota_bytes,
                                           .quota_messages = quota_messages } };
    must(unit_commit(e, unit_account_body, &x) == OK);
    return x.id;
}

/* ---- plans ---- */

struct unit_intake {
    struct plan plan;
    struct stage *stage;
    struct plan_result result;
    uint8_t items[PLAN_ITEM_MAX];
    int64_t now_us;
};

static inline enum err unit_intake_body(struct txn *t, void *ctx)
{
    struct unit_intake *x = ctx;
    memset(x->items, 0xee, sizeof x->items);
    x->result = (struct plan_result){ .items = x->items };
    return intake_commit(t, &x->plan, x->stage, x->now_us, &x->result);
}

/* A plan with one recipient for each item, named by the item's address. */
static inline struct unit_intake *unit_plan(struct arena *a, uint64_t message,
                                            const struct plan_item *items, size_t n)
{
    struct unit_intake *x = ARENA_NEW(a, struct unit_intake);
    x->now_us = unit_now_us;
    x->plan = (struct plan){
        .message = message,
        .received_us = unit_now_us - 1000,
        .peer = { .conn = 7,
                  .service = SERVICE_SMTP,
                  .ip = STR("192.0.2.1"),
                  .helo = STR("client") },
        .envelope = { .reverse_path = STR("sender@elsewhere.example"),
                      .rcpts = ARENA_MANY(a, struct recipient, n),
                      .rcpt_count = n },
        .head = STR("Received: from client\r\n"),
        .content = STR("Subject: hi\r\n\r\nhello\r\n"),
        .structure = STR("structure of it"),
        .items = ARENA_MANY(a, struct plan_item, n),
        .item_count = n,
    };
    x->plan.total_bytes = x->plan.head.n + x->plan.content.n;
    memcpy(x->plan.digest, &message, sizeof message);
    for (size_t i = 0; i < n; i++) {
        x->plan.items[i] = items[i];
        x->plan.items[i].rcpt = (uint32_t)i;
        x->plan.envelope.rcpts[i].address = items[i].address;
    }
    return x;
}

static inline struct plan_item unit_file(uint64_t account, const char *mailbox)
{
    return (struct plan_item){ .act = PLAN_FILE,
                               .account = account,
                               .address = STR("rcpt@example.org"),
                               .mailbox = str_c(mailbox),
                               .prefix = STR("Return-Path: <sender@elsewhere.example>\r\n") };
}

/* One message into one mailbox. */
static inline void unit_deliver(struct engine *e, uint64_t message, uint64_t account,
                                const char *mailbox)
{
    struct arena a = ARENA_INIT(0);
    struct plan_item item = unit_file(account, mailbox);
    struct unit_intake *x = unit_plan(&a, message, &item, 1);
    must(unit_commit(e, unit_intake_body, x) == OK);
    must(x->result.items[0] == OK);
    arena_free(&a);
}

/* ---- invariants: every number of an account is the sum of what it counts ---- */

static inline void unit_check_mailbox(struct txn *t, uint64_t account, const struct mailbox_info *m,
                                      struct account_state *sum)
{
    struct message_row *rows = ARENA_MANY(txn_arena(t), struct message_row, 1000);
    struct mailbox_info have = { 0 };
    uint32_t after = 0;
    for (bool more = true; more;) {
        size_t n;
        assert_int_equal(message_list_page(t, account, m->id, after, 1000, rows, &n, &more), OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(rows[i].info.uid > after && rows[i].info.uid < m->uid_next);
            assert_true(rows[i].info.modseq <= m->modseq);
            after = rows[i].info.uid;
            have.messages++;
            have.bytes += rows[i].info.bytes;
            have.unseen += (rows[i].info.flags & MESSAGE_SEEN) == 0;
            have.deleted += (rows[i].info.flags & MESSAGE_DELETED) != 0;
        }
    }
    assert_int_equal(have.messages, m->messages);
    assert_int_equal(have.bytes, m->bytes);
    assert_int_equal(have.unseen, m->unseen);
    assert_int_equal(have.deleted, m->deleted);
    sum->used_messages += have.messages;
    sum->used_bytes += have.bytes;
    if (m->modseq > sum->modseq) sum->modseq = m->modseq;
}

/* Only while no deleted mailbox waits to be reaped. */
static inline void unit_check_account(struct engine *e, uint64_t account)
{
    UNIT_LOOK(e, t)
    {
        struct account_state s, sum = { 0 };
        struct mailbox_info *list = ARENA_MANY(txn_arena(t), struct mailbox_info, 1000);
        size_t n;
        bool more;
        assert_int_equal(account_state_get(t, account, &s), OK);
        assert_int_equal(mailbox_list(t, account, 0, 1000, list, &n, &more), OK);
        assert_int_equal(n, s.mailboxes);
        for (size_t i = 0; i < n; i++) {
            unit_check_mailbox(t, account, &list[i], &sum);
        }
        assert_int_equal(sum.used_messages, s.used_messages);
        assert_int_equal(sum.used_bytes, s.used_bytes);
        assert_true(sum.modseq <= s.modseq);
    }
}

#endif
