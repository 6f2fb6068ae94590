/* http_lane.c - workers that run requests off the event loops. */
#include "platform/http/http_internal.h"

static struct exchange *take(struct work_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    while (!lane->first && !lane->stopping)
        pthread_cond_wait(&lane->wake, &lane->lock);
    struct exchange *x = lane->first;
    if (x) {
        lane->first = x->next;
        if (!lane->first)
            lane->last = NULL;
        lane->length--;
    }
    pthread_mutex_unlock(&lane->lock);
    return x;
}

static void *work(void *arg)
{
    struct exchange *x;
    while ((x = take(arg)))
        exchange_work(x);
    return NULL;
}

void lane_start(struct work_lane *lane, unsigned threads)
{
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->wake, NULL);
    lane->nthreads = MIN(threads ? threads : 2, (unsigned)COUNT(lane->threads));
    for (unsigned i = 0; i < lane->nthreads; i++)
        ASSERT(pthread_create(&lane->threads[i], NULL, work, lane) == 0);
}

void lane_push(struct work_lane *lane, struct exchange *x)
{
    x->next = NULL;
    pthread_mutex_lock(&lane->lock);
    if (lane->last)
        lane->last->next = x;
    else
        lane->first = x;
    lane->last = x;
    lane->length++;
    /* Under the lock: once it is free, the lane may be gone. */
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
}

void lane_stop(struct work_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->stopping = true;
    pthread_cond_broadcast(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    for (unsigned i = 0; i < lane->nthreads; i++)
        pthread_join(lane->threads[i], NULL);
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->wake);
}

size_t lane_length(struct work_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    size_t n = lane->length;
    pthread_mutex_unlock(&lane->lock);
    return n;
}
