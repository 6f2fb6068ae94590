/*
 * tickets_list.c - lists of tickets: any view at any size for the same price.
 *
 * Each status (and, for users with a row scope, each own team) is one range of
 * an index that lies in the order of the list already.  A page reads the head
 * of each range and merges them.
 */
#include "desk/tickets/tickets_internal.h"

enum { MAX_STATUSES = 6 };
static const char *const all_statuses[MAX_STATUSES + 1] = { "new", "open", "pending", "on_hold", "resolved", "closed", NULL };

struct range {
    struct ticket_row *rows;
    size_t n, at;
};

struct merge {
    struct range *ranges;
    size_t n;
    bool by_created, oldest_first;
};

static enum err_code read_statuses(struct cx *cx, struct str text, struct str *ret, size_t *ret_n)
{
    struct str rest = text, part;
    *ret_n = 0;
    if (!text.ptr || str_is(text, "unresolved")) {
        for (size_t i = 0; i < (text.ptr ? MAX_STATUSES - 2 : MAX_STATUSES); i++)
            ret[(*ret_n)++] = str_of(all_statuses[i]);
        return E_OK;
    }
    while (str_split(&rest, ',', &part)) {
        const char *known = NULL;
        for (size_t i = 0; i < MAX_STATUSES; i++)
            if (str_is(part, all_statuses[i]))
                known = all_statuses[i];
        if (!known)
            return fail_field(cx, "status", "There is no status \"%.*s\"", STR_ARG(utf8_cut(part, 100)));
        bool twice = false;
        for (size_t i = 0; i < *ret_n; i++)
            twice |= str_is(ret[i], known);
        if (!twice)
            ret[(*ret_n)++] = str_of(known);
    }
    return E_OK;
}

static enum err_code read_range(struct cx *cx, struct db *db, const struct ticket_list_newest_in *in, struct merge *m)
{
    struct range *r = &m->ranges[m->n++];
    if (!m->oldest_first)
        return ticket_list_newest(cx, db, *in, &r->rows, &r->n);
    struct ticket_list_oldest_in oldest = {
        .account_id = in->account_id, .status = in->status, .spam = in->spam, .team_id = in->team_id, .assignee_id = in->assignee_id,
        .unassigned = in->unassigned, .requester_id = in->requester_id, .organization_id = in->organization_id,
        .few_of_organization = in->few_of_organization, .tag_id = in->tag_id, .few_of_tag = in->few_of_tag, .priority = in->priority, .channel = in->channel, .mailbox_id = in->mailbox_id,
        .updated_after = in->updated_after, .scope_user = in->scope_user, .by_created = in->by_created,
        .by_activity = in->by_activity, .created_end = in->created_end, .activity_end = in->activity_end, .end_id = in->end_id, .limit = in->limit,
    };
    return ticket_list_oldest(cx, db, oldest, &r->rows, &r->n);
}

static int64_t key_of(const struct merge *m, const struct ticket_row *row)
{
    return m->by_created ? row->created_us : row->activity_us;
}

static bool before(const struct merge *m, const struct ticket_row *a, const struct ticket_row *b)
{
    int64_t ka = key_of(m, a), kb = key_of(m, b);
    bool newer = ka != kb ? ka > kb : a->id > b->id;
    return m->oldest_first ? !newer && a->id != b->id : newer;
}

/* The first of all heads; NULL at the end. */
static struct ticket_row *take(struct merge *m)
{
    struct range *best = NULL;
    for (size_t i = 0; i < m->n; i++) {
        struct range *r = &m->ranges[i];
        if (r->at < r->n && (!best || before(m, &r->rows[r->at], &best->rows[best->at])))
            best = r;
    }
    return best ? &best->rows[best->at++] : NULL;
}

/* Statuses of one team, assignee or of everything. */
static enum err_code read_statuses_of(struct cx *cx, struct db *db, struct ticket_list_newest_in in, const struct str *statuses,
                                      size_t n, struct merge *m)
{
    /* Without a narrower index the order by creation is one range over all statuses; few tickets have one requester. */
    bool few = in.requester_id || in.few_of_tag || in.few_of_organization;
    if (n == MAX_STATUSES && (few || (in.by_created && !in.team_id && !in.assignee_id))) {
        in.status = STR_NONE;
        return read_range(cx, db, &in, m);
    }
    for (size_t i = 0; i < n; i++) {
        in.status = statuses[i];
        TRY(read_range(cx, db, &in, m));
    }
    return E_OK;
}

static enum err_code read_ranges(struct cx *cx, struct db *db, struct ticket_list_newest_in in, const struct str *statuses, size_t n,
                                 struct merge *m)
{
    int64_t *teams;
    size_t nteams;
    if (!in.scope_user || in.team_id || in.assignee_id || in.requester_id) {
        m->ranges = NEWN(cx->arena, struct range, MAX_STATUSES);
        return read_statuses_of(cx, db, in, statuses, n, m);
    }
    TRY(accounts_user_teams(cx, db, in.scope_user, &teams, &nteams));
    m->ranges = NEWN(cx->arena, struct range, MAX_STATUSES * (nteams + 1));
    for (size_t i = 0; i < nteams; i++) {
        in.team_id = teams[i];
        TRY(read_statuses_of(cx, db, in, statuses, n, m));
    }
    in.team_id = 0;
    in.assignee_id = in.scope_user;
    return in.unassigned ? E_OK : read_statuses_of(cx, db, in, statuses, n, m);
}

/* Rare ones are found by what is rare. */
static enum err_code choose_start(struct cx *cx, struct db *db, struct ticket_list_newest_in *in)
{
    enum { FEW = 2000 };
    struct tickets_flag_row count;
    if (in->tag_id) {
        TRY(ticket_few_of_tag(cx, db, (struct ticket_few_of_tag_in){ cx->account_id, in->tag_id, FEW }, &count));
        if (count.n < FEW) {
            in->few_of_tag = in->tag_id;
            in->tag_id = 0;
        }
    }
    if (in->organization_id && !in->few_of_tag) {
        struct ticket_few_of_organization_in of = { cx->account_id, in->organization_id, FEW };
        TRY(ticket_few_of_organization(cx, db, of, &count));
        if (count.n < FEW) {
            in->few_of_organization = in->organization_id;
            in->organization_id = 0;
        }
    }
    return E_OK;
}

enum err_code ticket_list(struct cx *cx, struct db *db, const struct ticket_filter *filter, struct page_out *out)
{
    struct ticket_list_newest_in in = filter->in;
    struct str statuses[MAX_STATUSES];
    size_t nstatuses;
    int64_t end[2] = { 0, 0 };
    struct merge m = { .by_created = in.by_created, .oldest_first = filter->oldest_first };
    TRY(read_statuses(cx, filter->statuses, statuses, &nstatuses));
    if (filter->cursor.ptr)
        TRY(page_cursor_read(cx, filter->cursor, end, 2));
    in.by_activity = !in.by_created;
    in.created_end = in.by_created ? end[0] : 0;
    in.activity_end = in.by_created ? 0 : end[0];
    in.end_id = end[1];
    in.limit = filter->limit + 1;
    TRY(choose_start(cx, db, &in));
    TRY(read_ranges(cx, db, in, statuses, nstatuses, &m));
    struct ticket_row *rows = NEWN(cx->arena, struct ticket_row, filter->limit + 1);
    size_t n = 0, limit = (size_t)filter->limit;
    bool more = false;
    for (struct ticket_row *row = take(&m); row && !more; row = take(&m)) {
        if (n && rows[n - 1].id == row->id)     /* of an own team and assigned too */
            continue;
        more = n == limit;
        if (!more)
            rows[n++] = *row;
    }
    struct ticket_out *items;
    TRY(ticket_outs(cx, db, rows, n, false, &items));
    out->items = (struct list){ .items = items, .n = n };
    if (more)
        out->next_cursor = page_cursor(cx->arena, (int64_t[]){ key_of(&m, &rows[n - 1]), rows[n - 1].id }, 2);
    return E_OK;
}
