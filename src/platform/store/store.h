/*
 * store.h - run units of work and statements on SQLite or PostgreSQL.
 *
 * Domain modules never write SQL in C: tools/sqlgen turns their .sql file into
 * typed functions, which call stmt_exec/one/many below.
 *
 * Writes are units of work.  Writer threads (SQLite: one; PostgreSQL: a few,
 * each with its share of the accounts) drain their queues, run each unit in a
 * savepoint and commit the group once.  Units of one account (cx->account_id)
 * never overlap, on either database and over all nodes, so a unit may read,
 * decide and write.  A unit that fails leaves nothing behind.  A unit may be
 * run again (serialisation failure, dead connection before COMMIT, a group
 * that broke), so it must change nothing but the database and its own arena.
 * When store_write returns E_OK the unit is durable (fsync).  A failed COMMIT
 * fails every unit of its group with E_BUSY.
 *
 * After a statement failed (stmt_one's E_NOT_FOUND is no failure) its unit can
 * only fail: what may collide says ON CONFLICT.  Text must be UTF-8 without
 * NUL; other text fails with E_INVALID.
 *
 * Reads see one snapshot, never wait for writers, and must not write.
 */
#ifndef CAIRN_STORE_H
#define CAIRN_STORE_H

#include "base/base.h"

enum store_kind { STORE_SQLITE, STORE_POSTGRES };

enum value_type {
    T_INT,        /* int64_t */
    T_REF,        /* int64_t; 0 is NULL: foreign keys, optional times */
    T_BOOL,       /* bool; 0/1 in the database */
    T_TEXT,       /* struct str; never NULL: {NULL, 0} is stored as '' */
    T_TEXT_NULL,  /* struct str; ptr NULL is NULL */
    T_BYTES,      /* struct str; BLOB / bytea; ptr NULL is NULL */
    T_REAL,       /* double */
};

struct column {
    const char *name;
    enum value_type type;
    size_t offset;              /* of the member in its struct */
};

/* A line of the statement that is present only when a parameter is set (see tools/sqlgen). */
struct stmt_part {
    const char *sqlite, *postgres;
    int only_if;                /* index into params; -1: always there */
};

struct stmt {
    const char *name;
    const struct stmt_part *parts;
    const struct column *params, *columns;
    size_t nparts, nparams, ncolumns, row_size;
};

struct store;
struct db;                      /* one connection, inside one unit or read */

struct store_options {
    const char *sqlite_path;        /* of cairn.db; used when postgres_url is NULL */
    const char *postgres_url;       /* postgresql://… or NULL */
    unsigned readers;               /* most read connections; 0: 8 on PostgreSQL, 32 on SQLite */
    unsigned writers;               /* PostgreSQL: write connections; 0: 3 */
    bool relaxed;                   /* SQLite: a power cut may lose the last commits: for what can be rebuilt */
};

/* Opens and checks the connection; runs no migration.  E_BUSY with the reason when it cannot. */
enum err_code store_open(struct cx *cx, const struct store_options *options, struct store **ret);
/* Waits for running units, refuses new ones. */
void store_close(struct store **store);
enum store_kind store_kind(const struct store *store);

typedef enum err_code unit_fn(struct cx *cx, struct db *db, void *arg);

/* Runs fn in a transaction and waits until it is durable. */
enum err_code store_write(struct store *store, struct cx *cx, unit_fn *fn, void *arg);
/* The same behind all waiting store_write units: imports, indexing, clean-up. */
enum err_code store_write_bulk(struct store *store, struct cx *cx, unit_fn *fn, void *arg);
/*
 * Without waiting: done(cx, code, arg) is called on a store thread after the
 * commit or failure.  cx, its arena and arg must live until then; nobody else
 * may touch them meanwhile.  `done` must be short and must not call the store.
 */
typedef void unit_done_fn(struct cx *cx, enum err_code code, void *arg);
void store_write_async(struct store *store, struct cx *cx, unit_fn *fn, unit_done_fn *done, void *arg);

enum err_code store_read(struct store *store, struct cx *cx, unit_fn *fn, void *arg);
/* As store_read, but statements are stopped at the deadline with E_BUSY (slow lane, search, reports). */
enum err_code store_read_within(struct store *store, struct cx *cx, int64_t limit_us, unit_fn *fn, void *arg);

/* Called on a store thread after each commit that changed something: wakes consumers and jobs.
 * On PostgreSQL also when another node committed (LISTEN/NOTIFY).  Up to 8 listeners. */
void store_on_commit(struct store *store, void (*fn)(void *arg), void *arg);
/* When it returns, fn is not running and will not be called with arg again. */
void store_on_commit_remove(struct store *store, void (*fn)(void *arg), void *arg);

/*
 * For a thread that looks for work after each commit: waits until there was one since `heard` (0 at first), or until
 * until_us of clock_now_us.  False once store_bell_stop was called; then join the threads and free the bell.
 */
struct store_bell;
struct store_bell *store_bell_new(struct store *store);
bool store_bell_wait(struct store_bell *bell, uint64_t *heard, int64_t until_us);
void store_bell_stop(struct store_bell *bell);
bool store_bell_stopped(struct store_bell *bell);
void store_bell_free(struct store_bell **bell);

/* Inside a unit or read. */
enum store_kind db_kind(const struct db *db);
/* stmt_one: E_NOT_FOUND when no row matches.  stmt_exec: *ret_changed (may be NULL) = rows changed; 0 rows is E_OK. */
/* With ret_changed NULL the statement may still be under way when stmt_exec returns; an error then fails the unit later. */
enum err_code stmt_exec(struct cx *cx, struct db *db, const struct stmt *s, const void *in, int64_t *ret_changed) MUST_CHECK;
enum err_code stmt_one(struct cx *cx, struct db *db, const struct stmt *s, const void *in, void *ret_row) MUST_CHECK;
enum err_code stmt_many(struct cx *cx, struct db *db, const struct stmt *s, const void *in, void **ret_rows, size_t *ret_n) MUST_CHECK;
/* A unique or foreign key violation gives E_CONFLICT, a full or read-only disk and a lost database E_BUSY. */

/* Prepares every variant without running it and compares arity and types.  On PostgreSQL a finding ends the read. */
enum err_code stmt_check(struct cx *cx, struct db *db, const struct stmt *s);

struct migration {
    int number;
    const char *name;           /* "0001_spine" */
    const char *sqlite, *postgres;
    const char *hash;           /* SHA-256 of the source text, hex */
};
/* A numbered series; each has its own place in the book of the database it is applied to. */
struct migration_set {
    const char *series;         /* "main", "search" */
    const struct migration *list;
    size_t n;
};
extern const struct migration_set main_migrations, search_migrations;   /* made by sqlgen from schema/ and schema/search/ */

/* Applies what is missing, each in a transaction, under a lock among nodes.
 * Fails when an applied one has changed, or the database is newer than this program. */
enum err_code store_migrate(struct store *store, struct cx *cx, const struct migration_set *set, int *ret_applied);
/* How many are missing; fails as store_migrate. */
enum err_code store_pending_migrations(struct store *store, struct cx *cx, const struct migration_set *set, int *ret_pending);

/* SQLite: a consistent copy while running (online backup).  PostgreSQL: E_INVALID, see docs (pg_dump). */
enum err_code store_backup_to(struct store *store, struct cx *cx, const char *path);
/* Integrity check of the database; findings as text, empty when well. */
enum err_code store_check(struct store *store, struct cx *cx, struct str *ret_findings);

struct store_stats {
    int64_t units, groups, failures, retries;
    int64_t queue_length;
};
struct store_stats store_stats(const struct store *store);

/* Makes writing fail from now on as a full disk would (true) or stop doing so: fault tests only. */
void store_inject_full(struct store *store, bool full);

#endif
