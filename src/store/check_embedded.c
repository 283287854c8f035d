#include "store/check.h"
#include "store/embedded.h"

enum err embedded_check(struct engine *engine, const struct engine_check *how,
                        struct engine_report *out)
{
    return check_all(engine, how, out);
}

enum err embedded_backup(struct engine *engine, int folder_fd)
{
    (void)engine;
    (void)folder_fd;
    return ERR_UNSUPPORTED;
}

enum err embedded_compact(struct engine *engine, size_t max_bytes, bool *more_out)
{
    (void)engine;
    (void)max_bytes;
    *more_out = false;
    return OK;
}
