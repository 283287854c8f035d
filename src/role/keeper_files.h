/* What the keeper does with files: reading the configuration and the certificates, folders, the pid
 * file, users and groups. It blocks; it happens at start and on a reload only. */
#ifndef ROLE_KEEPER_FILES_H
#define ROLE_KEEPER_FILES_H

#include <sys/types.h>

#include "model/config.h"

/* Read and check; every fault is printed on standard error, one line each. ERR_INVALID and others.
 */
enum err keeper_read_config(struct str path, struct config **config_out);

/* Certificate chain and key of each certificate line, in turn. The keys are wiped by pems_free().
 */
struct pems {
    struct str *texts;
    size_t count;
};
enum err keeper_read_pems(const struct config *c, struct pems *out);
void pems_free(struct pems *p);

/* Log each setting that differs but only takes effect after a restart. */
void keeper_warn_restart(const struct config *was, const struct config *now);

/* Let standard error lead to the log's file, when the configuration names one; a reload opens it
 * anew, so that it can be rotated. Logs what failed. */
enum err keeper_open_log(const struct config *c);

/* Make the run and store folders if they are missing. Logs what failed. */
enum err keeper_folders(const struct config *c);

/* Lock and write RUN/postrider.pid. ERR_BUSY: another keeper runs. Logs what failed. */
enum err keeper_pid_file(struct str run);
void keeper_clean(struct str run);

/* Signal the keeper that holds the lock on RUN/postrider.pid; 0 only looks whether there is one.
 * ERR_NOT_FOUND: nobody does; ERR_DENIED; ERR_BUSY: it is just starting. */
enum err keeper_signal(struct str run, int number);

/* User of a role: change_out false when we are not root (then it stays as it is). ERR_NOT_FOUND. */
enum err keeper_user(const struct str *name, bool *change_out, uint32_t *uid_out,
                     uint32_t *gid_out);
enum err keeper_group(struct str name, gid_t *gid_out);

/* The few variables that roles may see (those of sanitizers in test builds), ends with null. */
const char *const *keeper_environment(void);

#endif
