/* Parameters of MAIL and RCPT: the inner face towards smtp_command.c; everybody else uses
 * smtp_command.h. */
#ifndef SYNTAX_SMTP_PARAMETER_H
#define SYNTAX_SMTP_PARAMETER_H

#include "syntax/smtp_command.h"

/* On the way through a command's arguments. On a fault the scan stands where it is. */
struct parse {
    struct scan scan;
    struct arena *a;
    const struct smtp_syntax *syntax;
    struct smtp_fault *fault; /* `address` and `word` are noted here on the way */
};

/* Take any number of spaces: the grammar says one, and more of them mean nothing else. */
static inline void parse_spaces(struct parse *p)
{
    while (scan_byte(&p->scan, ' ')) {
    }
}

/* Take what follows the path to the end of the line: *( SP keyword [ "=" value ] ). */
enum smtp_fault_kind smtp_parameters_parse_mail(struct parse *p, struct smtp_mail *mail);
enum smtp_fault_kind smtp_parameters_parse_rcpt(struct parse *p, struct smtp_rcpt *rcpt);

#endif
