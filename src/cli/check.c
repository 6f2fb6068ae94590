/* check.c - `cairn check`: is everything there, whole and current? */
#include "check_sql.h"
#include "cli/cli_priv.h"

#include <inttypes.h>

enum { BLOBS_A_ROUND = 100, BLOB_MAX_BYTES = 1024 * 1024 * 1024 };

struct checking {
    struct cx *cx;
    struct installation *in;
    struct json_writer *out;
    struct str after;           /* blobs are looked at in order of their hash */
    struct check_blob_row *blobs;
    size_t nblobs;
    int64_t checked, trouble;
};

static void found(struct checking *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void found(struct checking *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    json_put_text(c->out, NULL, arena_vprintf(c->cx->arena, fmt, ap));
    va_end(ap);
    c->trouble++;
}

static enum err_code check_references(struct cx *cx, struct db *db, void *arg)
{
    struct checking *c = arg;
    struct check_count_row attachments = { 0 }, mails = { 0 }, gaps = { 0 };
    TRY(check_lost_attachments(cx, db, (struct check_lost_attachments_in){ 0 }, &attachments));
    TRY(check_lost_mails(cx, db, (struct check_lost_mails_in){ 0 }, &mails));
    TRY(check_event_gaps(cx, db, (struct check_event_gaps_in){ 0 }, &gaps));
    if (attachments.n)
        found(c, "content of %" PRId64 " attachments is missing", attachments.n);
    if (mails.n)
        found(c, "the raw message of %" PRId64 " mails is missing", mails.n);
    if (gaps.n)
        found(c, "the journal of %" PRId64 " accounts has gaps", gaps.n);
    return E_OK;
}

static enum err_code check_blob(struct cx *cx, struct db *db, struct checking *c, const struct check_blob_row *row)
{
    struct str content = STR_NONE;
    enum err_code code = blob_get(cx, db, c->in->blobs, row->hash, BLOB_MAX_BYTES, &content);
    if (code == E_BUSY)
        return code;
    if (code != E_OK)
        found(c, "blob %.*s cannot be read: %.*s", STR_ARG(row->hash), STR_ARG(cx->failure.message));
    else if ((int64_t)content.len != row->size_bytes || !str_eq(crypto_sha256(cx->arena, content), row->hash))
        found(c, "blob %.*s is damaged", STR_ARG(row->hash));
    failure_clear(cx);
    c->checked++;
    return E_OK;
}

static enum err_code check_blob_round(struct cx *cx, struct db *db, void *arg)
{
    struct checking *c = arg;
    TRY(check_blobs(cx, db, (struct check_blobs_in){ c->after, BLOBS_A_ROUND }, &c->blobs, &c->nblobs));
    for (size_t i = 0; i < c->nblobs; i++)
        TRY(check_blob(cx, db, c, &c->blobs[i]));
    return E_OK;
}

/* Each round has an arena of its own: all blobs together may be larger than memory. */
static enum err_code check_all_blobs(struct checking *c)
{
    struct cx *cx = c->cx;
    c->after = STR("");
    do {
        CLEANUP(arena_free) struct arena *arena = arena_new("check", 0);
        struct cx round = *cx;
        round.arena = arena;
        enum err_code code = store_read(c->in->store, &round, check_blob_round, c);
        if (code != E_OK)
            return fail(cx, code, "%.*s", STR_ARG(round.failure.message));
        if (c->nblobs)
            c->after = arena_copy(cx->arena, c->blobs[c->nblobs - 1].hash);
    } while (c->nblobs == BLOBS_A_ROUND);
    return E_OK;
}

enum err_code operation_check(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    struct checking c = { .cx = cx, .in = in, .out = ret };
    struct str findings = STR_NONE, line;
    int pending = 0;
    int64_t lag = 0;
    json_open_list(ret, "trouble");
    enum err_code code = store_pending_migrations(in->store, cx, &main_migrations, &pending);
    if (code == E_BUSY)
        return code;
    if (code != E_OK)
        found(&c, "%.*s", STR_ARG(cx->failure.message.len ? cx->failure.message : cx->failure.detail));
    if (pending)
        found(&c, "%d migrations are not applied yet: run cairn migrate, or start the server", pending);
    failure_clear(cx);
    TRY(store_check(in->store, cx, &findings));
    while (str_line(&findings, &line))
        if (line.len)
            found(&c, "database: %.*s", STR_ARG(line));
    if (!pending && code == E_OK) {
        TRY(store_read(in->store, cx, check_references, &c));
        TRY(check_all_blobs(&c));
        if (in->search)
            TRY(search_lag(cx, in->search, &lag));
    }
    json_close_list(ret);
    json_put_int(ret, "blobs", c.checked);
    json_put_int(ret, "search_lag_events", lag);
    json_put_bool(ret, "postgresql", store_kind(in->store) == STORE_POSTGRES);
    return E_OK;
}
