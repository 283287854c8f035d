#include "model/role.h"
#include "base/must.h"

static const char *const names[ROLE_COUNT] = {
#define X(name, word) word,
    ROLE_LIST(X)
#undef X
};

const char *role_name(enum role r)
{
    must((unsigned)r < ROLE_COUNT);
    return names[r];
}

enum err role_find(struct str name, enum role *role_out)
{
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        if (str_eq(name, str_c(names[r]))) {
            *role_out = (enum role)r;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}
