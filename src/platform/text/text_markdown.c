#include "platform/text/text_internal.h"

#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>
#include <pthread.h>

/* The parser is not linear on hostile text; nobody writes this much by hand. */
#define MAX_MARKDOWN_BYTES (256u << 10)

static pthread_once_t registered = PTHREAD_ONCE_INIT;

static void parser_done(cmark_parser **parser)
{
    cmark_parser_free(*parser);
}

static void node_done(cmark_node **node)
{
    if (*node)
        cmark_node_free(*node);
}

struct str markdown_to_html(struct arena *arena, struct str markdown)
{
    static const char *const extensions[] = { "table", "strikethrough", "autolink" };
    const int options = CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_HARDBREAKS | CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE;
    pthread_once(&registered, cmark_gfm_core_extensions_ensure_registered);
    if (markdown.len > MAX_MARKDOWN_BYTES)
        return text_to_html(arena, markdown);
    markdown = utf8_repair(arena, markdown, true);
    CLEANUP(parser_done) cmark_parser *parser = cmark_parser_new(options);
    for (size_t i = 0; i < COUNT(extensions); i++)
        cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension(extensions[i]));
    cmark_parser_feed(parser, markdown.ptr ? markdown.ptr : "", markdown.len);
    CLEANUP(node_done) cmark_node *document = cmark_parser_finish(parser);
    char *html = cmark_render_html(document, options, cmark_parser_get_syntax_extensions(parser));
    struct str clean = html_clean(arena, str_of(html));
    cmark_get_default_mem_allocator()->free(html);
    return str_trim(clean);
}
