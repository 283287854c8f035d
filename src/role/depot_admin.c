/* The administrator's door: commands of the command line, from a local socket whose peer the kernel
 * names. */
#include "role/depot_admin.h"

#include "base/must.h"

#include <unistd.h>

COUNTER(depot_admin_commands, "commands of the command line")

/* ---- arguments ---- */

static bool is_option(struct str word)
{
    return str_starts(word, STR("--"));
}

struct str admin_arg(const struct admin *a, size_t i)
{
    for (size_t k = 0; k < a->arg_count; k++) {
        if (is_option(a->args[k])) continue;
        if (i-- == 0) return a->args[k];
    }
    return STR_NONE;
}

bool admin_option(const struct admin *a, const char *name, struct str *value_out)
{
    for (size_t k = 0; k < a->arg_count; k++) {
        struct str word = a->args[k], head;
        if (!is_option(word)) continue;
        word = str_skip(word, 2);
        bool has_value = str_find(word, '=') != STR_NOWHERE;
        if (!str_cut(&word, '=', &head) || !str_eq(head, str_c(name))) continue;
        *value_out = has_value ? word : STR_NONE;
        return true;
    }
    return false;
}

enum err admin_option_u64(struct admin *a, const char *name, uint64_t *value_out)
{
    struct str text;
    if (!admin_option(a, name, &text)) return OK;
    return str_to_u64(text, UINT64_MAX, value_out) == OK
               ? OK
               : admin_fail(a, ERR_SYNTAX, "not a number: ", text);
}

/* ---- answers ---- */

void admin_columns(struct admin *a, const struct str *names, size_t n)
{
    a->rep.columns = ARENA_MANY(a->arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        a->rep.columns[i] = names[i];
    }
    a->rep.columns_count = n;
}

void admin_cell(struct admin *a, struct str text)
{
    if (a->rep.cells_count == a->cell_cap) {
        size_t cap = a->cell_cap > 0 ? a->cell_cap * 2 : 64;
        struct str *more = ARENA_MANY(a->arena, struct str, cap);
        for (size_t i = 0; i < a->rep.cells_count; i++) {
            more[i] = a->rep.cells[i];
        }
        a->rep.cells = more;
        a->cell_cap = cap;
    }
    a->rep.cells[a->rep.cells_count++] = arena_str(a->arena, text);
}

void admin_cell_u64(struct admin *a, uint64_t value)
{
    struct buf b = BUF_INIT(32);
    buf_put_u64(&b, value);
    admin_cell(a, buf_str(&b));
    buf_free(&b);
}

void admin_cell_time(struct admin *a, int64_t wall_us)
{
    struct buf b = BUF_INIT(64);
    buf_put_time(&b, wall_us);
    admin_cell(a, buf_str(&b));
    buf_free(&b);
}

void admin_cell_flag(struct admin *a, bool value)
{
    admin_cell(a, value ? STR("yes") : STR("no"));
}

void admin_more(struct admin *a, struct str resume)
{
    a->rep.resume = arena_str(a->arena, resume);
}

void admin_say(struct admin *a, const char *text, struct str about)
{
    if (a->message.n > 0) buf_put_byte(&a->message, '\n');
    buf_put(&a->message, str_c(text));
    buf_put(&a->message, about);
}

enum err admin_fail(struct admin *a, enum err e, const char *text, struct str about)
{
    buf_clear(&a->message);
    admin_say(a, text, about);
    return e;
}

/* ---- transactions ---- */

struct bound {
    struct admin *a;
    admin_body body;
};

static enum err bound_body(struct txn *t, void *ctx)
{
    struct bound *b = ctx;
    return b->body(t, b->a);
}

enum err admin_read(struct admin *a, admin_body body)
{
    struct bound b = { a, body };
    return depot_checked(depot_read(depot.engine, bound_body, &b));
}

enum err admin_commit(struct admin *a, admin_body body)
{
    struct bound b = { a, body };
    return depot_checked(depot_commit(depot.engine, INTENT_DURABLE, bound_body, &b));
}

/* ---- dispatch ---- */

static const struct admin_row *row_of(struct str noun, struct str verb)
{
    const struct admin_row *const tables[] = { admin_directory_rows, admin_message_rows,
                                               admin_store_rows, admin_system_rows,
                                               admin_snapshot_rows };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct admin_row *r = tables[i]; r->noun != NULL; r++) {
            if (str_eq(noun, str_c(r->noun)) && str_eq(verb, str_c(r->verb))) return r;
        }
    }
    return NULL;
}

enum err depot_serve_admin(void *ctx, struct door_request *q)
{
    struct admin_req in;
    (void)ctx;
    if (admin_req_get(q->bytes, &q->arena, &in) != OK || in.args_count < 2) return ERR_PROTOCOL;
    struct admin a = { .arena = &q->arena,
                       .args = in.args + 2,
                       .arg_count = in.args_count - 2,
                       .resume = in.resume,
                       .data = in.data,
                       .message = BUF_INIT(64 * 1024),
                       .now_us = clock_wall_us() };
    const struct admin_row *row = row_of(in.args[0], in.args[1]);
    depot_admin_commands++;
    enum err e = row != NULL
                     ? row->serve(&a)
                     : admin_fail(&a, ERR_UNSUPPORTED,
                                  "the running Postrider knows no such command: ", in.args[1]);
    if (e != OK && a.message.n == 0) admin_say(&a, err_words(e), STR_NONE);
    if (row != NULL && row->changes_directory) {
        log_info("admin.command", L_STR("noun", in.args[0]), L_STR("verb", in.args[1]),
                 L_STR("about", admin_arg(&a, 0)), L_ERR(e));
        if (e == OK) depot_directory_changed();
    }
    a.rep.message = buf_str(&a.message);
    admin_rep_put(&q->reply, &a.rep);
    buf_free(&a.message);
    return e;
}

const struct door_service depot_admin_services[] = {
    { VERB_admin, depot_serve_admin },
    { VERB_directory_resolve, depot_serve_resolve },
    { VERB_stage_open, depot_serve_stage_open },
    { VERB_stage_append, depot_serve_stage_append },
    { VERB_stage_drop, depot_serve_stage_drop },
    { VERB_transfer_mailboxes, depot_serve_transfer_mailboxes },
    { VERB_transfer_mailbox, depot_serve_transfer_mailbox },
    { VERB_import_commit, depot_serve_import_commit },
    { VERB_export_page, depot_serve_export_page },
    { VERB_export_read, depot_serve_export_read },
    { VERB_NONE, NULL },
};

/* What it staged goes with it. */
static void tool_gone(void *ctx, struct door *d)
{
    (void)ctx;
    depot_stages_of_door_gone(d);
}

void depot_admin_arrive(void *ctx, const struct config_listen *listen, int fd,
                        const struct net_addr *peer)
{
    struct net_cred cred;
    struct door *d = NULL;
    (void)ctx;
    (void)peer;
    must(listen == NULL);
    /* Root, or whoever the depot itself runs as. */
    if (net_peer_cred(fd, &cred) != OK || (cred.uid != 0 && cred.uid != getuid())) {
        log_warn("admin.refused", L_U64("uid", cred.uid));
        close(fd);
        return;
    }
    struct door_settings how = {
        .us = ROLE_DEPOT, .peer = ROLE_TOOL, .services = depot_admin_services, .on_close = tool_gone
    };
    err_ignore(door_open(fd, &how, &d)); /* without a place the tool sees its end */
}
