/*
 * http_wire.h - what may reach the HTTP engine at all.  Private to platform/http.
 *
 * libmicrohttpd forgives what RFC 9112 forbids (bare CR and LF, NUL, folding,
 * sloppy chunk lines) and keeps the raw bytes to itself.  So a filter stands in
 * its receive path: it lets through only whole, canonical request heads and
 * exactly framed bodies.  A refused head is replaced by a request for
 * WIRE_REFUSED_PATH, a refused body is ended; the runner then answers with the
 * refusal and closes.  Bytes after a refusal are thrown away.
 */
#ifndef CAIRN_HTTP_WIRE_H
#define CAIRN_HTTP_WIRE_H

#include "base/base.h"

#include <pthread.h>
#include <sys/types.h>

enum { WIRE_MAX_HEAD_BYTES = 16 * 1024, WIRE_MAX_HEADERS = 100 };
#define WIRE_REFUSED_PATH "/.refused"

/* The things that pass only whole: heads, chunk lines, the line ends after a chunk and after the last one. */
enum wire_state { WIRE_HEAD, WIRE_BODY, WIRE_CHUNK_LINE, WIRE_CHUNK_DATA, WIRE_CHUNK_END, WIRE_LAST_END, WIRE_TUNNEL };

/* One per connection; used by its loop thread, looked at by the watch. */
struct wire {
    int fd;
    enum wire_state state;
    size_t looked;              /* bytes of the partial head that were looked at */
    uint64_t left;              /* of the body or chunk */

    char *stash;                /* what was received but not yet handed on */
    size_t len, cap, ready;     /* ready: the part of it that is checked */

    uint64_t heads;             /* requests let through, the refused one included */
    uint64_t refused_at;        /* number of the refused request; 0: none */
    int refused_status;
    const char *refused_why;    /* literal */

    int64_t since_us;           /* when the unfinished head or body began; 0: nothing is unfinished (atomic) */
    uint64_t received;          /* bytes of the body since then (atomic) */
    bool in_body;               /* (atomic) */

    struct wire *prev, *next;
    struct wire_set *set;
};

/* All connections of one server. */
struct wire_set {
    pthread_mutex_t lock;
    struct wire *first;
    size_t count;
};

void wire_set_init(struct wire_set *set);
struct wire *wire_open(struct wire_set *set, int fd);
void wire_close(struct wire *wire);
/* As recv(2), with what may not pass left out. */
ssize_t wire_recv(struct wire *wire, char *out, size_t len);
/* Checks bytes in place; returns how many may pass (a partial head at the end stays).  For wire_recv and fuzzing. */
size_t wire_scan(struct wire *wire, const char *bytes, size_t n);
/* Shuts sockets down whose head takes longer than head_us or whose body comes slower than bytes_per_s; returns how many. */
size_t wire_watch(struct wire_set *set, int64_t head_us, int64_t body_grace_us, int64_t bytes_per_s);

/* http_head.c: 0 when the head (with its empty line) is canonical; else the status to refuse with.  Sets how the body is framed. */
struct wire_head {
    bool chunked, upgrade;
    uint64_t content_length;
};
int wire_head_check(struct str head, struct wire_head *ret, const char **ret_why);

#endif
