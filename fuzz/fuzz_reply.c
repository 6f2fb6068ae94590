/* Replies as text and as HTML: no byte of the text is lost, both halves of the HTML are clean. */
#include "platform/mail/mail.h"
#include "platform/text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* White space at the ends may go; all else must be there once. */
static size_t count_ink(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += strchr(" \t\r\n", text.ptr[i]) == NULL || text.ptr[i] == 0;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz", 0);
    struct str text = utf8_repair(arena, (struct str){ (const char *)data, size }, true);
    struct mail_reply reply = mail_split_text(arena, text);
    ASSERT(count_ink(reply.visible) + count_ink(reply.folded) == count_ink(text));
    struct str clean = html_clean(arena, text);
    reply = mail_split_html(arena, clean);
    ASSERT(utf8_valid(reply.visible) && utf8_valid(reply.folded));
    arena_free(&arena);
    return 0;
}
