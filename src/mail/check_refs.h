/* Which blobs does a row refer to? For the engine's own check of reference counts
 * (struct engine_check, `refs`): each message row and each queued message (of a shard) counts as
 * one. Rows that cannot be read refer to nothing here; mail/verify.h reports them. */
#ifndef MAIL_CHECK_REFS_H
#define MAIL_CHECK_REFS_H

#include "mail/row.h"

void check_refs(struct str key, struct str value, void (*add)(void *, struct blob_id), void *ctx);

#endif
