/* A folder for a test's store, removed at its end. Tests only. */
#ifndef STORE_STORE_SCRATCH_H
#define STORE_STORE_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/must.h"
#include "store/engine_embedded.h"

static inline int scratch_remove_one(const char *path, const struct stat *s, int type,
                                     struct FTW *where)
{
    (void)s;
    (void)type;
    (void)where;
    return remove(path);
}

/* Remove a folder and all in it; it need not be there. */
static inline void scratch_remove(const char *path)
{
    nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new, empty folder; the caller frees the path. In memory where there is room: these tests sync
 * thousands of times, and their power cuts are made by os_fault.h, not by the disk. TMPDIR decides
 * otherwise. */
static inline char *scratch_new(void)
{
    const char *base = getenv("TMPDIR");
    struct statvfs s;
    char *path = NULL;
    if (base == NULL && statvfs("/dev/shm", &s) == 0 &&
        (uint64_t)s.f_bavail * s.f_frsize > (uint64_t)1 << 30)
        base = "/dev/shm";
    must(asprintf(&path, "%s/store-test-XXXXXX", base != NULL ? base : "/tmp") > 0);
    must(mkdtemp(path) != NULL);
    return path;
}

/* A small store: few address space, little memory, tables taken over often. */
static inline struct embedded_config scratch_config(const char *path)
{
    return (struct embedded_config){ .path = path,
                                     .map_bytes = 1u << 30,
                                     .memory_bytes = 256 * 1024,
                                     .flush_ms = 50,
                                     .reserve_bytes = 16 << 20 };
}

#endif
