/*
 * crypto.h - passwords, secrets, tokens, digests (libsodium).
 */
#ifndef CAIRN_CRYPTO_H
#define CAIRN_CRYPTO_H

#include "base/base.h"

/* Once per process, before anything else here. */
void crypto_init(void);

/* Argon2id with the interactive limits; text to store.  Slow on purpose: never inside a unit. */
enum err_code crypto_password_hash(struct cx *cx, struct str password, struct str *ret) MUST_CHECK;
bool crypto_password_matches(struct arena *arena, struct str stored, struct str password);

/* Lower-case hex. */
struct str crypto_sha256(struct arena *arena, struct str data);
struct crypto_sha256_state { _Alignas(16) char opaque[256]; };
void crypto_sha256_begin(struct crypto_sha256_state *s);
void crypto_sha256_add(struct crypto_sha256_state *s, struct str data);
struct str crypto_sha256_end(struct arena *arena, struct crypto_sha256_state *s);

/* 32 raw bytes. */
struct str crypto_hmac_sha256(struct arena *arena, struct str key, struct str data);
/* Constant time in the content. */
bool crypto_equal(struct str a, struct str b);

/*
 * The installation's master key: 32 bytes in DIR/secret.key (mode 0600), made
 * at the first start; outside the database on purpose.  Sub-keys are derived
 * per purpose ("mail-token", "credentials").
 */
struct secrets;
enum err_code secrets_open(struct cx *cx, const char *dir, struct secrets **ret) MUST_CHECK;
void secrets_free(struct secrets **secrets);
struct str secrets_key(struct arena *arena, const struct secrets *secrets, const char *purpose); /* 32 bytes */
/* Authenticated encryption (secretbox); the result is base64 text. */
struct str secrets_seal(struct arena *arena, const struct secrets *secrets, struct str plain);
/* E_INTERNAL when it was not sealed by this key. */
enum err_code secrets_unseal(struct cx *cx, const struct secrets *secrets, struct str sealed, struct str *ret) MUST_CHECK;

#endif
