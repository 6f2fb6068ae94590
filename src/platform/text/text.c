#include "platform/text/text_internal.h"

struct str text_preview(struct arena *arena, struct str text, size_t max_bytes)
{
    struct buf out = buf_new(arena, 0);
    bool space = false, cut = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == 0x7f) {
            space = true;
            continue;
        }
        if (space && out.len > 0)
            buf_char(&out, ' ');
        space = false;
        if (out.len > max_bytes) {
            cut = true;
            break;
        }
        buf_char(&out, (char)c);
    }
    struct str line = buf_str(&out);
    if (!cut && line.len <= max_bytes)
        return line;
    if (max_bytes < 3)
        return utf8_cut(line, max_bytes);
    return arena_printf(arena, "%.*s…", STR_ARG(str_trim(utf8_cut(line, max_bytes - 3))));
}

/* ---- plain text as HTML ---- */

static bool is_url_char(unsigned char c)
{
    return c > ' ' && c != '<' && c != '>' && c != '"' && c != '`' && c != 0x7f;
}

/* Length of the link that starts here, 0 when none does. */
static size_t link_length(struct str s)
{
    static const char *const schemes[] = { "https://", "http://", "mailto:" };
    size_t head = 0;
    for (size_t i = 0; i < COUNT(schemes) && head == 0; i++) {
        if (str_istarts(s, str_of(schemes[i])))
            head = strlen(schemes[i]);
    }
    if (head == 0)
        return 0;
    size_t n = head, open = 0;
    for (; n < s.len && is_url_char((unsigned char)s.ptr[n]); n++) {
        if (s.ptr[n] == '(')
            open++;
        else if (s.ptr[n] == ')' && open-- == 0)
            break;
    }
    /* Punctuation at the end belongs to the sentence. */
    while (n > head && strchr(".,;:!?'*_", s.ptr[n - 1]))
        n--;
    return n > head ? n : 0;
}

static void put_line(struct buf *out, struct str line)
{
    size_t from = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        bool boundary = i == 0 || !is_url_char((unsigned char)line.ptr[i - 1]) || strchr("([{,;:", line.ptr[i - 1]);
        size_t n = boundary && (c == 'h' || c == 'H' || c == 'm' || c == 'M') ? link_length(str_skip(line, i)) : 0;
        if (n == 0)
            continue;
        struct str url = str_sub(line, i, n);
        html_put_text(out, str_sub(line, from, i - from));
        buf_lit(out, "<a href=\"");
        html_put_value(out, url);
        buf_lit(out, "\" rel=\"noopener noreferrer\" target=\"_blank\">");
        html_put_text(out, url);
        buf_lit(out, "</a>");
        from = i + n;
        i = from - 1;
    }
    html_put_text(out, str_skip(line, from));
}

struct str text_to_html(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    struct str rest = utf8_repair(arena, text, true), line;
    bool open = false;
    while (str_line(&rest, &line)) {
        if (str_trim(line).len == 0) {
            if (open)
                buf_lit(&out, "</p>\n");
            open = false;
            continue;
        }
        if (open)
            buf_lit(&out, "<br>\n");
        else
            buf_lit(&out, "<p>");
        open = true;
        put_line(&out, line);
    }
    if (open)
        buf_lit(&out, "</p>");
    return str_trim(buf_str(&out));
}
