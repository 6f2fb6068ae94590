/* realtime.c - see realtime.h. */
#include "platform/realtime/realtime_internal.h"

#include <fcntl.h>
#include <stdio.h>

static void on_commit(void *arg)
{
    struct realtime *rt = arg;
    pthread_mutex_lock(&rt->feeder_lock);
    rt->committed = true;
    pthread_cond_signal(&rt->feeder_wake);
    pthread_mutex_unlock(&rt->feeder_lock);
}

struct realtime *realtime_new(struct store *store, struct realtime_rules rules, unsigned max_per_user)
{
    return realtime_start(store, rules, max_per_user, 25 * US_PER_SECOND, 60 * US_PER_SECOND);
}

struct realtime *realtime_start(struct store *store, struct realtime_rules rules, unsigned max_per_user, int64_t ping_us, int64_t deaf_us)
{
    struct realtime *rt = heap_new(sizeof *rt);
    rt->store = store;
    rt->rules = rules;
    rt->max_per_user = max_per_user ? max_per_user : 20;
    rt->ping_us = ping_us;
    rt->deaf_us = deaf_us;
    rt->close_us = 5 * US_PER_SECOND;
    rt->per_user = map_new(NULL);
    pthread_mutex_init(&rt->lock, NULL);
    pthread_mutex_init(&rt->feeder_lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&rt->feeder_wake, &attr);
    pthread_condattr_destroy(&attr);
    for (size_t i = 0; i < LOOPS; i++)
        loop_start(rt, &rt->loops[i]);
    ASSERT(pthread_create(&rt->feeder, NULL, feeder_run, rt) == 0);
    store_on_commit(store, on_commit, rt);
    return rt;
}

void realtime_free(struct realtime **ref)
{
    struct realtime *rt = *ref;
    if (!rt)
        return;
    store_on_commit_remove(rt->store, on_commit, rt);
    pthread_mutex_lock(&rt->feeder_lock);
    rt->feeder_stop = true;
    pthread_cond_signal(&rt->feeder_wake);
    pthread_mutex_unlock(&rt->feeder_lock);
    pthread_join(rt->feeder, NULL);
    for (size_t i = 0; i < LOOPS; i++)
        loop_stop(&rt->loops[i]);
    feeds_free(rt);
    map_free(&rt->per_user);
    pthread_mutex_destroy(&rt->lock);
    pthread_mutex_destroy(&rt->feeder_lock);
    pthread_cond_destroy(&rt->feeder_wake);
    heap_free(rt);
    *ref = NULL;
}

/* ---- how many a user has ---- */

static struct str user_key(char text[48], const struct realtime_user *user)
{
    int n = snprintf(text, 48, "%lld/%lld", (long long)user->account_id, (long long)user->user_id);
    return (struct str){ text, (size_t)n };
}

static uintptr_t count_of(struct realtime *rt, const struct realtime_user *user, int change)
{
    char text[48];
    struct str key = user_key(text, user);
    pthread_mutex_lock(&rt->lock);
    uintptr_t n = (uintptr_t)map_get(rt->per_user, key);
    if (change) {
        n = change > 0 ? n + 1 : n - 1;
        map_put(rt->per_user, key, (void *)n);
    }
    pthread_mutex_unlock(&rt->lock);
    return n;
}

enum err_code realtime_admit(struct cx *cx, struct db *db, struct realtime *rt, struct realtime_user *ret_user)
{
    *ret_user = (struct realtime_user){ .account_id = cx->account_id, .user_id = cx->user_id, .permissions = cx->permissions,
                                        .only_own_teams = cx->only_own_teams };
    if (count_of(rt, ret_user, 0) >= rt->max_per_user)
        return fail(cx, E_RATE, "At most %u streams a user", rt->max_per_user);
    return rt->rules.load_user ? rt->rules.load_user(cx, db, ret_user) : E_OK;
}

/* ---- connections ---- */

void realtime_adopt(struct realtime *rt, int fd, struct str early, const struct realtime_user *user, int64_t after,
                    void (*closed)(void *arg), void *arg)
{
    struct conn *c = heap_new(sizeof *c);
    *c = (struct conn){ .rt = rt, .fd = fd, .user = *user, .cursor = after, .closed = closed, .closed_arg = arg };
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    c->user.team_ids = NULL;    /* without teams it may still point into the caller's arena */
    if (user->nteams) {
        int64_t *teams = heap_new(user->nteams * sizeof *teams);
        memcpy(teams, user->team_ids, user->nteams * sizeof *teams);
        c->user.team_ids = teams;
    }
    if (early.len) {
        c->early = heap_copy(early);
        c->early_len = early.len;
    }
    c->doomed = count_of(rt, user, 1) > rt->max_per_user;
    __atomic_add_fetch(&rt->connections, 1, __ATOMIC_RELAXED);
    struct loop *loop = c->loop = &rt->loops[__atomic_fetch_add(&rt->next_loop, 1, __ATOMIC_RELAXED) % LOOPS];
    pthread_mutex_lock(&loop->lock);
    c->next_in_inbox = loop->added;
    loop->added = c;
    pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

void conn_free(struct conn *c)
{
    struct realtime *rt = c->rt;
    count_of(rt, &c->user, -1);
    if (c->joined)
        feed_leave(c);
    for (size_t i = 0; i < c->n; i++)
        frame_drop(c->queue[c->first + i]);
    for (size_t i = 0; i < c->nincoming; i++)
        frame_drop(c->incoming[i]);
    heap_free(c->queue);
    heap_free(c->incoming);
    heap_free(c->early);
    heap_free((void *)(uintptr_t)c->user.team_ids);
    partial_free(&c->partial);
    heap_free(c);
    __atomic_sub_fetch(&rt->connections, 1, __ATOMIC_RELAXED);
}

void realtime_disconnect(struct realtime *rt, int64_t account_id, int64_t user_id)
{
    for (size_t i = 0; i < LOOPS; i++) {
        struct disconnect *d = heap_new(sizeof *d);
        *d = (struct disconnect){ .account_id = account_id, .user_id = user_id };
        pthread_mutex_lock(&rt->loops[i].lock);
        d->next = rt->loops[i].disconnects;
        rt->loops[i].disconnects = d;
        pthread_mutex_unlock(&rt->loops[i].lock);
        loop_wake(&rt->loops[i]);
    }
}

void realtime_metrics(struct realtime *rt, struct buf *out)
{
    buf_printf(out, "# TYPE cairn_realtime_connections gauge\ncairn_realtime_connections %lld\n"
                    "cairn_realtime_frames_sent_total %lld\ncairn_realtime_slow_closed_total %lld\n"
                    "cairn_realtime_resyncs_total %lld\n",
               (long long)__atomic_load_n(&rt->connections, __ATOMIC_RELAXED),
               (long long)__atomic_load_n(&rt->frames_sent, __ATOMIC_RELAXED),
               (long long)__atomic_load_n(&rt->slow_closed, __ATOMIC_RELAXED),
               (long long)__atomic_load_n(&rt->resyncs, __ATOMIC_RELAXED));
}
