#include "mail/keyword.h"

enum err keywords_get(struct txn *t, uint64_t account, struct keywords *out)
{
    struct key k = { .kind = KEY_KEYWORDS, .account = account };
    struct str value;
    struct keywords found = { .names = ARENA_MANY(txn_arena(t), struct str, KEYWORD_MAX) };
    enum err e = row_get(t, &k, &value);
    if (e == ERR_NOT_FOUND) value = STR_NONE;
    if (e != OK && e != ERR_NOT_FOUND) return e;

    struct wire w = wire_of(value);
    while (w.left.n > 0 && !w.bad && found.n < KEYWORD_MAX) {
        found.names[found.n++] = wire_get_vstr(&w);
    }
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    *out = found;
    return OK;
}

static enum err table_put(struct txn *t, uint64_t account, const struct keywords *all)
{
    struct key k = { .kind = KEY_KEYWORDS, .account = account };
    struct buf b = row_buf();
    for (size_t i = 0; i < all->n; i++) {
        wire_put_vstr(&b, all->names[i]);
    }
    return row_put(t, &k, &b);
}

/* RFC 9051 9: flag-keyword is an atom (or begins with "$"); no backslash, which marks system flags.
 */
static bool name_is_valid(struct str name)
{
    static const struct str specials = STR_INIT("(){%*\"\\]");
    if (name.n == 0 || name.n > KEYWORD_NAME_MAX) return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c <= ' ' || c >= 0x7f || str_find(specials, c) != STR_NOWHERE) return false;
    }
    return true;
}

static size_t find(const struct keywords *all, struct str name)
{
    for (size_t i = 0; i < all->n; i++) {
        if (str_eq_nocase(all->names[i], name)) return i;
    }
    return STR_NOWHERE;
}

static struct str ids_in_order(struct arena *a, const bool *has, size_t n)
{
    struct buf b = buf_new(KEYWORD_MAX);
    for (size_t i = 0; i < n; i++) {
        if (has[i]) buf_put_byte(&b, (char)(unsigned char)i);
    }
    struct str ids = arena_str(a, buf_str(&b));
    buf_free(&b);
    return ids;
}

enum err keywords_ids(struct txn *t, uint64_t account, const struct str *names, size_t n, bool make,
                      struct str *ids_out)
{
    struct keywords all;
    if (n == 0) {
        *ids_out = STR_NONE;
        return OK;
    }
    enum err e = keywords_get(t, account, &all);
    if (e != OK) return e;

    bool *has = ARENA_MANY(txn_arena(t), bool, KEYWORD_MAX);
    size_t known = all.n;
    for (size_t i = 0; i < n; i++) {
        if (!name_is_valid(names[i])) return ERR_INVALID;
        size_t id = find(&all, names[i]);
        if (id == STR_NOWHERE && !make) continue;
        if (id == STR_NOWHERE) {
            if (all.n == KEYWORD_MAX) return ERR_LIMIT;
            id = all.n++;
            all.names[id] = names[i];
        }
        has[id] = true;
    }
    if (all.n > known) e = table_put(t, account, &all);
    if (e == OK) *ids_out = ids_in_order(txn_arena(t), has, all.n);
    return e;
}
