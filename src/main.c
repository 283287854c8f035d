/* One binary for everything: the first word says what it is now. */
#include "base/near.h"
#include "role/role.h"
#include "role/tool_run.h"
#include "tool/config.h"
#include "tool/man.h"
#include "tool/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    struct str noun;
    int (*run)(int argc, char **argv);
    const char *words;
} tools[] = {
    { STR_INIT("config"), tool_config, "check or show the configuration" },
    { STR_INIT("man"), tool_man, "print the parts of the manual that come from the program" },
    { STR_INIT("tls"), tool_tls, "make a certificate for tests" },
};
enum { TOOL_COUNT = sizeof tools / sizeof tools[0] };

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
    (void)fputs("usage: postrider NOUN VERB [OPTIONS]\n\n"
                "  postrider run [-c FILE]\n      run the whole system in the foreground\n",
                stderr);
    struct buf admin = BUF_INIT(65536);
    tool_admin_usage(&admin);
    (void)fwrite(admin.p, 1, admin.n, stderr);
    buf_free(&admin);
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        (void)fprintf(stderr, "  %-10.*s %s\n", (int)tools[i].noun.n, tools[i].noun.p,
                      tools[i].words);
    }
    return EXIT_USAGE;
}

/* `postrider run [-c FILE]`: the keeper, in the foreground. */
static int run(int argc, char **argv)
{
    const char *file = "/etc/postrider/postrider.conf";
    struct arena a = ARENA_INIT(0);
    bool fine = argc == 1 || (argc == 3 && strcmp(argv[1], "-c") == 0);

    if (!fine) {
        (void)fputs("usage: postrider run [-c FILE]\n", stderr);
        return EXIT_USAGE;
    }
    if (argc == 3) file = argv[2];
    char *path = realpath(file, NULL);
    if (path == NULL) {
        (void)fprintf(stderr, "postrider: cannot read %s: %s\n", file, strerror(errno));
        return EXIT_USAGE;
    }
    int code = keeper_main(arena_str(&a, str_c(path)));
    free(path);
    arena_free(&a);
    return code;
}

/* The keeper starts us as this role. */
static int be_role(struct str name)
{
    enum role role;

    if (role_find(name, &role) != OK || role_def(role) == NULL) {
        (void)fputs("postrider: no such role\n", stderr);
        return EXIT_USAGE;
    }
    return role_main(role_def(role));
}

int main(int argc, char **argv)
{
    struct str noun = argc > 1 ? str_c(argv[1]) : STR_NONE;

    if (argc == 3 && str_eq(noun, STR("--role"))) return be_role(str_c(argv[2]));
    if (str_eq(noun, STR("run"))) return run(argc - 1, argv + 1);

    for (size_t i = 0; i < TOOL_COUNT; i++) {
        if (str_eq(noun, tools[i].noun)) return tools[i].run(argc - 1, argv + 1);
    }
    if (tool_admin_has(noun)) return tool_admin(&tool_world, argc - 1, argv + 1);
    return say_usage(noun);
}
