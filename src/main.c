/* main.c - wiring only: configuration, store, consumers, workers, HTTP. */
#include "api/api.h"
#include "cli/cli.h"
#include "platform/outbound/outbound.h"
#include "platform/realtime/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Everything that runs, beside the installation itself. */
struct server {
    struct installation *in;
    struct control *control;
    struct jobs *jobs;
    struct realtime *realtime;
    struct http_server *http;
    int access_log_fd;
};

static struct realtime *streams;     /* for may_see, which is told nothing else */

static bool may_see(const struct realtime_user *user, const struct event *event)
{
    struct cx cx = { .account_id = user->account_id, .user_id = user->user_id, .permissions = user->permissions,
                     .only_own_teams = user->only_own_teams };
    if (event->seq > user->known_seq && accounts_changes_rights(event, user->user_id))
        realtime_disconnect(streams, user->account_id, user->user_id);
    return tickets_event_visible(&cx, user->team_ids, user->nteams, event);
}

static enum err_code load_user(struct cx *cx, struct db *db, struct realtime_user *user)
{
    int64_t *ids = NULL;
    TRY(accounts_user_teams(cx, db, user->user_id, &ids, &user->nteams));
    user->team_ids = ids;
    return journal_head(cx, db, user->account_id, &user->known_seq);
}

static bool ready(void *arg, struct str *ret_reason, struct arena *arena)
{
    const struct server *s = arg;
    return installation_ready(s->in, arena, ret_reason);
}

static void metrics(void *arg, struct buf *out)
{
    const struct server *s = arg;
    installation_metrics(s->in, out);
    realtime_metrics(s->realtime, out);
}

static enum err_code open_access_log(struct cx *cx, const char *where, int *ret_fd)
{
    *ret_fd = strcmp(where, "off") == 0 ? -1 : STDERR_FILENO;
    if (*ret_fd < 0 || strcmp(where, "-") == 0)
        return E_OK;
    *ret_fd = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    return *ret_fd >= 0 ? E_OK : fail_field(cx, "access_log", "%s: %s", where, strerror(errno));
}

/* Search, jobs and real-time first, so that the first request finds all of it. */
static enum err_code start(struct cx *cx, struct server *s)
{
    const struct config *c = s->in->config;
    struct job_kind kinds[6];
    TRY(open_access_log(cx, c->access_log, &s->access_log_fd));
    accounts_set_public_url(str_of(c->public_url));
    search_register(s->in->search);
    search_start(s->in->search);
    size_t nkinds = email_job_kinds(s->in->email, kinds);
    nkinds += tickets_job_kinds(kinds + nkinds);
    s->jobs = jobs_new(s->in->store, kinds, nkinds);
    s->realtime = streams = realtime_new(s->in->store, (struct realtime_rules){ may_see, load_user }, 0);
    struct http_options options = {
        .host = c->host, .port = (int)c->port,
        .store = s->in->store, .blobs = s->in->blobs,
        .tables = api_tables, .ntables = api_tables_count,
        .auth = { accounts_authenticate },
        .web_dir = c->web_dir, .public_url = c->public_url, .trusted_proxy = c->trusted_proxy,
        .access_log_fd = s->access_log_fd,
        .fast_workers = (unsigned)c->workers, .slow_workers = (unsigned)c->slow_workers,
        .rate_factor = c->rate_limits ? 1 : -1,
        .max_body_bytes = (size_t)c->max_body_bytes, .max_upload_bytes = (size_t)c->max_upload_bytes,
        .ready = ready, .metrics = metrics, .arg = s,
        .realtime = s->realtime,
    };
    TRY(http_start(cx, &options, &s->http));
    return control_start(cx, s->in, &s->control);
}

static enum err_code announce(struct cx *cx, struct server *s)
{
    const struct config *c = s->in->config;
    bool empty = false, v6 = strchr(c->host, ':') != NULL;
    struct str url = c->public_url ? str_of(c->public_url)
                                   : arena_printf(cx->arena, "http://%s%s%s:%d", v6 ? "[" : "", c->host, v6 ? "]" : "",
                                                  http_port(s->http));
    struct str secret = rand_token(cx->arena, 24);
    accounts_set_setup_secret(secret);
    TRY(installation_is_empty(cx, s->in, &empty));
    printf("Cairn %s is at %.*s\n", CAIRN_VERSION, STR_ARG(url));
    if (empty)
        printf("Set it up here, once: %.*s/setup?secret=%.*s\n", STR_ARG(url), STR_ARG(secret));
    fflush(stdout);
    return E_OK;
}

static void stop(struct server *s)
{
    int64_t grace_us = s->in->config->drain_seconds * US_PER_SECOND;
    log_event(LOG_INFO, "server.stopping", F_INT("grace_us", grace_us));
    http_stop(&s->http, grace_us);
    realtime_free(&s->realtime);
    if (!control_stop(&s->control, grace_us)) {
        log_event(LOG_WARN, "server.left_command", F_TXT("message", "a command still ran; what it stored is kept"));
        _exit(0); /* its thread still uses the store; everything acknowledged is durable */
    }
    jobs_free(&s->jobs);
    if (s->access_log_fd > STDERR_FILENO)
        fd_close(&s->access_log_fd);
}

static enum err_code serve(struct cx *cx, struct installation *in)
{
    struct server s = { .in = in, .access_log_fd = -1 };
    sigset_t signals;
    int got = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    enum err_code code = start(cx, &s);
    if (code == E_OK)
        code = announce(cx, &s);
    if (code == E_OK)
        sigwait(&signals, &got);
    stop(&s);
    return code;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (argc > 1 && strcmp(argv[1], "serve") == 0) /* before any thread: all inherit it, serve() waits for them */
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
    crypto_init();
    outbound_init();
    return cli_main(argc, argv, serve);
}
