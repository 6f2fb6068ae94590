/* tickets_reply.c - what an agent writes: the body, its recipients, and the channel by which it leaves. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"
#include "platform/text/text.h"

enum { MAX_CHANNELS = 8 };
static struct channel channels[MAX_CHANNELS];
static size_t nchannels;

void tickets_register_channel(const struct channel *channel)
{
    for (size_t i = 0; i < nchannels; i++)
        if (strcmp(channels[i].name, channel->name) == 0) {
            channels[i] = *channel;
            return;
        }
    ASSERT(nchannels < MAX_CHANNELS);
    channels[nchannels++] = *channel;
}

const struct channel *reply_channel(void)
{
    for (size_t i = 0; i < nchannels; i++)
        if (strcmp(channels[i].name, "email") == 0)
            return &channels[i];
    return NULL;
}

enum err_code body_of(struct cx *cx, struct str text, struct str html, const char *field, struct new_message *ret)
{
    if (text.ptr && html.ptr)
        return fail_field(cx, field, "Give either text or html");
    if (html.ptr) {
        ret->html = html_clean(cx->arena, html);
        ret->text = html_to_text(cx->arena, ret->html);
    } else {
        ret->text = text;
    }
    bool pictures = ret->html.ptr && str_ifind(ret->html, STR("<img")) >= 0;
    if (!str_trim(ret->text).len && !pictures)
        return fail_field(cx, field, "The message is empty");
    return E_OK;
}

static void write_warnings(struct cx *cx, const struct reply_plan *plan)
{
    struct buf b = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&b);
    json_open_list(&w, NULL);
    for (size_t i = 0; i < plan->nwarnings; i++) {
        json_open_object(&w, NULL);
        json_put_text(&w, "code", plan->warnings[i].code);
        json_put_text(&w, "address", plan->warnings[i].address);
        json_put_text(&w, "text", plan->warnings[i].text);
        json_close_object(&w);
    }
    json_close_list(&w);
    cx->failure.extra = arena_printf(cx->arena, "\"warnings\":%.*s", STR_ARG(buf_str(&b)));
}

static enum err_code settle(struct cx *cx, struct db *db, const struct channel *channel, struct reply_request *request, bool confirm)
{
    if (!confirm) {
        struct reply_plan plan = { 0 };
        TRY(channel->preview(cx, db, request, &plan, channel->arg));
        if (plan.nwarnings) {
            enum err_code code = fail(cx, E_CONFLICT, "%.*s", STR_ARG(plan.warnings[0].text));
            write_warnings(cx, &plan);
            return code;
        }
    }
    return channel->prepare(cx, db, request, channel->arg);
}

enum err_code reply_prepare(struct cx *cx, struct db *db, const struct ticket_row *ticket, const struct agent_reply *reply,
                            struct reply_request *request, struct new_message *message)
{
    const struct channel *channel = reply->internal ? NULL : reply_channel();
    struct str own = str_is(cx->actor, "token") ? STR("api") : STR("web");
    *message = (struct new_message){ .internal = reply->internal, .author_kind = STR("user"), .author_id = cx->user_id,
                                     .channel = channel ? str_of(channel->name) : own,
                                     .attachment_ids = reply->attachments.items, .nattachment_ids = reply->attachments.n };
    TRY(body_of(cx, reply->text, reply->html, "text", message));
    if (!channel)
        return E_OK;
    *request = (struct reply_request){ .ticket = ticket_brief_of(ticket), .message = message, .to = reply->to.items,
                                       .nto = reply->to.n, .cc = reply->cc.items, .ncc = reply->cc.n, .bcc = reply->bcc.items,
                                       .nbcc = reply->bcc.n, .cc_given = reply->cc.given, .send_at_us = reply->send_at_us };
    enum err_code code = settle(cx, db, channel, request, reply->confirm);
    /* An account without mailboxes works on its tickets all the same; their customers read the answers elsewhere. */
    bool no_way_out = code == E_INVALID && cx->failure.field && strcmp(cx->failure.field, "mailbox_id") == 0;
    if (!no_way_out || ticket->mailbox_id)
        return code;
    failure_clear(cx);
    request->message = NULL;
    message->channel = own;
    return E_OK;
}

enum err_code reply_enqueue(struct cx *cx, struct db *db, const struct reply_request *request, int64_t message_id)
{
    const struct channel *channel = reply_channel();
    return request->message ? channel->enqueue(cx, db, request, message_id, channel->arg) : E_OK;
}
