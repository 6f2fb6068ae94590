/* html_clean against the public attack collections: nothing that can run may come out. */
#include "platform/text/text.h"
#include "testing/dataset.h"

#include <gumbo.h>

/* ---- the judge: parses the output again and knows nothing of the cleaner's own rules ---- */

static bool starts_badly(const char *value)
{
    static const char *const schemes[] = { "javascript:", "vbscript:", "data:", "file:", "blob:", "about:" };
    char compact[32];
    size_t n = 0;
    for (; *value && n + 1 < sizeof(compact); value++) {
        if ((unsigned char)*value > ' ')
            compact[n++] = *value;
    }
    compact[n] = 0;
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (str_istarts(str_of(compact), str_of(schemes[i])))
            return true;
    }
    return false;
}

static bool bad_attribute(const GumboAttribute *a)
{
    struct str name = str_of(a->name), value = str_of(a->value);
    static const char *const never[] = { "srcdoc", "action", "formaction", "background", "xlink:href", "ping", "srcset", "id", "class",
                                         "name", "poster", "data", "code", "usemap", "autofocus", "contenteditable" };
    for (size_t i = 0; i < COUNT(never); i++) {
        if (str_iis(name, never[i]))
            return true;
    }
    if (str_istarts(name, STR("on")))
        return true;
    if (str_is(name, "src"))
        return !str_istarts(value, STR("data:image/"));
    if (str_is(name, "href"))
        return starts_badly(a->value);
    if (!str_is(name, "style"))
        return false;
    static const char *const css[] = { "url", "expression", "behavior", "binding", "position", "\\", "/*", "@", "<" };
    for (size_t i = 0; i < COUNT(css); i++) {
        if (str_ifind(value, str_of(css[i])) >= 0)
            return true;
    }
    return false;
}

static bool bad_element(const GumboElement *e)
{
    static const char *const never[] = { "script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button",
                                         "select", "textarea", "base", "meta", "link", "svg", "math", "template", "noscript", "xmp", "title", "audio",
                                         "video", "isindex", "keygen", "marquee", "noembed", "noframes", "plaintext", "body", "html", "head" };
    if (e->tag_namespace != GUMBO_NAMESPACE_HTML || e->tag == GUMBO_TAG_UNKNOWN)
        return true;
    for (size_t i = 0; i < COUNT(never); i++) {
        if (strcmp(gumbo_normalized_tagname(e->tag), never[i]) == 0)
            return true;
    }
    for (unsigned i = 0; i < e->attributes.length; i++) {
        if (bad_attribute(e->attributes.data[i]))
            return true;
    }
    return false;
}

static bool is_bad(const GumboNode *node, int depth)
{
    if (node->type == GUMBO_NODE_COMMENT)
        return true;
    if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE)
        return false;
    if (depth > 0 && bad_element(&node->v.element))
        return true;
    for (unsigned i = 0; i < node->v.element.children.length; i++) {
        if (is_bad(node->v.element.children.data[i], depth + 1))
            return true;
    }
    return false;
}

static bool is_safe(struct str clean)
{
    GumboOptions options = kGumboDefaultOptions;
    options.fragment_context = GUMBO_TAG_DIV;
    GumboOutput *output = gumbo_parse_with_options(&options, clean.ptr, clean.len);
    bool safe = !is_bad(output->root, 0);
    gumbo_destroy_output(&options, output);
    return safe;
}

/* ---- sets ---- */

struct tally {
    size_t rows, safe, stable, comparable, same;
};

static struct str squeeze(struct arena *arena, struct str html)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < html.len; i++) {
        if (!strchr(" \t\r\n", html.ptr[i]))
            buf_char(&out, html.ptr[i]);
    }
    return buf_str(&out);
}

/* Same visible words and, where our rules add nothing (rel, data-remote-src), same markup. */
static bool resembles(struct world *w, struct str clean, struct str expected)
{
    if (str_eq(squeeze(w->arena, clean), squeeze(w->arena, expected)))
        return true;
    return str_eq(squeeze(w->arena, clean), squeeze(w->arena, html_clean(w->arena, expected)));
}

static void try_vector(struct world *w, const char *set, struct str payload, struct tally *t, struct str *ret_clean)
{
    struct str clean = html_clean(w->arena, payload);
    t->rows++;
    if (is_safe(clean))
        t->safe++;
    else
        print_error("%s: unsafe: %.*s\n", set, STR_ARG(clean));
    struct str again = html_clean(w->arena, clean);
    t->stable += str_eq(again, clean);
    if (!str_eq(again, clean))
        print_error("%s: unstable: \"%.*s\" \"%.*s\"\n", set, STR_ARG(clean), STR_ARG(again));
    *ret_clean = clean;
}

static void compare(struct world *w, struct str clean, const struct json_value *expected, struct tally *t)
{
    bool same = false;
    if (!expected || expected->kind == JSON_NULL)
        return;
    if (expected->kind == JSON_TEXT)
        same = resembles(w, clean, expected->text);
    else if (expected->kind == JSON_LIST)
        for (size_t i = 0; i < expected->n && !same; i++)
            same = resembles(w, clean, expected->items[i].text);
    else
        for (size_t i = 0; i < expected->n && !same; i++)
            same = resembles(w, clean, expected->members[i].value.text);
    t->comparable++;
    t->same += same;
}

static void judge(struct world *w, const char *set, const char *member, double floor_percent)
{
    struct dataset data;
    struct tally t = { 0 };
    struct json_value row;
    const char *path = arena_printf(w->arena, "%s/cases.jsonl", set).ptr;
    if (!dataset_open(w, path, &data))
        return;
    while (dataset_next(&data, &row)) {
        struct str clean, payload = json_text(&row, member);
        try_vector(w, set, payload, &t, &clean);
        compare(w, clean, json_get(&row, "expected"), &t);
    }
    CHECK(t.rows > 0);
    dataset_score(arena_printf(w->arena, "%s safe", set).ptr, t.safe, t.rows, 100);
    dataset_score(arena_printf(w->arena, "%s stable", set).ptr, t.stable, t.rows, 100);
    if (t.comparable > 0)
        dataset_score(arena_printf(w->arena, "%s like the reference", set).ptr, t.same, t.comparable, floor_percent);
}

static void dompurify_vectors(void **state)
{
    judge(*state, "html-dompurify", "payload", 95);
}

static void h5sc_vectors(void **state)
{
    judge(*state, "html-h5sc", "payload", 0);
    judge(*state, "html-h5sc", "data", 0);
}

static void owasp_vectors(void **state)
{
    judge(*state, "html-owasp-xss", "payload", 0);
}

static void sanitizer_rows(void **state)
{
    judge(*state, "html-sanitizer-testcases", "input", 78);
}

static void try_tokenizer_file(struct world *w, struct str text, struct tally *t)
{
    struct json_value file;
    struct str clean;
    if (json_parse(&w->cx, text, &file) != E_OK)
        return;
    const struct json_value *tests = json_get(&file, "tests");
    for (size_t i = 0; tests && i < tests->n; i++)
        try_vector(w, "html-html5lib", json_text(&tests->items[i], "input"), t, &clean);
}

static void try_encoding_file(struct world *w, struct str text, struct tally *t)
{
    ptrdiff_t at, end;
    struct str clean;
    while ((at = str_find(text, STR("#data\n"))) >= 0 && (end = str_find(text, STR("\n#encoding"))) >= 0) {
        if (end > at + 6)
            try_vector(w, "html-html5lib", str_sub(text, (size_t)at + 6, (size_t)(end - at) - 6), t, &clean);
        text = str_skip(text, (size_t)end + 10);
    }
}

/* The parser's own test inputs: strange tokens, no expectation of ours but safety. */
static void html5lib_inputs(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "html-html5lib/html5lib.tar.gz");
    struct str *paths, text;
    struct tally t = { 0 };
    if (!dir)
        return;
    size_t n = dataset_files(w, dir, &paths);
    for (size_t i = 0; i < n; i++) {
        CHECK(dataset_read(w, paths[i].ptr, &text));
        if (str_ends(paths[i], STR(".dat")))
            try_encoding_file(w, text, &t);
        else if (str_ends(paths[i], STR(".test")))
            try_tokenizer_file(w, text, &t);
    }
    CHECK(t.rows > 300);
    dataset_score("html-html5lib safe", t.safe, t.rows, 100);
    dataset_score("html-html5lib stable", t.stable, t.rows, 100);
}

TESTS(UNIT(dompurify_vectors), UNIT(h5sc_vectors), UNIT(owasp_vectors), UNIT(sanitizer_rows), UNIT(html5lib_inputs))
