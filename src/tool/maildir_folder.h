/* A Maildir as it lies on the disk: its files and what Dovecot has noted beside them. Everything
 * here blocks. */
#ifndef TOOL_MAILDIR_FOLDER_H
#define TOOL_MAILDIR_FOLDER_H

#include "syntax/maildir.h"
#include "tool/command.h"

struct maildir_file {
    struct str name; /* with flags */
    struct maildir_name parts;
    uint32_t uid; /* 0: not in the list */
    bool in_new;  /* in new/, else in cur/ */
};

struct maildir_folder {
    struct arena arena;
    struct str path;
    bool has_list;
    struct maildir_uidlist list;
    struct str keywords[MAILDIR_KEYWORD_MAX]; /* what letters mean; empty: nothing */
    struct maildir_file *files;               /* by UID, those without one last, oldest first */
    size_t file_count;
};

/* Read it all. ERR_NOT_FOUND: it is no Maildir (no cur/ in it). Words in c->why on failure. */
enum err maildir_folder_read(struct command *c, struct str path, struct maildir_folder *out);
void maildir_folder_free(struct maildir_folder *f);

/* Names of the Maildir++ folders in a folder (".Sent"), in order, in the command's arena. */
enum err maildir_folders(struct command *c, struct str path, struct str **names_out, size_t *n_out);

/* A list of strings that grows. */
struct str_list {
    struct str *at;
    size_t n, room;
};
void str_list_add(struct arena *a, struct str_list *l, struct str s);

#endif
