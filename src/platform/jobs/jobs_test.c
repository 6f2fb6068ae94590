/* jobs_test.c - claimed once, retried, kept when dead, taken over from the dead. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "platform/jobs/jobs.h"
#include "testing/testing.h"

static enum err_code add_job(struct cx *cx, struct db *db, void *arg)
{
    struct job *job = arg;
    cx->account_id = 1;
    return jobs_add(cx, db, job, &job->id);
}

static int64_t add(struct world *w, struct job job)
{
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, add_job, &job));
    return job.id;
}

struct recorder {
    _Atomic int runs;
    enum err_code answer;
    int64_t attempt;
    char payload[64];
};

static enum err_code record(struct cx *cx, struct store *store, const struct job *job, void *arg)
{
    struct recorder *r = arg;
    (void)store;
    atomic_fetch_add(&r->runs, 1);
    r->attempt = job->attempt;
    memcpy(r->payload, job->payload.ptr, MIN(job->payload.len, sizeof r->payload - 1));
    return r->answer == E_OK ? E_OK : fail(cx, r->answer, "refused");
}

static size_t run(struct world *w, struct job_kind kind)
{
    size_t ran = 0;
    CHECK_OK(&w->cx, jobs_run_due(w->store, &w->cx, &kind, 1, &ran));
    return ran;
}

static void a_job_runs_once_with_its_payload(void **state)
{
    struct world *w = *state;
    struct recorder r = { 0 };
    struct job_kind kind = { .kind = "t.once", .run = record, .arg = &r };
    add(w, (struct job){ .kind = STR("t.once"), .payload = STR("{\"n\":5}") });
    CHECK_INT(run(w, kind), 1);
    CHECK_INT(run(w, kind), 0);
    CHECK_INT(r.runs, 1);
    CHECK_STR(str_of(r.payload), "{\"n\":5}");
}

static void a_key_waits_only_once(void **state)
{
    struct world *w = *state;
    struct recorder r = { 0 };
    struct job_kind kind = { .kind = "t.key", .run = record, .arg = &r };
    int64_t first = add(w, (struct job){ .kind = STR("t.key"), .key = STR("m1") });
    CHECK_INT(add(w, (struct job){ .kind = STR("t.key"), .key = STR("m1") }), first);
    CHECK(add(w, (struct job){ .kind = STR("t.key"), .key = STR("m2") }) != first);
    CHECK_INT(run(w, kind), 2);
    add(w, (struct job){ .kind = STR("t.key"), .key = STR("m1") });
    CHECK_INT(run(w, kind), 1);
}

static void a_scheduled_job_waits_for_its_time(void **state)
{
    struct world *w = *state;
    struct recorder r = { 0 };
    struct job_kind kind = { .kind = "t.later", .run = record, .arg = &r };
    add(w, (struct job){ .kind = STR("t.later"), .run_at_us = w->cx.now_us + US_PER_HOUR });
    CHECK_INT(run(w, kind), 0);
    world_advance(w, US_PER_HOUR);
    CHECK_INT(run(w, kind), 1);
}

struct dead_list {
    struct job *jobs;
    size_t n;
    struct jobs_counts counts;
};

static enum err_code list_dead(struct cx *cx, struct db *db, void *arg)
{
    struct dead_list *d = arg;
    TRY(jobs_count(cx, db, &d->counts));
    return jobs_dead(cx, db, 1, 0, 10, &d->jobs, &d->n);
}

static enum err_code run_again(struct cx *cx, struct db *db, void *arg)
{
    return jobs_run_again(cx, db, 1, *(int64_t *)arg);
}

static void failures_back_off_then_die_and_can_be_revived(void **state)
{
    struct world *w = *state;
    struct recorder r = { .answer = E_BUSY };
    struct job_kind kind = { .kind = "t.fail", .run = record, .arg = &r, .max_attempts = 3 };
    struct dead_list dead = { 0 };
    log_setup(LOG_ERROR + 1, 2);
    int64_t id = add(w, (struct job){ .kind = STR("t.fail") });
    CHECK_INT(run(w, kind), 1);
    CHECK_INT(run(w, kind), 0);                 /* at least 5 seconds */
    world_advance(w, 4 * US_PER_SECOND);
    CHECK_INT(run(w, kind), 0);
    world_advance(w, 4 * US_PER_SECOND);        /* at most 7.5 */
    CHECK_INT(run(w, kind), 1);
    world_advance(w, 16 * US_PER_SECOND);
    CHECK_INT(run(w, kind), 1);
    CHECK_INT(r.attempt, 3);
    world_advance(w, US_PER_DAY);
    CHECK_INT(run(w, kind), 0);
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, list_dead, &dead));
    CHECK_INT(dead.n, 1);
    CHECK_INT(dead.counts.dead, 1);
    CHECK_STR(dead.jobs[0].last_error, "refused");
    r.answer = E_OK;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, run_again, &id));
    CHECK_INT(run(w, kind), 1);
    CHECK_ERR(store_write(w->store, &w->cx, run_again, &id), E_NOT_FOUND);
}

static void an_invalid_job_dies_at_once(void **state)
{
    struct world *w = *state;
    struct recorder r = { .answer = E_INVALID };
    struct job_kind kind = { .kind = "t.bad", .run = record, .arg = &r };
    log_setup(LOG_ERROR + 1, 2);
    add(w, (struct job){ .kind = STR("t.bad") });
    CHECK_INT(run(w, kind), 1);
    world_advance(w, US_PER_DAY);
    CHECK_INT(run(w, kind), 0);
}

struct cancelling {
    int64_t id;
    bool done;
};

static enum err_code cancel(struct cx *cx, struct db *db, void *arg)
{
    struct cancelling *c = arg;
    return jobs_cancel(cx, db, 1, c->id, &c->done);
}

static void a_waiting_job_can_be_cancelled(void **state)
{
    struct world *w = *state;
    struct recorder r = { 0 };
    struct job_kind kind = { .kind = "t.cancel", .run = record, .arg = &r };
    struct cancelling c = { .id = add(w, (struct job){ .kind = STR("t.cancel") }) };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, cancel, &c));
    CHECK(c.done);
    CHECK_INT(run(w, kind), 0);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, cancel, &c));
    CHECK(!c.done);
}

/* Leaves its job claimed, as a killed process would: the verdict never arrives. */
static enum err_code die_inside(struct cx *cx, struct store *store, const struct job *job, void *arg)
{
    (void)job, (void)arg;
    store_inject_full(store, true);
    return fail(cx, E_BUSY, "gone");
}

static void a_dead_workers_job_is_taken_over(void **state)
{
    struct world *w = *state;
    struct recorder r = { 0 };
    struct job_kind dying = { .kind = "t.lease", .run = die_inside, .lease_us = US_PER_MINUTE };
    struct job_kind kind = { .kind = "t.lease", .run = record, .arg = &r };
    log_setup(LOG_ERROR + 1, 2);
    add(w, (struct job){ .kind = STR("t.lease") });
    size_t ran = 0;
    CHECK_OK(&w->cx, jobs_run_due(w->store, &w->cx, &dying, 1, &ran));
    store_inject_full(w->store, false);
    CHECK_INT(run(w, kind), 0);
    world_advance(w, 2 * US_PER_MINUTE);
    CHECK_INT(run(w, kind), 1);
    CHECK_INT(r.attempt, 2);
}

static void threads_share_the_work(void **state)
{
    struct world *w = *state;
    struct recorder r = { 0 };
    struct job_kind kind = { .kind = "t.many", .run = record, .arg = &r, .threads = 4 };
    struct jobs *jobs = jobs_new(w->store, &kind, 1);
    for (int i = 0; i < 40; i++)
        add(w, (struct job){ .kind = STR("t.many"), .run_at_us = 1 });
    int64_t deadline = clock_monotonic_us() + 20 * US_PER_SECOND;
    while (atomic_load(&r.runs) < 40 && clock_monotonic_us() < deadline)
        sched_yield();
    jobs_free(&jobs);
    CHECK_INT(r.runs, 40);
}

TESTS(BOTH(a_job_runs_once_with_its_payload), BOTH(a_key_waits_only_once), BOTH(a_scheduled_job_waits_for_its_time),
      BOTH(failures_back_off_then_die_and_can_be_revived), BOTH(an_invalid_job_dies_at_once),
      BOTH(a_waiting_job_can_be_cancelled), BOTH(a_dead_workers_job_is_taken_over), BOTH(threads_share_the_work))
