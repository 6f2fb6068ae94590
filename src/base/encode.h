/* encode.h - bytes as text and back: hex, base64 (RFC 4648), percent (RFC 3986), HTML. */
#ifndef CAIRN_BASE_ENCODE_H
#define CAIRN_BASE_ENCODE_H

#include "base/base.h"
#include "base/str.h"

struct str hex_encode(struct arena *arena, struct str bytes);
bool hex_decode(struct arena *arena, struct str text, struct str *ret);
struct str base64_encode(struct arena *arena, struct str bytes);
/* Alphabet "-_" without padding (RFC 4648 section 5). */
struct str base64url_encode(struct arena *arena, struct str bytes);
/* Either alphabet, padding optional; false on any other byte. */
bool base64_decode(struct arena *arena, struct str text, struct str *ret);
/* All but unreserved characters become %XX. */
struct str percent_encode(struct arena *arena, struct str text);
/* False on a broken %XX.  plus_is_space for query strings and forms. */
bool percent_decode(struct arena *arena, struct str text, bool plus_is_space, struct str *ret);
/* & < > " ' escaped; safe in text and in quoted attributes. */
struct str html_escape(struct arena *arena, struct str text);

#endif
