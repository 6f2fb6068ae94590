/* tickets_events_api.c - routes of the journal: the account's events, and the history of one ticket. */
#include "desk/tickets/tickets_internal.h"

struct actor_out { struct str kind; int64_t id; };
static const struct field actor_fields[] = {
    TEXT_FIELD(struct actor_out, kind, .doc = "user, token, system or contact"),
    ID_FIELD(struct actor_out, id, .nullable = true, .doc = "The user"),
};
static SHAPE(actor_shape, "Actor", struct actor_out, actor_fields);

struct event_out {
    int64_t seq, at;
    struct str type;
    int64_t ticket_id, team_id, assignee_id, subject_id;
    const void *actor;
    struct str data;
};
static const struct field event_fields[] = {
    INT_FIELD(struct event_out, seq, .doc = "1, 2, 3 … in the account, without gaps"),
    TIME_FIELD(struct event_out, at, .doc = "When it happened"),
    TEXT_FIELD(struct event_out, type, .doc = "As ticket.created"),
    ID_FIELD(struct event_out, ticket_id, .nullable = true, .doc = "Ticket it belongs to"),
    ID_FIELD(struct event_out, team_id, .nullable = true, .doc = "Team of the ticket then"),
    ID_FIELD(struct event_out, assignee_id, .nullable = true, .doc = "Assignee of the ticket then"),
    ID_FIELD(struct event_out, subject_id, .nullable = true, .doc = "The thing itself: message, contact, user …"),
    OBJECT_FIELD(struct event_out, actor, &actor_shape, .doc = "Who did it"),
    JSON_FIELD(struct event_out, data, .doc = "What changed: {\"field\": [old, new]}"),
};
static SHAPE(event_shape, "Event", struct event_out, event_fields);

static struct event_out event_of(struct cx *cx, const struct event *e)
{
    struct actor_out *actor = NEW(cx->arena, struct actor_out);
    *actor = (struct actor_out){ e->actor, e->actor_id };
    return (struct event_out){ e->seq, e->at_us, e->type, e->ticket_id, e->team_id, e->assignee_id, e->subject_id, actor, e->data };
}

struct events_in { struct page_in page; int64_t after, ticket_id; struct str type; };
static const struct field events_in_fields[] = {
    PAGE_FIELDS(struct events_in, page),
    INT_FIELD(struct events_in, after, .place = IN_QUERY, .optional = true, .min = 0, .max = INT64_MAX, .doc = "Later than this seq"),
    ID_FIELD(struct events_in, ticket_id, .place = IN_QUERY, .optional = true, .doc = "Of this ticket"),
    TEXT_FIELD(struct events_in, type, .place = IN_QUERY, .optional = true, .max = 100, .doc = "Of this type; ticket. for all of tickets"),
};

static bool wanted(const struct events_in *in, const struct event *e)
{
    bool type = !in->type.ptr || str_eq(e->type, in->type) || (str_ends(in->type, STR(".")) && str_starts(e->type, in->type));
    return type && (!in->ticket_id || e->ticket_id == in->ticket_id);
}

/* A bounded stretch of the journal a request: a page may be short, or empty, and go on. */
HANDLER(event_page, struct events_in, struct page_out)
{
    enum { SCANNED = 2000 };
    struct event *events;
    int64_t *teams, after = in->after;
    size_t n, nteams, shown = 0, i;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &after, 1));
    TRY(accounts_user_teams(cx, db, cx->user_id, &teams, &nteams));
    TRY(journal_read(cx, db, cx->account_id, after, SCANNED, &events, &n));
    struct event_out *items = NEWN(cx->arena, struct event_out, in->page.limit + 1);
    for (i = 0; i < n && shown < (size_t)in->page.limit; i++)
        if (wanted(in, &events[i]) && tickets_event_visible(cx, teams, nteams, &events[i]))
            items[shown++] = event_of(cx, &events[i]);
    out->items = (struct list){ .items = items, .n = shown };
    if (i < n || n == SCANNED)
        out->next_cursor = page_cursor(cx->arena, &events[i - 1].seq, 1);
    return E_OK;
}

struct history_in { struct page_in page; int64_t ticket_id; };
static const struct field history_in_fields[] = {
    ID_FIELD(struct history_in, ticket_id, .place = IN_PATH, .doc = "Id of the ticket"),
    PAGE_FIELDS(struct history_in, page),
};

HANDLER(history_page, struct history_in, struct page_out)
{
    struct ticket_row t;
    struct ticket_event_row *rows;
    int64_t after = 0;
    size_t n;
    TRY(ticket_read(cx, db, in->ticket_id, &t));
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &after, 1));
    TRY(ticket_event_list(cx, db, (struct ticket_event_list_in){ cx->account_id, t.id, after, in->page.limit + 1 }, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct event_out *items = NEWN(cx->arena, struct event_out, shown + 1);
    for (size_t i = 0; i < shown; i++) {
        const struct ticket_event_row *r = &rows[i];
        items[i] = event_of(cx, &(struct event){ .seq = r->seq, .at_us = r->at_us, .type = r->type, .ticket_id = r->ticket_id,
                                                 .team_id = r->team_id, .assignee_id = r->assignee_id, .subject_id = r->subject_id,
                                                 .actor_id = r->actor_id, .actor = r->actor, .data = r->data });
    }
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &rows[shown - 1].seq, 1);
    return E_OK;
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/events", .summary = "Read the journal, oldest first", .permission = PERM_EVENT_READ,
      .doc = "What the caller may not see is left out.  A page may be short and still have a next_cursor.",
      FIELDS(events_in_fields, struct events_in), RETURNS_PAGE(&event_shape), .handler = event_page },
    { .method = METHOD_GET, .path = "/api/v1/tickets/{ticket_id}/events", .summary = "Read the history of a ticket, oldest first",
      .permission = PERM_TICKET_READ, FIELDS(history_in_fields, struct history_in), RETURNS_PAGE(&event_shape),
      .handler = history_page },
};
const struct route_table events_routes = { "events", routes, COUNT(routes) };
