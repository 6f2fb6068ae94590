/* map.c - open addressing, linear probing, backward-shift deletion. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <stdatomic.h>

struct slot {
    struct str key;
    void *value;        /* NULL: the slot is empty */
    uint64_t hash;
};

struct map {
    struct arena *arena;
    struct slot *slots;
    size_t cap, n;
};

static uint64_t seed(void)
{
    static _Atomic uint64_t value;
    uint64_t v = atomic_load(&value);
    if (!v) {
        uint64_t fresh = rand_u64() | 1;
        v = atomic_compare_exchange_strong(&value, &v, fresh) ? fresh : v;
    }
    return v;
}

uint64_t str_hash(struct str s)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ seed();
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

static void *take(struct map *m, size_t bytes)
{
    return m->arena ? arena_alloc(m->arena, bytes) : heap_new(bytes);
}

static void give(struct map *m, const void *p)
{
    if (!m->arena)
        heap_free((void *)(uintptr_t)p);
}

struct map *map_new(struct arena *arena)
{
    struct map *m = arena ? NEW(arena, struct map) : heap_new(sizeof *m);
    m->arena = arena;
    m->cap = 16;
    m->slots = take(m, m->cap * sizeof *m->slots);
    return m;
}

void map_free(struct map **map)
{
    struct map *m = *map;
    if (!m)
        return;
    for (size_t i = 0; i < m->cap; i++)
        give(m, m->slots[i].key.ptr);
    give(m, m->slots);
    if (!m->arena)
        heap_free(m);
    *map = NULL;
}

static size_t locate(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].value && !(m->slots[i].hash == hash && str_eq(m->slots[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *map_get(const struct map *m, struct str key)
{
    return m->slots[locate(m, key, str_hash(key))].value;
}

static void grow(struct map *m)
{
    struct slot *old = m->slots;
    size_t old_cap = m->cap;
    m->cap *= 2;
    m->slots = take(m, m->cap * sizeof *m->slots);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].value)
            m->slots[locate(m, old[i].key, old[i].hash)] = old[i];
    give(m, old);
}

static void remove_at(struct map *m, size_t i)
{
    give(m, m->slots[i].key.ptr);
    m->n--;
    for (size_t j = (i + 1) & (m->cap - 1); m->slots[j].value; j = (j + 1) & (m->cap - 1)) {
        size_t home = m->slots[j].hash & (m->cap - 1);
        if (((j - home) & (m->cap - 1)) >= ((j - i) & (m->cap - 1))) {
            m->slots[i] = m->slots[j];
            i = j;
        }
    }
    m->slots[i] = (struct slot){ .value = NULL };
}

void map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = str_hash(key);
    size_t i = locate(m, key, hash);
    if (m->slots[i].value) {
        if (value)
            m->slots[i].value = value;
        else
            remove_at(m, i);
        return;
    }
    if (!value)
        return;
    if ((m->n + 1) * 4 > m->cap * 3) {
        grow(m);
        i = locate(m, key, hash);
    }
    char *copy = take(m, key.len + 1);
    if (key.len)
        memcpy(copy, key.ptr, key.len);
    m->slots[i] = (struct slot){ .key = { copy, key.len }, .value = value, .hash = hash };
    m->n++;
}

size_t map_count(const struct map *m)
{
    return m->n;
}

bool map_next(const struct map *m, size_t *at, struct str *ret_key, void **ret_value)
{
    for (; *at < m->cap; (*at)++)
        if (m->slots[*at].value) {
            *ret_key = m->slots[*at].key;
            *ret_value = m->slots[(*at)++].value;
            return true;
        }
    return false;
}
