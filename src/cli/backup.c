/* backup.c - one consistent file of everything, and back again. */
#include "cli/cli_priv.h"
#include "platform/process/process.h"
#include "platform/tarball/tarball.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The tarball: `backup.json` (format, kind, version, time), `cairn.db` or
 * `database.dump`, `secret.key`, `cairn.conf` if any, `blobs/…`.  Blobs come
 * after the database: they are never changed or removed, so whatever the copy
 * refers to is on disk by then.
 */
#define SQLITE_MEMBER "cairn.db"
#define POSTGRES_MEMBER "database.dump"

static void remove_file(const char **path)
{
    if (*path)
        unlink(*path);
}

/* Password out of the URL and into the environment, where other users of the machine cannot read it. */
static const char *without_password(struct arena *arena, const char *url, const char **ret_variable)
{
    struct str all = str_of(url);
    ptrdiff_t start = str_find(all, STR("://")) + 3;
    struct str rest = str_skip(all, (size_t)start);
    ptrdiff_t slash = str_chr(rest, '/');
    struct str authority = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
    ptrdiff_t at = str_rchr(authority, '@'), colon = str_chr(authority, ':');
    struct str password;
    *ret_variable = NULL;
    if (at < 0 || colon < 0 || colon > at ||
        !percent_decode(arena, str_sub(authority, (size_t)colon + 1, (size_t)(at - colon - 1)), false, &password))
        return url;
    *ret_variable = arena_printf(arena, "PGPASSWORD=%.*s", STR_ARG(password)).ptr;
    return arena_printf(arena, "%.*s%.*s%s", (int)start, url, (int)colon, rest.ptr, rest.ptr + at).ptr;
}

static enum err_code postgres_tool(struct cx *cx, const struct config *config, const char *const *argv, size_t url_at)
{
    const char *extra[2] = { NULL, NULL };
    const char *copy[16] = { NULL };
    for (size_t i = 0; argv[i] && i + 1 < COUNT(copy); i++)
        copy[i] = argv[i];
    const char *url = without_password(cx->arena, config->database, &extra[0]);
    copy[url_at] = arena_printf(cx->arena, "--dbname=%s", url).ptr;
    enum err_code code = process_run(cx, copy, extra);
    if (code == E_INVALID)
        return fail(cx, E_INVALID, "%.*s (it comes with Debian's package postgresql-client)",
                    STR_ARG(cx->failure.message));
    return code;
}

static enum err_code copy_database(struct cx *cx, struct installation *in, const char *path)
{
    unlink(path); /* of a backup that was cut off */
    if (store_kind(in->store) == STORE_SQLITE)
        return store_backup_to(in->store, cx, path);
    const char *argv[] = { "pg_dump", "", "--format=custom", "--no-owner", "--no-privileges", "--file", path, NULL };
    return postgres_tool(cx, in->config, argv, 1);
}

static struct str describe(struct cx *cx, const struct installation *in)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_int(&w, "format", 1);
    json_put_text(&w, "database", store_kind(in->store) == STORE_SQLITE ? STR("sqlite") : STR("postgresql"));
    json_put_text(&w, "version", STR(CAIRN_VERSION));
    json_put_int(&w, "migrations", (int64_t)main_migrations.n);
    json_put_time(&w, "created_at", cx->now_us);
    json_close_object(&w);
    return buf_str(&out);
}

static enum err_code fill(struct cx *cx, struct installation *in, struct tarball *t, const char *database)
{
    const char *dir = in->config->data;
    const char *settings = arena_printf(cx->arena, "%s/cairn.conf", dir).ptr;
    const char *key = arena_printf(cx->arena, "%s/secret.key", dir).ptr;
    TRY(tarball_add(cx, t, "backup.json", describe(cx, in)));
    TRY(copy_database(cx, in, database));
    TRY(tarball_add_file(cx, t, store_kind(in->store) == STORE_SQLITE ? SQLITE_MEMBER : POSTGRES_MEMBER, database));
    TRY(tarball_add_file(cx, t, "secret.key", key));
    if (access(settings, F_OK) == 0)
        TRY(tarball_add_file(cx, t, "cairn.conf", settings));
    TRY(tarball_add_folder(cx, t, "blobs", in->config->blobs));
    return tarball_finish(cx, t);
}

enum err_code operation_backup(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    const char *file = arena_cstr(cx->arena, json_text(&call->args, "file"));
    CLEANUP(remove_file) const char *database = arena_printf(cx->arena, "%s.database", file).ptr;
    CLEANUP(tarball_free) struct tarball *t = NULL;
    struct tarball_facts facts = { 0 };
    TRY(tarball_create(cx, file, &t));
    TRY(fill(cx, in, t, database));
    TRY(tarball_verify(cx, file, &facts));
    json_put_int(ret, "files", facts.files);
    json_put_int(ret, "bytes", facts.bytes);
    return E_OK;
}

/* ---- restore ---- */

static enum err_code refuse_full_folder(struct cx *cx, const char *dir)
{
    DIR *d = opendir(dir);
    bool empty = true;
    if (!d)
        return errno == ENOENT ? E_OK : fail(cx, E_INVALID, "%s: %s", dir, strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
    closedir(d);
    return empty ? E_OK : fail(cx, E_CONFLICT, "%s is not empty: restore goes to a new folder only", dir);
}

static enum err_code check_kind(struct cx *cx, const struct config *config, const char *dir)
{
    struct str text = STR_NONE;
    struct json_value facts;
    if (!fd_read_file(cx->arena, arena_printf(cx->arena, "%s/backup.json", dir).ptr, 65536, &text))
        return fail(cx, E_INVALID, "this is not a backup of Cairn");
    TRY(json_parse(cx, text, &facts));
    struct str kind = json_text(&facts, "database");
    if (json_int(&facts, "format", 0) != 1 || json_int(&facts, "migrations", 0) > (int64_t)main_migrations.n)
        return fail(cx, E_INVALID, "the backup was made by a newer Cairn (%.*s)", STR_ARG(json_text(&facts, "version")));
    if (str_is(kind, "postgresql") != (config->database != NULL))
        return fail(cx, E_INVALID, "the backup is of %.*s: %s", STR_ARG(kind),
                    config->database ? "restore it without --database" : "say where with --database postgresql://…");
    return E_OK;
}

static enum err_code restore_postgres(struct cx *cx, const struct config *config, const char *dir)
{
    const char *dump = arena_printf(cx->arena, "%s/" POSTGRES_MEMBER, dir).ptr;
    const char *argv[] = { "pg_restore",           "",   "--single-transaction", "--exit-on-error", "--no-owner",
                           "--no-privileges", dump, NULL };
    TRY(postgres_tool(cx, config, argv, 1)); /* one transaction: a database with content stays as it is */
    unlink(dump);
    return E_OK;
}

/* Removes the half-made folder; names inside are those of the backup. */
static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char inner[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (unlink(inner) != 0)
            remove_folder(inner);
    }
    closedir(d);
    rmdir(path);
}

static enum err_code restore_into(struct cx *cx, const struct config *config, const char *file, const char *dir)
{
    struct tarball_facts facts = { 0 };
    TRY(tarball_extract(cx, file, dir, &facts));
    TRY(check_kind(cx, config, dir));
    if (config->database)
        TRY(restore_postgres(cx, config, dir));
    unlink(arena_printf(cx->arena, "%s/backup.json", dir).ptr);
    /* An empty folder gives way to a full one in one step. */
    if (rename(dir, config->data) != 0)
        return fail_busy(cx, "%s: %s", config->data, strerror(errno));
    return E_OK;
}

enum err_code restore(struct cx *cx, const struct config *config, const char *file)
{
    struct str data = str_of(config->data);
    while (data.len > 1 && data.ptr[data.len - 1] == '/')
        data.len--;
    const char *dir = arena_printf(cx->arena, "%.*s.restore-%d", STR_ARG(data), (int)getpid()).ptr;
    TRY(refuse_full_folder(cx, config->data));
    if (!fd_make_dirs(dir, 0700))
        return fail_busy(cx, "%s: %s", dir, strerror(errno));
    enum err_code code = restore_into(cx, config, file, dir);
    if (code != E_OK)
        remove_folder(dir);
    return code;
}
