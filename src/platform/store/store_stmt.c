/* store_stmt.c - variants of statements, their cache, and the public stmt_ functions. */
#include "platform/store/store_internal.h"

static bool is_set(const struct column *p, const void *in)
{
    const char *at = (const char *)in + p->offset;
    switch (p->type) {
    case T_INT:
    case T_REF: return *(const int64_t *)(const void *)at != 0;
    case T_BOOL: return *(const bool *)at;
    case T_REAL: return *(const double *)(const void *)at < 0 || *(const double *)(const void *)at > 0;
    default: return ((const struct str *)(const void *)at)->ptr != NULL;
    }
}

uint64_t stmt_mask(const struct stmt *s, const void *in)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < s->nparts; i++)
        if (s->parts[i].only_if >= 0 && is_set(&s->params[s->parts[i].only_if], in))
            mask |= UINT64_C(1) << s->parts[i].only_if;
    return mask;
}

const char *stmt_text(struct arena *arena, const struct stmt *s, enum store_kind kind, uint64_t mask)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < s->nparts; i++)
        if (s->parts[i].only_if < 0 || mask >> s->parts[i].only_if & 1)
            buf_add(&out, str_of(kind == STORE_SQLITE ? s->parts[i].sqlite : s->parts[i].postgres));
    return buf_str(&out).ptr;
}

static size_t bucket(const struct stmt *s, uint64_t mask)
{
    uint64_t h = ((uint64_t)(uintptr_t)s >> 4 ^ mask * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
    return h >> 57;
}
_Static_assert(STMT_BUCKETS == 1 << (64 - 57), "bucket() gives as many bits");

struct cached *stmt_cache_find(struct stmt_cache *cache, const struct stmt *s, uint64_t mask)
{
    for (struct cached *c = cache->buckets[bucket(s, mask)]; c; c = c->next)
        if (c->stmt == s && c->mask == mask) {
            c->used = ++cache->clock;
            return c;
        }
    return NULL;
}

void stmt_cache_remove(struct db *db, struct cached *entry)
{
    struct cached **at = &db->cache.buckets[bucket(entry->stmt, entry->mask)];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    db->cache.n--;
    heap_free(entry);
}

static struct cached *oldest(struct stmt_cache *cache)
{
    struct cached *found = NULL;
    for (size_t i = 0; i < STMT_BUCKETS; i++)
        for (struct cached *c = cache->buckets[i]; c; c = c->next)
            if (!found || c->used < found->used)
                found = c;
    return found;
}

struct cached *stmt_cache_add(struct db *db, const struct stmt *s, uint64_t mask)
{
    struct stmt_cache *cache = &db->cache;
    if (cache->n >= STMT_CACHE_MAX) {
        struct cached *victim = oldest(cache);
        db->driver->drop(db, victim);
        stmt_cache_remove(db, victim);
    }
    struct cached *c = heap_new(sizeof *c);
    *c = (struct cached){ .stmt = s, .mask = mask, .used = ++cache->clock, .id = ++cache->last_id };
    struct cached **head = &cache->buckets[bucket(s, mask)];
    c->next = *head;
    *head = c;
    cache->n++;
    return c;
}

void stmt_cache_clear(struct db *db)
{
    for (size_t i = 0; i < STMT_BUCKETS; i++)
        while (db->cache.buckets[i])
            stmt_cache_remove(db, db->cache.buckets[i]);
}

void *rows_next(struct arena *arena, const struct stmt *s, struct rows *rows)
{
    if (rows->mode == ROWS_ONE) {
        rows->n = 1;
        return memset(rows->list, 0, s->row_size);
    }
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 16;
        char *wider = arena_alloc(arena, cap * s->row_size);
        if (rows->n)
            memcpy(wider, rows->list, rows->n * s->row_size);
        rows->list = wider;
        rows->cap = cap;
    }
    return (char *)rows->list + rows->n++ * s->row_size;
}

enum err_code check_text(struct cx *cx, const struct stmt *s, const struct column *c, struct str text)
{
    if (!text.len || (!memchr(text.ptr, 0, text.len) && utf8_valid(text)))
        return E_OK;
    cx->failure.detail = str_of(s->name);
    return fail(cx, E_INVALID, "The text of %s must be UTF-8 without NUL bytes", c->name);
}

const char *columns_swapped(const struct stmt *s, const char *const *names)
{
    for (size_t i = 0; i < s->ncolumns; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], s->columns[j].name) == 0 && strcmp(names[j], s->columns[i].name) == 0)
                return strcmp(names[i], names[j]) ? names[i] : NULL;
    return NULL;
}

static enum err_code run(struct cx *cx, struct db *db, const struct stmt *s, const void *in, struct rows *rows)
{
    if (db->failed)
        return fail_internal(cx, "%s: an earlier statement of this unit failed, so it cannot go on", s->name);
    if (arena_over_limit(cx->arena)) {
        db->failed = true;
        return fail(cx, E_LIMIT, "This needs more memory than one piece of work may use");
    }
    enum err_code code = db->driver->run(cx, db, s, in, rows);
    db->failed = code != E_OK;
    return code;
}

enum err_code stmt_exec(struct cx *cx, struct db *db, const struct stmt *s, const void *in, int64_t *ret_changed)
{
    struct rows rows = { .mode = ROWS_NONE, .count = ret_changed != NULL };
    TRY(run(cx, db, s, in, &rows));
    if (ret_changed)
        *ret_changed = rows.changed;
    return E_OK;
}

enum err_code stmt_one(struct cx *cx, struct db *db, const struct stmt *s, const void *in, void *ret_row)
{
    struct rows rows = { .mode = ROWS_ONE, .list = ret_row };
    TRY(run(cx, db, s, in, &rows));
    return rows.n ? E_OK : fail(cx, E_NOT_FOUND, "There is no such thing");
}

enum err_code stmt_many(struct cx *cx, struct db *db, const struct stmt *s, const void *in, void **ret_rows, size_t *ret_n)
{
    struct rows rows = { .mode = ROWS_MANY };
    TRY(run(cx, db, s, in, &rows));
    *ret_rows = rows.list;
    *ret_n = rows.n;
    return E_OK;
}

enum err_code stmt_check(struct cx *cx, struct db *db, const struct stmt *s)
{
    uint64_t all = 0;
    ASSERT(s->nparams <= 64);
    for (size_t i = 0; i < s->nparts; i++)
        if (s->parts[i].only_if >= 0)
            all |= UINT64_C(1) << s->parts[i].only_if;
    TRY(db->driver->check(cx, db, s, 0));
    for (uint64_t rest = all; rest; rest &= rest - 1)
        TRY(db->driver->check(cx, db, s, rest & ~(rest - 1)));
    return all ? db->driver->check(cx, db, s, all) : E_OK;
}

enum store_kind db_kind(const struct db *db)
{
    return db->store->kind;
}
