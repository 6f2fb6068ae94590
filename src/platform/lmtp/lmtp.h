/*
 * lmtp.h - an LMTP listener (RFC 2033) for mail servers on this machine or network.
 *
 * Serves TCP or a Unix socket.  Each recipient gets its own answer after DATA.
 * Limits: line length, recipients, message size, connections, idle time.
 */
#ifndef CAIRN_LMTP_H
#define CAIRN_LMTP_H

#include "base/base.h"

struct lmtp_recipient {
    struct str address;
    int64_t account_id, target_id;  /* whatever the recipient function finds: it need not be looked up again */
};

struct lmtp_mail {
    struct str envelope_from;       /* "" = null path */
    struct lmtp_recipient recipient;
    struct str raw;                 /* as received, CR LF, dot-unstuffed */
    struct str client;              /* address of the peer */
};

struct lmtp_options {
    const char *listen;             /* "127.0.0.1:2424", "[::1]:2424" or "/path/to/socket" */
    size_t max_message_bytes;       /* 0: 50 MiB */
    unsigned max_connections;       /* 0: 64 */
    int64_t idle_us;                /* 0: 5 minutes */
    /* RCPT TO: E_OK accepts, E_NOT_FOUND answers 550, anything else 451.  What it sets is handed to deliver. */
    enum err_code (*recipient)(struct cx *cx, struct str address, void *arg, struct lmtp_recipient *ret);
    /* After DATA, once per recipient; several mails of one transaction come together.  E_OK only when durable (250);
     * E_LIMIT and E_INVALID answer 5xx, anything else 451: the sender keeps it. */
    enum err_code (*deliver)(struct cx *cx, const struct lmtp_mail *mail, void *arg);
    void *arg;
};

/*
 * Serves one connected socket in the calling thread until the peer leaves or stop_fd (-1: none) becomes
 * readable; the socket stays the caller's.  lmtp_start() does this for every connection.
 */
void lmtp_serve(const struct lmtp_options *options, int fd, int stop_fd, struct str client);

struct lmtp;
/* E_INVALID at "listen" when the address cannot be used.  A Unix socket is open to every local user that may
 * enter its folder (as a TCP port would be); a stale one is replaced. */
enum err_code lmtp_start(struct cx *cx, const struct lmtp_options *options, struct lmtp **ret) MUST_CHECK;
int lmtp_port(const struct lmtp *lmtp);     /* 0 for a Unix socket */
/* Lets running transactions end (senders that stall get 10 seconds).  Accepts NULL. */
void lmtp_stop(struct lmtp **lmtp);

#endif
