/* email_api_test.c - the routes: what goes in and never comes out, what the mail log tells, who may see it. */
#include "testing/testing.h"

#include "channels/email/email_desk_test.h"
#include "tests/peers/peer.h"

/* One call of a route's handler; the answer as JSON. */
struct call { const struct route_table *table; enum method method; const char *path; int64_t id; struct str body; struct str answer; };

static const struct route *route_of(const struct call *c)
{
    for (size_t i = 0; i < c->table->n; i++)
        if (c->table->routes[i].method == c->method && strcmp(c->table->routes[i].path, c->path) == 0)
            return &c->table->routes[i];
    return NULL;
}

static void page_write(struct arena *arena, struct buf *out, const struct shape *shape, const struct page_out *page)
{
    for (size_t i = 0; i < page->items.n; i++)
        shape_write(arena, out, shape, (const char *)page->items.items + i * shape->size);
}

static enum err_code run_call(struct cx *cx, struct db *db, void *arg)
{
    struct call *c = arg;
    const struct route *r = route_of(c);
    CHECK(r != NULL);
    char *in = arena_alloc(cx->arena, r->in_size + 1);
    void *out = arena_alloc(cx->arena, r->out_size + 1);
    struct field *body = NEWN(cx->arena, struct field, r->nfields + 1);
    size_t n = 0;
    for (size_t f = 0; f < r->nfields; f++) {
        if (r->fields[f].place == IN_PATH)
            continue;
        body[n] = r->fields[f];
        body[n++].place = IN_BODY;
    }
    TRY(shape_read(cx, body, n, c->body.len > 0 ? c->body : STR("{}"), in));
    for (size_t f = 0; f < r->nfields; f++) {
        if (r->fields[f].place == IN_PATH)
            memcpy(in + r->fields[f].offset, &c->id, sizeof(c->id));
        if (strcmp(r->fields[f].name, "limit") == 0)
            memcpy(in + r->fields[f].offset, &(int64_t){ 50 }, sizeof(int64_t));
    }
    TRY(r->handler(cx, db, in, out));
    struct buf text = buf_new(cx->arena, 0);
    if (r->page)
        page_write(cx->arena, &text, r->shape, out);
    else if (r->shape)
        shape_write(cx->arena, &text, r->shape, out);
    c->answer = buf_str(&text);
    return E_OK;
}

static enum err_code answer(struct desk *d, enum method method, const char *path, int64_t id, struct str body, struct str *ret)
{
    struct call c = { .table = strstr(path, "/mailboxes") ? &email_routes : &mail_log_routes, .method = method, .path = path, .id = id, .body = body };
    enum err_code code = store_write(d->w->store, d->cx, run_call, &c);
    *ret = c.answer;
    return code;
}

static bool has(struct str text, const char *part)
{
    return str_find(text, str_of(part)) >= 0;
}

static void secrets_go_in_and_never_out(void **state)
{
    struct desk d = desk_open(*state);
    struct str a;
    CHECK_OK(d.cx, answer(&d, METHOD_POST, "/api/v1/mailboxes", 0,
        STR("{\"address\":\"sales@example.com\",\"incoming\":{\"kind\":\"imap\",\"host\":\"imap.example.com\",\"user\":\"sales\",\"password\":\"hush-1\"},"
            "\"outgoing\":{\"kind\":\"smtp\",\"host\":\"smtp.example.com\",\"security\":\"starttls\",\"user\":\"sales\",\"password\":\"hush-2\"},"
            "\"oauth\":{\"token_url\":\"https://login.example.net/token\",\"client_id\":\"me\",\"client_secret\":\"hush-3\",\"refresh_token\":\"hush-4\"}}"), &a));
    CHECK(!has(a, "hush"));
    CHECK(has(a, "\"has_password\":true") && has(a, "\"has_secret\":true") && has(a, "\"has_refresh_token\":true"));
    CHECK(has(a, "\"port\":993") && has(a, "\"port\":587"));     /* the usual ones */
    CHECK_OK(d.cx, answer(&d, METHOD_PATCH, "/api/v1/mailboxes/{id}", 2, STR("{\"name\":\"Sales\",\"expected_version\":1}"), &a));
    CHECK(has(a, "\"name\":\"Sales\"") && has(a, "\"version\":2") && has(a, "\"has_password\":true"));
    CHECK_ERR(answer(&d, METHOD_PATCH, "/api/v1/mailboxes/{id}", 2, STR("{\"name\":\"Old\",\"expected_version\":1}"), &a), E_CONFLICT);
    CHECK_OK(d.cx, answer(&d, METHOD_POST, "/api/v1/mailboxes/{id}/backfill", 2, STR("{\"since\":\"2025-12-01\"}"), &a));
    CHECK(has(a, "\"backfill_since\":\"2025-12-01T00:00:00Z\""));
    CHECK_OK(d.cx, answer(&d, METHOD_GET, "/api/v1/mailboxes", 0, STR(""), &a));
    CHECK(has(a, "help@example.com") && has(a, "sales@example.com") && !has(a, "hush"));
    CHECK_OK(d.cx, answer(&d, METHOD_DELETE, "/api/v1/mailboxes/{id}", 2, STR(""), &a));
    CHECK_ERR(answer(&d, METHOD_GET, "/api/v1/mailboxes/{id}", 2, STR(""), &a), E_NOT_FOUND);
    desk_close(&d);
}

static void a_wrong_setting_is_named(void **state)
{
    struct desk d = desk_open(*state);
    struct str a;
    const struct { const char *body, *field; } cases[] = {
        { "{\"address\":\"nonsense\"}", "address" },
        { "{\"address\":\"help@example.com\"}", "address" },
        { "{\"address\":\"a+b@example.com\"}", "address" },
        { "{\"address\":\"a@example.com\",\"team_id\":\"99\"}", "team_id" },
        { "{\"address\":\"a@example.com\",\"incoming\":{\"kind\":\"imap\",\"user\":\"a\",\"password\":\"p\"}}", "incoming.host" },
        { "{\"address\":\"a@example.com\",\"incoming\":{\"kind\":\"imap\",\"host\":\"h\",\"user\":\"a\"}}", "incoming.password" },
        { "{\"address\":\"a@example.com\",\"incoming\":{\"kind\":\"imap\",\"host\":\"h\",\"user\":\"a\",\"auth\":\"xoauth2\"}}", "oauth" },
        { "{\"address\":\"a@example.com\",\"outgoing\":{\"kind\":\"smtp\",\"host\":\"h h\",\"user\":\"a\",\"password\":\"p\"}}", "outgoing.host" },
        { "{\"address\":\"a@example.com\",\"oauth\":{\"token_url\":\"http://x.example\",\"client_id\":\"c\",\"refresh_token\":\"r\"}}", "oauth.token_url" },
        { "{\"address\":\"a@example.com\",\"dkim\":{\"domain\":\"example.com\",\"selector\":\"s\",\"key\":\"no key\"}}", "dkim.key" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_CASE(cases[i].body, answer(&d, METHOD_POST, "/api/v1/mailboxes", 0, str_of(cases[i].body), &a) == E_INVALID);
        CHECK_STR(str_of(d.cx->failure.field), cases[i].field);
    }
    desk_close(&d);
}

static void the_mail_log_tells_everything(void **state)
{
    struct desk d = desk_open(*state);
    struct str a;
    desk_mail(&d, "ann@example.org", "Order", "a1@example.org", "", "1");
    struct em_mail lost = { .id = desk_receive(&d, (struct email_arrival){ .raw = STR("Subject: 100% nobody\r\n\r\nx\r\n"), .source = STR("pipe") }) };
    CHECK_OK(d.cx, email_process(d.cx, d.email, lost.id));
    CHECK_OK(d.cx, answer(&d, METHOD_GET, "/api/v1/mail-log", 0, STR(""), &a));
    CHECK(has(a, "\"from\":\"ann@example.org\"") && has(a, "\"verdict\":\"human\"") && has(a, "\"rule\":\"new\""));
    CHECK_OK(d.cx, answer(&d, METHOD_GET, "/api/v1/mail-log", 0, STR("{\"state\":\"quarantined\"}"), &a));
    CHECK(!has(a, "ann@example.org") && has(a, "100% nobody") && has(a, "no usable sender"));
    CHECK_OK(d.cx, answer(&d, METHOD_GET, "/api/v1/mail-log", 0, STR("{\"q\":\"0% NOB\"}"), &a));
    CHECK(has(a, "100% nobody") && !has(a, "Order"));
    CHECK_OK(d.cx, answer(&d, METHOD_GET, "/api/v1/mail-log/{id}", lost.id, STR(""), &a));
    CHECK(has(a, "\"state\":\"quarantined\""));
    d.cx->only_own_teams = true;
    CHECK_ERR(answer(&d, METHOD_GET, "/api/v1/mail-log", 0, STR(""), &a), E_FORBIDDEN);
    d.cx->only_own_teams = false;
    d.cx->account_id++;     /* another account sees nothing of it */
    CHECK_ERR(answer(&d, METHOD_GET, "/api/v1/mail-log/{id}", lost.id, STR(""), &a), E_NOT_FOUND);
    CHECK_OK(d.cx, answer(&d, METHOD_GET, "/api/v1/mail-log", 0, STR(""), &a));
    CHECK_INT(a.len, 0);
    CHECK_ERR(answer(&d, METHOD_GET, "/api/v1/messages/{id}/source", 1, STR(""), &a), E_NOT_FOUND);
    desk_close(&d);
}

/* ---- access tokens ---- */

static void an_access_token_is_renewed_and_kept(void **state)
{
    CLEANUP(peer_stop) struct peer peer = peer_start("fake_http.py");
    struct desk d = desk_open(*state);
    struct str a, first, second;
    struct str body = arena_printf(d.w->arena, "{\"address\":\"o@example.com\",\"incoming\":{\"kind\":\"imap\",\"host\":\"h.example.com\",\"user\":\"o\","
        "\"auth\":\"xoauth2\"},\"oauth\":{\"token_url\":\"http://127.0.0.1:%d/token\",\"client_id\":\"client\",\"client_secret\":\"client secret&\","
        "\"refresh_token\":\"rotate\"}}", peer.port);
    CHECK_OK(d.cx, answer(&d, METHOD_POST, "/api/v1/mailboxes", 0, body, &a));
    struct em_mailbox box;
    struct mailbox_server server;
    struct oauth_settings settings;
    CHECK_OK(d.cx, email_mailbox_load(d.cx, d.email, 2, &box));
    CHECK_OK(d.cx, email_incoming_server(d.cx, d.email, &box, false, &server));
    first = server.access_token;
    CHECK(first.len > 0);
    CHECK_OK(d.cx, email_mailbox_load(d.cx, d.email, 2, &box));
    CHECK(box.oauth.len > 0 && str_find(box.oauth, first) < 0);     /* sealed */
    CHECK_OK(d.cx, email_oauth_read(d.cx, d.email, box.oauth, &settings));
    CHECK(!str_is(settings.refresh_token, "rotate"));                /* the provider gave a new one */
    CHECK(settings.expires_us > d.cx->now_us);
    CHECK_OK(d.cx, email_incoming_server(d.cx, d.email, &box, false, &server));
    second = server.access_token;
    CHECK(str_eq(first, second));                                    /* still good: nobody was asked */
    CHECK_INT(box.version, 1);                                       /* followers need not start again */
    desk_close(&d);
}

TESTS(BOTH(secrets_go_in_and_never_out), BOTH(a_wrong_setting_is_named), BOTH(the_mail_log_tells_everything),
      BOTH(an_access_token_is_renewed_and_kept))
