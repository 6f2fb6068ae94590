/* installation.c - one process in a data folder: lock, open, migrate. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_RETRY_NS = 20 * 1000 * 1000 };

static enum err_code take_lock(struct cx *cx, const char *dir, int64_t wait_us, int *ret_fd)
{
    const char *path = arena_printf(cx->arena, "%s/cairn.lock", dir).ptr;
    int64_t deadline = clock_monotonic_us() + wait_us;
    *ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*ret_fd < 0)
        return fail_busy(cx, "%s: %s", path, strerror(errno));
    while (flock(*ret_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail_busy(cx, "%s: %s", path, strerror(errno));
        if (clock_monotonic_us() >= deadline)
            return fail(cx, E_CONFLICT, "another process works in %s", dir);
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_RETRY_NS }, NULL);
    }
    return E_OK;
}

static enum err_code open_folder(struct cx *cx, const struct config *config, enum installation_use use)
{
    bool may_create = use == USE_OR_CREATE || use == USE_SERVE;
    const char *sign = arena_printf(cx->arena, "%s/secret.key", config->data).ptr;
    if (!may_create && access(sign, F_OK) != 0)
        return fail(cx, E_NOT_FOUND, "%s holds no installation yet (see: cairn help setup)", config->data);
    if (!fd_make_dirs(config->data, 0700))
        return fail_busy(cx, "%s: %s", config->data, strerror(errno));
    return E_OK;
}

static enum err_code open_store(struct cx *cx, const struct config *config, struct installation *in)
{
    struct store_options options = {
        .sqlite_path = arena_printf(cx->arena, "%s/cairn.db", config->data).ptr,
        .postgres_url = config->database,
        .readers = (unsigned)config->database_readers,
    };
    TRY(store_open(cx, &options, &in->store));
    in->blobs = blobs_new(config->blobs);
    return secrets_open(cx, config->data, &in->secrets);
}

static enum err_code start_channels(struct cx *cx, enum installation_use use, struct installation *in)
{
    const struct config *c = in->config;
    const char *url = c->public_url ? c->public_url : arena_printf(cx->arena, "http://%s", c->listen).ptr;
    struct email_options options = {
        .store = in->store,
        .blobs = in->blobs,
        .secrets = in->secrets,
        .lmtp_listen = use == USE_SERVE ? c->lmtp_listen : NULL,
        .ca_file = c->ca_file,
        .public_url = url,
        .run_intake = use == USE_SERVE,
        .poll_mailboxes = use == USE_SERVE && c->poll_mailboxes,
    };
    int applied = 0;
    TRY(store_migrate(in->store, cx, &main_migrations, &applied));
    if (applied)
        log_event(LOG_INFO, "store.migrated", F_INT("applied", applied));
    TRY(search_open(cx, in->store, in->blobs, arena_printf(cx->arena, "%s/search.db", c->data).ptr, &in->search));
    return email_start(cx, &options, &in->email);
}

enum err_code installation_open(struct cx *cx, const struct config *config, enum installation_use use, int64_t wait_us,
                                struct installation *ret)
{
    *ret = (struct installation){ .config = config, .lock_fd = -1 };
    TRY(open_folder(cx, config, use));
    TRY(take_lock(cx, config->data, wait_us, &ret->lock_fd));
    TRY(open_store(cx, config, ret));
    return use == USE_UNCHANGED ? E_OK : start_channels(cx, use, ret);
}

void installation_close(struct installation *in)
{
    if (in->email)
        email_stop(&in->email);
    if (in->search)
        search_close(&in->search);
    if (in->store)
        store_close(&in->store);
    if (in->blobs)
        blobs_free(&in->blobs);
    if (in->secrets)
        secrets_free(&in->secrets);
    fd_close(&in->lock_fd);
}
