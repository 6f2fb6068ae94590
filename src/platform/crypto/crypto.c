/* crypto.c - libsodium behind a narrow door. */
#include "platform/crypto/crypto.h"

#include <errno.h>
#include <sodium.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct crypto_sha256_state), "the opaque state is too small");

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
    unsigned char out[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(out, bytes_of(data), data.len);
    return hex_encode(arena, (struct str){ (const char *)out, sizeof out });
}

void crypto_sha256_begin(struct crypto_sha256_state *s)
{
    crypto_hash_sha256_init((crypto_hash_sha256_state *)(void *)s->opaque);
}

void crypto_sha256_add(struct crypto_sha256_state *s, struct str data)
{
    crypto_hash_sha256_update((crypto_hash_sha256_state *)(void *)s->opaque, bytes_of(data), data.len);
}

struct str crypto_sha256_end(struct arena *arena, struct crypto_sha256_state *s)
{
    unsigned char out[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final((crypto_hash_sha256_state *)(void *)s->opaque, out);
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
