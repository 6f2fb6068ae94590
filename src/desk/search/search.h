/*
 * search.h - every message, note, subject, contact, tag and text attachment, at once.
 *
 * A reader of the journal with a thread of its own keeps the index: SQLite
 * FTS5 in a file of its own (DIR/search.db), PostgreSQL a tsvector table.  It
 * runs a fraction of a second behind, can be deleted, and is then rebuilt from
 * the database.  Results are filtered by what the user may see.
 *
 * Owns search_doc and search_cursor in the index; reads the tables of tickets
 * and contacts.  Emits nothing.
 */
#ifndef CAIRN_SEARCH_H
#define CAIRN_SEARCH_H

#include "desk/tickets/tickets.h"
#include "platform/blob/blob.h"

extern const struct route_table search_routes;

struct search;
/* sqlite_path: of search.db; ignored on PostgreSQL, where the index lies in the same database.  Migrates the index;
 * a damaged or foreign index file is removed and made anew. */
enum err_code search_open(struct cx *cx, struct store *store, struct blobs *blobs, const char *sqlite_path, struct search **ret) MUST_CHECK;
/* Follows the journal until search_close; without it only search_run_once indexes. */
void search_start(struct search *search);
void search_close(struct search **search);
/* For the route handlers; before the server starts. */
void search_register(struct search *search);
/* Indexes what is waiting, in this thread; *ret_events counts. */
enum err_code search_run_once(struct cx *cx, struct search *search, size_t *ret_events) MUST_CHECK;
/* Empties the index and reads the whole journal again: `cairn check` and recovery. */
enum err_code search_rebuild(struct cx *cx, struct search *search) MUST_CHECK;
/* Events that the index is behind, over all accounts. */
enum err_code search_lag(struct cx *cx, struct search *search, int64_t *ret_events) MUST_CHECK;

#endif
