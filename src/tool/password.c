/* A password from the terminal or from standard input; it becomes a credential here and never
 * leaves this process as it is. */
#include "tool/command.h"

#include "tool/print.h"

#include <stdio.h>
#include <termios.h>

enum { PASSWORD_MAX = 1024 };

static enum err read_line(FILE *f, struct buf *out)
{
    int ch;
    while ((ch = fgetc(f)) != EOF && ch != '\n') {
        buf_put_byte(out, (char)ch);
    }
    if (out->n > 0 && out->p[out->n - 1] == '\r') buf_truncate(out, out->n - 1);
    return out->over ? ERR_LIMIT : out->n == 0 && ch == EOF ? ERR_CLOSED : OK;
}

static enum err ask_hidden(const char *prompt, struct buf *out)
{
    struct termios was, quiet;
    FILE *tty = fopen("/dev/tty", "r+");
    if (tty == NULL) return ERR_UNAVAILABLE;
    fputs(prompt, tty);
    fflush(tty);
    enum err e = tcgetattr(fileno(tty), &was) == 0 ? OK : ERR_IO;
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (e == OK && tcsetattr(fileno(tty), TCSAFLUSH, &quiet) != 0) e = ERR_IO;
    if (e == OK) {
        e = read_line(tty, out);
        tcsetattr(fileno(tty), TCSAFLUSH, &was);
    }
    fputc('\n', tty);
    fclose(tty);
    return e;
}

static int take(struct command *c, struct buf *word, struct buf *again)
{
    enum err e = OK;
    if (command_has(c, "password-stdin")) {
        e = read_line(stdin, word);
    } else {
        e = ask_hidden("Password: ", word);
        if (e == OK) e = ask_hidden("Once more: ", again);
        if (e == OK && !str_eq(buf_str(word), buf_str(again)))
            return command_say(EXIT_NEGATIVE, "the two are not the same", STR_NONE);
    }
    if (e != OK || word->n == 0)
        return command_say(EXIT_USAGE,
                           "no password was given; type it at the terminal, or use "
                           "--password-stdin",
                           STR_NONE);
    if (c->world->make_credential(c->config_path, buf_str(word), &c->data, &c->why) != OK) {
        command_say_why(c, ERR_INVALID);
        return EXIT_USAGE;
    }
    return 0;
}

int command_take_password(struct command *c)
{
    struct buf word = BUF_INIT(PASSWORD_MAX), again = BUF_INIT(PASSWORD_MAX);
    if (c->row->data == DATA_PASSWORD_MAYBE && command_has(c, "no-password")) return 0;
    /* In one piece from the beginning: what grows leaves copies behind. */
    (void)buf_reserve(&word, PASSWORD_MAX);
    (void)buf_reserve(&again, PASSWORD_MAX);
    int code = take(c, &word, &again);
    if (word.p != NULL) explicit_bzero(word.p, word.cap);
    if (again.p != NULL) explicit_bzero(again.p, again.cap);
    buf_free(&word);
    buf_free(&again);
    return code;
}
