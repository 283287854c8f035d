/* POP3 command lines to structs. The grammar only: in which state a command may come, and who
 * serves it, is the server's table.
 *
 * Source: RFC 1939 5 to 7, RFC 2449 4 and 5, RFC 2595 4, RFC 5034 4, RFC 6856 2 and 3. */
#ifndef SYNTAX_POP3_COMMAND_H
#define SYNTAX_POP3_COMMAND_H

#include "base/str.h"

enum {
    POP3_LINE_MAX = 255,         /* octets of a command line with its CRLF, RFC 2449 4 */
    POP3_NUMBER_MAX = INT32_MAX, /* highest message number that is looked at */
    POP3_LINES_ALL = INT32_MAX,  /* TOP: that many body lines or more were asked for */
    POP3_APOP_DIGEST_BYTES = 32, /* MD5 in hexadecimal, RFC 1939 7 */
};

enum pop3_verb {
    POP3_VERB_USER,
    POP3_VERB_PASS,
    POP3_VERB_APOP,
    POP3_VERB_AUTH,
    POP3_VERB_QUIT,
    POP3_VERB_STAT,
    POP3_VERB_LIST,
    POP3_VERB_RETR,
    POP3_VERB_DELE,
    POP3_VERB_NOOP,
    POP3_VERB_RSET,
    POP3_VERB_TOP,
    POP3_VERB_UIDL,
    POP3_VERB_CAPA,
    POP3_VERB_STLS,
    POP3_VERB_UTF8,
    POP3_VERB_LANG,
    POP3_VERB_COUNT,
};

/* One command; the views point into the line. What a verb does not have is empty or 0. */
struct pop3_words {
    enum pop3_verb verb;
    struct str text;     /* USER, APOP: name; PASS: the password, with its spaces; AUTH: mechanism;
                            LANG: tag or "*" */
    struct str extra;    /* APOP: digest, 32 hexadecimal digits; AUTH: initial response, "=" for an
                            empty one */
    bool has_extra;      /* AUTH: an initial response was there */
    uint32_t number;     /* LIST, RETR, DELE, TOP, UIDL: message number from 1; 0: none was given,
                            which only LIST and UIDL allow */
    uint32_t body_lines; /* TOP; POP3_LINES_ALL and above are cut to it */
};

/* Parse one line.
 *
 *   line       without its CRLF
 *   words_out  the command; not touched on failure
 *
 * ERR_LIMIT        the line is longer than POP3_LINE_MAX allows
 * ERR_UNSUPPORTED  no such verb
 * ERR_SYNTAX       arguments missing, too many, or not in the grammar; control bytes
 * ERR_RANGE        a message number of 0 or above POP3_NUMBER_MAX: no such message */
enum err pop3_line_parse(struct str line, struct pop3_words *words_out);

/* Name of a verb in capitals. Static lifetime. */
struct str pop3_verb_name(enum pop3_verb verb);

#endif
