/* SASL mechanisms as they are offered: which of the configured ones fit a connection. */
#ifndef MODEL_MECHANISM_H
#define MODEL_MECHANISM_H

#include "model/config.h"

/* Append the names, best first, each with a space before it.
 *   tls      the connection is encrypted: mechanisms bound to it are possible
 *   private  nobody else can listen: under TLS, or on loopback where that is permitted. Nothing is
 *            offered otherwise: what does not show the password still shows the mail, and lets a
 *            listener try passwords at home. */
void mechanisms_put(struct buf *b, const struct config *c, bool tls, bool private);

#endif
