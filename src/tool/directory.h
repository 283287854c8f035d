/* postrider snapshot, postrider apply: the directory as text. */
#ifndef TOOL_DIRECTORY_H
#define TOOL_DIRECTORY_H

#include "tool/command.h"

int tool_snapshot(struct command *c);
int tool_apply(struct command *c);

#endif
