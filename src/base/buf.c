/* buf.c - growing bytes in an arena. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <stdio.h>

struct buf buf_new(struct arena *arena, size_t max_bytes)
{
    return (struct buf){ .arena = arena, .max = max_bytes };
}

static bool reserve(struct buf *b, size_t more)
{
    if (b->overflow || (b->max && b->len + more > b->max)) {
        b->overflow = true;
        return false;
    }
    if (b->len + more + 1 <= b->cap)
        return true;
    size_t cap = MAX(b->cap * 2, (size_t)64);
    while (cap < b->len + more + 1)
        cap *= 2;
    char *wider = arena_alloc(b->arena, cap);
    if (b->len)
        memcpy(wider, b->ptr, b->len);
    b->ptr = wider;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, struct str s)
{
    if (!s.len || !reserve(b, s.len))
        return;
    memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, (struct str){ &c, 1 });
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n > 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
        b->len += (size_t)n;
    }
    va_end(ap);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
}

struct str buf_str(struct buf *b)
{
    if (!reserve(b, 0))
        return (struct str){ b->ptr, b->len };
    b->ptr[b->len] = 0;
    return (struct str){ b->ptr, b->len };
}
