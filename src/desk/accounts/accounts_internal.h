/* accounts_internal.h - what the files of desk/accounts share. */
#ifndef CAIRN_ACCOUNTS_INTERNAL_H
#define CAIRN_ACCOUNTS_INTERNAL_H

#include "desk/accounts/accounts.h"

enum {
    PASSWORD_MIN_BYTES = 10,
    PASSWORD_MAX_BYTES = 256,
};
#define SESSION_IDLE_US   (14 * US_PER_DAY)
#define SESSION_ROTATE_US US_PER_DAY
#define SESSION_GRACE_US  (5 * US_PER_MINUTE)
#define LINK_LIFE_US      (7 * US_PER_DAY)

/* ---- shapes ---- */

struct account_out {
    int64_t id;
    struct str name, settings;
    int64_t version, created_at;
};
extern const struct shape account_shape;
enum err_code account_load(struct cx *cx, struct db *db, struct account_out *ret) MUST_CHECK;

struct user_out {
    int64_t id;
    struct str name, email, status;
    const void *role;               /* struct named */
    struct list team_ids;           /* int64_t */
    struct str signature, locale, time_zone;
    int64_t last_seen_at, created_at, version;
};
extern const struct shape user_shape;
enum err_code user_load(struct cx *cx, struct db *db, int64_t id, struct user_out *ret) MUST_CHECK;

struct role_out {
    int64_t id;
    struct str name;
    struct list permissions;        /* struct str */
    bool only_own_teams, builtin;
    int64_t version;
};
extern const struct shape role_shape;
/* E_NOT_FOUND with its name. */
enum err_code role_load(struct cx *cx, struct db *db, int64_t id, struct role_out *ret, uint64_t *ret_bits) MUST_CHECK;

struct session_out {
    const void *user, *account;     /* user_out, account_out */
    struct list permissions;        /* struct str */
    struct str csrf_token;          /* ptr NULL: the caller has an API token */
    const void *role;               /* role_out */
};
extern const struct shape session_shape;

/* ---- permissions ---- */

struct list permission_names(struct arena *arena, uint64_t bits);
/* E_INVALID at `field` for an unknown name. */
enum err_code permission_bits(struct cx *cx, const struct list *names, const char *field, uint64_t *ret) MUST_CHECK;
/* E_FORBIDDEN when the caller lacks one of them: nobody gives, or rules over, more than they have. */
enum err_code check_grant(struct cx *cx, uint64_t bits) MUST_CHECK;
/* E_CONFLICT when the change in hand leaves nobody who can sign in and change users. */
enum err_code check_admin_remains(struct cx *cx, struct db *db) MUST_CHECK;

/* ---- secrets ---- */

/* E_INVALID at `field`: too short, too long, the e-mail itself or one of the commonest. */
enum err_code check_password(struct cx *cx, struct str password, struct str email, const char *field) MUST_CHECK;
/* E_INVALID at "email" unless it is an address; folded for look-up. */
enum err_code check_email(struct cx *cx, struct str email, struct str *ret_folded) MUST_CHECK;
/* A new link for a user, replacing unused ones; its address. */
enum err_code link_make(struct cx *cx, struct db *db, int64_t user_id, bool invited, struct str *ret_url) MUST_CHECK;
/* Ends sessions and links of a user, and tokens too when `tokens`. */
enum err_code user_shut_out(struct cx *cx, struct db *db, int64_t user_id, bool tokens) MUST_CHECK;
/* Begins a session of cx->user_id in cx->account_id inside a unit; the cookie's value and the CSRF token. */
struct session_new {
    struct str ip, user_agent;
    struct str cookie, csrf_token;      /* out */
};
enum err_code session_start(struct cx *cx, struct db *db, struct session_new *session) MUST_CHECK;
enum err_code session_load(struct cx *cx, struct db *db, struct str csrf_token, struct session_out *ret) MUST_CHECK;
struct str session_hash(struct arena *arena, struct str cookie);
struct token_new {
    int64_t user_id;
    struct str name;
    int64_t permissions;                /* -1: all of the user's */
    int64_t expires_us;                 /* 0: never */
    int64_t id;                         /* out */
};
enum err_code token_make(struct cx *cx, struct db *db, struct token_new *token, struct str *ret_text) MUST_CHECK;

/* ---- guessing passwords ---- */

/*
 * Counts an attempt before the password is looked at, so that many at once
 * gain nothing; E_RATE with retry_after_us while the user or address is
 * locked.  attempt_forgive takes it back after a success.
 */
enum err_code attempt_count(struct cx *cx, struct db *db, struct str email_folded, struct str ip) MUST_CHECK;
enum err_code attempt_forgive(struct cx *cx, struct db *db, struct str email_folded, struct str ip) MUST_CHECK;

#endif
