/* email_receive.c - durable first: the raw mail and its row, in one unit, before it is understood. */
#include "channels/email/email_internal.h"

enum err_code email_find_recipient(struct cx *cx, struct db *db, struct str address, struct em_mailbox_key *ret, bool *ret_found)
{
    struct str folded = mail_fold_address(cx->arena, address);
    const struct str tries[] = { folded, email_without_tag(cx->arena, folded) };
    *ret_found = false;
    for (size_t i = 0; i < COUNT(tries) && folded.len > 0 && !*ret_found; i++) {
        struct em_mailbox_key *rows = NULL;
        size_t n = 0;
        TRY(em_mailbox_by_address(cx, db, (struct em_mailbox_by_address_in){ tries[i] }, &rows, &n));
        *ret_found = n > 0;
        if (n > 0)
            *ret = rows[0];
    }
    return E_OK;
}

/* The mailbox of this account that a recipient names, else the account's oldest, else none. */
static enum err_code choose_mailbox(struct cx *cx, struct db *db, const struct email_arrival *arrival, int64_t *ret)
{
    *ret = arrival->mailbox_id;
    if (*ret > 0)
        return E_OK;
    struct em_mailbox_key *rows = NULL;
    size_t n = 0;
    TRY(em_mailbox_addresses(cx, db, (struct em_mailbox_addresses_in){ cx->account_id }, &rows, &n));
    struct str folded = mail_fold_address(cx->arena, arrival->recipient);
    struct str bare = email_without_tag(cx->arena, folded);
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].address_folded, folded) || str_eq(rows[i].address_folded, bare)) {
            *ret = rows[i].id;
            return E_OK;
        }
    }
    for (size_t i = 0; i < n && *ret == 0; i++)
        if (rows[i].active)
            *ret = rows[i].id;
    return E_OK;
}

static struct em_mail_receive_in arrival_row(struct cx *cx, const struct email_arrival *arrival, int64_t mailbox_id)
{
    struct str recipient = utf8_repair(cx->arena, arrival->recipient, true);
    return (struct em_mail_receive_in){
        .account_id = cx->account_id, .state = STR("received"),
        .source = arrival->historic ? STR("import") : arrival->source,
        .source_ref = utf8_repair(cx->arena, arrival->source_ref, true),
        .mailbox_id = mailbox_id, .size_bytes = (int64_t)arrival->raw.len,
        .from_address = utf8_repair(cx->arena, arrival->envelope_from, true),
        .to_addresses = recipient.len == 0 ? STR("[]")
                                           : arena_printf(cx->arena, "[%s]", json_quote(cx->arena, recipient).ptr),
        .now = cx->now_us,
    };
}

static enum err_code insert_arrival(struct cx *cx, struct db *db, const struct email_arrival *arrival, struct str raw_hash, int64_t *ret_mail_id)
{
    int64_t mailbox_id = 0;
    TRY(choose_mailbox(cx, db, arrival, &mailbox_id));
    struct em_mail_receive_in row = arrival_row(cx, arrival, mailbox_id);
    row.raw_hash = raw_hash;
    struct em_id id;
    TRY(em_mail_receive(cx, db, row, &id));
    *ret_mail_id = id.id;
    return E_OK;
}

enum err_code email_receive_in(struct cx *cx, struct db *db, struct email *email, const struct email_arrival *arrival, int64_t *ret_mail_id)
{
    struct str hash;
    TRY(blob_put(cx, db, email->blobs, arrival->raw, &hash));
    return insert_arrival(cx, db, arrival, hash, ret_mail_id);
}

enum err_code email_receive_refused(struct cx *cx, struct db *db, const struct email_arrival *arrival, int64_t size_bytes, struct str detail)
{
    int64_t mailbox_id = 0;
    TRY(choose_mailbox(cx, db, arrival, &mailbox_id));
    struct em_mail_receive_in row = arrival_row(cx, arrival, mailbox_id);
    row.state = STR("quarantined");
    row.size_bytes = size_bytes;
    row.detail = detail;
    struct em_id id;
    return em_mail_receive(cx, db, row, &id);
}

struct receive_unit {
    struct blob_ready raw;
    const struct email_arrival *arrival;
    int64_t mail_id;
};

static enum err_code receive_unit(struct cx *cx, struct db *db, void *arg)
{
    struct receive_unit *unit = arg;
    TRY(blob_keep(cx, db, &unit->raw));
    return insert_arrival(cx, db, unit->arrival, unit->raw.hash, &unit->mail_id);
}

enum err_code email_receive(struct cx *cx, struct email *email, const struct email_arrival *arrival, int64_t *ret_mail_id)
{
    if (cx->account_id == 0)
        return fail_internal(cx, "email_receive without an account");
    if (arrival->raw.len == 0)
        return fail_field(cx, "raw", "The mail is empty");
    if (arrival->raw.len > EMAIL_MAX_BYTES)
        return fail(cx, E_LIMIT, "The mail is larger than %d MiB", EMAIL_MAX_BYTES >> 20);
    struct receive_unit unit = { .arrival = arrival };
    enum err_code code = blob_prepare(cx, email->blobs, arrival->raw, &unit.raw);
    if (code == E_OK)
        code = (arrival->historic ? store_write_bulk : store_write)(email->store, cx, receive_unit, &unit);
    blob_ready_free(&unit.raw);
    TRY(code);
    *ret_mail_id = unit.mail_id;
    atomic_fetch_add_explicit(&email->counters.received, 1, memory_order_relaxed);
    email_intake_wake(email);
    return E_OK;
}

/* ---- LMTP ---- */

struct recipient_read {
    struct str address;
    struct em_mailbox_key key;
    bool found;
};

static enum err_code recipient_read(struct cx *cx, struct db *db, void *arg)
{
    struct recipient_read *read = arg;
    return email_find_recipient(cx, db, read->address, &read->key, &read->found);
}

static enum err_code find(struct cx *cx, struct email *email, struct str address, struct em_mailbox_key *ret)
{
    struct recipient_read read = { .address = address };
    TRY(store_read(email->store, cx, recipient_read, &read));
    if (!read.found)
        return fail(cx, E_NOT_FOUND, "No mailbox here has this address");
    *ret = read.key;
    return E_OK;
}

enum err_code email_account_of(struct cx *cx, struct email *email, struct str recipient, int64_t *ret)
{
    struct em_mailbox_key key = { 0 };
    bool found = false;
    TRY(if_found(cx, find(cx, email, recipient, &key), &found));
    *ret = found ? key.account_id : 0;
    return E_OK;
}

static enum err_code lmtp_recipient(struct cx *cx, struct str address, void *arg, struct lmtp_recipient *ret)
{
    struct em_mailbox_key key = { 0 };
    TRY(find(cx, arg, address, &key));
    ret->account_id = key.account_id;
    ret->target_id = key.id;
    return E_OK;
}

static enum err_code lmtp_deliver(struct cx *cx, const struct lmtp_mail *mail, void *arg)
{
    cx->account_id = mail->recipient.account_id;
    cx->actor = STR("system");
    int64_t mail_id = 0;
    return email_receive(cx, arg, &(struct email_arrival){
        .raw = mail->raw, .source = STR("lmtp"), .source_ref = mail->client, .mailbox_id = mail->recipient.target_id,
        .envelope_from = mail->envelope_from, .recipient = mail->recipient.address }, &mail_id);
}

enum err_code email_lmtp_begin(struct cx *cx, struct email *email, const char *listen)
{
    struct lmtp_options options = {
        .listen = listen, .max_message_bytes = EMAIL_MAX_BYTES, .recipient = lmtp_recipient, .deliver = lmtp_deliver, .arg = email,
    };
    return lmtp_start(cx, &options, &email->lmtp);
}

int email_lmtp_port(const struct email *email)
{
    return email->lmtp ? lmtp_port(email->lmtp) : 0;
}
