/* http_wire.c - the filter in the receive path: see http_wire.h. */
#include "platform/http/http_wire.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Which descriptors are filtered.  Grown once, so that readers need no lock. */
static struct wire *_Atomic *wires;
static size_t wires_cap;
static pthread_once_t wires_once = PTHREAD_ONCE_INIT;

static void wires_init(void)
{
    struct rlimit limit;
    size_t cap = 1 << 16;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
        cap = MIN((size_t)limit.rlim_max, (size_t)1 << 20);
    wires = heap_new(cap * sizeof *wires);
    wires_cap = cap;
}

/*
 * The engine calls recv(2) by this name and offers no hook before its own
 * parser; a definition in the program comes before libc's.  Other descriptors
 * go straight to the kernel, as in libc.
 */
ssize_t recv(int fd, void *out, size_t len, int flags)
{
    struct wire *w = fd >= 0 && (size_t)fd < wires_cap ? atomic_load_explicit(&wires[fd], memory_order_acquire) : NULL;
    if (w)
        return wire_recv(w, out, len);
    return recvfrom(fd, out, len, flags, NULL, NULL);
}

void wire_set_init(struct wire_set *set)
{
    pthread_once(&wires_once, wires_init);
    pthread_mutex_init(&set->lock, NULL);
    set->first = NULL;
}

struct wire *wire_open(struct wire_set *set, int fd)
{
    ASSERT(fd >= 0 && (size_t)fd < wires_cap);
    struct wire *w = heap_new(sizeof *w);
    w->fd = fd;
    w->set = set;
    w->since_us = clock_monotonic_us();
    pthread_mutex_lock(&set->lock);
    w->next = set->first;
    if (w->next)
        w->next->prev = w;
    set->first = w;
    set->count++;
    pthread_mutex_unlock(&set->lock);
    atomic_store_explicit(&wires[fd], w, memory_order_release);
    return w;
}

void wire_close(struct wire *w)
{
    struct wire_set *set = w->set;
    atomic_store_explicit(&wires[w->fd], NULL, memory_order_release);
    pthread_mutex_lock(&set->lock);
    if (w->prev)
        w->prev->next = w->next;
    else
        set->first = w->next;
    if (w->next)
        w->next->prev = w->prev;
    set->count--;
    pthread_mutex_unlock(&set->lock);
    heap_free(w->stash);
    heap_free(w);
}

/* ---- checking ---- */

static size_t refuse(struct wire *w, int status, const char *why)
{
    w->refused_status = status;
    w->refused_why = why;
    w->refused_at = w->state == WIRE_HEAD ? ++w->heads : w->heads;
    return 0;
}

/* The number of bytes of the head at p, 0 when its end has not come yet or it is refused. */
static size_t head_end(struct wire *w, const char *p, size_t n)
{
    for (size_t i = w->looked; i < n; i++) {
        char c = p[i], before = i ? p[i - 1] : 0;
        if (c == 0 || (c == '\n') != (before == '\r'))
            return refuse(w, 400, c ? "Lines must end with CR LF" : "The head has a NUL byte");
        if (c == '\n' && i == 1)
            return refuse(w, 400, "The request line is empty");
        if (c == '\n' && i >= 3 && p[i - 2] == '\n') {
            w->looked = 0;
            return i + 1;
        }
        if (i >= WIRE_MAX_HEAD_BYTES)
            return refuse(w, 431, "The head is larger than 16 KiB");
    }
    w->looked = n;
    return 0;
}

static size_t scan_head(struct wire *w, const char *p, size_t n)
{
    size_t len = head_end(w, p, n);
    if (!len)
        return 0;
    struct wire_head head;
    const char *why = NULL;
    int status = wire_head_check((struct str){ p, len }, &head, &why);
    if (status)
        return refuse(w, status, why);
    w->heads++;
    w->left = head.content_length;
    w->state = head.upgrade ? WIRE_TUNNEL : head.chunked ? WIRE_CHUNK_LINE : w->left ? WIRE_BODY : WIRE_HEAD;
    return len;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum { MAX_CHUNK_LINE = 256 };
static const char bad_chunk[] = "The chunked body is not framed as RFC 9112 says";

/* SIZE [;extension] CR LF */
static size_t scan_chunk_line(struct wire *w, const char *p, size_t n)
{
    uint64_t size = 0;
    size_t i = 0;
    for (; i < n && hex_value(p[i]) >= 0; i++) {
        size = (size << 4) + (uint64_t)hex_value(p[i]);
        if (i >= 15)
            return refuse(w, 400, bad_chunk);
    }
    if (i < n && (i == 0 || (p[i] != ';' && p[i] != '\r')))
        return refuse(w, 400, bad_chunk);
    if (i + 1 < n && p[i] == ';' && p[i + 1] == '\r')
        return refuse(w, 400, bad_chunk);
    for (; i < n && p[i] != '\r'; i++)
        if (i >= MAX_CHUNK_LINE || (unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            return refuse(w, 400, bad_chunk);
    if (i + 1 >= n)
        return 0;
    if (p[i + 1] != '\n')
        return refuse(w, 400, bad_chunk);
    w->left = size;
    w->state = size ? WIRE_CHUNK_DATA : WIRE_LAST_END; /* trailers are refused there: nothing here reads them */
    return i + 2;
}

static size_t scan_line_end(struct wire *w, const char *p, size_t n)
{
    if (p[0] != '\r' || (n > 1 && p[1] != '\n'))
        return refuse(w, 400, bad_chunk);
    if (n < 2)
        return 0;
    w->state = w->state == WIRE_CHUNK_END ? WIRE_CHUNK_LINE : WIRE_HEAD;
    return 2;
}

static size_t scan_data(struct wire *w, size_t n)
{
    size_t take = (size_t)MIN((uint64_t)n, w->left);
    w->left -= take;
    if (!w->left)
        w->state = w->state == WIRE_BODY ? WIRE_HEAD : WIRE_CHUNK_END;
    return take;
}

/* One element of the stream; 0 when it is not whole yet or refused. */
static size_t scan_element(struct wire *w, const char *p, size_t n)
{
    switch (w->state) {
    case WIRE_HEAD:
        return scan_head(w, p, n);
    case WIRE_CHUNK_LINE:
        return scan_chunk_line(w, p, n);
    case WIRE_CHUNK_END:
    case WIRE_LAST_END:
        return scan_line_end(w, p, n);
    case WIRE_BODY:
    case WIRE_CHUNK_DATA:
        return scan_data(w, n);
    case WIRE_TUNNEL:
        return n;
    }
    return 0;
}

size_t wire_scan(struct wire *w, const char *p, size_t n)
{
    size_t at = 0;
    while (at < n && !w->refused_at) {
        size_t passed = scan_element(w, p + at, n - at);
        if (!passed)
            break;
        at += passed;
    }
    return at;
}

/* ---- receiving ---- */

static void stash_add(struct wire *w, const char *bytes, size_t n)
{
    if (w->len + n > w->cap) {
        w->cap = MAX(w->len + n, 2 * w->cap);
        w->stash = heap_grow(w->stash, w->cap);
    }
    if (n)
        memcpy(w->stash + w->len, bytes, n);
    w->len += n;
}

/* What the engine gets instead of the refused bytes, so that the request comes to an end in order. */
static struct str replacement(const struct wire *w)
{
    switch (w->state) {
    case WIRE_HEAD:
        return STR("GET " WIRE_REFUSED_PATH " HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n");
    case WIRE_CHUNK_LINE:
        return STR("0\r\n\r\n");
    case WIRE_CHUNK_END:
        return STR("\r\n0\r\n\r\n");
    case WIRE_LAST_END:
        return STR("\r\n");
    default:
        return STR("");
    }
}

/* For the watch: what is unfinished since when. */
static void note_progress(struct wire *w, size_t received)
{
    bool in_body = w->state != WIRE_HEAD && w->state != WIRE_TUNNEL;
    bool unfinished = in_body || w->len > w->ready;
    if (w->refused_at || !unfinished)
        __atomic_store_n(&w->since_us, 0, __ATOMIC_RELAXED);
    else if (!w->since_us || in_body != w->in_body) {
        __atomic_store_n(&w->received, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&w->in_body, in_body, __ATOMIC_RELAXED);
        __atomic_store_n(&w->since_us, clock_monotonic_us(), __ATOMIC_RELAXED);
    } else {
        __atomic_store_n(&w->received, w->received + received, __ATOMIC_RELAXED);
    }
}

/* Of the n bytes at the stash's end that came last, what is checked becomes ready; a refusal replaces the rest. */
static void stash_check(struct wire *w)
{
    w->ready = wire_scan(w, w->stash, w->len);
    if (w->refused_at) {
        w->len = w->ready;
        struct str end = replacement(w);
        stash_add(w, end.ptr, end.len);
        w->ready = w->len;
    }
}

static size_t stash_take(struct wire *w, char *out, size_t len)
{
    size_t n = MIN(w->ready, len);
    memcpy(out, w->stash, n);
    memmove(w->stash, w->stash + n, w->len - n);
    w->len -= n;
    w->ready -= n;
    if (!w->len) {
        heap_free(w->stash);
        w->stash = NULL;
        w->cap = 0;
    }
    return n;
}

static void throw_away(int fd)
{
    char waste[4096];
    for (int i = 0; i < 64 && recvfrom(fd, waste, sizeof waste, MSG_DONTWAIT, NULL, NULL) > 0; i++)
        ;
}

/* Reads straight into the engine's buffer; what may not pass (yet) goes to the stash. */
static ssize_t recv_direct(struct wire *w, char *out, size_t len)
{
    ssize_t n = recvfrom(w->fd, out, len, 0, NULL, NULL);
    if (n <= 0)
        return n;
    size_t passed = wire_scan(w, out, (size_t)n);
    if (w->refused_at)
        stash_check(w);
    else
        stash_add(w, out + passed, (size_t)n - passed);
    note_progress(w, (size_t)n);
    return (ssize_t)passed;
}

/*
 * The engine takes a short count as "drained" and waits for the next edge, so
 * a short count is given only when the socket was drained and nothing is ready.
 */
ssize_t wire_recv(struct wire *w, char *out, size_t len)
{
    size_t given = 0;
    if (!w->len && !w->refused_at) {
        ssize_t n = recv_direct(w, out, len);
        if (n < 0 || (n == 0 && !w->len) || (size_t)n == len || (n > 0 && !w->len))
            return n;
        given = (size_t)n;
    }
    while (given < len) {
        if (w->ready) {
            given += stash_take(w, out + given, len - given);
            continue;
        }
        if (w->refused_at) {
            throw_away(w->fd);
            break;
        }
        char more[4096];
        ssize_t n = recvfrom(w->fd, more, sizeof more, MSG_DONTWAIT, NULL, NULL);
        if (n <= 0) {
            if (given || n < 0)
                break;
            return n;
        }
        stash_add(w, more, (size_t)n);
        stash_check(w);
        note_progress(w, (size_t)n);
    }
    if (given)
        return (ssize_t)given;
    errno = EAGAIN;
    return -1;
}

size_t wire_watch(struct wire_set *set, int64_t head_us, int64_t body_grace_us, int64_t bytes_per_s)
{
    int64_t now = clock_monotonic_us();
    size_t closed = 0;
    pthread_mutex_lock(&set->lock);
    for (struct wire *w = set->first; w; w = w->next) {
        int64_t since = __atomic_load_n(&w->since_us, __ATOMIC_RELAXED);
        if (!since)
            continue;
        int64_t took = now - since;
        bool in_body = __atomic_load_n(&w->in_body, __ATOMIC_RELAXED);
        uint64_t received = __atomic_load_n(&w->received, __ATOMIC_RELAXED);
        bool slow = in_body ? took > body_grace_us && (int64_t)received < bytes_per_s * (took / US_PER_SECOND) : took > head_us;
        if (slow) {
            shutdown(w->fd, SHUT_RDWR);
            closed++;
        }
    }
    pthread_mutex_unlock(&set->lock);
    return closed;
}
