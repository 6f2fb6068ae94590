/*
 * testing.h - the thin layer over cmocka that all unit tests use.
 *
 *   static void closes_at_night(void **state) { … CHECK_INT(due, 540); }
 *   TESTS(UNIT(closes_at_night), BOTH(stores_a_ticket))
 *
 * BOTH registers a test twice: on a fresh, migrated SQLite database and on a
 * fresh PostgreSQL database of the server named by CAIRN_TEST_POSTGRES
 * (postgresql://…; tools/with-postgres starts one).  Without that variable the
 * PostgreSQL half is skipped and says so.
 */
#ifndef CAIRN_TESTING_H
#define CAIRN_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is fail(cx, code, …); tests use the CHECK macros */

#include "base/base.h"
#include "platform/store/store.h"

/* A fresh world for one test; freed by the harness. */
struct world {
    struct arena *arena;
    struct cx cx;               /* now_us = 2026-01-05T09:00:00Z (a Monday), account_id 0 */
    struct store *store;        /* BOTH only: migrated, empty */
    const char *dir;            /* an empty temporary folder */
    enum store_kind kind;
};

int world_setup_unit(void **state);
int world_setup_sqlite(void **state);
int world_setup_postgres(void **state);
int world_teardown(void **state);

#define UNIT(fn)   { #fn, fn, world_setup_unit, world_teardown, NULL }
#define SQLITE(fn) { #fn " (sqlite)", fn, world_setup_sqlite, world_teardown, NULL }
#define POSTGRES(fn) { #fn " (postgresql)", fn, world_setup_postgres, world_teardown, NULL }
#define BOTH(fn)   SQLITE(fn), POSTGRES(fn)

/* Runs all but those that need a PostgreSQL which is not there. */
int world_run(const struct CMUnitTest *tests, size_t n);

#define TESTS(...)                                                  \
    int main(void)                                                  \
    {                                                               \
        const struct CMUnitTest tests[] = { __VA_ARGS__ };          \
        return world_run(tests, COUNT(tests));                      \
    }

/* Moves the world's clock. */
void world_advance(struct world *w, int64_t us);
/* A further context of the same world for a concurrent unit, from any thread; its arena lives as long as the world. */
struct cx world_cx(struct world *w);

/* ../shared/data/SET/NAME, or NULL (and the caller skips with a word) when the sets are not there. */
const char *shared_data(struct world *w, const char *path);

#define CHECK(cond)            assert_true(cond)
#define CHECK_INT(got, want)   assert_int_equal((int64_t)(got), (int64_t)(want))
#define CHECK_STR(got, want)   check_str((got), (want), __FILE__, __LINE__)
#define CHECK_CASE(name, cond) check_case((name), (cond), #cond, __FILE__, __LINE__)
/* OK(cx, call) fails the test with the failure's message. */
#define CHECK_OK(cx, call)     check_ok((cx), (call), #call, __FILE__, __LINE__)
#define CHECK_ERR(call, want)  check_err((call), (want), #call, __FILE__, __LINE__)

void check_str(struct str got, const char *want, const char *file, int line);
void check_case(const char *name, bool ok, const char *cond, const char *file, int line);
void check_ok(struct cx *cx, enum err_code code, const char *call, const char *file, int line);
void check_err(enum err_code got, enum err_code want, const char *call, const char *file, int line);

#endif
