/*
 * email.h - the e-mail channel: mailboxes, intake, threading, outbox, mail log.
 *
 * Owns mailbox, mailbox_folder, mailbox_seen, mail, mail_reference, suppression,
 * auto_mail_rate and email_lease.  Emits mail.quarantined, mail.sent,
 * mail.failed, mail.bounced, mailbox.created, mailbox.changed, mailbox.deleted,
 * mailbox.state, suppression.created and suppression.removed.
 *
 * Rules: shared design paper "E-mail: the rules", restated in README.md here.
 */
#ifndef CAIRN_EMAIL_H
#define CAIRN_EMAIL_H

#include "desk/tickets/tickets.h"
#include "platform/blob/blob.h"
#include "platform/crypto/crypto.h"
#include "platform/jobs/jobs.h"

extern const struct route_table email_routes, mail_log_routes;

struct email;
struct email_options {
    struct store *store;
    struct blobs *blobs;
    const struct secrets *secrets;
    const char *lmtp_listen;        /* NULL: no listener */
    const char *ca_file;            /* extra trust for tests; NULL: the system's */
    const char *public_url;         /* for links and the domain part of Message-IDs when a mailbox has none */
    bool run_intake;                /* a thread works off received mail; false: email_process (CLI, tests) */
    bool poll_mailboxes;            /* false: no IMAP/POP3 threads (CLI, tests) */
};
/* Registers the channel with tickets and the routes' state. */
enum err_code email_start(struct cx *cx, const struct email_options *options, struct email **ret) MUST_CHECK;
void email_stop(struct email **email);

/* Job kinds of the channel ("email.send"): for jobs_new.  Returns how many were written to ret (room for 4). */
size_t email_job_kinds(struct email *email, struct job_kind *ret);

struct email_arrival {
    struct str raw;
    struct str source;              /* "lmtp", "pipe", "imap", "pop3", "import" */
    struct str source_ref;
    int64_t mailbox_id;             /* 0: chosen by recipient, else the default mailbox, else none */
    struct str envelope_from;
    struct str recipient;           /* "" unknown */
    bool historic;                  /* import: no automatic mail, times from the Date header */
};
/* Stores the raw message durably, in a unit, before it is understood; the intake thread of the server does the rest, in order
 * of arrival.  cx->account_id must be set.  A redelivery becomes a row in state duplicate.  E_BUSY: keep it and try again. */
enum err_code email_receive(struct cx *cx, struct email *email, const struct email_arrival *arrival, int64_t *ret_mail_id) MUST_CHECK;
/* The account that has a mailbox of this address (tags and letter case ignored); 0: none. */
enum err_code email_account_of(struct cx *cx, struct email *email, struct str recipient, int64_t *ret) MUST_CHECK;
/* Runs intake for one mail now, in this thread: CLI, tests, "run again".  E_OK also when it ends in quarantine; E_CONFLICT when
 * it was processed already. */
enum err_code email_process(struct cx *cx, struct email *email, int64_t mail_id) MUST_CHECK;

struct email_import_progress { int64_t seen, stored, duplicates, quarantined, failed, bytes_done, bytes_all; };
/* "mbox", "maildir" or "eml" at path; repeatable: what is stored already is counted as duplicate. */
enum err_code email_import(struct cx *cx, struct email *email, struct str format, const char *path, struct str recipient, bool dry_run,
                           void (*progress)(const struct email_import_progress *p, void *arg), void *arg,
                           struct email_import_progress *ret) MUST_CHECK;

int email_lmtp_port(const struct email *email);
void email_metrics(struct email *email, struct buf *out);

#endif
