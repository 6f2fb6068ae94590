-- store_bench.sql - the rows of a new ticket, as the program writes them: ids and numbers come back from the database.

-- @row bench_counter_row(event_seq int, ticket_number int)
-- @one bench_counter(account_id int) -> bench_counter_row
UPDATE account_counter SET event_seq = event_seq + 2, ticket_number = ticket_number + 1 WHERE account_id = :account_id
RETURNING event_seq, ticket_number;

-- @row bench_id_row(id int)
-- @one bench_ticket(account_id int, number int, now int) -> bench_id_row
INSERT INTO ticket (account_id, number, subject, status, priority, type, channel, requester_id, unresolved, spam, preview,
    message_count, created_us, updated_us, activity_us, customer_us, reopened_count, fields, version)
VALUES (:account_id, :number, 'Bare ticket', 'new', 'normal', 'question', 'api', 1, 1, 0, 'Body',
    1, :now, :now, :now, :now, 0, '{}', 1) RETURNING id;

-- @exec bench_count(account_id int)
INSERT INTO ticket_count (account_id, status, team_id, assignee_id, n) VALUES (:account_id, 'new', 0, 0, 1)
ON CONFLICT (account_id, status, team_id, assignee_id) DO UPDATE SET n = ticket_count.n + 1;

-- @one bench_message(account_id int, ticket_id int, body text, now int) -> bench_id_row
INSERT INTO message (account_id, ticket_id, visibility, author_kind, author_id, channel, automatic, subject, body_text,
    addresses, delivery, delivery_detail, created_us, version)
VALUES (:account_id, :ticket_id, 'public', 'contact', 1, 'api', 0, '', :body, '{}', 'none', '', :now, 1) RETURNING id;

-- @exec bench_event(account_id int, seq int, type text, ticket_id int, subject_id int, now int)
INSERT INTO event (account_id, seq, at_us, type, ticket_id, subject_id, actor, data)
VALUES (:account_id, :seq, :now, :type, :ticket_id, :subject_id, 'token', '{}');

-- @exec bench_account(account_id int)
INSERT INTO account_counter (account_id, event_seq, ticket_number) VALUES (:account_id, 0, 0) ON CONFLICT DO NOTHING;
