/* Asking the depot. */
#include "tool/command.h"

#include "base/must.h"
#include "sys/fiber.h"
#include "tool/print.h"

enum { ASK_WAIT_MS = 600000 };

enum err command_ask(struct command *c, enum verb verb, struct buf *request, struct arena *a,
                     struct str *reply_out)
{
    enum err e = buf_check(request);
    if (e == OK) e = door_call(c->depot, verb, buf_str(request), ASK_WAIT_MS, a, reply_out);
    return e;
}

enum err command_ask_admin(struct command *c, const struct str *words, size_t n, struct str data,
                           command_page page, void *ctx)
{
    struct buf resume = BUF_INIT(64 * 1024);
    enum err e = OK;
    do {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_PLAN);
        struct str reply = STR_NONE;
        struct admin_rep rep = { .message = STR_NONE };
        struct admin_req in = { .args = ARENA_MANY(&a, struct str, n),
                                .args_count = n,
                                .resume = buf_str(&resume),
                                .data = data };
        for (size_t i = 0; i < n; i++) {
            in.args[i] = words[i];
        }
        admin_req_put(&b, &in);
        e = command_ask(c, VERB_admin, &b, &a, &reply);
        if (reply.n > 0 && admin_rep_get(reply, &a, &rep) != OK) e = ERR_PROTOCOL;
        if (e != OK) buf_put(&c->why, rep.message);
        if (e == OK) e = page(ctx, &rep);
        buf_clear(&resume);
        buf_put(&resume, rep.resume);
        buf_free(&b);
        arena_free(&a);
    } while (e == OK && resume.n > 0);
    buf_free(&resume);
    return e;
}

static enum err print_page(void *ctx, const struct admin_rep *rep)
{
    struct printer *p = ctx;
    printer_page(p, rep);
    if (rep->message.n > 0) printer_message(p, rep->message, false);
    return OK;
}

int command_ask_and_print(struct command *c)
{
    struct printer p;
    printer_begin(&p, c->json);
    enum err e = command_ask_admin(c, c->words, c->word_count, buf_str(&c->data), print_page, &p);
    if (e != OK) printer_message(&p, c->why.n > 0 ? buf_str(&c->why) : str_c(err_words(e)), true);
    printer_end(&p);
    return command_exit_code(e);
}

/* ---- the fiber in which it happens ---- */

struct life {
    struct command *command;
    int (*f)(struct command *c);
    int code;
};

static void life(void *arg)
{
    struct life *l = arg;
    struct command *c = l->command;
    enum err e = c->world->open_depot(c->config_path, &c->depot, &c->why);
    if (e != OK) {
        command_say_why(c, e);
        l->code = e == ERR_INVALID ? EXIT_USAGE : EXIT_TEMPORARY;
    } else {
        l->code = l->f(c);
        door_close(&c->depot);
    }
    c->world->close_depot();
    loop_stop();
}

int command_with_depot(struct command *c, int (*f)(struct command *c))
{
    struct life l = { .command = c, .f = f };
    loop_init();
    fiber_spawn("command", life, &l);
    loop_run();
    return l.code;
}
