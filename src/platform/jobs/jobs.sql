-- jobs.sql - every statement of the job queue.

-- @row job_id_row(id int)

-- Finds the key taken: nothing is inserted.
-- @many job_insert(account_id int, kind text, key text, payload text, run_at_us int, max_attempts int, now int) -> job_id_row
INSERT INTO job (account_id, kind, key, payload, state, run_at_us, attempt, max_attempts, lease_until_us, lease_owner,
                 last_error, created_us, updated_us)
VALUES (:account_id, :kind, :key, :payload, 'waiting', :run_at_us, 0, :max_attempts, 0, '', '', :now, :now)
ON CONFLICT (account_id, kind, key) WHERE key <> '' AND state IN ('waiting', 'running') DO NOTHING
RETURNING id;

-- @one job_by_key(account_id int, kind text, key text) -> job_id_row
SELECT id FROM job WHERE account_id = :account_id AND kind = :kind AND key = :key AND state IN ('waiting', 'running');

-- @many job_alive(account_id int, id int) -> job_id_row
SELECT id FROM job WHERE account_id = :account_id AND id = :id AND state IN ('waiting', 'running');

-- @exec job_cancel(account_id int, id int, now int)
UPDATE job SET state = 'cancelled', updated_us = :now WHERE account_id = :account_id AND id = :id AND state = 'waiting';

-- @row job_row(id int, account_id int, kind text, key text, payload text, run_at_us int, attempt int, max_attempts int,
--              last_error text)

-- Due jobs, and running ones whose lease has ended because their worker died.
-- @many job_claim(kind text, now int, lease_until_us int, lease_owner text, limit int) -> job_row @all_accounts
UPDATE job SET state = 'running', attempt = attempt + 1, lease_until_us = :lease_until_us, lease_owner = :lease_owner, updated_us = :now
 WHERE (account_id, id) IN (SELECT account_id, id FROM job
               WHERE kind = :kind
                 AND ((state = 'waiting' AND run_at_us <= :now) OR (state = 'running' AND lease_until_us <= :now))
               ORDER BY run_at_us, id LIMIT :limit
-- @postgres
               FOR UPDATE SKIP LOCKED
-- @both
             )
RETURNING id, account_id, kind, key, payload, run_at_us, attempt, max_attempts, last_error;

-- The owner and the attempt guard against a worker whose lease has been taken over.
-- @exec job_finish(account_id int, id int, lease_owner text, attempt int, state text, run_at_us int, last_error text, now int)
UPDATE job SET state = :state, run_at_us = :run_at_us, last_error = :last_error, lease_until_us = 0, lease_owner = '', updated_us = :now
 WHERE account_id = :account_id AND id = :id AND state = 'running' AND lease_owner = :lease_owner AND attempt = :attempt;

-- @exec job_forget(account_id int, id int, lease_owner text, attempt int)
DELETE FROM job
 WHERE account_id = :account_id AND id = :id AND state = 'running' AND lease_owner = :lease_owner AND attempt = :attempt;

-- @exec job_renew(lease_owner text, now int, lease_until_us int, id int, account_id int)
UPDATE job SET lease_until_us = :lease_until_us, updated_us = :now
 WHERE account_id = :account_id AND id = :id AND state = 'running' AND lease_owner = :lease_owner;

-- @row job_due_row(run_at_us int)

-- When the next job of a kind is due, or its lease ends.
-- @one job_next_due(kind text) -> job_due_row @all_accounts
SELECT COALESCE(MIN(CASE WHEN state = 'waiting' THEN run_at_us ELSE lease_until_us END), 0)
  FROM job WHERE kind = :kind AND state IN ('waiting', 'running');

-- @many job_dead_list(account_id int, before_id ref, limit int) -> job_row
SELECT id, account_id, kind, key, payload, run_at_us, attempt, max_attempts, last_error
  FROM job
 WHERE account_id = :account_id AND state = 'dead'
   AND id < :before_id -- @if before_id
 ORDER BY id DESC
 LIMIT :limit;

-- @exec job_revive(account_id int, id int, now int)
UPDATE job SET state = 'waiting', run_at_us = :now, attempt = 0, last_error = '', updated_us = :now
 WHERE account_id = :account_id AND id = :id AND state = 'dead';

-- @row job_counts_row(state text, n int)

-- @many job_counts() -> job_counts_row @all_accounts
SELECT state, COUNT(*) FROM job WHERE state IN ('waiting', 'running', 'dead') GROUP BY state;
