/* http_openapi.c - the OpenAPI 3.1 document of the route tables. */
#include "platform/http/http_internal.h"

struct document {
    struct arena *arena;
    struct json_writer w;
    struct map *shapes;         /* name -> struct shape still or already listed */
    const struct shape *queue[512];
    size_t nqueue;

};

static void put_ref(struct document *d, const struct shape *shape)
{
    /* Input and output of one name may differ: input shapes are written in place. */
    if (!map_get(d->shapes, str_of(shape->name)) && d->nqueue < COUNT(d->queue)) {
        map_put(d->shapes, str_of(shape->name), (void *)(uintptr_t)shape);
        d->queue[d->nqueue++] = shape;
    }
    json_put_text(&d->w, "$ref", arena_printf(d->arena, "#/components/schemas/%s", shape->name));
}

static void put_object(struct document *d, const struct field *fields, size_t n, enum place place, bool output);

static void put_type(struct document *d, const char *type, bool nullable)
{
    if (!nullable) {
        json_put_text(&d->w, "type", str_of(type));
        return;
    }
    json_open_list(&d->w, "type");
    json_put_text(&d->w, NULL, str_of(type));
    json_put_text(&d->w, NULL, STR("null"));
    json_close_list(&d->w);
}

static void put_choices(struct document *d, const struct field *f, bool nullable)
{
    if (!f->choices)
        return;
    json_open_list(&d->w, "enum");
    for (const char *const *c = f->choices; *c; c++)
        json_put_text(&d->w, NULL, str_of(*c));
    if (nullable)
        json_put_null(&d->w, NULL);
    json_close_list(&d->w);
}

static void put_text_schema(struct document *d, const struct field *f, bool nullable, bool output)
{
    put_type(d, "string", nullable);
    if (f->type == F_ID)
        json_put_text(&d->w, "pattern", STR("^[1-9][0-9]*$"));
    if (f->type == F_TIME)
        json_put_text(&d->w, "format", STR("date-time"));
    if (f->type != F_TEXT)
        return;
    put_choices(d, f, nullable);
    if (!output && f->min > 0)
        json_put_int(&d->w, "minLength", f->min == 1 ? 1 : 0);
    if (!output && f->max > 0)
        json_put_int(&d->w, "maxLength", f->max);
}

static void put_number_schema(struct document *d, const struct field *f, bool nullable)
{
    put_type(d, f->type == F_INT ? "integer" : "number", nullable);
    if (f->type == F_INT && (f->min || f->max))
        json_put_int(&d->w, "minimum", f->min);
    if (f->type == F_INT && f->max)
        json_put_int(&d->w, "maximum", f->max);
    if (f->otherwise)
        json_put_int(&d->w, "default", f->otherwise);
}

static void put_shape(struct document *d, const struct shape *shape, bool output)
{
    if (output)
        put_ref(d, shape);
    else
        put_object(d, shape->fields, shape->nfields, IN_BODY, false);
}

static void put_list_schema(struct document *d, const struct field *f, bool nullable, bool output)
{
    put_type(d, "array", nullable);
    if (!output && f->max > 0)
        json_put_int(&d->w, "maxItems", f->max);
    if (!output && f->min > 0)
        json_put_int(&d->w, "minItems", f->min);
    json_open_object(&d->w, "items");
    if (f->type == F_LIST) {
        put_shape(d, f->shape, output);
    } else {
        json_put_text(&d->w, "type", STR("string"));
        put_choices(d, f, false);
    }
    json_close_object(&d->w);
}

/* The members of a schema object that is already open. */
static void put_schema(struct document *d, const struct field *f, bool output)
{
    bool nullable = f->nullable || (output && f->optional);
    if (f->doc)
        json_put_text(&d->w, "description", str_of(f->doc));
    switch (f->type) {
    case F_INT:
    case F_REAL:
        put_number_schema(d, f, nullable);
        break;
    case F_ID:
    case F_TEXT:
    case F_TIME:
        put_text_schema(d, f, nullable, output);
        break;
    case F_BOOL:
        put_type(d, "boolean", nullable);
        break;
    case F_JSON:
        break;
    case F_OBJECT:
        if (nullable) {
            json_open_list(&d->w, "oneOf");
            json_open_object(&d->w, NULL);
            put_shape(d, f->shape, output);
            json_close_object(&d->w);
            json_open_object(&d->w, NULL);
            json_put_text(&d->w, "type", STR("null"));
            json_close_object(&d->w);
            json_close_list(&d->w);
        } else {
            put_shape(d, f->shape, output);
        }
        break;
    case F_LIST:
    case F_TEXTS:
    case F_IDS:
        put_list_schema(d, f, nullable, output);
        break;
    }
}

static void put_object(struct document *d, const struct field *fields, size_t n, enum place place, bool output)
{
    json_put_text(&d->w, "type", STR("object"));
    if (!output)
        json_put_bool(&d->w, "additionalProperties", false);
    json_open_object(&d->w, "properties");
    for (size_t i = 0; i < n; i++) {
        if (fields[i].place != place)
            continue;
        json_open_object(&d->w, fields[i].name);
        put_schema(d, &fields[i], output);
        json_close_object(&d->w);
    }
    json_close_object(&d->w);
    json_open_list(&d->w, "required");
    for (size_t i = 0; i < n; i++)
        if (fields[i].place == place && (output || !fields[i].optional))
            json_put_text(&d->w, NULL, str_of(fields[i].name));
    json_close_list(&d->w);
}

static void put_parameter(struct document *d, const char *name, const char *in, bool required, const char *doc)
{
    json_put_text(&d->w, "name", str_of(name));
    json_put_text(&d->w, "in", str_of(in));
    json_put_bool(&d->w, "required", required);
    json_put_text(&d->w, "description", str_of(doc ? doc : ""));
}

static void put_header_parameter(struct document *d, const char *name, const char *doc)
{
    json_open_object(&d->w, NULL);
    put_parameter(d, name, "header", false, doc);
    json_open_object(&d->w, "schema");
    json_put_text(&d->w, "type", STR("string"));
    json_close_object(&d->w);
    json_close_object(&d->w);
}

static void put_parameters(struct document *d, const struct route *route)
{
    json_open_list(&d->w, "parameters");
    for (size_t i = 0; i < route->nfields; i++) {
        const struct field *f = &route->fields[i];
        if (f->place == IN_BODY)
            continue;
        json_open_object(&d->w, NULL);
        put_parameter(d, f->name, f->place == IN_PATH ? "path" : "query", f->place == IN_PATH || !f->optional, f->doc);
        if (f->type == F_TEXTS || f->type == F_IDS)
            json_put_bool(&d->w, "explode", false);
        json_open_object(&d->w, "schema");
        struct field bare = *f;
        bare.doc = NULL;
        put_schema(d, &bare, false);
        json_close_object(&d->w);
        json_close_object(&d->w);
    }
    if (route->creates)
        put_header_parameter(d, "Idempotency-Key", "The same key within 24 hours gives the first reply again");
    if (route->etag_offset && route->method != METHOD_GET)
        put_header_parameter(d, "If-Match", "The version that is changed: \"v7\"");
    json_close_list(&d->w);
}

static void open_content(struct document *d, const char *type)
{
    json_open_object(&d->w, "content");
    json_open_object(&d->w, type);
    json_open_object(&d->w, "schema");
}

static void close_content(struct document *d)
{
    json_close_object(&d->w);
    json_close_object(&d->w);
    json_close_object(&d->w);
}

static void put_request_body(struct document *d, const struct route *route)
{
    bool any = false;
    for (size_t i = 0; i < route->nfields; i++)
        any |= route->fields[i].place == IN_BODY;
    if (!any && route->body == BODY_JSON)
        return;
    json_open_object(&d->w, "requestBody");
    json_put_bool(&d->w, "required", true);
    open_content(d, route->body == BODY_UPLOAD ? "application/octet-stream" : "application/json");
    if (route->body == BODY_JSON)
        put_object(d, route->fields, route->nfields, IN_BODY, false);
    close_content(d);
    json_close_object(&d->w);
}

static void put_page(struct document *d, const struct shape *shape)
{
    json_put_text(&d->w, "type", STR("object"));
    json_put_raw(&d->w, "required", STR("[\"items\",\"next_cursor\"]"));
    json_open_object(&d->w, "properties");
    json_open_object(&d->w, "items");
    json_put_text(&d->w, "type", STR("array"));
    json_open_object(&d->w, "items");
    put_ref(d, shape);
    json_close_object(&d->w);
    json_close_object(&d->w);
    json_put_raw(&d->w, "next_cursor", STR("{\"type\":[\"string\",\"null\"],\"description\":\"For ?cursor= of the next page; null on the last\"}"));
    json_close_object(&d->w);
}

static void put_responses(struct document *d, const struct route *route)
{
    json_open_object(&d->w, "responses");
    json_open_object(&d->w, route->no_content ? "204" : route->creates ? "201" : "200");
    json_put_text(&d->w, "description", route->no_content ? STR("Done") : route->creates ? STR("Created") : STR("OK"));
    if (route->shape) {
        open_content(d, "application/json");
        if (route->page)
            put_page(d, route->shape);
        else
            put_ref(d, route->shape);
        close_content(d);
    }
    json_close_object(&d->w);
    json_put_raw(&d->w, "default", STR("{\"$ref\":\"#/components/responses/Problem\"}"));
    json_close_object(&d->w);
}

/* "GET /api/v1/tickets/{id}" -> "get_tickets_id" */
static struct str operation_id(struct arena *arena, const struct route *route)
{
    struct buf out = buf_new(arena, 0);
    buf_add(&out, str_lower(arena, str_of(method_names[route->method])));
    struct str rest = str_of(route->path), part;
    while (str_split(&rest, '/', &part)) {
        if (!part.len || str_is(part, "api") || str_is(part, "v1"))
            continue;
        buf_char(&out, '_');
        for (size_t i = 0; i < part.len; i++)
            if (part.ptr[i] != '{' && part.ptr[i] != '}')
                buf_char(&out, part.ptr[i] == '-' || part.ptr[i] == '.' ? '_' : part.ptr[i]);
    }
    return buf_str(&out);
}

static void put_operation(struct document *d, const struct route *route, const char *tag)
{
    json_open_object(&d->w, str_lower(d->arena, str_of(method_names[route->method])).ptr);
    json_put_text(&d->w, "operationId", operation_id(d->arena, route));
    json_put_text(&d->w, "summary", str_of(route->summary));
    if (route->doc)
        json_put_text(&d->w, "description", str_of(route->doc));
    json_open_list(&d->w, "tags");
    json_put_text(&d->w, NULL, str_of(tag));
    json_close_list(&d->w);
    if (route->permission == PERM_PUBLIC)
        json_put_raw(&d->w, "security", STR("[]"));
    put_parameters(d, route);
    put_request_body(d, route);
    put_responses(d, route);
    json_close_object(&d->w);
}

static bool is_first_of_path(const struct route_table *const *tables, size_t t, size_t i)
{
    const char *path = tables[t]->routes[i].path;
    for (size_t a = 0; a <= t; a++)
        for (size_t b = 0; b < (a == t ? i : tables[a]->n); b++)
            if (strcmp(tables[a]->routes[b].path, path) == 0)
                return false;
    return true;
}

static void put_paths(struct document *d, const struct route_table *const *tables, size_t n)
{
    json_open_object(&d->w, "paths");
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            if (!is_first_of_path(tables, t, i))
                continue;
            const char *path = tables[t]->routes[i].path;
            json_open_object(&d->w, path);
            for (size_t a = t; a < n; a++)
                for (size_t b = 0; b < tables[a]->n; b++)
                    if (strcmp(tables[a]->routes[b].path, path) == 0)
                        put_operation(d, &tables[a]->routes[b], tables[a]->tag);
            json_close_object(&d->w);
        }
    json_close_object(&d->w);
}

static const char problem_schema[] =
    "{\"type\":\"object\",\"required\":[\"type\",\"status\",\"code\",\"title\",\"detail\",\"field\",\"request_id\"],\"properties\":{"
    "\"type\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
    "\"detail\":{\"type\":\"string\"},\"field\":{\"type\":[\"string\",\"null\"],\"description\":\"The input at fault, such as message.text\"},"
    "\"request_id\":{\"type\":\"string\"}}}";
static const char problem_response[] =
    "{\"Problem\":{\"description\":\"What went wrong (RFC 9457)\",\"content\":{\"application/problem+json\":{\"schema\":"
    "{\"$ref\":\"#/components/schemas/Problem\"}}}}}";
static const char security_schemes[] =
    "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"An API token\"},"
    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"" SESSION_COOKIE "\","
    "\"description\":\"Changes also need the header X-CSRF-Token\"}}";

struct str routes_openapi(struct arena *arena, const struct route_table *const *tables, size_t n)
{
    struct buf out = buf_new(arena, 0);
    struct document *d = NEW(arena, struct document);
    d->arena = arena;
    d->w = json_writer(&out);
    d->shapes = map_new(arena);
    json_open_object(&d->w, NULL);
    json_put_text(&d->w, "openapi", STR("3.1.0"));
    json_put_raw(&d->w, "info", STR("{\"title\":\"Cairn\",\"version\":\"" CAIRN_VERSION "\"}"));
    json_put_raw(&d->w, "security", STR("[{\"token\":[]},{\"session\":[]}]"));
    put_paths(d, tables, n);
    json_open_object(&d->w, "components");
    json_put_raw(&d->w, "securitySchemes", str_of(security_schemes));
    json_put_raw(&d->w, "responses", str_of(problem_response));
    json_open_object(&d->w, "schemas");
    json_put_raw(&d->w, "Problem", str_of(problem_schema));
    for (size_t i = 0; i < d->nqueue; i++) {
        json_open_object(&d->w, d->queue[i]->name);
        put_object(d, d->queue[i]->fields, d->queue[i]->nfields, IN_BODY, true);
        json_close_object(&d->w);
    }
    json_close_object(&d->w);
    json_close_object(&d->w);
    json_close_object(&d->w);
    return buf_str(&out);
}
