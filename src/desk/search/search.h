/*
 * search.h - every message, note, subject, contact, tag and text attachment, at once.
 *
 * A consumer of the journal keeps the index: SQLite FTS5 in its own file
 * DIR/search.db, PostgreSQL a tsvector table.  It can be deleted and is
 * rebuilt from the database.  Results are filtered by what the user may see.
 */
#ifndef CAIRN_SEARCH_H
#define CAIRN_SEARCH_H

#include "desk/tickets/tickets.h"

extern const struct route_table search_routes;

struct search;
/* sqlite_path: of search.db; ignored on PostgreSQL. */
enum err_code search_open(struct cx *cx, struct store *store, struct blobs *blobs, const char *sqlite_path, struct search **ret) MUST_CHECK;
void search_close(struct search **search);
/* For journal_new; also used by tests with journal_run_once. */
struct consumer search_consumer(struct search *search);
/* For the route handlers; before the server starts. */
void search_register(struct search *search);
/* Drops and rebuilds the index: `cairn check` and recovery. */
enum err_code search_rebuild(struct cx *cx, struct search *search) MUST_CHECK;
enum err_code search_lag(struct cx *cx, struct search *search, int64_t *ret_events) MUST_CHECK;

#endif
