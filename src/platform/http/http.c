/* http.c - the engine: libmicrohttpd's loops, requests handed to workers and back. */
#include "platform/http/http_internal.h"
#include "platform/realtime/realtime.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOOPS = 2,
    IDLE_TIMEOUT_S = 75,
    CONNECTIONS_PER_ADDRESS = 512,
    POOL_BYTES = 64 * 1024,             /* of a connection; large so that uploads move in large pieces */
    IGNORED_BODY_BYTES = 1 << 20,       /* of a refused request, before its connection is cut */
};
#define HEAD_DEADLINE_US   (10 * US_PER_SECOND)
#define BODY_GRACE_US      (15 * US_PER_SECOND)
#define BODY_BYTES_PER_S   1024
#define CLEAN_EVERY_US     US_PER_HOUR

static struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *c = heap_new(sizeof *c);
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->wire = wire_open(&server->wires, fd);
        *context = c;
    } else if (*context) {
        struct connection *c = *context;
        wire_close(c->wire);
        heap_free(c);
        *context = NULL;
    }
}

/* The first sight of a request: its raw target. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = cls;
    struct arena *arena = arena_new("request", 0);
    struct exchange *x = NEW(arena, struct exchange);
    x->server = server;
    x->connection = connection;
    x->arena = arena;
    x->started_us = clock_monotonic_us();
    x->peer = connection_of(connection);
    x->number = ++x->peer->requests;
    x->cx = (struct cx){ .arena = arena, .now_us = clock_now_us(), .actor = STR("system"), .reply = &x->reply };
    x->reply.fd = -1;
    x->body = buf_new(arena, 0);

    struct str rest = arena_copy(arena, str_of(target));
    ptrdiff_t scheme = rest.ptr[0] == '/' ? -1 : str_find(rest, STR("://"));
    if (scheme >= 0) {
        rest = str_skip(rest, (size_t)scheme + 3);
        ptrdiff_t slash = str_chr(rest, '/');
        rest = slash < 0 ? STR("/") : str_skip(rest, (size_t)slash);
    }
    ptrdiff_t mark = str_chr(rest, '?');
    x->path = mark < 0 ? rest : str_sub(rest, 0, (size_t)mark);
    x->query = mark < 0 ? STR_NONE : str_skip(rest, (size_t)mark + 1);
    __atomic_add_fetch(&server->active, 1, __ATOMIC_RELAXED);
    return x;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *con_cls;
    if (!x)
        return;
    struct http_server *server = x->server;
    exchange_log(x);
    blob_writer_free(&x->upload);
    if (x->response)
        MHD_destroy_response(x->response);
    else
        fd_close(&x->reply.fd);
    struct arena *arena = x->arena;
    *con_cls = NULL;
    arena_free(&arena);
    __atomic_sub_fetch(&server->active, 1, __ATOMIC_RELAXED);
}

static void on_upgrade(void *cls, struct MHD_Connection *connection, void *con_cls, const char *early, size_t early_len,
                       MHD_socket sock, struct MHD_UpgradeResponseHandle *handle)
{
    struct exchange *x = cls;
    /* A duplicate, so that the engine forgets the connection and its buffers. */
    int fd = dup(sock);
    if (fd >= 0)
        realtime_adopt(x->server->options.realtime, fd, (struct str){ early, early_len }, x->reply.stream_user,
                       x->reply.stream_after, NULL, NULL);
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static enum MHD_Result send_answer(struct exchange *x)
{
    if (x->reply.kind == REPLY_UPGRADE && x->code == E_OK && x->sent_status == 101) {
        x->response = MHD_create_response_for_upgrade(on_upgrade, x);
        MHD_add_response_header(x->response, "Upgrade", "websocket");
        for (struct header *h = x->reply.headers; h; h = h->next)
            MHD_add_response_header(x->response, h->name, h->value.ptr);
    }
    return MHD_queue_response(x->connection, (unsigned)x->sent_status, x->response);
}

static void hand_over(struct exchange *x, enum phase phase)
{
    bool slow = x->entry && x->entry->route->lane == LANE_SLOW;
    x->phase = phase;
    __atomic_add_fetch(&x->server->away, 1, __ATOMIC_ACQ_REL);
    MHD_suspend_connection(x->connection);
    lane_push(&x->server->lanes[slow ? LANE_SLOW : LANE_FAST], x);
}

void exchange_resume(struct exchange *x)
{
    struct http_server *server = x->server;
    MHD_resume_connection(x->connection); /* x may be gone after this */
    __atomic_sub_fetch(&server->away, 1, __ATOMIC_ACQ_REL);
}

static bool find_method(struct exchange *x, const char *name)
{
    x->method_name = arena_copy(x->arena, str_of(name));
    x->head_only = str_is(x->method_name, "HEAD");
    const char *wanted = x->head_only ? "GET" : name;
    for (int m = 0; m < METHODS; m++)
        if (strcmp(method_names[m], wanted) == 0) {
            x->method = (enum method)m;
            return true;
        }
    return false;
}

static void check_refusal(struct exchange *x)
{
    const struct wire *w = x->peer->wire;
    if (!w->refused_at || w->refused_at != x->number)
        return;
    x->refused_status = w->refused_status;
    x->code = fail(&x->cx, w->refused_status == 431 ? E_LIMIT : E_BAD_REQUEST, "%s", w->refused_why);
}

static void check_body_size(struct exchange *x)
{
    struct str length = exchange_header(x, "Content-Length");
    x->has_body = exchange_header(x, "Transfer-Encoding").ptr || (length.ptr && !str_is(length, "0"));
    int64_t n = 0;
    bool upload = x->entry && x->entry->route->body == BODY_UPLOAD;
    size_t max = upload ? x->server->options.max_upload_bytes : x->server->options.max_body_bytes;
    if (x->code == E_OK && x->has_body && length.ptr && num_parse_int(length, &n) && (uint64_t)n > max)
        x->code = fail(&x->cx, E_LIMIT, "At most %zu bytes are accepted here", max);
    x->body.max = max;
}

/* Where the request goes.  An upload is admitted (signed in, permitted) before its body is read. */
static enum MHD_Result begin(struct exchange *x, const char *method)
{
    x->begun = true;
    x->known_method = find_method(x, method);
    x->upgrade = x->peer->wire->state == WIRE_TUNNEL;
    check_refusal(x);
    if (x->code == E_OK)
        router_match(x->server->router, x);
    check_body_size(x);
    if (x->has_body && (x->code != E_OK || !x->entry)) {
        exchange_refuse(x);
        return send_answer(x);
    }
    /* An answer at this point would end the connection, so that others wait for the whole request. */
    if (x->has_body && x->entry->route->body == BODY_UPLOAD)
        hand_over(x, PHASE_ADMIT);
    return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *x, const char *data, size_t *size)
{
    struct str bytes = { data, *size };
    *size = 0;
    if (x->code != E_OK) {
        x->ignored_bytes += bytes.len;
        return x->ignored_bytes > IGNORED_BODY_BYTES ? MHD_NO : MHD_YES;
    }
    if (x->upload) {
        x->code = blob_writer_add(&x->cx, x->upload, bytes);
        return MHD_YES;
    }
    buf_add(&x->body, bytes);
    if (x->body.overflow)
        x->code = fail(&x->cx, E_LIMIT, "At most %zu bytes are accepted here", x->body.max);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **con_cls)
{
    struct exchange *x = *con_cls;
    if (!x)
        return MHD_NO;
    if (x->sent_status)
        return send_answer(x);
    if (!x->begun)
        return begin(x, method);
    if (*size)
        return take_body(x, data, size);
    if (x->phase == PHASE_ADMIT && x->admitted) {
        x->phase = PHASE_RUN; /* back from admission: now the body */
        return MHD_YES;
    }
    check_refusal(x);
    hand_over(x, PHASE_RUN);
    return MHD_YES;
}

/* ---- starting and stopping ---- */

static enum err_code listen_on(struct cx *cx, const char *host, int port, int *ret_fd, int *ret_port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
    struct str service = arena_printf(cx->arena, "%d", port);
    if (getaddrinfo(host ? host : "127.0.0.1", service.ptr, &hints, &found) != 0 || !found)
        return fail(cx, E_INVALID, "cannot listen on \"%s\": no such address", host);
    CLEANUP(fd_close) int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool ok = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1024) == 0;
    int error = errno;
    freeaddrinfo(found);
    if (!ok)
        return fail_busy(cx, "cannot listen on %s:%d: %s", host, port, strerror(error));
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    getsockname(fd, (struct sockaddr *)&at, &len);
    *ret_port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&at)->sin6_port
                                               : ((struct sockaddr_in *)(void *)&at)->sin_port);
    *ret_fd = fd;
    fd = -1;
    return E_OK;
}

/* Once a second: slow clients; once an hour: old idempotency keys. */
static void *keep(void *arg)
{
    struct http_server *server = arg;
    int64_t cleaned_us = clock_monotonic_us();
    pthread_mutex_lock(&server->keeper_lock);
    while (!server->keeper_stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&server->keeper_wake, &server->keeper_lock, &until);
        wire_watch(&server->wires, HEAD_DEADLINE_US, BODY_GRACE_US, BODY_BYTES_PER_S);
        if (server->options.store && clock_monotonic_us() - cleaned_us > CLEAN_EVERY_US) {
            struct arena *arena = arena_new("http keeper", 0);
            struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
            if (store_write_bulk(server->options.store, &cx, idempotency_clean, NULL) != E_OK)
                log_event(LOG_WARN, "http.clean", F_STR("error", cx.failure.message));
            arena_free(&arena);
            cleaned_us = clock_monotonic_us();
        }
    }
    pthread_mutex_unlock(&server->keeper_lock);
    return NULL;
}

static void start_keeper(struct http_server *server)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&server->keeper_wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&server->keeper_lock, NULL);
    ASSERT(pthread_create(&server->keeper, NULL, keep, server) == 0);
}

/* Without MHD_USE_ERROR_LOG: its message about a refused accept(2) formats a pointer that is none, and crashes. */
static struct MHD_Daemon *start_engine(struct http_server *server)
{
    struct rlimit files = { 0 };
    getrlimit(RLIMIT_NOFILE, &files);
    rlim_t most = files.rlim_cur == RLIM_INFINITY ? 100000 : files.rlim_cur;
    unsigned connections = (unsigned)MAX((rlim_t)64, MIN(most, (rlim_t)100000) * 9 / 10);
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE, 0, NULL, NULL,
        on_request, server,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)server->listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)LOOPS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)(POOL_BYTES / 4),
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, server->options.connections_per_ip ? server->options.connections_per_ip
                                                                               : (unsigned)CONNECTIONS_PER_ADDRESS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_END);
}

static void gather_routes(struct http_server *server)
{
    const struct http_options *o = &server->options;
    server->ntables = o->ntables + 1;
    server->tables = NEWN(server->arena, const struct route_table *, server->ntables);
    server->tables[0] = &system_routes;
    for (size_t t = 0; t < o->ntables; t++)
        server->tables[t + 1] = o->tables[t];
    for (size_t t = 0; t < server->ntables; t++)
        server->nentries += server->tables[t]->n;
    server->entries = NEWN(server->arena, struct route_entry, server->nentries);
    size_t n = 0;
    for (size_t t = 0; t < server->ntables; t++)
        for (size_t i = 0; i < server->tables[t]->n; i++)
            server->entries[n++].route = &server->tables[t]->routes[i];
}

enum err_code http_start(struct cx *cx, const struct http_options *options, struct http_server **ret)
{
    *ret = NULL;
    struct arena *arena = arena_new("http server", 0);
    struct http_server *server = heap_new(sizeof *server);
    *server = (struct http_server){ .options = *options, .arena = arena };
    struct http_options *o = &server->options;
    o->max_body_bytes = o->max_body_bytes ? o->max_body_bytes : 8u << 20;
    o->max_upload_bytes = o->max_upload_bytes ? o->max_upload_bytes : 50u << 20;
    gather_routes(server);
    struct buf complaints = buf_new(cx->arena, 0);
    enum err_code code = E_OK;
    if (routes_lint(server->tables, server->ntables, &complaints))
        code = fail(cx, E_INVALID, "%s", buf_str(&complaints).ptr);
    if (code == E_OK)
        code = listen_on(cx, o->host, o->port, &server->listen_fd, &server->port);
    if (code != E_OK) {
        arena_free(&arena);
        heap_free(server);
        return code;
    }
    server->router = router_new(server);
    server->openapi = routes_openapi(arena, server->tables, server->ntables);
    server->docs = routes_docs(arena, server->tables, server->ntables);
    server->public_origin = o->public_url ? str_lower(arena, str_of(o->public_url)) : STR_NONE;
    server->assets = o->web_dir ? assets_open(arena, o->web_dir) : NULL;
    rates_init(&server->rates, o->rate_factor);
    wire_set_init(&server->wires);
    lane_start(&server->lanes[LANE_FAST], o->fast_workers);
    lane_start(&server->lanes[LANE_SLOW], o->slow_workers);
    server->daemon = start_engine(server);
    ASSERT(server->daemon);
    start_keeper(server);
    *ret = server;
    return E_OK;
}

int http_port(const struct http_server *server)
{
    return server->port;
}

static void wait_for(int64_t *count, int64_t until_us)
{
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) > 0 && clock_monotonic_us() < until_us)
        usleep(2000);
}

void http_stop(struct http_server **ref, int64_t grace_us)
{
    struct http_server *server = *ref;
    if (!server)
        return;
    int64_t until = clock_monotonic_us() + grace_us;
    __atomic_store_n(&server->draining, true, __ATOMIC_RELEASE);
    MHD_quiesce_daemon(server->daemon);
    close(server->listen_fd);
    wait_for(&server->active, until);
    /* A handler cannot be torn out of its transaction: those that run are waited for. */
    wait_for(&server->away, INT64_MAX);
    MHD_stop_daemon(server->daemon);
    lane_stop(&server->lanes[LANE_FAST]);
    lane_stop(&server->lanes[LANE_SLOW]);
    pthread_mutex_lock(&server->keeper_lock);
    server->keeper_stop = true;
    pthread_cond_signal(&server->keeper_wake);
    pthread_mutex_unlock(&server->keeper_lock);
    pthread_join(server->keeper, NULL);
    rates_done(&server->rates);
    arena_free(&server->arena);
    heap_free(server);
    *ref = NULL;
}
