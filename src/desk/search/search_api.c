/* search_api.c - GET /api/v1/search. */
#include "search_internal.h"

static struct search *registered;

void search_register(struct search *search)
{
    registered = search;
}

struct search_in {
    struct str q;
    struct page_in page;
};

static const struct field search_fields[] = {
    TEXT_FIELD(struct search_in, q, .place = IN_QUERY, .min = 1, .max = 500,
               .doc = "Words, \"phrases\", prefix*, -not, and the operators status: priority: from: to: assignee: team: tag: "
                      "has:attachment before: after: #number"),
    PAGE_FIELDS(struct search_in, page),
};

struct person_out {
    int64_t id;
    struct str name, email;
};

static const struct field person_fields[] = {
    ID_FIELD(struct person_out, id, .doc = "Contact"),
    TEXT_FIELD(struct person_out, name, .doc = "Name"),
    TEXT_FIELD(struct person_out, email, .doc = "Primary e-mail address"),
};
static SHAPE(person_shape, "SearchContact", struct person_out, person_fields);

struct ticket_out {
    int64_t id, number, team_id, assignee_id, activity_at;
    struct str subject, status, priority;
    const void *requester;
};

static const struct field ticket_fields[] = {
    ID_FIELD(struct ticket_out, id, .doc = "Ticket"),
    INT_FIELD(struct ticket_out, number, .doc = "Its number"),
    TEXT_FIELD(struct ticket_out, subject, .doc = "Subject"),
    TEXT_FIELD(struct ticket_out, status, .doc = "Status"),
    TEXT_FIELD(struct ticket_out, priority, .doc = "Priority"),
    ID_FIELD(struct ticket_out, team_id, .nullable = true, .doc = "Team"),
    ID_FIELD(struct ticket_out, assignee_id, .nullable = true, .doc = "Assigned agent"),
    OBJECT_FIELD(struct ticket_out, requester, &person_shape, .doc = "Who asks"),
    TIME_FIELD(struct ticket_out, activity_at, .doc = "Newest message"),
};
static SHAPE(ticket_shape, "SearchTicket", struct ticket_out, ticket_fields);

struct hit_out {
    struct str kind, title, snippet, marks;
    const void *ticket, *contact;
    int64_t message_id, at;
};

static const struct field hit_fields[] = {
    TEXT_FIELD(struct hit_out, kind, .doc = "ticket, message or contact"),
    OBJECT_FIELD(struct hit_out, ticket, &ticket_shape, .nullable = true, .doc = "The ticket, of a ticket or message"),
    ID_FIELD(struct hit_out, message_id, .nullable = true, .doc = "The message that matches"),
    OBJECT_FIELD(struct hit_out, contact, &person_shape, .nullable = true, .doc = "The contact that matches"),
    TEXT_FIELD(struct hit_out, title, .doc = "Subject or name"),
    TEXT_FIELD(struct hit_out, snippet, .doc = "A piece of the text around the first match"),
    JSON_FIELD(struct hit_out, marks, .doc = "Matches in the snippet: list of [from, to) in UTF-16 code units"),
    TIME_FIELD(struct hit_out, at, .doc = "When it was written"),
};
static SHAPE(hit_shape, "SearchHit", struct hit_out, hit_fields);

static struct person_out *person(struct cx *cx, int64_t id, struct str name, struct str email)
{
    struct person_out *p = NEW(cx->arena, struct person_out);
    *p = (struct person_out){ id, name, email };
    return p;
}

static void fill(struct cx *cx, const struct search_hit *hit, struct hit_out *out)
{
    *out = (struct hit_out){ .kind = hit->kind, .title = hit->title, .snippet = hit->snippet, .marks = hit->marks, .at = hit->at_us };
    if (str_is(hit->kind, "contact")) {
        struct str rest = hit->contact.identities, first = STR("");
        str_split(&rest, ' ', &first);
        out->contact = person(cx, hit->contact.id, hit->contact.name, first);
        return;
    }
    const struct search_result_row *r = &hit->ticket;
    struct ticket_out *t = NEW(cx->arena, struct ticket_out);
    *t = (struct ticket_out){ .id = r->id, .number = r->number, .subject = r->subject, .status = r->status, .priority = r->priority,
                              .team_id = r->team_id, .assignee_id = r->assignee_id, .activity_at = r->activity_us,
                              .requester = person(cx, r->requester_id, r->requester_name, r->requester_email) };
    out->ticket = t;
    out->message_id = r->message_id;
}

HANDLER(find, struct search_in, struct page_out)
{
    struct search_request request = { .text = in->q, .limit = in->page.limit ? in->page.limit : 50 };
    struct search_answer answer;
    int64_t keys[2] = { 0 };
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, keys, COUNT(keys)));
    request.before_id = keys[0];
    request.skip = keys[1];
    if (!registered)
        return fail_busy(cx, "The search index is not open");
    TRY(search_find(cx, db, registered, &request, &answer));
    struct hit_out *items = NEWN(cx->arena, struct hit_out, answer.n + 1);
    for (size_t i = 0; i < answer.n; i++)
        fill(cx, &answer.hits[i], &items[i]);
    out->items = (struct list){ items, answer.n, true };
    keys[0] = answer.before_id;
    keys[1] = answer.skip;
    if (answer.more)
        out->next_cursor = page_cursor(cx->arena, keys, COUNT(keys));
    return E_OK;
}

static const struct route routes[] = {
    {
        .method = METHOD_GET, .path = "/api/v1/search", .summary = "Search tickets, messages and contacts",
        .doc = "Finds what the caller may see. The newest matches come first; among some hundreds of them the best fitting ones.",
        .permission = PERM_SIGNED_IN, .lane = LANE_SLOW, .rate = RATE_SEARCH,
        FIELDS(search_fields, struct search_in), RETURNS_PAGE(&hit_shape), .handler = find,
    },
};

const struct route_table search_routes = { .tag = "search", .routes = routes, .n = COUNT(routes) };
