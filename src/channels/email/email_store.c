/* email_store.c - what follows from a mail that was read: ticket, message, participants, the end of its row.  One unit. */
#include "channels/email/email_internal.h"

enum { PARTICIPANTS_MAX = 25 };     /* added by one mail */

struct placing {
    const char *state, *rule;
    enum mail_verdict verdict;
    int score;
    struct str detail;
    int64_t ticket_id, message_id, duplicate_of;
    struct evidence_list evidence;
};

/* Who acts, for the events of this mail. */
struct actor { int64_t user_id; struct str name; };

static struct actor act_as(struct cx *cx, struct str name, int64_t user_id)
{
    struct actor before = { cx->user_id, cx->actor };
    cx->actor = name;
    cx->user_id = user_id;
    return before;
}

static enum err_code emit_quarantined(struct cx *cx, struct db *db, int64_t mail_id, struct str detail)
{
    return email_emit(cx, db, STR("mail.quarantined"), 0, mail_id, email_note(cx->arena, "detail", detail));
}

static enum err_code settle(struct cx *cx, struct db *db, const struct intake *in, struct str was, struct placing *p)
{
    int64_t changed = 0;
    if (in->why.len > 0)
        evidence_add(&p->evidence, "verdict", 0, 0, in->why);
    for (size_t i = 0; i < in->mail.ndefects && i < 3; i++)
        evidence_add(&p->evidence, "defect", 0, 0, in->mail.defects[i]);
    TRY(em_mail_settle(cx, db, (struct em_mail_settle_in){
        .account_id = cx->account_id, .id = in->row.id, .was = was, .state = str_of(p->state),
        .verdict = str_of(mail_verdict_name(p->verdict)), .evidence = evidence_json(cx->arena, &p->evidence), .rule = str_of(p->rule),
        .score = p->score, .mailbox_id = in->row.mailbox_id, .content_hash = in->content_hash, .header_message_id = in->message_id,
        .from_address = in->sender_folded, .to_addresses = in->recipients, .subject = in->mail.subject, .detail = p->detail,
        .ticket_id = p->ticket_id, .message_id = p->message_id, .duplicate_of = p->duplicate_of, .now = cx->now_us }, &changed));
    if (changed == 0)   /* another process was faster: this unit must leave nothing */
        return fail(cx, E_CONFLICT, "The mail was processed meanwhile");
    return str_is(str_of(p->state), "quarantined") ? emit_quarantined(cx, db, in->row.id, p->detail) : E_OK;
}

static enum err_code find_duplicate(struct cx *cx, struct db *db, const struct intake *in, struct placing *p, bool *ret)
{
    struct em_same *rows = NULL;
    size_t n = 0;
    *ret = false;
    TRY(em_mail_same(cx, db, (struct em_mail_same_in){ cx->account_id, in->row.id, in->message_id, in->content_hash }, &rows, &n));
    if (n == 0)
        return E_OK;
    *ret = true;
    *p = (struct placing){ .state = "duplicate", .rule = "none", .verdict = in->verdict, .ticket_id = rows[0].ticket_id,
                           .message_id = rows[0].message_id, .duplicate_of = rows[0].id, .detail = STR("Same Message-ID and content") };
    return E_OK;
}

/* Our own mail came back. */
static enum err_code find_loop(struct cx *cx, struct db *db, const struct email *email, const struct intake *in, struct placing *p, bool *ret)
{
    struct email_token token;
    *ret = email_message_id_read(cx->arena, email, cx->account_id, in->mail.message_id, &token);
    if (!*ret)
        return E_OK;
    struct em_sent *sent = NULL;
    size_t n = 0;
    TRY(em_mail_sent_by_header(cx, db, (struct em_mail_sent_by_header_in){ cx->account_id, in->mail.message_id }, &sent, &n));
    if (n > 0)
        TRY(email_prove_delivered(cx, db, &sent[0], STR("it came back to one of our mailboxes")));
    *p = (struct placing){ .state = "swallowed", .rule = "none", .verdict = MAIL_OWN_LOOP, .ticket_id = token.ticket_id,
                           .message_id = n > 0 ? sent[0].message_id : 0, .detail = STR("Sent by this installation") };
    evidence_add(&p->evidence, "token", 100, token.ticket_id, STR("Our own signed Message-ID"));
    return E_OK;
}

/* Attachments of the message: large ones are adopted, small ones put into the table. */
static enum err_code keep_attachments(struct cx *cx, struct db *db, struct email *email, const struct intake *in, struct new_attachment **ret)
{
    *ret = NEWN(cx->arena, struct new_attachment, in->nattachments + 1);
    for (size_t i = 0; i < in->nattachments; i++) {
        (*ret)[i] = in->attachments[i];
        if (in->writers[i])
            TRY(blob_adopt(cx, db, in->writers[i]));
        else
            TRY(blob_put(cx, db, email->blobs, in->mail.parts[i].content, &(*ret)[i].hash));
    }
    return E_OK;
}

static struct new_message message_of(const struct intake *in, const struct new_attachment *attachments, int64_t contact_id)
{
    return (struct new_message){
        .author_kind = contact_id > 0 ? STR("contact") : STR("system"), .author_id = contact_id, .channel = STR("email"),
        .automatic = in->automatic, .subject = in->mail.subject, .text = in->text,
        .html = in->html.len > 0 ? in->html : STR_NONE, .quoted_text = in->quoted_text, .quoted_html = in->quoted_html,
        .addresses = in->addresses, .mail_id = in->row.id, .delivery = STR("none"), .created_us = in->at_us,
        .attachments = attachments, .nattachments = in->nattachments,
    };
}

/* Everything of the mail in one piece: what a colleague forwarded is all quoted. */
static void unfold(const struct intake *in, struct cx *cx, struct new_message *m)
{
    m->text = email_marker_strip(cx->arena, in->mail.text);
    if (in->quoted_html.ptr)
        m->html = in->quoted_html;
    m->quoted_text = m->quoted_html = STR_NONE;
}

/* ---- participants ---- */

static bool is_own_address(const struct em_mailbox_key *own, size_t n, struct str folded)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(own[i].address_folded, folded))
            return true;
    return false;
}

static enum err_code add_visibly(struct cx *cx, struct db *db, int64_t ticket_id, int64_t contact_id, struct placing *p, struct str address)
{
    bool there = false;
    TRY(tickets_is_participant(cx, db, ticket_id, contact_id, &there));
    if (there)
        return E_OK;
    evidence_add(&p->evidence, "participant", 0, 0, arena_printf(cx->arena, "%.*s was added to the ticket", STR_ARG(address)));
    return tickets_add_participant(cx, db, ticket_id, contact_id, STR("cc"));
}

/* Those a person wrote To and Cc take part; our own addresses and colleagues do not. */
static enum err_code add_participants(struct cx *cx, struct db *db, const struct intake *in, struct placing *p)
{
    const struct mail_addresses lists[] = { in->mail.to, in->mail.cc };
    struct em_mailbox_key *own = NULL;
    size_t nown = 0, added = 0;
    TRY(em_mailbox_addresses(cx, db, (struct em_mailbox_addresses_in){ cx->account_id }, &own, &nown));
    for (size_t l = 0; l < COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l].n && added < PARTICIPANTS_MAX; i++) {
            struct str folded = mail_fold_address(cx->arena, lists[l].items[i].address);
            struct user user;
            struct contact contact;
            if (!mail_address_valid(folded) || str_eq(folded, in->sender_folded)
                || is_own_address(own, nown, email_without_tag(cx->arena, folded)) || is_own_address(own, nown, folded)
                || accounts_find_user_by_email(cx, db, folded, &user))
                continue;
            TRY(contacts_by_email(cx, db, lists[l].items[i].address, lists[l].items[i].name, "cc", &contact));
            TRY(add_visibly(cx, db, p->ticket_id, contact.id, p, folded));
            added++;
        }
    }
    return E_OK;
}

/* ---- the ways a mail can go ---- */

static enum err_code open_ticket(struct cx *cx, struct db *db, const struct intake *in, struct new_message message, int64_t requester_id,
                                 struct str subject, bool spam, struct placing *p)
{
    struct ticket_made made;
    TRY(tickets_create(cx, db, &(struct new_ticket){
        .subject = subject, .requester_id = requester_id, .channel = STR("email"), .team_id = in->mailbox.team_id,
        .mailbox_id = in->mailbox.id, .spam = spam, .created_us = in->at_us, .message = message }, &made));
    p->ticket_id = made.ticket_id;
    p->message_id = made.message_id;
    return E_OK;
}

static enum err_code join_ticket(struct cx *cx, struct db *db, const struct new_message *message, int64_t ticket_id, struct placing *p)
{
    struct ticket_brief before;
    struct ticket_made made;
    TRY(tickets_get(cx, db, ticket_id, &before));
    TRY(tickets_add_message(cx, db, ticket_id, message, &made));
    p->ticket_id = made.ticket_id;
    p->message_id = made.message_id;
    if (made.ticket_id == ticket_id || !str_is(before.status, "closed"))
        return E_OK;
    p->rule = "follow_up";
    return email_remember_follow_up(cx, db, ticket_id, made.ticket_id);
}

static enum err_code store_report(struct cx *cx, struct db *db, struct email *email, const struct intake *in, struct placing *p, bool *ret_done)
{
    int64_t ticket_id = 0;
    TRY(email_bounce_apply(cx, db, email, in, &p->evidence, &ticket_id));
    struct str from = in->sender_folded;
    bool machine = in->mail.report_type.ptr || str_istarts(from, STR("mailer-daemon@")) || str_istarts(from, STR("postmaster@")) || from.len == 0;
    *ret_done = ticket_id > 0 || machine;
    if (ticket_id == 0) {
        if (machine)    /* backscatter: kept in the log, no ticket for agents to close */
            *p = (struct placing){ .state = "swallowed", .rule = "none", .verdict = in->verdict, .evidence = p->evidence,
                                   .detail = STR("A delivery report about no mail of ours") };
        return E_OK;
    }
    struct new_attachment *attachments;
    TRY(keep_attachments(cx, db, email, in, &attachments));
    struct new_message message = message_of(in, attachments, 0);
    message.internal = message.automatic = true;
    p->rule = "token";
    p->score = 100;
    TRY(join_ticket(cx, db, &message, ticket_id, p));
    return email_remember(cx, db, in, p->ticket_id, p->message_id);
}

/* A colleague answered by mail.  Without proof that the mail is theirs it becomes a note that says nothing to the customer. */
static enum err_code store_colleague(struct cx *cx, struct db *db, struct email *email, const struct intake *in, const struct user *user,
                                     struct new_message *message, const struct email_join *join, struct placing *p)
{
    bool signed_answer = in->auth_passed && str_is(str_of(join->rule), "token") && str_is(user->status, "active") && !in->automatic;
    if (!signed_answer) {
        message->internal = message->automatic = true;
        evidence_add(&p->evidence, "colleague", 0, 0, STR("From a colleague's address, but not proven (SPF, DKIM, token): kept as a note"));
        return join_ticket(cx, db, message, join->ticket_id, p);
    }
    if (!(user->permissions & PERM_BIT(PERM_TICKET_REPLY))) {
        message->internal = message->automatic = true;
        evidence_add(&p->evidence, "colleague", 0, 0, STR("From a colleague who may not answer customers: kept as a note"));
        return join_ticket(cx, db, message, join->ticket_id, p);
    }
    struct reply_request request = { .message = message };
    act_as(cx, STR("user"), user->id);
    TRY(tickets_get(cx, db, join->ticket_id, &request.ticket));
    message->author_kind = STR("user");
    message->author_id = user->id;
    message->mail_id = 0;
    TRY(email_prepare(cx, db, &request, email));
    TRY(join_ticket(cx, db, message, join->ticket_id, p));
    evidence_add(&p->evidence, "colleague", 0, 0, STR("A colleague's answer by mail: sent on to the customer"));
    return email_enqueue(cx, db, &request, p->message_id, email);
}

static enum err_code store_forward(struct cx *cx, struct db *db, struct email *email, const struct intake *in, const struct user *user,
                                   struct placing *p)
{
    struct contact customer;
    struct new_attachment *attachments;
    TRY(contacts_by_email(cx, db, in->forwarded_from.address, in->forwarded_from.name, "from", &customer));
    TRY(keep_attachments(cx, db, email, in, &attachments));
    struct new_message message = message_of(in, attachments, customer.id);
    unfold(in, cx, &message);
    evidence_add(&p->evidence, "forwarded", 80, 0, arena_printf(cx->arena, "%.*s forwarded a mail of %.*s", STR_ARG(user->email),
                                                                 STR_ARG(in->forwarded_from.address)));
    p->rule = "forwarded";
    p->score = 80;
    TRY(open_ticket(cx, db, in, message, customer.id, in->forwarded_subject, customer.blocked, p));
    return email_remember(cx, db, in, p->ticket_id, p->message_id);
}

static enum err_code store_contact(struct cx *cx, struct db *db, struct email *email, const struct intake *in, const struct user *colleague,
                                   struct placing *p)
{
    struct contact contact;
    struct new_attachment *attachments;
    struct email_join join;
    TRY(contacts_by_email(cx, db, in->sender.address, in->sender.name, "from", &contact));
    TRY(email_find_ticket(cx, db, email, in, contact.id, &join));
    bool spam = contact.blocked || in->verdict == MAIL_SPAM;
    if (contact.blocked)
        evidence_add(&join.evidence, "blocked", 0, 0, STR("The sender is blocked"));
    p->evidence = join.evidence;
    p->rule = join.ticket_id > 0 && !spam ? join.rule : "new";
    p->score = join.ticket_id > 0 && !spam ? join.score : 0;
    p->verdict = spam ? MAIL_SPAM : in->verdict;
    TRY(keep_attachments(cx, db, email, in, &attachments));
    struct new_message message = message_of(in, attachments, contact.id);
    if (spam || join.ticket_id == 0) {
        TRY(open_ticket(cx, db, in, message, contact.id, in->mail.subject, spam, p));
    } else if (colleague) {
        TRY(store_colleague(cx, db, email, in, colleague, &message, &join, p));
    } else {
        TRY(join_ticket(cx, db, &message, join.ticket_id, p));
        TRY(add_visibly(cx, db, p->ticket_id, contact.id, p, in->sender_folded));
    }
    if (!spam && !in->automatic)
        TRY(add_participants(cx, db, in, p));
    return spam ? E_OK : email_remember(cx, db, in, p->ticket_id, p->message_id);
}

static enum err_code place(struct cx *cx, struct db *db, struct email *email, const struct intake *in, struct placing *p)
{
    bool done = false;
    TRY(find_duplicate(cx, db, in, p, &done));
    if (!done)
        TRY(find_loop(cx, db, email, in, p, &done));
    if (!done && in->verdict == MAIL_DELIVERY_REPORT)
        TRY(store_report(cx, db, email, in, p, &done));
    if (done)
        return E_OK;
    if (in->sender_folded.len == 0) {
        p->state = "quarantined";
        p->detail = STR("The mail names no usable sender address");
        return E_OK;
    }
    struct user user;
    bool colleague = accounts_find_user_by_email(cx, db, in->sender_folded, &user) && str_is(user.status, "active");
    if (colleague && in->is_forward && !in->auth_failed)
        return store_forward(cx, db, email, in, &user, p);
    return store_contact(cx, db, email, in, colleague ? &user : NULL, p);
}

enum err_code email_store(struct cx *cx, struct db *db, struct email *email, const struct intake *in, struct str was,
                          const char **ret_state)
{
    *ret_state = "quarantined";
    if (!in->ready) {
        TRY(em_mail_quarantine(cx, db, (struct em_mail_quarantine_in){ cx->account_id, in->row.id, in->why_not, cx->now_us }, NULL));
        return emit_quarantined(cx, db, in->row.id, in->why_not);
    }
    struct placing p = { .state = "stored", .rule = "none", .verdict = in->verdict };
    struct actor before = act_as(cx, STR("contact"), 0);
    enum err_code code = place(cx, db, email, in, &p);
    if (code == E_OK)
        code = settle(cx, db, in, was, &p);
    *ret_state = p.state;
    act_as(cx, before.name, before.user_id);
    return code;
}
