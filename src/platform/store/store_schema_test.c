/* store_schema_test.c - every statement prepares on both databases; both have the same schema; migrations are guarded. */
#include "testing/testing.h"

#include <stdlib.h>
#include <unistd.h>

#include "store_test_sql.h"

struct statement_list {
    const struct stmt *const *list;
    size_t n;
};
extern const struct statement_list statement_lists[];
extern const size_t statement_lists_count;

static enum err_code check_one(struct cx *cx, struct db *db, void *arg)
{
    return stmt_check(cx, db, arg);
}

static void every_statement_prepares(void **state)
{
    struct world *w = *state;
    int applied, bad = 0;
    CHECK_OK(&w->cx, store_migrate(w->store, &w->cx, &search_migrations, &applied));
    for (size_t i = 0; i < statement_lists_count; i++)
        for (size_t j = 0; j < statement_lists[i].n; j++) {
            const struct stmt *s = statement_lists[i].list[j];
            if (store_read(w->store, &w->cx, check_one, (void *)(uintptr_t)s) == E_OK)
                continue;
            print_error("%.*s\n", STR_ARG(w->cx.failure.detail));
            bad++;
        }
    CHECK_INT(bad, 0);
}

static enum err_code schema(struct cx *cx, struct db *db, void *arg)
{
    struct schema_row *rows = NULL;
    size_t n = 0, m = 0;
    struct buf *out = arg;
    TRY(probe_schema_columns(cx, db, (struct probe_schema_columns_in){ 0 }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%.*s\n", STR_ARG(rows[i].line));
    TRY(probe_schema_indexes(cx, db, (struct probe_schema_indexes_in){ 0 }, &rows, &m));
    for (size_t i = 0; i < m; i++)
        buf_printf(out, "%.*s\n", STR_ARG(rows[i].line));
    return n && m ? E_OK : fail_internal(cx, "the schema is empty");
}

static void both_databases_have_one_schema(void **state)
{
    struct world *w = *state;
    struct store *other = NULL;
    struct buf here = buf_new(w->arena, 0), there = buf_new(w->arena, 0);
    int applied;
    const char *path = arena_printf(w->arena, "%s/other.db", w->dir).ptr;
    CHECK_OK(&w->cx, store_open(&w->cx, &(struct store_options){ .sqlite_path = path }, &other));
    CHECK_OK(&w->cx, store_migrate(other, &w->cx, &main_migrations, &applied));
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, schema, &here));
    CHECK_OK(&w->cx, store_read(other, &w->cx, schema, &there));
    store_close(&other);
    struct str a = buf_str(&here), b = buf_str(&there), x = STR_NONE, y = STR_NONE;
    while (str_line(&a, &x) && str_line(&b, &y))
        CHECK_STR(x, arena_cstr(w->arena, y));
    CHECK(!a.len && !b.len);
}

static void migrations_are_guarded(void **state)
{
    struct world *w = *state;
    int n = -1;
    CHECK_OK(&w->cx, store_pending_migrations(w->store, &w->cx, &main_migrations, &n));
    CHECK_INT(n, 0);
    struct migration list[8];
    ASSERT(main_migrations.n + 2 < COUNT(list));
    memcpy(list, main_migrations.list, main_migrations.n * sizeof *list);
    struct migration_set set = { main_migrations.series, list, main_migrations.n + 1 };
    list[main_migrations.n] = (struct migration){ .number = 9001, .name = "9001_probe", .hash = "h1",
        .sqlite = "CREATE TABLE probe (a INTEGER); broken;", .postgres = "CREATE TABLE probe (a BIGINT); broken;" };
    CHECK_ERR(store_migrate(w->store, &w->cx, &set, &n), E_BUSY);
    CHECK(str_find(w->cx.failure.message, STR("9001_probe")) >= 0);
    list[main_migrations.n].sqlite = list[main_migrations.n].postgres = "CREATE TABLE probe (a TEXT); DROP TABLE probe;";
    CHECK_OK(&w->cx, store_migrate(w->store, &w->cx, &set, &n));
    CHECK_INT(n, 1);
    CHECK_OK(&w->cx, store_migrate(w->store, &w->cx, &set, &n));
    CHECK_INT(n, 0);
    CHECK_ERR(store_pending_migrations(w->store, &w->cx, &main_migrations, &n), E_BUSY);
    CHECK(str_find(w->cx.failure.message, STR("newer")) >= 0);
    list[main_migrations.n].hash = "h2";
    CHECK_ERR(store_migrate(w->store, &w->cx, &set, &n), E_BUSY);
    CHECK(str_find(w->cx.failure.message, STR("changed")) >= 0);
}

/* A unit takes a void pointer; text goes in without its const. */
#define TEXT_ARG(text) ((void *)(uintptr_t)(text))

static enum err_code put(struct cx *cx, struct db *db, void *arg)
{
    return probe_put(cx, db, (struct probe_put_in){ str_of(arg), 1 }, NULL);
}

static enum err_code find(struct cx *cx, struct db *db, void *arg)
{
    struct probe_row r;
    return probe_get(cx, db, (struct probe_get_in){ str_of(arg) }, &r);
}

static void a_backup_is_a_whole_database(void **state)
{
    struct world *w = *state;
    struct store *copy = NULL;
    struct str findings = STR_NONE;
    const char *path = arena_printf(w->arena, "%s/copy.db", w->dir).ptr;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("before")));
    CHECK_OK(&w->cx, store_backup_to(w->store, &w->cx, path));
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("after")));
    CHECK_OK(&w->cx, store_open(&w->cx, &(struct store_options){ .sqlite_path = path }, &copy));
    CHECK_OK(&w->cx, store_check(copy, &w->cx, &findings));
    CHECK_STR(findings, "");
    CHECK_OK(&w->cx, store_read(copy, &w->cx, find, TEXT_ARG("before")));
    CHECK_ERR(store_read(copy, &w->cx, find, TEXT_ARG("after")), E_NOT_FOUND);
    store_close(&copy);
    CHECK_ERR(store_backup_to(w->store, &w->cx, "/nonexistent/copy.db"), E_BUSY);
}

static void a_sound_database_has_no_findings(void **state)
{
    struct world *w = *state;
    struct str findings = STR_NONE;
    CHECK_OK(&w->cx, store_check(w->store, &w->cx, &findings));
    CHECK_STR(findings, "");
}

TESTS(BOTH(every_statement_prepares), POSTGRES(both_databases_have_one_schema), BOTH(migrations_are_guarded),
      SQLITE(a_backup_is_a_whole_database), BOTH(a_sound_database_has_no_findings))
