/* From lines to settings. The standard values are written as lines, too, and are read first by the
 * same code, so that the manual's word for a standard is by construction the one that holds. */
#include "model/config_reading.h"
#include "base/must.h"
#include "base/near.h"
#include "syntax/conf_value.h"

/* ---- what may stand here ---- */

static bool in_block(const struct config_option *o, const char *block)
{
    return str_eq(str_c(o->block), str_c(block));
}

/* "log { level info }" or "level info", as the words stand, for "write: ...". */
static struct str as_in_block(struct config_reading *r, const char *block,
                              const struct conf_line *line, size_t from)
{
    struct buf b = buf_new(400);

    if (block[0] != 0) {
        buf_put(&b, str_c(block));
        buf_put_lit(&b, " { ");
    }
    for (size_t i = from; i < line->n; i++) {
        if (i > from) buf_put_lit(&b, " ");
        conf_put_word(&b, line->words[i].text);
    }
    if (block[0] != 0) buf_put_lit(&b, " }");
    struct str s = buf_check(&b) == OK ? arena_str(r->scratch, buf_str(&b)) : STR_NONE;
    buf_free(&b);
    return s;
}

/* "a, b, c": the settings of a block. */
static struct str names_of(struct config_reading *r, const char *block)
{
    struct buf b = buf_new(1000);
    const struct config_option *o;

    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (!in_block(o, block)) continue;
        if (b.n > 0) buf_put_lit(&b, ", ");
        buf_put(&b, str_c(o->name));
    }
    struct str s = arena_str(r->scratch, buf_str(&b));
    buf_free(&b);
    return s;
}

/* The name is a setting of another block: how it would be written there. */
static struct str elsewhere_hint(struct config_reading *r, const struct config_option *o,
                                 const char *block, const struct conf_line *line)
{
    const struct config_option *holder = config_option_find(STR(""), str_c(o->block));
    struct str name = str_c(o->name);

    if (o->block[0] == 0) return CONFIG_JOIN(r, name, STR(" stands outside all blocks"));
    bool one = holder != NULL && (holder->flags & CONFIG_REPEATS) == 0;
    struct str fixed = block[0] == 0 && one ? as_in_block(r, o->block, line, 0) : STR_NONE;
    if (fixed.n > 0) return CONFIG_JOIN(r, STR("write: "), fixed);
    return CONFIG_JOIN(r, name, STR(" stands in the block of "), str_c(o->block));
}

/* The hint for a name that is not a setting of `block`. */
static struct str unknown_hint(struct config_reading *r, const char *block,
                               const struct conf_line *line)
{
    struct str name = line->words[0].text;
    struct near near = near_of(name);
    const struct config_option *o, *elsewhere = NULL;
    const char *foreign = config_foreign_hint(str_c(block), name);

    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (in_block(o, block)) near_offer(&near, str_c(o->name));
        bool is_it = str_eq(name, str_c(o->name)) && o->kind != CONFIG_KIND_FLAG;
        if (is_it && elsewhere == NULL) elsewhere = o; /* the top level comes first */
    }
    if (foreign != NULL) return str_c(foreign);
    if (elsewhere != NULL) return elsewhere_hint(r, elsewhere, block, line);
    struct str best = near_best(&near);
    if (best.n > 0) return config_did_you_mean(r, best);
    return CONFIG_JOIN(r, STR("known are "), names_of(r, block));
}

static bool gives_rights(const char *block)
{
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (in_block(o, block)) return o->kind == CONFIG_KIND_FLAG;
    }
    return false;
}

static const struct config_option *find_option(struct config_reading *r, const char *block,
                                               const struct conf_line *line)
{
    const struct conf_word *w = &line->words[0];
    const struct config_option *o = config_option_find(str_c(block), w->text);

    if (o != NULL) return o;
    if (r->faults->n == CONF_FAULTS_MAX) {
        r->faults->errors++;
        return NULL;
    }
    size_t equals = str_find(w->text, '=');
    if (equals != STR_NOWHERE && equals > 0) {
        CONFIG_ERROR(r, &w->at, STR("a name and its value have a blank between them"),
                     STR("\"=\" in "), config_quote(r, w->text));
        return NULL;
    }
    if (gives_rights(block)) {
        CONFIG_ERROR(r, &w->at, unknown_hint(r, block, line), STR("unknown right "),
                     config_quote(r, w->text));
        return NULL;
    }
    CONFIG_ERROR(r, &w->at, unknown_hint(r, block, line),
                 block[0] == 0 ? STR("unknown setting ") : STR("unknown setting of "),
                 block[0] == 0 ? STR("") : str_c(block), block[0] == 0 ? STR("") : STR(": "),
                 config_quote(r, w->text));
    return NULL;
}

/* ---- words ---- */

static struct str usage(struct config_reading *r, const struct config_option *o)
{
    struct str line = o->usage != NULL ? CONFIG_JOIN(r, str_c(o->name), STR(" "), str_c(o->usage))
                                       : str_c(o->name);
    if (o->block[0] == 0) return CONFIG_JOIN(r, STR("write: "), line);
    return CONFIG_JOIN(r, STR("write: "), str_c(o->block), STR(" { "), line, STR(" }"));
}

/* "listen smtp 0.0.0.0:25 { proxy yes }": the line with its words from the `n`th on in a block. */
static struct str with_block(struct config_reading *r, const struct conf_line *line, size_t n)
{
    struct conf_line head = { .words = line->words, .n = n };
    return CONFIG_JOIN(r, as_in_block(r, "", &head, 0), STR(" { "), as_in_block(r, "", line, n),
                       STR(" }"));
}

bool config_words_most(struct config_reading *r, const struct config_option *o,
                       const struct conf_line *line, size_t n)
{
    if (line->n <= n) return true;
    const struct conf_word *extra = &line->words[n], *value = extra - 1;
    struct str name = str_c(o->name), shown = config_quote(r, extra->text);
    bool of_block = (o->flags & CONFIG_BLOCK) != 0 && config_option_find(name, extra->text) != NULL;
    bool of_sibling = !extra->quoted && config_option_find(str_c(o->block), extra->text) != NULL;
    bool is_unit = value->text.n > 0 && byte_is_digit(value->text.p[0]) && extra->text.n <= 3;
    if (of_block) {
        CONFIG_ERROR(r, &extra->at, CONFIG_JOIN(r, STR("write: "), with_block(r, line, n)), shown,
                     STR(" stands in the block of "), name);
    } else if (of_sibling) {
        CONFIG_ERROR(r, &extra->at, STR("begin a new line, or put ';' between two settings"), shown,
                     STR(" does not belong to "), name);
    } else {
        CONFIG_ERROR(r, &extra->at,
                     is_unit ? STR("a number and its unit have no blank between them")
                             : usage(r, o),
                     shown, STR(" is too much for "), name);
    }
    return false;
}

static bool is_equals(const struct conf_word *w)
{
    return !w->quoted && (str_eq(w->text, STR("=")) || str_eq(w->text, STR(":")));
}

/* The one value of a line. */
static const struct conf_word *only_value(struct config_reading *r, const struct config_option *o,
                                          const struct conf_line *line)
{
    if (line->n == 1) {
        CONFIG_ERROR(r, &line->words[0].at, usage(r, o), str_c(o->name), STR(" needs a value"));
        return NULL;
    }
    return config_words_most(r, o, line, 2) ? &line->words[1] : NULL;
}

/* Is it the first of its kind? */
static bool is_first(struct config_reading *r, const struct config_option *o,
                     const struct conf_word *w)
{
    struct conf_at *set_at = &r->c->set_at[config_option_number(o)];

    if ((o->flags & CONFIG_REPEATS) != 0) return true;
    if (set_at->line == 0) {
        *set_at = config_keep_at(r, &w->at);
        return true;
    }
    CONFIG_ERROR(r, &w->at,
                 CONFIG_JOIN(r, STR("it is set at "), config_place(r, set_at),
                             STR(" already; take one of them out")),
                 str_c(o->name), STR(" is set twice"));
    return false;
}

/* ---- lines ---- */

/* Rights: every word of the line is one. */
static void take_flags(struct config_reading *r, const char *block, const struct conf_line *line,
                       void *base)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct conf_word *w = &line->words[i];
        const struct config_option *o = config_option_find(str_c(block), w->text);
        if (o == NULL) {
            struct conf_line rest = { .words = &line->words[i], .n = 1 };
            CONFIG_ERROR(r, &w->at, unknown_hint(r, block, &rest), STR("unknown right "),
                         config_quote(r, w->text));
        } else {
            *(unsigned *)(void *)((char *)base + o->offset) |= (unsigned)o->max;
        }
    }
}

/* A section is written without words: `log level info` wants to be `log { level info }`. */
static void refuse_section_words(struct config_reading *r, const struct config_option *o,
                                 const struct conf_line *line)
{
    struct conf_line rest = { .words = line->words + 1, .n = line->n - 1 };
    bool inner = config_option_find(str_c(o->name), rest.words[0].text) != NULL;

    CONFIG_ERROR(r, &line->words[1].at,
                 inner && !line->has_block
                     ? CONFIG_JOIN(r, STR("write: "), as_in_block(r, o->name, &rest, 0))
                     : usage(r, o),
                 str_c(o->name), STR(" takes its settings in a block"));
}

/* What the settings of the block of `o` are put into, when its own line was not understood. */
static void *nowhere(struct config_reading *r)
{
    enum { NOWHERE_BYTES = 512 };
    _Static_assert(sizeof(struct config_listen) <= NOWHERE_BYTES, "room for every block");
    _Static_assert(sizeof(struct config_rule) <= NOWHERE_BYTES, "room for every block");
    _Static_assert(sizeof(struct config_trust) <= NOWHERE_BYTES, "room for every block");
    return arena_alloc(r->scratch, 1, NOWHERE_BYTES);
}

static bool describes_one_of_many(const struct config_option *o)
{
    return (o->flags & CONFIG_REPEATS) != 0 && (o->flags & CONFIG_BLOCK) != 0;
}

static void forget_block(struct config_reading *r, const char *block)
{
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (in_block(o, block)) r->c->set_at[i] = (struct conf_at){ 0 };
    }
}

/* The words of a line; returns what its block describes. */
static void *take_words(struct config_reading *r, const struct config_option *o,
                        const struct conf_line *line, void *base)
{
    void *many = describes_one_of_many(o) ? nowhere(r) : base;
    bool block_alone = line->n == 1 && line->has_block && (o->flags & CONFIG_BLOCK) != 0;

    if (line->bad) return many;
    if (line->n > 1 && is_equals(&line->words[1])) {
        CONFIG_ERROR(r, &line->words[1].at, STR("a name and its value have a blank between them"),
                     STR("no "), config_quote(r, line->words[1].text), STR(" in this file"));
    } else if (o->kind == CONFIG_KIND_SECTION) {
        if (line->n > 1) {
            refuse_section_words(r, o, line);
        } else if (!line->has_block) {
            CONFIG_ERROR(r, &line->words[0].at, usage(r, o), str_c(o->name), STR(" needs a block"));
        }
    } else if (o->take != NULL && (!block_alone || describes_one_of_many(o))) {
        if (is_first(r, o, &line->words[0])) return o->take(r, o, line, base);
    } else if (!block_alone) {
        const struct conf_word *value = only_value(r, o, line);
        if (value != NULL && is_first(r, o, &line->words[0])) {
            (void)config_value_take(r, o, value, base);
        }
    }
    return many;
}

static void take_line(struct config_reading *r, const char *block, const struct conf_line *line,
                      void *base)
{
    const struct config_option *o = find_option(r, block, line);

    if (o == NULL) return;
    if (o->kind == CONFIG_KIND_FLAG) {
        if (!line->bad) take_flags(r, block, line, base);
    } else {
        if (describes_one_of_many(o)) forget_block(r, o->name);
        void *described = take_words(r, o, line, base);
        if (line->has_block && (o->flags & CONFIG_BLOCK) != 0) {
            config_lines(r, o->name, line->block, described);
        }
    }
    if (line->has_block && (o->flags & CONFIG_BLOCK) == 0) {
        CONFIG_ERROR(r, &line->words[0].at, usage(r, o), str_c(o->name), STR(" takes no block"));
    }
}

void config_lines(struct config_reading *r, const char *block, const struct conf_line *line,
                  void *base)
{
    for (; line != NULL; line = line->next) {
        take_line(r, block, line, base);
    }
}

/* ---- standard values ---- */

static enum err read_standards(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    (void)path;
    *bytes_out = arena_str(a, *(const struct str *)ctx);
    return OK;
}

void config_standards(struct config_reading *r, const char *block, void *base)
{
    struct buf b = buf_new(8192);
    const struct config_option *o;
    struct conf conf;

    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (!in_block(o, block) || o->standard == NULL) continue;
        buf_put(&b, str_c(o->name));
        buf_put_lit(&b, " ");
        buf_put(&b, str_c(o->standard));
        buf_put_lit(&b, "\n");
    }
    struct str text = buf_str(&b);
    size_t errors = r->faults->errors;
    conf_parse(r->scratch, STR("/standard"), &(struct conf_reader){ read_standards, &text }, &conf,
               r->faults);
    config_lines(r, block, conf.lines, base);
    must(buf_check(&b) == OK && r->faults->errors == errors);
    forget_block(r, block);
    buf_free(&b);
}
