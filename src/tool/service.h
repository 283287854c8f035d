/* postrider run, stop, reload, status: the system as a whole. */
#ifndef TOOL_SERVICE_H
#define TOOL_SERVICE_H

#include "tool/command.h"

int tool_run(struct command *c);
int tool_stop(struct command *c);
int tool_reload(struct command *c);
int tool_status(struct command *c);

#endif
