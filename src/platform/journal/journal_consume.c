/* journal_consume.c - running consumers: one thread each, woken by commits. */
#include "platform/journal/journal.h"

#include <pthread.h>

#include "journal_sql.h"

enum {
    DEFAULT_BATCH = 200,
    MAX_BACKOFF_SECONDS = 300,
    BATCH_ARENA_BYTES = 256 << 20,
};

struct batch {
    const struct consumer *consumer;
    size_t did;
};

static enum err_code run_batch(struct cx *cx, struct db *db, void *arg)
{
    struct batch *b = arg;
    struct str name = str_of(b->consumer->name);
    struct journal_cursor_row *cursor = NULL;
    struct event *events = NULL;
    size_t found = 0, n = 0;
    b->did = 0;
    TRY(journal_cursor_make(cx, db, (struct journal_cursor_make_in){ cx->account_id, name }, NULL));
    TRY(journal_cursor_take(cx, db, (struct journal_cursor_take_in){ cx->account_id, name }, &cursor, &found));
    if (!found)
        return E_OK;    /* another node has it */
    size_t limit = b->consumer->batch ? b->consumer->batch : DEFAULT_BATCH;
    TRY(journal_read(cx, db, cx->account_id, cursor->seq, (int64_t)limit, &events, &n));
    if (!n)
        return E_OK;
    TRY(b->consumer->run(cx, db, events, n, b->consumer->arg));
    TRY(journal_cursor_move(cx, db, (struct journal_cursor_move_in){ cx->account_id, name, events[n - 1].seq }, NULL));
    b->did = n;
    return E_OK;
}

struct failed {
    struct str name, why;
};

static enum err_code note_failure(struct cx *cx, struct db *db, void *arg)
{
    struct failed *f = arg;
    struct journal_cursor_row *cursor = NULL;
    size_t found = 0;
    TRY(journal_cursor_make(cx, db, (struct journal_cursor_make_in){ cx->account_id, f->name }, NULL));
    TRY(journal_cursor_take(cx, db, (struct journal_cursor_take_in){ cx->account_id, f->name }, &cursor, &found));
    if (!found)
        return E_OK;
    int64_t wait_s = cursor->failures >= 9 ? MAX_BACKOFF_SECONDS : INT64_C(1) << cursor->failures;
    return journal_cursor_failed(cx, db, (struct journal_cursor_failed_in){
        .account_id = cx->account_id, .consumer = f->name, .last_error = utf8_cut(f->why, 500),
        .retry_us = cx->now_us + MIN(wait_s, (int64_t)MAX_BACKOFF_SECONDS) * US_PER_SECOND }, NULL);
}

struct behind {
    const struct consumer *consumer;
    struct journal_work_row *rows;
    size_t n;
};

static enum err_code find_behind(struct cx *cx, struct db *db, void *arg)
{
    struct behind *b = arg;
    return journal_behind(cx, db, (struct journal_behind_in){ .consumer = str_of(b->consumer->name), .now = cx->now_us },
                          &b->rows, &b->n);
}

/* Batches of one account until it has caught up.  A failure is noted at the cursor and is not the caller's. */
static void run_account(struct store *store, const struct cx *outer, const struct consumer *consumer, int64_t account_id, size_t *did)
{
    struct arena *arena = arena_new("consumer", BATCH_ARENA_BYTES);
    for (bool more = true; more;) {
        struct batch b = { .consumer = consumer };
        struct cx cx = *outer;
        arena_reset(arena);
        cx.arena = arena;
        cx.account_id = account_id;
        cx.user_id = 0;
        cx.actor = STR("system");
        enum err_code e = store_write_bulk(store, &cx, run_batch, &b);
        more = e == E_OK && b.did > 0;
        *did += b.did;
        if (e != E_OK) {
            struct failed f = { str_of(consumer->name), cx.failure.detail.len ? cx.failure.detail : cx.failure.message };
            log_event(LOG_ERROR, "consumer.failed", F_TXT("consumer", consumer->name), F_INT("account", account_id),
                      F_STR("why", f.why));
            if (store_write_bulk(store, &cx, note_failure, &f) != E_OK)
                break;      /* the database is away: the next wake-up tries again */
        }
    }
    arena_free(&arena);
}

enum err_code journal_run_once(struct store *store, struct cx *cx, const struct consumer *consumer, size_t *ret_did)
{
    struct behind b = { .consumer = consumer };
    size_t did = 0;
    TRY(store_read(store, cx, find_behind, &b));
    for (size_t i = 0; i < b.n; i++)
        run_account(store, cx, consumer, b.rows[i].account_id, &did);
    *ret_did = did;
    return E_OK;
}

/* ---- threads ---- */

struct runner {
    struct journal *journal;
    struct consumer consumer;
    pthread_t thread;
};

struct journal {
    struct store *store;
    struct store_bell *bell;
    struct runner *runners;
    size_t n;
};

static void *run_consumer(void *arg)
{
    struct runner *r = arg;
    uint64_t heard = 0;
    struct arena *arena = arena_new("journal", 0);
    do {
        size_t did = 0;
        arena_reset(arena);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        if (journal_run_once(r->journal->store, &cx, &r->consumer, &did) != E_OK)
            log_event(LOG_WARN, "journal.unavailable", F_TXT("consumer", r->consumer.name), F_STR("why", cx.failure.message));
    } while (store_bell_wait(r->journal->bell, &heard, clock_now_us() + US_PER_SECOND));
    arena_free(&arena);
    return NULL;
}

struct journal *journal_new(struct store *store, const struct consumer *consumers, size_t n)
{
    struct journal *j = heap_new(sizeof *j);
    j->store = store;
    j->n = n;
    j->runners = heap_new(n * sizeof *j->runners);
    j->bell = store_bell_new(store);
    for (size_t i = 0; i < n; i++) {
        j->runners[i] = (struct runner){ .journal = j, .consumer = consumers[i] };
        ASSERT(pthread_create(&j->runners[i].thread, NULL, run_consumer, &j->runners[i]) == 0);
    }
    return j;
}

void journal_free(struct journal **journal)
{
    struct journal *j = *journal;
    if (!j)
        return;
    store_bell_stop(j->bell);
    for (size_t i = 0; i < j->n; i++)
        pthread_join(j->runners[i].thread, NULL);
    store_bell_free(&j->bell);
    heap_free(j->runners);
    heap_free(j);
    *journal = NULL;
}
