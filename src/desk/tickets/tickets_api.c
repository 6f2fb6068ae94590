/* tickets_api.c - routes of tickets: list, count, read, create, change. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"

static const char *const priorities[] = { "urgent", "high", "normal", "low", NULL };
static const char *const severities[] = { "sev1", "sev2", "sev3", "sev4", NULL };
static const char *const types[] = { "question", "incident", "problem", "task", "feature_request", NULL };
static const char *const statuses[] = { "new", "open", "pending", "on_hold", "resolved", "closed", NULL };
static const char *const channel_names[] = { "email", "web", "api", "import", NULL };
static const char *const sorts[] = { "activity", "-activity", "created", "-created", NULL };
static const char *const visibilities[] = { "public", "internal", NULL };

/* ---- list and counts ---- */

struct tickets_in {
    struct page_in page;
    struct str status, assignee_id, tag, priority, channel, sort;
    int64_t team_id, requester_id, organization_id, mailbox_id, updated_after;
    bool spam;
};
static const struct field tickets_in_fields[] = {
    PAGE_FIELDS(struct tickets_in, page),
    TEXT_FIELD(struct tickets_in, status, .place = IN_QUERY, .optional = true, .max = 100, .doc = "One or more, as new,open; or unresolved"),
    ID_FIELD(struct tickets_in, team_id, .place = IN_QUERY, .optional = true, .doc = "Of this team"),
    TEXT_FIELD(struct tickets_in, assignee_id, .place = IN_QUERY, .optional = true, .max = 20, .doc = "Id of a user, me or none"),
    ID_FIELD(struct tickets_in, requester_id, .place = IN_QUERY, .optional = true, .doc = "Asked by this contact"),
    ID_FIELD(struct tickets_in, organization_id, .place = IN_QUERY, .optional = true, .doc = "Asked from this organization"),
    TEXT_FIELD(struct tickets_in, tag, .place = IN_QUERY, .optional = true, .max = 100, .doc = "With this tag"),
    TEXT_FIELD(struct tickets_in, priority, .place = IN_QUERY, .optional = true, .choices = priorities, .max = 20, .doc = "Of this priority"),
    TEXT_FIELD(struct tickets_in, channel, .place = IN_QUERY, .optional = true, .choices = channel_names, .max = 20, .doc = "Of this channel"),
    ID_FIELD(struct tickets_in, mailbox_id, .place = IN_QUERY, .optional = true, .doc = "Of this mailbox"),
    BOOL_FIELD(struct tickets_in, spam, .place = IN_QUERY, .optional = true, .doc = "true: only spam; else only what is not"),
    TIME_FIELD(struct tickets_in, updated_after, .place = IN_QUERY, .optional = true, .doc = "Changed after this time"),
    TEXT_FIELD(struct tickets_in, sort, .place = IN_QUERY, .optional = true, .choices = sorts, .max = 20, .doc = "Default -activity: newest first"),
};

HANDLER(ticket_page, struct tickets_in, struct page_out)
{
    struct ticket_filter f = {
        .in = { .account_id = cx->account_id, .spam = in->spam, .team_id = in->team_id, .requester_id = in->requester_id,
                .organization_id = in->organization_id, .priority = in->priority, .channel = in->channel,
                .mailbox_id = in->mailbox_id, .updated_after = in->updated_after, .scope_user = accounts_scope_user(cx),
                .by_created = in->sort.ptr && str_ends(in->sort, STR("created")) },
        .statuses = in->status, .cursor = in->page.cursor, .limit = in->page.limit,
        .oldest_first = in->sort.ptr && !str_starts(in->sort, STR("-")),
    };
    if (str_is(in->assignee_id, "me"))
        f.in.assignee_id = cx->user_id;
    else if (str_is(in->assignee_id, "none"))
        f.in.unassigned = true;
    else if (in->assignee_id.ptr && (!num_parse_int(in->assignee_id, &f.in.assignee_id) || f.in.assignee_id <= 0))
        return fail_field(cx, "assignee_id", "This is the id of a user, me or none");
    if (in->tag.ptr) {
        TRY(tag_find(cx, db, in->tag, &f.in.tag_id));
        if (!f.in.tag_id)
            return E_OK;
    }
    return ticket_list(cx, db, &f, out);
}

struct team_count { int64_t team_id, open; };
static const struct field team_count_fields[] = {
    ID_FIELD(struct team_count, team_id, .doc = "Id of the team"),
    INT_FIELD(struct team_count, open, .doc = "New and open ones"),
};
static SHAPE(team_count_shape, "TeamCount", struct team_count, team_count_fields);

struct counts_out { int64_t mine, unassigned, open, pending, on_hold, unresolved, resolved, closed, spam; struct list teams; };
static const struct field counts_fields[] = {
    INT_FIELD(struct counts_out, mine, .doc = "New and open ones of the caller"),
    INT_FIELD(struct counts_out, unassigned, .doc = "New and open ones of nobody"),
    INT_FIELD(struct counts_out, open, .doc = "New and open ones"),
    INT_FIELD(struct counts_out, pending, .doc = "Waiting for the customer"),
    INT_FIELD(struct counts_out, on_hold, .doc = "Waiting for a third party"),
    INT_FIELD(struct counts_out, unresolved, .doc = "All but resolved and closed ones"),
    INT_FIELD(struct counts_out, resolved, .doc = "Resolved ones"),
    INT_FIELD(struct counts_out, closed, .doc = "Closed ones"),
    INT_FIELD(struct counts_out, spam, .doc = "Spam, counted nowhere else"),
    LIST_FIELD(struct counts_out, teams, &team_count_shape, .doc = "Teams with open tickets"),
};
static SHAPE(counts_shape, "TicketCounts", struct counts_out, counts_fields);

static void count_open(struct counts_out *out, const struct ticket_sum_row *row)
{
    struct team_count *teams = out->teams.items;
    size_t i = 0;
    out->open += row->n;
    out->mine += row->mine;
    out->unassigned += row->unassigned;
    if (!row->team_id || !row->n)
        return;
    while (i < out->teams.n && teams[i].team_id != row->team_id)
        i++;
    out->teams.n = MAX(out->teams.n, i + 1);
    teams[i].team_id = row->team_id;
    teams[i].open += row->n;
}

HANDLER(ticket_counts, struct nothing, struct counts_out)
{
    struct ticket_sum_row *rows;
    size_t n;
    (void)in;
    TRY(ticket_count_sums(cx, db, (struct ticket_count_sums_in){ cx->account_id, cx->user_id, accounts_scope_user(cx) }, &rows, &n));
    out->teams.items = NEWN(cx->arena, struct team_count, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct ticket_sum_row *r = &rows[i];
        bool open = str_is(r->status, "new") || str_is(r->status, "open");
        if (open)
            count_open(out, r);
        out->pending += str_is(r->status, "pending") ? r->n : 0;
        out->on_hold += str_is(r->status, "on_hold") ? r->n : 0;
        out->resolved += str_is(r->status, "resolved") ? r->n : 0;
        out->closed += str_is(r->status, "closed") ? r->n : 0;
        out->spam += str_is(r->status, "spam") ? r->n : 0;
    }
    out->unresolved = out->open + out->pending + out->on_hold;
    return E_OK;
}

/* ---- reading one ---- */

struct ticket_path { int64_t id; };
static const struct field ticket_path_fields[] = {
    ID_FIELD(struct ticket_path, id, .place = IN_PATH, .doc = "Id of the ticket"),
};

HANDLER(ticket_get_one, struct ticket_path, struct ticket_full_out)
{
    enum { SHOWN = 20 };
    struct ticket_row row;
    struct ticket_out ticket;
    int64_t oldest;
    bool more;
    TRY(ticket_read(cx, db, in->id, &row));
    TRY(ticket_out_of(cx, db, row.id, &ticket));
    memcpy(out, &ticket, sizeof(ticket));       /* the same members in front */
    TRY(messages_newest(cx, db, row.id, SHOWN, &out->messages, &oldest, &more));
    if (more)
        out->messages_cursor = page_cursor(cx->arena, &oldest, 1);
    return E_OK;
}

/* ---- creating ---- */

struct requester_in { struct str email, name; };
static const struct field requester_fields[] = {
    TEXT_FIELD(struct requester_in, email, .min = 3, .max = 254, .doc = "E-mail address of who asks"),
    TEXT_FIELD(struct requester_in, name, .optional = true, .max = 200, .doc = "Fills an unknown name"),
};
static SHAPE(requester_shape, "Requester", struct requester_in, requester_fields);

struct first_message_in { struct str text, html, visibility; bool send; struct list attachments; };
static const struct field first_message_fields[] = {
    TEXT_FIELD(struct first_message_in, text, .optional = true, .max = 1000000, .multiline = true, .doc = "Plain text"),
    TEXT_FIELD(struct first_message_in, html, .optional = true, .max = 4000000, .multiline = true, .doc = "Or HTML, which is cleaned"),
    TEXT_FIELD(struct first_message_in, visibility, .optional = true, .choices = visibilities, .max = 20, .doc = "internal: a note of the caller"),
    BOOL_FIELD(struct first_message_in, send, .optional = true, .doc = "The caller writes it to the requester; else the requester's own words"),
    IDS_FIELD(struct first_message_in, attachments, .optional = true, .max = 100, .doc = "Ids of uploads"),
};
static SHAPE(first_message_shape, "FirstMessage", struct first_message_in, first_message_fields);

struct ticket_post_in {
    struct str subject, status, priority, severity, type, fields;
    const void *requester, *message;
    struct list tags, cc;
    int64_t team_id, assignee_id, mailbox_id;
};
static const struct field ticket_post_fields[] = {
    TEXT_FIELD(struct ticket_post_in, subject, .min = 1, .max = 998, .doc = "Subject"),
    OBJECT_FIELD(struct ticket_post_in, requester, &requester_shape, .doc = "Who asks"),
    OBJECT_FIELD(struct ticket_post_in, message, &first_message_shape, .doc = "The first message"),
    TEXT_FIELD(struct ticket_post_in, status, .optional = true, .choices = statuses, .max = 20, .doc = "Default new; open when the caller writes first"),
    TEXT_FIELD(struct ticket_post_in, priority, .optional = true, .choices = priorities, .max = 20, .doc = "Default normal"),
    TEXT_FIELD(struct ticket_post_in, severity, .optional = true, .nullable = true, .choices = severities, .max = 20, .doc = "Default none"),
    TEXT_FIELD(struct ticket_post_in, type, .optional = true, .choices = types, .max = 20, .doc = "Default question"),
    TEXTS_FIELD(struct ticket_post_in, tags, .optional = true, .max = TICKET_TAGS_MAX, .doc = "Names of tags"),
    TEXTS_FIELD(struct ticket_post_in, cc, .optional = true, .max = 50, .doc = "E-mail addresses that get copies"),
    ID_FIELD(struct ticket_post_in, team_id, .optional = true, .nullable = true, .doc = "Team that gets it"),
    ID_FIELD(struct ticket_post_in, assignee_id, .optional = true, .nullable = true, .doc = "User who gets it"),
    ID_FIELD(struct ticket_post_in, mailbox_id, .optional = true, .nullable = true, .doc = "Mailbox by which replies leave"),
    JSON_FIELD(struct ticket_post_in, fields, .optional = true, .max = 32768, .doc = "Custom fields: an object"),
};

static enum err_code check_mailbox(struct cx *cx, struct db *db, int64_t id)
{
    struct ticket_mailbox_row *rows;
    size_t n;
    if (!id)
        return E_OK;
    TRY(ticket_mailbox_list(cx, db, (struct ticket_mailbox_list_in){ cx->account_id }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == id)
            return E_OK;
    return fail_field(cx, "mailbox_id", "There is no mailbox with this id");
}

static enum err_code check_object(struct cx *cx, struct str json, const char *field)
{
    struct json_value value;
    if (!json.ptr)
        return E_OK;
    TRY(json_parse(cx, json, &value));
    return value.kind == JSON_OBJECT ? E_OK : fail_field(cx, field, "This is an object");
}

static enum err_code check_new(struct cx *cx, struct db *db, const struct ticket_post_in *in)
{
    const struct first_message_in *m = in->message;
    if (m->send && !may(cx, PERM_TICKET_REPLY))
        return fail(cx, E_FORBIDDEN, "You may not send public replies");
    if (m->send && str_is(m->visibility, "internal"))
        return fail_field(cx, "message.send", "A note is not sent");
    if (in->team_id)
        TRY(accounts_check_team(cx, db, in->team_id, "team_id"));
    if (in->assignee_id)
        TRY(accounts_check_assignee(cx, db, in->assignee_id, "assignee_id"));
    TRY(check_mailbox(cx, db, in->mailbox_id));
    return check_object(cx, in->fields, "fields");
}

HANDLER(ticket_post, struct ticket_post_in, struct ticket_out)
{
    const struct requester_in *requester = in->requester;
    const struct first_message_in *m = in->message;
    bool note = str_is(m->visibility, "internal"), by_agent = m->send || note;
    struct str own = str_is(cx->actor, "token") ? STR("api") : STR("web");
    struct contact contact;
    struct ticket_row t;
    struct reply_request request = { 0 };
    int64_t message_id, message_seq;
    TRY(check_new(cx, db, in));
    TRY(contacts_by_email(cx, db, requester->email, requester->name, "requester.email", &contact));
    struct new_ticket new = {
        .subject = in->subject, .requester_id = contact.id, .priority = in->priority, .severity = in->severity, .type = in->type,
        .status = in->status.ptr ? in->status : m->send ? STR("open") : STR("new"), .channel = own, .team_id = in->team_id,
        .assignee_id = in->assignee_id, .mailbox_id = in->mailbox_id, .fields = in->fields, .tags = in->tags.items, .ntags = in->tags.n,
        .message = { .internal = note, .author_kind = by_agent ? STR("user") : STR("contact"),
                     .author_id = by_agent ? cx->user_id : contact.id, .channel = own, .attachment_ids = m->attachments.items,
                     .nattachment_ids = m->attachments.n } };
    TRY(body_of(cx, m->text, m->html, "message.text", &new.message));
    TRY(ticket_begin(cx, db, &new, &t, &message_seq));
    if (in->cc.n) {
        struct changes c = changes_begin(cx);
        TRY(participants_set_cc(cx, db, &t, &in->cc, &c));
        TRY(ticket_emit(cx, db, STR("ticket.changed"), &t, t.id, changes_end(&c)));
    }
    if (m->send) {
        struct agent_reply reply = { .text = m->text, .html = m->html, .attachments = m->attachments, .confirm = true };
        TRY(reply_prepare(cx, db, &t, &reply, &request, &new.message));
    }
    enum err_code written = message_write(cx, db, &t, &new.message, message_seq, &message_id);
    if (written == E_INVALID && str_is(str_of(cx->failure.field), "attachments"))
        cx->failure.field = "message.attachments";      /* where this body has them */
    TRY(written);
    TRY(reply_enqueue(cx, db, &request, message_id));
    return ticket_out_of(cx, db, t.id, out);
}

/* ---- changing ---- */

struct ticket_patch_in {
    int64_t id, team_id, assignee_id, expected_version;
    struct str subject, status, priority, severity, type, fields;
    struct list tags, add_tags, remove_tags, cc;
    bool has_team_id, has_assignee_id, has_severity, spam, has_spam;
};
static const struct field ticket_patch_fields[] = {
    ID_FIELD(struct ticket_patch_in, id, .place = IN_PATH, .doc = "Id of the ticket"),
    TEXT_FIELD(struct ticket_patch_in, subject, .optional = true, .min = 1, .max = 998, .doc = "Subject"),
    TEXT_FIELD(struct ticket_patch_in, status, .optional = true, .choices = statuses, .max = 20, .doc = "Closed is final"),
    TEXT_FIELD(struct ticket_patch_in, priority, .optional = true, .choices = priorities, .max = 20, .doc = "Orders the work"),
    TEXT_FIELD(struct ticket_patch_in, severity, .nullable = true, .choices = severities, .max = 20,
               HAS(struct ticket_patch_in, has_severity), .doc = "How badly the customer is hit; null: unknown"),
    TEXT_FIELD(struct ticket_patch_in, type, .optional = true, .choices = types, .max = 20, .doc = "Kind of issue"),
    ID_FIELD(struct ticket_patch_in, team_id, .nullable = true, HAS(struct ticket_patch_in, has_team_id), .doc = "null: no team"),
    ID_FIELD(struct ticket_patch_in, assignee_id, .nullable = true, HAS(struct ticket_patch_in, has_assignee_id), .doc = "null: nobody"),
    TEXTS_FIELD(struct ticket_patch_in, tags, .optional = true, .max = TICKET_TAGS_MAX, .doc = "All its tags"),
    TEXTS_FIELD(struct ticket_patch_in, add_tags, .optional = true, .max = TICKET_TAGS_MAX, .doc = "Tags to add"),
    TEXTS_FIELD(struct ticket_patch_in, remove_tags, .optional = true, .max = TICKET_TAGS_MAX, .doc = "Tags to take away"),
    TEXTS_FIELD(struct ticket_patch_in, cc, .optional = true, .max = 50, .doc = "All e-mail addresses that get copies"),
    JSON_FIELD(struct ticket_patch_in, fields, .optional = true, .max = 32768, .doc = "Custom fields, all of them"),
    BOOL_FIELD(struct ticket_patch_in, spam, HAS(struct ticket_patch_in, has_spam), .doc = "Spam counts nowhere"),
    INT_FIELD(struct ticket_patch_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

static enum err_code check_change(struct cx *cx, struct db *db, const struct ticket_patch_in *in, const struct ticket_row *old)
{
    if (version_differs(cx, in->expected_version, old->version))
        return fail_ticket_version(cx, db, old);
    if (old->merged_into)
        return fail(cx, E_CONFLICT, "This ticket is merged into the ticket %lld", (long long)old->merged_into);
    if (in->has_spam && in->spam != old->spam && !may(cx, PERM_TICKET_DELETE))
        return fail(cx, E_FORBIDDEN, "You may not mark tickets as spam");
    if (in->team_id && in->team_id != old->team_id)
        TRY(accounts_check_team(cx, db, in->team_id, "team_id"));
    if (in->assignee_id && in->assignee_id != old->assignee_id)
        TRY(accounts_check_assignee(cx, db, in->assignee_id, "assignee_id"));
    return check_object(cx, in->fields, "fields");
}

static struct ticket_row changed(const struct ticket_patch_in *in, const struct ticket_row *old)
{
    struct ticket_row t = *old;
    t.subject = in->subject.ptr ? in->subject : old->subject;
    t.priority = in->priority.ptr ? in->priority : old->priority;
    t.severity = in->has_severity ? in->severity : old->severity;
    t.type = in->type.ptr ? in->type : old->type;
    t.fields = in->fields.ptr ? in->fields : old->fields;
    t.team_id = in->has_team_id ? in->team_id : old->team_id;
    t.assignee_id = in->has_assignee_id ? in->assignee_id : old->assignee_id;
    t.spam = in->has_spam ? in->spam : old->spam;
    return t;
}

HANDLER(ticket_patch, struct ticket_patch_in, struct ticket_out)
{
    struct ticket_row old;
    TRY(ticket_take(cx, db, in->id, &old));
    TRY(check_change(cx, db, in, &old));
    struct ticket_row new = changed(in, &old);
    if (in->status.ptr)
        TRY(ticket_set_status(cx, &new, in->status, cx->now_us));
    struct changes c = changes_begin(cx);
    if (in->tags.given || in->add_tags.given || in->remove_tags.given)
        TRY(tags_change(cx, db, old.id,
                        (struct tag_change){ .set = in->tags.given ? &in->tags : NULL, .add = in->add_tags.given ? &in->add_tags : NULL,
                                             .remove = in->remove_tags.given ? &in->remove_tags : NULL },
                        &c));
    if (in->cc.given)
        TRY(participants_set_cc(cx, db, &old, &in->cc, &c));
    TRY(ticket_save(cx, db, &old, &new, &c));
    return ticket_out_of(cx, db, old.id, out);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/tickets", .summary = "List tickets", .permission = PERM_TICKET_READ,
      FIELDS(tickets_in_fields, struct tickets_in), RETURNS_PAGE(&ticket_shape), .handler = ticket_page },
    { .method = METHOD_GET, .path = "/api/v1/tickets/counts", .summary = "Count tickets for the views", .permission = PERM_TICKET_READ,
      .in_size = sizeof(struct nothing), RETURNS(&counts_shape, struct counts_out), .handler = ticket_counts },
    { .method = METHOD_POST, .path = "/api/v1/tickets", .summary = "Create a ticket", .permission = PERM_TICKET_WRITE, .creates = true,
      FIELDS(ticket_post_fields, struct ticket_post_in), RETURNS(&ticket_shape, struct ticket_out),
      ETAG(struct ticket_out, version), .handler = ticket_post },
    { .method = METHOD_GET, .path = "/api/v1/tickets/{id}", .summary = "Read a ticket with its newest messages",
      .permission = PERM_TICKET_READ, FIELDS(ticket_path_fields, struct ticket_path),
      RETURNS(&ticket_full_shape, struct ticket_full_out), ETAG(struct ticket_full_out, version), .handler = ticket_get_one },
    { .method = METHOD_PATCH, .path = "/api/v1/tickets/{id}", .summary = "Change a ticket", .permission = PERM_TICKET_WRITE,
      FIELDS(ticket_patch_fields, struct ticket_patch_in), RETURNS(&ticket_shape, struct ticket_out),
      ETAG(struct ticket_out, version), .handler = ticket_patch },
};
const struct route_table tickets_routes = { "tickets", routes, COUNT(routes) };
