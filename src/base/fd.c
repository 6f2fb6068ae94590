/* fd.c - files and descriptors. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool fd_write_all(int fd, const void *data, size_t n)
{
    const char *p = data;
    while (n) {
        ssize_t wrote = write(fd, p, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        p += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

bool fd_read_file(struct arena *arena, const char *path, size_t max_bytes, struct str *ret)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    if (st.st_size > 0 && (size_t)st.st_size > max_bytes) {
        errno = EFBIG;
        return false;
    }
    struct buf out = buf_new(arena, max_bytes);
    char chunk[16384];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        buf_add(&out, (struct str){ chunk, (size_t)got });
    }
    if (out.overflow) {
        errno = EFBIG;
        return false;
    }
    *ret = buf_str(&out);
    return true;
}

static bool sync_folder_of(struct arena *arena, const char *path)
{
    struct str s = str_of(path);
    ptrdiff_t slash = str_rchr(s, '/');
    const char *dir = slash > 0 ? arena_cstr(arena, str_sub(s, 0, (size_t)slash)) : slash == 0 ? "/" : ".";
    CLEANUP(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

bool fd_replace_file(struct arena *arena, const char *path, struct str content, unsigned mode)
{
    const char *beside = arena_printf(arena, "%s.%016llx", path, (unsigned long long)rand_u64()).ptr;
    CLEANUP(fd_close) int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    if (!fd_write_all(fd, content.ptr, content.len) || fsync(fd) < 0 || rename(beside, path) < 0) {
        int why = errno;
        unlink(beside);
        errno = why;
        return false;
    }
    return sync_folder_of(arena, path);
}

bool fd_make_dirs(const char *path, unsigned mode)
{
    struct arena *arena = arena_new("dirs", 0);
    char *p = arena_cstr(arena, str_of(path));
    bool ok = true;
    for (char *q = p + 1; ok; q++) {
        if (*q && *q != '/')
            continue;
        char was = *q;
        *q = 0;
        ok = mkdir(p, mode) == 0 || errno == EEXIST;
        *q = was;
        if (!was)
            break;
    }
    arena_free(&arena);
    return ok;
}
