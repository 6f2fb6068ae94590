/*
 * mailbox_wire.h - one connection to a mail server: deadlines, limits, TLS, interruption.
 *
 * Everything that libetpan's own streams lack is here, once, for IMAP and
 * POP3: each command gets a time and a number of bytes, the peer's certificate
 * and name are verified, and another thread can end a wait.
 */
#ifndef CAIRN_MAILBOX_WIRE_H
#define CAIRN_MAILBOX_WIRE_H

#include <sys/types.h>

#include "platform/mailbox/mailbox.h"

enum wire_state {
    WIRE_OPEN,
    WIRE_CLOSED,        /* by the peer, or reset */
    WIRE_TIMEOUT,
    WIRE_INTERRUPTED,
    WIRE_TOO_MUCH,      /* more bytes than the command may bring */
    WIRE_NONSENSE,      /* nothing that a sane server sends */
};

/* Follows IMAP's lines and literals, to refuse what would make a parser allocate or recurse without bound. */
struct wire_guard {
    bool on, quoted, escaped, in_braces, braces_closed;
    unsigned depth;
    uint64_t literal;       /* the number in the braces, then the bytes still to come */
    bool in_literal;
};

struct wire {
    int fd, wake_fd;
    enum wire_state state;              /* once not WIRE_OPEN, nothing is read or written any more */
    struct tls *tls;
    int64_t timeout_us, deadline_us;
    size_t budget_bytes;
    struct wire_guard guard;
};

/* Connects; E_BUSY when nobody answers in time. */
enum err_code mailbox_wire_open(struct cx *cx, struct wire *w, struct str host, int port, int64_t timeout_us) MUST_CHECK;
/* TLS from here on.  E_INVALID at "in_host" when the certificate is not valid for this host. */
enum err_code mailbox_wire_secure(struct cx *cx, struct wire *w, struct str host, const char *ca_file) MUST_CHECK;
void mailbox_wire_close(struct wire *w);
/* Thread-safe. */
void mailbox_wire_interrupt(struct wire *w);

/* A new command: its answer may take the time-out (longer while bytes flow steadily) and bring max_bytes. */
void mailbox_wire_begin(struct wire *w, size_t max_bytes);
/* Bytes, at least one, or -1 with w->state set. */
ssize_t mailbox_wire_read(struct wire *w, void *to, size_t n);
bool mailbox_wire_write(struct wire *w, const void *data, size_t n);
/* Waits for bytes until the moment; false at the moment or when the connection ended (state). */
bool mailbox_wire_wait(struct wire *w, int64_t until_us);
/* E_BUSY with the reason why the connection ended. */
enum err_code mailbox_wire_failure(struct cx *cx, const struct wire *w) MUST_CHECK;

/* mailbox_tls.c: bytes, 0 to wait for `events` (poll), -1 when it ended. */
struct tls;
ssize_t mailbox_tls_read(struct tls *tls, void *to, size_t n, short *ret_events);
ssize_t mailbox_tls_write(struct tls *tls, const void *data, size_t n, short *ret_events);
bool mailbox_tls_has_pending(const struct tls *tls);
void mailbox_tls_free(struct tls **tls);
/* Waits until fd is ready, not longer than w->deadline_us; sets the state. */
bool mailbox_wire_ready(struct wire *w, short events);

#endif
