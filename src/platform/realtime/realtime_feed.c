/* realtime_feed.c - one thread reads the journal: new events into rings, old ones for who was away. */
#include "platform/realtime/realtime_internal.h"

#include <time.h>

enum { READ_BATCH = 1000, OP_TEXT = 1 };

/* ---- rings; under rt->lock ---- */

static struct feed *feed_find(struct realtime *rt, int64_t account_id)
{
    struct feed *f = rt->feeds;
    while (f && f->account_id != account_id)
        f = f->next;
    return f;
}

static void feed_drop_oldest(struct feed *feed, size_t keep)
{
    size_t drop = feed->n > keep ? feed->n - keep : 0;
    for (size_t i = 0; i < drop; i++)
        frame_drop(feed->frames[i]);
    feed->n -= drop;
    if (drop)
        memmove(feed->frames, feed->frames + drop, feed->n * sizeof(struct frame *));
}

static void feed_append(struct realtime *rt, struct feed *feed, struct frame **frames, size_t n)
{
    size_t most = MAX((size_t)RING_LEAST, RING_EVENTS / MAX(rt->nfeeds, (size_t)1));
    if (feed->n + n > feed->cap) {
        feed->cap = MAX(feed->n + n, MIN(2 * feed->cap, most + n));
        feed->frames = heap_grow(feed->frames, feed->cap * sizeof(struct frame *));
    }
    memcpy(feed->frames + feed->n, frames, n * sizeof(struct frame *));
    feed->n += n;
    feed->head = frames[n - 1]->seq;
    /* A quarter too many at a time, so that the ring does not move for each event. */
    if (feed->n > most + most / 4)
        feed_drop_oldest(feed, most);
}

static void feed_free(struct realtime *rt, struct feed **at)
{
    struct feed *feed = *at;
    *at = feed->next;
    rt->nfeeds--;
    feed_drop_oldest(feed, 0);
    heap_free(feed->frames);
    heap_free(feed);
}

void feeds_free(struct realtime *rt)
{
    while (rt->feeds)
        feed_free(rt, &rt->feeds);
}

/* The feeder removes a ring without listeners at its next look. */
void feed_leave(struct conn *c)
{
    pthread_mutex_lock(&c->rt->lock);
    feed_find(c->rt, c->user.account_id)->listeners--;
    pthread_mutex_unlock(&c->rt->lock);
}

bool feed_pump(struct conn *c)
{
    struct realtime *rt = c->rt;
    bool ok = true;
    pthread_mutex_lock(&rt->lock);
    struct feed *feed = feed_find(rt, c->user.account_id);
    ASSERT(feed);
    if (c->cursor < feed->head - (int64_t)feed->n)
        ok = false;
    else
        for (size_t i = feed->n - (size_t)(feed->head - c->cursor); i < feed->n && !c->close_code; i++) {
            struct frame *f = feed->frames[i];
            if (rt->rules.may_see(&c->user, f->event_copy))
                conn_send(c, frame_share(f));
        }
    if (ok)
        c->cursor = feed->head;
    pthread_mutex_unlock(&rt->lock);
    return ok;
}

/* ---- new events ---- */

struct reading {
    int64_t account_id, after, head;
    struct event *events;
    size_t n, limit;
    bool want_head;
};

static enum err_code read_events(struct cx *cx, struct db *db, void *arg)
{
    struct reading *r = arg;
    cx->account_id = r->account_id;
    if (r->want_head)
        TRY(journal_head(cx, db, r->account_id, &r->head));
    if (r->want_head && r->after < 0)
        return E_OK;
    return journal_read(cx, db, r->account_id, r->after, (int64_t)r->limit, &r->events, &r->n);
}

static enum err_code read_journal(struct realtime *rt, struct cx *cx, struct reading *r)
{
    return store_read(rt->store, cx, read_events, r);
}

/* All that was committed since, of one account. */
static bool refresh_feed(struct realtime *rt, struct cx *cx, int64_t account_id, int64_t head)
{
    bool any = false;
    struct reading r = { .account_id = account_id, .after = head, .limit = READ_BATCH };
    do {
        if (read_journal(rt, cx, &r) != E_OK) {
            log_event(LOG_WARN, "realtime.read", F_STR("error", cx->failure.message));
            return any;
        }
        struct frame **frames = NEWN(cx->arena, struct frame *, r.n + 1);
        for (size_t i = 0; i < r.n; i++)
            frames[i] = event_frame(cx->arena, &r.events[i]);
        if (r.n) {
            pthread_mutex_lock(&rt->lock);
            feed_append(rt, feed_find(rt, account_id), frames, r.n);
            pthread_mutex_unlock(&rt->lock);
            r.after = r.events[r.n - 1].seq;
            any = true;
        }
    } while (r.n == READ_BATCH);
    return any;
}

static void refresh(struct realtime *rt, struct cx *cx)
{
    pthread_mutex_lock(&rt->lock);
    int64_t(*todo)[2] = arena_alloc(cx->arena, (rt->nfeeds + 1) * sizeof *todo);
    size_t n = 0;
    for (struct feed **at = &rt->feeds; *at;) {
        if (!(*at)->listeners) {
            feed_free(rt, at);
            continue;
        }
        todo[n][0] = (*at)->account_id;
        todo[n++][1] = (*at)->head;
        at = &(*at)->next;
    }
    pthread_mutex_unlock(&rt->lock);
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= refresh_feed(rt, cx, todo[i][0], todo[i][1]);
    for (size_t i = 0; any && i < LOOPS; i++) {
        pthread_mutex_lock(&rt->loops[i].lock);
        rt->loops[i].dirty = true;
        pthread_mutex_unlock(&rt->loops[i].lock);
        loop_wake(&rt->loops[i]);
    }
}

/* ---- who comes, or was away ---- */

static void give(struct conn *c, struct frame *frame)
{
    if (!c->incoming)
        c->incoming = heap_new((REPLAY_BATCH + 1) * sizeof(struct frame *));
    c->incoming[c->nincoming++] = frame;
}

static void give_notice(struct cx *cx, struct conn *c, const char *type, int64_t seq)
{
    struct str text = arena_printf(cx->arena, "{\"type\":\"%s\",\"seq\":%lld}", type, (long long)seq);
    give(c, frame_new(OP_TEXT, text));
}

/*
 * May it go on from the ring?  Then it is counted as a listener.  Who has just
 * read the journal to its end at `cursor` (`at_end`) makes the ring if there is none.
 */
static bool join_ring(struct realtime *rt, struct conn *c, bool at_end)
{
    pthread_mutex_lock(&rt->lock);
    struct feed *feed = feed_find(rt, c->user.account_id);
    if (!feed && at_end) {
        feed = heap_new(sizeof *feed);
        *feed = (struct feed){ .account_id = c->user.account_id, .head = c->cursor, .next = rt->feeds };
        rt->feeds = feed;
        rt->nfeeds++;
    }
    bool reaches = feed && c->cursor >= feed->head - (int64_t)feed->n && c->cursor <= feed->head;
    if (reaches && !c->joined) {
        feed->listeners++;
        c->joined = true;
    }
    pthread_mutex_unlock(&rt->lock);
    return reaches;
}

/* One step: the greeting, and up to a batch of old events, or over to live. */
static enum err_code feed_conn(struct realtime *rt, struct cx *cx, struct conn *c)
{
    struct reading r = { .account_id = c->user.account_id, .after = c->cursor, .limit = REPLAY_BATCH, .want_head = true };
    TRY(read_journal(rt, cx, &r));
    bool new = !c->greeted;
    bool resync = c->cursor > r.head || (c->cursor >= 0 && r.head - c->cursor > REPLAY_MOST && new);
    if (resync)
        __atomic_add_fetch(&rt->resyncs, 1, __ATOMIC_RELAXED);
    if (new)
        give_notice(cx, c, resync ? "resync" : "hello", r.head);
    if (resync || c->cursor < 0) {
        c->cursor = r.head;
        r.n = 0;
    }
    for (size_t i = 0; i < r.n; i++) {
        if (rt->rules.may_see(&c->user, &r.events[i]))
            give(c, event_frame(cx->arena, &r.events[i]));
        c->cursor = r.events[i].seq;
    }
    c->live = r.n < REPLAY_BATCH;
    return E_OK;
}

static void feed_waiting(struct realtime *rt, struct cx *cx, struct conn *c)
{
    c->failed = false;
    if (c->greeted && join_ring(rt, c, false)) {
        c->live = true;
    } else if (feed_conn(rt, cx, c) != E_OK) {
        log_event(LOG_WARN, "realtime.replay", F_STR("error", cx->failure.message));
        c->failed = true;
    }
    if (c->live && !c->failed)
        c->live = join_ring(rt, c, true);
    struct loop *loop = c->loop;
    pthread_mutex_lock(&loop->lock);
    c->next_in_inbox = loop->returned;
    loop->returned = c;
    pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

void feeder_take(struct realtime *rt, struct conn *c)
{
    c->with_feeder = true;
    pthread_mutex_lock(&rt->feeder_lock);
    c->next_with_feeder = rt->waiting;
    rt->waiting = c;
    pthread_cond_signal(&rt->feeder_wake);
    pthread_mutex_unlock(&rt->feeder_lock);
}

void *feeder_run(void *arg)
{
    struct realtime *rt = arg;
    pthread_mutex_lock(&rt->feeder_lock);
    while (!rt->feeder_stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        bool timed_out = false;
        while (!rt->waiting && !rt->committed && !rt->feeder_stop && !timed_out)
            timed_out = pthread_cond_timedwait(&rt->feeder_wake, &rt->feeder_lock, &until) != 0;
        struct conn *waiting = rt->waiting;
        bool look = rt->committed || timed_out; /* once a second even so: another node may have written */
        rt->waiting = NULL;
        rt->committed = false;
        pthread_mutex_unlock(&rt->feeder_lock);
        struct arena *arena = arena_new("realtime", 0);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        for (struct conn *c = waiting, *next; c; c = next) {
            next = c->next_with_feeder;
            feed_waiting(rt, &cx, c);
        }
        if (look || waiting) /* what was committed while somebody joined, too */
            refresh(rt, &cx);
        arena_free(&arena);
        pthread_mutex_lock(&rt->feeder_lock);
    }
    pthread_mutex_unlock(&rt->feeder_lock);
    return NULL;
}
