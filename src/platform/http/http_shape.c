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

/* ---- cursors: a kind, the keys and a check sum against typing errors; it grants nothing, so it needs no key ---- */

enum { MAX_KEYS = 3, KEY_BYTES = 8, SUM_BYTES = 4, TEXT_BYTES = 250, OF_TEXT = 't' };

static uint32_t sum_of(struct str bytes)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < bytes.len; i++)
        sum = (sum ^ (unsigned char)bytes.ptr[i]) * 16777619u;
    return sum;
}

/* `kind` tells cursors of n numbers and of text apart. */
static struct str cursor_write(struct arena *arena, char kind, const void *keys, size_t len)
{
    struct buf b = buf_new(arena, 0);
    buf_char(&b, kind);
    buf_add(&b, (struct str){ keys, len });
    uint32_t sum = sum_of(buf_str(&b));
    buf_add(&b, (struct str){ (const char *)&sum, SUM_BYTES });
    return base64url_encode(arena, buf_str(&b));
}

static enum err_code cursor_read(struct cx *cx, struct str cursor, char kind, struct str *ret_keys)
{
    struct str raw;
    uint32_t sum;
    bool ok = base64_decode(cx->arena, cursor, &raw) && raw.len > 1 + SUM_BYTES && raw.ptr[0] == kind;
    if (ok) {
        memcpy(&sum, raw.ptr + raw.len - SUM_BYTES, SUM_BYTES);
        ok = sum == sum_of(str_sub(raw, 0, raw.len - SUM_BYTES));
    }
    if (!ok)
        return fail_field(cx, "cursor", "is not a next_cursor of this list");
    *ret_keys = str_sub(raw, 1, raw.len - 1 - SUM_BYTES);
    return E_OK;
}

struct str page_cursor(struct arena *arena, const int64_t *keys, size_t n)
{
    ASSERT(n >= 1 && n <= MAX_KEYS);
    return cursor_write(arena, (char)n, keys, n * KEY_BYTES);
}

enum err_code page_cursor_read(struct cx *cx, struct str cursor, int64_t *ret_keys, size_t n)
{
    struct str keys;
    ASSERT(n >= 1 && n <= MAX_KEYS);
    TRY(cursor_read(cx, cursor, (char)n, &keys));
    if (keys.len != n * KEY_BYTES)
        return fail_field(cx, "cursor", "is not a next_cursor of this list");
    memcpy(ret_keys, keys.ptr, keys.len);
    return E_OK;
}

struct str page_cursor_text(struct arena *arena, struct str key)
{
    ASSERT(key.len >= 1 && key.len <= TEXT_BYTES);
    return cursor_write(arena, OF_TEXT, key.ptr, key.len);
}

enum err_code page_cursor_read_text(struct cx *cx, struct str cursor, struct str *ret_key)
{
    TRY(cursor_read(cx, cursor, OF_TEXT, ret_key));
    return utf8_valid(*ret_key) ? E_OK : fail_field(cx, "cursor", "is not a next_cursor of this list");
}
