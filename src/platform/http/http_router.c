/* http_router.c - from a path to a route: a tree of path segments. */
#include "platform/http/http_internal.h"

struct node {
    struct str segment;
    struct node *children, *next;
    struct node *any;                       /* child for a {name} */
    struct route_entry *by_method[METHODS];
};

struct router {
    struct node root;
};

static struct node *child(struct arena *arena, struct node *node, struct str segment)
{
    if (segment.len && segment.ptr[0] == '{') {
        if (!node->any)
            node->any = NEW(arena, struct node);
        return node->any;
    }
    for (struct node *c = node->children; c; c = c->next)
        if (str_eq(c->segment, segment))
            return c;
    struct node *c = NEW(arena, struct node);
    c->segment = segment;
    c->next = node->children;
    return node->children = c;
}

struct router *router_new(struct http_server *server)
{
    struct router *router = NEW(server->arena, struct router);
    for (size_t i = 0; i < server->nentries; i++) {
        struct route_entry *entry = &server->entries[i];
        struct str rest = str_skip(str_of(entry->route->path), 1), segment;
        struct node *node = &router->root;
        while (str_split(&rest, '/', &segment))
            node = child(server->arena, node, segment);
        node->by_method[entry->route->method] = entry;
    }
    return router;
}

/* A literal segment wins over a {name}; there is no going back, so that matching stays linear. */
static const struct node *walk(const struct router *router, struct exchange *x, struct str *values)
{
    struct str rest = str_skip(x->path, 1), segment;
    const struct node *node = &router->root;
    size_t n = 0;
    while (node && str_split(&rest, '/', &segment)) {
        const struct node *c = node->children;
        while (c && !str_eq(c->segment, segment))
            c = c->next;
        if (!c && node->any && segment.len && n < MAX_PATH_FIELDS) {
            values[n++] = segment;
            c = node->any;
        }
        node = c;
    }
    return node;
}

void router_match(const struct router *router, struct exchange *x)
{
    const struct node *node = walk(router, x, x->path_values);
    if (!node)
        return;
    for (int m = 0; m < METHODS; m++)
        if (node->by_method[m])
            x->allowed |= 1u << m;
    if (x->known_method)
        x->entry = node->by_method[x->method];
}
