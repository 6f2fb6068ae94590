/* fd.h - descriptors that close by scope, and whole reads and writes. */
#ifndef CAIRN_BASE_FD_H
#define CAIRN_BASE_FD_H

#include "base/base.h"
#include "base/str.h"

/* CLEANUP(fd_close) int fd = open(…);  closes when >= 0 and sets -1. */
void fd_close(int *fd);
/* All n bytes, over partial writes and EINTR; false with errno set. */
bool fd_write_all(int fd, const void *data, size_t n);
/* The whole file into the arena; false with errno set (EFBIG beyond max_bytes). */
bool fd_read_file(struct arena *arena, const char *path, size_t max_bytes, struct str *ret);
/* Writes beside, fsyncs, renames over path, fsyncs the folder: whole or not at all. */
bool fd_replace_file(struct arena *arena, const char *path, struct str content, unsigned mode);
/* mkdir -p; true when it is there afterwards. */
bool fd_make_dirs(const char *path, unsigned mode);

#endif
