/*
 * buf.h - bytes that grow, in an arena, with a maximum set at creation.
 *
 * Appending beyond the maximum adds nothing more and sets `overflow`, which
 * the maker checks once at the end.
 */
#ifndef CAIRN_BASE_BUF_H
#define CAIRN_BASE_BUF_H

#include "base/base.h"
#include "base/str.h"

struct buf {
    struct arena *arena;
    char *ptr;
    size_t len, cap, max;
    bool overflow;
};

/* max_bytes 0 means bounded by the arena alone. */
struct buf buf_new(struct arena *arena, size_t max_bytes);
void buf_add(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_clear(struct buf *b);
/* A view, NUL-terminated, valid until the next append. */
struct str buf_str(struct buf *b);

#define buf_lit(b, lit) buf_add((b), STR(lit))

#endif
