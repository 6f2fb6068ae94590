/* store.c - opening and closing, the pool of readers, listeners. */
#include "platform/store/store_internal.h"

enum { SQLITE_READERS = 32, POSTGRES_READERS = 8, POSTGRES_WRITERS = 3, READ_TRIES = 3 };

static void pool_start(struct reader_pool *pool, unsigned max)
{
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->returned, NULL);
    pool->idle = heap_new(max * sizeof *pool->idle);
    pool->max = max;
}

static void pool_stop(struct store *store)
{
    struct reader_pool *pool = &store->readers;
    pthread_mutex_lock(&pool->lock);
    while (pool->nidle < pool->nopen)   /* reads that still run */
        pthread_cond_wait(&pool->returned, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->nidle; i++)
        store->driver->close(pool->idle[i]);
    heap_free(pool->idle);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->returned);
}

enum err_code store_take_reader(struct cx *cx, struct store *store, struct db **ret)
{
    struct reader_pool *pool = &store->readers;
    *ret = NULL;
    pthread_mutex_lock(&pool->lock);
    while (!pool->nidle && pool->nopen == pool->max)
        pthread_cond_wait(&pool->returned, &pool->lock);
    if (pool->nidle)
        *ret = pool->idle[--pool->nidle];
    else
        pool->nopen++;
    pthread_mutex_unlock(&pool->lock);
    if (*ret)
        return E_OK;
    enum err_code code = store->driver->open(cx, store, false, ret);
    if (code == E_OK)
        return E_OK;
    pthread_mutex_lock(&pool->lock);
    pool->nopen--;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
    return code;
}

void store_return_reader(struct store *store, struct db *db)
{
    struct reader_pool *pool = &store->readers;
    store->driver->idle(db);
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->nidle++] = db;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}

static enum err_code read_once(struct cx *cx, struct db *db, int64_t limit_us, unit_fn *fn, void *arg)
{
    db->tx = TX_OK;
    db->failed = false;
    db->unit++;
    failure_clear(cx);
    TRY(db->driver->begin(cx, db, limit_us));
    enum err_code code = fn(cx, db, arg);
    if (code == E_OK && db->failed)
        code = fail_internal(cx, "a read went on after one of its statements had failed");
    if (db->tx == TX_OK && !db->failed) {
        /* What was read stays true when ending the snapshot fails; the connection shows it at its next use. */
        struct failure kept = cx->failure;
        if (db->driver->commit(cx, db) != E_OK)
            db->driver->rollback(db);
        cx->failure = kept;
    } else {
        db->driver->rollback(db);
    }
    return code;
}

enum err_code store_read_within(struct store *store, struct cx *cx, int64_t limit_us, unit_fn *fn, void *arg)
{
    struct db *db;
    const struct cx before = *cx;
    TRY(store_take_reader(cx, store, &db));
    enum err_code code = read_once(cx, db, limit_us, fn, arg);
    for (int i = 1; i < READ_TRIES && db->tx != TX_OK; i++) {
        atomic_fetch_add(&store->retries, 1);
        *cx = before;
        code = read_once(cx, db, limit_us, fn, arg);
    }
    store_return_reader(store, db);
    return code;
}

enum err_code store_read(struct store *store, struct cx *cx, unit_fn *fn, void *arg)
{
    return store_read_within(store, cx, 0, fn, arg);
}

enum err_code store_open(struct cx *cx, const struct store_options *options, struct store **ret)
{
    const bool postgres = options->postgres_url != NULL;
    struct store *store = heap_new(sizeof *store);
    *store = (struct store){
        .kind = postgres ? STORE_POSTGRES : STORE_SQLITE,
        .driver = postgres ? &postgres_driver : &sqlite_driver,
        .location = heap_copy(str_of(postgres ? options->postgres_url : options->sqlite_path)),
        .relaxed = options->relaxed,
    };
    struct str node = rand_token(cx->arena, 12);
    memcpy(store->node, node.ptr, MIN(node.len, sizeof store->node - 1));
    pthread_mutex_init(&store->listener_lock, NULL);
    pool_start(&store->readers, options->readers ? options->readers : postgres ? POSTGRES_READERS : SQLITE_READERS);
    enum err_code code = writers_start(cx, store, !postgres ? 1 : options->writers ? options->writers : POSTGRES_WRITERS);
    if (code == E_OK)
        *ret = store;
    else
        store_close(&store);
    return code;
}

void store_close(struct store **ref)
{
    struct store *store = *ref;
    if (!store)
        return;
    notifier_stop(&store->notifier);
    writers_stop(store);
    pool_stop(store);
    pthread_mutex_destroy(&store->listener_lock);
    heap_free(store->location);
    heap_free(store);
    *ref = NULL;
}

enum store_kind store_kind(const struct store *store)
{
    return store->kind;
}

void store_on_commit(struct store *store, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&store->listener_lock);
    ASSERT(store->nlisteners < MAX_LISTENERS);
    store->listeners[store->nlisteners++] = (struct listener){ fn, arg };
    if (store->kind == STORE_POSTGRES && !store->notifier)
        store->notifier = notifier_start(store);
    pthread_mutex_unlock(&store->listener_lock);
}

void store_on_commit_remove(struct store *store, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&store->listener_lock);
    for (size_t i = 0; i < store->nlisteners; i++)
        if (store->listeners[i].fn == fn && store->listeners[i].arg == arg) {
            store->listeners[i] = store->listeners[--store->nlisteners];
            break;
        }
    pthread_mutex_unlock(&store->listener_lock);
}

void store_notify_listeners(struct store *store)
{
    pthread_mutex_lock(&store->listener_lock);
    for (size_t i = 0; i < store->nlisteners; i++)
        store->listeners[i].fn(store->listeners[i].arg);
    pthread_mutex_unlock(&store->listener_lock);
}

struct store_stats store_stats(const struct store *store)
{
    return (struct store_stats){
        .units = atomic_load(&store->units),
        .groups = atomic_load(&store->groups),
        .failures = atomic_load(&store->failures),
        .retries = atomic_load(&store->retries),
        .queue_length = atomic_load(&store->queued),
    };
}

void store_inject_full(struct store *store, bool full)
{
    atomic_store(&store->full, full);
}
