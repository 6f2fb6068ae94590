/*
 * map.h - a hash map from text to pointers.
 *
 * Lives in an arena, or on the heap when made with arena NULL (then
 * map_free).  Keys are copied.  Not safe for several threads at once.
 */
#ifndef CAIRN_BASE_MAP_H
#define CAIRN_BASE_MAP_H

#include "base/base.h"
#include "base/str.h"

struct map;
struct map *map_new(struct arena *arena);
void map_free(struct map **map);
/* NULL when absent. */
void *map_get(const struct map *map, struct str key);
/* Replaces; value NULL removes. */
void map_put(struct map *map, struct str key, void *value);
size_t map_count(const struct map *map);
/* Start with *at = 0; false at the end.  No changes while iterating. */
bool map_next(const struct map *map, size_t *at, struct str *ret_key, void **ret_value);
/* FNV-1a with a per-process seed: not predictable from outside. */
uint64_t str_hash(struct str s);

#endif
