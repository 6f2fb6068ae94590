/*
 * store_bench.c - tickets a second through the store: the ceiling of everything above it.  Compare with bare_insert.
 *
 *   store_bench sqlite PATH|postgres URL TICKETS IN_FLIGHT [ACCOUNTS]
 *
 * Writes the rows of new tickets by store_write_async with so many units under way, on an empty database.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "store_bench_sql.h"

enum { BODY_BYTES = 1024, MAX_FLIGHT = 1024 };

struct flight {
    struct arena *arena;
    struct cx cx;
    sem_t *landed;
    _Atomic bool busy;
};

static char body[BODY_BYTES];
static _Atomic int failed;

static enum err_code write_ticket(struct cx *cx, struct db *db, void *arg)
{
    struct bench_counter_row counter;
    struct bench_id_row ticket, message;
    int64_t account = cx->account_id, now = cx->now_us;
    TRY(bench_counter(cx, db, (struct bench_counter_in){ account }, &counter));
    TRY(bench_ticket(cx, db, (struct bench_ticket_in){ account, counter.ticket_number, now }, &ticket));
    TRY(bench_count(cx, db, (struct bench_count_in){ account }, NULL));
    TRY(bench_message(cx, db, (struct bench_message_in){ account, ticket.id, { body, sizeof body }, now }, &message));
    TRY(bench_event(cx, db, (struct bench_event_in){ account, counter.event_seq - 1, STR("ticket.created"), ticket.id, ticket.id, now }, NULL));
    return bench_event(cx, db, (struct bench_event_in){ account, counter.event_seq, STR("message.created"), ticket.id, message.id, now }, NULL);
}

static enum err_code make_account(struct cx *cx, struct db *db, void *arg)
{
    return bench_account(cx, db, (struct bench_account_in){ cx->account_id }, NULL);
}

static void landed(struct cx *cx, enum err_code code, void *arg)
{
    struct flight *f = arg;
    if (code != E_OK && atomic_fetch_add(&failed, 1) == 0)
        fprintf(stderr, "%.*s %.*s\n", STR_ARG(cx->failure.message), STR_ARG(cx->failure.detail));
    atomic_store(&f->busy, false);
    sem_post(f->landed);
}

static void launch(struct store *store, struct flight *f, int64_t account)
{
    arena_reset(f->arena);
    atomic_store(&f->busy, true);
    f->cx = (struct cx){ .arena = f->arena, .now_us = clock_now_us(), .account_id = account };
    store_write_async(store, &f->cx, write_ticket, landed, f);
}

static void wait_for(sem_t *s)
{
    while (sem_wait(s) != 0)
        ;
}

static void run(struct store *store, int64_t tickets, size_t in_flight, int64_t accounts)
{
    static struct flight flights[MAX_FLIGHT];
    sem_t free_places;
    size_t at = 0;
    sem_init(&free_places, 0, (unsigned)in_flight);
    for (size_t i = 0; i < in_flight; i++) {
        flights[i].arena = arena_new("bench", 0);
        flights[i].landed = &free_places;
    }
    for (int64_t i = 0; i < tickets; i++) {
        wait_for(&free_places);
        while (atomic_load(&flights[at].busy))
            at = (at + 1) % in_flight;
        launch(store, &flights[at], 1 + i % accounts);
    }
    for (size_t i = 0; i < in_flight; i++)
        wait_for(&free_places);
    for (size_t i = 0; i < in_flight; i++)
        arena_free(&flights[i].arena);
    sem_destroy(&free_places);
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_new("bench", 0);
    struct cx cx = { .arena = arena, .now_us = clock_now_us() };
    struct store *store = NULL;
    int64_t tickets = 0, in_flight = 0, accounts = 1;
    int applied;
    if (argc < 5 || !num_parse_int(str_of(argv[3]), &tickets) || !num_parse_int(str_of(argv[4]), &in_flight) ||
        in_flight < 1 || in_flight > MAX_FLIGHT || (argc > 5 && !num_parse_int(str_of(argv[5]), &accounts))) {
        fprintf(stderr, "usage: store_bench sqlite PATH|postgres URL TICKETS IN_FLIGHT [ACCOUNTS]\n");
        return 2;
    }
    bool postgres = strcmp(argv[1], "postgres") == 0;
    memset(body, 'x', sizeof body);
    struct store_options options = { .postgres_url = postgres ? argv[2] : NULL, .sqlite_path = argv[2] };
    enum err_code code = store_open(&cx, &options, &store);
    if (code == E_OK)
        code = store_migrate(store, &cx, &main_migrations, &applied);
    for (cx.account_id = 1; code == E_OK && cx.account_id <= accounts; cx.account_id++)
        code = store_write(store, &cx, make_account, NULL);
    if (code != E_OK) {
        fprintf(stderr, "store_bench: %.*s %.*s\n", STR_ARG(cx.failure.message), STR_ARG(cx.failure.detail));
        return 1;
    }
    int64_t start_us = clock_monotonic_us();
    run(store, tickets, (size_t)in_flight, accounts);
    int64_t took_us = clock_monotonic_us() - start_us;
    struct store_stats s = store_stats(store);
    printf("%.0f tickets/s, %.1f units a group, %d failed, %d groups run again\n", (double)tickets * 1e6 / (double)took_us,
           (double)s.units / (double)s.groups, atomic_load(&failed), (int)s.retries);
    store_close(&store);
    arena_free(&arena);
    return atomic_load(&failed) != 0;
}
