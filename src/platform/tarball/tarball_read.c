/* tarball_read.c - checking and unpacking a tarball. */
#include "platform/tarball/tarball_priv.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

bool tarball_name_is_safe(struct str name)
{
    struct str rest = name, part;
    if (name.len == 0 || name.len > 1024)
        return false;
    while (str_split(&rest, '/', &part)) {
        if (part.len == 0 || part.ptr[0] == '.')
            return false;
        for (size_t i = 0; i < part.len; i++) {
            char c = part.ptr[i];
            bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!word && c != '.' && c != '_' && c != '-')
                return false;
        }
    }
    return name.ptr[name.len - 1] != '/';
}

enum err_code tarball_sync_folder_of(struct cx *cx, const char *path)
{
    ptrdiff_t slash = str_rchr(str_of(path), '/');
    const char *dir = slash > 0 ? arena_cstr(cx->arena, str_sub(str_of(path), 0, (size_t)slash)) : slash == 0 ? "/" : ".";
    CLEANUP(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return fail_busy(cx, "%s: %s", dir, strerror(errno));
    return E_OK;
}

struct reading {
    struct archive *archive;
    const char *path, *dir;     /* dir NULL: only look */
    struct arena *arena;        /* keeps the list */
    struct map *seen;           /* name → "HASH SIZE" */
    struct str manifest;        /* ptr NULL: not met yet */
    char *block;
    struct tarball_facts facts;
};

static void archive_done(struct archive **archive)
{
    archive_read_free(*archive);
}

static enum err_code read_block(struct cx *cx, struct reading *r, struct str *ret)
{
    la_ssize_t n = archive_read_data(r->archive, r->block, TARBALL_BLOCK_BYTES);
    if (n < 0)
        return fail(cx, E_INVALID, "%s is damaged: %s", r->path, archive_error_string(r->archive));
    *ret = (struct str){ r->block, (size_t)n };
    return E_OK;
}

static enum err_code read_manifest(struct cx *cx, struct reading *r)
{
    struct buf text = buf_new(r->arena, 0);
    struct str block = STR_NONE;
    do {
        TRY(read_block(cx, r, &block));
        buf_add(&text, block);
    } while (block.len);
    r->manifest = buf_str(&text);
    return E_OK;
}

static enum err_code open_target(struct cx *cx, struct reading *r, struct str name, int *ret_fd)
{
    if (!r->dir)
        return E_OK;
    const char *path = arena_printf(cx->arena, "%s/%.*s", r->dir, STR_ARG(name)).ptr;
    ptrdiff_t slash = str_rchr(str_of(path), '/');
    const char *folder = arena_cstr(cx->arena, str_sub(str_of(path), 0, (size_t)slash));
    if (!fd_make_dirs(folder, 0700))
        return fail_busy(cx, "%s: %s", folder, strerror(errno));
    *ret_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *ret_fd >= 0 ? E_OK : fail_busy(cx, "%s: %s", path, strerror(errno));
}

static enum err_code read_entry(struct cx *cx, struct reading *r, struct archive_entry *entry)
{
    struct str name = arena_copy(r->arena, str_of(archive_entry_pathname(entry)));
    if (archive_entry_filetype(entry) != AE_IFREG || !tarball_name_is_safe(name) || map_get(r->seen, name))
        return fail(cx, E_INVALID, "%s is not a backup: entry \"%.*s\"", r->path, STR_ARG(name));
    if (str_is(name, TARBALL_MANIFEST))
        return read_manifest(cx, r);
    CLEANUP(fd_close) int fd = -1;
    struct crypto_sha256_state sum;
    struct str block = STR_NONE;
    int64_t size = 0;
    TRY(open_target(cx, r, name, &fd));
    crypto_sha256_begin(&sum);
    do {
        TRY(read_block(cx, r, &block));
        crypto_sha256_add(&sum, block);
        size += (int64_t)block.len;
        if (fd >= 0 && !fd_write_all(fd, block.ptr, block.len))
            return fail_busy(cx, "%.*s: %s", STR_ARG(name), strerror(errno));
    } while (block.len);
    if (fd >= 0 && fsync(fd) != 0)
        return fail_busy(cx, "%.*s: %s", STR_ARG(name), strerror(errno));
    struct str hash = crypto_sha256_end(cx->arena, &sum);
    struct str fact = arena_printf(r->arena, "%.*s %" PRId64, STR_ARG(hash), size);
    map_put(r->seen, name, NEW(r->arena, struct str));
    *(struct str *)map_get(r->seen, name) = fact;
    r->facts.files++;
    r->facts.bytes += size;
    return E_OK;
}

static enum err_code compare(struct cx *cx, struct reading *r)
{
    struct str rest = r->manifest, line;
    int64_t listed = 0;
    if (!r->manifest.ptr)
        return fail(cx, E_INVALID, "%s is cut off or not a backup: it has no manifest", r->path);
    while (str_line(&rest, &line)) {
        ptrdiff_t first = str_chr(line, ' ');
        ptrdiff_t second = first < 0 ? -1 : first + 1 + str_chr(str_skip(line, (size_t)first + 1), ' ');
        struct str name = second > first ? str_skip(line, (size_t)second + 1) : STR_NONE;
        struct str *fact = map_get(r->seen, name);
        if (!fact || !str_eq(*fact, str_sub(line, 0, (size_t)second)))
            return fail(cx, E_INVALID, "%s is damaged: \"%.*s\" is %s", r->path, STR_ARG(name),
                        fact ? "not what was saved" : "missing");
        listed++;
    }
    if (listed != r->facts.files)
        return fail(cx, E_INVALID, "%s holds files that its manifest does not know", r->path);
    return E_OK;
}

static enum err_code read_all(struct cx *cx, const char *path, const char *dir, struct tarball_facts *ret)
{
    CLEANUP(archive_done) struct archive *archive = archive_read_new();
    CLEANUP(arena_free) struct arena *arena = arena_new("tarball read", 0);
    struct reading r = { .archive = archive, .path = path, .dir = dir, .arena = arena, .seen = map_new(arena) };
    struct archive_entry *entry = NULL;
    int rc = 0;
    r.block = arena_alloc(arena, TARBALL_BLOCK_BYTES);
    archive_read_support_format_tar(archive);
    if (archive_read_open_filename(archive, path, TARBALL_BLOCK_BYTES) != ARCHIVE_OK)
        return fail(cx, E_INVALID, "%s: %s", path, archive_error_string(archive));
    while ((rc = archive_read_next_header(archive, &entry)) == ARCHIVE_OK)
        TRY(read_entry(cx, &r, entry));
    if (rc != ARCHIVE_EOF)
        return fail(cx, E_INVALID, "%s is damaged or not a backup: %s", path, archive_error_string(archive));
    *ret = r.facts;
    return compare(cx, &r);
}

enum err_code tarball_verify(struct cx *cx, const char *path, struct tarball_facts *ret)
{
    return read_all(cx, path, NULL, ret);
}

enum err_code tarball_extract(struct cx *cx, const char *path, const char *dir, struct tarball_facts *ret)
{
    return read_all(cx, path, dir, ret);
}
