/* realtime_test.c - events over WebSocket, seen by a raw client on a socket pair. */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/json/json.h"
#include "platform/realtime/realtime_internal.h"
#include "testing/testing.h"

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/* ---- a client ---- */

struct client {
    int fd;
    struct buf in;
};

struct got {
    int opcode;                 /* -1: the connection ended or nothing came in time */
    struct str payload;
    int code;                   /* of a close frame */
};

static bool read_more(struct client *c, int wait_ms)
{
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    char bytes[65536];
    if (poll(&p, 1, wait_ms) <= 0)
        return false;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        buf_add(&c->in, (struct str){ bytes, (size_t)n });
    return n > 0;
}

static struct got next_within(struct client *c, int wait_ms)
{
    struct got g = { .opcode = -1 };
    size_t head = 2, len = 0;
    for (;;) {
        const unsigned char *p = (const unsigned char *)c->in.ptr;
        if (c->in.len >= 2) {
            head = (p[1] & 127) == 126 ? 4 : (p[1] & 127) == 127 ? 10 : 2;
            len = p[1] & 127;
        }
        if (c->in.len >= head && head > 2) {
            len = 0;
            for (size_t i = 2; i < head; i++)
                len = len << 8 | p[i];
        }
        if (c->in.len >= head && c->in.len >= head + len && c->in.len >= 2)
            break;
        if (!read_more(c, wait_ms))
            return g;
    }
    struct str all = arena_copy(c->in.arena, buf_str(&c->in));
    CHECK((all.ptr[1] & 0x80) == 0); /* a server does not mask */
    CHECK(((unsigned char)all.ptr[0] & 0xf0) == 0x80);
    g.opcode = all.ptr[0] & 15;
    g.payload = str_sub(all, head, len);
    if (g.opcode == CLOSE && len >= 2)
        g.code = (unsigned char)g.payload.ptr[0] << 8 | (unsigned char)g.payload.ptr[1];
    buf_clear(&c->in);
    buf_add(&c->in, str_skip(all, head + len));
    return g;
}

static struct got next(struct client *c)
{
    return next_within(c, 10000);
}

/* first: FIN, RSV and opcode.  A mask of zeros would hide a server that forgets to unmask. */
static struct str frame_bytes(struct arena *arena, unsigned first, struct str payload, bool masked)
{
    static const unsigned char mask[4] = { 0x12, 0x34, 0x56, 0x78 };
    struct buf out = buf_new(arena, 0);
    unsigned bit = masked ? 0x80 : 0;
    buf_char(&out, (char)first);
    if (payload.len < 126) {
        buf_char(&out, (char)(bit | payload.len));
    } else {
        buf_char(&out, (char)(bit | 126));
        buf_char(&out, (char)(payload.len >> 8));
        buf_char(&out, (char)payload.len);
    }
    if (masked)
        buf_add(&out, (struct str){ (const char *)mask, 4 });
    for (size_t i = 0; i < payload.len; i++)
        buf_char(&out, (char)((unsigned char)payload.ptr[i] ^ (masked ? mask[i % 4] : 0)));
    return buf_str(&out);
}

static void say_bytes(struct client *c, struct str bytes)
{
    CHECK(send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len);
}

static void say(struct client *c, unsigned first, struct str payload)
{
    say_bytes(c, frame_bytes(c->in.arena, first, payload, true));
}

/* ---- a world with events ---- */

static bool may_see(const struct realtime_user *user, const struct event *event)
{
    return event->team_id == 0 || user->user_id == event->team_id;
}

static const struct realtime_rules rules = { .may_see = may_see };

static enum err_code begin_accounts(struct cx *cx, struct db *db, void *arg)
{
    TRY(journal_begin(cx, db, 1));
    return journal_begin(cx, db, 2);
}

struct adding {
    int64_t account_id, team_id;
    size_t n, data_bytes;
};

static enum err_code add_events(struct cx *cx, struct db *db, void *arg)
{
    const struct adding *a = arg;
    cx->account_id = a->account_id;
    struct buf data = buf_new(cx->arena, 0);
    buf_lit(&data, "{\"x\":\"");
    for (size_t i = 0; i < a->data_bytes; i++)
        buf_char(&data, 'x');
    buf_lit(&data, "\"}");
    for (size_t i = 0; i < a->n; i++) {
        struct event e = { .type = STR("ticket.changed"), .ticket_id = 7, .team_id = a->team_id, .data = buf_str(&data) };
        TRY(journal_append(cx, db, &e));
    }
    return E_OK;
}

static void add(struct world *w, struct adding a)
{
    struct cx cx = world_cx(w);
    CHECK_OK(&cx, store_write(w->store, &cx, add_events, &a));
}

static struct realtime *start(struct world *w, unsigned max_per_user)
{
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_accounts, NULL));
    return realtime_new(w->store, rules, max_per_user);
}

static struct client join(struct world *w, struct realtime *rt, int64_t account_id, int64_t user_id, int64_t after)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    int64_t none; /* a user without teams may come with the place of an empty list */
    struct realtime_user user = { .account_id = account_id, .user_id = user_id, .team_ids = &none };
    realtime_adopt(rt, pair[1], STR_NONE, &user, after, NULL, NULL);
    return (struct client){ .fd = pair[0], .in = buf_new(w->arena, 0) };
}

static int64_t seq_of(struct world *w, struct got g, const char *type)
{
    struct json_value doc;
    if (g.opcode != TEXT)
        return -1;
    CHECK_OK(&w->cx, json_parse(&w->cx, g.payload, &doc));
    CHECK_STR(json_text(&doc, "type"), type);
    return json_int(&doc, "seq", -2);
}

static void check_closed(struct client *c, int code)
{
    struct got g = next(c);
    while (g.opcode == TEXT || g.opcode == PING)
        g = next(c);
    CHECK_INT(g.opcode, CLOSE);
    CHECK_INT(g.code, code);
}

static void leave(struct client *c)
{
    fd_close(&c->fd);
}

/* ---- events ---- */

static void sends_events_in_order_without_gaps(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 0);
    add(w, (struct adding){ .account_id = 1, .n = 3 });
    struct client c = join(w, rt, 1, 5, 1), live = join(w, rt, 1, 6, -1), other = join(w, rt, 2, 5, 0);
    CHECK_INT(seq_of(w, next(&c), "hello"), 3);
    CHECK_INT(seq_of(w, next(&live), "hello"), 3);
    CHECK_INT(seq_of(w, next(&other), "hello"), 0);
    struct got g = next(&c);
    CHECK_STR(g.payload, "{\"seq\":2,\"at\":\"2026-01-05T09:00:00Z\",\"type\":\"ticket.changed\",\"ticket_id\":\"7\",\"team_id\":null,"
              "\"assignee_id\":null,\"subject_id\":null,\"actor\":{\"kind\":\"system\",\"id\":null},\"data\":{\"x\":\"\"}}");
    CHECK_INT(seq_of(w, next(&c), "ticket.changed"), 3);
    for (int i = 0; i < 20; i++)
        add(w, (struct adding){ .account_id = 1, .n = 1 });
    add(w, (struct adding){ .account_id = 2, .n = 1 });
    for (int64_t seq = 4; seq <= 23; seq++) {
        CHECK_INT(seq_of(w, next(&c), "ticket.changed"), seq);
        CHECK_INT(seq_of(w, next(&live), "ticket.changed"), seq);
    }
    CHECK_INT(seq_of(w, next(&other), "ticket.changed"), 1);
    CHECK_INT(next_within(&other, 50).opcode, -1);
    leave(&c);
    leave(&live);
    leave(&other);
    realtime_free(&rt);
}

static void replays_more_than_a_batch_and_goes_live(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 0);
    add(w, (struct adding){ .account_id = 1, .n = 1200, .data_bytes = 1500 });
    struct client c = join(w, rt, 1, 5, 0);
    CHECK_INT(seq_of(w, next(&c), "hello"), 1200);
    add(w, (struct adding){ .account_id = 1, .n = 5 });
    for (int64_t seq = 1; seq <= 1205; seq++)
        CHECK_INT(seq_of(w, next(&c), "ticket.changed"), seq);
    leave(&c);
    realtime_free(&rt);
}

static void asks_to_resync_when_too_far_back(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 0);
    add(w, (struct adding){ .account_id = 1, .n = REPLAY_MOST + 1 });
    struct client far = join(w, rt, 1, 5, 0), ahead = join(w, rt, 1, 5, 999999), near = join(w, rt, 1, 5, 1);
    CHECK_INT(seq_of(w, next(&far), "resync"), REPLAY_MOST + 1);
    CHECK_INT(seq_of(w, next(&ahead), "resync"), REPLAY_MOST + 1);
    CHECK_INT(seq_of(w, next(&near), "hello"), REPLAY_MOST + 1);
    CHECK_INT(seq_of(w, next(&near), "ticket.changed"), 2);
    add(w, (struct adding){ .account_id = 1, .n = 1 });
    CHECK_INT(seq_of(w, next(&far), "ticket.changed"), REPLAY_MOST + 2);
    leave(&far);
    leave(&ahead);
    leave(&near);
    realtime_free(&rt);
}

static void shows_only_what_the_user_may_see(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 0);
    add(w, (struct adding){ .account_id = 1, .n = 1, .team_id = 6 });
    struct client five = join(w, rt, 1, 5, 0), six = join(w, rt, 1, 6, 0);
    next(&five);
    next(&six);
    add(w, (struct adding){ .account_id = 1, .n = 1, .team_id = 6 });
    add(w, (struct adding){ .account_id = 1, .n = 1 });
    CHECK_INT(seq_of(w, next(&five), "ticket.changed"), 3);
    for (int64_t seq = 1; seq <= 3; seq++)
        CHECK_INT(seq_of(w, next(&six), "ticket.changed"), seq);
    leave(&five);
    leave(&six);
    realtime_free(&rt);
}

static void cuts_off_slow_readers_who_resume(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 0);
    struct client c = join(w, rt, 1, 5, 0), quick = join(w, rt, 1, 5, 0);
    CHECK_INT(seq_of(w, next(&c), "hello"), 0);
    CHECK_INT(seq_of(w, next(&quick), "hello"), 0);
    int64_t total = 0;
    for (; total < 2000 && __atomic_load_n(&rt->slow_closed, __ATOMIC_RELAXED) == 0; total += 50) {
        add(w, (struct adding){ .account_id = 1, .n = 50, .data_bytes = 2000 });
        for (int i = 1; i <= 50; i++)
            CHECK_INT(seq_of(w, next(&quick), "ticket.changed"), total + i);
    }
    CHECK(total < 2000);
    int64_t seq = 0;
    struct got g;
    for (g = next(&c); g.opcode == TEXT; g = next(&c))
        CHECK_INT(seq_of(w, g, "ticket.changed"), ++seq);
    CHECK_INT(g.code, 4008);
    CHECK(seq < total);
    struct client again = join(w, rt, 1, 5, seq);
    CHECK_INT(seq_of(w, next(&again), "hello"), total);
    while (seq < total)
        CHECK_INT(seq_of(w, next(&again), "ticket.changed"), ++seq);
    leave(&c);
    leave(&quick);
    leave(&again);
    realtime_free(&rt);
}

static void ends_sockets_of_a_user(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 2);
    struct client a = join(w, rt, 1, 5, -1), b = join(w, rt, 1, 5, -1), other = join(w, rt, 1, 6, -1);
    next(&a);
    next(&b);
    next(&other);
    struct client third = join(w, rt, 1, 5, -1);
    check_closed(&third, 4409);
    struct realtime_user user;
    struct cx cx = { .arena = w->arena, .account_id = 1, .user_id = 5 };
    CHECK_ERR(realtime_admit(&cx, NULL, rt, &user), E_RATE);
    cx.user_id = 6;
    CHECK_OK(&cx, realtime_admit(&cx, NULL, rt, &user));
    realtime_disconnect(rt, 1, 5);
    check_closed(&a, 4401);
    check_closed(&b, 4401);
    add(w, (struct adding){ .account_id = 1, .n = 1 });
    CHECK_INT(seq_of(w, next(&other), "ticket.changed"), 1);
    realtime_free(&rt);
    check_closed(&other, 1001);
    leave(&a);
    leave(&b);
    leave(&third);
    leave(&other);
}

static void pings_and_gives_up_on_the_deaf(void **state)
{
    struct world *w = *state;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_accounts, NULL));
    struct realtime *rt = realtime_start(w->store, rules, 0, 100 * US_PER_MS, 400 * US_PER_MS);
    struct client c = join(w, rt, 1, 5, -1);
    CHECK_INT(seq_of(w, next(&c), "hello"), 0);
    struct got g = next(&c);
    CHECK_INT(g.opcode, PING);
    while (g.opcode == PING)
        g = next(&c);
    CHECK_INT(g.opcode, -1);
    leave(&c);
    realtime_free(&rt);
}

/* ---- the protocol: after the families of the Autobahn test suite ---- */

static const unsigned FIN = 0x80;

static void answers_pings_and_ignores_pongs(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 0);
    struct client c = join(w, rt, 1, 5, -1);
    next(&c);
    char big[125];
    memset(big, 0xfe, sizeof big);
    struct str payloads[] = { STR(""), STR("Hello"), { big, sizeof big } };
    for (size_t i = 0; i < COUNT(payloads); i++) {
        say(&c, FIN | PONG, STR("unasked"));
        say(&c, FIN | PING, payloads[i]);
        struct got g = next(&c);
        CHECK_INT(g.opcode, PONG);
        CHECK(str_eq(g.payload, payloads[i]));
    }
    /* Byte by byte, and between the fragments of a message. */
    struct buf all = buf_new(w->arena, 0);
    buf_add(&all, frame_bytes(w->arena, TEXT, STR("frag"), true));
    buf_add(&all, frame_bytes(w->arena, FIN | PING, STR("in between"), true));
    buf_add(&all, frame_bytes(w->arena, 0, STR(""), true));
    buf_add(&all, frame_bytes(w->arena, FIN | 0, STR("ment"), true));
    buf_add(&all, frame_bytes(w->arena, FIN | PING, STR("after"), true));
    for (size_t i = 0; i < all.len; i++)
        say_bytes(&c, str_sub(buf_str(&all), i, 1));
    CHECK_STR(next(&c).payload, "in between");
    CHECK_STR(next(&c).payload, "after");
    /* Many in one piece. */
    buf_clear(&all);
    for (int i = 0; i < 10; i++)
        buf_add(&all, frame_bytes(w->arena, FIN | PING, arena_printf(w->arena, "payload-%d", i), true));
    say_bytes(&c, buf_str(&all));
    for (int i = 0; i < 10; i++)
        CHECK_STR(next(&c).payload, arena_printf(w->arena, "payload-%d", i).ptr);
    leave(&c);
    realtime_free(&rt);
}

static void closes_on_every_breach_of_the_protocol(void **state)
{
    struct world *w = *state;
    struct realtime *rt = start(w, 100);
    char big[4097];
    memset(big, 'a', sizeof big);
    const struct {
        const char *name;
        struct {
            unsigned first;
            struct str payload;
            bool unmasked;
        } frames[3];
        int code;
    } cases[] = {
        { "2.5 ping of 126 bytes", { { FIN | PING, { big, 126 } } }, 1002 },
        { "3.1 RSV bit", { { FIN | 0x40 | TEXT, STR("x") } }, 1002 },
        { "3.7 RSV bits on close", { { FIN | 0x70 | CLOSE, STR("") } }, 1002 },
        { "4.1 reserved opcode 3", { { FIN | 3, STR("") } }, 1002 },
        { "4.2 reserved opcode 11", { { FIN | 11, STR("") } }, 1002 },
        { "5.1 fragmented ping", { { PING, STR("a") } }, 1002 },
        { "5.9 continuation of nothing", { { FIN | 0, STR("a") } }, 1002 },
        { "5.18 text inside a fragmented text", { { TEXT, STR("a") }, { FIN | TEXT, STR("b") } }, 1002 },
        { "6.3 bad UTF-8", { { FIN | TEXT, STR("\xce\xba\xe1\xbd\xb9\xed\xa0\x80") } }, 1007 },
        { "6.2 UTF-8 cut between fragments is bad only at the end", { { TEXT, STR("\xce") }, { FIN | 0, STR("\xce") } }, 1007 },
        { "7.3.1 close without a code", { { FIN | CLOSE, STR("") } }, 1000 },
        { "7.3.2 close with one byte", { { FIN | CLOSE, STR("a") } }, 1002 },
        { "7.3.3 close 1000", { { FIN | CLOSE, STR("\x03\xe8") } }, 1000 },
        { "7.3.4 close with a reason", { { FIN | CLOSE, STR("\x03\xe8 bye") } }, 1000 },
        { "7.3.6 close of 126 bytes", { { FIN | CLOSE, { big, 126 } } }, 1002 },
        { "7.5.1 close with bad UTF-8", { { FIN | CLOSE, STR("\x03\xe8\xff") } }, 1007 },
        { "7.7.13 close 4999", { { FIN | CLOSE, STR("\x13\x87") } }, 4999 },
        { "7.9.1 close 0", { { FIN | CLOSE, STR("\0\0") } }, 1002 },
        { "7.9.3 close 1005", { { FIN | CLOSE, STR("\x03\xed") } }, 1002 },
        { "7.9.9 close 2999", { { FIN | CLOSE, STR("\x0b\xb7") } }, 1002 },
        { "not masked", { { FIN | TEXT, STR("a"), true } }, 1002 },
        { "binary", { { FIN | BINARY, STR("a") } }, 1003 },
        { "too large", { { FIN | TEXT, { big, 4097 } } }, 1009 },
        { "too large in pieces", { { TEXT, { big, 4000 } }, { 0, { big, 97 } } }, 1009 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client c = join(w, rt, 1, 5, -1);
        CHECK_INT(seq_of(w, next(&c), "hello"), 0);
        for (size_t k = 0; k < COUNT(cases[i].frames) && cases[i].frames[k].payload.ptr; k++)
            say_bytes(&c, frame_bytes(w->arena, cases[i].frames[k].first, cases[i].frames[k].payload, !cases[i].frames[k].unmasked));
        struct got g = next(&c);
        CHECK_CASE(cases[i].name, g.opcode == CLOSE);
        CHECK_CASE(cases[i].name, g.code == cases[i].code);
        struct str bye = frame_bytes(w->arena, FIN | CLOSE, STR("\x03\xe8"), true);
        send(c.fd, bye.ptr, bye.len, MSG_NOSIGNAL); /* it may have closed already */
        CHECK_CASE(cases[i].name, next(&c).opcode == -1);
        leave(&c);
    }
    /* What is allowed: the largest message, and text that means nothing. */
    struct client c = join(w, rt, 1, 5, -1);
    next(&c);
    say(&c, FIN | TEXT, (struct str){ big, 4096 });
    say(&c, FIN | TEXT, STR("ping \xe2\x82\xac"));
    say(&c, FIN | PING, STR("alive"));
    CHECK_STR(next(&c).payload, "alive");
    leave(&c);
    realtime_free(&rt);
}

static void makes_the_accept_key(void **state)
{
    struct world *w = *state;
    /* The example of RFC 6455 section 1.3. */
    CHECK_STR(realtime_accept_key(w->arena, STR("dGhlIHNhbXBsZSBub25jZQ==")), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TESTS(BOTH(sends_events_in_order_without_gaps), BOTH(replays_more_than_a_batch_and_goes_live),
      SQLITE(asks_to_resync_when_too_far_back), SQLITE(shows_only_what_the_user_may_see),
      SQLITE(cuts_off_slow_readers_who_resume), SQLITE(ends_sockets_of_a_user), SQLITE(pings_and_gives_up_on_the_deaf),
      SQLITE(answers_pings_and_ignores_pongs), SQLITE(closes_on_every_breach_of_the_protocol), UNIT(makes_the_accept_key))
