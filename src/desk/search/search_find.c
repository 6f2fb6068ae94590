/* search_find.c - answering a query: candidates from the index, rights and filters from the data, then rank. */
#include "search_internal.h"

#include <stdlib.h>

#include "platform/json/json.h"

enum {
    WINDOW = 200,           /* newest matches that are ranked together */
    MAX_WINDOWS = 25,       /* looked through in one request when filters leave little */
};

/* The filters of the query with names looked up, as the three result statements take them. */
struct filters {
    struct str statuses, priorities, tag;
    int64_t assignee_id, team_id, before_us, after_us, number;
    bool scoped, unassigned, no_team, has_attachment;
};

/* "open,pending" as a JSON list.  open is what agents call open: new and open. */
static struct str list_of(struct arena *arena, struct str names)
{
    struct buf b = buf_new(arena, 0);
    struct json_writer w = json_writer(&b);
    struct str part;
    if (!names.ptr)
        return STR_NONE;
    json_open_list(&w, NULL);
    while (str_split(&names, ',', &part)) {
        if (str_is(part, "open") || str_is(part, "unresolved"))
            json_put_text(&w, NULL, STR("new"));
        json_put_text(&w, NULL, str_is(part, "unresolved") ? STR("open") : part);
        if (str_is(part, "unresolved")) {
            json_put_text(&w, NULL, STR("pending"));
            json_put_text(&w, NULL, STR("on_hold"));
        }
    }
    json_close_list(&w);
    return buf_str(&b);
}

static enum err_code settle_assignee(struct cx *cx, struct db *db, struct str name, struct filters *f)
{
    struct search_id_row *users = NULL;
    size_t n = 0;
    if (!name.ptr)
        return E_OK;
    if (str_is(name, "none")) {
        f->unassigned = true;
        return E_OK;
    }
    if (str_is(name, "me")) {
        f->assignee_id = cx->user_id;
        return E_OK;
    }
    TRY(search_users_named(cx, db, (struct search_users_named_in){ cx->account_id, name }, &users, &n));
    if (n != 1)
        return fail_field(cx, "q", n ? "more than one user is called \"%.*s\": use the e-mail address" : "no user is called \"%.*s\"", STR_ARG(name));
    f->assignee_id = users[0].id;
    return E_OK;
}

static enum err_code settle_team(struct cx *cx, struct db *db, struct str name, struct filters *f)
{
    struct search_id_row team = { 0 };
    if (!name.ptr)
        return E_OK;
    if (str_is(name, "none")) {
        f->no_team = true;
        return E_OK;
    }
    enum err_code e = search_team_named(cx, db, (struct search_team_named_in){ cx->account_id, name }, &team);
    if (e == E_NOT_FOUND)
        return fail_field(cx, "q", "no team is called \"%.*s\"", STR_ARG(name));
    f->team_id = team.id;
    return e;
}

static enum err_code settle(struct cx *cx, struct db *db, const struct search_query *q, struct filters *f)
{
    *f = (struct filters){
        .statuses = list_of(cx->arena, q->status), .priorities = list_of(cx->arena, q->priority), .tag = q->tag,
        .before_us = q->before_us, .after_us = q->after_us, .number = q->number, .has_attachment = q->has_attachment,
        .scoped = cx->only_own_teams };
    TRY(settle_assignee(cx, db, q->assignee, f));
    return settle_team(cx, db, q->team, f);
}

static bool filters_ask_of_tickets(const struct search_query *q)
{
    return q->status.ptr || q->priority.ptr || q->tag.ptr || q->assignee.ptr || q->team.ptr || q->has_attachment || q->number;
}

/* ---- a window of candidates ---- */

struct window {
    struct index_hit_row *rows;
    size_t n;
};

struct matching {
    struct str query;
    int64_t before_id;
    struct window *window;
};

static enum err_code match(struct cx *cx, struct db *db, void *arg)
{
    struct matching *m = arg;
    return index_match(cx, db, (struct index_match_in){ .account_id = cx->account_id, .query = m->query,
                                                         .before_id = m->before_id, .limit = WINDOW },
                       &m->window->rows, &m->window->n);
}

static struct str ids_of_kind(struct cx *cx, const struct window *w, const char *kind)
{
    int64_t *ids = NEWN(cx->arena, int64_t, w->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        if (str_is(w->rows[i].kind, kind))
            ids[n++] = w->rows[i].ref_id;
    return search_id_list(cx->arena, ids, n);
}

#define RESULT_FILTERS(f)                                                                                      \
    .user_id = cx->user_id, .scoped = (f)->scoped, .statuses = (f)->statuses, .priorities = (f)->priorities,   \
    .tag = (f)->tag, .assignee_id = (f)->assignee_id, .unassigned = (f)->unassigned, .team_id = (f)->team_id,  \
    .no_team = (f)->no_team, .before_us = (f)->before_us, .after_us = (f)->after_us, .has_attachment = (f)->has_attachment

struct found {
    struct search_result_row *messages, *tickets;
    struct search_contact_row *contacts;
    size_t nmessages, ntickets, ncontacts;
};

/* What of the window exists, is visible to the caller and passes the filters. */
static enum err_code load_window(struct cx *cx, struct db *db, const struct search_query *q, const struct filters *f,
                                 const struct window *w, struct found *r)
{
    if (may(cx, PERM_TICKET_READ)) {
        TRY(search_results_of_messages(cx, db, (struct search_results_of_messages_in){
            .account_id = cx->account_id, .ids = ids_of_kind(cx, w, "message"), RESULT_FILTERS(f) }, &r->messages, &r->nmessages));
        TRY(search_results_of_tickets(cx, db, (struct search_results_of_tickets_in){
            .account_id = cx->account_id, .ids = ids_of_kind(cx, w, "ticket"), RESULT_FILTERS(f) }, &r->tickets, &r->ntickets));
    }
    if (may(cx, PERM_CONTACT_READ) && !filters_ask_of_tickets(q))
        TRY(search_contacts(cx, db, (struct search_contacts_in){ cx->account_id, ids_of_kind(cx, w, "contact") }, &r->contacts, &r->ncontacts));
    return E_OK;
}

static void put_result(struct map *by_ref, struct cx *cx, const char *kind, int64_t id, void *row)
{
    map_put(by_ref, arena_printf(cx->arena, "%s%lld", kind, (long long)id), row);
}

static void add_hit(struct cx *cx, const struct search_query *q, const struct index_hit_row *doc, void *row, struct search_hit *hit)
{
    hit->kind = doc->kind;
    hit->at_us = doc->at_us;
    hit->score = search_score(q, doc, cx->now_us);
    if (str_is(doc->kind, "contact")) {
        hit->contact = *(struct search_contact_row *)row;
        hit->title = hit->contact.name.len ? hit->contact.name : hit->contact.identities;
        search_snippet(cx->arena, hit->contact.identities, q, hit);
    } else {
        hit->ticket = *(struct search_result_row *)row;
        hit->title = hit->ticket.subject;
        search_snippet(cx->arena, hit->ticket.body, q, hit);
    }
}

static int by_score(const void *a, const void *b)
{
    const struct search_hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->at_us < y->at_us) - (x->at_us > y->at_us);
}

static enum err_code rank_window(struct cx *cx, struct db *db, const struct search_query *q, const struct filters *f,
                                 const struct window *w, struct search_hit **ret, size_t *ret_n)
{
    struct found r = { 0 };
    struct map *by_ref = map_new(cx->arena);
    struct search_hit *hits = NEWN(cx->arena, struct search_hit, w->n + 1);
    size_t n = 0;
    TRY(load_window(cx, db, q, f, w, &r));
    for (size_t i = 0; i < r.nmessages; i++)
        put_result(by_ref, cx, "message", r.messages[i].message_id, &r.messages[i]);
    for (size_t i = 0; i < r.ntickets; i++)
        put_result(by_ref, cx, "ticket", r.tickets[i].id, &r.tickets[i]);
    for (size_t i = 0; i < r.ncontacts; i++)
        put_result(by_ref, cx, "contact", r.contacts[i].id, &r.contacts[i]);
    for (size_t i = 0; i < w->n; i++) {
        void *row = map_get(by_ref, arena_printf(cx->arena, "%.*s%lld", STR_ARG(w->rows[i].kind), (long long)w->rows[i].ref_id));
        if (row)
            add_hit(cx, q, &w->rows[i], row, &hits[n++]);
    }
    qsort(hits, n, sizeof *hits, by_score);
    *ret = hits;
    *ret_n = n;
    return E_OK;
}

static enum err_code find_by_words(struct cx *cx, struct db *db, struct search *s, const struct search_query *q,
                                   const struct filters *f, const struct search_request *request, struct search_answer *ret)
{
    struct window w = { 0 };
    struct str query = store_kind(s->index) == STORE_SQLITE ? search_query_fts5(cx->arena, q, search_scope(cx->arena, cx->account_id))
                                                            : search_query_tsquery(cx->arena, q);
    struct matching m = { .query = query, .before_id = request->before_id, .window = &w };
    int64_t skip = request->skip;
    ret->hits = NEWN(cx->arena, struct search_hit, request->limit + 1);
    for (int i = 0; i < MAX_WINDOWS; i++) {
        struct search_hit *hits = NULL;
        size_t n = 0;
        TRY(store_read_within(s->index, cx, 5 * US_PER_SECOND, match, &m));
        TRY(rank_window(cx, db, q, f, &w, &hits, &n));
        for (size_t k = (size_t)skip; k < n; k++) {
            if (ret->n == (size_t)request->limit) {
                *ret = (struct search_answer){ ret->hits, ret->n, m.before_id, (int64_t)k, true };
                return E_OK;
            }
            ret->hits[ret->n++] = hits[k];
        }
        if (w.n < WINDOW)
            return E_OK;
        m.before_id = w.rows[w.n - 1].id;
        skip = 0;
    }
    ret->before_id = m.before_id;
    ret->more = true;
    return E_OK;
}

/* Without words the cursor is a place in the list: activity and id. */
static enum err_code find_by_filter(struct cx *cx, struct db *db, const struct search_query *q, const struct filters *f,
                                    const struct search_request *request, struct search_answer *ret)
{
    struct search_result_row *rows = NULL;
    size_t n = 0;
    if (!may(cx, PERM_TICKET_READ))
        return E_OK;
    TRY(search_results_by_filter(cx, db, (struct search_results_by_filter_in){
        .account_id = cx->account_id, .number = f->number, RESULT_FILTERS(f), .activity_us = request->before_id,
        .id = request->skip, .limit = request->limit + 1 }, &rows, &n));
    ret->more = n > (size_t)request->limit;
    n = MIN(n, (size_t)request->limit);
    ret->hits = NEWN(cx->arena, struct search_hit, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct search_hit *hit = &ret->hits[i];
        *hit = (struct search_hit){ .kind = STR("ticket"), .ticket = rows[i], .title = rows[i].subject, .at_us = rows[i].activity_us };
        search_snippet(cx->arena, rows[i].body, q, hit);
    }
    ret->n = n;
    if (ret->more) {
        ret->before_id = rows[n - 1].activity_us;
        ret->skip = rows[n - 1].id;
    }
    return E_OK;
}

enum err_code search_find(struct cx *cx, struct db *db, struct search *search, const struct search_request *request, struct search_answer *ret)
{
    struct search_query q;
    struct filters f;
    *ret = (struct search_answer){ 0 };
    TRY(search_query_parse(cx, request->text, &q));
    TRY(settle(cx, db, &q, &f));
    if (search_query_has_words(&q))
        return find_by_words(cx, db, search, &q, &f, request, ret);
    if (q.nterms)
        return fail_field(cx, "q", "needs at least one word to look for beside those excluded");
    if (!filters_ask_of_tickets(&q) && !q.before_us && !q.after_us)
        return fail_field(cx, "q", "has nothing to look for");
    return find_by_filter(cx, db, &q, &f, request, ret);
}
