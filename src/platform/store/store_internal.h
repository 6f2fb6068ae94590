/* store_internal.h - what the two drivers and the rest of the module share. */
#ifndef CAIRN_STORE_INTERNAL_H
#define CAIRN_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "platform/store/store.h"

enum { STMT_CACHE_MAX = 320, STMT_BUCKETS = 128, MAX_LISTENERS = 8 };

/* What became of the transaction that a statement ran in. */
enum tx_state {
    TX_OK,
    TX_GONE,        /* lost with all units so far; the current unit has failed for good */
    TX_AGAIN,       /* lost through no unit's fault: run again */
};

/* A prepared variant of a statement on one connection. */
struct cached {
    const struct stmt *stmt;
    uint64_t mask;              /* which parameters are set, of those that decide on a line */
    uint64_t used;              /* for eviction: when it was last taken */
    void *handle;               /* SQLite: sqlite3_stmt */
    unsigned id;                /* PostgreSQL: names it */
    struct cached *next;
};

struct stmt_cache {
    struct cached *buckets[STMT_BUCKETS];
    size_t n;
    uint64_t clock;
    unsigned last_id;
};

struct db {
    struct store *store;
    const struct driver *driver;
    bool writer;
    bool failed;                /* a statement of the current unit failed */
    bool changed;               /* the transaction changed (or may have changed) rows */
    enum tx_state tx;
    uint64_t unit;              /* number of the current unit, for errors that arrive late */
    struct stmt_cache cache;
};

enum rows_mode { ROWS_NONE, ROWS_ONE, ROWS_MANY };

/* Where a statement's result goes. */
struct rows {
    enum rows_mode mode;
    bool count;                 /* the number of changed rows is wanted */
    int64_t changed;
    void *list;                 /* ROWS_ONE: the caller's row */
    size_t n, cap;
};

struct driver {
    enum err_code (*open)(struct cx *cx, struct store *store, bool writer, struct db **ret);
    void (*close)(struct db *db);
    /* limit_us: reads only, 0 none. */
    enum err_code (*begin)(struct cx *cx, struct db *db, int64_t limit_us);
    enum err_code (*savepoint)(struct cx *cx, struct db *db);
    enum err_code (*release)(struct cx *cx, struct db *db);
    enum err_code (*undo)(struct cx *cx, struct db *db);    /* back to the savepoint */
    enum err_code (*commit)(struct cx *cx, struct db *db);
    void (*rollback)(struct db *db);
    /* Held until the end of the transaction; orders units of one account over all nodes. */
    enum err_code (*lock_account)(struct cx *cx, struct db *db, int64_t account_id);
    enum err_code (*run)(struct cx *cx, struct db *db, const struct stmt *s, const void *in, struct rows *rows);
    enum err_code (*script)(struct cx *cx, struct db *db, const char *sql);
    enum err_code (*check)(struct cx *cx, struct db *db, const struct stmt *s, uint64_t mask);
    void (*drop)(struct db *db, struct cached *entry);
    void (*idle)(struct db *db);                            /* goes back to the pool */
    size_t group_max;
};
extern const struct driver sqlite_driver, postgres_driver;

struct listener {
    void (*fn)(void *arg);
    void *arg;
};

struct reader_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct db **idle;           /* last in, first out: few connections stay warm */
    unsigned nidle, nopen, max;
};

struct writer;

struct store {
    enum store_kind kind;
    const struct driver *driver;
    char *location;             /* path or URL */
    bool relaxed;
    struct writer *writers;
    unsigned nwriters;
    struct reader_pool readers;
    pthread_mutex_t listener_lock;
    struct listener listeners[MAX_LISTENERS];
    size_t nlisteners;
    struct notifier *notifier;  /* PostgreSQL, from the first listener on */
    char node[24];              /* tells our notifications from those of other nodes */
    _Atomic bool full, closing;
    _Atomic int64_t units, groups, failures, retries, queued;
};

/* store_write.c */
enum err_code writers_start(struct cx *cx, struct store *store, unsigned n);
void writers_stop(struct store *store);

/* store.c */
void store_notify_listeners(struct store *store);
enum err_code store_take_reader(struct cx *cx, struct store *store, struct db **ret);
void store_return_reader(struct store *store, struct db *db);

/* store_stmt.c */
uint64_t stmt_mask(const struct stmt *s, const void *in);
const char *stmt_text(struct arena *arena, const struct stmt *s, enum store_kind kind, uint64_t mask);
struct cached *stmt_cache_find(struct stmt_cache *cache, const struct stmt *s, uint64_t mask);
struct cached *stmt_cache_add(struct db *db, const struct stmt *s, uint64_t mask);
void stmt_cache_remove(struct db *db, struct cached *entry);
void stmt_cache_clear(struct db *db);
/* The place of the next row, zeroed; grows the list. */
void *rows_next(struct arena *arena, const struct stmt *s, struct rows *rows);
enum err_code check_text(struct cx *cx, const struct stmt *s, const struct column *c, struct str text);
/* Two result columns that stand in each other's place, by their names; NULL when there are none. */
const char *columns_swapped(const struct stmt *s, const char *const *names);

/* store_listen.c */
struct notifier *notifier_start(struct store *store);
void notifier_stop(struct notifier **notifier);

#endif
