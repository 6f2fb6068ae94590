/* crypto.c - libsodium behind a narrow door; SHA-256 is Nettle's, which uses the processor's instructions for it. */
#include "platform/crypto/crypto.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <sodium.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct crypto_sha256_state), "the opaque state is too small");

void crypto_init(void)
{
    ASSERT(sodium_init() >= 0);
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.ptr ? s.ptr : "");
}

enum err_code crypto_password_hash(struct cx *cx, struct str password, struct str *ret)
{
    char *text = arena_alloc(cx->arena, crypto_pwhash_STRBYTES);
    if (crypto_pwhash_str(text, password.ptr ? password.ptr : "", password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return fail_busy(cx, "There is not enough memory to hash a password");
    *ret = str_of(text);
    return E_OK;
}

bool crypto_password_matches(struct arena *arena, struct str stored, struct str password)
{
    if (!stored.len || stored.len >= crypto_pwhash_STRBYTES)
        return false;
    return crypto_pwhash_str_verify(arena_cstr(arena, stored), password.ptr ? password.ptr : "", password.len) == 0;
}

struct str crypto_sha256(struct arena *arena, struct str data)
{
    struct crypto_sha256_state s;
    crypto_sha256_begin(&s);
    crypto_sha256_add(&s, data);
    return crypto_sha256_end(arena, &s);
}

void crypto_sha256_begin(struct crypto_sha256_state *s)
{
    sha256_init((struct sha256_ctx *)(void *)s->opaque);
}

void crypto_sha256_add(struct crypto_sha256_state *s, struct str data)
{
    sha256_update((struct sha256_ctx *)(void *)s->opaque, data.len, bytes_of(data));
}

struct str crypto_sha256_end(struct arena *arena, struct crypto_sha256_state *s)
{
    uint8_t out[SHA256_DIGEST_SIZE];
    sha256_digest((struct sha256_ctx *)(void *)s->opaque, sizeof out, out);
    return hex_encode(arena, (struct str){ (const char *)out, sizeof out });
}

struct str crypto_hmac_sha256(struct arena *arena, struct str key, struct str data)
{
    crypto_auth_hmacsha256_state s;
    unsigned char *out = arena_alloc(arena, crypto_auth_hmacsha256_BYTES);
    crypto_auth_hmacsha256_init(&s, bytes_of(key), key.len);
    crypto_auth_hmacsha256_update(&s, bytes_of(data), data.len);
    crypto_auth_hmacsha256_final(&s, out);
    return (struct str){ (const char *)out, crypto_auth_hmacsha256_BYTES };
}

bool crypto_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0);
}
