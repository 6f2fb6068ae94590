/* http_idempotency.c - a creating POST with an Idempotency-Key happens once; its reply is kept for 24 hours. */
#include "http_sql.h"
#include "platform/crypto/crypto.h"
#include "platform/http/http_internal.h"

#define KEEP_US US_PER_DAY
#define KEY_FIELD "Idempotency-Key"

static struct str hash_of(struct exchange *x)
{
    struct crypto_sha256_state s;
    crypto_sha256_begin(&s);
    crypto_sha256_add(&s, x->method_name);
    crypto_sha256_add(&s, STR(" "));
    crypto_sha256_add(&s, x->path);
    crypto_sha256_add(&s, STR("?"));
    crypto_sha256_add(&s, x->query);
    crypto_sha256_add(&s, STR("\n"));
    crypto_sha256_add(&s, x->upload ? x->upload_hash : buf_str(&x->body));
    return crypto_sha256_end(x->arena, &s);
}

static enum err_code read_key(struct exchange *x)
{
    struct str key = exchange_header(x, KEY_FIELD);
    if (!x->entry->route->creates || !key.ptr || !x->cx.user_id)
        return E_OK;
    bool clean = key.len >= 1 && key.len <= 200;
    for (size_t i = 0; clean && i < key.len; i++)
        clean = key.ptr[i] > 0x20 && key.ptr[i] < 0x7f;
    if (!clean)
        return fail_field(&x->cx, KEY_FIELD, "1 to 200 visible ASCII characters");
    x->idempotency_key = key;
    x->request_hash = hash_of(x);
    return E_OK;
}

static enum err_code claim(struct exchange *x, struct db *db, bool *ret_mine)
{
    int64_t changed = 0;
    TRY(idempotency_claim(&x->cx, db,
                          (struct idempotency_claim_in){ .account_id = x->cx.account_id, .user_id = x->cx.user_id,
                                                         .key = x->idempotency_key, .request_hash = x->request_hash,
                                                         .now = x->cx.now_us }, &changed));
    *ret_mine = changed == 1;
    return E_OK;
}

static void replay(struct exchange *x, const struct idempotency_row *row)
{
    x->reply.kind = REPLY_JSON;
    x->reply.as_written = true;
    x->reply.status = (int)row->status;
    x->reply.body = row->body;
    reply_header(&x->cx, "Idempotency-Replayed", STR("true"));
}

enum err_code idempotency_begin(struct exchange *x, struct db *db, bool *ret_replayed)
{
    *ret_replayed = false;
    TRY(read_key(x));
    if (!x->idempotency_key.ptr)
        return E_OK;
    bool mine = false;
    TRY(claim(x, db, &mine));
    if (mine)
        return E_OK;
    struct idempotency_row row;
    TRY(idempotency_find(&x->cx, db, (struct idempotency_find_in){ x->cx.account_id, x->cx.user_id, x->idempotency_key }, &row));
    if (row.created_us < x->cx.now_us - KEEP_US) {
        TRY(idempotency_forget(&x->cx, db,
                               (struct idempotency_forget_in){ x->cx.account_id, x->cx.user_id, x->idempotency_key }, NULL));
        TRY(claim(x, db, &mine));
        return mine ? E_OK : fail_busy(&x->cx, "Another request with this Idempotency-Key is running");
    }
    if (!str_eq(row.request_hash, x->request_hash))
        return fail_field(&x->cx, KEY_FIELD, "This key was used for another request");
    replay(x, &row);
    *ret_replayed = true;
    return E_OK;
}

enum err_code idempotency_end(struct exchange *x, struct db *db)
{
    if (!x->idempotency_key.ptr || x->reply.kind != REPLY_JSON)
        return E_OK;
    reply_write_json(x);
    int status = x->reply.status ? x->reply.status : 201;
    return idempotency_reply(&x->cx, db,
                             (struct idempotency_reply_in){ .account_id = x->cx.account_id, .user_id = x->cx.user_id,
                                                            .key = x->idempotency_key, .status = status,
                                                            .body = x->reply.body }, NULL);
}

enum err_code idempotency_clean(struct cx *cx, struct db *db, void *arg)
{
    return idempotency_expire(cx, db, (struct idempotency_expire_in){ .before = cx->now_us - KEEP_US }, NULL);
}
