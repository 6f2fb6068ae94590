-- check.sql - what `cairn check` looks at: blobs and what refers to them.

-- @row check_blob_row(hash text, size_bytes int, in_file bool)

-- Blobs after a hash, in order.
-- @many check_blobs(after text, limit int) -> check_blob_row @all_accounts
SELECT hash, size_bytes, CASE WHEN data IS NULL THEN 1 ELSE 0 END AS in_file
FROM blob WHERE hash > :after ORDER BY hash LIMIT :limit;

-- @row check_count_row(n int)

-- Attachments whose content is nowhere.
-- @one check_lost_attachments() -> check_count_row @all_accounts
SELECT count(*) AS n FROM attachment a WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.hash = a.hash);

-- Mails whose raw message is nowhere; one that is not composed yet has none.
-- @one check_lost_mails() -> check_count_row @all_accounts
SELECT count(*) AS n FROM mail m
WHERE m.raw_hash <> '' AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.hash = m.raw_hash);

-- Events beside the gap-free sequence of their account.
-- @one check_event_gaps() -> check_count_row @all_accounts
SELECT count(*) AS n FROM account_counter c
WHERE c.event_seq <> (SELECT count(*) FROM event e WHERE e.account_id = c.account_id);
