/* http_send.c - from outcome to response: problem documents, headers, counting, the access log. */
#include "platform/http/http_internal.h"

#include <microhttpd.h>
#include <unistd.h>

static const char page_csp[] =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; frame-src 'self' blob:; worker-src 'self'; "
    "manifest-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'; form-action 'self'";
/* A worker takes the policy of its own script. */
static const char script_csp[] = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'";
static const char sandbox_csp[] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";
/* The browser's own viewer does not run in a sandbox; a PDF cannot reach our origin from it either. */
static const char pdf_csp[] = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'";
static const char api_csp[] = "default-src 'none'; frame-ancestors 'none'";

static struct str problem_document(struct exchange *x, int status)
{
    const struct failure *f = &x->cx.failure;
    struct buf out = buf_new(x->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_text(&w, "type", STR("about:blank"));
    json_put_int(&w, "status", status);
    json_put_text(&w, "code", str_of(err_name(x->code)));
    json_put_text(&w, "title", str_of(err_title(x->code)));
    json_put_text(&w, "detail", f->message.len ? f->message : str_of(err_title(x->code)));
    json_put_text(&w, "field", str_of(f->field));
    json_put_text(&w, "request_id", x->cx.request_id);
    if (f->extra.len) {
        buf_char(&out, ',');
        buf_add(&out, f->extra);
    }
    json_close_object(&w);
    return buf_str(&out);
}

static void log_failure(const struct exchange *x)
{
    if (x->code != E_INTERNAL && x->code != E_BUSY)
        return;
    const struct failure *f = &x->cx.failure;
    log_event(x->code == E_INTERNAL ? LOG_ERROR : LOG_WARN, "http.failed", F_STR("request_id", x->cx.request_id),
              F_STR("method", x->method_name), F_TXT("route", x->entry ? x->entry->route->path : ""),
              F_STR("detail", f->detail.len ? f->detail : f->message), F_INT("account_id", x->cx.account_id),
              F_INT("user_id", x->cx.user_id));
}

/* Turns a failure into a reply; headers that the handler set before it failed are forgotten. */
static int make_problem(struct exchange *x)
{
    int status = x->refused_status ? x->refused_status : err_status(x->code);
    log_failure(x);
    reply_reset(&x->reply);
    reply_bytes(&x->cx, STR("application/problem+json"), problem_document(x, status));
    const struct failure *f = &x->cx.failure;
    if (f->retry_after_us || x->code == E_BUSY) {
        int64_t seconds = MAX((int64_t)1, (f->retry_after_us + US_PER_SECOND - 1) / US_PER_SECOND);
        reply_header(&x->cx, "Retry-After", arena_printf(x->arena, "%lld", (long long)seconds));
    }
    if (x->code == E_UNAUTHENTICATED)
        reply_header(&x->cx, "WWW-Authenticate", STR("Bearer"));
    if (x->code == E_METHOD) {
        struct buf allow = buf_new(x->arena, 0);
        for (int m = 0; m < METHODS; m++)
            if (x->allowed & (1u << m))
                buf_printf(&allow, "%s%s%s", allow.len ? ", " : "", method_names[m], m == METHOD_GET ? ", HEAD" : "");
        reply_header(&x->cx, "Allow", buf_str(&allow));
    }
    return status;
}

static int make_success(struct exchange *x)
{
    struct reply *reply = &x->reply;
    const struct route *route = x->entry ? x->entry->route : NULL;
    int status = reply->status;
    if (!status)
        status = route && route->no_content ? 204 : route && route->creates ? 201 : 200;
    if (reply->kind != REPLY_JSON)
        return status;
    reply->content_type = STR("application/json");
    if (route->etag_offset && !reply->as_written) {
        int64_t version = *(const int64_t *)(const void *)((const char *)x->out + route->etag_offset);
        struct str etag = arena_printf(x->arena, "\"v%lld\"", (long long)version);
        reply_header(&x->cx, "ETag", etag);
        if (x->method == METHOD_GET && etag_matches(exchange_header(x, "If-None-Match"), etag)) {
            reply->body = STR_NONE;
            reply->content_type = STR_NONE;
            return 304;
        }
    }
    if (!reply->body.ptr && !route->no_content)
        reply_write_json(x);
    if (!reply->body.len)
        reply->content_type = STR_NONE;
    return status;
}

static void put(struct exchange *x, const char *name, const char *value)
{
    MHD_add_response_header(x->response, name, value);
}

static void put_headers(struct exchange *x)
{
    const struct reply *reply = &x->reply;
    if (reply->content_type.len && x->sent_status != 304)
        put(x, "Content-Type", arena_cstr(x->arena, reply->content_type));
    put(x, "X-Request-Id", x->cx.request_id.ptr);
    put(x, "X-Content-Type-Options", "nosniff");
    put(x, "Referrer-Policy", "same-origin");
    bool pdf = reply->sandbox && str_istarts(reply->content_type, STR("application/pdf"));
    bool script = str_starts(reply->content_type, STR("text/javascript"));
    put(x, "Content-Security-Policy", reply->page ? page_csp : pdf ? pdf_csp : reply->sandbox ? sandbox_csp : script ? script_csp : api_csp);
    if (reply->page) {
        put(x, "Cross-Origin-Opener-Policy", "same-origin");
        put(x, "X-Frame-Options", "DENY");
    }
    if (!reply->cacheable)
        put(x, "Cache-Control", "no-store");
    for (const struct header *h = reply->headers; h; h = h->next)
        put(x, h->name, h->value.ptr);
    bool close = x->refused_status || (x->upgrade && x->sent_status != 101) ||
                 __atomic_load_n(&x->server->draining, __ATOMIC_ACQUIRE);
    if (close)
        put(x, "Connection", "close");
}

static void count(struct exchange *x)
{
    static const int64_t bounds[LATENCY_BUCKETS] = { 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
                                                     100000, 250000, 500000, 1000000, 2500000, 10000000 };
    struct route_entry *entry = x->entry ? x->entry : &x->server->other;
    int64_t took = clock_monotonic_us() - x->started_us;
    int class = x->sent_status / 100;
    __atomic_add_fetch(&entry->by_class[class >= 1 && class <= 5 ? class : 0], 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&entry->duration_us, (uint64_t)took, __ATOMIC_RELAXED);
    int i = 0;
    while (i < LATENCY_BUCKETS && took > bounds[i])
        i++;
    __atomic_add_fetch(&x->server->latency[i], 1, __ATOMIC_RELAXED);
}

void exchange_answer(struct exchange *x)
{
    exchange_read_peer(x);
    x->sent_status = x->code == E_OK ? make_success(x) : make_problem(x);
    struct reply *reply = &x->reply;
    count(x);
    if (reply->kind == REPLY_UPGRADE)
        return; /* the loop makes that response */
    if (reply->kind == REPLY_FILE) {
        x->response = MHD_create_response_from_fd_at_offset64((uint64_t)reply->length, reply->fd, (uint64_t)reply->from);
        reply->fd = -1;
        x->sent_bytes = reply->length;
    } else {
        /* The body lies in the arena, which lives until the answer is sent. */
        x->response = MHD_create_response_from_buffer(reply->body.len, (void *)(uintptr_t)reply->body.ptr, MHD_RESPMEM_PERSISTENT);
        x->sent_bytes = (int64_t)reply->body.len;
    }
    ASSERT(x->response);
    put_headers(x);
}

void exchange_log(const struct exchange *x)
{
    int fd = x->server->options.access_log_fd;
    if (fd < 0 || !x->sent_status)
        return;
    struct buf out = buf_new(x->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_time(&w, "time", x->cx.now_us);
    json_put_text(&w, "request_id", x->cx.request_id);
    json_put_text(&w, "method", x->method_name);
    /* The declared path, not the given one: ids are data, secrets in paths stay out of the log. */
    json_put_text(&w, "route", x->entry ? str_of(x->entry->route->path) : STR("-"));
    json_put_int(&w, "status", x->sent_status);
    json_put_int(&w, "bytes", x->head_only ? 0 : x->sent_bytes);
    json_put_int(&w, "duration_us", clock_monotonic_us() - x->started_us);
    json_put_id(&w, "account_id", x->cx.account_id);
    json_put_id(&w, "user_id", x->cx.user_id);
    json_put_text(&w, "ip", x->ip);
    json_close_object(&w);
    buf_char(&out, '\n');
    fd_write_all(fd, out.ptr, out.len);
}
