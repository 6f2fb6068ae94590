/* accounts_users_api.c - routes of users and their invitations. */
#include "desk/accounts/accounts_internal.h"

#include "accounts_sql.h"

#define USER_FIELDS(owner)                                                                          \
    ID_FIELD(owner, id, .doc = "Id of the user"),                                                   \
    TEXT_FIELD(owner, name, .doc = "Shown to customers and colleagues"),                            \
    TEXT_FIELD(owner, email, .doc = "Address to sign in with"),                                     \
    TEXT_FIELD(owner, status, .doc = "active, invited or disabled"),                                \
    OBJECT_FIELD(owner, role, &named_shape, .doc = "The user's role"),                              \
    IDS_FIELD(owner, team_ids, .doc = "Teams of the user"),                                         \
    TEXT_FIELD(owner, signature, .doc = "Markdown put under replies"),                              \
    TEXT_FIELD(owner, locale, .doc = "BCP 47"),                                                     \
    TEXT_FIELD(owner, time_zone, .doc = "IANA name"),                                               \
    TIME_FIELD(owner, last_seen_at, .nullable = true, .doc = "Last signed-in request, to ten minutes"), \
    TIME_FIELD(owner, created_at, .doc = "When the user was made"),                                 \
    INT_FIELD(owner, version, .doc = "Grows with every change")
static const struct field user_fields[] = { USER_FIELDS(struct user_out) };
SHAPE(user_shape, "User", struct user_out, user_fields);

/* team_ids out of memberships that may be of several users. */
static struct user_out user_of(struct cx *cx, const struct user_row *row, const struct team_member_row *members, size_t nmembers)
{
    struct named *role = NEW(cx->arena, struct named);
    int64_t *teams = NEWN(cx->arena, int64_t, nmembers + 1);
    size_t n = 0;
    *role = (struct named){ row->role_id, row->role_name };
    for (size_t i = 0; i < nmembers; i++)
        if (members[i].user_id == row->id)
            teams[n++] = members[i].team_id;
    return (struct user_out){ .id = row->id, .name = row->name, .email = row->email, .status = row->status, .role = role,
                              .team_ids = { .items = teams, .n = n }, .signature = row->signature, .locale = row->locale,
                              .time_zone = row->time_zone, .last_seen_at = row->last_seen_us, .created_at = row->created_us,
                              .version = row->version };
}

enum err_code user_load(struct cx *cx, struct db *db, int64_t id, struct user_out *ret)
{
    struct user_row row;
    struct team_member_row *members;
    size_t n;
    TRY(need_found(cx, user_get(cx, db, (struct user_get_in){ cx->account_id, id }, &row), "user"));
    TRY(team_member_list(cx, db, (struct team_member_list_in){ .account_id = cx->account_id, .user_id = row.id }, &members, &n));
    *ret = user_of(cx, &row, members, n);
    return E_OK;
}

struct users_in { struct page_in page; struct str status, q; };
static const char *const user_statuses[] = { "active", "invited", "disabled", NULL };
static const struct field users_in_fields[] = {
    PAGE_FIELDS(struct users_in, page),
    TEXT_FIELD(struct users_in, status, .place = IN_QUERY, .optional = true, .choices = user_statuses, .max = 20, .doc = "Only these"),
    TEXT_FIELD(struct users_in, q, .place = IN_QUERY, .optional = true, .max = 200, .doc = "Part of name or e-mail address"),
};

HANDLER(user_page, struct users_in, struct page_out)
{
    int64_t after = 0;
    struct user_row *rows;
    struct team_member_row *members;
    size_t n, nmembers;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &after, 1));
    TRY(user_list(cx, db,
                  (struct user_list_in){ cx->account_id, in->status, like_pattern(cx->arena, in->q), after, in->page.limit + 1 },
                  &rows, &n));
    TRY(team_member_list(cx, db, (struct team_member_list_in){ .account_id = cx->account_id }, &members, &nmembers));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct user_out *items = NEWN(cx->arena, struct user_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = user_of(cx, &rows[i], members, nmembers);
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &items[shown - 1].id, 1);
    return E_OK;
}

struct user_path { int64_t id; };
static const struct field user_path_fields[] = {
    ID_FIELD(struct user_path, id, .place = IN_PATH, .doc = "Id of the user"),
};

HANDLER(user_read, struct user_path, struct user_out)
{
    return user_load(cx, db, in->id, out);
}

/* Nobody makes, changes or re-invites a user who may do more than they may. */
static enum err_code check_role(struct cx *cx, struct db *db, int64_t role_id)
{
    struct role_row *rows;
    size_t n;
    TRY(role_list(cx, db, (struct role_list_in){ .account_id = cx->account_id, .id = role_id }, &rows, &n));
    if (role_id <= 0 || n == 0)
        return fail_field(cx, "role_id", "There is no role with this id");
    return check_grant(cx, (uint64_t)rows[0].permissions);
}

static enum err_code set_teams(struct cx *cx, struct db *db, int64_t user_id, const struct list *team_ids)
{
    const int64_t *ids = team_ids->items;
    TRY(team_member_remove(cx, db, (struct team_member_remove_in){ .account_id = cx->account_id, .user_id = user_id }, NULL));
    for (size_t i = 0; i < team_ids->n; i++) {
        TRY(accounts_check_team(cx, db, ids[i], "team_ids"));
        TRY(team_member_add(cx, db, (struct team_member_add_in){ cx->account_id, ids[i], user_id }, NULL));
    }
    return E_OK;
}

struct user_new { struct str email, name; int64_t role_id; struct list team_ids; };
static const struct field user_new_fields[] = {
    TEXT_FIELD(struct user_new, email, .min = 3, .max = 254, .doc = "Where the user signs in with"),
    TEXT_FIELD(struct user_new, name, .optional = true, .max = 200, .doc = "May be completed by the invited"),
    ID_FIELD(struct user_new, role_id, .optional = true, .doc = "Absent: the role Agent"),
    IDS_FIELD(struct user_new, team_ids, .optional = true, .max = 100, .doc = "Teams to join"),
};
struct user_invited {
    int64_t id;
    struct str name, email, status;
    const void *role;
    struct list team_ids;
    struct str signature, locale, time_zone;
    int64_t last_seen_at, created_at, version;
    struct str invite_url;
};
static const struct field user_invited_fields[] = {
    USER_FIELDS(struct user_invited),
    TEXT_FIELD(struct user_invited, invite_url, .doc = "Link to hand to the invited; valid for 7 days, once"),
};
static SHAPE(user_invited_shape, "InvitedUser", struct user_invited, user_invited_fields);

static enum err_code default_role(struct cx *cx, struct db *db, int64_t *ret)
{
    struct role_row *rows;
    size_t n;
    TRY(role_list(cx, db, (struct role_list_in){ .account_id = cx->account_id }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        if (rows[i].builtin && str_is(rows[i].name, "Agent"))
            *ret = rows[i].id;
    return *ret ? E_OK : fail_field(cx, "role_id", "Name a role");
}

HANDLER(user_post, struct user_new, struct user_invited)
{
    struct str folded, url;
    int64_t role_id = in->role_id;
    struct user_row same;
    bool taken;
    TRY(check_email(cx, in->email, &folded));
    TRY(if_found(cx, user_by_email(cx, db, (struct user_by_email_in){ cx->account_id, folded }, &same), &taken));
    if (taken)
        return fail_field(cx, "email", "There is a user with this address already");
    if (!role_id)
        TRY(default_role(cx, db, &role_id));
    TRY(check_role(cx, db, role_id));
    struct account_id_row made;
    TRY(user_insert(cx, db,
                    (struct user_insert_in){ .account_id = cx->account_id, .email = in->email, .email_folded = folded,
                                             .name = in->name.ptr ? in->name : STR(""), .role_id = role_id,
                                             .status = STR("invited"), .locale = STR("en"), .time_zone = STR("UTC"),
                                             .now = cx->now_us },
                    &made));
    TRY(set_teams(cx, db, made.id, &in->team_ids));
    TRY(link_make(cx, db, made.id, true, &url));
    TRY(emit_event(cx, db, STR("user.invited"), made.id, STR_NONE));
    struct user_out u;
    TRY(user_load(cx, db, made.id, &u));
    *out = (struct user_invited){ u.id, u.name, u.email, u.status, u.role, u.team_ids, u.signature, u.locale, u.time_zone,
                                  u.last_seen_at, u.created_at, u.version, url };
    return E_OK;
}

struct user_patch_in {
    int64_t id;
    struct str name, status;
    int64_t role_id, expected_version;
    struct list team_ids;
};
static const char *const settable_statuses[] = { "active", "disabled", NULL };
static const struct field user_patch_fields[] = {
    ID_FIELD(struct user_patch_in, id, .place = IN_PATH, .doc = "Id of the user"),
    TEXT_FIELD(struct user_patch_in, name, .optional = true, .min = 1, .max = 200, .doc = "Shown to customers and colleagues"),
    TEXT_FIELD(struct user_patch_in, status, .optional = true, .choices = settable_statuses, .max = 20,
               .doc = "disabled ends all sessions and tokens at once"),
    ID_FIELD(struct user_patch_in, role_id, .optional = true, .doc = "The user's role"),
    IDS_FIELD(struct user_patch_in, team_ids, .optional = true, .max = 100, .doc = "All teams of the user"),
    INT_FIELD(struct user_patch_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

static struct str ids_json(struct arena *arena, const struct list *ids)
{
    struct buf b = buf_new(arena, 0);
    buf_char(&b, '[');
    for (size_t i = 0; i < ids->n; i++)
        buf_printf(&b, "%s\"%lld\"", i ? "," : "", (long long)((const int64_t *)ids->items)[i]);
    buf_char(&b, ']');
    return buf_str(&b);
}

static enum err_code new_status(struct cx *cx, const struct user_row *row, struct str asked, struct str *ret)
{
    *ret = asked.ptr ? asked : row->status;
    if (str_is(row->status, "invited") && str_is(*ret, "active"))
        return fail_field(cx, "status", "An invited user becomes active by the link of the invitation");
    return E_OK;
}

HANDLER(user_patch, struct user_patch_in, struct user_out)
{
    struct user_out before;
    struct user_row row;
    TRY(user_load(cx, db, in->id, &before));
    TRY(user_get(cx, db, (struct user_get_in){ cx->account_id, in->id }, &row));
    if (version_differs(cx, in->expected_version, before.version))
        return fail_version(cx, &user_shape, &before);
    TRY(check_grant(cx, (uint64_t)row.permissions));
    struct user_update_in up = { .account_id = cx->account_id, .id = row.id, .name = in->name.ptr ? in->name : row.name,
                                 .role_id = in->role_id ? in->role_id : row.role_id, .locale = row.locale,
                                 .time_zone = row.time_zone, .signature = row.signature, .now = cx->now_us };
    TRY(new_status(cx, &row, in->status, &up.status));
    if (up.role_id != row.role_id)
        TRY(check_role(cx, db, up.role_id));
    if (in->team_ids.given)
        TRY(set_teams(cx, db, row.id, &in->team_ids));
    TRY(user_update(cx, db, up, NULL));
    TRY(user_load(cx, db, in->id, out));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", before.name, out->name);
    change_text(&c, "status", before.status, out->status);
    change_id(&c, "role_id", row.role_id, up.role_id);
    change_raw(&c, "team_ids", ids_json(cx->arena, &before.team_ids), ids_json(cx->arena, &out->team_ids));
    if (str_is(out->status, "disabled") && !str_is(before.status, "disabled"))
        TRY(user_shut_out(cx, db, row.id, true));
    if (c.n)
        TRY(emit_event(cx, db, STR("user.changed"), row.id, changes_end(&c)));
    return check_admin_remains(cx, db);
}

struct invite_out { struct str invite_url; };
static const struct field invite_out_fields[] = {
    TEXT_FIELD(struct invite_out, invite_url, .doc = "Link to hand to the user; valid for 7 days, once"),
};
static SHAPE(invite_shape, "Invite", struct invite_out, invite_out_fields);

HANDLER(user_invite, struct user_path, struct invite_out)
{
    struct user_row row;
    TRY(need_found(cx, user_get(cx, db, (struct user_get_in){ cx->account_id, in->id }, &row), "user"));
    TRY(check_grant(cx, (uint64_t)row.permissions));
    if (str_is(row.status, "disabled"))
        return fail(cx, E_CONFLICT, "This user is disabled");
    TRY(link_make(cx, db, row.id, str_is(row.status, "invited"), &out->invite_url));
    return emit_event(cx, db, STR("user.invited"), row.id, STR_NONE);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/users", .summary = "List users", .permission = PERM_USER_READ,
      FIELDS(users_in_fields, struct users_in), RETURNS_PAGE(&user_shape), .handler = user_page },
    { .method = METHOD_POST, .path = "/api/v1/users", .summary = "Invite a user", .permission = PERM_USER_WRITE, .creates = true,
      FIELDS(user_new_fields, struct user_new), RETURNS(&user_invited_shape, struct user_invited), .handler = user_post },
    { .method = METHOD_GET, .path = "/api/v1/users/{id}", .summary = "Read a user", .permission = PERM_USER_READ,
      FIELDS(user_path_fields, struct user_path), RETURNS(&user_shape, struct user_out), ETAG(struct user_out, version),
      .handler = user_read },
    { .method = METHOD_PATCH, .path = "/api/v1/users/{id}", .summary = "Change or disable a user", .permission = PERM_USER_WRITE,
      FIELDS(user_patch_fields, struct user_patch_in), RETURNS(&user_shape, struct user_out), ETAG(struct user_out, version),
      .handler = user_patch },
    { .method = METHOD_POST, .path = "/api/v1/users/{id}/invite", .summary = "Make a new invitation or password link",
      .permission = PERM_USER_WRITE, FIELDS(user_path_fields, struct user_path), RETURNS(&invite_shape, struct invite_out),
      .handler = user_invite },
};
const struct route_table user_routes = { "users", routes, COUNT(routes) };
