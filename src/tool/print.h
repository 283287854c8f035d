/* Printing answers: tables for people, JSON for programs. */
#ifndef TOOL_PRINT_H
#define TOOL_PRINT_H

#include "door/verbs.h"

struct printer {
    bool json;
    bool begun; /* the JSON list is open, or the table's head is out */
    size_t rows;
};

/* JSON is one object with a list "rows" and, where there is one, a "message". */
void printer_begin(struct printer *p, bool json);
void printer_page(struct printer *p, const struct admin_rep *rep);
/* A sentence; a failure goes to standard error. */
void printer_message(struct printer *p, struct str text, bool failure);
void printer_end(struct printer *p);

/* To standard error, as it is. */
void print_error(struct str text);

#endif
