/* http_shape.c - structs to JSON by their shape; list cursors. */
#include "platform/http/http_internal.h"

static void write_object(struct json_writer *w, const char *name, const struct shape *shape, const char *base);

static void write_list(struct json_writer *w, const struct field *f, const struct list *list)
{
    const char *item = list->items;
    json_open_list(w, f->name);
    for (size_t i = 0; i < list->n; i++) {
        if (f->type == F_LIST)
            write_object(w, NULL, f->shape, item + i * f->shape->size);
        else if (f->type == F_TEXTS)
            json_put_text(w, NULL, ((const struct str *)list->items)[i]);
        else
            json_put_id(w, NULL, ((const int64_t *)list->items)[i]);
    }
    json_close_list(w);
}

static void write_field(struct json_writer *w, const struct field *f, const char *base)
{
    const void *at = base + f->offset;
    switch (f->type) {
    case F_INT:
        json_put_int(w, f->name, *(const int64_t *)at);
        break;
    case F_ID:
        json_put_id(w, f->name, *(const int64_t *)at);
        break;
    case F_TEXT:
        json_put_text(w, f->name, *(const struct str *)at);
        break;
    case F_BOOL:
        json_put_bool(w, f->name, *(const bool *)at);
        break;
    case F_TIME:
        json_put_time(w, f->name, *(const int64_t *)at);
        break;
    case F_REAL:
        json_put_real(w, f->name, *(const double *)at);
        break;
    case F_JSON: {
        struct str json = *(const struct str *)at;
        if (json.len)
            json_put_raw(w, f->name, json);
        else
            json_put_null(w, f->name);
        break;
    }
    case F_OBJECT: {
        const char *object = *(const void *const *)at;
        if (object)
            write_object(w, f->name, f->shape, object);
        else
            json_put_null(w, f->name);
        break;
    }
    case F_LIST:
    case F_TEXTS:
    case F_IDS: {
        const struct list *list = at;
        if (f->nullable && !list->items)
            json_put_null(w, f->name);
        else
            write_list(w, f, list);
        break;
    }
    }
}

static void write_object(struct json_writer *w, const char *name, const struct shape *shape, const char *base)
{
    json_open_object(w, name);
    for (size_t i = 0; i < shape->nfields; i++)
        write_field(w, &shape->fields[i], base);
    json_close_object(w);
}

void shape_write(struct arena *arena, struct buf *out, const struct shape *shape, const void *value)
{
    struct json_writer w = json_writer(out);
    write_object(&w, NULL, shape, value);
}

/* ---- cursors: count, numbers and a check sum against typing errors; it grants nothing, so it needs no key ---- */

enum { MAX_KEYS = 3, KEY_BYTES = 8, SUM_BYTES = 4 };

static void put_sum(unsigned char *bytes, size_t n)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    memcpy(bytes + n, &sum, SUM_BYTES);
}

struct str page_cursor(struct arena *arena, const int64_t *keys, size_t n)
{
    ASSERT(n >= 1 && n <= MAX_KEYS);
    unsigned char bytes[1 + MAX_KEYS * KEY_BYTES + SUM_BYTES];
    size_t len = 1 + n * KEY_BYTES;
    bytes[0] = (unsigned char)n;
    memcpy(bytes + 1, keys, n * KEY_BYTES);
    put_sum(bytes, len);
    return base64url_encode(arena, (struct str){ (const char *)bytes, len + SUM_BYTES });
}

enum err_code page_cursor_read(struct cx *cx, struct str cursor, int64_t *ret_keys, size_t n)
{
    ASSERT(n >= 1 && n <= MAX_KEYS);
    struct str raw;
    unsigned char again[1 + MAX_KEYS * KEY_BYTES + SUM_BYTES];
    size_t len = 1 + n * KEY_BYTES;
    bool ok = base64_decode(cx->arena, cursor, &raw) && raw.len == len + SUM_BYTES && (size_t)raw.ptr[0] == n;
    if (ok) {
        memcpy(again, raw.ptr, len);
        put_sum(again, len);
        ok = memcmp(again, raw.ptr, raw.len) == 0;
    }
    if (!ok)
        return fail_field(cx, "cursor", "is not a next_cursor of this list");
    memcpy(ret_keys, raw.ptr + 1, n * KEY_BYTES);
    return E_OK;
}
