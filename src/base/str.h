/*
 * str.h - a borrowed run of bytes.
 *
 * A struct str does not own its bytes and need not be NUL-terminated (text
 * made in an arena is).  {NULL, 0} means "absent" where a caller says so.
 */
#ifndef CAIRN_BASE_STR_H
#define CAIRN_BASE_STR_H

#include "base/base.h"

struct arena;

struct str {
    const char *ptr;
    size_t len;
};

#define STR(lit)    ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_NONE    ((struct str){ NULL, 0 })
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s)  (int)(s).len, (s).ptr ? (s).ptr : ""

/* cstr may be NULL: gives STR_NONE. */
struct str str_of(const char *cstr);
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *cstr);
/* ASCII case is ignored; other bytes compare as they are. */
bool str_ieq(struct str a, struct str b);
bool str_iis(struct str a, const char *cstr);
/* As memcmp, then by length: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Index of the first/last occurrence, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_ifind(struct str s, struct str needle);
ptrdiff_t str_chr(struct str s, char c);
ptrdiff_t str_rchr(struct str s, char c);

/* Clamped to the string; never out of bounds. */
struct str str_sub(struct str s, size_t from, size_t len);
struct str str_skip(struct str s, size_t n);

/* Without leading and trailing ASCII white space. */
struct str str_trim(struct str s);

/*
 * Takes the part before the first `sep` off *rest into *ret_part; the last
 * part is what remains.  False when nothing is left.  "a,,b" has three parts.
 */
bool str_split(struct str *rest, char sep, struct str *ret_part);
/* The next line without its CR LF or LF. */
bool str_line(struct str *rest, struct str *ret_line);

struct str str_lower(struct arena *arena, struct str s);
/* Every occurrence of `from` (not empty) replaced by `to`. */
struct str str_replace(struct arena *arena, struct str s, struct str from, struct str to);
bool str_has_prefix_char(struct str s, char c);

#endif
