/* email_recipients.c - who gets a reply, said out loud before it leaves. */
#include "channels/email/email_internal.h"

enum { RECIPIENTS_MAX = 100 };

struct recipients {
    struct em_mailbox mailbox;
    struct mail_address from;
    struct mail_addresses to, cc, bcc;
    struct map *known;          /* folded address → "to", "cc" or "bcc" */
};

struct mail_addresses email_addresses_read(struct cx *cx, struct str addresses, const char *member)
{
    struct mail_addresses list = { 0 };
    struct json_value document;
    if (addresses.len == 0 || json_parse(cx, addresses, &document) != E_OK)
        return list;
    const struct json_value *value = json_get(&document, member);
    if (!value || (value->kind != JSON_LIST && value->kind != JSON_OBJECT))
        return list;
    size_t n = value->kind == JSON_LIST ? value->n : 1;
    list.items = NEWN(cx->arena, struct mail_address, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct json_value *item = value->kind == JSON_LIST ? &value->items[i] : value;
        struct str address = json_text(item, "address");
        if (address.len > 0)
            list.items[list.n++] = (struct mail_address){ json_text(item, "name"), address };
    }
    return list;
}

enum err_code email_sending_mailbox(struct cx *cx, struct db *db, int64_t mailbox_id, struct em_mailbox *ret)
{
    if (mailbox_id > 0) {
        enum err_code code = em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, mailbox_id }, ret);
        if (code == E_OK && ret->active && str_is(ret->out_kind, "smtp"))
            return E_OK;
        if (code != E_OK && code != E_NOT_FOUND)
            return code;
        failure_clear(cx);
    }
    struct em_sender *rows = NULL;
    size_t n = 0;
    TRY(em_mailbox_default_out(cx, db, (struct em_mailbox_default_out_in){ cx->account_id }, &rows, &n));
    if (n == 0)
        return fail_field(cx, "mailbox_id", "No mailbox of this account can send mail: connect one first");
    return em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, rows[0].id }, ret);
}

/* Adds an address once; our own ones are left out, or a reply would come back to us. */
static enum err_code put(struct cx *cx, struct recipients *r, struct mail_addresses *list, struct mail_address address, const char *field)
{
    struct str folded = mail_fold_address(cx->arena, address.address);
    if (!mail_address_valid(address.address) || folded.len == 0)
        return fail_field(cx, field, "\"%.*s\" is not an e-mail address", STR_ARG(address.address));
    if (map_get(r->known, folded) || str_eq(email_without_tag(cx->arena, folded), r->mailbox.address_folded))
        return E_OK;
    if (map_count(r->known) >= RECIPIENTS_MAX)
        return fail_field(cx, field, "A mail goes to at most %d addresses", RECIPIENTS_MAX);
    map_put(r->known, folded, (void *)(uintptr_t)field);
    list->items[list->n++] = address;
    return E_OK;
}

static enum err_code put_all(struct cx *cx, struct recipients *r, struct mail_addresses *list, const struct str *texts, size_t n, const char *field)
{
    list->items = NEWN(cx->arena, struct mail_address, n + RECIPIENTS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct mail_addresses parsed = mail_parse_addresses(cx->arena, texts[i]);
        if (parsed.n != 1)
            return fail_field(cx, field, "\"%.*s\" is not one e-mail address", STR_ARG(texts[i]));
        TRY(put(cx, r, list, parsed.items[0], field));
    }
    return E_OK;
}

/* The newest mail that came in decides where its writer wants the answer (Reply-To), if the requester wrote it. */
static enum err_code put_requester(struct cx *cx, struct db *db, const struct reply_request *request, struct recipients *r)
{
    struct contact requester;
    TRY(contacts_get(cx, db, request->ticket.requester_id, &requester));
    struct message_full *messages = NULL;
    size_t n = 0;
    TRY(tickets_recent_messages(cx, db, request->ticket.id, 10, &messages, &n));
    for (size_t i = 0; i < n; i++) {
        if (!str_is(messages[i].author_kind, "contact") || messages[i].author_id != request->ticket.requester_id)
            continue;
        struct mail_addresses wanted = email_addresses_read(cx, messages[i].addresses, "reply_to");
        for (size_t k = 0; k < wanted.n; k++)
            if (mail_address_valid(wanted.items[k].address))
                TRY(put(cx, r, &r->to, wanted.items[k], "to"));
        break;
    }
    if (r->to.n > 0)
        return E_OK;
    if (requester.email.len == 0)
        return fail_field(cx, "to", "The requester has no e-mail address: name a recipient");
    return put(cx, r, &r->to, (struct mail_address){ requester.name, requester.email }, "to");
}

/* Reply-all keeps those who are copied. */
static enum err_code put_copied(struct cx *cx, struct db *db, const struct reply_request *request, struct recipients *r)
{
    int64_t *ids = NULL;
    size_t n = 0;
    TRY(tickets_participants(cx, db, request->ticket.id, STR("cc"), &ids, &n));
    for (size_t i = 0; i < n && r->cc.n < RECIPIENTS_MAX; i++) {
        struct contact contact;
        TRY(contacts_get(cx, db, ids[i], &contact));
        if (contact.email.len > 0)
            TRY(put(cx, r, &r->cc, (struct mail_address){ contact.name, contact.email }, "cc"));
    }
    return E_OK;
}

static enum err_code settle(struct cx *cx, struct db *db, const struct reply_request *request, struct recipients *r)
{
    struct account account;
    TRY(email_sending_mailbox(cx, db, request->ticket.mailbox_id, &r->mailbox));
    TRY(accounts_account(cx, db, cx->account_id, &account));
    r->from = (struct mail_address){ r->mailbox.from_name.len > 0 ? r->mailbox.from_name : account.name, r->mailbox.address };
    r->known = map_new(cx->arena);
    TRY(put_all(cx, r, &r->to, request->to, request->nto, "to"));
    if (request->nto == 0)
        TRY(put_requester(cx, db, request, r));
    TRY(put_all(cx, r, &r->cc, request->cc, request->ncc, "cc"));
    if (!request->cc_given)
        TRY(put_copied(cx, db, request, r));
    TRY(put_all(cx, r, &r->bcc, request->bcc, request->nbcc, "bcc"));
    if (r->to.n + r->cc.n + r->bcc.n == 0)
        return fail_field(cx, "to", "The mail would go to nobody but ourselves");
    return E_OK;
}

static void put_list(struct json_writer *w, const char *name, struct mail_addresses list)
{
    json_open_list(w, name);
    for (size_t i = 0; i < list.n; i++) {
        json_open_object(w, NULL);
        json_put_text(w, "name", list.items[i].name.ptr ? list.items[i].name : STR(""));
        json_put_text(w, "address", list.items[i].address);
        json_close_object(w);
    }
    json_close_list(w);
}

static struct str addresses_json(struct cx *cx, const struct recipients *r)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_open_object(&w, "from");
    json_put_text(&w, "name", r->from.name);
    json_put_text(&w, "address", r->from.address);
    json_close_object(&w);
    put_list(&w, "to", r->to);
    put_list(&w, "cc", r->cc);
    put_list(&w, "bcc", r->bcc);
    json_close_object(&w);
    return buf_str(&out);
}

static struct str envelope_json(struct cx *cx, const struct recipients *r)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_list(&w, NULL);
    const struct mail_addresses lists[] = { r->to, r->cc, r->bcc };
    for (size_t l = 0; l < COUNT(lists); l++)
        for (size_t i = 0; i < lists[l].n; i++)
            json_put_text(&w, NULL, mail_fold_address(cx->arena, lists[l].items[i].address));
    json_close_list(&w);
    return buf_str(&out);
}

/* ---- warnings ---- */

static void warn(struct cx *cx, struct reply_plan *plan, const char *code, struct str address, struct str text)
{
    if (plan->nwarnings == 0)
        plan->warnings = NEWN(cx->arena, struct reply_warning, 4 * RECIPIENTS_MAX);
    if (plan->nwarnings < 4 * RECIPIENTS_MAX)
        plan->warnings[plan->nwarnings++] = (struct reply_warning){ str_of(code), address, text };
}

static enum err_code warn_of_outsiders(struct cx *cx, struct db *db, const struct reply_request *request, const struct recipients *r,
                                       struct reply_plan *plan)
{
    size_t at = 0;
    struct str folded;
    void *value;
    while (map_next(r->known, &at, &folded, &value)) {
        struct contact contact;
        struct em_suppression suppression;
        bool takes_part = false;
        if (contacts_find_by_email(cx, db, folded, &contact))
            TRY(tickets_is_participant(cx, db, request->ticket.id, contact.id, &takes_part));
        if (!takes_part)
            warn(cx, plan, "outsider", folded, arena_printf(cx->arena, "%.*s has taken no part in this ticket so far", STR_ARG(folded)));
        if (email_suppressed(cx, db, folded, &suppression))
            warn(cx, plan, "suppressed", folded, arena_printf(cx->arena, "%.*s gets no mail now: %.*s", STR_ARG(folded),
                                                               STR_ARG(suppression.detail)));
    }
    return E_OK;
}

/* Who wrote or got the newest public message, and would not get this one. */
static enum err_code warn_of_dropped(struct cx *cx, struct db *db, const struct reply_request *request, const struct recipients *r,
                                     struct reply_plan *plan)
{
    struct message_full *messages = NULL;
    size_t n = 0;
    TRY(tickets_recent_messages(cx, db, request->ticket.id, 1, &messages, &n));
    const char *const members[] = { "from", "to", "cc" };
    struct map *told = map_new(cx->arena);
    for (size_t m = 0; n > 0 && m < COUNT(members); m++) {
        struct mail_addresses there = email_addresses_read(cx, messages[0].addresses, members[m]);
        for (size_t i = 0; i < there.n; i++) {
            struct str folded = mail_fold_address(cx->arena, there.items[i].address);
            struct user user;
            struct em_mailbox_key own;
            bool is_own = false;
            TRY(email_find_recipient(cx, db, folded, &own, &is_own));
            if (folded.len == 0 || map_get(r->known, folded) || map_get(told, folded) || (is_own && own.account_id == cx->account_id)
                || str_eq(email_without_tag(cx->arena, folded), r->mailbox.address_folded)
                || accounts_find_user_by_email(cx, db, folded, &user))
                continue;
            map_put(told, folded, told);
            warn(cx, plan, "dropped", folded, arena_printf(cx->arena, "%.*s was in the conversation and would not get this",
                                                            STR_ARG(folded)));
        }
    }
    return E_OK;
}

static enum err_code warn_of_lists(struct cx *cx, struct db *db, const struct reply_request *request, const struct recipients *r,
                                   struct reply_plan *plan)
{
    struct em_mail *mails = NULL;
    size_t n = 0, at = 0;
    TRY(em_mail_newest_in(cx, db, (struct em_mail_newest_in_in){ cx->account_id, request->ticket.id }, &mails, &n));
    if (n == 0 || !str_is(mails[0].verdict, "list"))
        return E_OK;
    struct str folded;
    void *value;
    while (map_next(r->known, &at, &folded, &value))
        if (str_find(mails[0].to_addresses, json_quote(cx->arena, folded)) >= 0)
            warn(cx, plan, "list", folded, arena_printf(cx->arena, "%.*s is a mailing list: everybody on it would read this", STR_ARG(folded)));
    return E_OK;
}

enum err_code email_preview(struct cx *cx, struct db *db, const struct reply_request *request, struct reply_plan *ret, void *arg)
{
    struct recipients r = { 0 };
    *ret = (struct reply_plan){ 0 };
    TRY(settle(cx, db, request, &r));
    ret->addresses = addresses_json(cx, &r);
    TRY(warn_of_outsiders(cx, db, request, &r, ret));
    TRY(warn_of_dropped(cx, db, request, &r, ret));
    return warn_of_lists(cx, db, request, &r, ret);
}

/* ---- before the message is written ---- */

/* Somebody must be left who may get mail. */
static enum err_code check_suppressed(struct cx *cx, struct db *db, const struct recipients *r)
{
    size_t at = 0;
    struct str folded;
    void *value;
    struct em_suppression suppression = { 0 };
    while (map_next(r->known, &at, &folded, &value))
        if (!email_suppressed(cx, db, folded, &suppression))
            return E_OK;
    return fail_field(cx, "to", "%.*s gets no mail now (%.*s: %.*s); remove the suppression to try again", STR_ARG(suppression.address_folded),
                      STR_ARG(suppression.reason), STR_ARG(suppression.detail));
}

/* A machine's mail: never to a machine, and never too much of it. */
static enum err_code check_automatic(struct cx *cx, struct db *db, const struct reply_request *request, const struct recipients *r)
{
    struct em_mail *mails = NULL;
    size_t n = 0, at = 0;
    TRY(em_mail_newest_in(cx, db, (struct em_mail_newest_in_in){ cx->account_id, request->ticket.id }, &mails, &n));
    if (n > 0 && !email_may_answer(mails[0].verdict))
        return fail(cx, E_RATE, "The newest mail of this ticket came from a machine or a list: no automatic answer");
    struct str folded;
    void *value;
    while (map_next(r->known, &at, &folded, &value))
        TRY(email_rate_take(cx, db, folded, request->ticket.id));
    return E_OK;
}

static enum err_code reply_subject(struct cx *cx, struct db *db, const struct reply_request *request, struct str *ret)
{
    struct message_full *earlier = NULL;
    size_t n = 0;
    TRY(tickets_recent_messages(cx, db, request->ticket.id, 1, &earlier, &n));
    struct str mark = arena_printf(cx->arena, "[#%lld]", (long long)request->ticket.number);
    struct str subject = str_trim(str_replace(cx->arena, request->ticket.subject, mark, STR("")));
    bool re = n > 0 && !str_istarts(subject, STR("re:"));
    *ret = arena_printf(cx->arena, "%s%.*s %.*s", re ? "Re: " : "", STR_ARG(subject), STR_ARG(mark));
    return E_OK;
}

enum err_code email_prepare(struct cx *cx, struct db *db, struct reply_request *request, void *arg)
{
    struct recipients r = { 0 };
    struct new_message *message = request->message;
    TRY(settle(cx, db, request, &r));
    TRY(check_suppressed(cx, db, &r));
    if (message->automatic)
        TRY(check_automatic(cx, db, request, &r));
    int64_t undo_us = message->automatic ? 0 : r.mailbox.undo_seconds * US_PER_SECOND;
    message->send_at_us = MAX(request->send_at_us, cx->now_us + undo_us);
    message->delivery = message->send_at_us > cx->now_us ? STR("held") : STR("queued");
    message->channel = STR("email");
    message->addresses = addresses_json(cx, &r);
    if (message->subject.len == 0)
        TRY(reply_subject(cx, db, request, &message->subject));
    struct em_id id;
    TRY(em_mail_outgoing(cx, db, (struct em_mail_outgoing_in){
        .account_id = cx->account_id, .state = message->delivery, .source = message->automatic ? STR("auto") : STR("reply"),
        .mailbox_id = r.mailbox.id, .from_address = r.mailbox.address_folded, .to_addresses = envelope_json(cx, &r),
        .subject = message->subject, .ticket_id = request->ticket.id, .now = cx->now_us }, &id));
    message->mail_id = id.id;
    return E_OK;
}
