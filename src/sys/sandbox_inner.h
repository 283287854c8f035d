/* What the files of the sandbox know of each other, and nobody else. */
#ifndef SYS_SANDBOX_INNER_H
#define SYS_SANDBOX_INNER_H

#include "sys/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* Add " word" to the list of what is missing. */
static inline void sandbox_miss(struct buf *missing, struct str word)
{
    buf_put_byte(missing, ' ');
    buf_put(missing, word);
}

/* Landlock. Needs no_new_privs. ERR_NOT_FOUND … as in sandbox_enter(). */
enum err sandbox_lock_paths(const struct sandbox *box, struct buf *missing);

/* Seccomp. Needs no_new_privs; the last of all, since it forbids the others. */
void sandbox_lock_calls(const struct sandbox *box, struct buf *missing);

#endif
