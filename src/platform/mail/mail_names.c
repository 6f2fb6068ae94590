#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* ---- subjects ---- */

/* "Re", "Fwd" and theirs in the languages whose mail programs translate them. */
static const char *const prefixes[] = {
    "re", "fw", "fwd", "aw", "wg", "antw", "antwort", "sv", "vs", "vb", "vl", "tr", "rv", "enc", "res", "rif", "r", "i",
    "odp", "pd", "ynt", "ilt", "atb", "bls", "ref", "fs", "vá", "továbbítás", "σχετ", "πρθ", "απ", "ответ", "на", "пересл",
    "отв", "fwd.", "回复", "答复", "回覆", "转发", "轉寄", "返信", "転送", "답장", "전달", "회신", "ردا", "إعادة توجيه",
    "הועבר", "השב", "doorst", "réf", "rép", "reply", "tl", "trs", "betreft", "fyr", "lanjutan", "bls.", "yan", "cevap",
};

static bool is_prefix_word(struct arena *arena, struct str word)
{
    struct str lower = text_lower(arena, str_trim(word));
    /* "Re[2]", "Re(3)", "Re^2" count their turns. */
    ptrdiff_t count = -1;
    for (size_t i = 0; i < lower.len && count < 0; i++) {
        if (strchr("[(^*", lower.ptr[i]))
            count = (ptrdiff_t)i;
    }
    if (count > 0)
        lower = str_trim(str_sub(lower, 0, (size_t)count));
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        if (str_is(lower, prefixes[i]))
            return true;
    }
    return false;
}

#define MAX_PREFIX_BYTES 40

/* Length of one prefix with its colon, or of a [list] tag; 0 when there is none. */
static size_t prefix_length(struct arena *arena, struct str s)
{
    if (str_has_prefix_char(s, '[')) {
        ptrdiff_t close = str_chr(s, ']');
        bool whole = close < 0 || str_trim(str_skip(s, (size_t)close + 1)).len == 0;
        return whole ? 0 : (size_t)close + 1;
    }
    ptrdiff_t colon = str_chr(s, ':');
    ptrdiff_t wide = str_find(s, STR("："));
    size_t width = 1;
    if (wide >= 0 && (colon < 0 || wide < colon)) {
        colon = wide;
        width = 3;
    }
    if (colon <= 0 || colon > MAX_PREFIX_BYTES || !is_prefix_word(arena, str_sub(s, 0, (size_t)colon)))
        return 0;
    return (size_t)colon + width;
}

struct str mail_normal_subject(struct arena *arena, struct str subject)
{
    struct str s = str_trim(subject);
    size_t n;
    while ((n = prefix_length(arena, s)) > 0)
        s = str_trim(str_skip(s, n));
    if (str_ends(s, STR("(fwd)")))
        s.len -= 5;
    return text_preview(arena, text_lower(arena, str_trim(s)), s.len + 16);
}

/* ---- file names ---- */

#define MAX_FILE_NAME_BYTES 200

static const struct {
    const char *type, *extension;
} extensions[] = {
    { "text/plain", "txt" }, { "text/html", "html" }, { "text/calendar", "ics" }, { "text/csv", "csv" },
    { "text/vcard", "vcf" }, { "text/x-vcard", "vcf" }, { "text/xml", "xml" }, { "text/rfc822-headers", "txt" },
    { "image/png", "png" }, { "image/jpeg", "jpg" }, { "image/jpg", "jpg" }, { "image/gif", "gif" },
    { "image/webp", "webp" }, { "image/svg+xml", "svg" }, { "image/tiff", "tif" }, { "image/bmp", "bmp" },
    { "image/heic", "heic" }, { "audio/mpeg", "mp3" }, { "audio/wav", "wav" }, { "audio/ogg", "ogg" },
    { "audio/mp4", "m4a" }, { "video/mp4", "mp4" }, { "video/quicktime", "mov" }, { "application/pdf", "pdf" },
    { "application/zip", "zip" }, { "application/json", "json" }, { "application/xml", "xml" },
    { "application/rtf", "rtf" }, { "text/rtf", "rtf" }, { "application/msword", "doc" },
    { "application/vnd.ms-excel", "xls" }, { "message/rfc822", "eml" }, { "message/delivery-status", "txt" },
    { "message/disposition-notification", "txt" }, { "message/feedback-report", "txt" },
    { "application/ms-tnef", "dat" }, { "application/pgp-signature", "asc" }, { "application/pgp-encrypted", "asc" },
    { "application/pkcs7-signature", "p7s" }, { "application/pkcs7-mime", "p7m" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx" },
    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx" },
    { "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx" },
};

static const char *extension_of(struct str content_type)
{
    for (size_t i = 0; i < COUNT(extensions); i++) {
        if (str_iis(content_type, extensions[i].type))
            return extensions[i].extension;
    }
    return "bin";
}

/* Marks that turn the reading direction let "exe.png" look like a picture. */
static bool is_name_char(uint32_t cp)
{
    bool control = cp < 0x20 || (cp >= 0x7F && cp < 0xA0);
    bool direction = (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200E || cp == 0x200F;
    return !control && !direction && cp != 0x2028 && cp != 0x2029 && cp != 0xFEFF && !(cp < 0x80 && strchr("<>:\"|?*", (int)cp));
}

struct str mail_clean_file_name(struct arena *arena, struct str name, struct str content_type)
{
    struct buf out = buf_new(arena, 0);
    struct str rest = utf8_repair(arena, name, true);
    for (size_t i = 0; i < rest.len; i++) {
        bool path = rest.ptr[i] == '/' || rest.ptr[i] == '\\';
        if (path && i + 1 < rest.len) {
            rest = str_skip(rest, i + 1);
            i = (size_t)-1;
        }
    }
    uint32_t cp;
    while (utf8_next(&rest, &cp)) {
        if (is_name_char(cp) && cp != '/' && cp != '\\')
            utf8_put(&out, cp);
        else if (cp == ':' || cp == '?' || cp == '*' || cp == '|' || cp == '"' || cp == '<' || cp == '>')
            buf_char(&out, '_');
    }
    struct str clean = str_trim(buf_str(&out));
    while (str_has_prefix_char(clean, '.'))
        clean = str_trim(str_skip(clean, 1));
    if (clean.len == 0)
        return arena_printf(arena, "file.%s", extension_of(content_type));
    if (clean.len <= MAX_FILE_NAME_BYTES)
        return clean;
    ptrdiff_t dot = str_rchr(clean, '.');
    struct str end = dot > 0 && clean.len - (size_t)dot <= 12 ? str_skip(clean, (size_t)dot) : STR("");
    struct str head = utf8_cut(clean, MAX_FILE_NAME_BYTES - end.len);
    return arena_printf(arena, "%.*s%.*s", STR_ARG(head), STR_ARG(end));
}
