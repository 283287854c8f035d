/* One binary for everything: the first word says what it is now. */
#include "role/role.h"
#include "role/tool_run.h"
#include "tool/command.h"

#include <stdio.h>

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
    if (argc == 3 && str_eq(str_c(argv[1]), STR("--role"))) return be_role(str_c(argv[2]));
    return command_main(&tool_world, argc, argv);
}
