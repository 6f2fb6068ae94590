#include "testing/dataset.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FILE_BYTES ((size_t)256 << 20)

bool dataset_read(struct world *w, const char *path, struct str *ret)
{
    return fd_read_file(w->arena, path, MAX_FILE_BYTES, ret);
}

bool dataset_open(struct world *w, const char *path, struct dataset *ret)
{
    const char *full = shared_data(w, path);
    *ret = (struct dataset){ .world = w };
    return full && dataset_read(w, full, &ret->rest);
}

bool dataset_next(struct dataset *set, struct json_value *ret_row)
{
    struct str line;
    while (str_line(&set->rest, &line)) {
        if (str_trim(line).len > 0 && json_parse(&set->world->cx, line, ret_row) == E_OK)
            return true;
    }
    return false;
}

const char *dataset_unpack(struct world *w, const char *path)
{
    const char *full = shared_data(w, path);
    if (!full)
        return NULL;
    const char *dir = arena_printf(w->arena, "%s/set", w->dir).ptr;
    CHECK(fd_make_dirs(dir, 0700));
    pid_t pid = fork();
    if (pid == 0) {
        execlp("tar", "tar", "-xzf", full, "-C", dir, (char *)NULL);
        _exit(127);
    }
    int status = 1;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    return dir;
}

struct found {
    struct world *world;
    struct str *paths;
    size_t n, room;
};

static void collect(struct found *f, const char *dir)
{
    DIR *d = opendir(dir);
    CHECK(d != NULL);
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        if (entry->d_name[0] == '.')
            continue;
        struct str path = arena_printf(f->world->arena, "%s/%s", dir, entry->d_name);
        struct stat st;
        if (lstat(path.ptr, &st) == 0 && S_ISDIR(st.st_mode)) {
            collect(f, path.ptr);
        } else if (S_ISREG(st.st_mode)) {
            if (f->n == f->room) {
                f->room = f->room * 2 + 64;
                struct str *more = NEWN(f->world->arena, struct str, f->room);
                if (f->n > 0)
                    memcpy(more, f->paths, f->n * sizeof(*more));
                f->paths = more;
            }
            f->paths[f->n++] = path;
        }
    }
    closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

size_t dataset_files(struct world *w, const char *dir, struct str **ret_paths)
{
    struct found f = { .world = w };
    collect(&f, dir);
    if (f.n > 0)
        qsort(f.paths, f.n, sizeof(*f.paths), by_name);
    *ret_paths = f.paths;
    return f.n;
}

void dataset_score(const char *set, size_t good, size_t all, double floor_percent)
{
    double percent = all > 0 ? 100.0 * (double)good / (double)all : 0;
    print_message("%s: %zu of %zu (%.1f %%)\n", set, good, all, percent);
    if (percent < floor_percent)
        print_error("%s: below the floor of %.1f %%\n", set, floor_percent);
    CHECK(percent >= floor_percent);
}
