/* accounts_session.c - who is calling: sessions, API tokens, links, throttled guessing. */
#include "desk/accounts/accounts_internal.h"

#include "accounts_sql.h"
#include "platform/crypto/crypto.h"

#define TOUCH_EVERY_US (10 * US_PER_MINUTE)

static struct str public_url;

void accounts_set_public_url(struct str url)
{
    public_url = (struct str){ url.len ? heap_copy(url) : NULL, url.len };
}

struct str session_hash(struct arena *arena, struct str cookie)
{
    return crypto_sha256(arena, cookie);
}

/* ---- authentication ---- */

struct touch {
    const struct caller_row *row;
    struct str hash, successor; /* successor: new cookie; ptr NULL: only move last_seen and the expiry */
    bool token;
    bool won;                   /* out: this request made the successor */
};

/* The old cookie stays good until the new one arrives back: a lost answer signs nobody out. */
static enum err_code rotate(struct cx *cx, struct db *db, struct touch *t)
{
    int64_t expires_us = cx->now_us + SESSION_IDLE_US, changed;
    struct str successor = session_hash(cx->arena, t->successor);
    TRY(session_succeed(cx, db,
                        (struct session_succeed_in){ cx->account_id, t->hash, t->row->last_seen_us, successor, cx->now_us, expires_us },
                        &changed));
    t->won = changed > 0;
    if (!changed)
        return E_OK;
    TRY(session_delete_unseen(cx, db, (struct session_delete_unseen_in){ cx->account_id, t->row->successor_hash }, NULL));
    return session_copy(cx, db, (struct session_copy_in){ cx->account_id, t->hash, successor, cx->now_us, expires_us }, NULL);
}

static enum err_code touch_unit(struct cx *cx, struct db *db, void *arg)
{
    struct touch *t = arg;
    t->won = false;
    if (t->token)
        TRY(token_used(cx, db, (struct token_used_in){ cx->account_id, t->hash, cx->now_us }, NULL));
    else if (t->successor.ptr)
        TRY(rotate(cx, db, t));
    else
        TRY(session_touch(cx, db, (struct session_touch_in){ cx->account_id, t->hash, cx->now_us, cx->now_us + SESSION_IDLE_US }, NULL));
    if (!t->token && t->row->last_seen_us == 0)
        TRY(session_retire(cx, db, (struct session_retire_in){ cx->account_id, t->hash, cx->now_us + SESSION_GRACE_US }, NULL));
    return user_seen(cx, db, (struct user_seen_in){ cx->account_id, cx->user_id, cx->now_us }, NULL);
}

/* Once in a while only.  A store that cannot write at the moment must not keep anybody from reading. */
static void touch(struct cx *cx, const struct caller_row *row, struct str hash, struct str session)
{
    bool retired = row->successor_hash.len && row->expires_us <= cx->now_us + SESSION_GRACE_US;
    if (row->last_seen_us > cx->now_us - TOUCH_EVERY_US || retired || !cx->reply)
        return;
    struct touch t = { .row = row, .hash = hash, .token = !session.ptr };
    if (session.ptr && row->created_us <= cx->now_us - SESSION_ROTATE_US)
        t.successor = rand_token(cx->arena, 32);
    struct cx sub = *cx;
    if (store_write(http_store(cx), &sub, touch_unit, &t) != E_OK || t.token)
        return;
    struct str cookie = t.successor.ptr ? t.successor : session;
    if (t.won || !t.successor.ptr)
        reply_cookie(cx, SESSION_COOKIE, cookie, SESSION_IDLE_US / US_PER_SECOND);
}

enum err_code accounts_authenticate(struct cx *cx, struct db *db, struct str token, struct str session, struct str *ret_csrf)
{
    struct caller_row row;
    bool found;
    *ret_csrf = STR_NONE;
    struct str secret = token.ptr ? token : session;
    if (!secret.len)
        return fail(cx, E_UNAUTHENTICATED, "Sign in, or send an API token");
    struct str hash = session_hash(cx->arena, secret);
    if (token.ptr)
        TRY(if_found(cx, token_caller(cx, db, (struct token_caller_in){ hash }, &row), &found));
    else
        TRY(if_found(cx, session_caller(cx, db, (struct session_caller_in){ hash }, &row), &found));
    if (!found || !str_is(row.status, "active") || (row.expires_us && row.expires_us <= cx->now_us))
        return fail(cx, E_UNAUTHENTICATED, token.ptr ? "The API token is not valid" : "The session has ended: sign in again");
    cx->account_id = row.account_id;
    cx->user_id = row.user_id;
    cx->permissions = ((uint64_t)row.permissions & (uint64_t)row.token_permissions) | PERM_BIT(PERM_SIGNED_IN);
    cx->only_own_teams = row.only_own_teams;
    cx->actor = token.ptr ? STR("token") : STR("user");
    if (!token.ptr)
        *ret_csrf = row.csrf_token;
    touch(cx, &row, hash, token.ptr ? STR_NONE : session);
    return E_OK;
}

enum err_code session_start(struct cx *cx, struct db *db, struct session_new *session)
{
    /* A unit may run twice: the secret is made anew each time and only the last one is answered. */
    session->cookie = rand_token(cx->arena, 32);
    session->csrf_token = rand_token(cx->arena, 24);
    TRY(session_insert(cx, db,
                       (struct session_insert_in){ .hash = session_hash(cx->arena, session->cookie), .account_id = cx->account_id,
                                                   .user_id = cx->user_id, .csrf_token = session->csrf_token, .now = cx->now_us,
                                                   .expires_us = cx->now_us + SESSION_IDLE_US, .ip = session->ip,
                                                   .user_agent = utf8_cut(session->user_agent, 300) },
                       NULL));
    TRY(session_delete_expired(cx, db, (struct session_delete_expired_in){ cx->now_us }, NULL));
    TRY(user_seen(cx, db, (struct user_seen_in){ cx->account_id, cx->user_id, cx->now_us }, NULL));
    return emit_event(cx, db, STR("session.started"), cx->user_id, STR_NONE);
}

enum err_code user_shut_out(struct cx *cx, struct db *db, int64_t user_id, bool tokens)
{
    TRY(session_delete_of_user(cx, db, (struct session_delete_of_user_in){ cx->account_id, user_id, STR("") }, NULL));
    TRY(link_delete_of_user(cx, db, (struct link_delete_of_user_in){ cx->account_id, user_id }, NULL));
    if (tokens)
        TRY(token_revoke(cx, db, (struct token_revoke_in){ .account_id = cx->account_id, .user_id = user_id, .now = cx->now_us }, NULL));
    return E_OK;
}

/* ---- links ---- */

enum err_code link_make(struct cx *cx, struct db *db, int64_t user_id, bool invited, struct str *ret_url)
{
    struct str secret = rand_token(cx->arena, 32);
    TRY(link_delete_of_user(cx, db, (struct link_delete_of_user_in){ cx->account_id, user_id }, NULL));
    TRY(link_insert(cx, db,
                    (struct link_insert_in){ session_hash(cx->arena, secret), cx->account_id, user_id,
                                             invited ? STR("invite") : STR("reset"), cx->now_us + LINK_LIFE_US },
                    NULL));
    *ret_url = arena_printf(cx->arena, "%.*s/links/%.*s", STR_ARG(public_url), STR_ARG(secret));
    return E_OK;
}

/* ---- passwords ---- */

enum err_code check_password(struct cx *cx, struct str password, struct str email, const char *field)
{
    /* Those of ten bytes and more among the ones that attackers try first. */
    static const char *const common[] = {
        "1234567890", "12345678910", "123456789a", "0123456789", "9876543210", "0987654321", "1111111111", "0000000000",
        "password12", "password123", "password1234", "passw0rd123", "mypassword", "passwordpassword", "1q2w3e4r5t",
        "1qaz2wsx3edc", "qwertyuiop", "qwerty12345", "qwerty123456", "qwertyuiop123", "qwertzuiop", "azertyuiop",
        "asdfghjkl123", "zxcvbnm123", "abcdefghij", "abcd123456", "abc1234567", "iloveyou123", "sunshine123",
        "football123", "baseball123", "princess123", "welcome123", "welcome1234", "letmein123", "admin12345",
        "administrator", "changeme123", "superman123", "michael123", "charlie123", "helpdesk123", "support123",
    };
    if (password.len < PASSWORD_MIN_BYTES || password.len > PASSWORD_MAX_BYTES)
        return fail_field(cx, field, "A password has %d to %d bytes", PASSWORD_MIN_BYTES, PASSWORD_MAX_BYTES);
    if (str_ieq(password, email))
        return fail_field(cx, field, "The password must not be the e-mail address");
    for (size_t i = 0; i < COUNT(common); i++)
        if (str_iis(password, common[i]))
            return fail_field(cx, field, "This password is among the first that are guessed");
    return E_OK;
}

/* ---- guessing ---- */

static const struct {
    const char *prefix;
    int64_t free;           /* failures without a pause */
} throttle_kinds[] = { { "user:", 5 }, { "ip:", 30 } };

static struct str throttle_key(struct arena *arena, size_t kind, struct str email_folded, struct str ip)
{
    return arena_printf(arena, "%s%.*s", throttle_kinds[kind].prefix, STR_ARG(kind == 0 ? email_folded : ip));
}

enum err_code attempt_count(struct cx *cx, struct db *db, struct str email_folded, struct str ip)
{
    struct throttle_row rows[COUNT(throttle_kinds)] = { 0 };
    for (size_t i = 0; i < COUNT(throttle_kinds); i++) {
        bool found;
        struct str key = throttle_key(cx->arena, i, email_folded, ip);
        TRY(if_found(cx, throttle_get(cx, db, (struct throttle_get_in){ key }, &rows[i]), &found));
        if (!found || rows[i].last_failure_us < cx->now_us - US_PER_DAY)
            rows[i] = (struct throttle_row){ 0 };
        if (rows[i].locked_until_us <= cx->now_us)
            continue;
        enum err_code code = fail(cx, E_RATE, "Too many attempts: wait a little");
        cx->failure.retry_after_us = rows[i].locked_until_us - cx->now_us;
        return code;
    }
    for (size_t i = 0; i < COUNT(throttle_kinds); i++) {
        int64_t failures = rows[i].failures + 1, over = failures - throttle_kinds[i].free, locked_us = 0;
        /* Half a minute, doubled with every further failure up to an hour. */
        if (over >= 0)
            locked_us = cx->now_us + MIN(30 * US_PER_SECOND << MIN(over, 10), US_PER_HOUR);
        TRY(throttle_put(cx, db,
                         (struct throttle_put_in){ throttle_key(cx->arena, i, email_folded, ip), failures, cx->now_us, locked_us },
                         NULL));
    }
    return throttle_delete_old(cx, db, (struct throttle_delete_old_in){ cx->now_us - 2 * US_PER_DAY }, NULL);
}

enum err_code attempt_forgive(struct cx *cx, struct db *db, struct str email_folded, struct str ip)
{
    TRY(throttle_clear(cx, db, (struct throttle_clear_in){ throttle_key(cx->arena, 0, email_folded, ip) }, NULL));
    return throttle_forgive(cx, db, (struct throttle_forgive_in){ throttle_key(cx->arena, 1, email_folded, ip) }, NULL);
}

/* ---- tokens for the command line ---- */

enum err_code accounts_token_create(struct cx *cx, struct db *db, struct str user_email, struct str name, struct str *ret_token)
{
    struct user user;
    if (!accounts_find_user_by_email(cx, db, user_email, &user)) {
        enum err_code code = fail(cx, E_NOT_FOUND, "There is no user \"%.*s\"", STR_ARG(user_email));
        cx->failure.field = "user";
        return code;
    }
    return token_make(cx, db, &(struct token_new){ .user_id = user.id, .name = name, .permissions = -1 }, ret_token);
}

enum err_code token_make(struct cx *cx, struct db *db, struct token_new *token, struct str *ret_text)
{
    enum { SHOWN_BYTES = 12 };
    struct account_id_row made;
    *ret_text = arena_printf(cx->arena, "cairn_%.*s", STR_ARG(rand_token(cx->arena, 32)));
    TRY(token_insert(cx, db,
                     (struct token_insert_in){ .account_id = cx->account_id, .user_id = token->user_id, .name = token->name,
                                               .hash = session_hash(cx->arena, *ret_text),
                                               .prefix = str_sub(*ret_text, 0, SHOWN_BYTES), .permissions = token->permissions,
                                               .now = cx->now_us, .expires_us = token->expires_us },
                     &made));
    token->id = made.id;
    return emit_event(cx, db, STR("token.created"), made.id, STR_NONE);
}
