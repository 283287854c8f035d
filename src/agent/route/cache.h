/* A bounded cache of directory answers, emptied when the directory changes. */
#ifndef AGENT_ROUTE_CACHE_H
#define AGENT_ROUTE_CACHE_H

#include "model/directory.h"

struct route_cache;

struct route_cache *route_cache_new(void);

/* What was answered for `address`; views live in `a`. ERR_NOT_FOUND: not known, or too long ago. */
enum err route_cache_get(struct route_cache *c, struct str address, struct arena *a,
                         struct directory_answer *out);
void route_cache_put(struct route_cache *c, struct str address, const struct directory_answer *d);

/* The directory has changed: answers older than `generation` are forgotten. */
void route_cache_forget(struct route_cache *c, uint64_t generation);

void route_cache_free(struct route_cache **c);

#endif
