#include "base/err.h"
#include "base/must.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    enum err_class class;
    const char *name, *words;
} rows[ERR_COUNT] = {
#define X(n, c, w) [n] = { c, #n, w },
    ERR_LIST(X)
#undef X
};

enum err_class err_class(enum err e)
{
    must((unsigned)e < ERR_COUNT);
    return rows[e].class;
}

const char *err_name(enum err e)
{
    must((unsigned)e < ERR_COUNT);
    return rows[e].name;
}

const char *err_words(enum err e)
{
    must((unsigned)e < ERR_COUNT);
    return rows[e].words;
}

enum err err_from_errno(int number)
{
    static const struct {
        int number;
        enum err e;
    } map[] = {
        { EAGAIN, ERR_AGAIN },       { EINTR, ERR_AGAIN },
        { ENOSPC, ERR_FULL },        { EDQUOT, ERR_FULL },
        { EFBIG, ERR_FULL },         { EPIPE, ERR_CLOSED },
        { ECONNRESET, ERR_CLOSED },  { ENOTCONN, ERR_CLOSED },
        { ENOENT, ERR_NOT_FOUND },   { EEXIST, ERR_EXISTS },
        { EACCES, ERR_DENIED },      { EPERM, ERR_DENIED },
        { EMFILE, ERR_LIMIT },       { ENFILE, ERR_LIMIT },
        { ENOMEM, ERR_LIMIT },       { ETIMEDOUT, ERR_TIMEOUT },
        { EBUSY, ERR_BUSY },         { EADDRINUSE, ERR_BUSY },
        { ENOSYS, ERR_UNSUPPORTED }, { EOPNOTSUPP, ERR_UNSUPPORTED },
        { EINVAL, ERR_INVALID },     { ECONNREFUSED, ERR_UNAVAILABLE },
    };
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (map[i].number == number) return map[i].e;
    }
    return ERR_IO;
}
