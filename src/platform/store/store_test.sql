-- store_test.sql - statements for the store's own tests, on tables that exist anyway.

-- @exec probe_put(key text, n int) @all_accounts
INSERT INTO login_throttle (key, failures, last_failure_us, locked_until_us) VALUES (:key, :n, 0, 0);

-- @exec probe_add(key text, n int) @all_accounts
UPDATE login_throttle SET failures = failures + :n WHERE key = :key;

-- @row probe_row(key text, n int)
-- @one probe_get(key text) -> probe_row @all_accounts
SELECT key, failures AS n FROM login_throttle WHERE key = :key;

-- @many probe_list(key text?, least int, limit int) -> probe_row @all_accounts
SELECT key, failures AS n FROM login_throttle
WHERE locked_until_us = 0
  AND key = :key            -- @if key
  AND failures >= :least    -- @if least
ORDER BY key
LIMIT :limit;

-- @row probe_count_row(n int, total int)
-- @one probe_count() -> probe_count_row @all_accounts
SELECT count(*) AS n, CAST(coalesce(sum(failures), 0) AS BIGINT) AS total FROM login_throttle;

-- @row probe_id_row(id int)
-- @one probe_team(account_id int, name text, now int) -> probe_id_row
INSERT INTO team (account_id, name, description, archived, created_us, updated_us, version)
VALUES (:account_id, :name, '', 0, :now, :now, 1) RETURNING id;

-- @exec probe_team_late(account_id int, name text, now int)
INSERT INTO team (account_id, name, description, archived, created_us, updated_us, version)
VALUES (:account_id, :name, '', 0, :now, :now, 1);

-- @row probe_values_row(i int, ref ref, b bool, t text, tn text?, x bytes, r real)
-- @one probe_values(i int, ref ref, b bool, t text, tn text?, x bytes, r real) -> probe_values_row @all_accounts
SELECT CAST(:i AS BIGINT) AS i, CAST(:ref AS BIGINT) AS ref, CAST(:b AS BIGINT) AS b, :t AS t, :tn AS tn, :x AS x, :r AS r;

-- @one probe_slow(n int) -> probe_count_row @all_accounts
WITH RECURSIVE c(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM c WHERE i < :n)
SELECT count(*) AS n, CAST(sum(i % 7) AS BIGINT) AS total FROM c;

-- @exec probe_broken(n int) @all_accounts
-- @sqlite
UPDATE login_throttle SET failures = NULL WHERE 1 = :n;
-- @postgres
UPDATE login_throttle SET failures = NULL WHERE CAST(1 AS BIGINT) = :n;
-- @both

-- What a database says about its tables, in words that both share.
-- @row schema_row(line text)
-- @many probe_schema_columns() -> schema_row @all_accounts
-- @sqlite
SELECT m.name || '.' || c.name || ' ' ||
       CASE upper(c.type) WHEN 'INTEGER' THEN 'int' WHEN 'BIGINT' THEN 'int' WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'bytes'
                          WHEN 'REAL' THEN 'real' ELSE c.type END ||
       CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END AS line
FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1;
-- @postgres
SELECT line FROM (SELECT c.table_name::text || '.' || c.column_name::text || ' ' ||
       CASE c.data_type WHEN 'bigint' THEN 'int' WHEN 'text' THEN 'text' WHEN 'bytea' THEN 'bytes'
                        WHEN 'double precision' THEN 'real' ELSE c.data_type::text END ||
       CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS line
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE') x ORDER BY line COLLATE "C";
-- @both

-- @many probe_schema_indexes() -> schema_row @all_accounts
-- @sqlite
SELECT i.name || ' on ' || m.name || CASE WHEN i."unique" = 1 THEN ' unique' ELSE '' END ||
       CASE WHEN i.partial = 1 THEN ' partial' ELSE '' END || ' (' ||
       (SELECT group_concat(k.name, ',') FROM (SELECT * FROM pragma_index_info(i.name) ORDER BY seqno) k) || ')' AS line
FROM sqlite_master m, pragma_index_list(m.name) i
WHERE m.type = 'table' AND i.origin = 'c' ORDER BY 1;
-- @postgres
SELECT line FROM (SELECT ic.relname::text || ' on ' || tc.relname::text || CASE WHEN i.indisunique THEN ' unique' ELSE '' END ||
       CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END || ' (' ||
       (SELECT string_agg(a.attname::text, ',' ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum) || ')' AS line
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class tc ON tc.oid = i.indrelid
JOIN pg_namespace s ON s.oid = tc.relnamespace
WHERE s.nspname = 'public' AND NOT i.indisprimary AND NOT EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = i.indexrelid)) x
ORDER BY line COLLATE "C";
-- @both

-- Cutting connections: PostgreSQL only, the other side just has the same shape.
-- @row probe_cut_row(n int)
-- @one probe_cut_others() -> probe_cut_row @all_accounts
-- @sqlite
SELECT 0 AS n;
-- @postgres
SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
-- @both

-- @one probe_cut_own() -> probe_cut_row @all_accounts
-- @sqlite
SELECT 0 AS n;
-- @postgres
SELECT count(pg_terminate_backend(pg_backend_pid())) AS n;
-- @both
