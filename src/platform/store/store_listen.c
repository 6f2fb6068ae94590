/* store_listen.c - LISTEN/NOTIFY: the commits of other nodes wake our consumers. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "platform/store/store_postgres.h"

enum { FALLBACK_MS = 1000 };

struct notifier {
    struct store *store;
    pthread_t thread;
    int stop_fd;
};

static PGconn *listen_connection(struct store *store)
{
    PGconn *conn = pg_open(store->location);
    PGresult *r = conn && PQstatus(conn) == CONNECTION_OK ? PQexec(conn, "LISTEN cairn_commit") : NULL;
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    if (ok)
        return conn;
    PQfinish(conn);
    return NULL;
}

/* True when another node committed. */
static bool take_notifications(struct notifier *n, PGconn *conn)
{
    bool theirs = false;
    PQconsumeInput(conn);
    for (PGnotify *note; (note = PQnotifies(conn)); PQfreemem(note))
        theirs = theirs || strcmp(note->extra, n->store->node) != 0;
    return theirs;
}

static void *notifier_main(void *arg)
{
    struct notifier *n = arg;
    PGconn *conn = NULL;
    for (;;) {
        if (conn && PQstatus(conn) != CONNECTION_OK) {
            PQfinish(conn);
            conn = NULL;
        }
        if (!conn)
            conn = listen_connection(n->store);
        struct pollfd fds[2] = { { .fd = n->stop_fd, .events = POLLIN },
                                 { .fd = conn ? PQsocket(conn) : -1, .events = POLLIN } };
        int ready = poll(fds, 2, FALLBACK_MS);
        if (fds[0].revents)
            break;
        if ((conn && take_notifications(n, conn)) || (!conn && ready == 0))
            store_notify_listeners(n->store);
    }
    PQfinish(conn);
    return NULL;
}

struct notifier *notifier_start(struct store *store)
{
    struct notifier *n = heap_new(sizeof *n);
    *n = (struct notifier){ .store = store, .stop_fd = eventfd(0, EFD_CLOEXEC) };
    ASSERT(n->stop_fd >= 0);
    ASSERT(pthread_create(&n->thread, NULL, notifier_main, n) == 0);
    return n;
}

void notifier_stop(struct notifier **ref)
{
    struct notifier *n = *ref;
    if (!n)
        return;
    fd_write_all(n->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    pthread_join(n->thread, NULL);
    close(n->stop_fd);
    heap_free(n);
    *ref = NULL;
}
