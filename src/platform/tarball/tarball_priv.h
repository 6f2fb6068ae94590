/* tarball_priv.h - what writing and reading share. */
#ifndef CAIRN_TARBALL_PRIV_H
#define CAIRN_TARBALL_PRIV_H

#include "platform/crypto/crypto.h"
#include "platform/tarball/tarball.h"

#define TARBALL_MANIFEST "MANIFEST"
enum { TARBALL_BLOCK_BYTES = 1024 * 1024 };

/* Relative, no empty or dotted parts, only [A-Za-z0-9._-] and '/'. */
bool tarball_name_is_safe(struct str name);
enum err_code tarball_sync_folder_of(struct cx *cx, const char *path) MUST_CHECK;

#endif
