/* postrider config check|show: is the configuration good, and what does it say in full? */
#ifndef TOOL_CONFIG_H
#define TOOL_CONFIG_H

/* `argv[0]` is "config". Exit code: 0 fine, 1 `check` found errors, 2 usage, or `show` of a
 * configuration with errors. */
int tool_config(int argc, char **argv);

#endif
