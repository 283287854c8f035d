/* An address as the directory's keys see it: domain in normal form, local part without quotes, in
 * lower case and NFC (RFC 5321 2.4 leaves its meaning to the host that has the mailbox: us). The
 * grammar is syntax/address.h's. */
#ifndef MAIL_DIRECTORY_ADDRESS_H
#define MAIL_DIRECTORY_ADDRESS_H

#include "mail/schema.h"

struct directory_address {
    struct str domain; /* normal form */
    struct str local;  /* raw, lower case; what an account or alias can have has at most
                          KEY_LOCAL_MAX bytes */
    struct str given;  /* raw, case kept */
};

/* Take apart `local@domain`. ERR_INVALID: not in the grammar, or an empty local part;
 * ERR_UNSUPPORTED: an address literal. Lives as long as the arena. */
enum err directory_address_split(struct arena *a, struct str address,
                                 struct directory_address *out);

/* The address as it is written: the local part quoted when it has to be. */
struct str directory_address_text(struct arena *a, struct str local, struct str domain);

/* An address to send to, in normal form but with the case of its local part kept. ERR_INVALID. */
enum err directory_address_target(struct arena *a, struct str address, struct str *out);

/* A domain in normal form. ERR_INVALID. */
enum err directory_domain_normal(struct arena *a, struct str domain, struct str *out);

/* A local part in lower case and NFC. */
struct str directory_lower(struct arena *a, struct str s);

#endif
