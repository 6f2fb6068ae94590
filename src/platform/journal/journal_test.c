/* journal_test.c - order without gaps, cursors that survive, failures that wait. */
#include <pthread.h>
#include <stdatomic.h>

#include "platform/journal/journal.h"
#include "testing/testing.h"

static enum err_code begin_accounts(struct cx *cx, struct db *db, void *arg)
{
    (void)arg;
    TRY(journal_begin(cx, db, 1));
    return journal_begin(cx, db, 2);
}

struct append {
    int64_t account_id;
    const char *type;
    bool fail_after;
};

static enum err_code append_one(struct cx *cx, struct db *db, void *arg)
{
    const struct append *a = arg;
    struct event e = { .type = str_of(a->type), .ticket_id = 7, .data = STR("{\"a\":1}") };
    cx->account_id = a->account_id;
    TRY(journal_append(cx, db, &e));
    return a->fail_after ? fail(cx, E_INVALID, "no") : E_OK;
}

static void add(struct world *w, int64_t account_id, const char *type)
{
    struct append a = { .account_id = account_id, .type = type };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, append_one, &a));
}

struct reading {
    int64_t account_id, after;
    struct event *events;
    size_t n;
    int64_t head;
};

static enum err_code read_all(struct cx *cx, struct db *db, void *arg)
{
    struct reading *r = arg;
    TRY(journal_head(cx, db, r->account_id, &r->head));
    return journal_read(cx, db, r->account_id, r->after, 10000, &r->events, &r->n);
}

static void sequences_are_per_account_and_have_no_gaps(void **state)
{
    struct world *w = *state;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_accounts, NULL));
    add(w, 1, "a.one");
    add(w, 2, "b.one");
    struct append refused = { .account_id = 1, .type = "a.never", .fail_after = true };
    CHECK_ERR(store_write(w->store, &w->cx, append_one, &refused), E_INVALID);
    add(w, 1, "a.two");
    struct reading r = { .account_id = 1 };
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, read_all, &r));
    CHECK_INT(r.n, 2);
    CHECK_INT(r.head, 2);
    CHECK_INT(r.events[0].seq, 1);
    CHECK_INT(r.events[1].seq, 2);
    CHECK_STR(r.events[1].type, "a.two");
    CHECK_STR(r.events[1].actor, "system");
    CHECK_INT(r.events[1].at_us, w->cx.now_us);
    CHECK_INT(r.events[1].ticket_id, 7);
    r = (struct reading){ .account_id = 1, .after = 1 };
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, read_all, &r));
    CHECK_INT(r.n, 1);
}

static enum err_code without_counter(struct cx *cx, struct db *db, void *arg)
{
    struct event e = { .type = STR("x") };
    (void)arg;
    cx->account_id = 99;
    return journal_append(cx, db, &e);
}

static void an_unknown_account_is_our_failure(void **state)
{
    struct world *w = *state;
    CHECK_ERR(store_write(w->store, &w->cx, without_counter, NULL), E_INTERNAL);
}

enum { THREADS = 4, EACH = 50 };

static void *append_many(void *arg)
{
    struct world *w = arg;
    for (int i = 0; i < EACH; i++) {
        struct cx cx = world_cx(w);
        struct append a = { .account_id = 1, .type = "storm" };
        CHECK_OK(&cx, store_write(w->store, &cx, append_one, &a));
    }
    return NULL;
}

static enum err_code collect(struct cx *cx, struct db *db, const struct event *events, size_t n, void *arg)
{
    int64_t *last = arg;
    (void)db;
    for (size_t i = 0; i < n; i++) {
        if (events[i].seq != *last + 1)
            return fail(cx, E_INTERNAL, "gap before %lld", (long long)events[i].seq);
        *last = events[i].seq;
    }
    return E_OK;
}

static void a_consumer_sees_a_storm_in_order(void **state)
{
    struct world *w = *state;
    pthread_t threads[THREADS];
    int64_t last = 0;
    size_t did = 0, all = 0;
    const struct consumer consumer = { .name = "collect", .run = collect, .arg = &last, .batch = 7 };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_accounts, NULL));
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, append_many, w);
    while (all < THREADS * EACH) {
        struct cx cx = world_cx(w);
        CHECK_OK(&cx, journal_run_once(w->store, &cx, &consumer, &did));
        all += did;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(all, THREADS * EACH);
    CHECK_INT(last, THREADS * EACH);
}

static enum err_code read_lag(struct cx *cx, struct db *db, void *arg)
{
    return journal_lag(cx, db, "picky", arg);
}

static enum err_code picky(struct cx *cx, struct db *db, const struct event *events, size_t n, void *arg)
{
    bool *broken = arg;
    (void)db, (void)events, (void)n;
    return *broken ? fail(cx, E_INTERNAL, "not today") : E_OK;
}

static void a_failing_consumer_waits_and_loses_nothing(void **state)
{
    struct world *w = *state;
    bool broken = true;
    size_t did = 0;
    int64_t lag = 0;
    const struct consumer consumer = { .name = "picky", .run = picky, .arg = &broken };
    log_setup(LOG_ERROR + 1, 2);    /* the failure that we provoke would be logged */
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_accounts, NULL));
    add(w, 1, "a");
    add(w, 1, "b");
    CHECK_OK(&w->cx, journal_run_once(w->store, &w->cx, &consumer, &did));
    CHECK_INT(did, 0);
    broken = false;
    CHECK_OK(&w->cx, journal_run_once(w->store, &w->cx, &consumer, &did));
    CHECK_INT(did, 0);              /* backs off for a second */
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, read_lag, &lag));
    CHECK_INT(lag, 2);
    world_advance(w, 2 * US_PER_SECOND);
    CHECK_OK(&w->cx, journal_run_once(w->store, &w->cx, &consumer, &did));
    CHECK_INT(did, 2);
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, read_lag, &lag));
    CHECK_INT(lag, 0);
}

static enum err_code count_atomically(struct cx *cx, struct db *db, const struct event *events, size_t n, void *arg)
{
    (void)cx, (void)db, (void)events;
    atomic_fetch_add((_Atomic size_t *)arg, n);
    return E_OK;
}

static void threads_are_woken_by_commits(void **state)
{
    struct world *w = *state;
    _Atomic size_t seen = 0;
    const struct consumer consumer = { .name = "woken", .run = count_atomically, .arg = (void *)&seen };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, begin_accounts, NULL));
    struct journal *journal = journal_new(w->store, &consumer, 1);
    for (int i = 0; i < 20; i++)
        add(w, 1 + i % 2, "tick");
    int64_t deadline = clock_monotonic_us() + 20 * US_PER_SECOND;
    while (atomic_load(&seen) < 20 && clock_monotonic_us() < deadline)
        sched_yield();
    journal_free(&journal);
    CHECK_INT(atomic_load(&seen), 20);
}

TESTS(BOTH(sequences_are_per_account_and_have_no_gaps), BOTH(an_unknown_account_is_our_failure),
      BOTH(a_consumer_sees_a_storm_in_order), BOTH(a_failing_consumer_waits_and_loses_nothing),
      BOTH(threads_are_woken_by_commits))
