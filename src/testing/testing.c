/* testing.c - a fresh world for each test, on either database. */
#include "testing/testing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/crypto/crypto.h"

#define MONDAY_2026_01_05_0900 INT64_C(1767603600000000)

struct more {
    struct arena *arena;        /* this node lies in it */
    struct more *next;
};

/* What the harness keeps beside the world that it hands out. */
struct world_full {
    struct world w;
    char *database;             /* PostgreSQL: to drop afterwards */
    struct more *_Atomic more;  /* of world_cx */
};

static void run_psql(struct arena *arena, const char *sql)
{
    const char *url = getenv("CAIRN_TEST_POSTGRES");
    const char *command = arena_printf(arena, "psql -qX -v ON_ERROR_STOP=1 '%s' -c '%s' >/dev/null 2>&1", url, sql).ptr;
    int code = system(command);
    check_case("psql", code == 0, sql, __FILE__, __LINE__);
}

static struct world_full *world_begin(void)
{
    struct arena *arena = arena_new("test", 0);
    struct world_full *full = NEW(arena, struct world_full);
    struct world *w = &full->w;
    char *dir = arena_cstr(arena, STR("/tmp/cairn-test-XXXXXX"));
    CHECK(mkdtemp(dir) != NULL);
    crypto_init();
    log_setup(LOG_ERROR, 2);
    w->arena = arena;
    w->dir = dir;
    w->cx = (struct cx){ .arena = arena, .now_us = MONDAY_2026_01_05_0900, .actor = STR("system") };
    return full;
}

int world_setup_unit(void **state)
{
    *state = &world_begin()->w;
    return 0;
}

static void open_and_migrate(struct world *w, const struct store_options *options)
{
    int applied = 0;
    CHECK_OK(&w->cx, store_open(&w->cx, options, &w->store));
    CHECK_OK(&w->cx, store_migrate(w->store, &w->cx, &main_migrations, &applied));
}

int world_setup_sqlite(void **state)
{
    struct world_full *full = world_begin();
    struct world *w = &full->w;
    w->kind = STORE_SQLITE;
    open_and_migrate(w, &(struct store_options){
        .sqlite_path = arena_printf(w->arena, "%s/cairn.db", w->dir).ptr });
    *state = w;
    return 0;
}

/* The URL of a database beside the one in CAIRN_TEST_POSTGRES (…/postgres?host=…). */
static const char *url_of(struct arena *arena, const char *database)
{
    struct str url = str_of(getenv("CAIRN_TEST_POSTGRES"));
    return str_replace(arena, url, STR("/postgres?"), arena_printf(arena, "/%s?", database)).ptr;
}

int world_setup_postgres(void **state)
{
    static char template_name[64];
    struct world_full *full = world_begin();
    struct world *w = &full->w;
    *state = w;
    w->kind = STORE_POSTGRES;
    if (!template_name[0]) {
        snprintf(template_name, sizeof template_name, "cairn_template_%d", (int)getpid());
        run_psql(w->arena, arena_printf(w->arena, "CREATE DATABASE %s", template_name).ptr);
        open_and_migrate(w, &(struct store_options){ .postgres_url = url_of(w->arena, template_name) });
        store_close(&w->store);
    }
    full->database = arena_cstr(w->arena, arena_printf(w->arena, "cairn_test_%d_%llx", (int)getpid(),
                                                       (unsigned long long)rand_u64()));
    run_psql(w->arena, arena_printf(w->arena, "CREATE DATABASE %s TEMPLATE %s", full->database, template_name).ptr);
    CHECK_OK(&w->cx, store_open(&w->cx, &(struct store_options){ .postgres_url = url_of(w->arena, full->database) }, &w->store));
    return 0;
}

int world_teardown(void **state)
{
    struct world_full *full = *state;
    struct arena *arena = full->w.arena;
    store_close(&full->w.store);
    for (struct more *m = full->more, *next; m; m = next) {
        next = m->next;
        arena_free(&(struct arena *){ m->arena });
    }
    if (full->database)
        run_psql(arena, arena_printf(arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", full->database).ptr);
    int code = system(arena_printf(arena, "rm -rf '%s'", full->w.dir).ptr);
    (void)code;     /* a leftover temporary folder fails no test */
    arena_free(&arena);
    return 0;
}

int world_run(const struct CMUnitTest *tests, size_t n)
{
    bool postgres = getenv("CAIRN_TEST_POSTGRES") != NULL;
    struct CMUnitTest *runs = heap_new(n * sizeof *runs);
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (postgres || tests[i].setup_func != world_setup_postgres)
            runs[m++] = tests[i];
    if (m < n)
        print_message("%zu tests need PostgreSQL: run under tools/with-postgres\n", n - m);
    int failed = _cmocka_run_group_tests("tests", runs, m, NULL, NULL);
    heap_free(runs);
    return failed;
}

void world_advance(struct world *w, int64_t us)
{
    w->cx.now_us += us;
}

struct cx world_cx(struct world *w)
{
    struct world_full *full = (struct world_full *)(void *)w;
    struct cx cx = w->cx;
    cx.arena = arena_new("test-thread", 0);
    struct more *more = NEW(cx.arena, struct more);
    *more = (struct more){ cx.arena, atomic_load(&full->more) };
    while (!atomic_compare_exchange_weak(&full->more, &more->next, more))
        ;
    failure_clear(&cx);
    return cx;
}

const char *shared_data(struct world *w, const char *path)
{
    struct stat st;
    const char *root = getenv("CAIRN_SHARED") ? getenv("CAIRN_SHARED") : "../shared";
    const char *full = arena_printf(w->arena, "%s/data/%s", root, path).ptr;
    if (stat(full, &st) == 0)
        return full;
    print_message("the shared data set %s is not here: skipped\n", path);
    return NULL;
}

void check_str(struct str got, const char *want, const char *file, int line)
{
    if (str_is(got, want))
        return;
    print_error("got \"%.*s\", want \"%s\"\n", STR_ARG(got), want);
    _fail(file, line);
}

void check_case(const char *name, bool ok, const char *cond, const char *file, int line)
{
    if (ok)
        return;
    print_error("case \"%s\": %s\n", name, cond);
    _fail(file, line);
}

void check_ok(struct cx *cx, enum err_code code, const char *call, const char *file, int line)
{
    if (code == E_OK)
        return;
    print_error("%s: %s at %s: %.*s (%.*s)\n", call, err_name(code), cx->failure.field ? cx->failure.field : "-",
                STR_ARG(cx->failure.message), STR_ARG(cx->failure.detail));
    _fail(file, line);
}

void check_err(enum err_code got, enum err_code want, const char *call, const char *file, int line)
{
    if (got == want)
        return;
    print_error("%s: got %s, want %s\n", call, err_name(got), err_name(want));
    _fail(file, line);
}
