-- contacts.sql - every statement of contacts, identities and organizations.

-- @row contact_row(id int, name text, organization_id ref, organization_name text, language text, time_zone text, notes text,
--   fields text, blocked bool, merged_into ref, created_us int, updated_us int, version int, email text)

-- @one contact_get(account_id int, id int) -> contact_row
SELECT c.id, c.name, c.organization_id, coalesce(o.name, '') AS organization_name, c.language, c.time_zone, c.notes, c.fields,
    c.blocked, c.merged_into, c.created_us, c.updated_us, c.version,
    coalesce((SELECT min(p.value) FROM contact_identity p WHERE p.account_id = c.account_id AND p.contact_id = c.id
        AND p.kind = 'email' AND p.is_primary = 1), '') AS email
FROM contact c LEFT JOIN organization o ON o.account_id = c.account_id AND o.id = c.organization_id
WHERE c.account_id = :account_id AND c.id = :id

-- @many contact_list(account_id int, pattern text?, organization_id int, email_folded text?, before_id int, limit int) -> contact_row
SELECT c.id, c.name, c.organization_id, coalesce(o.name, '') AS organization_name, c.language, c.time_zone, c.notes, c.fields,
    c.blocked, c.merged_into, c.created_us, c.updated_us, c.version,
    coalesce((SELECT min(p.value) FROM contact_identity p WHERE p.account_id = c.account_id AND p.contact_id = c.id
        AND p.kind = 'email' AND p.is_primary = 1), '') AS email
FROM contact c LEFT JOIN organization o ON o.account_id = c.account_id AND o.id = c.organization_id
WHERE c.account_id = :account_id AND c.merged_into IS NULL
AND c.id < :before_id -- @if before_id
AND c.organization_id = :organization_id -- @if organization_id
AND c.id IN (SELECT i.contact_id FROM contact_identity i WHERE i.account_id = :account_id AND i.kind = 'email' AND i.value_folded = :email_folded) -- @if email_folded
AND (c.name_folded LIKE :pattern ESCAPE '!' OR EXISTS (SELECT 1 FROM contact_identity i WHERE i.account_id = c.account_id AND i.contact_id = c.id AND i.value_folded LIKE :pattern ESCAPE '!')) -- @if pattern
ORDER BY c.id DESC LIMIT :limit

-- @row contact_found_row(id int, organization_id ref, name text, blocked bool, email text)

-- @one contact_by_identity(account_id int, kind text, value_folded text) -> contact_found_row
SELECT c.id, c.organization_id, c.name, c.blocked,
    CASE WHEN i.kind = 'email' AND i.is_primary = 1 THEN i.value ELSE
        coalesce((SELECT min(p.value) FROM contact_identity p WHERE p.account_id = c.account_id AND p.contact_id = c.id
            AND p.kind = 'email' AND p.is_primary = 1), '') END AS email
FROM contact_identity i JOIN contact c ON c.account_id = i.account_id AND c.id = i.contact_id
WHERE i.account_id = :account_id AND i.kind = :kind AND i.value_folded = :value_folded

-- @row contact_id_row(id int)

-- @one contact_insert(account_id int, name text, name_folded text, organization_id ref, language text, time_zone text, notes text,
--   fields text, now int) -> contact_id_row
INSERT INTO contact (account_id, name, name_folded, organization_id, language, time_zone, notes, fields, blocked,
    created_us, updated_us, version)
VALUES (:account_id, :name, :name_folded, :organization_id, :language, :time_zone, :notes, :fields, 0, :now, :now, 1)
RETURNING id

-- @exec contact_update(account_id int, id int, name text, name_folded text, organization_id ref, language text, time_zone text,
--   notes text, fields text, blocked bool, now int)
UPDATE contact SET name = :name, name_folded = :name_folded, organization_id = :organization_id, language = :language,
    time_zone = :time_zone, notes = :notes, fields = :fields, blocked = :blocked, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @exec contact_set_name(account_id int, id int, name text, name_folded text, now int)
UPDATE contact SET name = :name, name_folded = :name_folded, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @exec contact_delete_new(account_id int, id int)
DELETE FROM contact WHERE account_id = :account_id AND id = :id

-- Also those that were merged into `from` before.
-- @exec contact_set_merged(account_id int, from_id int, into_id int, now int)
UPDATE contact SET merged_into = :into_id, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND (id = :from_id OR merged_into = :from_id)

-- ---- identities ----

-- @row identity_row(id int, contact_id int, kind text, value text, value_folded text, is_primary bool)

-- @many identity_list(account_id int, contact_ids text) -> identity_row
SELECT id, contact_id, kind, value, value_folded, is_primary FROM contact_identity
WHERE account_id = :account_id
-- @sqlite
AND contact_id IN (SELECT value FROM json_each(:contact_ids))
-- @postgres
AND contact_id IN (SELECT value::bigint FROM jsonb_array_elements_text(CAST(:contact_ids AS jsonb)))
-- @both
ORDER BY id

-- 0 rows: somebody has it.
-- @exec identity_insert(account_id int, contact_id int, kind text, value text, value_folded text, is_primary bool, now int)
INSERT INTO contact_identity (account_id, contact_id, kind, value, value_folded, is_primary, created_us)
VALUES (:account_id, :contact_id, :kind, :value, :value_folded, :is_primary, :now) ON CONFLICT DO NOTHING

-- @exec identity_delete(account_id int, contact_id int, id int)
DELETE FROM contact_identity WHERE account_id = :account_id AND contact_id = :contact_id AND id = :id

-- @exec identity_move(account_id int, from_id int, into_id int)
UPDATE contact_identity SET contact_id = :into_id, is_primary = 0 WHERE account_id = :account_id AND contact_id = :from_id

-- @exec identity_set_primary(account_id int, contact_id int, kind text, id int)
UPDATE contact_identity SET is_primary = CASE WHEN id = :id THEN 1 ELSE 0 END
WHERE account_id = :account_id AND contact_id = :contact_id AND kind = :kind

-- ---- for other modules ----

-- @row contact_brief_row(id int, name text, email text, organization_id ref, organization_name text)

-- @many contact_brief_list(account_id int, ids text) -> contact_brief_row
SELECT c.id, c.name,
    coalesce((SELECT min(p.value) FROM contact_identity p WHERE p.account_id = c.account_id AND p.contact_id = c.id
        AND p.kind = 'email' AND p.is_primary = 1), '') AS email,
    c.organization_id, coalesce(o.name, '') AS organization_name
FROM contact c LEFT JOIN organization o ON o.account_id = c.account_id AND o.id = c.organization_id
WHERE c.account_id = :account_id
-- @sqlite
AND c.id IN (SELECT value FROM json_each(:ids))
-- @postgres
AND c.id IN (SELECT value::bigint FROM jsonb_array_elements_text(CAST(:ids AS jsonb)))
-- @both

-- ---- organizations ----

-- @row organization_row(id int, name text, notes text, fields text, created_us int, updated_us int, version int)

-- @one organization_get(account_id int, id int) -> organization_row
SELECT id, name, notes, fields, created_us, updated_us, version FROM organization WHERE account_id = :account_id AND id = :id

-- @many organization_list(account_id int, pattern text?, before_id int, limit int) -> organization_row
SELECT id, name, notes, fields, created_us, updated_us, version FROM organization
WHERE account_id = :account_id
AND id < :before_id -- @if before_id
AND (lower(name) LIKE :pattern ESCAPE '!' OR id IN (SELECT d.organization_id FROM organization_domain d WHERE d.account_id = :account_id AND d.domain LIKE :pattern ESCAPE '!')) -- @if pattern
ORDER BY id DESC LIMIT :limit

-- @one organization_insert(account_id int, name text, notes text, fields text, now int) -> contact_id_row
INSERT INTO organization (account_id, name, notes, fields, created_us, updated_us, version)
VALUES (:account_id, :name, :notes, :fields, :now, :now, 1) RETURNING id

-- @exec organization_update(account_id int, id int, name text, notes text, fields text, now int)
UPDATE organization SET name = :name, notes = :notes, fields = :fields, updated_us = :now, version = version + 1
WHERE account_id = :account_id AND id = :id

-- @row organization_domain_row(domain text, organization_id int)

-- @many organization_domain_list(account_id int, organization_ids text) -> organization_domain_row
SELECT domain, organization_id FROM organization_domain
WHERE account_id = :account_id
-- @sqlite
AND organization_id IN (SELECT value FROM json_each(:organization_ids))
-- @postgres
AND organization_id IN (SELECT value::bigint FROM jsonb_array_elements_text(CAST(:organization_ids AS jsonb)))
-- @both
ORDER BY domain

-- @one organization_of_domain(account_id int, domain text) -> organization_domain_row
SELECT domain, organization_id FROM organization_domain WHERE account_id = :account_id AND domain = :domain

-- 0 rows: another organization has it.
-- @exec organization_domain_add(account_id int, domain text, organization_id int)
INSERT INTO organization_domain (account_id, domain, organization_id) VALUES (:account_id, :domain, :organization_id)
ON CONFLICT DO NOTHING

-- @exec organization_domain_clear(account_id int, organization_id int)
DELETE FROM organization_domain WHERE account_id = :account_id AND organization_id = :organization_id
