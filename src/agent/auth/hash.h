/* Password hashing and verification.
 *
 * The scheme of a stored hash is recognised by its prefix, also behind a Dovecot-style {SCHEME}:
 *
 *     $y$          yescrypt                      made and verified (the standard choice)
 *     $argon2id$   Argon2id, version 19          made and verified; $argon2i$ verified
 *     $2b$         bcrypt                        made and verified; $2a$ and $2y$ verified
 *     $6$          SHA-512-crypt                 made and verified; $5$ (SHA-256-crypt) verified
 *
 * Memory and time: one verification takes what the stored hash asks for and does not yield, so that
 * a process verifies one password at a time by construction. Measured on one core at 3 GHz:
 * yescrypt cost 5 (standard): 16 MiB, 13 ms; cost 7: 64 MiB, 62 ms; Argon2id 19 MiB, 2 passes:
 * 29 ms; bcrypt 10: 53 ms and 12: 206 ms, 4 KiB; SHA-512-crypt 5,000 rounds: 1.6 ms. Each needs
 * less than 16 KiB of stack. The process needs the largest of these beside its own memory under
 * RLIMIT_AS: auth_hash_memory_max bounds it. */
#ifndef AGENT_AUTH_HASH_H
#define AGENT_AUTH_HASH_H

#include "base/buf.h"
#include "model/config.h"

enum { HASH_TEXT_MAX = 512 };

/* Append a new hash of `password` (prepared, without NUL) with fresh salt.
 *
 *   scheme   its cost comes from the auth_hash_* parameters
 *
 * ERR_LIMIT        longer than PASSWORD_MAX, or than the 72 bytes that bcrypt looks at
 * ERR_SYNTAX       empty, or a NUL inside
 * ERR_UNAVAILABLE  no memory for the cost that is set */
enum err hash_make(enum config_hash scheme, struct str password, struct buf *out);

/* Does `password` fit `stored`? A wrong password is OK with *match_out false, as is one that no
 * hash could have been made from (too long, a NUL). bcrypt hashes look at 72 bytes only, as they
 * did where they were made.
 *
 * ERR_UNSUPPORTED  scheme not known here
 * ERR_SYNTAX       known scheme, malformed
 * ERR_LIMIT        asks for more memory or time than the parameters allow
 * ERR_UNAVAILABLE  no memory at the moment */
enum err hash_verify(struct str stored, struct str password, bool *match_out);

/* Take as long as hash_verify() of a hash as hash_make() writes it today: for logins that do not
 * exist, so that time does not tell which do. */
void hash_verify_nobody(enum config_hash scheme, struct str password);

/* Check a hash that comes from elsewhere and append it without its {SCHEME}. Errors as
 * hash_verify(). */
enum err hash_import(struct str text, struct buf *out);

/* Of another scheme than `wanted`, or cheaper than it would be made today: worth making anew when
 * the password is at hand. True for what hash_verify() does not understand. */
bool hash_is_stale(struct str stored, enum config_hash wanted);

#endif
