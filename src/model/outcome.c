#include "model/outcome.h"
#include "base/must.h"
#include "base/rand.h"

/* Reason, code, enhanced code, words for the peer, advice for the administrator. */
static const struct outcome_kind kinds[] = {
    { "ok", 250, 2, 0, 0, "OK", "" },
    { "unknown-recipient", 550, 5, 1, 1, "No such mailbox here",
      "The domain is ours, but no account, alias or catch-all answers to this address. Create it "
      "with "
      "'postrider account add' or 'postrider alias add', or set a catch-all for the domain." },
    { "account-disabled", 550, 5, 2, 1, "Mailbox disabled",
      "The account exists but is switched off: 'postrider account enable'." },
    { "relay-denied", 550, 5, 7, 1, "Relaying denied",
      "The recipient's domain is not hosted here and neither the client's network ('trust ... { "
      "relay }') nor a login "
      "allows relaying. Log in on the submission port, add the domain with 'postrider domain add', "
      "or trust the network." },
    { "over-quota", 552, 5, 2, 2, "Mailbox is full",
      "The account is over its quota: 'postrider account show' tells use and limit." },
    { "alias-loop", 550, 5, 4, 6, "Alias loops",
      "An alias leads back to itself; look at it with 'postrider alias show'." },
    { "alias-too-wide", 550, 5, 3, 4, "Alias leads to too many recipients",
      "See the parameter route_alias_targets_max." },
    { "too-many-hops", 554, 5, 4, 6, "Too many hops, mail loop suspected",
      "The message carries more Received fields than smtp_hops_max: look for two hosts that hand "
      "it to each other." },
    { "too-many-recipients", 452, 4, 5, 3,
      "Too many recipients, send the rest in another transaction", "The limit is smtp_rcpts_max." },
    { "message-too-big", 552, 5, 3, 4, "Message too big", "The limit is smtp_message_max." },
    { "bare-newline", 550, 5, 6, 0,
      "Bare CR or LF in the message; lines end in CRLF (RFC 5321 2.3.8)",
      "The sending program does not end its lines with CRLF. It is refused because mail systems "
      "disagree about such lines "
      "(SMTP smuggling)." },
    { "line-too-long", 550, 5, 6, 0, "Line longer than 998 octets (RFC 5322 2.1.1)",
      "The limit is smtp_text_line_max." },
    { "nul-byte", 550, 5, 6, 0, "NUL octet in the message",
      "Only BINARYMIME with BDAT may carry such content." },
    { "eight-bit", 554, 5, 6, 1, "8-bit content needs BODY=8BITMIME or SMTPUTF8", "" },
    { "no-from", 550, 5, 6, 0, "Exactly one From header field is required (RFC 5322 3.6)", "" },
    { "bad-header", 550, 5, 6, 0, "The message header is malformed",
      "RFC 5322 3.6 says which fields may stand how often." },
    { "sender-not-yours", 550, 5, 7, 1, "This login may not send from that address",
      "A login may use its own addresses only: the account's name and the aliases that lead to "
      "it." },
    { "auth-required", 530, 5, 7, 0, "Authentication required",
      "The submission service takes mail from logged-in users only." },
    { "must-starttls", 530, 5, 7, 0, "Must issue a STARTTLS command first", "" },
    { "auth-failed", 535, 5, 7, 8, "Authentication credentials invalid",
      "Name or password is wrong, or the account is disabled; the log line auth.refused tells "
      "which." },
    { "auth-mechanism", 504, 5, 5, 4, "Authentication mechanism not offered",
      "The client asked for a SASL mechanism that is not among 'auth { mechanisms ... }', or is "
      "not possible on this connection." },
    { "auth-needs-tls", 538, 5, 7, 11, "Encryption required for authentication",
      "Logins need TLS, unless the client is on loopback and 'auth { plaintext loopback }' is "
      "set." },
    { "auth-throttled", 454, 4, 7, 0, "Too many failed logins, try again later",
      "See auth_throttle_* parameters." },
    { "auth-unavailable", 454, 4, 7, 0, "Temporary authentication failure",
      "The authd process did not answer; see the log." },
    { "bad-sequence", 503, 5, 5, 1, "Bad sequence of commands", "" },
    { "bad-syntax", 501, 5, 5, 4, "Syntax error in parameters", "" },
    { "bad-sender", 501, 5, 1, 7, "Bad sender address syntax", "" },
    { "bad-recipient", 501, 5, 1, 3, "Bad recipient address syntax", "" },
    { "unknown-parameter", 555, 5, 5, 4, "Parameter not recognised or not implemented", "" },
    { "unknown-command", 500, 5, 5, 1, "Command not recognised", "" },
    { "not-implemented", 502, 5, 5, 1, "Command not implemented", "" },
    { "policy", 550, 5, 7, 1, "Refused by local policy",
      "A check rule of the configuration matched; the rule names it." },
    { "policy-later", 450, 4, 7, 1, "Refused for now by local policy",
      "A check rule of the configuration matched." },
    { "too-many-connections", 421, 4, 7, 0, "Too many connections from your network",
      "See the limits smtp_connections_*." },
    { "overloaded", 421, 4, 3, 2, "Too busy, try again later",
      "All places of smtp_connections_total are taken." },
    { "shutting-down", 421, 4, 3, 2, "Service closing, try again later", "" },
    { "header-too-big", 552, 5, 3, 4, "The message header is too big",
      "A header has to fit into the first 256 KiB of the message." },
    { "idle-timeout", 421, 4, 4, 2, "Timeout, closing", "" },
    { "too-many-errors", 421, 4, 7, 0, "Too many errors, closing", "See smtp_errors_max." },
    { "spoke-too-early", 554, 5, 5, 1, "You spoke before the greeting",
      "A client has to wait for the 220 greeting (RFC 5321 4.3.1); programs that do not are almost "
      "always bots." },
    { "not-smtp", 554, 5, 5, 1, "This is an SMTP server", "The peer speaks another protocol." },
    { "storage-full", 452, 4, 3, 1, "Insufficient system storage",
      "The disk that holds the store is full." },
    { "storage-failed", 451, 4, 3, 0, "Local error in storing, try again",
      "The store reported an error; see the log of the depot." },
    { "internal", 451, 4, 3, 0, "Local error, try again",
      "A role did not answer in time or went away; see the log." },
};

const struct outcome_kind *outcome_kind_at(size_t i)
{
    return i < sizeof kinds / sizeof kinds[0] ? &kinds[i] : NULL;
}

const struct outcome_kind *outcome_kind(struct str reason)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_eq(reason, str_c(kinds[i].reason))) return &kinds[i];
    }
    return NULL;
}

struct outcome outcome_of(const char *reason)
{
    const struct outcome_kind *k = outcome_kind(str_c(reason));
    must(k != NULL);
    return (struct outcome){ .code = k->code,
                             .class = k->class,
                             .subject = k->subject,
                             .detail = k->detail,
                             .text = str_c(k->text),
                             .reason = k->code < 400 ? STR_NONE : str_c(k->reason) };
}

struct outcome outcome_from_err(enum err e)
{
    switch (err_class(e)) {
    case CLASS_OK:
        return outcome_of("ok");
    case CLASS_LIMIT:
        return outcome_of(e == ERR_OVER_QUOTA ? "over-quota" : "storage-failed");
    case CLASS_CORRUPT:
        return outcome_of("storage-failed");
    case CLASS_TEMPORARY:
    case CLASS_PEER:
    case CLASS_PERMANENT: /* a permanent error inside is still only our own trouble */
        break;
    }
    if (e == ERR_FULL) return outcome_of("storage-full");
    return outcome_of(e == ERR_BROKEN || e == ERR_UNKNOWN || e == ERR_IO ? "storage-failed"
                                                                         : "internal");
}

void outcome_put(struct buf *b, const struct outcome *o)
{
    wire_put_u16(b, o->code);
    wire_put_u8(b, o->class);
    wire_put_u16(b, o->subject);
    wire_put_u16(b, o->detail);
    wire_put_vstr(b, o->text);
    wire_put_vstr(b, o->reason);
    wire_put_vstr(b, o->rule);
    wire_put_u64(b, o->lookup);
}

void outcome_get(struct wire *w, struct outcome *out)
{
    *out = (struct outcome){ .code = wire_get_u16(w) };
    out->class = wire_get_u8(w);
    out->subject = wire_get_u16(w);
    out->detail = wire_get_u16(w);
    out->text = wire_get_vstr(w);
    out->reason = wire_get_vstr(w);
    out->rule = wire_get_vstr(w);
    out->lookup = wire_get_u64(w);
    if (out->code > 599) w->bad = true;
}

/* Crockford's alphabet: no I, L, O, U, so that a code survives being read over the telephone. */
static const struct str base32 = STR_INIT("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
enum { LOOKUP_CHARS = 8 };

uint64_t lookup_new(void)
{
    return rand_below((1ull << 40) - 1) + 1;
}

void lookup_put_text(struct buf *b, uint64_t lookup)
{
    for (unsigned i = LOOKUP_CHARS; i > 0; i--) {
        buf_put_byte(b, base32.p[(lookup >> (5 * (i - 1))) & 31]);
    }
}

enum err lookup_parse(struct str text, uint64_t *lookup_out)
{
    uint64_t v = 0;
    if (text.n != LOOKUP_CHARS) return ERR_SYNTAX;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        size_t digit = str_find(base32, c);
        if (digit == STR_NOWHERE) return ERR_SYNTAX;
        v = v << 5 | digit;
    }
    *lookup_out = v;
    return OK;
}
