/* desk_test.h - for tests of desk/: a real server over the world's store, two accounts, users of every kind, calls as JSON. */
#ifndef CAIRN_DESK_TEST_H
#define CAIRN_DESK_TEST_H

#include "desk/tickets/tickets.h"
#include "accounts_sql.h"
#include "platform/blob/blob.h"
#include "platform/crypto/crypto.h"
#include "platform/http/http_client.h"
#include "platform/json/json.h"
#include "testing/testing.h"

struct desk_user {
    int64_t account_id, id;
    struct str token;
};

struct desk {
    struct world *w;
    struct blobs *blobs;
    struct http_server *server;
    int port;
    struct desk_user admin, agent, restricted, viewer;
    struct desk_user stranger;          /* admin of another account */
    int64_t team_id, own_team_id;       /* Support; the restricted agent's team */
    int status;                         /* of the last call */
    struct answer answer;
};

static inline enum err_code desk_user_make(struct cx *cx, struct db *db, const char *role, const char *email, struct desk_user *ret)
{
    struct role_row *roles;
    struct account_id_row made;
    size_t n;
    int64_t role_id = 0;
    TRY(role_list(cx, db, (struct role_list_in){ .account_id = cx->account_id }, &roles, &n));
    for (size_t i = 0; i < n; i++)
        if (str_is(roles[i].name, role))
            role_id = roles[i].id;
    TRY(user_insert(cx, db,
                    (struct user_insert_in){ .account_id = cx->account_id, .email = str_of(email), .email_folded = str_of(email),
                                             .name = str_of(role), .password_hash = STR("none"), .role_id = role_id,
                                             .status = STR("active"), .locale = STR("en"), .time_zone = STR("UTC"), .now = cx->now_us },
                    &made));
    *ret = (struct desk_user){ .account_id = cx->account_id, .id = made.id };
    return accounts_token_create(cx, db, str_of(email), STR("test"), &ret->token);
}

static inline enum err_code desk_unit(struct cx *cx, struct db *db, void *arg)
{
    struct desk *d = arg;
    struct accounts_setup a = { .account_name = STR("First"), .admin_email = STR("admin@example.com"), .admin_name = STR("Ada Admin"),
                                .password_hash = STR("none") };
    struct accounts_setup b = { .account_name = STR("Second"), .admin_email = STR("stranger@example.net"), .admin_name = STR("Sid Stranger"),
                                .password_hash = STR("none") };
    struct team *teams;
    struct account_id_row team;
    size_t n;
    TRY(accounts_setup(cx, db, &a));
    d->admin = (struct desk_user){ .account_id = a.account_id, .id = a.user_id };
    TRY(accounts_token_create(cx, db, a.admin_email, STR("test"), &d->admin.token));
    TRY(desk_user_make(cx, db, "Agent", "agent@example.com", &d->agent));
    TRY(desk_user_make(cx, db, "Restricted agent", "restricted@example.com", &d->restricted));
    TRY(desk_user_make(cx, db, "Viewer", "viewer@example.com", &d->viewer));
    TRY(accounts_teams(cx, db, &teams, &n));
    d->team_id = teams[0].id;
    TRY(team_insert(cx, db, (struct team_insert_in){ cx->account_id, STR("Repairs"), STR(""), cx->now_us }, &team));
    d->own_team_id = team.id;
    TRY(team_member_add(cx, db, (struct team_member_add_in){ cx->account_id, team.id, d->restricted.id }, NULL));
    TRY(accounts_create(cx, db, &b));
    d->stranger = (struct desk_user){ .account_id = b.account_id, .id = b.user_id };
    return accounts_token_create(cx, db, b.admin_email, STR("test"), &d->stranger.token);
}

static inline struct desk *desk_start(struct world *w)
{
    static const struct route_table *const tables[] = {
        &account_routes, &session_routes, &user_routes, &team_routes, &contacts_routes, &organizations_routes, &tickets_routes,
        &messages_routes, &merge_routes, &tags_routes, &attachments_routes, &events_routes,
    };
    struct desk *d = NEW(w->arena, struct desk);
    crypto_init();
    d->w = w;
    d->blobs = blobs_new(arena_printf(w->arena, "%s/blobs", w->dir).ptr);
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, desk_unit, d));
    struct http_options options = { .host = "127.0.0.1", .store = w->store, .blobs = d->blobs, .tables = tables, .ntables = COUNT(tables),
                                    .auth = { accounts_authenticate }, .access_log_fd = -1, .rate_factor = -1 };
    CHECK_OK(&w->cx, http_start(&w->cx, &options, &d->server));
    d->port = http_port(d->server);
    return d;
}

static inline void desk_stop(struct desk *d)
{
    http_stop(&d->server, US_PER_SECOND);
    blobs_free(&d->blobs);
}

/* Calls with headers ("X: y\r\n" lines, or "") and a body (NULL: none); *d keeps status and answer.  NULL without JSON. */
static inline const struct json_value *desk_ask(struct desk *d, const char *method, struct str path, const char *headers, struct str body)
{
    struct arena *arena = d->w->arena;
    struct str request = arena_printf(arena,
                                      "%s %.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Type: application/json\r\n"
                                      "Content-Length: %zu\r\n\r\n%.*s",
                                      method, STR_ARG(path), headers, body.len, STR_ARG(body));
    d->answer = client_ask(arena, d->port, request);
    d->status = d->answer.status;
    struct json_value *v = NEW(arena, struct json_value);
    if (d->answer.body.len && d->answer.body.ptr[0] == '{')
        CHECK_OK(&d->w->cx, json_parse(&d->w->cx, d->answer.body, v));
    return v;
}

#define desk_call(d, user, method, body, ...) \
    desk_ask((d), (method), arena_printf((d)->w->arena, "/api/v1" __VA_ARGS__), \
             arena_printf((d)->w->arena, "Authorization: Bearer %.*s\r\n", STR_ARG((user).token)).ptr, str_of(body))
#define desk_json(d, ...) arena_printf((d)->w->arena, __VA_ARGS__).ptr

static inline void desk_want(struct desk *d, int status, const char *file, int line)
{
    if (d->status != status)
        print_error("%s:%d: %.*s\n", file, line, STR_ARG(d->answer.body));
    _assert_int_equal((uintmax_t)d->status, (uintmax_t)status, file, line);
}
#define WANT(d, status) desk_want((d), (status), __FILE__, __LINE__)

/* A ticket of customer@example.org by the agent: its id. */
static inline int64_t desk_ticket(struct desk *d, struct desk_user user, const char *more)
{
    const struct json_value *v = desk_call(d, user, "POST", desk_json(d, "{\"subject\":\"Printer\",\"requester\":{\"email\":\"customer@example.org\",\"name\":\"Carl Customer\"},"
                                                                         "\"message\":{\"text\":\"It smokes\"}%s}", more), "/tickets");
    WANT(d, 201);
    return json_int(v, "id", 0);
}

#endif
