/* The order of locking in. Each step takes away what an earlier step needed:
 *
 *   limits and libraries (may need privilege, may need files)
 *   user, groups, capabilities
 *   no_new_privs, without which the next two are refused to an ordinary user
 *   Landlock, which closes the file system
 *   seccomp, which closes the system calls that made the other locks */
#include "sys/sandbox_inner.h"
#include "base/must.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Set soft and hard limit, or as near as the present hard limit allows. */
static void set_limit(__rlimit_resource_t which, uint64_t value, struct str word,
                      struct buf *missing)
{
    struct rlimit now, want = { value, value };

    if (setrlimit(which, &want) == 0) return;
    sandbox_miss(missing, word);
    if (getrlimit(which, &now) != 0 || now.rlim_max >= value) return;
    now.rlim_cur = now.rlim_max;
    (void)!setrlimit(which, &now); /* the word says already that it is not as asked */
}

static void set_limits(const struct sandbox *box, struct buf *missing)
{
    set_limit(RLIMIT_CORE, 0, STR("limit-core"), missing);
    if (box->files_max > 0) {
        set_limit(RLIMIT_NOFILE, box->files_max, STR("limit-files"), missing);
    }
    if (box->file_bytes_max > 0) {
        set_limit(RLIMIT_FSIZE, box->file_bytes_max, STR("limit-file-bytes"), missing);
    }
    if (SANDBOX_SANITIZED) return; /* shadow memory is terabytes; leak checks start a thread */
    if (box->data_bytes_max > 0) {
        set_limit(RLIMIT_DATA, box->data_bytes_max, STR("limit-data"), missing);
    }
    if (box->address_bytes_max > 0) {
        set_limit(RLIMIT_AS, box->address_bytes_max, STR("limit-address"), missing);
    }
    /* The kernel counts processes and threads of the user together, over all roles, so no number
     * between none and any would mean something for one process. */
    if ((box->calls & SANDBOX_THREADS) == 0) {
        set_limit(RLIMIT_NPROC, 0, STR("limit-processes"), missing);
    }
}

/* What the C library would load from a file at an unsuitable moment: pthread_exit() needs the
 * unwinder and aborts without it. */
static void preload(const struct sandbox *box)
{
    if ((box->calls & SANDBOX_THREADS) == 0) return;
    (void)dlopen("libgcc_s.so.1", RTLD_NOW); /* never closed; absent only if nobody needs it */
}

static bool in_other_groups(gid_t gid)
{
    gid_t groups[64];
    int n = getgroups(64, groups);
    if (n < 0) return true;
    for (int i = 0; i < n; i++) {
        if (groups[i] != gid) return true;
    }
    return false;
}

static enum err change_user(const struct sandbox *box, struct buf *missing)
{
    bool was_root = geteuid() == 0;
    gid_t gid = box->change_user ? box->gid : getegid();
    uid_t uid = box->change_user ? box->uid : geteuid();

    if (in_other_groups(gid) && setgroups(0, NULL) != 0) sandbox_miss(missing, STR("groups"));
    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
        if (errno != EPERM) return ERR_DENIED;
        sandbox_miss(missing, STR("user"));
        return OK;
    }
    if (uid == 0) sandbox_miss(missing, STR("user"));
    if (uid != 0 && was_root && setuid(0) == 0) return ERR_DENIED; /* a way back: must not be */
    return OK;
}

static void drop_bounding_set(void)
{
    /* Needs a capability that only the privileged have; for others no_new_privs does the same. */
    for (unsigned long cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) break;
    }
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    must(syscall(SYS_capset, &head, none) == 0); /* giving up is always allowed */
}

enum err sandbox_enter(const struct sandbox *box, struct buf *missing_out)
{
    preload(box);
    umask(077);
    set_limits(box, missing_out);
    drop_bounding_set();
    enum err e = change_user(box, missing_out);
    if (e != OK) return e;
    drop_capabilities();
    must(clearenv() == 0);
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    /* After the change of user, which sets it anew. Sanitizers trace their own process. */
    if (!SANDBOX_SANITIZED) must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
    e = sandbox_lock_paths(box, missing_out);
    if (e != OK) return e;
    sandbox_lock_calls(box, missing_out);
    return OK;
}
