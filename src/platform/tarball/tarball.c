/* tarball.c - writing a tarball. */
#include "platform/tarball/tarball_priv.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct tarball {
    struct archive *archive;
    struct arena *arena;
    struct buf manifest;
    int fd;
    const char *path, *partial;
    int64_t now_s;
    bool finished;
};

static enum err_code broken(struct cx *cx, struct tarball *t)
{
    return fail_busy(cx, "%s: %s", t->partial, archive_error_string(t->archive));
}

enum err_code tarball_create(struct cx *cx, const char *path, struct tarball **ret)
{
    const char *partial = arena_printf(cx->arena, "%s.partial", path).ptr;
    if (access(path, F_OK) == 0)
        return fail(cx, E_CONFLICT, "%s exists already", path);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(cx, E_INVALID, "%s: %s", partial, strerror(errno));
    struct arena *arena = arena_new("tarball", 0);
    struct tarball *t = NEW(arena, struct tarball);
    *t = (struct tarball){ .arena = arena, .fd = fd, .now_s = cx->now_us / US_PER_SECOND };
    t->path = arena_cstr(arena, str_of(path));
    t->partial = arena_cstr(arena, str_of(partial));
    t->manifest = buf_new(arena, 0);
    t->archive = archive_write_new();
    *ret = t;
    if (archive_write_set_format_pax_restricted(t->archive) != ARCHIVE_OK ||
        archive_write_open_fd(t->archive, fd) != ARCHIVE_OK)
        return broken(cx, t);
    return E_OK;
}

static enum err_code begin_entry(struct cx *cx, struct tarball *t, const char *name, int64_t size)
{
    if (!tarball_name_is_safe(str_of(name)))
        return fail(cx, E_INVALID, "\"%s\" cannot be a name in a backup", name);
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, size);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0600);
    archive_entry_set_mtime(e, t->now_s, 0);
    int rc = archive_write_header(t->archive, e);
    archive_entry_free(e);
    return rc == ARCHIVE_OK ? E_OK : broken(cx, t);
}

static void list_entry(struct tarball *t, struct crypto_sha256_state *sum, int64_t size, const char *name)
{
    struct str hash = crypto_sha256_end(t->arena, sum);
    buf_printf(&t->manifest, "%.*s %" PRId64 " %s\n", STR_ARG(hash), size, name);
}

enum err_code tarball_add(struct cx *cx, struct tarball *t, const char *name, struct str content)
{
    struct crypto_sha256_state sum;
    TRY(begin_entry(cx, t, name, (int64_t)content.len));
    crypto_sha256_begin(&sum);
    crypto_sha256_add(&sum, content);
    if (archive_write_data(t->archive, content.ptr, content.len) != (la_ssize_t)content.len)
        return broken(cx, t);
    list_entry(t, &sum, (int64_t)content.len, name);
    return E_OK;
}

enum err_code tarball_add_file(struct cx *cx, struct tarball *t, const char *name, const char *path)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return fail_busy(cx, "%s: %s", path, strerror(errno));
    TRY(begin_entry(cx, t, name, st.st_size));
    char *block = arena_alloc(cx->arena, TARBALL_BLOCK_BYTES);
    struct crypto_sha256_state sum;
    int64_t done = 0;
    crypto_sha256_begin(&sum);
    for (ssize_t n; (n = read(fd, block, TARBALL_BLOCK_BYTES)) != 0; done += n) {
        if (n < 0)
            return fail_busy(cx, "%s: %s", path, strerror(errno));
        crypto_sha256_add(&sum, (struct str){ block, (size_t)n });
        if (archive_write_data(t->archive, block, (size_t)n) != n)
            return broken(cx, t);
    }
    if (done != st.st_size)
        return fail_busy(cx, "%s changed while it was read", path);
    list_entry(t, &sum, done, name);
    return E_OK;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

enum err_code tarball_add_folder(struct cx *cx, struct tarball *t, const char *name, const char *path)
{
    CLEANUP(close_dir) DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? E_OK : fail_busy(cx, "%s: %s", path, strerror(errno));
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        if (d->d_name[0] == '.' || strncmp(d->d_name, "tmp", 3) == 0)
            continue;
        struct arena *arena = arena_new("tarball file", 0); /* a folder may hold millions */
        struct arena *outer = cx->arena;
        cx->arena = arena;
        const char *inner = arena_printf(arena, "%s/%s", name, d->d_name).ptr;
        const char *full = arena_printf(arena, "%s/%s", path, d->d_name).ptr;
        struct stat st = { 0 };
        enum err_code e = E_OK;
        if (lstat(full, &st) != 0)
            e = fail_busy(cx, "%s: %s", d->d_name, strerror(errno));
        else if (S_ISDIR(st.st_mode))
            e = tarball_add_folder(cx, t, inner, full);
        else if (S_ISREG(st.st_mode))
            e = tarball_add_file(cx, t, inner, full);
        cx->arena = outer;
        if (e != E_OK)
            cx->failure.message = arena_copy(outer, cx->failure.message);
        arena_free(&arena);
        TRY(e);
    }
    return E_OK;
}

enum err_code tarball_finish(struct cx *cx, struct tarball *t)
{
    struct buf list = t->manifest; /* adding the manifest would list itself */
    t->manifest = buf_new(t->arena, 0);
    TRY(tarball_add(cx, t, TARBALL_MANIFEST, buf_str(&list)));
    if (archive_write_close(t->archive) != ARCHIVE_OK)
        return broken(cx, t);
    if (fsync(t->fd) != 0 || link(t->partial, t->path) != 0)
        return fail_busy(cx, "%s: %s", t->path, strerror(errno));
    return tarball_sync_folder_of(cx, t->path); /* the partial name goes in tarball_free */
}

void tarball_free(struct tarball **t)
{
    struct tarball *it = *t;
    if (!it)
        return;
    archive_write_free(it->archive);
    fd_close(&it->fd);
    unlink(it->partial);
    struct arena *arena = it->arena;
    *t = NULL;
    arena_free(&arena);
}
