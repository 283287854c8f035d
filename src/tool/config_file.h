/* The configuration from files, for whoever may open files: the keeper and the tools. Blocks. */
#ifndef TOOL_CONFIG_FILE_H
#define TOOL_CONFIG_FILE_H

#include "model/config.h"

#define CONFIG_FILE_STANDARD "/etc/postrider/postrider.conf"

/* Read the file at `path` (relative ones from the working folder) and all it includes. Errors and
 * faults as config_read(); a file that cannot be read is a fault. */
enum err config_file_read(const char *path, struct config **config_out, struct conf_faults *faults);

#endif
