/* One line of a finding: the row's kind, what names it, what is wrong with it. */
#ifndef MAIL_VERIFY_SAY_H
#define MAIL_VERIFY_SAY_H

#include "mail/verify.h"

void verify_say(const struct verify_say *to, uint64_t *findings, const struct key *k,
                const char *what);

/* A row whose key is none of ours. */
void verify_say_foreign(const struct verify_say *to, uint64_t *findings, struct str key);

#endif
