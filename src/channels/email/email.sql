-- email.sql - every statement that the e-mail channel may run.

-- @row em_id(id int)
-- @row em_count(n int)

-- ---- mailboxes ----

-- @row em_mailbox(id int, account_id int, name text, address text, address_folded text, from_name text, team_id ref, active bool,
--      in_kind text, in_host text, in_port int, in_security text, in_auth text, in_user text, in_secret text?, in_folder text,
--      in_trusted_host text, out_kind text, out_host text, out_port int, out_security text, out_auth text, out_user text,
--      out_secret text?, oauth text?, dkim_domain text, dkim_selector text, dkim_key text?, signature text, quote_history bool,
--      undo_seconds int, backfill_since_us ref, state text, state_detail text, state_us ref, created_us int, updated_us int,
--      version int)

-- @one em_mailbox_insert(account_id int, name text, address text, address_folded text, from_name text, team_id ref, active bool,
--      in_kind text, in_host text, in_port int, in_security text, in_auth text, in_user text, in_secret text?, in_folder text,
--      in_trusted_host text, out_kind text, out_host text, out_port int, out_security text, out_auth text, out_user text,
--      out_secret text?, oauth text?, dkim_domain text, dkim_selector text, dkim_key text?, signature text, quote_history bool,
--      undo_seconds int, backfill_since_us ref, now int) -> em_id
INSERT INTO mailbox (account_id, name, address, address_folded, from_name, team_id, active, in_kind, in_host, in_port, in_security,
    in_auth, in_user, in_secret, in_folder, in_trusted_host, out_kind, out_host, out_port, out_security, out_auth, out_user,
    out_secret, oauth, dkim_domain, dkim_selector, dkim_key, signature, quote_history, undo_seconds, backfill_since_us,
    state, state_detail, state_us, created_us, updated_us, version)
VALUES (:account_id, :name, :address, :address_folded, :from_name, :team_id, :active, :in_kind, :in_host, :in_port, :in_security,
    :in_auth, :in_user, :in_secret, :in_folder, :in_trusted_host, :out_kind, :out_host, :out_port, :out_security, :out_auth,
    :out_user, :out_secret, :oauth, :dkim_domain, :dkim_selector, :dkim_key, :signature, :quote_history, :undo_seconds,
    :backfill_since_us, 'unknown', '', NULL, :now, :now, 1)
RETURNING id;

-- @exec em_mailbox_update(account_id int, id int, name text, address text, address_folded text, from_name text, team_id ref,
--      active bool, in_kind text, in_host text, in_port int, in_security text, in_auth text, in_user text, in_secret text?,
--      in_folder text, in_trusted_host text, out_kind text, out_host text, out_port int, out_security text, out_auth text,
--      out_user text, out_secret text?, oauth text?, dkim_domain text, dkim_selector text, dkim_key text?, signature text,
--      quote_history bool, undo_seconds int, backfill_since_us ref, now int, expected int)
UPDATE mailbox SET name = :name, address = :address, address_folded = :address_folded, from_name = :from_name, team_id = :team_id,
    active = :active, in_kind = :in_kind, in_host = :in_host, in_port = :in_port, in_security = :in_security, in_auth = :in_auth,
    in_user = :in_user, in_secret = :in_secret, in_folder = :in_folder, in_trusted_host = :in_trusted_host, out_kind = :out_kind,
    out_host = :out_host, out_port = :out_port, out_security = :out_security, out_auth = :out_auth, out_user = :out_user,
    out_secret = :out_secret, oauth = :oauth, dkim_domain = :dkim_domain, dkim_selector = :dkim_selector, dkim_key = :dkim_key,
    signature = :signature, quote_history = :quote_history, undo_seconds = :undo_seconds, backfill_since_us = :backfill_since_us,
    updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id AND version = :expected;

-- @exec em_mailbox_delete(account_id int, id int)
DELETE FROM mailbox WHERE account_id = :account_id AND id = :id;

-- @exec em_mailbox_delete_folders(account_id int, id int)
DELETE FROM mailbox_folder WHERE account_id = :account_id AND mailbox_id = :id;

-- @exec em_mailbox_delete_seen(account_id int, id int)
DELETE FROM mailbox_seen WHERE account_id = :account_id AND mailbox_id = :id;

-- @exec em_mailbox_set_state(account_id int, id int, state text, detail text, now int)
UPDATE mailbox SET state = :state, state_detail = :detail, state_us = :now
WHERE account_id = :account_id AND id = :id AND (state <> :state OR state_detail <> :detail);

-- @exec em_mailbox_set_oauth(account_id int, id int, oauth text?)
UPDATE mailbox SET oauth = :oauth WHERE account_id = :account_id AND id = :id;

-- @exec em_mailbox_set_backfill(account_id int, id int, since ref, now int)
UPDATE mailbox SET backfill_since_us = :since, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id;

-- @one em_mailbox_by_id(account_id int, id int) -> em_mailbox
SELECT id, account_id, name, address, address_folded, from_name, team_id, active, in_kind, in_host, in_port, in_security, in_auth,
    in_user, in_secret, in_folder, in_trusted_host, out_kind, out_host, out_port, out_security, out_auth, out_user, out_secret,
    oauth, dkim_domain, dkim_selector, dkim_key, signature, quote_history, undo_seconds, backfill_since_us, state, state_detail,
    state_us, created_us, updated_us, version
FROM mailbox WHERE account_id = :account_id AND id = :id;

-- @many em_mailbox_list(account_id int, after_id int, limit int) -> em_mailbox
SELECT id, account_id, name, address, address_folded, from_name, team_id, active, in_kind, in_host, in_port, in_security, in_auth,
    in_user, in_secret, in_folder, in_trusted_host, out_kind, out_host, out_port, out_security, out_auth, out_user, out_secret,
    oauth, dkim_domain, dkim_selector, dkim_key, signature, quote_history, undo_seconds, backfill_since_us, state, state_detail,
    state_us, created_us, updated_us, version
FROM mailbox WHERE account_id = :account_id AND id > :after_id ORDER BY id LIMIT :limit;

-- @row em_mailbox_key(id int, account_id int, address_folded text, version int, active bool)
-- Which followers should run, over all accounts.
-- @many em_mailbox_followed() -> em_mailbox_key @all_accounts
SELECT id, account_id, address_folded, version, active FROM mailbox
WHERE active = 1 AND in_kind IN ('imap', 'pop3') ORDER BY account_id, id;

-- A recipient in LMTP is known by its address alone; the oldest mailbox of that address has it.
-- @many em_mailbox_by_address(address text) -> em_mailbox_key @all_accounts
SELECT id, account_id, address_folded, version, active FROM mailbox
WHERE address_folded = :address AND active = 1 ORDER BY account_id, id LIMIT 1;

-- @many em_mailbox_addresses(account_id int) -> em_mailbox_key
SELECT id, account_id, address_folded, version, active FROM mailbox WHERE account_id = :account_id ORDER BY id;

-- @row em_sender(id int)
-- The mailbox of tickets without one: the oldest that can send.
-- @many em_mailbox_default_out(account_id int) -> em_sender
SELECT id FROM mailbox WHERE account_id = :account_id AND active = 1 AND out_kind = 'smtp' ORDER BY id LIMIT 1;

-- @one em_mailbox_failing() -> em_count @all_accounts
SELECT COUNT(*) AS n FROM mailbox WHERE active = 1 AND state = 'failing';

-- ---- following ----

-- @row em_folder(uid_validity int, next_uid int, mod_seq int, backfill_uid int, backfill_next int)
-- @many em_folder_get(account_id int, mailbox_id int, folder text) -> em_folder
SELECT uid_validity, next_uid, mod_seq, backfill_uid, backfill_next FROM mailbox_folder
WHERE account_id = :account_id AND mailbox_id = :mailbox_id AND folder = :folder;

-- @exec em_folder_put(account_id int, mailbox_id int, folder text, uid_validity int, next_uid int, mod_seq int, backfill_uid int,
--      backfill_next int)
INSERT INTO mailbox_folder (account_id, mailbox_id, folder, uid_validity, next_uid, mod_seq, backfill_uid, backfill_next)
VALUES (:account_id, :mailbox_id, :folder, :uid_validity, :next_uid, :mod_seq, :backfill_uid, :backfill_next)
ON CONFLICT (account_id, mailbox_id, folder) DO UPDATE SET uid_validity = excluded.uid_validity, next_uid = excluded.next_uid,
    mod_seq = excluded.mod_seq, backfill_uid = excluded.backfill_uid, backfill_next = excluded.backfill_next;

-- @exec em_folder_restart_backfill(account_id int, mailbox_id int)
UPDATE mailbox_folder SET backfill_uid = next_uid - 1, backfill_next = 1 WHERE account_id = :account_id AND mailbox_id = :mailbox_id;

-- @row em_uidl(uidl text)
-- @many em_seen_list(account_id int, mailbox_id int) -> em_uidl
SELECT uidl FROM mailbox_seen WHERE account_id = :account_id AND mailbox_id = :mailbox_id;

-- @exec em_seen_put(account_id int, mailbox_id int, uidl text, now int)
INSERT INTO mailbox_seen (account_id, mailbox_id, uidl, seen_us) VALUES (:account_id, :mailbox_id, :uidl, :now)
ON CONFLICT (account_id, mailbox_id, uidl) DO UPDATE SET seen_us = excluded.seen_us;

-- @exec em_seen_forget(account_id int, mailbox_id int, before int)
DELETE FROM mailbox_seen WHERE account_id = :account_id AND mailbox_id = :mailbox_id AND seen_us < :before;

-- One node at a time follows a mailbox or works off an account's intake.
-- @exec em_lease_take(account_id int, key text, owner text, until int, now int)
INSERT INTO email_lease (account_id, key, owner, until_us) VALUES (:account_id, :key, :owner, :until)
ON CONFLICT (account_id, key) DO UPDATE SET owner = excluded.owner, until_us = excluded.until_us
WHERE email_lease.owner = excluded.owner OR email_lease.until_us < :now;

-- @exec em_lease_drop(account_id int, key text, owner text)
DELETE FROM email_lease WHERE account_id = :account_id AND key = :key AND owner = :owner;

-- ---- the mail log ----

-- @row em_mail(id int, direction text, state text, verdict text, evidence text, rule text, score int, source text, source_ref text,
--      mailbox_id ref, raw_hash text, size_bytes int, content_hash text, header_message_id text, from_address text,
--      to_addresses text, subject text, detail text, attempts int, ticket_id ref, message_id ref, duplicate_of ref, job_id ref,
--      created_us int, updated_us int)

-- @one em_mail_receive(account_id int, state text, source text, source_ref text, mailbox_id ref, raw_hash text, size_bytes int,
--      from_address text, to_addresses text, detail text, now int) -> em_id
INSERT INTO mail (account_id, direction, state, verdict, evidence, rule, score, source, source_ref, mailbox_id, raw_hash, size_bytes,
    content_hash, header_message_id, from_address, to_addresses, subject, detail, attempts, created_us, updated_us)
VALUES (:account_id, 'in', :state, '', '[]', '', 0, :source, :source_ref, :mailbox_id, :raw_hash, :size_bytes,
    '', '', :from_address, :to_addresses, '', :detail, 0, :now, :now)
RETURNING id;

-- @one em_mail_outgoing(account_id int, state text, source text, mailbox_id ref, from_address text, to_addresses text, subject text,
--      ticket_id ref, now int) -> em_id
INSERT INTO mail (account_id, direction, state, verdict, evidence, rule, score, source, source_ref, mailbox_id, raw_hash, size_bytes,
    content_hash, header_message_id, from_address, to_addresses, subject, detail, attempts, ticket_id, created_us, updated_us)
VALUES (:account_id, 'out', :state, '', '[]', 'none', 0, :source, '', :mailbox_id, '', 0,
    '', '', :from_address, :to_addresses, :subject, '', 0, :ticket_id, :now, :now)
RETURNING id;

-- @exec em_mail_enqueue(account_id int, id int, header_message_id text, ticket_id int, message_id ref, job_id ref, now int)
UPDATE mail SET header_message_id = :header_message_id, ticket_id = :ticket_id, message_id = :message_id, job_id = :job_id, updated_us = :now
WHERE account_id = :account_id AND id = :id;

-- @one em_mail_by_id(account_id int, id int) -> em_mail
SELECT id, direction, state, verdict, evidence, rule, score, source, source_ref, mailbox_id, raw_hash, size_bytes, content_hash,
    header_message_id, from_address, to_addresses, subject, detail, attempts, ticket_id, message_id, duplicate_of, job_id,
    created_us, updated_us
FROM mail WHERE account_id = :account_id AND id = :id;

-- @row em_waiting(id int, attempts int)
-- @many em_mail_waiting(account_id int, limit int) -> em_waiting
SELECT id, attempts FROM mail WHERE account_id = :account_id AND state = 'received' ORDER BY id LIMIT :limit;

-- @exec em_mail_begin(account_id int, first_id int, last_id int)
UPDATE mail SET attempts = attempts + 1
WHERE account_id = :account_id AND state = 'received' AND id >= :first_id AND id <= :last_id;

-- @exec em_mail_unbegin(account_id int, first_id int, last_id int)
UPDATE mail SET attempts = 0
WHERE account_id = :account_id AND state = 'received' AND id >= :first_id AND id <= :last_id;

-- @exec em_mail_settle(account_id int, id int, was text, state text, verdict text, evidence text, rule text, score int,
--      mailbox_id ref, content_hash text, header_message_id text, from_address text, to_addresses text, subject text, detail text,
--      ticket_id ref, message_id ref, duplicate_of ref, now int)
UPDATE mail SET state = :state, verdict = :verdict, evidence = :evidence, rule = :rule, score = :score, mailbox_id = :mailbox_id,
    content_hash = :content_hash, header_message_id = :header_message_id, from_address = :from_address,
    to_addresses = :to_addresses, subject = :subject, detail = :detail, ticket_id = :ticket_id, message_id = :message_id,
    duplicate_of = :duplicate_of, attempts = 0, updated_us = :now
WHERE account_id = :account_id AND id = :id AND state = :was;

-- @exec em_mail_quarantine(account_id int, id int, detail text, now int)
UPDATE mail SET state = 'quarantined', detail = :detail, attempts = 0, updated_us = :now
WHERE account_id = :account_id AND id = :id AND state IN ('received', 'quarantined');

-- @row em_same(id int, state text, ticket_id ref, message_id ref, raw_hash text)
-- The first mail with this Message-ID and content, other than the mail itself.
-- @many em_mail_same(account_id int, id int, header_message_id text, content_hash text) -> em_same
SELECT id, state, ticket_id, message_id, raw_hash FROM mail
WHERE account_id = :account_id AND header_message_id = :header_message_id AND content_hash = :content_hash
    AND direction = 'in' AND state IN ('stored', 'swallowed') AND id <> :id
ORDER BY id LIMIT 1;

-- @row em_sent(id int, state text, detail text, ticket_id ref, message_id ref, to_addresses text, mailbox_id ref)
-- @many em_mail_sent_by_header(account_id int, header_message_id text) -> em_sent
SELECT id, state, detail, ticket_id, message_id, to_addresses, mailbox_id FROM mail
WHERE account_id = :account_id AND header_message_id = :header_message_id AND direction = 'out'
ORDER BY id DESC LIMIT 1;

-- @row em_header(header_message_id text, direction text, verdict text)
-- Message-IDs of a ticket, newest first: for In-Reply-To and References.
-- @many em_mail_headers(account_id int, ticket_id int, before_id int, limit int) -> em_header
SELECT header_message_id, direction, verdict FROM mail
WHERE account_id = :account_id AND ticket_id = :ticket_id AND id < :before_id AND header_message_id <> ''
    AND state IN ('stored', 'sent', 'bounced') ORDER BY id DESC LIMIT :limit;

-- @many em_mail_newest_in(account_id int, ticket_id int) -> em_mail
SELECT id, direction, state, verdict, evidence, rule, score, source, source_ref, mailbox_id, raw_hash, size_bytes, content_hash,
    header_message_id, from_address, to_addresses, subject, detail, attempts, ticket_id, message_id, duplicate_of, job_id,
    created_us, updated_us
FROM mail WHERE account_id = :account_id AND ticket_id = :ticket_id AND direction = 'in' AND state = 'stored'
ORDER BY id DESC LIMIT 1;

-- The job says that it is still this mail's: one that was taken back and sent again has another.
-- @exec em_mail_sending(account_id int, id int, job_id int, raw_hash text, size_bytes int, now int)
UPDATE mail SET state = 'sending', raw_hash = :raw_hash, size_bytes = :size_bytes, attempts = attempts + 1, updated_us = :now
WHERE account_id = :account_id AND id = :id AND job_id = :job_id AND state IN ('held', 'queued');

-- @row em_leaving(id int, job_id ref)
-- @many em_mail_leaving(account_id int, after_id int, state text, limit int) -> em_leaving
SELECT id, job_id FROM mail WHERE account_id = :account_id AND state = :state AND id > :after_id ORDER BY id LIMIT :limit;

-- @exec em_mail_set_job(account_id int, id int, job_id int)
UPDATE mail SET job_id = :job_id WHERE account_id = :account_id AND id = :id AND state IN ('held', 'queued', 'sending');

-- @exec em_mail_outcome(account_id int, id int, was text, state text, detail text, now int)
UPDATE mail SET state = :state, detail = :detail, updated_us = :now
WHERE account_id = :account_id AND id = :id AND direction = 'out' AND state = :was;

-- @exec em_mail_cancel(account_id int, id int, now int)
UPDATE mail SET state = 'cancelled', updated_us = :now
WHERE account_id = :account_id AND id = :id AND direction = 'out' AND state IN ('held', 'queued');

-- @exec em_mail_again(account_id int, id int, job_id ref, now int)
UPDATE mail SET state = 'queued', detail = '', attempts = 0, job_id = :job_id, updated_us = :now
WHERE account_id = :account_id AND id = :id AND direction = 'out' AND state IN ('failed', 'bounced', 'cancelled');

-- @many em_mail_log(account_id int, before_id int, direction text?, state text?, verdict text?, ticket_id ref, mailbox_id ref,
--      like text?, limit int) -> em_mail
SELECT id, direction, state, verdict, evidence, rule, score, source, source_ref, mailbox_id, raw_hash, size_bytes, content_hash,
    header_message_id, from_address, to_addresses, subject, detail, attempts, ticket_id, message_id, duplicate_of, job_id,
    created_us, updated_us
FROM mail WHERE account_id = :account_id AND id < :before_id
    AND direction = :direction -- @if direction
    AND state = :state -- @if state
    AND verdict = :verdict -- @if verdict
    AND ticket_id = :ticket_id -- @if ticket_id
    AND mailbox_id = :mailbox_id -- @if mailbox_id
    AND (lower(subject) LIKE :like ESCAPE '!' OR lower(from_address) LIKE :like ESCAPE '!' -- @if like
        OR lower(to_addresses) LIKE :like ESCAPE '!' OR lower(header_message_id) LIKE :like ESCAPE '!') -- @if like
ORDER BY id DESC LIMIT :limit;

-- ---- joining mail to tickets ----

-- @exec em_reference_put(account_id int, kind text, value text, ticket_id int, message_id ref, now int)
INSERT INTO mail_reference (account_id, kind, value, ticket_id, message_id, created_us)
VALUES (:account_id, :kind, :value, :ticket_id, :message_id, :now)
ON CONFLICT (account_id, kind, value) DO NOTHING;

-- A mail that others named before it came, if it ever comes.
-- @exec em_ghost_put(account_id int, value text, ticket_id int, message_id ref, now int)
INSERT INTO mail_reference (account_id, kind, value, ticket_id, message_id, created_us)
SELECT CAST(:account_id AS BIGINT), 'ghost', CAST(:value AS TEXT), CAST(:ticket_id AS BIGINT), CAST(:message_id AS BIGINT),
    CAST(:now AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM mail_reference WHERE account_id = CAST(:account_id AS BIGINT) AND kind = 'message_id'
    AND value = CAST(:value AS TEXT))
ON CONFLICT (account_id, kind, value) DO NOTHING;

-- @exec em_reference_replace(account_id int, kind text, value text, ticket_id int, message_id ref, now int)
INSERT INTO mail_reference (account_id, kind, value, ticket_id, message_id, created_us)
VALUES (:account_id, :kind, :value, :ticket_id, :message_id, :now)
ON CONFLICT (account_id, kind, value) DO UPDATE SET ticket_id = excluded.ticket_id, message_id = excluded.message_id;

-- @row em_reference(ticket_id int, message_id ref)
-- @many em_reference_get(account_id int, kind text, value text) -> em_reference
SELECT ticket_id, message_id FROM mail_reference WHERE account_id = :account_id AND kind = :kind AND value = :value;

-- @row em_stored(id int, verdict text, from_address text, to_addresses text)
-- What kind of mail a referenced Message-ID was.
-- @many em_mail_by_header(account_id int, header_message_id text) -> em_stored
SELECT id, verdict, from_address, to_addresses FROM mail
WHERE account_id = :account_id AND header_message_id = :header_message_id AND state IN ('stored', 'sent', 'bounced', 'failed', 'sending')
ORDER BY id LIMIT 1;

-- @row em_proposal(ticket_id int, subject text)
-- Recent mail of the same sender that is on a ticket: for evidence that is only proposed.
-- @many em_mail_recent_from(account_id int, from_address text, since int) -> em_proposal
SELECT ticket_id, subject FROM mail
WHERE account_id = :account_id AND from_address = :from_address AND direction = 'in' AND state = 'stored'
    AND ticket_id IS NOT NULL AND created_us >= :since ORDER BY id DESC LIMIT 20;

-- ---- suppression ----

-- @row em_suppression(id int, address_folded text, reason text, detail text, mail_id ref, soft_count int, active bool, created_us int,
--      expires_us ref)
-- @many em_suppression_get(account_id int, address text) -> em_suppression
SELECT id, address_folded, reason, detail, mail_id, soft_count, active, created_us, expires_us FROM suppression
WHERE account_id = :account_id AND address_folded = :address;

-- @exec em_suppression_put(account_id int, address text, reason text, detail text, mail_id ref, soft_count int, active bool,
--      now int, expires ref)
INSERT INTO suppression (account_id, address_folded, reason, detail, mail_id, soft_count, active, created_us, expires_us)
VALUES (:account_id, :address, :reason, :detail, :mail_id, :soft_count, :active, :now, :expires)
ON CONFLICT (account_id, address_folded) DO UPDATE SET reason = excluded.reason, detail = excluded.detail,
    mail_id = excluded.mail_id, soft_count = excluded.soft_count, active = excluded.active, created_us = excluded.created_us,
    expires_us = excluded.expires_us;

-- @many em_suppression_list(account_id int, before_id int, now int, limit int) -> em_suppression
SELECT id, address_folded, reason, detail, mail_id, soft_count, active, created_us, expires_us FROM suppression
WHERE account_id = :account_id AND id < :before_id AND active = 1 AND (expires_us IS NULL OR expires_us > :now)
ORDER BY id DESC LIMIT :limit;

-- @exec em_suppression_delete(account_id int, id int)
DELETE FROM suppression WHERE account_id = :account_id AND id = :id;

-- ---- automatic mail ----

-- @one em_rate_add(account_id int, key text, window_us int) -> em_count
INSERT INTO auto_mail_rate (account_id, key, window_us, n) VALUES (:account_id, :key, :window_us, 1)
ON CONFLICT (account_id, key, window_us) DO UPDATE SET n = auto_mail_rate.n + 1
RETURNING n;

-- @exec em_rate_forget(account_id int, before int)
DELETE FROM auto_mail_rate WHERE account_id = :account_id AND window_us < :before;
