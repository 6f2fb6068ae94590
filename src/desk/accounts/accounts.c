/* accounts.c - set-up, rules about rights, and what modules above ask. */
#include "desk/accounts/accounts_internal.h"

#include "accounts_sql.h"
#include "platform/mail/mail.h"

static const struct {
    const char *name;
    uint64_t bit;
} permission_table[] = {
#define X(name, bit, label, doc) { label, PERM_BIT(bit) },
    PERMISSIONS(X)
#undef X
};

bool may(const struct cx *cx, enum permission permission)
{
    return (cx->permissions & PERM_BIT(permission)) != 0;
}

struct list permission_names(struct arena *arena, uint64_t bits)
{
    struct str *names = NEWN(arena, struct str, COUNT(permission_table));
    size_t n = 0;
    for (size_t i = 0; i < COUNT(permission_table); i++)
        if (bits & permission_table[i].bit)
            names[n++] = str_of(permission_table[i].name);
    return (struct list){ .items = names, .n = n, .given = true };
}

enum err_code permission_bits(struct cx *cx, const struct list *names, const char *field, uint64_t *ret)
{
    *ret = 0;
    const struct str *items = names->items;
    for (size_t i = 0; i < names->n; i++) {
        uint64_t bit = 0;
        for (size_t k = 0; k < COUNT(permission_table); k++)
            if (str_is(items[i], permission_table[k].name))
                bit = permission_table[k].bit;
        if (!bit)
            return fail_field(cx, field, "There is no permission \"%.*s\"", STR_ARG(items[i]));
        *ret |= bit;
    }
    return E_OK;
}

static uint64_t all_permissions(void)
{
    uint64_t all = 0;
    for (size_t i = 0; i < COUNT(permission_table); i++)
        all |= permission_table[i].bit;
    return all;
}

enum err_code check_grant(struct cx *cx, uint64_t bits)
{
    uint64_t missing = bits & all_permissions() & ~cx->permissions;
    if (!missing)
        return E_OK;
    struct list names = permission_names(cx->arena, missing);
    return fail(cx, E_FORBIDDEN, "You do not have the permission \"%.*s\" yourself",
                STR_ARG(((const struct str *)names.items)[0]));
}

enum err_code check_admin_remains(struct cx *cx, struct db *db)
{
    struct account_count_row row;
    TRY(user_count_admins(cx, db, (struct user_count_admins_in){ cx->account_id, (int64_t)PERM_BIT(PERM_USER_WRITE) }, &row));
    if (row.n == 0)
        return fail(cx, E_CONFLICT, "At least one active admin must remain");
    return E_OK;
}

enum err_code check_email(struct cx *cx, struct str email, struct str *ret_folded)
{
    if (!mail_address_valid(email))
        return fail_field(cx, "email", "\"%.*s\" is not an e-mail address", STR_ARG(utf8_cut(email, 200)));
    *ret_folded = mail_fold_address(cx->arena, email);
    return E_OK;
}

/* ---- set-up ---- */

static uint64_t without(uint64_t bits, enum permission permission)
{
    return bits & ~PERM_BIT(permission);
}

static enum err_code make_roles(struct cx *cx, struct db *db, int64_t account_id, int64_t *ret_admin)
{
    const uint64_t viewer = PERM_BIT(PERM_TICKET_READ) | PERM_BIT(PERM_CONTACT_READ) | PERM_BIT(PERM_USER_READ);
    const uint64_t agent = viewer | PERM_BIT(PERM_TICKET_WRITE) | PERM_BIT(PERM_TICKET_REPLY) | PERM_BIT(PERM_TICKET_DELETE) |
                           PERM_BIT(PERM_CONTACT_WRITE) | PERM_BIT(PERM_TAG_WRITE) | PERM_BIT(PERM_MAILBOX_READ) |
                           PERM_BIT(PERM_TOKEN_WRITE);
    const struct {
        struct str name;
        uint64_t permissions;
        bool only_own_teams;
    } roles[] = {
        { STR("Admin"), all_permissions(), false },
        { STR("Agent"), agent, false },
        { STR("Restricted agent"), without(agent, PERM_TICKET_DELETE), true },
        { STR("Viewer"), viewer, false },
    };
    for (size_t i = 0; i < COUNT(roles); i++) {
        struct account_id_row made;
        TRY(role_insert(cx, db,
                        (struct role_insert_in){ .account_id = account_id, .name = roles[i].name,
                                                 .permissions = (int64_t)roles[i].permissions,
                                                 .only_own_teams = roles[i].only_own_teams, .builtin = true, .now = cx->now_us },
                        &made));
        if (i == 0)
            *ret_admin = made.id;
    }
    return E_OK;
}

enum err_code accounts_setup(struct cx *cx, struct db *db, struct accounts_setup *setup)
{
    bool empty;
    TRY(accounts_is_empty(cx, db, &empty));
    if (!empty)
        return fail(cx, E_CONFLICT, "This installation is already set up");
    return accounts_create(cx, db, setup);
}

enum err_code accounts_create(struct cx *cx, struct db *db, struct accounts_setup *setup)
{
    struct str folded;
    TRY(check_email(cx, setup->admin_email, &folded));
    struct account_id_row account, user, team;
    TRY(account_insert(cx, db,
                       (struct account_insert_in){
                           .name = setup->account_name,
                           .settings = STR("{\"time_zone\":\"UTC\",\"locale\":\"en\",\"undo_seconds\":10,\"quote_history\":true}"),
                           .now = cx->now_us },
                       &account));
    cx->account_id = account.id;
    TRY(journal_begin(cx, db, account.id));
    int64_t admin_role = 0;
    TRY(make_roles(cx, db, account.id, &admin_role));
    TRY(user_insert(cx, db,
                    (struct user_insert_in){ .account_id = account.id, .email = setup->admin_email, .email_folded = folded,
                                             .name = setup->admin_name, .password_hash = setup->password_hash,
                                             .role_id = admin_role, .status = STR("active"), .locale = STR("en"),
                                             .time_zone = STR("UTC"), .now = cx->now_us },
                    &user));
    cx->user_id = user.id;
    cx->actor = STR("user");
    cx->permissions = all_permissions() | PERM_BIT(PERM_SIGNED_IN);
    TRY(team_insert(cx, db, (struct team_insert_in){ .account_id = account.id, .name = STR("Support"), .now = cx->now_us }, &team));
    TRY(team_member_add(cx, db, (struct team_member_add_in){ account.id, team.id, user.id }, NULL));
    TRY(emit_event(cx, db, STR("user.joined"), user.id, STR_NONE));
    TRY(emit_event(cx, db, STR("team.created"), team.id, STR_NONE));
    setup->account_id = account.id;
    setup->user_id = user.id;
    return E_OK;
}

enum err_code accounts_is_empty(struct cx *cx, struct db *db, bool *ret)
{
    struct account_row row;
    bool found;
    TRY(if_found(cx, account_first(cx, db, (struct account_first_in){ 0 }, &row), &found));
    *ret = !found;
    return E_OK;
}

/* ---- for modules above ---- */

static struct user user_of(const struct user_row *row)
{
    return (struct user){ .id = row->id, .name = row->name, .email = row->email, .status = row->status,
                          .signature = row->signature, .time_zone = row->time_zone, .locale = row->locale,
                          .role_id = row->role_id, .permissions = (uint64_t)row->permissions };
}

enum err_code accounts_user(struct cx *cx, struct db *db, int64_t id, struct user *ret)
{
    struct user_row row;
    TRY(need_found(cx, user_get(cx, db, (struct user_get_in){ cx->account_id, id }, &row), "user"));
    *ret = user_of(&row);
    return E_OK;
}

bool accounts_find_user_by_email(struct cx *cx, struct db *db, struct str email, struct user *ret)
{
    struct user_row row;
    bool found = false;
    struct str folded = mail_fold_address(cx->arena, email);
    if (!folded.len || if_found(cx, user_by_email(cx, db, (struct user_by_email_in){ cx->account_id, folded }, &row), &found) != E_OK || !found)
        return false;
    *ret = user_of(&row);
    return true;
}

enum err_code accounts_users(struct cx *cx, struct db *db, const int64_t *ids, size_t n, struct user **ret, size_t *ret_n)
{
    struct user_row *rows;
    TRY(user_by_ids(cx, db, (struct user_by_ids_in){ cx->account_id, ids_param(cx->arena, ids, n) }, &rows, ret_n));
    *ret = NEWN(cx->arena, struct user, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = user_of(&rows[i]);
    return E_OK;
}

enum err_code accounts_teams(struct cx *cx, struct db *db, struct team **ret, size_t *ret_n)
{
    struct team_row *rows;
    TRY(team_list(cx, db, (struct team_list_in){ .account_id = cx->account_id }, &rows, ret_n));
    *ret = NEWN(cx->arena, struct team, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = (struct team){ rows[i].id, rows[i].name, rows[i].archived };
    return E_OK;
}

enum err_code accounts_check_assignee(struct cx *cx, struct db *db, int64_t user_id, const char *field)
{
    struct user_row row;
    bool found;
    TRY(if_found(cx, user_get(cx, db, (struct user_get_in){ cx->account_id, user_id }, &row), &found));
    if (!found || !str_is(row.status, "active"))
        return fail_field(cx, field, "There is no active user with this id");
    return E_OK;
}

enum err_code accounts_check_team(struct cx *cx, struct db *db, int64_t team_id, const char *field)
{
    struct team_row *rows;
    size_t n;
    TRY(team_list(cx, db, (struct team_list_in){ .account_id = cx->account_id, .id = team_id }, &rows, &n));
    if (team_id <= 0 || n == 0)
        return fail_field(cx, field, "There is no team with this id");
    if (rows[0].archived)
        return fail_field(cx, field, "The team \"%.*s\" is archived", STR_ARG(rows[0].name));
    return E_OK;
}

enum err_code accounts_user_teams(struct cx *cx, struct db *db, int64_t user_id, int64_t **ret_ids, size_t *ret_n)
{
    struct team_member_row *rows;
    TRY(team_member_list(cx, db, (struct team_member_list_in){ .account_id = cx->account_id, .user_id = user_id }, &rows, ret_n));
    *ret_ids = NEWN(cx->arena, int64_t, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_ids)[i] = rows[i].team_id;
    return E_OK;
}

static struct account account_of(const struct account_row *row)
{
    return (struct account){ .id = row->id, .name = row->name, .settings = row->settings };
}

enum err_code accounts_account(struct cx *cx, struct db *db, int64_t id, struct account *ret)
{
    struct account_row row;
    TRY(need_found(cx, account_get(cx, db, (struct account_get_in){ id }, &row), "account"));
    *ret = account_of(&row);
    return E_OK;
}

enum err_code accounts_first(struct cx *cx, struct db *db, struct account *ret)
{
    struct account_row row;
    TRY(need_found(cx, account_first(cx, db, (struct account_first_in){ 0 }, &row), "account: set it up first"));
    *ret = account_of(&row);
    return E_OK;
}

enum err_code accounts_all(struct cx *cx, struct db *db, struct account **ret, size_t *ret_n)
{
    struct account_row *rows;
    TRY(account_list(cx, db, (struct account_list_in){ 0 }, &rows, ret_n));
    *ret = NEWN(cx->arena, struct account, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = account_of(&rows[i]);
    return E_OK;
}

bool accounts_may_see(const struct cx *cx, const int64_t *team_ids, size_t nteams, int64_t team_id, int64_t assignee_id)
{
    if (!may(cx, PERM_TICKET_READ))
        return false;
    if (!cx->only_own_teams || (assignee_id && assignee_id == cx->user_id))
        return true;
    for (size_t i = 0; i < nteams; i++)
        if (team_id && team_ids[i] == team_id)
            return true;
    return false;
}

bool accounts_changes_rights(const struct event *event, int64_t user_id)
{
    if (str_is(event->type, "role.changed") || str_is(event->type, "team.changed"))
        return true;
    if (event->subject_id != user_id)
        return false;
    bool rights = str_find(event->data, STR("\"status\":")) >= 0 || str_find(event->data, STR("\"role_id\":")) >= 0 ||
                  str_find(event->data, STR("\"team_ids\":")) >= 0 || str_find(event->data, STR("\"password_changed\":")) >= 0;
    return str_is(event->type, "session.ended") || (str_is(event->type, "user.changed") && rights);
}

int64_t accounts_scope_user(const struct cx *cx)
{
    return cx->only_own_teams ? cx->user_id : 0;
}
