/* blob_test.c - small ones in the table, large ones on disk, streams, absent ones. */
#include <sys/stat.h>

#include "platform/blob/blob.h"
#include "testing/testing.h"

struct put {
    struct blobs *blobs;
    struct str content, hash, back;
    size_t max;
    struct blob_writer *writer;
};

static enum err_code put(struct cx *cx, struct db *db, void *arg)
{
    struct put *p = arg;
    return blob_put(cx, db, p->blobs, p->content, &p->hash);
}

static enum err_code get(struct cx *cx, struct db *db, void *arg)
{
    struct put *p = arg;
    return blob_get(cx, db, p->blobs, p->hash, p->max, &p->back);
}

static enum err_code adopt(struct cx *cx, struct db *db, void *arg)
{
    return blob_adopt(cx, db, ((struct put *)arg)->writer);
}

static struct str bytes(struct world *w, size_t n)
{
    char *p = arena_alloc(w->arena, n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 31 + i / 251);
    return (struct str){ p, n };
}

static void contents_come_back_at_every_size(void **state)
{
    struct world *w = *state;
    struct blobs *blobs = blobs_new(w->dir);
    static const size_t sizes[] = { 0, 1, BLOB_INLINE_BYTES, BLOB_INLINE_BYTES + 1, 1000000 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct put p = { .blobs = blobs, .content = bytes(w, sizes[i]), .max = 2000000 };
        struct str path = STR_NONE;
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, &p));
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, &p));   /* the same again */
        CHECK_OK(&w->cx, store_read(w->store, &w->cx, get, &p));
        CHECK(str_eq(p.back, p.content));
        CHECK(blob_file_path(&w->cx, blobs, p.hash, &path) == (sizes[i] > BLOB_INLINE_BYTES));
    }
    blobs_free(&blobs);
}

static enum err_code keep(struct cx *cx, struct db *db, void *arg)
{
    return blob_keep(cx, db, arg);
}

static void contents_are_prepared_outside_and_kept_inside_a_unit(void **state)
{
    struct world *w = *state;
    struct blobs *blobs = blobs_new(w->dir);
    static const size_t sizes[] = { 0, 1, BLOB_INLINE_BYTES, BLOB_INLINE_BYTES + 1 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct blob_ready ready;
        CHECK_OK(&w->cx, blob_prepare(&w->cx, blobs, bytes(w, sizes[i]), &ready));
        struct put p = { .blobs = blobs, .hash = ready.hash, .max = 2000000 };
        CHECK_ERR(store_read(w->store, &w->cx, get, &p), E_NOT_FOUND);
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, keep, &ready));
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, keep, &ready));      /* a unit may run again */
        blob_ready_free(&ready);
        CHECK_OK(&w->cx, store_read(w->store, &w->cx, get, &p));
        CHECK(str_eq(p.back, bytes(w, sizes[i])));
    }
    blobs_free(&blobs);
}

static void limits_and_absent_ones(void **state)
{
    struct world *w = *state;
    struct blobs *blobs = blobs_new(w->dir);
    struct put p = { .blobs = blobs, .content = bytes(w, 100), .max = 99 };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, put, &p));
    CHECK_ERR(store_read(w->store, &w->cx, get, &p), E_LIMIT);
    p.hash = STR("../../etc/passwd");
    CHECK_ERR(store_read(w->store, &w->cx, get, &p), E_NOT_FOUND);
    p.hash = STR("0000000000000000000000000000000000000000000000000000000000000000");
    CHECK_ERR(store_read(w->store, &w->cx, get, &p), E_NOT_FOUND);
    blobs_free(&blobs);
}

static void streams_are_adopted_or_vanish(void **state)
{
    struct world *w = *state;
    struct blobs *blobs = blobs_new(w->dir);
    static const size_t sizes[] = { 10, 300000 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct put p = { .blobs = blobs, .content = bytes(w, sizes[i]), .max = 1000000 };
        int64_t size = 0;
        CHECK_OK(&w->cx, blob_writer_open(&w->cx, blobs, 1000000, &p.writer));
        for (size_t at = 0; at < sizes[i]; at += 999)
            CHECK_OK(&w->cx, blob_writer_add(&w->cx, p.writer, str_sub(p.content, at, 999)));
        CHECK_OK(&w->cx, blob_writer_finish(&w->cx, p.writer, &p.hash, &size));
        CHECK_INT(size, sizes[i]);
        CHECK_ERR(store_read(w->store, &w->cx, get, &p), E_NOT_FOUND);      /* not before it is adopted */
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, adopt, &p));
        CHECK_OK(&w->cx, store_write(w->store, &w->cx, adopt, &p));         /* a unit may run again */
        CHECK_OK(&w->cx, store_read(w->store, &w->cx, get, &p));
        CHECK(str_eq(p.back, p.content));
        blob_writer_free(&p.writer);
        CHECK(p.writer == NULL);
    }
    struct blob_writer *small = NULL;
    CHECK_OK(&w->cx, blob_writer_open(&w->cx, blobs, 5, &small));
    CHECK_ERR(blob_writer_add(&w->cx, small, STR("123456")), E_LIMIT);
    blob_writer_free(&small);
    blobs_free(&blobs);
}

TESTS(BOTH(contents_come_back_at_every_size), BOTH(contents_are_prepared_outside_and_kept_inside_a_unit),
      BOTH(limits_and_absent_ones), BOTH(streams_are_adopted_or_vanish))
