/*
 * base.h - the vocabulary that every other module speaks.
 *
 * Includes the whole of base/: slices, arenas, growing buffers, error codes,
 * logging, time, numbers, text and byte encodings.  Nothing here knows about
 * tickets, HTTP or SQL; base includes libc headers only.
 */
#ifndef CAIRN_BASE_H
#define CAIRN_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define COUNT(a)          (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/num.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/utf8.h"

#include "base/banned.h"

#endif
