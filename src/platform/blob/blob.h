/*
 * blob.h - content-addressed bytes: raw mail and attachments.
 *
 * A blob is named by the SHA-256 of its content, in hex.  Up to
 * BLOB_INLINE_BYTES it lies in the table blob, in the same transaction as what
 * refers to it; a larger one is a file DIR/blobs/ab/cdef… that is written and
 * fsynced before the transaction that refers to it commits.  Blobs are shared
 * between accounts by content but only reachable through rows of an account.
 */
#ifndef CAIRN_BLOB_H
#define CAIRN_BLOB_H

#include "platform/store/store.h"

enum { BLOB_INLINE_BYTES = 64 * 1024, BLOB_HASH_LEN = 64 };

struct blobs;
struct blob_writer;
struct blobs *blobs_new(const char *dir);       /* DIR/blobs; made when absent */
void blobs_free(struct blobs **blobs);

/* Inside a unit.  Large content is written to disk here (fsync).  *ret_hash lies in cx->arena. */
enum err_code blob_put(struct cx *cx, struct db *db, struct blobs *blobs, struct str content, struct str *ret_hash) MUST_CHECK;
/*
 * The same in two steps, so that units need not wait for hash and disk: prepare before the unit, keep inside it.
 * The content must live until then.  Free what was prepared, kept or not; blob_ready_free accepts a zeroed one.
 */
struct blob_ready {
    struct str hash, content;
    struct blob_writer *writer;     /* of large content */
};
enum err_code blob_prepare(struct cx *cx, struct blobs *blobs, struct str content, struct blob_ready *ret) MUST_CHECK;
enum err_code blob_keep(struct cx *cx, struct db *db, const struct blob_ready *ready) MUST_CHECK;
void blob_ready_free(struct blob_ready *ready);

/* Whole content into cx->arena; E_LIMIT beyond max_bytes, E_NOT_FOUND when absent. */
enum err_code blob_get(struct cx *cx, struct db *db, struct blobs *blobs, struct str hash, size_t max_bytes, struct str *ret) MUST_CHECK;

/* Streaming in: bytes go to a temporary file; finish gives hash and size, keep it by blob_adopt in a unit. */
enum err_code blob_writer_open(struct cx *cx, struct blobs *blobs, size_t max_bytes, struct blob_writer **ret) MUST_CHECK;
enum err_code blob_writer_add(struct cx *cx, struct blob_writer *w, struct str bytes) MUST_CHECK;
enum err_code blob_writer_finish(struct cx *cx, struct blob_writer *w, struct str *ret_hash, int64_t *ret_size) MUST_CHECK;
/* Inside a unit, after finish: moves it to its place (or into the table). Safe to call again when the unit is re-run. */
enum err_code blob_adopt(struct cx *cx, struct db *db, struct blob_writer *w) MUST_CHECK;
/* Removes the temporary file if it was not adopted.  Accepts NULL. */
void blob_writer_free(struct blob_writer **w);

/* Where a large blob lies, for sendfile; false when it is inline or absent. */
bool blob_file_path(struct cx *cx, struct blobs *blobs, struct str hash, struct str *ret_path);

#endif
