#include "platform/text/text_internal.h"

#define MAX_DECLARATIONS 60
#define MAX_VALUE_BYTES 300

static const char *const properties[] = {
    "background-color", "border", "border-bottom", "border-bottom-color", "border-bottom-style",
    "border-bottom-width", "border-collapse", "border-color", "border-left", "border-left-color",
    "border-left-style", "border-left-width", "border-radius", "border-right", "border-right-color",
    "border-right-style", "border-right-width", "border-spacing", "border-style", "border-top", "border-top-color",
    "border-top-style", "border-top-width", "border-width", "box-sizing", "caption-side", "clear", "color",
    "direction", "display", "empty-cells", "float", "font", "font-family", "font-size", "font-style",
    "font-variant", "font-weight", "height", "letter-spacing", "line-height", "list-style", "list-style-position",
    "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-height",
    "max-width", "min-height", "min-width", "overflow", "overflow-wrap", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "table-layout", "text-align", "text-decoration",
    "text-decoration-color", "text-decoration-line", "text-decoration-style", "text-indent", "text-transform",
    "unicode-bidi", "vertical-align", "white-space", "width", "word-break", "word-spacing", "word-wrap",
};

static const char *find_property(struct str name)
{
    size_t low = 0, high = COUNT(properties);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(name, str_of(properties[middle]));
        if (order == 0)
            return properties[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Comments become a space: "exp/x/ression" must not join again. */
static struct str without_comments(struct arena *arena, struct str style)
{
    if (str_find(style, STR("/*")) < 0)
        return style;
    struct buf out = buf_new(arena, 0);
    for (;;) {
        ptrdiff_t open = str_find(style, STR("/*"));
        if (open < 0)
            break;
        buf_add(&out, str_sub(style, 0, (size_t)open));
        buf_char(&out, ' ');
        style = str_skip(style, (size_t)open + 2);
        ptrdiff_t close = str_find(style, STR("*/"));
        style = close < 0 ? STR("") : str_skip(style, (size_t)close + 2);
    }
    buf_add(&out, style);
    return buf_str(&out);
}

static bool is_value_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
           (c && strchr(" #%.,()'\"-+!_/", c));
}

/* Only colour functions; quotes must pair, brackets too. */
static bool is_safe_value(struct str value)
{
    static const char *const functions[] = { "rgb", "rgba", "hsl", "hsla" };
    size_t open = 0;
    char quote = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (!is_value_char((unsigned char)c))
            return false;
        if (c == '"' || c == '\'') {
            quote = quote == c ? 0 : quote ? quote : c;
        } else if (c == ')') {
            if (open-- == 0)
                return false;
        } else if (c == '(') {
            bool known = false;
            for (size_t k = 0; k < COUNT(functions); k++) {
                struct str before = str_sub(value, 0, i);
                struct str name = str_of(functions[k]);
                struct str tail = str_skip(before, before.len >= name.len ? before.len - name.len : before.len);
                size_t head = before.len - tail.len;
                bool starts = head == 0 || before.ptr[head - 1] == ' ' || before.ptr[head - 1] == ',';
                known = known || (starts && str_ieq(tail, name));
            }
            if (!known)
                return false;
            open++;
        }
    }
    return !quote && open == 0 && value.len > 0 && value.len <= MAX_VALUE_BYTES;
}

/* A negative distance can lay the mail's text over the page around it. */
static bool is_negative(struct str value)
{
    for (size_t i = 0; i + 1 < value.len; i++) {
        bool starts = i == 0 || value.ptr[i - 1] == ' ';
        if (starts && value.ptr[i] == '-')
            return true;
    }
    return false;
}

static bool fits(const char *property, struct str value)
{
    static const char *const displays[] = { "block", "inline", "inline-block", "none", "table", "table-row",
                                            "table-cell", "list-item", "inline-table" };
    struct str name = str_of(property);
    if (str_is(name, "display")) {
        for (size_t i = 0; i < COUNT(displays); i++) {
            if (str_istarts(value, str_of(displays[i])))
                return true;
        }
        return false;
    }
    bool distance = str_starts(name, STR("margin")) || str_starts(name, STR("padding")) || str_is(name, "text-indent");
    return !distance || !is_negative(value);
}

static void put_declaration(struct buf *out, struct arena *scratch, struct str declaration)
{
    ptrdiff_t colon = str_chr(declaration, ':');
    if (colon < 0)
        return;
    struct str name = str_lower(scratch, str_trim(str_sub(declaration, 0, (size_t)colon)));
    struct str value = text_preview(scratch, str_skip(declaration, (size_t)colon + 1), MAX_VALUE_BYTES + 1);
    const char *property = find_property(str_is(name, "background") ? STR("background-color") : name);
    if (!property || !is_safe_value(value) || !fits(property, value))
        return;
    /* A background shorthand is kept where it only names a colour. */
    if (str_is(name, "background") && str_chr(value, ' ') >= 0 && str_chr(value, '(') < 0)
        return;
    if (out->len > 0)
        buf_lit(out, "; ");
    buf_add(out, str_of(property));
    buf_lit(out, ": ");
    buf_add(out, value);
}

/* Up to the next ';' that is outside quotes and brackets. */
static struct str next_declaration(struct str *rest)
{
    char quote = 0;
    size_t depth = 0, i = 0;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth -= depth > 0;
        else if (c == ';' && depth == 0)
            break;
    }
    struct str part = str_sub(*rest, 0, i);
    *rest = str_skip(*rest, i + 1);
    return part;
}

struct str css_clean(struct arena *arena, struct str style)
{
    struct buf out = buf_new(arena, 0);
    struct str rest = without_comments(arena, style);
    for (int i = 0; i < MAX_DECLARATIONS && rest.len > 0; i++)
        put_declaration(&out, arena, next_declaration(&rest));
    return buf_str(&out);
}
