/* realtime_accept.c - Sec-WebSocket-Accept: SHA-1 (FIPS 180-4) as RFC 6455 wants it; it protects nothing. */
#include "platform/realtime/realtime_internal.h"

static uint32_t rotate(uint32_t v, unsigned by)
{
    return (v << by) | (v >> (32 - by));
}

static void sha1_block(uint32_t h[5], const unsigned char *p)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
        uint32_t t = rotate(a, 5) + f + e + k[i / 20] + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

struct str realtime_accept_key(struct arena *arena, struct str key)
{
    struct str text = arena_printf(arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", STR_ARG(key));
    size_t padded = (text.len + 9 + 63) / 64 * 64;
    unsigned char *bytes = arena_alloc(arena, padded), digest[20];
    memcpy(bytes, text.ptr, text.len);
    bytes[text.len] = 0x80;
    for (size_t i = 0; i < 8; i++)
        bytes[padded - 1 - i] = (unsigned char)(((uint64_t)text.len * 8) >> (8 * i));
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    for (size_t at = 0; at < padded; at += 64)
        sha1_block(h, bytes + at);
    for (int i = 0; i < 20; i++)
        digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
    return base64_encode(arena, (struct str){ (const char *)digest, sizeof digest });
}
