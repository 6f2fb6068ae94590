/* frame.c - the control socket's frames: two big-endian lengths, a JSON object, raw bytes. */
#include "cli/cli_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct frame_head {
    uint32_t json_bytes, body_bytes;
};

static bool send_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t wrote = send(fd, data, n, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        data += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

static bool receive_all(int fd, char *data, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = recv(fd, data + have, n - have, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = have ? ECONNRESET : 0;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

bool frame_send(int fd, struct str json, struct str body)
{
    struct frame_head head = { htonl((uint32_t)json.len), htonl((uint32_t)body.len) };
    return send_all(fd, (const char *)&head, sizeof head) && send_all(fd, json.ptr, json.len) &&
           send_all(fd, body.ptr, body.len);
}

static bool receive_part(int fd, struct arena *arena, size_t n, struct str *ret)
{
    char *bytes = arena_alloc(arena, n + 1);
    *ret = (struct str){ bytes, n };
    return receive_all(fd, bytes, n);
}

bool frame_receive(int fd, struct arena *arena, struct str *ret_json, struct str *ret_body)
{
    struct frame_head head;
    if (!receive_all(fd, (char *)&head, sizeof head))
        return false;
    size_t json_bytes = ntohl(head.json_bytes), body_bytes = ntohl(head.body_bytes);
    if (json_bytes > FRAME_HEADER_MAX_BYTES || body_bytes > FRAME_BODY_MAX_BYTES) {
        errno = EMSGSIZE;
        return false;
    }
    if (receive_part(fd, arena, json_bytes, ret_json) && receive_part(fd, arena, body_bytes, ret_body))
        return true;
    if (errno == 0)
        errno = ECONNRESET; /* cut off inside a frame */
    return false;
}

int control_connect(const char *dir)
{
    /* Through the folder's descriptor: a socket's path may have 107 bytes only. */
    CLEANUP(fd_close) int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (folder < 0)
        return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/cairn.sock", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int saved = errno;
    fd_close(&fd);
    errno = saved;
    return -1;
}
