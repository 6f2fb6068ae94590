/* http_wire_test.c - what reaches the engine: canonical requests only, whole, in time; and no answer to the second half of a lie. */
#include <fcntl.h>
#include <stdio.h>

#include "platform/http/http_client.h"
#include "testing/testing.h"
#include "platform/http/http_wire.h"
#include "platform/json/json.h"

struct echo_in {
    struct str text;
};
static const struct field echo_fields[] = {
    TEXT_FIELD(struct echo_in, text, .doc = "Text", .max = 100000, .optional = true, .multiline = true),
};
struct echo_out {
    int64_t bytes;
};
static const struct field echo_out_fields[] = { INT_FIELD(struct echo_out, bytes, .doc = "How many") };
static SHAPE(echo_shape, "Echo", struct echo_out, echo_out_fields);

HANDLER(echo, struct echo_in, struct echo_out)
{
    out->bytes = (int64_t)in->text.len;
    return E_OK;
}

static const struct route routes[] = {
    { METHOD_POST, "/echo", "Count", .permission = PERM_PUBLIC, .rate = RATE_NONE, .work = WORK_NONE,
      FIELDS(echo_fields, struct echo_in), RETURNS(&echo_shape, struct echo_out), .handler = echo },
    { METHOD_GET, "/echo", "Count", .permission = PERM_PUBLIC, .rate = RATE_NONE, .work = WORK_NONE,
      RETURNS(&echo_shape, struct echo_out), .handler = echo },
};
static const struct route_table table = { "echo", routes, COUNT(routes) };
static const struct route_table *const tables[] = { &table };

static struct http_server *serve(struct world *w)
{
    struct http_options o = { .host = "127.0.0.1", .tables = tables, .ntables = 1, .access_log_fd = -1, .rate_factor = -1,
                              .max_body_bytes = 1 << 20 };
    struct http_server *server = NULL;
    CHECK_OK(&w->cx, http_start(&w->cx, &o, &server));
    return server;
}

/* All that the server says until it closes (or has nothing more to say for wait_ms). */
static struct str talk(struct world *w, int port, struct str bytes, int wait_ms, bool *ret_closed)
{
    CLEANUP(fd_close) int fd = client_open(port);
    struct buf in = buf_new(w->arena, 0);
    client_send(fd, bytes);
    while (client_more(fd, &in, wait_ms))
        ;
    char c;
    *ret_closed = recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    return buf_str(&in);
}

static int status_of(struct str answer)
{
    int64_t status = 0;
    num_parse_int(str_sub(answer, 9, 3), &status);
    return (int)status;
}

static size_t answers_in(struct str text)
{
    size_t n = 0;
    ptrdiff_t at;
    while ((at = str_find(text, STR("HTTP/1.1 "))) >= 0) {
        text = str_skip(text, (size_t)at + 9);
        n += text.len && text.ptr[0] >= '1' && text.ptr[0] <= '5';
    }
    return n;
}

#define GET "GET /echo HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define BYTES(lit) { (lit), sizeof(lit) - 1 }

static const struct refused {
    const char *name;
    struct str bytes;
    int status;
} refused[] = {
    { "no Host", BYTES("GET /echo HTTP/1.1\r\n\r\n"), 400 },
    { "two Hosts", BYTES(GET "Host: x\r\n\r\n"), 400 },
    { "Host with a path", BYTES("GET /echo HTTP/1.1\r\nHost: x/y\r\n\r\n"), 400 },
    { "repeated Content-Length", BYTES(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"), 400 },
    { "Content-Length list", BYTES(POST "Content-Length: 2, 2\r\n\r\n{}"), 400 },
    { "signed Content-Length", BYTES(POST "Content-Length: +2\r\n\r\n{}"), 400 },
    { "huge Content-Length", BYTES(POST "Content-Length: 99999999999999999999\r\n\r\n{}"), 400 },
    { "Content-Length and Transfer-Encoding", BYTES(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "other Transfer-Encoding", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "Transfer-Encoding twice", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "Transfer_Encoding", BYTES(POST "Transfer_Encoding: chunked\r\n\r\n"), 400 },
    { "chunked in HTTP/1.0", BYTES("POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "NUL in a value", BYTES(GET "A: b\0c\r\n\r\n"), 400 },
    { "bare CR", BYTES(GET "A: b\rC: d\r\n\r\n"), 400 },
    { "bare LF", BYTES(GET "A: b\nC: d\r\n\r\n"), 400 },
    { "control character", BYTES(GET "A: b\x01\r\n\r\n"), 400 },
    { "space before the colon", BYTES(GET "A : b\r\n\r\n"), 400 },
    { "folding", BYTES(GET "A: b\r\n c\r\n\r\n"), 400 },
    { "header without colon", BYTES(GET "A\r\n\r\n"), 400 },
    { "empty name", BYTES(GET ": b\r\n\r\n"), 400 },
    { "bad method", BYTES("G(T /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "two spaces", BYTES("GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "raw byte in the target", BYTES("GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "NUL escape in the target", BYTES("GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "broken escape", BYTES("GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "fragment", BYTES("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "HTTP/2.0", BYTES("GET /echo HTTP/2.0\r\nHost: x\r\n\r\n"), 505 },
    { "http/1.1", BYTES("GET /echo http/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "no version", BYTES("GET /echo\r\nHost: x\r\n\r\n"), 400 },
    { "empty line first", BYTES("\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
    { "unknown expectation", BYTES(GET "Expect: tea\r\n\r\n"), 417 },
    { "chunk size that is none", BYTES(CHUNKED "x\r\n\r\n"), 400 },
    { "chunk line with bare LF", BYTES(CHUNKED "2\n{}\r\n0\r\n\r\n"), 400 },
    { "chunk without line end", BYTES(CHUNKED "2\r\n{}0\r\n\r\n"), 400 },
    { "chunk size with 0x", BYTES(CHUNKED "0x2\r\n{}\r\n0\r\n\r\n"), 400 },
    { "chunk size too large", BYTES(CHUNKED "fffffffffffffffff\r\n"), 400 },
    { "chunk extension with LF", BYTES(CHUNKED "2;a\nb\r\n{}\r\n0\r\n\r\n"), 400 },
    { "trailer", BYTES(CHUNKED "2\r\n{}\r\n0\r\nHost: y\r\n\r\n"), 400 },
};

static void refuses_what_is_not_canonical_and_closes(void **state)
{
    struct world *w = *state;
    struct http_server *server = serve(w);
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct refused *r = &refused[i];
        bool closed = false;
        /* A second request hides behind each: it must never be answered. */
        struct str bytes = arena_copy(w->arena, r->bytes);
        struct buf both = buf_new(w->arena, 0);
        buf_add(&both, bytes);
        buf_lit(&both, GET "\r\n");
        struct str said = talk(w, http_port(server), buf_str(&both), 3000, &closed);
        CHECK_CASE(r->name, status_of(said) == r->status);
        CHECK_CASE(r->name, answers_in(said) == 1);
        CHECK_CASE(r->name, closed);
        CHECK_CASE(r->name, str_find(said, STR("application/problem+json")) > 0);
    }
    http_stop(&server, 0);
}

static void refuses_large_heads(void **state)
{
    struct world *w = *state;
    struct http_server *server = serve(w);
    bool closed = false;
    struct buf big = buf_new(w->arena, 0), many = buf_new(w->arena, 0);
    buf_lit(&big, GET "A: ");
    for (int i = 0; i < 17000; i++)
        buf_char(&big, 'a');
    buf_lit(&many, GET);
    for (int i = 0; i < 101; i++)
        buf_printf(&many, "A%d: b\r\n", i);
    buf_lit(&many, "\r\n");
    CHECK_INT(status_of(talk(w, http_port(server), buf_str(&big), 3000, &closed)), 431);
    CHECK(closed);
    CHECK_INT(status_of(talk(w, http_port(server), buf_str(&many), 3000, &closed)), 431);
    CHECK(closed);
    http_stop(&server, 0);
}

static void reads_requests_in_any_pieces(void **state)
{
    struct world *w = *state;
    struct http_server *server = serve(w);
    struct str requests[] = { STR(GET "\r\n"), STR(POST "Content-Length: 13\r\n\r\n{\"text\":\"ab\"}"),
                              STR(CHUNKED "3;x=\"y\"\r\n{\"t\r\n0b\r\next\":\"abc\"}\r\n0\r\n\r\n") };
    static const char *const bodies[] = { "{\"bytes\":0}", "{\"bytes\":2}", "{\"bytes\":3}" };
    for (size_t step = 1; step <= 7; step += 3) {
        CLEANUP(fd_close) int fd = client_open(http_port(server));
        struct buf in = buf_new(w->arena, 0);
        for (size_t r = 0; r < COUNT(requests); r++)
            for (size_t at = 0; at < requests[r].len; at += step)
                client_send(fd, str_sub(requests[r], at, step));
        for (size_t r = 0; r < COUNT(requests); r++)
            CHECK_STR(client_read(w->arena, fd, &in, false).body, bodies[r]);
    }
    http_stop(&server, 0);
}

static void answers_a_pipeline_in_order_up_to_the_refusal(void **state)
{
    struct world *w = *state;
    struct http_server *server = serve(w);
    struct buf all = buf_new(w->arena, 0);
    bool closed = false;
    for (int i = 0; i < 200; i++)
        buf_lit(&all, GET "\r\n" CHUNKED "d\r\n{\"text\":\"ab\"}\r\n0\r\n\r\n");
    buf_lit(&all, GET "A : b\r\n\r\n" GET "\r\n");
    struct str said = talk(w, http_port(server), buf_str(&all), 3000, &closed);
    CHECK_INT(answers_in(said), 401);
    CHECK(closed);
    CHECK_INT(status_of(str_skip(said, (size_t)str_find(said, STR("HTTP/1.1 400")))), 400);
    http_stop(&server, 0);
}

static void cuts_off_slow_clients(void **state)
{
    struct wire_set set = { 0 };
    int pair[2];
    char out[256];
    wire_set_init(&set);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    struct wire *wire = wire_open(&set, pair[0]);
    client_send(pair[1], STR("GET / HTTP/1.1\r\nHos"));
    CHECK_INT(wire_recv(wire, out, sizeof out), -1);
    CHECK_INT(wire_watch(&set, US_PER_HOUR, US_PER_HOUR, 1), 0);
    wire->since_us -= 2 * US_PER_MINUTE;
    CHECK_INT(wire_watch(&set, US_PER_MINUTE, US_PER_HOUR, 1), 1);
    CHECK_INT(recv(pair[1], out, sizeof out, 0), 0);
    wire_close(wire);
    close(pair[0]);
    close(pair[1]);

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    wire = wire_open(&set, pair[0]);
    client_send(pair[1], STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"));
    CHECK(wire_recv(wire, out, sizeof out) > 0);
    client_send(pair[1], STR("0123456789"));
    CHECK_INT(wire_recv(wire, out, sizeof out), 10);
    wire->since_us -= 20 * US_PER_SECOND;
    CHECK_INT(wire_watch(&set, US_PER_SECOND, 10 * US_PER_SECOND, 0), 0);
    CHECK_INT(wire_watch(&set, US_PER_SECOND, 10 * US_PER_SECOND, 1024), 1);
    wire_close(wire);
    /* Between requests nothing is unfinished. */
    wire = wire_open(&set, pair[0]);
    wire->since_us = 0;
    CHECK_INT(wire_watch(&set, 1, 1, 1), 0);
    wire_close(wire);
    close(pair[0]);
    close(pair[1]);
}

/* ---- published vectors ---- */

static bool next_case(struct world *w, struct str *rest, struct json_value *ret)
{
    struct str line;
    if (!str_line(rest, &line) || !line.len)
        return false;
    CHECK_OK(&w->cx, json_parse(&w->cx, line, ret));
    return true;
}

/* Code points up to U+00FF are bytes in these sets. */
static struct str latin1(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    uint32_t cp;
    while (utf8_next(&text, &cp))
        buf_char(&out, (char)(unsigned char)cp);
    return buf_str(&out);
}

static struct str load(struct world *w, const char *set)
{
    const char *path = shared_data(w, set);
    struct str text = STR_NONE;
    if (!path) {
        print_message("skipped: ../shared/data/%s is not here\n", set);
        return text;
    }
    CHECK(fd_read_file(w->arena, path, 16 << 20, &text));
    return text;
}

static void is_not_fooled_by_smuggling_variants(void **state)
{
    struct world *w = *state;
    struct str rest = load(w, "http-smuggling-te/cases.jsonl");
    if (!rest.ptr)
        return;
    struct http_server *server = serve(w);
    struct json_value c;
    size_t cases = 0, accepted = 0, desyncs = 0, open = 0;
    while (next_case(w, &rest, &c)) {
        static const char *const kinds[] = { "clte", "tecl" };
        for (size_t k = 0; k < COUNT(kinds); k++, cases++) {
            bool closed = false;
            struct str bytes = latin1(w->arena, json_text(&c, kinds[k]));
            struct str said = talk(w, http_port(server), bytes, 3000, &closed);
            int status = status_of(said);
            /* "X: X Transfer-Encoding: chunked" is one sound header of another name. */
            struct str field = json_text(&c, "te_header_bytes_latin1");
            bool sound = str_starts(field, STR("X: X")) && (unsigned char)field.ptr[4] >= 0x20 && field.ptr[4] != 0x7f;
            accepted += !sound && status != 400;
            desyncs += answers_in(said) > 1;
            open += !sound && !closed;
            if (status != 400 && !sound)
                print_message("%.*s %s: %d\n", STR_ARG(json_text(&c, "id")), kinds[k], status);
        }
    }
    print_message("%zu requests: %zu accepted, %zu desyncs, %zu left open\n", cases, accepted, desyncs, open);
    CHECK(cases > 2000);
    CHECK_INT(accepted, 0);
    CHECK_INT(desyncs, 0);
    CHECK_INT(open, 0);
    http_stop(&server, 0);
}

static void refuses_what_llhttp_refuses(void **state)
{
    struct world *w = *state;
    struct str rest = load(w, "http-llhttp/cases.jsonl");
    if (!rest.ptr)
        return;
    struct http_server *server = serve(w);
    struct json_value c;
    size_t bad = 0, good = 0, accepted = 0, stricter = 0;
    while (next_case(w, &rest, &c)) {
        const struct json_value *meta = json_get(&c, "meta");
        struct str type = meta->kind == JSON_OBJECT ? json_text(meta, "type") : STR_NONE;
        if (!str_is(type, "request"))
            continue;
        bool error = str_find(json_text(&c, "log"), STR("error code=")) >= 0, closed = false;
        struct str said = talk(w, http_port(server), latin1(w->arena, json_text(&c, "raw_wire")), 300, &closed);
        /* The head alone may be good: then the answer to it is no acceptance of what follows. */
        if (error && str_find(json_text(&c, "log"), STR("Data after `Connection: close`")) >= 0) {
            CHECK_INT(answers_in(said), 1);
            CHECK(closed);
            continue;
        }
        bool refusal = !said.len || str_find(said, STR("bad_request")) >= 0 || str_find(said, STR("\"too_large\"")) >= 0;
        bad += error;
        good += !error;
        accepted += error && !refusal;
        stricter += !error && refusal;
        if (error && !refusal)
            print_message("%.*s %.*s: %.*s\n", STR_ARG(json_text(&c, "id")), STR_ARG(json_text(&c, "title")), STR_ARG(str_sub(said, 0, 12)));
    }
    print_message("%zu bad ones: %zu accepted; %zu good ones: %zu refused by our stricter rules\n", bad, accepted, good, stricter);
    CHECK(bad > 10);
    CHECK_INT(accepted, 0);
    http_stop(&server, 0);
}

TESTS(UNIT(refuses_what_is_not_canonical_and_closes), UNIT(refuses_large_heads), UNIT(reads_requests_in_any_pieces),
      UNIT(answers_a_pipeline_in_order_up_to_the_refusal), UNIT(cuts_off_slow_clients),
      UNIT(is_not_fooled_by_smuggling_variants), UNIT(refuses_what_llhttp_refuses))
