/* store_write.c - queues of units, and the threads that run and commit them in groups. */
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "platform/store/store_internal.h"

struct unit {
    struct cx *cx;
    unit_fn *fn;
    unit_done_fn *done;         /* NULL: somebody waits on `finished` */
    void *arg;
    sem_t finished;
    enum err_code code;
    struct cx before;           /* the context as it came, for running again */
    uint64_t order;             /* of arrival */
    struct unit *next;
};

struct queue {
    struct unit *first, **end;
};

struct writer {
    struct store *store;
    struct db *db;
    struct arena *arena;        /* for the failures of a group */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct queue interactive, bulk;
    uint64_t last_order;
    struct unit **group;
};

enum { GROUP_TRIES = 8, BULK_PER_GROUP = 1 };
enum group_end { GROUP_DONE, GROUP_AGAIN };

/* A unit that waits for another unit of its own thread would wait for ever. */
static _Thread_local bool runs_units;

static void queue_push(struct queue *q, struct unit *u)
{
    u->next = NULL;
    *q->end = u;
    q->end = &u->next;
}

static struct unit *queue_pop(struct queue *q)
{
    struct unit *u = q->first;
    if (u && !(q->first = u->next))
        q->end = &q->first;
    return u;
}

static bool enqueue(struct store *store, struct unit *u, bool bulk)
{
    struct writer *w = &store->writers[(uint64_t)u->cx->account_id % store->nwriters];
    ASSERT(!runs_units);
    u->before = *u->cx;
    pthread_mutex_lock(&w->lock);
    bool open = !atomic_load(&store->closing);
    if (open) {
        u->order = ++w->last_order;
        queue_push(bulk ? &w->bulk : &w->interactive, u);
        atomic_fetch_add(&store->queued, 1);
        pthread_cond_signal(&w->arrived);
    }
    pthread_mutex_unlock(&w->lock);
    return open;
}

static enum err_code write_and_wait(struct store *store, struct cx *cx, unit_fn *fn, void *arg, bool bulk)
{
    struct unit u = { .cx = cx, .fn = fn, .arg = arg };
    sem_init(&u.finished, 0, 0);
    if (!enqueue(store, &u, bulk))
        return fail_busy(cx, "The server is shutting down");
    while (sem_wait(&u.finished) != 0)
        ;
    sem_destroy(&u.finished);
    return u.code;
}

enum err_code store_write(struct store *store, struct cx *cx, unit_fn *fn, void *arg)
{
    return write_and_wait(store, cx, fn, arg, false);
}

enum err_code store_write_bulk(struct store *store, struct cx *cx, unit_fn *fn, void *arg)
{
    return write_and_wait(store, cx, fn, arg, true);
}

void store_write_async(struct store *store, struct cx *cx, unit_fn *fn, unit_done_fn *done, void *arg)
{
    struct unit *u = heap_new(sizeof *u);
    *u = (struct unit){ .cx = cx, .fn = fn, .done = done, .arg = arg };
    if (enqueue(store, u, false))
        return;
    heap_free(u);
    done(cx, fail_busy(cx, "The server is shutting down"), arg);
}

/* ---- one group ---- */

static enum err_code call_unit(struct db *db, struct unit *u)
{
    *u->cx = u->before;
    failure_clear(u->cx);
    if (u->cx->account_id)
        TRY(db->driver->lock_account(u->cx, db, u->cx->account_id));
    TRY(u->fn(u->cx, db, u->arg));
    if (db->failed)
        return fail_internal(u->cx, "a unit went on after one of its statements had failed");
    if (arena_over_limit(u->cx->arena))
        return fail(u->cx, E_LIMIT, "This needs more memory than one piece of work may use");
    return E_OK;
}

static void run_unit(struct cx *cx, struct db *db, struct unit *u, bool alone)
{
    db->failed = false;
    db->unit++;
    u->code = alone ? E_OK : db->driver->savepoint(cx, db);
    if (u->code != E_OK) {
        db->tx = db->tx == TX_OK ? TX_GONE : db->tx;
        return;
    }
    u->code = call_unit(db, u);
    if (alone || db->tx != TX_OK)
        return;
    enum err_code ended = u->code == E_OK ? db->driver->release(cx, db) : db->driver->undo(cx, db);
    if (ended != E_OK && db->tx == TX_OK)
        db->tx = TX_GONE;
}

static void fail_units(struct unit **units, size_t n, const struct failure *why)
{
    for (size_t i = 0; i < n; i++) {
        if (units[i]->code != E_OK)
            continue;
        units[i]->code = why->code;
        units[i]->cx->failure = *why;
        units[i]->cx->failure.message = arena_copy(units[i]->cx->arena, why->message);
        units[i]->cx->failure.detail = arena_copy(units[i]->cx->arena, why->detail);
    }
}

static enum err_code commit(struct cx *cx, struct db *db)
{
    if (atomic_load(&db->store->full)) {
        db->tx = TX_GONE;
        return fail_busy(cx, "The disk is full");
    }
    return db->driver->commit(cx, db);
}

/* Runs and commits the units together.  Then each has its code, or all must be run again. */
static enum group_end run_group(struct writer *w, struct unit **units, size_t n)
{
    struct db *db = w->db;
    struct cx cx = { .arena = w->arena };
    size_t good = 0;
    arena_reset(w->arena);
    db->tx = TX_OK;
    db->changed = false;
    for (size_t i = 0; i < n; i++)
        units[i]->code = E_OK;
    if (db->driver->begin(&cx, db, 0) != E_OK) {
        fail_units(units, n, &cx.failure);
        return GROUP_DONE;
    }
    for (size_t i = 0; i < n && db->tx == TX_OK; i++) {
        run_unit(&cx, db, units[i], n == 1);
        good += units[i]->code == E_OK;
    }
    bool again = db->tx == TX_AGAIN || (db->tx == TX_GONE && n > 1);
    if (again || !good) {
        db->driver->rollback(db);
        return again ? GROUP_AGAIN : GROUP_DONE;
    }
    enum err_code code = commit(&cx, db);
    if (code == E_OK)
        return GROUP_DONE;
    again = db->tx == TX_AGAIN || (db->tx == TX_GONE && n > 1 && !atomic_load(&w->store->full));
    db->driver->rollback(db);
    db->changed = false;
    if (!again)
        fail_units(units, n, &cx.failure);
    return again ? GROUP_AGAIN : GROUP_DONE;
}

static void back_off(int attempt)
{
    int64_t most_us = MIN(500 * (INT64_C(1) << attempt), 100 * US_PER_MS);
    int64_t us = most_us / 2 + (int64_t)(rand_u64() % (uint64_t)most_us);
    nanosleep(&(struct timespec){ .tv_sec = us / US_PER_SECOND, .tv_nsec = us % US_PER_SECOND * 1000 }, NULL);
}

static void run_alone(struct writer *w, struct unit *u)
{
    for (int attempt = 0; run_group(w, &u, 1) == GROUP_AGAIN; attempt++) {
        atomic_fetch_add(&w->store->retries, 1);
        if (attempt == GROUP_TRIES) {
            u->code = fail_busy(u->cx, "The database is too busy or cannot be reached; try again shortly");
            return;
        }
        back_off(attempt);
    }
}

static void answer(struct writer *w, struct unit *u)
{
    atomic_fetch_add(&w->store->units, 1);
    if (u->code != E_OK)
        atomic_fetch_add(&w->store->failures, 1);
    if (!u->done) {
        sem_post(&u->finished);
        return;
    }
    unit_done_fn *done = u->done;
    struct cx *cx = u->cx;
    enum err_code code = u->code;
    void *arg = u->arg;
    heap_free(u);
    done(cx, code, arg);
}

static void run_units(struct writer *w, size_t n)
{
    bool changed = false;
    atomic_fetch_add(&w->store->groups, 1);
    if (n == 1) {
        run_alone(w, w->group[0]);
        changed = w->db->changed;
    } else if (run_group(w, w->group, n) == GROUP_DONE) {
        changed = w->db->changed;
    } else {
        atomic_fetch_add(&w->store->retries, 1);
        for (size_t i = 0; i < n; i++) {
            run_alone(w, w->group[i]);
            changed = changed || w->db->changed;
        }
    }
    atomic_fetch_sub(&w->store->queued, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        answer(w, w->group[i]);
    if (changed)
        store_notify_listeners(w->store);
}

/* ---- the thread ---- */

/* All nodes lock accounts in ascending order, so that groups cannot wait for each other in a circle. */
static int by_account(const void *a, const void *b)
{
    const struct unit *x = *(struct unit *const *)a, *y = *(struct unit *const *)b;
    if (x->cx->account_id != y->cx->account_id)
        return x->cx->account_id < y->cx->account_id ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static size_t take_group(struct writer *w)
{
    size_t n = 0, max = w->store->driver->group_max;
    struct unit *u;
    pthread_mutex_lock(&w->lock);
    while (!w->interactive.first && !w->bulk.first && !atomic_load(&w->store->closing))
        pthread_cond_wait(&w->arrived, &w->lock);
    while (n < max && (u = queue_pop(&w->interactive)))
        w->group[n++] = u;
    for (int i = 0; i < BULK_PER_GROUP && (u = queue_pop(&w->bulk)); i++)
        w->group[n++] = u;
    pthread_mutex_unlock(&w->lock);
    if (w->store->kind == STORE_POSTGRES && n > 1)
        qsort(w->group, n, sizeof *w->group, by_account);
    return n;
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    size_t n;
    runs_units = true;
    while ((n = take_group(w)))
        run_units(w, n);
    return NULL;
}

enum err_code writers_start(struct cx *cx, struct store *store, unsigned n)
{
    store->writers = heap_new(n * sizeof *store->writers);
    for (unsigned i = 0; i < n; i++) {
        struct writer *w = &store->writers[i];
        *w = (struct writer){ .store = store, .arena = arena_new("writer", 0) };
        w->interactive.end = &w->interactive.first;
        w->bulk.end = &w->bulk.first;
        w->group = heap_new((store->driver->group_max + BULK_PER_GROUP) * sizeof *w->group);
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->arrived, NULL);
        store->nwriters++;
        TRY(store->driver->open(cx, store, true, &w->db));
        w->running = pthread_create(&w->thread, NULL, writer_main, w) == 0;
        if (!w->running)
            return fail_busy(cx, "A thread cannot be started");
    }
    return E_OK;
}

void writers_stop(struct store *store)
{
    for (unsigned i = 0; i < store->nwriters; i++) {
        struct writer *w = &store->writers[i];
        pthread_mutex_lock(&w->lock);
        atomic_store(&store->closing, true);
        pthread_cond_signal(&w->arrived);
        pthread_mutex_unlock(&w->lock);
        if (w->running)
            pthread_join(w->thread, NULL);
        if (w->db)
            store->driver->close(w->db);
        arena_free(&w->arena);
        heap_free(w->group);
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->arrived);
    }
    heap_free(store->writers);
}
