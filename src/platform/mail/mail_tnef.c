#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

#include <ytnef.h>

/* The library is C of 2003: what it reads is checked before (signature, size) and copied out at once. */
#define MAX_TNEF_PARTS 200

static struct str bytes_of(const variableLength *v)
{
    if (!v || v == MAPI_UNDEFINED || !v->data || v->size <= 0)
        return STR("");
    return (struct str){ (const char *)v->data, (size_t)v->size };
}

/* Texts end with NUL, and sometimes with more of them. */
static struct str text_of(struct arena *arena, const variableLength *v)
{
    struct str s = bytes_of(v), charset;
    ptrdiff_t nul = str_chr(s, 0);
    if (nul >= 0)
        s.len = (size_t)nul;
    return str_trim(text_decode(arena, arena_copy(arena, s), STR_NONE, &charset));
}

/* The library has turned PT_UNICODE into UTF-8 already. */
static struct str text_property(struct arena *arena, MAPIProps *props, unsigned id)
{
    const unsigned types[] = { PT_UNICODE, PT_STRING8 };
    for (size_t i = 0; i < COUNT(types); i++) {
        variableLength *v = MAPIFindProperty(props, PROP_TAG(types[i], id));
        struct str text = text_of(arena, v);
        if (text.len > 0)
            return text;
    }
    return STR("");
}

static struct str binary_property(MAPIProps *props, unsigned id)
{
    const unsigned types[] = { PT_BINARY, PT_OBJECT, PT_STRING8, PT_UNICODE };
    for (size_t i = 0; i < COUNT(types); i++) {
        struct str bytes = bytes_of(MAPIFindProperty(props, PROP_TAG(types[i], id)));
        if (bytes.len > 0)
            return bytes;
    }
    return STR("");
}

static void add_attachment(struct reader *r, Attachment *a)
{
    struct arena *arena = r->cx->arena;
    struct str content = bytes_of(&a->FileData);
    if (content.len == 0)
        content = binary_property(&a->MAPI, PR_ATTACH_DATA_OBJ);
    struct str name = text_property(arena, &a->MAPI, PR_ATTACH_LONG_FILENAME);
    if (name.len == 0)
        name = text_of(arena, &a->Title);
    if (name.len == 0)
        name = text_property(arena, &a->MAPI, PR_DISPLAY_NAME);
    if (content.len == 0 && name.len == 0)
        return;
    struct mail_part *part = mail_add_part(r);
    struct str type = str_lower(arena, text_property(arena, &a->MAPI, PR_ATTACH_MIME_TAG));
    part->content_type = type.len > 0 ? type : STR("application/octet-stream");
    part->content = arena_copy(arena, content);
    part->content_id = mail_bare_id(arena, text_property(arena, &a->MAPI, PR_ATTACH_CONTENT_ID));
    part->file_name = mail_clean_file_name(arena, name, part->content_type);
    part->from_tnef = true;
    r->decoded_bytes += content.len;
}

static void add_rtf(struct reader *r, MAPIProps *props)
{
    variableLength *packed = MAPIFindProperty(props, PROP_TAG(PT_BINARY, PR_RTF_COMPRESSED));
    int size = 0;
    if (bytes_of(packed).len < 16)
        return;
    BYTE *rtf = DecompressRTF(packed, &size);
    if (!rtf)
        return;
    if (size > 0) {
        struct mail_part *part = mail_add_part(r);
        part->content_type = STR("application/rtf");
        part->file_name = STR("message.rtf");
        part->content_id = STR("");
        part->content = arena_copy(r->cx->arena, (struct str){ (const char *)rtf, (size_t)size });
        part->from_tnef = true;
    }
    heap_free(rtf);
}

static void add_bodies(struct reader *r, TNEFStruct *tnef, struct body_pieces *plain, struct body_pieces *html)
{
    struct arena *arena = r->cx->arena;
    struct str charset, text = text_property(arena, &tnef->MapiProperties, PR_BODY);
    if (text.len == 0)
        text = text_of(arena, &tnef->body);
    struct str page = text_decode(arena, arena_copy(arena, binary_property(&tnef->MapiProperties, PR_BODY_HTML)),
                                  STR_NONE, &charset);
    bool had_plain = plain && plain->n > 0, had_html = html && html->n > 0;
    if (text.len > 0 && !had_plain)
        mail_add_piece(r, plain, (struct body_piece){ .text = text, .order = r->entities });
    if (page.len > 0 && !had_html)
        mail_add_piece(r, html, (struct body_piece){ .text = page, .html = true, .order = r->entities });
    if (text.len == 0 && page.len > 0 && !had_plain)
        mail_add_piece(r, plain, (struct body_piece){ .text = page, .html = true, .order = r->entities });
    if (text.len == 0 && page.len == 0 && !had_plain && !had_html)
        add_rtf(r, &tnef->MapiProperties);
}

bool mail_read_tnef(struct reader *r, struct str content, struct body_pieces *plain, struct body_pieces *html)
{
    static const char signature[4] = { 0x78, (char)0x9F, 0x3E, 0x22 };
    if (content.len < 16 || memcmp(content.ptr, signature, 4) != 0)
        return false;
    TNEFStruct *tnef = arena_alloc(r->cx->arena, sizeof(*tnef));
    TNEFInitialize(tnef);
    struct str copy = arena_copy(r->cx->arena, content);
    bool ok = TNEFParseMemory((BYTE *)(uintptr_t)copy.ptr, (long)copy.len, tnef) >= 0;
    size_t before = r->mail->nparts;
    if (ok)
        add_bodies(r, tnef, plain, html);
    int n = 0;
    for (Attachment *a = tnef->starting_attach.next; ok && a && n < MAX_TNEF_PARTS; a = a->next, n++)
        add_attachment(r, a);
    TNEFFree(tnef);
    if (!ok)
        mail_defect(r, "winmail.dat could not be unpacked");
    return ok || r->mail->nparts > before;
}
