/* str.c - slices of bytes. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <strings.h>

struct str str_of(const char *cstr)
{
    return cstr ? (struct str){ cstr, strlen(cstr) } : STR_NONE;
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is(struct str a, const char *cstr)
{
    return str_eq(a, str_of(cstr));
}

bool str_ieq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_iis(struct str a, const char *cstr)
{
    return str_ieq(a, str_of(cstr));
}

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.len, b.len);
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool str_istarts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_ieq(str_sub(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_skip(s, s.len - suffix.len), suffix);
}

ptrdiff_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    const char *hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit ? hit - s.ptr : -1;
}

ptrdiff_t str_ifind(struct str s, struct str needle)
{
    for (size_t i = 0; i + needle.len <= s.len; i++)
        if (str_ieq(str_sub(s, i, needle.len), needle))
            return (ptrdiff_t)i;
    return -1;
}

ptrdiff_t str_chr(struct str s, char c)
{
    const char *hit = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return hit ? hit - s.ptr : -1;
}

ptrdiff_t str_rchr(struct str s, char c)
{
    const char *hit = s.len ? memrchr(s.ptr, c, s.len) : NULL;
    return hit ? hit - s.ptr : -1;
}

struct str str_sub(struct str s, size_t from, size_t len)
{
    if (from >= s.len)
        return (struct str){ s.ptr ? s.ptr + s.len : NULL, 0 };
    return (struct str){ s.ptr + from, MIN(len, s.len - from) };
}

struct str str_skip(struct str s, size_t n)
{
    return str_sub(s, n, SIZE_MAX);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len && is_space(s.ptr[0]))
        s = (struct str){ s.ptr + 1, s.len - 1 };
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
    if (!rest->ptr)
        return false;
    ptrdiff_t at = str_chr(*rest, sep);
    if (at < 0) {
        *ret_part = *rest;
        *rest = STR_NONE;
    } else {
        *ret_part = str_sub(*rest, 0, (size_t)at);
        *rest = (struct str){ rest->ptr + at + 1, rest->len - (size_t)at - 1 };
    }
    return true;
}

bool str_line(struct str *rest, struct str *ret_line)
{
    if (!rest->ptr || rest->len == 0)
        return false;
    if (!str_split(rest, '\n', ret_line))
        return false;
    if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
        ret_line->len--;
    return true;
}

struct str str_lower(struct arena *arena, struct str s)
{
    char *p = arena_cstr(arena, s);
    for (size_t i = 0; i < s.len; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
    return (struct str){ p, s.len };
}

struct str str_replace(struct arena *arena, struct str s, struct str from, struct str to)
{
    struct buf out = buf_new(arena, 0);
    ptrdiff_t at;
    while (from.len && (at = str_find(s, from)) >= 0) {
        buf_add(&out, str_sub(s, 0, (size_t)at));
        buf_add(&out, to);
        s = str_skip(s, (size_t)at + from.len);
    }
    buf_add(&out, s);
    return buf_str(&out);
}

bool str_has_prefix_char(struct str s, char c)
{
    return s.len && s.ptr[0] == c;
}
