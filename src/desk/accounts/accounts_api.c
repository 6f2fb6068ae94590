/* accounts_api.c - routes of the account itself and of the caller's API tokens. */
#include "desk/accounts/accounts_internal.h"

#include "accounts_sql.h"
#include "platform/json/json.h"

static const struct field account_fields[] = {
    ID_FIELD(struct account_out, id, .doc = "Id of the account"),
    TEXT_FIELD(struct account_out, name, .doc = "Shown to agents and in mails"),
    JSON_FIELD(struct account_out, settings, .doc = "Object: time_zone, locale, undo_seconds, quote_history and others"),
    INT_FIELD(struct account_out, version, .doc = "Grows with every change"),
    TIME_FIELD(struct account_out, created_at, .doc = "When it was set up"),
};
SHAPE(account_shape, "Account", struct account_out, account_fields);

static const struct field named_fields[] = {
    ID_FIELD(struct named, id, .doc = "Id"),
    TEXT_FIELD(struct named, name, .doc = "Name"),
};
SHAPE(named_shape, "Named", struct named, named_fields);

enum err_code account_load(struct cx *cx, struct db *db, struct account_out *ret)
{
    struct account_row row;
    TRY(need_found(cx, account_get(cx, db, (struct account_get_in){ cx->account_id }, &row), "account"));
    *ret = (struct account_out){ row.id, row.name, row.settings, row.version, row.created_us };
    return E_OK;
}

HANDLER(account_read, struct nothing, struct account_out)
{
    (void)in;
    return account_load(cx, db, out);
}

struct account_in { struct str name, settings; int64_t expected_version; };
static const struct field account_in_fields[] = {
    TEXT_FIELD(struct account_in, name, .optional = true, .min = 1, .max = 200, .doc = "Shown to agents and in mails"),
    JSON_FIELD(struct account_in, settings, .optional = true, .max = 16384, .doc = "Settings to change; null removes one"),
    INT_FIELD(struct account_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

static enum err_code check_setting(struct cx *cx, const struct json_member *m)
{
    const struct json_value *v = &m->value;
    bool is_text = str_is(m->name, "time_zone") || str_is(m->name, "locale");
    const char *field = arena_printf(cx->arena, "settings.%.*s", STR_ARG(m->name)).ptr;
    if (v->kind == JSON_NULL)
        return E_OK;
    if (is_text && (v->kind != JSON_TEXT || !v->text.len || v->text.len > 64))
        return fail_field(cx, field, "This is a text of 1 to 64 bytes");
    if (str_is(m->name, "undo_seconds") && (v->kind != JSON_INT || v->integer < 0 || v->integer > 120))
        return fail_field(cx, field, "This is a number from 0 to 120");
    if (str_is(m->name, "quote_history") && v->kind != JSON_BOOL)
        return fail_field(cx, field, "This is true or false");
    return E_OK;
}

/* Members of `patch` over those of `old`; null takes one away. */
static enum err_code merge_settings(struct cx *cx, struct str old_text, struct str patch_text, struct str *ret)
{
    struct json_value old, patch;
    TRY(json_parse(cx, old_text, &old));
    TRY(json_parse(cx, patch_text, &patch));
    if (patch.kind != JSON_OBJECT)
        return fail_field(cx, "settings", "This is an object");
    struct buf b = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&b);
    json_open_object(&w, NULL);
    for (size_t i = 0; i < old.n; i++)
        if (!json_get(&patch, arena_cstr(cx->arena, old.members[i].name)))
            json_put_value(&w, arena_cstr(cx->arena, old.members[i].name), &old.members[i].value);
    for (size_t i = 0; i < patch.n; i++) {
        TRY(check_setting(cx, &patch.members[i]));
        if (patch.members[i].value.kind != JSON_NULL)
            json_put_value(&w, arena_cstr(cx->arena, patch.members[i].name), &patch.members[i].value);
    }
    json_close_object(&w);
    *ret = buf_str(&b);
    return E_OK;
}

HANDLER(account_patch, struct account_in, struct account_out)
{
    struct account_out old;
    TRY(account_load(cx, db, &old));
    if (version_differs(cx, in->expected_version, old.version))
        return fail_version(cx, &account_shape, &old);
    struct str name = in->name.ptr ? in->name : old.name, settings = old.settings;
    if (in->settings.ptr)
        TRY(merge_settings(cx, old.settings, in->settings, &settings));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, name);
    change_raw(&c, "settings", old.settings, settings);
    if (c.n) {
        TRY(account_update(cx, db, (struct account_update_in){ cx->account_id, name, settings }, NULL));
        TRY(emit_event(cx, db, STR("account.changed"), cx->account_id, changes_end(&c)));
    }
    return account_load(cx, db, out);
}

/* ---- API tokens of the caller ---- */

struct token_out {
    int64_t id;
    struct str name, prefix;
    struct list permissions;        /* struct str */
    int64_t created_at, last_used_at, expires_at, revoked_at;
};
#define TOKEN_FIELDS(owner)                                                                              \
    ID_FIELD(owner, id, .doc = "Id of the token"),                                                       \
    TEXT_FIELD(owner, name, .doc = "What it is for"),                                                    \
    TEXT_FIELD(owner, prefix, .doc = "Its first characters"),                                            \
    TEXTS_FIELD(owner, permissions, .nullable = true, .doc = "Its scope; null: all that the user may do"), \
    TIME_FIELD(owner, created_at, .doc = "When it was made"),                                            \
    TIME_FIELD(owner, last_used_at, .nullable = true, .doc = "Last use, to ten minutes"),                \
    TIME_FIELD(owner, expires_at, .nullable = true, .doc = "When it ends; null: never"),                 \
    TIME_FIELD(owner, revoked_at, .nullable = true, .doc = "When it was revoked")
static const struct field token_fields[] = { TOKEN_FIELDS(struct token_out) };
static SHAPE(token_shape, "Token", struct token_out, token_fields);

static struct token_out token_of(struct cx *cx, const struct token_row *row)
{
    return (struct token_out){
        .id = row->id, .name = row->name, .prefix = row->prefix, .created_at = row->created_us,
        .permissions = row->permissions == -1 ? (struct list){ 0 } : permission_names(cx->arena, (uint64_t)row->permissions),
        .last_used_at = row->last_used_us, .expires_at = row->expires_us, .revoked_at = row->revoked_us,
    };
}

struct list_in { struct page_in page; };
static const struct field list_in_fields[] = { PAGE_FIELDS(struct list_in, page) };

HANDLER(token_page, struct list_in, struct page_out)
{
    struct token_list_in which = { .account_id = cx->account_id, .user_id = cx->user_id, .limit = in->page.limit + 1 };
    struct token_row *rows;
    size_t n;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &which.before_id, 1));
    TRY(token_list(cx, db, which, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct token_out *items = NEWN(cx->arena, struct token_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = token_of(cx, &rows[i]);
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &items[shown - 1].id, 1);
    return E_OK;
}

struct token_in { struct str name; struct list permissions; int64_t expires_at; };
static const struct field token_in_fields[] = {
    TEXT_FIELD(struct token_in, name, .min = 1, .max = 200, .doc = "What it is for"),
    TEXTS_FIELD(struct token_in, permissions, .optional = true, .nullable = true, .max = 64, .doc = "Its scope; absent: all of the user's"),
    TIME_FIELD(struct token_in, expires_at, .optional = true, .nullable = true, .doc = "When it ends; absent: never"),
};
struct token_made_out {
    int64_t id;
    struct str name, prefix;
    struct list permissions;
    int64_t created_at, last_used_at, expires_at, revoked_at;
    struct str token;
};
static const struct field token_made_fields[] = {
    TOKEN_FIELDS(struct token_made_out),
    TEXT_FIELD(struct token_made_out, token, .doc = "The token itself: shown this once"),
};
static SHAPE(token_made_shape, "NewToken", struct token_made_out, token_made_fields);

HANDLER(token_post, struct token_in, struct token_made_out)
{
    uint64_t bits = 0;
    TRY(permission_bits(cx, &in->permissions, "permissions", &bits));
    TRY(check_grant(cx, bits));
    if (in->expires_at && in->expires_at <= cx->now_us)
        return fail_field(cx, "expires_at", "This time has passed");
    /* "All of the user's" said by a token means all of that token's. */
    bool given = in->permissions.given && in->permissions.items;
    if (!given && str_is(cx->actor, "token"))
        bits = cx->permissions;
    struct token_new made = { .user_id = cx->user_id, .name = in->name, .expires_us = in->expires_at,
                              .permissions = given || bits ? (int64_t)bits : -1 };
    struct str text;
    TRY(token_make(cx, db, &made, &text));
    struct token_row *rows;
    size_t n;
    TRY(token_list(cx, db, (struct token_list_in){ .account_id = cx->account_id, .user_id = cx->user_id, .id = made.id }, &rows, &n));
    ASSERT(n == 1);
    struct token_out t = token_of(cx, &rows[0]);
    *out = (struct token_made_out){ t.id, t.name, t.prefix, t.permissions, t.created_at, t.last_used_at, t.expires_at,
                                    t.revoked_at, text };
    return E_OK;
}

struct token_path { int64_t id; };
static const struct field token_path_fields[] = {
    ID_FIELD(struct token_path, id, .place = IN_PATH, .doc = "Id of the token"),
};

HANDLER(token_remove, struct token_path, struct nothing)
{
    int64_t changed;
    (void)out;
    if (in->id <= 0)
        return fail(cx, E_NOT_FOUND, "There is no such token");
    TRY(token_revoke(cx, db, (struct token_revoke_in){ cx->account_id, cx->user_id, in->id, cx->now_us }, &changed));
    if (!changed)
        return fail(cx, E_NOT_FOUND, "There is no such token, or it is revoked already");
    return emit_event(cx, db, STR("token.revoked"), in->id, STR_NONE);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/account", .summary = "Read the account", .permission = PERM_SIGNED_IN,
      .in_size = sizeof(struct nothing), RETURNS(&account_shape, struct account_out), ETAG(struct account_out, version),
      .handler = account_read },
    { .method = METHOD_PATCH, .path = "/api/v1/account", .summary = "Change the account's name and settings",
      .permission = PERM_ACCOUNT_WRITE, FIELDS(account_in_fields, struct account_in),
      RETURNS(&account_shape, struct account_out), ETAG(struct account_out, version), .handler = account_patch },
    { .method = METHOD_GET, .path = "/api/v1/tokens", .summary = "List the caller's API tokens", .permission = PERM_TOKEN_WRITE,
      FIELDS(list_in_fields, struct list_in), RETURNS_PAGE(&token_shape), .handler = token_page },
    { .method = METHOD_POST, .path = "/api/v1/tokens", .summary = "Create an API token", .permission = PERM_TOKEN_WRITE,
      .creates = true, FIELDS(token_in_fields, struct token_in), RETURNS(&token_made_shape, struct token_made_out),
      .handler = token_post },
    { .method = METHOD_DELETE, .path = "/api/v1/tokens/{id}", .summary = "Revoke an API token", .permission = PERM_TOKEN_WRITE,
      .no_content = true, FIELDS(token_path_fields, struct token_path), .handler = token_remove },
};
const struct route_table account_routes = { "account", routes, COUNT(routes) };
