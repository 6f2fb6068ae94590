/* arena.c - blocks in a list, doubling; freed at once. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *head;
    const char *name;
    size_t limit, total;
};

enum { FIRST_BLOCK = 4096, MAX_DOUBLING = 1 << 20 };

static void *must(void *p)
{
    if (!p) {
        fputs("cairn: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *heap_new(size_t size_bytes)
{
    return must(calloc(1, size_bytes ? size_bytes : 1));
}

void *heap_grow(void *ptr, size_t size_bytes)
{
    return must(realloc(ptr, size_bytes ? size_bytes : 1));
}

char *heap_copy(struct str text)
{
    char *p = heap_new(text.len + 1);
    if (text.len)
        memcpy(p, text.ptr, text.len);
    return p;
}

void heap_free(void *ptr)
{
    free(ptr);
}

struct arena *arena_new(const char *name, size_t limit_bytes)
{
    struct arena *a = heap_new(sizeof *a);
    *a = (struct arena){ .name = name, .limit = limit_bytes };
    return a;
}

void arena_reset(struct arena *a)
{
    while (a->head && a->head->next) {
        struct block *dead = a->head;
        a->head = dead->next;
        free(dead);
    }
    if (a->head)
        a->head->used = 0;
    a->total = 0;
}

void arena_free(struct arena **arena)
{
    struct arena *a = *arena;
    if (!a)
        return;
    arena_reset(a);
    free(a->head);
    free(a);
    *arena = NULL;
}

bool arena_over_limit(const struct arena *a)
{
    return a->limit && a->total > a->limit;
}

size_t arena_used(const struct arena *a)
{
    return a->total;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size = (size + align - 1) / align * align;
    if (!a->head || a->head->size - a->head->used < size) {
        size_t want = a->head ? MIN(a->head->size * 2, (size_t)MAX_DOUBLING) : FIRST_BLOCK;
        struct block *b = must(malloc(sizeof *b + MAX(want, size)));
        *b = (struct block){ .next = a->head, .size = MAX(want, size) };
        a->head = b;
    }
    void *p = a->head->bytes + a->head->used;
    a->head->used += size;
    a->total += size;
    return memset(p, 0, size);
}

struct str arena_copy(struct arena *a, struct str text)
{
    char *p = arena_alloc(a, text.len + 1);
    if (text.len)
        memcpy(p, text.ptr, text.len);
    return (struct str){ p, text.len };
}

char *arena_cstr(struct arena *a, struct str text)
{
    char *p = arena_alloc(a, text.len + 1);
    if (text.len)
        memcpy(p, text.ptr, text.len);
    return p;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return (struct str){ p, (size_t)n };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}
