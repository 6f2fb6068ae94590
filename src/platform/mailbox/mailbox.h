/*
 * mailbox.h - fetching mail from IMAP and POP3 servers (libetpan).
 *
 * Blocking calls for a thread of their own; every wait has a deadline, and
 * mailbox_interrupt() from another thread ends it.  Certificates and host names are
 * verified; there is no switch to turn that off except a CA file for tests.
 */
#ifndef CAIRN_MAILBOX_H
#define CAIRN_MAILBOX_H

#include "base/base.h"

enum mailbox_kind { MAILBOX_IMAP, MAILBOX_POP3 };
enum mailbox_security { MAILBOX_TLS, MAILBOX_STARTTLS, MAILBOX_PLAIN };

struct mailbox_server {
    enum mailbox_kind kind;
    enum mailbox_security security;
    struct str host, user;
    int port;
    struct str password;        /* or */
    struct str access_token;    /* XOAUTH2 when not empty */
    const char *ca_file;        /* NULL: the system's */
    int64_t timeout_us;         /* of each answer; 0: 30 s */
};

struct mailbox_session;
/* Connects, secures, signs in.  E_UNAUTHENTICATED: refused credentials; E_BUSY: network; E_INVALID at "in_host",
 * "in_security" …: wrong settings (certificate, TLS not offered).  The message is readable by an admin. */
enum err_code mailbox_open(struct cx *cx, const struct mailbox_server *server, struct mailbox_session **ret) MUST_CHECK;
void mailbox_close(struct mailbox_session **session);
/* Thread-safe: makes a waiting call of the session return E_BUSY at once. */
void mailbox_interrupt(struct mailbox_session *session);

struct mailbox_folder_status {
    uint32_t uid_validity, uid_next, exists;
    uint64_t mod_seq;           /* 0: no CONDSTORE */
    bool can_idle;
};
enum err_code mailbox_select(struct cx *cx, struct mailbox_session *session, struct str folder,
                             struct mailbox_folder_status *ret) MUST_CHECK;
/* UIDs in [from, to], ascending; to 0: the end. */
enum err_code mailbox_uids(struct cx *cx, struct mailbox_session *session, uint32_t from, uint32_t to,
                           uint32_t **ret, size_t *ret_n) MUST_CHECK;
/* UIDs whose internal date is on or after the day of since_us (IMAP SEARCH SINCE). */
enum err_code mailbox_uids_since(struct cx *cx, struct mailbox_session *session, int64_t since_us, uint32_t **ret, size_t *ret_n) MUST_CHECK;
/* The raw message, without setting \Seen.  E_NOT_FOUND when it is gone; E_LIMIT when larger. */
enum err_code mailbox_fetch(struct cx *cx, struct mailbox_session *session, uint32_t uid, size_t max_bytes, struct str *ret) MUST_CHECK;
/* Waits for news: IDLE (re-issued as RFC 2177 asks) or, without it, NOOP polling.  *ret_news false at the deadline. */
enum err_code mailbox_idle(struct cx *cx, struct mailbox_session *session, int64_t wait_us, bool *ret_news) MUST_CHECK;

/* POP3: all messages with their unique ids; fetch by number; nothing is deleted on the server. */
struct mailbox_pop3_item { uint32_t number; struct str uidl; int64_t size_bytes; };
enum err_code mailbox_pop3_list(struct cx *cx, struct mailbox_session *session, struct mailbox_pop3_item **ret, size_t *ret_n) MUST_CHECK;
enum err_code mailbox_pop3_fetch(struct cx *cx, struct mailbox_session *session, uint32_t number, size_t max_bytes, struct str *ret) MUST_CHECK;

#endif
