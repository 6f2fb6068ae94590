/* tickets.c - the rules of tickets: statuses, saving with events and counts, finding, participants. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"

/* ---- finding ---- */

enum err_code ticket_take(struct cx *cx, struct db *db, int64_t id, struct ticket_row *ret)
{
    return need_found(cx, ticket_lock(cx, db, (struct ticket_lock_in){ cx->account_id, id, accounts_scope_user(cx) }, ret), "ticket");
}

enum err_code ticket_read(struct cx *cx, struct db *db, int64_t id, struct ticket_row *ret)
{
    return need_found(cx, ticket_get(cx, db, (struct ticket_get_in){ cx->account_id, id, accounts_scope_user(cx) }, ret), "ticket");
}

struct ticket_brief ticket_brief_of(const struct ticket_row *row)
{
    return (struct ticket_brief){ .id = row->id, .number = row->number, .requester_id = row->requester_id,
                                  .team_id = row->team_id, .assignee_id = row->assignee_id, .mailbox_id = row->mailbox_id,
                                  .merged_into = row->merged_into, .version = row->version, .subject = row->subject,
                                  .status = row->status };
}

enum err_code tickets_get(struct cx *cx, struct db *db, int64_t id, struct ticket_brief *ret)
{
    struct ticket_row row;
    TRY(ticket_read(cx, db, id, &row));
    *ret = ticket_brief_of(&row);
    return E_OK;
}

bool tickets_find_by_number(struct cx *cx, struct db *db, int64_t number, struct ticket_brief *ret)
{
    struct ticket_row row;
    bool found = false;
    struct ticket_by_number_in in = { cx->account_id, number, accounts_scope_user(cx) };
    if (if_found(cx, ticket_by_number(cx, db, in, &row), &found) != E_OK || !found)
        return false;
    *ret = ticket_brief_of(&row);
    return true;
}

/* ---- statuses ---- */

static bool is_done(struct str status)
{
    return str_is(status, "resolved") || str_is(status, "closed");
}

enum err_code ticket_set_status(struct cx *cx, struct ticket_row *t, struct str status, int64_t at_us)
{
    if (str_eq(t->status, status))
        return E_OK;
    if (str_is(t->status, "closed"))
        return fail(cx, E_CONFLICT, "A closed ticket stays closed: a new message makes a follow-up");
    if (str_is(status, "new"))
        return fail_field(cx, "status", "A ticket that was handled does not become new again");
    bool was_done = is_done(t->status);
    if (is_done(status) && !was_done) {
        t->resolved_us = at_us;
        t->first_resolved_us = t->first_resolved_us ? t->first_resolved_us : at_us;
    }
    if (str_is(status, "closed"))
        t->closed_us = at_us;
    if (was_done && !is_done(status))
        t->reopened_count++;
    t->status = status;
    return E_OK;
}

/* ---- saving ---- */

enum err_code ticket_emit(struct cx *cx, struct db *db, struct str type, const struct ticket_row *t, int64_t subject_id, struct str data)
{
    return ticket_emit_as(cx, db, 0, type, t, subject_id, data);
}

enum err_code ticket_emit_as(struct cx *cx, struct db *db, int64_t seq, struct str type, const struct ticket_row *t, int64_t subject_id,
                             struct str data)
{
    struct event event = { .account_id = cx->account_id, .seq = seq, .type = type, .ticket_id = t->id, .team_id = t->team_id,
                           .assignee_id = t->assignee_id, .subject_id = subject_id, .data = data };
    return seq ? journal_write(cx, db, &event) : journal_append(cx, db, &event);
}

/* Where a ticket is counted; ptr NULL: nowhere. */
static struct str counted_as(const struct ticket_row *t)
{
    if (t->merged_into)
        return STR_NONE;
    return t->spam ? STR("spam") : t->status;
}

enum err_code ticket_count(struct cx *cx, struct db *db, const struct ticket_row *t, int64_t delta)
{
    struct str status = counted_as(t);
    if (!status.ptr)
        return E_OK;
    return ticket_count_add(cx, db, (struct ticket_count_add_in){ cx->account_id, status, t->team_id, t->assignee_id, delta }, NULL);
}

static enum err_code move_count(struct cx *cx, struct db *db, const struct ticket_row *old, const struct ticket_row *new)
{
    struct str was = counted_as(old), is = counted_as(new);
    if (str_eq(was, is) && old->team_id == new->team_id && old->assignee_id == new->assignee_id)
        return E_OK;
    TRY(ticket_count(cx, db, old, -1));
    return ticket_count(cx, db, new, 1);
}

static enum err_code write_fields(struct cx *cx, struct db *db, const struct ticket_row *t)
{
    return ticket_update_fields(cx, db,
                                (struct ticket_update_fields_in){
                                    .account_id = cx->account_id, .id = t->id, .subject = t->subject, .priority = t->priority,
                                    .severity = t->severity, .type = t->type, .team_id = t->team_id, .assignee_id = t->assignee_id,
                                    .requester_id = t->requester_id, .mailbox_id = t->mailbox_id, .spam = t->spam,
                                    .merged_into = t->merged_into, .fields = t->fields },
                                NULL);
}

static enum err_code write_activity(struct cx *cx, struct db *db, const struct ticket_row *t)
{
    return ticket_update_activity(cx, db,
                                  (struct ticket_update_activity_in){
                                      .account_id = cx->account_id, .id = t->id, .status = t->status,
                                      .unresolved = !is_done(t->status), .preview = t->preview,
                                      .message_count = t->message_count, .updated_us = t->updated_us,
                                      .activity_us = t->activity_us, .customer_us = t->customer_us, .agent_us = t->agent_us,
                                      .first_reply_us = t->first_reply_us, .first_resolved_us = t->first_resolved_us,
                                      .resolved_us = t->resolved_us, .closed_us = t->closed_us,
                                      .reopened_count = t->reopened_count, .version = t->version },
                                  NULL);
}

enum err_code ticket_save(struct cx *cx, struct db *db, const struct ticket_row *old, struct ticket_row *new, struct changes *more)
{
    struct changes c = more ? *more : changes_begin(cx);
    size_t before = c.n;
    change_text(&c, "subject", old->subject, new->subject);
    change_text(&c, "priority", old->priority, new->priority);
    change_text(&c, "severity", old->severity, new->severity);
    change_text(&c, "type", old->type, new->type);
    change_id(&c, "team_id", old->team_id, new->team_id);
    change_id(&c, "assignee_id", old->assignee_id, new->assignee_id);
    change_id(&c, "requester_id", old->requester_id, new->requester_id);
    change_id(&c, "mailbox_id", old->mailbox_id, new->mailbox_id);
    change_bool(&c, "spam", old->spam, new->spam);
    change_id(&c, "merged_into", old->merged_into, new->merged_into);
    change_raw(&c, "fields", old->fields, new->fields);
    bool fields = c.n > before;
    change_text(&c, "status", old->status, new->status);
    new->version = old->version + 1;
    new->updated_us = MAX(old->updated_us, cx->now_us);
    if (fields)
        TRY(write_fields(cx, db, new));
    TRY(write_activity(cx, db, new));
    TRY(move_count(cx, db, old, new));
    if (c.n)
        TRY(ticket_emit(cx, db, STR("ticket.changed"), new, new->id, changes_end(&c)));
    if (new->reopened_count > old->reopened_count)
        TRY(ticket_emit(cx, db, STR("ticket.reopened"), new, new->id, STR_NONE));
    return E_OK;
}

enum err_code fail_ticket_version(struct cx *cx, struct db *db, const struct ticket_row *ticket)
{
    enum { SHOWN = 10 };
    struct ticket_out now;
    struct list messages;
    int64_t oldest;
    bool more;
    TRY(ticket_out_of(cx, db, ticket->id, &now));
    TRY(messages_newest(cx, db, ticket->id, SHOWN, &messages, &oldest, &more));
    struct buf extra = buf_new(cx->arena, 0);
    buf_lit(&extra, "\"current\":");
    shape_write(cx->arena, &extra, &ticket_shape, &now);
    buf_lit(&extra, ",\"newer_messages\":[");
    for (size_t i = 0; i < messages.n; i++) {
        if (i)
            buf_char(&extra, ',');
        shape_write(cx->arena, &extra, &message_shape, (const char *)messages.items + i * message_shape.size);
    }
    buf_char(&extra, ']');
    enum err_code code = fail(cx, E_CONFLICT, "The ticket was changed by someone else meanwhile");
    cx->failure.extra = buf_str(&extra);
    return code;
}

/* ---- participants ---- */

enum err_code tickets_add_participant(struct cx *cx, struct db *db, int64_t ticket_id, int64_t contact_id, struct str role)
{
    struct ticket_row t;
    struct participant_row *rows;
    size_t n;
    TRY(ticket_take(cx, db, ticket_id, &t));
    if (t.requester_id == contact_id)
        return E_OK;
    TRY(participant_list(cx, db, (struct participant_list_in){ cx->account_id, ticket_id }, &rows, &n));
    struct str old_role = STR_NONE;
    for (size_t i = 0; i < n; i++)
        if (rows[i].contact_id == contact_id)
            old_role = rows[i].role;
    if (old_role.ptr && str_eq(old_role, role))
        return E_OK;
    struct changes c = changes_begin(cx);
    change_raw(&c, "participant", old_role.ptr ? arena_printf(cx->arena, "{\"contact_id\":\"%lld\",\"role\":\"%.*s\"}",
                                                              (long long)contact_id, STR_ARG(old_role)) : STR("null"),
               arena_printf(cx->arena, "{\"contact_id\":\"%lld\",\"role\":\"%.*s\"}", (long long)contact_id, STR_ARG(role)));
    TRY(participant_put(cx, db, (struct participant_put_in){ cx->account_id, ticket_id, contact_id, role, cx->now_us }, NULL));
    struct ticket_row new = t;
    return ticket_save(cx, db, &t, &new, &c);
}

enum err_code tickets_participants(struct cx *cx, struct db *db, int64_t ticket_id, struct str role, int64_t **ret_contact_ids, size_t *ret_n)
{
    struct participant_row *rows;
    size_t n, m = 0;
    TRY(participant_list(cx, db, (struct participant_list_in){ cx->account_id, ticket_id }, &rows, &n));
    *ret_contact_ids = NEWN(cx->arena, int64_t, n + 1);
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].role, role))
            (*ret_contact_ids)[m++] = rows[i].contact_id;
    *ret_n = m;
    return E_OK;
}

enum err_code tickets_is_participant(struct cx *cx, struct db *db, int64_t ticket_id, int64_t contact_id, bool *ret)
{
    struct tickets_flag_row row;
    TRY(participant_is(cx, db, (struct participant_is_in){ cx->account_id, ticket_id, contact_id }, &row));
    *ret = row.n != 0;
    return E_OK;
}

static struct str emails_json(struct cx *cx, const struct contact *contacts, size_t n)
{
    struct buf b = buf_new(cx->arena, 0);
    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%.*s", i ? "," : "", STR_ARG(json_quote(cx->arena, contacts[i].email)));
    buf_char(&b, ']');
    return buf_str(&b);
}

enum err_code participants_set_cc(struct cx *cx, struct db *db, const struct ticket_row *ticket, const struct list *emails, struct changes *c)
{
    const struct str *items = emails->items;
    struct contact *contacts = NEWN(cx->arena, struct contact, emails->n + 1);
    struct participant_row *rows;
    size_t nrows, n = 0;
    for (size_t i = 0; i < emails->n; i++) {
        TRY(contacts_by_email(cx, db, items[i], STR_NONE, "cc", &contacts[n]));
        n += contacts[n].id != ticket->requester_id;
    }
    TRY(participant_list(cx, db, (struct participant_list_in){ cx->account_id, ticket->id }, &rows, &nrows));
    struct contact *old = NEWN(cx->arena, struct contact, nrows + 1);
    size_t nold = 0;
    for (size_t i = 0; i < nrows; i++) {
        bool stays = false;
        for (size_t k = 0; k < n; k++)
            stays |= contacts[k].id == rows[i].contact_id;
        if (!str_is(rows[i].role, "cc"))
            continue;
        TRY(contacts_get(cx, db, rows[i].contact_id, &old[nold++]));
        if (!stays)
            TRY(participant_put(cx, db, (struct participant_put_in){ cx->account_id, ticket->id, rows[i].contact_id, STR("past"), cx->now_us }, NULL));
    }
    for (size_t k = 0; k < n; k++)
        TRY(participant_put(cx, db, (struct participant_put_in){ cx->account_id, ticket->id, contacts[k].id, STR("cc"), cx->now_us }, NULL));
    change_raw(c, "cc", emails_json(cx, old, nold), emails_json(cx, contacts, n));
    return E_OK;
}

/* ---- real-time ---- */

bool tickets_event_visible(const struct cx *cx, const int64_t *team_ids, size_t nteams, const struct event *event)
{
    if (event->ticket_id)
        return accounts_may_see(cx, team_ids, nteams, event->team_id, event->assignee_id);
    static const struct { const char *prefix; int permission; } kinds[] = {
        { "contact.", PERM_CONTACT_READ }, { "organization.", PERM_CONTACT_READ }, { "user.", PERM_USER_READ },
        { "team.", PERM_USER_READ }, { "role.", PERM_USER_READ }, { "tag.", PERM_TICKET_READ }, { "mailbox.", PERM_MAILBOX_READ },
        { "mail.", PERM_MAIL_LOG_READ }, { "account.", PERM_SIGNED_IN }, { "attachment.", PERM_EVENT_READ },
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_starts(event->type, str_of(kinds[i].prefix)))
            return kinds[i].permission == PERM_SIGNED_IN || (cx->permissions & PERM_BIT(kinds[i].permission));
    return may(cx, PERM_EVENT_READ);
}
