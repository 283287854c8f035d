/* What the command line needs of the rooms that a tool may not see: a door to the depot, a
 * credential made of a password, the keeper. */
#ifndef ROLE_TOOL_RUN_H
#define ROLE_TOOL_RUN_H

#include "tool/command.h"

extern const struct tool_world tool_world;

#endif
