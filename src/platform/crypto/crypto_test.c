/* crypto_test.c - published vectors, sealing, the key file. */
#include "testing/testing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "platform/crypto/crypto.h"

static void digests_match_published_vectors(void **state)
{
    struct world *w = *state;
    crypto_init();
    /* FIPS 180-2 appendix B.1, RFC 4231 case 2 */
    CHECK_STR(crypto_sha256(w->arena, STR("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_STR(crypto_sha256(w->arena, STR_NONE), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_STR(hex_encode(w->arena, crypto_hmac_sha256(w->arena, STR("Jefe"), STR("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    struct crypto_sha256_state s;
    crypto_sha256_begin(&s);
    crypto_sha256_add(&s, STR("a"));
    crypto_sha256_add(&s, STR("bc"));
    CHECK_STR(crypto_sha256_end(w->arena, &s), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void passwords_match_only_themselves(void **state)
{
    struct world *w = *state;
    struct str stored;
    crypto_init();
    CHECK_OK(&w->cx, crypto_password_hash(&w->cx, STR("correct horse"), &stored));
    CHECK(str_starts(stored, STR("$argon2id$")));
    CHECK(crypto_password_matches(w->arena, stored, STR("correct horse")));
    CHECK(!crypto_password_matches(w->arena, stored, STR("correct horsf")));
    CHECK(!crypto_password_matches(w->arena, STR(""), STR("")));
    CHECK(!crypto_password_matches(w->arena, STR_NONE, STR("x")));
    CHECK(crypto_equal(STR("ab"), STR("ab")) && !crypto_equal(STR("ab"), STR("ac")) && !crypto_equal(STR("a"), STR("ab")));
}

static void sealed_secrets_open_with_their_key_only(void **state)
{
    struct world *w = *state;
    struct secrets *a = NULL, *b = NULL;
    struct str plain;
    crypto_init();
    CHECK_OK(&w->cx, secrets_open(&w->cx, w->dir, &a));
    struct str sealed = secrets_seal(w->arena, a, STR("hunter2"));
    CHECK(str_find(sealed, STR("hunter")) < 0);
    CHECK(!str_eq(sealed, secrets_seal(w->arena, a, STR("hunter2"))));
    CHECK_OK(&w->cx, secrets_open(&w->cx, w->dir, &b));
    CHECK_OK(&w->cx, secrets_unseal(&w->cx, b, sealed, &plain));
    CHECK_STR(plain, "hunter2");
    CHECK(str_eq(secrets_key(w->arena, a, "mail-token"), secrets_key(w->arena, b, "mail-token")));
    CHECK(!str_eq(secrets_key(w->arena, a, "mail-token"), secrets_key(w->arena, a, "credentials")));
    secrets_free(&b);
    char *bent = arena_cstr(w->arena, sealed);
    bent[sealed.len - 8] = bent[sealed.len - 8] == 'A' ? 'B' : 'A';
    CHECK_ERR(secrets_unseal(&w->cx, a, str_of(bent), &plain), E_INTERNAL);
    CHECK_ERR(secrets_unseal(&w->cx, a, STR("short"), &plain), E_INTERNAL);
    CHECK_INT(unlink(arena_printf(w->arena, "%s/secret.key", w->dir).ptr), 0);
    CHECK_OK(&w->cx, secrets_open(&w->cx, w->dir, &b));
    CHECK_ERR(secrets_unseal(&w->cx, b, sealed, &plain), E_INTERNAL);
    secrets_free(&a);
    secrets_free(&b);
}

static void key_file_must_be_private_and_whole(void **state)
{
    struct world *w = *state;
    struct secrets *s = NULL;
    const char *path = arena_printf(w->arena, "%s/secret.key", w->dir).ptr;
    crypto_init();
    CHECK_OK(&w->cx, secrets_open(&w->cx, w->dir, &s));
    secrets_free(&s);
    struct stat st;
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK_INT(chmod(path, 0644), 0);
    CHECK_ERR(secrets_open(&w->cx, w->dir, &s), E_BUSY);
    CHECK_INT(chmod(path, 0600), 0);
    CHECK_INT(truncate(path, 31), 0);
    CHECK_ERR(secrets_open(&w->cx, w->dir, &s), E_BUSY);
    CHECK_ERR(secrets_open(&w->cx, arena_printf(w->arena, "%s/none", w->dir).ptr, &s), E_BUSY);
    CHECK(!s);
}

TESTS(UNIT(digests_match_published_vectors), UNIT(passwords_match_only_themselves),
      UNIT(sealed_secrets_open_with_their_key_only), UNIT(key_file_must_be_private_and_whole))
