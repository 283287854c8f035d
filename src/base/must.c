#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void must_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "process.impossible pid=%ld at=%s:%d broken=\"%s\"\n", (long)getpid(), file,
            line, what);
    abort();
}
