/* http_internal.h - what the files of platform/http share.  Not for others. */
#ifndef CAIRN_HTTP_INTERNAL_H
#define CAIRN_HTTP_INTERNAL_H

#include "platform/blob/blob.h"
#include "platform/http/http.h"
#include "platform/http/http_wire.h"
#include "platform/json/json.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum { MAX_PATH_FIELDS = 6, METHODS = METHOD_DELETE + 1 };

struct header {
    const char *name;
    struct str value;
    struct header *next;
};

enum reply_kind { REPLY_JSON, REPLY_RAW, REPLY_FILE, REPLY_UPGRADE };

/* What the answer will be; set back to zero when a unit is run again. */
struct reply {
    enum reply_kind kind;
    int status;                     /* 0: by the route */
    struct header *headers, *last_header;
    struct str content_type;
    struct str body;                /* REPLY_RAW, or the JSON once it is written */
    struct str blob_hash, blob_name; /* reply_blob: resolved after the handler */
    bool blob_download;
    int fd;                         /* REPLY_FILE: owned until sent */
    int64_t from, length;           /* of the file */
    bool sandbox;                   /* content of others: no scripts, no frames */
    bool cacheable;                 /* says itself how it may be cached */
    bool page;                      /* an HTML page of ours: the full CSP */
    bool as_written;                /* body is final JSON: an idempotent replay */
    int64_t stream_after;           /* REPLY_UPGRADE */
    struct realtime_user *stream_user;
};

enum phase { PHASE_ADMIT, PHASE_RUN, PHASE_FINISH };

struct route_entry {
    const struct route *route;
    uint64_t by_class[6];           /* answers by status / 100 (atomic) */
    uint64_t duration_us;           /* atomic */
};

/* One request and its answer.  Owned by one thread at a time: loop, worker, store, worker, loop. */
struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct MHD_Response *response;
    struct connection *peer;
    uint64_t number;                /* on its connection */
    struct arena *arena;
    struct cx cx;
    struct reply reply;             /* cx.reply points here */
    int64_t started_us;             /* monotonic */

    enum method method;
    bool known_method, head_only, begun, has_body, admitted, upgrade, authenticated;
    struct cx caller;               /* who it was before the handler: for running again */
    struct str method_name, path, query;
    struct route_entry *entry;      /* NULL: no route */
    struct str path_values[MAX_PATH_FIELDS];
    unsigned allowed;               /* methods of the path, when the method is not among them */

    struct buf body;
    struct blob_writer *upload;
    struct str upload_hash;
    int64_t upload_size;
    uint64_t ignored_bytes;         /* of a body that is refused already */

    enum phase phase;
    enum err_code code;             /* E_OK or why it is refused */
    int refused_status;             /* of the wire; 0: none */
    struct str ip, token, session, csrf;
    void *in, *out;
    struct str idempotency_key, request_hash;
    int sent_status;
    int64_t sent_bytes;
    struct exchange *next;          /* in a lane */
};

/* One per TCP connection. */
struct connection {
    struct wire *wire;
    uint64_t requests;
};

struct work_lane {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct exchange *first, *last;
    size_t length;
    bool stopping;
    pthread_t threads[16];
    unsigned nthreads;
};

struct rate_slot {
    uint64_t key;
    double tokens;
    int64_t at_us;
};

struct rates {
    pthread_mutex_t lock;
    struct rate_slot *slots;
    double factor;                  /* negative: off */
};

enum { LATENCY_BUCKETS = 14 };

struct http_server {
    struct http_options options;
    struct arena *arena;            /* for what lives as long as the server */
    struct MHD_Daemon *daemon;
    int listen_fd, port;
    struct wire_set wires;
    struct work_lane lanes[2];
    struct rates rates;
    struct router *router;
    struct route_entry *entries;
    size_t nentries;
    struct route_entry other;       /* files and unknown paths */
    const struct route_table **tables;  /* ours first */
    size_t ntables;
    struct http_assets *assets;
    struct str openapi, docs;
    struct str public_origin;       /* lower case, or STR_NONE */
    uint64_t latency[LATENCY_BUCKETS + 1];
    int64_t active;                 /* exchanges begun and not ended (atomic) */
    int64_t away;                   /* of them with workers or the store (atomic) */
    bool draining;                  /* atomic */
    pthread_t keeper;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_wake;
    bool keeper_stop;
};

/* http_router.c */
struct router *router_new(struct http_server *server);
/* Finds entry and path values, or which methods the path has. */
void router_match(const struct router *router, struct exchange *x);

/* http_lane.c */
void lane_start(struct work_lane *lane, unsigned threads);
void lane_push(struct work_lane *lane, struct exchange *x);
void lane_stop(struct work_lane *lane);      /* after what is queued */
size_t lane_length(struct work_lane *lane);

/* http_run.c: a worker's share */
void exchange_work(struct exchange *x);
/* Says why it cannot run (code is set, or there is no route). */
void exchange_refuse(struct exchange *x);
/* http.c: gives it back to its loop, which sends x->response. */
void exchange_resume(struct exchange *x);
/* http_send.c: makes x->response from code and reply; also counts it. */
void exchange_answer(struct exchange *x);
void exchange_log(const struct exchange *x);

/* http_request.c */
struct exchange *exchange_of(const struct cx *cx);
struct str exchange_header(const struct exchange *x, const char *name);
void exchange_read_peer(struct exchange *x);
struct str clean_request_id(struct arena *arena, struct str given);
/* Refuses cross-site requests of a browser's session. */
enum err_code check_same_site(struct exchange *x);
enum err_code check_csrf(struct exchange *x);

/* http_bind.c */
enum err_code bind_request(struct exchange *x);
/* http_lint.c */
extern const char *const method_names[METHODS];
/* http_docs.c */
struct str routes_docs(struct arena *arena, const struct route_table *const *tables, size_t n);

/* http_idempotency.c: inside the unit, around the handler. */
enum err_code idempotency_begin(struct exchange *x, struct db *db, bool *ret_replayed);
enum err_code idempotency_end(struct exchange *x, struct db *db);
enum err_code idempotency_clean(struct cx *cx, struct db *db, void *arg);

/* http_rate.c */
void rates_init(struct rates *rates, double factor);
void rates_done(struct rates *rates);
/* 0: allowed; else microseconds to wait. */
int64_t rate_take(struct rates *rates, uint64_t key, double per_s, double burst);
enum err_code rate_check_ip(struct exchange *x);
enum err_code rate_check_user(struct exchange *x);

/* http_assets.c */
struct http_assets *assets_open(struct arena *arena, const char *dir);
enum err_code assets_serve(struct exchange *x);
/* http_reply.c */
void reply_reset(struct reply *reply);
/* Answers an open file (owned from here on) with Range, If-Range and If-None-Match over a strong tag. */
enum err_code reply_file(struct exchange *x, int fd, int64_t size, struct str etag);
enum err_code reply_resolve_blob(struct exchange *x, struct db *db);
bool etag_matches(struct str header, struct str etag);
/* Writes the output of the handler into reply.body. */
void reply_write_json(struct exchange *x);

/* http_system.c */
extern const struct route_table system_routes;

#endif
