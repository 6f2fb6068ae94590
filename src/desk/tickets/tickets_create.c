/* tickets_create.c - a new ticket with its first message. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"
#include "platform/text/text.h"

static struct str or_else(struct str given, struct str otherwise)
{
    return given.len ? given : otherwise;
}

static struct ticket_row ticket_of(struct cx *cx, const struct new_ticket *new)
{
    const struct new_message *m = &new->message;
    int64_t at = m->created_us ? m->created_us : new->created_us ? new->created_us : cx->now_us;
    struct ticket_row t = {
        .subject = or_else(utf8_cut(str_trim(new->subject), 998), STR("(no subject)")),
        .status = or_else(new->status, STR("new")), .priority = or_else(new->priority, STR("normal")),
        .severity = new->severity.len ? new->severity : STR_NONE, .type = or_else(new->type, STR("question")),
        .channel = or_else(new->channel, STR("api")), .team_id = new->team_id, .assignee_id = new->assignee_id,
        .requester_id = new->requester_id, .mailbox_id = new->mailbox_id, .spam = new->spam, .follow_up_of = new->follow_up_of,
        .preview = m->internal ? STR("") : text_preview(cx->arena, m->text, PREVIEW_BYTES), .message_count = 1,
        .created_us = new->created_us ? new->created_us : at, .updated_us = cx->now_us, .activity_us = at,
        .customer_us = message_is_from_customer(m) ? at : 0, .agent_us = message_is_human_reply(m) ? at : 0,
        .fields = or_else(new->fields, STR("{}")), .version = 1,
    };
    bool closed = str_is(t.status, "closed");
    if (closed || str_is(t.status, "resolved"))
        t.resolved_us = t.first_resolved_us = at;
    if (closed)
        t.closed_us = at;
    return t;
}

static enum err_code insert(struct cx *cx, struct db *db, struct ticket_row *t)
{
    struct tickets_id_row row;
    TRY(ticket_insert(cx, db,
                      (struct ticket_insert_in){
                          .account_id = cx->account_id, .number = t->number, .subject = t->subject, .status = t->status,
                          .priority = t->priority, .severity = t->severity, .type = t->type, .channel = t->channel,
                          .team_id = t->team_id, .assignee_id = t->assignee_id, .requester_id = t->requester_id,
                          .mailbox_id = t->mailbox_id, .unresolved = !t->resolved_us, .spam = t->spam,
                          .follow_up_of = t->follow_up_of, .preview = t->preview, .created_us = t->created_us,
                          .updated_us = t->updated_us, .activity_us = t->activity_us, .customer_us = t->customer_us,
                          .agent_us = t->agent_us, .resolved_us = t->resolved_us, .closed_us = t->closed_us, .fields = t->fields },
                      &row));
    t->id = row.id;
    return E_OK;
}

static struct str created_data(struct cx *cx, const struct ticket_row *t)
{
    struct buf b = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&b);
    json_open_object(&w, NULL);
    json_put_int(&w, "number", t->number);
    json_put_text(&w, "status", t->status);
    json_put_text(&w, "priority", t->priority);
    json_put_text(&w, "type", t->type);
    json_put_text(&w, "channel", t->channel);
    json_put_id(&w, "requester_id", t->requester_id);
    json_put_id(&w, "mailbox_id", t->mailbox_id);
    json_put_id(&w, "follow_up_of", t->follow_up_of);
    json_put_bool(&w, "spam", t->spam);
    json_close_object(&w);
    return buf_str(&b);
}

enum err_code ticket_begin(struct cx *cx, struct db *db, const struct new_ticket *new, struct ticket_row *ret, int64_t *ret_message_seq)
{
    struct journal_slots slots;
    *ret = ticket_of(cx, new);
    TRY(journal_reserve(cx, db, 2, 1, &slots));
    ret->number = slots.first_number;
    *ret_message_seq = slots.first_seq + 1;
    TRY(insert(cx, db, ret));
    TRY(ticket_count(cx, db, ret, 1));
    TRY(ticket_emit_as(cx, db, slots.first_seq, STR("ticket.created"), ret, ret->id, created_data(cx, ret)));
    if (!new->ntags)
        return E_OK;
    struct list tags = { .items = NEWN(cx->arena, struct str, new->ntags), .n = new->ntags, .given = true };
    memcpy(tags.items, new->tags, sizeof(struct str) * new->ntags);
    struct changes c = changes_begin(cx);
    TRY(tags_change(cx, db, ret->id, (struct tag_change){ .set = &tags }, &c));
    return ticket_emit(cx, db, STR("ticket.changed"), ret, ret->id, changes_end(&c));
}

enum err_code tickets_create(struct cx *cx, struct db *db, const struct new_ticket *new, struct ticket_made *ret)
{
    struct ticket_row t;
    int64_t message_seq;
    TRY(ticket_begin(cx, db, new, &t, &message_seq));
    *ret = (struct ticket_made){ .ticket_id = t.id, .number = t.number, .version = t.version };
    return message_write(cx, db, &t, &new->message, message_seq, &ret->message_id);
}
