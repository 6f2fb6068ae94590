/* email_read.c - reading a stored mail: what it is, who wrote it, what it says.  No change to the database. */
#include "channels/email/email_internal.h"

struct read_row {
    struct email *email;
    int64_t mail_id;
    struct intake *in;
};

static enum err_code read_row(struct cx *cx, struct db *db, void *arg)
{
    struct read_row *read = arg;
    struct intake *in = read->in;
    TRY(em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, read->mail_id }, &in->row));
    if (!str_is(in->row.direction, "in"))
        return fail(cx, E_NOT_FOUND, "This is not a received mail");
    if (in->row.raw_hash.len == 0) {
        in->code = E_LIMIT;
        in->why_not = in->row.detail;
        return E_OK;
    }
    if (in->row.mailbox_id > 0
        && em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, in->row.mailbox_id }, &in->mailbox) != E_OK)
        in->mailbox = (struct em_mailbox){ 0 };     /* deleted meanwhile */
    return blob_get(cx, db, read->email->blobs, in->row.raw_hash, EMAIL_MAX_BYTES, &in->raw);
}

/* ---- who ---- */

static void put_addresses(struct json_writer *w, const char *name, struct mail_addresses list)
{
    json_open_list(w, name);
    for (size_t i = 0; i < list.n; i++) {
        json_open_object(w, NULL);
        json_put_text(w, "name", list.items[i].name);
        json_put_text(w, "address", list.items[i].address);
        json_close_object(w);
    }
    json_close_list(w);
}

static struct str addresses_json(struct cx *cx, const struct intake *in)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_open_object(&w, "from");
    json_put_text(&w, "name", in->sender.name);
    json_put_text(&w, "address", in->sender.address);
    json_close_object(&w);
    put_addresses(&w, "to", in->mail.to);
    put_addresses(&w, "cc", in->mail.cc);
    json_open_list(&w, "bcc");
    json_close_list(&w);
    put_addresses(&w, "reply_to", in->mail.reply_to);
    json_close_object(&w);
    return buf_str(&out);
}

static void put_folded(struct cx *cx, struct json_writer *w, struct map *seen, struct str address)
{
    struct str folded = mail_fold_address(cx->arena, address);
    if (folded.len == 0 || map_get(seen, folded))
        return;
    map_put(seen, folded, seen);
    json_put_text(w, NULL, folded);
}

/* Envelope recipient first, then the headers'. */
static struct str recipients_json(struct cx *cx, const struct intake *in)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    struct map *seen = map_new(cx->arena);
    json_open_list(&w, NULL);
    struct json_value envelope;
    if (json_parse(cx, in->row.to_addresses, &envelope) == E_OK)
        for (size_t i = 0; envelope.kind == JSON_LIST && i < envelope.n; i++)
            put_folded(cx, &w, seen, envelope.items[i].text);
    const struct mail_addresses lists[] = { in->mail.to, in->mail.cc, in->mail.delivered_to };
    for (size_t l = 0; l < COUNT(lists); l++)
        for (size_t i = 0; i < lists[l].n; i++)
            put_folded(cx, &w, seen, lists[l].items[i].address);
    json_close_list(&w);
    return buf_str(&out);
}

static bool usable(struct mail_addresses list)
{
    return list.n > 0 && mail_address_valid(list.items[0].address);
}

/* A contact form sends as our own address and names the customer in Reply-To. */
static void find_sender(struct cx *cx, struct intake *in)
{
    const struct mail *mail = &in->mail;
    if (usable(mail->from))
        in->sender = mail->from.items[0];
    else if (usable(mail->sender))
        in->sender = mail->sender.items[0];
    else if (usable(mail->reply_to))
        in->sender = mail->reply_to.items[0];
    else if (mail_address_valid(in->row.from_address))
        in->sender = (struct mail_address){ STR(""), in->row.from_address };
    struct str folded = mail_fold_address(cx->arena, in->sender.address);
    if (in->mailbox.id > 0 && str_eq(folded, in->mailbox.address_folded) && usable(mail->reply_to)) {
        in->sender = mail->reply_to.items[0];
        folded = mail_fold_address(cx->arena, in->sender.address);
    }
    in->sender_folded = folded;
}

static void read_auth(struct intake *in)
{
    if (in->mailbox.id == 0 || in->mailbox.in_trusted_host.len == 0)
        return;
    in->auth = mail_auth_results(&in->mail, in->mailbox.in_trusted_host);
    enum mail_auth spf = in->auth.spf, dkim = in->auth.dkim, dmarc = in->auth.dmarc;
    in->auth_failed = dmarc == MAIL_AUTH_FAIL || (dmarc == MAIL_AUTH_NONE && dkim == MAIL_AUTH_FAIL && spf != MAIL_AUTH_PASS)
                      || (dmarc == MAIL_AUTH_NONE && spf == MAIL_AUTH_FAIL && dkim != MAIL_AUTH_PASS);
    in->auth_passed = !in->auth_failed && (dmarc == MAIL_AUTH_PASS || dkim == MAIL_AUTH_PASS || spf == MAIL_AUTH_PASS);
}

/* ---- what ---- */

static void read_bodies(struct cx *cx, struct intake *in)
{
    struct arena *arena = cx->arena;
    struct str text = email_marker_strip(arena, in->mail.text);
    struct mail_reply reply = mail_split_text(arena, text);
    bool folds = str_trim(reply.visible).len > 0 && str_trim(reply.folded).len > 0;
    in->text = folds ? reply.visible : text;
    in->quoted_text = folds ? reply.folded : STR_NONE;
    if (in->mail.html.len == 0)
        return;
    struct str clean = html_clean(arena, email_marker_strip(arena, in->mail.html));
    struct mail_reply split = mail_split_html(arena, clean);
    bool folds_html = str_trim(split.folded).len > 0
                      && (str_trim(html_to_text(arena, split.visible)).len > 0 || str_ifind(split.visible, STR("<img")) >= 0);
    in->html = folds_html ? split.visible : clean;
    in->quoted_html = folds_html ? clean : STR_NONE;
    if (folds_html) {   /* both views of a mail show the same */
        in->text = html_to_text(arena, split.visible);
        in->quoted_text = html_to_text(arena, split.folded);
    } else if (folds) {
        in->text = text;
        in->quoted_text = STR_NONE;
    }
}

/* Large attachments go to disk now, small ones into the table in the unit. */
static enum err_code read_attachments(struct cx *cx, struct email *email, struct intake *in)
{
    size_t n = in->mail.nparts;
    in->attachments = NEWN(cx->arena, struct new_attachment, n + 1);
    in->writers = NEWN(cx->arena, struct blob_writer *, n + 1);
    in->nattachments = n;
    for (size_t i = 0; i < n; i++) {
        const struct mail_part *part = &in->mail.parts[i];
        struct new_attachment *att = &in->attachments[i];
        *att = (struct new_attachment){
            .file_name = part->file_name, .content_type = part->content_type,
            .content_id = part->content_id.len > 0 ? part->content_id : STR_NONE,
            .size_bytes = (int64_t)part->content.len, .inline_part = part->inline_part,
        };
        if (part->content.len <= BLOB_INLINE_BYTES)
            continue;
        int64_t size = 0;
        TRY(blob_writer_open(cx, email->blobs, part->content.len, &in->writers[i]));
        TRY(blob_writer_add(cx, in->writers[i], part->content));
        TRY(blob_writer_finish(cx, in->writers[i], &att->hash, &size));
    }
    return E_OK;
}

void email_read_done(struct intake *in)
{
    for (size_t i = 0; i < in->nattachments; i++)
        if (in->writers[i])
            blob_writer_free(&in->writers[i]);
}

/* ---- forwarded by a colleague ---- */

/* "From: Ann <ann@example.com>" in the block that mail clients put over a forwarded text. */
static bool forwarded_line(struct arena *arena, struct str line, struct mail_address *ret)
{
    static const char *const names[] = { "From", "Von", "De", "Da", "Van", "Från", "Fra", "Od", "От", "Lähettäjä", "Expéditeur",
                                         "Mittente", "Gönderen", "Kimden", "Feladó", "差出人", "发件人", "寄件者", "보낸 사람", "Von:" };
    while (line.len > 0 && strchr("> *\t", line.ptr[0]))
        line = str_skip(line, 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str name = str_of(names[i]);
        if (!str_istarts(line, name))
            continue;
        struct str rest = str_trim(str_skip(line, name.len));
        while (rest.len > 0 && strchr("* ", rest.ptr[0]))
            rest = str_skip(rest, 1);
        bool wide = str_starts(rest, STR("："));
        if (!wide && !str_has_prefix_char(rest, ':'))
            continue;
        rest = str_skip(rest, wide ? 3 : 1);
        while (rest.len > 0 && strchr("* \t", rest.ptr[0]))
            rest = str_skip(rest, 1);
        rest = str_replace(arena, str_replace(arena, rest, STR("[mailto:"), STR("<")), STR("]"), STR(">"));
        struct mail_addresses list = mail_parse_addresses(arena, rest);
        if (list.n > 0 && mail_address_valid(list.items[0].address)) {
            *ret = list.items[0];
            return true;
        }
    }
    return false;
}

/* The subject behind "Fwd:" in the usual languages; as it is when there is none. */
static struct str without_forward_mark(struct str subject)
{
    static const char *const marks[] = { "fwd:", "fw:", "wg:", "tr:", "i:", "rv:", "enc:", "doorst:", "vs:", "vb:", "pd:", "ilt:" };
    for (size_t i = 0; i < COUNT(marks); i++)
        if (str_istarts(subject, str_of(marks[i])))
            return str_trim(str_skip(subject, strlen(marks[i])));
    return subject;
}

static void read_forward(struct cx *cx, struct intake *in)
{
    in->forwarded_subject = without_forward_mark(str_trim(in->mail.subject));
    if (in->forwarded_subject.len == str_trim(in->mail.subject).len)
        return;
    for (size_t i = 0; i < in->mail.nparts; i++) {
        struct mail inner;
        if (!str_is(in->mail.parts[i].content_type, "message/rfc822")
            || mail_parse(cx, in->mail.parts[i].content, (struct mail_limits){ 0 }, &inner) != E_OK || !usable(inner.from))
            continue;
        in->is_forward = true;
        in->forwarded_from = inner.from.items[0];
        return;
    }
    struct str rest = in->mail.text, line;
    while (!in->is_forward && str_line(&rest, &line))
        in->is_forward = forwarded_line(cx->arena, line, &in->forwarded_from);
}

/* ---- all together ---- */

static void settle_time(struct cx *cx, struct intake *in)
{
    in->historic = str_is(in->row.source, "import");
    in->at_us = in->row.created_us;
    bool plausible = in->mail.date_us > INT64_C(600000000) * US_PER_SECOND && in->mail.date_us <= cx->now_us;
    if (in->historic && plausible)
        in->at_us = in->mail.date_us;
}

static void understand(struct cx *cx, struct intake *in)
{
    struct arena *arena = cx->arena;
    in->content_hash = mail_content_hash(arena, &in->mail, in->raw);
    in->message_id = in->mail.message_id.len > 0
                         ? utf8_cut(in->mail.message_id, 900)
                         : arena_printf(arena, "%.*s@no-message-id.invalid", STR_ARG(in->content_hash));
    find_sender(cx, in);
    read_auth(in);
    settle_time(cx, in);
    in->verdict = mail_classify(arena, &in->mail, in->row.from_address, &in->why);
    in->is_bounce = mail_read_bounce(arena, &in->mail, &in->bounce);
    if (in->is_bounce && in->verdict == MAIL_HUMAN)
        in->verdict = MAIL_DELIVERY_REPORT;
    in->automatic = in->verdict != MAIL_HUMAN;
    in->addresses = addresses_json(cx, in);
    in->recipients = recipients_json(cx, in);
    read_bodies(cx, in);
    read_forward(cx, in);
}

enum err_code email_read(struct cx *cx, struct email *email, int64_t mail_id, struct intake *ret)
{
    *ret = (struct intake){ 0 };
    struct read_row read = { email, mail_id, ret };
    TRY(store_read(email->store, cx, read_row, &read));
    if (ret->code != E_OK)
        return E_OK;
    ret->code = mail_parse(cx, ret->raw, (struct mail_limits){ 0 }, &ret->mail);
    if (ret->code == E_OK) {
        understand(cx, ret);
        ret->code = read_attachments(cx, email, ret);
    }
    if (ret->code == E_BUSY)
        return E_BUSY;
    ret->ready = ret->code == E_OK;
    if (!ret->ready) {
        struct str limit = cx->failure.field ? arena_printf(cx->arena, " (%s)", cx->failure.field) : STR("");
        ret->why_not = arena_printf(cx->arena, "%.*s%.*s", STR_ARG(cx->failure.message), STR_ARG(limit));
        failure_clear(cx);
    }
    return E_OK;
}
