/* outbound_test.c - sending and calling, against servers that behave and that do not. */
#include "tests/peers/peer.h"

#include <pthread.h>

#include "platform/lmtp/lmtp.h"
#include "platform/outbound/outbound.h"

#define RAW "From: a@example.com\r\nTo: b@example.org\r\nSubject: hi\r\n\r\n.one\r\n..two\r\n.\r\nthree\r\n"
static const char password[] = "secret \"pass\\word\" \xc3\xa4";

static struct smtp_server server_at(const struct peer *p, enum smtp_security security)
{
    return (struct smtp_server){ .host = STR("localhost"), .port = p->port, .security = security, .ca_file = access(p->ca, R_OK) == 0 ? p->ca : NULL,
                                 .helo = STR("cairn.example.com"), .timeout_us = 5 * US_PER_SECOND };
}

static struct smtp_result send_to(struct world *w, const struct smtp_server *server, const char *const *to, size_t n, struct str raw)
{
    struct smtp_result r;
    struct str *list = NEWN(w->arena, struct str, n);
    for (size_t i = 0; i < n; i++)
        list[i] = str_of(to[i]);
    CHECK_OK(&w->cx, smtp_send(&w->cx, server, STR("a@example.com"), list, n, raw, &r));
    return r;
}

static struct str received(struct world *w, const struct peer *p, const char *file)
{
    struct str content;
    CHECK_CASE(file, fd_read_file(w->arena, arena_printf(w->arena, "%s/%s", p->folder, file).ptr, 1 << 24, &content));
    return content;
}

static void every_fate_is_told_apart(void **state)
{
    struct world *w = *state;
    static const struct { const char *mode; enum smtp_outcome outcome; int code; } cases[] = {
        { "ok", SMTP_SENT, 250 }, { "ok-reset", SMTP_SENT, 250 }, { "ok-close", SMTP_SENT, 250 },
        { "greeting-554", SMTP_TEMPORARY, 554 }, { "greeting-reset", SMTP_TEMPORARY, 0 }, { "nonsense", SMTP_TEMPORARY, 220 },
        { "mail-451", SMTP_TEMPORARY, 451 }, { "mail-550", SMTP_PERMANENT, 550 }, { "mail-530", SMTP_TEMPORARY, 530 },
        { "data-451", SMTP_TEMPORARY, 451 }, { "data-554", SMTP_PERMANENT, 554 },
        { "dot-451", SMTP_TEMPORARY, 451 }, { "dot-554", SMTP_PERMANENT, 554 },
        { "dot-close", SMTP_UNKNOWN, 0 }, { "dot-reset", SMTP_UNKNOWN, 0 }, { "dot-half", SMTP_UNKNOWN, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--mode", cases[i].mode);
        struct smtp_server server = server_at(&p, SMTP_PLAIN);
        struct smtp_result r = send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW));
        if (r.outcome != cases[i].outcome || r.code != cases[i].code)
            fprintf(stderr, "%s: outcome %d, code %d, %.*s\n", cases[i].mode, (int)r.outcome, r.code, STR_ARG(r.answer));
        CHECK_CASE(cases[i].mode, r.outcome == cases[i].outcome && r.code == cases[i].code && r.answer.len > 0);
    }
}

/* More than the kernel's buffers take, so that the break comes before the dot was due. */
static void a_break_within_the_body_is_safe_to_repeat(void **state)
{
    struct world *w = *state;
    static const char *const modes[] = { "body-close", "body-reset" };
    size_t n = 30u << 20;
    char *big = NEWN(w->arena, char, n);
    memset(big, 'x', n);
    memcpy(big + n - 2, "\r\n", 2);
    for (size_t i = 0; i < COUNT(modes); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--mode", modes[i]);
        struct smtp_server server = server_at(&p, SMTP_PLAIN);
        struct smtp_result r = send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, (struct str){ big, n });
        CHECK_CASE(modes[i], r.outcome == SMTP_TEMPORARY);
    }
}

static void waits_end(void **state)
{
    struct world *w = *state;
    static const struct { const char *mode; enum smtp_outcome outcome; } cases[] = {
        { "greeting-stall", SMTP_TEMPORARY }, { "stall", SMTP_TEMPORARY }, { "dot-stall", SMTP_UNKNOWN },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--mode", cases[i].mode);
        struct smtp_server server = server_at(&p, SMTP_PLAIN);
        server.timeout_us = 300 * US_PER_MS;
        int64_t start_us = clock_monotonic_us();
        struct smtp_result r = send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW));
        CHECK_CASE(cases[i].mode, r.outcome == cases[i].outcome);
        CHECK_CASE(cases[i].mode, clock_monotonic_us() - start_us < 3 * US_PER_SECOND);     /* QUIT is not waited for either */
    }
    CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py");
    struct smtp_server nobody = server_at(&p, SMTP_PLAIN);
    peer_stop(&p);
    struct smtp_result r = send_to(w, &nobody, (const char *const[]){ "b@example.org" }, 1, STR(RAW));
    CHECK_INT(r.outcome, SMTP_TEMPORARY);
    CHECK_INT(r.code, 0);
}

static void recipients_have_their_own_fate(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py");
    struct smtp_server server = server_at(&p, SMTP_PLAIN);
    struct smtp_result r = send_to(w, &server, (const char *const[]){ "refuse@example.org", "b@example.org", "later@example.org", "c@example.org" }, 4, STR(RAW));
    CHECK_INT(r.outcome, SMTP_SENT);
    CHECK_INT(r.nrefused, 2);
    CHECK_STR(r.refused[0], "refuse@example.org");
    CHECK_INT(r.refused_codes[0], 550);
    CHECK_STR(r.refused[1], "later@example.org");
    CHECK_INT(r.refused_codes[1], 450);
    CHECK_STR(received(w, &p, "1.json"), "{\"from\": \"a@example.com\", \"to\": [\"b@example.org\", \"c@example.org\"], \"secure\": false, \"user\": null}");

    r = send_to(w, &server, (const char *const[]){ "refuse@example.org", "refuse2@example.org" }, 2, STR(RAW));
    CHECK_INT(r.outcome, SMTP_PERMANENT);
    CHECK_INT(r.code, 550);
    CHECK_STR(r.answer, "5.1.1 no such user");
    r = send_to(w, &server, (const char *const[]){ "later@example.org", "refuse@example.org" }, 2, STR(RAW));
    CHECK_INT(r.outcome, SMTP_TEMPORARY);
    CHECK_INT(r.nrefused, 0);
    r = send_to(w, &server, (const char *const[]){ "later@example.org" }, 1, STR(RAW));
    CHECK_STR(r.answer, "4.2.0 come 4.2.0 back later");
}

static void tries_again_and_succeeds(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--mode", "dot-451-once");
    struct smtp_server server = server_at(&p, SMTP_PLAIN);
    CHECK_INT(send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW)).outcome, SMTP_TEMPORARY);
    CHECK_INT(send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW)).outcome, SMTP_SENT);
}

/* Dots at the seams of curl's buffers, and as many of them as the last part has bytes. */
static void arrives_byte_for_byte(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py");
    struct smtp_server server = server_at(&p, SMTP_PLAIN);
    static const size_t sizes[] = { 4, 65534, 65535, 65536, 65537, 65538, 65540, 131072, 131076, 700001 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buf b = buf_new(w->arena, 0);
        while (b.len + 5 <= sizes[i])
            buf_add(&b, b.len < 6 ? STR(".\r\n") : b.len % 11 ? STR("..\r\n") : STR("ab\xff\r\n"));
        while (b.len + 2 < sizes[i])
            buf_char(&b, 'x');
        buf_lit(&b, "\r\n");
        CHECK_INT(send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, buf_str(&b)).outcome, SMTP_SENT);
        struct str got = received(w, &p, arena_printf(w->arena, "%zu.eml", i + 1).ptr);
        CHECK_INT(got.len, b.len);
        CHECK(str_eq(got, buf_str(&b)));
    }
    /* 65536 bytes in which 5 dots get doubled, then 5 more: a count of the sent bytes would end the message early */
    struct buf b = buf_new(w->arena, 0);
    for (int i = 0; i < 5; i++)
        buf_lit(&b, "\r\n.");
    while (b.len < 65536 - 2)
        buf_char(&b, 'y');
    buf_lit(&b, "\r\nzzz\r\n");
    CHECK_INT(send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, buf_str(&b)).outcome, SMTP_SENT);
    CHECK(str_eq(received(w, &p, "11.eml"), buf_str(&b)));
}

static void secures_and_signs_in(void **state)
{
    struct world *w = *state;
    static const struct { const char *tls; enum smtp_security security; } cases[] = { { "starttls", SMTP_STARTTLS }, { "implicit", SMTP_TLS } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--tls", cases[i].tls);
        struct smtp_server server = server_at(&p, cases[i].security);
        server.user = STR("user@example.com");
        server.password = STR(password);
        CHECK_OK(&w->cx, smtp_check(&w->cx, &server));
        CHECK_INT(send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW)).outcome, SMTP_SENT);
        CHECK_STR(received(w, &p, "1.json"), "{\"from\": \"a@example.com\", \"to\": [\"b@example.org\"], \"secure\": true, \"user\": \"user@example.com\"}");
        server.password = STR("wrong");
        CHECK_ERR(smtp_check(&w->cx, &server), E_UNAUTHENTICATED);
        CHECK_STR(str_of(w->cx.failure.field), "out_user");
        struct smtp_result r = send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW));
        CHECK_INT(r.outcome, SMTP_TEMPORARY);
        CHECK_INT(r.code, 535);
        server.access_token = STR("token-good");
        CHECK_OK(&w->cx, smtp_check(&w->cx, &server));
        server.access_token = STR("token-old");
        CHECK_ERR(smtp_check(&w->cx, &server), E_UNAUTHENTICATED);
    }
}

static void settings_that_cannot_work(void **state)
{
    struct world *w = *state;
    static const struct { const char *mode, *tls; enum smtp_security security; enum err_code code; const char *field; } cases[] = {
        { "no-starttls", "starttls", SMTP_STARTTLS, E_INVALID, "out_security" },
        { "ok", "none", SMTP_TLS, E_INVALID, "out_security" },
        { "no-auth", "none", SMTP_PLAIN, E_INVALID, "out_user" },
        { "greeting-554", "none", SMTP_PLAIN, E_BUSY, "out_host" },
        { "greeting-reset", "none", SMTP_PLAIN, E_BUSY, "out_host" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--mode", cases[i].mode, "--tls", cases[i].tls);
        struct smtp_server server = server_at(&p, cases[i].security);
        server.user = STR("user@example.com");
        server.password = STR(password);
        enum err_code e = smtp_check(&w->cx, &server);
        if (e != cases[i].code || !str_is(str_of(w->cx.failure.field), cases[i].field))
            fprintf(stderr, "%s: %s %.*s\n", cases[i].mode, err_name(e), STR_ARG(w->cx.failure.message));
        CHECK_CASE(cases[i].mode, e == cases[i].code && str_is(str_of(w->cx.failure.field), cases[i].field));
        struct smtp_result r = send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW));
        CHECK_CASE(cases[i].mode, r.outcome == (str_is(str_of(cases[i].mode), "no-auth") ? SMTP_SENT : SMTP_TEMPORARY));
    }
}

static void bad_certificates_end_the_connection(void **state)
{
    struct world *w = *state;
    static const char *const kinds[] = { "selfsigned", "wronghost", "expired" };
    for (size_t i = 0; i < COUNT(kinds); i++)
        for (int starttls = 0; starttls < 2; starttls++) {
            CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--certificate", kinds[i], "--tls", starttls ? "starttls" : "implicit");
            struct smtp_server server = server_at(&p, starttls ? SMTP_STARTTLS : SMTP_TLS);
            CHECK_CASE(kinds[i], smtp_check(&w->cx, &server) == E_INVALID && str_is(str_of(w->cx.failure.field), "out_host"));
            CHECK_CASE(kinds[i], send_to(w, &server, (const char *const[]){ "b@example.org" }, 1, STR(RAW)).outcome == SMTP_TEMPORARY);
            CHECK_CASE(kinds[i], access(arena_printf(w->arena, "%s/1.eml", p.folder).ptr, F_OK) != 0);
        }
    CLEANUP(peer_stop) struct peer p = peer_start("fake_smtp.py", "--tls", "implicit");
    struct smtp_server server = server_at(&p, SMTP_TLS);
    server.ca_file = NULL;      /* a good certificate of an authority that the system does not know */
    CHECK_ERR(smtp_check(&w->cx, &server), E_INVALID);
}

static void refuses_what_cannot_be_said(void **state)
{
    struct world *w = *state;
    struct smtp_server server = { .host = STR("localhost"), .port = 25 };
    struct smtp_result r;
    static const struct { const char *name, *host, *from, *to, *raw, *field; } cases[] = {
        { "host", "a/b", "", "b@example.org", "x\r\n", "out_host" }, { "user in host", "a@b", "", "b@example.org", "x\r\n", "out_host" },
        { "no host", "", "", "b@example.org", "x\r\n", "out_host" },
        { "from", "localhost", "a\r\nb", "b@example.org", "x\r\n", "envelope_from" }, { "to", "localhost", "", "b>c", "x\r\n", "recipients" },
        { "empty to", "localhost", "", "", "x\r\n", "recipients" }, { "bare LF", "localhost", "", "b@example.org", "x\n.\n\r\n", "raw" },
        { "bare CR", "localhost", "", "b@example.org", "x\r.\r\n", "raw" }, { "no end", "localhost", "", "b@example.org", "x", "raw" },
        { "CR at the end", "localhost", "", "b@example.org", "x\r\n\r", "raw" }, { "empty", "localhost", "", "b@example.org", "", "raw" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str to = str_of(cases[i].to);
        server.host = str_of(cases[i].host);
        CHECK_CASE(cases[i].name, smtp_send(&w->cx, &server, str_of(cases[i].from), &to, 1, str_of(cases[i].raw), &r) == E_INVALID);
        CHECK_STR(str_of(w->cx.failure.field), cases[i].field);
    }
}

static enum err_code get(struct world *w, const struct peer *p, const char *path, struct http_call *call, struct http_answer *ret)
{
    call->method = call->method ? call->method : "GET";
    call->url = arena_printf(w->arena, "http://127.0.0.1:%d%s", p->port, path);
    return http_fetch(&w->cx, call, ret);
}

static void fetches(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_http.py");
    struct http_call plain = { 0 }, small = { .max_bytes = 1000 }, hasty = { .timeout_us = 300 * US_PER_MS };
    struct http_answer a;
    CHECK_OK(&w->cx, get(w, &p, "/ok", &plain, &a));
    CHECK_INT(a.status, 200);
    CHECK_STR(a.content_type, "text/plain");
    CHECK_STR(a.body, "fine");
    CHECK_OK(&w->cx, get(w, &p, "/status/500", &plain, &a));
    CHECK_INT(a.status, 500);
    CHECK_OK(&w->cx, get(w, &p, "/redirect/3", &plain, &a));
    CHECK_STR(a.body, "fine");
    CHECK_ERR(get(w, &p, "/redirect/4", &plain, &a), E_BUSY);
    CHECK_OK(&w->cx, get(w, &p, "/big/1000", &small, &a));
    CHECK_INT(a.body.len, 1000);
    CHECK_ERR(get(w, &p, "/big/1001", &small, &a), E_LIMIT);
    CHECK_ERR(get(w, &p, "/endless", &small, &a), E_LIMIT);
    CHECK_ERR(get(w, &p, "/stall", &hasty, &a), E_BUSY);
    CHECK_ERR(get(w, &p, "/to/file%3A%2F%2F%2Fetc%2Fpasswd", &plain, &a), E_INVALID);
    plain.url = STR("file:///etc/passwd");
    CHECK_ERR(http_fetch(&w->cx, &plain, &a), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "url");

    struct str headers[] = { STR("X-Test: yes") };
    struct http_call post = { .method = "POST", .headers = headers, .nheaders = 1, .body = STR("a=b") };
    CHECK_OK(&w->cx, get(w, &p, "/echo", &post, &a));
    CHECK(str_find(a.body, STR("\"method\": \"POST\"")) >= 0 && str_find(a.body, STR("\"x-test\": \"yes\"")) >= 0 && str_find(a.body, STR("\"body\": \"a=b\"")) >= 0);
    headers[0] = STR("X: a\r\nY: b");
    CHECK_ERR(get(w, &p, "/echo", &post, &a), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "headers");
}

static void public_only_keeps_out_of_private_networks(void **state)
{
    struct world *w = *state;
    static const char *const urls[] = {
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0/", "http://2130706433/", "http://0x7f.1/",
        "http://10.1.2.3/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/", "http://169.254.169.254/latest", "http://100.64.0.1/",
        "http://224.0.0.1/", "http://255.255.255.255/", "http://[fe80::1]/", "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
        "http://[ff02::1]/", "http://[::]/", "http://[2001:db8::1]/",
    };
    struct http_answer a;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct http_call call = { .method = "GET", .url = str_of(urls[i]), .public_only = true, .timeout_us = US_PER_SECOND };
        CHECK_CASE(urls[i], http_fetch(&w->cx, &call, &a) == E_FORBIDDEN);
    }
}

static void refreshes_tokens(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_http.py", "--tls", "implicit");
    struct oauth_client client = { .token_url = arena_printf(w->arena, "https://localhost:%d/token", p.port), .client_id = STR("client"),
                                   .client_secret = STR("client secret&"), .refresh_token = STR("good"), .ca_file = p.ca };
    struct oauth_token token;
    CHECK_OK(&w->cx, oauth_refresh(&w->cx, &client, &token));
    CHECK_STR(token.access_token, "token-good");
    CHECK_STR(token.refresh_token, "good");
    CHECK_INT(token.expires_us, w->cx.now_us + 3599 * US_PER_SECOND);
    client.refresh_token = STR("rotate");
    CHECK_OK(&w->cx, oauth_refresh(&w->cx, &client, &token));
    CHECK_STR(token.refresh_token, "rotated");
    client.refresh_token = STR("revoked");
    CHECK_ERR(oauth_refresh(&w->cx, &client, &token), E_UNAUTHENTICATED);
    client.refresh_token = STR("broken");
    CHECK_ERR(oauth_refresh(&w->cx, &client, &token), E_BUSY);
    client.refresh_token = STR("empty");
    CHECK_ERR(oauth_refresh(&w->cx, &client, &token), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "oauth_token_url");
    client.client_secret = STR("x");
    CHECK_ERR(oauth_refresh(&w->cx, &client, &token), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "oauth_client_id");
    client.ca_file = NULL;
    CHECK_ERR(oauth_refresh(&w->cx, &client, &token), E_BUSY);
}

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct arena *arena;
    struct str raw;
    int refusals;       /* that many deliveries fail first */
};

static enum err_code take_anybody(struct cx *cx, struct str address, void *arg, struct lmtp_recipient *ret)
{
    (void)arg;
    (void)ret;
    return str_starts(address, STR("nobody@")) ? fail(cx, E_NOT_FOUND, "nobody") : E_OK;
}

static enum err_code take_mail(struct cx *cx, const struct lmtp_mail *mail, void *arg)
{
    struct inbox *inbox = arg;
    pthread_mutex_lock(&inbox->lock);
    bool refuse = inbox->refusals-- > 0;
    if (!refuse)
        inbox->raw = arena_copy(inbox->arena, mail->raw);
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
    return refuse ? fail_busy(cx, "not now") : E_OK;
}

static struct str await_mail(struct inbox *inbox)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 30;
    pthread_mutex_lock(&inbox->lock);
    while (!inbox->raw.ptr && pthread_cond_timedwait(&inbox->changed, &inbox->lock, &end) == 0)
        continue;
    struct str raw = inbox->raw;
    pthread_mutex_unlock(&inbox->lock);
    return raw;
}

/* From our sender through a real mail server into our listener; what the listener could not store comes again. */
static void goes_through_postfix(void **state)
{
    struct world *w = *state;
    struct inbox inbox = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .arena = w->arena, .refusals = 1 };
    struct lmtp_options o = { .listen = "127.0.0.1:0", .recipient = take_anybody, .deliver = take_mail, .arg = &inbox };
    CLEANUP(lmtp_stop) struct lmtp *lmtp = NULL;
    if (access("/usr/sbin/postfix", X_OK) != 0 || geteuid() != 0)
        skip();
    CHECK_OK(&w->cx, lmtp_start(&w->cx, &o, &lmtp));
    struct str route = arena_printf(w->arena, "cairn.example=127.0.0.1:%d", lmtp_port(lmtp));
    CLEANUP(peer_stop) struct peer p = peer_start("postfix.py", "--route", route.ptr);
    struct smtp_server server = server_at(&p, SMTP_STARTTLS);
    server.user = STR("user@example.com");
    server.password = STR(password);
    server.timeout_us = 30 * US_PER_SECOND;
    CHECK_OK(&w->cx, smtp_check(&w->cx, &server));
    struct smtp_result r = send_to(w, &server, (const char *const[]){ "x@cairn.example", "x@elsewhere.example" }, 2, STR(RAW));
    CHECK_INT(r.outcome, SMTP_SENT);
    CHECK_INT(r.nrefused, 1);
    CHECK_INT(r.refused_codes[0], 554);
    struct str raw = await_mail(&inbox);
    CHECK(str_ends(raw, STR(RAW)) || str_ends(raw, STR("\r\n\r\n.one\r\n..two\r\n.\r\nthree\r\n")));
    CHECK(str_find(raw, STR("Received: from cairn.example.com")) >= 0);

    server.access_token = STR("token-good");
    CHECK_OK(&w->cx, smtp_check(&w->cx, &server));
    server.access_token = STR("token-old");
    CHECK_ERR(smtp_check(&w->cx, &server), E_UNAUTHENTICATED);
}

TESTS(UNIT(every_fate_is_told_apart), UNIT(a_break_within_the_body_is_safe_to_repeat), UNIT(waits_end), UNIT(recipients_have_their_own_fate),
      UNIT(tries_again_and_succeeds), UNIT(arrives_byte_for_byte), UNIT(secures_and_signs_in), UNIT(settings_that_cannot_work),
      UNIT(bad_certificates_end_the_connection), UNIT(refuses_what_cannot_be_said), UNIT(fetches),
      UNIT(public_only_keeps_out_of_private_networks), UNIT(refreshes_tokens), UNIT(goes_through_postfix))
