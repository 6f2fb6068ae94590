/*
 * journal.h - the append-only list of events, and its consumers.
 *
 * journal_append() runs inside the unit that changes the state.  Each account
 * has its own sequence 1, 2, 3 … without gaps, in commit order, on both
 * databases (the counter row is locked until the unit commits).
 *
 * A consumer is called with events in order, in batches, inside a write unit
 * that also moves its durable cursor: what it writes to the database happens
 * exactly once.  With several nodes one of them runs a consumer at a time.
 *
 * Owns the tables event, account_counter and consumer_cursor.
 */
#ifndef CAIRN_JOURNAL_H
#define CAIRN_JOURNAL_H

#include "platform/store/store.h"

struct event {
    int64_t account_id;     /* set by journal_append from cx->account_id */
    int64_t seq;            /* per account; set by journal_append */
    int64_t at_us;          /* set by journal_append from cx->now_us */
    struct str type;        /* "ticket.created"; a literal of the emitting module */
    int64_t ticket_id;      /* 0: none.  Real-time permission and the audit view use it */
    int64_t team_id;        /* of the ticket at that time; 0 none.  For row scope */
    int64_t assignee_id;    /* of the ticket at that time; 0 none */
    int64_t subject_id;     /* id of the thing itself: message, contact, user …; 0 none */
    int64_t actor_id;       /* user; 0: system or customer.  Set from cx */
    struct str actor;       /* "user", "token", "system", "contact": from cx->actor */
    struct str data;        /* JSON object text; what changed: {"status":["open","pending"]} */
};

/* The counter row of a new account: in the unit that makes the account. */
enum err_code journal_begin(struct cx *cx, struct db *db, int64_t account_id) MUST_CHECK;

enum err_code journal_append(struct cx *cx, struct db *db, struct event *event) MUST_CHECK;

/*
 * For a command that knows how many events it will write: one update of the counter row gives all their sequences, and
 * ticket numbers too.  Every reserved sequence must be written by journal_write in the same unit: there are no gaps.
 */
struct journal_slots { int64_t first_seq, first_number; };
enum err_code journal_reserve(struct cx *cx, struct db *db, int64_t events, int64_t numbers, struct journal_slots *ret) MUST_CHECK;
/* As journal_append, with event->seq from journal_reserve. */
enum err_code journal_write(struct cx *cx, struct db *db, struct event *event) MUST_CHECK;
/* Events of one account with seq > after, oldest first, at most `limit`. */
enum err_code journal_read(struct cx *cx, struct db *db, int64_t account_id, int64_t after, int64_t limit,
                           struct event **ret, size_t *ret_n) MUST_CHECK;
/* The newest seq of the account; 0 when none. */
enum err_code journal_head(struct cx *cx, struct db *db, int64_t account_id, int64_t *ret) MUST_CHECK;

/* cx->account_id is set; cx->now_us is the time of the run.  A failure leaves the cursor and is retried with backoff. */
typedef enum err_code consumer_fn(struct cx *cx, struct db *db, const struct event *events, size_t n, void *arg);

struct consumer {
    const char *name;           /* key of its cursor */
    consumer_fn *run;
    void *arg;
    size_t batch;               /* most events a call; 0: 200 */
};

/* Runs consumers on threads of its own until stopped; woken by store_on_commit and once a second. */
struct journal;
struct journal *journal_new(struct store *store, const struct consumer *consumers, size_t n);
void journal_free(struct journal **journal);    /* stops, waits for running batches */
/* One pass over all accounts and consumers in this thread: for tests and the CLI.  *ret_did counts events. */
enum err_code journal_run_once(struct store *store, struct cx *cx, const struct consumer *consumer, size_t *ret_did);
/* Forget a cursor, so that the consumer sees all events again. */
enum err_code journal_replay(struct cx *cx, struct db *db, const char *consumer, int64_t account_id);
/* Events the slowest account is behind, for /metrics. */
enum err_code journal_lag(struct cx *cx, struct db *db, const char *consumer, int64_t *ret);

#endif
