/* store commands. */
#include "role/depot_admin.h"

const struct admin_row admin_store_rows[] = {
    { NULL, NULL, NULL, false },
};
