/* One binary for everything: the first word says what it is now. */
#include "base/near.h"
#include "tool/config.h"

#include <stdio.h>

static const struct {
    struct str noun;
    int (*run)(int argc, char **argv);
    const char *words;
} tools[] = {
    { STR_INIT("config"), tool_config, "check or show the configuration" },
};
enum { TOOL_COUNT = sizeof tools / sizeof tools[0], EXIT_USAGE = 2 };

static int say_usage(struct str noun)
{
    struct near near = near_of(noun);

    for (size_t i = 0; i < TOOL_COUNT; i++) {
        near_offer(&near, tools[i].noun);
    }
    if (near_best(&near).n > 0) {
        (void)fprintf(stderr, "postrider: did you mean \"%.*s\"?\n", (int)near_best(&near).n,
                      near_best(&near).p);
    }
    (void)fputs("usage: postrider NOUN VERB [OPTIONS]\n\n", stderr);
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        (void)fprintf(stderr, "  %-10.*s %s\n", (int)tools[i].noun.n, tools[i].noun.p,
                      tools[i].words);
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct str noun = argc > 1 ? str_c(argv[1]) : STR_NONE;

    for (size_t i = 0; i < TOOL_COUNT; i++) {
        if (str_eq(noun, tools[i].noun)) return tools[i].run(argc - 1, argv + 1);
    }
    return say_usage(noun);
}
