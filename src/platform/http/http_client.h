/* http_client.h - a raw client for tests: it sends exactly the bytes that it is told to. */
#ifndef CAIRN_HTTP_CLIENT_H
#define CAIRN_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/http/http.h"

struct answer {
    int status;
    struct str head, body;
    bool closed;                /* the server ended the connection after it */
};

static inline int client_open(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    ASSERT(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

static inline void client_send(int fd, struct str bytes)
{
    ASSERT(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len);
}

/* Waits up to 10 s for more; false at the end of the stream. */
static inline bool client_more(int fd, struct buf *in, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char bytes[65536];
    if (poll(&p, 1, wait_ms) <= 0)
        return false;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n > 0)
        buf_add(in, (struct str){ bytes, (size_t)n });
    return n > 0;
}

static inline struct str answer_header(struct answer a, const char *name)
{
    struct str rest = a.head, line;
    while (str_line(&rest, &line)) {
        ptrdiff_t colon = str_chr(line, ':');
        if (colon > 0 && str_iis(str_sub(line, 0, (size_t)colon), name))
            return str_trim(str_skip(line, (size_t)colon + 1));
    }
    return STR_NONE;
}

/* One answer, by its Content-Length; bytes behind it stay in `in`. */
static inline struct answer client_read(struct arena *arena, int fd, struct buf *in, bool no_body)
{
    struct answer a = { 0 };
    ptrdiff_t end;
    while ((end = str_find(buf_str(in), STR("\r\n\r\n"))) < 0)
        if (!client_more(fd, in, 10000)) {
            a.closed = true;
            return a;
        }
    a.head = arena_copy(arena, str_sub(buf_str(in), 0, (size_t)end + 2));
    int64_t status = 0, length = 0;
    num_parse_int(str_sub(a.head, 9, 3), &status);
    a.status = (int)status;
    struct str given = answer_header(a, "Content-Length");
    if (given.ptr && !no_body)
        ASSERT(num_parse_int(given, &length));
    while (in->len < (size_t)end + 4 + (size_t)length && client_more(fd, in, 10000))
        ;
    a.body = arena_copy(arena, str_sub(buf_str(in), (size_t)end + 4, (size_t)length));
    struct str rest = arena_copy(arena, str_skip(buf_str(in), (size_t)end + 4 + (size_t)length));
    buf_clear(in);
    buf_add(in, rest);
    return a;
}

/* A connection of its own: sends, reads one answer, and sees whether the server then closes. */
static inline struct answer client_ask(struct arena *arena, int port, struct str request)
{
    CLEANUP(fd_close) int fd = client_open(port);
    struct buf in = buf_new(arena, 0);
    client_send(fd, request);
    return client_read(arena, fd, &in, str_starts(request, STR("HEAD ")));
}

#define ASK(w, port, ...) client_ask((w)->arena, (port), arena_printf((w)->arena, __VA_ARGS__))

#endif
