/*
 * http.h - declare an endpoint once; serve it.
 *
 * A struct route says method, path, permission, input fields, output shape and
 * prose.  From that one value come dispatch, authorisation, validation, the
 * reply, the OpenAPI document, the permission matrix and the TypeScript types.
 *
 * Order in the runner, fixed: match, rate limit, authenticate, permission,
 * bind and validate, handler, serialise, log.  A handler receives typed, valid
 * input from a permitted caller.  GET handlers run in store_read, all others in
 * store_write (see route.work).
 */
#ifndef CAIRN_HTTP_H
#define CAIRN_HTTP_H

#include "platform/store/store.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };

/* Bits of cx->permissions.  A route with 0 stops the server from starting.  From 3 on: desk/accounts (enum permission). */
enum { PERM_UNSET = 0, PERM_PUBLIC = 1, PERM_SIGNED_IN = 2, PERM_FIRST = 3 };

enum place { IN_BODY, IN_PATH, IN_QUERY };

enum field_type {
    F_INT,       /* int64_t    JSON number */
    F_ID,        /* int64_t    JSON string of digits; 0 is null */
    F_TEXT,      /* struct str JSON string; ptr NULL is null / absent */
    F_BOOL,      /* bool */
    F_TIME,      /* int64_t    RFC 3339; 0 is null */
    F_REAL,      /* double */
    F_JSON,      /* struct str any JSON, kept as text */
    F_OBJECT,    /* pointer to struct (const void *), described by .shape; NULL is null / absent */
    F_LIST,      /* struct list of structs described by .shape */
    F_TEXTS,     /* struct list of struct str */
    F_IDS,       /* struct list of int64_t */
};

struct list {
    void *items;     /* array of the element type, in the arena */
    size_t n;
    bool given;      /* input: the member was there (an empty list counts) */
};

struct shape;

struct field {
    const char *name, *doc;
    enum field_type type;
    enum place place;               /* input only */
    size_t offset;
    size_t has_offset;              /* of a bool member set to true when the input gives it, also as null; 0: none */
    bool optional, nullable;        /* input; for output: may be null */
    int64_t min, max;               /* F_INT: value; F_TEXT: bytes; lists: items.  max 0: for F_INT none, else required by lint */
    const char *const *choices;     /* NULL-terminated, or NULL for any */
    const struct shape *shape;
    int64_t otherwise;              /* F_INT: the value when it is absent */
    bool multiline;                 /* F_TEXT: line breaks and tabs are allowed; else control characters are refused */
};

/* A named struct layout, for input bodies, nested objects and replies. */
struct shape {
    const char *name;               /* "Ticket": schema name in OpenAPI and TypeScript */
    const struct field *fields;
    size_t nfields, size;
};

/* Refuses to compile when the member is not of the type that the field claims. */
#define FIELD_OFFSET(owner, member, ctype)                                            \
    (offsetof(owner, member) + 0 * sizeof(struct {                                    \
        _Static_assert(__builtin_types_compatible_p(                                  \
            __typeof__(((owner *)0)->member), ctype), #member " is not " #ctype);     \
        int unused; }))
#define FIELD_AS(ftype, ctype, owner, member, ...) \
    { .name = #member, .type = (ftype), .offset = FIELD_OFFSET(owner, member, ctype), __VA_ARGS__ }
#define INT_FIELD(owner, member, ...)    FIELD_AS(F_INT, int64_t, owner, member, __VA_ARGS__)
#define ID_FIELD(owner, member, ...)     FIELD_AS(F_ID, int64_t, owner, member, __VA_ARGS__)
#define TEXT_FIELD(owner, member, ...)   FIELD_AS(F_TEXT, struct str, owner, member, __VA_ARGS__)
#define BOOL_FIELD(owner, member, ...)   FIELD_AS(F_BOOL, bool, owner, member, __VA_ARGS__)
#define TIME_FIELD(owner, member, ...)   FIELD_AS(F_TIME, int64_t, owner, member, __VA_ARGS__)
#define REAL_FIELD(owner, member, ...)   FIELD_AS(F_REAL, double, owner, member, __VA_ARGS__)
#define JSON_FIELD(owner, member, ...)   FIELD_AS(F_JSON, struct str, owner, member, __VA_ARGS__)
#define OBJECT_FIELD(owner, member, shp, ...) \
    { .name = #member, .type = F_OBJECT, .offset = offsetof(owner, member), .shape = (shp), __VA_ARGS__ }
#define LIST_FIELD(owner, member, shp, ...) \
    { .name = #member, .type = F_LIST, .offset = FIELD_OFFSET(owner, member, struct list), .shape = (shp), __VA_ARGS__ }
#define TEXTS_FIELD(owner, member, ...)  FIELD_AS(F_TEXTS, struct list, owner, member, __VA_ARGS__)
#define IDS_FIELD(owner, member, ...)    FIELD_AS(F_IDS, struct list, owner, member, __VA_ARGS__)
#define HAS(owner, member)               .optional = true, .has_offset = FIELD_OFFSET(owner, member, bool)
#define SHAPE(var, label, owner, array) \
    const struct shape var = { .name = (label), .fields = (array), .nfields = COUNT(array), .size = sizeof(owner) }

/* ?limit= and ?cursor= of every list.  `cursor` is opaque outside: see page_cursor. */
struct page_in {
    int64_t limit;              /* 1-100, default 50 */
    struct str cursor;          /* ptr NULL: from the start */
};
#define PAGE_FIELDS(owner, member)                                                                          \
    { .name = "limit", .doc = "Most items, 1 to 100; 50 when absent", .type = F_INT, .place = IN_QUERY,     \
      .offset = offsetof(owner, member.limit), .optional = true, .min = 1, .max = 100, .otherwise = 50 },   \
    { .name = "cursor", .doc = "next_cursor of the page before", .type = F_TEXT, .place = IN_QUERY,         \
      .offset = offsetof(owner, member.cursor), .optional = true, .min = 1, .max = 400 }

/* Output of a list route: RETURNS_PAGE. */
struct page_out {
    struct list items;
    struct str next_cursor;     /* ptr NULL: this was the last page */
};

/* A cursor of up to 3 numbers (a time and an id, say); a forged or foreign one gives E_INVALID at "cursor". */
struct str page_cursor(struct arena *arena, const int64_t *keys, size_t n);
enum err_code page_cursor_read(struct cx *cx, struct str cursor, int64_t *ret_keys, size_t n) MUST_CHECK;
/* The same for a list in the order of a unique text of at most 250 bytes. */
struct str page_cursor_text(struct arena *arena, struct str key);
enum err_code page_cursor_read_text(struct cx *cx, struct str cursor, struct str *ret_key) MUST_CHECK;

/* `db` is inside a store_read (WORK_READ), a write unit (WORK_WRITE), or NULL (WORK_NONE). */
typedef enum err_code handler_fn(struct cx *cx, struct db *db, const void *in, void *out);

#define HANDLER(fn, in_type, out_type)                                                               \
    static enum err_code fn##_typed(struct cx *cx, struct db *db, const in_type *in, out_type *out); \
    static enum err_code fn(struct cx *cx, struct db *db, const void *in, void *out)                 \
    {                                                                                                \
        return fn##_typed(cx, db, in, out);                                                          \
    }                                                                                                \
    static enum err_code fn##_typed(struct cx *cx, struct db *db, const in_type *in, out_type *out)

struct nothing { char unused; };     /* in_type or out_type of a route without input or output */

enum work {
    WORK_BY_METHOD,     /* GET reads, the others write */
    WORK_READ,
    WORK_WRITE,
    WORK_NONE,          /* handler gets db NULL: password hashing, connection tests; uses the store itself (http_store) */
};
enum lane { LANE_FAST, LANE_SLOW };      /* slow: search, exports, connection tests: own threads, own deadline */
enum rate_class { RATE_DEFAULT, RATE_LOGIN, RATE_SEARCH, RATE_UPLOAD, RATE_NONE };
enum body_kind { BODY_JSON, BODY_UPLOAD };  /* upload: the raw body streams into a blob: see request_upload */

struct route {
    enum method method;
    const char *path;               /* "/api/v1/tickets/{ticket_id}"; fields with IN_PATH bind {names} */
    const char *summary;            /* one line, imperative */
    const char *doc;                /* more, or NULL */
    int permission;
    enum lane lane;
    enum rate_class rate;
    enum work work;
    enum body_kind body;
    bool creates;                   /* POST that creates: answers 201 and honours Idempotency-Key */
    bool no_content;                /* answers 204 */
    bool csrf_exempt;               /* sign-in: no session yet */
    const struct field *fields;
    size_t nfields, in_size;
    const struct shape *shape;      /* of the output, or NULL */
    bool page;                      /* output is struct page_out of shape items */
    size_t etag_offset;             /* of an int64_t version in the output: sent as ETag "vN"; 0: none */
    size_t out_size;
    handler_fn *handler;
};

#define FIELDS(array, in_type)     .fields = (array), .nfields = COUNT(array), .in_size = sizeof(in_type)
#define RETURNS(shp, out_type)     .shape = (shp), .out_size = sizeof(out_type)
#define RETURNS_PAGE(shp)          .shape = (shp), .page = true, .out_size = sizeof(struct page_out)
#define ETAG(owner, member)        .etag_offset = offsetof(owner, member)

struct route_table {
    const char *tag;                /* "tickets": group in the document */
    const struct route *routes;
    size_t n;
};

/* ---- inside a handler: what the declaration cannot say ---- */

/* Version from If-Match: "v7"; 0 when there was none.  A handler of a versioned thing compares and fails E_PRECONDITION. */
int64_t request_if_match(const struct cx *cx);
/* The client's address as text; behind a trusted proxy the forwarded one. */
struct str request_ip(const struct cx *cx);
/* A request header, or STR_NONE. */
struct str request_header(const struct cx *cx, const char *name);
/* A cookie's value, or STR_NONE. */
struct str request_cookie(const struct cx *cx, const char *name);
/* BODY_UPLOAD: the finished writer (adopt it in the unit), its hash, size and Content-Type. */
struct blob_writer;
struct blob_writer *request_upload(const struct cx *cx, struct str *ret_hash, int64_t *ret_size, struct str *ret_type);
struct store *http_store(const struct cx *cx);

void reply_status(struct cx *cx, int status);
void reply_header(struct cx *cx, const char *name, struct str value);
/* HttpOnly; SameSite=Lax; Path=/; Secure when the public address is https.  max_age_s 0 deletes it. */
void reply_cookie(struct cx *cx, const char *name, struct str value, int64_t max_age_s);
/* Raw bytes instead of JSON. */
void reply_bytes(struct cx *cx, struct str content_type, struct str body);
/* A blob, with Range and ETag; `download` sets Content-Disposition: attachment, else inline with a sandboxing CSP. */
void reply_blob(struct cx *cx, struct str hash, struct str content_type, struct str file_name, bool download);

/* ---- the server ---- */

/* How a caller is recognised; filled by desk/accounts.  Sets account_id, user_id, permissions, only_own_teams, actor in cx. */
struct http_auth {
    /* Runs inside store_read.  Token from "Authorization: Bearer", or the session cookie's value; the other is STR_NONE.
     * E_UNAUTHENTICATED when it is not valid.  *ret_csrf: the session's CSRF token, STR_NONE for API tokens. */
    enum err_code (*authenticate)(struct cx *cx, struct db *db, struct str token, struct str session, struct str *ret_csrf);
};
#define SESSION_COOKIE "cairn_session"

struct http_options {
    const char *host;
    int port;                       /* 0: any free one, see http_port */
    struct store *store;
    struct blobs *blobs;
    const struct route_table *const *tables;
    size_t ntables;
    struct http_auth auth;
    const char *web_dir;            /* built workspace files; NULL: none */
    const char *public_url;         /* "https://desk.example.com" or NULL: for Secure cookies and Origin checks */
    const char *trusted_proxy;      /* address whose X-Forwarded-For and -Proto count, or NULL */
    int access_log_fd;              /* JSON lines; -1: none */
    unsigned fast_workers, slow_workers;    /* 0: 2 and 2 */
    size_t max_body_bytes;          /* JSON; 0: 8 MiB */
    size_t max_upload_bytes;        /* 0: 50 MiB */
    double rate_factor;             /* of all rate limits; 0: 1.0; negative: off (benchmarks) */
    unsigned connections_per_ip;    /* 0: 512; behind a proxy the proxy's limit counts */
    /* GET /readyz and /metrics ask these; each adds its lines.  NULL allowed. */
    bool (*ready)(void *arg, struct str *ret_reason, struct arena *arena);
    void (*metrics)(void *arg, struct buf *out);
    void *arg;
    struct realtime *realtime;      /* answers GET /api/v1/stream; NULL: 404 */
};

struct http_server;
/* E_INVALID with the complaint when a declaration is incomplete; E_BUSY when the address is taken. */
enum err_code http_start(struct cx *cx, const struct http_options *options, struct http_server **ret) MUST_CHECK;
int http_port(const struct http_server *server);
/* Stops accepting, lets running requests end within grace_us, closes.  Accepts NULL. */
void http_stop(struct http_server **server, int64_t grace_us);

/* Complaints a reviewer would make, one a line; returns how many. */
size_t routes_lint(const struct route_table *const *tables, size_t n, struct buf *out);
struct str routes_openapi(struct arena *arena, const struct route_table *const *tables, size_t n);
/* Markdown table: route, permission. */
struct str routes_permission_matrix(struct arena *arena, const struct route_table *const *tables, size_t n,
                                    const char *const *permission_names, size_t npermissions);

/* Serialise a struct by its shape: used by the server, real-time and tests. */
void shape_write(struct arena *arena, struct buf *out, const struct shape *shape, const void *value);
/* Bind a JSON text to a struct by fields (tests, jobs, CLI): same rules and messages as a request body. */
enum err_code shape_read(struct cx *cx, const struct field *fields, size_t nfields, struct str json, void *ret) MUST_CHECK;

#endif
