/* The depot: the store's files, and nothing from outside is parsed here. One loop thread that
 * serves doors; the engine has threads of its own. */
#include "role/depot.h"

#include "base/map.h"
#include "base/must.h"
#include "base/param.h"
#include "mail/directory.h"
#include "mail/intake.h"
#include "mail/quota.h"
#include "mail/resolve.h"
#include "role/doorway.h"

#include "store/engine_embedded.h"
#include "store/engine_memory.h"

COUNTER(depot_messages, "messages committed")
COUNTER(depot_repeats, "messages recognised as repeats")
COUNTER(depot_failures, "commits that failed")

struct depot depot;
static struct doorway control;

enum err depot_checked(enum err e)
{
    if (e == ERR_BROKEN && !depot.broken) {
        depot.broken = true;
        log_error(
            "depot.store_broken",
            L_STR("words",
                  STR("a write or sync failed; ending, to recover from what is on the disk")));
        loop_stop(); /* the answers under way leave at the end of the turn */
    }
    return e;
}

/* ---- intake ---- */

struct intake {
    const struct plan *plan;
    struct stage *stage;
    struct plan_result result;
    int64_t now_us;
};

static enum err intake_body(struct txn *t, void *ctx)
{
    struct intake *i = ctx;
    return intake_commit(t, i->plan, i->stage, i->now_us, &i->result);
}

static enum err serve_intake_commit(void *ctx, struct door_request *q)
{
    struct plan plan;
    struct wire w = wire_of(q->bytes);
    struct depot_stage *stage = NULL;
    (void)ctx;
    plan_get(&w, &q->arena, &plan);
    if (wire_end(&w) != OK) return ERR_PROTOCOL;
    if (plan.stage != 0 && (stage = depot_stage_take(plan.stage)) == NULL) return ERR_NOT_FOUND;
    struct intake i = { .plan = &plan,
                        .stage = stage != NULL ? depot_stage_of(stage) : NULL,
                        .now_us = clock_wall_us(),
                        .result = { .items = ARENA_MANY(&q->arena, uint8_t, plan.item_count) } };
    enum err e = depot_checked(depot_commit(depot.engine, INTENT_DURABLE, intake_body, &i));
    if (stage != NULL && e == OK) depot_stage_done(stage);
    if (stage != NULL && e != OK) depot_stage_put_back(stage);
    if (e == ERR_OVER_QUOTA) return e; /* an answer, not a failure */
    if (e != OK) {
        depot_failures++;
        log_warn("depot.commit_failed", L_ID("conn", plan.peer.conn), L_ID("msg", plan.message),
                 L_ERR(e));
        return e;
    }
    depot_messages++;
    if (i.result.repeated) depot_repeats++;
    plan_result_put(&q->reply, &i.result);
    return OK;
}

/* ---- directory ---- */

struct resolve {
    struct directory_resolve_req in;
    struct buf *reply;
};

static enum err resolve_body(struct txn *t, void *ctx)
{
    struct resolve *r = ctx;
    struct directory_resolve_rep out;
    struct resolve_how how = { .separators = r->in.separators, .admin = r->in.admin };
    enum err e = directory_resolve(t, r->in.address, &how, &out.answer);
    if (e == OK) directory_resolve_rep_put(r->reply, &out);
    return e;
}

enum err depot_serve_resolve(void *ctx, struct door_request *q)
{
    struct resolve r = { .reply = &q->reply };
    (void)ctx;
    if (directory_resolve_req_get(q->bytes, &q->arena, &r.in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, resolve_body, &r));
}

static enum err quota_body(struct txn *t, void *ctx)
{
    struct quota_check_req *in = ctx;
    struct account_state s;
    enum err e = account_state_get(t, in->account, &s);
    return e == OK ? quota_check(&s, 1, in->bytes) : e;
}

static enum err serve_quota(void *ctx, struct door_request *q)
{
    struct quota_check_req in;
    (void)ctx;
    if (quota_check_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_read(depot.engine, quota_body, &in));
}

struct credential {
    struct str login;
    struct buf *reply;
};

static enum err credential_body(struct txn *t, void *ctx)
{
    struct credential *c = ctx;
    struct credential_get_rep out = { .credential = STR_NONE };
    enum err e = directory_account_get(t, c->login, &out.account);
    if (e == OK) e = directory_credentials_get(t, out.account.id, &out.credential);
    if (e == OK) credential_get_rep_put(c->reply, &out);
    return e;
}

static enum err serve_credential_get(void *ctx, struct door_request *q)
{
    struct credential_get_req in;
    (void)ctx;
    if (credential_get_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    struct credential c = { .login = in.login, .reply = &q->reply };
    return depot_checked(depot_read(depot.engine, credential_body, &c));
}

static enum err renew_body(struct txn *t, void *ctx)
{
    const struct credential_renew_req *in = ctx;
    struct str now;
    enum err e = directory_credentials_get(t, in->account, &now);
    if (e == OK && !str_eq(now, in->old)) e = ERR_CONFLICT; /* somebody has set another password */
    return e == OK ? directory_credentials_set(t, in->account, in->fresh) : e;
}

static enum err serve_credential_renew(void *ctx, struct door_request *q)
{
    struct credential_renew_req in;
    (void)ctx;
    if (credential_renew_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    return depot_checked(depot_commit(depot.engine, INTENT_DURABLE, renew_body, &in));
}

static enum err generation_body(struct txn *t, void *ctx)
{
    return directory_generation(t, ctx);
}

void depot_directory_changed(void)
{
    struct links *filters = &depot.role->links[ROLE_FILTER];
    struct buf b = BUF_INIT(64);
    struct generation_req in = { .generation = 0 };
    if (depot_checked(depot_read(depot.engine, generation_body, &in.generation)) == OK) {
        generation_req_put(&b, &in);
        for (size_t i = 0; i < filters->count; i++) {
            err_ignore(door_tell(filters->doors[i], VERB_directory_changed,
                                 buf_str(&b))); /* a filter that goes has no cache */
        }
    }
    buf_free(&b);
}

/* ---- life ---- */

static struct sandbox_path store_path;

static void rights(const struct role_self *r, struct sandbox *box)
{
    box->calls = SANDBOX_FILES | SANDBOX_THREADS | SANDBOX_ACCEPT;
    if (r->config->store.engine == CONFIG_ENGINE_MEMORY) return;
    static struct arena a = ARENA_INIT(0);
    store_path = (struct sandbox_path){ .path = arena_c(&a, r->config->store.path),
                                        .rights = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CREATE };
    box->paths = &store_path;
    box->path_count = 1;
}

static enum err open_engine(struct role_self *r, struct buf *why)
{
    struct embedded_opening how = { 0 };
    if (r->config->store.engine == CONFIG_ENGINE_MEMORY) {
        depot.engine = engine_memory_new();
        log_warn("depot.in_memory",
                 L_STR("words", STR("the store is in memory: everything is lost at the end")));
        return OK;
    }
    struct embedded_config c = { .path = store_path.path,
                                 .map_bytes = (uint64_t)r->config->store.map_bytes,
                                 .reserve_bytes = (uint64_t)r->config->store.reserve_bytes };
    enum err e = engine_embedded_open(&c, &depot.engine, &how);
    if (e != OK) {
        buf_put_lit(why, "cannot open the store ");
        buf_put(why, r->config->store.path);
        buf_put_lit(why, ": ");
        buf_put(why, str_c(err_words(e)));
        return e;
    }
    log_info("depot.opened", L_STR("store", r->config->store.path),
             L_U64("replayed", how.replayed_records), L_U64("torn_bytes", how.torn_bytes));
    return OK;
}

static enum err begin(struct role_self *r, struct buf *why)
{
    depot.role = r;
    depot.stages = (struct map)MAP_INIT(100000);
    depot.mailbox_locks = (struct map)MAP_INIT(1000000);
    doorway_init(&control, depot_admin_arrive, NULL);
    enum err e = open_engine(r, why);
    if (e == OK) depot_janitor_begin();
    return e;
}

static void listen(struct role_self *r, const struct config_listen *l, uint32_t index, int fd)
{
    (void)index;
    must(l == NULL);
    doorway_open(&control, r->config, NULL, fd);
}

static void reload(struct role_self *r)
{
    (void)r;
    doorway_close(&control); /* the keeper gives it again */
}

static void stop(struct role_self *r)
{
    (void)r;
    doorway_close(&control);
    depot_refusals_write();
    engine_close(&depot.engine);
}

static void link_closed(struct role_self *r, struct door *d)
{
    (void)r;
    depot_stages_of_door_gone(d);
}

static const struct door_service edge_services[] = {
    { VERB_stage_open, depot_serve_stage_open },
    { VERB_stage_append, depot_serve_stage_append },
    { VERB_stage_drop, depot_serve_stage_drop },
    { VERB_refusal_note, depot_serve_refusal_note },
    { VERB_NONE, NULL },
};
static const struct door_service filter_services[] = {
    { VERB_directory_resolve, depot_serve_resolve }, { VERB_quota_check, serve_quota },
    { VERB_stage_read, depot_serve_stage_read },     { VERB_intake_commit, serve_intake_commit },
    { VERB_refusal_note, depot_serve_refusal_note }, { VERB_NONE, NULL },
};
static const struct door_service authd_services[] = {
    { VERB_credential_get, serve_credential_get },
    { VERB_credential_renew, serve_credential_renew },
    { VERB_account_door, depot_serve_account_door },
    { VERB_NONE, NULL },
};

const struct role_def role_depot = {
    .role = ROLE_DEPOT,
    .rights = rights,
    .begin = begin,
    .reload = reload,
    .listen = listen,
    .stop = stop,
    .link_closed = link_closed,
    .services = { [ROLE_EDGE] = edge_services,
                  [ROLE_FILTER] = filter_services,
                  [ROLE_AUTHD] = authd_services,
                  [ROLE_TOOL] = depot_admin_services },
};
