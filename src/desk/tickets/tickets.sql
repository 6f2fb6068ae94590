-- tickets.sql - every statement of tickets, messages, tags, participants, counts and attachments.

-- @row tickets_flag_row(n int)

-- ---- tickets ----

-- @row ticket_row(id int, number int, subject text, status text, priority text, severity text?, type text, channel text,
--   team_id ref, assignee_id ref, requester_id int, mailbox_id ref, spam bool, merged_into ref, follow_up_of ref, preview text,
--   message_count int, created_us int, updated_us int, activity_us int, customer_us ref, agent_us ref, first_reply_us ref,
--   first_resolved_us ref, resolved_us ref, closed_us ref, reopened_count int, fields text, version int)

-- @one ticket_get(account_id int, id int, scope_user int) -> ticket_row
SELECT id, number, subject, status, priority, severity, type, channel, team_id, assignee_id, requester_id, mailbox_id, spam,
    merged_into, follow_up_of, preview, message_count, created_us, updated_us, activity_us, customer_us, agent_us,
    first_reply_us, first_resolved_us, resolved_us, closed_us, reopened_count, fields, version
FROM ticket
WHERE account_id = :account_id AND id = :id
AND (assignee_id = :scope_user OR team_id IN (SELECT m.team_id FROM team_member m WHERE m.account_id = :account_id AND m.user_id = :scope_user)) -- @if scope_user

-- The same, kept from changing until the unit ends (SQLite has one writer anyway).
-- @one ticket_lock(account_id int, id int, scope_user int) -> ticket_row
SELECT id, number, subject, status, priority, severity, type, channel, team_id, assignee_id, requester_id, mailbox_id, spam,
    merged_into, follow_up_of, preview, message_count, created_us, updated_us, activity_us, customer_us, agent_us,
    first_reply_us, first_resolved_us, resolved_us, closed_us, reopened_count, fields, version
FROM ticket
WHERE account_id = :account_id AND id = :id
AND (assignee_id = :scope_user OR team_id IN (SELECT m.team_id FROM team_member m WHERE m.account_id = :account_id AND m.user_id = :scope_user)) -- @if scope_user
-- @postgres
FOR UPDATE
-- @both

-- @one ticket_by_number(account_id int, number int, scope_user int) -> ticket_row
SELECT id, number, subject, status, priority, severity, type, channel, team_id, assignee_id, requester_id, mailbox_id, spam,
    merged_into, follow_up_of, preview, message_count, created_us, updated_us, activity_us, customer_us, agent_us,
    first_reply_us, first_resolved_us, resolved_us, closed_us, reopened_count, fields, version
FROM ticket
WHERE account_id = :account_id AND number = :number
AND (assignee_id = :scope_user OR team_id IN (SELECT m.team_id FROM team_member m WHERE m.account_id = :account_id AND m.user_id = :scope_user)) -- @if scope_user

-- How many there are, but not more than `limit`.
-- @one ticket_few_of_tag(account_id int, tag_id int, limit int) -> tickets_flag_row
SELECT count(*) AS n FROM (SELECT 1 FROM ticket_tag WHERE account_id = :account_id AND tag_id = :tag_id LIMIT :limit) AS few

-- @one ticket_few_of_organization(account_id int, organization_id int, limit int) -> tickets_flag_row
SELECT count(*) AS n FROM (SELECT 1 FROM contact c CROSS JOIN ticket t
    WHERE c.account_id = :account_id AND c.organization_id = :organization_id AND t.account_id = c.account_id
    AND t.requester_id = c.id LIMIT :limit) AS few

-- Newest first.  The few tickets of a rare tag or small organization are found by it (CROSS JOIN: in this order); common ones
-- in the order of the list, until the page is full.
-- @many ticket_list_newest(account_id int, status text?, spam bool, team_id int, assignee_id int, unassigned bool, requester_id int,
--   organization_id int, few_of_organization int, tag_id int, few_of_tag int, priority text?, channel text?, mailbox_id int, updated_after int, scope_user int,
--   by_created bool, by_activity bool, created_end int, activity_end int, end_id int, limit int) -> ticket_row
SELECT t.id, t.number, t.subject, t.status, t.priority, t.severity, t.type, t.channel, t.team_id, t.assignee_id, t.requester_id,
    t.mailbox_id, t.spam, t.merged_into, t.follow_up_of, t.preview, t.message_count, t.created_us, t.updated_us, t.activity_us,
    t.customer_us, t.agent_us, t.first_reply_us, t.first_resolved_us, t.resolved_us, t.closed_us, t.reopened_count, t.fields,
    t.version
FROM
ticket_tag ft CROSS JOIN -- @if few_of_tag
contact fc CROSS JOIN -- @if few_of_organization
ticket t
WHERE t.account_id = :account_id AND t.spam = :spam AND t.merged_into IS NULL
AND ft.account_id = :account_id AND ft.tag_id = :few_of_tag AND t.id = ft.ticket_id -- @if few_of_tag
AND fc.account_id = :account_id AND fc.organization_id = :few_of_organization AND t.requester_id = fc.id -- @if few_of_organization
AND t.status = :status -- @if status
AND t.team_id = :team_id -- @if team_id
AND t.assignee_id = :assignee_id -- @if assignee_id
AND t.assignee_id IS NULL -- @if unassigned
AND t.requester_id = :requester_id -- @if requester_id
AND t.requester_id IN (SELECT c.id FROM contact c WHERE c.account_id = :account_id AND c.organization_id = :organization_id) -- @if organization_id
AND EXISTS (SELECT 1 FROM ticket_tag x WHERE x.account_id = t.account_id AND x.ticket_id = t.id AND x.tag_id = :tag_id) -- @if tag_id
AND t.priority = :priority -- @if priority
AND t.channel = :channel -- @if channel
AND t.mailbox_id = :mailbox_id -- @if mailbox_id
AND t.updated_us > :updated_after -- @if updated_after
AND (t.assignee_id = :scope_user OR t.team_id IN (SELECT m.team_id FROM team_member m WHERE m.account_id = :account_id AND m.user_id = :scope_user)) -- @if scope_user
AND (t.created_us, t.id) < (:created_end, :end_id) -- @if created_end
AND (t.activity_us, t.id) < (:activity_end, :end_id) -- @if activity_end
ORDER BY
t.created_us DESC, -- @if by_created
t.activity_us DESC, -- @if by_activity
t.id DESC
LIMIT :limit

-- @many ticket_list_oldest(account_id int, status text?, spam bool, team_id int, assignee_id int, unassigned bool, requester_id int,
--   organization_id int, few_of_organization int, tag_id int, few_of_tag int, priority text?, channel text?, mailbox_id int, updated_after int, scope_user int,
--   by_created bool, by_activity bool, created_end int, activity_end int, end_id int, limit int) -> ticket_row
SELECT t.id, t.number, t.subject, t.status, t.priority, t.severity, t.type, t.channel, t.team_id, t.assignee_id, t.requester_id,
    t.mailbox_id, t.spam, t.merged_into, t.follow_up_of, t.preview, t.message_count, t.created_us, t.updated_us, t.activity_us,
    t.customer_us, t.agent_us, t.first_reply_us, t.first_resolved_us, t.resolved_us, t.closed_us, t.reopened_count, t.fields,
    t.version
FROM
ticket_tag ft CROSS JOIN -- @if few_of_tag
contact fc CROSS JOIN -- @if few_of_organization
ticket t
WHERE t.account_id = :account_id AND t.spam = :spam AND t.merged_into IS NULL
AND ft.account_id = :account_id AND ft.tag_id = :few_of_tag AND t.id = ft.ticket_id -- @if few_of_tag
AND fc.account_id = :account_id AND fc.organization_id = :few_of_organization AND t.requester_id = fc.id -- @if few_of_organization
AND t.status = :status -- @if status
AND t.team_id = :team_id -- @if team_id
AND t.assignee_id = :assignee_id -- @if assignee_id
AND t.assignee_id IS NULL -- @if unassigned
AND t.requester_id = :requester_id -- @if requester_id
AND t.requester_id IN (SELECT c.id FROM contact c WHERE c.account_id = :account_id AND c.organization_id = :organization_id) -- @if organization_id
AND EXISTS (SELECT 1 FROM ticket_tag x WHERE x.account_id = t.account_id AND x.ticket_id = t.id AND x.tag_id = :tag_id) -- @if tag_id
AND t.priority = :priority -- @if priority
AND t.channel = :channel -- @if channel
AND t.mailbox_id = :mailbox_id -- @if mailbox_id
AND t.updated_us > :updated_after -- @if updated_after
AND (t.assignee_id = :scope_user OR t.team_id IN (SELECT m.team_id FROM team_member m WHERE m.account_id = :account_id AND m.user_id = :scope_user)) -- @if scope_user
AND (t.created_us, t.id) > (:created_end, :end_id) -- @if created_end
AND (t.activity_us, t.id) > (:activity_end, :end_id) -- @if activity_end
ORDER BY
t.created_us, -- @if by_created
t.activity_us, -- @if by_activity
t.id
LIMIT :limit

-- @row ticket_mailbox_row(id int, name text, address text)

-- @many ticket_mailbox_list(account_id int) -> ticket_mailbox_row
SELECT id, name, address FROM mailbox WHERE account_id = :account_id

-- @row tickets_id_row(id int)

-- @one ticket_insert(account_id int, number int, subject text, status text, priority text, severity text?, type text, channel text,
--   team_id ref, assignee_id ref, requester_id int, mailbox_id ref, unresolved bool, spam bool, follow_up_of ref, preview text,
--   created_us int, updated_us int, activity_us int, customer_us ref, agent_us ref, first_reply_us ref, resolved_us ref,
--   closed_us ref, fields text) -> tickets_id_row
INSERT INTO ticket (account_id, number, subject, status, priority, severity, type, channel, team_id, assignee_id, requester_id,
    mailbox_id, unresolved, spam, follow_up_of, preview, message_count, created_us, updated_us, activity_us, customer_us,
    agent_us, first_reply_us, first_resolved_us, resolved_us, closed_us, reopened_count, fields, version)
VALUES (:account_id, :number, :subject, :status, :priority, :severity, :type, :channel, :team_id, :assignee_id, :requester_id,
    :mailbox_id, :unresolved, :spam, :follow_up_of, :preview, 1, :created_us, :updated_us, :activity_us, :customer_us,
    :agent_us, :first_reply_us, :resolved_us, :resolved_us, :closed_us, 0, :fields, 1)
RETURNING id

-- What a message changes.
-- @exec ticket_update_activity(account_id int, id int, status text, unresolved bool, preview text, message_count int,
--   updated_us int, activity_us int, customer_us ref, agent_us ref, first_reply_us ref, first_resolved_us ref, resolved_us ref,
--   closed_us ref, reopened_count int, version int)
UPDATE ticket SET status = :status, unresolved = :unresolved, preview = :preview, message_count = :message_count,
    updated_us = :updated_us, activity_us = :activity_us, customer_us = :customer_us, agent_us = :agent_us,
    first_reply_us = :first_reply_us, first_resolved_us = :first_resolved_us, resolved_us = :resolved_us,
    closed_us = :closed_us, reopened_count = :reopened_count, version = :version
WHERE account_id = :account_id AND id = :id

-- What people change.
-- @exec ticket_update_fields(account_id int, id int, subject text, priority text, severity text?, type text, team_id ref,
--   assignee_id ref, requester_id int, mailbox_id ref, spam bool, merged_into ref, fields text)
UPDATE ticket SET subject = :subject, priority = :priority, severity = :severity, type = :type, team_id = :team_id,
    assignee_id = :assignee_id, requester_id = :requester_id, mailbox_id = :mailbox_id, spam = :spam,
    merged_into = :merged_into, fields = :fields
WHERE account_id = :account_id AND id = :id

-- @many ticket_ids_of_requester(account_id int, requester_id int) -> tickets_id_row
SELECT id FROM ticket WHERE account_id = :account_id AND requester_id = :requester_id ORDER BY id

-- Merged tickets point to the last one of a chain.
-- @exec ticket_repoint_merged(account_id int, from_id int, into_id int)
UPDATE ticket SET merged_into = :into_id WHERE account_id = :account_id AND merged_into = :from_id

-- ---- numbers for the views ----

-- @exec ticket_count_add(account_id int, status text, team_id int, assignee_id int, delta int)
INSERT INTO ticket_count (account_id, status, team_id, assignee_id, n)
VALUES (:account_id, :status, :team_id, :assignee_id, :delta)
ON CONFLICT (account_id, status, team_id, assignee_id) DO UPDATE SET n = ticket_count.n + excluded.n

-- @row ticket_sum_row(status text, team_id int, n int, mine int, unassigned int)

-- @many ticket_count_sums(account_id int, user_id int, scope_user int) -> ticket_sum_row
SELECT status, team_id, CAST(sum(n) AS BIGINT) AS n, CAST(sum(CASE WHEN assignee_id = :user_id THEN n ELSE 0 END) AS BIGINT) AS mine,
    CAST(sum(CASE WHEN assignee_id = 0 THEN n ELSE 0 END) AS BIGINT) AS unassigned
FROM ticket_count
WHERE account_id = :account_id
AND (assignee_id = :scope_user OR team_id IN (SELECT m.team_id FROM team_member m WHERE m.account_id = :account_id AND m.user_id = :scope_user)) -- @if scope_user
GROUP BY status, team_id

-- @row ticket_count_row(status text, team_id int, assignee_id int, n int)

-- @many ticket_count_list(account_id int) -> ticket_count_row
SELECT status, team_id, assignee_id, n FROM ticket_count WHERE account_id = :account_id AND n <> 0

-- For the check that the numbers are right.
-- @many ticket_count_again(account_id int) -> ticket_count_row
SELECT CASE WHEN spam = 1 THEN 'spam' ELSE status END AS counted_as, coalesce(team_id, 0), coalesce(assignee_id, 0), count(*)
FROM ticket WHERE account_id = :account_id AND merged_into IS NULL
GROUP BY 1, 2, 3

-- ---- participants ----

-- @row participant_row(ticket_id int, contact_id int, role text)

-- @many participant_list(account_id int, ticket_id int) -> participant_row
SELECT ticket_id, contact_id, role FROM ticket_participant
WHERE account_id = :account_id AND ticket_id = :ticket_id ORDER BY added_us, contact_id

-- @exec participant_put(account_id int, ticket_id int, contact_id int, role text, now int)
INSERT INTO ticket_participant (account_id, ticket_id, contact_id, role, added_us)
VALUES (:account_id, :ticket_id, :contact_id, :role, :now)
ON CONFLICT (account_id, ticket_id, contact_id) DO UPDATE SET role = excluded.role

-- @exec participant_remove(account_id int, ticket_id int, contact_id int)
DELETE FROM ticket_participant WHERE account_id = :account_id AND ticket_id = :ticket_id
AND contact_id = :contact_id -- @if contact_id

-- @exec participant_copy(account_id int, from_ticket int, into_ticket int)
INSERT INTO ticket_participant (account_id, ticket_id, contact_id, role, added_us)
SELECT account_id, :into_ticket, contact_id, role, added_us FROM ticket_participant
WHERE account_id = :account_id AND ticket_id = :from_ticket ON CONFLICT DO NOTHING

-- @exec participant_copy_contact(account_id int, from_contact int, into_contact int)
INSERT INTO ticket_participant (account_id, ticket_id, contact_id, role, added_us)
SELECT account_id, ticket_id, :into_contact, role, added_us FROM ticket_participant
WHERE account_id = :account_id AND contact_id = :from_contact
AND ticket_id NOT IN (SELECT t.id FROM ticket t WHERE t.account_id = :account_id AND t.requester_id = :into_contact)
ON CONFLICT DO NOTHING

-- @exec participant_remove_contact(account_id int, contact_id int)
DELETE FROM ticket_participant WHERE account_id = :account_id AND contact_id = :contact_id

-- @one participant_is(account_id int, ticket_id int, contact_id int) -> tickets_flag_row
SELECT CASE WHEN EXISTS (SELECT 1 FROM ticket t WHERE t.account_id = :account_id AND t.id = :ticket_id AND t.requester_id = :contact_id)
    OR EXISTS (SELECT 1 FROM ticket_participant p WHERE p.account_id = :account_id AND p.ticket_id = :ticket_id AND p.contact_id = :contact_id)
    THEN 1 ELSE 0 END AS n

-- ---- messages ----

-- @row message_row(id int, ticket_id int, visibility text, author_kind text, author_id ref, channel text, automatic bool,
--   subject text, body_text text, body_html text?, quoted_text text?, quoted_html text?, addresses text, mail_id ref,
--   delivery text, delivery_detail text, send_at_us ref, created_us int, version int)

-- @one message_insert(account_id int, ticket_id int, visibility text, author_kind text, author_id ref, channel text,
--   automatic bool, subject text, body_text text, body_html text?, quoted_text text?, quoted_html text?, addresses text,
--   mail_id ref, delivery text, send_at_us ref, created_us int) -> tickets_id_row
INSERT INTO message (account_id, ticket_id, visibility, author_kind, author_id, channel, automatic, subject, body_text, body_html,
    quoted_text, quoted_html, addresses, mail_id, delivery, delivery_detail, send_at_us, created_us, version)
VALUES (:account_id, :ticket_id, :visibility, :author_kind, :author_id, :channel, :automatic, :subject, :body_text, :body_html,
    :quoted_text, :quoted_html, :addresses, :mail_id, :delivery, '', :send_at_us, :created_us, 1)
RETURNING id

-- @one message_get(account_id int, id int, scope_user int) -> message_row
SELECT m.id, m.ticket_id, m.visibility, m.author_kind, m.author_id, m.channel, m.automatic, m.subject, m.body_text, m.body_html,
    m.quoted_text, m.quoted_html, m.addresses, m.mail_id, m.delivery, m.delivery_detail, m.send_at_us, m.created_us, m.version
FROM message m JOIN ticket t ON t.account_id = m.account_id AND t.id = m.ticket_id
WHERE m.account_id = :account_id AND m.id = :id
AND (t.assignee_id = :scope_user OR t.team_id IN (SELECT x.team_id FROM team_member x WHERE x.account_id = :account_id AND x.user_id = :scope_user)) -- @if scope_user

-- Newest first.
-- @many message_list(account_id int, ticket_id int, before_id int, after_id int, public_only bool, limit int) -> message_row
SELECT id, ticket_id, visibility, author_kind, author_id, channel, automatic, subject, body_text, body_html, quoted_text,
    quoted_html, addresses, mail_id, delivery, delivery_detail, send_at_us, created_us, version
FROM message
WHERE account_id = :account_id AND ticket_id = :ticket_id
AND id < :before_id -- @if before_id
AND id > :after_id -- @if after_id
AND visibility = 'public' -- @if public_only
ORDER BY id DESC LIMIT :limit

-- @exec message_set_delivery(account_id int, id int, delivery text, detail text)
UPDATE message SET delivery = :delivery, delivery_detail = :detail, version = version + 1
WHERE account_id = :account_id AND id = :id

-- After contacts were merged and their tickets moved.
-- @exec message_move_author(account_id int, from_contact int, into_contact int)
UPDATE message SET author_id = :into_contact
WHERE account_id = :account_id AND author_kind = 'contact' AND author_id = :from_contact
AND ticket_id IN (SELECT t.id FROM ticket t WHERE t.account_id = :account_id AND t.requester_id = :into_contact
    UNION SELECT p.ticket_id FROM ticket_participant p WHERE p.account_id = :account_id AND p.contact_id = :into_contact)

-- @exec message_move(account_id int, from_ticket int, into_ticket int)
UPDATE message SET ticket_id = :into_ticket WHERE account_id = :account_id AND ticket_id = :from_ticket

-- @row ticket_times_row(customer_us ref, agent_us ref, first_reply_us ref, first_customer_us ref, message_count int)

-- The clocks of a ticket from its messages: after a merge, or after a reply was taken back.
-- @one ticket_times(account_id int, ticket_id int) -> ticket_times_row
SELECT max(CASE WHEN author_kind = 'contact' AND automatic = 0 THEN created_us END) AS customer_us,
    max(CASE WHEN author_kind = 'user' AND visibility = 'public' AND automatic = 0 AND delivery <> 'cancelled' THEN created_us END) AS agent_us,
    min(CASE WHEN author_kind = 'user' AND visibility = 'public' AND automatic = 0 AND delivery <> 'cancelled'
        AND id > (SELECT coalesce(min(f.id), 9223372036854775807) FROM message f WHERE f.account_id = :account_id AND f.ticket_id = :ticket_id
            AND f.author_kind = 'contact' AND f.automatic = 0) THEN created_us END) AS first_reply_us,
    min(CASE WHEN author_kind = 'contact' AND automatic = 0 THEN created_us END) AS first_customer_us,
    count(*) AS message_count
FROM message WHERE account_id = :account_id AND ticket_id = :ticket_id

-- ---- tags ----

-- @row tag_row(id int, name text, name_folded text, uses int)

-- @many tag_list(account_id int, pattern text?, after text?, limit int) -> tag_row
SELECT t.id, t.name, t.name_folded,
    (SELECT count(*) FROM ticket_tag x WHERE x.account_id = t.account_id AND x.tag_id = t.id) AS uses
FROM tag t WHERE t.account_id = :account_id
AND t.name_folded LIKE :pattern ESCAPE '!' -- @if pattern
AND t.name_folded > :after -- @if after
ORDER BY t.name_folded LIMIT :limit

-- @one tag_get(account_id int, id int) -> tag_row
SELECT t.id, t.name, t.name_folded,
    (SELECT count(*) FROM ticket_tag x WHERE x.account_id = t.account_id AND x.tag_id = t.id) AS uses
FROM tag t WHERE t.account_id = :account_id AND t.id = :id

-- @one tag_by_name(account_id int, name_folded text) -> tag_row
SELECT id, name, name_folded, 0 AS uses FROM tag WHERE account_id = :account_id AND name_folded = :name_folded

-- @exec tag_insert(account_id int, name text, name_folded text, now int)
INSERT INTO tag (account_id, name, name_folded, created_us) VALUES (:account_id, :name, :name_folded, :now) ON CONFLICT DO NOTHING

-- @exec tag_rename(account_id int, id int, name text, name_folded text)
UPDATE tag SET name = :name, name_folded = :name_folded WHERE account_id = :account_id AND id = :id

-- @exec tag_delete(account_id int, id int)
DELETE FROM tag WHERE account_id = :account_id AND id = :id

-- @exec ticket_tag_delete_tag(account_id int, tag_id int)
DELETE FROM ticket_tag WHERE account_id = :account_id AND tag_id = :tag_id

-- @exec ticket_tag_add(account_id int, ticket_id int, tag_id int)
INSERT INTO ticket_tag (account_id, ticket_id, tag_id) VALUES (:account_id, :ticket_id, :tag_id) ON CONFLICT DO NOTHING

-- @exec ticket_tag_remove(account_id int, ticket_id int, tag_id int)
DELETE FROM ticket_tag WHERE account_id = :account_id AND ticket_id = :ticket_id AND tag_id = :tag_id

-- @exec ticket_tag_copy(account_id int, from_ticket int, into_ticket int)
INSERT INTO ticket_tag (account_id, ticket_id, tag_id)
SELECT account_id, :into_ticket, tag_id FROM ticket_tag WHERE account_id = :account_id AND ticket_id = :from_ticket
ON CONFLICT DO NOTHING

-- @row ticket_tag_row(ticket_id int, tag_id int, name text)

-- @many ticket_tag_list(account_id int, ticket_ids text) -> ticket_tag_row
SELECT x.ticket_id, x.tag_id, t.name FROM ticket_tag x JOIN tag t ON t.account_id = x.account_id AND t.id = x.tag_id
WHERE x.account_id = :account_id
-- @sqlite
AND x.ticket_id IN (SELECT value FROM json_each(:ticket_ids))
-- @postgres
AND x.ticket_id IN (SELECT value::bigint FROM jsonb_array_elements_text(CAST(:ticket_ids AS jsonb)))
-- @both
ORDER BY t.name_folded

-- ---- attachments ----

-- @row attachment_row(id int, ticket_id ref, message_id ref, user_id ref, file_name text, content_type text, size_bytes int,
--   hash text, content_id text?, inline_part bool, created_us int)

-- @one attachment_insert(account_id int, ticket_id ref, message_id ref, user_id ref, file_name text, content_type text,
--   size_bytes int, hash text, content_id text?, inline_part bool, now int) -> tickets_id_row
INSERT INTO attachment (account_id, ticket_id, message_id, user_id, file_name, content_type, size_bytes, hash, content_id, inline, created_us)
VALUES (:account_id, :ticket_id, :message_id, :user_id, :file_name, :content_type, :size_bytes, :hash, :content_id, :inline_part, :now)
RETURNING id

-- Of a ticket that the user may see, or an unused one of their own.
-- @one attachment_get(account_id int, id int, user_id int, scope_user int) -> attachment_row
SELECT a.id, a.ticket_id, a.message_id, a.user_id, a.file_name, a.content_type, a.size_bytes, a.hash, a.content_id, a.inline, a.created_us
FROM attachment a LEFT JOIN ticket t ON t.account_id = a.account_id AND t.id = a.ticket_id
WHERE a.account_id = :account_id AND a.id = :id
AND (a.message_id IS NOT NULL OR a.user_id = :user_id)
AND (a.message_id IS NULL OR t.assignee_id = :scope_user OR t.team_id IN (SELECT x.team_id FROM team_member x WHERE x.account_id = :account_id AND x.user_id = :scope_user)) -- @if scope_user

-- @exec attachment_use(account_id int, id int, user_id int, ticket_id int, message_id int)
UPDATE attachment SET ticket_id = :ticket_id, message_id = :message_id
WHERE account_id = :account_id AND id = :id AND user_id = :user_id AND message_id IS NULL

-- @many attachment_list(account_id int, message_ids text) -> attachment_row
SELECT id, ticket_id, message_id, user_id, file_name, content_type, size_bytes, hash, content_id, inline, created_us
FROM attachment
WHERE account_id = :account_id
-- @sqlite
AND message_id IN (SELECT value FROM json_each(:message_ids))
-- @postgres
AND message_id IN (SELECT value::bigint FROM jsonb_array_elements_text(CAST(:message_ids AS jsonb)))
-- @both
ORDER BY id

-- @exec attachment_move(account_id int, from_ticket int, into_ticket int)
UPDATE attachment SET ticket_id = :into_ticket WHERE account_id = :account_id AND ticket_id = :from_ticket

-- @exec attachment_delete_unused(account_id int, id int)
DELETE FROM attachment WHERE account_id = :account_id AND id = :id AND message_id IS NULL

-- ---- history ----

-- @row ticket_event_row(seq int, at_us int, type text, ticket_id ref, team_id ref, assignee_id ref, subject_id ref, actor_id ref,
--   actor text, data text)

-- @many ticket_event_list(account_id int, ticket_id int, after int, limit int) -> ticket_event_row
SELECT seq, at_us, type, ticket_id, team_id, assignee_id, subject_id, actor_id, actor, data FROM event
WHERE account_id = :account_id AND ticket_id = :ticket_id AND seq > :after ORDER BY seq LIMIT :limit
