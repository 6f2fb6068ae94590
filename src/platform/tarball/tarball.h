/*
 * tarball.h - one file that holds many, checked: backups (libarchive).
 *
 * A POSIX tar (pax) without compression, so that any tar reads it.  The last
 * entry MANIFEST lists SHA-256, size and name of all others; a tarball without
 * it is cut off.  Names are relative, without "..".
 */
#ifndef CAIRN_TARBALL_H
#define CAIRN_TARBALL_H

#include "base/base.h"

struct tarball;

/* Writes beside `path`; it appears there whole and fsynced by tarball_finish.  E_CONFLICT when path exists. */
enum err_code tarball_create(struct cx *cx, const char *path, struct tarball **ret) MUST_CHECK;
enum err_code tarball_add(struct cx *cx, struct tarball *t, const char *name, struct str content) MUST_CHECK;
/* The file must not change meanwhile. */
enum err_code tarball_add_file(struct cx *cx, struct tarball *t, const char *name, const char *path) MUST_CHECK;
/* Every plain file below the folder as NAME/relative; names with "tmp" at the start are skipped.  An absent folder is empty. */
enum err_code tarball_add_folder(struct cx *cx, struct tarball *t, const char *name, const char *path) MUST_CHECK;
enum err_code tarball_finish(struct cx *cx, struct tarball *t) MUST_CHECK;
/* Removes what was written when it was not finished.  Accepts NULL. */
void tarball_free(struct tarball **t);

struct tarball_facts { int64_t files, bytes; };
/* Reads all of it and compares with the manifest.  E_INVALID with the first difference. */
enum err_code tarball_verify(struct cx *cx, const char *path, struct tarball_facts *ret) MUST_CHECK;
/* Writes its files below dir (which exists and is empty), fsynced, then compares as tarball_verify. */
enum err_code tarball_extract(struct cx *cx, const char *path, const char *dir, struct tarball_facts *ret) MUST_CHECK;

#endif
