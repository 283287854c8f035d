/* POP3 command lines: what is accepted must hold what its contract promises. */
#include "base/must.h"
#include "syntax/pop3_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str left = str_of(data, size), line;
    while (str_cut(&left, '\n', &line)) {
        struct pop3_words w;
        if (pop3_line_parse(line, &w) != OK) continue;
        must(line.n <= POP3_LINE_MAX - 2);
        must(w.number <= POP3_NUMBER_MAX && w.body_lines <= POP3_LINES_ALL);
        must(w.text.n + w.extra.n <= line.n);
        must(str_starts_nocase(line, pop3_verb_name(w.verb)));
    }
    return 0;
}
