/* num.h - numbers from text, checked. */
#ifndef CAIRN_BASE_NUM_H
#define CAIRN_BASE_NUM_H

#include "base/base.h"
#include "base/str.h"

/* The whole text must be a decimal number that fits; no white space, no '+'. */
bool num_parse_int(struct str text, int64_t *ret);
bool num_parse_uint(struct str text, uint64_t *ret);
bool num_parse_hex(struct str text, uint64_t *ret);

#endif
