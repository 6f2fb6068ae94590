/* peer.h - starting the Python peers from C tests: one child process each, ended by CLEANUP(peer_stop). */
#ifndef CAIRN_TESTS_PEER_H
#define CAIRN_TESTS_PEER_H

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/testing.h"

struct peer {
    pid_t pid;
    int to, from;       /* its standard input and output */
    char facts[1024];   /* the JSON line it printed */
    char ca[256], folder[256];
    int port;
};

/* One line of the peer's output, without its end. */
static inline void peer_read_line(struct peer *p, char *line, size_t size)
{
    size_t n = 0;
    while (n < size - 1 && read(p->from, line + n, 1) == 1 && line[n] != '\n')
        n++;
    line[n] = 0;
}

/* "name": value of the facts; text without quotes. */
static inline void peer_fact(const struct peer *p, const char *name, char *out, size_t size)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(p->facts, key);
    CHECK_CASE(name, at != NULL);
    at += strlen(key);
    at += *at == '"';
    snprintf(out, size, "%.*s", (int)strcspn(at, "\",}"), at);
}

static inline int peer_number(const struct peer *p, const char *name)
{
    char text[32];
    int64_t n = 0;
    peer_fact(p, name, text, sizeof text);
    CHECK_CASE(name, num_parse_int(str_of(text), &n));
    return (int)n;
}

/* Tells the running peer something and waits until it was done. */
static inline void peer_tell(struct peer *p, const char *line)
{
    char answer[64];
    CHECK(dprintf(p->to, "%s\n", line) > 0);
    peer_read_line(p, answer, sizeof answer);
    CHECK_STR(str_of(answer), "ok");
}

static inline void peer_stop(struct peer *p)
{
    if (p->pid <= 0)
        return;
    close(p->to);       /* it ends by itself, and cleans up */
    char rest[64];
    while (read(p->from, rest, sizeof rest) > 0)
        continue;
    close(p->from);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

/* A script of tests/peers and its arguments up to NULL; the source tree is found from the test's own __FILE__. */
static inline struct peer peer_start_at(const char *test_file, const char *const *args)
{
    extern char **environ;
    struct peer p = { 0 };
    int in[2], out[2];
    char path[512];
    const char *src = strstr(test_file, "src/");
    const char *argv[24] = { "python3", path };
    snprintf(path, sizeof path, "%.*stests/peers/%s", src ? (int)(src - test_file) : 0, test_file, args[0]);
    for (size_t i = 1; i < COUNT(argv) - 2 && args[i]; i++)
        argv[i + 1] = args[i];
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    CHECK_INT(posix_spawn(&p.pid, "/usr/bin/python3", &actions, NULL, (char *const *)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    p.to = in[1];
    p.from = out[0];
    peer_read_line(&p, p.facts, sizeof p.facts);
    if (p.facts[0] != '{')
        fprintf(stderr, "%s did not start\n", path);
    p.port = peer_number(&p, "port");
    peer_fact(&p, "ca", p.ca, sizeof p.ca);
    peer_fact(&p, "folder", p.folder, sizeof p.folder);
    return p;
}

/* peer_start("fake_smtp.py", "--mode", "ok") */
#define peer_start(...) peer_start_at(__FILE__, (const char *const[]){ __VA_ARGS__, NULL })

#endif
