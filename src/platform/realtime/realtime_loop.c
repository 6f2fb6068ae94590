/* realtime_loop.c - sockets: queues, writing, pings, closing. */
#include "platform/realtime/realtime_internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OP_CLOSE = 8, OP_PING = 9, WRITE_PIECES = 32 };

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    if (write(loop->wake, &one, sizeof one) < 0) {
        /* The counter is full: it is awake anyway. */
    }
}

/* ---- the queue ---- */

static void queue_clear(struct conn *c, bool keep_begun)
{
    size_t keep = keep_begun && c->offset ? 1 : 0;
    while (c->n > keep) {
        struct frame *f = c->queue[c->first + --c->n];
        c->queued_bytes -= f->len;
        frame_drop(f);
    }
}

static void queue_add(struct conn *c, struct frame *frame)
{
    if (c->first + c->n == c->cap) {
        if (c->first) {
            memmove(c->queue, c->queue + c->first, c->n * sizeof(struct frame *));
            c->first = 0;
        }
        if (c->n == c->cap) {
            c->cap = c->cap ? 2 * c->cap : 8;
            c->queue = heap_grow(c->queue, c->cap * sizeof(struct frame *));
        }
    }
    c->queue[c->first + c->n++] = frame;
    c->queued_bytes += frame->len;
}

void conn_send(struct conn *c, struct frame *frame)
{
    if (c->close_code) {
        frame_drop(frame);
        return;
    }
    queue_add(c, frame);
    if (c->n > QUEUE_FRAMES || c->queued_bytes > QUEUE_BYTES) {
        __atomic_add_fetch(&c->rt->slow_closed, 1, __ATOMIC_RELAXED);
        conn_close(c, 4008, "too slow; come again with after");
    }
}

void conn_close(struct conn *c, int code, const char *reason)
{
    if (c->close_code)
        return;
    unsigned char payload[CONTROL_BYTES] = { (unsigned char)(code >> 8), (unsigned char)code };
    size_t len = strlen(reason);
    memcpy(payload + 2, reason, len);
    queue_clear(c, true);
    queue_add(c, frame_new(OP_CLOSE, (struct str){ (const char *)payload, 2 + len }));
    c->close_code = code;
    c->close_by_us = clock_monotonic_us() + c->rt->close_us;
}

static void watch_writing(struct conn *c, bool writing)
{
    if (writing == c->writing)
        return;
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = c };
    epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->fd, &e);
    c->writing = writing;
}

static void queue_sent(struct conn *c, size_t sent)
{
    while (c->n) {
        struct frame *f = c->queue[c->first];
        size_t left = f->len - c->offset;
        if (sent < left)
            break;
        sent -= left;
        c->offset = 0;
        c->queued_bytes -= f->len;
        c->first++;
        c->n--;
        frame_drop(f);
        __atomic_add_fetch(&c->rt->frames_sent, 1, __ATOMIC_RELAXED);
    }
    c->offset += sent;
    if (!c->n) {
        heap_free(c->queue);
        c->queue = NULL;
        c->first = c->cap = 0;
    }
}

/* False when the connection is over. */
static bool flush(struct conn *c)
{
    while (c->n) {
        struct iovec pieces[WRITE_PIECES];
        size_t n = MIN(c->n, (size_t)WRITE_PIECES);
        for (size_t i = 0; i < n; i++) {
            struct frame *f = c->queue[c->first + i];
            size_t skip = i ? 0 : c->offset;
            pieces[i] = (struct iovec){ f->bytes + skip, f->len - skip };
        }
        struct msghdr message = { .msg_iov = pieces, .msg_iovlen = n };
        ssize_t sent = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0)
            break;
        queue_sent(c, (size_t)sent);
    }
    watch_writing(c, c->n > 0);
    if (!c->n && c->close_code)
        shutdown(c->fd, SHUT_WR);
    return c->n || !c->close_code || !c->peer_closed;
}

/* ---- life of a connection ---- */

static void end(struct conn *c)
{
    struct loop *loop = c->loop;
    if (c->fd >= 0) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, c->fd, NULL);
        fd_close(&c->fd);
        if (c->closed)
            c->closed(c->closed_arg);
    }
    if (c->with_feeder) {
        c->doomed = true;
        return;
    }
    if (c->prev)
        c->prev->next = c->next;
    else
        loop->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    conn_free(c);
}

static bool is_served(const struct conn *c)
{
    return c->fd >= 0 && c->greeted && !c->with_feeder && !c->close_code;
}

/* Whatever can be done now: new events, the next batch of a replay, bytes out. */
static void advance(struct conn *c)
{
    bool again = true;
    while (again && c->fd >= 0) {
        if (!c->n)
            c->replaying = false;
        if (is_served(c) && c->live && !c->replaying)
            c->live = feed_pump(c);
        if (is_served(c) && !c->live && !c->n)
            feeder_take(c->rt, c);
        size_t before = c->n;
        if (!flush(c)) {
            end(c);
            return;
        }
        again = before && !c->n && is_served(c) && (c->replaying || !c->live);
    }
}

static void welcome(struct loop *loop, struct conn *c)
{
    c->next = loop->conns;
    c->prev = NULL;
    if (c->next)
        c->next->prev = c;
    loop->conns = c;
    c->heard_us = c->pinged_us = clock_monotonic_us();
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, c->fd, &e);
    if (c->doomed)
        conn_close(c, 4409, "too many connections of this user");
    c->doomed = false;
    if (!c->close_code)
        feeder_take(loop->rt, c);
    bool over = c->early_len && !conn_receive(c);
    if (over || !flush(c))
        end(c);
}

static void take_back(struct conn *c)
{
    c->with_feeder = false;
    if (c->doomed) {
        end(c);
        return;
    }
    c->greeted = true;
    for (size_t i = 0; i < c->nincoming; i++) {
        if (c->close_code)
            frame_drop(c->incoming[i]);
        else
            queue_add(c, c->incoming[i]);
    }
    c->replaying = c->nincoming > 0;
    heap_free(c->incoming);
    c->incoming = NULL;
    c->nincoming = 0;
    if (c->failed)
        conn_close(c, 1011, "the database is away; come again with after");
    advance(c);
}

static void read_inbox(struct loop *loop)
{
    uint64_t unused;
    if (read(loop->wake, &unused, sizeof unused) < 0) {
        /* woken twice */
    }
    pthread_mutex_lock(&loop->lock);
    struct conn *added = loop->added, *returned = loop->returned;
    struct disconnect *disconnects = loop->disconnects;
    bool dirty = loop->dirty;
    loop->added = loop->returned = NULL;
    loop->disconnects = NULL;
    loop->dirty = false;
    pthread_mutex_unlock(&loop->lock);
    for (struct conn *c = added, *next; c; c = next) {
        next = c->next_in_inbox;
        welcome(loop, c);
    }
    for (struct conn *c = returned, *next; c; c = next) {
        next = c->next_in_inbox;
        take_back(c);
    }
    for (struct disconnect *d = disconnects, *next; d; d = next) {
        next = d->next;
        for (struct conn *c = loop->conns; c; c = c->next)
            if (c->fd >= 0 && c->user.account_id == d->account_id && c->user.user_id == d->user_id)
                conn_close(c, 4401, "signed out");
        heap_free(d);
        dirty = true;
    }
    for (struct conn *c = dirty ? loop->conns : NULL, *next; c; c = next) {
        next = c->next;
        advance(c);
    }
}

static void tick(struct loop *loop)
{
    int64_t now = clock_monotonic_us();
    for (struct conn *c = loop->conns, *next; c; c = next) {
        next = c->next;
        if (c->fd < 0)
            continue;
        if ((c->close_code && now > c->close_by_us) || now - c->heard_us > loop->rt->deaf_us) {
            end(c);
            continue;
        }
        if (!c->close_code && now - c->pinged_us >= loop->rt->ping_us) {
            c->pinged_us = now;
            conn_send(c, frame_new(OP_PING, STR("")));
            if (!flush(c))
                end(c);
        }
    }
}

static void on_socket(struct conn *c, uint32_t events)
{
    bool alive = true;
    if (c->fd < 0)
        return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        alive = conn_receive(c);
    if (alive && (events & EPOLLERR))
        alive = false;
    if (alive)
        advance(c);
    else
        end(c);
}

static void *loop_run(void *arg)
{
    struct loop *loop = arg;
    int64_t ticked_us = clock_monotonic_us(), tick_us = MIN(US_PER_SECOND, loop->rt->ping_us / 2);
    bool stop = false;
    while (!stop) {
        struct epoll_event events[256];
        int n = epoll_wait(loop->epoll, events, COUNT(events), (int)(tick_us / US_PER_MS));
        bool inbox = false;
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                on_socket(events[i].data.ptr, events[i].events);
            else
                inbox = true;
        }
        if (inbox)
            read_inbox(loop);
        if (clock_monotonic_us() - ticked_us >= tick_us) {
            tick(loop);
            ticked_us = clock_monotonic_us();
        }
        pthread_mutex_lock(&loop->lock);
        stop = loop->stop;
        pthread_mutex_unlock(&loop->lock);
    }
    return NULL;
}

void loop_start(struct realtime *rt, struct loop *loop)
{
    loop->rt = rt;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(loop->epoll >= 0 && loop->wake >= 0);
    pthread_mutex_init(&loop->lock, NULL);
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &e);
    ASSERT(pthread_create(&loop->thread, NULL, loop_run, loop) == 0);
}

/* The feeder has ended before: every connection is back. */
void loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
    pthread_join(loop->thread, NULL);
    read_inbox(loop);
    for (struct conn *c = loop->conns, *next; c; c = next) {
        next = c->next;
        if (c->fd >= 0) {
            conn_close(c, 1001, "the server stops");
            flush(c);
        }
        c->with_feeder = false;
        end(c);
    }
    fd_close(&loop->epoll);
    fd_close(&loop->wake);
    pthread_mutex_destroy(&loop->lock);
}
