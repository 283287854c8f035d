/* Files that are named on the command line. Everything here blocks. */
#ifndef TOOL_FILE_H
#define TOOL_FILE_H

#include "tool/command.h"

/* All of a file, or of standard input for "-", appended to `out`. ERR_LIMIT: it is larger than
 * that. Words in c->why on failure. */
enum err file_read(struct command *c, struct str path, struct buf *out);

/* "PATH: WORDS" into c->why, for the error number of the last call. Returns its error. */
enum err file_why(struct command *c, struct str path, int number);

/* All bytes. ERR_FULL, ERR_IO and others. */
enum err file_write_all(int fd, struct str bytes);

#endif
