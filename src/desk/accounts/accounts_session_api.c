/* accounts_session_api.c - routes for set-up, signing in and out, invitation links and the own profile. */
#include "desk/accounts/accounts_internal.h"

#include "accounts_sql.h"
#include "platform/crypto/crypto.h"
#include "platform/mail/mail.h"

static struct str setup_secret;

void accounts_set_setup_secret(struct str secret)
{
    heap_free((void *)(uintptr_t)setup_secret.ptr);
    setup_secret = (struct str){ secret.len ? heap_copy(secret) : NULL, secret.len };
}

static const struct field session_fields[] = {
    OBJECT_FIELD(struct session_out, user, &user_shape, .doc = "The signed-in user"),
    OBJECT_FIELD(struct session_out, account, &account_shape, .doc = "The user's account"),
    TEXTS_FIELD(struct session_out, permissions, .doc = "What the caller may do"),
    TEXT_FIELD(struct session_out, csrf_token, .nullable = true, .doc = "To be sent as X-CSRF-Token; null for API tokens"),
    OBJECT_FIELD(struct session_out, role, &role_shape, .doc = "The user's role"),
};
SHAPE(session_shape, "Session", struct session_out, session_fields);

enum err_code session_load(struct cx *cx, struct db *db, struct str csrf_token, struct session_out *ret)
{
    struct user_out *user = NEW(cx->arena, struct user_out);
    struct account_out *account = NEW(cx->arena, struct account_out);
    struct role_out *role = NEW(cx->arena, struct role_out);
    uint64_t bits;
    TRY(user_load(cx, db, cx->user_id, user));
    TRY(account_load(cx, db, account));
    TRY(role_load(cx, db, ((const struct named *)user->role)->id, role, &bits));
    *ret = (struct session_out){ .user = user, .account = account, .role = role, .csrf_token = csrf_token,
                                 .permissions = permission_names(cx->arena, cx->permissions ? bits & cx->permissions : bits) };
    return E_OK;
}

/* Signs cx->user_id in: for set-up, sign-in and links, at the end of their unit. */
struct signing_in {
    struct session_new session;
    struct session_out *out;
};

static enum err_code sign_in(struct cx *cx, struct db *db, struct signing_in *s)
{
    cx->actor = STR("user");
    cx->permissions = 0;
    TRY(session_start(cx, db, &s->session));
    return session_load(cx, db, s->session.csrf_token, s->out);
}

static struct session_new session_of_request(struct cx *cx)
{
    return (struct session_new){ .ip = request_ip(cx), .user_agent = request_header(cx, "User-Agent") };
}

static void send_cookie(struct cx *cx, const struct signing_in *s)
{
    reply_cookie(cx, SESSION_COOKIE, s->session.cookie, SESSION_IDLE_US / US_PER_SECOND);
    reply_status(cx, 201);
}

/* ---- set-up ---- */

struct setup_state { bool needed; };
static const struct field setup_state_fields[] = {
    BOOL_FIELD(struct setup_state, needed, .doc = "There is no account yet"),
};
static SHAPE(setup_state_shape, "Setup", struct setup_state, setup_state_fields);

HANDLER(setup_get, struct nothing, struct setup_state)
{
    return accounts_is_empty(cx, db, &out->needed);
}

struct setup_in { struct str secret, account_name, name, email, password; };
static const struct field setup_in_fields[] = {
    TEXT_FIELD(struct setup_in, secret, .max = 200, .doc = "Shown by the server at its first start"),
    TEXT_FIELD(struct setup_in, account_name, .min = 1, .max = 200, .doc = "Name of the company or desk"),
    TEXT_FIELD(struct setup_in, name, .min = 1, .max = 200, .doc = "The administrator's name"),
    TEXT_FIELD(struct setup_in, email, .min = 3, .max = 254, .doc = "The administrator's e-mail address"),
    TEXT_FIELD(struct setup_in, password, .max = 1024, .doc = "10 to 256 bytes"),
};

struct setup_work {
    struct accounts_setup setup;
    struct signing_in signing_in;
};

static enum err_code setup_unit(struct cx *cx, struct db *db, void *arg)
{
    struct setup_work *w = arg;
    TRY(accounts_setup(cx, db, &w->setup));
    return sign_in(cx, db, &w->signing_in);
}

static enum err_code setup_check(struct cx *cx, struct db *db, void *arg)
{
    bool empty;
    (void)arg;
    TRY(accounts_is_empty(cx, db, &empty));
    return empty ? E_OK : fail(cx, E_CONFLICT, "This installation is already set up");
}

HANDLER(setup_post, struct setup_in, struct session_out)
{
    TRY(store_read(http_store(cx), cx, setup_check, NULL));
    if (!setup_secret.len || !crypto_equal(setup_secret, in->secret))
        return fail(cx, E_FORBIDDEN, "This is not the set-up secret that the server wrote at its start");
    struct str folded;
    TRY(check_email(cx, in->email, &folded));
    TRY(check_password(cx, in->password, in->email, "password"));
    struct setup_work w = { .setup = { .account_name = in->account_name, .admin_email = in->email, .admin_name = in->name },
                            .signing_in = { .session = session_of_request(cx), .out = out } };
    TRY(crypto_password_hash(cx, in->password, &w.setup.password_hash));
    TRY(store_write(http_store(cx), cx, setup_unit, &w));
    send_cookie(cx, &w.signing_in);
    return E_OK;
}

/* ---- signing in and out ---- */

struct login_in { struct str email, password; };
static const struct field login_in_fields[] = {
    TEXT_FIELD(struct login_in, email, .min = 1, .max = 254, .doc = "E-mail address of the user"),
    TEXT_FIELD(struct login_in, password, .max = 1024, .doc = "The password"),
};

struct login_work {
    struct str email_folded, ip;
    struct login_row *candidates;
    size_t n;
    struct signing_in signing_in;
};

static enum err_code login_begin_unit(struct cx *cx, struct db *db, void *arg)
{
    struct login_work *w = arg;
    TRY(attempt_count(cx, db, w->email_folded, w->ip));
    return login_candidates(cx, db, (struct login_candidates_in){ w->email_folded }, &w->candidates, &w->n);
}

static enum err_code login_end_unit(struct cx *cx, struct db *db, void *arg)
{
    struct login_work *w = arg;
    struct login_row row;
    /* Disabled while the password was hashed? */
    TRY(need_found(cx, login_of_user(cx, db, (struct login_of_user_in){ cx->account_id, cx->user_id }, &row), "user"));
    TRY(attempt_forgive(cx, db, w->email_folded, w->ip));
    return sign_in(cx, db, &w->signing_in);
}

static enum err_code login_failed_unit(struct cx *cx, struct db *db, void *arg)
{
    const struct login_work *w = arg;
    for (size_t i = 0; i < w->n; i++) {
        cx->account_id = w->candidates[i].account_id;
        cx->actor = STR("system");
        TRY(emit_event(cx, db, STR("session.failed"), w->candidates[i].user_id, STR_NONE));
    }
    return E_OK;
}

/* The time of one password check, for addresses that nobody has. */
static void hash_for_nothing(struct cx *cx, struct str password)
{
    struct str ignored;
    if (crypto_password_hash(cx, password, &ignored) != E_OK)
        failure_clear(cx);
}

HANDLER(session_post, struct login_in, struct session_out)
{
    struct store *store = http_store(cx);
    struct login_work w = { .email_folded = mail_fold_address(cx->arena, in->email), .ip = request_ip(cx),
                            .signing_in = { .session = session_of_request(cx), .out = out } };
    TRY(store_write(store, cx, login_begin_unit, &w));
    const struct login_row *match = NULL;
    for (size_t i = 0; i < w.n && !match; i++)
        if (crypto_password_matches(cx->arena, w.candidates[i].password_hash, in->password))
            match = &w.candidates[i];
    if (!match) {
        if (w.n == 0)
            hash_for_nothing(cx, in->password);
        TRY(store_write(store, cx, login_failed_unit, &w));
        cx->account_id = 0;
        return fail(cx, E_UNAUTHENTICATED, "The e-mail address or the password is wrong");
    }
    cx->account_id = match->account_id;
    cx->user_id = match->user_id;
    TRY(store_write(store, cx, login_end_unit, &w));
    send_cookie(cx, &w.signing_in);
    return E_OK;
}

HANDLER(session_get, struct nothing, struct session_out)
{
    struct str cookie = request_cookie(cx, SESSION_COOKIE), csrf_token = STR_NONE;
    (void)in;
    if (str_is(cx->actor, "user")) {
        struct caller_row row;
        TRY(need_found(cx, session_caller(cx, db, (struct session_caller_in){ session_hash(cx->arena, cookie) }, &row), "session"));
        csrf_token = row.csrf_token;
    }
    return session_load(cx, db, csrf_token, out);
}

HANDLER(session_remove, struct nothing, struct nothing)
{
    struct str cookie = request_cookie(cx, SESSION_COOKIE);
    (void)in, (void)out;
    if (!cookie.len)
        return E_OK;
    reply_cookie(cx, SESSION_COOKIE, STR(""), 0);
    TRY(session_delete(cx, db, (struct session_delete_in){ cx->account_id, session_hash(cx->arena, cookie) }, NULL));
    return emit_event(cx, db, STR("session.ended"), cx->user_id, STR_NONE);
}

/* ---- links ---- */

struct link_in { struct str secret, password, name; };
static const struct field link_get_fields[] = {
    TEXT_FIELD(struct link_in, secret, .place = IN_PATH, .min = 1, .max = 100, .doc = "Secret of the link"),
};
static const struct field link_post_fields[] = {
    TEXT_FIELD(struct link_in, secret, .place = IN_PATH, .min = 1, .max = 100, .doc = "Secret of the link"),
    TEXT_FIELD(struct link_in, password, .max = 1024, .doc = "The new password: 10 to 256 bytes"),
    TEXT_FIELD(struct link_in, name, .optional = true, .min = 1, .max = 200, .doc = "The user's name"),
};
struct link_out { struct str purpose, email, name; };
static const struct field link_out_fields[] = {
    TEXT_FIELD(struct link_out, purpose, .doc = "invite or reset"),
    TEXT_FIELD(struct link_out, email, .doc = "The user's e-mail address"),
    TEXT_FIELD(struct link_out, name, .doc = "The user's name, perhaps empty"),
};
static SHAPE(link_shape, "Link", struct link_out, link_out_fields);

static enum err_code find_link(struct cx *cx, struct db *db, struct str hash, struct link_row *ret)
{
    bool found;
    TRY(if_found(cx, link_get(cx, db, (struct link_get_in){ hash }, ret), &found));
    if (!found || ret->used_us || ret->expires_us <= cx->now_us || str_is(ret->status, "disabled"))
        return fail(cx, E_NOT_FOUND, "This link has been used or has expired: ask for a new one");
    return E_OK;
}

HANDLER(link_read, struct link_in, struct link_out)
{
    struct link_row row;
    TRY(find_link(cx, db, session_hash(cx->arena, in->secret), &row));
    *out = (struct link_out){ row.purpose, row.email, row.name };
    return E_OK;
}

struct link_work {
    const struct link_in *in;
    struct link_row row;
    struct str hash, password_hash;
    struct signing_in signing_in;
};

static enum err_code link_find_unit(struct cx *cx, struct db *db, void *arg)
{
    struct link_work *w = arg;
    return find_link(cx, db, w->hash, &w->row);
}

static enum err_code link_use_unit(struct cx *cx, struct db *db, void *arg)
{
    struct link_work *w = arg;
    struct user_row user;
    int64_t used;
    TRY(find_link(cx, db, w->hash, &w->row));
    cx->account_id = w->row.account_id;
    cx->user_id = w->row.user_id;
    cx->actor = STR("user");
    TRY(link_use(cx, db, (struct link_use_in){ cx->account_id, w->hash, cx->now_us }, &used));
    if (!used)
        return fail(cx, E_NOT_FOUND, "This link has been used or has expired: ask for a new one");
    TRY(user_get(cx, db, (struct user_get_in){ cx->account_id, cx->user_id }, &user));
    TRY(user_shut_out(cx, db, cx->user_id, false));
    TRY(user_set_password(cx, db, (struct user_set_password_in){ cx->account_id, cx->user_id, w->password_hash, cx->now_us }, NULL));
    TRY(user_update(cx, db,
                    (struct user_update_in){ .account_id = cx->account_id, .id = user.id,
                                             .name = w->in->name.ptr ? w->in->name : user.name, .role_id = user.role_id,
                                             .status = STR("active"), .locale = user.locale, .time_zone = user.time_zone,
                                             .signature = user.signature, .now = cx->now_us },
                    NULL));
    struct changes c = changes_begin(cx);
    change_text(&c, "status", user.status, STR("active"));
    TRY(emit_event(cx, db, str_is(user.status, "invited") ? STR("user.joined") : STR("user.changed"), user.id, changes_end(&c)));
    return sign_in(cx, db, &w->signing_in);
}

HANDLER(link_accept, struct link_in, struct session_out)
{
    struct link_work w = { .in = in, .hash = session_hash(cx->arena, in->secret),
                           .signing_in = { .session = session_of_request(cx), .out = out } };
    TRY(store_read(http_store(cx), cx, link_find_unit, &w));
    TRY(check_password(cx, in->password, w.row.email, "password"));
    TRY(crypto_password_hash(cx, in->password, &w.password_hash));
    TRY(store_write(http_store(cx), cx, link_use_unit, &w));
    send_cookie(cx, &w.signing_in);
    return E_OK;
}

/* ---- own profile ---- */

struct password_change { struct str current, new; };
static const struct field password_change_fields[] = {
    TEXT_FIELD(struct password_change, current, .max = 1024, .doc = "The password until now"),
    TEXT_FIELD(struct password_change, new, .max = 1024, .doc = "The new password: 10 to 256 bytes"),
};
static SHAPE(password_change_shape, "PasswordChange", struct password_change, password_change_fields);

struct profile_in { struct str name, signature, locale, time_zone; const void *password; };
static const struct field profile_in_fields[] = {
    TEXT_FIELD(struct profile_in, name, .optional = true, .min = 1, .max = 200, .doc = "Shown to customers and colleagues"),
    TEXT_FIELD(struct profile_in, signature, .optional = true, .max = 10000, .multiline = true, .doc = "Markdown put under replies"),
    TEXT_FIELD(struct profile_in, locale, .optional = true, .min = 2, .max = 35, .doc = "BCP 47, as en or pt-BR"),
    TEXT_FIELD(struct profile_in, time_zone, .optional = true, .min = 1, .max = 64, .doc = "IANA name, as Europe/Paris"),
    OBJECT_FIELD(struct profile_in, password, &password_change_shape, .optional = true, .doc = "To change the password"),
};

struct profile_work {
    const struct profile_in *in;
    struct str password_hash;       /* of the new password; ptr NULL: it stays */
    struct str keep_session, email_folded, ip;
    struct login_row login;
    struct user_out *out;
};

static enum err_code profile_password_unit(struct cx *cx, struct db *db, void *arg)
{
    struct profile_work *w = arg;
    TRY(need_found(cx, login_of_user(cx, db, (struct login_of_user_in){ cx->account_id, cx->user_id }, &w->login), "user"));
    w->email_folded = mail_fold_address(cx->arena, w->login.email);
    return attempt_count(cx, db, w->email_folded, w->ip);
}

static enum err_code profile_unit(struct cx *cx, struct db *db, void *arg)
{
    struct profile_work *w = arg;
    struct user_row u;
    TRY(user_get(cx, db, (struct user_get_in){ cx->account_id, cx->user_id }, &u));
    struct user_update_in up = { .account_id = cx->account_id, .id = u.id, .name = w->in->name.ptr ? w->in->name : u.name,
                                 .role_id = u.role_id, .status = u.status,
                                 .locale = w->in->locale.ptr ? w->in->locale : u.locale,
                                 .time_zone = w->in->time_zone.ptr ? w->in->time_zone : u.time_zone,
                                 .signature = w->in->signature.ptr ? w->in->signature : u.signature, .now = cx->now_us };
    struct changes c = changes_begin(cx);
    change_text(&c, "name", u.name, up.name);
    change_text(&c, "locale", u.locale, up.locale);
    change_text(&c, "time_zone", u.time_zone, up.time_zone);
    change_text(&c, "signature", u.signature, up.signature);
    change_bool(&c, "password_changed", false, w->password_hash.ptr != NULL);
    if (w->password_hash.ptr) {
        TRY(user_set_password(cx, db, (struct user_set_password_in){ cx->account_id, u.id, w->password_hash, cx->now_us }, NULL));
        TRY(session_delete_of_user(cx, db, (struct session_delete_of_user_in){ cx->account_id, u.id, w->keep_session }, NULL));
        TRY(link_delete_of_user(cx, db, (struct link_delete_of_user_in){ cx->account_id, u.id }, NULL));
        TRY(attempt_forgive(cx, db, w->email_folded, w->ip));
    }
    if (c.n) {
        TRY(user_update(cx, db, up, NULL));
        TRY(emit_event(cx, db, STR("user.changed"), u.id, changes_end(&c)));
    }
    return user_load(cx, db, u.id, w->out);
}

HANDLER(profile_patch, struct profile_in, struct user_out)
{
    struct profile_work w = { .in = in, .out = out, .ip = request_ip(cx),
                              .keep_session = session_hash(cx->arena, request_cookie(cx, SESSION_COOKIE)) };
    const struct password_change *change = in->password;
    (void)db;
    if (change) {
        TRY(store_write(http_store(cx), cx, profile_password_unit, &w));
        if (!crypto_password_matches(cx->arena, w.login.password_hash, change->current))
            return fail_field(cx, "password.current", "This is not your password");
        TRY(check_password(cx, change->new, w.login.email, "password.new"));
        TRY(crypto_password_hash(cx, change->new, &w.password_hash));
    }
    return store_write(http_store(cx), cx, profile_unit, &w);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/setup", .summary = "Tell whether set-up is needed", .permission = PERM_PUBLIC,
      .in_size = sizeof(struct nothing), RETURNS(&setup_state_shape, struct setup_state), .handler = setup_get },
    { .method = METHOD_POST, .path = "/api/v1/setup", .summary = "Make the account and its first administrator, and sign in",
      .permission = PERM_PUBLIC, .rate = RATE_LOGIN, .work = WORK_NONE, .lane = LANE_SLOW, .csrf_exempt = true,
      FIELDS(setup_in_fields, struct setup_in), RETURNS(&session_shape, struct session_out), .handler = setup_post },
    { .method = METHOD_POST, .path = "/api/v1/session", .summary = "Sign in", .permission = PERM_PUBLIC, .rate = RATE_LOGIN,
      .doc = "Answers 201 and sets the session cookie.  After several failures the address and the user are locked for a while: 429.",
      .work = WORK_NONE, .lane = LANE_SLOW, .csrf_exempt = true, FIELDS(login_in_fields, struct login_in),
      RETURNS(&session_shape, struct session_out), .handler = session_post },
    { .method = METHOD_GET, .path = "/api/v1/session", .summary = "Who am I, and what may I do", .permission = PERM_SIGNED_IN,
      .in_size = sizeof(struct nothing), RETURNS(&session_shape, struct session_out), .handler = session_get },
    { .method = METHOD_DELETE, .path = "/api/v1/session", .summary = "Sign out", .permission = PERM_SIGNED_IN, .no_content = true,
      .in_size = sizeof(struct nothing), .handler = session_remove },
    { .method = METHOD_GET, .path = "/api/v1/links/{secret}", .summary = "Look at an invitation or password link",
      .permission = PERM_PUBLIC, .rate = RATE_LOGIN, FIELDS(link_get_fields, struct link_in),
      RETURNS(&link_shape, struct link_out), .handler = link_read },
    { .method = METHOD_POST, .path = "/api/v1/links/{secret}", .summary = "Accept a link: set the password and sign in",
      .permission = PERM_PUBLIC, .rate = RATE_LOGIN, .work = WORK_NONE, .lane = LANE_SLOW, .csrf_exempt = true,
      FIELDS(link_post_fields, struct link_in), RETURNS(&session_shape, struct session_out), .handler = link_accept },
    { .method = METHOD_PATCH, .path = "/api/v1/session/user", .summary = "Change the own profile or password",
      .doc = "Changing the password ends all other sessions of the user.", .permission = PERM_SIGNED_IN, .work = WORK_NONE,
      FIELDS(profile_in_fields, struct profile_in), RETURNS(&user_shape, struct user_out), .handler = profile_patch },
};
const struct route_table session_routes = { "session", routes, COUNT(routes) };
