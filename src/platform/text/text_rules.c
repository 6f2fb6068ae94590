#include "platform/text/text_internal.h"

/* ---- elements ---- */

enum html_fate html_fate(const GumboElement *element)
{
    if (element->tag_namespace != GUMBO_NAMESPACE_HTML)
        return HTML_DROP;
    switch (element->tag) {
    case GUMBO_TAG_SCRIPT: case GUMBO_TAG_STYLE: case GUMBO_TAG_TITLE: case GUMBO_TAG_HEAD: case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_IFRAME: case GUMBO_TAG_FRAME: case GUMBO_TAG_FRAMESET: case GUMBO_TAG_NOFRAMES:
    case GUMBO_TAG_NOEMBED: case GUMBO_TAG_NOSCRIPT: case GUMBO_TAG_XMP: case GUMBO_TAG_PLAINTEXT:
    case GUMBO_TAG_OBJECT: case GUMBO_TAG_EMBED: case GUMBO_TAG_APPLET: case GUMBO_TAG_PARAM:
    case GUMBO_TAG_AUDIO: case GUMBO_TAG_VIDEO: case GUMBO_TAG_SOURCE: case GUMBO_TAG_TRACK: case GUMBO_TAG_CANVAS:
    case GUMBO_TAG_SELECT: case GUMBO_TAG_TEXTAREA: case GUMBO_TAG_INPUT: case GUMBO_TAG_KEYGEN:
    case GUMBO_TAG_BASE: case GUMBO_TAG_LINK: case GUMBO_TAG_META: case GUMBO_TAG_AREA: case GUMBO_TAG_MAP:
    case GUMBO_TAG_SVG: case GUMBO_TAG_MATH:
        return HTML_DROP;
    case GUMBO_TAG_A: case GUMBO_TAG_ABBR: case GUMBO_TAG_ACRONYM: case GUMBO_TAG_ADDRESS: case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_ASIDE: case GUMBO_TAG_B: case GUMBO_TAG_BDI: case GUMBO_TAG_BDO: case GUMBO_TAG_BIG:
    case GUMBO_TAG_BLOCKQUOTE: case GUMBO_TAG_BR: case GUMBO_TAG_CAPTION: case GUMBO_TAG_CENTER: case GUMBO_TAG_CITE:
    case GUMBO_TAG_CODE: case GUMBO_TAG_COL: case GUMBO_TAG_COLGROUP: case GUMBO_TAG_DD: case GUMBO_TAG_DEL:
    case GUMBO_TAG_DETAILS: case GUMBO_TAG_DFN: case GUMBO_TAG_DIR: case GUMBO_TAG_DIV: case GUMBO_TAG_DL:
    case GUMBO_TAG_DT: case GUMBO_TAG_EM: case GUMBO_TAG_FIGCAPTION: case GUMBO_TAG_FIGURE: case GUMBO_TAG_FONT:
    case GUMBO_TAG_FOOTER: case GUMBO_TAG_H1: case GUMBO_TAG_H2: case GUMBO_TAG_H3: case GUMBO_TAG_H4:
    case GUMBO_TAG_H5: case GUMBO_TAG_H6: case GUMBO_TAG_HEADER: case GUMBO_TAG_HR: case GUMBO_TAG_I:
    case GUMBO_TAG_IMG: case GUMBO_TAG_INS: case GUMBO_TAG_KBD: case GUMBO_TAG_LI: case GUMBO_TAG_MAIN:
    case GUMBO_TAG_MARK: case GUMBO_TAG_MENU: case GUMBO_TAG_NAV: case GUMBO_TAG_OL: case GUMBO_TAG_P:
    case GUMBO_TAG_PRE: case GUMBO_TAG_Q: case GUMBO_TAG_RP: case GUMBO_TAG_RT: case GUMBO_TAG_RUBY:
    case GUMBO_TAG_S: case GUMBO_TAG_SAMP: case GUMBO_TAG_SECTION: case GUMBO_TAG_SMALL: case GUMBO_TAG_SPAN:
    case GUMBO_TAG_STRIKE: case GUMBO_TAG_STRONG: case GUMBO_TAG_SUB: case GUMBO_TAG_SUMMARY: case GUMBO_TAG_SUP:
    case GUMBO_TAG_TABLE: case GUMBO_TAG_TBODY: case GUMBO_TAG_TD: case GUMBO_TAG_TFOOT: case GUMBO_TAG_TH:
    case GUMBO_TAG_THEAD: case GUMBO_TAG_TIME: case GUMBO_TAG_TR: case GUMBO_TAG_TT: case GUMBO_TAG_U:
    case GUMBO_TAG_UL: case GUMBO_TAG_VAR: case GUMBO_TAG_WBR:
        return HTML_KEEP;
    default:
        return HTML_UNWRAP;
    }
}

bool html_is_void(GumboTag tag)
{
    return tag == GUMBO_TAG_BR || tag == GUMBO_TAG_HR || tag == GUMBO_TAG_IMG || tag == GUMBO_TAG_WBR ||
           tag == GUMBO_TAG_COL;
}

bool html_is_block(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_ADDRESS: case GUMBO_TAG_ARTICLE: case GUMBO_TAG_ASIDE: case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_CENTER: case GUMBO_TAG_DD: case GUMBO_TAG_DETAILS: case GUMBO_TAG_DIR: case GUMBO_TAG_DIV:
    case GUMBO_TAG_DL: case GUMBO_TAG_DT: case GUMBO_TAG_FIELDSET: case GUMBO_TAG_FIGCAPTION: case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FOOTER: case GUMBO_TAG_FORM: case GUMBO_TAG_H1: case GUMBO_TAG_H2: case GUMBO_TAG_H3:
    case GUMBO_TAG_H4: case GUMBO_TAG_H5: case GUMBO_TAG_H6: case GUMBO_TAG_HEADER: case GUMBO_TAG_HR:
    case GUMBO_TAG_LI: case GUMBO_TAG_MAIN: case GUMBO_TAG_MENU: case GUMBO_TAG_NAV: case GUMBO_TAG_OL:
    case GUMBO_TAG_P: case GUMBO_TAG_PRE: case GUMBO_TAG_SECTION: case GUMBO_TAG_SUMMARY: case GUMBO_TAG_TABLE:
    case GUMBO_TAG_TR: case GUMBO_TAG_CAPTION: case GUMBO_TAG_UL:
        return true;
    default:
        return false;
    }
}

/* ---- links and pictures ---- */

/* Browsers skip control characters and white space inside a scheme; so do we, before judging. */
static struct str url_compact(struct arena *arena, struct str url)
{
    url = str_trim(url);
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c > ' ' && c != 0x7f)
            buf_char(&out, (char)c);
        else if (c == ' ')
            buf_lit(&out, "%20");
    }
    return buf_str(&out);
}

static bool has_scheme(struct str url, const char *scheme)
{
    struct str s = str_of(scheme);
    return url.len > s.len && str_istarts(url, s);
}

struct str html_safe_link(struct arena *arena, struct str url)
{
    static const char *const schemes[] = { "http://", "https://", "mailto:", "tel:" };
    struct str compact = url_compact(arena, url);
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (has_scheme(compact, schemes[i]))
            return compact;
    }
    if (has_scheme(compact, "www."))
        return arena_printf(arena, "http://%.*s", STR_ARG(compact));
    return STR_NONE;
}

static bool is_safe_data_picture(struct str url)
{
    static const char *const kinds[] = { "data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,",
                                         "data:image/gif;base64,", "data:image/webp;base64," };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (!has_scheme(url, kinds[i]))
            continue;
        struct str data = str_skip(url, strlen(kinds[i]));
        for (size_t k = 0; k < data.len; k++) {
            char c = data.ptr[k];
            bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
                      c == '/' || c == '=';
            if (!ok)
                return false;
        }
        return true;
    }
    return false;
}

static void put_pair(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, " %s=\"", name);
    html_put_value(out, value);
    buf_char(out, '"');
}

static void put_picture_source(struct buf *out, struct arena *scratch, struct str url)
{
    struct str compact = url_compact(scratch, url);
    if (is_safe_data_picture(compact))
        put_pair(out, "src", compact);
    else if (has_scheme(compact, "cid:"))
        put_pair(out, "data-cid", str_skip(compact, 4));
    else if (has_scheme(compact, "http://") || has_scheme(compact, "https://"))
        put_pair(out, "data-remote-src", compact);
    else if (has_scheme(compact, "//"))
        put_pair(out, "data-remote-src", arena_printf(scratch, "https:%.*s", STR_ARG(compact)));
}

/* ---- attributes ---- */

static bool one_of(struct str value, const char *words)
{
    struct str rest = str_of(words), word;
    while (str_split(&rest, ' ', &word)) {
        if (str_ieq(value, word))
            return true;
    }
    return false;
}

static bool all_of(struct str value, size_t max, const char *extra)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && !strchr(extra, c))
            return false;
    }
    return value.len > 0 && value.len <= max;
}

enum attribute_rule { RULE_TEXT, RULE_SIZE, RULE_NAME, RULE_FONT, RULE_CHOICE };
static const struct {
    const char *name;
    enum attribute_rule rule;
    const char *choices;
    GumboTag only;          /* GUMBO_TAG_LAST: everywhere */
} attribute_rules[] = {
    { "title", RULE_TEXT, NULL, GUMBO_TAG_LAST },
    { "alt", RULE_TEXT, NULL, GUMBO_TAG_IMG },
    { "dir", RULE_CHOICE, "ltr rtl auto", GUMBO_TAG_LAST },
    { "lang", RULE_NAME, NULL, GUMBO_TAG_LAST },
    { "align", RULE_CHOICE, "left right center justify middle top bottom baseline", GUMBO_TAG_LAST },
    { "valign", RULE_CHOICE, "top middle bottom baseline", GUMBO_TAG_LAST },
    { "width", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "height", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "border", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "cellpadding", RULE_SIZE, NULL, GUMBO_TAG_TABLE },
    { "cellspacing", RULE_SIZE, NULL, GUMBO_TAG_TABLE },
    { "colspan", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "rowspan", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "span", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "size", RULE_SIZE, NULL, GUMBO_TAG_LAST },
    { "start", RULE_SIZE, NULL, GUMBO_TAG_OL },
    { "value", RULE_SIZE, NULL, GUMBO_TAG_LI },
    { "bgcolor", RULE_NAME, NULL, GUMBO_TAG_LAST },
    { "color", RULE_NAME, NULL, GUMBO_TAG_FONT },
    { "face", RULE_FONT, NULL, GUMBO_TAG_FONT },
    { "type", RULE_CHOICE, "1 a i disc circle square", GUMBO_TAG_LAST },
    { "nowrap", RULE_CHOICE, "nowrap", GUMBO_TAG_LAST },
    { "datetime", RULE_NAME, NULL, GUMBO_TAG_LAST },
    { "type", RULE_CHOICE, "cite", GUMBO_TAG_BLOCKQUOTE },
};

static bool rule_allows(size_t rule, struct str value)
{
    switch (attribute_rules[rule].rule) {
    case RULE_TEXT:
        return true;
    case RULE_SIZE:
        return all_of(value, 8, "%+-.*");
    case RULE_NAME:
        return all_of(value, 40, "#-:+. ");
    case RULE_FONT:
        return all_of(value, 200, " ,-_'");
    case RULE_CHOICE:
        return one_of(value, attribute_rules[rule].choices);
    }
    return false;
}

static void put_link(struct buf *out, struct arena *scratch, struct str url)
{
    struct str link = html_safe_link(scratch, url);
    if (!link.ptr)
        return;
    put_pair(out, "href", link);
    buf_lit(out, " rel=\"noopener noreferrer\" target=\"_blank\"");
}

void html_put_attribute(struct buf *out, struct arena *scratch, GumboTag tag, struct str name, struct str value)
{
    if (str_is(name, "style")) {
        struct str css = css_clean(scratch, value);
        if (css.len > 0)
            put_pair(out, "style", css);
    } else if (str_is(name, "href")) {
        if (tag == GUMBO_TAG_A)
            put_link(out, scratch, value);
    } else if (tag == GUMBO_TAG_IMG && (str_is(name, "src") || str_is(name, "data-remote-src"))) {
        put_picture_source(out, scratch, value);
    } else if (tag == GUMBO_TAG_IMG && str_is(name, "data-cid")) {
        put_picture_source(out, scratch, arena_printf(scratch, "cid:%.*s", STR_ARG(value)));
    } else if (str_is(name, "class") || str_is(name, "id") || str_is(name, "data-mark")) {
        struct str mark = html_quote_mark(value);
        if (mark.ptr)
            put_pair(out, "data-mark", mark);
    } else {
        for (size_t i = 0; i < COUNT(attribute_rules); i++) {
            bool here = attribute_rules[i].only == GUMBO_TAG_LAST || attribute_rules[i].only == tag;
            if (here && str_is(name, attribute_rules[i].name) && rule_allows(i, value)) {
                put_pair(out, attribute_rules[i].name, value);
                return;
            }
        }
    }
}

struct str html_quote_mark(struct str names)
{
    /* What clients call the container of the earlier mail, of its introduction and of the signature. */
    static const char *const known[] = {
        "gmail_quote", "gmail_quote_container", "gmail_extra", "gmail_attr", "gmail_signature", "moz-cite-prefix",
        "moz-forward-container", "moz-signature", "yahoo_quoted", "yahooQuotedContent", "yQTDBase",
        "protonmail_quote", "protonmail_signature_block", "tutanota_quote", "divRplyFwdMsg", "appendonsend",
        "OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container", "ms-outlook-mobile-reference-message",
        "stopSpelling", "WordSection1", "AppleMailSignature", "lineBreakAtBeginningOfMessage",
        "zmail_extra", "zmail_extra_hr", "quote", "quoted", "mailru-blockquote", "HmQuote", "hmquote", "reply-intro", "originalmessage",
        "ymail_android_signature", "yahoo-signature", "bloop_original_html", "bloop_sign", "front-blockquote", "airmail_ext_on",
        "ExternalClass", "gmail_default", "iosymail", "SkyDrivePlaceholder", "mb_sig", "replyHeader", "qt",
        "sh-signature", "WM_QUOTE", "wmQuote", "gwQuote", "spark_quote", "unibox-signature", "x_divRplyFwdMsg",
        "Signature", "signature", "ms-outlook-mobile-signature", "freshdesk_quote", "zimbra_quote", "edo-signature",
    };
    struct str rest = names, word;
    while (str_split(&rest, ' ', &word)) {
        word = str_trim(word);
        for (size_t i = 0; i < COUNT(known); i++) {
            if (str_is(word, known[i]))
                return str_of(known[i]);
        }
    }
    return STR_NONE;
}

/* ---- writing ---- */

/* Bytes of a character that no HTML may hold: a second parser would replace it.  0 for all others. */
static size_t refused_length(struct str s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    if (c < 0x80)
        return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    if (c != 0xC2 && c < 0xEF)
        return 0;
    struct str rest = s;
    uint32_t cp;
    utf8_next(&rest, &cp);
    bool refused = cp < 0xA0 || (cp >= 0xFDD0 && cp <= 0xFDEF) || (cp & 0xFFFE) == 0xFFFE;
    return refused ? s.len - rest.len : 0;
}

static void put_escaped(struct buf *out, struct str text, bool in_value)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *to = NULL;
        size_t width = 1;
        switch (text.ptr[i]) {
        case '&': to = "&amp;"; break;
        case '<': to = "&lt;"; break;
        case '>': to = "&gt;"; break;
        case '"': to = in_value ? "&quot;" : NULL; break;
        case '`': to = in_value ? "&#96;" : NULL; break;
        case '\r': to = "\n"; break;
        default:
            width = refused_length(str_skip(text, i));
            to = width > 0 ? "" : NULL;
            break;
        }
        if (!to)
            continue;
        buf_add(out, str_sub(text, from, i - from));
        buf_add(out, str_of(to));
        from = i + width;
        i = from - 1;
    }
    buf_add(out, str_skip(text, from));
}

void html_put_text(struct buf *out, struct str text)
{
    put_escaped(out, text, false);
}

void html_put_value(struct buf *out, struct str text)
{
    put_escaped(out, text, true);
}
