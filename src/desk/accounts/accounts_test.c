/* accounts_test.c - set-up, signing in, sessions, links, roles and their limits, over HTTP on both databases. */
#include "desk/desk_test.h"

/* ---- helpers ---- */

struct signed_in { struct str cookie, csrf; };

static struct signed_in session_of(struct desk *d, const struct json_value *v)
{
    struct str set = answer_header(d->answer, "Set-Cookie");
    ptrdiff_t end = str_chr(set, ';');
    return (struct signed_in){ arena_copy(d->w->arena, str_sub(set, 0, (size_t)end)), json_text(v, "csrf_token") };
}

static const struct json_value *ask_as(struct desk *d, struct signed_in s, const char *method, const char *path, const char *body)
{
    return desk_ask(d, method, arena_printf(d->w->arena, "/api/v1%s", path),
                    desk_json(d, "Cookie: %.*s\r\nX-CSRF-Token: %.*s\r\n", STR_ARG(s.cookie), STR_ARG(s.csrf)), str_of(body));
}

static const struct json_value *ask_public(struct desk *d, const char *method, const char *path, const char *body)
{
    return desk_ask(d, method, arena_printf(d->w->arena, "/api/v1%s", path), "", str_of(body));
}

/* An invited user who accepts: signed in. */
static struct signed_in join(struct desk *d, const char *email, const char *more, int64_t *ret_id)
{
    const struct json_value *v = desk_call(d, d->admin, "POST", desk_json(d, "{\"email\":\"%s\"%s}", email, more), "/users");
    WANT(d, 201);
    *ret_id = json_int(v, "id", 0);
    struct str url = json_text(v, "invite_url");
    v = ask_public(d, "POST", url.ptr, "{\"password\":\"correct horse battery\",\"name\":\"New Person\"}");
    WANT(d, 201);
    return session_of(d, v);
}

static enum err_code age_unit(struct cx *cx, struct db *db, void *arg)
{
    struct str *cookie = arg;
    struct str hash = crypto_sha256(cx->arena, str_skip(*cookie, strlen(SESSION_COOKIE) + 1));
    /* As if two days had passed since it began: the server's clock is real. */
    TRY(session_delete(cx, db, (struct session_delete_in){ cx->account_id, hash }, NULL));
    return session_insert(cx, db, (struct session_insert_in){ .hash = hash, .account_id = cx->account_id, .user_id = cx->user_id, .csrf_token = STR("old-csrf"),
                                                              .now = clock_now_us() - 2 * US_PER_DAY, .expires_us = clock_now_us() + US_PER_DAY,
                                                              .ip = STR(""), .user_agent = STR("") }, NULL);
}

struct session_left { struct str cookie; int64_t expires_us; };
static enum err_code left_unit(struct cx *cx, struct db *db, void *arg)
{
    struct session_left *left = arg;
    struct caller_row row;
    struct str hash = crypto_sha256(cx->arena, str_skip(left->cookie, strlen(SESSION_COOKIE) + 1));
    TRY(session_caller(cx, db, (struct session_caller_in){ hash }, &row));
    left->expires_us = row.expires_us;
    return E_OK;
}

/* ---- tests ---- */

static void sets_up_once_by_secret(void **state)
{
    struct world *w = *state;
    static const struct route_table *const tables[] = { &session_routes };
    static const char body[] = "{\"secret\":\"%s\",\"account_name\":\"Acme\",\"name\":\"Ada\",\"email\":\"ada@example.com\",\"password\":\"%s\"}";
    struct desk *d = NEW(w->arena, struct desk);
    crypto_init();
    d->w = w;
    struct http_options options = { .host = "127.0.0.1", .store = w->store, .tables = tables, .ntables = COUNT(tables),
                                    .auth = { accounts_authenticate }, .access_log_fd = -1, .rate_factor = -1 };
    accounts_set_setup_secret(STR("open sesame"));
    CHECK_OK(&w->cx, http_start(&w->cx, &options, &d->server));
    d->port = http_port(d->server);
    CHECK(json_bool(ask_public(d, "GET", "/setup", NULL), "needed", false));
    ask_public(d, "POST", "/setup", desk_json(d, body, "guess", "a long password"));
    WANT(d, 403);
    ask_public(d, "POST", "/setup", desk_json(d, body, "open sesame", "short"));
    WANT(d, 422);
    const struct json_value *v = ask_public(d, "POST", "/setup", desk_json(d, body, "open sesame", "a long password"));
    WANT(d, 201);
    CHECK_STR(json_text(json_get(v, "role"), "name"), "Admin");
    CHECK_STR(json_text(json_get(v, "account"), "name"), "Acme");
    CHECK(json_get(v, "permissions")->n >= 16);
    struct signed_in s = session_of(d, v);
    CHECK_STR(json_text(json_get(ask_as(d, s, "GET", "/session", NULL), "user"), "email"), "ada@example.com");
    ask_public(d, "POST", "/setup", desk_json(d, body, "open sesame", "a long password"));
    WANT(d, 409);
    CHECK(!json_bool(ask_public(d, "GET", "/setup", NULL), "needed", true));
    accounts_set_setup_secret(STR_NONE);
    http_stop(&d->server, US_PER_SECOND);
}

static void invited_people_join_sign_in_and_out(void **state)
{
    struct desk *d = desk_start(*state);
    int64_t id;
    const struct json_value *v = desk_call(d, d->admin, "POST", "{\"email\":\"new@example.com\",\"name\":\"New\"}", "/users");
    WANT(d, 201);
    id = json_int(v, "id", 0);
    CHECK_STR(json_text(v, "status"), "invited");
    CHECK_STR(json_text(json_get(v, "role"), "name"), "Agent");
    struct str url = json_text(v, "invite_url");
    CHECK_STR(json_text(ask_public(d, "GET", url.ptr, NULL), "purpose"), "invite");
    /* A second link replaces the first. */
    struct str second = json_text(desk_call(d, d->admin, "POST", NULL, "/users/%lld/invite", (long long)id), "invite_url");
    ask_public(d, "GET", url.ptr, NULL);
    WANT(d, 404);
    ask_public(d, "POST", second.ptr, "{\"password\":\"new@example.com\"}");
    WANT(d, 422);
    ask_public(d, "POST", second.ptr, "{\"password\":\"qwertyuiop\"}");
    WANT(d, 422);
    v = ask_public(d, "POST", second.ptr, "{\"password\":\"correct horse battery\"}");
    WANT(d, 201);
    struct signed_in s = session_of(d, v);
    ask_public(d, "POST", second.ptr, "{\"password\":\"another long one\"}");
    WANT(d, 404);
    ask_as(d, s, "GET", "/session", NULL);
    WANT(d, 200);
    ask_as(d, (struct signed_in){ s.cookie, STR("wrong") }, "DELETE", "/session", NULL);
    WANT(d, 403);
    ask_as(d, s, "DELETE", "/session", NULL);
    WANT(d, 204);
    ask_as(d, s, "GET", "/session", NULL);
    WANT(d, 401);
    v = ask_public(d, "POST", "/session", "{\"email\":\"NEW@Example.com\",\"password\":\"correct horse battery\"}");
    WANT(d, 201);
    CHECK(str_find(answer_header(d->answer, "Set-Cookie"), STR("HttpOnly")) > 0);
    desk_stop(d);
}

static void guessing_is_slowed_down(void **state)
{
    struct desk *d = desk_start(*state);
    int64_t id;
    join(d, "joan@example.com", "", &id);
    for (int i = 0; i < 5; i++) {
        ask_public(d, "POST", "/session", "{\"email\":\"joan@example.com\",\"password\":\"wrong password\"}");
        WANT(d, 401);
    }
    ask_public(d, "POST", "/session", "{\"email\":\"joan@example.com\",\"password\":\"correct horse battery\"}");
    WANT(d, 429);
    int64_t seconds = 0;
    CHECK(num_parse_int(answer_header(d->answer, "Retry-After"), &seconds) && seconds > 0 && seconds <= 30);
    /* Unknown addresses are answered alike. */
    ask_public(d, "POST", "/session", "{\"email\":\"nobody@example.com\",\"password\":\"wrong password\"}");
    WANT(d, 401);
    const struct json_value *events = json_get(desk_call(d, d->admin, "GET", NULL, "/events?type=session.failed"), "items");
    CHECK_INT(events->n, 5);
    desk_stop(d);
}

static void disabling_shuts_out_at_once(void **state)
{
    struct desk *d = desk_start(*state);
    int64_t id;
    struct signed_in s = join(d, "gone@example.com", "", &id);
    const struct json_value *t = ask_as(d, s, "POST", "/tokens", "{\"name\":\"script\",\"permissions\":[\"ticket.read\"]}");
    WANT(d, 201);
    struct desk_user script = { .token = json_text(t, "token") };
    CHECK(str_starts(script.token, STR("cairn_")));
    desk_call(d, script, "GET", NULL, "/tickets");
    WANT(d, 200);
    desk_call(d, script, "GET", NULL, "/users");        /* not in its scope */
    WANT(d, 403);
    desk_call(d, d->admin, "PATCH", "{\"status\":\"disabled\"}", "/users/%lld", (long long)id);
    WANT(d, 200);
    ask_as(d, s, "GET", "/session", NULL);
    WANT(d, 401);
    desk_call(d, script, "GET", NULL, "/tickets");
    WANT(d, 401);
    ask_public(d, "POST", "/session", "{\"email\":\"gone@example.com\",\"password\":\"correct horse battery\"}");
    WANT(d, 401);
    desk_call(d, d->admin, "PATCH", "{\"status\":\"active\"}", "/users/%lld", (long long)id);
    WANT(d, 200);
    desk_call(d, script, "GET", NULL, "/tickets");      /* a revoked token stays revoked */
    WANT(d, 401);
    desk_stop(d);
}

static void an_admin_remains(void **state)
{
    struct desk *d = desk_start(*state);
    desk_call(d, d->admin, "PATCH", "{\"status\":\"disabled\"}", "/users/%lld", (long long)d->admin.id);
    WANT(d, 409);
    const struct json_value *roles = json_get(desk_call(d, d->admin, "GET", NULL, "/roles"), "items");
    long long admin_role = json_int(&roles->items[0], "id", 0), viewer_role = json_int(&roles->items[3], "id", 0);
    desk_call(d, d->admin, "PATCH", desk_json(d, "{\"role_id\":\"%lld\"}", viewer_role), "/users/%lld", (long long)d->admin.id);
    WANT(d, 409);
    desk_call(d, d->admin, "PATCH", "{\"permissions\":[\"ticket.read\"]}", "/roles/%lld", admin_role);
    WANT(d, 409);
    desk_call(d, d->admin, "GET", NULL, "/users");
    WANT(d, 200);
    desk_call(d, d->admin, "DELETE", NULL, "/roles/%lld", viewer_role);
    WANT(d, 409);
    desk_stop(d);
}

static void nobody_gives_more_than_they_have(void **state)
{
    struct desk *d = desk_start(*state);
    const struct json_value *role = desk_call(d, d->admin, "POST", "{\"name\":\"Inviter\",\"permissions\":[\"user.read\",\"user.write\",\"token.write\"]}", "/roles");
    WANT(d, 201);
    int64_t id;
    struct signed_in s = join(d, "inviter@example.com", desk_json(d, ",\"role_id\":\"%lld\"", (long long)json_int(role, "id", 0)), &id);
    const struct json_value *roles = json_get(ask_as(d, s, "GET", "/roles", NULL), "items");
    long long admin_role = json_int(&roles->items[0], "id", 0);
    ask_as(d, s, "POST", "/users", desk_json(d, "{\"email\":\"x@example.com\",\"role_id\":\"%lld\"}", admin_role));
    WANT(d, 403);
    ask_as(d, s, "PATCH", desk_json(d, "/users/%lld", (long long)id), desk_json(d, "{\"role_id\":\"%lld\"}", admin_role));
    WANT(d, 403);
    ask_as(d, s, "POST", desk_json(d, "/users/%lld/invite", (long long)d->admin.id), NULL);     /* a password link of the admin */
    WANT(d, 403);
    ask_as(d, s, "PATCH", desk_json(d, "/roles/%lld", (long long)json_int(role, "id", 0)), "{\"permissions\":[\"account.write\"]}");
    WANT(d, 403);
    ask_as(d, s, "POST", "/tokens", "{\"name\":\"x\",\"permissions\":[\"account.write\"]}");
    WANT(d, 403);
    ask_as(d, s, "POST", "/tokens", "{\"name\":\"x\",\"permissions\":[\"nonsense\"]}");
    WANT(d, 422);
    desk_stop(d);
}

static void sessions_rotate(void **state)
{
    struct desk *d = desk_start(*state);
    int64_t id;
    struct signed_in s = join(d, "old@example.com", "", &id);
    struct cx cx = world_cx(d->w);
    cx.account_id = d->admin.account_id;
    cx.user_id = id;
    CHECK_OK(&cx, store_write(d->w->store, &cx, age_unit, &s.cookie));
    const struct json_value *v = ask_as(d, s, "GET", "/session", NULL);
    WANT(d, 200);
    struct signed_in next = session_of(d, v);
    CHECK(next.cookie.len > 20 && !str_eq(next.cookie, s.cookie));
    CHECK_STR(next.csrf, "old-csrf");
    ask_as(d, s, "GET", "/session", NULL);      /* the old one for a short grace, without another successor */
    WANT(d, 200);
    CHECK(!answer_header(d->answer, "Set-Cookie").ptr);
    ask_as(d, next, "GET", "/session", NULL);
    WANT(d, 200);
    struct session_left left = { .cookie = s.cookie };
    CHECK_OK(&cx, store_read(d->w->store, &cx, left_unit, &left));
    CHECK(left.expires_us <= clock_now_us() + 5 * US_PER_MINUTE);
    ask_as(d, next, "DELETE", "/session", NULL);
    WANT(d, 204);
    ask_as(d, s, "GET", "/session", NULL);
    WANT(d, 401);
    desk_stop(d);
}

static void the_own_password_changes(void **state)
{
    struct desk *d = desk_start(*state);
    int64_t id;
    struct signed_in s = join(d, "me@example.com", "", &id), other;
    other = session_of(d, ask_public(d, "POST", "/session", "{\"email\":\"me@example.com\",\"password\":\"correct horse battery\"}"));
    ask_as(d, s, "PATCH", "/session/user", "{\"password\":{\"current\":\"nope\",\"new\":\"a much better one\"}}");
    WANT(d, 422);
    const struct json_value *v = ask_as(d, s, "PATCH", "/session/user", "{\"signature\":\"Me\",\"password\":{\"current\":\"correct horse battery\",\"new\":\"a much better one\"}}");
    WANT(d, 200);
    CHECK_STR(json_text(v, "signature"), "Me");
    ask_as(d, s, "GET", "/session", NULL);
    WANT(d, 200);
    ask_as(d, other, "GET", "/session", NULL);
    WANT(d, 401);
    ask_public(d, "POST", "/session", "{\"email\":\"me@example.com\",\"password\":\"correct horse battery\"}");
    WANT(d, 401);
    ask_public(d, "POST", "/session", "{\"email\":\"me@example.com\",\"password\":\"a much better one\"}");
    WANT(d, 201);
    desk_stop(d);
}

static void teams_and_settings_change_under_versions(void **state)
{
    struct desk *d = desk_start(*state);
    const struct json_value *t = desk_call(d, d->admin, "POST", desk_json(d, "{\"name\":\"Billing\",\"member_ids\":[\"%lld\"]}", (long long)d->agent.id), "/teams");
    WANT(d, 201);
    long long id = json_int(t, "id", 0);
    desk_call(d, d->admin, "POST", "{\"name\":\"Billing\"}", "/teams");
    WANT(d, 422);
    desk_call(d, d->admin, "POST", desk_json(d, "{\"name\":\"Other\",\"member_ids\":[\"%lld\"]}", (long long)d->stranger.id), "/teams");
    WANT(d, 422);
    t = desk_call(d, d->admin, "PATCH", "{\"archived\":true,\"expected_version\":1}", "/teams/%lld", id);
    WANT(d, 200);
    t = desk_call(d, d->admin, "PATCH", "{\"name\":\"X\",\"expected_version\":1}", "/teams/%lld", id);
    WANT(d, 409);
    CHECK(json_bool(json_get(t, "current"), "archived", false));
    desk_call(d, d->agent, "POST", desk_json(d, "{\"subject\":\"S\",\"requester\":{\"email\":\"a@example.org\"},\"message\":{\"text\":\"x\"},\"team_id\":\"%lld\"}", id), "/tickets");
    WANT(d, 422);
    t = desk_call(d, d->admin, "PATCH", "{\"settings\":{\"undo_seconds\":30,\"quote_history\":null,\"colour\":\"red\"}}", "/account");
    WANT(d, 200);
    t = json_get(t, "settings");
    CHECK_INT(json_int(t, "undo_seconds", 0), 30);
    CHECK(!json_get(t, "quote_history"));
    CHECK_STR(json_text(t, "locale"), "en");
    desk_call(d, d->admin, "PATCH", "{\"settings\":{\"undo_seconds\":3000}}", "/account");
    WANT(d, 422);
    desk_call(d, d->agent, "PATCH", "{\"name\":\"x\"}", "/account");
    WANT(d, 403);
    desk_stop(d);
}

TESTS(BOTH(sets_up_once_by_secret), BOTH(invited_people_join_sign_in_and_out), BOTH(guessing_is_slowed_down),
      BOTH(disabling_shuts_out_at_once), BOTH(an_admin_remains), BOTH(nobody_gives_more_than_they_have), BOTH(sessions_rotate),
      BOTH(the_own_password_changes), BOTH(teams_and_settings_change_under_versions))
