/* A configuration as lines that could stand in a file, each with where it comes from; and what is
 * different between two. */
#include "model/config_reading.h"
#include "base/map.h"
#include "base/must.h"

#include <stdlib.h>

/* ---- entries ---- */

void config_entry_add(struct config_showing *s, const struct config_option *o, struct str value,
                      const struct conf_at *at)
{
    struct config_entries *e = &s->entries;
    struct str name = str_c(o->name), block = str_c(o->block), param = value;

    if (e->n == s->capacity) {
        s->capacity = s->capacity > 0 ? s->capacity * 2 : 64;
        struct config_entry *list = ARENA_MANY(s->arena, struct config_entry, s->capacity);
        if (e->n > 0) memcpy(list, e->list, e->n * sizeof *list);
        e->list = list;
    }
    struct str shown = name;
    if (block.n > 0) {
        shown = ARENA_JOIN(s->arena, block, STR("."), name);
    } else if (str_eq(name, STR("limit")) && str_cut(&param, ' ', &shown)) {
        shown = ARENA_JOIN(s->arena, name, STR("."), shown);
    }
    struct str line =
        block.n > 0 ? ARENA_JOIN(s->arena, block, STR(" { "), name, STR(" "), value, STR(" }"))
                    : ARENA_JOIN(s->arena, name, STR(" "), value);
    e->list[e->n++] = (struct config_entry){ .name = shown,
                                             .line = line,
                                             .value = arena_str(s->arena, value),
                                             .at = *at,
                                             .effect = o->effect,
                                             .option = config_option_number(o) };
}

static int by_name(const void *a, const void *b)
{
    const struct param *const *x = a, *const *y = b;
    return str_cmp(str_c((*x)->name), str_c((*y)->name));
}

const struct param **config_params(struct arena *a, size_t *n_out)
{
    size_t n = 0;
    while (param_at(n) != NULL) {
        n++;
    }
    const struct param **list = arena_alloc(a, n, sizeof(struct param *));
    for (size_t i = 0; i < n; i++) {
        list[i] = param_at(i);
    }
    if (n > 0) qsort(list, n, sizeof(struct param *), by_name);
    *n_out = n;
    return list;
}

CONFIG_SHOW(limits)
{
    const struct conf_at standard = { 0 };
    size_t n;
    const struct param **params = config_params(s->arena, &n);

    for (size_t i = 0; i < n; i++) {
        const struct param *p = params[i];
        const struct config_limit *set = NULL;
        for (size_t k = 0; k < s->c->limit_count; k++) {
            if (s->c->limits[k].param == p) set = &s->c->limits[k];
        }
        if (set == NULL && !s->all) continue;
        struct buf b = buf_new(200);
        buf_put(&b, str_c(p->name));
        buf_put_lit(&b, " ");
        config_put_param(&b, p, set != NULL ? set->value : p->standard);
        config_entry_add(s, o, buf_str(&b), set != NULL ? &set->at : &standard);
        buf_free(&b);
    }
}

static void show_value(struct config_showing *s, const struct config_option *o)
{
    struct buf b = buf_new(CONFIG_VALUE_MAX);
    const struct conf_at *at = &s->c->set_at[config_option_number(o)];

    config_value_put(&b, o, s->c);
    config_entry_add(s, o, buf_str(&b), at);
    buf_free(&b);
}

static bool in_one_of_many(const struct config_option *o)
{
    const struct config_option *holder = config_option_find(STR(""), str_c(o->block));
    return o->block[0] != 0 && holder != NULL && (holder->flags & CONFIG_REPEATS) != 0;
}

struct config_entries config_entries(const struct config *c, struct arena *a, bool all)
{
    struct config_showing s = { .c = c, .arena = a, .all = all };
    const struct config_option *o;

    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        bool quiet = (o->flags & CONFIG_QUIET) != 0 && c->set_at[i].line == 0;
        if (o->kind == CONFIG_KIND_SECTION || o->kind == CONFIG_KIND_FLAG || quiet ||
            in_one_of_many(o)) {
            continue;
        }
        if (o->kind != CONFIG_KIND_OWN) {
            show_value(&s, o);
        } else if (o->show != NULL) {
            o->show(&s, o);
        }
    }
    return s.entries;
}

/* ---- difference ---- */

/* The entries of one option, which stand together. */
static struct config_entries part_of(const struct config_entries *all, size_t option)
{
    struct config_entries part = { 0 };

    for (size_t i = 0; i < all->n; i++) {
        if (all->list[i].option != option) continue;
        if (part.n == 0) part.list = &all->list[i];
        part.n++;
    }
    return part;
}

static bool is_same(const struct config_entry *a, const struct config_entry *b)
{
    return str_eq(a->value, b->value);
}

/* Cut what is equal at both ends: in a list whose order counts, the rest is what changed. */
static void cut_equal_ends(struct config_entries *a, struct config_entries *b)
{
    while (a->n > 0 && b->n > 0 && is_same(a->list, b->list)) {
        a->list++, a->n--;
        b->list++, b->n--;
    }
    while (a->n > 0 && b->n > 0 && is_same(&a->list[a->n - 1], &b->list[b->n - 1])) {
        a->n--;
        b->n--;
    }
}

/* Add the entries of `from` that are not among `other` to `to`. */
static void add_missing(struct config_entries *to, const struct config_entries *from,
                        const struct config_entries *other)
{
    struct map known = MAP_INIT(CONF_WORDS_MAX);

    for (size_t i = 0; i < other->n; i++) {
        must(map_put(&known, other->list[i].value, &other->list[i]) == OK);
    }
    for (size_t i = 0; i < from->n; i++) {
        if (map_get(&known, from->list[i].value) == NULL) to->list[to->n++] = from->list[i];
    }
    map_free(&known);
}

static void add_all(struct config_entries *to, const struct config_entries *from)
{
    for (size_t i = 0; i < from->n; i++) {
        to->list[to->n++] = from->list[i];
    }
}

struct config_difference config_difference(const struct config *was, const struct config *now,
                                           struct arena *a)
{
    struct config_entries old = config_entries(was, a, true), new = config_entries(now, a, true);
    struct config_difference d = { .went.list = ARENA_MANY(a, struct config_entry, old.n),
                                   .came.list = ARENA_MANY(a, struct config_entry, new.n) };
    const struct config_option *o;

    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        struct config_entries went = part_of(&old, i), came = part_of(&new, i);
        size_t before = d.went.n + d.came.n;
        if ((o->flags & CONFIG_ORDERED) != 0) {
            cut_equal_ends(&went, &came);
            add_all(&d.went, &went);
            add_all(&d.came, &came);
        } else {
            add_missing(&d.went, &went, &came);
            add_missing(&d.came, &came, &went);
        }
        bool changed = d.went.n + d.came.n > before;
        d.needs_restart |= changed && o->effect == CONFIG_ON_RESTART;
    }
    return d;
}
