/* process.c - posix_spawn with captured complaints. */
#include "platform/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPLAINT_MAX_BYTES = 4000 };

static char **environment_with(struct arena *arena, const char *const *extra)
{
    size_t have = 0, more = 0;
    while (environ[have])
        have++;
    while (extra[more])
        more++;
    char **all = NEWN(arena, char *, have + more + 1);
    memcpy(all, environ, have * sizeof *all);
    for (size_t i = 0; i < more; i++)
        all[have + i] = arena_cstr(arena, str_of(extra[i]));
    return all;
}

/* The last bytes that the child writes. */
static struct str read_tail(struct arena *arena, int fd)
{
    char *tail = NEWN(arena, char, 2 * COMPLAINT_MAX_BYTES);
    size_t len = 0;
    for (ssize_t n; (n = read(fd, tail + len, 2 * COMPLAINT_MAX_BYTES - len)) != 0;) {
        if (n < 0 && errno != EINTR)
            break;
        len += n > 0 ? (size_t)n : 0;
        if (len > COMPLAINT_MAX_BYTES) {
            memmove(tail, tail + len - COMPLAINT_MAX_BYTES, COMPLAINT_MAX_BYTES);
            len = COMPLAINT_MAX_BYTES;
        }
    }
    return str_trim((struct str){ tail, len });
}

enum err_code process_run(struct cx *cx, const char *const *argv, const char *const *extra)
{
    CLEANUP(fd_close) int from = -1;
    CLEANUP(fd_close) int to = -1;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_busy(cx, "pipe: %s", strerror(errno));
    from = ends[0];
    to = ends[1];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, to, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid = -1;
    int rc = posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)(const void *)argv,
                          environment_with(cx->arena, extra));
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0)
        return fail(cx, E_INVALID, "%s cannot be run: %s", argv[0], strerror(rc));
    fd_close(&to);
    struct str complaint = read_tail(cx->arena, from);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return E_OK;
    return fail_busy(cx, "%s failed: %.*s", argv[0], STR_ARG(complaint));
}
