/* message commands. */
#include "role/depot_admin.h"

const struct admin_row admin_message_rows[] = {
    { NULL, NULL, NULL, false },
};
