/* The configuration file's lexer and parser. Files that include others: the input is cut at NUL
 * bytes into the files /0, /1, ... Whatever comes in, each word read can be written and read again
 * as the same word. */
#include "base/must.h"
#include "syntax/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err read_part(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    struct str left = *(const struct str *)ctx, part = STR_NONE;
    uint64_t number;

    (void)a;
    if (str_to_u64(str_skip(path, 1), 9, &number) != OK) return ERR_NOT_FOUND;
    for (uint64_t i = 0; i <= number; i++) {
        if (!str_cut(&left, 0, &part) && i > 0) return ERR_NOT_FOUND;
    }
    *bytes_out = part;
    return OK;
}

static void check_word(const struct conf_word *w)
{
    struct arena a = ARENA_INIT(0);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct conf conf;
    struct buf b = buf_new(5 * CONF_WORD_BYTES_MAX);

    if (w->quoted) {
        conf_put_quoted(&b, w->text);
    } else {
        conf_put_word(&b, w->text);
    }
    struct str text = buf_str(&b);
    conf_parse(&a, STR("/0"), &(struct conf_reader){ read_part, &text }, &conf, &f);
    must(f.n == 0 && conf.lines->n == 1 && str_eq(conf.lines->words[0].text, w->text));
    buf_free(&b);
    conf_faults_free(&f);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_of(data, size);
    struct arena a = ARENA_INIT(0);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct conf conf;
    struct buf b = buf_new(1 << 20);

    conf_parse(&a, STR("/0"), &(struct conf_reader){ read_part, &all }, &conf, &f);
    conf_faults_sort(&f, &conf);
    for (size_t i = 0; i < f.n; i++) {
        conf_fault_put(&b, &f.list[i]);
    }
    size_t checked = 0;
    for (const struct conf_line *line = conf.lines; line != NULL; line = line->next) {
        must(line->n > 0);
        for (size_t i = 0; !line->bad && i < line->n && checked < 50; i++, checked++) {
            if (!str_eq(line->words[i].text, STR("include"))) check_word(&line->words[i]);
        }
    }
    buf_free(&b);
    conf_faults_free(&f);
    arena_free(&a);
    return 0;
}
