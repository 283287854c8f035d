/* postrider tls selfsigned NAME... FOLDER: a certificate for a demonstration or a test. */
#ifndef TOOL_TLS_H
#define TOOL_TLS_H

/* `argv[0]` is "tls". Writes ca.pem, cert.pem and key.pem (0600) into FOLDER, which is made when it
 * is missing; files that are there already stay unless --force is given. Exit code: 0 done, 1 not
 * done, 2 usage. */
int tool_tls(int argc, char **argv);

#endif
