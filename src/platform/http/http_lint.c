/* http_lint.c - complaints about declarations, and the permission matrix. */
#include "platform/http/http_internal.h"

const char *const method_names[METHODS] = { [METHOD_GET] = "GET", [METHOD_POST] = "POST", [METHOD_PUT] = "PUT",
                                            [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE" };

struct lint {
    struct buf *out;
    const struct route *route;
    size_t complaints;
};

#define COMPLAIN(l, ...)                                                                    \
    do {                                                                                    \
        (l)->complaints++;                                                                  \
        buf_printf((l)->out, "%s %s: ", method_names[(l)->route->method], (l)->route->path); \
        buf_printf((l)->out, __VA_ARGS__);                                                  \
        buf_char((l)->out, '\n');                                                           \
    } while (0)

static bool needs_bound(const struct field *f)
{
    return f->type == F_TEXT || f->type == F_LIST || f->type == F_TEXTS || f->type == F_IDS || f->type == F_JSON;
}

static void lint_fields(struct lint *l, const struct field *fields, size_t n, unsigned depth)
{
    if (n > 64)
        COMPLAIN(l, "has more than 64 fields");
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        if (!f->doc)
            COMPLAIN(l, "field %s has no doc", f->name);
        if (needs_bound(f) && f->max <= 0 && !(f->type == F_TEXT && f->choices))
            COMPLAIN(l, "field %s has no upper bound", f->name);
        if ((f->type == F_OBJECT || f->type == F_LIST) && !f->shape)
            COMPLAIN(l, "field %s has no shape", f->name);
        else if (f->shape && depth < 8)
            lint_fields(l, f->shape->fields, f->shape->nfields, depth + 1);
        if (f->place != IN_BODY && (f->type == F_OBJECT || f->type == F_LIST || f->type == F_JSON || f->type == F_REAL))
            COMPLAIN(l, "field %s cannot stand in a path or query", f->name);
        for (size_t k = 0; k < i; k++)
            if (fields[k].place == f->place && strcmp(fields[k].name, f->name) == 0)
                COMPLAIN(l, "field %s is there twice", f->name);
    }
}

static void lint_path(struct lint *l)
{
    const struct route *route = l->route;
    struct str rest = str_of(route->path), segment;
    size_t named = 0, bound = 0;
    while (str_split(&rest, '/', &segment)) {
        if (!segment.len || segment.ptr[0] != '{')
            continue;
        named++;
        bool found = false;
        for (size_t i = 0; i < route->nfields; i++)
            found |= route->fields[i].place == IN_PATH && str_is(str_sub(segment, 1, segment.len - 2), route->fields[i].name);
        if (!found)
            COMPLAIN(l, "%.*s has no field", STR_ARG(segment));
    }
    for (size_t i = 0; i < route->nfields; i++)
        bound += route->fields[i].place == IN_PATH;
    if (bound != named || named > MAX_PATH_FIELDS)
        COMPLAIN(l, "path fields do not match the path");
}

static void lint_route(struct lint *l)
{
    const struct route *route = l->route;
    if (route->permission <= PERM_UNSET || route->permission > 63)
        COMPLAIN(l, "has no permission");
    if (!route->summary || !*route->summary)
        COMPLAIN(l, "has no summary");
    if (!route->handler)
        COMPLAIN(l, "has no handler");
    if (route->path[0] != '/')
        COMPLAIN(l, "path does not begin with /");
    if (route->page && !route->shape)
        COMPLAIN(l, "a page needs a shape");
    if (route->creates && route->method != METHOD_POST)
        COMPLAIN(l, "only a POST creates");
    lint_path(l);
    lint_fields(l, route->fields, route->nfields, 0);
}

/* The path with its names blotted out: "/a/{id}" and "/a/{name}" are the same. */
static struct str path_form(struct arena *arena, const struct route *route)
{
    struct buf out = buf_new(arena, 0);
    buf_printf(&out, "%s ", method_names[route->method]);
    for (const char *p = route->path; *p; p++) {
        buf_char(&out, *p);
        if (*p == '{')
            while (p[1] && p[1] != '}')
                p++;
    }
    return buf_str(&out);
}

size_t routes_lint(const struct route_table *const *tables, size_t n, struct buf *out)
{
    struct lint l = { .out = out };
    struct map *seen = map_new(out->arena);
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            l.route = &tables[t]->routes[i];
            lint_route(&l);
            struct str form = path_form(out->arena, l.route);
            if (map_get(seen, form))
                COMPLAIN(&l, "is declared twice");
            map_put(seen, form, (void *)(uintptr_t)l.route);
        }
    return l.complaints;
}

struct str routes_permission_matrix(struct arena *arena, const struct route_table *const *tables, size_t n,
                                    const char *const *permission_names, size_t npermissions)
{
    struct buf out = buf_new(arena, 0);
    buf_lit(&out, "| Route | Permission |\n| --- | --- |\n");
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct route *route = &tables[t]->routes[i];
            size_t p = (size_t)route->permission;
            const char *name = p == PERM_PUBLIC ? "public" : p == PERM_SIGNED_IN ? "signed in"
                             : p < npermissions && permission_names[p] ? permission_names[p] : "?";
            buf_printf(&out, "| `%s %s` | %s |\n", method_names[route->method], route->path, name);
        }
    return buf_str(&out);
}
