/*
 * arena.h - memory that dies together.
 *
 * One arena per unit of work (request, job, inbound mail, batch), made and
 * freed by the runner.  Allocation is zeroed and never fails: out of memory
 * aborts.  A size limit does not fail an allocation either; it raises a flag
 * that the store and the senders turn into E_LIMIT.
 *
 * heap_new/heap_free serve the few long-lived objects that outlive a unit of
 * work; their owner frees them.
 */
#ifndef CAIRN_BASE_ARENA_H
#define CAIRN_BASE_ARENA_H

#include "base/base.h"
#include "base/str.h"

struct arena;

/* limit_bytes 0 means no limit.  `name` must be a literal; it appears in logs. */
struct arena *arena_new(const char *name, size_t limit_bytes);
void arena_free(struct arena **arena);

/* Gives back all but the first block; every pointer into the arena is dead. */
void arena_reset(struct arena *arena);
bool arena_over_limit(const struct arena *arena);
size_t arena_used(const struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size_bytes);

/* A NUL-terminated copy.  Copying {NULL, 0} gives an empty, non-NULL string. */
struct str arena_copy(struct arena *arena, struct str text);
char *arena_cstr(struct arena *arena, struct str text);
struct str arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str arena_vprintf(struct arena *arena, const char *fmt, va_list ap);

#define NEW(arena, type)     ((type *)arena_alloc((arena), sizeof(type)))
#define NEWN(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(n)))

/* Zeroed; aborts when there is no memory.  For objects with an owner. */
void *heap_new(size_t size_bytes);
/* As realloc, but aborts when there is no memory; new bytes are not zeroed. */
void *heap_grow(void *ptr, size_t size_bytes);
char *heap_copy(struct str text);
void heap_free(void *ptr);

#endif
