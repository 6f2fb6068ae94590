-- search.sql - what the index and the results are made of; reads tables of tickets and contacts.

-- @row search_account_row(account_id int, head int)

-- @many search_accounts() -> search_account_row @all_accounts
SELECT account_id, event_seq FROM account_counter ORDER BY account_id;

-- Lists of ids are JSON texts: [1,2,3].

-- @row search_message_row(id int, subject text, body text, addresses text, at_us int, ticket_subject text,
--                         author_name text, author_email text)

-- @many search_messages(account_id int, ids text) -> search_message_row
SELECT m.id, m.subject, m.body_text, m.addresses, m.created_us, t.subject AS ticket_subject,
       COALESCE(u.name, c.name, ''), COALESCE(u.email, i.value, '')
  FROM message m
  JOIN ticket t ON t.account_id = m.account_id AND t.id = m.ticket_id
  LEFT JOIN users u ON m.author_kind = 'user' AND u.account_id = m.account_id AND u.id = m.author_id
  LEFT JOIN contact c ON m.author_kind = 'contact' AND c.account_id = m.account_id AND c.id = m.author_id
  LEFT JOIN contact_identity i ON i.account_id = c.account_id AND i.contact_id = c.id AND i.kind = 'email' AND i.is_primary = 1
 WHERE m.account_id = :account_id
-- @sqlite
   AND m.id IN (SELECT value FROM json_each(:ids))
-- @postgres
   AND m.id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
-- @both
 ORDER BY m.id;

-- @row search_attachment_row(message_id int, file_name text, content_type text, size_bytes int, hash text)

-- @many search_attachments(account_id int, ids text) -> search_attachment_row
SELECT message_id, file_name, content_type, size_bytes, hash
  FROM attachment
 WHERE account_id = :account_id
-- @sqlite
   AND message_id IN (SELECT value FROM json_each(:ids))
-- @postgres
   AND message_id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
-- @both
 ORDER BY message_id, id;

-- @row search_ticket_row(id int, number int, subject text, at_us int, requester_name text, requester_email text)

-- @many search_tickets(account_id int, ids text) -> search_ticket_row
SELECT t.id, t.number, t.subject, t.created_us, COALESCE(c.name, ''), COALESCE(i.value, '')
  FROM ticket t
  LEFT JOIN contact c ON c.account_id = t.account_id AND c.id = t.requester_id
  LEFT JOIN contact_identity i ON i.account_id = c.account_id AND i.contact_id = c.id AND i.kind = 'email' AND i.is_primary = 1
 WHERE t.account_id = :account_id
-- @sqlite
   AND t.id IN (SELECT value FROM json_each(:ids))
-- @postgres
   AND t.id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
-- @both
 ORDER BY t.id;

-- @row search_tag_row(ticket_id int, name text)

-- @many search_tags(account_id int, ids text) -> search_tag_row
SELECT tt.ticket_id, g.name
  FROM ticket_tag tt
  JOIN tag g ON g.account_id = tt.account_id AND g.id = tt.tag_id
 WHERE tt.account_id = :account_id
-- @sqlite
   AND tt.ticket_id IN (SELECT value FROM json_each(:ids))
-- @postgres
   AND tt.ticket_id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
-- @both
 ORDER BY tt.ticket_id, g.name;

-- @row search_id_row(id int)

-- Tickets whose tag was renamed.
-- @many search_tickets_of_tag(account_id int, tag_id int, limit int) -> search_id_row
SELECT ticket_id FROM ticket_tag WHERE account_id = :account_id AND tag_id = :tag_id ORDER BY ticket_id DESC LIMIT :limit;

-- @row search_contact_row(id int, name text, notes text, at_us int, organization text, identities text)

-- @many search_contacts(account_id int, ids text) -> search_contact_row
SELECT c.id, c.name, c.notes, c.created_us, COALESCE(o.name, ''),
-- @sqlite
       COALESCE((SELECT group_concat(i.value, ' ') FROM contact_identity i
                  WHERE i.account_id = c.account_id AND i.contact_id = c.id), '')
-- @postgres
       COALESCE((SELECT string_agg(i.value, ' ') FROM contact_identity i
                  WHERE i.account_id = c.account_id AND i.contact_id = c.id), '')
-- @both
  FROM contact c
  LEFT JOIN organization o ON o.account_id = c.account_id AND o.id = c.organization_id
 WHERE c.account_id = :account_id AND c.merged_into IS NULL
-- @sqlite
   AND c.id IN (SELECT value FROM json_each(:ids))
-- @postgres
   AND c.id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
-- @both
 ORDER BY c.id;

-- ---- results ----

-- @row search_result_row(id int, message_id ref, number int, subject text, status text, priority text, team_id ref,
--                        assignee_id ref, requester_id int, requester_name text, requester_email text, activity_us int, body text)

-- The tickets that a user may see, of some messages.
-- @many search_results_of_messages(account_id int, ids text, user_id int, scoped bool, statuses text?, priorities text?,
--       tag text?, assignee_id ref, unassigned bool, team_id ref, no_team bool, before_us ref, after_us ref,
--       has_attachment bool) -> search_result_row
SELECT t.id, m.id AS message_id, t.number, t.subject, t.status, t.priority, t.team_id, t.assignee_id, t.requester_id,
       COALESCE(c.name, ''), COALESCE(i.value, ''), t.activity_us, m.body_text
  FROM message m
  JOIN ticket t ON t.account_id = m.account_id AND t.id = m.ticket_id
  LEFT JOIN contact c ON c.account_id = t.account_id AND c.id = t.requester_id
  LEFT JOIN contact_identity i ON i.account_id = c.account_id AND i.contact_id = c.id AND i.kind = 'email' AND i.is_primary = 1
 WHERE m.account_id = :account_id
-- @sqlite
   AND m.id IN (SELECT value FROM json_each(:ids))
   AND t.status IN (SELECT value FROM json_each(:statuses)) -- @if statuses
   AND t.priority IN (SELECT value FROM json_each(:priorities)) -- @if priorities
-- @postgres
   AND m.id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
   AND t.status IN (SELECT value FROM json_array_elements_text(:statuses::json)) -- @if statuses
   AND t.priority IN (SELECT value FROM json_array_elements_text(:priorities::json)) -- @if priorities
-- @both
   AND (t.assignee_id = :user_id OR t.team_id IN (SELECT tm.team_id FROM team_member tm WHERE tm.account_id = :account_id AND tm.user_id = :user_id)) -- @if scoped
   AND EXISTS (SELECT 1 FROM ticket_tag tt JOIN tag g ON g.account_id = tt.account_id AND g.id = tt.tag_id WHERE tt.account_id = t.account_id AND tt.ticket_id = t.id AND g.name_folded = :tag) -- @if tag
   AND t.assignee_id = :assignee_id -- @if assignee_id
   AND t.assignee_id IS NULL -- @if unassigned
   AND t.team_id = :team_id -- @if team_id
   AND t.team_id IS NULL -- @if no_team
   AND m.created_us < :before_us -- @if before_us
   AND m.created_us >= :after_us -- @if after_us
   AND EXISTS (SELECT 1 FROM attachment a WHERE a.account_id = m.account_id AND a.message_id = m.id AND a.inline = 0) -- @if has_attachment
;

-- The same of tickets by id.
-- @many search_results_of_tickets(account_id int, ids text, user_id int, scoped bool, statuses text?, priorities text?,
--       tag text?, assignee_id ref, unassigned bool, team_id ref, no_team bool, before_us ref, after_us ref,
--       has_attachment bool) -> search_result_row
SELECT t.id, CAST(NULL AS BIGINT) AS message_id, t.number, t.subject, t.status, t.priority, t.team_id, t.assignee_id, t.requester_id,
       COALESCE(c.name, ''), COALESCE(i.value, ''), t.activity_us, t.preview
  FROM ticket t
  LEFT JOIN contact c ON c.account_id = t.account_id AND c.id = t.requester_id
  LEFT JOIN contact_identity i ON i.account_id = c.account_id AND i.contact_id = c.id AND i.kind = 'email' AND i.is_primary = 1
 WHERE t.account_id = :account_id
-- @sqlite
   AND t.id IN (SELECT value FROM json_each(:ids))
   AND t.status IN (SELECT value FROM json_each(:statuses)) -- @if statuses
   AND t.priority IN (SELECT value FROM json_each(:priorities)) -- @if priorities
-- @postgres
   AND t.id IN (SELECT value::bigint FROM json_array_elements_text(:ids::json))
   AND t.status IN (SELECT value FROM json_array_elements_text(:statuses::json)) -- @if statuses
   AND t.priority IN (SELECT value FROM json_array_elements_text(:priorities::json)) -- @if priorities
-- @both
   AND (t.assignee_id = :user_id OR t.team_id IN (SELECT tm.team_id FROM team_member tm WHERE tm.account_id = :account_id AND tm.user_id = :user_id)) -- @if scoped
   AND EXISTS (SELECT 1 FROM ticket_tag tt JOIN tag g ON g.account_id = tt.account_id AND g.id = tt.tag_id WHERE tt.account_id = t.account_id AND tt.ticket_id = t.id AND g.name_folded = :tag) -- @if tag
   AND t.assignee_id = :assignee_id -- @if assignee_id
   AND t.assignee_id IS NULL -- @if unassigned
   AND t.team_id = :team_id -- @if team_id
   AND t.team_id IS NULL -- @if no_team
   AND t.created_us < :before_us -- @if before_us
   AND t.created_us >= :after_us -- @if after_us
   AND EXISTS (SELECT 1 FROM attachment a WHERE a.account_id = t.account_id AND a.ticket_id = t.id AND a.inline = 0) -- @if has_attachment
;

-- A query without words: tickets by filters alone, newest activity first.
-- @many search_results_by_filter(account_id int, number ref, user_id int, scoped bool, statuses text?, priorities text?,
--       tag text?, assignee_id ref, unassigned bool, team_id ref, no_team bool, before_us ref, after_us ref,
--       has_attachment bool, activity_us ref, id int, limit int) -> search_result_row
SELECT t.id, CAST(NULL AS BIGINT) AS message_id, t.number, t.subject, t.status, t.priority, t.team_id, t.assignee_id, t.requester_id,
       COALESCE(c.name, ''), COALESCE(i.value, ''), t.activity_us, t.preview
  FROM ticket t
  LEFT JOIN contact c ON c.account_id = t.account_id AND c.id = t.requester_id
  LEFT JOIN contact_identity i ON i.account_id = c.account_id AND i.contact_id = c.id AND i.kind = 'email' AND i.is_primary = 1
 WHERE t.account_id = :account_id
   AND t.number = :number -- @if number
-- @sqlite
   AND t.status IN (SELECT value FROM json_each(:statuses)) -- @if statuses
   AND t.priority IN (SELECT value FROM json_each(:priorities)) -- @if priorities
-- @postgres
   AND t.status IN (SELECT value FROM json_array_elements_text(:statuses::json)) -- @if statuses
   AND t.priority IN (SELECT value FROM json_array_elements_text(:priorities::json)) -- @if priorities
-- @both
   AND (t.assignee_id = :user_id OR t.team_id IN (SELECT tm.team_id FROM team_member tm WHERE tm.account_id = :account_id AND tm.user_id = :user_id)) -- @if scoped
   AND EXISTS (SELECT 1 FROM ticket_tag tt JOIN tag g ON g.account_id = tt.account_id AND g.id = tt.tag_id WHERE tt.account_id = t.account_id AND tt.ticket_id = t.id AND g.name_folded = :tag) -- @if tag
   AND t.assignee_id = :assignee_id -- @if assignee_id
   AND t.assignee_id IS NULL -- @if unassigned
   AND t.team_id = :team_id -- @if team_id
   AND t.team_id IS NULL -- @if no_team
   AND t.created_us < :before_us -- @if before_us
   AND t.created_us >= :after_us -- @if after_us
   AND EXISTS (SELECT 1 FROM attachment a WHERE a.account_id = t.account_id AND a.ticket_id = t.id AND a.inline = 0) -- @if has_attachment
   AND (t.activity_us, t.id) < (:activity_us, :id) -- @if activity_us
 ORDER BY t.activity_us DESC, t.id DESC
 LIMIT :limit;

-- @one search_team_named(account_id int, name text) -> search_id_row
SELECT id FROM team WHERE account_id = :account_id AND lower(name) = :name;

-- @many search_users_named(account_id int, name text) -> search_id_row
SELECT id FROM users WHERE account_id = :account_id AND (lower(name) = :name OR email_folded = :name) ORDER BY id LIMIT 2;
