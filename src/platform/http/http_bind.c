/* http_bind.c - from JSON, path and query to a typed struct, or the exact field that is wrong. */
#include "platform/http/http_internal.h"

enum { MAX_LIST_TEXT_BYTES = 2000 };

/* Where in the input we are; spelled out only when something is wrong. */
struct at {
    const struct at *up;
    struct str name;            /* ptr NULL: an item */
    size_t index;
};

static void spell(struct buf *out, const struct at *at)
{
    if (at->up)
        spell(out, at->up);
    if (!at->name.ptr)
        buf_printf(out, "[%zu]", at->index);
    else
        buf_printf(out, "%s%.*s", out->len ? "." : "", STR_ARG(at->name));
}

#define WRONG(cx, at, ...) fail_field((cx), spelled((cx), (at)), __VA_ARGS__)

static const char *spelled(struct cx *cx, const struct at *at)
{
    struct buf out = buf_new(cx->arena, 0);
    spell(&out, at);
    return utf8_repair(cx->arena, utf8_cut(buf_str(&out), 200), true).ptr;
}

static enum err_code bind_object(struct cx *cx, const struct field *fields, size_t n, const struct json_value *object,
                                 const struct at *up, char *base);

/* ---- single values ---- */

static enum err_code check_choice(struct cx *cx, const struct field *f, const struct at *at, struct str text)
{
    if (!f->choices)
        return E_OK;
    struct buf all = buf_new(cx->arena, 0);
    for (const char *const *c = f->choices; *c; c++) {
        if (str_is(text, *c))
            return E_OK;
        buf_printf(&all, "%s\"%s\"", all.len ? ", " : "", *c);
    }
    return WRONG(cx, at, "must be one of %s", buf_str(&all).ptr);
}

static enum err_code check_characters(struct cx *cx, const struct field *f, const struct at *at, struct str text)
{
    if (!utf8_valid(text))
        return WRONG(cx, at, "must be valid UTF-8");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool allowed = c >= 0x20 ? c != 0x7f : f->multiline && (c == '\n' || c == '\r' || c == '\t');
        if (!allowed)
            return WRONG(cx, at, f->multiline ? "may not have control characters other than line breaks and tabs"
                                              : "may not have control characters or line breaks");
    }
    return E_OK;
}

static enum err_code put_text(struct cx *cx, const struct field *f, const struct at *at, struct str text, struct str *ret)
{
    TRY(check_characters(cx, f, at, text));
    if (f->min > 0 && text.len < (size_t)f->min)
        return f->min == 1 ? WRONG(cx, at, "may not be empty") : WRONG(cx, at, "must have at least %lld bytes", (long long)f->min);
    if (f->max && text.len > (size_t)f->max)
        return WRONG(cx, at, "may have at most %lld bytes", (long long)f->max);
    TRY(check_choice(cx, f, at, text));
    *ret = text.ptr ? text : STR("");
    return E_OK;
}

static enum err_code put_list_text(struct cx *cx, const struct field *f, const struct at *at, struct str text, struct str *ret)
{
    TRY(check_characters(cx, f, at, text));
    if (text.len > MAX_LIST_TEXT_BYTES)
        return WRONG(cx, at, "may have at most %d bytes", MAX_LIST_TEXT_BYTES);
    TRY(check_choice(cx, f, at, text));
    *ret = text.ptr ? text : STR("");
    return E_OK;
}

static enum err_code put_int(struct cx *cx, const struct field *f, const struct at *at, int64_t value, int64_t *ret)
{
    if ((f->min || f->max) && value < f->min)
        return WRONG(cx, at, "must be at least %lld", (long long)f->min);
    if (f->max && value > f->max)
        return WRONG(cx, at, "may be at most %lld", (long long)f->max);
    *ret = value;
    return E_OK;
}

static enum err_code put_id(struct cx *cx, const struct at *at, struct str text, int64_t *ret)
{
    bool digits = text.len > 0 && text.len < 20 && text.ptr[0] != '0';
    for (size_t i = 0; digits && i < text.len; i++)
        digits = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (!digits || !num_parse_int(text, ret))
        return WRONG(cx, at, "must be an id: digits");
    return E_OK;
}

static enum err_code put_time(struct cx *cx, const struct at *at, struct str text, int64_t *ret)
{
    if (!clock_parse(text, ret) || *ret == 0)
        return WRONG(cx, at, "must be a time such as \"2026-11-24T14:52:49Z\"");
    return E_OK;
}

static enum err_code expect(struct cx *cx, const struct at *at, const struct json_value *v, enum json_kind kind)
{
    static const char *const names[] = { [JSON_NULL] = "null", [JSON_BOOL] = "true or false", [JSON_INT] = "an integer",
                                         [JSON_REAL] = "a number", [JSON_TEXT] = "a string", [JSON_LIST] = "a list",
                                         [JSON_OBJECT] = "an object" };
    return v->kind == kind ? E_OK : WRONG(cx, at, "must be %s", names[kind]);
}

/* ---- JSON ---- */

static enum err_code bind_items(struct cx *cx, const struct field *f, const struct at *at, const struct json_value *v,
                                struct list *ret)
{
    TRY(expect(cx, at, v, JSON_LIST));
    if (v->n < (size_t)MAX(f->min, 0))
        return WRONG(cx, at, "must have at least %lld items", (long long)f->min);
    if (f->max && v->n > (size_t)f->max)
        return WRONG(cx, at, "may have at most %lld items", (long long)f->max);
    size_t size = f->type == F_LIST ? f->shape->size : f->type == F_TEXTS ? sizeof(struct str) : sizeof(int64_t);
    char *items = arena_alloc(cx->arena, v->n * size + 1);
    for (size_t i = 0; i < v->n; i++) {
        struct at here = { .up = at, .index = i };
        const struct json_value *item = &v->items[i];
        void *to = items + i * size;
        TRY(expect(cx, &here, item, f->type == F_LIST ? JSON_OBJECT : JSON_TEXT));
        if (f->type == F_LIST)
            TRY(bind_object(cx, f->shape->fields, f->shape->nfields, item, &here, to));
        else if (f->type == F_TEXTS)
            TRY(put_list_text(cx, f, &here, item->text, to));
        else
            TRY(put_id(cx, &here, item->text, to));
    }
    *ret = (struct list){ .items = items, .n = v->n, .given = true };
    return E_OK;
}

static enum err_code bind_nested(struct cx *cx, const struct field *f, const struct at *at, const struct json_value *v,
                                 const void **ret)
{
    TRY(expect(cx, at, v, JSON_OBJECT));
    char *object = arena_alloc(cx->arena, f->shape->size);
    TRY(bind_object(cx, f->shape->fields, f->shape->nfields, v, at, object));
    *ret = object;
    return E_OK;
}

static enum err_code bind_json_text(struct cx *cx, const struct field *f, const struct at *at, const struct json_value *v,
                                    struct str *ret)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_put_value(&w, NULL, v);
    *ret = buf_str(&out);
    if (f->max && ret->len > (size_t)f->max)
        return WRONG(cx, at, "may have at most %lld bytes", (long long)f->max);
    return E_OK;
}

static enum err_code bind_real(struct cx *cx, const struct at *at, const struct json_value *v, double *ret)
{
    if (v->kind != JSON_INT)
        TRY(expect(cx, at, v, JSON_REAL));
    *ret = v->kind == JSON_INT ? (double)v->integer : v->real;
    return E_OK;
}

static enum err_code bind_value(struct cx *cx, const struct field *f, const struct at *at, const struct json_value *v, void *to)
{
    static const enum json_kind kinds[] = { [F_INT] = JSON_INT, [F_ID] = JSON_TEXT, [F_TEXT] = JSON_TEXT,
                                            [F_BOOL] = JSON_BOOL, [F_TIME] = JSON_TEXT };
    if (v->kind == JSON_NULL && f->type != F_JSON)
        return f->nullable ? E_OK : WRONG(cx, at, "may not be null");
    if (f->type <= F_TIME)
        TRY(expect(cx, at, v, kinds[f->type]));
    switch (f->type) {
    case F_INT:
        return put_int(cx, f, at, v->integer, to);
    case F_ID:
        return put_id(cx, at, v->text, to);
    case F_TEXT:
        return put_text(cx, f, at, v->text, to);
    case F_BOOL:
        *(bool *)to = v->boolean;
        return E_OK;
    case F_TIME:
        return put_time(cx, at, v->text, to);
    case F_REAL:
        return bind_real(cx, at, v, to);
    case F_JSON:
        return bind_json_text(cx, f, at, v, to);
    case F_OBJECT:
        return bind_nested(cx, f, at, v, to);
    case F_LIST:
    case F_TEXTS:
    case F_IDS:
        return bind_items(cx, f, at, v, to);
    }
    return E_OK;
}

static void mark_given(const struct field *f, char *base)
{
    if (f->has_offset)
        *(bool *)(base + f->has_offset) = true;
}

static const struct field *find_field(const struct field *fields, size_t n, struct str name, enum place place)
{
    for (size_t i = 0; i < n; i++)
        if (fields[i].place == place && str_is(name, fields[i].name))
            return &fields[i];
    return NULL;
}

static enum err_code check_required(struct cx *cx, const struct field *f, const struct at *at)
{
    return f->optional ? E_OK : WRONG(cx, at, "is required");
}

static enum err_code bind_object(struct cx *cx, const struct field *fields, size_t n, const struct json_value *object,
                                 const struct at *up, char *base)
{
    for (size_t i = 0; i < object->n; i++) {
        struct at here = { .up = up, .name = object->members[i].name };
        const struct field *f = find_field(fields, n, here.name, IN_BODY);
        if (!f)
            return WRONG(cx, &here, "is not known here");
        TRY(bind_value(cx, f, &here, &object->members[i].value, base + f->offset));
        mark_given(f, base);
    }
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        if (f->place != IN_BODY || json_get(object, f->name))
            continue;
        struct at here = { .up = up, .name = str_of(f->name) };
        TRY(check_required(cx, f, &here));
        if (f->type == F_INT)
            *(int64_t *)(void *)(base + f->offset) = f->otherwise;
    }
    return E_OK;
}

enum err_code shape_read(struct cx *cx, const struct field *fields, size_t nfields, struct str json, void *ret)
{
    struct json_value value;
    TRY(json_parse(cx, json, &value));
    if (value.kind != JSON_OBJECT)
        return fail(cx, E_BAD_REQUEST, "The body must be a JSON object");
    return bind_object(cx, fields, nfields, &value, NULL, ret);
}

/* ---- path and query ---- */

/* "a,b,c" of a query. */
static enum err_code bind_query_list(struct cx *cx, const struct field *f, const struct at *at, struct str text, struct list *ret)
{
    struct json_value list = { .kind = JSON_LIST, .items = NEWN(cx->arena, struct json_value, text.len + 1) };
    struct str part;
    while (str_split(&text, ',', &part))
        list.items[list.n++] = (struct json_value){ .kind = JSON_TEXT, .text = part };
    return bind_items(cx, f, at, &list, ret);
}

static enum err_code bind_text_value(struct cx *cx, const struct field *f, struct str text, char *base)
{
    struct at at = { .name = str_of(f->name) };
    void *to = base + f->offset;
    int64_t number = 0;
    mark_given(f, base);
    switch (f->type) {
    case F_INT:
        return num_parse_int(text, &number) ? put_int(cx, f, &at, number, to) : WRONG(cx, &at, "must be an integer");
    case F_ID:
        return put_id(cx, &at, text, to);
    case F_TEXT:
        return put_text(cx, f, &at, text, to);
    case F_BOOL:
        *(bool *)to = str_is(text, "true");
        return *(bool *)to || str_is(text, "false") ? E_OK : WRONG(cx, &at, "must be true or false");
    case F_TIME:
        return put_time(cx, &at, text, to);
    case F_TEXTS:
    case F_IDS:
        return bind_query_list(cx, f, &at, text, to);
    default:
        return fail_internal(cx, "field %s cannot stand in a path or query", f->name);
    }
}

static enum err_code bind_path(struct exchange *x)
{
    const struct route *route = x->entry->route;
    struct str rest = str_of(route->path), segment;
    for (size_t n = 0; str_split(&rest, '/', &segment);) {
        if (!segment.len || segment.ptr[0] != '{')
            continue;
        struct str name = str_sub(segment, 1, segment.len - 2), value;
        const struct field *f = find_field(route->fields, route->nfields, name, IN_PATH);
        struct at at = { .name = name };
        if (!percent_decode(x->arena, x->path_values[n++], false, &value))
            return WRONG(&x->cx, &at, "is not well percent-encoded");
        TRY(bind_text_value(&x->cx, f, value, x->in));
    }
    return E_OK;
}

static enum err_code bind_query(struct exchange *x)
{
    const struct route *route = x->entry->route;
    struct str rest = x->query, pair, name, value;
    uint64_t seen = 0;
    while (str_split(&rest, '&', &pair)) {
        if (!pair.len)
            continue;
        ptrdiff_t equals = str_chr(pair, '=');
        struct str raw_name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
        struct str raw_value = equals < 0 ? STR("") : str_skip(pair, (size_t)equals + 1);
        if (!percent_decode(x->arena, raw_name, true, &name) || !percent_decode(x->arena, raw_value, true, &value))
            return fail(&x->cx, E_BAD_REQUEST, "The query is not well percent-encoded");
        struct at at = { .name = name };
        const struct field *f = find_field(route->fields, route->nfields, name, IN_QUERY);
        if (!f)
            return WRONG(&x->cx, &at, "is not a known query parameter here");
        uint64_t bit = UINT64_C(1) << ((size_t)(f - route->fields) & 63);
        if (seen & bit)
            return WRONG(&x->cx, &at, "is given more than once");
        seen |= bit;
        TRY(bind_text_value(&x->cx, f, value, x->in));
    }
    for (size_t i = 0; i < route->nfields; i++) {
        const struct field *f = &route->fields[i];
        if (f->place != IN_QUERY || seen & (UINT64_C(1) << (i & 63)))
            continue;
        struct at at = { .name = str_of(f->name) };
        TRY(check_required(&x->cx, f, &at));
        if (f->type == F_INT)
            *(int64_t *)(void *)((char *)x->in + f->offset) = f->otherwise;
    }
    return E_OK;
}

static enum err_code bind_body(struct exchange *x)
{
    const struct route *route = x->entry->route;
    struct str body = buf_str(&x->body), type = exchange_header(x, "Content-Type");
    if (!body.len)
        return shape_read(&x->cx, route->fields, route->nfields, STR("{}"), x->in);
    ptrdiff_t semicolon = str_chr(type, ';');
    if (!str_iis(str_trim(semicolon < 0 ? type : str_sub(type, 0, (size_t)semicolon)), "application/json"))
        return fail(&x->cx, E_MEDIA_TYPE, "The body must be sent as Content-Type: application/json");
    return shape_read(&x->cx, route->fields, route->nfields, body, x->in);
}

enum err_code bind_request(struct exchange *x)
{
    const struct route *route = x->entry->route;
    x->in = arena_alloc(x->arena, route->in_size ? route->in_size : sizeof(struct nothing));
    TRY(bind_path(x));
    TRY(bind_query(x));
    return route->body == BODY_JSON && x->method != METHOD_GET ? bind_body(x) : E_OK;
}
