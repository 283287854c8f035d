/* How mistakes are said, and how what was read is kept. */
#include "model/config_reading.h"
#include "base/must.h"
#include "base/near.h"

enum { QUOTE_MAX = 60 };

/* ---- saying what is wrong ---- */

struct str config_quote(struct config_reading *r, struct str word)
{
    struct buf b = buf_new(8 * QUOTE_MAX);
    struct str shown = word;

    if (shown.n > QUOTE_MAX) {
        shown.n = QUOTE_MAX;
        while (shown.n > 0 && ((unsigned char)word.p[shown.n] & 0xc0) == 0x80) {
            shown.n--; /* not in the middle of a character */
        }
    }
    conf_put_quoted(&b, shown);
    if (shown.n < word.n) buf_put_lit(&b, "...");
    struct str s = arena_str(r->scratch, buf_str(&b));
    buf_free(&b);
    return s;
}

void config_say(struct config_reading *r, enum conf_severity severity, const struct conf_at *at,
                struct str hint, const struct str *parts, size_t n)
{
    struct str text = r->faults->n < CONF_FAULTS_MAX ? arena_join(r->scratch, parts, n) : STR_NONE;
    conf_fault_add(r->faults, severity, at, text, hint);
}

struct str config_did_you_mean(struct config_reading *r, struct str best)
{
    if (best.n == 0) return STR_NONE;
    return CONFIG_JOIN(r, STR("did you mean "), config_quote(r, best), STR("?"));
}

struct str config_nearest(struct str choices, struct str word)
{
    struct near near = near_of(word);
    for (struct str choice; str_cut(&choices, '|', &choice);) {
        near_offer(&near, choice);
    }
    return near_best(&near);
}

struct str config_listing(struct config_reading *r, struct str choices)
{
    struct buf b = buf_new(1000);
    struct str choice;

    for (bool first = true; str_cut(&choices, '|', &choice); first = false) {
        if (!first) buf_put(&b, choices.n > 0 ? STR(", ") : STR(" or "));
        buf_put(&b, choice);
    }
    struct str s = arena_str(r->scratch, buf_str(&b));
    buf_free(&b);
    return s;
}

struct str config_place(struct config_reading *r, const struct conf_at *at)
{
    struct buf b = buf_new(CONF_WORD_BYTES_MAX * 2 + 20);
    conf_at_put(&b, at);
    struct str s = arena_str(r->scratch, buf_str(&b));
    buf_free(&b);
    return s;
}

/* ---- keeping ---- */

struct str config_keep(struct config_reading *r, struct str s)
{
    return arena_str(&r->c->arena, s);
}

struct conf_at config_keep_at(struct config_reading *r, const struct conf_at *at)
{
    struct conf_at kept = *at;
    kept.file = STR_NONE;
    for (size_t i = 0; i < r->c->file_count; i++) {
        if (str_eq(r->c->files[i].name, at->file)) kept.file = r->c->files[i].name;
    }
    return kept;
}

void *config_grow(struct config_reading *r, void *list, size_t n, size_t size)
{
    enum { FIRST = 4 };
    bool full = n == 0 || (n >= FIRST && (n & (n - 1)) == 0);
    if (!full) return list;
    void *longer = arena_alloc(&r->c->arena, n == 0 ? FIRST : 2 * n, size);
    if (n > 0) memcpy(longer, list, n * size);
    return longer;
}

/* ---- choices ---- */

enum err config_choice(struct str choices, struct str word, size_t *index_out)
{
    struct str choice;
    for (size_t i = 0; str_cut(&choices, '|', &choice); i++) {
        if (!str_eq(choice, word)) continue;
        *index_out = i;
        return OK;
    }
    return ERR_NOT_FOUND;
}

struct str config_choice_at(struct str choices, size_t index)
{
    struct str choice = STR_NONE;
    for (size_t i = 0; i <= index; i++) {
        must(str_cut(&choices, '|', &choice));
    }
    return choice;
}
