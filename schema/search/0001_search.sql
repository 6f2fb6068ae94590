-- 0001_search.sql - the search index: a file of its own on SQLite, tables of the same database on PostgreSQL.
-- Texts are folded (platform/text): lower case, no marks, words separated by single spaces, CJK as pairs.

CREATE TABLE search_cursor (
    account_id @int NOT NULL PRIMARY KEY,
    seq @int NOT NULL                           -- last journal event that is in the index
);

CREATE TABLE search_doc (
    @tenant_id,                                 -- ids rise with time: the order of results
    scope @text NOT NULL,                       -- one word for the account, so that its documents can be matched alone
    kind @text NOT NULL,                        -- message, ticket, contact
    ref_id @int NOT NULL,                       -- id of the message, ticket or contact
    at_us @int NOT NULL,
    title @text NOT NULL,                       -- subject, or name of a contact
    author @text NOT NULL,                      -- name and address of the writer or requester
    recipients @text NOT NULL,
    body @text NOT NULL                         -- message text, attachment names and texts; tags and number of a ticket
);
CREATE UNIQUE INDEX search_doc_ref ON search_doc (account_id, kind, ref_id);

-- @sqlite
CREATE VIRTUAL TABLE search_words USING fts5(scope, title, author, recipients, body, content='search_doc', content_rowid='id',
    columnsize=0, prefix='2 3', tokenize='unicode61 remove_diacritics 0');
CREATE TRIGGER search_doc_added AFTER INSERT ON search_doc BEGIN
    INSERT INTO search_words (rowid, scope, title, author, recipients, body)
    VALUES (new.id, new.scope, new.title, new.author, new.recipients, new.body);
END;
CREATE TRIGGER search_doc_removed AFTER DELETE ON search_doc BEGIN
    INSERT INTO search_words (search_words, rowid, scope, title, author, recipients, body)
    VALUES ('delete', old.id, old.scope, old.title, old.author, old.recipients, old.body);
END;
CREATE TRIGGER search_doc_changed AFTER UPDATE ON search_doc BEGIN
    INSERT INTO search_words (search_words, rowid, scope, title, author, recipients, body)
    VALUES ('delete', old.id, old.scope, old.title, old.author, old.recipients, old.body);
    INSERT INTO search_words (rowid, scope, title, author, recipients, body)
    VALUES (new.id, new.scope, new.title, new.author, new.recipients, new.body);
END;
-- @postgres
ALTER TABLE search_doc ADD COLUMN words TSVECTOR NOT NULL;
CREATE INDEX search_doc_words ON search_doc USING gin (words);
-- @both
