/* The directory as text, out and in. A text may be larger than a frame: it is handed in piece by
 * piece and then applied in pages, each of which looks anew at what is still different, so that
 * nothing has to be kept between two of them but the text. */
#include "role/depot_admin.h"

#include "base/rand.h"
#include "mail/directory_text.h"

enum { TEXT_ROWS = 500, TEXT_PAGE_BYTES = 1024 * 1024, CHANGES_AT_ONCE = 4000, LINE_BYTES = 4096 };

/* ---- out ---- */

static void put_at(struct admin *a, const struct directory_text_at *at)
{
    struct buf b = BUF_INIT(8192);
    if (at->part == DIRECTORY_TEXT_END) return;
    buf_put_u64(&b, (uint64_t)at->part);
    buf_put_byte(&b, ' ');
    buf_put(&b, at->after);
    admin_more(a, buf_str(&b));
    buf_free(&b);
}

static enum err take_at(const struct admin *a, struct directory_text_at *at)
{
    struct str left = a->resume, part;
    uint64_t number = 0;
    *at = (struct directory_text_at){ .after = STR_NONE };
    if (!str_cut(&left, ' ', &part)) return OK;
    enum err e = str_to_u64(part, DIRECTORY_TEXT_END, &number);
    if (e != OK) return e;
    at->part = (unsigned)number;
    at->after = left;
    return OK;
}

static enum err snapshot_body(struct txn *t, struct admin *a)
{
    struct directory_text_at at;
    struct str off;
    struct buf text = BUF_INIT(TEXT_PAGE_BYTES);
    enum err e = take_at(a, &at);
    if (e == OK)
        e = directory_text_next(t, admin_option(a, "credentials", &off), TEXT_ROWS, a->arena, &at,
                                &text);
    if (e == OK) {
        a->rep.data = arena_str(a->arena, buf_str(&text));
        put_at(a, &at);
    }
    buf_free(&text);
    return e;
}

static enum err snapshot(struct admin *a)
{
    return admin_read(a, snapshot_body);
}

/* ---- in ---- */

/* The text that is being handed in; a second one takes its place. */
static struct {
    uint64_t id;
    struct buf text;
} handed;

static enum err text_piece(struct admin *a)
{
    uint64_t id = 0;
    struct buf b = BUF_INIT(32);
    struct str said = admin_arg(a, 0);
    if (said.n == 0) {
        buf_free(&handed.text);
        handed.text = buf_new(DIRECTORY_TEXT_MAX);
        handed.id = id = rand_u64() | 1;
    } else if (str_to_u64(said, UINT64_MAX, &id) != OK || id != handed.id) {
        return admin_fail(a, ERR_CONFLICT, "another text came between", STR_NONE);
    }
    buf_put(&handed.text, a->data);
    if (buf_check(&handed.text) != OK)
        return admin_fail(a, ERR_LIMIT, "the text is too large (8 MiB)", STR_NONE);
    buf_put_u64(&b, id);
    a->rep.data = arena_str(a->arena, buf_str(&b));
    buf_free(&b);
    return OK;
}

static void forget_text(void)
{
    buf_free(&handed.text);
    handed.id = 0;
}

struct applying {
    struct admin *admin;
    struct directory_text text;
    struct directory_diff diff;
    struct arena *arena;
    bool remove;
    size_t at, next, failed;
};

static enum err diff_body(struct txn *t, void *ctx)
{
    struct applying *x = ctx;
    return directory_text_diff(t, &x->text, x->remove, x->arena, &x->diff);
}

static enum err apply_body(struct txn *t, void *ctx)
{
    struct applying *x = ctx;
    struct directory_diff part = { .changes = x->diff.changes, .n = x->diff.n };
    if (part.n > CHANGES_AT_ONCE) part.n = CHANGES_AT_ONCE;
    return directory_diff_apply(t, &part, x->at, x->admin->now_us, &x->next, &x->failed);
}

static enum err say_faults(struct admin *a, const struct directory_text *text)
{
    for (size_t i = 0; i < text->fault_count; i++) {
        struct buf b = BUF_INIT(LINE_BYTES);
        buf_put_u64(&b, text->faults[i].line);
        buf_put_lit(&b, ": ");
        buf_put(&b, text->faults[i].words);
        admin_say(a, "line ", buf_str(&b));
        buf_free(&b);
    }
    return ERR_SYNTAX;
}

static void say_change(const struct applying *x, size_t i)
{
    struct buf b = BUF_INIT(1024 * 1024);
    directory_change_put_text(&b, &x->diff.changes[i]);
    admin_cell(x->admin, buf_str(&b));
    buf_free(&b);
}

static enum err say_failed(struct applying *x, enum err e)
{
    struct buf b = BUF_INIT(1024 * 1024);
    if (x->failed >= x->diff.n) return e;
    directory_change_put_text(&b, &x->diff.changes[x->failed]);
    buf_put_lit(&b, ": ");
    buf_put(&b, str_c(err_words(e)));
    e = admin_fail(x->admin, e, "what stands before it is done; not done: ", buf_str(&b));
    buf_free(&b);
    return e;
}

/* Carry out up to CHANGES_AT_ONCE changes, and tell each. */
static enum err carry_out(struct applying *x)
{
    enum err e = OK;
    size_t end = x->diff.n < CHANGES_AT_ONCE ? x->diff.n : CHANGES_AT_ONCE;
    while (e == OK && x->at < end) {
        x->failed = SIZE_MAX;
        e = depot_checked(depot_commit(depot.engine, INTENT_DURABLE, apply_body, x));
        for (; e == OK && x->at < x->next; x->at++) {
            say_change(x, x->at);
        }
    }
    if (x->at > 0) depot_directory_changed();
    if (e == OK && x->at < x->diff.n) admin_more(x->admin, STR("on"));
    return e == OK ? OK : say_failed(x, e);
}

/* Tell what would be done, from change `from` on. */
static enum err tell_only(struct applying *x)
{
    uint64_t from = 0;
    struct buf b = BUF_INIT(32);
    enum err e = x->admin->resume.n > 0 ? str_to_u64(x->admin->resume, SIZE_MAX, &from) : OK;
    if (e != OK) return e;
    size_t end = from + CHANGES_AT_ONCE < x->diff.n ? (size_t)from + CHANGES_AT_ONCE : x->diff.n;
    for (size_t i = (size_t)from; i < end; i++) {
        say_change(x, i);
    }
    buf_put_u64(&b, end);
    if (end < x->diff.n) admin_more(x->admin, buf_str(&b));
    buf_free(&b);
    return OK;
}

static enum err apply_text(struct admin *a, struct applying *x)
{
    struct str off;
    enum err e = directory_text_parse(buf_str(&handed.text), x->arena, &x->text);
    if (e == ERR_SYNTAX) return say_faults(a, &x->text);
    if (e == OK) e = depot_checked(depot_read(depot.engine, diff_body, x));
    if (e == ERR_EXISTS)
        return admin_fail(a, e,
                          "an address is an account here and an alias in the text, or the other "
                          "way round: --remove makes it the other",
                          STR_NONE);
    if (e != OK) return e;
    return admin_option(a, "dry-run", &off) ? tell_only(x) : carry_out(x);
}

static enum err apply(struct admin *a)
{
    struct arena arena = ARENA_INIT(256u << 20);
    struct str off;
    uint64_t id = 0;
    struct applying x = { .admin = a, .arena = &arena, .remove = admin_option(a, "remove", &off) };
    ADMIN_COLUMNS(a, STR("change"));
    if (str_to_u64(admin_arg(a, 0), UINT64_MAX, &id) != OK || id != handed.id || id == 0)
        return admin_fail(a, ERR_CONFLICT, "another text came between", STR_NONE);
    enum err e = apply_text(a, &x);
    arena_free(&arena);
    if (e != OK || a->rep.resume.n == 0) forget_text();
    return e;
}

const struct admin_row admin_snapshot_rows[] = {
    { "directory", "snapshot", snapshot, false },
    { "directory", "text", text_piece, false },
    { "directory", "apply", apply, false },
    { NULL, NULL, NULL, false },
};
