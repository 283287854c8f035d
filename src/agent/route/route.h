/* Where a recipient leads: accounts here, addresses elsewhere, or a refusal with its reason.
 *
 * The rules of the configuration come first (first match wins), then the directory, step by step
 * through aliases; nothing is visited twice, so loops end. Asking the directory is a callback,
 * which may wait; it stands before a cache that the directory's generation keeps honest. */
#ifndef AGENT_ROUTE_ROUTE_H
#define AGENT_ROUTE_ROUTE_H

#include "model/config.h"
#include "model/directory.h"
#include "model/outcome.h"

/* One step of the directory. ERR_INVALID: no address; other errors are temporary. */
typedef enum err (*route_look_up)(void *ctx, struct str address, struct arena *a,
                                  struct directory_answer *out);

struct route_world {
    const struct config *config;
    route_look_up look_up;
    void *ctx;
};

enum route_end { ROUTE_MAILBOX, ROUTE_HOST, ROUTE_DROP };

struct route_leaf {
    enum route_end end;
    struct str address; /* final: the account's name, or the remote address */
    struct str detail;  /* ROUTE_MAILBOX: of user+detail */
    struct account account;
    struct str next_hop; /* ROUTE_HOST: host, or the domain whose MX is meant */
    bool via_alias;      /* not the address itself */
};

struct route {
    struct outcome outcome; /* ok, or why not */
    struct route_leaf *leaves;
    size_t leaf_count;
    struct str path; /* for trace and try: "ann@example.org -> alias staff@example.org -> account
                        bob@example.org" */
};

/* `may_relay`: the client's network or login allows mail to elsewhere. Results live in `a`. OK also
 * when the answer is a refusal; ERR_CANCELLED only. Waits. */
enum err route_address(const struct route_world *w, const struct config_facts *facts,
                       bool may_relay, struct arena *a, struct route *out);

#endif
