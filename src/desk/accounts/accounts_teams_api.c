/* accounts_teams_api.c - routes of teams and roles. */
#include "desk/accounts/accounts_internal.h"

#include "accounts_sql.h"

/* ---- teams ---- */

struct team_out {
    int64_t id;
    struct str name, description;
    bool archived;
    struct list member_ids;         /* int64_t */
    int64_t version, created_at;
};
static const struct field team_fields[] = {
    ID_FIELD(struct team_out, id, .doc = "Id of the team"),
    TEXT_FIELD(struct team_out, name, .doc = "Unique in the account"),
    TEXT_FIELD(struct team_out, description, .doc = "What it is for"),
    BOOL_FIELD(struct team_out, archived, .doc = "Gets no new tickets"),
    IDS_FIELD(struct team_out, member_ids, .doc = "Its users"),
    INT_FIELD(struct team_out, version, .doc = "Grows with every change"),
    TIME_FIELD(struct team_out, created_at, .doc = "When it was made"),
};
static SHAPE(team_shape, "Team", struct team_out, team_fields);

static enum err_code teams_load(struct cx *cx, struct db *db, struct team_list_in which, struct team_out **ret, size_t *ret_n)
{
    struct team_row *rows;
    struct team_member_row *members;
    size_t nmembers;
    TRY(team_list(cx, db, which, &rows, ret_n));
    TRY(team_member_list(cx, db, (struct team_member_list_in){ .account_id = cx->account_id, .team_id = which.id }, &members, &nmembers));
    struct team_out *out = *ret = NEWN(cx->arena, struct team_out, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++) {
        int64_t *ids = NEWN(cx->arena, int64_t, nmembers + 1);
        size_t n = 0;
        for (size_t k = 0; k < nmembers; k++)
            if (members[k].team_id == rows[i].id)
                ids[n++] = members[k].user_id;
        out[i] = (struct team_out){ .id = rows[i].id, .name = rows[i].name, .description = rows[i].description,
                                    .archived = rows[i].archived, .member_ids = { .items = ids, .n = n },
                                    .version = rows[i].version, .created_at = rows[i].created_us };
    }
    return E_OK;
}

static enum err_code team_load(struct cx *cx, struct db *db, int64_t id, struct team_out *ret)
{
    struct team_out *teams;
    size_t n = 0;
    if (id > 0)
        TRY(teams_load(cx, db, (struct team_list_in){ .account_id = cx->account_id, .id = id }, &teams, &n));
    if (n == 0)
        return fail(cx, E_NOT_FOUND, "There is no such team");
    *ret = teams[0];
    return E_OK;
}

struct list_in { struct page_in page; };
static const struct field list_in_fields[] = { PAGE_FIELDS(struct list_in, page) };

HANDLER(team_page, struct list_in, struct page_out)
{
    struct team_list_in which = { .account_id = cx->account_id, .limit = in->page.limit + 1 };
    struct team_out *teams;
    size_t n;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read_text(cx, in->page.cursor, &which.after));
    TRY(teams_load(cx, db, which, &teams, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    out->items = (struct list){ .items = teams, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor_text(cx->arena, teams[shown - 1].name);
    return E_OK;
}

struct team_in {
    int64_t id, expected_version;
    struct str name, description;
    bool archived, has_archived;
    struct list member_ids;
};
#define TEAM_DETAILS                                                                                          \
    TEXT_FIELD(struct team_in, description, .optional = true, .max = 2000, .multiline = true, .doc = "What it is for"), \
    IDS_FIELD(struct team_in, member_ids, .optional = true, .max = 1000, .doc = "All its users")
static const struct field team_path_fields[] = {
    ID_FIELD(struct team_in, id, .place = IN_PATH, .doc = "Id of the team"),
};
static const struct field team_new_fields[] = {
    TEXT_FIELD(struct team_in, name, .min = 1, .max = 200, .doc = "Unique in the account"),
    TEAM_DETAILS,
};
static const struct field team_patch_fields[] = {
    ID_FIELD(struct team_in, id, .place = IN_PATH, .doc = "Id of the team"),
    TEXT_FIELD(struct team_in, name, .optional = true, .min = 1, .max = 200, .doc = "Unique in the account"),
    TEAM_DETAILS,
    BOOL_FIELD(struct team_in, archived, HAS(struct team_in, has_archived), .doc = "Gets no new tickets"),
    INT_FIELD(struct team_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

HANDLER(team_read, struct team_in, struct team_out)
{
    return team_load(cx, db, in->id, out);
}

static enum err_code set_members(struct cx *cx, struct db *db, int64_t team_id, const struct list *user_ids)
{
    const int64_t *ids = user_ids->items;
    TRY(team_member_remove(cx, db, (struct team_member_remove_in){ .account_id = cx->account_id, .team_id = team_id }, NULL));
    for (size_t i = 0; i < user_ids->n; i++) {
        struct user_row row;
        bool found;
        TRY(if_found(cx, user_get(cx, db, (struct user_get_in){ cx->account_id, ids[i] }, &row), &found));
        if (!found)
            return fail_field(cx, "member_ids", "There is no user with the id %lld", (long long)ids[i]);
        TRY(team_member_add(cx, db, (struct team_member_add_in){ cx->account_id, team_id, ids[i] }, NULL));
    }
    return E_OK;
}

static enum err_code check_team_name(struct cx *cx, struct db *db, struct str name, int64_t own_id)
{
    struct team_row *rows;
    size_t n;
    TRY(team_list(cx, db, (struct team_list_in){ .account_id = cx->account_id }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        if (rows[i].id != own_id && str_eq(rows[i].name, name))
            return fail_field(cx, "name", "There is a team with this name already");
    return E_OK;
}

HANDLER(team_post, struct team_in, struct team_out)
{
    struct account_id_row made;
    TRY(check_team_name(cx, db, in->name, 0));
    TRY(team_insert(cx, db, (struct team_insert_in){ cx->account_id, in->name, in->description, cx->now_us }, &made));
    TRY(set_members(cx, db, made.id, &in->member_ids));
    TRY(emit_event(cx, db, STR("team.created"), made.id, STR_NONE));
    return team_load(cx, db, made.id, out);
}

HANDLER(team_patch, struct team_in, struct team_out)
{
    struct team_out old;
    TRY(team_load(cx, db, in->id, &old));
    if (version_differs(cx, in->expected_version, old.version))
        return fail_version(cx, &team_shape, &old);
    struct team_update_in up = { .account_id = cx->account_id, .id = old.id, .name = in->name.ptr ? in->name : old.name,
                                 .description = in->description.ptr ? in->description : old.description,
                                 .archived = in->has_archived ? in->archived : old.archived, .now = cx->now_us };
    TRY(check_team_name(cx, db, up.name, old.id));
    if (in->member_ids.given)
        TRY(set_members(cx, db, old.id, &in->member_ids));
    TRY(team_update(cx, db, up, NULL));
    TRY(team_load(cx, db, old.id, out));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, out->name);
    change_text(&c, "description", old.description, out->description);
    change_bool(&c, "archived", old.archived, out->archived);
    change_bool(&c, "members_changed", false, in->member_ids.given);
    return emit_event(cx, db, STR("team.changed"), old.id, changes_end(&c));
}

/* ---- roles ---- */

static const struct field role_fields[] = {
    ID_FIELD(struct role_out, id, .doc = "Id of the role"),
    TEXT_FIELD(struct role_out, name, .doc = "Its name"),
    TEXTS_FIELD(struct role_out, permissions, .doc = "What its users may do"),
    BOOL_FIELD(struct role_out, only_own_teams, .doc = "They see tickets of own teams and own tickets only"),
    BOOL_FIELD(struct role_out, builtin, .doc = "Cannot be deleted"),
    INT_FIELD(struct role_out, version, .doc = "Grows with every change"),
};
SHAPE(role_shape, "Role", struct role_out, role_fields);

static struct role_out role_of(struct cx *cx, const struct role_row *row)
{
    return (struct role_out){ row->id, row->name, permission_names(cx->arena, (uint64_t)row->permissions),
                              row->only_own_teams, row->builtin, row->version };
}

enum err_code role_load(struct cx *cx, struct db *db, int64_t id, struct role_out *ret, uint64_t *ret_bits)
{
    struct role_row *rows;
    size_t n = 0;
    if (id > 0)
        TRY(role_list(cx, db, (struct role_list_in){ .account_id = cx->account_id, .id = id }, &rows, &n));
    if (n == 0)
        return fail(cx, E_NOT_FOUND, "There is no such role");
    *ret = role_of(cx, &rows[0]);
    *ret_bits = (uint64_t)rows[0].permissions;
    return E_OK;
}

HANDLER(role_page, struct list_in, struct page_out)
{
    struct role_list_in which = { .account_id = cx->account_id, .limit = in->page.limit + 1 };
    struct role_row *rows;
    size_t n;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &which.after_id, 1));
    TRY(role_list(cx, db, which, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct role_out *items = NEWN(cx->arena, struct role_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = role_of(cx, &rows[i]);
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &items[shown - 1].id, 1);
    return E_OK;
}

struct role_in {
    int64_t id, expected_version;
    struct str name;
    struct list permissions;
    bool only_own_teams, has_only_own_teams;
};
static const struct field role_path_fields[] = {
    ID_FIELD(struct role_in, id, .place = IN_PATH, .doc = "Id of the role"),
};
static const struct field role_new_fields[] = {
    TEXT_FIELD(struct role_in, name, .min = 1, .max = 200, .doc = "Its name"),
    TEXTS_FIELD(struct role_in, permissions, .max = 64, .doc = "What its users may do"),
    BOOL_FIELD(struct role_in, only_own_teams, HAS(struct role_in, has_only_own_teams), .doc = "Own teams and own tickets only"),
};
static const struct field role_patch_fields[] = {
    ID_FIELD(struct role_in, id, .place = IN_PATH, .doc = "Id of the role"),
    TEXT_FIELD(struct role_in, name, .optional = true, .min = 1, .max = 200, .doc = "Its name"),
    TEXTS_FIELD(struct role_in, permissions, .optional = true, .max = 64, .doc = "What its users may do"),
    BOOL_FIELD(struct role_in, only_own_teams, HAS(struct role_in, has_only_own_teams), .doc = "Own teams and own tickets only"),
    INT_FIELD(struct role_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

HANDLER(role_read, struct role_in, struct role_out)
{
    uint64_t bits;
    return role_load(cx, db, in->id, out, &bits);
}

HANDLER(role_post, struct role_in, struct role_out)
{
    uint64_t bits;
    struct account_id_row made;
    TRY(permission_bits(cx, &in->permissions, "permissions", &bits));
    TRY(check_grant(cx, bits));
    TRY(role_insert(cx, db,
                    (struct role_insert_in){ .account_id = cx->account_id, .name = in->name, .permissions = (int64_t)bits,
                                             .only_own_teams = in->only_own_teams, .now = cx->now_us },
                    &made));
    TRY(emit_event(cx, db, STR("role.changed"), made.id, STR_NONE));
    return role_load(cx, db, made.id, out, &bits);
}

HANDLER(role_patch, struct role_in, struct role_out)
{
    struct role_out old;
    uint64_t old_bits, bits;
    TRY(role_load(cx, db, in->id, &old, &old_bits));
    if (version_differs(cx, in->expected_version, old.version))
        return fail_version(cx, &role_shape, &old);
    bits = old_bits;
    if (in->permissions.given)
        TRY(permission_bits(cx, &in->permissions, "permissions", &bits));
    TRY(check_grant(cx, bits | old_bits));
    struct role_update_in up = { .account_id = cx->account_id, .id = old.id, .name = in->name.ptr ? in->name : old.name,
                                 .permissions = (int64_t)bits,
                                 .only_own_teams = in->has_only_own_teams ? in->only_own_teams : old.only_own_teams };
    TRY(role_update(cx, db, up, NULL));
    TRY(check_admin_remains(cx, db));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, up.name);
    change_bool(&c, "only_own_teams", old.only_own_teams, up.only_own_teams);
    change_bool(&c, "permissions_changed", false, bits != old_bits);
    TRY(emit_event(cx, db, STR("role.changed"), old.id, changes_end(&c)));
    return role_load(cx, db, old.id, out, &bits);
}

HANDLER(role_remove, struct role_in, struct nothing)
{
    struct role_out old;
    struct account_count_row uses;
    uint64_t bits;
    (void)out;
    TRY(role_load(cx, db, in->id, &old, &bits));
    TRY(check_grant(cx, bits));
    if (old.builtin)
        return fail(cx, E_CONFLICT, "A built-in role cannot be deleted");
    TRY(role_uses(cx, db, (struct role_uses_in){ cx->account_id, old.id }, &uses));
    if (uses.n)
        return fail(cx, E_CONFLICT, "%lld users have this role: give them another one first", (long long)uses.n);
    TRY(role_delete(cx, db, (struct role_delete_in){ cx->account_id, old.id }, NULL));
    return emit_event(cx, db, STR("role.deleted"), old.id, STR_NONE);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/teams", .summary = "List teams", .permission = PERM_USER_READ,
      FIELDS(list_in_fields, struct list_in), RETURNS_PAGE(&team_shape), .handler = team_page },
    { .method = METHOD_POST, .path = "/api/v1/teams", .summary = "Create a team", .permission = PERM_USER_WRITE, .creates = true,
      FIELDS(team_new_fields, struct team_in), RETURNS(&team_shape, struct team_out), .handler = team_post },
    { .method = METHOD_GET, .path = "/api/v1/teams/{id}", .summary = "Read a team", .permission = PERM_USER_READ,
      FIELDS(team_path_fields, struct team_in), RETURNS(&team_shape, struct team_out), ETAG(struct team_out, version),
      .handler = team_read },
    { .method = METHOD_PATCH, .path = "/api/v1/teams/{id}", .summary = "Change or archive a team", .permission = PERM_USER_WRITE,
      FIELDS(team_patch_fields, struct team_in), RETURNS(&team_shape, struct team_out), ETAG(struct team_out, version),
      .handler = team_patch },
    { .method = METHOD_GET, .path = "/api/v1/roles", .summary = "List roles", .permission = PERM_USER_READ,
      FIELDS(list_in_fields, struct list_in), RETURNS_PAGE(&role_shape), .handler = role_page },
    { .method = METHOD_POST, .path = "/api/v1/roles", .summary = "Create a role", .permission = PERM_USER_WRITE, .creates = true,
      FIELDS(role_new_fields, struct role_in), RETURNS(&role_shape, struct role_out), .handler = role_post },
    { .method = METHOD_GET, .path = "/api/v1/roles/{id}", .summary = "Read a role", .permission = PERM_USER_READ,
      FIELDS(role_path_fields, struct role_in), RETURNS(&role_shape, struct role_out), ETAG(struct role_out, version),
      .handler = role_read },
    { .method = METHOD_PATCH, .path = "/api/v1/roles/{id}", .summary = "Change a role", .permission = PERM_USER_WRITE,
      FIELDS(role_patch_fields, struct role_in), RETURNS(&role_shape, struct role_out), ETAG(struct role_out, version),
      .handler = role_patch },
    { .method = METHOD_DELETE, .path = "/api/v1/roles/{id}", .summary = "Delete an unused role", .permission = PERM_USER_WRITE,
      .no_content = true, FIELDS(role_path_fields, struct role_in), .handler = role_remove },
};
const struct route_table team_routes = { "teams", routes, COUNT(routes) };
