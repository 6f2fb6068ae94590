/* http_test.c - a real server on a free port: the order of a request, replies, idempotency, files, draining. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#include "platform/blob/blob.h"
#include "platform/crypto/crypto.h"
#include "platform/http/http_client.h"
#include "testing/testing.h"
#include "platform/journal/journal.h"
#include "platform/json/json.h"
#include "platform/realtime/realtime.h"

enum { PERM_THINGS = 9 };

/* ---- a small application ---- */

struct thing_out {
    int64_t id, version, created_us;
    struct str name, note;
};
static const struct field thing_out_fields[] = {
    ID_FIELD(struct thing_out, id, .doc = "Id"), INT_FIELD(struct thing_out, version, .doc = "Version"),
    TEXT_FIELD(struct thing_out, name, .doc = "Name"), TEXT_FIELD(struct thing_out, note, .doc = "Note", .nullable = true),
};
static SHAPE(thing_shape, "Thing", struct thing_out, thing_out_fields);

struct thing_in {
    struct str name, note;
};
static const struct field thing_in_fields[] = {
    TEXT_FIELD(struct thing_in, name, .doc = "Name", .min = 1, .max = 40),
    TEXT_FIELD(struct thing_in, note, .doc = "Note", .max = 100, .optional = true, .nullable = true),
};

static int64_t handled;

HANDLER(post_thing, struct thing_in, struct thing_out)
{
    struct event e = { .type = STR("thing.created"), .data = STR("{}") };
    __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    TRY(journal_append(cx, db, &e));
    *out = (struct thing_out){ .id = e.seq, .version = 1, .name = in->name, .note = in->note };
    if (str_is(in->name, "explode"))
        return fail_internal(cx, "secret detail");
    return E_OK;
}

struct by_id {
    int64_t id;
};
static const struct field by_id_fields[] = { ID_FIELD(struct by_id, id, .doc = "Id", .place = IN_PATH) };


HANDLER(get_thing, struct by_id, struct thing_out)
{
    int64_t head = 0;
    TRY(journal_head(cx, db, cx->account_id, &head));
    if (in->id > head)
        return fail(cx, E_NOT_FOUND, "There is no such thing");
    *out = (struct thing_out){ .id = in->id, .version = 7, .name = STR("it") };
    return E_OK;
}

HANDLER(list_things, struct page_in, struct page_out)
{
    int64_t from = 0;
    if (in->cursor.ptr)
        TRY(page_cursor_read(cx, in->cursor, &from, 1));
    struct thing_out *things = NEWN(cx->arena, struct thing_out, in->limit);
    for (int64_t i = 0; i < in->limit; i++)
        things[i] = (struct thing_out){ .id = from + i + 1, .name = STR("t") };
    *out = (struct page_out){ .items = { .items = things, .n = (size_t)in->limit } };
    from += in->limit;
    out->next_cursor = page_cursor(cx->arena, &from, 1);
    return E_OK;
}
static const struct field page_fields[] = { PAGE_FIELDS(struct { struct page_in p; }, p) };

HANDLER(patch_thing, struct by_id, struct thing_out)
{
    if (request_if_match(cx) != 7)
        return fail(cx, E_PRECONDITION, "It is at version 7");
    *out = (struct thing_out){ .id = in->id, .version = 8, .name = STR("it") };
    return E_OK;
}

HANDLER(delete_thing, struct by_id, struct nothing)
{
    return E_OK;
}

struct file_in {
    struct str file_name;
};
static const struct field file_in_fields[] = {
    TEXT_FIELD(struct file_in, file_name, .doc = "Name", .place = IN_QUERY, .min = 1, .max = 200),
};
struct file_out {
    struct str hash;
    int64_t size;
};
static const struct field file_out_fields[] = { TEXT_FIELD(struct file_out, hash, .doc = "Hash"),
                                                INT_FIELD(struct file_out, size, .doc = "Size") };
static SHAPE(file_shape, "File", struct file_out, file_out_fields);

HANDLER(post_file, struct file_in, struct file_out)
{
    struct str type;
    struct blob_writer *w = request_upload(cx, &out->hash, &out->size, &type);
    return blob_adopt(cx, db, w);
}

struct get_file_in {
    struct str hash, type;
    bool download;
};
static const struct field get_file_fields[] = {
    TEXT_FIELD(struct get_file_in, hash, .doc = "Hash", .place = IN_PATH, .max = 64),
    TEXT_FIELD(struct get_file_in, type, .doc = "Type", .place = IN_QUERY, .max = 64),
    BOOL_FIELD(struct get_file_in, download, .doc = "As a file", .place = IN_QUERY, .optional = true),
};

HANDLER(get_file, struct get_file_in, struct nothing)
{
    reply_blob(cx, in->hash, in->type, STR("na\"me \xc3\xa4\r\n.txt"), in->download);
    return E_OK;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

HANDLER(get_slow, struct nothing, struct nothing)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    reply_bytes(cx, STR("text/plain"), STR("slow"));
    return E_OK;
}

HANDLER(post_login, struct nothing, struct nothing)
{
    reply_cookie(cx, SESSION_COOKIE, STR("sess"), 3600);
    return E_OK;
}

static const struct route routes[] = {
    { METHOD_POST, "/api/v1/things", "Make a thing", .permission = PERM_THINGS, .creates = true,
      FIELDS(thing_in_fields, struct thing_in), RETURNS(&thing_shape, struct thing_out), ETAG(struct thing_out, version),
      .handler = post_thing },
    { METHOD_GET, "/api/v1/things", "List things", .permission = PERM_THINGS, FIELDS(page_fields, struct page_in),
      RETURNS_PAGE(&thing_shape), .handler = list_things },
    { METHOD_GET, "/api/v1/things/{id}", "Get a thing", .permission = PERM_THINGS, FIELDS(by_id_fields, struct by_id),
      RETURNS(&thing_shape, struct thing_out), ETAG(struct thing_out, version), .handler = get_thing },
    { METHOD_PATCH, "/api/v1/things/{id}", "Change a thing", .permission = PERM_THINGS, FIELDS(by_id_fields, struct by_id),
      RETURNS(&thing_shape, struct thing_out), ETAG(struct thing_out, version), .handler = patch_thing },
    { METHOD_DELETE, "/api/v1/things/{id}", "Remove a thing", .permission = PERM_SIGNED_IN, .no_content = true,
      FIELDS(by_id_fields, struct by_id), .handler = delete_thing },
    { METHOD_POST, "/api/v1/files", "Upload", .permission = PERM_SIGNED_IN, .body = BODY_UPLOAD, .creates = true,
      FIELDS(file_in_fields, struct file_in), RETURNS(&file_shape, struct file_out), .handler = post_file },
    { METHOD_GET, "/api/v1/files/{hash}", "Download", .permission = PERM_SIGNED_IN,
      FIELDS(get_file_fields, struct get_file_in), .handler = get_file },
    { METHOD_GET, "/api/v1/slow", "Wait", .permission = PERM_PUBLIC, .lane = LANE_SLOW, .work = WORK_NONE, .handler = get_slow },
    { METHOD_POST, "/api/v1/login", "Sign in", .permission = PERM_PUBLIC, .rate = RATE_LOGIN, .work = WORK_NONE,
      .csrf_exempt = true, .no_content = true, .handler = post_login },
};
static const struct route_table table = { "things", routes, COUNT(routes) };
static const struct route_table *const tables[] = { &table };

static enum err_code authenticate(struct cx *cx, struct db *db, struct str token, struct str session, struct str *ret_csrf)
{
    if (!str_is(token, "good") && !str_is(token, "poor") && !str_is(session, "sess"))
        return fail(cx, E_UNAUTHENTICATED, "Not known");
    cx->account_id = 1;
    cx->user_id = 5;
    cx->permissions = str_is(token, "poor") ? 0 : UINT64_C(1) << PERM_THINGS;
    cx->actor = token.ptr ? STR("token") : STR("user");
    *ret_csrf = session.ptr ? STR("csrf-1") : STR_NONE;
    return E_OK;
}

static enum err_code begin_account(struct cx *cx, struct db *db, void *arg)
{
    return journal_begin(cx, db, 1);
}

struct fixture {
    struct http_server *server;
    struct blobs *blobs;
    int port;
};

static struct fixture serve_with(struct world *w, struct http_options options)
{
    struct fixture f = { 0 };
    crypto_init();
    handled = 0;
    if (w->store) {
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_account, NULL));
        f.blobs = blobs_new(w->dir);
    }
    options.host = "127.0.0.1";
    options.store = w->store;
    options.blobs = f.blobs;
    options.tables = tables;
    options.ntables = 1;
    options.auth.authenticate = authenticate;
    CHECK_OK(&w->cx, http_start(&w->cx, &options, &f.server));
    f.port = http_port(f.server);
    return f;
}

static struct fixture serve(struct world *w)
{
    return serve_with(w, (struct http_options){ .access_log_fd = -1, .max_body_bytes = 4096 });
}

static void finish(struct fixture *f)
{
    http_stop(&f->server, US_PER_SECOND);
    blobs_free(&f->blobs);
}

#define AUTH "Host: x\r\nAuthorization: Bearer good\r\n"
#define COOKIE "Host: desk.test\r\nCookie: a=b; cairn_session=sess\r\n"
#define JSON_POST(path, extra, body) \
    "POST " path " HTTP/1.1\r\n" AUTH extra "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n" body, sizeof(body) - 1

static void check_problem(struct world *w, struct answer a, int status, const char *code, const char *field)
{
    struct json_value doc;
    if (a.status != status)
        fprintf(stderr, "status %d, want %d: %.*s\n", a.status, status, STR_ARG(a.body));
    CHECK_INT(a.status, status);
    CHECK_STR(answer_header(a, "Content-Type"), "application/problem+json");
    CHECK_OK(&w->cx, json_parse(&w->cx, a.body, &doc));
    CHECK_STR(json_text(&doc, "code"), code);
    CHECK_INT(json_int(&doc, "status", 0), status);
    CHECK(str_eq(json_text(&doc, "request_id"), answer_header(a, "X-Request-Id")));
    if (field)
        CHECK_STR(json_text(&doc, "field"), field);
    else
        CHECK(json_get(&doc, "field")->kind == JSON_NULL);
}

/* ---- tests ---- */

static void serves_declared_routes(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    struct answer a = ASK(w, f.port, JSON_POST("/api/v1/things", "", "{\"name\":\"one\",\"note\":null}"));
    CHECK_INT(a.status, 201);
    CHECK_STR(a.body, "{\"id\":\"1\",\"version\":1,\"name\":\"one\",\"note\":null}");
    CHECK_STR(answer_header(a, "ETag"), "\"v1\"");
    CHECK_STR(answer_header(a, "Cache-Control"), "no-store");
    CHECK_STR(answer_header(a, "X-Content-Type-Options"), "nosniff");
    a = ASK(w, f.port, "GET /api/v1/things/1 HTTP/1.1\r\n" AUTH "X-Request-Id: mine-1\r\n\r\n");
    CHECK_INT(a.status, 200);
    CHECK_STR(answer_header(a, "X-Request-Id"), "mine-1");
    a = ASK(w, f.port, "GET http://x/api/v1/things/1 HTTP/1.1\r\n" AUTH "If-None-Match: \"v7\"\r\n\r\n");
    CHECK_INT(a.status, 304);
    a = ASK(w, f.port, "HEAD /api/v1/things/1 HTTP/1.1\r\n" AUTH "\r\n");
    CHECK_INT(a.status, 200);
    a = ASK(w, f.port, "DELETE /api/v1/things/1 HTTP/1.1\r\n" AUTH "\r\n");
    CHECK_INT(a.status, 204);
    a = ASK(w, f.port, "PATCH /api/v1/things/1 HTTP/1.1\r\n" AUTH "If-Match: \"v7\"\r\n\r\n");
    CHECK_INT(a.status, 200);
    a = ASK(w, f.port, "PATCH /api/v1/things/1 HTTP/1.1\r\n" AUTH "If-Match: \"v6\"\r\n\r\n");
    check_problem(w, a, 412, "precondition_failed", NULL);
    finish(&f);
}

static void answers_errors_as_problem_documents(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    int p = f.port;
    check_problem(w, ASK(w, p, "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"), 404, "not_found", NULL);
    struct answer a = ASK(w, p, "PUT /api/v1/things HTTP/1.1\r\nHost: x\r\n\r\n");
    check_problem(w, a, 405, "method_not_allowed", NULL);
    CHECK_STR(answer_header(a, "Allow"), "GET, HEAD, POST");
    CHECK_INT(ASK(w, p, "OPTIONS /api/v1/things HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
    a = ASK(w, p, "GET /api/v1/things/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    check_problem(w, a, 401, "unauthenticated", NULL);
    CHECK_STR(answer_header(a, "WWW-Authenticate"), "Bearer");
    check_problem(w, ASK(w, p, "GET /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer poor\r\n\r\n"), 403, "forbidden", NULL);
    check_problem(w, ASK(w, p, "GET /api/v1/things/99 HTTP/1.1\r\n" AUTH "\r\n"), 404, "not_found", NULL);
    check_problem(w, ASK(w, p, "GET /api/v1/things/9x HTTP/1.1\r\n" AUTH "\r\n"), 422, "invalid", "id");
    check_problem(w, ASK(w, p, "GET /api/v1/things?limit=101 HTTP/1.1\r\n" AUTH "\r\n"), 422, "invalid", "limit");
    check_problem(w, ASK(w, p, "GET /api/v1/things?limit=1&limit=2 HTTP/1.1\r\n" AUTH "\r\n"), 422, "invalid", "limit");
    check_problem(w, ASK(w, p, "GET /api/v1/things?nix=1 HTTP/1.1\r\n" AUTH "\r\n"), 422, "invalid", "nix");
    check_problem(w, ASK(w, p, "GET /api/v1/things?cursor=AAAA HTTP/1.1\r\n" AUTH "\r\n"), 422, "invalid", "cursor");
    check_problem(w, ASK(w, p, JSON_POST("/api/v1/things", "", "{\"name\":")), 400, "bad_request", NULL);
    check_problem(w, ASK(w, p, JSON_POST("/api/v1/things", "", "{}")), 422, "invalid", "name");
    check_problem(w, ASK(w, p, JSON_POST("/api/v1/things", "", "{\"name\":\"\"}")), 422, "invalid", "name");
    check_problem(w, ASK(w, p, JSON_POST("/api/v1/things", "", "{\"name\":\"a\\nb\"}")), 422, "invalid", "name");
    check_problem(w, ASK(w, p, JSON_POST("/api/v1/things", "", "{\"name\":\"a\",\"x\":1}")), 422, "invalid", "x");
    check_problem(w, ASK(w, p, "POST /api/v1/things HTTP/1.1\r\n" AUTH "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
                  415, "unsupported_media_type", NULL);
    check_problem(w, ASK(w, p, "POST /api/v1/things HTTP/1.1\r\n" AUTH "Content-Length: 5000\r\n\r\n"), 413, "too_large", NULL);
    a = ASK(w, p, JSON_POST("/api/v1/things", "", "{\"name\":\"explode\"}"));
    check_problem(w, a, 500, "internal", NULL);
    CHECK(str_find(a.body, STR("secret detail")) < 0);
    finish(&f);
}

static void pages_through_a_list(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    struct answer a = ASK(w, f.port, "GET /api/v1/things?limit=2 HTTP/1.1\r\n" AUTH "\r\n");
    struct json_value doc;
    CHECK_OK(&w->cx, json_parse(&w->cx, a.body, &doc));
    CHECK_INT(json_get(&doc, "items")->n, 2);
    struct str cursor = json_text(&doc, "next_cursor");
    a = ASK(w, f.port, "GET /api/v1/things?cursor=%.*s HTTP/1.1\r\n" AUTH "\r\n", STR_ARG(cursor));
    CHECK_OK(&w->cx, json_parse(&w->cx, a.body, &doc));
    CHECK_INT(json_get(&doc, "items")->n, 50);
    CHECK_STR(json_text(&json_get(&doc, "items")->items[0], "id"), "3");
    finish(&f);
}

#define KEYED(key, body) JSON_POST("/api/v1/things", "Idempotency-Key: " key "\r\n", body)

struct racer {
    int port;
    struct answer answer;
    struct arena *arena;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    r->answer = client_ask(r->arena, r->port, arena_printf(r->arena, KEYED("race", "{\"name\":\"r\"}")));
    return NULL;
}

static void creates_once_for_an_idempotency_key(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    struct answer first = ASK(w, f.port, KEYED("k1", "{\"name\":\"one\"}"));
    struct answer again = ASK(w, f.port, KEYED("k1", "{\"name\":\"one\"}"));
    CHECK_INT(first.status, 201);
    CHECK_INT(again.status, 201);
    CHECK(str_eq(first.body, again.body));
    CHECK_STR(answer_header(again, "Idempotency-Replayed"), "true");
    CHECK_INT(__atomic_load_n(&handled, __ATOMIC_RELAXED), 1);
    check_problem(w, ASK(w, f.port, KEYED("k1", "{\"name\":\"two\"}")), 422, "invalid", "Idempotency-Key");
    check_problem(w, ASK(w, f.port, KEYED("k 2", "{\"name\":\"two\"}")), 422, "invalid", "Idempotency-Key");
    /* A failure is not kept. */
    CHECK_INT(ASK(w, f.port, KEYED("k3", "{\"name\":\"explode\"}")).status, 500);
    CHECK_INT(ASK(w, f.port, KEYED("k3", "{\"name\":\"fine\"}")).status, 201);

    struct racer racers[8];
    pthread_t threads[COUNT(racers)];
    for (size_t i = 0; i < COUNT(racers); i++) {
        racers[i] = (struct racer){ .port = f.port, .arena = arena_new("racer", 0) };
        CHECK(pthread_create(&threads[i], NULL, race, &racers[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(racers); i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < COUNT(racers); i++) {
        CHECK_INT(racers[i].answer.status, 201);
        CHECK(str_eq(racers[i].answer.body, racers[0].answer.body));
    }
    for (size_t i = 0; i < COUNT(racers); i++)
        arena_free(&racers[i].arena);
    CHECK_STR(ASK(w, f.port, KEYED("last", "{\"name\":\"x\"}")).body, "{\"id\":\"4\",\"version\":1,\"name\":\"x\",\"note\":null}");
    finish(&f);
}

static void guards_sessions_against_other_sites(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    int p = f.port;
    CHECK_INT(ASK(w, p, "GET /api/v1/things HTTP/1.1\r\n" COOKIE "\r\n").status, 200);
    check_problem(w, ASK(w, p, "DELETE /api/v1/things/1 HTTP/1.1\r\n" COOKIE "\r\n"), 403, "forbidden", "X-CSRF-Token");
    check_problem(w, ASK(w, p, "DELETE /api/v1/things/1 HTTP/1.1\r\n" COOKIE "X-CSRF-Token: csrf-2\r\n\r\n"), 403, "forbidden", "X-CSRF-Token");
    CHECK_INT(ASK(w, p, "DELETE /api/v1/things/1 HTTP/1.1\r\n" COOKIE "X-CSRF-Token: csrf-1\r\n\r\n").status, 204);
    CHECK_INT(ASK(w, p, "DELETE /api/v1/things/1 HTTP/1.1\r\n" COOKIE "Origin: http://desk.test\r\nX-CSRF-Token: csrf-1\r\n\r\n").status, 204);
    check_problem(w, ASK(w, p, "DELETE /api/v1/things/1 HTTP/1.1\r\n" COOKIE "Origin: http://evil.test\r\nX-CSRF-Token: csrf-1\r\n\r\n"),
                  403, "forbidden", NULL);
    check_problem(w, ASK(w, p, "DELETE /api/v1/things/1 HTTP/1.1\r\n" COOKIE "Sec-Fetch-Site: cross-site\r\nX-CSRF-Token: csrf-1\r\n\r\n"),
                  403, "forbidden", NULL);
    check_problem(w, ASK(w, p, "POST /api/v1/login HTTP/1.1\r\nHost: desk.test\r\nOrigin: http://evil.test\r\n\r\n"), 403, "forbidden", NULL);
    struct answer a = ASK(w, p, "POST /api/v1/login HTTP/1.1\r\nHost: desk.test\r\n\r\n");
    CHECK_INT(a.status, 204);
    CHECK_STR(answer_header(a, "Set-Cookie"), "cairn_session=sess; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
    finish(&f);
}

static void limits_rates(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    struct answer a = { 0 };
    int n = 0;
    for (; n < 30 && a.status != 429; n++)
        a = ASK(w, f.port, "POST /api/v1/login HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_INT(n, 11);
    check_problem(w, a, 429, "too_many_requests", NULL);
    CHECK(answer_header(a, "Retry-After").len > 0);
    finish(&f);
}

static struct answer get_range(struct world *w, int port, struct str hash, const char *type, const char *headers)
{
    return ASK(w, port, "GET /api/v1/files/%.*s?type=%s HTTP/1.1\r\n" AUTH "%s\r\n", STR_ARG(hash), type, headers);
}

static struct str upload(struct world *w, int port, struct str content)
{
    struct answer a = client_ask(w->arena, port,
        arena_printf(w->arena, "POST /api/v1/files?file_name=a.bin HTTP/1.1\r\n" AUTH "Content-Length: %zu\r\n\r\n%.*s", content.len, STR_ARG(content)));
    struct json_value doc;
    CHECK_INT(a.status, 201);
    CHECK_OK(&w->cx, json_parse(&w->cx, a.body, &doc));
    CHECK_INT(json_int(&doc, "size", 0), (int64_t)content.len);
    return json_text(&doc, "hash");
}

static void streams_files_in_and_out(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    struct buf big = buf_new(w->arena, 0);
    for (int i = 0; i < 30000; i++)
        buf_printf(&big, "%09d\n", i);
    struct str contents[] = { STR("0123456789"), buf_str(&big) };
    for (size_t i = 0; i < COUNT(contents); i++) {
        struct str hash = upload(w, f.port, contents[i]);
        struct answer a = get_range(w, f.port, hash, "text/plain", "");
        CHECK_INT(a.status, 200);
        CHECK(str_eq(a.body, contents[i]));
        CHECK_STR(answer_header(a, "Content-Disposition"), "inline; filename=\"na_me ____.txt\"; filename*=UTF-8''na%22me%20%C3%A4%0D%0A.txt");
        CHECK(str_starts(answer_header(a, "Content-Security-Policy"), STR("sandbox; default-src 'none'")));
        a = get_range(w, f.port, hash, "text/plain", "Range: bytes=2-4\r\n");
        CHECK_INT(a.status, 206);
        CHECK(str_eq(a.body, str_sub(contents[i], 2, 3)));
        a = get_range(w, f.port, hash, "text/plain", "Range: bytes=-3\r\n");
        CHECK(str_eq(a.body, str_skip(contents[i], contents[i].len - 3)));
        a = get_range(w, f.port, hash, "text/plain", "Range: bytes=9999999-\r\n");
        CHECK_INT(a.status, 416);
        a = get_range(w, f.port, hash, "text/plain", arena_printf(w->arena, "If-None-Match: \"%.*s\"\r\n", STR_ARG(hash)).ptr);
        CHECK_INT(a.status, 304);
        static const char *const active[] = { "image/svg%2Bxml", "text/html", "application/xhtml%2Bxml", "text%2Fxml" };
        for (size_t k = 0; k < COUNT(active); k++)
            CHECK_CASE(active[k], str_starts(answer_header(get_range(w, f.port, hash, active[k], ""), "Content-Disposition"), STR("attachment")));
    }
    struct answer a = ASK(w, f.port, "POST /api/v1/files?file_name=a HTTP/1.1\r\n" AUTH
                          "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
    CHECK_INT(a.status, 201);
    check_problem(w, ASK(w, f.port, "POST /api/v1/files?file_name=a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"), 401, "unauthenticated", NULL);
    check_problem(w, ASK(w, f.port, "POST /api/v1/files?file_name=a HTTP/1.1\r\n" AUTH "Content-Length: 99999999\r\n\r\n"), 413, "too_large", NULL);
    check_problem(w, ASK(w, f.port, "POST /api/v1/files HTTP/1.1\r\n" AUTH "Content-Length: 1\r\n\r\nx"), 422, "invalid", "file_name");
    finish(&f);
}

static void serves_built_files(void **state)
{
    struct world *w = *state;
    struct str web = arena_printf(w->arena, "%s/web/assets", w->dir);
    CHECK(fd_make_dirs(web.ptr, 0755));
    struct {
        const char *name, *content;
    } files[] = { { "index.html", "<!doctype html>" }, { "assets/app-12ab34cd.js", "plain" },
                  { "assets/app-12ab34cd.js.br", "brotli" }, { "assets/app-12ab34cd.js.gz", "gz" } };
    for (size_t i = 0; i < COUNT(files); i++)
        CHECK(fd_replace_file(w->arena, arena_printf(w->arena, "%s/web/%s", w->dir, files[i].name).ptr, str_of(files[i].content), 0644));
    CHECK(fd_replace_file(w->arena, arena_printf(w->arena, "%s/secret.txt", w->dir).ptr, STR("secret"), 0644));
    struct fixture f = serve_with(w, (struct http_options){ .access_log_fd = -1, .web_dir = arena_printf(w->arena, "%s/web", w->dir).ptr });
    struct answer a = ASK(w, f.port, "GET /tickets/7 HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_STR(a.body, "<!doctype html>");
    CHECK_STR(answer_header(a, "Cache-Control"), "no-cache");
    CHECK(str_find(answer_header(a, "Content-Security-Policy"), STR("script-src 'self';")) > 0);
    a = ASK(w, f.port, "GET /assets/app-12ab34cd.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\n\r\n");
    CHECK_STR(a.body, "brotli");
    CHECK_STR(answer_header(a, "Content-Type"), "text/javascript; charset=utf-8");
    CHECK_STR(answer_header(a, "Cache-Control"), "public, max-age=31536000, immutable");
    CHECK_STR(ASK(w, f.port, "GET /assets/app-12ab34cd.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br;q=0\r\n\r\n").body, "gz");
    CHECK_STR(ASK(w, f.port, "GET /assets/app-12ab34cd.js HTTP/1.1\r\nHost: x\r\n\r\n").body, "plain");
    static const char *const escapes[] = { "/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/none.js" };
    for (size_t i = 0; i < COUNT(escapes); i++)
        check_problem(w, ASK(w, f.port, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", escapes[i]), 404, "not_found", NULL);
    check_problem(w, ASK(w, f.port, "GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 404, "not_found", NULL);
    finish(&f);
}

static void tells_about_itself(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    CHECK_INT(ASK(w, f.port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    CHECK_INT(ASK(w, f.port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    struct answer a = ASK(w, f.port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(str_find(a.body, STR("cairn_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"2xx\"} 1\n")) >= 0);
    a = ASK(w, f.port, "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n");
    struct json_value doc;
    CHECK_OK(&w->cx, json_parse(&w->cx, a.body, &doc));
    CHECK_STR(json_text(&doc, "openapi"), "3.1.0");
    const struct json_value *post = json_get(json_get(json_get(&doc, "paths"), "/api/v1/things"), "post");
    CHECK_STR(json_text(post, "summary"), "Make a thing");
    CHECK(json_get(json_get(json_get(&doc, "components"), "schemas"), "Thing") != NULL);
    a = ASK(w, f.port, "GET /api/docs HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(str_find(a.body, STR("/api/v1/things/{id}")) > 0);
    finish(&f);
}

static bool sees_all(const struct realtime_user *user, const struct event *event)
{
    return true;
}

#define UPGRADE "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void hands_sockets_over_to_the_stream(void **state)
{
    struct world *w = *state;
    struct realtime *rt = realtime_new(w->store, (struct realtime_rules){ .may_see = sees_all }, 1);
    struct fixture f = serve_with(w, (struct http_options){ .access_log_fd = -1, .realtime = rt });
    CLEANUP(fd_close) int fd = client_open(f.port);
    struct buf in = buf_new(w->arena, 0);
    /* Early bytes: a ping that comes with the request. */
    client_send(fd, STR("GET /api/v1/stream?after=0 HTTP/1.1\r\n" AUTH UPGRADE "\r\n\x89\x80\1\2\3\4"));
    struct answer a = client_read(w->arena, fd, &in, true);
    CHECK_INT(a.status, 101);
    CHECK_STR(answer_header(a, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    while (in.len < 28 && client_more(fd, &in, 10000))
        ;
    CHECK(str_find(buf_str(&in), STR("\x8a\0")) >= 0);
    CHECK(str_find(buf_str(&in), STR("\x81\x18{\"type\":\"hello\",\"seq\":0}")) >= 0);
    buf_clear(&in);
    CHECK_INT(ASK(w, f.port, JSON_POST("/api/v1/things", "", "{\"name\":\"one\"}")).status, 201);
    while (str_find(buf_str(&in), STR("thing.created")) < 0 && client_more(fd, &in, 10000))
        ;
    CHECK(str_find(buf_str(&in), STR("\"type\":\"thing.created\"")) > 0);

    int p = f.port;
    check_problem(w, ASK(w, p, "GET /api/v1/stream HTTP/1.1\r\n" AUTH UPGRADE "\r\n"), 429, "too_many_requests", NULL);
    check_problem(w, ASK(w, p, "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n" UPGRADE "\r\n"), 401, "unauthenticated", NULL);
    check_problem(w, ASK(w, p, "GET /api/v1/stream HTTP/1.1\r\n" AUTH "\r\n"), 400, "bad_request", NULL);
    check_problem(w, ASK(w, p, "GET /api/v1/stream HTTP/1.1\r\n" COOKIE "Origin: http://evil.test\r\n" UPGRADE "\r\n"), 403, "forbidden", NULL);
    finish(&f);
    realtime_free(&rt);
}

static void logs_each_request_as_json(void **state)
{
    struct world *w = *state;
    char *path = arena_cstr(w->arena, arena_printf(w->arena, "%s/access.log", w->dir));
    CLEANUP(fd_close) int fd = open(path, O_CREAT | O_RDWR | O_APPEND, 0600);
    struct fixture f = serve_with(w, (struct http_options){ .access_log_fd = fd, .trusted_proxy = "127.0.0.1" });
    ASK(w, f.port, "GET /api/v1/things?limit=3 HTTP/1.1\r\n" AUTH "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\nX-Request-Id: r-1\r\n\r\n");
    ASK(w, f.port, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: nonsense\r\nX-Request-Id: \"bad\"\r\n\r\n");
    finish(&f);
    struct str text, line;
    struct json_value doc;
    CHECK(fd_read_file(w->arena, path, 1 << 20, &text));
    CHECK(str_line(&text, &line));
    CHECK_OK(&w->cx, json_parse(&w->cx, line, &doc));
    CHECK_STR(json_text(&doc, "request_id"), "r-1");
    CHECK_STR(json_text(&doc, "route"), "/api/v1/things");
    CHECK_STR(json_text(&doc, "ip"), "198.51.100.7");
    CHECK_STR(json_text(&doc, "user_id"), "5");
    CHECK_INT(json_int(&doc, "status", 0), 200);
    CHECK(str_line(&text, &line));
    CHECK_OK(&w->cx, json_parse(&w->cx, line, &doc));
    CHECK_STR(json_text(&doc, "ip"), "127.0.0.1");
    CHECK_INT(json_text(&doc, "request_id").len, 16);
}

static void *stop_server(void *arg)
{
    struct fixture *f = arg;
    http_stop(&f->server, 10 * US_PER_SECOND);
    return NULL;
}

static void drains_before_it_stops(void **state)
{
    struct world *w = *state;
    struct fixture f = serve(w);
    CLEANUP(fd_close) int fd = client_open(f.port);
    struct buf in = buf_new(w->arena, 0);
    pthread_mutex_lock(&gate);
    client_send(fd, STR("GET /api/v1/slow HTTP/1.1\r\nHost: x\r\n\r\n"));
    /* A slow lane that is full does not hold up the fast one. */
    CHECK_INT(ASK(w, f.port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    pthread_t stopper;
    CHECK(pthread_create(&stopper, NULL, stop_server, &f) == 0);
    usleep(50000); /* lets the stop begin; the request is held by the gate either way */
    pthread_mutex_unlock(&gate);
    struct answer a = client_read(w->arena, fd, &in, false);
    CHECK_INT(a.status, 200);
    CHECK_STR(a.body, "slow");
    pthread_join(stopper, NULL);
    CHECK(f.server == NULL);
    blobs_free(&f.blobs);
}

static void refuses_bad_declarations(void **state)
{
    struct world *w = *state;
    static const struct field bad_fields[] = { TEXT_FIELD(struct thing_in, name, .place = IN_QUERY) };
    static const struct route bad[] = {
        { METHOD_GET, "/a/{id}", "A", .handler = get_thing },
        { METHOD_GET, "/a/{name}", NULL, .permission = PERM_PUBLIC, FIELDS(bad_fields, struct thing_in), .handler = get_thing },
    };
    static const struct route_table bad_table = { "bad", bad, COUNT(bad) };
    static const struct route_table *const list[] = { &bad_table };
    struct buf out = buf_new(w->arena, 0);
    CHECK_INT(routes_lint(list, 1, &out), 9);
    static const char *const complaints[] = { "GET /a/{id}: has no permission", "{id} has no field", "has no summary",
                                              "field name has no upper bound", "field name has no doc", "is declared twice" };
    for (size_t i = 0; i < COUNT(complaints); i++)
        CHECK_CASE(complaints[i], str_find(buf_str(&out), str_of(complaints[i])) >= 0);
    struct http_options options = { .host = "127.0.0.1", .tables = list, .ntables = 1, .access_log_fd = -1 };
    struct http_server *server = NULL;
    CHECK_ERR(http_start(&w->cx, &options, &server), E_INVALID);
}

TESTS(BOTH(serves_declared_routes), SQLITE(answers_errors_as_problem_documents), SQLITE(pages_through_a_list),
      BOTH(creates_once_for_an_idempotency_key), SQLITE(guards_sessions_against_other_sites), SQLITE(limits_rates),
      BOTH(streams_files_in_and_out), SQLITE(serves_built_files), SQLITE(tells_about_itself), SQLITE(logs_each_request_as_json), BOTH(hands_sockets_over_to_the_stream), SQLITE(drains_before_it_stops),
      UNIT(refuses_bad_declarations))
