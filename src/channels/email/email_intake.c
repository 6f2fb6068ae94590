/* email_intake.c - works off received mail, in order of arrival, in batches of one unit each. */
#include <errno.h>
#include <time.h>

#include "channels/email/email_internal.h"

enum { BATCH_BYTES = 32 * 1024 * 1024 };
#define LEASE_US (60 * US_PER_SECOND)

/* ---- one unit of one or more mails ---- */

struct store_unit {
    struct email *email;
    const struct intake *items;
    const char **states;
    size_t n;
    struct str was;
};

static enum err_code store_unit(struct cx *cx, struct db *db, void *arg)
{
    struct store_unit *unit = arg;
    for (size_t i = 0; i < unit->n; i++)
        TRY(email_store(cx, db, unit->email, &unit->items[i], unit->was, &unit->states[i]));
    return E_OK;
}

static void count(struct email *email, const char *state)
{
    struct str s = str_of(state);
    atomic_fetch_add_explicit(str_is(s, "stored")      ? &email->counters.stored
                              : str_is(s, "duplicate") ? &email->counters.duplicates
                              : str_is(s, "swallowed") ? &email->counters.swallowed
                                                       : &email->counters.quarantined,
                              1, memory_order_relaxed);
}

struct quarantine_unit { int64_t mail_id; struct str detail; };

static enum err_code quarantine_unit(struct cx *cx, struct db *db, void *arg)
{
    struct quarantine_unit *unit = arg;
    TRY(em_mail_quarantine(cx, db, (struct em_mail_quarantine_in){ cx->account_id, unit->mail_id, unit->detail, cx->now_us }, NULL));
    return email_emit(cx, db, STR("mail.quarantined"), 0, unit->mail_id, email_note(cx->arena, "detail", unit->detail));
}

static enum err_code quarantine(struct cx *cx, struct email *email, int64_t mail_id, struct str detail)
{
    failure_clear(cx);
    TRY(store_write(email->store, cx, quarantine_unit, &(struct quarantine_unit){ mail_id, detail }));
    atomic_fetch_add_explicit(&email->counters.quarantined, 1, memory_order_relaxed);
    return E_OK;
}

/* A mail that cannot be stored must not stop the next one: it is set aside with the reason. */
static enum err_code store_one(struct cx *cx, struct email *email, const struct intake *in, struct str was)
{
    const char *state = NULL;
    struct store_unit unit = { email, in, &state, 1, was };
    enum err_code code = store_write(email->store, cx, store_unit, &unit);
    if (code == E_OK)
        count(email, state);
    if (code == E_OK || code == E_BUSY)
        return code;
    if (code == E_CONFLICT && str_is(cx->failure.message, "The mail was processed meanwhile"))
        return E_OK;
    log_event(LOG_ERROR, "mail.quarantined", F_INT("account_id", cx->account_id), F_INT("mail_id", in->row.id),
              F_STR("message", cx->failure.message), F_STR("detail", cx->failure.detail));
    return quarantine(cx, email, in->row.id, arena_printf(cx->arena, "It could not be stored: %.*s", STR_ARG(cx->failure.message)));
}

enum err_code email_process(struct cx *cx, struct email *email, int64_t mail_id)
{
    struct intake in;
    TRY(email_read(cx, email, mail_id, &in));
    enum err_code code;
    if (!str_is(in.row.state, "received") && !str_is(in.row.state, "quarantined"))
        code = fail(cx, E_CONFLICT, "The mail is %.*s already", STR_ARG(in.row.state));
    else
        code = store_one(cx, email, &in, in.row.state);
    email_read_done(&in);
    return code;
}

/* ---- what waits ---- */

struct waiting_read { struct em_waiting *rows; size_t n; };

static enum err_code waiting_read(struct cx *cx, struct db *db, void *arg)
{
    struct waiting_read *w = arg;
    return em_mail_waiting(cx, db, (struct em_mail_waiting_in){ cx->account_id, EMAIL_BATCH }, &w->rows, &w->n);
}

struct begin_unit { int64_t first_id, last_id; bool undo; };

static enum err_code begin_unit(struct cx *cx, struct db *db, void *arg)
{
    const struct begin_unit *b = arg;
    if (b->undo)
        return em_mail_unbegin(cx, db, (struct em_mail_unbegin_in){ cx->account_id, b->first_id, b->last_id }, NULL);
    return em_mail_begin(cx, db, (struct em_mail_begin_in){ cx->account_id, b->first_id, b->last_id }, NULL);
}

static enum err_code store_batch(struct cx *cx, struct email *email, const struct intake *items, size_t n)
{
    const char *states[EMAIL_BATCH];
    struct store_unit unit = { email, items, states, n, STR("received") };
    enum err_code code = store_write(email->store, cx, store_unit, &unit);
    for (size_t i = 0; i < n && code == E_OK; i++)
        count(email, states[i]);
    if (code == E_OK || code == E_BUSY)
        return code;
    failure_clear(cx);
    for (size_t i = 0; i < n; i++)      /* one of them is at fault: find out which */
        TRY(store_one(cx, email, &items[i], STR("received")));
    return E_OK;
}

static enum err_code run_batch(struct cx *cx, struct email *email, const struct em_waiting *rows, size_t n, size_t *ret_did)
{
    struct intake *items = NEWN(cx->arena, struct intake, n);
    struct begin_unit begin = { rows[0].id, rows[n - 1].id, false };
    TRY(store_write(email->store, cx, begin_unit, &begin));
    size_t have = 0, bytes = 0;
    enum err_code code = E_OK;
    for (; have < n && bytes < BATCH_BYTES && code == E_OK; have++) {
        code = email_read(cx, email, rows[have].id, &items[have]);
        bytes += items[have].raw.len;
    }
    if (code == E_OK)
        code = store_batch(cx, email, items, have);
    for (size_t i = 0; i < have; i++)
        email_read_done(&items[i]);
    if (code == E_OK && have < n) {     /* the rest of the mails comes with the next batch */
        begin = (struct begin_unit){ rows[have].id, rows[n - 1].id, true };
        TRY(store_write(email->store, cx, begin_unit, &begin));
    }
    if (code == E_BUSY) {       /* our trouble, not the mails' */
        begin.undo = true;
        struct failure why = cx->failure;
        (void)!store_write(email->store, cx, begin_unit, &begin);
        cx->failure = why;
    }
    *ret_did += code == E_OK ? have : 0;
    return code;
}

/* A mail whose intake ended the process before is taken alone, and after some times set aside. */
static enum err_code next_batch(struct cx *cx, struct email *email, size_t *ret_did)
{
    struct waiting_read w = { 0 };
    TRY(store_read(email->store, cx, waiting_read, &w));
    if (w.n == 0)
        return E_OK;
    if (w.rows[0].attempts >= EMAIL_MAX_ATTEMPTS) {
        *ret_did += 1;
        return quarantine(cx, email, w.rows[0].id, arena_printf(cx->arena, "Reading it ended the program %lld times",
                                                                 (long long)w.rows[0].attempts));
    }
    size_t n = 1;
    while (n < w.n && w.rows[0].attempts == 0 && w.rows[n].attempts == 0)
        n++;
    return run_batch(cx, email, w.rows, n, ret_did);
}

enum err_code email_process_waiting(struct cx *cx, struct email *email, size_t *ret_did)
{
    *ret_did = 0;
    struct arena *arena = arena_new("intake", 0);
    struct cx batch = *cx;
    batch.arena = arena;
    enum err_code code = next_batch(&batch, email, ret_did);
    if (code != E_OK) {
        cx->failure = batch.failure;
        cx->failure.message = arena_copy(cx->arena, batch.failure.message);
        cx->failure.detail = arena_copy(cx->arena, batch.failure.detail);
        cx->failure.extra = STR_NONE;
    }
    arena_free(&arena);
    return code;
}

/* ---- leases ---- */

struct lease_unit { struct str key; const char *owner; int64_t until_us; int64_t changed; };

static enum err_code lease_unit(struct cx *cx, struct db *db, void *arg)
{
    struct lease_unit *l = arg;
    return em_lease_take(cx, db, (struct em_lease_take_in){ cx->account_id, l->key, str_of(l->owner), l->until_us, cx->now_us }, &l->changed);
}

enum err_code email_lease_take(struct cx *cx, struct email *email, struct str key, int64_t duration_us, bool *ret)
{
    *ret = true;
    if (store_kind(email->store) == STORE_SQLITE)
        return E_OK;
    struct lease_unit unit = { key, email->owner, cx->now_us + duration_us, 0 };
    TRY(store_write(email->store, cx, lease_unit, &unit));
    *ret = unit.changed > 0;
    return E_OK;
}

/* ---- the thread ---- */

struct accounts_read { struct account *items; size_t n; };

static enum err_code accounts_read(struct cx *cx, struct db *db, void *arg)
{
    struct accounts_read *all = arg;
    return accounts_all(cx, db, &all->items, &all->n);
}

static bool stopping(struct email *email)
{
    pthread_mutex_lock(&email->intake.lock);
    bool stop = email->intake.stop;
    pthread_mutex_unlock(&email->intake.lock);
    return stop;
}

/* The clock goes on and the lease is renewed with each batch. */
static enum err_code process_account(struct cx *cx, struct email *email)
{
    size_t did = 1;
    while (did > 0 && !stopping(email)) {
        struct waiting_read w = { 0 };
        bool mine = false;
        cx->now_us = clock_now_us();
        TRY(store_read(email->store, cx, waiting_read, &w));
        did = 0;
        if (w.n > 0)
            TRY(email_lease_take(cx, email, STR("intake"), LEASE_US, &mine));
        if (mine)
            TRY(email_process_waiting(cx, email, &did));
    }
    return E_OK;
}

static void complain(struct cx *cx, const char *what)
{
    log_event(LOG_ERROR, what, F_INT("account_id", cx->account_id), F_STR("message", cx->failure.message),
              F_STR("detail", cx->failure.detail));
    failure_clear(cx);
}

/* The trouble of one account does not stop the others. */
static void process_all(struct cx *cx, struct email *email)
{
    struct accounts_read all = { 0 };
    bool recovered = true;
    if (store_read(email->store, cx, accounts_read, &all) != E_OK)
        return complain(cx, "mail.intake");
    for (size_t i = 0; i < all.n; i++) {
        cx->account_id = all.items[i].id;
        if (!email->intake.recovered && email_outbox_recover(cx, email) != E_OK) {
            complain(cx, "mail.outbox");
            recovered = false;
        }
        if (process_account(cx, email) != E_OK)
            complain(cx, "mail.intake");
    }
    email->intake.recovered |= recovered;
}

static void wait_for_news(struct email *email)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;      /* mail that another process received */
    pthread_mutex_lock(&email->intake.lock);
    while (!email->intake.woken && !email->intake.stop)
        if (pthread_cond_timedwait(&email->intake.news, &email->intake.lock, &until) == ETIMEDOUT)
            break;
    email->intake.woken = false;
    pthread_mutex_unlock(&email->intake.lock);
}

static void *intake_main(void *arg)
{
    struct email *email = arg;
    while (!stopping(email)) {
        struct arena *arena = arena_new("intake.round", 0);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        process_all(&cx, email);
        arena_free(&arena);
        wait_for_news(email);
    }
    return NULL;
}

void email_intake_wake(struct email *email)
{
    pthread_mutex_lock(&email->intake.lock);
    email->intake.woken = true;
    pthread_cond_signal(&email->intake.news);
    pthread_mutex_unlock(&email->intake.lock);
}

void email_intake_start(struct email *email)
{
    email->intake.runs = pthread_create(&email->intake.thread, NULL, intake_main, email) == 0;
    ASSERT(email->intake.runs);
}

void email_intake_stop(struct email *email)
{
    if (!email->intake.runs)
        return;
    pthread_mutex_lock(&email->intake.lock);
    email->intake.stop = true;
    pthread_cond_signal(&email->intake.news);
    pthread_mutex_unlock(&email->intake.lock);
    pthread_join(email->intake.thread, NULL);
    email->intake.runs = false;
}
