-- store.sql - the store's own book-keeping.

-- @exec migration_table_make() @all_accounts
CREATE TABLE IF NOT EXISTS schema_migration (
    series TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    applied_us BIGINT NOT NULL,
    PRIMARY KEY (series, number)
);

-- @row migration_table_row(n int)
-- @one migration_table_count() -> migration_table_row @all_accounts
-- @sqlite
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration';
-- @postgres
SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migration';
-- @both

-- @row migration_row(number int, name text, hash text)
-- @many migration_list(series text) -> migration_row @all_accounts
SELECT number, name, hash FROM schema_migration WHERE series = :series ORDER BY number;

-- @exec migration_add(series text, number int, name text, hash text, now int) @all_accounts
INSERT INTO schema_migration (series, number, name, hash, applied_us) VALUES (:series, :number, :name, :hash, :now);

-- @row finding_row(text text)
-- @many integrity_findings() -> finding_row @all_accounts
-- @sqlite
SELECT integrity_check AS text FROM pragma_integrity_check WHERE integrity_check <> 'ok';
-- @postgres
SELECT 'index ' || c.relname::text || ' is not valid' AS text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid ORDER BY 1;
-- @both
