/* Commands that the depot carries out: one table says their words, and one path sends them, prints
 * the answer as a table or as JSON, and turns errors into exit codes. */
#ifndef TOOL_ADMIN_H
#define TOOL_ADMIN_H

#include "door/door.h"

/* What the program around it lends: tools do not see roles, mail or passwords' rooms themselves. */
struct tool_world {
    /* A door to the depot: the running one, or one of our own when nothing runs. Waits. Words in
     * `why` on failure. */
    enum err (*open_depot)(struct str config_path, struct door **door_out, struct buf *why);
    /* The credential row of a password, as the configuration wants them. Words in `why` on failure.
     */
    enum err (*make_credential)(struct str config_path, struct str password, struct buf *out,
                                struct buf *why);
};

enum { EXIT_GOOD = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 2, EXIT_TEMPORARY = 75 };

/* Is this noun one of the table's? */
bool tool_admin_has(struct str noun);

/* Run `postrider NOUN VERB ...`; argv[0] is the noun. Returns the exit code. Runs a loop of its
 * own. */
int tool_admin(const struct tool_world *w, int argc, char **argv);

/* Lines about each command for the usage text. */
void tool_admin_usage(struct buf *b);

#endif
