/* Questions to other roles. Whatever goes wrong on the way is our trouble, not the client's: it
 * becomes a temporary outcome, and the dialog goes on. */
#include "proto/smtp/session.h"

#include "base/must.h"

enum { LINK_WAIT_MS = 5000 };

/* Ask one of the filters. `reply_out` lives in `a`. */
static enum err ask(struct smtp *s, enum verb verb, struct buf *request, struct arena *a,
                    struct str *reply_out)
{
    struct door *filter = NULL;
    enum err e = buf_check(request);
    if (e == OK) e = links_pick(s->world->filter, LINK_WAIT_MS, &filter);
    if (e == OK) e = door_call(filter, verb, buf_str(request), smtp_ask_wait_ms, a, reply_out);
    if (e != OK)
        log_warn("smtp.no_answer", L_ID("conn", s->peer.conn), L_WORD("verb", verb_row(verb)->name),
                 L_ERR(e));
    buf_free(request);
    return e;
}

static enum err outcome_only(struct smtp *s, enum verb verb, struct buf *request, struct arena *a,
                             struct outcome *out)
{
    struct str reply;
    struct outcome_rep rep;
    enum err e = ask(s, verb, request, a, &reply);
    if (e == OK) e = outcome_rep_get(reply, a, &rep);
    *out = e == OK ? rep.outcome : outcome_of("internal");
    return OK;
}

enum err smtp_ask_peer(struct smtp *s, unsigned stage, struct arena *a, struct outcome *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    /* Most configurations have no rule for this stage; then there is nothing to ask. */
    bool any = false;
    enum config_stage at = stage == 0 ? CONFIG_AT_CONNECT : CONFIG_AT_HELO;
    for (size_t i = 0; i < s->config->check_count; i++) {
        any |= s->config->checks[i].stage == at;
    }
    if (!any) {
        *out = outcome_of("ok");
        return OK;
    }
    struct peer_check_req in = { .peer = s->peer, .stage = (uint8_t)stage };
    peer_check_req_put(&b, &in);
    return outcome_only(s, VERB_peer_check, &b, a, out);
}

enum err smtp_ask_sender(struct smtp *s, const struct envelope *e, struct arena *a,
                         struct outcome *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    bool any = s->peer.login.n > 0;
    for (size_t i = 0; i < s->config->check_count; i++) {
        any |= s->config->checks[i].stage == CONFIG_AT_MAIL;
    }
    if (!any) {
        *out = outcome_of("ok");
        return OK;
    }
    struct sender_check_req in = { .peer = s->peer, .envelope = *e };
    sender_check_req_put(&b, &in);
    return outcome_only(s, VERB_sender_check, &b, a, out);
}

enum err smtp_ask_rcpt(struct smtp *s, struct str address, struct arena *a,
                       struct route_rcpt_rep *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct route_rcpt_req in = { .peer = s->peer,
                                 .reverse_path = s->envelope.reverse_path,
                                 .address = address,
                                 .size = s->envelope.size };
    route_rcpt_req_put(&b, &in);
    enum err e = ask(s, VERB_route_rcpt, &b, a, &reply);
    if (e == OK) e = route_rcpt_rep_get(reply, a, out);
    if (e != OK) *out = (struct route_rcpt_rep){ .outcome = outcome_of("internal") };
    return OK;
}

enum err smtp_ask_expand(struct smtp *s, struct str text, bool expand, struct arena *a,
                         struct address_expand_rep *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct address_expand_req in = { .peer = s->peer, .text = text, .expand = expand };
    address_expand_req_put(&b, &in);
    enum err e = ask(s, VERB_address_expand, &b, a, &reply);
    if (e == OK) e = address_expand_rep_get(reply, a, out);
    if (e != OK) *out = (struct address_expand_rep){ .outcome = outcome_of("internal") };
    return OK;
}

enum err smtp_ask_offer(struct smtp *s, const struct offer_req *in, struct arena *a,
                        struct offer_rep *out)
{
    struct buf b = BUF_INIT(VERB_OFFER);
    struct str reply;
    offer_req_put(&b, in);
    enum err e = ask(s, VERB_offer, &b, a, &reply);
    if (e == OK) e = offer_rep_get(reply, a, out);
    /* Not known whether it was stored: the client tries again, and a repeat is recognised by its
     * digest. */
    if (e != OK) *out = (struct offer_rep){ .outcome = outcome_of("internal") };
    return OK;
}
