/* control.c - DIR/cairn.sock: a few threads that run operations for commands. */
#include "cli/cli_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, BACKLOG = 256, SILENCE_SECONDS = 60 };

struct control {
    struct installation *in;
    int listen_fd, stop_fd;
    pthread_t threads[THREADS];
    unsigned nthreads;
    atomic_uint running;        /* threads that have not ended */
};

static void send_progress(const struct call *call, struct str json)
{
    struct arena *arena = arena_new("control progress", 0);
    int fd = *(const int *)call->arg;
    /* A client that went away does not end what it started. */
    (void)frame_send(fd, arena_printf(arena, "{\"progress\":%.*s}", STR_ARG(json)), STR(""));
    arena_free(&arena);
}

static struct str failure_json(struct cx *cx, enum err_code code)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_text(&w, "code", str_of(err_name(code)));
    json_put_text(&w, "field", str_of(cx->failure.field));
    json_put_text(&w, "message", code == E_INTERNAL ? cx->failure.detail : cx->failure.message);
    json_close_object(&w);
    return buf_str(&out);
}

static enum err_code run_request(struct cx *cx, struct control *c, int fd, struct str json, struct str body, struct buf *out)
{
    struct json_writer w = json_writer(out);
    struct call call = { .body = body, .progress = send_progress, .arg = &fd };
    TRY(json_parse(cx, json, &call.args));
    const struct operation *operation = operation_find(json_text(&call.args, "operation"));
    if (!operation)
        return fail(cx, E_NOT_FOUND, "the running server does not know this command: is it older than the program?");
    json_open_object(&w, NULL);
    json_put_text(&w, "code", STR("ok"));
    TRY(operation->run(cx, c->in, &call, &w));
    json_close_object(&w);
    return E_OK;
}

static void serve_connection(struct control *c, int fd)
{
    CLEANUP(arena_free) struct arena *arena = arena_new("control", 0);
    struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
    struct timeval silence = { .tv_sec = SILENCE_SECONDS };
    struct str json = STR_NONE, body = STR_NONE;
    struct buf out = buf_new(arena, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence);
    if (!frame_receive(fd, arena, &json, &body))
        return;
    enum err_code code = run_request(&cx, c, fd, json, body, &out);
    if (code == E_INTERNAL || code == E_BUSY)
        log_event(LOG_ERROR, "control.failed", F_STR("message", cx.failure.message), F_STR("detail", cx.failure.detail));
    (void)frame_send(fd, code == E_OK ? buf_str(&out) : failure_json(&cx, code), STR(""));
}

static void *work(void *arg)
{
    struct control *c = arg;
    for (;;) {
        struct pollfd wait[2] = { { .fd = c->stop_fd, .events = POLLIN }, { .fd = c->listen_fd, .events = POLLIN } };
        (void)poll(wait, 2, -1);
        if (wait[0].revents)
            break;
        CLEANUP(fd_close) int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve_connection(c, fd);
    }
    atomic_fetch_sub(&c->running, 1);
    return NULL;
}

static enum err_code listen_at(struct cx *cx, const char *dir, int *ret_fd)
{
    CLEANUP(fd_close) int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/cairn.sock", folder);
    unlinkat(folder, "cairn.sock", 0); /* of a server that was killed: the lock says that none runs */
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*ret_fd < 0 || bind(*ret_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, 0600) != 0 || listen(*ret_fd, BACKLOG) != 0) /* nobody can connect before listen */
        return fail_busy(cx, "%s/cairn.sock: %s", dir, strerror(errno));
    return E_OK;
}

enum err_code control_start(struct cx *cx, struct installation *in, struct control **ret)
{
    struct control *c = heap_new(sizeof *c);
    c->in = in;
    c->stop_fd = eventfd(0, EFD_CLOEXEC);
    *ret = c;
    TRY(listen_at(cx, in->config->data, &c->listen_fd));
    for (; c->nthreads < THREADS; c->nthreads++) {
        atomic_fetch_add(&c->running, 1);
        ASSERT(pthread_create(&c->threads[c->nthreads], NULL, work, c) == 0);
    }
    return E_OK;
}

bool control_stop(struct control **control, int64_t grace_us)
{
    struct control *c = *control;
    int64_t deadline = clock_monotonic_us() + grace_us;
    if (!c)
        return true;
    (void)eventfd_write(c->stop_fd, 1);
    while (atomic_load(&c->running) > 0) {
        if (clock_monotonic_us() >= deadline)
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 5 * 1000 * 1000 }, NULL);
    }
    for (unsigned i = 0; i < c->nthreads; i++)
        pthread_join(c->threads[i], NULL);
    fd_close(&c->listen_fd);
    fd_close(&c->stop_fd);
    heap_free(c);
    *control = NULL;
    return true;
}
