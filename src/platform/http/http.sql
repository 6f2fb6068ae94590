-- http.sql - replies kept for Idempotency-Key.

-- @row idempotency_row(request_hash text, status int, body text, created_us int)

-- The row is claimed before the handler runs: a second request with the key waits for the first one's commit.
-- @exec idempotency_claim(account_id int, user_id int, key text, request_hash text, now int)
INSERT INTO idempotency (account_id, user_id, key, request_hash, status, body, created_us)
VALUES (:account_id, :user_id, :key, :request_hash, 0, '', :now)
ON CONFLICT (account_id, user_id, key) DO NOTHING;

-- @one idempotency_find(account_id int, user_id int, key text) -> idempotency_row
SELECT request_hash, status, body, created_us FROM idempotency
WHERE account_id = :account_id AND user_id = :user_id AND key = :key;

-- @exec idempotency_reply(account_id int, user_id int, key text, status int, body text)
UPDATE idempotency SET status = :status, body = :body
WHERE account_id = :account_id AND user_id = :user_id AND key = :key;

-- @exec idempotency_forget(account_id int, user_id int, key text)
DELETE FROM idempotency WHERE account_id = :account_id AND user_id = :user_id AND key = :key;

-- @exec idempotency_expire(before int) @all_accounts
DELETE FROM idempotency WHERE created_us < :before;
