/* jobs.c - adding, cancelling and listing jobs. */
#include "jobs_priv.h"

enum { DEFAULT_ATTEMPTS = 12 };

enum err_code jobs_add(struct cx *cx, struct db *db, const struct job *job, int64_t *ret_id)
{
    struct job_id_row *made = NULL, found = { 0 };
    size_t n = 0;
    int64_t account_id = job->account_id ? job->account_id : cx->account_id;
    TRY(job_insert(cx, db, (struct job_insert_in){
        .account_id = account_id, .kind = job->kind, .key = job->key,
        .payload = job->payload.len ? job->payload : STR("{}"), .run_at_us = job->run_at_us ? job->run_at_us : cx->now_us,
        .max_attempts = job->max_attempts ? job->max_attempts : DEFAULT_ATTEMPTS, .now = cx->now_us }, &made, &n));
    if (!n)
        TRY(job_by_key(cx, db, (struct job_by_key_in){ .account_id = account_id, .kind = job->kind, .key = job->key }, &found));
    if (ret_id)
        *ret_id = n ? made->id : found.id;
    return E_OK;
}

enum err_code jobs_cancel(struct cx *cx, struct db *db, int64_t account_id, int64_t id, bool *ret_done)
{
    int64_t changed = 0;
    TRY(job_cancel(cx, db, (struct job_cancel_in){ .account_id = account_id, .id = id, .now = cx->now_us }, &changed));
    *ret_done = changed == 1;
    return E_OK;
}

enum err_code jobs_alive(struct cx *cx, struct db *db, int64_t account_id, int64_t id, bool *ret)
{
    struct job_id_row *rows = NULL;
    size_t n = 0;
    TRY(job_alive(cx, db, (struct job_alive_in){ .account_id = account_id, .id = id }, &rows, &n));
    *ret = n > 0;
    return E_OK;
}

struct job jobs_of_row(const struct job_row *row)
{
    return (struct job){ .id = row->id, .account_id = row->account_id, .kind = row->kind, .key = row->key,
                         .payload = row->payload, .run_at_us = row->run_at_us, .attempt = row->attempt,
                         .max_attempts = row->max_attempts, .last_error = row->last_error };
}

enum err_code jobs_dead(struct cx *cx, struct db *db, int64_t account_id, int64_t before_id, int64_t limit,
                        struct job **ret, size_t *ret_n)
{
    struct job_row *rows = NULL;
    size_t n = 0;
    TRY(job_dead_list(cx, db, (struct job_dead_list_in){ .account_id = account_id, .before_id = before_id, .limit = limit }, &rows, &n));
    *ret = NEWN(cx->arena, struct job, n + 1);
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = jobs_of_row(&rows[i]);
    *ret_n = n;
    return E_OK;
}

enum err_code jobs_run_again(struct cx *cx, struct db *db, int64_t account_id, int64_t id)
{
    int64_t changed = 0;
    TRY(job_revive(cx, db, (struct job_revive_in){ .account_id = account_id, .id = id, .now = cx->now_us }, &changed));
    return changed ? E_OK : fail(cx, E_NOT_FOUND, "There is no failed job with this id");
}

enum err_code jobs_count(struct cx *cx, struct db *db, struct jobs_counts *ret)
{
    struct job_counts_row *rows = NULL;
    size_t n = 0;
    *ret = (struct jobs_counts){ 0 };
    TRY(job_counts(cx, db, (struct job_counts_in){ 0 }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        *(str_is(rows[i].state, "waiting") ? &ret->waiting : str_is(rows[i].state, "running") ? &ret->running : &ret->dead) = rows[i].n;
    return E_OK;
}
