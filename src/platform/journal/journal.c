/* journal.c - appending and reading events. */
#include "platform/journal/journal.h"

#include "journal_sql.h"

enum err_code journal_begin(struct cx *cx, struct db *db, int64_t account_id)
{
    return journal_counter_make(cx, db, (struct journal_counter_make_in){ .account_id = account_id }, NULL);
}

enum err_code journal_reserve(struct cx *cx, struct db *db, int64_t events, int64_t numbers, struct journal_slots *ret)
{
    struct journal_next_row row = { 0 };
    enum err_code e = journal_next(cx, db, (struct journal_next_in){
        .account_id = cx->account_id, .events = events, .numbers = numbers }, &row);
    if (e == E_NOT_FOUND)
        return fail_internal(cx, "account %lld has no counter row", (long long)cx->account_id);
    TRY(e);
    *ret = (struct journal_slots){ row.event_seq - events + 1, row.ticket_number - numbers + 1 };
    return E_OK;
}

enum err_code journal_write(struct cx *cx, struct db *db, struct event *e)
{
    ASSERT(e->seq > 0);
    e->account_id = cx->account_id;
    e->at_us = cx->now_us;
    e->actor_id = e->actor_id ? e->actor_id : cx->user_id;
    e->actor = e->actor.len ? e->actor : cx->actor.len ? cx->actor : STR("system");
    return journal_insert(cx, db, (struct journal_insert_in){
        .account_id = e->account_id, .seq = e->seq, .at_us = e->at_us, .type = e->type, .ticket_id = e->ticket_id,
        .team_id = e->team_id, .assignee_id = e->assignee_id, .subject_id = e->subject_id, .actor_id = e->actor_id,
        .actor = e->actor, .data = e->data.len ? e->data : STR("{}") }, NULL);
}

enum err_code journal_append(struct cx *cx, struct db *db, struct event *event)
{
    struct journal_slots slots = { 0 };
    TRY(journal_reserve(cx, db, 1, 0, &slots));
    event->seq = slots.first_seq;
    return journal_write(cx, db, event);
}

enum err_code journal_read(struct cx *cx, struct db *db, int64_t account_id, int64_t after, int64_t limit,
                           struct event **ret, size_t *ret_n)
{
    struct event_row *rows = NULL;
    size_t n = 0;
    TRY(journal_after(cx, db, (struct journal_after_in){ .account_id = account_id, .after = after, .limit = limit }, &rows, &n));
    struct event *events = NEWN(cx->arena, struct event, n + 1);
    for (size_t i = 0; i < n; i++)
        events[i] = (struct event){
            .account_id = account_id, .seq = rows[i].seq, .at_us = rows[i].at_us, .type = rows[i].type,
            .ticket_id = rows[i].ticket_id, .team_id = rows[i].team_id, .assignee_id = rows[i].assignee_id,
            .subject_id = rows[i].subject_id, .actor_id = rows[i].actor_id, .actor = rows[i].actor, .data = rows[i].data };
    *ret = events;
    *ret_n = n;
    return E_OK;
}

enum err_code journal_head(struct cx *cx, struct db *db, int64_t account_id, int64_t *ret)
{
    struct journal_seq_row row = { 0 };
    enum err_code e = journal_head_seq(cx, db, (struct journal_head_seq_in){ .account_id = account_id }, &row);
    if (e != E_NOT_FOUND)
        TRY(e);
    *ret = row.seq;
    return E_OK;
}

enum err_code journal_replay(struct cx *cx, struct db *db, const char *consumer, int64_t account_id)
{
    return journal_cursor_forget(cx, db, (struct journal_cursor_forget_in){
        .account_id = account_id, .consumer = str_of(consumer) }, NULL);
}

enum err_code journal_lag(struct cx *cx, struct db *db, const char *consumer, int64_t *ret)
{
    struct journal_lag_row row = { 0 };
    TRY(journal_lag_of(cx, db, (struct journal_lag_of_in){ .consumer = str_of(consumer) }, &row));
    *ret = row.behind;
    return E_OK;
}
