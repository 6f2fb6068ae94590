/* encode.c - bytes as text and back. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

static const char hex_digits[] = "0123456789abcdef";
static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str hex_encode(struct arena *arena, struct str bytes)
{
    char *p = arena_alloc(arena, bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        p[2 * i] = hex_digits[c >> 4];
        p[2 * i + 1] = hex_digits[c & 15];
    }
    return (struct str){ p, bytes.len * 2 };
}

bool hex_decode(struct arena *arena, struct str text, struct str *ret)
{
    if (text.len % 2)
        return false;
    char *p = arena_alloc(arena, text.len / 2 + 1);
    for (size_t i = 0; i < text.len; i += 2) {
        uint64_t v = 0;
        if (!num_parse_hex(str_sub(text, i, 2), &v))
            return false;
        p[i / 2] = (char)v;
    }
    *ret = (struct str){ p, text.len / 2 };
    return true;
}

static struct str encode64(struct arena *arena, struct str in, const char *alphabet, bool pad)
{
    char *p = arena_alloc(arena, in.len / 3 * 4 + 5), *q = p;
    const unsigned char *s = (const unsigned char *)in.ptr;
    size_t i = 0;
    for (; i + 2 < in.len; i += 3) {
        uint32_t v = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];
        *q++ = alphabet[v >> 18];
        *q++ = alphabet[v >> 12 & 63];
        *q++ = alphabet[v >> 6 & 63];
        *q++ = alphabet[v & 63];
    }
    if (i < in.len) {
        uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < in.len ? (uint32_t)s[i + 1] << 8 : 0);
        *q++ = alphabet[v >> 18];
        *q++ = alphabet[v >> 12 & 63];
        if (i + 1 < in.len)
            *q++ = alphabet[v >> 6 & 63];
        else if (pad)
            *q++ = '=';
        if (pad)
            *q++ = '=';
    }
    return (struct str){ p, (size_t)(q - p) };
}

struct str base64_encode(struct arena *arena, struct str bytes)
{
    return encode64(arena, bytes, b64, true);
}

struct str base64url_encode(struct arena *arena, struct str bytes)
{
    return encode64(arena, bytes, b64url, false);
}

static int value64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct arena *arena, struct str text, struct str *ret)
{
    while (text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len % 4 == 1)
        return false;
    char *p = arena_alloc(arena, text.len / 4 * 3 + 4);
    size_t n = 0;
    uint32_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        int d = value64(text.ptr[i]);
        if (d < 0)
            return false;
        v = v << 6 | (uint32_t)d;
        if (i % 4 == 3) {
            p[n++] = (char)(v >> 16);
            p[n++] = (char)(v >> 8);
            p[n++] = (char)v;
            v = 0;
        }
    }
    if (text.len % 4 == 2)
        p[n++] = (char)(v >> 4);
    if (text.len % 4 == 3) {
        p[n++] = (char)(v >> 10);
        p[n++] = (char)(v >> 2);
    }
    *ret = (struct str){ p, n };
    return true;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

struct str percent_encode(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < text.len; i++) {
        if (unreserved(text.ptr[i]))
            buf_char(&out, text.ptr[i]);
        else
            buf_printf(&out, "%%%02X", (unsigned char)text.ptr[i]);
    }
    return buf_str(&out);
}

bool percent_decode(struct arena *arena, struct str text, bool plus_is_space, struct str *ret)
{
    char *p = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t v = 0;
        if (text.ptr[i] == '%') {
            if (i + 2 >= text.len || !num_parse_hex(str_sub(text, i + 1, 2), &v))
                return false;
            p[n++] = (char)v;
            i += 2;
        } else {
            p[n++] = text.ptr[i] == '+' && plus_is_space ? ' ' : text.ptr[i];
        }
    }
    *ret = (struct str){ p, n };
    return true;
}

struct str html_escape(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&': buf_lit(&out, "&amp;"); break;
        case '<': buf_lit(&out, "&lt;"); break;
        case '>': buf_lit(&out, "&gt;"); break;
        case '"': buf_lit(&out, "&quot;"); break;
        case '\'': buf_lit(&out, "&#39;"); break;
        default: buf_char(&out, text.ptr[i]);
        }
    }
    return buf_str(&out);
}
