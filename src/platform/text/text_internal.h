/* text_internal.h - what the files of this module share; not for others. */
#ifndef CAIRN_TEXT_INTERNAL_H
#define CAIRN_TEXT_INTERNAL_H

#include "platform/text/text.h"

#include <gumbo.h>

/* ---- parsing (text_parse.c) ---- */

/* Elements nested deeper than this are flattened before parsing: scope checks of HTML5 are quadratic in the depth. */
#define HTML_MAX_DEPTH 256

/*
 * The children of <body>, or NULL when the text would take more memory than
 * it deserves (formatting elements can multiply).  The tree lies in `scratch`.
 */
const GumboNode *html_parse(struct arena *scratch, struct str html);
/* Value of an attribute, STR_NONE when absent. */
struct str html_attribute(const GumboElement *element, const char *name);
/* Text without tags, for what html_parse refused: still UTF-8, not escaped. */
struct str html_strip(struct arena *arena, struct str html);

/* One step of a walk in document order without recursion. */
struct html_walk {
    const GumboNode *root, *at;
    bool closing;           /* `at` is being left */
};
struct html_walk html_walk(const GumboNode *root);
/* Next node entered or left; a node that was entered is left later, unless skipped. */
bool html_walk_next(struct html_walk *walk);
/* Leave the children of the entered node out, and do not report its end. */
void html_walk_skip(struct html_walk *walk);

static inline const GumboVector *html_children(const GumboNode *node)
{
    bool has = node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
    return has ? &node->v.element.children : &kGumboEmptyVector;
}

/* ---- rules (text_rules.c, text_css.c) ---- */

enum html_fate {
    HTML_DROP,      /* with everything inside */
    HTML_UNWRAP,    /* its content stays */
    HTML_KEEP,
};
enum html_fate html_fate(const GumboElement *element);
/* The allowed attribute with its checked value goes to `out` (" name=\"value\""); others add nothing. */
void html_put_attribute(struct buf *out, struct arena *scratch, GumboTag tag, struct str name, struct str value);
/* http, https, mailto or tel with something behind it, white space removed; STR_NONE otherwise. */
struct str html_safe_link(struct arena *arena, struct str url);
/* Known names of quote containers (class or id) as one word, STR_NONE otherwise. */
struct str html_quote_mark(struct str names);
/* Harmless declarations only, in canonical form. */
struct str css_clean(struct arena *arena, struct str style);

void html_put_text(struct buf *out, struct str text);
void html_put_value(struct buf *out, struct str text);
bool html_is_void(GumboTag tag);
bool html_is_block(GumboTag tag);

/* ---- words (text_fold.c) ---- */

/* One search term and where it stands in the original. */
struct text_token {
    struct str term;
    struct text_range range;
};
struct text_words {
    struct str text;
    size_t at;
    struct buf term;
    uint32_t pending;       /* first half of the next pair of CJK characters, 0 none */
    struct text_range pending_range;
    bool paired;            /* `pending` was already given as second half */
};
struct text_words text_words(struct arena *arena, struct str text);
/* The term is valid until the next call. */
bool text_words_next(struct text_words *words, struct text_token *ret);

#endif
