/* store_postgres.h - private to the PostgreSQL driver: connections and the pipeline. */
#ifndef CAIRN_STORE_POSTGRES_H
#define CAIRN_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "platform/store/store_internal.h"

enum sent_kind { SENT_CONTROL, SENT_COMMIT, SENT_PREPARE, SENT_STATEMENT, SENT_SYNC };

/* A message that the server has not answered yet. */
struct sent {
    enum sent_kind kind;
    uint64_t unit;
    const struct stmt *stmt;
    uint64_t mask;
};

enum { PIPELINE_MAX = 128 };

struct pg_db {
    struct db db;
    PGconn *conn;               /* NULL or broken: connect at the next begin */
    struct sent sent[PIPELINE_MAX];
    size_t first, n;
    int64_t locked_account;     /* newest account lock of this transaction */
    int64_t retry_us;           /* monotonic: no new attempt to connect before */
    bool committing;            /* COMMIT is sent: a lost connection leaves the outcome open */
};

static inline struct pg_db *pg_of(struct db *db)
{
    return (struct pg_db *)(void *)db;
}

/* store_postgres_pipe.c */
/* Connects if need be; E_BUSY with the reason. */
enum err_code pg_connect(struct cx *cx, struct pg_db *pg);
/* A connection in ordinary mode for LISTEN; NULL when it cannot be made. */
PGconn *pg_open(const char *url);
void pg_disconnect(struct pg_db *pg);
/* Notes that a message was sent (ok: libpq took it). */
enum err_code pg_note(struct cx *cx, struct pg_db *pg, struct sent sent, bool ok);
/* Reads the answers to all that was sent; the last result goes to *ret (NULL: thrown away). */
enum err_code pg_settle(struct cx *cx, struct pg_db *pg, PGresult **ret);
/* Out of pipeline mode and back, with nothing under way. */
enum err_code pg_leave_pipeline(struct cx *cx, struct pg_db *pg);
enum err_code pg_result_error(struct cx *cx, struct pg_db *pg, const PGresult *r, const char *what);
void pg_result_free(PGresult **r);

#endif
