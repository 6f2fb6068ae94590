/* store_sqlite.c - the SQLite driver. */
#include "platform/store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum { BUSY_WAIT_MS = 5000, STEPS_BETWEEN_CHECKS = 4000, GROUP_MAX = 512 };
enum control { C_BEGIN_WRITE, C_BEGIN_READ, C_COMMIT, C_ROLLBACK, C_SAVEPOINT, C_RELEASE, C_UNDO, C_COUNT };

static const char *const control_texts[C_COUNT] = {
    "BEGIN IMMEDIATE", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT u", "RELEASE u", "ROLLBACK TO u",
};

struct sqlite_db {
    struct db db;
    sqlite3 *handle;
    sqlite3_stmt *controls[C_COUNT];
    int64_t deadline_us;        /* monotonic; 0 none */
    bool late;                  /* the deadline stopped a statement */
};

static struct sqlite_db *sqlite_of(struct db *db)
{
    return (struct sqlite_db *)(void *)db;
}

static enum err_code sqlite_fail(struct cx *cx, struct sqlite_db *s, int rc, const char *what)
{
    const char *text = s->handle ? sqlite3_errmsg(s->handle) : sqlite3_errstr(rc);
    int extended = s->handle ? sqlite3_extended_errcode(s->handle) : rc;
    if (s->db.writer && s->handle && sqlite3_get_autocommit(s->handle) && s->db.tx == TX_OK)
        s->db.tx = TX_GONE;     /* SQLite gave the whole transaction up */
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
        if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
            extended == SQLITE_CONSTRAINT_ROWID || extended == SQLITE_CONSTRAINT_FOREIGNKEY) {
            fail(cx, E_CONFLICT, "There is already such a thing, or what it belongs to is gone");
            cx->failure.detail = arena_printf(cx->arena, "%s: %s", what, text);
            return E_CONFLICT;
        }
        return fail_internal(cx, "%s: %s", what, text);
    case SQLITE_READONLY:
        if (!s->db.writer)
            return fail_internal(cx, "%s: a read must not write", what);
        return fail_busy(cx, "The database is read-only (%s)", text);
    case SQLITE_FULL: return fail_busy(cx, "The disk is full (%s)", text);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return fail_busy(cx, "The database file cannot be used (%s, system error %d: %s)", text,
                                       s->handle ? sqlite3_system_errno(s->handle) : errno,
                                       strerror(s->handle ? sqlite3_system_errno(s->handle) : errno));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return fail_busy(cx, "Another process keeps the database locked (%s)", text);
    case SQLITE_INTERRUPT: return fail_busy(cx, "This took too long and was stopped");
    case SQLITE_NOMEM: return fail_busy(cx, "There is not enough memory (%s)", text);
    case SQLITE_TOOBIG: return fail(cx, E_LIMIT, "A value is too large to be stored");
    default: return fail_internal(cx, "%s: %s (SQLite code %d)", what, text, extended);
    }
}

static enum err_code control(struct cx *cx, struct db *db, enum control which)
{
    struct sqlite_db *s = sqlite_of(db);
    int rc = sqlite3_step(s->controls[which]);
    enum err_code code = rc == SQLITE_DONE ? E_OK : sqlite_fail(cx, s, rc, control_texts[which]);
    sqlite3_reset(s->controls[which]);
    return code;
}

/* ---- opening ---- */

static int stop_when_late(void *arg)
{
    struct sqlite_db *s = arg;
    return s->deadline_us && clock_monotonic_us() > s->deadline_us;
}

static void configure_once(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);     /* its counters are a lock on every allocation */
}

static void sqlite_close(struct db *db)
{
    struct sqlite_db *s = sqlite_of(db);
    for (size_t i = 0; i < STMT_BUCKETS; i++)
        for (struct cached *c = db->cache.buckets[i]; c; c = c->next)
            sqlite3_finalize(c->handle);
    stmt_cache_clear(db);
    for (size_t i = 0; i < C_COUNT; i++)
        sqlite3_finalize(s->controls[i]);
    sqlite3_close(s->handle);
    heap_free(s);
}

static enum err_code prepare_connection(struct cx *cx, struct sqlite_db *s)
{
    const struct store *store = s->db.store;
    const char *pragmas = arena_printf(cx->arena,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON;"
        "PRAGMA cache_size=%d; PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=67108864;"
        /* FTS5 of SQLite 3.40 may not be used by the triggers of an untrusted schema: the index is made by us alone */
        "PRAGMA trusted_schema=%d; PRAGMA query_only=%d;",
        store->relaxed ? "NORMAL" : "FULL", s->db.writer ? -16000 : -2000, store->relaxed, !s->db.writer).ptr;
    int rc = sqlite3_exec(s->handle, pragmas, NULL, NULL, NULL);
    for (size_t i = 0; i < C_COUNT && rc == SQLITE_OK; i++)
        rc = sqlite3_prepare_v3(s->handle, control_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->controls[i], NULL);
    return rc == SQLITE_OK ? E_OK : sqlite_fail(cx, s, rc, store->location);
}

static enum err_code sqlite_open(struct cx *cx, struct store *store, bool writer, struct db **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_once);
    if (writer) {   /* SQLite would make it readable by others; its -wal and -shm follow its mode */
        CLEANUP(fd_close) int fd = open(store->location, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            return fail_busy(cx, "The database %s cannot be opened: %s", store->location, strerror(errno));
    }
    struct sqlite_db *s = heap_new(sizeof *s);
    s->db = (struct db){ .store = store, .driver = &sqlite_driver, .writer = writer };
    int rc = sqlite3_open_v2(store->location, &s->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    enum err_code code = rc == SQLITE_OK ? E_OK : sqlite_fail(cx, s, rc, store->location);
    if (code == E_OK) {
        sqlite3_extended_result_codes(s->handle, 1);
        sqlite3_busy_timeout(s->handle, BUSY_WAIT_MS);
        code = prepare_connection(cx, s);
    }
    if (code == E_OK)
        *ret = &s->db;
    else
        sqlite_close(&s->db);
    return code;
}

/* ---- transactions ---- */

static enum err_code sqlite_begin(struct cx *cx, struct db *db, int64_t limit_us)
{
    struct sqlite_db *s = sqlite_of(db);
    s->deadline_us = limit_us ? clock_monotonic_us() + limit_us : 0;
    sqlite3_progress_handler(s->handle, limit_us ? STEPS_BETWEEN_CHECKS : 0, stop_when_late, s);
    return control(cx, db, db->writer ? C_BEGIN_WRITE : C_BEGIN_READ);
}

static enum err_code sqlite_savepoint(struct cx *cx, struct db *db)
{
    return control(cx, db, C_SAVEPOINT);
}

static enum err_code sqlite_release(struct cx *cx, struct db *db)
{
    return control(cx, db, C_RELEASE);
}

/* Undoing must not replace the reason in the unit's context, so `cx` here is the group's. */
static enum err_code sqlite_undo(struct cx *cx, struct db *db)
{
    TRY(control(cx, db, C_UNDO));
    return control(cx, db, C_RELEASE);
}

static enum err_code sqlite_commit(struct cx *cx, struct db *db)
{
    return control(cx, db, C_COMMIT);
}

static void sqlite_rollback(struct db *db)
{
    struct sqlite_db *s = sqlite_of(db);
    s->deadline_us = 0;
    if (!sqlite3_get_autocommit(s->handle))
        sqlite3_step(s->controls[C_ROLLBACK]);
    sqlite3_reset(s->controls[C_ROLLBACK]);
}

static enum err_code sqlite_lock_account(struct cx *cx, struct db *db, int64_t account_id)
{
    return E_OK;    /* there is one writer */
}

/* ---- statements ---- */

static enum err_code bind(struct cx *cx, sqlite3_stmt *h, const struct stmt *s, const void *in)
{
    const int used = sqlite3_bind_parameter_count(h);
    for (int i = 0; i < (int)s->nparams && i < used; i++) {
        const struct column *p = &s->params[i];
        const char *at = (const char *)in + p->offset;
        const int64_t *number = (const void *)at;
        const struct str *text = (const void *)at;
        int rc = SQLITE_OK;
        switch (p->type) {
        case T_INT: rc = sqlite3_bind_int64(h, i + 1, *number); break;
        case T_REF: rc = *number ? sqlite3_bind_int64(h, i + 1, *number) : sqlite3_bind_null(h, i + 1); break;
        case T_BOOL: rc = sqlite3_bind_int(h, i + 1, *(const bool *)at); break;
        case T_REAL: rc = sqlite3_bind_double(h, i + 1, *(const double *)(const void *)at); break;
        case T_TEXT:
        case T_TEXT_NULL:
            TRY(check_text(cx, s, p, *text));
            if (text->ptr || p->type == T_TEXT)
                rc = sqlite3_bind_text64(h, i + 1, text->ptr ? text->ptr : "", text->len, SQLITE_STATIC, SQLITE_UTF8);
            else
                rc = sqlite3_bind_null(h, i + 1);
            break;
        case T_BYTES:
            rc = text->ptr ? sqlite3_bind_blob64(h, i + 1, text->ptr, text->len, SQLITE_STATIC) : sqlite3_bind_null(h, i + 1);
            break;
        }
        if (rc != SQLITE_OK)
            return rc == SQLITE_TOOBIG ? fail(cx, E_LIMIT, "The text of %s is too large to be stored", p->name)
                                       : fail_internal(cx, "%s: cannot bind %s: %s", s->name, p->name, sqlite3_errstr(rc));
    }
    return E_OK;
}

static struct str column_bytes(struct arena *arena, sqlite3_stmt *h, int i, enum value_type type)
{
    if (sqlite3_column_type(h, i) == SQLITE_NULL)
        return type == T_TEXT ? STR("") : STR_NONE;
    const char *p = type == T_BYTES ? sqlite3_column_blob(h, i) : (const char *)sqlite3_column_text(h, i);
    return arena_copy(arena, (struct str){ p, (size_t)sqlite3_column_bytes(h, i) });
}

static void decode(struct arena *arena, sqlite3_stmt *h, const struct stmt *s, char *row)
{
    for (int i = 0; i < (int)s->ncolumns; i++) {
        const struct column *c = &s->columns[i];
        void *at = row + c->offset;
        switch (c->type) {
        case T_INT:
        case T_REF: *(int64_t *)at = sqlite3_column_int64(h, i); break;
        case T_BOOL: *(bool *)at = sqlite3_column_int64(h, i) != 0; break;
        case T_REAL: *(double *)at = sqlite3_column_double(h, i); break;
        default: *(struct str *)at = column_bytes(arena, h, i, c->type);
        }
    }
}

static enum err_code prepared(struct cx *cx, struct sqlite_db *db, const struct stmt *s, uint64_t mask, sqlite3_stmt **ret)
{
    struct cached *c = stmt_cache_find(&db->db.cache, s, mask);
    if (!c) {
        const char *text = stmt_text(cx->arena, s, STORE_SQLITE, mask);
        sqlite3_stmt *h = NULL;
        int rc = sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &h, NULL);
        if (rc != SQLITE_OK)
            return sqlite_fail(cx, db, rc, s->name);
        if (sqlite3_column_count(h) != (int)s->ncolumns) {
            sqlite3_finalize(h);
            return fail_internal(cx, "%s: gives other columns than declared", s->name);
        }
        c = stmt_cache_add(&db->db, s, mask);
        c->handle = h;
    }
    *ret = c->handle;
    return E_OK;
}

static enum err_code step_all(struct cx *cx, struct sqlite_db *db, sqlite3_stmt *h, const struct stmt *s, struct rows *rows)
{
    int rc;
    while ((rc = sqlite3_step(h)) == SQLITE_ROW) {
        if (rows->mode == ROWS_ONE && rows->n)
            return E_OK;
        if (rows->mode != ROWS_NONE)
            decode(cx->arena, h, s, rows_next(cx->arena, s, rows));
        if (arena_over_limit(cx->arena))
            return fail(cx, E_LIMIT, "The result is larger than one piece of work may hold");
    }
    return rc == SQLITE_DONE ? E_OK : sqlite_fail(cx, db, rc, s->name);
}

static enum err_code sqlite_run(struct cx *cx, struct db *base, const struct stmt *s, const void *in, struct rows *rows)
{
    struct sqlite_db *db = sqlite_of(base);
    sqlite3_stmt *h = NULL;
    TRY(prepared(cx, db, s, stmt_mask(s, in), &h));
    enum err_code code = bind(cx, h, s, in);
    int64_t before = sqlite3_total_changes64(db->handle);
    if (code == E_OK)
        code = step_all(cx, db, h, s, rows);
    rows->changed = sqlite3_total_changes64(db->handle) - before;
    base->changed = base->changed || rows->changed;
    sqlite3_reset(h);
    sqlite3_clear_bindings(h);
    return code;
}

static void sqlite_drop(struct db *db, struct cached *entry)
{
    sqlite3_finalize(entry->handle);
}

static void sqlite_idle(struct db *db)
{
    sqlite3_progress_handler(sqlite_of(db)->handle, 0, NULL, NULL);
}

static enum err_code sqlite_script(struct cx *cx, struct db *db, const char *sql)
{
    struct sqlite_db *s = sqlite_of(db);
    int rc = sqlite3_exec(s->handle, sql, NULL, NULL, NULL);
    db->changed = true;
    return rc == SQLITE_OK ? E_OK : sqlite_fail(cx, s, rc, "script");
}

/* ---- checking ---- */

static bool type_fits(enum value_type type, const char *declared)
{
    if (!declared)
        return true;    /* an expression has no declared type */
    struct str d = str_of(declared);
    switch (type) {
    case T_TEXT:
    case T_TEXT_NULL: return str_iis(d, "TEXT");
    case T_BYTES: return str_iis(d, "BLOB");
    case T_REAL: return str_iis(d, "REAL");
    default: return str_iis(d, "INTEGER") || str_iis(d, "INT") || str_iis(d, "BIGINT");
    }
}

static enum err_code check_columns(struct cx *cx, sqlite3_stmt *h, const struct stmt *s)
{
    if (sqlite3_bind_parameter_count(h) > (int)s->nparams)
        return fail_internal(cx, "%s: takes more parameters than declared", s->name);
    if (sqlite3_column_count(h) != (int)s->ncolumns)
        return fail_internal(cx, "%s: gives %d columns, declared are %zu", s->name, sqlite3_column_count(h), s->ncolumns);
    const char **names = NEWN(cx->arena, const char *, s->ncolumns);
    for (int i = 0; i < (int)s->ncolumns; i++) {
        const char *declared = sqlite3_column_decltype(h, i);
        if (!type_fits(s->columns[i].type, declared))
            return fail_internal(cx, "%s: column %s is %s in SQLite", s->name, s->columns[i].name, declared);
        names[i] = sqlite3_column_name(h, i);
    }
    const char *swapped = columns_swapped(s, names);
    return swapped ? fail_internal(cx, "%s: column %s is not where it is declared", s->name, swapped) : E_OK;
}

static enum err_code sqlite_check(struct cx *cx, struct db *base, const struct stmt *s, uint64_t mask)
{
    struct sqlite_db *db = sqlite_of(base);
    sqlite3_stmt *h = NULL;
    const char *tail = "";
    int rc = sqlite3_prepare_v2(db->handle, stmt_text(cx->arena, s, STORE_SQLITE, mask), -1, &h, &tail);
    if (rc != SQLITE_OK)
        return fail_internal(cx, "%s: %s", s->name, sqlite3_errmsg(db->handle));
    enum err_code code = str_trim(str_of(tail)).len ? fail_internal(cx, "%s: is more than one statement", s->name)
                                                    : check_columns(cx, h, s);
    sqlite3_finalize(h);
    return code;
}

const struct driver sqlite_driver = {
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .savepoint = sqlite_savepoint,
    .release = sqlite_release,
    .undo = sqlite_undo,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .lock_account = sqlite_lock_account,
    .run = sqlite_run,
    .script = sqlite_script,
    .check = sqlite_check,
    .drop = sqlite_drop,
    .idle = sqlite_idle,
    .group_max = GROUP_MAX,
};

enum err_code store_backup_to(struct store *store, struct cx *cx, const char *path)
{
    struct db *db;
    sqlite3 *copy = NULL;
    if (store->kind != STORE_SQLITE)
        return fail(cx, E_INVALID, "Back up a PostgreSQL database with pg_dump");
    const char *beside = arena_printf(cx->arena, "%s.part", path).ptr;
    CLEANUP(fd_close) int fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_busy(cx, "The backup %s cannot be written: %s", beside, strerror(errno));
    TRY(store_take_reader(cx, store, &db));
    int rc = sqlite3_open_v2(beside, &copy, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(copy, "main", sqlite_of(db)->handle, "main") : NULL;
    if (b) {
        sqlite3_backup_step(b, -1);     /* in one step: one snapshot, and WAL lets the writer go on */
        rc = sqlite3_backup_finish(b);
    } else {
        rc = sqlite3_errcode(copy);
    }
    store_return_reader(store, db);
    sqlite3_close(copy);
    if (rc == SQLITE_OK && fsync(fd) == 0 && rename(beside, path) == 0)
        return E_OK;
    int why = errno;
    unlink(beside);
    return fail_busy(cx, "The backup %s cannot be written: %s", path, rc == SQLITE_OK ? strerror(why) : sqlite3_errstr(rc));
}
