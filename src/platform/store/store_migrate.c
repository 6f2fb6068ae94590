/* store_migrate.c - bringing the schema up to date, and looking whether the database is well. */
#include "platform/store/store_internal.h"

#include "store_sql.h"

/* Any number, the same on all nodes: orders them when several start at once. */
#define MIGRATION_LOCK INT64_C(-4611686018427387904)

struct plan {
    const struct migration_set *set;
    int missing;
};

static enum err_code compare(struct cx *cx, const struct migration_row *rows, size_t n, struct plan *plan)
{
    const struct migration_set *set = plan->set;
    plan->missing = (int)set->n;
    for (size_t i = 0; i < n; i++) {
        const struct migration_row *r = &rows[i];
        if (i >= set->n || set->list[i].number != r->number)
            return fail_busy(cx, "The database has the migration %.*s that this program does not know; it is newer",
                             STR_ARG(r->name));
        if (!str_is(r->hash, set->list[i].hash))
            return fail_busy(cx, "The migration %s has changed since it was applied to this database", set->list[i].name);
        plan->missing--;
    }
    return E_OK;
}

static enum err_code look(struct cx *cx, struct db *db, void *arg)
{
    struct plan *plan = arg;
    struct migration_table_row table;
    struct migration_row *rows = NULL;
    size_t n = 0;
    TRY(migration_table_count(cx, db, (struct migration_table_count_in){ 0 }, &table));
    if (table.n)
        TRY(migration_list(cx, db, (struct migration_list_in){ str_of(plan->set->series) }, &rows, &n));
    return compare(cx, rows, n, plan);
}

static enum err_code apply(struct cx *cx, struct db *db, void *arg)
{
    struct plan *plan = arg;
    TRY(db->driver->lock_account(cx, db, MIGRATION_LOCK));
    TRY(migration_table_make(cx, db, (struct migration_table_make_in){ 0 }, NULL));
    TRY(look(cx, db, plan));
    if (!plan->missing)
        return E_OK;
    const struct migration *m = &plan->set->list[plan->set->n - (size_t)plan->missing];
    enum err_code code = db->driver->script(cx, db, db->store->kind == STORE_SQLITE ? m->sqlite : m->postgres);
    if (code != E_OK) {
        struct str why = cx->failure.detail.len ? cx->failure.detail : cx->failure.message;
        return fail_busy(cx, "The migration %s failed: %.*s", m->name, STR_ARG(why));
    }
    return migration_add(cx, db, (struct migration_add_in){ str_of(plan->set->series), m->number, str_of(m->name), str_of(m->hash), cx->now_us }, NULL);
}

enum err_code store_migrate(struct store *store, struct cx *cx, const struct migration_set *set, int *ret_applied)
{
    struct plan plan = { .set = set, .missing = 1 };
    *ret_applied = 0;
    TRY(store_pending_migrations(store, cx, set, &plan.missing));
    while (plan.missing) {
        TRY(store_write(store, cx, apply, &plan));
        if (!plan.missing)
            break;      /* another node was faster */
        plan.missing--;
        ++*ret_applied;
    }
    return E_OK;
}

enum err_code store_pending_migrations(struct store *store, struct cx *cx, const struct migration_set *set, int *ret_pending)
{
    struct plan plan = { .set = set };
    TRY(store_read(store, cx, look, &plan));
    *ret_pending = plan.missing;
    return E_OK;
}

static enum err_code check_integrity(struct cx *cx, struct db *db, void *arg)
{
    struct finding_row *rows = NULL;
    size_t n = 0;
    struct buf out = buf_new(cx->arena, 0);
    TRY(integrity_findings(cx, db, (struct integrity_findings_in){ 0 }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%.*s\n", STR_ARG(rows[i].text));
    *(struct str *)arg = buf_str(&out);
    return E_OK;
}

enum err_code store_check(struct store *store, struct cx *cx, struct str *ret_findings)
{
    return store_read(store, cx, check_integrity, ret_findings);
}
