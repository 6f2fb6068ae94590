/* num.c - checked parsing. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

bool num_parse_uint(struct str text, uint64_t *ret)
{
    uint64_t v = 0;
    if (!text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(text.ptr[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

bool num_parse_int(struct str text, int64_t *ret)
{
    uint64_t v = 0;
    bool minus = text.len && text.ptr[0] == '-';
    if (!num_parse_uint(minus ? str_skip(text, 1) : text, &v) || v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
        return false;
    *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool num_parse_hex(struct str text, uint64_t *ret)
{
    uint64_t v = 0;
    if (!text.len || text.len > 16)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0)
            return false;
        v = v << 4 | (uint64_t)d;
    }
    *ret = v;
    return true;
}
