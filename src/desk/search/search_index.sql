-- search_index.sql - the index itself: DIR/search.db on SQLite, the same database on PostgreSQL.

-- @row index_seq_row(seq int)

-- @exec index_cursor_make(account_id int)
INSERT INTO search_cursor (account_id, seq) VALUES (:account_id, 0) ON CONFLICT (account_id) DO NOTHING;

-- @one index_cursor(account_id int) -> index_seq_row
SELECT seq FROM search_cursor WHERE account_id = :account_id;

-- Moves only from where the batch was read: another node that was faster makes this change nothing.
-- @exec index_cursor_move(account_id int, seen int, seq int)
UPDATE search_cursor SET seq = :seq WHERE account_id = :account_id AND seq = :seen;

-- @exec index_cursors_reset() @all_accounts
DELETE FROM search_cursor;

-- @exec index_docs_reset() @all_accounts
-- @sqlite
DELETE FROM search_doc
-- @postgres
TRUNCATE search_doc
-- @both
;

-- Triggers keep the full-text table in step (schema/search).
-- @exec index_put(account_id int, scope text, kind text, ref_id int, at_us int, title text, author text, recipients text, body text)
-- @sqlite
INSERT INTO search_doc (account_id, scope, kind, ref_id, at_us, title, author, recipients, body)
VALUES (:account_id, :scope, :kind, :ref_id, :at_us, :title, :author, :recipients, :body)
ON CONFLICT (account_id, kind, ref_id) DO UPDATE
   SET scope = excluded.scope, at_us = excluded.at_us, title = excluded.title, author = excluded.author,
       recipients = excluded.recipients, body = excluded.body
-- @postgres
INSERT INTO search_doc (account_id, scope, kind, ref_id, at_us, title, author, recipients, body, words)
VALUES (:account_id, :scope, :kind, :ref_id, :at_us, :title, :author, :recipients, :body,
        setweight(to_tsvector('simple', :title), 'A') || setweight(to_tsvector('simple', :author), 'B') ||
        setweight(to_tsvector('simple', :recipients), 'C') || to_tsvector('simple', :body))
ON CONFLICT (account_id, kind, ref_id) DO UPDATE
   SET scope = excluded.scope, at_us = excluded.at_us, title = excluded.title, author = excluded.author,
       recipients = excluded.recipients, body = excluded.body, words = excluded.words
-- @both
;

-- @row index_hit_row(id int, kind text, ref_id int, at_us int, title text, author text, body text)

-- The newest matches first, so that a word in every message costs no more than a rare one.
-- @many index_match(account_id int, query text, before_id ref, limit int) -> index_hit_row
-- @sqlite
SELECT d.id, d.kind, d.ref_id, d.at_us, d.title, d.author, d.body
  FROM search_words w JOIN search_doc d ON d.id = w.rowid
 WHERE search_words MATCH :query AND d.account_id = :account_id
   AND w.rowid < :before_id -- @if before_id
 ORDER BY w.rowid DESC
 LIMIT :limit
-- @postgres
SELECT id, kind, ref_id, at_us, title, author, body
  FROM search_doc
 WHERE account_id = :account_id AND words @@ to_tsquery('simple', :query)
   AND id < :before_id -- @if before_id
 ORDER BY id DESC
 LIMIT :limit
-- @both
;
