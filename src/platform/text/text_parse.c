#include "platform/text/text_internal.h"

#include <setjmp.h>

/* A tree takes about 20 times the text; what takes far more multiplies formatting elements on purpose. */
#define TREE_BYTES_LEAST  (8u << 20)
#define TREE_BYTES_FACTOR 100u

struct tree_memory {
    struct arena *arena;
    size_t left;
    jmp_buf out;
};

static void *tree_alloc(void *userdata, size_t size)
{
    struct tree_memory *memory = userdata;
    if (size > memory->left)
        longjmp(memory->out, 1);
    memory->left -= size;
    return arena_alloc(memory->arena, size);
}

static void tree_free(void *userdata, void *ptr)
{
    (void)userdata, (void)ptr;
}

/* ---- bounding the depth before the parser sees it ---- */

#define MAX_ATTRIBUTE_BYTES (256u << 10)
#define MAX_ATTRIBUTES 128

struct guard {
    struct str rest;
    struct buf out;
    size_t depth;
    bool changed;
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Length of the tag at the start of s with its '>', and how many attributes it may have. */
static size_t tag_length(struct str s, size_t *ret_attributes)
{
    size_t i = 1, attributes = 0;
    char quote = 0;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (quote) {
            if (c == quote)
                quote = 0;
        } else if ((c == '"' || c == '\'') && s.ptr[i - 1] == '=') {
            quote = c;
        } else if (c == '>') {
            i++;
            break;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '/' || c == '"' || c == '\'') {
            attributes++;
        }
    }
    *ret_attributes = attributes;
    return i;
}

/* Elements that close themselves or are closed by the next of their kind do not nest. */
static bool nests(struct str name)
{
    static const char *const flat[] = { "p",    "br",   "hr",    "img",   "li",    "td",       "tr",   "th",
                                        "dd",   "dt",   "input", "meta",  "link",  "col",      "area", "base",
                                        "wbr",  "html", "head",  "body",  "tbody", "thead",    "param", "source",
                                        "embed", "option", "tfoot", "o" };
    for (size_t i = 0; i < COUNT(flat); i++) {
        if (str_iis(name, flat[i]))
            return false;
    }
    return true;
}

static void guard_tag(struct guard *g)
{
    struct str s = g->rest;
    bool end = s.len > 1 && s.ptr[1] == '/';
    size_t from = end ? 2 : 1, to = from;
    while (to < s.len && is_name_char(s.ptr[to]))
        to++;
    if (to == from) {
        buf_char(&g->out, '<');
        g->rest = str_skip(s, 1);
        return;
    }
    size_t attributes = 0, length = tag_length(s, &attributes);
    bool drop = attributes > MAX_ATTRIBUTES && (attributes > 2000 || length > MAX_ATTRIBUTE_BYTES);
    if (!drop && nests(str_sub(s, from, to - from))) {
        if (end)
            g->depth -= g->depth > 0;
        else if (g->depth >= HTML_MAX_DEPTH)
            drop = true;
        else
            g->depth++;
    }
    if (drop)
        g->changed = true;
    else
        buf_add(&g->out, str_sub(s, 0, length));
    g->rest = str_skip(s, length);
}

static struct str guard_depth(struct arena *scratch, struct str html)
{
    struct guard g = { .rest = html, .out = buf_new(scratch, 0) };
    while (g.rest.len > 0) {
        ptrdiff_t lt = str_chr(g.rest, '<');
        size_t plain = lt < 0 ? g.rest.len : (size_t)lt;
        buf_add(&g.out, str_sub(g.rest, 0, plain));
        g.rest = str_skip(g.rest, plain);
        if (g.rest.len > 0)
            guard_tag(&g);
    }
    return g.changed ? buf_str(&g.out) : html;
}

/* ---- parsing ---- */

const GumboNode *html_parse(struct arena *scratch, struct str html)
{
    struct tree_memory *memory = NEW(scratch, struct tree_memory);
    html = guard_depth(scratch, html);
    memory->arena = scratch;
    memory->left = MAX(TREE_BYTES_LEAST, html.len * TREE_BYTES_FACTOR);
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = tree_alloc;
    options.deallocator = tree_free;
    options.userdata = memory;
    options.max_errors = 0;
    /* The tree is arena memory: jumping out of the parser leaks nothing. */
    if (setjmp(memory->out))
        return NULL;
    GumboOutput *output = gumbo_parse_with_options(&options, html.ptr ? html.ptr : "", html.len);
    const GumboVector *top = &output->root->v.element.children;
    for (unsigned i = 0; i < top->length; i++) {
        const GumboNode *child = top->data[i];
        if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == GUMBO_TAG_BODY)
            return child;
    }
    return output->root;
}

struct str html_attribute(const GumboElement *element, const char *name)
{
    const GumboAttribute *a = gumbo_get_attribute(&element->attributes, name);
    return a ? str_of(a->value) : STR_NONE;
}

struct str html_strip(struct arena *arena, struct str html)
{
    struct buf out = buf_new(arena, 0);
    while (html.len > 0) {
        ptrdiff_t lt = str_chr(html, '<');
        size_t plain = lt < 0 ? html.len : (size_t)lt;
        buf_add(&out, str_sub(html, 0, plain));
        html = str_skip(html, plain);
        size_t attributes;
        if (html.len > 0) {
            html = str_skip(html, tag_length(html, &attributes));
            buf_char(&out, ' ');
        }
    }
    return utf8_repair(arena, buf_str(&out), true);
}

/* ---- walking ---- */

struct html_walk html_walk(const GumboNode *root)
{
    return (struct html_walk){ .root = root };
}

static void walk_beyond(struct html_walk *walk)
{
    const GumboNode *node = walk->at, *parent = node->parent;
    const GumboVector *siblings = html_children(parent);
    size_t next = node->index_within_parent + 1;
    if (next < siblings->length) {
        walk->at = siblings->data[next];
        walk->closing = false;
    } else {
        walk->at = parent;
        walk->closing = true;
    }
}

bool html_walk_next(struct html_walk *walk)
{
    if (!walk->at) {
        const GumboVector *children = html_children(walk->root);
        if (children->length == 0)
            return false;
        walk->at = children->data[0];
        return true;
    }
    if (!walk->closing && html_children(walk->at)->length > 0) {
        walk->at = html_children(walk->at)->data[0];
        return true;
    }
    if (!walk->closing && (walk->at->type == GUMBO_NODE_ELEMENT || walk->at->type == GUMBO_NODE_TEMPLATE)) {
        walk->closing = true;
        return true;
    }
    walk_beyond(walk);
    return walk->at != walk->root;
}

void html_walk_skip(struct html_walk *walk)
{
    /* As if its end had been reported. */
    walk->closing = true;
}
