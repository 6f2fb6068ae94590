-- accounts.sql - every statement of accounts, users, roles, teams, sessions and tokens.

-- ---- accounts ----

-- @row account_row(id int, name text, settings text, created_us int, version int)

-- @one account_get(account_id int) -> account_row
SELECT id, name, settings, created_us, version FROM account WHERE id = :account_id

-- @one account_first() -> account_row @all_accounts
SELECT id, name, settings, created_us, version FROM account ORDER BY id LIMIT 1

-- @many account_list() -> account_row @all_accounts
SELECT id, name, settings, created_us, version FROM account ORDER BY id

-- @row account_id_row(id int)

-- @one account_insert(name text, settings text, now int) -> account_id_row @all_accounts
INSERT INTO account (name, settings, created_us, version) VALUES (:name, :settings, :now, 1) RETURNING id

-- @exec account_update(account_id int, name text, settings text)
UPDATE account SET name = :name, settings = :settings, version = version + 1 WHERE id = :account_id

-- ---- roles ----

-- @row role_row(id int, name text, permissions int, only_own_teams bool, builtin bool, version int)

-- @many role_list(account_id int, id int, after_id int, limit int) -> role_row
SELECT id, name, permissions, only_own_teams, builtin, version FROM role
WHERE account_id = :account_id AND id > :after_id
AND id = :id -- @if id
ORDER BY id
LIMIT :limit -- @if limit

-- @one role_insert(account_id int, name text, permissions int, only_own_teams bool, builtin bool, now int) -> account_id_row
INSERT INTO role (account_id, name, permissions, only_own_teams, builtin, created_us, version)
VALUES (:account_id, :name, :permissions, :only_own_teams, :builtin, :now, 1) RETURNING id

-- @exec role_update(account_id int, id int, name text, permissions int, only_own_teams bool)
UPDATE role SET name = :name, permissions = :permissions, only_own_teams = :only_own_teams, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @exec role_delete(account_id int, id int)
DELETE FROM role WHERE account_id = :account_id AND id = :id

-- @row account_count_row(n int)

-- @one role_uses(account_id int, role_id int) -> account_count_row
SELECT count(*) AS n FROM users WHERE account_id = :account_id AND role_id = :role_id

-- ---- users ----

-- @row user_row(id int, email text, name text, role_id int, role_name text, permissions int, status text, locale text,
--   time_zone text, signature text, created_us int, last_seen_us ref, version int)

-- @one user_get(account_id int, id int) -> user_row
SELECT u.id, u.email, u.name, u.role_id, r.name AS role_name, r.permissions, u.status, u.locale, u.time_zone, u.signature, u.created_us,
    u.last_seen_us, u.version
FROM users u JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE u.account_id = :account_id AND u.id = :id

-- @one user_by_email(account_id int, email_folded text) -> user_row
SELECT u.id, u.email, u.name, u.role_id, r.name AS role_name, r.permissions, u.status, u.locale, u.time_zone, u.signature, u.created_us,
    u.last_seen_us, u.version
FROM users u JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE u.account_id = :account_id AND u.email_folded = :email_folded

-- @many user_list(account_id int, status text?, pattern text?, after_id int, limit int) -> user_row
SELECT u.id, u.email, u.name, u.role_id, r.name AS role_name, r.permissions, u.status, u.locale, u.time_zone, u.signature, u.created_us,
    u.last_seen_us, u.version
FROM users u JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE u.account_id = :account_id AND u.id > :after_id
AND u.status = :status -- @if status
AND (lower(u.name) LIKE :pattern ESCAPE '!' OR u.email_folded LIKE :pattern ESCAPE '!') -- @if pattern
ORDER BY u.id LIMIT :limit

-- @many user_by_ids(account_id int, ids text) -> user_row
SELECT u.id, u.email, u.name, u.role_id, r.name AS role_name, r.permissions, u.status, u.locale, u.time_zone, u.signature, u.created_us,
    u.last_seen_us, u.version
FROM users u JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE u.account_id = :account_id
-- @sqlite
AND u.id IN (SELECT value FROM json_each(:ids))
-- @postgres
AND u.id IN (SELECT value::bigint FROM jsonb_array_elements_text(CAST(:ids AS jsonb)))
-- @both

-- @one user_insert(account_id int, email text, email_folded text, name text, password_hash text?, role_id int, status text,
--   locale text, time_zone text, now int) -> account_id_row
INSERT INTO users (account_id, email, email_folded, name, password_hash, role_id, status, locale, time_zone, signature,
    created_us, updated_us, version)
VALUES (:account_id, :email, :email_folded, :name, :password_hash, :role_id, :status, :locale, :time_zone, '', :now, :now, 1)
RETURNING id

-- @exec user_update(account_id int, id int, name text, role_id int, status text, locale text, time_zone text,
--   signature text, now int)
UPDATE users SET name = :name, role_id = :role_id, status = :status, locale = :locale, time_zone = :time_zone,
    signature = :signature, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @exec user_set_password(account_id int, id int, password_hash text, now int)
UPDATE users SET password_hash = :password_hash, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @exec user_seen(account_id int, id int, now int)
UPDATE users SET last_seen_us = :now WHERE account_id = :account_id AND id = :id

-- Somebody who can sign in and repair rights: active, with a password, unrestricted, may change users.
-- @one user_count_admins(account_id int, bit int) -> account_count_row
SELECT count(*) AS n FROM users u JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE u.account_id = :account_id AND u.status = 'active' AND u.password_hash IS NOT NULL
AND r.only_own_teams = 0 AND (r.permissions & :bit) <> 0

-- @row login_row(account_id int, user_id int, email text, password_hash text)

-- @many login_candidates(email_folded text) -> login_row @all_accounts
SELECT account_id, id, email, password_hash FROM users
WHERE email_folded = :email_folded AND status = 'active' AND password_hash IS NOT NULL
ORDER BY account_id LIMIT 5

-- @one login_of_user(account_id int, user_id int) -> login_row
SELECT account_id, id, email, coalesce(password_hash, '') FROM users
WHERE account_id = :account_id AND id = :user_id AND status = 'active'

-- ---- teams ----

-- @row team_row(id int, name text, description text, archived bool, created_us int, version int)

-- @many team_list(account_id int, id int, after text?, limit int) -> team_row
SELECT id, name, description, archived, created_us, version FROM team
WHERE account_id = :account_id
AND id = :id -- @if id
AND name > :after -- @if after
ORDER BY name
LIMIT :limit -- @if limit

-- @one team_insert(account_id int, name text, description text, now int) -> account_id_row
INSERT INTO team (account_id, name, description, archived, created_us, updated_us, version)
VALUES (:account_id, :name, :description, 0, :now, :now, 1) RETURNING id

-- @exec team_update(account_id int, id int, name text, description text, archived bool, now int)
UPDATE team SET name = :name, description = :description, archived = :archived, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @row team_member_row(team_id int, user_id int)

-- @many team_member_list(account_id int, team_id int, user_id int) -> team_member_row
SELECT team_id, user_id FROM team_member
WHERE account_id = :account_id
AND team_id = :team_id -- @if team_id
AND user_id = :user_id -- @if user_id
ORDER BY team_id, user_id

-- @exec team_member_add(account_id int, team_id int, user_id int)
INSERT INTO team_member (account_id, team_id, user_id) VALUES (:account_id, :team_id, :user_id) ON CONFLICT DO NOTHING

-- @exec team_member_remove(account_id int, team_id int, user_id int)
DELETE FROM team_member
WHERE account_id = :account_id
AND team_id = :team_id -- @if team_id
AND user_id = :user_id -- @if user_id

-- ---- sessions ----

-- @row caller_row(account_id int, user_id int, status text, permissions int, only_own_teams bool, token_permissions int,
--   csrf_token text, created_us int, last_seen_us int, expires_us ref, successor_hash text)

-- @one session_caller(hash text) -> caller_row @all_accounts
SELECT s.account_id, s.user_id, u.status, r.permissions, r.only_own_teams, -1 AS token_permissions, s.csrf_token,
    s.created_us, s.last_seen_us, s.expires_us, coalesce(s.successor_hash, '') AS successor_hash
FROM session s
JOIN users u ON u.account_id = s.account_id AND u.id = s.user_id
JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE s.hash = :hash

-- @one token_caller(hash text) -> caller_row @all_accounts
SELECT t.account_id, t.user_id, u.status, r.permissions, r.only_own_teams, t.permissions AS token_permissions, '' AS csrf_token,
    t.created_us, coalesce(t.last_used_us, 0) AS last_seen_us, t.expires_us, '' AS successor_hash
FROM api_token t
JOIN users u ON u.account_id = t.account_id AND u.id = t.user_id
JOIN role r ON r.account_id = u.account_id AND r.id = u.role_id
WHERE t.hash = :hash AND t.revoked_us IS NULL

-- @exec session_insert(hash text, account_id int, user_id int, csrf_token text, now int, expires_us int, ip text, user_agent text)
INSERT INTO session (hash, account_id, user_id, csrf_token, created_us, last_seen_us, expires_us, ip, user_agent)
VALUES (:hash, :account_id, :user_id, :csrf_token, :now, :now, :expires_us, :ip, :user_agent)

-- @exec session_touch(account_id int, hash text, now int, expires_us int)
UPDATE session SET last_seen_us = :now, expires_us = :expires_us WHERE account_id = :account_id AND hash = :hash

-- Of several requests at once only one makes a successor.
-- @exec session_succeed(account_id int, hash text, seen_us int, successor_hash text, now int, expires_us int)
UPDATE session SET successor_hash = :successor_hash, last_seen_us = :now, expires_us = :expires_us
WHERE account_id = :account_id AND hash = :hash AND last_seen_us = :seen_us

-- The successor, not seen yet.
-- @exec session_copy(account_id int, hash text, successor_hash text, now int, expires_us int)
INSERT INTO session (hash, account_id, user_id, csrf_token, created_us, last_seen_us, expires_us, ip, user_agent)
SELECT :successor_hash, account_id, user_id, csrf_token, :now, 0, :expires_us, ip, user_agent FROM session
WHERE account_id = :account_id AND hash = :hash

-- @exec session_delete_unseen(account_id int, hash text)
DELETE FROM session WHERE account_id = :account_id AND hash = :hash AND last_seen_us = 0

-- @exec session_retire(account_id int, successor_hash text, expires_us int)
UPDATE session SET expires_us = :expires_us
WHERE account_id = :account_id AND successor_hash = :successor_hash AND expires_us > :expires_us

-- @exec session_delete(account_id int, hash text)
DELETE FROM session WHERE account_id = :account_id AND (hash = :hash OR successor_hash = :hash
    OR hash = (SELECT s.successor_hash FROM session s WHERE s.account_id = :account_id AND s.hash = :hash))

-- @exec session_delete_of_user(account_id int, user_id int, keep_hash text)
DELETE FROM session WHERE account_id = :account_id AND user_id = :user_id AND hash <> :keep_hash

-- @exec session_delete_expired(now int) @all_accounts
DELETE FROM session WHERE expires_us <= :now

-- ---- failed sign-ins ----

-- @row throttle_row(failures int, last_failure_us int, locked_until_us int)

-- @one throttle_get(key text) -> throttle_row @all_accounts
SELECT failures, last_failure_us, locked_until_us FROM login_throttle WHERE key = :key

-- @exec throttle_put(key text, failures int, now int, locked_until_us int) @all_accounts
INSERT INTO login_throttle (key, failures, last_failure_us, locked_until_us)
VALUES (:key, :failures, :now, :locked_until_us)
ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, last_failure_us = excluded.last_failure_us,
    locked_until_us = excluded.locked_until_us

-- @exec throttle_clear(key text) @all_accounts
DELETE FROM login_throttle WHERE key = :key

-- @exec throttle_forgive(key text) @all_accounts
UPDATE login_throttle SET failures = failures - 1, locked_until_us = 0 WHERE key = :key AND failures > 0

-- @exec throttle_delete_old(before int) @all_accounts
DELETE FROM login_throttle WHERE last_failure_us < :before

-- ---- API tokens ----

-- @row token_row(id int, name text, prefix text, permissions int, created_us int, last_used_us ref, expires_us ref, revoked_us ref)

-- @many token_list(account_id int, user_id int, id int, before_id int, limit int) -> token_row
SELECT id, name, prefix, permissions, created_us, last_used_us, expires_us, revoked_us FROM api_token
WHERE account_id = :account_id AND user_id = :user_id
AND id = :id -- @if id
AND id < :before_id -- @if before_id
ORDER BY id DESC
LIMIT :limit -- @if limit

-- @one token_insert(account_id int, user_id int, name text, hash text, prefix text, permissions int, now int,
--   expires_us ref) -> account_id_row
INSERT INTO api_token (account_id, user_id, name, hash, prefix, permissions, created_us, expires_us)
VALUES (:account_id, :user_id, :name, :hash, :prefix, :permissions, :now, :expires_us) RETURNING id

-- @exec token_revoke(account_id int, user_id int, id int, now int)
UPDATE api_token SET revoked_us = :now
WHERE account_id = :account_id AND user_id = :user_id AND revoked_us IS NULL
AND id = :id -- @if id

-- @exec token_used(account_id int, hash text, now int)
UPDATE api_token SET last_used_us = :now WHERE account_id = :account_id AND hash = :hash

-- ---- invitations and password links ----

-- @row link_row(account_id int, user_id int, purpose text, expires_us int, used_us ref, email text, name text, status text)

-- @one link_get(hash text) -> link_row @all_accounts
SELECT l.account_id, l.user_id, l.purpose, l.expires_us, l.used_us, u.email, u.name, u.status
FROM user_link l JOIN users u ON u.account_id = l.account_id AND u.id = l.user_id
WHERE l.hash = :hash

-- @exec link_insert(hash text, account_id int, user_id int, purpose text, expires_us int)
INSERT INTO user_link (hash, account_id, user_id, purpose, expires_us)
VALUES (:hash, :account_id, :user_id, :purpose, :expires_us)

-- @exec link_use(account_id int, hash text, now int)
UPDATE user_link SET used_us = :now
WHERE account_id = :account_id AND hash = :hash AND used_us IS NULL AND expires_us > :now

-- @exec link_delete_of_user(account_id int, user_id int)
DELETE FROM user_link WHERE account_id = :account_id AND user_id = :user_id AND used_us IS NULL
