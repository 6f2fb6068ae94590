/* json.c - jansson's tree becomes ours, in the arena. */
/* Some of jansson's constants have the names of ours. */
#define JSON_NULL   JANSSON_NULL
#define JSON_REAL   JANSSON_REAL
#define JSON_OBJECT JANSSON_OBJECT
#include <jansson.h>
#undef JSON_NULL
#undef JSON_REAL
#undef JSON_OBJECT

#include "platform/json/json.h"

enum { MAX_DEPTH = 64 };

/* jansson itself would go 2,048 levels deep. */
static bool too_deep(struct str text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > MAX_DEPTH)
                return true;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return false;
}

static struct str text_of(struct arena *arena, const json_t *v)
{
    return arena_copy(arena, (struct str){ json_string_value(v), json_string_length(v) });
}

static void convert(struct arena *arena, json_t *from, struct json_value *to);

static void convert_list(struct arena *arena, json_t *from, struct json_value *to)
{
    to->n = json_array_size(from);
    to->items = NEWN(arena, struct json_value, to->n);
    for (size_t i = 0; i < to->n; i++)
        convert(arena, json_array_get(from, i), &to->items[i]);
}

static void convert_object(struct arena *arena, json_t *from, struct json_value *to)
{
    struct json_member *m = to->members = NEWN(arena, struct json_member, json_object_size(from));
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at), m++) {
        m->name = arena_copy(arena, str_of(json_object_iter_key(at)));
        convert(arena, json_object_iter_value(at), &m->value);
    }
    to->n = json_object_size(from);
}

static void convert(struct arena *arena, json_t *from, struct json_value *to)
{
    switch (json_typeof(from)) {
    case JANSSON_OBJECT:
        to->kind = JSON_OBJECT;
        convert_object(arena, from, to);
        break;
    case JSON_ARRAY:
        to->kind = JSON_LIST;
        convert_list(arena, from, to);
        break;
    case JSON_STRING:
        to->kind = JSON_TEXT;
        to->text = text_of(arena, from);
        break;
    case JSON_INTEGER:
        to->kind = JSON_INT;
        to->integer = json_integer_value(from);
        to->real = (double)to->integer;
        break;
    case JANSSON_REAL:
        to->kind = JSON_REAL;
        to->real = json_real_value(from);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        to->kind = JSON_BOOL;
        to->boolean = json_is_true(from);
        break;
    case JANSSON_NULL:
        to->kind = JSON_NULL;
        break;
    }
}

enum err_code json_parse(struct cx *cx, struct str text, struct json_value *ret)
{
    json_error_t error;
    if (too_deep(text))
        return fail(cx, E_BAD_REQUEST, "The JSON is nested deeper than %d levels", (int)MAX_DEPTH);
    json_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root)
        return fail(cx, E_BAD_REQUEST, "The JSON cannot be read: line %d, column %d: %s", error.line, error.column,
                    utf8_repair(cx->arena, str_of(error.text), true).ptr);
    *ret = (struct json_value){ .kind = JSON_NULL };
    convert(cx->arena, root, ret);
    json_decref(root);
    return E_OK;
}

const struct json_value *json_get(const struct json_value *object, const char *name)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->n; i++)
        if (str_is(object->members[i].name, name))
            return &object->members[i].value;
    return NULL;
}

struct str json_text(const struct json_value *object, const char *name)
{
    const struct json_value *v = json_get(object, name);
    return v && v->kind == JSON_TEXT ? v->text : STR_NONE;
}

int64_t json_int(const struct json_value *object, const char *name, int64_t otherwise)
{
    const struct json_value *v = json_get(object, name);
    int64_t n = otherwise;
    if (v && v->kind == JSON_INT)
        return v->integer;
    return v && v->kind == JSON_TEXT && num_parse_int(v->text, &n) ? n : otherwise;
}

bool json_bool(const struct json_value *object, const char *name, bool otherwise)
{
    const struct json_value *v = json_get(object, name);
    return v && v->kind == JSON_BOOL ? v->boolean : otherwise;
}
