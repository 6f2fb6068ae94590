/*
 * jobs.h - durable work for later: the outbox, retries, schedules.
 *
 * jobs_add() runs inside the unit that decides on the work.  A job is claimed
 * by one worker at a time under a lease; a worker that dies leaves it to be
 * claimed again when the lease ends.  Handlers therefore must be safe to run
 * again after a crash.  A failing job is retried with exponential backoff and
 * jitter, then kept as dead, visible, and can be run again.
 *
 * Owns the table job.
 */
#ifndef CAIRN_JOBS_H
#define CAIRN_JOBS_H

#include "platform/store/store.h"

struct job {
    int64_t id, account_id;
    struct str kind;            /* "email.send"; a literal of the module */
    struct str key;             /* when not empty: unique among waiting and running jobs of the kind */
    struct str payload;         /* JSON object text */
    int64_t run_at_us;          /* not before; 0: now */
    int64_t attempt;            /* 1 on the first run */
    int64_t max_attempts;       /* 0: the kind's default */
    struct str last_error;
};

/* Key already waiting: nothing is added and *ret_id (may be NULL) is that job's id. */
enum err_code jobs_add(struct cx *cx, struct db *db, const struct job *job, int64_t *ret_id) MUST_CHECK;
/* False in *ret_done when it already runs or has run. */
enum err_code jobs_cancel(struct cx *cx, struct db *db, int64_t account_id, int64_t id, bool *ret_done) MUST_CHECK;

/* Does it wait or run? */
enum err_code jobs_alive(struct cx *cx, struct db *db, int64_t account_id, int64_t id, bool *ret) MUST_CHECK;

/*
 * Runs outside any transaction, on a job thread; uses store_read/store_write
 * itself.  E_OK: done.  E_INVALID or E_NOT_FOUND: never retried, dead at once.
 * Anything else: retried; cx->failure.retry_after_us, if set, replaces the backoff.
 */
typedef enum err_code job_fn(struct cx *cx, struct store *store, const struct job *job, void *arg);

struct job_kind {
    const char *kind;
    job_fn *run;
    void *arg;
    int64_t max_attempts;       /* 0: 12 */
    int64_t lease_us;           /* 0: 5 minutes */
    unsigned threads;           /* most at once on this node; 0: 1 */
};

struct jobs;
struct jobs *jobs_new(struct store *store, const struct job_kind *kinds, size_t n);
void jobs_free(struct jobs **jobs);             /* stops claiming, waits for running jobs */
/* Claims and runs what is due at cx->now_us in this thread: tests and the CLI.  *ret_ran counts. */
enum err_code jobs_run_due(struct store *store, struct cx *cx, const struct job_kind *kinds, size_t n, size_t *ret_ran);

struct job_row;                 /* from jobs_sql.h */
/* Dead jobs of an account, newest first. */
enum err_code jobs_dead(struct cx *cx, struct db *db, int64_t account_id, int64_t before_id, int64_t limit,
                        struct job **ret, size_t *ret_n) MUST_CHECK;
enum err_code jobs_run_again(struct cx *cx, struct db *db, int64_t account_id, int64_t id) MUST_CHECK;

struct jobs_counts { int64_t waiting, running, dead; };
enum err_code jobs_count(struct cx *cx, struct db *db, struct jobs_counts *ret) MUST_CHECK;

#endif
