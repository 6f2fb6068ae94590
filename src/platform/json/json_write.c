/* json_write.c - streaming JSON into a buffer. */
#include "platform/json/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct json_writer json_writer(struct buf *out)
{
    return (struct json_writer){ .out = out };
}

static void escape(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"': buf_lit(out, "\\\""); break;
    case '\\': buf_lit(out, "\\\\"); break;
    case '\n': buf_lit(out, "\\n"); break;
    case '\r': buf_lit(out, "\\r"); break;
    case '\t': buf_lit(out, "\\t"); break;
    default: buf_printf(out, "\\u%04x", c);
    }
}

/* A byte of the word is below 0x20, '"' or '\\'; a carry may find one too many, never one too few. */
static bool has_special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & high;
}

/* Most text needs no escape: eight bytes at once. */
static size_t skip_plain(struct str text, size_t i)
{
    for (uint64_t word; i + sizeof word <= text.len; i += sizeof word) {
        memcpy(&word, text.ptr + i, sizeof word);
        if (has_special(word))
            break;
    }
    return i;
}

static void put_quoted(struct buf *out, struct str text)
{
    text = utf8_repair(out->arena, text, false);
    buf_char(out, '"');
    size_t from = 0;
    for (size_t i = skip_plain(text, 0); i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            if (i % sizeof(uint64_t) == 0)
                i = skip_plain(text, i + 1) - 1;
            continue;
        }
        buf_add(out, str_sub(text, from, i - from));
        escape(out, c);
        from = i + 1;
    }
    buf_add(out, str_skip(text, from));
    buf_char(out, '"');
}

static void start(struct json_writer *w, const char *name)
{
    if (w->comma)
        buf_char(w->out, ',');
    if (name) {
        put_quoted(w->out, str_of(name));
        buf_char(w->out, ':');
    }
    w->comma = true;
}

static void open_with(struct json_writer *w, const char *name, char bracket)
{
    start(w, name);
    buf_char(w->out, bracket);
    w->comma = false;
}

static void close_with(struct json_writer *w, char bracket)
{
    buf_char(w->out, bracket);
    w->comma = true;
}

void json_open_object(struct json_writer *w, const char *name)
{
    open_with(w, name, '{');
}

void json_close_object(struct json_writer *w)
{
    close_with(w, '}');
}

void json_open_list(struct json_writer *w, const char *name)
{
    open_with(w, name, '[');
}

void json_close_list(struct json_writer *w)
{
    close_with(w, ']');
}

void json_put_raw(struct json_writer *w, const char *name, struct str json)
{
    start(w, name);
    buf_add(w->out, json);
}

void json_put_null(struct json_writer *w, const char *name)
{
    json_put_raw(w, name, STR("null"));
}

void json_put_text(struct json_writer *w, const char *name, struct str text)
{
    if (!text.ptr) {
        json_put_null(w, name);
        return;
    }
    start(w, name);
    put_quoted(w->out, text);
}

static void put_digits(struct buf *out, int64_t value)
{
    char text[20], *at = text + sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    buf_add(out, (struct str){ at, (size_t)(text + sizeof text - at) });
}

void json_put_int(struct json_writer *w, const char *name, int64_t value)
{
    start(w, name);
    put_digits(w->out, value);
}

void json_put_id(struct json_writer *w, const char *name, int64_t id)
{
    if (!id) {
        json_put_null(w, name);
        return;
    }
    start(w, name);
    buf_char(w->out, '"');
    put_digits(w->out, id);
    buf_char(w->out, '"');
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
    json_put_raw(w, name, value ? STR("true") : STR("false"));
}

/* The shortest of 15 and 17 digits that reads back as the same number. */
void json_put_real(struct json_writer *w, const char *name, double value)
{
    char text[40];
    if (!isfinite(value)) {
        json_put_null(w, name);
        return;
    }
    int n = snprintf(text, sizeof text, "%.15g", value);
    if (memcmp(&(double){ strtod(text, NULL) }, &value, sizeof value) != 0)
        n = snprintf(text, sizeof text, "%.17g", value);
    json_put_raw(w, name, (struct str){ text, (size_t)n });
}

void json_put_time(struct json_writer *w, const char *name, int64_t us)
{
    json_put_text(w, name, us ? clock_rfc3339(w->out->arena, us) : STR_NONE);
}

void json_put_value(struct json_writer *w, const char *name, const struct json_value *value)
{
    switch (value->kind) {
    case JSON_NULL: json_put_null(w, name); break;
    case JSON_BOOL: json_put_bool(w, name, value->boolean); break;
    case JSON_INT: json_put_int(w, name, value->integer); break;
    case JSON_REAL: json_put_real(w, name, value->real); break;
    case JSON_TEXT: json_put_text(w, name, value->text); break;
    case JSON_LIST:
        json_open_list(w, name);
        for (size_t i = 0; i < value->n; i++)
            json_put_value(w, NULL, &value->items[i]);
        json_close_list(w);
        break;
    case JSON_OBJECT:
        json_open_object(w, name);
        for (size_t i = 0; i < value->n; i++)
            json_put_value(w, arena_cstr(w->out->arena, value->members[i].name), &value->members[i].value);
        json_close_object(w);
        break;
    }
}

struct str json_quote(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    put_quoted(&out, text);
    return buf_str(&out);
}
