/* api.c - every module that answers requests, in one list. */
#include "api/api.h"

#include "channels/email/email.h"
#include "desk/accounts/accounts.h"
#include "desk/contacts/contacts.h"
#include "desk/search/search.h"
#include "desk/tickets/tickets.h"

extern const struct route_table jobs_routes;    /* jobs_api.c */

const struct route_table *const api_tables[] = {
    &session_routes, &account_routes, &user_routes, &team_routes, &contacts_routes, &organizations_routes, &tickets_routes,
    &messages_routes, &merge_routes, &tags_routes, &attachments_routes, &events_routes, &search_routes, &email_routes,
    &mail_log_routes, &jobs_routes,
};
const size_t api_tables_count = COUNT(api_tables);

/* Indexed by bit, as routes say it. */
static const char *const permission_names[] = {
    [PERM_PUBLIC] = "public",
    [PERM_SIGNED_IN] = "signed in",
#define X(name, bit, label, doc) [bit] = label,
    PERMISSIONS(X)
#undef X
};

struct str api_permissions(struct arena *arena)
{
    struct buf b = buf_new(arena, 0);
    buf_lit(&b, "# Permissions\n\nMade from the route tables by `make docs`.\n\n| permission | allows |\n| --- | --- |\n");
#define X(name, bit, label, doc) buf_lit(&b, "| `" label "` | " doc " |\n");
    PERMISSIONS(X)
#undef X
    buf_lit(&b, "\n");
    buf_add(&b, routes_permission_matrix(arena, api_tables, api_tables_count, permission_names,
                                         COUNT(permission_names)));
    return buf_str(&b);
}
