/* store_postgres.c - the PostgreSQL driver: transactions, statements, values. */
#include "platform/store/store_postgres.h"

#include <endian.h>

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
       OID_FLOAT4 = 700, OID_FLOAT8 = 701, OID_VARCHAR = 1043, BINARY = 1, GROUP_MAX = 128, MAX_PARAMS = 64 };

static enum err_code control(struct cx *cx, struct db *db, const char *sql)
{
    struct pg_db *pg = pg_of(db);
    if (!pg->conn)
        return pg_note(cx, pg, (struct sent){ 0 }, false);
    return pg_note(cx, pg, (struct sent){ .kind = SENT_CONTROL },
                   PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, BINARY));
}

/* ---- transactions ---- */

static void postgres_close(struct db *db)
{
    pg_disconnect(pg_of(db));
    heap_free(db);
}

static enum err_code postgres_open(struct cx *cx, struct store *store, bool writer, struct db **ret)
{
    struct pg_db *pg = heap_new(sizeof *pg);
    pg->db = (struct db){ .store = store, .driver = &postgres_driver, .writer = writer };
    enum err_code code = pg_connect(cx, pg);
    if (code == E_OK)
        *ret = &pg->db;
    else
        postgres_close(&pg->db);
    return code;
}

static enum err_code postgres_begin(struct cx *cx, struct db *db, int64_t limit_us)
{
    struct pg_db *pg = pg_of(db);
    TRY(pg_connect(cx, pg));
    pg->committing = false;
    pg->locked_account = 0;
    if (db->writer)
        return control(cx, db, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    TRY(control(cx, db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    if (!limit_us)
        return E_OK;
    return control(cx, db, arena_printf(cx->arena, "SET LOCAL statement_timeout = %lld",
                                        (long long)MAX(limit_us / US_PER_MS, 1)).ptr);
}

static enum err_code postgres_savepoint(struct cx *cx, struct db *db)
{
    return control(cx, db, "SAVEPOINT u");
}

/* Errors of the unit's last statements may still be on their way; they break the group (see first_error). */
static enum err_code postgres_release(struct cx *cx, struct db *db)
{
    return control(cx, db, "RELEASE u");
}

static enum err_code postgres_undo(struct cx *cx, struct db *db)
{
    struct pg_db *pg = pg_of(db);
    (void)!pg_settle(cx, pg, NULL);     /* the unit failed already, for a reason that came first */
    if (db->tx != TX_OK)
        return cx->failure.code;
    TRY(control(cx, db, "ROLLBACK TO u"));
    return control(cx, db, "RELEASE u");
}

static enum err_code send_commit(struct cx *cx, struct pg_db *pg)
{
    if (pg->db.writer && pg->db.changed)
        TRY(control(cx, &pg->db, arena_printf(cx->arena, "SELECT pg_notify('cairn_commit', '%s')", pg->db.store->node).ptr));
    if (!pg->conn)
        return pg_note(cx, pg, (struct sent){ 0 }, false);
    bool ok = PQsendQueryParams(pg->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, BINARY);
    TRY(pg_note(cx, pg, (struct sent){ .kind = SENT_COMMIT }, ok));
    pg->committing = pg->db.writer;
    return pg_note(cx, pg, (struct sent){ .kind = SENT_SYNC }, PQpipelineSync(pg->conn));
}

/* A reader does not wait for the end of its snapshot: the answer is read at the next use. */
static enum err_code postgres_commit(struct cx *cx, struct db *db)
{
    struct pg_db *pg = pg_of(db);
    TRY(send_commit(cx, pg));
    return db->writer ? pg_settle(cx, pg, NULL) : E_OK;
}

static void postgres_rollback(struct db *db)
{
    struct pg_db *pg = pg_of(db);
    struct arena *arena = arena_new("rollback", 0);
    struct cx cx = { .arena = arena };
    enum tx_state tx = db->tx;
    pg->committing = false;
    if (pg->conn && pg->n)
        (void)!pg_settle(&cx, pg, NULL);
    if (pg->conn && (control(&cx, db, "ROLLBACK") != E_OK || pg_settle(&cx, pg, NULL) != E_OK))
        pg_disconnect(pg);      /* the server rolls back what a closed connection leaves */
    db->tx = tx;
    arena_free(&arena);
}

static enum err_code postgres_lock_account(struct cx *cx, struct db *db, int64_t account_id)
{
    struct pg_db *pg = pg_of(db);
    if (pg->locked_account == account_id)
        return E_OK;
    pg->locked_account = account_id;
    return control(cx, db, arena_printf(cx->arena, "SELECT pg_advisory_xact_lock(%lld)", (long long)account_id).ptr);
}

/* ---- values ---- */

struct values {
    const char *ptr[MAX_PARAMS];
    int len[MAX_PARAMS], format[MAX_PARAMS];
    uint64_t number[MAX_PARAMS];
};

static Oid oid_of(enum value_type type)
{
    switch (type) {
    case T_TEXT:
    case T_TEXT_NULL: return OID_TEXT;
    case T_BYTES: return OID_BYTEA;
    case T_REAL: return OID_FLOAT8;
    default: return OID_INT8;
    }
}

static void put_number(struct values *v, size_t i, uint64_t number)
{
    v->number[i] = htobe64(number);
    v->ptr[i] = (const char *)&v->number[i];
    v->len[i] = sizeof v->number[i];
}

static enum err_code put_text(struct cx *cx, const struct stmt *s, const struct column *p, struct str text, struct values *v, size_t i)
{
    if (p->type != T_BYTES)
        TRY(check_text(cx, s, p, text));
    if (text.len > INT32_MAX / 2)
        return fail(cx, E_LIMIT, "The text of %s is too large to be stored", p->name);
    v->ptr[i] = text.ptr || p->type != T_TEXT ? text.ptr : "";
    v->len[i] = (int)text.len;
    return E_OK;
}

static enum err_code bind(struct cx *cx, const struct stmt *s, const void *in, struct values *v)
{
    for (size_t i = 0; i < s->nparams; i++) {
        const struct column *p = &s->params[i];
        const char *at = (const char *)in + p->offset;
        const int64_t *number = (const void *)at;
        uint64_t bits;
        v->format[i] = BINARY;
        switch (p->type) {
        case T_INT: put_number(v, i, (uint64_t)*number); break;
        case T_REF:
            v->ptr[i] = NULL;
            if (*number)
                put_number(v, i, (uint64_t)*number);
            break;
        case T_BOOL: put_number(v, i, *(const bool *)at); break;
        case T_REAL:
            memcpy(&bits, at, sizeof bits);
            put_number(v, i, bits);
            break;
        default: TRY(put_text(cx, s, p, *(const struct str *)(const void *)at, v, i));
        }
    }
    return E_OK;
}

static int64_t get_int(const PGresult *r, int row, int col)
{
    const char *at = PQgetvalue(r, row, col);
    switch (PQgetlength(r, row, col)) {
    case 8: return (int64_t)be64toh(*(const uint64_t *)memcpy(&(uint64_t){ 0 }, at, 8));
    case 4: return (int32_t)be32toh(*(const uint32_t *)memcpy(&(uint32_t){ 0 }, at, 4));
    case 2: return (int16_t)be16toh(*(const uint16_t *)memcpy(&(uint16_t){ 0 }, at, 2));
    case 1: return *at != 0;
    default: return 0;  /* NULL */
    }
}

static double get_real(const PGresult *r, int row, int col)
{
    if (PQftype(r, col) == OID_FLOAT4) {
        uint32_t narrow = (uint32_t)get_int(r, row, col);
        float f;
        memcpy(&f, &narrow, sizeof f);
        return f;
    }
    int64_t bits = get_int(r, row, col);
    double d;
    if (PQftype(r, col) != OID_FLOAT8)
        return (double)bits;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static void decode(struct arena *arena, const PGresult *r, int row, const struct stmt *s, char *to)
{
    for (int i = 0; i < (int)s->ncolumns; i++) {
        const struct column *c = &s->columns[i];
        void *at = to + c->offset;
        bool null = PQgetisnull(r, row, i);
        switch (c->type) {
        case T_INT:
        case T_REF: *(int64_t *)at = get_int(r, row, i); break;
        case T_BOOL: *(bool *)at = get_int(r, row, i) != 0; break;
        case T_REAL: *(double *)at = get_real(r, row, i); break;
        default:
            *(struct str *)at = null ? (c->type == T_TEXT ? STR("") : STR_NONE)
                                     : arena_copy(arena, (struct str){ PQgetvalue(r, row, i), (size_t)PQgetlength(r, row, i) });
        }
    }
}

static bool type_fits(enum value_type type, Oid oid)
{
    bool number = oid == OID_INT8 || oid == OID_INT4 || oid == OID_INT2;
    switch (type) {
    case T_TEXT:
    case T_TEXT_NULL: return oid == OID_TEXT || oid == OID_VARCHAR || oid == OID_NAME;
    case T_BYTES: return oid == OID_BYTEA;
    case T_REAL: return number || oid == OID_FLOAT8 || oid == OID_FLOAT4;
    case T_BOOL: return number || oid == OID_BOOL;
    default: return number;
    }
}

static enum err_code check_columns(struct cx *cx, const PGresult *r, const struct stmt *s)
{
    if (PQnfields(r) != (int)s->ncolumns)
        return fail_internal(cx, "%s: gives %d columns, declared are %zu", s->name, PQnfields(r), s->ncolumns);
    for (int i = 0; i < (int)s->ncolumns; i++) {
        if (!type_fits(s->columns[i].type, PQftype(r, i)))
            return fail_internal(cx, "%s: column %s has the type %u in PostgreSQL", s->name, s->columns[i].name, PQftype(r, i));
    }
    return E_OK;
}

static enum err_code check_names(struct cx *cx, const PGresult *r, const struct stmt *s)
{
    const char **names = NEWN(cx->arena, const char *, s->ncolumns);
    for (int i = 0; i < (int)s->ncolumns; i++)
        names[i] = PQfname(r, i);
    const char *swapped = columns_swapped(s, names);
    return swapped ? fail_internal(cx, "%s: column %s is not where it is declared", s->name, swapped) : E_OK;
}

/* ---- statements ---- */

static const char *name_of(struct arena *arena, unsigned id)
{
    return arena_printf(arena, "s%u", id).ptr;
}

static void oids_of(const struct stmt *s, Oid *types)
{
    ASSERT(s->nparams <= MAX_PARAMS);
    for (size_t i = 0; i < s->nparams; i++)
        types[i] = oid_of(s->params[i].type);
}

static enum err_code prepared(struct cx *cx, struct pg_db *pg, const struct stmt *s, uint64_t mask, const char **ret)
{
    struct cached *c = stmt_cache_find(&pg->db.cache, s, mask);
    if (!c) {
        Oid types[MAX_PARAMS];
        oids_of(s, types);
        unsigned id = (c = stmt_cache_add(&pg->db, s, mask))->id;
        *ret = name_of(cx->arena, id);
        bool ok = pg->conn && PQsendPrepare(pg->conn, *ret, stmt_text(cx->arena, s, STORE_POSTGRES, mask), (int)s->nparams, types);
        return pg_note(cx, pg, (struct sent){ .kind = SENT_PREPARE, .stmt = s, .mask = mask }, ok);
    }
    *ret = name_of(cx->arena, c->id);
    return E_OK;
}

static enum err_code take_rows(struct cx *cx, const PGresult *r, const struct stmt *s, struct rows *rows)
{
    int64_t changed = 0;
    rows->changed = num_parse_int(str_of(PQcmdTuples((PGresult *)(uintptr_t)r)), &changed) ? changed : 0;
    if (rows->mode == ROWS_NONE)
        return E_OK;
    TRY(check_columns(cx, r, s));
    int n = rows->mode == ROWS_ONE ? MIN(PQntuples(r), 1) : PQntuples(r);
    if (rows->mode == ROWS_MANY && n) {
        rows->list = arena_alloc(cx->arena, (size_t)n * s->row_size);
        rows->cap = (size_t)n;
    }
    for (int i = 0; i < n; i++) {
        decode(cx->arena, r, i, s, rows_next(cx->arena, s, rows));
        if (arena_over_limit(cx->arena))
            return fail(cx, E_LIMIT, "The result is larger than one piece of work may hold");
    }
    return E_OK;
}

static enum err_code postgres_run(struct cx *cx, struct db *base, const struct stmt *s, const void *in, struct rows *rows)
{
    struct pg_db *pg = pg_of(base);
    struct values v;
    const char *name;
    TRY(bind(cx, s, in, &v));
    TRY(prepared(cx, pg, s, stmt_mask(s, in), &name));
    bool ok = pg->conn && PQsendQueryPrepared(pg->conn, name, (int)s->nparams, v.ptr, v.len, v.format, BINARY);
    if (base->writer && rows->mode == ROWS_NONE && !rows->count) {
        base->changed = true;
        return pg_note(cx, pg, (struct sent){ .kind = SENT_STATEMENT, .stmt = s }, ok);
    }
    CLEANUP(pg_result_free) PGresult *r = NULL;
    struct sent sent = { .kind = SENT_STATEMENT, .stmt = s, .unit = base->unit };
    if (!ok)
        return pg_note(cx, pg, sent, false);
    pg->sent[(pg->first + pg->n++) % PIPELINE_MAX] = sent;
    TRY(pg_settle(cx, pg, &r));
    return r ? take_rows(cx, r, s, rows) : fail_internal(cx, "%s: gave no result", s->name);
}

static void postgres_drop(struct db *db, struct cached *entry)
{
    struct arena *arena = arena_new("drop", 0);
    struct cx cx = { .arena = arena };
    (void)!control(&cx, db, arena_printf(arena, "DEALLOCATE s%u", entry->id).ptr);
    arena_free(&arena);
}

static void postgres_idle(struct db *db)
{
}

static enum err_code postgres_script(struct cx *cx, struct db *db, const char *sql)
{
    struct pg_db *pg = pg_of(db);
    db->changed = true;
    TRY(pg_leave_pipeline(cx, pg));
    CLEANUP(pg_result_free) PGresult *r = PQexec(pg->conn, sql);
    bool ok = r && PQresultStatus(r) == PGRES_COMMAND_OK;
    enum err_code code = ok ? E_OK : pg_result_error(cx, pg, r, "script");
    if (pg->conn && !PQenterPipelineMode(pg->conn))
        pg_disconnect(pg);
    return code;
}

static enum err_code postgres_check(struct cx *cx, struct db *db, const struct stmt *s, uint64_t mask)
{
    struct pg_db *pg = pg_of(db);
    Oid types[MAX_PARAMS];
    oids_of(s, types);
    TRY(pg_leave_pipeline(cx, pg));
    PGresult *r = PQprepare(pg->conn, "", stmt_text(cx->arena, s, STORE_POSTGRES, mask), (int)s->nparams, types);
    enum err_code code = PQresultStatus(r) == PGRES_COMMAND_OK ? E_OK : pg_result_error(cx, pg, r, s->name);
    PQclear(r);
    if (code == E_OK) {
        r = PQdescribePrepared(pg->conn, "");
        code = PQresultStatus(r) == PGRES_COMMAND_OK ? check_columns(cx, r, s) : pg_result_error(cx, pg, r, s->name);
        if (code == E_OK)
            code = check_names(cx, r, s);
        PQclear(r);
    }
    db->failed = code != E_OK;
    if (pg->conn && !PQenterPipelineMode(pg->conn))
        pg_disconnect(pg);
    return code;
}

const struct driver postgres_driver = {
    .open = postgres_open,
    .close = postgres_close,
    .begin = postgres_begin,
    .savepoint = postgres_savepoint,
    .release = postgres_release,
    .undo = postgres_undo,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .lock_account = postgres_lock_account,
    .run = postgres_run,
    .script = postgres_script,
    .check = postgres_check,
    .drop = postgres_drop,
    .idle = postgres_idle,
    .group_max = GROUP_MAX,
};
