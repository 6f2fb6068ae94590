/* utf8.c - RFC 3629. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

enum { REPLACEMENT = 0xFFFD };

/* Bytes of the valid sequence at p, or 0. */
static size_t sequence(const unsigned char *p, size_t n, uint32_t *cp)
{
    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || n < len)
        return 0;
    uint32_t v = p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3Fu);
    }
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (v < least[len] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
        return 0;
    *cp = v;
    return len;
}

/* Most text is ASCII: eight bytes at once. */
static size_t skip_ascii(struct str s, size_t i)
{
    for (uint64_t word; i + sizeof word <= s.len; i += sizeof word) {
        memcpy(&word, s.ptr + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool utf8_valid(struct str s)
{
    uint32_t cp;
    for (size_t i = skip_ascii(s, 0); i < s.len; i = skip_ascii(s, i)) {
        size_t n = sequence((const unsigned char *)s.ptr + i, s.len - i, &cp);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

bool utf8_next(struct str *rest, uint32_t *ret_cp)
{
    if (!rest->len)
        return false;
    size_t n = sequence((const unsigned char *)rest->ptr, rest->len, ret_cp);
    if (!n) {
        *ret_cp = REPLACEMENT;
        n = 1;
    }
    *rest = (struct str){ rest->ptr + n, rest->len - n };
    return true;
}

void utf8_put(struct buf *b, uint32_t cp)
{
    char out[4];
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = n; i-- > 1; cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)(lead[n] | cp);
    buf_add(b, (struct str){ out, n });
}

struct str utf8_repair(struct arena *arena, struct str s, bool no_nul)
{
    if (utf8_valid(s) && !(no_nul && str_chr(s, 0) >= 0))
        return s;
    struct buf out = buf_new(arena, 0);
    uint32_t cp;
    while (utf8_next(&s, &cp))
        utf8_put(&out, cp == 0 && no_nul ? (uint32_t)REPLACEMENT : cp);
    return buf_str(&out);
}

size_t utf8_length(struct str s)
{
    size_t n = 0;
    uint32_t cp;
    while (utf8_next(&s, &cp))
        n++;
    return n;
}

struct str utf8_cut(struct str s, size_t max_bytes)
{
    if (s.len <= max_bytes)
        return s;
    size_t n = max_bytes;
    while (n && ((unsigned char)s.ptr[n] & 0xC0) == 0x80)
        n--;
    return (struct str){ s.ptr, n };
}
