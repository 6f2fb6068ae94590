/* email_compose.c - a reply as the mail that leaves: signed Message-ID, references, both bodies, signature, history. */
#include "channels/email/email_internal.h"

enum { REFERENCES_MAX = 20, QUOTE_BYTES = 64 * 1024 };

struct composing {
    const struct email *email;
    struct outgoing *out;
    struct ticket_brief ticket;
    struct message_full message;
    struct contact requester;
    struct user agent;              /* id 0: no agent wrote it */
    struct account account;
    struct mail_addresses to, cc, bcc, from;
    struct buf text, html;
};

/* ---- signature ---- */

static struct str placeholder_value(struct arena *arena, const struct composing *c, struct str name, bool *ret_known)
{
    const struct { const char *name; struct str value; } values[] = {
        { "agent.name", c->agent.name }, { "agent.email", c->agent.email },
        { "ticket.number", arena_printf(arena, "%lld", (long long)c->ticket.number) }, { "ticket.subject", c->ticket.subject },
        { "customer.name", c->requester.name }, { "customer.email", c->requester.email },
        { "mailbox.name", c->out->mailbox.name }, { "mailbox.address", c->out->mailbox.address }, { "account.name", c->account.name },
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        if (str_is(name, values[i].name)) {
            *ret_known = true;
            return values[i].value.ptr ? values[i].value : STR("");
        }
    }
    *ret_known = false;
    return STR("");
}

/* An unknown placeholder stays as it is, so that the mistake is seen.  In HTML the values are escaped after rendering: no
 * customer's name becomes markup. */
static struct str fill(struct arena *arena, const struct composing *c, struct str template, bool html)
{
    struct buf out = buf_new(arena, 0);
    ptrdiff_t open;
    while ((open = str_find(template, STR("{{"))) >= 0) {
        buf_add(&out, str_sub(template, 0, (size_t)open));
        template = str_skip(template, (size_t)open);
        ptrdiff_t close = str_find(template, STR("}}"));
        bool known = false;
        struct str value = close < 0 ? STR("") : placeholder_value(arena, c, str_trim(str_sub(template, 2, (size_t)close - 2)), &known);
        if (!known) {
            buf_lit(&out, "{{");
            template = str_skip(template, 2);
            continue;
        }
        buf_add(&out, html ? html_escape(arena, value) : value);
        template = str_skip(template, (size_t)close + 2);
    }
    buf_add(&out, template);
    return buf_str(&out);
}

static void add_signature(struct cx *cx, struct composing *c)
{
    struct str agent = c->agent.id > 0 ? str_trim(c->agent.signature) : STR("");
    struct str common = str_trim(c->out->mailbox.signature);
    if (agent.len + common.len == 0)
        return;
    struct str markdown = arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(agent), agent.len > 0 && common.len > 0 ? "\n\n" : "", STR_ARG(common));
    buf_lit(&c->text, "\n\n-- \n");
    buf_add(&c->text, fill(cx->arena, c, markdown, false));
    buf_lit(&c->html, "<div class=\"cairn_signature\"><br>-- <br>");
    buf_add(&c->html, fill(cx->arena, c, markdown_to_html(cx->arena, markdown), true));
    buf_lit(&c->html, "</div>");
}

/* ---- history ---- */

static bool saw(struct cx *cx, const struct message_full *earlier, struct mail_addresses list)
{
    const char *const members[] = { "from", "to", "cc" };
    for (size_t i = 0; i < list.n; i++) {
        struct str folded = mail_fold_address(cx->arena, list.items[i].address);
        bool found = false;
        for (size_t m = 0; m < COUNT(members) && !found; m++) {
            struct mail_addresses there = email_addresses_read(cx, earlier->addresses, members[m]);
            for (size_t k = 0; k < there.n && !found; k++)
                found = str_eq(mail_fold_address(cx->arena, there.items[k].address), folded);
        }
        if (!found)
            return false;
    }
    return true;
}

static void quote_text(struct buf *out, struct str text)
{
    struct str line;
    while (str_line(&text, &line))
        buf_printf(out, ">%s%.*s\n", str_has_prefix_char(line, '>') ? "" : " ", STR_ARG(line));
}

/* The message before, but only to people who had it already: nobody new gets what was written before they came. */
static enum err_code add_history(struct cx *cx, struct db *db, struct composing *c)
{
    struct message_full *recent = NULL;
    size_t n = 0;
    if (!c->out->mailbox.quote_history)
        return E_OK;
    TRY(tickets_recent_messages(cx, db, c->ticket.id, 20, &recent, &n));
    const struct message_full *earlier = NULL;
    for (size_t i = 0; i < n && !earlier; i++)
        if (recent[i].id < c->message.id)
            earlier = &recent[i];
    if (!earlier || !saw(cx, earlier, c->to) || !saw(cx, earlier, c->cc) || !saw(cx, earlier, c->bcc))
        return E_OK;
    struct mail_addresses from = email_addresses_read(cx, earlier->addresses, "from");
    struct str who = from.n == 0 ? STR("") : from.items[0].name.len > 0 ? from.items[0].name : from.items[0].address;
    struct str head = arena_printf(cx->arena, "On %.*s, %.*s wrote:", STR_ARG(clock_rfc5322(cx->arena, earlier->created_us)), STR_ARG(who));
    struct str text = utf8_cut(earlier->text, QUOTE_BYTES);
    buf_printf(&c->text, "\n\n%.*s\n", STR_ARG(head));
    quote_text(&c->text, text);
    struct str html = earlier->html.len > 0 && earlier->html.len <= QUOTE_BYTES ? earlier->html : text_to_html(cx->arena, text);
    buf_printf(&c->html, "<br><div class=\"cairn_quote\">%.*s<blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;"
               "border-left:1px solid #ccc;padding-left:1ex\">", STR_ARG(html_escape(cx->arena, head)));
    buf_add(&c->html, html);
    buf_lit(&c->html, "</blockquote></div>");
    return E_OK;
}

/* ---- bodies and headers ---- */

/* Cleaned HTML names its pictures in data-cid and data-remote-src; a mail needs them back. */
static struct str with_pictures(struct arena *arena, struct str html)
{
    return str_replace(arena, str_replace(arena, html, STR("data-cid=\""), STR("src=\"cid:")), STR("data-remote-src=\""), STR("src=\""));
}

static enum err_code write_bodies(struct cx *cx, struct db *db, struct composing *c, struct str token)
{
    c->text = buf_new(cx->arena, 0);
    c->html = buf_new(cx->arena, 0);
    buf_add(&c->text, c->message.text);
    buf_lit(&c->html, "<div>");
    buf_add(&c->html, c->message.html.len > 0 ? c->message.html : text_to_html(cx->arena, c->message.text));
    buf_lit(&c->html, "</div>");
    add_signature(cx, c);
    TRY(add_history(cx, db, c));
    buf_printf(&c->html, "<div style=\"display:none;font-size:0;line-height:0;max-height:0;overflow:hidden\">%.*s</div>",
               STR_ARG(email_marker_make(cx->arena, token)));
    return E_OK;
}

static enum err_code read_parts(struct cx *cx, struct db *db, const struct composing *c, struct mail_out *mail)
{
    struct new_attachment *attachments = NULL;
    size_t n = 0;
    TRY(tickets_message_attachments(cx, db, c->message.id, &attachments, &n));
    mail->parts = NEWN(cx->arena, struct mail_part, n + 1);
    mail->nparts = n;
    for (size_t i = 0; i < n; i++) {
        mail->parts[i] = (struct mail_part){
            .content_type = attachments[i].content_type, .file_name = attachments[i].file_name,
            .content_id = attachments[i].content_id.ptr ? attachments[i].content_id : STR(""), .inline_part = attachments[i].inline_part };
        TRY(blob_get(cx, db, c->email->blobs, attachments[i].hash, EMAIL_MAX_BYTES, &mail->parts[i].content));
    }
    return E_OK;
}

/* Oldest first, as References wants it; In-Reply-To is the newest mail that came in, else our own last one. */
static enum err_code write_references(struct cx *cx, struct db *db, const struct composing *c, struct mail_out *mail)
{
    struct em_header *rows = NULL;
    size_t n = 0;
    TRY(em_mail_headers(cx, db, (struct em_mail_headers_in){ cx->account_id, c->ticket.id, c->out->row.id, REFERENCES_MAX }, &rows, &n));
    mail->references = NEWN(cx->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        mail->references[n - 1 - i] = rows[i].header_message_id;
        if (mail->in_reply_to.len == 0 && str_is(rows[i].direction, "in"))
            mail->in_reply_to = rows[i].header_message_id;
    }
    mail->nreferences = n;
    if (mail->in_reply_to.len == 0 && n > 0)
        mail->in_reply_to = rows[0].header_message_id;
    return E_OK;
}

static void envelope(struct cx *cx, struct db *db, struct composing *c)
{
    const struct mail_addresses lists[] = { c->to, c->cc, c->bcc };
    struct outgoing *out = c->out;
    out->recipients = NEWN(cx->arena, struct str, c->to.n + c->cc.n + c->bcc.n + 1);
    for (size_t l = 0; l < COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l].n; i++) {
            struct em_suppression suppression;
            if (email_suppressed(cx, db, mail_fold_address(cx->arena, lists[l].items[i].address), &suppression))
                out->withheld = arena_printf(cx->arena, "%.*s%s%.*s (%.*s)", STR_ARG(out->withheld), out->withheld.len > 0 ? ", " : "",
                                             STR_ARG(lists[l].items[i].address), STR_ARG(suppression.reason));
            else
                out->recipients[out->nrecipients++] = lists[l].items[i].address;
        }
    }
}

static enum err_code read_all(struct cx *cx, struct db *db, struct composing *c)
{
    TRY(tickets_message(cx, db, c->out->row.message_id, &c->message));
    TRY(tickets_get(cx, db, c->message.ticket_id, &c->ticket));
    TRY(contacts_get(cx, db, c->ticket.requester_id, &c->requester));
    TRY(accounts_account(cx, db, cx->account_id, &c->account));
    TRY(email_sending_mailbox(cx, db, c->out->row.mailbox_id, &c->out->mailbox));
    if (str_is(c->message.author_kind, "user"))
        TRY(accounts_user(cx, db, c->message.author_id, &c->agent));
    c->from = email_addresses_read(cx, c->message.addresses, "from");
    c->to = email_addresses_read(cx, c->message.addresses, "to");
    c->cc = email_addresses_read(cx, c->message.addresses, "cc");
    c->bcc = email_addresses_read(cx, c->message.addresses, "bcc");
    if (c->from.n != 1)
        return fail(cx, E_INVALID, "The message names no sender");
    return E_OK;
}

/* Account setting "plus_address": answers come to support+t.TOKEN@… even from clients that drop all references. */
static enum err_code reply_to(struct cx *cx, const struct composing *c, struct str token, struct mail_out *mail)
{
    struct json_value settings;
    if (c->account.settings.len == 0)
        return E_OK;
    TRY(json_parse(cx, c->account.settings, &settings));
    if (json_bool(&settings, "plus_address", false))
        mail->reply_to = (struct mail_address){ c->from.items[0].name, email_plus_make(cx->arena, c->from.items[0].address, token) };
    return E_OK;
}

enum err_code email_compose(struct cx *cx, struct db *db, const struct email *email, struct outgoing *out)
{
    struct composing *c = NEW(cx->arena, struct composing);
    c->email = email;
    c->out = out;
    TRY(read_all(cx, db, c));
    envelope(cx, db, c);
    bool automatic = str_is(out->row.source, "auto");
    out->envelope_from = automatic ? STR("") : out->mailbox.address;
    if (out->row.raw_hash.len > 0)      /* tried before: the same mail again */
        return blob_get(cx, db, email->blobs, out->row.raw_hash, EMAIL_MAX_BYTES, &out->raw);
    struct email_token token = { c->ticket.id, c->requester.id };
    struct str token_text = email_token_make(cx->arena, email, cx->account_id, token);
    struct mail_header extra[4];
    struct mail_out mail = {
        .from = c->from.items[0], .to = c->to, .cc = c->cc, .subject = out->row.subject, .message_id = out->row.header_message_id,
        .date_us = cx->now_us, .extra = extra, .nextra = automatic ? email_auto_headers(extra, true) : 0,
    };
    TRY(write_bodies(cx, db, c, token_text));
    TRY(write_references(cx, db, c, &mail));
    TRY(read_parts(cx, db, c, &mail));
    TRY(reply_to(cx, c, token_text, &mail));
    mail.text = buf_str(&c->text);
    mail.html = with_pictures(cx->arena, buf_str(&c->html));
    return mail_compose(cx, &mail, &out->raw);
}
