/* must(): the line between impossible and unlikely.
 *
 * Use it for what only a fault of our own can break: a broken invariant ends the process with one
 * line on standard error, the keeper restarts the role, the transaction protects the data. Never
 * use it for input, disk, network or limits. It is always compiled in. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(x) ((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__))

/* Print which invariant broke and where, then abort. Does not return. */
_Noreturn void must_fail(const char *what, const char *file, int line);

#endif
