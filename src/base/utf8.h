/* utf8.h - valid UTF-8 and its code points. */
#ifndef CAIRN_BASE_UTF8_H
#define CAIRN_BASE_UTF8_H

#include "base/base.h"
#include "base/str.h"

/* Shortest form, no surrogates, at most U+10FFFF (RFC 3629). */
bool utf8_valid(struct str s);
/* Every bad byte becomes U+FFFD, and NUL becomes U+FFFD when `no_nul`. */
struct str utf8_repair(struct arena *arena, struct str s, bool no_nul);
/* Takes one code point off *rest; false at the end.  A bad byte gives U+FFFD. */
bool utf8_next(struct str *rest, uint32_t *ret_cp);
void utf8_put(struct buf *b, uint32_t cp);
size_t utf8_length(struct str s);
/* At most max_bytes, never cutting a code point in two. */
struct str utf8_cut(struct str s, size_t max_bytes);

#endif
