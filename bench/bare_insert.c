/*
 * bare_insert.c - the ceiling: a loop that inserts the rows of a new ticket (ticket, message of 1 KB, two events,
 * counters) into a database that Cairn made, and nothing else.
 *
 *   bare_insert sqlite PATH|postgres URL TICKETS GROUP
 *
 * Prints tickets a second and the median time of one commit in microseconds.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATEMENTS = 6, BODY_BYTES = 1024 };

static const char *const sqlite_text[STATEMENTS] = {
    "UPDATE account_counter SET event_seq = event_seq + 2, ticket_number = ticket_number + 1 WHERE account_id = 1",
    "INSERT INTO ticket (account_id, number, subject, status, priority, type, channel, requester_id, unresolved, spam, preview, "
    "message_count, created_us, updated_us, activity_us, customer_us, reopened_count, fields, version) "
    "VALUES (1, ?1, 'Bare ticket', 'new', 'normal', 'question', 'api', 1, 1, 0, 'Body', 1, ?2, ?2, ?2, ?2, 0, '{}', 1)",
    "INSERT INTO ticket_count (account_id, status, team_id, assignee_id, n) VALUES (1, 'new', 0, 0, 1) "
    "ON CONFLICT (account_id, status, team_id, assignee_id) DO UPDATE SET n = ticket_count.n + 1",
    "INSERT INTO message (account_id, ticket_id, visibility, author_kind, author_id, channel, automatic, subject, body_text, "
    "addresses, delivery, delivery_detail, created_us, version) "
    "VALUES (1, ?1, 'public', 'contact', 1, 'api', 0, '', ?3, '{}', 'none', '', ?2, 1)",
    "INSERT INTO event (account_id, seq, at_us, type, ticket_id, subject_id, actor, data) "
    "VALUES (1, 2 * ?1, ?2, 'ticket.created', ?1, ?1, 'token', '{}')",
    "INSERT INTO event (account_id, seq, at_us, type, ticket_id, subject_id, actor, data) "
    "VALUES (1, 2 * ?1 + 1, ?2, 'message.created', ?1, ?1, 'token', '{}')",
};

struct target {
    sqlite3 *sqlite;
    sqlite3_stmt *statements[STATEMENTS];
    PGconn *postgres;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "bare_insert: %s\n", what);
    exit(1);
}

/* ?1 becomes $1::bigint; ?3 is the text. */
static void prepare_postgres(struct target *t, int i)
{
    char sql[2000], name[16];
    size_t n = 0;
    for (const char *p = sqlite_text[i]; *p; p++) {
        if (*p == '?')
            n += (size_t)snprintf(sql + n, sizeof sql - n, "$%c::%s", p[1], p[1] == '3' ? "text" : "bigint"), p++;
        else
            sql[n++] = *p;
    }
    sql[n] = 0;
    snprintf(name, sizeof name, "s%d", i);
    PGresult *r = PQprepare(t->postgres, name, sql, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die(PQerrorMessage(t->postgres));
    PQclear(r);
}

static void execute(struct target *t, const char *sql)
{
    if (t->sqlite) {
        if (sqlite3_exec(t->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
            die(sqlite3_errmsg(t->sqlite));
        return;
    }
    PGresult *r = PQexec(t->postgres, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        die(PQerrorMessage(t->postgres));
    PQclear(r);
}

static void open_target(struct target *t, const char *kind, const char *where)
{
    if (strcmp(kind, "sqlite") == 0) {
        if (sqlite3_open(where, &t->sqlite) != SQLITE_OK)
            die("cannot open");
        execute(t, "PRAGMA journal_mode=WAL");
        execute(t, "PRAGMA synchronous=FULL");
        execute(t, "PRAGMA cache_size=-65536");
        for (int i = 0; i < STATEMENTS; i++)
            if (sqlite3_prepare_v2(t->sqlite, sqlite_text[i], -1, &t->statements[i], NULL) != SQLITE_OK)
                die(sqlite3_errmsg(t->sqlite));
        return;
    }
    t->postgres = PQconnectdb(where);
    if (PQstatus(t->postgres) != CONNECTION_OK)
        die(PQerrorMessage(t->postgres));
    for (int i = 0; i < STATEMENTS; i++)
        prepare_postgres(t, i);
}

static void insert_sqlite(struct target *t, int64_t number, int64_t at, const char *body)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_stmt *s = t->statements[i];
        int have = sqlite3_bind_parameter_count(s);
        if (have >= 1)
            sqlite3_bind_int64(s, 1, number);
        if (have >= 2)
            sqlite3_bind_int64(s, 2, at);
        if (have >= 3)
            sqlite3_bind_text(s, 3, body, BODY_BYTES, SQLITE_STATIC);
        if (sqlite3_step(s) != SQLITE_DONE)
            die(sqlite3_errmsg(t->sqlite));
        sqlite3_reset(s);
    }
}

static void insert_postgres(struct target *t, int64_t number, int64_t at, const char *body)
{
    char n[24], a[24], name[16];
    const char *values[3] = { n, a, body };
    static const int counts[STATEMENTS] = { 0, 2, 0, 3, 2, 2 };
    snprintf(n, sizeof n, "%" PRId64, number);
    snprintf(a, sizeof a, "%" PRId64, at);
    for (int i = 0; i < STATEMENTS; i++) {
        snprintf(name, sizeof name, "s%d", i);
        PGresult *r = PQexecPrepared(t->postgres, name, counts[i], values, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            die(PQerrorMessage(t->postgres));
        PQclear(r);
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("usage: bare_insert sqlite PATH|postgres URL TICKETS GROUP");
    struct target t = { 0 };
    int64_t tickets = atoll(argv[3]), group = atoll(argv[4]), groups = 0, start = now_us();
    int64_t *times = calloc((size_t)(tickets / group + 1), sizeof *times);
    char body[BODY_BYTES + 1];
    memset(body, 'x', BODY_BYTES);
    body[BODY_BYTES] = 0;
    open_target(&t, argv[1], argv[2]);
    for (int64_t done = 0; done < tickets; groups++) {
        int64_t begun = now_us();
        execute(&t, t.sqlite ? "BEGIN IMMEDIATE" : "BEGIN");
        for (int64_t i = 0; i < group && done < tickets; i++, done++) {
            /* Far from the numbers that Cairn gives. */
            if (t.sqlite)
                insert_sqlite(&t, 100000000 + done + start % 1000000000 * 1000, begun, body);
            else
                insert_postgres(&t, 100000000 + done + start % 1000000000 * 1000, begun, body);
        }
        execute(&t, "COMMIT");
        times[groups] = now_us() - begun;
    }
    double seconds = (double)(now_us() - start) / 1e6;
    qsort(times, (size_t)groups, sizeof *times, compare);
    printf("{\"per_second\": %.1f, \"median_commit_us\": %" PRId64 "}\n", (double)tickets / seconds, times[groups / 2]);
    return 0;
}
