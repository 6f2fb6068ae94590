/* store_fault_test.c - killed processes, full disks, lost connections, a second process. */
#include "testing/testing.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_test_sql.h"

/* A unit takes a void pointer; text goes in without its const. */
#define TEXT_ARG(text) ((void *)(uintptr_t)(text))

static enum err_code put(struct cx *cx, struct db *db, void *arg)
{
    return probe_put(cx, db, (struct probe_put_in){ str_of(arg), 1 }, NULL);
}

static enum err_code count(struct cx *cx, struct db *db, void *arg)
{
    return probe_count(cx, db, (struct probe_count_in){ 0 }, arg);
}

static const char *sqlite_path(struct world *w)
{
    return arena_printf(w->arena, "%s/cairn.db", w->dir).ptr;
}

/* Writes rows and says on `fd` after each how many were acknowledged; ends by a signal. */
static void acknowledge_for_ever(const char *path, int fd)
{
    struct arena *arena = arena_new("child", 0);
    struct cx cx = { .arena = arena };
    struct store *store = NULL;
    if (store_open(&cx, &(struct store_options){ .sqlite_path = path }, &store) != E_OK)
        _exit(1);
    for (int i = 0;; i++) {
        if (store_write(store, &cx, put, TEXT_ARG(arena_printf(arena, "%d-%d", (int)getpid(), i).ptr)) != E_OK)
            _exit(2);
        fd_write_all(fd, "x", 1);
    }
}

static void acknowledged_rows_survive_kill(void **state)
{
    struct world *w = *state;
    int64_t acknowledged = 0;
    store_close(&w->store);
    for (int round = 0; round < 3; round++) {
        int pipe_fds[2];
        char bytes[4096];
        CHECK_INT(pipe(pipe_fds), 0);
        pid_t child = fork();
        if (child == 0) {
            close(pipe_fds[0]);
            acknowledge_for_ever(sqlite_path(w), pipe_fds[1]);
        }
        close(pipe_fds[1]);
        ssize_t got = 0;
        for (int64_t seen = 0; seen < 50 * (round + 1) && (got = read(pipe_fds[0], bytes, sizeof bytes)) > 0;) {
            seen += got;
            acknowledged += got;
        }
        CHECK_INT(kill(child, SIGKILL), 0);
        while ((got = read(pipe_fds[0], bytes, sizeof bytes)) > 0)
            acknowledged += got;
        int status;
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK(WIFSIGNALED(status));
        close(pipe_fds[0]);
    }
    struct probe_count_row r;
    struct str findings;
    CHECK_OK(&w->cx, store_open(&w->cx, &(struct store_options){ .sqlite_path = sqlite_path(w) }, &w->store));
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
    /* in each round the last row may have been committed but not acknowledged */
    CHECK(r.n >= acknowledged && r.n <= acknowledged + 3);
    CHECK_OK(&w->cx, store_check(w->store, &w->cx, &findings));
    CHECK_STR(findings, "");
}

static enum err_code put_much(struct cx *cx, struct db *db, void *arg)
{
    char *key = arena_alloc(cx->arena, 200001);
    memset(key, 'k', 200000);
    rand_bytes(key, 8);
    return probe_put(cx, db, (struct probe_put_in){ hex_encode(cx->arena, (struct str){ key, 200000 }), 1 }, NULL);
}

static void a_full_disk_is_busy_and_heals(void **state)
{
    struct world *w = *state;
    struct rlimit before, small;
    enum err_code code = E_OK;
    signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG("before")));
    small = (struct rlimit){ .rlim_cur = 2 << 20, .rlim_max = before.rlim_max };
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    int64_t stored = 1;
    for (int i = 0; i < 20 && code == E_OK; i++)
        stored += (code = store_write(w->store, &w->cx, put_much, NULL)) == E_OK;
    CHECK_INT(code, E_BUSY);
    CHECK(w->cx.failure.message.len > 10);
    CHECK_INT(store_write(w->store, &w->cx, put_much, NULL), E_BUSY);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put_much, NULL));
    struct probe_count_row r;
    struct str findings;
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
    CHECK_INT(r.n, stored + 1);
    CHECK_OK(&w->cx, store_check(w->store, &w->cx, &findings));
    CHECK_STR(findings, "");
}

static void two_processes_share_one_file(void **state)
{
    struct world *w = *state;
    struct store *second = NULL;
    struct probe_count_row r;
    CHECK_OK(&w->cx, store_open(&w->cx, &(struct store_options){ .sqlite_path = sqlite_path(w) }, &second));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG(arena_printf(w->arena, "a%d", i).ptr)));
        CHECK_OK(&w->cx, store_write(second, &w->cx, put, TEXT_ARG(arena_printf(w->arena, "b%d", i).ptr)));
    }
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
    CHECK_INT(r.n, 40);
    store_close(&second);
}

static void a_database_that_cannot_be_opened_says_why(void **state)
{
    struct world *w = *state;
    struct store *s = NULL;
    CHECK_ERR(store_open(&w->cx, &(struct store_options){ .sqlite_path = "/nonexistent/cairn.db" }, &s), E_BUSY);
    CHECK(str_find(w->cx.failure.message, STR("No such file")) >= 0);
    CHECK_ERR(store_open(&w->cx, &(struct store_options){ .postgres_url = "postgresql:///x?host=/nonexistent" }, &s), E_BUSY);
    CHECK(str_find(w->cx.failure.message, STR("cannot be reached")) >= 0);
    CHECK(!s);
}

/* ---- PostgreSQL: connections that are cut ---- */

static enum err_code cut_all(struct cx *cx, struct db *db, void *arg)
{
    struct probe_cut_row r;
    return probe_cut_others(cx, db, (struct probe_cut_others_in){ 0 }, &r);
}

static void cut_connections_come_back(void **state)
{
    struct world *w = *state;
    struct probe_count_row r;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, TEXT_ARG(arena_printf(w->arena, "k%d", i).ptr)));
        CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
        CHECK_INT(r.n, i + 1);
        CHECK_OK(&w->cx, store_read(w->store, &w->cx, cut_all, NULL));
    }
    CHECK(store_stats(w->store).retries > 0);
}

struct cut_once {
    bool done;
};

static enum err_code put_and_lose(struct cx *cx, struct db *db, void *arg)
{
    struct cut_once *once = arg;
    struct probe_cut_row r;
    TRY(probe_put(cx, db, (struct probe_put_in){ STR("lost"), 1 }, NULL));
    if (once->done)
        return E_OK;
    once->done = true;
    return probe_cut_own(cx, db, (struct probe_cut_own_in){ 0 }, &r);
}

static void a_unit_whose_connection_dies_is_run_again(void **state)
{
    struct world *w = *state;
    struct cut_once once = { false };
    struct probe_count_row r;
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put_and_lose, &once));
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, count, &r));
    CHECK_INT(r.n, 1);
}

TESTS(SQLITE(acknowledged_rows_survive_kill), SQLITE(a_full_disk_is_busy_and_heals), SQLITE(two_processes_share_one_file),
      UNIT(a_database_that_cannot_be_opened_says_why), POSTGRES(cut_connections_come_back),
      POSTGRES(a_unit_whose_connection_dies_is_run_again))
