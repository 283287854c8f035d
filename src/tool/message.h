/* postrider message show: what the store knows of a message, its structure taken apart here, not in
 * the depot. */
#ifndef TOOL_MESSAGE_H
#define TOOL_MESSAGE_H

#include "tool/command.h"

int tool_message_show(struct command *c);
int tool_message_export(struct command *c);

/* Lines about a structure record, two cells each (what, value), in `a`. `prefix_bytes`: of header
 * lines that are served before the bytes that the record speaks of. ERR_CORRUPT, ERR_UNSUPPORTED.
 */
enum err message_structure_lines(struct arena *a, struct str record, uint64_t prefix_bytes,
                                 struct str **cells_out, size_t *n_out);

#endif
