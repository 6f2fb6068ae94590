/* fuzz_ws.c - arbitrary bytes from a WebSocket client: answers stay bounded and well-formed, nothing is kept after a close. */
#include "platform/realtime/realtime_internal.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void forget(struct conn *c)
{
    for (size_t i = 0; i < c->n; i++)
        frame_drop(c->queue[c->first + i]);
    heap_free(c->queue);
    partial_free(&c->partial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct realtime rt = { .close_us = US_PER_SECOND };
    int pair[2];
    if (size < 1 || size > 16 * 1024 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
        return 0;
    struct conn c = { .rt = &rt, .fd = pair[0] };
    size_t piece = 1 + data[0] % 50;
    bool alive = true;
    for (size_t at = 1; at < size && alive; at += piece) {
        ASSERT(fd_write_all(pair[1], data + at, MIN(piece, size - at)));
        alive = conn_receive(&c);
        ASSERT(c.n <= QUEUE_FRAMES + 1 && c.queued_bytes <= QUEUE_BYTES + 256);
        ASSERT(!c.close_code || (c.close_code >= 1000 && c.close_code <= 4999));
        ASSERT(!c.close_code || !c.partial);
    }
    forget(&c);
    close(pair[0]);
    close(pair[1]);
    return 0;
}
