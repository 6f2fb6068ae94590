/* Hostile HTML: what html_clean gives is stable, valid UTF-8 and free of what can run. */
#include "platform/text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_harmless(struct arena *arena, struct str clean)
{
    static const char *const never[] = { "<script", "<style", "<iframe", "<svg", "<math", "<object", "<embed", "<form", "<input",
                                         "<base", "<meta", "<link", "<template", "<noscript", "<textarea", " on", "javascript:" };
    struct str rest = str_lower(arena, clean);
    /* Only tags matter: text is escaped and may say anything. */
    for (;;) {
        ptrdiff_t open = str_chr(rest, '<');
        if (open < 0)
            return;
        rest = str_skip(rest, (size_t)open);
        ptrdiff_t close = str_chr(rest, '>');
        ASSERT(close > 0);
        struct str tag = str_sub(rest, 0, (size_t)close + 1);
        for (size_t i = 0; i < COUNT(never) - 2; i++)
            ASSERT(!str_starts(tag, str_of(never[i])));
        ASSERT(str_find(tag, STR("=\"javascript:")) < 0);
        rest = str_skip(rest, tag.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz", 0);
    struct str html = { (const char *)data, size };
    struct str clean = html_clean(arena, html);
    ASSERT(utf8_valid(clean));
    check_harmless(arena, clean);
    ASSERT(str_eq(html_clean(arena, clean), clean));
    ASSERT(utf8_valid(html_to_text(arena, html)));
    struct str valid = utf8_repair(arena, html, true);
    ASSERT(utf8_valid(text_fold(arena, valid)));
    ASSERT(utf8_valid(text_preview(arena, valid, 50)));
    check_harmless(arena, text_to_html(arena, html));
    check_harmless(arena, markdown_to_html(arena, html));
    arena_free(&arena);
    return 0;
}
