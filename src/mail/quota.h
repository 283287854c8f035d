/* Quota: may this account take more? */
#ifndef MAIL_QUOTA_H
#define MAIL_QUOTA_H

#include "mail/account.h"

/* ERR_OVER_QUOTA when `messages` more of together `bytes` would exceed a limit. */
enum err quota_check(const struct account_state *s, uint64_t messages, uint64_t bytes);

/* New limits, 0 = none. What is there already stays. ERR_NOT_FOUND. */
enum err quota_set(struct txn *t, uint64_t account, uint64_t quota_bytes, uint64_t quota_messages);

#endif
