/* Printing answers: tables for people, JSON for programs. */
#ifndef TOOL_PRINT_H
#define TOOL_PRINT_H

#include "door/verbs.h"

/* What an answer is made of. JSON is one object with a list "rows", a "text", or bytes as "base64",
 * and, where there is one, a "message" or an "error". */
enum printer_kind { PRINT_ROWS, PRINT_TEXT, PRINT_BYTES };

struct printer {
    bool json;
    enum printer_kind kind;
    bool begun;  /* the JSON value is open, or the table's head is out */
    bool closed; /* the JSON object is over */
    size_t rows;
    char odd[3]; /* bytes that wait for their base64 group to be whole */
    size_t odd_count;
};

void printer_begin(struct printer *p, bool json);
void printer_begin_as(struct printer *p, bool json, enum printer_kind kind);
void printer_page(struct printer *p, const struct admin_rep *rep);
/* The next piece of a text (cut between characters) or of bytes: as they are, or in JSON. */
void printer_data(struct printer *p, struct str bytes);
/* A sentence; a failure goes to standard error. */
void printer_message(struct printer *p, struct str text, bool failure);
void printer_end(struct printer *p);

/* To standard error, as it is. */
void printer_error(struct str text);

#endif
