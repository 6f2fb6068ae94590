#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* The encoded bytes as they stand in the message; the parser keeps them as a window on the caller's memory. */
static struct str encoded_bytes(GMimeDataWrapper *content)
{
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    if (!stream || !GMIME_IS_STREAM_MEM(stream))
        return STR("");
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    size_t from = stream->bound_start > 0 ? (size_t)stream->bound_start : 0;
    size_t to = stream->bound_end >= 0 ? (size_t)stream->bound_end : bytes->len;
    to = MIN(to, (size_t)bytes->len);
    if (from >= to)
        return STR("");
    return (struct str){ (const char *)bytes->data + from, to - from };
}

/* uuencode starts behind its own "begin" line. */
static struct str behind_begin(struct str bytes)
{
    struct str rest = bytes, line;
    while (str_line(&rest, &line)) {
        if (str_starts(line, STR("begin ")))
            return rest;
    }
    return bytes;
}

enum err_code mail_decode_content(struct reader *r, GMimePart *part, struct str *ret)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    struct str bytes = encoded_bytes(content);
    GMimeContentEncoding encoding = content ? g_mime_data_wrapper_get_encoding(content) : GMIME_CONTENT_ENCODING_DEFAULT;
    *ret = STR("");
    TRY(mail_check_cpu(r));
    if (bytes.len == 0)
        return E_OK;
    bool encoded = encoding == GMIME_CONTENT_ENCODING_BASE64 || encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
                   encoding == GMIME_CONTENT_ENCODING_UUENCODE;
    if (!encoded) {
        *ret = arena_copy(r->cx->arena, bytes);
    } else {
        GMimeEncoding state;
        if (encoding == GMIME_CONTENT_ENCODING_UUENCODE)
            bytes = behind_begin(bytes);
        g_mime_encoding_init_decode(&state, encoding);
        char *out = arena_alloc(r->cx->arena, g_mime_encoding_outlen(&state, bytes.len) + 1);
        size_t n = g_mime_encoding_flush(&state, bytes.ptr, bytes.len, out);
        *ret = (struct str){ out, n };
    }
    r->decoded_bytes += ret->len;
    if (r->decoded_bytes > r->limits.max_decoded_bytes)
        return mail_over_limit(r->cx, "max_decoded_bytes", r->limits.max_decoded_bytes);
    return E_OK;
}

/* <meta charset=…> or <meta … content="text/html; charset=…"> near the start. */
static struct str charset_in_html(struct str html)
{
    struct str head = str_sub(html, 0, 2048);
    ptrdiff_t at = str_ifind(head, STR("charset="));
    if (at < 0)
        return STR_NONE;
    struct str value = str_skip(head, (size_t)at + 8);
    if (value.len > 0 && strchr("\"'", value.ptr[0]))
        value = str_skip(value, 1);
    size_t n = 0;
    while (n < value.len && n < 40 && !strchr("\"'; />\r\n", value.ptr[n]))
        n++;
    return str_sub(value, 0, n);
}

static struct str with_plain_line_ends(struct arena *arena, struct str text)
{
    if (str_chr(text, '\r') < 0)
        return text;
    char *out = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\r')
            out[n++] = text.ptr[i];
        else if (i + 1 == text.len || (text.ptr[i + 1] != '\n' && text.ptr[i + 1] != '\r'))
            out[n++] = '\n';
    }
    return (struct str){ out, n };
}

static void note_charset(struct reader *r, struct str label, struct str used)
{
    if (label.len > 0 && str_is(used, "windows-1252") && !str_istarts(label, STR("windows-")) &&
        !str_istarts(label, STR("iso-8859-1")))
        mail_defect(r, "part %zu said charset %.*s: read as %.*s", r->entities, STR_ARG(label), STR_ARG(used));
    else if (label.len > 0 && str_is(used, "utf-8") && !str_istarts(label, STR("utf")))
        mail_defect(r, "part %zu said charset %.*s: read as utf-8", r->entities, STR_ARG(label));
}

enum err_code mail_decode_text(struct reader *r, GMimePart *part, struct str *ret)
{
    struct arena *arena = r->cx->arena;
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    struct str label = str_of(g_mime_content_type_get_parameter(type, "charset")), used, bytes;
    TRY(mail_decode_content(r, part, &bytes));
    bool html = g_mime_content_type_is_type(type, "text", "html");
    if (label.len == 0 && html)
        label = charset_in_html(bytes);
    struct str text = text_decode(arena, bytes, label, &used);
    note_charset(r, label, used);
    text = with_plain_line_ends(arena, text);
    if (!html) {
        const char *format = g_mime_content_type_get_parameter(type, "format");
        const char *delsp = g_mime_content_type_get_parameter(type, "delsp");
        if (format && str_iis(STR("flowed"), format))
            text = mail_unflow(arena, text, delsp && str_iis(STR("yes"), delsp));
        text = mail_take_inline_files(r, text);
    }
    *ret = text;
    return E_OK;
}

struct str mail_part_name(struct arena *arena, GMimeObject *object)
{
    struct str name = str_of(g_mime_object_get_content_disposition_parameter(object, "filename"));
    if (name.len == 0)
        name = str_of(g_mime_object_get_content_type_parameter(object, "name"));
    if (name.len == 0)
        return STR("");
    return mail_decode_header(arena, arena_copy(arena, name));
}
