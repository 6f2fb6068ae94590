/* email_bounce.c - delivery reports: the exact outgoing mail that failed, and what follows for its address. */
#include "channels/email/email_internal.h"

static enum err_code sent_by_header(struct cx *cx, struct db *db, struct str message_id, struct em_sent *ret, bool *ret_found)
{
    struct em_sent *rows = NULL;
    size_t n = 0;
    *ret_found = false;
    if (message_id.len == 0)
        return E_OK;
    TRY(em_mail_sent_by_header(cx, db, (struct em_mail_sent_by_header_in){ cx->account_id, message_id }, &rows, &n));
    if (n > 0) {
        *ret = rows[0];
        *ret_found = true;
    }
    return E_OK;
}

/* Only a Message-ID that carries our signature counts: anybody can write a report, nobody can guess the token. */
static enum err_code find_sent(struct cx *cx, struct db *db, const struct email *email, const struct intake *in, struct em_sent *ret,
                               bool *ret_found)
{
    struct email_token token;
    struct str id = in->bounce.original_message_id;
    *ret_found = false;
    if (email_message_id_read(cx->arena, email, cx->account_id, id, &token))
        TRY(sent_by_header(cx, db, id, ret, ret_found));
    for (size_t i = in->mail.nreferences; i > 0 && !*ret_found; i--)
        if (email_message_id_read(cx->arena, email, cx->account_id, in->mail.references[i - 1], &token))
            TRY(sent_by_header(cx, db, in->mail.references[i - 1], ret, ret_found));
    const struct str places[] = { in->mail.report_original, in->mail.text, in->mail.html, in->raw };
    for (size_t i = 0; i < COUNT(places) && !*ret_found; i++)
        for (size_t at = 0; !*ret_found && email_message_id_scan(cx->arena, email, cx->account_id, places[i], &at, &id);)
            TRY(sent_by_header(cx, db, id, ret, ret_found));
    return E_OK;
}

/* The failed address, if that mail went to it; of a mail with one recipient there is no doubt. */
static struct str failed_recipient(struct cx *cx, const struct em_sent *sent, struct str named)
{
    struct json_value list;
    if (json_parse(cx, sent->to_addresses, &list) != E_OK)
        return STR("");
    struct str folded = mail_fold_address(cx->arena, named);
    for (size_t i = 0; i < list.n; i++)
        if (str_eq(list.items[i].text, folded))
            return folded;
    return list.n == 1 && folded.len == 0 ? list.items[0].text : STR("");
}

/* Is the address itself at fault, rather than the mail's content, size or our reputation? */
static bool address_is_dead(const struct mail_bounce *bounce)
{
    return bounce->hard && (str_is(bounce->reason, "user_unknown") || str_is(bounce->reason, "host_unknown")
                            || str_starts(bounce->status, STR("5.1.")) || str_is(bounce->status, "5.2.1"));
}

static struct str bounce_text(struct cx *cx, const struct mail_bounce *bounce, struct str recipient)
{
    return arena_printf(cx->arena, "%.*s%s%.*s%s%.*s", STR_ARG(recipient), recipient.len > 0 ? ": " : "", STR_ARG(bounce->status),
                        bounce->status.len > 0 ? " " : "",
                        STR_ARG(utf8_cut(bounce->diagnostic.len > 0 ? bounce->diagnostic : bounce->reason, 500)));
}

static enum err_code mark_bounced(struct cx *cx, struct db *db, struct email *email, const struct em_sent *sent, struct str detail)
{
    int64_t changed = 0;
    bool left = str_is(sent->state, "sending") || str_is(sent->state, "sent") || str_is(sent->state, "failed");
    if (!left)      /* nothing comes back of what waits or was taken back, whatever a report says */
        return E_OK;
    TRY(em_mail_outcome(cx, db, (struct em_mail_outcome_in){ cx->account_id, sent->id, sent->state, STR("bounced"), detail, cx->now_us },
                        &changed));
    if (changed == 0)
        return E_OK;
    TRY(tickets_set_delivery(cx, db, sent->message_id, STR("bounced"), detail));
    atomic_fetch_add_explicit(&email->counters.bounced, 1, memory_order_relaxed);
    return email_emit(cx, db, STR("mail.bounced"), sent->ticket_id, sent->message_id, email_note(cx->arena, "detail", detail));
}

static enum err_code apply_complaint(struct cx *cx, struct db *db, const struct intake *in, const struct em_sent *sent)
{
    struct str address = failed_recipient(cx, sent, in->bounce.recipient);
    return address.len == 0 ? E_OK
                            : email_suppress_hard(cx, db, address, STR("complaint"), STR("Reported as unwanted by its recipient"), in->row.id);
}

enum err_code email_bounce_apply(struct cx *cx, struct db *db, struct email *email, const struct intake *in,
                                 struct evidence_list *evidence, int64_t *ret_ticket)
{
    struct em_sent sent;
    bool found = false;
    *ret_ticket = 0;
    TRY(find_sent(cx, db, email, in, &sent, &found));
    if (!found) {
        evidence_add(evidence, "report", 0, 0, STR("The report names no mail of ours"));
        return E_OK;
    }
    *ret_ticket = sent.ticket_id;
    evidence_add(evidence, "token", 100, sent.ticket_id, STR("Our signed Message-ID in the report"));
    if (str_is(in->mail.report_type, "feedback-report"))
        return apply_complaint(cx, db, in, &sent);
    if (!in->is_bounce)
        return E_OK;
    struct str address = failed_recipient(cx, &sent, in->bounce.recipient);
    struct str detail = bounce_text(cx, &in->bounce, address);
    bool only_late = str_ifind(in->mail.report_fields, STR("action: delayed")) >= 0
                     && str_ifind(in->mail.report_fields, STR("action: failed")) < 0;
    if (!only_late)
        TRY(mark_bounced(cx, db, email, &sent, detail));
    if (address.len == 0)
        return E_OK;
    if (address_is_dead(&in->bounce))
        return email_suppress_hard(cx, db, address, STR("hard_bounce"), detail, in->row.id);
    return in->bounce.hard ? E_OK : email_suppress_soft(cx, db, address, detail, in->row.id);
}

enum err_code email_prove_delivered(struct cx *cx, struct db *db, const struct em_sent *sent, struct str how)
{
    if (!str_is(sent->state, "failed") && !str_is(sent->state, "sending"))
        return E_OK;
    struct str detail = arena_printf(cx->arena, "Delivered: %.*s", STR_ARG(how));
    int64_t changed = 0;
    TRY(em_mail_outcome(cx, db, (struct em_mail_outcome_in){ cx->account_id, sent->id, sent->state, STR("sent"), detail, cx->now_us }, &changed));
    return changed == 0 ? E_OK : tickets_set_delivery(cx, db, sent->message_id, STR("sent"), detail);
}
