/* SASL mechanisms as they are offered: which of the configured ones fit a connection. */
#ifndef MODEL_MECHANISM_H
#define MODEL_MECHANISM_H

#include "model/config.h"

/* Append the names, best first, each with a space before it.
 *   tls      the connection is encrypted: mechanisms bound to it are possible
 *   may_show a password may be shown to whoever listens on the line */
void mechanisms_put(struct buf *b, const struct config *c, bool tls, bool may_show);

#endif
