/* rand.c - getrandom(2). */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <sys/random.h>

void rand_bytes(void *out, size_t n)
{
    char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0)
            continue;
        p += got;
        n -= (size_t)got;
    }
}

uint64_t rand_u64(void)
{
    uint64_t v;
    rand_bytes(&v, sizeof v);
    return v;
}

struct str rand_token(struct arena *arena, size_t n_bytes)
{
    char *raw = arena_alloc(arena, n_bytes);
    rand_bytes(raw, n_bytes);
    return base64url_encode(arena, (struct str){ raw, n_bytes });
}
