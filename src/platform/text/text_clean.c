#include "platform/text/text_internal.h"

/* A second pass is needed only where unwrapping made a tree that HTML text cannot say; more never helped. */
#define MAX_PASSES 4

struct cleaner {
    struct arena *scratch;
    struct buf out;
    GumboTag *open;     /* stack of written, unclosed elements */
    size_t depth, room;
    bool unstable;      /* parsing the result may give another tree */
};

static void push(struct cleaner *c, GumboTag tag)
{
    if (c->depth == c->room) {
        GumboTag *more = NEWN(c->scratch, GumboTag, c->room * 2 + 64);
        if (c->depth > 0)
            memcpy(more, c->open, c->depth * sizeof(*more));
        c->open = more;
        c->room = c->room * 2 + 64;
    }
    c->open[c->depth++] = tag;
}

static bool has_open(const struct cleaner *c, GumboTag tag)
{
    for (size_t i = c->depth; i > 0; i--) {
        if (c->open[i - 1] == tag)
            return true;
        if (c->open[i - 1] == GUMBO_TAG_TD || c->open[i - 1] == GUMBO_TAG_TH)
            return false;
    }
    return false;
}

/* An item closes an earlier one of its kind unless something special (no div, p or address) stands between. */
static bool has_open_item(const struct cleaner *c, GumboTag tag)
{
    bool definition = tag == GUMBO_TAG_DD || tag == GUMBO_TAG_DT;
    for (size_t i = c->depth; i > 0; i--) {
        GumboTag open = c->open[i - 1];
        if (open == tag || (definition && (open == GUMBO_TAG_DD || open == GUMBO_TAG_DT)))
            return true;
        bool through = open == GUMBO_TAG_DIV || open == GUMBO_TAG_P || open == GUMBO_TAG_ADDRESS;
        if (!through && (html_is_block(open) || open == GUMBO_TAG_TD || open == GUMBO_TAG_TH))
            return false;
    }
    return false;
}

/* Would the parser put this element where we write it? */
static bool fits_here(const struct cleaner *c, GumboTag tag)
{
    GumboTag parent = c->depth > 0 ? c->open[c->depth - 1] : GUMBO_TAG_BODY;
    switch (tag) {
    case GUMBO_TAG_TR:
        return parent == GUMBO_TAG_TBODY || parent == GUMBO_TAG_THEAD || parent == GUMBO_TAG_TFOOT;
    case GUMBO_TAG_TD: case GUMBO_TAG_TH:
        return parent == GUMBO_TAG_TR;
    case GUMBO_TAG_TBODY: case GUMBO_TAG_THEAD: case GUMBO_TAG_TFOOT: case GUMBO_TAG_CAPTION: case GUMBO_TAG_COLGROUP:
        return parent == GUMBO_TAG_TABLE;
    case GUMBO_TAG_COL:
        return parent == GUMBO_TAG_COLGROUP;
    case GUMBO_TAG_A:
        return !has_open(c, tag);
    case GUMBO_TAG_H1: case GUMBO_TAG_H2: case GUMBO_TAG_H3: case GUMBO_TAG_H4: case GUMBO_TAG_H5: case GUMBO_TAG_H6:
        return !has_open(c, GUMBO_TAG_P) && !(parent >= GUMBO_TAG_H1 && parent <= GUMBO_TAG_H6);
    case GUMBO_TAG_RT: case GUMBO_TAG_RP:
        /* These close what may end by itself. */
        if (parent == GUMBO_TAG_RT || parent == GUMBO_TAG_RP || parent == GUMBO_TAG_P || parent == GUMBO_TAG_LI ||
            parent == GUMBO_TAG_DD || parent == GUMBO_TAG_DT)
            return false;
        break;
    case GUMBO_TAG_LI: case GUMBO_TAG_DD: case GUMBO_TAG_DT:
        if (has_open_item(c, tag))
            return false;
        break;
    default:
        break;
    }
    bool in_table = parent == GUMBO_TAG_TABLE || parent == GUMBO_TAG_TBODY || parent == GUMBO_TAG_THEAD ||
                    parent == GUMBO_TAG_TFOOT || parent == GUMBO_TAG_TR || parent == GUMBO_TAG_COLGROUP;
    return !in_table && !(html_is_block(tag) && has_open(c, GUMBO_TAG_P));
}

static void put_attributes(struct cleaner *c, const GumboElement *element)
{
    bool has_mark = false, has_source = false;
    for (unsigned i = 0; i < element->attributes.length; i++) {
        const GumboAttribute *a = element->attributes.data[i];
        struct str name = str_of(a->name);
        bool source = str_is(name, "src") || str_is(name, "data-remote-src") || str_is(name, "data-cid");
        bool mark = str_is(name, "class") || str_is(name, "id") || str_is(name, "data-mark");
        if (a->attr_namespace != GUMBO_ATTR_NAMESPACE_NONE || (mark && has_mark) || (source && has_source))
            continue;
        size_t before = c->out.len;
        html_put_attribute(&c->out, c->scratch, element->tag, name, str_of(a->value));
        has_mark = has_mark || (mark && c->out.len > before);
        has_source = has_source || (source && c->out.len > before);
    }
}

static void open_element(struct cleaner *c, struct html_walk *walk)
{
    const GumboElement *element = &walk->at->v.element;
    enum html_fate fate = html_fate(element);
    if (fate == HTML_DROP) {
        html_walk_skip(walk);
        return;
    }
    if (fate == HTML_UNWRAP)
        return;
    if (!fits_here(c, element->tag))
        c->unstable = true;
    buf_char(&c->out, '<');
    buf_add(&c->out, str_of(gumbo_normalized_tagname(element->tag)));
    put_attributes(c, element);
    buf_char(&c->out, '>');
    if (html_is_void(element->tag)) {
        html_walk_skip(walk);
        return;
    }
    push(c, element->tag);
    /* The parser eats one line feed after <pre>. */
    const GumboVector *children = html_children(walk->at);
    const GumboNode *first = children->length ? children->data[0] : NULL;
    bool is_text = first && (first->type == GUMBO_NODE_TEXT || first->type == GUMBO_NODE_WHITESPACE);
    if (element->tag == GUMBO_TAG_PRE && is_text && first->v.text.text[0] == '\n')
        buf_char(&c->out, '\n');
}

static void close_element(struct cleaner *c, const GumboElement *element)
{
    if (html_fate(element) != HTML_KEEP)
        return;
    c->depth--;
    buf_lit(&c->out, "</");
    buf_add(&c->out, str_of(gumbo_normalized_tagname(element->tag)));
    buf_char(&c->out, '>');
}

static struct str clean_once(struct arena *arena, struct arena *scratch, struct str html, bool *ret_unstable)
{
    const GumboNode *body = html_parse(scratch, html);
    if (!body) {
        *ret_unstable = false;
        return text_to_html(arena, html_strip(scratch, html));
    }
    struct cleaner c = { .scratch = scratch, .out = buf_new(arena, 0) };
    struct html_walk walk = html_walk(body);
    while (html_walk_next(&walk)) {
        const GumboNode *node = walk.at;
        switch (node->type) {
        case GUMBO_NODE_ELEMENT: case GUMBO_NODE_TEMPLATE:
            if (walk.closing)
                close_element(&c, &node->v.element);
            else
                open_element(&c, &walk);
            break;
        case GUMBO_NODE_TEXT: case GUMBO_NODE_WHITESPACE: case GUMBO_NODE_CDATA:
            html_put_text(&c.out, str_of(node->v.text.text));
            break;
        default:
            break;
        }
    }
    *ret_unstable = c.unstable;
    /* White space before the first content is none of the body's. */
    /* The parser has references that it decodes to half a character. */
    return utf8_repair(arena, str_trim(buf_str(&c.out)), true);
}

struct str html_clean(struct arena *arena, struct str html)
{
    bool unstable = true;
    struct str clean = utf8_repair(arena, html, true);
    for (int pass = 0; pass < MAX_PASSES && unstable; pass++) {
        struct arena *scratch = arena_new("html_clean", 0);
        struct str before = clean;
        clean = clean_once(arena, scratch, before, &unstable);
        arena_free(&scratch);
        if (pass > 0 && str_eq(before, clean))
            return clean;
    }
    if (!unstable)
        return clean;
    /* It never settles: give its words without its structure. */
    return text_to_html(arena, html_to_text(arena, clean));
}
