/* store_postgres_pipe.c - connecting, and libpq's pipeline: what is sent, what comes back, whose error it is. */
#include "platform/store/store_postgres.h"

enum { RECONNECT_PAUSE_US = 250000 };

void pg_result_free(PGresult **r)
{
    PQclear(*r);
    *r = NULL;
}

/* ---- connecting ---- */

static const char session_setup[] =
    "SET timezone = 'UTC'; SET lock_timeout = '20s'; SET idle_in_transaction_session_timeout = '60s';"
    "SET client_min_messages = warning; SET bytea_output = hex;"
    /* an acknowledged write is durable, whatever the server's default */
    "SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'local', false) END";

PGconn *pg_open(const char *url)
{
    const char *const names[] = { "connect_timeout", "client_encoding", "application_name", "keepalives_idle",
                                  "tcp_user_timeout", "dbname", NULL };
    const char *const values[] = { "5", "UTF8", "cairn", "20", "20000", url, NULL };
    PGconn *conn = PQconnectdbParams(names, values, 1);
    if (conn && PQstatus(conn) == CONNECTION_OK) {
        PGresult *r = PQexec(conn, session_setup);
        PQclear(r);
    }
    return conn;
}

void pg_disconnect(struct pg_db *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->n = 0;
    stmt_cache_clear(&pg->db);
}

enum err_code pg_connect(struct cx *cx, struct pg_db *pg)
{
    /* A connection that was cut while idle shows it here, before anything is sent. */
    if (pg->conn && PQconsumeInput(pg->conn) && PQstatus(pg->conn) == CONNECTION_OK)
        return E_OK;
    pg_disconnect(pg);
    if (clock_monotonic_us() < pg->retry_us)
        return fail_busy(cx, "The database cannot be reached");
    pg->conn = pg_open(pg->db.store->location);
    if (!pg->conn || PQstatus(pg->conn) != CONNECTION_OK || !PQenterPipelineMode(pg->conn)) {
        struct str why = str_trim(arena_copy(cx->arena, str_of(pg->conn ? PQerrorMessage(pg->conn) : "out of memory")));
        pg_disconnect(pg);
        pg->retry_us = clock_monotonic_us() + RECONNECT_PAUSE_US;
        return fail_busy(cx, "The database cannot be reached: %.*s", STR_ARG(utf8_repair(cx->arena, why, true)));
    }
    return E_OK;
}

/* ---- errors ---- */

static enum err_code lost(struct cx *cx, struct pg_db *pg)
{
    bool open = pg->committing;
    pg_disconnect(pg);
    pg->committing = false;
    if (open) {     /* running again could do it twice */
        pg->db.tx = TX_OK;
        return fail_busy(cx, "The connection to the database was lost while committing; look whether it was stored");
    }
    pg->db.tx = TX_AGAIN;
    return fail_busy(cx, "The connection to the database was lost");
}

enum err_code pg_result_error(struct cx *cx, struct pg_db *pg, const PGresult *r, const char *what)
{
    struct str state = str_of(PQresultErrorField(r, PG_DIAG_SQLSTATE));
    struct str primary = str_of(PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
    struct str text = utf8_repair(cx->arena, arena_copy(cx->arena, primary.ptr ? primary : str_of(PQresultErrorMessage(r))), true);
    bool away = str_starts(state, STR("57P")) || str_is(state, "25P03");
    if (away)
        pg->committing = false;     /* the statement was stopped, so COMMIT was not reached */
    if (PQstatus(pg->conn) != CONNECTION_OK || away)
        return lost(cx, pg);
    if (str_is(state, "23505") || str_is(state, "23503")) {
        fail(cx, E_CONFLICT, "There is already such a thing, or what it belongs to is gone");
        cx->failure.detail = arena_printf(cx->arena, "%s: %.*s", what, STR_ARG(text));
        return E_CONFLICT;
    }
    if (str_is(state, "40001") || str_is(state, "40P01") || str_is(state, "55P03")) {
        pg->db.tx = TX_AGAIN;
        return fail_busy(cx, "The database is busy (%.*s)", STR_ARG(text));
    }
    if (str_is(state, "57014"))
        return fail_busy(cx, "This took too long and was stopped");
    if (str_is(state, "25006") && !pg->db.writer)
        return fail_internal(cx, "%s: a read must not write", what);
    if (str_starts(state, STR("53")) || str_starts(state, STR("58")) || str_is(state, "25006"))
        return fail_busy(cx, "The database cannot work now: %.*s", STR_ARG(text));
    if (str_is(state, "22021"))
        return fail(cx, E_INVALID, "The text must be UTF-8 without NUL bytes");
    return fail_internal(cx, "%s: %.*s (SQLSTATE %.*s)", what, STR_ARG(text), STR_ARG(state));
}

/* ---- the pipeline ---- */

enum err_code pg_note(struct cx *cx, struct pg_db *pg, struct sent sent, bool ok)
{
    if (!ok)
        return lost(cx, pg);
    sent.unit = pg->db.unit;
    pg->sent[(pg->first + pg->n++) % PIPELINE_MAX] = sent;
    /* Two places stay free for COMMIT and its synchronisation. */
    return pg->n < PIPELINE_MAX - 2 ? E_OK : pg_settle(cx, pg, NULL);
}

static struct sent take_sent(struct pg_db *pg)
{
    struct sent s = pg->sent[pg->first];
    pg->first = (pg->first + 1) % PIPELINE_MAX;
    pg->n--;
    return s;
}

static bool failed(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED || status == PGRES_BAD_RESPONSE;
}

static const char *what_is(const struct sent *s)
{
    return s->stmt ? s->stmt->name : s->kind == SENT_COMMIT ? "COMMIT" : "transaction control";
}

/* An error that surfaces after its unit, or at the COMMIT of its group, breaks the group. */
static enum err_code first_error(struct cx *cx, struct pg_db *pg, const struct sent *s, const PGresult *r)
{
    enum err_code code = pg_result_error(cx, pg, r, what_is(s));
    bool late = s->unit != pg->db.unit || (pg->committing && s->kind != SENT_COMMIT);
    if (pg->conn && pg->db.tx == TX_OK && late)
        pg->db.tx = TX_GONE;
    return code;
}

static void note_changes(struct pg_db *pg, const PGresult *r)
{
    const char *tuples = PQcmdTuples((PGresult *)(uintptr_t)r);
    const char *tag = PQcmdStatus((PGresult *)(uintptr_t)r);
    if (tuples[0] && tuples[0] != '0' && strncmp(tag, "SELECT", 6) != 0)
        pg->db.changed = true;
}

/* One message's answer.  *io_code keeps the first error; what follows an error was not run. */
static void take_answer(struct cx *cx, struct pg_db *pg, PGresult **ret, enum err_code *io_code)
{
    struct sent s = take_sent(pg);
    PGresult *r = PQgetResult(pg->conn);
    if (!r || (PQstatus(pg->conn) != CONNECTION_OK && failed(r))) {
        /* the server says that it ended before it came to COMMIT */
        if (s.kind != SENT_COMMIT && str_starts(str_of(PQresultErrorField(r, PG_DIAG_SQLSTATE)), STR("57P")))
            pg->committing = false;
        pg_result_free(&r);
        *io_code = lost(cx, pg);
        return;
    }
    if (s.kind != SENT_SYNC)
        for (PGresult *more; (more = PQgetResult(pg->conn));)
            PQclear(more);
    if (failed(r) || (s.kind == SENT_COMMIT && strcmp(PQcmdStatus(r), "COMMIT") != 0)) {
        struct cached *c = s.kind == SENT_PREPARE ? stmt_cache_find(&pg->db.cache, s.stmt, s.mask) : NULL;
        if (c)
            stmt_cache_remove(&pg->db, c);
        if (*io_code == E_OK)
            *io_code = first_error(cx, pg, &s, r);
    } else {
        note_changes(pg, r);
    }
    if (ret && pg->n == 0 && *io_code == E_OK)
        *ret = r;
    else
        PQclear(r);
}

enum err_code pg_settle(struct cx *cx, struct pg_db *pg, PGresult **ret)
{
    enum err_code code = E_OK;
    if (!pg->conn)
        return lost(cx, pg);
    if (pg->n && pg->sent[(pg->first + pg->n - 1) % PIPELINE_MAX].kind != SENT_SYNC && !PQsendFlushRequest(pg->conn))
        return lost(cx, pg);
    if (PQflush(pg->conn) < 0)
        return lost(cx, pg);
    while (pg->n)
        take_answer(cx, pg, ret, &code);
    if (code == E_OK || !pg->conn || PQpipelineStatus(pg->conn) != PQ_PIPELINE_ABORTED)
        return code;
    struct cx quiet = { .arena = cx->arena };   /* the first error is the one to tell */
    enum err_code again = E_OK;
    if (PQpipelineSync(pg->conn)) {
        pg->sent[pg->first] = (struct sent){ .kind = SENT_SYNC };
        pg->n = 1;
        take_answer(&quiet, pg, NULL, &again);
    }
    return code;
}

enum err_code pg_leave_pipeline(struct cx *cx, struct pg_db *pg)
{
    if (!PQpipelineSync(pg->conn))
        return lost(cx, pg);
    TRY(pg_note(cx, pg, (struct sent){ .kind = SENT_SYNC }, true));
    TRY(pg_settle(cx, pg, NULL));
    return PQexitPipelineMode(pg->conn) ? E_OK : lost(cx, pg);
}
