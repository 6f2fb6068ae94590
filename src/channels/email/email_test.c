/* email_test.c - tokens, and each rule of intake and threading. */
#include <stdio.h>

#include "testing/testing.h"

#include "accounts_sql.h"
#include "channels/email/email_desk_test.h"

/* ---- tokens ---- */

static struct email *key_of(struct world *w, char fill)
{
    struct email *email = NEW(w->arena, struct email);
    memset(email->token_key, fill, sizeof(email->token_key));
    return email;
}

static void a_token_proves_account_ticket_and_recipient(void **state)
{
    struct world *w = *state;
    struct email *email = key_of(w, 7), *other = key_of(w, 8);
    struct email_token in = { 1234567, 89 }, out;
    struct str token = email_token_make(w->arena, email, 5, in);
    CHECK(email_token_read(w->arena, email, 5, token, &out));
    CHECK_INT(out.ticket_id, 1234567);
    CHECK_INT(out.contact_id, 89);
    CHECK(!email_token_read(w->arena, email, 6, token, &out));      /* another account */
    CHECK(!email_token_read(w->arena, other, 5, token, &out));      /* another installation */
    char *changed = arena_cstr(w->arena, token);
    for (size_t i = 0; i < token.len; i++) {
        char before = changed[i];
        changed[i] = before == 'a' ? 'b' : before == '2' ? '3' : 'a';
        CHECK(!email_token_read(w->arena, email, 5, str_of(changed), &out));
        changed[i] = before;
    }
    CHECK(!email_token_read(w->arena, email, 5, str_skip(token, 1), &out));
    CHECK(!email_token_read(w->arena, email, 5, STR(""), &out));
}

static void a_token_survives_upper_case_and_all_its_places(void **state)
{
    struct world *w = *state;
    struct email *email = key_of(w, 7);
    struct email_token in = { 42, 0 }, out = { 0 };
    struct str token = email_token_make(w->arena, email, 1, in);
    struct str id = email_message_id_make(w->arena, email, 1, in, 99, STR("example.com"));
    CHECK(email_message_id_read(w->arena, email, 1, id, &out) && out.ticket_id == 42 && out.contact_id == 0);
    CHECK(!email_message_id_read(w->arena, email, 1, STR("cairn.x@example.com"), &out));
    char *upper = arena_cstr(w->arena, token);
    for (char *c = upper; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    CHECK(email_token_read(w->arena, email, 1, str_of(upper), &out));
    struct str plus = email_plus_make(w->arena, STR("help@example.com"), token);
    CHECK(email_plus_read(w->arena, email, 1, plus, &out) && out.ticket_id == 42);
    CHECK(!email_plus_read(w->arena, email, 1, STR("help+news@example.com"), &out));
    CHECK_STR(email_without_tag(w->arena, plus), "help@example.com");
    CHECK_STR(email_without_tag(w->arena, STR("help@example.com")), "help@example.com");
    struct str body = arena_printf(w->arena, "<p>a cairn.ref.none</p><div>%s</div>z", email_marker_make(w->arena, token).ptr);
    CHECK(email_marker_find(w->arena, email, 1, body, &out) && out.ticket_id == 42);
    CHECK_STR(email_marker_strip(w->arena, body), "<p>a </p><div></div>z");
    size_t at = 0;
    struct str found, text = arena_printf(w->arena, "Message-Id: <cairn.no@x>\r\nMessage-ID: <%s>\r\n", id.ptr);
    CHECK(email_message_id_scan(w->arena, email, 1, text, &at, &found));
    CHECK(str_eq(found, id));
    CHECK(!email_message_id_scan(w->arena, email, 1, text, &at, &found));
}

/* ---- intake ---- */

static void a_first_mail_opens_a_ticket(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail row = desk_mail(&d, "Ann Example <ann@example.org>", "Lost parcel", "a1@example.org", "Cc: bob@example.net\n", "Where is it?");
    CHECK_STR(row.state, "stored");
    CHECK_STR(row.verdict, "human");
    CHECK_STR(row.rule, "new");
    CHECK_STR(row.from_address, "ann@example.org");
    CHECK_STR(row.to_addresses, "[\"help@example.com\",\"bob@example.net\"]");
    struct desk_ticket t = desk_ticket(&d, row.ticket_id);
    CHECK_STR(t.row.subject, "Lost parcel");
    CHECK_STR(t.row.status, "new");
    CHECK_INT(t.row.mailbox_id, d.mailbox_id);
    CHECK_INT(t.n, 1);
    CHECK_STR(str_trim(t.messages[0].text), "Where is it?");
    CHECK_INT(t.messages[0].mail_id, row.id);
    CHECK_STR(t.messages[0].author_kind, "contact");
    CHECK(desk_evidence(&row, "participant"));      /* the copied person takes part, visibly */
    desk_close(&d);
}

static void references_join_in_any_order(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Lost parcel", "a1@example.org", "", "Where?");
    struct em_mail second = desk_mail(&d, "ann@example.org", "something else", "a2@example.org", "In-Reply-To: <a1@example.org>\n", "Found.");
    CHECK_INT(second.ticket_id, first.ticket_id);
    CHECK_STR(second.rule, "references");
    CHECK_INT(second.score, 85);
    /* The answer comes before the mail that it answers. */
    struct em_mail reply = desk_mail(&d, "cy@example.org", "Re: Bill", "c2@example.org", "References: <c1@example.org>\n", "see below");
    struct em_mail parent = desk_mail(&d, "cy@example.org", "Bill", "c1@example.org", "", "too high");
    CHECK_INT(parent.ticket_id, reply.ticket_id);
    CHECK_STR(parent.rule, "references");
    /* Another person whose mail names the same unknown mail is a stranger. */
    struct em_mail stranger = desk_mail(&d, "eve@example.org", "Re: Bill", "e1@example.org", "References: <c0@example.org>\n", "me too");
    struct em_mail other = desk_mail(&d, "dan@example.org", "Re: Bill", "d1@example.org", "References: <c0@example.org>\n", "me too");
    CHECK(stranger.ticket_id != other.ticket_id);
    desk_close(&d);
}

static void strangers_who_answer_a_newsletter_stay_apart(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail news = desk_deliver(&d, STR("From: news@shop.example.net\nTo: readers@shop.example.net\nSubject: Spring sale\n"
                                               "Message-ID: <n1@shop.example.net>\nList-Id: <readers.shop.example.net>\n"
                                               "List-Unsubscribe: <mailto:x@shop.example.net>\nPrecedence: bulk\n\nBuy\n"));
    CHECK_STR(news.verdict, "list");
    struct em_mail ann = desk_mail(&d, "ann@example.org", "Re: Spring sale", "r1@example.org", "In-Reply-To: <n1@shop.example.net>\n", "No");
    struct em_mail bob = desk_mail(&d, "bob@example.org", "Re: Spring sale", "r2@example.org", "In-Reply-To: <n1@shop.example.net>\n", "Yes");
    CHECK(ann.ticket_id != news.ticket_id);
    CHECK(bob.ticket_id != news.ticket_id);
    CHECK(ann.ticket_id != bob.ticket_id);
    CHECK(desk_evidence(&ann, "newsletter"));
    /* On a discussion list the answer goes to the list again. */
    struct em_mail post = desk_deliver(&d, STR("From: cy@example.org\nTo: talk@lists.example.net\nSubject: Idea\nMessage-ID: <p1@example.org>\n"
                                               "List-Id: <talk.lists.example.net>\nList-Post: <mailto:talk@lists.example.net>\n\nHm\n"));
    struct em_mail answer = desk_deliver(&d, STR("From: dan@example.org\nTo: cy@example.org\nCc: talk@lists.example.net, help@example.com\n"
                                                 "Subject: Re: Idea\nMessage-ID: <p2@example.org>\nIn-Reply-To: <p1@example.org>\n\nGood\n"));
    CHECK_INT(answer.ticket_id, post.ticket_id);
    desk_close(&d);
}

static void an_outlook_conversation_joins_its_people(void **state)
{
    struct desk d = desk_open(*state);
    const char *index = "Thread-Index: AQHZ1234567890abcdefghijklmnop==\n", *longer = "Thread-Index: AQHZ1234567890abcdefghijklmnopAAAAAAAA==\n";
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", index, "1");
    struct em_mail second = desk_mail(&d, "ann@example.org", "AW: Order", "a2@example.org", longer, "2");
    struct em_mail foreign = desk_mail(&d, "eve@example.org", "AW: Order", "a3@example.org", longer, "3");
    CHECK_INT(second.ticket_id, first.ticket_id);
    CHECK_STR(second.rule, "thread_index");
    CHECK(foreign.ticket_id != first.ticket_id);
    desk_close(&d);
}

static void a_number_in_the_subject_counts_for_participants(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct desk_ticket t = desk_ticket(&d, first.ticket_id);
    struct str subject = arena_printf(d.w->arena, "your [#%lld]", (long long)t.row.number);
    struct em_mail mine = desk_mail(&d, "Ann@Example.org", subject.ptr, "a2@example.org", "", "2");
    CHECK_INT(mine.ticket_id, first.ticket_id);
    CHECK_STR(mine.rule, "subject_number");
    struct em_mail foreign = desk_mail(&d, "eve@example.org", subject.ptr, "e1@example.org", "", "3");
    CHECK(foreign.ticket_id != first.ticket_id);
    CHECK(desk_evidence(&foreign, "subject_number"));
    /* Who only claims to be Ann does not get in by a number that everybody can guess. */
    struct em_mail forged = desk_mail(&d, "ann@example.org", subject.ptr, "f1@example.org",
                                      "Authentication-Results: mx.example.com; spf=fail; dkim=fail; dmarc=fail\n", "4");
    CHECK(forged.ticket_id != first.ticket_id);
    CHECK(desk_evidence(&forged, "authentication"));
    desk_close(&d);
}

static void the_same_subject_is_only_proposed(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct em_mail second = desk_mail(&d, "ann@example.org", "Re: order", "a2@example.org", "", "2");
    CHECK(second.ticket_id != first.ticket_id);
    CHECK(desk_evidence(&second, "same_subject"));
    desk_close(&d);
}

static void our_token_joins_wherever_it_comes_back(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct message_full reply = desk_reply(&d, (struct desk_reply){ .ticket_id = first.ticket_id, .text = "On its way" });
    struct em_mail out = desk_row(&d, reply.mail_id);
    struct str head = arena_printf(d.w->arena, "References: <x@example.org> <%s>\n", out.header_message_id.ptr);
    struct em_mail by_reference = desk_mail(&d, "ann@example.org", "Order", "a2@example.org", head.ptr, "Thanks");
    CHECK_INT(by_reference.ticket_id, first.ticket_id);
    CHECK_STR(by_reference.rule, "token");
    CHECK_INT(by_reference.score, 100);
    /* A colleague of hers answers: joined, and added visibly. */
    struct em_mail by_other = desk_mail(&d, "bob@example.org", "Order", "b1@example.org", head.ptr, "For her");
    CHECK_INT(by_other.ticket_id, first.ticket_id);
    CHECK_INT(by_other.score, 92);
    CHECK(desk_evidence(&by_other, "participant"));
    struct ticket_brief t = desk_ticket(&d, first.ticket_id).row;
    struct str token = email_token_make(d.w->arena, d.email, d.account_id, (struct email_token){ t.id, t.requester_id });
    struct str plus = email_plus_make(d.w->arena, STR("help@example.com"), token);
    struct em_mail by_plus = desk_deliver_to(&d, plus.ptr, crlf(&d, STR("From: ann@example.org\nSubject: hm\nMessage-ID: <a3@example.org>\n\nhi\n")));
    CHECK_INT(by_plus.ticket_id, first.ticket_id);
    struct str html = arena_printf(d.w->arena, "<p>and this?</p><blockquote type=\"cite\">old<div style=\"display:none\">%s</div></blockquote>",
                                   email_marker_make(d.w->arena, token).ptr);
    struct em_mail by_marker = desk_mail(&d, "ann@example.org", "hm", "a4@example.org", "Content-Type: text/html\n", html.ptr);
    CHECK_INT(by_marker.ticket_id, first.ticket_id);
    struct message_full shown = desk_message(&d, by_marker.message_id);
    CHECK(str_find(shown.html, STR("cairn.ref")) < 0 && str_find(shown.quoted_html, STR("cairn.ref")) < 0);
    desk_close(&d);
}

struct made { const char *status; int64_t requester_id; };

static enum err_code make_ticket(struct cx *cx, struct db *db, struct desk *d)
{
    struct contact contact;
    struct ticket_made made;
    TRY(contacts_by_email(cx, db, STR("ann@example.org"), STR("Ann"), "email", &contact));
    TRY(tickets_create(cx, db, &(struct new_ticket){
        .subject = STR("Old matter"), .requester_id = contact.id, .status = str_of(d->arg), .channel = STR("email"),
        .mailbox_id = d->mailbox_id,
        .message = { .author_kind = STR("contact"), .author_id = contact.id, .channel = STR("email"), .text = STR("once"), .html = STR_NONE,
                     .quoted_text = STR_NONE, .quoted_html = STR_NONE, .delivery = STR("none") } }, &made));
    d->ret = made.ticket_id;
    return E_OK;
}

static void a_closed_ticket_gets_one_follow_up(void **state)
{
    struct desk d = desk_open(*state);
    int64_t closed = desk_do(&d, make_ticket, "closed");
    struct ticket_brief t = desk_ticket(&d, closed).row;
    struct str subject = arena_printf(d.w->arena, "Re: Old matter [#%lld]", (long long)t.number);
    struct em_mail first = desk_mail(&d, "ann@example.org", subject.ptr, "a1@example.org", "", "again broken");
    CHECK(first.ticket_id != closed);
    CHECK_STR(first.rule, "follow_up");
    struct em_mail second = desk_mail(&d, "ann@example.org", subject.ptr, "a2@example.org", "", "and more");
    CHECK_INT(second.ticket_id, first.ticket_id);
    desk_close(&d);
}

static void machines_never_reopen(void **state)
{
    struct desk d = desk_open(*state);
    int64_t ticket = desk_do(&d, make_ticket, "resolved");
    struct str subject = arena_printf(d.w->arena, "Out of office: [#%lld]", (long long)desk_ticket(&d, ticket).row.number);
    struct em_mail away = desk_mail(&d, "ann@example.org", subject.ptr, "o1@example.org", "Auto-Submitted: auto-replied\nX-Autoreply: yes\n", "away");
    CHECK_INT(away.ticket_id, ticket);
    CHECK(!str_is(away.verdict, "human"));
    CHECK_STR(desk_ticket(&d, ticket).row.status, "resolved");
    struct str number = str_skip(subject, (size_t)str_chr(subject, '['));
    struct em_mail human = desk_mail(&d, "ann@example.org", number.ptr, "o2@example.org", "", "I am back");
    CHECK_INT(human.ticket_id, ticket);
    CHECK_STR(desk_ticket(&d, ticket).row.status, "open");
    desk_close(&d);
}

static void a_redelivery_is_one_message_with_both_recipients(void **state)
{
    struct desk d = desk_open(*state);
    desk_mailbox(&d, (struct desk_mailbox){ .address = "sales@example.com" });
    struct str raw = crlf(&d, STR("From: ann@example.org\nTo: help@example.com, sales@example.com\nSubject: x\nMessage-ID: <a1@example.org>\n"
                                  "Date: Mon, 5 Jan 2026 08:00:00 +0000\n\nhello\n"));
    struct em_mail first = desk_deliver_to(&d, "help@example.com", raw);
    struct str again = arena_printf(d.w->arena, "Received: from mx2\r\n%.*s", STR_ARG(raw));
    struct em_mail second = desk_deliver_to(&d, "sales@example.com", again);
    CHECK_STR(second.state, "duplicate");
    CHECK_INT(second.duplicate_of, first.id);
    CHECK_INT(second.message_id, first.message_id);
    CHECK_STR(second.to_addresses, "[\"sales@example.com\",\"help@example.com\"]");
    CHECK_INT(desk_ticket(&d, first.ticket_id).n, 1);
    /* Without Message-ID the content is the identity. */
    struct str bare = crlf(&d, STR("From: ann@example.org\nSubject: y\n\nhello\n"));
    struct em_mail third = desk_deliver_to(&d, "help@example.com", bare), fourth = desk_deliver_to(&d, "help@example.com", bare);
    CHECK_STR(third.state, "stored");
    CHECK_STR(fourth.state, "duplicate");
    desk_close(&d);
}

static void what_cannot_be_read_is_set_aside_and_stops_nothing(void **state)
{
    struct desk d = desk_open(*state);
    size_t did = 0;
    struct buf deep = buf_new(d.w->arena, 0);
    buf_lit(&deep, "From: ann@example.org\r\nSubject: deep\r\n");
    for (int i = 0; i < 120; i++)
        buf_printf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    const struct str raws[] = { buf_str(&deep), crlf(&d, STR("Subject: nobody\n\nno sender\n")),
                                crlf(&d, STR("From: bob@example.org\nSubject: fine\n\nok\n")) };
    int64_t ids[COUNT(raws)];
    for (size_t i = 0; i < COUNT(raws); i++)
        ids[i] = desk_receive(&d, (struct email_arrival){ .raw = raws[i], .source = STR("pipe"), .recipient = STR("help@example.com") });
    CHECK_OK(d.cx, email_process_waiting(d.cx, d.email, &did));
    CHECK_INT(did, 3);
    CHECK_STR(desk_row(&d, ids[0]).state, "quarantined");
    CHECK(desk_row(&d, ids[0]).detail.len > 0);
    CHECK_STR(desk_row(&d, ids[1]).state, "quarantined");
    CHECK_STR(desk_row(&d, ids[2]).state, "stored");
    CHECK_OK(d.cx, email_process(d.cx, d.email, ids[0]));       /* again, with the same end */
    CHECK_STR(desk_row(&d, ids[0]).state, "quarantined");
    CHECK_ERR(email_process(d.cx, d.email, ids[2]), E_CONFLICT);
    desk_close(&d);
}

static enum err_code begin_thrice(struct cx *cx, struct db *db, struct desk *d)
{
    int64_t id = *(const int64_t *)d->arg;
    for (int i = 0; i < EMAIL_MAX_ATTEMPTS; i++)
        TRY(em_mail_begin(cx, db, (struct em_mail_begin_in){ cx->account_id, id, id }, NULL));
    return E_OK;
}

static void a_mail_that_ends_the_program_is_set_aside(void **state)
{
    struct desk d = desk_open(*state);
    size_t did = 0;
    struct str raw = crlf(&d, STR("From: bob@example.org\nSubject: poison\n\nok\n")), good = crlf(&d, STR("From: cy@example.org\n\nok\n"));
    int64_t poison = desk_receive(&d, (struct email_arrival){ .raw = raw, .source = STR("lmtp") });
    int64_t next = desk_receive(&d, (struct email_arrival){ .raw = good, .source = STR("lmtp") });
    desk_do(&d, begin_thrice, &poison);     /* as three crashes would leave it */
    CHECK_OK(d.cx, email_process_waiting(d.cx, d.email, &did));
    CHECK_STR(desk_row(&d, poison).state, "quarantined");
    CHECK_OK(d.cx, email_process_waiting(d.cx, d.email, &did));
    CHECK_STR(desk_row(&d, next).state, "stored");
    CHECK_OK(d.cx, email_process_waiting(d.cx, d.email, &did));
    CHECK_INT(did, 0);
    desk_close(&d);
}

/* A route's handler with its body as JSON and the id of its path; *ret is the first member of the output. */
static enum err_code desk_call(struct cx *cx, struct db *db, const struct route *routes, size_t n, enum method method, const char *path,
                                      int64_t id, struct str json, int64_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        const struct route *r = &routes[i];
        if (r->method != method || strcmp(r->path, path) != 0)
            continue;
        char *in = arena_alloc(cx->arena, r->in_size);
        void *out = arena_alloc(cx->arena, r->out_size + sizeof(int64_t));
        struct field *body = NEWN(cx->arena, struct field, r->nfields + 1);
        size_t nbody = 0;
        for (size_t f = 0; f < r->nfields; f++)
            if (r->fields[f].place == IN_BODY)
                body[nbody++] = r->fields[f];
        TRY(shape_read(cx, body, nbody, json, in));
        for (size_t f = 0; f < r->nfields; f++)
            if (r->fields[f].place == IN_PATH)
                memcpy(in + r->fields[f].offset, &id, sizeof(id));
        TRY(r->handler(cx, db, in, out));
        memcpy(ret, out, sizeof(*ret));
        return E_OK;
    }
    return fail(cx, E_NOT_FOUND, "no route %s", path);
}

static enum err_code block_eve(struct cx *cx, struct db *db, struct desk *d)
{
    struct contact contact;
    TRY(contacts_by_email(cx, db, STR("eve@example.org"), STR("Eve"), "email", &contact));
    return desk_call(cx, db, contacts_routes.routes, contacts_routes.n, METHOD_PATCH, "/api/v1/contacts/{id}",
                     contact.id, STR("{\"blocked\":true}"), &d->ret);
}

static void a_blocked_sender_is_spam(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "eve@example.org", "Buy", "e1@example.org", "", "now");
    CHECK_STR(first.verdict, "human");
    desk_do(&d, block_eve, NULL);
    struct em_mail second = desk_mail(&d, "eve@example.org", "Re: Buy", "e2@example.org", "In-Reply-To: <e1@example.org>\n", "now!");
    CHECK_STR(second.state, "stored");
    CHECK_STR(second.verdict, "spam");
    CHECK(second.ticket_id != first.ticket_id);
    desk_close(&d);
}

static void a_colleague_forwards_in_the_customers_name(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail row = desk_mail(&d, "agent@example.com", "Fwd: Broken lamp", "f1@example.com", "",
                                   "Please take this.\n\n---------- Forwarded message ---------\nFrom: Lea Light <lea@example.org>\n"
                                   "Date: Sun, Jan 4, 2026\nSubject: Broken lamp\nTo: <agent@example.com>\n\nIt does not shine.\n");
    CHECK_STR(row.rule, "forwarded");
    struct desk_ticket t = desk_ticket(&d, row.ticket_id);
    CHECK_STR(t.row.subject, "Broken lamp");
    CHECK(str_find(t.messages[0].text, STR("It does not shine.")) >= 0);
    struct em_mail own = desk_mail(&d, "lea@example.org", arena_printf(d.w->arena, "[#%lld]", (long long)t.row.number).ptr, "l1@example.org", "", "?");
    CHECK_INT(own.ticket_id, row.ticket_id);        /* she is its requester */
    desk_close(&d);
}

static void a_colleagues_mail_is_an_answer_only_when_proven(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct em_mail out = desk_row(&d, desk_reply(&d, (struct desk_reply){ .ticket_id = first.ticket_id, .text = "hello" }).mail_id);
    struct str head = arena_printf(d.w->arena, "In-Reply-To: <%s>\n", out.header_message_id.ptr);
    struct em_mail unproven = desk_mail(&d, "agent@example.com", "Re: Order", "g1@example.com", head.ptr, "secret");
    CHECK_INT(unproven.ticket_id, first.ticket_id);
    CHECK_STR(desk_message(&d, unproven.message_id).visibility, "internal");
    struct str proof = arena_printf(d.w->arena, "%sAuthentication-Results: mx.example.com; spf=pass; dkim=pass; dmarc=pass\n", head.ptr);
    struct em_mail proven = desk_mail(&d, "agent@example.com", "Re: Order", "g2@example.com", proof.ptr, "It left today.");
    struct message_full message = desk_message(&d, proven.message_id);
    CHECK_STR(message.visibility, "public");
    CHECK_STR(message.author_kind, "user");
    CHECK_INT(message.author_id, d.user_id);
    CHECK_STR(desk_row(&d, message.mail_id).to_addresses, "[\"ann@example.org\"]");
    desk_close(&d);
}

static enum err_code forbid_replies(struct cx *cx, struct db *db, void *arg)
{
    struct user user;
    TRY(accounts_user(cx, db, ((const struct desk *)arg)->user_id, &user));
    return role_update(cx, db, (struct role_update_in){ cx->account_id, user.role_id, STR("Readers"),
                                                        (int64_t)(user.permissions & ~PERM_BIT(PERM_TICKET_REPLY)), false }, NULL);
}

static void a_colleague_who_may_not_reply_leaves_a_note(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct em_mail out = desk_row(&d, desk_reply(&d, (struct desk_reply){ .ticket_id = first.ticket_id, .text = "hello" }).mail_id);
    struct str proof = arena_printf(d.w->arena, "In-Reply-To: <%s>\nAuthentication-Results: mx.example.com; spf=pass; dkim=pass; dmarc=pass\n",
                                    out.header_message_id.ptr);
    CHECK_OK(d.cx, store_write(d.w->store, d.cx, forbid_replies, &d));
    struct em_mail row = desk_mail(&d, "agent@example.com", "Re: Order", "g3@example.com", proof.ptr, "It left today.");
    struct message_full message = desk_message(&d, row.message_id);
    CHECK_INT(row.ticket_id, first.ticket_id);
    CHECK_STR(message.visibility, "internal");
    CHECK_INT(message.mail_id, row.id);         /* nothing went out */
    desk_close(&d);
}

static void an_own_mail_that_comes_back_is_swallowed(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail first = desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct em_mail out = desk_row(&d, desk_reply(&d, (struct desk_reply){ .ticket_id = first.ticket_id, .text = "hello" }).mail_id);
    struct em_mail back = desk_mail(&d, "help@example.com", "Re: Order", out.header_message_id.ptr, "", "hello");
    CHECK_STR(back.state, "swallowed");
    CHECK_STR(back.verdict, "own_loop");
    CHECK_INT(desk_ticket(&d, first.ticket_id).n, 2);
    desk_close(&d);
}

static void a_contact_form_speaks_for_its_writer(void **state)
{
    struct desk d = desk_open(*state);
    struct em_mail row = desk_mail(&d, "Web form <help@example.com>", "Question", "w1@example.com", "Reply-To: Kim <kim@example.org>\n", "Hi");
    CHECK_STR(row.from_address, "kim@example.org");
    desk_close(&d);
}

static void a_full_disk_takes_nothing_over(void **state)
{
    struct desk d = desk_open(*state);
    int64_t id = 0;
    struct email_arrival arrival = { .raw = crlf(&d, STR("From: ann@example.org\n\nx\n")), .source = STR("lmtp") };
    store_inject_full(d.w->store, true);
    CHECK_ERR(email_receive(d.cx, d.email, &arrival, &id), E_BUSY);
    store_inject_full(d.w->store, false);
    CHECK_OK(d.cx, email_receive(d.cx, d.email, &arrival, &id));
    desk_close(&d);
}

TESTS(UNIT(a_token_proves_account_ticket_and_recipient), UNIT(a_token_survives_upper_case_and_all_its_places),
      BOTH(a_first_mail_opens_a_ticket), BOTH(references_join_in_any_order), BOTH(strangers_who_answer_a_newsletter_stay_apart),
      BOTH(an_outlook_conversation_joins_its_people), BOTH(a_number_in_the_subject_counts_for_participants),
      BOTH(the_same_subject_is_only_proposed), BOTH(our_token_joins_wherever_it_comes_back), BOTH(a_closed_ticket_gets_one_follow_up),
      BOTH(machines_never_reopen), BOTH(a_redelivery_is_one_message_with_both_recipients),
      BOTH(what_cannot_be_read_is_set_aside_and_stops_nothing), BOTH(a_mail_that_ends_the_program_is_set_aside),
      BOTH(a_blocked_sender_is_spam), BOTH(a_colleague_forwards_in_the_customers_name),
      BOTH(a_colleagues_mail_is_an_answer_only_when_proven), BOTH(a_colleague_who_may_not_reply_leaves_a_note), BOTH(an_own_mail_that_comes_back_is_swallowed),
      BOTH(a_contact_form_speaks_for_its_writer), BOTH(a_full_disk_takes_nothing_over))
