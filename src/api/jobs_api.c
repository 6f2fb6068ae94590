/* jobs_api.c - routes of failed jobs. */
#include "api/api.h"

#include "desk/accounts/accounts.h"
#include "platform/jobs/jobs.h"

struct job_out {
    int64_t id;
    struct str kind, key, payload;
    int64_t attempt, max_attempts, run_at;
    struct str last_error;
};
static const struct field job_fields[] = {
    ID_FIELD(struct job_out, id, .doc = "Id of the job"),
    TEXT_FIELD(struct job_out, kind, .doc = "As email.send"),
    TEXT_FIELD(struct job_out, key, .doc = "What it works on, or empty"),
    JSON_FIELD(struct job_out, payload, .doc = "Its parameters"),
    INT_FIELD(struct job_out, attempt, .doc = "How often it was tried"),
    INT_FIELD(struct job_out, max_attempts, .doc = "How often it is tried at most"),
    TIME_FIELD(struct job_out, run_at, .doc = "When it was due last"),
    TEXT_FIELD(struct job_out, last_error, .doc = "Why it failed"),
};
static SHAPE(job_shape, "Job", struct job_out, job_fields);

struct jobs_in { struct page_in page; struct str state; };
static const char *const states[] = { "dead", NULL };
static const struct field jobs_in_fields[] = {
    PAGE_FIELDS(struct jobs_in, page),
    TEXT_FIELD(struct jobs_in, state, .place = IN_QUERY, .optional = true, .choices = states, .max = 20, .doc = "dead: given up after all attempts"),
};

HANDLER(job_page, struct jobs_in, struct page_out)
{
    int64_t before = INT64_MAX;
    struct job *jobs;
    size_t n;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &before, 1));
    TRY(jobs_dead(cx, db, cx->account_id, before, in->page.limit + 1, &jobs, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct job_out *items = NEWN(cx->arena, struct job_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = (struct job_out){ jobs[i].id, jobs[i].kind, jobs[i].key, jobs[i].payload, jobs[i].attempt, jobs[i].max_attempts,
                                     jobs[i].run_at_us, jobs[i].last_error };
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &items[shown - 1].id, 1);
    return E_OK;
}

struct job_in { int64_t id; };
static const struct field job_in_fields[] = {
    ID_FIELD(struct job_in, id, .place = IN_PATH, .doc = "Id of the job"),
};

HANDLER(job_retry, struct job_in, struct nothing)
{
    (void)out;
    TRY(need_found(cx, jobs_run_again(cx, db, cx->account_id, in->id), "failed job"));
    return emit_event(cx, db, STR("job.retried"), in->id, STR_NONE);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/jobs", .summary = "List failed jobs, newest first", .permission = PERM_JOB_READ,
      FIELDS(jobs_in_fields, struct jobs_in), RETURNS_PAGE(&job_shape), .handler = job_page },
    { .method = METHOD_POST, .path = "/api/v1/jobs/{id}/retry", .summary = "Run a failed job again", .permission = PERM_JOB_READ,
      .no_content = true, FIELDS(job_in_fields, struct job_in), .handler = job_retry },
};
const struct route_table jobs_routes = { "jobs", routes, COUNT(routes) };
