/* secrets.c - the master key in its file, what is derived from it, and sealing. */
#include "platform/crypto/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = 32 };
_Static_assert(KEY_BYTES == crypto_secretbox_KEYBYTES, "sub-keys serve secretbox");

struct secrets {
    unsigned char master[KEY_BYTES];
};

/* The loser of a race between two first starts reads the winner's key: link(2) never replaces. */
static enum err_code make_key(struct cx *cx, const char *path)
{
    char key[KEY_BYTES];
    const char *beside = arena_printf(cx->arena, "%s.%016llx", path, (unsigned long long)rand_u64()).ptr;
    rand_bytes(key, sizeof key);
    if (!fd_replace_file(cx->arena, beside, (struct str){ key, sizeof key }, 0600))
        return fail_busy(cx, "The key file %s cannot be written: %s", path, strerror(errno));
    int linked = link(beside, path);
    int why = errno;
    unlink(beside);
    if (linked < 0 && why != EEXIST)
        return fail_busy(cx, "The key file %s cannot be written: %s", path, strerror(why));
    return E_OK;
}

enum err_code secrets_open(struct cx *cx, const char *dir, struct secrets **ret)
{
    const char *path = arena_printf(cx->arena, "%s/secret.key", dir).ptr;
    struct str key;
    struct stat st;
    if (stat(path, &st) < 0 && errno == ENOENT)
        TRY(make_key(cx, path));
    if (!fd_read_file(cx->arena, path, KEY_BYTES + 1, &key))
        return fail_busy(cx, "The key file %s cannot be read: %s", path, strerror(errno));
    if (key.len != KEY_BYTES)
        return fail_busy(cx, "The key file %s must have %d bytes, not %zu", path, (int)KEY_BYTES, key.len);
    if (stat(path, &st) == 0 && (st.st_mode & 077))
        return fail_busy(cx, "The key file %s can be read by others; chmod 600 it", path);
    *ret = heap_new(sizeof **ret);
    memcpy((*ret)->master, key.ptr, KEY_BYTES);
    return E_OK;
}

void secrets_free(struct secrets **secrets)
{
    if (!*secrets)
        return;
    sodium_memzero(*secrets, sizeof **secrets);
    heap_free(*secrets);
    *secrets = NULL;
}

struct str secrets_key(struct arena *arena, const struct secrets *secrets, const char *purpose)
{
    return crypto_hmac_sha256(arena, (struct str){ (const char *)secrets->master, KEY_BYTES }, str_of(purpose));
}

struct str secrets_seal(struct arena *arena, const struct secrets *secrets, struct str plain)
{
    size_t head = crypto_secretbox_NONCEBYTES, n = head + crypto_secretbox_MACBYTES + plain.len;
    unsigned char *box = arena_alloc(arena, n);
    struct str key = secrets_key(arena, secrets, "seal");
    rand_bytes(box, head);
    crypto_secretbox_easy(box + head, (const unsigned char *)(plain.ptr ? plain.ptr : ""), plain.len, box,
                          (const unsigned char *)key.ptr);
    return base64_encode(arena, (struct str){ (const char *)box, n });
}

enum err_code secrets_unseal(struct cx *cx, const struct secrets *secrets, struct str sealed, struct str *ret)
{
    const size_t head = crypto_secretbox_NONCEBYTES, mac = crypto_secretbox_MACBYTES;
    struct str box;
    struct str key = secrets_key(cx->arena, secrets, "seal");
    if (!base64_decode(cx->arena, sealed, &box) || box.len < head + mac)
        return fail_internal(cx, "a sealed secret is damaged");
    char *plain = arena_alloc(cx->arena, box.len - head - mac + 1);
    if (crypto_secretbox_open_easy((unsigned char *)plain, (const unsigned char *)box.ptr + head, box.len - head,
                                   (const unsigned char *)box.ptr, (const unsigned char *)key.ptr) != 0)
        return fail_internal(cx, "a sealed secret was not sealed by this key file");
    *ret = (struct str){ plain, box.len - head - mac };
    return E_OK;
}
