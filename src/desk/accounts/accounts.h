/*
 * accounts.h - tenants, the people who work in them, their roles, teams,
 * sessions and API tokens.
 *
 * Owns account, role, users, team, team_member, session, api_token, user_link
 * and login_throttle.  Emits account.changed, user.invited, user.changed,
 * user.joined, team.created, team.changed, role.changed, token.created,
 * token.revoked, session.started and session.failed.
 */
#ifndef CAIRN_ACCOUNTS_H
#define CAIRN_ACCOUNTS_H

#include "platform/http/http.h"
#include "platform/journal/journal.h"

/* One bit each in role.permissions and cx->permissions.  Append only: numbers are stored. */
#define PERMISSIONS(X)                                                                   \
    X(TICKET_READ, 3, "ticket.read", "See tickets and search them")                      \
    X(TICKET_WRITE, 4, "ticket.write", "Create and change tickets, write notes")         \
    X(TICKET_REPLY, 5, "ticket.reply", "Send public replies")                            \
    X(TICKET_DELETE, 6, "ticket.delete", "Mark as spam, delete")                         \
    X(CONTACT_READ, 7, "contact.read", "See contacts and organizations")                 \
    X(CONTACT_WRITE, 8, "contact.write", "Change contacts and organizations")            \
    X(TAG_WRITE, 9, "tag.write", "Create, rename and delete tags")                       \
    X(USER_READ, 10, "user.read", "See users and teams")                                 \
    X(USER_WRITE, 11, "user.write", "Invite and change users, teams and roles")          \
    X(MAILBOX_READ, 12, "mailbox.read", "See mailboxes and their health")                \
    X(MAILBOX_WRITE, 13, "mailbox.write", "Connect and change mailboxes")                \
    X(MAIL_LOG_READ, 14, "mail_log.read", "See the mail log, run quarantined mail again") \
    X(ACCOUNT_WRITE, 15, "account.write", "Change the account's settings")               \
    X(EVENT_READ, 16, "event.read", "Read the journal (audit)")                          \
    X(TOKEN_WRITE, 17, "token.write", "Create API tokens for oneself")                   \
    X(JOB_READ, 18, "job.read", "See failed jobs and run them again")

enum permission {
#define X(name, bit, label, doc) PERM_##name = (bit),
    PERMISSIONS(X)
#undef X
};
#define PERM_BIT(p) (UINT64_C(1) << (p))

bool may(const struct cx *cx, enum permission permission);

extern const struct route_table account_routes, session_routes, user_routes, team_routes;

/* For struct http_auth and struct realtime_rules. */
enum err_code accounts_authenticate(struct cx *cx, struct db *db, struct str token, struct str session, struct str *ret_csrf);

/* First account, its roles, default team and admin; E_CONFLICT when an account exists.  password_hash from crypto. */
struct accounts_setup {
    struct str account_name, admin_email, admin_name, password_hash;
    int64_t account_id, user_id;        /* out */
};
enum err_code accounts_setup(struct cx *cx, struct db *db, struct accounts_setup *setup) MUST_CHECK;
/* One more account beside those that there are. */
enum err_code accounts_create(struct cx *cx, struct db *db, struct accounts_setup *setup) MUST_CHECK;
enum err_code accounts_is_empty(struct cx *cx, struct db *db, bool *ret) MUST_CHECK;
/* Set by main: a secret that POST /api/v1/setup must carry while there is no account. */
void accounts_set_setup_secret(struct str secret);
/* Set by main: put before the path of invitation links; "" leaves a path. */
void accounts_set_public_url(struct str url);

/* CLI: the token's text once.  E_NOT_FOUND at "user". */
enum err_code accounts_token_create(struct cx *cx, struct db *db, struct str user_email, struct str name, struct str *ret_token) MUST_CHECK;

/* ---- for modules above ---- */

struct user {
    int64_t id;
    struct str name, email, status, signature, time_zone, locale;
    int64_t role_id;
    uint64_t permissions;               /* of the role */
};
/* The id, name, e-mail, signature of a user of cx->account_id. */
enum err_code accounts_user(struct cx *cx, struct db *db, int64_t id, struct user *ret) MUST_CHECK;
bool accounts_find_user_by_email(struct cx *cx, struct db *db, struct str email, struct user *ret);
/* Several users at once, in any order: names for lists. */
enum err_code accounts_users(struct cx *cx, struct db *db, const int64_t *ids, size_t n, struct user **ret, size_t *ret_n) MUST_CHECK;
struct team {
    int64_t id;
    struct str name;
    bool archived;
};
enum err_code accounts_teams(struct cx *cx, struct db *db, struct team **ret, size_t *ret_n) MUST_CHECK;
/* E_INVALID at `field` when the id is not an active user / existing team of cx->account_id. */
enum err_code accounts_check_assignee(struct cx *cx, struct db *db, int64_t user_id, const char *field) MUST_CHECK;
enum err_code accounts_check_team(struct cx *cx, struct db *db, int64_t team_id, const char *field) MUST_CHECK;
enum err_code accounts_user_teams(struct cx *cx, struct db *db, int64_t user_id, int64_t **ret_ids, size_t *ret_n) MUST_CHECK;
struct account {
    int64_t id;
    struct str name, settings;          /* settings: JSON object */
};
enum err_code accounts_account(struct cx *cx, struct db *db, int64_t id, struct account *ret) MUST_CHECK;
/* The only account, for a CLI without a choice: E_NOT_FOUND before set-up. */
enum err_code accounts_first(struct cx *cx, struct db *db, struct account *ret) MUST_CHECK;
enum err_code accounts_all(struct cx *cx, struct db *db, struct account **ret, size_t *ret_n) MUST_CHECK;

/* Row scope for statements and real-time: may this cx see a ticket of that team and assignee? */
bool accounts_may_see(const struct cx *cx, const int64_t *team_ids, size_t nteams, int64_t team_id, int64_t assignee_id);
/* Does this event end or change what the user may see?  Their open streams are closed then, and come back with new rights. */
bool accounts_changes_rights(const struct event *event, int64_t user_id);
/* The same for statements: the parameter scope_user of a list, 0 when everything may be seen. */
int64_t accounts_scope_user(const struct cx *cx);

/* API shape {"id", "name"} that other things embed. */
struct named {
    int64_t id;
    struct str name;
};
extern const struct shape named_shape;

/* ---- what every module of desk/ does alike ---- */

/* Appends an event of the acting user about `subject_id`; data "" is {}. */
enum err_code emit_event(struct cx *cx, struct db *db, struct str type, int64_t subject_id, struct str data) MUST_CHECK;

/* The data of a ….changed event: {"field": [old, new]}, of the fields that differ. */
struct changes {
    struct buf buf;
    size_t n;
};
struct changes changes_begin(struct cx *cx);
void change_text(struct changes *c, const char *field, struct str old, struct str new);    /* ptr NULL is null */
void change_id(struct changes *c, const char *field, int64_t old, int64_t new);            /* 0 is null */
void change_bool(struct changes *c, const char *field, bool old, bool new);
void change_raw(struct changes *c, const char *field, struct str old, struct str new);     /* both JSON */
struct str changes_end(struct changes *c);

/* E_NOT_FOUND of a statement becomes *ret_found = false, without a failure. */
enum err_code if_found(struct cx *cx, enum err_code code, bool *ret_found) MUST_CHECK;
/* E_NOT_FOUND of a statement gets a message: "There is no such ticket". */
enum err_code need_found(struct cx *cx, enum err_code code, const char *what) MUST_CHECK;
/* Does the caller name (in expected_version, else If-Match) another version than the current one? */
bool version_differs(const struct cx *cx, int64_t expected_version, int64_t current);
/* E_CONFLICT that carries the thing as it is now: "current". */
enum err_code fail_version(struct cx *cx, const struct shape *shape, const void *current);
/* Ids as the list parameter of a statement: "[1,2,3]". */
struct str ids_param(struct arena *arena, const int64_t *ids, size_t n);
/* The text of a LIKE … ESCAPE '!' that finds `text` anywhere, folded by text_lower; STR_NONE when it is empty. */
struct str like_pattern(struct arena *arena, struct str text);

#endif
