/*
 * email_internal.h - what the files of the e-mail channel share.
 */
#ifndef CAIRN_EMAIL_INTERNAL_H
#define CAIRN_EMAIL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "channels/email/email.h"
#include "email_sql.h"
#include "platform/json/json.h"
#include "platform/lmtp/lmtp.h"
#include "platform/mail/mail.h"
#include "platform/mailbox/mailbox.h"
#include "platform/outbound/outbound.h"
#include "platform/text/text.h"

enum {
    EMAIL_BATCH = 32,                       /* mails of one intake unit */
    EMAIL_MAX_BYTES = 50 * 1024 * 1024,     /* of one mail */
    EMAIL_MAX_ATTEMPTS = 3,                 /* of an intake that ended the process */
    EMAIL_REFERENCES_MAX = 50,              /* newest ones looked at */
};

struct email_counters {
    atomic_int_fast64_t received, stored, duplicates, swallowed, quarantined, sent, failed, unknown, bounced, retried;
};

struct email {
    struct store *store;
    struct blobs *blobs;
    const struct secrets *secrets;
    char *ca_file, *public_url;             /* NULL: none */
    char owner[33];                         /* of leases: this process */
    char token_key[32];
    struct lmtp *lmtp;
    struct email_counters counters;
    pthread_mutex_t oauth_lock;             /* one token refresh at a time */
    struct followers *followers;            /* NULL: mailboxes are not followed here */
    struct {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t news;
        bool runs, stop, woken;
        bool recovered;                     /* the outbox was looked through; the thread's own */
    } intake;
};

/* The running channel, for route handlers; set by email_start. */
struct email *email_running(void);

/* An event of the channel; data "" is {}. */
enum err_code email_emit(struct cx *cx, struct db *db, struct str type, int64_t ticket_id, int64_t subject_id, struct str data) MUST_CHECK;
/* {"name": "text"} */
struct str email_note(struct arena *arena, const char *name, struct str text);

/* ---- email_token.c ---- */

struct email_token { int64_t ticket_id, contact_id; };
/* HMAC over account, ticket and recipient; letters, digits and '-' only, in lower case, so that it survives any mail system. */
struct str email_token_make(struct arena *arena, const struct email *email, int64_t account_id, struct email_token token);
bool email_token_read(struct arena *arena, const struct email *email, int64_t account_id, struct str text, struct email_token *ret);
/* "cairn.TOKEN.MAIL@domain", without angle brackets. */
struct str email_message_id_make(struct arena *arena, const struct email *email, int64_t account_id, struct email_token token,
                                 int64_t mail_id, struct str domain);
bool email_message_id_read(struct arena *arena, const struct email *email, int64_t account_id, struct str message_id,
                           struct email_token *ret);
/* The local part's tag: "support+t.TOKEN@…". */
bool email_plus_read(struct arena *arena, const struct email *email, int64_t account_id, struct str address, struct email_token *ret);
struct str email_plus_make(struct arena *arena, struct str address, struct str token);
/* The address without its "+tag". */
struct str email_without_tag(struct arena *arena, struct str address);
/* Text that hides in the HTML of our mails and comes back in quotes. */
struct str email_marker_make(struct arena *arena, struct str token);
bool email_marker_find(struct arena *arena, const struct email *email, int64_t account_id, struct str body, struct email_token *ret);
struct str email_marker_strip(struct arena *arena, struct str body);
/* Each Message-ID of ours in free text, one after the other (bounces); *at starts at 0. */
bool email_message_id_scan(struct arena *arena, const struct email *email, int64_t account_id, struct str text, size_t *at,
                           struct str *ret_message_id);

/* ---- email_receive.c ---- */

/* Inside a unit: blob and row. */
enum err_code email_receive_in(struct cx *cx, struct db *db, struct email *email, const struct email_arrival *arrival,
                               int64_t *ret_mail_id) MUST_CHECK;
/* Inside a unit: a row for a mail that could not be taken over (too large); nothing is stored but the fact. */
enum err_code email_receive_refused(struct cx *cx, struct db *db, const struct email_arrival *arrival, int64_t size_bytes,
                                    struct str detail) MUST_CHECK;
/* The account and mailbox of a recipient, tags and letter case ignored; *ret_found false when nobody here has it. */
enum err_code email_find_recipient(struct cx *cx, struct db *db, struct str address, struct em_mailbox_key *ret, bool *ret_found) MUST_CHECK;
enum err_code email_lmtp_begin(struct cx *cx, struct email *email, const char *listen) MUST_CHECK;

/* ---- email_intake.c, email_read.c, email_store.c ---- */

/* A mail that was read and understood, before it is stored. */
struct intake {
    struct em_mail row;
    struct str raw;
    struct mail mail;
    struct em_mailbox mailbox;              /* id 0: none */
    bool ready;                             /* false: `code` and `why_not` say why it cannot be read */
    enum err_code code;
    struct str why_not;

    enum mail_verdict verdict;
    struct str why;                         /* evidence of the verdict */
    bool automatic;                         /* a machine wrote it */
    struct mail_auth_results auth;
    bool auth_failed, auth_passed;          /* as the trusted host says */
    bool historic;
    int64_t at_us;                          /* when it was received; historic: its date */
    struct str message_id, content_hash;
    struct mail_address sender;             /* who wrote it: From, or Reply-To of a form that sends as ourselves */
    struct str sender_folded;
    struct str recipients;                  /* JSON list of folded addresses: envelope and header */
    struct str addresses;                   /* JSON object for message.addresses */
    struct str text, html, quoted_text, quoted_html;
    struct new_attachment *attachments;
    size_t nattachments;
    struct blob_writer **writers;           /* of large attachments; NULL where the part goes into the table */
    bool is_bounce;
    struct mail_bounce bounce;
    bool is_forward;                        /* an inner mail was found: */
    struct mail_address forwarded_from;
    struct str forwarded_subject;
};

/* Reads and parses one mail; never fails for what the mail holds (see intake.ready).  E_NOT_FOUND: no such row; E_BUSY. */
enum err_code email_read(struct cx *cx, struct email *email, int64_t mail_id, struct intake *ret) MUST_CHECK;
void email_read_done(struct intake *in);
/* Inside a unit: everything that follows from the mail, and the end of its row, at once.  `was`: "received" or "quarantined";
 * *ret_state: what it became. */
enum err_code email_store(struct cx *cx, struct db *db, struct email *email, const struct intake *in, struct str was,
                          const char **ret_state) MUST_CHECK;
/* The intake thread has something to do. */
void email_intake_wake(struct email *email);
/* The oldest mails that wait in cx->account_id, one batch in order of arrival.  *ret_did: how many; 0: none waits. */
enum err_code email_process_waiting(struct cx *cx, struct email *email, size_t *ret_did) MUST_CHECK;
void email_intake_start(struct email *email);
void email_intake_stop(struct email *email);
/* True: this process holds the lease until now + duration.  On SQLite there is one process that follows. */
enum err_code email_lease_take(struct cx *cx, struct email *email, struct str key, int64_t duration_us, bool *ret) MUST_CHECK;

/* ---- email_threading.c ---- */

struct evidence {
    const char *kind;       /* token, references, thread_index, subject_number, same_subject, authentication, verdict … */
    struct str text;
    int score;              /* 0-100; of 50 and more it joins */
    int64_t ticket_id;      /* 0: none */
};
struct evidence_list { struct evidence items[24]; size_t n; };
void evidence_add(struct evidence_list *list, const char *kind, int score, int64_t ticket_id, struct str text);
struct str evidence_json(struct arena *arena, struct evidence_list *list);

struct email_join {
    int64_t ticket_id;      /* 0: none: a new ticket */
    const char *rule;
    int score;
    int64_t seen_mail;      /* our own mail that this one proves delivered: its Message-ID came back; 0 none */
    struct evidence_list evidence;
};
/* contact_id: of the sender, 0 unknown. */
enum err_code email_find_ticket(struct cx *cx, struct db *db, const struct email *email, const struct intake *in, int64_t contact_id,
                                struct email_join *ret) MUST_CHECK;
/* After the message is stored: by what later mail finds it. */
enum err_code email_remember(struct cx *cx, struct db *db, const struct intake *in, int64_t ticket_id, int64_t message_id) MUST_CHECK;
/* A closed ticket got a follow-up: later mail to the closed one goes there. */
enum err_code email_remember_follow_up(struct cx *cx, struct db *db, int64_t closed_id, int64_t follow_up_id) MUST_CHECK;

/* ---- email_bounce.c ---- */

/* Marks the outgoing mail that the report is about; *ret_ticket 0 when it is about none of ours. */
enum err_code email_bounce_apply(struct cx *cx, struct db *db, struct email *email, const struct intake *in,
                                 struct evidence_list *evidence, int64_t *ret_ticket) MUST_CHECK;
/* An outgoing mail of unknown fate came back to us or was answered: it was delivered. */
enum err_code email_prove_delivered(struct cx *cx, struct db *db, const struct em_sent *sent, struct str how) MUST_CHECK;

/* ---- email_rules.c ---- */

/* True with the entry when mail to the address is held back now. */
bool email_suppressed(struct cx *cx, struct db *db, struct str folded, struct em_suppression *ret);
enum err_code email_suppress_hard(struct cx *cx, struct db *db, struct str folded, struct str reason, struct str detail,
                                  int64_t mail_id) MUST_CHECK;
enum err_code email_suppress_soft(struct cx *cx, struct db *db, struct str folded, struct str detail, int64_t mail_id) MUST_CHECK;
/* Counts one automatic mail; E_RATE when the address, the ticket or the account had its share of this hour. */
enum err_code email_rate_take(struct cx *cx, struct db *db, struct str folded, int64_t ticket_id) MUST_CHECK;
/* May a machine answer this mail?  Never another machine, a list, a stranger's null path. */
bool email_may_answer(struct str verdict);
/* Headers of automatic mail (RFC 3834). */
size_t email_auto_headers(struct mail_header *ret /* room for 4 */, bool reply);

/* ---- email_recipients.c, email_outbox.c, email_compose.c ---- */

enum err_code email_prepare(struct cx *cx, struct db *db, struct reply_request *request, void *arg) MUST_CHECK;
enum err_code email_enqueue(struct cx *cx, struct db *db, const struct reply_request *request, int64_t message_id, void *arg) MUST_CHECK;
/* Without writing: the shared part of both. */
enum err_code email_preview(struct cx *cx, struct db *db, const struct reply_request *request, struct reply_plan *ret, void *arg) MUST_CHECK;
enum err_code email_resend(struct cx *cx, struct db *db, int64_t message_id, void *arg) MUST_CHECK;
enum err_code email_cancel(struct cx *cx, struct db *db, int64_t message_id, bool *ret_cancelled, void *arg) MUST_CHECK;
enum err_code email_outbox_run(struct cx *cx, struct store *store, const struct job *job, void *arg) MUST_CHECK;
/* Gives every mail of cx->account_id that is to leave and has no living job a new one. */
enum err_code email_outbox_recover(struct cx *cx, struct email *email) MUST_CHECK;
/* The mailbox by which a ticket's mail leaves; E_INVALID when none can send. */
enum err_code email_sending_mailbox(struct cx *cx, struct db *db, int64_t mailbox_id, struct em_mailbox *ret) MUST_CHECK;

struct outgoing {
    struct str raw;
    struct str envelope_from;
    struct str *recipients;                 /* envelope: to, cc and bcc */
    size_t nrecipients;
    struct str withheld;                    /* readable: recipients that are suppressed */
    struct em_mailbox mailbox;
    struct em_mail row;
};
/* Inside a read, with `row`: the mail as it will leave; unsigned unless it was tried before. */
enum err_code email_compose(struct cx *cx, struct db *db, const struct email *email, struct outgoing *out) MUST_CHECK;

/* An address list from message.addresses: "to", "cc", "bcc", "from", "reply_to". */
struct mail_addresses email_addresses_read(struct cx *cx, struct str addresses, const char *member);

/* ---- email_oauth.c ---- */

/* Credentials of a mailbox, unsealed, tokens refreshed (network: outside any unit).  `fresh`: refresh in any case. */
enum err_code email_incoming_server(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, bool fresh,
                                    struct mailbox_server *ret) MUST_CHECK;
enum err_code email_outgoing_server(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, bool fresh,
                                    struct smtp_server *ret) MUST_CHECK;
struct oauth_settings {
    struct str token_url, client_id, client_secret, refresh_token, access_token;
    int64_t expires_us;
};
enum err_code email_oauth_read(struct cx *cx, const struct email *email, struct str sealed, struct oauth_settings *ret) MUST_CHECK;
struct str email_oauth_seal(struct arena *arena, const struct email *email, const struct oauth_settings *settings);

/* ---- email_fetch.c, email_mailbox.c ---- */

/* In a session: up to a batch of what is new, else of what is to be filled in.  *ret_more: call again at once. */
enum err_code email_fetch_round(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, struct mailbox_session *session,
                                size_t *ret_stored, bool *ret_more) MUST_CHECK;
enum err_code email_mailbox_load(struct cx *cx, struct email *email, int64_t id, struct em_mailbox *ret) MUST_CHECK;

struct followers *followers_start(struct email *email);
void followers_stop(struct followers **followers);
/* One round of one mailbox in this thread, without waiting for news: tests.  *ret_stored counts mails. */
enum err_code email_follow_once(struct cx *cx, struct email *email, int64_t mailbox_id, size_t *ret_stored) MUST_CHECK;

#endif
