/* http_system.c - the server's own routes: health, metrics, the document of the API, the stream's handshake. */
#include "platform/http/http_internal.h"
#include "platform/realtime/realtime.h"

HANDLER(get_health, struct nothing, struct nothing)
{
    reply_bytes(cx, STR("text/plain; charset=utf-8"), STR("ok\n"));
    return E_OK;
}

HANDLER(get_ready, struct nothing, struct nothing)
{
    const struct http_server *server = exchange_of(cx)->server;
    const struct http_options *o = &server->options;
    struct str reason = STR("not ready");
    if (__atomic_load_n(&server->draining, __ATOMIC_ACQUIRE))
        return fail_busy(cx, "The server is stopping");
    if (o->ready && !o->ready(o->arg, &reason, cx->arena))
        return fail_busy(cx, "%.*s", STR_ARG(reason));
    reply_bytes(cx, STR("text/plain; charset=utf-8"), STR("ready\n"));
    return E_OK;
}

static void put_requests(struct buf *out, const struct route_entry *e, const char *method, const char *path)
{
    uint64_t all = 0;
    for (int class = 1; class <= 5; class++) {
        uint64_t n = __atomic_load_n(&e->by_class[class], __ATOMIC_RELAXED);
        all += n;
        if (n)
            buf_printf(out, "cairn_http_requests_total{method=\"%s\",route=\"%s\",status=\"%dxx\"} %llu\n", method, path, class,
                       (unsigned long long)n);
    }
    if (all)
        buf_printf(out, "cairn_http_request_seconds_total{method=\"%s\",route=\"%s\"} %.6f\n", method, path,
                   (double)__atomic_load_n(&e->duration_us, __ATOMIC_RELAXED) / 1e6);
}

static void put_latency(struct buf *out, const struct http_server *server)
{
    static const char *const bounds[LATENCY_BUCKETS] = { "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
                                                         "0.05", "0.1", "0.25", "0.5", "1", "2.5", "10" };
    uint64_t total = 0, sum = __atomic_load_n(&server->other.duration_us, __ATOMIC_RELAXED);
    buf_lit(out, "# TYPE cairn_http_latency_seconds histogram\n");
    for (int i = 0; i <= LATENCY_BUCKETS; i++) {
        total += __atomic_load_n(&server->latency[i], __ATOMIC_RELAXED);
        buf_printf(out, "cairn_http_latency_seconds_bucket{le=\"%s\"} %llu\n", i < LATENCY_BUCKETS ? bounds[i] : "+Inf",
                   (unsigned long long)total);
    }
    for (size_t i = 0; i < server->nentries; i++)
        sum += __atomic_load_n(&server->entries[i].duration_us, __ATOMIC_RELAXED);
    buf_printf(out, "cairn_http_latency_seconds_sum %.6f\ncairn_http_latency_seconds_count %llu\n", (double)sum / 1e6,
               (unsigned long long)total);
}

static void put_store(struct buf *out, const struct store *store)
{
    struct store_stats s = store_stats(store);
    buf_printf(out, "# TYPE cairn_store_units_total counter\ncairn_store_units_total %lld\ncairn_store_groups_total %lld\n"
                    "cairn_store_failures_total %lld\ncairn_store_retries_total %lld\ncairn_store_queue_length %lld\n",
               (long long)s.units, (long long)s.groups, (long long)s.failures, (long long)s.retries, (long long)s.queue_length);
}

HANDLER(get_metrics, struct nothing, struct nothing)
{
    struct http_server *server = exchange_of(cx)->server;
    struct buf text = buf_new(cx->arena, 0);
    buf_lit(&text, "# TYPE cairn_http_requests_total counter\n# TYPE cairn_http_request_seconds_total counter\n");
    for (size_t i = 0; i < server->nentries; i++)
        put_requests(&text, &server->entries[i], method_names[server->entries[i].route->method], server->entries[i].route->path);
    put_requests(&text, &server->other, "", "-");
    put_latency(&text, server);
    pthread_mutex_lock(&server->wires.lock);
    size_t connections = server->wires.count;
    pthread_mutex_unlock(&server->wires.lock);
    buf_printf(&text, "# TYPE cairn_http_connections gauge\ncairn_http_connections %zu\ncairn_http_active %lld\n"
                      "cairn_http_queue_length{lane=\"fast\"} %zu\ncairn_http_queue_length{lane=\"slow\"} %zu\n",
               connections, (long long)__atomic_load_n(&server->active, __ATOMIC_RELAXED),
               lane_length(&server->lanes[LANE_FAST]), lane_length(&server->lanes[LANE_SLOW]));
    if (server->options.store)
        put_store(&text, server->options.store);
    if (server->options.realtime)
        realtime_metrics(server->options.realtime, &text);
    if (server->options.metrics)
        server->options.metrics(server->options.arg, &text);
    reply_bytes(cx, STR("text/plain; version=0.0.4; charset=utf-8"), buf_str(&text));
    return E_OK;
}

HANDLER(get_openapi, struct nothing, struct nothing)
{
    reply_bytes(cx, STR("application/json"), exchange_of(cx)->server->openapi);
    return E_OK;
}

HANDLER(get_docs, struct nothing, struct nothing)
{
    struct exchange *x = exchange_of(cx);
    x->reply.page = true;
    reply_bytes(cx, STR("text/html; charset=utf-8"), x->server->docs);
    return E_OK;
}

/* ---- GET /api/v1/stream ---- */

struct stream_in {
    int64_t after;
    bool has_after;
};

static const struct field stream_fields[] = {
    INT_FIELD(struct stream_in, after, .doc = "Events after this sequence number; live ones only when absent",
              .place = IN_QUERY, .max = INT64_MAX, HAS(struct stream_in, has_after)),
};

static enum err_code check_handshake(struct exchange *x)
{
    struct cx *cx = &x->cx;
    struct str key;
    if (!str_iis(exchange_header(x, "Upgrade"), "websocket") || !x->upgrade) {
        reply_header(cx, "Upgrade", STR("websocket"));
        return fail(cx, E_BAD_REQUEST, "This path speaks WebSocket: send Connection: Upgrade and Upgrade: websocket");
    }
    if (!str_is(exchange_header(x, "Sec-WebSocket-Version"), "13"))
        return fail(cx, E_BAD_REQUEST, "Only Sec-WebSocket-Version 13 is spoken");
    if (!base64_decode(cx->arena, exchange_header(x, "Sec-WebSocket-Key"), &key) || key.len != 16)
        return fail(cx, E_BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64");
    return x->token.len ? E_OK : check_same_site(x);
}

HANDLER(get_stream, struct stream_in, struct nothing)
{
    struct exchange *x = exchange_of(cx);
    if (!x->server->options.realtime)
        return fail(cx, E_NOT_FOUND, "There is no stream here");
    TRY(check_handshake(x));
    struct realtime_user *user = NEW(cx->arena, struct realtime_user);
    TRY(realtime_admit(cx, db, x->server->options.realtime, user));
    x->reply.kind = REPLY_UPGRADE;
    x->reply.stream_user = user;
    x->reply.stream_after = in->has_after ? in->after : -1;
    reply_status(cx, 101);
    reply_header(cx, "Sec-WebSocket-Accept", realtime_accept_key(cx->arena, exchange_header(x, "Sec-WebSocket-Key")));
    return E_OK;
}

static const struct route routes[] = {
    { METHOD_GET, "/healthz", "Tell that the process runs", .permission = PERM_PUBLIC, .rate = RATE_NONE, .work = WORK_NONE,
      .handler = get_health },
    { METHOD_GET, "/readyz", "Tell whether requests can be served", .permission = PERM_PUBLIC, .rate = RATE_NONE,
      .work = WORK_NONE, .handler = get_ready },
    { METHOD_GET, "/metrics", "Figures in Prometheus' text format", .permission = PERM_PUBLIC, .rate = RATE_NONE,
      .work = WORK_NONE, .handler = get_metrics },
    { METHOD_GET, "/api/v1/openapi.json", "Describe this API for programs", .permission = PERM_PUBLIC, .work = WORK_NONE,
      .handler = get_openapi },
    { METHOD_GET, "/api/docs", "Describe this API for people", .permission = PERM_PUBLIC, .work = WORK_NONE,
      .handler = get_docs },
    { METHOD_GET, "/api/v1/stream", "Follow events over WebSocket",
      "Text frames, one event each; the first is {\"type\":\"hello\",\"seq\":HEAD}, or {\"type\":\"resync\",\"seq\":HEAD} when "
      "`after` is too far back.",
      .permission = PERM_SIGNED_IN, FIELDS(stream_fields, struct stream_in), .handler = get_stream },
};

const struct route_table system_routes = { "system", routes, COUNT(routes) };
