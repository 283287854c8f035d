/* postrider import, postrider export. */
#ifndef TOOL_TRANSFER_H
#define TOOL_TRANSFER_H

#include "tool/command.h"

int tool_import(struct command *c);
int tool_export(struct command *c);

#endif
