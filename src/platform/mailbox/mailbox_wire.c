/* mailbox_wire.c - connecting, waiting, counting. */
#include "platform/mailbox/mailbox_wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { MAX_DEPTH = 32, SLOWEST_BYTES_PER_SECOND = 4096 };

/* True when fd is ready before the moment; the eventfd stays readable, so an interruption ends every later wait too. */
static bool wait_until(struct wire *w, short events, int64_t until_us)
{
    for (;;) {
        int64_t left_us = until_us - clock_monotonic_us();
        struct pollfd p[] = { { .fd = w->fd, .events = events }, { .fd = w->wake_fd, .events = POLLIN } };
        int n = poll(p, 2, left_us <= 0 ? 0 : (int)MIN(left_us / US_PER_MS + 1, (int64_t)INT32_MAX));
        if (n < 0 && errno == EINTR)
            continue;
        if (p[1].revents)
            w->state = WIRE_INTERRUPTED;
        return n > 0 && !p[1].revents;
    }
}

bool mailbox_wire_ready(struct wire *w, short events)
{
    bool ready = w->state == WIRE_OPEN && wait_until(w, events, w->deadline_us);
    if (!ready && w->state == WIRE_OPEN)
        w->state = WIRE_TIMEOUT;
    return ready;
}

bool mailbox_wire_wait(struct wire *w, int64_t until_us)
{
    if (w->state != WIRE_OPEN)
        return false;
    return (w->tls && mailbox_tls_has_pending(w->tls)) || wait_until(w, POLLIN, until_us);
}

void mailbox_wire_begin(struct wire *w, size_t max_bytes)
{
    w->deadline_us = clock_monotonic_us() + w->timeout_us;
    w->budget_bytes = max_bytes;
}

static bool dial(struct wire *w, const struct addrinfo *a)
{
    static const int on = 1;
    int error = 0;
    socklen_t len = sizeof error;
    w->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->fd < 0)
        return false;
    if (connect(w->fd, a->ai_addr, a->ai_addrlen) != 0 && errno == EINPROGRESS && mailbox_wire_ready(w, POLLOUT) &&
        getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
        errno = error;
    else if (w->state == WIRE_TIMEOUT)
        errno = ETIMEDOUT;
    struct sockaddr_storage peer;
    len = sizeof peer;
    int why = errno;
    if (w->state != WIRE_INTERRUPTED && getpeername(w->fd, (struct sockaddr *)&peer, &len) == 0) {
        setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return true;
    }
    fd_close(&w->fd);
    errno = why;
    return false;
}

enum err_code mailbox_wire_open(struct cx *cx, struct wire *w, struct str host, int port, int64_t timeout_us)
{
    struct addrinfo *found = NULL, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    w->timeout_us = timeout_us;
    if (w->wake_fd < 0)
        return fail_busy(cx, "No descriptor is free: %m.");
    int e = getaddrinfo(arena_cstr(cx->arena, host), arena_printf(cx->arena, "%d", port).ptr, &hints, &found);
    enum err_code code = E_BUSY;
    if (e)
        fail_busy(cx, "The host %.*s was not found: %s.", STR_ARG(host), gai_strerror(e));
    for (const struct addrinfo *a = found; a && code != E_OK && w->state != WIRE_INTERRUPTED; a = a->ai_next) {
        mailbox_wire_begin(w, 0);
        w->state = WIRE_OPEN;
        code = dial(w, a) ? E_OK : fail_busy(cx, "No connection to %.*s port %d: %m.", STR_ARG(host), port);
    }
    if (found)
        freeaddrinfo(found);
    if (code != E_OK)
        cx->failure.field = "in_host";
    return code;
}

void mailbox_wire_interrupt(struct wire *w)
{
    static const uint64_t one = 1;
    fd_write_all(w->wake_fd, &one, sizeof one);
}

void mailbox_wire_close(struct wire *w)
{
    mailbox_tls_free(&w->tls);
    fd_close(&w->fd);
    fd_close(&w->wake_fd);
}

/* One byte outside a literal. */
static bool guard_byte(struct wire_guard *g, char c)
{
    if (c == '\n') {
        g->in_literal = g->braces_closed && g->literal > 0;
        if (!g->braces_closed)
            g->depth = 0;
        g->quoted = g->escaped = g->in_braces = g->braces_closed = false;
        return true;
    }
    if (c == '\r')
        return true;
    g->braces_closed = false;
    if (g->quoted) {
        g->quoted = g->escaped || c != '"';
        g->escaped = !g->escaped && c == '\\';
    } else if (g->in_braces && c >= '0' && c <= '9') {
        g->literal = g->literal * 10 + (uint64_t)(c - '0');
        return g->literal < UINT32_MAX;
    } else if (c == '}') {
        g->braces_closed = g->in_braces;
        g->in_braces = false;
    } else {
        g->in_braces = c == '{';
        g->literal = 0;
        g->quoted = c == '"';
        g->depth += c == '(';
        g->depth -= c == ')' && g->depth > 0;
    }
    return g->depth <= MAX_DEPTH;
}

static enum wire_state guard_run(struct wire_guard *g, const char *data, size_t n, size_t budget_bytes)
{
    for (size_t i = 0; i < n;) {
        if (g->in_literal) {
            size_t skip = (size_t)MIN(g->literal, (uint64_t)(n - i));
            g->literal -= skip;
            g->in_literal = g->literal > 0;
            i += skip;
            continue;
        }
        if (!guard_byte(g, data[i++]))
            return WIRE_NONSENSE;
        if (g->in_literal && g->literal > budget_bytes + (n - i))
            return WIRE_TOO_MUCH;
    }
    return WIRE_OPEN;
}

ssize_t mailbox_wire_read(struct wire *w, void *to, size_t n)
{
    for (;;) {
        short events = POLLIN;
        if (w->state != WIRE_OPEN)
            return -1;
        ssize_t got = w->tls ? mailbox_tls_read(w->tls, to, n, &events) : recv(w->fd, to, n, 0);
        if (got > 0) {
            size_t bytes = (size_t)got;
            if (bytes > w->budget_bytes) {
                w->state = WIRE_TOO_MUCH;
                return -1;
            }
            w->budget_bytes -= bytes;
            int64_t earned_us = (int64_t)bytes * US_PER_SECOND / SLOWEST_BYTES_PER_SECOND;
            w->deadline_us = MIN(clock_monotonic_us() + w->timeout_us, w->deadline_us + earned_us);
            if (w->guard.on)
                w->state = guard_run(&w->guard, to, bytes, w->budget_bytes);
            return w->state == WIRE_OPEN ? got : -1;
        }
        bool again = w->tls ? got == 0 : got < 0 && (errno == EAGAIN || errno == EINTR);
        if (!again)
            w->state = WIRE_CLOSED;
        else
            mailbox_wire_ready(w, events);
    }
}

bool mailbox_wire_write(struct wire *w, const void *data, size_t n)
{
    for (size_t done = 0; done < n;) {
        const char *from = (const char *)data + done;
        short events = POLLOUT;
        if (w->state != WIRE_OPEN)
            return false;
        ssize_t put = w->tls ? mailbox_tls_write(w->tls, from, n - done, &events) : send(w->fd, from, n - done, MSG_NOSIGNAL);
        bool again = w->tls ? put == 0 : put < 0 && (errno == EAGAIN || errno == EINTR);
        if (put > 0)
            done += (size_t)put;
        else if (!again)
            w->state = WIRE_CLOSED;
        else
            mailbox_wire_ready(w, events);
    }
    return true;
}

enum err_code mailbox_wire_failure(struct cx *cx, const struct wire *w)
{
    switch (w->state) {
    case WIRE_CLOSED:
        return fail_busy(cx, "The mail server closed the connection.");
    case WIRE_TIMEOUT:
        return fail_busy(cx, "The mail server did not answer in time.");
    case WIRE_INTERRUPTED:
        return fail_busy(cx, "The wait was interrupted.");
    case WIRE_TOO_MUCH:
        return fail_busy(cx, "The mail server sent more than was asked for.");
    default:
        return fail_busy(cx, "The mail server's answer could not be understood.");
    }
}
