/* lmtp.c - the listener: accepts connections and gives each a thread. */
#include "platform/lmtp/lmtp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEFAULT_CONNECTIONS = 64, BACKLOG = 128 };

struct lmtp {
    struct lmtp_options options;
    char *path;                     /* of a Unix socket, else NULL */
    int listen_fd, stop_fd, port;
    pthread_t acceptor;
    pthread_mutex_t lock;           /* guards connections */
    pthread_cond_t gone;
    unsigned connections;
};

struct connection {
    struct lmtp *lmtp;
    int fd;
    char client[NI_MAXHOST];
};

static void *connection_main(void *arg)
{
    struct connection *c = arg;
    struct lmtp *l = c->lmtp;
    lmtp_serve(&l->options, c->fd, l->stop_fd, str_of(c->client));
    close(c->fd);
    heap_free(c);
    pthread_mutex_lock(&l->lock);
    l->connections--;
    pthread_cond_signal(&l->gone);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static bool take_place(struct lmtp *l)
{
    unsigned max = l->options.max_connections ? l->options.max_connections : DEFAULT_CONNECTIONS;
    pthread_mutex_lock(&l->lock);
    bool free_place = l->connections < max;
    l->connections += free_place;
    pthread_mutex_unlock(&l->lock);
    return free_place;
}

static void refuse(int fd)
{
    static const char busy[] = "421 4.3.2 Too many connections\r\n";
    send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void welcome(struct lmtp *l, int fd, const struct sockaddr_storage *peer, socklen_t peer_len)
{
    static const int on = 1;
    if (!take_place(l)) {
        refuse(fd);
        return;
    }
    struct connection *c = heap_new(sizeof *c);
    c->lmtp = l;
    c->fd = fd;
    if (peer->ss_family == AF_UNIX)
        memcpy(c->client, "local", sizeof "local");
    else {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        getnameinfo((const struct sockaddr *)peer, peer_len, c->client, sizeof c->client, NULL, 0, NI_NUMERICHOST);
    }
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int e = pthread_create(&thread, &attr, connection_main, c);
    pthread_attr_destroy(&attr);
    if (e == 0)
        return;
    heap_free(c);
    refuse(fd);
    pthread_mutex_lock(&l->lock);
    l->connections--;
    pthread_mutex_unlock(&l->lock);
}

static void *acceptor_main(void *arg)
{
    struct lmtp *l = arg;
    struct pollfd p[] = { { .fd = l->listen_fd, .events = POLLIN }, { .fd = l->stop_fd, .events = POLLIN } };
    while (poll(p, 2, -1) < 0 || !p[1].revents) {
        struct sockaddr_storage peer;
        socklen_t peer_len = sizeof peer;
        int fd = accept4(l->listen_fd, (struct sockaddr *)&peer, &peer_len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            welcome(l, fd, &peer, peer_len);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            poll(&p[1], 1, 100);    /* the backlog keeps them until a descriptor is free */
    }
    return NULL;
}

static enum err_code listen_unix(struct cx *cx, struct lmtp *l, const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stat st;
    if (strlen(path) >= sizeof a.sun_path)
        return fail_field(cx, "listen", "The socket path is longer than %zu bytes.", sizeof a.sun_path - 1);
    memcpy(a.sun_path, path, strlen(path));
    l->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->listen_fd < 0)
        return fail_busy(cx, "No socket: %m.");
    CLEANUP(fd_close) int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && connect(probe, (struct sockaddr *)&a, sizeof a) != 0 &&
        errno == ECONNREFUSED)
        unlink(path);
    if (bind(l->listen_fd, (struct sockaddr *)&a, sizeof a) != 0)
        return fail_field(cx, "listen", "Cannot listen on %s: %m.", path);
    l->path = heap_copy(str_of(path));
    chmod(path, 0666);
    return E_OK;
}

/* "host:port" or "[host]:port" in two. */
static bool split_address(struct str text, struct str *ret_host, struct str *ret_port)
{
    ptrdiff_t colon = str_rchr(text, ':');
    if (colon < 1)
        return false;
    *ret_host = str_sub(text, 0, (size_t)colon);
    *ret_port = str_skip(text, (size_t)colon + 1);
    if (str_has_prefix_char(*ret_host, '[') && str_ends(*ret_host, STR("]")))
        *ret_host = str_sub(*ret_host, 1, ret_host->len - 2);
    return ret_port->len > 0;
}

static enum err_code listen_tcp(struct cx *cx, struct lmtp *l, const char *address)
{
    static const int on = 1;
    struct str host, port;
    struct addrinfo *found = NULL, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    if (!split_address(str_of(address), &host, &port))
        return fail_field(cx, "listen", "\"%s\" is not HOST:PORT or a path.", address);
    int e = getaddrinfo(arena_cstr(cx->arena, host), arena_cstr(cx->arena, port), &hints, &found);
    if (e)
        return fail_field(cx, "listen", "\"%s\": %s.", address, gai_strerror(e));
    l->listen_fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool bound = l->listen_fd >= 0 && setsockopt(l->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(l->listen_fd, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!bound)
        return fail_field(cx, "listen", "Cannot listen on %s: %m.", address);
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    getsockname(l->listen_fd, (struct sockaddr *)&own, &len);
    l->port = ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port : ((struct sockaddr_in *)&own)->sin_port);
    return E_OK;
}

static void lmtp_free(struct lmtp **lmtp)
{
    struct lmtp *l = *lmtp;
    if (!l)
        return;
    fd_close(&l->listen_fd);
    fd_close(&l->stop_fd);
    if (l->path)
        unlink(l->path);
    heap_free(l->path);
    heap_free((char *)l->options.listen);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->gone);
    heap_free(l);
    *lmtp = NULL;
}

enum err_code lmtp_start(struct cx *cx, const struct lmtp_options *options, struct lmtp **ret)
{
    CLEANUP(lmtp_free) struct lmtp *l = heap_new(sizeof *l);
    l->options = *options;
    l->options.listen = heap_copy(str_of(options->listen));
    l->listen_fd = -1;
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->gone, NULL);
    if (str_chr(str_of(options->listen), '/') >= 0)
        TRY(listen_unix(cx, l, options->listen));
    else
        TRY(listen_tcp(cx, l, options->listen));
    if (l->stop_fd < 0 || listen(l->listen_fd, BACKLOG) != 0)
        return fail_busy(cx, "Cannot listen on %s: %m.", options->listen);
    if (pthread_create(&l->acceptor, NULL, acceptor_main, l) != 0)
        return fail_busy(cx, "No thread for the LMTP listener.");
    *ret = l;
    l = NULL;
    return E_OK;
}

int lmtp_port(const struct lmtp *lmtp)
{
    return lmtp->port;
}

void lmtp_stop(struct lmtp **lmtp)
{
    static const uint64_t one = 1;
    struct lmtp *l = *lmtp;
    if (!l)
        return;
    fd_write_all(l->stop_fd, &one, sizeof one);
    pthread_join(l->acceptor, NULL);
    pthread_mutex_lock(&l->lock);
    while (l->connections)
        pthread_cond_wait(&l->gone, &l->lock);
    pthread_mutex_unlock(&l->lock);
    lmtp_free(lmtp);
}
