/* tickets_message_shape.c - messages and attachments as the API shows them. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"

static const struct field author_fields[] = {
    TEXT_FIELD(struct author_out, kind, .doc = "contact, user or system"),
    ID_FIELD(struct author_out, id, .nullable = true, .doc = "Contact or user"),
    TEXT_FIELD(struct author_out, name, .doc = "Name, perhaps empty"),
    TEXT_FIELD(struct author_out, email, .doc = "E-mail address, perhaps empty"),
};
static SHAPE(author_shape, "Author", struct author_out, author_fields);

static const struct field address_fields[] = {
    TEXT_FIELD(struct address_out, name, .doc = "Display name, perhaps empty"),
    TEXT_FIELD(struct address_out, address, .doc = "local@domain"),
};
SHAPE(address_shape, "Address", struct address_out, address_fields);

static const struct field attachment_fields[] = {
    ID_FIELD(struct attachment_out, id, .doc = "Id of the attachment"),
    TEXT_FIELD(struct attachment_out, file_name, .doc = "Base name"),
    TEXT_FIELD(struct attachment_out, content_type, .doc = "type/subtype"),
    INT_FIELD(struct attachment_out, size, .doc = "Bytes"),
    { .name = "inline", .doc = "Shown in the body", .type = F_BOOL, .offset = FIELD_OFFSET(struct attachment_out, inline_part, bool) },
    TEXT_FIELD(struct attachment_out, content_id, .nullable = true, .doc = "Of an inline picture: data-cid in the body"),
    TIME_FIELD(struct attachment_out, created_at, .doc = "When it came"),
};
SHAPE(attachment_shape, "Attachment", struct attachment_out, attachment_fields);

static const struct field message_fields[] = {
    ID_FIELD(struct message_out, id, .doc = "Id of the message"),
    ID_FIELD(struct message_out, ticket_id, .doc = "Its ticket"),
    TEXT_FIELD(struct message_out, visibility, .doc = "public or internal"),
    OBJECT_FIELD(struct message_out, author, &author_shape, .doc = "Who wrote it"),
    TEXT_FIELD(struct message_out, channel, .doc = "email, web, api or import"),
    BOOL_FIELD(struct message_out, automatic, .doc = "Automatic reply, out of office or report"),
    TEXT_FIELD(struct message_out, subject, .doc = "Of the mail; empty elsewhere"),
    TEXT_FIELD(struct message_out, text, .doc = "What was newly written, as plain text"),
    TEXT_FIELD(struct message_out, html, .nullable = true, .doc = "The same as cleaned HTML; null: there was none"),
    TEXT_FIELD(struct message_out, quoted_text, .nullable = true, .doc = "Folded history and signature"),
    TEXT_FIELD(struct message_out, quoted_html, .nullable = true, .doc = "The whole cleaned HTML when something is folded"),
    OBJECT_FIELD(struct message_out, from, &address_shape, .nullable = true, .doc = "Sender"),
    LIST_FIELD(struct message_out, to, &address_shape, .doc = "Recipients"),
    LIST_FIELD(struct message_out, cc, &address_shape, .doc = "Copies"),
    LIST_FIELD(struct message_out, bcc, &address_shape, .doc = "Hidden copies"),
    LIST_FIELD(struct message_out, attachments, &attachment_shape, .doc = "Files"),
    ID_FIELD(struct message_out, mail_id, .nullable = true, .doc = "Its entry in the mail log"),
    TEXT_FIELD(struct message_out, delivery, .doc = "none, held, queued, sent, failed, bounced or cancelled"),
    TEXT_FIELD(struct message_out, delivery_detail, .doc = "Server's answer or reason"),
    TIME_FIELD(struct message_out, send_at, .nullable = true, .doc = "Leaves not before"),
    TIME_FIELD(struct message_out, created_at, .doc = "When it was written or received"),
    INT_FIELD(struct message_out, version, .doc = "Grows with every change"),
};
SHAPE(message_shape, "Message", struct message_out, message_fields);

struct attachment_out attachment_out_of(const struct attachment_row *r)
{
    return (struct attachment_out){ r->id, r->file_name, r->content_type, r->size_bytes, r->inline_part, r->content_id, r->created_us };
}

static struct address_out address_of(const struct json_value *v)
{
    struct str name = json_text(v, "name"), address = json_text(v, "address");
    return (struct address_out){ name.ptr ? name : STR(""), address.ptr ? address : STR("") };
}

static struct list addresses_of(struct cx *cx, const struct json_value *list)
{
    size_t n = list && list->kind == JSON_LIST ? list->n : 0;
    struct address_out *items = NEWN(cx->arena, struct address_out, n + 1);
    for (size_t i = 0; i < n; i++)
        items[i] = address_of(&list->items[i]);
    return (struct list){ .items = items, .n = n };
}

enum err_code message_read_addresses(struct cx *cx, struct str json, struct message_out *m)
{
    struct json_value v;
    TRY(json_parse(cx, json, &v));
    const struct json_value *from = json_get(&v, "from");
    if (from && from->kind == JSON_OBJECT) {
        struct address_out *address = NEW(cx->arena, struct address_out);
        *address = address_of(from);
        m->from = address;
    }
    m->to = addresses_of(cx, json_get(&v, "to"));
    m->cc = addresses_of(cx, json_get(&v, "cc"));
    m->bcc = addresses_of(cx, json_get(&v, "bcc"));
    return E_OK;
}

/* Authors of a page, each kind read once. */
struct authors {
    struct contact_brief *contacts;
    struct user *users;
    size_t ncontacts, nusers;
};

static enum err_code read_authors(struct cx *cx, struct db *db, const struct message_row *rows, size_t n, struct authors *a)
{
    int64_t *contacts = NEWN(cx->arena, int64_t, n + 1), *users = NEWN(cx->arena, int64_t, n + 1);
    size_t ncontacts = 0, nusers = 0;
    for (size_t i = 0; i < n; i++)
        if (str_is(rows[i].author_kind, "contact"))
            contacts[ncontacts++] = rows[i].author_id;
        else if (str_is(rows[i].author_kind, "user"))
            users[nusers++] = rows[i].author_id;
    if (ncontacts)
        TRY(contacts_briefs(cx, db, contacts, ncontacts, &a->contacts, &a->ncontacts));
    if (nusers)
        TRY(accounts_users(cx, db, users, nusers, &a->users, &a->nusers));
    return E_OK;
}

static const struct author_out *author_of(struct cx *cx, const struct message_row *m, const struct authors *a)
{
    struct author_out *out = NEW(cx->arena, struct author_out);
    *out = (struct author_out){ .kind = m->author_kind, .id = m->author_id, .name = STR(""), .email = STR("") };
    if (str_is(m->author_kind, "contact")) {
        for (size_t i = 0; i < a->ncontacts; i++)
            if (a->contacts[i].id == m->author_id)
                out->name = a->contacts[i].name, out->email = a->contacts[i].email;
    } else if (str_is(m->author_kind, "user")) {
        for (size_t i = 0; i < a->nusers; i++)
            if (a->users[i].id == m->author_id)
                out->name = a->users[i].name, out->email = a->users[i].email;
    }
    return out;
}

static struct list attachments_of(struct cx *cx, int64_t message_id, const struct attachment_row *rows, size_t n)
{
    struct attachment_out *items = NEWN(cx->arena, struct attachment_out, n + 1);
    size_t nitems = 0;
    for (size_t i = 0; i < n; i++)
        if (rows[i].message_id == message_id)
            items[nitems++] = attachment_out_of(&rows[i]);
    return (struct list){ .items = items, .n = nitems };
}

enum err_code message_outs(struct cx *cx, struct db *db, const struct message_row *rows, size_t n, struct message_out **ret)
{
    struct authors authors = { 0 };
    struct attachment_row *attachments = NULL;
    size_t nattachments = 0;
    int64_t *ids = NEWN(cx->arena, int64_t, n + 1);
    for (size_t i = 0; i < n; i++)
        ids[i] = rows[i].id;
    TRY(read_authors(cx, db, rows, n, &authors));
    if (n)
        TRY(attachment_list(cx, db, (struct attachment_list_in){ cx->account_id, ids_param(cx->arena, ids, n) }, &attachments, &nattachments));
    struct message_out *out = *ret = NEWN(cx->arena, struct message_out, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct message_row *r = &rows[i];
        out[i] = (struct message_out){
            .id = r->id, .ticket_id = r->ticket_id, .visibility = r->visibility, .author = author_of(cx, r, &authors),
            .channel = r->channel, .automatic = r->automatic, .subject = r->subject, .text = r->body_text, .html = r->body_html,
            .quoted_text = r->quoted_text, .quoted_html = r->quoted_html, .mail_id = r->mail_id, .delivery = r->delivery,
            .delivery_detail = r->delivery_detail, .send_at = r->send_at_us, .created_at = r->created_us, .version = r->version,
            .attachments = attachments_of(cx, r->id, attachments, nattachments),
        };
        TRY(message_read_addresses(cx, r->addresses, &out[i]));
    }
    return E_OK;
}

enum err_code messages_newest(struct cx *cx, struct db *db, int64_t ticket_id, int64_t limit, struct list *ret, int64_t *ret_oldest_id, bool *ret_more)
{
    struct message_row *rows;
    struct message_out *out;
    size_t n;
    TRY(message_list(cx, db, (struct message_list_in){ .account_id = cx->account_id, .ticket_id = ticket_id, .limit = limit + 1 }, &rows, &n));
    *ret_more = n > (size_t)limit;
    n = MIN(n, (size_t)limit);
    *ret_oldest_id = n ? rows[n - 1].id : 0;
    for (size_t i = 0; i < n / 2; i++) {
        struct message_row swap = rows[i];
        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = swap;
    }
    TRY(message_outs(cx, db, rows, n, &out));
    *ret = (struct list){ .items = out, .n = n };
    return E_OK;
}
