#include "platform/text/text_internal.h"

#define MAX_BREAKS 3
#define MAX_LISTS 32
#define MAX_LINK_TEXT 2000

/* html_to_text: white space collapses, blocks become lines, quotes get "> ". */
struct plain {
    struct arena *arena;
    struct buf out;
    size_t breaks;              /* line ends owed before the next text */
    bool space;                 /* a blank is owed */
    size_t quotes, written_quotes;
    size_t pre;
    size_t lists;
    long number[MAX_LISTS];     /* next number of an ordered list, -1 in an unordered one */
    size_t link_from;           /* where the text of the open link starts */
};

static void put_quotes(struct plain *p, size_t n)
{
    for (size_t i = 0; i < n && i < 20; i++)
        buf_lit(&p->out, "> ");
}

static void flush_breaks(struct plain *p)
{
    if (p->breaks == 0 && p->out.len > 0)
        return;
    if (p->out.len > 0) {
        while (p->out.len > 0 && p->out.ptr[p->out.len - 1] == ' ')
            p->out.len--;
        size_t between = MIN(p->quotes, p->written_quotes);
        for (size_t i = 0; i < p->breaks; i++) {
            buf_char(&p->out, '\n');
            if (i + 1 < p->breaks)
                put_quotes(p, between);
        }
    }
    put_quotes(p, p->quotes);
    p->written_quotes = p->quotes;
    p->breaks = 0;
    p->space = false;
}

static void owe(struct plain *p, size_t breaks)
{
    p->breaks = MAX(p->breaks, breaks);
}

static void put_plain(struct plain *p, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\r')
            continue;
        if (p->pre > 0 && c == '\n') {
            p->breaks = MIN(p->breaks + 1, 2 * MAX_BREAKS);
            continue;
        }
        if (p->pre == 0 && (c == ' ' || c == '\n' || c == '\t' || c == '\f')) {
            p->space = true;
            continue;
        }
        bool fresh = p->breaks > 0 || p->out.len == 0;
        flush_breaks(p);
        if (p->space && !fresh && p->out.ptr[p->out.len - 1] != ' ')
            buf_char(&p->out, ' ');
        p->space = false;
        /* No-break spaces are blanks to a reader of plain text. */
        if (c == '\xc2' && i + 1 < text.len && text.ptr[i + 1] == '\xa0') {
            buf_char(&p->out, ' ');
            i++;
        } else {
            buf_char(&p->out, c);
        }
    }
}

static bool is_hidden(const GumboElement *e)
{
    struct str style = html_attribute(e, "style");
    if (!style.ptr || (str_ifind(style, STR("display")) < 0))
        return false;
    ptrdiff_t at = str_ifind(style, STR("display"));
    struct str value = str_trim(str_skip(style, (size_t)at + 7));
    return str_has_prefix_char(value, ':') && str_istarts(str_trim(str_skip(value, 1)), STR("none"));
}

static void start_item(struct plain *p)
{
    owe(p, 1);
    size_t depth = MIN(p->lists, (size_t)MAX_LISTS);
    long number = depth > 0 ? p->number[depth - 1] : -1;
    struct str mark = number < 0 ? STR("* ") : arena_printf(p->arena, "%ld. ", number);
    if (number >= 0)
        p->number[depth - 1]++;
    flush_breaks(p);
    for (size_t i = 1; i < depth; i++)
        buf_lit(&p->out, "  ");
    buf_add(&p->out, mark);
    p->space = false;
}

static void start_list(struct plain *p, const GumboElement *e)
{
    owe(p, p->lists == 0 ? 2 : 1);
    if (p->lists < MAX_LISTS) {
        int64_t first = 1;
        struct str start = html_attribute(e, "start");
        bool ordered = e->tag == GUMBO_TAG_OL;
        if (!num_parse_int(start, &first) || first < 0 || first > 1000000)
            first = 1;
        p->number[p->lists] = ordered ? (long)first : -1;
    }
    p->lists++;
}

static size_t breaks_around(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_P: case GUMBO_TAG_H1: case GUMBO_TAG_H2: case GUMBO_TAG_H3: case GUMBO_TAG_H4: case GUMBO_TAG_H5:
    case GUMBO_TAG_H6: case GUMBO_TAG_DL: case GUMBO_TAG_PRE: case GUMBO_TAG_FIGURE:
        return 2;
    default:
        return html_is_block(tag) ? 1 : 0;
    }
}

static void enter(struct plain *p, struct html_walk *walk)
{
    const GumboElement *e = &walk->at->v.element;
    if ((html_fate(e) == HTML_DROP && e->tag != GUMBO_TAG_NOSCRIPT) || is_hidden(e)) {
        html_walk_skip(walk);
        return;
    }
    owe(p, breaks_around(e->tag));
    switch (e->tag) {
    case GUMBO_TAG_BR:
        p->breaks = MIN(p->breaks + 1, (size_t)MAX_BREAKS);
        break;
    case GUMBO_TAG_HR:
        put_plain(p, STR("----------"));
        owe(p, 1);
        break;
    case GUMBO_TAG_IMG: {
        struct str alt = str_trim(html_attribute(e, "alt"));
        if (alt.len > 0)
            put_plain(p, arena_printf(p->arena, "[%.*s]", STR_ARG(alt)));
        break;
    }
    case GUMBO_TAG_LI:
        start_item(p);
        break;
    case GUMBO_TAG_UL: case GUMBO_TAG_OL: case GUMBO_TAG_MENU: case GUMBO_TAG_DIR:
        start_list(p, e);
        break;
    case GUMBO_TAG_BLOCKQUOTE:
        p->quotes++;
        break;
    case GUMBO_TAG_PRE:
        p->pre++;
        break;
    case GUMBO_TAG_A:
        p->link_from = p->out.len;
        break;
    default:
        break;
    }
}

/* The address behind the words, where the words do not say it. */
static void put_link(struct plain *p, const GumboElement *e)
{
    struct str url = html_safe_link(p->arena, html_attribute(e, "href"));
    struct str shown = str_trim(str_skip(buf_str(&p->out), p->link_from));
    if (!url.ptr || shown.len == 0 || shown.len > MAX_LINK_TEXT)
        return;
    struct str bare = url;
    if (str_istarts(url, STR("mailto:")) || str_istarts(url, STR("tel:")))
        bare = str_skip(url, (size_t)str_chr(url, ':') + 1);
    else
        bare = str_skip(url, (size_t)str_find(url, STR("//")) + 2);
    if (str_ends(bare, STR("/")))
        bare.len--;
    if (bare.len == 0 || str_ifind(shown, bare) >= 0)
        return;
    if (str_istarts(url, STR("mailto:")) && str_chr(shown, '@') >= 0)
        return;
    put_plain(p, arena_printf(p->arena, " <%.*s>", STR_ARG(url)));
}

static void leave(struct plain *p, const GumboElement *e)
{
    switch (e->tag) {
    case GUMBO_TAG_UL: case GUMBO_TAG_OL: case GUMBO_TAG_MENU: case GUMBO_TAG_DIR:
        p->lists -= p->lists > 0;
        owe(p, p->lists == 0 ? 2 : 1);
        break;
    case GUMBO_TAG_BLOCKQUOTE:
        p->quotes -= p->quotes > 0;
        break;
    case GUMBO_TAG_PRE:
        p->pre -= p->pre > 0;
        break;
    case GUMBO_TAG_A:
        put_link(p, e);
        break;
    case GUMBO_TAG_TD: case GUMBO_TAG_TH:
        p->space = true;
        break;
    default:
        break;
    }
    owe(p, breaks_around(e->tag));
}

struct str html_to_text(struct arena *arena, struct str html)
{
    struct arena *scratch = arena_new("html_to_text", 0);
    struct plain p = { .arena = scratch, .out = buf_new(arena, 0) };
    const GumboNode *body = html_parse(scratch, utf8_repair(scratch, html, true));
    if (!body)
        put_plain(&p, html_strip(scratch, html));
    struct html_walk walk = html_walk(body);
    while (body && html_walk_next(&walk)) {
        const GumboNode *node = walk.at;
        if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE) {
            if (!walk.closing)
                enter(&p, &walk);
            else
                leave(&p, &node->v.element);
        } else if (node->type != GUMBO_NODE_COMMENT) {
            put_plain(&p, str_of(node->v.text.text));
        }
    }
    arena_free(&scratch);
    return utf8_repair(arena, str_trim(buf_str(&p.out)), true);
}
