/* rand.h - unpredictable bytes from the kernel. */
#ifndef CAIRN_BASE_RAND_H
#define CAIRN_BASE_RAND_H

#include "base/base.h"
#include "base/str.h"

void rand_bytes(void *out, size_t n);
uint64_t rand_u64(void);
/* n random bytes as base64url text. */
struct str rand_token(struct arena *arena, size_t n_bytes);

#endif
