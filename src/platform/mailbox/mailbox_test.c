/* mailbox_test.c - IMAP and POP3 against Dovecot, and against servers that misbehave. */
#include "tests/peers/peer.h"

#include <pthread.h>

#include "platform/mailbox/mailbox.h"

static const char password[] = "secret \"pass\\word\" \xc3\xa4";

static struct mailbox_server server_at(const struct peer *p, enum mailbox_kind kind, enum mailbox_security security)
{
    return (struct mailbox_server){ .kind = kind, .security = security, .host = STR("localhost"), .port = p->port,
                                    .user = STR("user@example.com"), .password = STR(password), .ca_file = access(p->ca, R_OK) == 0 ? p->ca : NULL, .timeout_us = 5 * US_PER_SECOND };
}

/* Expects mailbox_open to fail so. */
static void check_refused(struct world *w, const char *name, const struct mailbox_server *server, enum err_code want, const char *field)
{
    CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
    enum err_code e = mailbox_open(&w->cx, server, &s);
    if (e != want || !str_is(str_of(w->cx.failure.field), field))
        fprintf(stderr, "%s: %s at %s: %.*s\n", name, err_name(e), w->cx.failure.field ? w->cx.failure.field : "-", STR_ARG(w->cx.failure.message));
    CHECK_CASE(name, e == want && str_is(str_of(w->cx.failure.field), field) && w->cx.failure.message.len > 0);
}

static void reads_a_folder(void **state)
{
    struct world *w = *state;
    static const struct { const char *tls, *mode; enum mailbox_security security; } cases[] = {
        { "none", "ok", MAILBOX_PLAIN }, { "none", "login-only", MAILBOX_PLAIN }, { "starttls", "ok", MAILBOX_STARTTLS },
        { "implicit", "ok", MAILBOX_TLS }, { "none", "preauth", MAILBOX_PLAIN },
        { "none", "no-condstore", MAILBOX_PLAIN }, { "none", "no-uidnext", MAILBOX_PLAIN },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--tls", cases[i].tls, "--mode", cases[i].mode);
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = server_at(&p, MAILBOX_IMAP, cases[i].security);
        struct mailbox_folder_status st;
        uint32_t *uids;
        size_t n;
        struct str raw;
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        CHECK_OK(&w->cx, mailbox_select(&w->cx, s, STR("INBOX"), &st));
        CHECK_INT(st.uid_validity, 1234);
        CHECK_INT(st.uid_next, 4);
        CHECK_INT(st.exists, 3);
        CHECK(st.can_idle);
        CHECK_CASE(cases[i].mode, st.mod_seq == (str_is(str_of(cases[i].mode), "no-condstore") ? 0 : UINT64_C(987654321098)));
        CHECK_OK(&w->cx, mailbox_uids(&w->cx, s, 2, 0, &uids, &n));
        CHECK_INT(n, 2);
        CHECK_INT(uids[0], 2);
        CHECK_INT(uids[1], 3);
        CHECK_OK(&w->cx, mailbox_uids(&w->cx, s, 4, 0, &uids, &n));     /* "4:*" names message 3 */
        CHECK_INT(n, 0);
        CHECK_OK(&w->cx, mailbox_uids_since(&w->cx, s, w->cx.now_us, &uids, &n));
        CHECK_INT(n, 3);
        CHECK_OK(&w->cx, mailbox_fetch(&w->cx, s, 2, 1000, &raw));
        CHECK_STR(raw, "From: a2@example.com\r\nTo: user@example.com\r\nSubject: message 2\r\n\r\n.dot\r\nbody 2 ((({3}\r\n");
        CHECK_ERR(mailbox_fetch(&w->cx, s, 2, 10, &raw), E_LIMIT);
        CHECK_ERR(mailbox_fetch(&w->cx, s, 77, 1000, &raw), E_NOT_FOUND);
        CHECK_ERR(mailbox_select(&w->cx, s, STR("missing"), &st), E_INVALID);
        CHECK_STR(str_of(w->cx.failure.field), "in_folder");
        CHECK_OK(&w->cx, mailbox_select(&w->cx, s, STR("INBOX"), &st));     /* the session goes on */
    }
}

static void signs_in(void **state)
{
    struct world *w = *state;
    static const enum mailbox_kind kinds[] = { MAILBOX_IMAP, MAILBOX_POP3 };
    static const char *const scripts[] = { "fake_imap.py", "fake_pop3.py" };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start(scripts[i], "--tls", "starttls");
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = server_at(&p, kinds[i], MAILBOX_STARTTLS);
        server.password = STR("wrong");
        check_refused(w, scripts[i], &server, E_UNAUTHENTICATED, "in_user");
        server.access_token = STR("token-old");
        check_refused(w, scripts[i], &server, E_UNAUTHENTICATED, "in_user");
        server.access_token = STR("token-good");
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        mailbox_close(&s);
        server.access_token = STR("");
        server.password = STR("a\r\nb");
        check_refused(w, scripts[i], &server, E_INVALID, "in_password");
        server.password = STR(password);
        server.host = STR("127.0.0.1");     /* an address may stand in a certificate too */
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
    }
}

static void bad_certificates_end_the_connection(void **state)
{
    struct world *w = *state;
    static const char *const kinds[] = { "selfsigned", "wronghost", "expired" };
    for (size_t i = 0; i < 4 * COUNT(kinds); i++) {
        bool pop = i & 1, starttls = i & 2;
        const char *kind = kinds[i / 4];
        CLEANUP(peer_stop) struct peer p = peer_start(pop ? "fake_pop3.py" : "fake_imap.py", "--certificate", kind, "--tls", starttls ? "starttls" : "implicit");
        struct mailbox_server server = server_at(&p, pop ? MAILBOX_POP3 : MAILBOX_IMAP, starttls ? MAILBOX_STARTTLS : MAILBOX_TLS);
        check_refused(w, kind, &server, E_INVALID, "in_host");
        CHECK_CASE(kind, str_find(w->cx.failure.message, STR("certificate of localhost is not valid")) >= 0);
    }
    CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--tls", "implicit");
    struct mailbox_server server = server_at(&p, MAILBOX_IMAP, MAILBOX_TLS);
    server.ca_file = NULL;      /* a good certificate of an authority that the system does not know */
    check_refused(w, "unknown authority", &server, E_INVALID, "in_host");
    server.ca_file = "/nonexistent.pem";
    check_refused(w, "no CA file", &server, E_INVALID, "in_host");
}

static void opening_fails_readably(void **state)
{
    struct world *w = *state;
    static const struct { const char *script, *mode, *tls; enum mailbox_security security; enum err_code code; const char *field; } cases[] = {
        { "fake_imap.py", "greeting-stall", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_imap.py", "greeting-reset", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_imap.py", "greeting-bye", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_imap.py", "nonsense", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_imap.py", "stall", "none", MAILBOX_PLAIN, E_BUSY, NULL },
        { "fake_imap.py", "ok", "none", MAILBOX_STARTTLS, E_INVALID, "in_security" },
        { "fake_imap.py", "no-starttls", "starttls", MAILBOX_STARTTLS, E_INVALID, "in_security" },
        { "fake_imap.py", "starttls-inject", "starttls", MAILBOX_STARTTLS, E_INVALID, "in_security" },
        { "fake_imap.py", "preauth", "starttls", MAILBOX_STARTTLS, E_INVALID, "in_security" },
        { "fake_imap.py", "ok", "none", MAILBOX_TLS, E_INVALID, "in_security" },
        { "fake_imap.py", "ok", "implicit", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_imap.py", "login-unavailable", "none", MAILBOX_PLAIN, E_BUSY, "in_user" },
        { "fake_imap.py", "login-disabled", "none", MAILBOX_PLAIN, E_INVALID, "in_security" },
        { "fake_pop3.py", "stall", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_pop3.py", "greeting-err", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_pop3.py", "nonsense", "none", MAILBOX_PLAIN, E_BUSY, "in_host" },
        { "fake_pop3.py", "no-starttls", "starttls", MAILBOX_STARTTLS, E_INVALID, "in_security" },
        { "fake_pop3.py", "starttls-inject", "starttls", MAILBOX_STARTTLS, E_INVALID, "in_security" },
        { "fake_pop3.py", "in-use", "none", MAILBOX_PLAIN, E_BUSY, "in_user" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start(cases[i].script, "--mode", cases[i].mode, "--tls", cases[i].tls);
        struct mailbox_server server = server_at(&p, str_is(str_of(cases[i].script), "fake_imap.py") ? MAILBOX_IMAP : MAILBOX_POP3, cases[i].security);
        server.timeout_us = 500 * US_PER_MS;
        failure_clear(&w->cx);
        check_refused(w, cases[i].mode, &server, cases[i].code, cases[i].field);
    }
    CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py");
    struct mailbox_server nobody = server_at(&p, MAILBOX_IMAP, MAILBOX_PLAIN);
    peer_stop(&p);
    check_refused(w, "nobody listens", &nobody, E_BUSY, "in_host");
    nobody.port = 0;
    check_refused(w, "port", &nobody, E_INVALID, "in_port");
    nobody.host = STR("");
    check_refused(w, "host", &nobody, E_INVALID, "in_host");
}

/* Answers that lie, flood, break off or never end: an error in time, no crash, and a session that stays dead. */
static void lying_servers_do_no_harm(void **state)
{
    struct world *w = *state;
    static const struct { const char *mode; enum err_code select, fetch; } cases[] = {
        { "select-bye", E_BUSY, E_OK }, { "select-no", E_INVALID, E_OK }, { "deep", E_BUSY, E_OK }, { "huge-line", E_BUSY, E_OK },
        { "huge-literal", E_OK, E_LIMIT }, { "lying-literal", E_OK, E_BUSY }, { "short-literal", E_OK, E_BUSY },
        { "reset-literal", E_OK, E_BUSY }, { "stall-literal", E_OK, E_BUSY }, { "trickle", E_OK, E_BUSY },
        { "lying-size", E_OK, E_OK }, { "nil-body", E_OK, E_OK },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--mode", cases[i].mode);
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = server_at(&p, MAILBOX_IMAP, MAILBOX_PLAIN);
        struct mailbox_folder_status st;
        struct str raw;
        server.timeout_us = US_PER_SECOND;
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        int64_t start_us = clock_monotonic_us();
        enum err_code e = mailbox_select(&w->cx, s, STR("INBOX"), &st);
        CHECK_CASE(cases[i].mode, e == cases[i].select);
        if (e == E_OK) {
            e = mailbox_fetch(&w->cx, s, 2, 1000, &raw);
            if (e != cases[i].fetch)
                fprintf(stderr, "%s: %s %.*s\n", cases[i].mode, err_name(e), STR_ARG(w->cx.failure.message));
            CHECK_CASE(cases[i].mode, e == cases[i].fetch);
        }
        CHECK_CASE(cases[i].mode, clock_monotonic_us() - start_us < 4 * US_PER_SECOND);
        if (e == E_BUSY)
            CHECK_CASE(cases[i].mode, mailbox_fetch(&w->cx, s, 1, 1000, &raw) == E_BUSY);
    }
}

static void a_larger_message_than_announced_is_not_taken(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--mode", "lying-size");
    CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
    struct mailbox_server server = server_at(&p, MAILBOX_IMAP, MAILBOX_PLAIN);
    struct mailbox_folder_status st;
    struct str raw;
    CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
    CHECK_OK(&w->cx, mailbox_select(&w->cx, s, STR("INBOX"), &st));
    CHECK_ERR(mailbox_fetch(&w->cx, s, 2, 20, &raw), E_LIMIT);
    CHECK_OK(&w->cx, mailbox_fetch(&w->cx, s, 2, 1000, &raw));
}

static void lists_a_huge_mailbox(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--messages", "100000");
    CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
    struct mailbox_server server = server_at(&p, MAILBOX_IMAP, MAILBOX_PLAIN);
    struct mailbox_folder_status st;
    uint32_t *uids;
    size_t n;
    CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
    CHECK_OK(&w->cx, mailbox_select(&w->cx, s, STR("INBOX"), &st));
    CHECK_OK(&w->cx, mailbox_uids(&w->cx, s, 1, 0, &uids, &n));
    CHECK_INT(n, 100000);
    for (size_t i = 0; i < n; i++)
        if (uids[i] != i + 1)
            CHECK_INT(uids[i], i + 1);
}

struct waiter {
    struct cx cx;
    struct mailbox_session *session;
    int64_t wait_us;
    enum err_code code;
    bool news;
};

static void *idle_main(void *arg)
{
    struct waiter *v = arg;
    v->code = mailbox_idle(&v->cx, v->session, v->wait_us, &v->news);
    return NULL;
}

static struct waiter waiter_for(struct world *w, const struct peer *p, struct mailbox_session **ret)
{
    struct mailbox_server server = server_at(p, MAILBOX_IMAP, MAILBOX_PLAIN);
    struct mailbox_folder_status st;
    CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, ret));
    CHECK_OK(&w->cx, mailbox_select(&w->cx, *ret, STR("INBOX"), &st));
    return (struct waiter){ .cx = world_cx(w), .session = *ret, .wait_us = 20 * US_PER_SECOND };
}

static void waits_for_news(void **state)
{
    struct world *w = *state;
    static const char *const modes[] = { "ok", "early-exists" };
    for (size_t i = 0; i < COUNT(modes); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--mode", modes[i]);
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct waiter v = waiter_for(w, &p, &s);
        struct str raw;
        pthread_t thread;
        pthread_create(&thread, NULL, idle_main, &v);
        peer_tell(&p, "deliver");
        pthread_join(thread, NULL);
        CHECK_OK(&v.cx, v.code);
        CHECK(v.news);
        CHECK_OK(&w->cx, mailbox_fetch(&w->cx, s, 4, 1000, &raw));      /* the session goes on */
    }
    CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py");
    CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
    struct waiter v = waiter_for(w, &p, &s);
    v.wait_us = 100 * US_PER_MS;
    idle_main(&v);
    CHECK_OK(&v.cx, v.code);
    CHECK(!v.news);
}

static void polls_without_idle(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer p = peer_start("fake_imap.py", "--mode", "no-idle");
    CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
    struct waiter v = waiter_for(w, &p, &s);
    v.wait_us = 50 * US_PER_MS;
    idle_main(&v);
    CHECK_OK(&v.cx, v.code);
    CHECK(!v.news);
    peer_tell(&p, "deliver");
    idle_main(&v);
    CHECK_OK(&v.cx, v.code);
    CHECK(v.news);
}

static void a_wait_can_be_broken_off(void **state)
{
    struct world *w = *state;
    CLEANUP(peer_stop) struct peer dropping = peer_start("fake_imap.py", "--mode", "drop-idle"), p = peer_start("fake_imap.py");
    CLEANUP(mailbox_close) struct mailbox_session *one = NULL, *two = NULL;
    struct waiter dropped = waiter_for(w, &dropping, &one), v = waiter_for(w, &p, &two);
    struct mailbox_folder_status st;
    idle_main(&dropped);
    CHECK_ERR(dropped.code, E_BUSY);

    pthread_t thread;
    int64_t start_us = clock_monotonic_us();
    pthread_create(&thread, NULL, idle_main, &v);
    mailbox_interrupt(two);
    pthread_join(thread, NULL);
    CHECK_ERR(v.code, E_BUSY);
    CHECK(clock_monotonic_us() - start_us < 5 * US_PER_SECOND);
    CHECK_ERR(mailbox_select(&w->cx, two, STR("INBOX"), &st), E_BUSY);
    peer_stop(&dropping);
}

static void reads_pop3(void **state)
{
    struct world *w = *state;
    static const struct { const char *tls; enum mailbox_security security; } cases[] = {
        { "none", MAILBOX_PLAIN }, { "starttls", MAILBOX_STARTTLS }, { "implicit", MAILBOX_TLS },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_pop3.py", "--tls", cases[i].tls);
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = server_at(&p, MAILBOX_POP3, cases[i].security);
        struct mailbox_pop3_item *items;
        size_t n;
        struct str raw;
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        CHECK_OK(&w->cx, mailbox_pop3_list(&w->cx, s, &items, &n));
        CHECK_INT(n, 2);
        CHECK_STR(items[0].uidl, "uid-1");
        CHECK_INT(items[1].number, 2);
        CHECK_OK(&w->cx, mailbox_pop3_fetch(&w->cx, s, 1, 200000, &raw));
        CHECK_INT(raw.len, items[0].size_bytes);
        CHECK(str_starts(raw, STR("Subject: tricky\r\n\r\n.dot\r\n..two\r\nNUL \0 and bare \n LF\r\nxxx")));
        CHECK(str_ends(raw, STR("xxx\r\n.\0\r\nend\r\n")));
        CHECK_ERR(mailbox_pop3_fetch(&w->cx, s, 3, 1000, &raw), E_NOT_FOUND);
        CHECK_OK(&w->cx, mailbox_pop3_fetch(&w->cx, s, 2, 1000, &raw));
        CHECK_STR(raw, "Subject: 2\r\n\r\nbody\r\n");
        CHECK_ERR(mailbox_pop3_fetch(&w->cx, s, 1, 1000, &raw), E_LIMIT);
        CHECK_ERR(mailbox_pop3_fetch(&w->cx, s, 2, 1000, &raw), E_BUSY);    /* it broke off in the middle */
    }
}

static void lying_pop3_servers_do_no_harm(void **state)
{
    struct world *w = *state;
    static const struct { const char *mode; enum err_code list, fetch; } cases[] = {
        { "no-uidl", E_INVALID, E_OK }, { "reset-retr", E_OK, E_BUSY }, { "stall-retr", E_OK, E_BUSY },
        { "huge-line", E_OK, E_LIMIT }, { "endless", E_OK, E_LIMIT },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(peer_stop) struct peer p = peer_start("fake_pop3.py", "--mode", cases[i].mode);
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = server_at(&p, MAILBOX_POP3, MAILBOX_PLAIN);
        struct mailbox_pop3_item *items;
        size_t n;
        struct str raw;
        server.timeout_us = 500 * US_PER_MS;
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        enum err_code e = mailbox_pop3_list(&w->cx, s, &items, &n);
        CHECK_CASE(cases[i].mode, e == cases[i].list);
        CHECK_CASE(cases[i].mode, e != E_OK || mailbox_pop3_fetch(&w->cx, s, 1, 1 << 20, &raw) == cases[i].fetch);
    }
}

static struct mailbox_server dovecot_server(const struct peer *p, const char *service, enum mailbox_kind kind, enum mailbox_security security)
{
    struct mailbox_server server = server_at(p, kind, security);
    server.port = peer_number(p, service);
    return server;
}

static void deliver(struct world *w, struct peer *p, struct str raw)
{
    struct str path = arena_printf(w->arena, "%s/mail.eml", w->dir);
    CHECK(fd_replace_file(w->arena, path.ptr, raw, 0600));
    peer_tell(p, arena_printf(w->arena, "deliver %s", path.ptr).ptr);
}

/* Folded to LF and back by LMTP and IMAP, a message keeps its lines; Dovecot adds its trace in front. */
static struct str large_message(struct world *w)
{
    struct buf b = buf_new(w->arena, 0);
    buf_lit(&b, "Subject: large\r\nMessage-ID: <large@example.com>\r\n\r\n.dot\r\n");
    for (int i = 0; b.len < 3u << 20; i++)
        buf_printf(&b, "%d {%d} (((( \xc3\xa4 %060d\r\n", i, i, i);
    return buf_str(&b);
}

static void reads_from_dovecot(void **state)
{
    struct world *w = *state;
    static const struct { const char *service; enum mailbox_security security; bool token; } cases[] = {
        { "imap", MAILBOX_STARTTLS, false }, { "imaps", MAILBOX_TLS, true }, { "imap", MAILBOX_PLAIN, true }, { "imaps", MAILBOX_TLS, false },
    };
    if (access("/usr/sbin/dovecot", X_OK) != 0)
        skip();
    CLEANUP(peer_stop) struct peer p = peer_start("dovecot.py");
    struct str large = large_message(w), raw;
    deliver(w, &p, large);
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = dovecot_server(&p, cases[i].service, MAILBOX_IMAP, cases[i].security);
        struct mailbox_folder_status st;
        uint32_t *uids;
        size_t n;
        server.access_token = cases[i].token ? STR("token-good") : STR("");
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        CHECK_ERR(mailbox_select(&w->cx, s, STR("Entw\xc3\xbcrfe & more"), &st), E_INVALID);
        CHECK_OK(&w->cx, mailbox_select(&w->cx, s, STR("INBOX"), &st));
        CHECK(st.can_idle && st.mod_seq > 0 && st.uid_validity > 0);
        CHECK_INT(st.exists, i + 1);
        CHECK_INT(st.uid_next, i + 2);
        CHECK_OK(&w->cx, mailbox_uids(&w->cx, s, 1, 0, &uids, &n));
        CHECK_INT(n, i + 1);
        CHECK_OK(&w->cx, mailbox_uids_since(&w->cx, s, clock_now_us() + 2 * US_PER_DAY, &uids, &n));
        CHECK_INT(n, 0);
        CHECK_OK(&w->cx, mailbox_fetch(&w->cx, s, 1, 8 << 20, &raw));
        CHECK(str_ends(raw, large));
        CHECK_ERR(mailbox_fetch(&w->cx, s, 1, 1 << 20, &raw), E_LIMIT);
        CHECK_ERR(mailbox_fetch(&w->cx, s, 99, 1 << 20, &raw), E_NOT_FOUND);

        struct waiter v = { .cx = world_cx(w), .session = s, .wait_us = 20 * US_PER_SECOND };
        pthread_t thread;
        pthread_create(&thread, NULL, idle_main, &v);
        peer_tell(&p, "deliver");
        pthread_join(thread, NULL);
        CHECK_OK(&v.cx, v.code);
        CHECK(v.news);
    }
    struct mailbox_server wrong = dovecot_server(&p, "imap", MAILBOX_IMAP, MAILBOX_STARTTLS);
    wrong.password = STR("wrong");
    check_refused(w, "password", &wrong, E_UNAUTHENTICATED, "in_user");
    wrong.access_token = STR("token-old");
    check_refused(w, "token", &wrong, E_UNAUTHENTICATED, "in_user");
}

static void reads_from_dovecot_by_pop3(void **state)
{
    struct world *w = *state;
    static const struct { const char *service; enum mailbox_security security; bool token; } cases[] = {
        { "pop3", MAILBOX_STARTTLS, false }, { "pop3s", MAILBOX_TLS, true }, { "pop3", MAILBOX_PLAIN, true },
    };
    if (access("/usr/sbin/dovecot", X_OK) != 0)
        skip();
    CLEANUP(peer_stop) struct peer p = peer_start("dovecot.py");
    struct str large = large_message(w), raw;
    deliver(w, &p, large);
    peer_tell(&p, "deliver");
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mailbox_close) struct mailbox_session *s = NULL;
        struct mailbox_server server = dovecot_server(&p, cases[i].service, MAILBOX_POP3, cases[i].security);
        struct mailbox_pop3_item *items;
        size_t n;
        server.access_token = cases[i].token ? STR("token-good") : STR("");
        CHECK_OK(&w->cx, mailbox_open(&w->cx, &server, &s));
        CHECK_OK(&w->cx, mailbox_pop3_list(&w->cx, s, &items, &n));
        CHECK_INT(n, 2);
        CHECK(items[0].uidl.len > 0 && !str_eq(items[0].uidl, items[1].uidl));
        CHECK_OK(&w->cx, mailbox_pop3_fetch(&w->cx, s, 1, 8 << 20, &raw));
        CHECK(str_ends(raw, large));
        CHECK_INT(raw.len, items[0].size_bytes);
    }
    struct mailbox_server wrong = dovecot_server(&p, "pop3", MAILBOX_POP3, MAILBOX_STARTTLS);
    wrong.access_token = STR("token-old");
    check_refused(w, "token", &wrong, E_UNAUTHENTICATED, "in_user");
}

TESTS(UNIT(reads_a_folder), UNIT(signs_in), UNIT(bad_certificates_end_the_connection), UNIT(opening_fails_readably),
      UNIT(lying_servers_do_no_harm), UNIT(a_larger_message_than_announced_is_not_taken), UNIT(lists_a_huge_mailbox),
      UNIT(waits_for_news), UNIT(polls_without_idle), UNIT(a_wait_can_be_broken_off), UNIT(reads_pop3), UNIT(lying_pop3_servers_do_no_harm),
      UNIT(reads_from_dovecot), UNIT(reads_from_dovecot_by_pop3))
