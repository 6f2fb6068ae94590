/* http_docs.c - the route tables as a readable page, rendered here: no script, nothing from elsewhere. */
#include "platform/http/http_internal.h"

static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cairn API</title>"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>\n"
    ":root{color-scheme:light dark;--line:#8884;--dim:#667}@media(prefers-color-scheme:dark){:root{--dim:#99a}}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1.5rem}"
    "code{font:.9em ui-monospace,monospace}h2{border-bottom:1px solid var(--line);margin-top:2.5rem;text-transform:capitalize}"
    "details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0}summary{cursor:pointer;padding:.5rem .8rem}"
    "details>div{padding:0 .8rem .8rem}table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}"
    "b.m{display:inline-block;min-width:4.2rem}.d{color:var(--dim)}nav a{margin-right:.8rem}"
    "</style></head><body><main><h1>Cairn API</h1>\n"
    "<p>JSON over HTTP. Send <code>Authorization: Bearer TOKEN</code>. Ids are strings, times are RFC 3339 in UTC. "
    "Lists answer <code>items</code> and <code>next_cursor</code>. Errors are <code>application/problem+json</code>: "
    "<code>code</code> is stable, <code>field</code> names the input at fault. "
    "The same as a document for programs: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>\n";

static const char *field_type_name(const struct field *f)
{
    static const char *const names[] = { [F_INT] = "integer", [F_ID] = "id", [F_TEXT] = "text", [F_BOOL] = "true or false",
                                         [F_TIME] = "time", [F_REAL] = "number", [F_JSON] = "any JSON", [F_OBJECT] = "object",
                                         [F_LIST] = "list", [F_TEXTS] = "list of text", [F_IDS] = "list of ids" };
    return names[f->type];
}

static void put_escaped(struct buf *out, const char *text)
{
    buf_add(out, html_escape(out->arena, str_of(text ? text : "")));
}

static void put_field(struct buf *out, const struct field *f, const char *prefix, bool input)
{
    static const char *const places[] = { [IN_BODY] = "body", [IN_PATH] = "path", [IN_QUERY] = "query" };
    buf_printf(out, "<tr><td><code>%s%s</code></td><td>%s", prefix, f->name, field_type_name(f));
    if (f->shape)
        buf_printf(out, " <i>%s</i>", f->shape->name);
    buf_printf(out, "</td><td>%s", input ? places[f->place] : "");
    if (input && !f->optional)
        buf_lit(out, ", required");
    if (f->nullable)
        buf_lit(out, input ? ", may be null" : "may be null");
    buf_lit(out, "</td><td>");
    put_escaped(out, f->doc);
    for (const char *const *c = f->choices; c && *c; c++)
        buf_printf(out, "%s<code>%s</code>", c == f->choices ? " " : " | ", *c);
    buf_lit(out, "</td></tr>\n");
}

static void put_fields(struct buf *out, const struct field *fields, size_t n, const char *prefix, bool input, unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        put_field(out, &fields[i], prefix, input);
        if (fields[i].shape && depth < 2)
            put_fields(out, fields[i].shape->fields, fields[i].shape->nfields,
                       arena_printf(out->arena, "%s%s%s.", prefix, fields[i].name, fields[i].type == F_LIST ? "[]" : "").ptr,
                       input, depth + 1);
    }
}

static void put_table(struct buf *out, const char *title, const struct field *fields, size_t n, bool input)
{
    if (!n)
        return;
    buf_printf(out, "<h4>%s</h4><table>", title);
    put_fields(out, fields, n, "", input, 0);
    buf_lit(out, "</table>");
}

static void put_route(struct buf *out, const struct route *route)
{
    buf_printf(out, "<details><summary><b class=\"m\">%s</b> <code>%s</code> <span class=\"d\">", method_names[route->method],
               route->path);
    put_escaped(out, route->summary);
    buf_lit(out, "</span></summary><div>");
    if (route->doc) {
        buf_lit(out, "<p>");
        put_escaped(out, route->doc);
        buf_lit(out, "</p>");
    }
    if (route->permission == PERM_PUBLIC)
        buf_lit(out, "<p class=\"d\">Open to everybody.</p>");
    if (route->creates)
        buf_lit(out, "<p class=\"d\">Honours <code>Idempotency-Key</code>; answers 201.</p>");
    put_table(out, "Input", route->fields, route->nfields, true);
    if (route->shape)
        put_table(out, arena_printf(out->arena, "Answer: %s<i>%s</i>", route->page ? "page of " : "", route->shape->name).ptr,
                  route->shape->fields, route->shape->nfields, false);
    buf_lit(out, "</div></details>\n");
}

struct str routes_docs(struct arena *arena, const struct route_table *const *tables, size_t n)
{
    struct buf out = buf_new(arena, 0);
    buf_lit(&out, page_head);
    buf_lit(&out, "<nav>");
    for (size_t t = 0; t < n; t++)
        buf_printf(&out, "<a href=\"#%s\">%s</a>", tables[t]->tag, tables[t]->tag);
    buf_lit(&out, "</nav>\n");
    for (size_t t = 0; t < n; t++) {
        buf_printf(&out, "<section id=\"%s\"><h2>%s</h2>\n", tables[t]->tag, tables[t]->tag);
        for (size_t i = 0; i < tables[t]->n; i++)
            put_route(&out, &tables[t]->routes[i]);
        buf_lit(&out, "</section>\n");
    }
    buf_lit(&out, "</main></body></html>\n");
    return buf_str(&out);
}
