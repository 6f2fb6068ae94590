/* jobs_run.c - claiming and running jobs: threads for each kind, leases, backoff. */
#include <pthread.h>

#include "jobs_priv.h"

enum {
    DEFAULT_LEASE_SECONDS = 300,
    FIRST_BACKOFF_SECONDS = 5,
    MAX_BACKOFF_SECONDS = 6 * 3600,
    JOB_ARENA_BYTES = 512 << 20,
    POLL_SECONDS = 1,
};

struct worker {
    struct jobs *jobs;
    const struct job_kind *kind;
    pthread_t thread;
    /* What it runs now, under jobs.lock, for the thread that renews leases; job_id 0: nothing. */
    int64_t job_id, account_id, renew_us;
};

struct jobs {
    struct store *store;
    pthread_mutex_t lock;       /* what the workers run now */
    struct store_bell *bell;
    char owner[48];
    struct job_kind *kinds;
    struct worker *workers;
    size_t nworkers;
    pthread_t renewer;
};

struct claim {
    const struct job_kind *kind;
    struct str owner;
    struct job_row *rows;
    size_t n;
};

static int64_t lease_of(const struct job_kind *kind)
{
    return kind->lease_us ? kind->lease_us : DEFAULT_LEASE_SECONDS * US_PER_SECOND;
}

static enum err_code claim_one(struct cx *cx, struct db *db, void *arg)
{
    struct claim *c = arg;
    return job_claim(cx, db, (struct job_claim_in){ .kind = str_of(c->kind->kind), .now = cx->now_us, .limit = 1,
                                                    .lease_until_us = cx->now_us + lease_of(c->kind), .lease_owner = c->owner },
                     &c->rows, &c->n);
}

struct verdict {
    const struct job_row *job;
    struct str owner, error;
    const char *state;          /* NULL: done, the row goes */
    int64_t run_at_us;
};

static enum err_code write_verdict(struct cx *cx, struct db *db, void *arg)
{
    struct verdict *v = arg;
    if (!v->state)
        return job_forget(cx, db, (struct job_forget_in){ .account_id = v->job->account_id, .id = v->job->id,
                                                          .lease_owner = v->owner, .attempt = v->job->attempt }, NULL);
    return job_finish(cx, db, (struct job_finish_in){
        .account_id = v->job->account_id, .id = v->job->id, .lease_owner = v->owner, .attempt = v->job->attempt,
        .state = str_of(v->state), .run_at_us = v->run_at_us, .last_error = utf8_cut(v->error, 2000), .now = cx->now_us }, NULL);
}

/* 5 s, 10 s, 20 s … 6 h, each plus up to a half at random, so that a crowd spreads out. */
static int64_t backoff_us(int64_t attempt)
{
    int64_t s = attempt > 13 ? MAX_BACKOFF_SECONDS : MIN((int64_t)FIRST_BACKOFF_SECONDS << (attempt - 1), (int64_t)MAX_BACKOFF_SECONDS);
    return s * US_PER_SECOND + (int64_t)(rand_u64() % (uint64_t)(s * US_PER_SECOND / 2));
}

static void judge(const struct cx *cx, enum err_code e, int64_t max_attempts, struct verdict *v)
{
    if (e == E_OK)
        return;
    bool hopeless = e == E_INVALID || e == E_NOT_FOUND || v->job->attempt >= max_attempts;
    v->error = cx->failure.detail.len ? cx->failure.detail : cx->failure.message;
    v->state = hopeless ? "dead" : "waiting";
    v->run_at_us = cx->now_us + (cx->failure.retry_after_us ? cx->failure.retry_after_us : backoff_us(v->job->attempt));
}

static void note_running(struct worker *w, const struct job *job)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->jobs->lock);
    w->job_id = job ? job->id : 0;
    w->account_id = job ? job->account_id : 0;
    w->renew_us = clock_now_us() + lease_of(w->kind) / 3;
    pthread_mutex_unlock(&w->jobs->lock);
}

/* Claims at most one job and runs it.  False when none was due or the database is away.  w may be NULL. */
static bool run_one(struct store *store, struct cx *outer, const struct job_kind *kind, struct str owner, struct worker *w)
{
    struct arena *arena = arena_new("job", JOB_ARENA_BYTES);
    struct claim claim = { .kind = kind, .owner = owner };
    struct cx cx = *outer;
    cx.arena = arena;
    bool ran = false;
    if (store_write(store, &cx, claim_one, &claim) == E_OK && claim.n) {
        struct job job = jobs_of_row(claim.rows);
        cx.account_id = job.account_id;
        cx.user_id = 0;
        cx.actor = STR("system");
        cx.request_id = arena_printf(arena, "job-%lld", (long long)job.id);
        note_running(w, &job);
        enum err_code e = kind->run(&cx, store, &job, kind->arg);
        note_running(w, NULL);
        struct verdict v = { .job = claim.rows, .owner = owner };
        judge(&cx, e, kind->max_attempts ? kind->max_attempts : job.max_attempts, &v);
        if (e != E_OK)
            log_event(v.state && str_is(str_of(v.state), "dead") ? LOG_ERROR : LOG_WARN, "job.failed", F_STR("kind", job.kind),
                      F_INT("job", job.id), F_INT("account", job.account_id), F_INT("attempt", job.attempt),
                      F_TXT("state", v.state), F_STR("why", v.error));
        /* If this fails the lease runs out and the job is run again: handlers are safe for that. */
        if (store_write(store, &cx, write_verdict, &v) != E_OK)
            log_event(LOG_WARN, "job.verdict_lost", F_INT("job", job.id), F_STR("why", cx.failure.message));
        ran = true;
    }
    arena_free(&arena);
    return ran;
}

enum err_code jobs_run_due(struct store *store, struct cx *cx, const struct job_kind *kinds, size_t n, size_t *ret_ran)
{
    *ret_ran = 0;
    for (size_t i = 0; i < n; i++)
        while (run_one(store, cx, &kinds[i], STR("once"), NULL))
            ++*ret_ran;
    return E_OK;
}

/* ---- threads ---- */

struct due {
    const struct job_kind *kind;
    int64_t at_us;      /* 0: none waits */
};

static enum err_code read_due(struct cx *cx, struct db *db, void *arg)
{
    struct due *d = arg;
    struct job_due_row row = { 0 };
    TRY(job_next_due(cx, db, (struct job_next_due_in){ .kind = str_of(d->kind->kind) }, &row));
    d->at_us = row.run_at_us;
    return E_OK;
}

/* Until a commit, the next due time or a second has passed; false when stopping. */
static bool wait_for_work(struct jobs *j, const struct due *due, uint64_t *heard)
{
    int64_t now = clock_now_us(), until = now + POLL_SECONDS * US_PER_SECOND;
    return store_bell_wait(j->bell, heard, due->at_us > now && due->at_us < until ? due->at_us : until);
}

/* A second, whatever is committed meanwhile; false when stopping. */
static bool pause_a_second(struct jobs *j)
{
    uint64_t heard = 0;
    for (int64_t until = clock_now_us() + US_PER_SECOND; clock_now_us() < until;)
        if (!store_bell_wait(j->bell, &heard, until))
            return false;
    return true;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct jobs *j = w->jobs;
    uint64_t heard = 0;
    struct arena *arena = arena_new("jobs", 0);
    struct due due;
    do {
        due = (struct due){ .kind = w->kind };
        arena_reset(arena);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        /* Looking is a read; only what is due costs a write. */
        while (!store_bell_stopped(j->bell) && store_read(j->store, &cx, read_due, &due) == E_OK && due.at_us && due.at_us <= cx.now_us &&
               run_one(j->store, &cx, w->kind, str_of(j->owner), w))
            cx.now_us = clock_now_us();
    } while (wait_for_work(j, &due, &heard));
    arena_free(&arena);
    return NULL;
}

struct renewal {
    int64_t job_id, account_id, lease_us;
    struct str owner;
};

static enum err_code renew(struct cx *cx, struct db *db, void *arg)
{
    const struct renewal *r = arg;
    return job_renew(cx, db, (struct job_renew_in){ .account_id = r->account_id, .id = r->job_id, .lease_owner = r->owner,
                                                     .now = cx->now_us, .lease_until_us = cx->now_us + r->lease_us }, NULL);
}

/* The next worker whose lease wants renewing; false when none does. */
static bool wants_renewal(struct jobs *j, int64_t now, struct renewal *ret)
{
    bool found = false;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < j->nworkers && !found; i++) {
        struct worker *w = &j->workers[i];
        found = w->job_id && w->renew_us <= now;
        if (found) {
            *ret = (struct renewal){ w->job_id, w->account_id, lease_of(w->kind), str_of(j->owner) };
            w->renew_us = now + lease_of(w->kind) / 3;
        }
    }
    pthread_mutex_unlock(&j->lock);
    return found;
}

static void *renew_leases(void *arg)
{
    struct jobs *j = arg;
    struct arena *arena = arena_new("leases", 0);
    struct renewal r;
    do {
        arena_reset(arena);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        while (wants_renewal(j, cx.now_us, &r))
            if (store_write(j->store, &cx, renew, &r) != E_OK)
                log_event(LOG_WARN, "job.lease", F_INT("job", r.job_id), F_STR("why", cx.failure.message));
    } while (pause_a_second(j));
    arena_free(&arena);
    return NULL;
}

struct jobs *jobs_new(struct store *store, const struct job_kind *kinds, size_t n)
{
    struct jobs *j = heap_new(sizeof *j);
    struct arena *arena = arena_new("owner", 0);
    struct str owner = rand_token(arena, 16);
    memcpy(j->owner, owner.ptr, MIN(owner.len, sizeof j->owner - 1));
    arena_free(&arena);
    j->store = store;
    j->kinds = heap_new(n * sizeof *kinds);
    memcpy(j->kinds, kinds, n * sizeof *kinds);
    pthread_mutex_init(&j->lock, NULL);
    j->bell = store_bell_new(store);
    for (size_t i = 0; i < n; i++)
        j->nworkers += MAX(kinds[i].threads, 1u);
    j->workers = heap_new(j->nworkers * sizeof *j->workers);
    for (size_t i = 0, w = 0; i < n; i++)
        for (unsigned t = 0; t < MAX(kinds[i].threads, 1u); t++, w++) {
            j->workers[w] = (struct worker){ .jobs = j, .kind = &j->kinds[i] };
            ASSERT(pthread_create(&j->workers[w].thread, NULL, work, &j->workers[w]) == 0);
        }
    ASSERT(pthread_create(&j->renewer, NULL, renew_leases, j) == 0);
    return j;
}

void jobs_free(struct jobs **jobs)
{
    struct jobs *j = *jobs;
    if (!j)
        return;
    store_bell_stop(j->bell);
    for (size_t i = 0; i < j->nworkers; i++)
        pthread_join(j->workers[i].thread, NULL);
    pthread_join(j->renewer, NULL);
    store_bell_free(&j->bell);
    pthread_mutex_destroy(&j->lock);
    heap_free(j->workers);
    heap_free(j->kinds);
    heap_free(j);
    *jobs = NULL;
}
