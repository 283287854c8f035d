#include "mail/quota.h"

static bool fits(uint64_t used, uint64_t add, uint64_t limit)
{
    if (limit == 0) return true;
    return used <= limit && add <= limit - used;
}

enum err quota_check(const struct account_state *s, uint64_t messages, uint64_t bytes)
{
    bool ok = fits(s->used_bytes, bytes, s->quota_bytes) &&
              fits(s->used_messages, messages, s->quota_messages);
    return ok ? OK : ERR_OVER_QUOTA;
}

enum err quota_set(struct txn *t, uint64_t account, uint64_t quota_bytes, uint64_t quota_messages)
{
    struct account_state s;
    enum err e = account_state_get(t, account, &s);
    if (e != OK) return e;
    s.quota_bytes = quota_bytes;
    s.quota_messages = quota_messages;
    return account_state_put(t, &s);
}
