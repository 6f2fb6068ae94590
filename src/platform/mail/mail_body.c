#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* Where a part stands: decides whether it is body or attachment. */
struct place {
    struct body_pieces *plain, *html;   /* NULL: this kind is given by a sibling (RFC 8621 section 4.1.4) */
    const char *multipart;              /* subtype of the enclosing multipart */
    bool in_alternative;
    int index;
    size_t depth;
};

static enum err_code read_object(struct reader *r, GMimeObject *object, struct place *place);

void mail_add_piece(struct reader *r, struct body_pieces *pieces, struct body_piece piece)
{
    if (!pieces)
        return;
    pieces->items = mail_grow(r->cx->arena, pieces->items, pieces->n, &pieces->room, sizeof(*pieces->items));
    pieces->items[pieces->n++] = piece;
}

static struct str type_of(struct arena *arena, GMimeObject *object)
{
    CLEANUP(mail_gfree) char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    return utf8_repair(arena, str_lower(arena, str_of(type)), true);
}

static bool is_subtype(const char *subtype, const char *want)
{
    return subtype && str_iis(str_of(subtype), want);
}

/* ---- attachments ---- */

static struct str id_of(struct arena *arena, GMimeObject *object)
{
    struct str id = arena_copy(arena, str_of(g_mime_object_get_content_id(object)));
    return utf8_repair(arena, mail_bare_id(arena, id), true);
}

static struct mail_part *new_part(struct reader *r, GMimeObject *object, struct str content, struct str name)
{
    struct arena *arena = r->cx->arena;
    struct mail_part *part = mail_add_part(r);
    part->content_type = type_of(arena, object);
    part->content = content;
    part->content_id = id_of(arena, object);
    if (name.len == 0)
        name = mail_part_name(arena, object);
    part->file_name = mail_clean_file_name(arena, name, part->content_type);
    if (name.len == 0) {
        ptrdiff_t dot = str_rchr(part->file_name, '.');
        part->file_name = arena_printf(arena, "part-%zu%.*s", r->entities,
                                       STR_ARG(str_skip(part->file_name, dot < 0 ? 0 : (size_t)dot)));
    }
    const char *disposition = g_mime_object_get_disposition(object);
    part->inline_part = part->content_id.len > 0 && disposition && str_iis(str_of(disposition), "inline");
    return part;
}

static bool is_tnef(struct str type, struct str name)
{
    return str_is(type, "application/ms-tnef") || str_is(type, "application/vnd.ms-tnef") ||
           str_iis(name, "winmail.dat");
}

/* The machine-readable part of a report, or what came back with it. */
static void note_report(struct reader *r, struct str type, struct str content)
{
    struct mail *m = r->mail;
    struct str charset;
    if (!r->in_report)
        return;
    bool fields = str_is(type, "message/delivery-status") || str_is(type, "message/global-delivery-status") ||
                  str_is(type, "message/disposition-notification") || str_is(type, "message/feedback-report");
    bool original = str_is(type, "message/rfc822") || str_is(type, "text/rfc822-headers") ||
                    str_is(type, "message/global") || str_is(type, "message/global-headers") ||
                    str_is(type, "message/rfc822-headers");
    struct str text = fields || original ? text_decode(r->cx->arena, content, STR_NONE, &charset) : STR_NONE;
    if (fields && m->report_fields.len == 0)
        m->report_fields = text;
    else if (original && m->report_original.len == 0)
        m->report_original = text;
}

static enum err_code read_attachment(struct reader *r, GMimePart *part, struct place *place)
{
    struct str content, type = type_of(r->cx->arena, GMIME_OBJECT(part));
    TRY(mail_decode_content(r, part, &content));
    struct str name = mail_part_name(r->cx->arena, GMIME_OBJECT(part));
    note_report(r, type, content);
    if (is_tnef(type, name) && mail_read_tnef(r, content, place->plain, place->html))
        return E_OK;
    new_part(r, GMIME_OBJECT(part), content, name);
    return E_OK;
}

static enum err_code read_nested(struct reader *r, GMimeMessagePart *holder)
{
    GMimeMessage *message = g_mime_message_part_get_message(holder);
    struct str content = STR(""), subject = STR("");
    if (message) {
        CLEANUP(mail_gobject_unref) GMimeStream *stream = g_mime_stream_mem_new();
        g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
        GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
        content = arena_copy(r->cx->arena, (struct str){ (const char *)bytes->data, bytes->len });
        GMimeHeader *header = g_mime_header_list_get_header(g_mime_object_get_header_list(GMIME_OBJECT(message)),
                                                            "Subject");
        if (header)
            subject = mail_decode_header(r->cx->arena, str_of(g_mime_header_get_raw_value(header)));
    }
    r->decoded_bytes += content.len;
    if (r->decoded_bytes > r->limits.max_decoded_bytes)
        return mail_over_limit(r->cx, "max_decoded_bytes", r->limits.max_decoded_bytes);
    struct str name = mail_part_name(r->cx->arena, GMIME_OBJECT(holder));
    if (name.len == 0 && subject.len > 0)
        name = arena_printf(r->cx->arena, "%.*s.eml", STR_ARG(str_replace(r->cx->arena, subject, STR("/"), STR("-"))));
    struct mail_part *part = new_part(r, GMIME_OBJECT(holder), content, name);
    note_report(r, part->content_type, content);
    return E_OK;
}

/* ---- the tree ---- */

static bool is_body_text(GMimeObject *object, const struct place *place)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    bool text = g_mime_content_type_is_type(type, "text", "plain") || g_mime_content_type_is_type(type, "text", "html");
    const char *disposition = g_mime_object_get_disposition(object);
    if (!text || (disposition && str_iis(str_of(disposition), "attachment")))
        return false;
    if (place->index == 0)
        return true;
    bool named = g_mime_object_get_content_disposition_parameter(object, "filename") ||
                 g_mime_object_get_content_type_parameter(object, "name");
    return !is_subtype(place->multipart, "related") && !named;
}

static enum err_code read_leaf(struct reader *r, GMimePart *part, struct place *place)
{
    if (!is_body_text(GMIME_OBJECT(part), place))
        return read_attachment(r, part, place);
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    struct body_piece piece = { .html = g_mime_content_type_is_type(type, "text", "html"), .order = r->entities };
    TRY(mail_decode_text(r, part, &piece.text));
    if (is_subtype(place->multipart, "alternative")) {
        mail_add_piece(r, piece.html ? place->html : place->plain, piece);
        return E_OK;
    }
    if (place->in_alternative) {
        /* Inside one choice, later pieces belong to this kind only. */
        if (piece.html)
            place->plain = NULL;
        else
            place->html = NULL;
    }
    mail_add_piece(r, place->plain, piece);
    mail_add_piece(r, place->html, piece);
    return E_OK;
}

/* A choice that offers one kind only serves both readers. */
static void share_alternative(struct reader *r, struct place *place, size_t plain_before, size_t html_before)
{
    struct body_pieces *plain = place->plain, *html = place->html;
    if (!plain || !html)
        return;
    if (plain->n == plain_before) {
        for (size_t i = html_before; i < html->n; i++)
            mail_add_piece(r, plain, html->items[i]);
    } else if (html->n == html_before) {
        for (size_t i = plain_before; i < plain->n; i++)
            mail_add_piece(r, html, plain->items[i]);
    }
}

static enum err_code read_multipart(struct reader *r, GMimeMultipart *multipart, struct place *place)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
    const char *subtype = g_mime_content_type_get_media_subtype(type);
    bool alternative = is_subtype(subtype, "alternative"), was_in_report = r->in_report;
    size_t plain_before = place->plain ? place->plain->n : 0, html_before = place->html ? place->html->n : 0;
    if (is_subtype(subtype, "report") && !r->mail->report_type.ptr) {
        struct str kind = str_of(g_mime_content_type_get_parameter(type, "report-type"));
        r->mail->report_type = utf8_repair(r->cx->arena, str_lower(r->cx->arena, kind), true);
        r->mail->report_fields = r->mail->report_original = STR("");
        r->in_report = true;
    }
    struct place inner = *place;
    inner.multipart = subtype;
    inner.in_alternative = place->in_alternative || alternative;
    inner.depth++;
    int n = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < n; i++) {
        inner.index = i;
        TRY(read_object(r, g_mime_multipart_get_part(multipart, i), &inner));
        if (alternative) {
            inner.plain = place->plain;
            inner.html = place->html;
        }
    }
    r->in_report = was_in_report;
    if (alternative)
        share_alternative(r, place, plain_before, html_before);
    return E_OK;
}

static enum err_code check_headers(struct reader *r, GMimeObject *object)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(object);
    size_t bytes = 0;
    for (int i = 0, n = g_mime_header_list_get_count(list); i < n; i++) {
        const char *raw = g_mime_header_get_raw_value(g_mime_header_list_get_header_at(list, i));
        bytes += raw ? strlen(raw) : 0;
    }
    if (bytes > r->limits.max_header_bytes)
        return mail_over_limit(r->cx, "max_header_bytes", r->limits.max_header_bytes);
    return E_OK;
}

static enum err_code read_object(struct reader *r, GMimeObject *object, struct place *place)
{
    if (++r->entities > r->limits.max_parts)
        return mail_over_limit(r->cx, "max_parts", r->limits.max_parts);
    if (place->depth > r->limits.max_depth)
        return mail_over_limit(r->cx, "max_depth", r->limits.max_depth);
    TRY(check_headers(r, object));
    if (GMIME_IS_MULTIPART(object))
        return read_multipart(r, GMIME_MULTIPART(object), place);
    if (GMIME_IS_MESSAGE_PART(object))
        return read_nested(r, GMIME_MESSAGE_PART(object));
    if (GMIME_IS_PART(object))
        return read_leaf(r, GMIME_PART(object), place);
    return E_OK;
}

/* ---- joining ---- */

static void put_piece(struct buf *out, struct str text)
{
    if (out->len > 0 && out->ptr[out->len - 1] != '\n')
        buf_char(out, '\n');
    buf_add(out, text);
}

static struct str join_plain(struct reader *r)
{
    const struct body_pieces *pieces = &r->plain;
    if (pieces->n == 1 && !pieces->items[0].html)
        return pieces->items[0].text;
    struct buf out = buf_new(r->cx->arena, 0);
    for (size_t i = 0; i < pieces->n; i++) {
        const struct body_piece *p = &pieces->items[i];
        put_piece(&out, p->html ? html_to_text(r->cx->arena, p->text) : p->text);
    }
    return buf_str(&out);
}

static struct str join_html(struct reader *r)
{
    const struct body_pieces *pieces = &r->html;
    bool any = false;
    for (size_t i = 0; i < pieces->n; i++)
        any = any || pieces->items[i].html;
    if (!any)
        return STR("");
    if (pieces->n == 1)
        return pieces->items[0].text;
    struct buf out = buf_new(r->cx->arena, 0);
    for (size_t i = 0; i < pieces->n; i++) {
        const struct body_piece *p = &pieces->items[i];
        put_piece(&out, p->html ? p->text : text_to_html(r->cx->arena, p->text));
    }
    return buf_str(&out);
}

static void mark_inline(struct reader *r)
{
    struct mail *m = r->mail;
    for (size_t i = 0; i < m->nparts; i++) {
        struct mail_part *p = &m->parts[i];
        if (p->inline_part || p->content_id.len == 0 || m->html.len == 0)
            continue;
        struct str reference = arena_printf(r->cx->arena, "cid:%.*s", STR_ARG(p->content_id));
        p->inline_part = str_ifind(m->html, reference) >= 0;
    }
}

enum err_code mail_read_body(struct reader *r, GMimeObject *top)
{
    struct place place = { .plain = &r->plain, .html = &r->html, .multipart = "mixed" };
    TRY(read_object(r, top, &place));
    r->mail->text = join_plain(r);
    r->mail->html = join_html(r);
    TRY(mail_check_cpu(r));
    mark_inline(r);
    return E_OK;
}
