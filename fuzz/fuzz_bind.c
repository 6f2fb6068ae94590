/* fuzz_bind.c - arbitrary JSON bound to a struct: what is accepted keeps its bounds and comes back the same. */
#include "platform/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct inner {
    struct str text;
    int64_t id;
    bool has_id;
};
static const struct field inner_fields[] = {
    TEXT_FIELD(struct inner, text, .doc = "Text", .min = 1, .max = 10),
    ID_FIELD(struct inner, id, .doc = "Id", .nullable = true, HAS(struct inner, has_id)),
};
static SHAPE(inner_shape, "Inner", struct inner, inner_fields);

struct outer {
    int64_t n, at;
    double real;
    bool flag;
    struct str choice, json;
    const struct inner *one;
    struct list many, texts, ids;
};
static const char *const choices[] = { "red", "green", NULL };
static const struct field fields[] = {
    INT_FIELD(struct outer, n, .doc = "N", .min = -5, .max = 5, .optional = true, .otherwise = 3),
    TIME_FIELD(struct outer, at, .doc = "At", .optional = true, .nullable = true),
    REAL_FIELD(struct outer, real, .doc = "Real", .optional = true),
    BOOL_FIELD(struct outer, flag, .doc = "Flag", .optional = true),
    TEXT_FIELD(struct outer, choice, .doc = "Choice", .choices = choices, .optional = true),
    JSON_FIELD(struct outer, json, .doc = "Json", .max = 100, .optional = true),
    OBJECT_FIELD(struct outer, one, &inner_shape, .doc = "One", .optional = true, .nullable = true),
    LIST_FIELD(struct outer, many, &inner_shape, .doc = "Many", .max = 3, .optional = true),
    TEXTS_FIELD(struct outer, texts, .doc = "Texts", .max = 3, .optional = true),
    IDS_FIELD(struct outer, ids, .doc = "Ids", .max = 3, .optional = true),
};

static void check_inner(const struct inner *in)
{
    ASSERT(in->text.len >= 1 && in->text.len <= 10 && utf8_valid(in->text) && in->id >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz", 0);
    struct cx cx = { .arena = arena };
    struct outer out = { 0 };
    struct str input = arena_copy(arena, (struct str){ (const char *)data, size });
    enum err_code code = shape_read(&cx, fields, COUNT(fields), input, &out);
    if (code == E_OK) {
        ASSERT(out.n >= -5 && out.n <= 5 && out.json.len <= 100);
        ASSERT(!out.choice.ptr || str_is(out.choice, "red") || str_is(out.choice, "green"));
        ASSERT(out.many.n <= 3 && out.texts.n <= 3 && out.ids.n <= 3);
        for (size_t i = 0; i < out.many.n; i++)
            check_inner((const struct inner *)out.many.items + i);
        if (out.one)
            check_inner(out.one);
    } else {
        ASSERT(code == E_BAD_REQUEST || code == E_INVALID);
        ASSERT(cx.failure.message.len > 0 && (code == E_INVALID) == (cx.failure.field != NULL));
    }
    arena_free(&arena);
    return 0;
}
