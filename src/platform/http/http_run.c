/* http_run.c - the fixed order of a request: rate limit, authenticate, permission, bind, handler. */
#include "platform/http/http_internal.h"

#define SLOW_READ_US (10 * US_PER_SECOND)

static enum err_code check_permission(struct exchange *x)
{
    int permission = x->entry->route->permission;
    if (permission == PERM_SIGNED_IN || ((x->cx.permissions >> permission) & 1))
        return E_OK;
    return fail(&x->cx, E_FORBIDDEN, "Your role does not permit this");
}

static enum err_code authenticate(struct exchange *x, struct db *db)
{
    const struct route *route = x->entry->route;
    bool changes = x->method != METHOD_GET;
    if (route->permission == PERM_PUBLIC)
        return changes && route->csrf_exempt ? check_same_site(x) : E_OK;
    if (x->authenticated)
        return E_OK;
    if (!x->token.len && !x->session.len)
        return fail(&x->cx, E_UNAUTHENTICATED, "Sign in, or send an API token as \"Authorization: Bearer TOKEN\"");
    struct str token = x->token.len ? x->token : STR_NONE, session = x->token.len ? STR_NONE : x->session;
    TRY(x->server->options.auth.authenticate(&x->cx, db, token, session, &x->csrf));
    if (session.len && changes)
        TRY(check_csrf(x));
    TRY(rate_check_user(x));
    TRY(check_permission(x));
    x->authenticated = true;
    return E_OK;
}

static enum err_code authenticate_unit(struct cx *cx, struct db *db, void *arg)
{
    return authenticate(arg, db);
}

/* For routes that do not handle the request in the read that authenticates it. */
static enum err_code authenticate_first(struct exchange *x)
{
    if (x->entry->route->permission == PERM_PUBLIC || !x->server->options.store)
        return authenticate(x, NULL);
    return store_read(x->server->options.store, &x->cx, authenticate_unit, x);
}

static enum err_code handle(struct exchange *x, struct db *db)
{
    x->out = arena_alloc(x->arena, x->entry->route->out_size ? x->entry->route->out_size : sizeof(struct nothing));
    TRY(x->entry->route->handler(&x->cx, db, x->in, x->out));
    if (db)
        TRY(reply_resolve_blob(x, db));
    return E_OK;
}

static enum err_code read_unit(struct cx *cx, struct db *db, void *arg)
{
    struct exchange *x = arg;
    reply_reset(&x->reply);
    TRY(authenticate(x, db));
    TRY(bind_request(x));
    return handle(x, db);
}

/* May run again: whatever the last run left in the reply and the context is undone first. */
static enum err_code write_unit(struct cx *cx, struct db *db, void *arg)
{
    struct exchange *x = arg;
    reply_reset(&x->reply);
    cx->account_id = x->caller.account_id;
    cx->user_id = x->caller.user_id;
    cx->permissions = x->caller.permissions;
    cx->only_own_teams = x->caller.only_own_teams;
    cx->actor = x->caller.actor;
    bool replayed = false;
    TRY(idempotency_begin(x, db, &replayed));
    if (replayed)
        return E_OK;
    TRY(handle(x, db));
    return idempotency_end(x, db);
}

static void write_done(struct cx *cx, enum err_code code, void *arg)
{
    struct exchange *x = arg;
    x->code = code;
    x->phase = PHASE_FINISH;
    lane_push(&x->server->lanes[LANE_FAST], x);
}

static enum work work_of(const struct exchange *x)
{
    enum work work = x->entry->route->work;
    if (!x->server->options.store)
        return WORK_NONE;
    if (work != WORK_BY_METHOD)
        return work;
    return x->method == METHOD_GET ? WORK_READ : WORK_WRITE;
}

static enum err_code find_no_route(struct exchange *x)
{
    if (x->allowed) {
        if (str_is(x->method_name, "OPTIONS")) {
            x->code = E_OK;
            reply_status(&x->cx, 204);
            reply_bytes(&x->cx, STR_NONE, STR_NONE);
            return E_OK;
        }
        return fail(&x->cx, E_METHOD, "%.*s is not possible here", STR_ARG(x->method_name));
    }
    bool file = x->server->assets && x->known_method && x->method == METHOD_GET && !str_starts(x->path, STR("/api/"));
    return file ? assets_serve(x) : fail(&x->cx, E_NOT_FOUND, "There is nothing at this path");
}

static enum err_code finish_upload(struct exchange *x)
{
    if (!x->upload)
        return E_OK;
    return blob_writer_finish(&x->cx, x->upload, &x->upload_hash, &x->upload_size);
}

/* True when the store goes on with it: the exchange then belongs to the store until write_done. */
static bool run(struct exchange *x)
{
    struct cx *cx = &x->cx;
    struct store *store = x->server->options.store;
    if (x->code == E_OK && !x->entry) {
        x->code = find_no_route(x);
        return false;
    }
    if (x->code != E_OK || (!x->authenticated && (x->code = rate_check_ip(x)) != E_OK))
        return false;
    enum work work = work_of(x);
    if (work == WORK_READ) {
        x->code = x->entry->route->lane == LANE_SLOW ? store_read_within(store, cx, SLOW_READ_US, read_unit, x)
                                                     : store_read(store, cx, read_unit, x);
        return false;
    }
    x->code = authenticate_first(x);
    if (x->code == E_OK)
        x->code = finish_upload(x);
    if (x->code == E_OK)
        x->code = bind_request(x);
    if (x->code != E_OK)
        return false;
    if (work == WORK_NONE) {
        x->code = handle(x, NULL);
        return false;
    }
    x->caller = *cx;
    store_write_async(store, cx, write_unit, write_done, x);
    return true;
}

/* Before the body of an upload is read. */
static void admit(struct exchange *x)
{
    x->code = rate_check_ip(x);
    if (x->code == E_OK)
        x->code = authenticate_first(x);
    if (x->code == E_OK)
        x->code = blob_writer_open(&x->cx, x->server->options.blobs, x->server->options.max_upload_bytes, &x->upload);
    x->admitted = x->code == E_OK;
}

void exchange_refuse(struct exchange *x)
{
    exchange_read_peer(x);
    if (x->code == E_OK)
        x->code = find_no_route(x);
    exchange_answer(x);
}

void exchange_work(struct exchange *x)
{
    exchange_read_peer(x);
    if (x->phase == PHASE_RUN && run(x))
        return;
    if (x->phase == PHASE_ADMIT)
        admit(x);
    if (!x->admitted || x->phase != PHASE_ADMIT)
        exchange_answer(x);
    exchange_resume(x);
}
