/* email_wire_test.c - LMTP, IMAP, POP3 and files as ways in. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "testing/testing.h"

#include "channels/email/email_desk_test.h"
#include "tests/peers/peer.h"

/* ---- LMTP ---- */

static void say(int fd, const char *text, const char *want)
{
    char answer[512] = "";
    size_t n = 0;
    CHECK(fd_write_all(fd, text, strlen(text)));
    while (n < sizeof(answer) - 1 && read(fd, answer + n, 1) == 1) {
        n++;
        if (answer[n - 1] == '\n') {
            if (n > 3 && strrchr(text, '\n') && answer[3] == '-') {     /* more lines come */
                n = 0;
                memset(answer, 0, sizeof(answer));
                continue;
            }
            break;
        }
    }
    CHECK_CASE(answer, strncmp(answer, want, strlen(want)) == 0);
}

static int call(struct desk *d)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)email_lmtp_port(d->email)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

static enum err_code waiting(struct cx *cx, struct db *db, struct desk *d)
{
    struct em_waiting *rows = NULL;
    size_t n = 0;
    TRY(em_mail_waiting(cx, db, (struct em_mail_waiting_in){ cx->account_id, 100 }, &rows, &n));
    d->ret = (int64_t)n;
    return E_OK;
}

static void lmtp_takes_mail_for_our_mailboxes_only(void **state)
{
    struct desk d = desk_open_with(*state, (struct desk_mailbox){ .address = "help@example.com" }, "127.0.0.1:0");
    CLEANUP(fd_close) int fd = call(&d);
    say(fd, "", "220");
    say(fd, "LHLO mx.example.net\r\n", "250");
    say(fd, "MAIL FROM:<ann@example.org>\r\n", "250");
    say(fd, "RCPT TO:<nobody@example.com>\r\n", "550");
    say(fd, "RCPT TO:<HELP+anything@Example.COM>\r\n", "250");
    say(fd, "DATA\r\n", "354");
    say(fd, "From: ann@example.org\r\nSubject: hi\r\nMessage-ID: <l1@example.org>\r\n\r\nhello\r\n.\r\n", "250");
    CHECK_INT(desk_do(&d, waiting, NULL), 1);       /* durable, not yet understood */
    int64_t account_id = 0;
    CHECK_OK(d.cx, email_account_of(d.cx, d.email, STR("Help+x@Example.com"), &account_id));
    CHECK_INT(account_id, d.account_id);
    CHECK_OK(d.cx, email_account_of(d.cx, d.email, STR("nobody@example.com"), &account_id));
    CHECK_INT(account_id, 0);
    size_t did = 0;
    CHECK_OK(d.cx, email_process_waiting(d.cx, d.email, &did));
    CHECK_INT(did, 1);
    /* Our trouble is temporary for the sender, who keeps the mail. */
    store_inject_full(d.w->store, true);
    say(fd, "MAIL FROM:<ann@example.org>\r\n", "250");
    say(fd, "RCPT TO:<help@example.com>\r\n", "250");
    say(fd, "DATA\r\n", "354");
    say(fd, "From: ann@example.org\r\nSubject: hi\r\nMessage-ID: <l2@example.org>\r\n\r\nhello\r\n.\r\n", "451");
    store_inject_full(d.w->store, false);
    CHECK_INT(desk_do(&d, waiting, NULL), 0);
    desk_close(&d);
}

/* ---- IMAP and POP3 ---- */

struct incoming { const char *kind, *ca; int port; int64_t since_us; };

static enum err_code connect_incoming(struct cx *cx, struct db *db, struct desk *d)
{
    const struct incoming *in = d->arg;
    struct incoming_in incoming = { .kind = str_of(in->kind), .host = STR("localhost"), .security = STR("tls"), .user = STR("user@example.com"),
                                    .password = STR("secret \"pass\\word\" \u00e4"), .port = in->port };
    struct mailbox_in mailbox = { .address = STR("in@example.com"), .incoming = &incoming };
    struct em_mailbox box = email_mailbox_defaults();
    struct em_id id;
    TRY(email_mailbox_apply(cx, db, d->email, &mailbox, &box));
    CHECK(box.in_secret.len > 0 && str_find(box.in_secret, STR("secret")) < 0);
    TRY(em_mailbox_insert(cx, db, (struct em_mailbox_insert_in){
        .account_id = cx->account_id, .name = box.name, .address = box.address, .address_folded = box.address_folded, .active = true,
        .in_kind = box.in_kind, .in_host = box.in_host, .in_port = box.in_port, .in_security = box.in_security, .in_auth = box.in_auth,
        .in_user = box.in_user, .in_secret = box.in_secret, .in_folder = box.in_folder, .out_kind = STR("none"), .out_security = STR("tls"),
        .out_auth = STR("none"), .backfill_since_us = in->since_us, .now = cx->now_us }, &id));
    d->ret = id.id;
    return E_OK;
}

static size_t fetch(struct desk *d, int64_t mailbox)
{
    size_t stored = 0;
    CHECK_OK(d->cx, email_follow_once(d->cx, d->email, mailbox, &stored));
    return stored;
}

static void process_all(struct desk *d)
{
    for (size_t did = 1; did > 0;)
        CHECK_OK(d->cx, email_process_waiting(d->cx, d->email, &did));
}

static void imap_starts_at_the_end_and_misses_nothing_after(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_imap.py", "--mode", "ok", "--tls", "implicit");
    struct desk d = desk_open(*state);
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t box = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "imap", .port = peer.port });
    CHECK_INT(fetch(&d, box), 0);       /* what was there before is not ours */
    peer_tell(&peer, "deliver");
    peer_tell(&peer, "deliver");
    CHECK_INT(fetch(&d, box), 2);
    CHECK_INT(fetch(&d, box), 0);
    CHECK_INT(desk_do(&d, waiting, NULL), 2);
    process_all(&d);
    desk_close(&d);
}

static void imap_fetches_older_mail_on_request_once(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_imap.py", "--mode", "ok", "--tls", "implicit");
    struct desk d = desk_open(*state);
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t box = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "imap", .port = peer.port, .since_us = US_PER_DAY });
    CHECK_INT(fetch(&d, box), 3);
    CHECK_INT(fetch(&d, box), 0);
    process_all(&d);
    desk_close(&d);
}

static enum err_code renumber(struct cx *cx, struct db *db, struct desk *d)
{
    return em_folder_put(cx, db, (struct em_folder_put_in){ cx->account_id, *(const int64_t *)d->arg, STR("INBOX"), 99, 40, 0, 0, 1 }, NULL);
}

/* The server gave new numbers: all since the connection is read again, and recognised. */
static void renumbered_mail_is_recognised(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_imap.py", "--mode", "ok", "--tls", "implicit");
    struct desk d = desk_open(*state);
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t box = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "imap", .port = peer.port, .since_us = US_PER_DAY });
    CHECK_INT(fetch(&d, box), 3);
    process_all(&d);
    desk_do(&d, renumber, &box);
    peer_tell(&peer, "deliver");
    CHECK_INT(fetch(&d, box), 4);
    process_all(&d);
    int stored = 0, duplicates = 0;
    for (int64_t id = 1; id <= 7; id++) {
        struct str mail_state = desk_row(&d, id).state;
        stored += str_is(mail_state, "stored");
        duplicates += str_is(mail_state, "duplicate");
    }
    CHECK_INT(stored, 4);
    CHECK_INT(duplicates, 3);
    CHECK_INT(fetch(&d, box), 0);
    desk_close(&d);
}

struct box_state { int64_t id; struct str state; };

static enum err_code read_box_state(struct cx *cx, struct db *db, void *arg)
{
    struct box_state *b = arg;
    struct em_mailbox box;
    TRY(em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, b->id }, &box));
    b->state = box.state;
    return E_OK;
}

static bool becomes(struct desk *d, int64_t mailbox, const char *want)
{
    struct box_state b = { .id = mailbox };
    for (int i = 0; i < 1000; i++, usleep(10000)) {
        CHECK_OK(d->cx, store_read(d->w->store, d->cx, read_box_state, &b));
        if (str_is(b.state, want))
            return true;
    }
    return false;
}

/* The threads themselves: connect, IDLE, news, trouble, coming back, and an end without waiting. */
static void a_follower_hears_of_news_and_ends_at_once(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_imap.py", "--mode", "ok", "--tls", "implicit");
    struct desk d = desk_open(*state);
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t box = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "imap", .port = peer.port });
    email_intake_start(d.email);
    d.email->followers = followers_start(d.email);
    CHECK(becomes(&d, box, "ok"));
    peer_tell(&peer, "deliver");
    for (int i = 0; i < 1000 && atomic_load(&d.email->counters.stored) < 1; i++)
        usleep(10000);
    CHECK_INT(atomic_load(&d.email->counters.stored), 1);
    CHECK_STR(desk_row(&d, 1).state, "stored");
    int64_t began = clock_monotonic_us();
    desk_close(&d);
    CHECK(clock_monotonic_us() - began < 5 * US_PER_SECOND);
}

static void a_follower_shows_its_trouble(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_imap.py", "--mode", "greeting-bye", "--tls", "implicit");
    struct desk d = desk_open(*state);
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t box = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "imap", .port = peer.port });
    d.email->followers = followers_start(d.email);
    CHECK(becomes(&d, box, "failing"));
    peer_tell(&peer, "mode ok");
    CHECK(becomes(&d, box, "ok"));
    desk_close(&d);
}

static void pop3_takes_each_message_once(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_pop3.py", "--mode", "ok", "--tls", "implicit");
    struct desk d = desk_open(*state);
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t fresh = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "pop3", .port = peer.port });
    CHECK_INT(fetch(&d, fresh), 0);
    peer_tell(&peer, "deliver");
    CHECK_INT(fetch(&d, fresh), 1);
    CHECK_INT(fetch(&d, fresh), 0);
    process_all(&d);
    desk_close(&d);
}

static void trouble_is_told_in_words(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_imap.py", "--mode", "select-no", "--tls", "implicit");
    struct desk d = desk_open(*state);
    size_t stored = 0;
    d.email->ca_file = heap_copy(str_of(peer.ca));
    int64_t box = desk_do(&d, connect_incoming, &(struct incoming){ .kind = "imap", .port = peer.port });
    CHECK(email_follow_once(d.cx, d.email, box, &stored) != E_OK);
    CHECK(d.cx->failure.message.len > 0);
    desk_close(&d);
}

/* ---- files ---- */

static void an_import_may_be_run_again(void **state)
{
    struct desk d = desk_open(*state);
    struct email_import_progress p;
    const char *path = arena_printf(d.w->arena, "%s/old.mbox", d.w->dir).ptr;
    struct str mbox = STR("From ann@example.org Sat Jan  3 10:00:00 2026\nFrom: ann@example.org\nSubject: one\nMessage-ID: <m1@example.org>\n"
                          "Date: Sat, 3 Jan 2026 10:00:00 +0000\n\nFirst.\n\n>From the start it was so.\nFrom here on too.\n\n"
                          "From bob@example.org Sun Jan  4 10:00:00 2026\nFrom: bob@example.org\nSubject: two\nMessage-ID: <m2@example.org>\n"
                          "Date: Sun, 4 Jan 2026 10:00:00 +0000\nIn-Reply-To: <m1@example.org>\n\nSecond.\n\n");
    CHECK(fd_replace_file(d.w->arena, path, mbox, 0600));
    CHECK_OK(d.cx, email_import(d.cx, d.email, STR("mbox"), path, STR("help@example.com"), true, NULL, NULL, &p));
    CHECK_INT(p.seen, 2);
    CHECK_INT(desk_do(&d, waiting, NULL), 0);
    CHECK_OK(d.cx, email_import(d.cx, d.email, STR("mbox"), path, STR("help@example.com"), false, NULL, NULL, &p));
    CHECK_INT(p.stored, 2);
    CHECK_INT(p.bytes_all, mbox.len);
    struct em_mail first = desk_row(&d, 1), second = desk_row(&d, 2);
    CHECK_INT(second.ticket_id, first.ticket_id);
    struct message_full m = desk_message(&d, first.message_id);
    CHECK(str_find(m.text, STR("\nFrom the start it was so.\nFrom here on too.")) >= 0);
    int64_t day = 0;
    CHECK(clock_parse(STR("2026-01-03T10:00:00Z"), &day));
    CHECK_INT(m.created_us, day);           /* as old as it is */
    CHECK_OK(d.cx, email_import(d.cx, d.email, STR("mbox"), path, STR("help@example.com"), false, NULL, NULL, &p));
    CHECK_INT(p.duplicates, 2);
    CHECK_INT(p.stored, 0);
    const char *folder = arena_printf(d.w->arena, "%s/maildir", d.w->dir).ptr;
    CHECK(fd_make_dirs(arena_printf(d.w->arena, "%s/cur", folder).ptr, 0700));
    CHECK(fd_replace_file(d.w->arena, arena_printf(d.w->arena, "%s/cur/1:2,S", folder).ptr,
                          STR("From: cy@example.org\nSubject: three\nMessage-ID: <m3@example.org>\n\nThird.\n"), 0600));
    CHECK_OK(d.cx, email_import(d.cx, d.email, STR("maildir"), folder, STR("help@example.com"), false, NULL, NULL, &p));
    CHECK_INT(p.stored, 1);
    CHECK_ERR(email_import(d.cx, d.email, STR("pst"), folder, STR(""), false, NULL, NULL, &p), E_INVALID);
    CHECK_ERR(email_import(d.cx, d.email, STR("mbox"), "/nowhere", STR(""), false, NULL, NULL, &p), E_INVALID);
    desk_close(&d);
}

TESTS(BOTH(lmtp_takes_mail_for_our_mailboxes_only), BOTH(imap_starts_at_the_end_and_misses_nothing_after),
      BOTH(imap_fetches_older_mail_on_request_once), BOTH(renumbered_mail_is_recognised), BOTH(a_follower_hears_of_news_and_ends_at_once),
      SQLITE(a_follower_shows_its_trouble), BOTH(pop3_takes_each_message_once), SQLITE(trouble_is_told_in_words),
      BOTH(an_import_may_be_run_again))
