/* email_mailbox.c - the threads that follow mailboxes: connect, fetch, wait for news, come back after trouble. */
#include <errno.h>
#include <time.h>

#include "channels/email/email_internal.h"

#define SUPERVISE_US  (2 * US_PER_SECOND)
#define IDLE_US       (60 * US_PER_SECOND)
#define POP3_POLL_US  (60 * US_PER_SECOND)
#define LEASE_US      (4 * US_PER_MINUTE)
#define NOT_MINE_US   (30 * US_PER_SECOND)
#define TROUBLE_US    (5 * US_PER_SECOND)
#define TROUBLE_MOST_US (10 * US_PER_MINUTE)

struct follower {
    struct email *email;
    int64_t account_id, mailbox_id, version;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    struct mailbox_session *session;    /* while connected; for the interrupt */
    bool stop, wanted;
    struct follower *next;
};

struct followers {
    struct email *email;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stop;
    struct follower *list;
};

/* True when it was told to stop meanwhile. */
static bool pause_for(pthread_mutex_t *lock, pthread_cond_t *woken, const bool *stop, int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(us / US_PER_SECOND);
    until.tv_nsec += (long)(us % US_PER_SECOND) * 1000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(lock);
    while (!*stop)
        if (pthread_cond_timedwait(woken, lock, &until) == ETIMEDOUT)
            break;
    bool stopped = *stop;
    pthread_mutex_unlock(lock);
    return stopped;
}

/* ---- the state that the admin sees ---- */

struct state_unit { int64_t mailbox_id; struct str state, detail; };

static enum err_code state_unit(struct cx *cx, struct db *db, void *arg)
{
    const struct state_unit *s = arg;
    int64_t changed = 0;
    TRY(em_mailbox_set_state(cx, db, (struct em_mailbox_set_state_in){ cx->account_id, s->mailbox_id, s->state, s->detail, cx->now_us }, &changed));
    if (changed == 0)
        return E_OK;
    return email_emit(cx, db, STR("mailbox.state"), 0, s->mailbox_id,
                      arena_printf(cx->arena, "{\"state\":%s,\"detail\":%s}", json_quote(cx->arena, s->state).ptr,
                                   json_quote(cx->arena, s->detail).ptr));
}

static void set_state(struct cx *cx, struct follower *f, struct str state, struct str detail)
{
    struct state_unit unit = { f->mailbox_id, state, detail };
    if (store_write(f->email->store, cx, state_unit, &unit) != E_OK)
        log_event(LOG_WARN, "mailbox.state", F_INT("mailbox_id", f->mailbox_id), F_STR("message", cx->failure.message));
}

/* ---- one connection ---- */

static enum err_code connect_to(struct cx *cx, struct follower *f, const struct em_mailbox *mailbox, struct mailbox_session **ret)
{
    struct mailbox_server server;
    TRY(email_incoming_server(cx, f->email, mailbox, false, &server));
    enum err_code code = mailbox_open(cx, &server, ret);
    if (code == E_UNAUTHENTICATED && str_is(mailbox->in_auth, "xoauth2")) {
        TRY(email_incoming_server(cx, f->email, mailbox, true, &server));
        code = mailbox_open(cx, &server, ret);
    }
    return code;
}

static bool set_session(struct follower *f, struct mailbox_session *session)
{
    pthread_mutex_lock(&f->lock);
    f->session = session;
    bool stop = f->stop;
    pthread_mutex_unlock(&f->lock);
    return stop;
}

/* Each round has an arena and a time of its own; failures are copied out of it. */
static enum err_code one_round(struct cx *cx, struct follower *f, const struct em_mailbox *mailbox, struct mailbox_session *session, bool *ret_end)
{
    bool mine = false, more = false, news = false;
    size_t stored = 0;
    struct arena *arena = arena_new("mailbox.round", 0);
    struct cx round = { .arena = arena, .now_us = clock_now_us(), .account_id = cx->account_id, .actor = cx->actor };
    enum err_code code = email_lease_take(&round, f->email, arena_printf(arena, "mailbox:%lld", (long long)f->mailbox_id), LEASE_US, &mine);
    if (code == E_OK && mine)
        code = email_fetch_round(&round, f->email, mailbox, session, &stored, &more);
    if (code == E_OK && mine && !more) {
        set_state(&round, f, STR("ok"), STR(""));
        *ret_end = str_is(mailbox->in_kind, "pop3");    /* its view is fixed at sign-in */
        if (!*ret_end)
            code = mailbox_idle(&round, session, IDLE_US, &news);
    }
    *ret_end = *ret_end || !mine;
    cx->failure = round.failure;
    cx->failure.message = arena_copy(cx->arena, round.failure.message);
    cx->failure.detail = arena_copy(cx->arena, round.failure.detail);
    arena_free(&arena);
    return code;
}

static bool stopped(struct follower *f)
{
    pthread_mutex_lock(&f->lock);
    bool stop = f->stop;
    pthread_mutex_unlock(&f->lock);
    return stop;
}

static enum err_code visit(struct cx *cx, struct follower *f)
{
    struct em_mailbox mailbox;
    struct mailbox_session *session = NULL;
    bool mine = false, end = false;
    TRY(email_lease_take(cx, f->email, arena_printf(cx->arena, "mailbox:%lld", (long long)f->mailbox_id), LEASE_US, &mine));
    if (!mine)
        return E_OK;
    TRY(email_mailbox_load(cx, f->email, f->mailbox_id, &mailbox));
    TRY(connect_to(cx, f, &mailbox, &session));
    enum err_code code = E_OK;
    end = set_session(f, session);
    while (!end && code == E_OK) {
        code = one_round(cx, f, &mailbox, session, &end);
        end = end || stopped(f);
    }
    set_session(f, NULL);
    mailbox_close(&session);
    return code;
}

static void *follower_main(void *arg)
{
    struct follower *f = arg;
    int64_t trouble_us = TROUBLE_US, wait_us = 0;
    while (!pause_for(&f->lock, &f->woken, &f->stop, wait_us)) {
        struct arena *arena = arena_new("mailbox", 0);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .account_id = f->account_id, .actor = STR("system") };
        int64_t began = clock_monotonic_us();
        enum err_code code = visit(&cx, f);
        wait_us = store_kind(f->email->store) == STORE_SQLITE ? POP3_POLL_US : MAX(POP3_POLL_US, NOT_MINE_US);
        if (code != E_OK && !stopped(f)) {
            if (clock_monotonic_us() - began > TROUBLE_MOST_US)
                trouble_us = TROUBLE_US;        /* it worked for long: a new trouble */
            log_event(LOG_WARN, "mailbox.trouble", F_INT("account_id", f->account_id), F_INT("mailbox_id", f->mailbox_id),
                      F_STR("message", cx.failure.message), F_STR("detail", cx.failure.detail));
            struct str detail = cx.failure.message;
            cx.now_us = clock_now_us();
            set_state(&cx, f, STR("failing"), arena_copy(arena, detail));
            wait_us = trouble_us + (int64_t)(rand_u64() % (uint64_t)(trouble_us / 2));
            trouble_us = MIN(trouble_us * 2, TROUBLE_MOST_US);
        } else {
            trouble_us = TROUBLE_US;
        }
        arena_free(&arena);
    }
    return NULL;
}

/* ---- who follows ---- */

static struct follower *follower_start(struct email *email, const struct em_mailbox_key *key)
{
    struct follower *f = heap_new(sizeof(*f));
    *f = (struct follower){ .email = email, .account_id = key->account_id, .mailbox_id = key->id, .version = key->version, .wanted = true };
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->woken, NULL);
    ASSERT(pthread_create(&f->thread, NULL, follower_main, f) == 0);
    return f;
}

static void follower_stop(struct follower *f)
{
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_signal(&f->woken);
    if (f->session)
        mailbox_interrupt(f->session);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    pthread_cond_destroy(&f->woken);
    pthread_mutex_destroy(&f->lock);
    heap_free(f);
}

struct followed_read { struct em_mailbox_key *rows; size_t n; };

static enum err_code followed_read(struct cx *cx, struct db *db, void *arg)
{
    struct followed_read *r = arg;
    return em_mailbox_followed(cx, db, (struct em_mailbox_followed_in){ 0 }, &r->rows, &r->n);
}

/* Followers of mailboxes that are gone or changed end; those of new and changed ones start. */
static void supervise(struct followers *all, const struct em_mailbox_key *rows, size_t n)
{
    for (struct follower *f = all->list; f; f = f->next)
        f->wanted = false;
    bool *have = heap_new(n + 1);
    for (size_t i = 0; i < n; i++)
        for (struct follower *f = all->list; f; f = f->next)
            if (f->mailbox_id == rows[i].id && f->account_id == rows[i].account_id && f->version == rows[i].version)
                have[i] = f->wanted = true;
    for (struct follower **at = &all->list; *at;) {
        struct follower *f = *at;
        if (f->wanted) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        follower_stop(f);
    }
    for (size_t i = 0; i < n; i++) {
        if (have[i])
            continue;
        struct follower *f = follower_start(all->email, &rows[i]);
        f->next = all->list;
        all->list = f;
    }
    heap_free(have);
}

static void *followers_main(void *arg)
{
    struct followers *all = arg;
    int64_t wait_us = 0;
    while (!pause_for(&all->lock, &all->woken, &all->stop, wait_us)) {
        struct arena *arena = arena_new("mailboxes", 0);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        struct followed_read read = { 0 };
        if (store_read(all->email->store, &cx, followed_read, &read) == E_OK)
            supervise(all, read.rows, read.n);
        arena_free(&arena);
        wait_us = SUPERVISE_US;
    }
    supervise(all, NULL, 0);
    return NULL;
}

struct followers *followers_start(struct email *email)
{
    struct followers *all = heap_new(sizeof(*all));
    all->email = email;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->woken, NULL);
    ASSERT(pthread_create(&all->thread, NULL, followers_main, all) == 0);
    return all;
}

void followers_stop(struct followers **followers)
{
    struct followers *all = *followers;
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->stop = true;
    pthread_cond_signal(&all->woken);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->thread, NULL);
    pthread_cond_destroy(&all->woken);
    pthread_mutex_destroy(&all->lock);
    heap_free(all);
    *followers = NULL;
}
