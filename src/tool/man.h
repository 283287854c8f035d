/* The parts of the manual that are printed from the program's own tables, so that they cannot say
 * anything else than the program does. */
#ifndef TOOL_MAN_H
#define TOOL_MAN_H

#include "base/buf.h"

/* The sections SETTINGS, CONDITIONS and LIMITS of postrider.conf(5), in the macros of man(7). */
void man_put_conf(struct buf *b);

/* The section COMMANDS of postrider(8). */
void man_put_commands(struct buf *b);

/* postrider man conf|commands: prints them. `argv[0]` is "man". Exit code 0, or 2 for usage. */
int tool_man(int argc, char **argv);

#endif
