/* blob.c - small contents in the table, large ones as fsynced files. */
#include "platform/blob/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob_sql.h"
#include "platform/crypto/crypto.h"

struct blobs {
    char *dir;
};

struct blobs *blobs_new(const char *dir)
{
    struct arena *arena = arena_new("blobs", 0);
    struct blobs *b = heap_new(sizeof *b);
    b->dir = heap_copy(arena_printf(arena, "%s/blobs", dir));
    fd_make_dirs(arena_printf(arena, "%s/incoming", b->dir).ptr, 0700);
    arena_free(&arena);
    return b;
}

void blobs_free(struct blobs **blobs)
{
    if (!*blobs)
        return;
    heap_free((*blobs)->dir);
    heap_free(*blobs);
    *blobs = NULL;
}

static bool hash_valid(struct str hash)
{
    for (size_t i = 0; i < hash.len; i++)
        if (!((hash.ptr[i] >= '0' && hash.ptr[i] <= '9') || (hash.ptr[i] >= 'a' && hash.ptr[i] <= 'f')))
            return false;
    return hash.len == BLOB_HASH_LEN;
}

static const char *place_of(struct arena *arena, const struct blobs *blobs, struct str hash)
{
    return arena_printf(arena, "%s/%.2s/%.62s", blobs->dir, hash.ptr, hash.ptr + 2).ptr;
}

static enum err_code disk_failure(struct cx *cx, const char *what)
{
    return fail_busy(cx, "Attachments cannot be stored: %s: %s", what, strerror(errno));
}

/* The folder of the place, made durable when it is new. */
static enum err_code make_folder(struct cx *cx, const struct blobs *blobs, struct str hash)
{
    const char *dir = arena_printf(cx->arena, "%s/%.2s", blobs->dir, hash.ptr).ptr;
    if (mkdir(dir, 0700) < 0)
        return errno == EEXIST ? E_OK : disk_failure(cx, "making a folder");
    CLEANUP(fd_close) int parent = open(blobs->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return parent >= 0 && fsync(parent) == 0 ? E_OK : disk_failure(cx, "syncing the folder");
}

static enum err_code remember(struct cx *cx, struct db *db, struct str hash, int64_t size, struct str data)
{
    return blob_insert(cx, db, (struct blob_insert_in){ .hash = hash, .size_bytes = size, .data = data }, NULL);
}

enum err_code blob_put(struct cx *cx, struct db *db, struct blobs *blobs, struct str content, struct str *ret_hash)
{
    *ret_hash = crypto_sha256(cx->arena, content);
    if (content.len <= BLOB_INLINE_BYTES)
        return remember(cx, db, *ret_hash, (int64_t)content.len, content.ptr ? content : STR(""));
    const char *place = place_of(cx->arena, blobs, *ret_hash);
    struct stat st;
    if (stat(place, &st) < 0 || (size_t)st.st_size != content.len) {
        TRY(make_folder(cx, blobs, *ret_hash));
        if (!fd_replace_file(cx->arena, place, content, 0600))
            return disk_failure(cx, "writing");
    }
    return remember(cx, db, *ret_hash, (int64_t)content.len, STR_NONE);
}

enum err_code blob_get(struct cx *cx, struct db *db, struct blobs *blobs, struct str hash, size_t max_bytes, struct str *ret)
{
    struct blob_row row = { 0 };
    if (!hash_valid(hash))
        return fail(cx, E_NOT_FOUND, "There is no such content");
    TRY(blob_find(cx, db, (struct blob_find_in){ .hash = hash }, &row));
    if ((size_t)row.size_bytes > max_bytes)
        return fail(cx, E_LIMIT, "The content has %lld bytes, more than the %zu allowed here", (long long)row.size_bytes, max_bytes);
    if (row.data.ptr || row.size_bytes == 0) {
        *ret = row.data;
        return E_OK;
    }
    if (!fd_read_file(cx->arena, place_of(cx->arena, blobs, hash), max_bytes, ret))
        return fail_internal(cx, "blob %.*s: %s", STR_ARG(hash), strerror(errno));
    return E_OK;
}

bool blob_file_path(struct cx *cx, struct blobs *blobs, struct str hash, struct str *ret_path)
{
    if (!hash_valid(hash))
        return false;
    const char *place = place_of(cx->arena, blobs, hash);
    if (access(place, R_OK) < 0)
        return false;
    *ret_path = str_of(place);
    return true;
}

/* ---- streaming ---- */

struct blob_writer {
    struct blobs *blobs;
    char *path;             /* temporary file; freed and NULL once it has been moved */
    int fd;
    size_t size, max;
    struct crypto_sha256_state state;
    char hash[BLOB_HASH_LEN + 1];
};

enum err_code blob_writer_open(struct cx *cx, struct blobs *blobs, size_t max_bytes, struct blob_writer **ret)
{
    struct blob_writer *w = heap_new(sizeof *w);
    w->blobs = blobs;
    w->max = max_bytes;
    w->path = heap_copy(arena_printf(cx->arena, "%s/incoming/%016llx", blobs->dir, (unsigned long long)rand_u64()));
    crypto_sha256_begin(&w->state);
    w->fd = open(w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        enum err_code e = disk_failure(cx, "opening a file");
        blob_writer_free(&w);
        return e;
    }
    *ret = w;
    return E_OK;
}

enum err_code blob_writer_add(struct cx *cx, struct blob_writer *w, struct str bytes)
{
    if (w->size + bytes.len > w->max)
        return fail(cx, E_LIMIT, "The file is larger than the %zu bytes allowed", w->max);
    if (!fd_write_all(w->fd, bytes.ptr, bytes.len))
        return disk_failure(cx, "writing");
    crypto_sha256_add(&w->state, bytes);
    w->size += bytes.len;
    return E_OK;
}

enum err_code blob_writer_finish(struct cx *cx, struct blob_writer *w, struct str *ret_hash, int64_t *ret_size)
{
    struct str hash = crypto_sha256_end(cx->arena, &w->state);
    if (fsync(w->fd) < 0)
        return disk_failure(cx, "syncing");
    memcpy(w->hash, hash.ptr, BLOB_HASH_LEN);
    *ret_hash = hash;
    *ret_size = (int64_t)w->size;
    return E_OK;
}

static enum err_code move_to_place(struct cx *cx, struct blob_writer *w, struct str hash)
{
    const char *place = place_of(cx->arena, w->blobs, hash);
    const char *dir = arena_printf(cx->arena, "%s/%.2s", w->blobs->dir, hash.ptr).ptr;
    TRY(make_folder(cx, w->blobs, hash));
    if (rename(w->path, place) < 0)
        return disk_failure(cx, "moving the file");
    heap_free(w->path);
    w->path = NULL;
    CLEANUP(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? E_OK : disk_failure(cx, "syncing the folder");
}

enum err_code blob_adopt(struct cx *cx, struct db *db, struct blob_writer *w)
{
    struct str hash = arena_copy(cx->arena, str_of(w->hash));
    ASSERT(hash.len == BLOB_HASH_LEN);
    if (w->size > BLOB_INLINE_BYTES) {
        if (w->path)
            TRY(move_to_place(cx, w, hash));
        return remember(cx, db, hash, (int64_t)w->size, STR_NONE);
    }
    char *small = arena_alloc(cx->arena, w->size + 1);
    if (pread(w->fd, small, w->size, 0) != (ssize_t)w->size)
        return disk_failure(cx, "reading back");
    return remember(cx, db, hash, (int64_t)w->size, (struct str){ small, w->size });
}

void blob_writer_free(struct blob_writer **writer)
{
    struct blob_writer *w = *writer;
    if (!w)
        return;
    fd_close(&w->fd);
    if (w->path)
        unlink(w->path);
    heap_free(w->path);
    heap_free(w);
    *writer = NULL;
}

/* ---- in two steps ---- */

enum err_code blob_prepare(struct cx *cx, struct blobs *blobs, struct str content, struct blob_ready *ret)
{
    int64_t size = 0;
    *ret = (struct blob_ready){ .content = content };
    if (content.len <= BLOB_INLINE_BYTES) {
        ret->hash = crypto_sha256(cx->arena, content);
        return E_OK;
    }
    TRY(blob_writer_open(cx, blobs, content.len, &ret->writer));
    TRY(blob_writer_add(cx, ret->writer, content));
    return blob_writer_finish(cx, ret->writer, &ret->hash, &size);
}

enum err_code blob_keep(struct cx *cx, struct db *db, const struct blob_ready *ready)
{
    if (ready->writer)
        return blob_adopt(cx, db, ready->writer);
    return remember(cx, db, ready->hash, (int64_t)ready->content.len, ready->content.ptr ? ready->content : STR(""));
}

void blob_ready_free(struct blob_ready *ready)
{
    blob_writer_free(&ready->writer);
}
