/* tickets_message.c - messages: adding them under the rules, their delivery, their attachments. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"
#include "platform/text/text.h"

bool message_is_from_customer(const struct new_message *m)
{
    return str_is(m->author_kind, "contact") && !m->automatic;
}

bool message_is_human_reply(const struct new_message *m)
{
    return str_is(m->author_kind, "user") && !m->automatic && !m->internal;
}

/* ---- writing ---- */

/* The base name without control characters: safe in a header and as a file. */
static struct str clean_file_name(struct arena *arena, struct str name)
{
    ptrdiff_t slash = MAX(str_rchr(name, '/'), str_rchr(name, '\\'));
    name = str_trim(utf8_repair(arena, str_skip(name, (size_t)(slash + 1)), true));
    struct buf b = buf_new(arena, 0);
    for (size_t i = 0; i < name.len; i++)
        buf_char(&b, (unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f || strchr("\"<>:|?*", name.ptr[i]) ? '_' : name.ptr[i]);
    struct str clean = utf8_cut(buf_str(&b), 200);
    return clean.len && !str_is(clean, ".") && !str_is(clean, "..") ? clean : STR("attachment");
}

enum err_code attachment_write(struct cx *cx, struct db *db, const struct new_attachment *a, int64_t ticket_id, int64_t message_id,
                               int64_t *ret_id)
{
    struct tickets_id_row row;
    TRY(attachment_insert(cx, db,
                          (struct attachment_insert_in){
                              .account_id = cx->account_id, .ticket_id = ticket_id, .message_id = message_id,
                              .user_id = message_id ? 0 : cx->user_id, .file_name = clean_file_name(cx->arena, a->file_name),
                              .content_type = a->content_type.len ? str_lower(cx->arena, a->content_type) : STR("application/octet-stream"),
                              .size_bytes = a->size_bytes, .hash = a->hash,
                              .content_id = a->content_id.len ? a->content_id : STR_NONE, .inline_part = a->inline_part,
                              .now = cx->now_us },
                          &row));
    *ret_id = row.id;
    return E_OK;
}

static struct str created_data(struct cx *cx, const struct new_message *m)
{
    return arena_printf(cx->arena,
                        "{\"visibility\":\"%s\",\"author_kind\":\"%.*s\",\"author_id\":\"%lld\",\"channel\":\"%.*s\",\"automatic\":%s,\"delivery\":\"%.*s\"}",
                        m->internal ? "internal" : "public", STR_ARG(m->author_kind), (long long)m->author_id, STR_ARG(m->channel),
                        m->automatic ? "true" : "false", STR_ARG(m->delivery));
}

enum err_code message_write(struct cx *cx, struct db *db, const struct ticket_row *t, const struct new_message *new, int64_t seq, int64_t *ret_id)
{
    struct new_message m = *new;
    m.channel = m.channel.len ? m.channel : STR("api");
    m.delivery = m.delivery.len ? m.delivery : STR("none");
    struct tickets_id_row row;
    TRY(message_insert(cx, db,
                       (struct message_insert_in){
                           .account_id = cx->account_id, .ticket_id = t->id, .visibility = m.internal ? STR("internal") : STR("public"),
                           .author_kind = m.author_kind, .author_id = m.author_id, .channel = m.channel, .automatic = m.automatic,
                           .subject = m.subject, .body_text = m.text, .body_html = m.html, .quoted_text = m.quoted_text,
                           .quoted_html = m.quoted_html, .addresses = m.addresses.len ? m.addresses : STR("{}"),
                           .mail_id = m.mail_id, .delivery = m.delivery, .send_at_us = m.send_at_us,
                           .created_us = m.created_us ? m.created_us : cx->now_us },
                       &row));
    *ret_id = row.id;
    for (size_t i = 0; i < m.nattachments; i++) {
        int64_t id;
        TRY(attachment_write(cx, db, &m.attachments[i], t->id, row.id, &id));
    }
    for (size_t i = 0; i < m.nattachment_ids; i++) {
        int64_t used;
        TRY(attachment_use(cx, db, (struct attachment_use_in){ cx->account_id, m.attachment_ids[i], cx->user_id, t->id, row.id }, &used));
        if (!used)
            return fail_field(cx, "attachments", "You have no unused attachment with the id %lld", (long long)m.attachment_ids[i]);
    }
    return ticket_emit_as(cx, db, seq, STR("message.created"), t, row.id, created_data(cx, &m));
}

/* ---- adding under the rules ---- */

static enum err_code follow_up(struct cx *cx, struct db *db, const struct ticket_row *closed, const struct new_message *m, struct ticket_made *ret)
{
    struct new_ticket new = { .subject = closed->subject, .requester_id = m->author_id, .channel = m->channel,
                              .priority = closed->priority, .type = closed->type, .team_id = closed->team_id,
                              .mailbox_id = closed->mailbox_id, .follow_up_of = closed->id, .created_us = m->created_us, .message = *m };
    return tickets_create(cx, db, &new, ret);
}

static enum err_code status_after(struct cx *cx, struct ticket_row *t, const struct new_message *m, int64_t at_us)
{
    bool waiting = str_is(t->status, "pending") || str_is(t->status, "on_hold") || str_is(t->status, "resolved");
    if ((message_is_from_customer(m) && waiting) || (message_is_human_reply(m) && str_is(t->status, "new")))
        return ticket_set_status(cx, t, STR("open"), at_us);
    return E_OK;
}

enum err_code tickets_add_message(struct cx *cx, struct db *db, int64_t ticket_id, const struct new_message *m, struct ticket_made *ret)
{
    struct ticket_row old;
    TRY(ticket_take(cx, db, ticket_id, &old));
    if (old.merged_into)
        TRY(ticket_take(cx, db, old.merged_into, &old));
    if (str_is(old.status, "closed")) {
        if (message_is_from_customer(m))
            return follow_up(cx, db, &old, m, ret);
        if (message_is_human_reply(m))
            return fail(cx, E_CONFLICT, "The ticket is closed: it can only be continued by a follow-up");
    }
    struct ticket_row t = old;
    int64_t at_us = m->created_us ? m->created_us : cx->now_us;
    t.message_count++;
    t.activity_us = MAX(t.activity_us, at_us);
    if (!m->internal && !m->automatic)
        t.preview = text_preview(cx->arena, m->text, PREVIEW_BYTES);
    if (message_is_from_customer(m))
        t.customer_us = MAX(t.customer_us, at_us);
    if (message_is_human_reply(m)) {
        t.agent_us = MAX(t.agent_us, at_us);
        /* Who was not asked does not reply: a ticket that an agent began has no first reply yet. */
        if (!t.first_reply_us && t.customer_us)
            t.first_reply_us = at_us;
    }
    TRY(status_after(cx, &t, m, at_us));
    if (m->then_status.len)
        TRY(ticket_set_status(cx, &t, m->then_status, at_us));
    TRY(message_write(cx, db, &t, m, 0, &ret->message_id));
    TRY(ticket_save(cx, db, &old, &t, NULL));
    ret->ticket_id = t.id;
    ret->number = t.number;
    ret->version = t.version;
    return E_OK;
}

/* ---- delivery ---- */

/* A reply that was taken back never happened: the clocks and the preview forget it. */
static enum err_code forget_reply(struct cx *cx, struct db *db, const struct ticket_row *old)
{
    enum { LOOK_BACK = 20 };
    struct ticket_row t = *old;
    struct ticket_times_row times;
    struct message_row *rows;
    size_t n;
    TRY(ticket_times(cx, db, (struct ticket_times_in){ cx->account_id, t.id }, &times));
    t.agent_us = times.agent_us;
    t.first_reply_us = times.first_reply_us;
    TRY(message_list(cx, db, (struct message_list_in){ .account_id = cx->account_id, .ticket_id = t.id, .public_only = true, .limit = LOOK_BACK },
                     &rows, &n));
    for (size_t i = n; i > 0; i--)
        if (!str_is(rows[i - 1].delivery, "cancelled") && !rows[i - 1].automatic)
            t.preview = text_preview(cx->arena, rows[i - 1].body_text, PREVIEW_BYTES);
    return ticket_save(cx, db, old, &t, NULL);
}

enum err_code tickets_set_delivery(struct cx *cx, struct db *db, int64_t message_id, struct str delivery, struct str detail)
{
    struct message_row m;
    struct ticket_row t;
    TRY(need_found(cx, message_get(cx, db, (struct message_get_in){ cx->account_id, message_id, 0 }, &m), "message"));
    if (str_eq(m.delivery, delivery) && str_eq(m.delivery_detail, detail))
        return E_OK;
    TRY(need_found(cx, ticket_lock(cx, db, (struct ticket_lock_in){ cx->account_id, m.ticket_id, 0 }, &t), "ticket"));
    TRY(message_set_delivery(cx, db, (struct message_set_delivery_in){ cx->account_id, message_id, delivery, detail }, NULL));
    struct changes c = changes_begin(cx);
    change_text(&c, "delivery", m.delivery, delivery);
    change_text(&c, "delivery_detail", m.delivery_detail, detail.ptr ? detail : STR(""));
    TRY(ticket_emit(cx, db, STR("message.changed"), &t, message_id, changes_end(&c)));
    return str_is(delivery, "cancelled") ? forget_reply(cx, db, &t) : E_OK;
}

/* ---- reading, for channels ---- */

static struct message_full full_of(const struct message_row *r)
{
    return (struct message_full){ .id = r->id, .ticket_id = r->ticket_id, .author_id = r->author_id, .mail_id = r->mail_id,
                                  .created_us = r->created_us, .send_at_us = r->send_at_us, .visibility = r->visibility,
                                  .author_kind = r->author_kind, .subject = r->subject, .text = r->body_text, .html = r->body_html,
                                  .quoted_text = r->quoted_text, .quoted_html = r->quoted_html, .addresses = r->addresses,
                                  .delivery = r->delivery };
}

enum err_code tickets_message(struct cx *cx, struct db *db, int64_t message_id, struct message_full *ret)
{
    struct message_row row;
    TRY(need_found(cx, message_get(cx, db, (struct message_get_in){ cx->account_id, message_id, accounts_scope_user(cx) }, &row), "message"));
    *ret = full_of(&row);
    return E_OK;
}

enum err_code tickets_recent_messages(struct cx *cx, struct db *db, int64_t ticket_id, int64_t limit, struct message_full **ret, size_t *ret_n)
{
    struct message_row *rows;
    TRY(message_list(cx, db, (struct message_list_in){ .account_id = cx->account_id, .ticket_id = ticket_id, .public_only = true, .limit = limit },
                     &rows, ret_n));
    *ret = NEWN(cx->arena, struct message_full, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = full_of(&rows[i]);
    return E_OK;
}

enum err_code tickets_message_attachments(struct cx *cx, struct db *db, int64_t message_id, struct new_attachment **ret, size_t *ret_n)
{
    struct attachment_row *rows;
    TRY(attachment_list(cx, db, (struct attachment_list_in){ cx->account_id, ids_param(cx->arena, &message_id, 1) }, &rows, ret_n));
    *ret = NEWN(cx->arena, struct new_attachment, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = (struct new_attachment){ .file_name = rows[i].file_name, .content_type = rows[i].content_type,
                                             .hash = rows[i].hash, .content_id = rows[i].content_id,
                                             .size_bytes = rows[i].size_bytes, .inline_part = rows[i].inline_part };
    return E_OK;
}
