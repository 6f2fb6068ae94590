/* store_bell.c - threads that wait for commits, or for a time, or for the end. */
#include <pthread.h>
#include <time.h>

#include "platform/store/store.h"

struct store_bell {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t rung;
    uint64_t rings;
    bool stopped;
};

static void ring(void *arg)
{
    struct store_bell *b = arg;
    pthread_mutex_lock(&b->lock);
    b->rings++;
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

struct store_bell *store_bell_new(struct store *store)
{
    struct store_bell *b = heap_new(sizeof *b);
    b->store = store;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->rung, NULL);
    store_on_commit(store, ring, b);
    return b;
}

bool store_bell_wait(struct store_bell *b, uint64_t *heard, int64_t until_us)
{
    struct timespec until = { .tv_sec = (time_t)(until_us / US_PER_SECOND), .tv_nsec = (long)(until_us % US_PER_SECOND) * 1000 };
    pthread_mutex_lock(&b->lock);
    while (!b->stopped && b->rings == *heard)
        if (pthread_cond_timedwait(&b->rung, &b->lock, &until) != 0)
            break;
    *heard = b->rings;
    bool go_on = !b->stopped;
    pthread_mutex_unlock(&b->lock);
    return go_on;
}

void store_bell_stop(struct store_bell *b)
{
    store_on_commit_remove(b->store, ring, b);
    pthread_mutex_lock(&b->lock);
    b->stopped = true;
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

bool store_bell_stopped(struct store_bell *b)
{
    pthread_mutex_lock(&b->lock);
    bool stopped = b->stopped;
    pthread_mutex_unlock(&b->lock);
    return stopped;
}

void store_bell_free(struct store_bell **bell)
{
    struct store_bell *b = *bell;
    if (!b)
        return;
    pthread_cond_destroy(&b->rung);
    pthread_mutex_destroy(&b->lock);
    heap_free(b);
    *bell = NULL;
}
