-- blob.sql - small contents; large ones are files.

-- @row blob_row(size_bytes int, data bytes)

-- @exec blob_insert(hash text, size_bytes int, data bytes) @all_accounts
INSERT INTO blob (hash, size_bytes, data) VALUES (:hash, :size_bytes, :data)
ON CONFLICT (hash) DO NOTHING;

-- @one blob_find(hash text) -> blob_row @all_accounts
SELECT size_bytes, data FROM blob WHERE hash = :hash;
