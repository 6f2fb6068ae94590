#include "platform/mail/mail_reply.h"
#include "platform/text/text.h"

/*
 * Cleaned HTML is cut by lines, as plain text is: each piece of content
 * belongs to a line; lines are judged by the same rules and by the containers
 * around them; then the content is written to one of two documents, each of
 * which opens the elements that its content needs.
 */

enum token_kind { TOKEN_OPEN, TOKEN_CLOSE, TOKEN_CONTENT };

struct token {
    struct str raw, name;
    enum token_kind kind;
    size_t line;
    size_t partner;     /* TOKEN_CLOSE: index of its TOKEN_OPEN */
};

struct page {
    struct arena *arena;
    struct token *tokens;
    size_t n;
    struct reply_lines lines;
    size_t *open;       /* indexes of open tokens */
    size_t depth;
    size_t quotes, signatures;  /* open containers of either kind */
    struct buf text;    /* of the line that is being read */
    bool picture;
};

static bool one_of(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_is(word, words[i]))
            return true;
    }
    return false;
}

static bool is_block(struct str name)
{
    static const char *const inline_names[] = { "a",    "abbr", "acronym", "b",     "bdi",  "bdo",  "big",    "cite", "code", "del",
                                                "dfn",  "em",   "font",    "i",     "img",  "ins",  "kbd",    "mark", "q",    "rp",
                                                "rt",   "ruby", "s",       "samp",  "small", "span", "strike", "strong", "sub", "sup",
                                                "time", "tt",   "u",       "var",   "wbr",  "td",   "th" };
    return !one_of(name, inline_names, COUNT(inline_names));
}

static struct str attribute(struct str tag, const char *name)
{
    char pattern[32];
    size_t n = strlen(name);
    memcpy(pattern, name, n);
    memcpy(pattern + n, "=\"", 3);
    ptrdiff_t at = str_find(tag, str_of(pattern));
    if (at <= 0 || tag.ptr[at - 1] != ' ')
        return STR("");
    struct str value = str_skip(tag, (size_t)at + n + 2);
    ptrdiff_t end = str_chr(value, '"');
    return str_sub(value, 0, end < 0 ? value.len : (size_t)end);
}

/* ---- containers ---- */

static bool is_quote(const struct token *t)
{
    static const char *const marks[] = { "yahoo_quoted", "yahooQuotedContent", "yQTDBase", "protonmail_quote", "tutanota_quote",
                                         "OLK_SRC_BODY_SECTION", "zmail_extra", "mailru-blockquote", "HmQuote", "hmquote",
                                         "moz-cite-prefix", "moz-forward-container", "gmail_attr", "bloop_original_html", "gwQuote",
                                         "spark_quote", "zimbra_quote", "freshdesk_quote", "front-blockquote", "airmail_ext_on",
                                         "quoted", "wmQuote", "WM_QUOTE", "ExternalClass", "originalmessage", "reply-intro", "gmail_extra",
                                         "mail-editor-reference-message-container", "ms-outlook-mobile-reference-message", "edo-quote" };
    struct str mark = attribute(t->raw, "data-mark");
    if (one_of(mark, marks, COUNT(marks)))
        return true;
    if (!str_is(t->name, "blockquote"))
        return false;
    /* Gmail and others indent by a bare blockquote; a quote has a bar, a mark or says that it is one. */
    struct str style = attribute(t->raw, "style");
    return mark.len > 0 || str_is(attribute(t->raw, "type"), "cite") || str_find(style, STR("border-left")) >= 0;
}

static bool is_history(const struct token *t)
{
    static const char *const marks[] = { "divRplyFwdMsg", "x_divRplyFwdMsg", "appendonsend", "replyHeader" };
    return one_of(attribute(t->raw, "data-mark"), marks, COUNT(marks));
}

static bool is_signature(const struct token *t)
{
    static const char *const marks[] = { "gmail_signature", "moz-signature", "protonmail_signature_block", "AppleMailSignature", "Signature",
                                         "signature", "yahoo-signature", "ymail_android_signature", "bloop_sign", "mb_sig", "sh-signature",
                                         "unibox-signature", "ms-outlook-mobile-signature", "edo-signature" };
    return one_of(attribute(t->raw, "data-mark"), marks, COUNT(marks));
}

/* ---- reading ---- */

static void end_line(struct page *p)
{
    struct reply_line *l = &p->lines.lines[p->lines.n];
    struct str text = buf_str(&p->text);
    text = str_replace(p->arena, text, STR("&lt;"), STR("<"));
    text = str_replace(p->arena, text, STR("&gt;"), STR(">"));
    text = str_replace(p->arena, text, STR("\xC2\xA0"), STR(" "));
    l->text = text_preview(p->arena, text, text.len + 8);
    l->lower = text_lower(p->arena, l->text);
    enum line_kind kind = reply_line_kind(l->text);
    if (l->kind != LINE_QUOTE)
        l->kind = kind == LINE_BLANK && p->picture ? LINE_TEXT : kind;
    else if (kind == LINE_BLANK && !p->picture)
        l->kind = LINE_BLANK;
    buf_clear(&p->text);
    p->picture = false;
    p->lines.n++;
}

static void note_content(struct page *p)
{
    struct reply_line *l = &p->lines.lines[p->lines.n];
    if (p->quotes > 0)
        l->kind = LINE_QUOTE;
    if (p->signatures > 0)
        l->folded = true;
}

static void enter(struct page *p, const struct token *t)
{
    if (is_block(t->name))
        end_line(p);
    p->open[p->depth++] = p->n;
    p->quotes += is_quote(t);
    p->signatures += is_signature(t);
    if (is_history(t))
        p->lines.lines[p->lines.n].history = true;
}

static void leave(struct page *p, struct token *t)
{
    if (p->depth == 0)
        return;
    t->partner = p->open[--p->depth];
    const struct token *opened = &p->tokens[t->partner];
    if (is_block(t->name))
        end_line(p);
    p->quotes -= is_quote(opened);
    p->signatures -= is_signature(opened);
}

static bool is_void(struct str name)
{
    static const char *const names[] = { "br", "hr", "img", "wbr", "col" };
    return one_of(name, names, COUNT(names));
}

static void read_tag(struct page *p, struct token *t)
{
    bool close = t->raw.len > 1 && t->raw.ptr[1] == '/';
    struct str name = str_skip(t->raw, close ? 2 : 1);
    size_t n = 0;
    while (n < name.len && name.ptr[n] != ' ' && name.ptr[n] != '>')
        n++;
    t->name = str_sub(name, 0, n);
    if (close) {
        t->kind = TOKEN_CLOSE;
        leave(p, t);
    } else if (!is_void(t->name)) {
        t->kind = TOKEN_OPEN;
        enter(p, t);
    } else {
        t->kind = TOKEN_CONTENT;
        note_content(p);
        p->picture = p->picture || str_is(t->name, "img");
        if (str_is(t->name, "hr"))
            buf_lit(&p->text, "________");
    }
    t->line = p->lines.n;
    if (str_is(t->name, "br") || str_is(t->name, "hr"))
        end_line(p);
}

static void read_page(struct page *p, struct str html)
{
    size_t tags = 2;
    for (size_t i = 0; i < html.len; i++)
        tags += html.ptr[i] == '<';
    p->tokens = NEWN(p->arena, struct token, 2 * tags + 2);
    p->lines.lines = NEWN(p->arena, struct reply_line, tags + 2);
    p->open = NEWN(p->arena, size_t, tags + 2);
    p->text = buf_new(p->arena, 0);
    while (html.len > 0) {
        struct token *t = &p->tokens[p->n];
        ptrdiff_t end = str_chr(html, html.ptr[0] == '<' ? '>' : '<');
        size_t length = end < 0 ? html.len : (size_t)end + (html.ptr[0] == '<');
        t->raw = str_sub(html, 0, length);
        html = str_skip(html, length);
        if (t->raw.ptr[0] == '<') {
            read_tag(p, t);
        } else {
            t->kind = TOKEN_CONTENT;
            t->line = p->lines.n;
            if (str_trim(t->raw).len > 0)
                note_content(p);
            buf_add(&p->text, t->raw);
        }
        p->n++;
    }
    end_line(p);
}

/* ---- writing ---- */

struct side {
    struct buf out;
    size_t *open;       /* indexes of the tokens that this document has open */
    size_t depth;
};

static void put_close(struct side *side, const struct page *p)
{
    struct str name = p->tokens[side->open[--side->depth]].name;
    buf_printf(&side->out, "</%.*s>", STR_ARG(name));
}

/* Opens and closes until the document has the same elements open as the source. */
static void bring_open(struct side *side, const struct page *p)
{
    size_t same = 0;
    while (same < side->depth && same < p->depth && side->open[same] == p->open[same])
        same++;
    while (side->depth > same)
        put_close(side, p);
    for (size_t i = same; i < p->depth; i++) {
        side->open[side->depth++] = p->open[i];
        buf_add(&side->out, p->tokens[p->open[i]].raw);
    }
}

static bool has_open(const struct side *side, size_t token)
{
    for (size_t i = side->depth; i > 0; i--) {
        if (side->open[i - 1] == token)
            return true;
    }
    return false;
}

static void write_page(struct page *p, struct side *visible, struct side *folded)
{
    p->depth = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct token *t = &p->tokens[i];
        struct side *side = p->lines.lines[t->line].folded ? folded : visible;
        if (t->kind == TOKEN_OPEN) {
            p->open[p->depth++] = i;
        } else if (t->kind == TOKEN_CONTENT) {
            bring_open(side, p);
            buf_add(&side->out, t->raw);
        } else if (p->depth > 0) {
            size_t opened = p->open[p->depth - 1];
            /* Without content it went to neither: an empty cell still has its place. */
            if (opened + 1 == i)
                bring_open(side, p);
            p->depth--;
            while (has_open(visible, opened))
                put_close(visible, p);
            while (has_open(folded, opened))
                put_close(folded, p);
        }
    }
}

static struct side new_side(struct page *p, size_t room)
{
    return (struct side){ .out = buf_new(p->arena, 0), .open = NEWN(p->arena, size_t, room) };
}

static bool any_folded(const struct page *p)
{
    for (size_t i = 0; i < p->lines.n; i++) {
        if (p->lines.lines[i].folded && p->lines.lines[i].kind != LINE_BLANK)
            return true;
    }
    return false;
}

struct mail_reply mail_split_html(struct arena *arena, struct str clean_html)
{
    struct page p = { .arena = arena, .lines = { .arena = arena } };
    read_page(&p, clean_html);
    reply_fold(&p.lines);
    if (!any_folded(&p))
        return (struct mail_reply){ clean_html.ptr ? clean_html : STR(""), STR("") };
    struct side visible = new_side(&p, p.n + 1), folded = new_side(&p, p.n + 1);
    write_page(&p, &visible, &folded);
    bool empty = str_trim(html_to_text(arena, buf_str(&visible.out))).len == 0 && str_find(buf_str(&visible.out), STR("<img")) < 0;
    return (struct mail_reply){ empty ? STR("") : buf_str(&visible.out), buf_str(&folded.out) };
}
