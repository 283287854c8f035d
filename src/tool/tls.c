/* Each file is written beside its place and moved there when all three are whole, so that a server
 * never reads half a certificate. */
#include "tool/tls.h"

#include "base/arena.h"
#include "base/must.h"
#include "sys/tls_selfsigned.h"
#include "tool/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_FINE = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 2 };
enum { NAMES_MAX = 64, DAYS_STANDARD = 825, DAYS_MAX = 3650, PATH_BYTES_MAX = 4096 };
enum { FILE_CA, FILE_CERT, FILE_KEY, FILE_COUNT };

static const struct {
    struct str name;
    mode_t mode;
    struct str what;
} files[FILE_COUNT] = {
    [FILE_CA] = { STR_INIT("ca.pem"), 0644, STR_INIT("for clients to trust") },
    [FILE_CERT] = { STR_INIT("cert.pem"), 0644, STR_INIT("certificate of the server") },
    [FILE_KEY] = { STR_INIT("key.pem"), 0600, STR_INIT("its private key") },
};

struct job {
    struct arena *arena;
    struct str names[NAMES_MAX + 1]; /* the last one is the folder until the words are all read */
    size_t name_count;
    struct str folder;
    uint64_t days;
    bool force, json;
};

static int say_usage(const char *what)
{
    struct buf b = BUF_INIT(4096);
    buf_put_lit(&b, "postrider tls: ");
    buf_put(&b, str_c(what));
    buf_put_lit(&b, "\nusage: postrider tls selfsigned NAME... FOLDER [--days=N] [--force] "
                    "[--json]\n\n"
                    "  make a certificate for these host names and addresses, for tests and "
                    "demonstrations:\n"
                    "  ca.pem, cert.pem and key.pem in FOLDER\n");
    printer_error(buf_str(&b));
    buf_free(&b);
    return EXIT_USAGE;
}

static int say_failed(const char *what, struct str about, const char *why)
{
    struct buf b = BUF_INIT(PATH_BYTES_MAX * 2);
    buf_put_lit(&b, "postrider: ");
    buf_put(&b, str_c(what));
    buf_put(&b, about);
    buf_put_lit(&b, ": ");
    buf_put(&b, str_c(why));
    buf_put_byte(&b, '\n');
    printer_error(buf_str(&b));
    buf_free(&b);
    return EXIT_NEGATIVE;
}

static int read_words(struct job *j, int argc, char **argv)
{
    if (argc < 2 || !str_eq(str_c(argv[1]), STR("selfsigned"))) return say_usage("no such verb");
    for (int i = 2; i < argc; i++) {
        struct str word = str_c(argv[i]);
        if (str_eq(word, STR("--json"))) {
            j->json = true;
        } else if (str_eq(word, STR("--force"))) {
            j->force = true;
        } else if (str_starts(word, STR("--days="))) {
            if (str_to_u64(str_skip(word, 7), DAYS_MAX, &j->days) != OK || j->days == 0)
                return say_usage("--days takes a number from 1 to 3650");
        } else if (str_eq(word, STR("-c")) && i + 1 < argc) {
            i++; /* every command takes one; nothing here comes from it */
        } else if (str_starts(word, STR("-"))) {
            return say_usage("no such option");
        } else if (j->name_count > NAMES_MAX) {
            return say_usage("too many names");
        } else {
            j->names[j->name_count++] = word;
        }
    }
    if (j->name_count < 2) return say_usage("at least one name and a folder are needed");
    j->folder = j->names[--j->name_count];
    return EXIT_FINE;
}

static const char *path_of(const struct job *j, size_t file, const char *suffix)
{
    struct str path = ARENA_JOIN(j->arena, j->folder, STR("/"), files[file].name, str_c(suffix));
    return arena_c(j->arena, path);
}

static int check_place(const struct job *j)
{
    struct stat st;
    const char *folder = arena_c(j->arena, j->folder);
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return say_failed("cannot make ", j->folder, strerror(errno));
    for (size_t i = 0; !j->force && i < FILE_COUNT; i++) {
        if (lstat(path_of(j, i, ""), &st) == 0)
            return say_failed("there is already ", str_c(path_of(j, i, "")),
                              "--force would replace it");
    }
    return EXIT_FINE;
}

static int write_files(const struct job *j, const struct tls_selfsigned *made)
{
    int fds[FILE_COUNT] = { -1, -1, -1 }, code = EXIT_FINE;
    size_t opened = 0;
    while (code == EXIT_FINE && opened < FILE_COUNT) {
        const char *path = path_of(j, opened, ".new");
        (void)unlink(path); /* of a run that was interrupted */
        fds[opened] =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, files[opened].mode);
        if (fds[opened] < 0) {
            code = say_failed("cannot write ", str_c(path), strerror(errno));
        } else {
            opened++;
        }
    }
    enum err e = OK;
    if (code == EXIT_FINE)
        e = tls_selfsigned_write(made, fds[FILE_CA], fds[FILE_CERT], fds[FILE_KEY]);
    for (size_t i = 0; i < opened; i++) {
        if (e == OK && fsync(fds[i]) != 0) e = err_from_errno(errno);
        if (close(fds[i]) != 0 && e == OK) e = err_from_errno(errno);
    }
    if (e != OK) code = say_failed("cannot write into ", j->folder, err_words(e));
    for (size_t i = 0; i < opened; i++) {
        if (code == EXIT_FINE && rename(path_of(j, i, ".new"), path_of(j, i, "")) != 0)
            code = say_failed("cannot replace ", str_c(path_of(j, i, "")), strerror(errno));
        if (code != EXIT_FINE) (void)unlink(path_of(j, i, ".new"));
    }
    return code;
}

static void tell(const struct job *j)
{
    struct printer p;
    struct str columns[] = { STR("file"), STR("what") }, cells[FILE_COUNT * 2];
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cells[2 * i] = str_c(path_of(j, i, ""));
        cells[2 * i + 1] = files[i].what;
    }
    printer_begin(&p, j->json);
    printer_page(&p, &(struct admin_rep){ .columns = columns,
                                          .columns_count = 2,
                                          .cells = cells,
                                          .cells_count = FILE_COUNT * 2 });
    printer_end(&p);
}

int tool_tls(int argc, char **argv)
{
    struct arena a = ARENA_INIT(0);
    struct job *j = ARENA_NEW(&a, struct job);
    struct tls_selfsigned made;
    *j = (struct job){ .arena = &a, .days = DAYS_STANDARD };
    int code = read_words(j, argc, argv);
    if (code == EXIT_FINE) {
        if (tls_selfsigned_new(j->names, j->name_count, (unsigned)j->days, &made) == OK) {
            code = check_place(j);
            if (code == EXIT_FINE) code = write_files(j, &made);
            tls_selfsigned_free(&made);
        } else {
            code = say_usage("a name is neither a host name nor an IP address");
        }
    }
    if (code == EXIT_FINE) tell(j);
    arena_free(&a);
    return code;
}
