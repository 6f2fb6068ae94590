/* store_test.c - units, reads, values, groups and order, on both databases. */
#include "testing/testing.h"

#include <pthread.h>
#include <semaphore.h>

#include "store_test_sql.h"

/* A unit takes a void pointer; text goes in without its const. */
#define TEXT_ARG(text) ((void *)(uintptr_t)(text))

static enum err_code put(struct cx *cx, struct db *db, void *arg)
{
    return probe_put(cx, db, (struct probe_put_in){ str_of(arg), 1 }, NULL);
}

static enum err_code put_then_fail(struct cx *cx, struct db *db, void *arg)
{
    TRY(put(cx, db, arg));
    return fail_field(cx, "subject", "no");
}

static enum err_code count(struct cx *cx, struct db *db, void *arg)
{
    return probe_count(cx, db, (struct probe_count_in){ 0 }, arg);
}

static int64_t rows_of(struct world *w)
{
    struct probe_count_row r;
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
    return r.n;
}

static void a_failed_unit_leaves_nothing(void **state)
{
    struct world *w = *state;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("a")));
    CHECK_ERR(store_write(w->store, &w->cx, put_then_fail, TEXT_ARG("b")), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "subject");
    CHECK_INT(rows_of(w), 1);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("b")));
    CHECK_INT(rows_of(w), 2);
    CHECK_INT(store_stats(w->store).failures, 1);
}

static enum err_code put_late(struct cx *cx, struct db *db, void *arg)
{
    return probe_team_late(cx, db, (struct probe_team_late_in){ 1, str_of(arg), 1 }, NULL);
}

static enum err_code swallow(struct cx *cx, struct db *db, void *arg)
{
    int64_t n;
    (void)!probe_put(cx, db, (struct probe_put_in){ str_of(arg), 1 }, &n);
    return E_OK;
}

static void collisions_are_conflicts(void **state)
{
    struct world *w = *state;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("a")));
    CHECK_ERR(store_write(w->store, &w->cx, put, TEXT_ARG("a")), E_CONFLICT);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put_late, TEXT_ARG("Support")));
    CHECK_ERR(store_write(w->store, &w->cx, put_late, TEXT_ARG("Support")), E_CONFLICT);
    CHECK_ERR(store_write(w->store, &w->cx, swallow, TEXT_ARG("a")), E_INTERNAL);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("z")));
    CHECK_INT(rows_of(w), 2);
}

static enum err_code broken(struct cx *cx, struct db *db, void *arg)
{
    TRY(put(cx, db, TEXT_ARG("x")));
    return probe_broken(cx, db, (struct probe_broken_in){ 1 }, NULL);
}

static enum err_code bad_text(struct cx *cx, struct db *db, void *arg)
{
    return probe_put(cx, db, (struct probe_put_in){ *(struct str *)arg, 1 }, NULL);
}

static void broken_rules_and_bad_text_are_told_apart(void **state)
{
    struct world *w = *state;
    CHECK_ERR(store_write(w->store, &w->cx, broken, NULL), E_INTERNAL);
    CHECK_ERR(store_write(w->store, &w->cx, bad_text, &STR("a\0b")), E_INVALID);
    CHECK_ERR(store_write(w->store, &w->cx, bad_text, &STR("\xff")), E_INVALID);
    CHECK_ERR(store_read(w->store, &w->cx, put, TEXT_ARG("read")), E_INTERNAL);
    CHECK_INT(rows_of(w), 0);
}

static enum err_code echo(struct cx *cx, struct db *db, void *arg)
{
    struct probe_values_row *rows = arg, *v = rows;
    struct probe_values_in in = { INT64_MIN, 0, true, STR_NONE, STR_NONE, STR_NONE, -0.5 };
    TRY(probe_values(cx, db, in, v++));
    in = (struct probe_values_in){ INT64_MAX, 7, false, STR("é\n"), STR(""), STR("\0\xff"), 1e300 };
    return probe_values(cx, db, in, v);
}

static void values_come_back_as_they_went(void **state)
{
    struct world *w = *state;
    struct probe_values_row v[2];
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, echo, v));
    CHECK(v[0].i == INT64_MIN && v[0].ref == 0 && v[0].b && v[0].r == -0.5);
    CHECK(v[0].t.ptr && v[0].t.len == 0 && !v[0].tn.ptr && !v[0].x.ptr);
    CHECK(v[1].i == INT64_MAX && v[1].ref == 7 && !v[1].b && v[1].r == 1e300);
    CHECK_STR(v[1].t, "é\n");
    CHECK(v[1].tn.ptr && v[1].tn.len == 0);
    CHECK(str_eq(v[1].x, STR("\0\xff")));
}

struct listing {
    struct probe_list_in in;
    struct probe_row *rows;
    size_t n;
};

static enum err_code list(struct cx *cx, struct db *db, void *arg)
{
    struct listing *l = arg;
    return probe_list(cx, db, l->in, &l->rows, &l->n);
}

static enum err_code find(struct cx *cx, struct db *db, void *arg)
{
    struct probe_row r;
    return probe_get(cx, db, (struct probe_get_in){ str_of(arg) }, &r);
}

static void optional_lines_follow_their_parameters(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 40; i++)
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG(arena_printf(w->arena, "k%02d", i).ptr)));
    struct listing l = { .in = { .limit = 100 } };
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, list, &l));
    CHECK_INT(l.n, 40);
    CHECK_STR(l.rows[39].key, "k39");
    l.in = (struct probe_list_in){ .key = STR("k07"), .limit = 100 };
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, list, &l));
    CHECK_INT(l.n, 1);
    l.in = (struct probe_list_in){ .least = 2, .limit = 100 };
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, list, &l));
    CHECK_INT(l.n, 0);
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, find, TEXT_ARG("k01")));
    CHECK_ERR(store_read(w->store, &w->cx, find, TEXT_ARG("none")), E_NOT_FOUND);
}

static enum err_code slow(struct cx *cx, struct db *db, void *arg)
{
    struct probe_count_row r;
    return probe_slow(cx, db, (struct probe_slow_in){ 2000000000 }, &r);
}

static void a_deadline_stops_a_read(void **state)
{
    struct world *w = *state;
    int64_t start_us = clock_monotonic_us();
    CHECK_ERR(store_read_within(w->store, &w->cx, 100 * US_PER_MS, slow, NULL), E_BUSY);
    CHECK(clock_monotonic_us() - start_us < 5 * US_PER_SECOND);
    CHECK(str_find(w->cx.failure.message, STR("too long")) >= 0);
    CHECK_INT(rows_of(w), 0);
}

/* ---- many at once ---- */

enum { THREADS = 16, ROUNDS = 40, ACCOUNTS = 3 };

struct storm {
    struct world *w;
    int number;
    int wrong;
};

/* Reads, decides and writes: only right when units of one account do not overlap. */
static enum err_code count_up(struct cx *cx, struct db *db, void *arg)
{
    struct probe_row r;
    struct str key = arena_printf(cx->arena, "account%d", (int)cx->account_id);
    TRY(probe_get(cx, db, (struct probe_get_in){ key }, &r));
    TRY(probe_add(cx, db, (struct probe_add_in){ key, 1 }, NULL));
    return *(int *)arg % 5 == 0 ? fail(cx, E_CONFLICT, "not this time") : E_OK;
}

static void *storm_main(void *arg)
{
    struct storm *s = arg;
    struct arena *arena = arena_new("storm", 0);
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(arena);
        struct cx cx = { .arena = arena, .account_id = 1 + (s->number + i) % ACCOUNTS };
        enum err_code code = i % 7 ? store_write(s->w->store, &cx, count_up, &i) : store_write_bulk(s->w->store, &cx, count_up, &i);
        s->wrong += code != (i % 5 == 0 ? E_CONFLICT : E_OK);
    }
    arena_free(&arena);
    return NULL;
}

static void a_storm_loses_nothing(void **state)
{
    struct world *w = *state;
    struct storm storms[THREADS];
    pthread_t threads[THREADS];
    struct probe_count_row r;
    for (int i = 1; i <= ACCOUNTS; i++)
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG(arena_printf(w->arena, "account%d", i).ptr)));
    for (int i = 0; i < THREADS; i++) {
        storms[i] = (struct storm){ w, i, 0 };
        CHECK_INT(pthread_create(&threads[i], NULL, storm_main, &storms[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(storms[i].wrong, 0);
    }
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
    CHECK_INT(r.total, ACCOUNTS + THREADS * (ROUNDS - ROUNDS / 5));
    CHECK_INT(store_stats(w->store).queue_length, 0);
}

/* ---- groups ---- */

struct batch {
    sem_t done, gate;
    enum err_code codes[8];
    struct cx cx[8];
    const char *names[8];
    struct batch_item { struct batch *batch; int i; } items[8];
};

/* The gate stays open for another run of this unit. */
static enum err_code hold(struct cx *cx, struct db *db, void *arg)
{
    struct batch *b = arg;
    while (sem_wait(&b->gate) != 0)
        ;
    sem_post(&b->gate);
    return E_OK;
}

static void held_done(struct cx *cx, enum err_code code, void *arg)
{
    sem_post(&((struct batch *)arg)->done);
}

static enum err_code item_put(struct cx *cx, struct db *db, void *arg)
{
    struct batch_item *it = arg;
    return put_late(cx, db, (void *)(uintptr_t)it->batch->names[it->i]);
}

static void item_done(struct cx *cx, enum err_code code, void *arg)
{
    struct batch_item *it = arg;
    it->batch->codes[it->i] = code;
    sem_post(&it->batch->done);
}

/* The writer is held while n units queue up, so that they form one group. */
static void run_batch(struct world *w, struct batch *b, int n)
{
    struct cx holder = world_cx(w);
    sem_init(&b->done, 0, 0);
    sem_init(&b->gate, 0, 0);
    holder.account_id = 1;
    store_write_async(w->store, &holder, hold, held_done, b);
    for (int i = 0; i < n; i++) {
        b->items[i] = (struct batch_item){ b, i };
        b->cx[i] = world_cx(w);
        b->cx[i].account_id = 1;
        store_write_async(w->store, &b->cx[i], item_put, item_done, &b->items[i]);
    }
    sem_post(&b->gate);
    for (int i = 0; i <= n; i++)
        while (sem_wait(&b->done) != 0)
            ;
    sem_destroy(&b->done);
    sem_destroy(&b->gate);
}

static void one_bad_unit_does_not_harm_its_group(void **state)
{
    struct world *w = *state;
    struct batch b = { .names = { "a", "b", "a", "c", "b", "d" } };
    static const enum err_code want[] = { E_OK, E_OK, E_CONFLICT, E_OK, E_CONFLICT, E_OK };
    run_batch(w, &b, 6);
    for (int i = 0; i < 6; i++)
        CHECK_INT(b.codes[i], want[i]);
    CHECK(b.cx[2].failure.message.len);
}

static void a_failed_commit_fails_the_whole_group(void **state)
{
    struct world *w = *state;
    struct batch b = { .names = { "a", "b", "c" } };
    store_inject_full(w->store, true);
    run_batch(w, &b, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(b.codes[i], E_BUSY);
        CHECK_STR(b.cx[i].failure.message, "The disk is full");
    }
    store_inject_full(w->store, false);
    run_batch(w, &b, 3);
    for (int i = 0; i < 3; i++)
        CHECK_INT(b.codes[i], E_OK);
}

static void woken(void *arg)
{
    sem_post(arg);
}

static enum err_code nothing(struct cx *cx, struct db *db, void *arg)
{
    return E_OK;
}

static void listeners_hear_of_changes_only(void **state)
{
    struct world *w = *state;
    sem_t heard;
    int n = 0;
    sem_init(&heard, 0, 0);
    store_on_commit(w->store, woken, &heard);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, nothing, NULL));
    while (sem_trywait(&heard) == 0)
        ;       /* the commit before may have been announced after it was answered */
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("a")));
    while (sem_wait(&heard) != 0)
        ;
    CHECK_ERR(store_write(w->store, &w->cx, put, TEXT_ARG("a")), E_CONFLICT);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, nothing, NULL));
    store_on_commit_remove(w->store, woken, &heard);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("b")));
    sem_getvalue(&heard, &n);
    CHECK_INT(n, 0);
    sem_destroy(&heard);
}

TESTS(BOTH(a_failed_unit_leaves_nothing), BOTH(collisions_are_conflicts), BOTH(broken_rules_and_bad_text_are_told_apart),
      BOTH(values_come_back_as_they_went), BOTH(optional_lines_follow_their_parameters), BOTH(a_deadline_stops_a_read),
      BOTH(a_storm_loses_nothing), BOTH(one_bad_unit_does_not_harm_its_group), BOTH(a_failed_commit_fails_the_whole_group),
      BOTH(listeners_hear_of_changes_only))
