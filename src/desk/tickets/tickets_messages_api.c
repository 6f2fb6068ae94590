/* tickets_messages_api.c - routes of messages and attachments. */
#include "desk/tickets/tickets_internal.h"

#include "platform/blob/blob.h"
#include "platform/json/json.h"

/* ---- reading ---- */

struct messages_in { struct page_in page; int64_t ticket_id; };
static const struct field messages_in_fields[] = {
    ID_FIELD(struct messages_in, ticket_id, .place = IN_PATH, .doc = "Id of the ticket"),
    PAGE_FIELDS(struct messages_in, page),
};

HANDLER(message_page, struct messages_in, struct page_out)
{
    struct ticket_row t;
    struct message_row *rows;
    struct message_out *items;
    int64_t before = 0;
    size_t n;
    TRY(ticket_read(cx, db, in->ticket_id, &t));
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &before, 1));
    TRY(message_list(cx, db,
                     (struct message_list_in){ .account_id = cx->account_id, .ticket_id = t.id, .before_id = before,
                                               .limit = in->page.limit + 1 },
                     &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    TRY(message_outs(cx, db, rows, shown, &items));
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &rows[shown - 1].id, 1);
    return E_OK;
}

static enum err_code message_load(struct cx *cx, struct db *db, int64_t id, struct message_out *ret)
{
    struct message_row row;
    struct message_out *out;
    TRY(need_found(cx, message_get(cx, db, (struct message_get_in){ cx->account_id, id, 0 }, &row), "message"));
    TRY(message_outs(cx, db, &row, 1, &out));
    *ret = out[0];
    return E_OK;
}

/* ---- writing ---- */

struct message_in {
    int64_t ticket_id, send_at, expected_version;
    struct str text, html, visibility, status;
    struct list to, cc, bcc, attachments;
    bool confirm;
};
static const char *const visibilities[] = { "public", "internal", NULL };
static const char *const statuses_after[] = { "open", "pending", "on_hold", "resolved", "closed", NULL };
static const struct field message_in_fields[] = {
    ID_FIELD(struct message_in, ticket_id, .place = IN_PATH, .doc = "Id of the ticket"),
    TEXT_FIELD(struct message_in, text, .optional = true, .max = 1000000, .multiline = true, .doc = "Plain text"),
    TEXT_FIELD(struct message_in, html, .optional = true, .max = 4000000, .multiline = true, .doc = "Or HTML, which is cleaned"),
    TEXT_FIELD(struct message_in, visibility, .choices = visibilities, .max = 20, .doc = "public: a reply; internal: a note"),
    TEXTS_FIELD(struct message_in, to, .optional = true, .max = 50, .doc = "Recipients; absent: the requester"),
    TEXTS_FIELD(struct message_in, cc, .optional = true, .max = 50, .doc = "Copies; absent: the ticket's participants"),
    TEXTS_FIELD(struct message_in, bcc, .optional = true, .max = 50, .doc = "Hidden copies"),
    IDS_FIELD(struct message_in, attachments, .optional = true, .max = 100, .doc = "Ids of own uploads"),
    TEXT_FIELD(struct message_in, status, .optional = true, .choices = statuses_after, .max = 20, .doc = "Status of the ticket after it"),
    TIME_FIELD(struct message_in, send_at, .optional = true, .nullable = true, .doc = "Send later"),
    INT_FIELD(struct message_in, expected_version, .optional = true, .doc = "Refuse when the ticket has another version"),
    BOOL_FIELD(struct message_in, confirm, .optional = true, .doc = "Send in spite of warnings"),
};

HANDLER(message_post, struct message_in, struct message_out)
{
    struct ticket_row t;
    bool internal = str_is(in->visibility, "internal");
    TRY(ticket_take(cx, db, in->ticket_id, &t));
    if (!internal && !may(cx, PERM_TICKET_REPLY))
        return fail(cx, E_FORBIDDEN, "You may write notes, but not send public replies");
    if (version_differs(cx, in->expected_version, t.version))
        return fail_ticket_version(cx, db, &t);
    if (t.merged_into)
        return fail(cx, E_CONFLICT, "This ticket is merged into the ticket %lld", (long long)t.merged_into);
    if (in->send_at && in->send_at <= cx->now_us)
        return fail_field(cx, "send_at", "This time has passed");
    struct agent_reply reply = { .text = in->text, .html = in->html, .internal = internal, .confirm = in->confirm, .to = in->to,
                                 .cc = in->cc, .bcc = in->bcc, .attachments = in->attachments, .send_at_us = in->send_at };
    struct reply_request request = { 0 };
    struct new_message message;
    struct ticket_made made;
    TRY(reply_prepare(cx, db, &t, &reply, &request, &message));
    message.then_status = in->status;
    TRY(tickets_add_message(cx, db, t.id, &message, &made));
    TRY(reply_enqueue(cx, db, &request, made.message_id));
    return message_load(cx, db, made.message_id, out);
}

/* ---- what a reply would do ---- */

struct recipients_in { int64_t ticket_id; struct str visibility, to, cc; };
static const struct field recipients_in_fields[] = {
    ID_FIELD(struct recipients_in, ticket_id, .place = IN_PATH, .doc = "Id of the ticket"),
    TEXT_FIELD(struct recipients_in, visibility, .place = IN_QUERY, .optional = true, .choices = visibilities, .max = 20, .doc = "Default public"),
    TEXT_FIELD(struct recipients_in, to, .place = IN_QUERY, .optional = true, .max = 8000, .doc = "Addresses, separated by commas"),
    TEXT_FIELD(struct recipients_in, cc, .place = IN_QUERY, .optional = true, .max = 8000, .doc = "Addresses, separated by commas"),
};
struct warning_out { struct str code, address, text; };
static const struct field warning_fields[] = {
    TEXT_FIELD(struct warning_out, code, .doc = "outsider, dropped, list or suppressed"),
    TEXT_FIELD(struct warning_out, address, .doc = "Whom it is about"),
    TEXT_FIELD(struct warning_out, text, .doc = "For the writer"),
};
static SHAPE(warning_shape, "RecipientWarning", struct warning_out, warning_fields);
struct recipients_out { struct list to, cc; const void *from; struct list warnings; };
static const struct field recipients_fields[] = {
    LIST_FIELD(struct recipients_out, to, &address_shape, .doc = "Recipients"),
    LIST_FIELD(struct recipients_out, cc, &address_shape, .doc = "Copies"),
    OBJECT_FIELD(struct recipients_out, from, &address_shape, .nullable = true, .doc = "Sender"),
    LIST_FIELD(struct recipients_out, warnings, &warning_shape, .doc = "What the writer should know first"),
};
static SHAPE(recipients_shape, "Recipients", struct recipients_out, recipients_fields);

static size_t split_addresses(struct cx *cx, struct str text, struct str **ret)
{
    struct str rest = text, part;
    size_t n = 0;
    *ret = NEWN(cx->arena, struct str, text.len / 2 + 1);
    while (text.ptr && str_split(&rest, ',', &part))
        if (str_trim(part).len)
            (*ret)[n++] = str_trim(part);
    return n;
}

HANDLER(recipients_get, struct recipients_in, struct recipients_out)
{
    struct ticket_row t;
    struct str *to, *cc;
    const struct channel *channel = reply_channel();
    TRY(ticket_read(cx, db, in->ticket_id, &t));
    if (str_is(in->visibility, "internal") || !channel)
        return E_OK;
    struct reply_request request = { .ticket = ticket_brief_of(&t), .cc_given = in->cc.ptr != NULL };
    request.nto = split_addresses(cx, in->to, &to);
    request.ncc = split_addresses(cx, in->cc, &cc);
    request.to = to;
    request.cc = cc;
    struct reply_plan plan = { 0 };
    TRY(channel->preview(cx, db, &request, &plan, channel->arg));
    struct message_out settled = { 0 };
    TRY(message_read_addresses(cx, plan.addresses, &settled));
    struct warning_out *warnings = NEWN(cx->arena, struct warning_out, plan.nwarnings + 1);
    for (size_t i = 0; i < plan.nwarnings; i++)
        warnings[i] = (struct warning_out){ plan.warnings[i].code, plan.warnings[i].address, plan.warnings[i].text };
    *out = (struct recipients_out){ settled.to, settled.cc, settled.from, { .items = warnings, .n = plan.nwarnings } };
    return E_OK;
}

/* ---- undo and retry ---- */

struct delivery_in { int64_t ticket_id, message_id; };
static const struct field delivery_fields[] = {
    ID_FIELD(struct delivery_in, ticket_id, .place = IN_PATH, .doc = "Id of the ticket"),
    ID_FIELD(struct delivery_in, message_id, .place = IN_PATH, .doc = "Id of the message"),
};

static enum err_code find_outgoing(struct cx *cx, struct db *db, const struct delivery_in *in, struct message_row *ret, const struct channel **ret_channel)
{
    TRY(need_found(cx, message_get(cx, db, (struct message_get_in){ cx->account_id, in->message_id, accounts_scope_user(cx) }, ret), "message"));
    if (ret->ticket_id != in->ticket_id)
        return fail(cx, E_NOT_FOUND, "There is no such message");
    *ret_channel = reply_channel();
    if (!*ret_channel || str_is(ret->delivery, "none"))
        return fail(cx, E_CONFLICT, "This message does not leave by mail");
    return E_OK;
}

HANDLER(delivery_remove, struct delivery_in, struct message_out)
{
    struct message_row m;
    const struct channel *channel;
    bool cancelled = false;
    TRY(find_outgoing(cx, db, in, &m, &channel));
    if (str_is(m.delivery, "held") || str_is(m.delivery, "queued"))
        TRY(channel->cancel(cx, db, m.id, &cancelled, channel->arg));
    if (!cancelled)
        return fail(cx, E_CONFLICT, "The message has left already");
    TRY(need_found(cx, message_get(cx, db, (struct message_get_in){ cx->account_id, m.id, 0 }, &m), "message"));
    if (!str_is(m.delivery, "cancelled"))
        TRY(tickets_set_delivery(cx, db, m.id, STR("cancelled"), STR("")));
    return message_load(cx, db, m.id, out);
}

HANDLER(delivery_retry, struct delivery_in, struct message_out)
{
    struct message_row m;
    const struct channel *channel;
    TRY(find_outgoing(cx, db, in, &m, &channel));
    TRY(channel->resend(cx, db, m.id, channel->arg));
    return message_load(cx, db, m.id, out);
}

/* ---- attachments ---- */

struct upload_in { struct str file_name; };
static const struct field upload_fields[] = {
    TEXT_FIELD(struct upload_in, file_name, .place = IN_QUERY, .min = 1, .max = 1000, .doc = "Name of the file"),
};
struct attachment_in { int64_t id; bool download; };
static const struct field attachment_path_fields[] = {
    ID_FIELD(struct attachment_in, id, .place = IN_PATH, .doc = "Id of the attachment"),
};
static const struct field content_fields[] = {
    ID_FIELD(struct attachment_in, id, .place = IN_PATH, .doc = "Id of the attachment"),
    BOOL_FIELD(struct attachment_in, download, .place = IN_QUERY, .optional = true, .doc = "As a file to save"),
};

static enum err_code attachment_find(struct cx *cx, struct db *db, int64_t id, struct attachment_row *ret)
{
    struct attachment_get_in in = { cx->account_id, id, cx->user_id, accounts_scope_user(cx) };
    return need_found(cx, attachment_get(cx, db, in, ret), "attachment");
}

/* "Text/Plain; charset=utf-8" is text/plain. */
static struct str bare_type(struct cx *cx, struct str type)
{
    ptrdiff_t semicolon = str_chr(type, ';');
    struct str bare = str_lower(cx->arena, str_trim(semicolon < 0 ? type : str_sub(type, 0, (size_t)semicolon)));
    bool ok = bare.len <= 127 && str_chr(bare, '/') > 0;
    for (size_t i = 0; ok && i < bare.len; i++)
        ok = (unsigned char)bare.ptr[i] > ' ' && (unsigned char)bare.ptr[i] < 0x7f && !strchr("\"(),:;<=>?@[\\]{}", bare.ptr[i]);
    return ok ? bare : STR("application/octet-stream");
}

HANDLER(attachment_post, struct upload_in, struct attachment_out)
{
    struct new_attachment a = { .file_name = in->file_name };
    struct str type;
    struct attachment_row row;
    int64_t id;
    struct blob_writer *upload = request_upload(cx, &a.hash, &a.size_bytes, &type);
    TRY(blob_adopt(cx, db, upload));
    a.content_type = bare_type(cx, type);
    TRY(attachment_write(cx, db, &a, 0, 0, &id));
    TRY(attachment_expire_later(cx, db, id));
    TRY(attachment_find(cx, db, id, &row));
    *out = attachment_out_of(&row);
    return E_OK;
}

HANDLER(attachment_read, struct attachment_in, struct attachment_out)
{
    struct attachment_row row;
    TRY(attachment_find(cx, db, in->id, &row));
    *out = attachment_out_of(&row);
    return E_OK;
}

HANDLER(attachment_content, struct attachment_in, struct nothing)
{
    struct attachment_row row;
    (void)out;
    TRY(attachment_find(cx, db, in->id, &row));
    reply_blob(cx, row.hash, row.content_type, row.file_name, in->download);
    return E_OK;
}

static const struct route message_route_list[] = {
    { .method = METHOD_GET, .path = "/api/v1/tickets/{ticket_id}/messages", .summary = "List messages, newest first",
      .permission = PERM_TICKET_READ, FIELDS(messages_in_fields, struct messages_in), RETURNS_PAGE(&message_shape),
      .handler = message_page },
    { .method = METHOD_POST, .path = "/api/v1/tickets/{ticket_id}/messages", .summary = "Reply, or write a note",
      .doc = "409 with \"current\" and \"newer_messages\" when the ticket has another version than expected_version; 409 with "
             "\"warnings\" when the recipients need a second look: send \"confirm\" then.",
      .permission = PERM_TICKET_WRITE, .creates = true, FIELDS(message_in_fields, struct message_in),
      RETURNS(&message_shape, struct message_out), .handler = message_post },
    { .method = METHOD_GET, .path = "/api/v1/tickets/{ticket_id}/recipients", .summary = "Tell who would get a reply",
      .permission = PERM_TICKET_READ, FIELDS(recipients_in_fields, struct recipients_in),
      RETURNS(&recipients_shape, struct recipients_out), .handler = recipients_get },
    { .method = METHOD_DELETE, .path = "/api/v1/tickets/{ticket_id}/messages/{message_id}/delivery",
      .summary = "Take back a message that has not left", .permission = PERM_TICKET_REPLY,
      FIELDS(delivery_fields, struct delivery_in), RETURNS(&message_shape, struct message_out), .handler = delivery_remove },
    { .method = METHOD_POST, .path = "/api/v1/tickets/{ticket_id}/messages/{message_id}/delivery",
      .summary = "Send a failed message again", .permission = PERM_TICKET_REPLY, FIELDS(delivery_fields, struct delivery_in),
      RETURNS(&message_shape, struct message_out), .handler = delivery_retry },
};
const struct route_table messages_routes = { "messages", message_route_list, COUNT(message_route_list) };

static const struct route attachment_route_list[] = {
    { .method = METHOD_POST, .path = "/api/v1/attachments", .summary = "Upload a file for a message", .permission = PERM_TICKET_WRITE,
      .doc = "The body is the file itself.  Unused uploads are removed after a day.", .rate = RATE_UPLOAD, .body = BODY_UPLOAD,
      .creates = true, FIELDS(upload_fields, struct upload_in), RETURNS(&attachment_shape, struct attachment_out),
      .handler = attachment_post },
    { .method = METHOD_GET, .path = "/api/v1/attachments/{id}", .summary = "Describe an attachment", .permission = PERM_TICKET_READ,
      FIELDS(attachment_path_fields, struct attachment_in), RETURNS(&attachment_shape, struct attachment_out),
      .handler = attachment_read },
    { .method = METHOD_GET, .path = "/api/v1/attachments/{id}/content", .summary = "Read an attachment's bytes",
      .permission = PERM_TICKET_READ, FIELDS(content_fields, struct attachment_in), .handler = attachment_content },
};
const struct route_table attachments_routes = { "attachments", attachment_route_list, COUNT(attachment_route_list) };
