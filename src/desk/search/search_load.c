/* search_load.c - documents of the index, made from messages, tickets and contacts. */
#include "search_internal.h"

#include <inttypes.h>

#include "platform/json/json.h"
#include "platform/text/text.h"

enum {
    MAX_BODY_BYTES = 64 << 10,          /* folded text of one document; the rest is not searched */
    MAX_ATTACHMENT_BYTES = 256 << 10,   /* text attachments larger than this are found by name only */
};

struct str search_id_list(struct arena *arena, const int64_t *ids, size_t n)
{
    struct buf b = buf_new(arena, 0);
    buf_lit(&b, "[");
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%" PRId64, i ? "," : "", ids[i]);
    buf_lit(&b, "]");
    return buf_str(&b);
}

struct str search_scope(struct arena *arena, int64_t account_id)
{
    return arena_printf(arena, "account%" PRId64, account_id);
}

static struct str fold(struct cx *cx, struct buf *text)
{
    return utf8_cut(text_fold(cx->arena, utf8_cut(buf_str(text), 2 * MAX_BODY_BYTES)), MAX_BODY_BYTES);
}

static struct str fold_two(struct cx *cx, struct str a, struct str b)
{
    return text_fold(cx->arena, arena_printf(cx->arena, "%.*s %.*s", STR_ARG(a), STR_ARG(b)));
}

static void add_line(struct buf *b, struct str s)
{
    buf_add(b, s);
    buf_char(b, '\n');
}

/* Names and addresses of "to", "cc" and "bcc". */
static struct str recipients_of(struct cx *cx, struct str addresses)
{
    static const char *const lists[] = { "to", "cc", "bcc" };
    struct json_value all = { 0 };
    struct buf b = buf_new(cx->arena, 0);
    if (json_parse(cx, addresses, &all) != E_OK) {
        failure_clear(cx);      /* a message without readable addresses is found by its text */
        return STR("");
    }
    for (size_t i = 0; i < COUNT(lists); i++) {
        const struct json_value *list = json_get(&all, lists[i]);
        for (size_t k = 0; list && list->kind == JSON_LIST && k < list->n; k++) {
            add_line(&b, json_text(&list->items[k], "name"));
            add_line(&b, json_text(&list->items[k], "address"));
        }
    }
    return fold(cx, &b);
}

static enum err_code add_attachment(struct cx *cx, struct db *db, struct blobs *blobs, const struct search_attachment_row *a, struct buf *body)
{
    struct str content = STR_NONE, charset = STR_NONE;
    add_line(body, a->file_name);
    if (!str_starts(a->content_type, STR("text/")) || a->size_bytes > MAX_ATTACHMENT_BYTES)
        return E_OK;
    TRY(blob_get(cx, db, blobs, a->hash, MAX_ATTACHMENT_BYTES, &content));
    content = text_decode(cx->arena, content, STR("utf-8"), &charset);
    add_line(body, str_is(a->content_type, "text/html") ? html_to_text(cx->arena, content) : content);
    return E_OK;
}

static enum err_code load_messages(struct cx *cx, struct db *db, struct blobs *blobs, struct str ids, struct search_doc *docs, size_t *n)
{
    struct search_message_row *rows = NULL;
    struct search_attachment_row *files = NULL;
    size_t nrows = 0, nfiles = 0;
    TRY(search_messages(cx, db, (struct search_messages_in){ cx->account_id, ids }, &rows, &nrows));
    TRY(search_attachments(cx, db, (struct search_attachments_in){ cx->account_id, ids }, &files, &nfiles));
    for (size_t i = 0, f = 0; i < nrows; i++) {
        struct search_message_row *m = &rows[i];
        struct buf body = buf_new(cx->arena, 0);
        add_line(&body, m->body);
        for (; f < nfiles && files[f].message_id <= m->id; f++)
            if (files[f].message_id == m->id)
                TRY(add_attachment(cx, db, blobs, &files[f], &body));
        docs[(*n)++] = (struct search_doc){
            .kind = STR("message"), .ref_id = m->id, .at_us = m->at_us,
            .title = text_fold(cx->arena, m->subject.len ? m->subject : m->ticket_subject),
            .author = fold_two(cx, m->author_name, m->author_email), .recipients = recipients_of(cx, m->addresses), .body = fold(cx, &body) };
    }
    return E_OK;
}

static enum err_code load_tickets(struct cx *cx, struct db *db, struct str ids, struct search_doc *docs, size_t *n)
{
    struct search_ticket_row *rows = NULL;
    struct search_tag_row *tags = NULL;
    size_t nrows = 0, ntags = 0;
    TRY(search_tickets(cx, db, (struct search_tickets_in){ cx->account_id, ids }, &rows, &nrows));
    TRY(search_tags(cx, db, (struct search_tags_in){ cx->account_id, ids }, &tags, &ntags));
    for (size_t i = 0, k = 0; i < nrows; i++) {
        struct buf body = buf_new(cx->arena, 0);
        buf_printf(&body, "%" PRId64 "\n", rows[i].number);
        for (; k < ntags && tags[k].ticket_id <= rows[i].id; k++)
            if (tags[k].ticket_id == rows[i].id)
                add_line(&body, tags[k].name);
        docs[(*n)++] = (struct search_doc){
            .kind = STR("ticket"), .ref_id = rows[i].id, .at_us = rows[i].at_us, .title = text_fold(cx->arena, rows[i].subject),
            .author = fold_two(cx, rows[i].requester_name, rows[i].requester_email), .body = fold(cx, &body) };
    }
    return E_OK;
}

static enum err_code load_contacts(struct cx *cx, struct db *db, struct str ids, struct search_doc *docs, size_t *n)
{
    struct search_contact_row *rows = NULL;
    size_t nrows = 0;
    TRY(search_contacts(cx, db, (struct search_contacts_in){ cx->account_id, ids }, &rows, &nrows));
    for (size_t i = 0; i < nrows; i++) {
        struct buf body = buf_new(cx->arena, 0);
        add_line(&body, rows[i].identities);
        add_line(&body, rows[i].organization);
        add_line(&body, rows[i].notes);
        docs[(*n)++] = (struct search_doc){ .kind = STR("contact"), .ref_id = rows[i].id, .at_us = rows[i].at_us,
                                             .title = text_fold(cx->arena, rows[i].name), .body = fold(cx, &body) };
    }
    return E_OK;
}

enum err_code search_load(struct cx *cx, struct db *db, struct blobs *blobs, const struct search_wants *w,
                          struct search_doc **ret, size_t *ret_n)
{
    struct search_doc *docs = NEWN(cx->arena, struct search_doc, w->nmessages + w->ntickets + w->ncontacts + 1);
    *ret_n = 0;
    *ret = docs;
    if (w->ntickets)
        TRY(load_tickets(cx, db, search_id_list(cx->arena, w->tickets, w->ntickets), docs, ret_n));
    if (w->nmessages)
        TRY(load_messages(cx, db, blobs, search_id_list(cx->arena, w->messages, w->nmessages), docs, ret_n));
    if (w->ncontacts)
        TRY(load_contacts(cx, db, search_id_list(cx->arena, w->contacts, w->ncontacts), docs, ret_n));
    return E_OK;
}
