/* Errors: one list for the whole program, each with its class.
 *
 * A function that can fail for a reason returns `enum err`. Rooms below floor 5 return errors and
 * do not log them; who decides, logs. Only model/outcome.c turns classes into reply codes. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* What an error means to whoever has to decide what to do next. */
enum err_class {
    CLASS_OK,
    CLASS_TEMPORARY, /* the same call may go well later */
    CLASS_PERMANENT, /* the same call will fail again */
    CLASS_LIMIT,     /* a declared ceiling was reached */
    CLASS_PEER,      /* the other side broke the protocol or went away */
    CLASS_CORRUPT,   /* stored bytes are not what was written */
};

/* name, class, words for a human */
#define ERR_LIST(X)                                                                                \
    X(OK, CLASS_OK, "ok")                                                                          \
    X(ERR_AGAIN, CLASS_TEMPORARY, "not now, try again")                                            \
    X(ERR_BUSY, CLASS_TEMPORARY, "in use by somebody else")                                        \
    X(ERR_TIMEOUT, CLASS_TEMPORARY, "the deadline passed")                                         \
    X(ERR_CANCELLED, CLASS_TEMPORARY, "cancelled from our own side")                               \
    X(ERR_CLOSED, CLASS_PEER, "the other side closed the connection")                              \
    X(ERR_IO, CLASS_TEMPORARY, "input or output failed")                                           \
    X(ERR_FULL, CLASS_TEMPORARY, "no space left for storing")                                      \
    X(ERR_CONFLICT, CLASS_TEMPORARY, "somebody else changed it first")                             \
    X(ERR_UNKNOWN, CLASS_TEMPORARY, "the outcome of the commit is not known")                      \
    X(ERR_BROKEN, CLASS_TEMPORARY, "the store has stopped after a failure")                        \
    X(ERR_UNAVAILABLE, CLASS_TEMPORARY, "the service that answers this is not there")              \
    X(ERR_OVER_QUOTA, CLASS_LIMIT, "the mailbox is over its quota")                                \
    X(ERR_LIMIT, CLASS_LIMIT, "a limit was reached")                                               \
    X(ERR_SYNTAX, CLASS_PERMANENT, "not in the grammar")                                           \
    X(ERR_RANGE, CLASS_PERMANENT, "a value out of its range")                                      \
    X(ERR_NOT_FOUND, CLASS_PERMANENT, "not found")                                                 \
    X(ERR_EXISTS, CLASS_PERMANENT, "exists already")                                               \
    X(ERR_DENIED, CLASS_PERMANENT, "not permitted")                                                \
    X(ERR_UNSUPPORTED, CLASS_PERMANENT, "not supported here")                                      \
    X(ERR_INVALID, CLASS_PERMANENT, "well-formed, but makes no sense")                             \
    X(ERR_PROTOCOL, CLASS_PEER, "the other side broke the protocol")                               \
    X(ERR_TLS, CLASS_PEER, "the TLS handshake or record layer failed")                             \
    X(ERR_CORRUPT, CLASS_CORRUPT, "stored bytes fail their checksum or grammar")

/* Must-use: clang checks it on the type (gcc knows the attribute on functions only; CI builds with
 * both). */
#ifdef __clang__
#define ERR_MUST_USE __attribute__((warn_unused_result))
#else
#define ERR_MUST_USE
#endif

enum ERR_MUST_USE err {
#define X(name, class, words) name,
    ERR_LIST(X)
#undef X
        ERR_COUNT
};

/* Class of an error. Cannot fail. */
enum err_class err_class(enum err e);

/* Name as spelled in the code ("ERR_FULL"), for logs. Static lifetime. */
const char *err_name(enum err e);

/* Words for a human, static lifetime. */
const char *err_words(enum err e);

/* Class of a failed system call's errno, as the error to return (ENOSPC and EDQUOT are ERR_FULL,
 * EPIPE and ECONNRESET are ERR_CLOSED, the rest by sense, else ERR_IO). */
enum err err_from_errno(int number);

/* Marks a result that is dropped on purpose; the reason stands beside the call. */
static inline void err_ignore(enum err e)
{
    (void)e;
}

#endif
