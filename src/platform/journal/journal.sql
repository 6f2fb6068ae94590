-- journal.sql - every statement of the journal.

-- A new account starts with nothing given out.
-- @exec journal_counter_make(account_id int)
INSERT INTO account_counter (account_id, event_seq, ticket_number) VALUES (:account_id, 0, 0);

-- @row journal_seq_row(seq int)
-- @row journal_next_row(event_seq int, ticket_number int)

-- One row for each account; the update locks it until the unit commits, so that sequences commit in order.
-- @one journal_next(account_id int, events int, numbers int) -> journal_next_row
UPDATE account_counter SET event_seq = event_seq + :events, ticket_number = ticket_number + :numbers
 WHERE account_id = :account_id
RETURNING event_seq, ticket_number;

-- @exec journal_insert(account_id int, seq int, at_us int, type text, ticket_id ref, team_id ref, assignee_id ref,
--                      subject_id ref, actor_id ref, actor text, data text)
INSERT INTO event (account_id, seq, at_us, type, ticket_id, team_id, assignee_id, subject_id, actor_id, actor, data)
VALUES (:account_id, :seq, :at_us, :type, :ticket_id, :team_id, :assignee_id, :subject_id, :actor_id, :actor, :data);

-- @row event_row(seq int, at_us int, type text, ticket_id ref, team_id ref, assignee_id ref, subject_id ref,
--                actor_id ref, actor text, data text)

-- @many journal_after(account_id int, after int, limit int) -> event_row
SELECT seq, at_us, type, ticket_id, team_id, assignee_id, subject_id, actor_id, actor, data
  FROM event
 WHERE account_id = :account_id AND seq > :after
 ORDER BY seq
 LIMIT :limit;

-- @one journal_head_seq(account_id int) -> journal_seq_row
SELECT event_seq FROM account_counter WHERE account_id = :account_id;

-- @row journal_work_row(account_id int, head int, seq int, retry_us int)

-- Accounts in which a consumer is behind.
-- @many journal_behind(consumer text, now int) -> journal_work_row @all_accounts
SELECT a.account_id, a.event_seq, COALESCE(c.seq, 0), COALESCE(c.retry_us, 0)
  FROM account_counter a
  LEFT JOIN consumer_cursor c ON c.account_id = a.account_id AND c.consumer = :consumer
 WHERE a.event_seq > COALESCE(c.seq, 0) AND COALESCE(c.retry_us, 0) <= :now
 ORDER BY a.account_id;

-- @exec journal_cursor_make(account_id int, consumer text)
INSERT INTO consumer_cursor (account_id, consumer, seq, failures, retry_us, last_error)
VALUES (:account_id, :consumer, 0, 0, 0, '')
ON CONFLICT (account_id, consumer) DO NOTHING;

-- @row journal_cursor_row(seq int, failures int)

-- On PostgreSQL another node that holds the cursor makes this one find nothing.
-- @many journal_cursor_take(account_id int, consumer text) -> journal_cursor_row
SELECT seq, failures FROM consumer_cursor
 WHERE account_id = :account_id AND consumer = :consumer
-- @postgres
   FOR UPDATE SKIP LOCKED
-- @both
;

-- @exec journal_cursor_move(account_id int, consumer text, seq int)
UPDATE consumer_cursor SET seq = :seq, failures = 0, retry_us = 0, last_error = ''
 WHERE account_id = :account_id AND consumer = :consumer;

-- @exec journal_cursor_failed(account_id int, consumer text, retry_us int, last_error text)
UPDATE consumer_cursor SET failures = failures + 1, retry_us = :retry_us, last_error = :last_error
 WHERE account_id = :account_id AND consumer = :consumer;

-- @exec journal_cursor_forget(account_id int, consumer text)
DELETE FROM consumer_cursor WHERE account_id = :account_id AND consumer = :consumer;

-- @row journal_lag_row(behind int)

-- @one journal_lag_of(consumer text) -> journal_lag_row @all_accounts
SELECT COALESCE(MAX(a.event_seq - COALESCE(c.seq, 0)), 0)
  FROM account_counter a
  LEFT JOIN consumer_cursor c ON c.account_id = a.account_id AND c.consumer = :consumer;
