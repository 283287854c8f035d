/* postrider help, postrider version. */
#ifndef TOOL_HELP_H
#define TOOL_HELP_H

#include "tool/command.h"

/* All commands, or those of a noun. Exit code 2: no such noun. */
int tool_help(struct command *c);
int tool_version(struct command *c);

/* The usage of everything. */
void help_put(struct buf *b);

/* To standard error: there is no such noun, and what was probably meant. Exit code 2. */
int help_no_such(struct str noun);

#endif
