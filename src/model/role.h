/* The roles: processes by rights (docs/architecture.md, section 3). */
#ifndef MODEL_ROLE_H
#define MODEL_ROLE_H

#include "base/str.h"

/* name in the code, name in configuration, logs and the process list */
#define ROLE_LIST(X)                                                                               \
    X(ROLE_KEEPER, "keeper")                                                                       \
    X(ROLE_EDGE, "edge")                                                                           \
    X(ROLE_SESSION, "session")                                                                     \
    X(ROLE_FILTER, "filter")                                                                       \
    X(ROLE_COURIER, "courier")                                                                     \
    X(ROLE_DEPOT, "depot")                                                                         \
    X(ROLE_AUTHD, "authd")                                                                         \
    X(ROLE_KEYS, "keys")                                                                           \
    X(ROLE_RESOLVER, "resolver")                                                                   \
    X(ROLE_TOOL, "tool")

enum role {
#define X(name, word) name,
    ROLE_LIST(X)
#undef X
        ROLE_COUNT
};

/* "edge"; static lifetime. */
const char *role_name(enum role r);

/* ERR_NOT_FOUND. */
enum err role_find(struct str name, enum role *role_out);

#endif
