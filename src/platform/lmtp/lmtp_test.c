/* lmtp_test.c - LMTP as a mail server sees it, over a socket pair and over real listeners. */
#include "testing/testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/lmtp/lmtp.h"

/* What was delivered, as "from>to:bytes|" texts one after the other. */
struct sink {
    struct arena *arena;
    struct buf log;
    pthread_mutex_t lock;
    const char *last_raw;
    int shared_raw;     /* deliveries that had the very bytes of the one before */
    int mails;
};

static enum err_code take_recipient(struct cx *cx, struct str address, void *arg, struct lmtp_recipient *ret)
{
    (void)arg;
    if (str_starts(address, STR("nobody@")))
        return fail(cx, E_NOT_FOUND, "no");
    return str_starts(address, STR("later@")) ? fail_busy(cx, "later") : E_OK;
}

static enum err_code take_mail(struct cx *cx, const struct lmtp_mail *mail, void *arg)
{
    struct sink *sink = arg;
    if (str_starts(mail->recipient.address, STR("full@")))
        return fail(cx, E_LIMIT, "full");
    if (str_starts(mail->recipient.address, STR("bad@")))
        return fail_field(cx, "raw", "bad");
    if (str_starts(mail->recipient.address, STR("broken@")))
        return fail_internal(cx, "broken");
    pthread_mutex_lock(&sink->lock);
    buf_printf(&sink->log, "%.*s>%.*s:%.*s|", STR_ARG(mail->envelope_from), STR_ARG(mail->recipient.address), STR_ARG(mail->raw));
    sink->shared_raw += sink->last_raw == mail->raw.ptr;
    sink->last_raw = mail->raw.ptr;
    sink->mails++;
    pthread_mutex_unlock(&sink->lock);
    return E_OK;
}

static struct sink sink_new(struct world *w)
{
    return (struct sink){ .arena = w->arena, .log = buf_new(w->arena, 0), .lock = PTHREAD_MUTEX_INITIALIZER };
}

static struct lmtp_options options_for(struct sink *sink)
{
    return (struct lmtp_options){ .recipient = take_recipient, .deliver = take_mail, .arg = sink, .max_message_bytes = 200000 };
}

struct served {
    struct lmtp_options options;
    int fd;
};

static void *serve(void *arg)
{
    struct served *s = arg;
    lmtp_serve(&s->options, s->fd, -1, STR("test"));
    shutdown(s->fd, SHUT_RDWR);
    return NULL;
}

static struct str read_all(struct arena *arena, int fd)
{
    struct buf b = buf_new(arena, 0);
    char part[4096];
    for (ssize_t n; (n = recv(fd, part, sizeof part, 0)) > 0;)
        buf_add(&b, (struct str){ part, (size_t)n });
    return buf_str(&b);
}

/* Sends all of input at once (in pieces of `step` bytes when not 0), half-closes, and gives all answers. */
static struct str talk(struct world *w, struct sink *sink, struct str input, size_t step)
{
    int pair[2];
    pthread_t thread;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct served s = { options_for(sink), pair[1] };
    pthread_create(&thread, NULL, serve, &s);
    for (size_t at = 0; at < input.len; at += step ? step : input.len)
        if (!fd_write_all(pair[0], input.ptr + at, MIN(step ? step : input.len, input.len - at)))
            break;
    shutdown(pair[0], SHUT_WR);
    struct str answers = read_all(w->arena, pair[0]);
    pthread_join(thread, NULL);
    close(pair[0]);
    close(pair[1]);
    return answers;
}

/* The three-digit codes of all final answer lines: "220 250 250 …". */
static struct str codes(struct arena *arena, struct str answers)
{
    struct buf b = buf_new(arena, 0);
    struct str line;
    while (str_line(&answers, &line))
        if (line.len > 3 && line.ptr[3] == ' ')
            buf_printf(&b, "%s%.3s", b.len ? " " : "", line.ptr);
    return buf_str(&b);
}

#define HELLO "LHLO mx.example.com\r\n"
#define MAIL  "MAIL FROM:<a@example.com>\r\n"

static void answers_as_the_rfc_says(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *input, *codes, *log; } cases[] = {
        { "two recipients, one answer each", HELLO MAIL "RCPT TO:<x@example.org>\r\nRCPT TO:<y@example.org>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n",
          "220 250 250 250 250 354 250 250 221", "a@example.com>x@example.org:hi\r\n|a@example.com>y@example.org:hi\r\n|" },
        { "null path and parameters", HELLO "MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<x@example.org>\r\nDATA\r\n.\r\n",
          "220 250 250 250 354 250", ">x@example.org:|" },
        { "dots come unstuffed", HELLO MAIL "RCPT TO:<x@example.org>\r\nDATA\r\n..\r\n...a\r\n.b\r\nc.\r\n.\r\n",
          "220 250 250 250 354 250", "a@example.com>x@example.org:.\r\n..a\r\nb\r\nc.\r\n|" },
        { "only CR LF dot CR LF ends", HELLO MAIL "RCPT TO:<x@example.org>\r\nDATA\r\na\n.\nb\r.\rc\n.\r\nd\r\n.\ne\r\n.\r\r\n.\r\n",
          "220 250 250 250 354 250", "a@example.com>x@example.org:a\n.\nb\r.\rc\n.\r\nd\r\n\ne\r\n\r\r\n|" },
        { "refused recipients", HELLO MAIL "RCPT TO:<nobody@example.org>\r\nRCPT TO:<later@example.org>\r\nDATA\r\nRCPT TO:<x@example.org>\r\nDATA\r\nhi\r\n.\r\n",
          "220 250 250 550 451 503 250 354 250", "a@example.com>x@example.org:hi\r\n|" },
        { "each delivery has its own fate", HELLO MAIL
          "RCPT TO:<full@example.org>\r\nRCPT TO:<bad@example.org>\r\nRCPT TO:<broken@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nhi\r\n.\r\n",
          "220 250 250 250 250 250 250 354 552 554 451 250", "a@example.com>x@example.org:hi\r\n|" },
        { "order of commands", MAIL "RCPT TO:<x@example.org>\r\nDATA\r\n" HELLO "RCPT TO:<x@example.org>\r\n" MAIL MAIL "RSET\r\nRCPT TO:<x@example.org>\r\n",
          "220 503 503 503 250 503 250 503 250 503", "" },
        { "wrong greetings and verbs", "HELO x\r\nEHLO x\r\nLHLO\r\nFOO\r\n\r\nNOOP\r\nVRFY x\r\n", "220 500 500 501 500 500 250 252", "" },
        { "bad paths", HELLO "MAIL FROM:a@example.com\r\nMAIL FROM:<a\x01@example.com>\r\nMAIL FROM:<a@example.com\r\nMAIL TO:<a@example.com>\r\n"
          "MAIL FROM:<a@example.com>x\r\nMAIL FROM:<a@example.com> FOO=1\r\nMAIL FROM:<a@example.com> SIZE=x\r\nMAIL FROM:<\xc3\xa4@example.com>\r\n" MAIL "RCPT TO:<>\r\nRCPT TO:<x@example.org> NOTIFY=NEVER\r\n",
          "220 250 501 501 501 501 501 555 501 553 250 501 555", "" },
        { "quoted local part, source route, UTF-8", HELLO "MAIL FROM:<\"a>\\\" b\"@example.com> SMTPUTF8\r\nRCPT TO:<@r.example.net,@s.example.net:\xc3\xa4@example.org>\r\nDATA\r\n.\r\n",
          "220 250 250 250 354 250", "\"a>\\\" b\"@example.com>\xc3\xa4@example.org:|" },
        { "announced too large", HELLO "MAIL FROM:<a@example.com> SIZE=200001\r\nRCPT TO:<x@example.org>\r\n", "220 250 552 503", "" },
        { "cut off mid-message is not delivered", HELLO MAIL "RCPT TO:<x@example.org>\r\nDATA\r\nhi\r\n.\r", "220 250 250 250 354", "" },
        { "commands may end in LF", "LHLO x\nNOOP\n", "220 250 250", "" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 0; step < 4; step++) {
            struct sink sink = sink_new(w);
            struct str answers = talk(w, &sink, str_of(cases[i].input), step);
            CHECK_CASE(cases[i].name, str_is(codes(w->arena, answers), cases[i].codes));
            CHECK_CASE(cases[i].name, str_is(buf_str(&sink.log), cases[i].log));
        }
}

static void announces_its_abilities(void **state)
{
    struct world *w = *state;
    struct sink sink = sink_new(w);
    struct str answers = talk(w, &sink, STR(HELLO "QUIT\r\n"), 0);
    static const char *const wanted[] = { "250-PIPELINING\r\n", "250-8BITMIME\r\n", "250-SMTPUTF8\r\n", "250-ENHANCEDSTATUSCODES\r\n", "250 SIZE 200000\r\n" };
    for (size_t i = 0; i < COUNT(wanted); i++)
        CHECK_CASE(wanted[i], str_find(answers, str_of(wanted[i])) > 0);
}

static void large_messages_come_whole_or_not_at_all(void **state)
{
    struct world *w = *state;
    struct buf b = buf_new(w->arena, 0), body = buf_new(w->arena, 0);
    struct sink sink = sink_new(w);
    for (int i = 0; body.len < 190000; i++)
        buf_printf(&body, i % 7 ? "%d.\r\n" : ".%d \r x \n", i);
    struct str stuffed = str_replace(w->arena, buf_str(&body), STR("\r\n."), STR("\r\n.."));
    buf_lit(&b, HELLO MAIL "RCPT TO:<x@example.org>\r\nRCPT TO:<y@example.org>\r\nDATA\r\n.");
    buf_add(&b, stuffed);
    buf_lit(&b, "\r\n.\r\n" MAIL "RCPT TO:<x@example.org>\r\nDATA\r\n");
    for (int i = 0; i < 2001; i++)
        buf_printf(&b, "%0*d\r\n", 98, i);
    buf_lit(&b, ".\r\n" MAIL "RCPT TO:<x@example.org>\r\nDATA\r\nsmall\r\n.\r\n");
    struct str answers = talk(w, &sink, buf_str(&b), 0);
    CHECK_STR(codes(w->arena, answers), "220 250 250 250 250 354 250 250 250 250 354 552 250 250 354 250");
    CHECK_INT(sink.mails, 3);
    CHECK_INT(sink.shared_raw, 2);
    buf_lit(&body, "\r\n");
    struct str want = arena_printf(w->arena, "a@example.com>x@example.org:%.*s|", STR_ARG(buf_str(&body)));
    CHECK(str_starts(buf_str(&sink.log), want));
}

static void long_lines_and_many_errors(void **state)
{
    struct world *w = *state;
    struct sink sink = sink_new(w);
    struct buf b = buf_new(w->arena, 0);
    buf_lit(&b, "NOOP ");
    for (int i = 0; i < 100000; i++)
        buf_char(&b, 'x');
    buf_lit(&b, "\r\nNOOP\r\n");
    CHECK_STR(codes(w->arena, talk(w, &sink, buf_str(&b), 0)), "220 500 250");
    buf_clear(&b);
    for (int i = 0; i < 30; i++)
        buf_lit(&b, "FOO\r\n");
    struct str answers = talk(w, &sink, buf_str(&b), 0);
    CHECK(str_ends(answers, STR("500 5.5.2 Unknown command\r\n421 4.7.0 Too many errors\r\n")));
}

static int dial(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Reads until `want` was seen; fails after 10 seconds. */
static void expect(int fd, const char *want)
{
    char got[8192];
    size_t n = 0;
    while (n < sizeof got - 1) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        CHECK_INT(poll(&p, 1, 10000), 1);
        ssize_t r = recv(fd, got + n, sizeof got - 1 - n, 0);
        CHECK_CASE(want, r > 0);
        n += (size_t)r;
        if (str_find((struct str){ got, n }, str_of(want)) >= 0)
            return;
    }
    CHECK_CASE(want, false);
}

static void say(int fd, const char *text)
{
    CHECK(fd_write_all(fd, text, strlen(text)));
}

static void serves_tcp_and_stops_cleanly(void **state)
{
    struct world *w = *state;
    struct sink sink = sink_new(w);
    struct lmtp_options o = options_for(&sink);
    struct lmtp *lmtp = NULL;
    o.listen = "127.0.0.1:0";
    o.max_connections = 2;
    CHECK_OK(&w->cx, lmtp_start(&w->cx, &o, &lmtp));
    CLEANUP(fd_close) int one = dial(lmtp_port(lmtp)), idle = -1, third = -1;
    expect(one, "220 ");
    idle = dial(lmtp_port(lmtp));
    expect(idle, "220 ");
    third = dial(lmtp_port(lmtp));
    expect(third, "421 4.3.2 Too many");
    say(one, HELLO MAIL "RCPT TO:<x@example.org>\r\nDATA\r\nhalf");
    expect(one, "354 ");

    pthread_t finisher;
    pthread_create(&finisher, NULL, (void *(*)(void *))(void (*)(void))lmtp_stop, &lmtp);
    expect(idle, "421 4.3.2 Shutting down");        /* the stop has begun; the running transaction may end */
    say(one, " whole\r\n.\r\n");
    expect(one, "250 2.0.0 Stored");
    pthread_join(finisher, NULL);
    CHECK(lmtp == NULL);
    CHECK_STR(buf_str(&sink.log), "a@example.com>x@example.org:half whole\r\n|");
    fd_close(&idle);
    fd_close(&third);
}

static void serves_a_unix_socket_and_replaces_a_stale_one(void **state)
{
    struct world *w = *state;
    struct sink sink = sink_new(w);
    struct lmtp_options o = options_for(&sink);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct str path = arena_printf(w->arena, "%s/lmtp", w->dir);
    memcpy(a.sun_path, path.ptr, path.len);
    o.listen = path.ptr;
    CLEANUP(fd_close) int stale = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(bind(stale, (struct sockaddr *)&a, sizeof a), 0);
    CLEANUP(lmtp_stop) struct lmtp *lmtp = NULL;
    struct lmtp *second = NULL;
    CHECK_OK(&w->cx, lmtp_start(&w->cx, &o, &lmtp));
    CHECK_INT(lmtp_port(lmtp), 0);
    CHECK_ERR(lmtp_start(&w->cx, &o, &second), E_INVALID);
    CHECK_INT(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    say(fd, HELLO MAIL "RCPT TO:<x@example.org>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n");
    expect(fd, "221 ");
    CHECK_INT(sink.mails, 1);
    lmtp_stop(&lmtp);
    CHECK(access(path.ptr, F_OK) != 0);
    fd_close(&stale);
}

static void sends_silent_peers_away(void **state)
{
    struct world *w = *state;
    struct sink sink = sink_new(w);
    struct lmtp_options o = options_for(&sink);
    CLEANUP(lmtp_stop) struct lmtp *lmtp = NULL;
    o.listen = "127.0.0.1:0";
    o.idle_us = 50 * US_PER_MS;
    CHECK_OK(&w->cx, lmtp_start(&w->cx, &o, &lmtp));
    CLEANUP(fd_close) int fd = dial(lmtp_port(lmtp));
    expect(fd, "421 4.4.2");
    CLEANUP(fd_close) int in_data = dial(lmtp_port(lmtp));
    say(in_data, HELLO MAIL "RCPT TO:<x@example.org>\r\nDATA\r\nhalf");
    expect(in_data, "421 4.4.2");
    CHECK_INT(sink.mails, 0);
}

static void refuses_unusable_addresses(void **state)
{
    struct world *w = *state;
    struct lmtp *lmtp = NULL;
    static const char *const bad[] = { "nonsense", "127.0.0.1:", "192.0.2.1:0", "/nonexistent/folder/socket", ":25" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct lmtp_options o = { .listen = bad[i] };
        CHECK_CASE(bad[i], lmtp_start(&w->cx, &o, &lmtp) == E_INVALID);
        CHECK_STR(str_of(w->cx.failure.field), "listen");
    }
}

TESTS(UNIT(answers_as_the_rfc_says), UNIT(announces_its_abilities), UNIT(large_messages_come_whole_or_not_at_all),
      UNIT(long_lines_and_many_errors), UNIT(serves_tcp_and_stops_cleanly), UNIT(serves_a_unix_socket_and_replaces_a_stale_one),
      UNIT(sends_silent_peers_away), UNIT(refuses_unusable_addresses))
