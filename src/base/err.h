/*
 * err.h - how work fails, and the context that each unit of work carries.
 *
 * A function that can fail returns enum err_code.  `return fail(cx, …)` raises,
 * TRY(call) passes on.  A user's error is answered and never logged; our own
 * failures (E_INTERNAL, E_BUSY) are logged once, by the runner.
 */
#ifndef CAIRN_BASE_ERR_H
#define CAIRN_BASE_ERR_H

#include "base/base.h"
#include "base/str.h"

/* name, HTTP status, code on the wire, title.  A code exists only if a caller would act differently. */
#define ERR_CODES(X)                                                                 \
    X(OK, 200, "ok", "OK")                                                           \
    X(BAD_REQUEST, 400, "bad_request", "The request could not be read")              \
    X(INVALID, 422, "invalid", "The input is not valid")                             \
    X(UNAUTHENTICATED, 401, "unauthenticated", "Sign in first")                      \
    X(FORBIDDEN, 403, "forbidden", "You may not do this")                            \
    X(NOT_FOUND, 404, "not_found", "There is no such thing")                         \
    X(METHOD, 405, "method_not_allowed", "This method is not allowed here")          \
    X(CONFLICT, 409, "conflict", "It changed meanwhile")                             \
    X(PRECONDITION, 412, "precondition_failed", "It is not the version you named")   \
    X(LIMIT, 413, "too_large", "Too much was sent or asked for")                     \
    X(MEDIA_TYPE, 415, "unsupported_media_type", "This content type is not accepted") \
    X(RATE, 429, "too_many_requests", "Too many requests")                           \
    X(BUSY, 503, "unavailable", "Try again shortly")                                 \
    X(INTERNAL, 500, "internal", "Something broke on our side")

enum err_code {
#define X(name, status, code, title) E_##name,
    ERR_CODES(X)
#undef X
};

int err_status(enum err_code code);
const char *err_name(enum err_code code);
const char *err_title(enum err_code code);

/* Return early when expr fails; safe because arenas and CLEANUP own things. */
#define TRY(expr)                     \
    do {                              \
        enum err_code try_e = (expr); \
        if (try_e != E_OK)            \
            return try_e;             \
    } while (0)

/* A broken invariant ends the process with its place, in every build. */
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(#cond, __FILE__, __LINE__))
void assert_failed(const char *cond, const char *file, int line) __attribute__((noreturn));

struct failure {
    enum err_code code;
    const char *field;     /* input field at fault ("message.text"), or NULL; a literal or in the arena */
    struct str message;    /* safe to show the caller */
    struct str detail;     /* for the log only */
    int64_t retry_after_us; /* E_RATE, E_BUSY: when to try again; 0 unknown */
    struct str extra;      /* JSON members to add to the problem document, without braces, or none */
};

/*
 * Everything that one unit of work carries.  Made by its runner: the HTTP
 * runner, the job runner, a consumer, a command of the CLI or a test.
 */
struct cx {
    struct arena *arena;
    int64_t now_us;          /* the only clock that domain code may read: UTC microseconds since 1970 */
    int64_t account_id;      /* 0: no account yet (sign-in, set-up) */
    int64_t user_id;         /* the acting user; 0: the system itself or a stranger */
    uint64_t permissions;    /* bit set over enum permission (desk/accounts) */
    bool only_own_teams;     /* row scope: this user sees tickets of own teams and own tickets only */
    struct str request_id;   /* for the log and for problem documents */
    struct str actor;        /* "user", "token", "system", "contact": stored with events */
    struct reply *reply;     /* HTTP only, else NULL: see platform/http/http.h */
    struct failure failure;
};

/* Record why, and return the code, so that `return fail(cx, …)` reads well.  The last failure wins. */
enum err_code fail(struct cx *cx, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* E_INVALID at an input field. */
enum err_code fail_field(struct cx *cx, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* E_INTERNAL: the text goes to the log, the caller learns only that it broke. */
enum err_code fail_internal(struct cx *cx, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* E_BUSY: the text is shown and logged (disk full, database away). */
enum err_code fail_busy(struct cx *cx, const char *fmt, ...) PRINTF_LIKE(2, 3);
void failure_clear(struct cx *cx);

#endif
