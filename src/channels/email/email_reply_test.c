/* email_reply_test.c - recipients, the composed mail, the outbox against a real peer, reports about it. */
#include <stdio.h>

#include "testing/testing.h"

#include "channels/email/email_desk_test.h"
#include "tests/peers/peer.h"

/* ---- recipients ---- */

struct preview { struct desk_reply reply; struct reply_plan plan; };

static enum err_code preview(struct cx *cx, struct db *db, void *arg)
{
    struct preview *p = arg;
    struct reply_request request = { 0 };
    struct str *to, *cc;
    request.nto = desk_list(cx->arena, p->reply.to, &to);
    request.ncc = desk_list(cx->arena, p->reply.cc, &cc);
    request.to = to;
    request.cc = cc;
    request.cc_given = request.ncc > 0;
    TRY(tickets_get(cx, db, p->reply.ticket_id, &request.ticket));
    return email_preview(cx, db, &request, &p->plan, NULL);
}

static struct reply_plan plan_of(struct desk *d, struct desk_reply reply)
{
    struct preview p = { .reply = reply };
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, preview, &p));
    return p.plan;
}

static bool warns(const struct reply_plan *plan, const char *code, const char *address)
{
    for (size_t i = 0; i < plan->nwarnings; i++)
        if (str_is(plan->warnings[i].code, code) && str_is(plan->warnings[i].address, address))
            return true;
    return false;
}

static void recipients_are_said_out_loud(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "Cc: bob@example.net, help@example.com\n", "1");
    /* A reply as it comes keeps the copies and leaves ourselves out. */
    struct reply_plan plan = plan_of(&d, (struct desk_reply){ .ticket_id = row.ticket_id });
    CHECK_INT(plan.nwarnings, 0);
    CHECK(str_find(plan.addresses, STR("\"to\":[{\"name\":\"\",\"address\":\"ann@example.org\"}]")) >= 0);
    CHECK(str_find(plan.addresses, STR("bob@example.net")) >= 0);
    CHECK(str_find(plan.addresses, STR("\"from\":{\"name\":\"Example Desk\",\"address\":\"help@example.com\"}")) >= 0);
    plan = plan_of(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .to = { "eve@example.org" }, .cc = { "ann@example.org" } });
    CHECK(warns(&plan, "outsider", "eve@example.org"));
    CHECK(warns(&plan, "dropped", "bob@example.net"));
    CHECK(!warns(&plan, "dropped", "ann@example.org"));
    struct em_mail list = desk_deliver(&d, STR("From: cy@example.org\nTo: talk@lists.example.net\nReply-To: talk@lists.example.net\nSubject: Idea\n"
                                               "Message-ID: <p1@example.org>\nList-Id: <talk.lists.example.net>\n\nHm\n"));
    plan = plan_of(&d, (struct desk_reply){ .ticket_id = list.ticket_id, .to = { "talk@lists.example.net" } });
    CHECK(warns(&plan, "list", "talk@lists.example.net"));
    const struct desk_reply bad = { .ticket_id = row.ticket_id, .text = "x", .to = { "not an address" } };
    CHECK_ERR(desk_try(&d, desk_write_reply, &bad), E_INVALID);
    CHECK_STR(str_of(d.cx->failure.field), "to");
    struct em_mail alone = desk_mail(&d, "dan@example.org", "Alone", "d1@example.org", "", "1");
    const struct desk_reply ourselves = { .ticket_id = alone.ticket_id, .text = "x", .to = { "help+x@example.com" } };
    CHECK_ERR(desk_try(&d, desk_write_reply, &ourselves), E_INVALID);
    desk_close(&d);
}

/* ---- a peer that takes mail ---- */

static struct desk desk_with_peer(struct world *w, struct peer *peer, struct desk_mailbox m)
{
    m.address = "help@example.com";
    m.smtp_port = peer->port;
    return desk_open_with(w, m, NULL);
}

/* The n-th mail that the peer accepted, parsed. */
static struct mail taken(struct desk *d, const struct peer *peer, int n, struct str *ret_raw, struct str *ret_envelope)
{
    struct mail mail;
    CHECK(fd_read_file(d->w->arena, arena_printf(d->w->arena, "%s/%d.eml", peer->folder, n).ptr, 1 << 24, ret_raw));
    CHECK(fd_read_file(d->w->arena, arena_printf(d->w->arena, "%s/%d.json", peer->folder, n).ptr, 1 << 20, ret_envelope));
    CHECK_OK(d->cx, mail_parse(d->cx, *ret_raw, (struct mail_limits){ 0 }, &mail));
    return mail;
}

static bool was_taken(struct desk *d, const struct peer *peer, int n)
{
    struct str raw;
    return fd_read_file(d->w->arena, arena_printf(d->w->arena, "%s/%d.eml", peer->folder, n).ptr, 1 << 24, &raw);
}

static void a_reply_is_a_complete_mail(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "ok");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){
        .signature = "**{{agent.name}}** for {{customer.name}}, [{{ticket.number}}] {{no.such}}", .quote = true });
    struct em_mail row = desk_mail(&d, "Ann <b>Evil</b> <ann@example.org>", "Order", "a1@example.org", "", "Where is it?\nI wait.");
    struct ticket_brief ticket = desk_ticket(&d, row.ticket_id).row;
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "On its way.", .bcc = { "boss@example.com" } });
    CHECK_STR(reply.delivery, "queued");
    CHECK_INT(desk_run_outbox(&d), 1);
    CHECK_STR(desk_message(&d, reply.id).delivery, "sent");
    CHECK_STR(desk_row(&d, reply.mail_id).state, "sent");
    struct str raw, envelope;
    struct mail mail = taken(&d, &peer, 1, &raw, &envelope);
    CHECK_STR(mail.subject, arena_printf(d.w->arena, "Re: Order [#%lld]", (long long)ticket.number).ptr);
    CHECK_STR(mail.from.items[0].address, "help@example.com");
    CHECK_STR(mail.to.items[0].address, "ann@example.org");
    CHECK(str_find(envelope, STR("boss@example.com")) >= 0);
    CHECK(str_find(raw, STR("boss@example.com")) < 0);      /* a blind copy is never named */
    CHECK_INT(mail.nreferences, 1);
    CHECK_STR(mail.references[0], "a1@example.org");
    struct email_token token;
    CHECK(email_message_id_read(d.w->arena, d.email, d.account_id, mail.message_id, &token));
    CHECK_INT(token.ticket_id, row.ticket_id);
    CHECK_INT(token.contact_id, ticket.requester_id);
    CHECK(str_find(mail.text, STR("On its way.")) >= 0);
    CHECK(str_find(mail.text, STR("Alex Agent")) >= 0);
    CHECK(str_find(mail.text, STR("{{no.such}}")) >= 0);     /* a mistake is seen */
    CHECK(str_find(mail.html, STR("<strong>Alex Agent</strong>")) >= 0);
    CHECK(str_find(mail.html, STR("<b>Evil")) < 0);          /* no name becomes markup */
    CHECK(email_marker_find(d.w->arena, d.email, d.account_id, mail.html, &token));
    CHECK(str_find(mail.text, STR("> I wait.")) < 0);        /* the boss never had it: no history */
    desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "Arrived?" });
    desk_run_outbox(&d);
    mail = taken(&d, &peer, 2, &raw, &envelope);
    CHECK(str_find(mail.text, STR("> On its way.")) >= 0);
    CHECK_INT(mail.nreferences, 2);
    desk_close(&d);
}

static void a_temporary_refusal_is_tried_again_and_a_permanent_one_shown(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "dot-451-once");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ 0 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "x" });
    desk_run_outbox(&d);
    CHECK_STR(desk_row(&d, reply.mail_id).state, "queued");
    CHECK_STR(desk_message(&d, reply.id).delivery, "queued");
    CHECK_INT(desk_run_outbox(&d), 0);      /* not before its time */
    world_advance(d.w, 10 * US_PER_MINUTE);
    CHECK_INT(desk_run_outbox(&d), 1);
    CHECK_STR(desk_row(&d, reply.mail_id).state, "sent");
    CHECK_INT(desk_row(&d, reply.mail_id).attempts, 2);
    CHECK(was_taken(&d, &peer, 1) && !was_taken(&d, &peer, 2));
    peer_tell(&peer, "mode dot-554");
    struct message_full refused = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "y" });
    desk_run_outbox(&d);
    struct message_full failed = desk_message(&d, refused.id);
    CHECK_STR(failed.delivery, "failed");
    desk_close(&d);
}

static enum err_code resend(struct cx *cx, struct db *db, struct desk *d)
{
    return email_resend(cx, db, *(const int64_t *)d->arg, NULL);
}

static void an_unknown_end_is_never_sent_again_by_itself(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "dot-close");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ 0 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "x" });
    desk_run_outbox(&d);
    struct em_mail out = desk_row(&d, reply.mail_id);
    CHECK_STR(out.state, "failed");
    CHECK(str_starts(out.detail, STR("It may have been delivered")));
    peer_tell(&peer, "mode ok");
    world_advance(d.w, US_PER_DAY);
    CHECK_INT(desk_run_outbox(&d), 0);
    /* An agent decides; it is the same mail to the byte, so that the other side can see that. */
    desk_do(&d, resend, &reply.id);
    CHECK_INT(desk_run_outbox(&d), 1);
    CHECK_STR(desk_row(&d, reply.mail_id).state, "sent");
    CHECK_STR(desk_row(&d, reply.mail_id).raw_hash, out.raw_hash.ptr);
    CHECK_ERR(desk_try(&d, resend, &reply.id), E_CONFLICT);
    desk_close(&d);
}

/* A process that dies while the mail is leaving, before it could note the 250. */
static void a_crash_after_250_does_not_send_twice(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "dot-stall");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ 0 });
    struct world *w = d.w;
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "x" });
    store_close(&w->store);     /* no thread of the store lives through fork() */
    pid_t child = fork();
    if (child == 0) {
        struct store_options options = { .sqlite_path = arena_printf(w->arena, "%s/cairn.db", w->dir).ptr };
        if (store_open(d.cx, &options, &w->store) == E_OK) {
            d.email->store = w->store;
            desk_run_outbox(&d);
        }
        _exit(0);
    }
    CHECK_OK(d.cx, store_open(d.cx, &(struct store_options){ .sqlite_path = arena_printf(w->arena, "%s/cairn.db", w->dir).ptr }, &w->store));
    d.email->store = w->store;
    for (int i = 0; i < 500 && !str_is(desk_row(&d, reply.mail_id).state, "sending"); i++)
        usleep(10000);
    CHECK_STR(desk_row(&d, reply.mail_id).state, "sending");
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    peer_tell(&peer, "mode ok");
    world_advance(w, US_PER_HOUR);      /* the lease of the dead process is over */
    CHECK_INT(desk_run_outbox(&d), 1);
    CHECK_STR(desk_row(&d, reply.mail_id).state, "failed");
    CHECK_STR(desk_message(&d, reply.id).delivery, "failed");
    CHECK(!was_taken(&d, &peer, 1));
    /* The customer answers it: so it did arrive. */
    struct str head = arena_printf(w->arena, "In-Reply-To: <%s>\n", desk_row(&d, reply.mail_id).header_message_id.ptr);
    desk_mail(&d, "ann@example.org", "Re: Order", "a2@example.org", head.ptr, "thanks");
    CHECK_STR(desk_message(&d, reply.id).delivery, "sent");
    desk_close(&d);
}

static enum err_code cancel(struct cx *cx, struct db *db, struct desk *d)
{
    bool done = false;
    TRY(email_cancel(cx, db, *(const int64_t *)d->arg, &done, NULL));
    d->ret = done;
    return E_OK;
}

static void a_reply_can_be_taken_back_in_time(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "ok");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ .undo_seconds = 30 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "oops" });
    CHECK_STR(reply.delivery, "held");
    CHECK_INT(reply.send_at_us, d.cx->now_us + 30 * US_PER_SECOND);
    CHECK_INT(desk_run_outbox(&d), 0);
    CHECK_INT(desk_do(&d, cancel, &reply.id), 1);
    world_advance(d.w, US_PER_MINUTE);
    desk_run_outbox(&d);
    CHECK(!was_taken(&d, &peer, 1));
    CHECK_STR(desk_row(&d, reply.mail_id).state, "cancelled");
    struct message_full second = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "better" });
    world_advance(d.w, US_PER_MINUTE);
    desk_run_outbox(&d);
    CHECK(was_taken(&d, &peer, 1));
    CHECK_INT(desk_do(&d, cancel, &second.id), 0);      /* too late */
    struct message_full later = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "tomorrow", .send_at_us = d.cx->now_us + US_PER_DAY });
    world_advance(d.w, US_PER_HOUR);
    CHECK_INT(desk_run_outbox(&d), 0);
    world_advance(d.w, US_PER_DAY);
    CHECK_INT(desk_run_outbox(&d), 1);
    CHECK_STR(desk_message(&d, later.id).delivery, "sent");
    desk_close(&d);
}

/* Sent again before the job of the first attempt has ended: the old one has no say any more, the new one sends. */
static void only_the_newest_job_moves_a_mail(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "ok");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ .undo_seconds = 30 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "x" });
    struct job old = { .id = desk_row(&d, reply.mail_id).job_id, .account_id = d.account_id, .kind = STR("email.send"), .attempt = 1,
                       .payload = arena_printf(d.w->arena, "{\"mail_id\":\"%lld\"}", (long long)reply.mail_id) };
    CHECK_INT(desk_do(&d, cancel, &reply.id), 1);
    desk_do(&d, resend, &reply.id);
    CHECK(desk_row(&d, reply.mail_id).job_id != old.id);
    CHECK_OK(d.cx, email_outbox_run(d.cx, d.w->store, &old, d.email));
    CHECK_STR(desk_row(&d, reply.mail_id).state, "queued");
    CHECK_INT(desk_run_outbox(&d), 1);
    CHECK_OK(d.cx, email_outbox_run(d.cx, d.w->store, &old, d.email));
    CHECK_STR(desk_message(&d, reply.id).delivery, "sent");
    CHECK(was_taken(&d, &peer, 1) && !was_taken(&d, &peer, 2));
    desk_close(&d);
}

static enum err_code lose_job(struct cx *cx, struct db *db, struct desk *d)
{
    bool done = false;
    return jobs_cancel(cx, db, cx->account_id, desk_row(d, *(const int64_t *)d->arg).job_id, &done);
}

static void a_mail_without_a_job_leaves_after_a_start(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "ok");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ 0 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full lost = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "x" });
    struct message_full whole = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "y" });
    desk_do(&d, lose_job, &lost.mail_id);
    CHECK_OK(d.cx, email_outbox_recover(d.cx, d.email));
    CHECK_OK(d.cx, email_outbox_recover(d.cx, d.email));
    CHECK_INT(desk_run_outbox(&d), 2);
    CHECK_STR(desk_message(&d, lost.id).delivery, "sent");
    CHECK_STR(desk_message(&d, whole.id).delivery, "sent");
    CHECK(was_taken(&d, &peer, 2) && !was_taken(&d, &peer, 3));
    desk_close(&d);
}

/* ---- reports ---- */

static struct str report(struct desk *d, struct str message_id, const char *recipient, const char *action, const char *status, int n)
{
    return crlf(d, arena_printf(d->w->arena,
        "From: MAILER-DAEMON@mx.example.org\nTo: help@example.com\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <dsn%d@mx.example.org>\n"
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\n\n"
        "--B\nContent-Type: text/plain\n\nI am sorry.\n\n--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        "Final-Recipient: rfc822; %s\nAction: %s\nStatus: %s\nDiagnostic-Code: smtp; 550 %s no such user here\n\n"
        "--B\nContent-Type: message/rfc822\n\nMessage-ID: <%.*s>\nFrom: help@example.com\nTo: %s\nSubject: Re: Order\n\nx\n\n--B--\n",
        n, recipient, action, status, status, STR_ARG(message_id), recipient));
}

static void a_report_marks_the_exact_mail(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "ok");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ 0 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full first = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "x" });
    struct message_full second = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "y" });
    desk_run_outbox(&d);
    struct em_mail sent = desk_row(&d, first.mail_id);
    /* Anybody can write a report; without our token it does nothing. */
    desk_deliver_to(&d, "help@example.com", report(&d, STR("cairn.2-2-aaaaaaaaaaaaaaaaaaaa.2@example.com"), "ann@example.org", "failed", "5.1.1", 1));
    CHECK_STR(desk_message(&d, first.id).delivery, "sent");
    desk_deliver_to(&d, "help@example.com", report(&d, sent.header_message_id, "ann@example.org", "delayed", "4.4.1", 2));
    CHECK_STR(desk_message(&d, first.id).delivery, "sent");
    struct em_mail dsn = desk_deliver_to(&d, "help@example.com", report(&d, sent.header_message_id, "ann@example.org", "failed", "5.1.1", 3));
    CHECK_STR(dsn.verdict, "delivery_report");
    CHECK_STR(dsn.state, "stored");
    CHECK_INT(dsn.ticket_id, row.ticket_id);
    CHECK_STR(desk_message(&d, dsn.message_id).visibility, "internal");
    CHECK_STR(desk_message(&d, first.id).delivery, "bounced");
    CHECK_STR(desk_message(&d, second.id).delivery, "sent");
    /* Nothing comes back of what has not left: a forged report does not hold up the mail. */
    struct message_full waits = desk_reply(&d, (struct desk_reply){ .ticket_id = row.ticket_id, .text = "w", .to = { "bob@example.org" } });
    desk_deliver_to(&d, "help@example.com", report(&d, desk_row(&d, waits.mail_id).header_message_id, "bob@example.org", "failed", "4.4.1", 4));
    CHECK_STR(desk_message(&d, waits.id).delivery, "queued");
    /* The address gets nothing more until somebody says so, or the time is over. */
    const struct desk_reply again = { .ticket_id = row.ticket_id, .text = "z" };
    CHECK_ERR(desk_try(&d, desk_write_reply, &again), E_INVALID);
    CHECK_STR(str_of(d.cx->failure.field), "to");
    world_advance(d.w, 91 * US_PER_DAY);
    desk_reply(&d, again);
    desk_close(&d);
}

static void soft_failures_are_counted(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    const struct desk_reply again = { .ticket_id = row.ticket_id, .text = "z" };
    for (int i = 0; i < 5; i++) {
        struct em_mail out = desk_row(&d, desk_reply(&d, again).mail_id);
        desk_deliver_to(&d, "help@example.com", report(&d, out.header_message_id, "ann@example.org", "failed", "4.2.2", i));
    }
    CHECK_ERR(desk_try(&d, desk_write_reply, &again), E_INVALID);
    world_advance(d.w, 8 * US_PER_DAY);
    desk_reply(&d, again);
    desk_close(&d);
}

/* ---- automatic mail ---- */

static void automatic_mail_is_marked_and_bounded(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_smtp.py", "--mode", "ok");
    struct desk d = desk_with_peer(*state, &peer, (struct desk_mailbox){ .undo_seconds = 30 });
    struct em_mail row = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    const struct desk_reply automatic = { .ticket_id = row.ticket_id, .text = "We got it.", .automatic = true };
    desk_reply(&d, automatic);
    desk_run_outbox(&d);
    struct str raw, envelope;
    struct mail mail = taken(&d, &peer, 1, &raw, &envelope);
    CHECK_STR(mail_header_value(&mail, "Auto-Submitted"), "auto-replied");
    CHECK_STR(mail_header_value(&mail, "X-Auto-Response-Suppress"), "All");
    CHECK(str_find(envelope, STR("\"from\": \"\"")) >= 0);      /* the null return path: its failure answers nobody */
    for (int i = 0; i < 4; i++)
        desk_reply(&d, automatic);
    CHECK_ERR(desk_try(&d, desk_write_reply, &automatic), E_RATE);
    CHECK(d.cx->failure.retry_after_us > 0);
    world_advance(d.w, US_PER_HOUR);
    desk_reply(&d, automatic);
    struct em_mail away = desk_mail(&d, "bob@example.org", "Away", "b1@example.org", "Auto-Submitted: auto-replied\n", "away");
    const struct desk_reply to_machine = { .ticket_id = away.ticket_id, .text = "We got it.", .automatic = true };
    CHECK_ERR(desk_try(&d, desk_write_reply, &to_machine), E_RATE);
    desk_close(&d);
}

TESTS(BOTH(recipients_are_said_out_loud), BOTH(a_reply_is_a_complete_mail),
      BOTH(a_temporary_refusal_is_tried_again_and_a_permanent_one_shown), BOTH(an_unknown_end_is_never_sent_again_by_itself),
      SQLITE(a_crash_after_250_does_not_send_twice), BOTH(a_reply_can_be_taken_back_in_time),
      BOTH(only_the_newest_job_moves_a_mail), BOTH(a_mail_without_a_job_leaves_after_a_start), BOTH(a_report_marks_the_exact_mail),
      BOTH(soft_failures_are_counted), BOTH(automatic_mail_is_marked_and_bounded))
