/*
 * cli.h - the command line, and the control socket by which commands reach a
 * running server.
 *
 * Exactly one process works in a data folder at a time: it holds a lock on
 * DIR/cairn.lock.  A command takes the lock and works there itself, or, when
 * a server holds it, asks that server through DIR/cairn.sock (mode 0600).
 * Both ways run the same struct operation.
 */
#ifndef CAIRN_CLI_H
#define CAIRN_CLI_H

#include "channels/email/email.h"
#include "desk/search/search.h"
#include "platform/config/config.h"

/* An opened data folder. */
struct installation {
    const struct config *config;
    int lock_fd;
    struct store *store;
    struct blobs *blobs;
    struct secrets *secrets;
    struct search *search;
    struct email *email;
};

enum installation_use {
    USE_EXISTING,       /* fails when there is none */
    USE_OR_CREATE,
    USE_UNCHANGED,      /* as USE_EXISTING, but runs no migration and starts no channel: check */
    USE_SERVE,          /* as USE_OR_CREATE, with mailbox threads and the LMTP listener */
};

/* Takes the lock, waiting up to wait_us for it (E_CONFLICT: another process works there), opens and migrates. */
enum err_code installation_open(struct cx *cx, const struct config *config, enum installation_use use, int64_t wait_us,
                                struct installation *ret) MUST_CHECK;
/* Accepts one that was opened halfway. */
void installation_close(struct installation *in);

/* No account yet? */
enum err_code installation_is_empty(struct cx *cx, struct installation *in, bool *ret) MUST_CHECK;
/* For /readyz: can the database be read?  False with the reason. */
bool installation_ready(struct installation *in, struct arena *arena, struct str *ret_reason);
/* For /metrics: store, jobs, search and e-mail. */
void installation_metrics(struct installation *in, struct buf *out);

/* Answers the control socket until stopped. */
struct control;
enum err_code control_start(struct cx *cx, struct installation *in, struct control **ret) MUST_CHECK;
/* False when an operation still runs after grace_us: then its thread still uses the installation.  Accepts NULL. */
bool control_stop(struct control **control, int64_t grace_us);

/* Runs the server until it is told to stop; `serve` is the wiring in main.c. */
typedef enum err_code serve_fn(struct cx *cx, struct installation *in);

/* The whole program; gives the exit status. */
int cli_main(int argc, char **argv, serve_fn *serve);

#endif
