/* tickets_shape.c - tickets as the API shows them, with the names of what they point to. */
#include "desk/tickets/tickets_internal.h"

static const struct field mailbox_ref_fields[] = {
    ID_FIELD(struct mailbox_ref, id, .doc = "Id of the mailbox"),
    TEXT_FIELD(struct mailbox_ref, name, .doc = "Its name"),
    TEXT_FIELD(struct mailbox_ref, address, .doc = "Its public address"),
};
static SHAPE(mailbox_ref_shape, "MailboxRef", struct mailbox_ref, mailbox_ref_fields);

static const struct field participant_fields[] = {
    OBJECT_FIELD(struct participant_out, contact, &contact_brief_shape, .doc = "Who takes part"),
    TEXT_FIELD(struct participant_out, role, .doc = "cc: gets replies; past: took part, no longer copied"),
};
static SHAPE(participant_shape, "Participant", struct participant_out, participant_fields);

static const struct field ticket_fields[] = { TICKET_FIELDS(struct ticket_out) };
SHAPE(ticket_shape, "Ticket", struct ticket_out, ticket_fields);

static const struct field ticket_full_fields[] = {
    TICKET_FIELDS(struct ticket_full_out),
    LIST_FIELD(struct ticket_full_out, messages, &message_shape, .doc = "The newest 20, oldest first"),
    TEXT_FIELD(struct ticket_full_out, messages_cursor, .nullable = true, .doc = "For the older ones: GET …/messages?cursor="),
};
SHAPE(ticket_full_shape, "TicketWithMessages", struct ticket_full_out, ticket_full_fields);

/* What a page of tickets points to, each kind read once. */
struct pointed {
    struct contact_brief *contacts;
    struct user *users;
    struct team *teams;
    struct ticket_mailbox_row *mailboxes;
    struct ticket_tag_row *tags;
    size_t ncontacts, nusers, nteams, nmailboxes, ntags;
};

static enum err_code read_pointed(struct cx *cx, struct db *db, const struct ticket_row *rows, size_t n, struct pointed *p)
{
    int64_t *ids = NEWN(cx->arena, int64_t, n + 1), *contacts = NEWN(cx->arena, int64_t, n + 1), *users = NEWN(cx->arena, int64_t, n + 1);
    size_t nusers = 0;
    bool teams = false, mailboxes = false;
    for (size_t i = 0; i < n; i++) {
        ids[i] = rows[i].id;
        contacts[i] = rows[i].requester_id;
        if (rows[i].assignee_id)
            users[nusers++] = rows[i].assignee_id;
        teams |= rows[i].team_id != 0;
        mailboxes |= rows[i].mailbox_id != 0;
    }
    if (n == 0)
        return E_OK;
    TRY(contacts_briefs(cx, db, contacts, n, &p->contacts, &p->ncontacts));
    if (nusers)
        TRY(accounts_users(cx, db, users, nusers, &p->users, &p->nusers));
    if (teams)
        TRY(accounts_teams(cx, db, &p->teams, &p->nteams));
    if (mailboxes)
        TRY(ticket_mailbox_list(cx, db, (struct ticket_mailbox_list_in){ cx->account_id }, &p->mailboxes, &p->nmailboxes));
    return ticket_tag_list(cx, db, (struct ticket_tag_list_in){ cx->account_id, ids_param(cx->arena, ids, n) }, &p->tags, &p->ntags);
}

static const struct named *name_it(struct cx *cx, int64_t id, struct str name)
{
    struct named *named = NEW(cx->arena, struct named);
    *named = (struct named){ id, name };
    return named;
}

static void point(struct cx *cx, const struct ticket_row *row, const struct pointed *p, struct ticket_out *t)
{
    for (size_t i = 0; i < p->ncontacts; i++)
        if (p->contacts[i].id == row->requester_id)
            t->requester = &p->contacts[i];
    for (size_t i = 0; i < p->nusers; i++)
        if (p->users[i].id == row->assignee_id)
            t->assignee = name_it(cx, row->assignee_id, p->users[i].name.len ? p->users[i].name : p->users[i].email);
    for (size_t i = 0; i < p->nteams; i++)
        if (p->teams[i].id == row->team_id)
            t->team = name_it(cx, row->team_id, p->teams[i].name);
    for (size_t i = 0; i < p->nmailboxes; i++)
        if (p->mailboxes[i].id == row->mailbox_id) {
            struct mailbox_ref *m = NEW(cx->arena, struct mailbox_ref);
            *m = (struct mailbox_ref){ p->mailboxes[i].id, p->mailboxes[i].name, p->mailboxes[i].address };
            t->mailbox = m;
        }
    struct str *tags = NEWN(cx->arena, struct str, p->ntags + 1);
    size_t ntags = 0;
    for (size_t i = 0; i < p->ntags; i++)
        if (p->tags[i].ticket_id == row->id)
            tags[ntags++] = p->tags[i].name;
    t->tags = (struct list){ .items = tags, .n = ntags };
}

static struct ticket_out plain(const struct ticket_row *r)
{
    return (struct ticket_out){
        .id = r->id, .number = r->number, .version = r->version, .subject = r->subject, .status = r->status, .priority = r->priority,
        .severity = r->severity, .type = r->type, .channel = r->channel, .fields = r->fields, .spam = r->spam,
        .merged_into = r->merged_into, .follow_up_of = r->follow_up_of, .preview = r->preview, .message_count = r->message_count,
        .created_at = r->created_us, .updated_at = r->updated_us, .activity_at = r->activity_us, .customer_at = r->customer_us,
        .agent_at = r->agent_us, .first_reply_at = r->first_reply_us, .first_resolved_at = r->first_resolved_us,
        .resolved_at = r->resolved_us, .closed_at = r->closed_us, .reopened_count = r->reopened_count,
    };
}

static enum err_code read_participants(struct cx *cx, struct db *db, struct ticket_out *t)
{
    struct participant_row *rows;
    struct contact_brief *contacts;
    size_t n, ncontacts, shown = 0;
    TRY(participant_list(cx, db, (struct participant_list_in){ cx->account_id, t->id }, &rows, &n));
    int64_t *ids = NEWN(cx->arena, int64_t, n + 1);
    for (size_t i = 0; i < n; i++)
        ids[i] = rows[i].contact_id;
    TRY(contacts_briefs(cx, db, ids, n, &contacts, &ncontacts));
    struct participant_out *items = NEWN(cx->arena, struct participant_out, n + 1);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < ncontacts; k++)
            if (contacts[k].id == rows[i].contact_id)
                items[shown++] = (struct participant_out){ &contacts[k], rows[i].role };
    t->participants = (struct list){ .items = items, .n = shown };
    return E_OK;
}

enum err_code ticket_outs(struct cx *cx, struct db *db, const struct ticket_row *rows, size_t n, bool whole, struct ticket_out **ret)
{
    struct pointed *p = NEW(cx->arena, struct pointed);
    TRY(read_pointed(cx, db, rows, n, p));
    struct ticket_out *out = *ret = NEWN(cx->arena, struct ticket_out, n + 1);
    for (size_t i = 0; i < n; i++) {
        out[i] = plain(&rows[i]);
        point(cx, &rows[i], p, &out[i]);
        if (whole)
            TRY(read_participants(cx, db, &out[i]));
    }
    return E_OK;
}

enum err_code ticket_out_of(struct cx *cx, struct db *db, int64_t id, struct ticket_out *ret)
{
    struct ticket_row row;
    struct ticket_out *out;
    /* Without the row scope: who just moved a ticket to another team is still answered. */
    TRY(need_found(cx, ticket_get(cx, db, (struct ticket_get_in){ cx->account_id, id, 0 }, &row), "ticket"));
    TRY(ticket_outs(cx, db, &row, 1, true, &out));
    *ret = out[0];
    return E_OK;
}
