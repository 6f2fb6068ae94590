-- 0001_spine.sql - accounts, people, contacts, tickets, mail, journal, jobs.
--
-- One text for both databases; tools/sqlgen expands:
--   @tenant_id   the row's own id and account_id (PostgreSQL: primary key (account_id, id), so that
--                tables can be distributed by account; SQLite: the rowid)
--   @id          a primary key of a table without accounts
--   @int @ref @time @bool @text @bytes @json @real   column types.  @ref and @time may be NULL
-- Times are UTC microseconds.  References are not declared as foreign keys: distributed tables cannot
-- have them, and every change goes through one module (docs/decisions/0003-store.md).

CREATE TABLE account (
    id @id,
    name @text NOT NULL,                        -- shown to agents and in mails
    settings @json NOT NULL,                    -- JSON object: time_zone, locale, undo_seconds, quote_history …
    created_us @int NOT NULL,
    version @int NOT NULL                       -- optimistic concurrency
);

CREATE TABLE account_counter (
    account_id @int NOT NULL PRIMARY KEY,
    event_seq @int NOT NULL,                    -- last journal sequence given out
    ticket_number @int NOT NULL                 -- last ticket number given out
);

-- ---- people who work here ----

CREATE TABLE role (
    @tenant_id,
    name @text NOT NULL,                        -- "Admin", "Agent", "Restricted agent", "Viewer" or own
    permissions @int NOT NULL,                  -- bit set over enum permission
    only_own_teams @bool NOT NULL,              -- row scope: tickets of own teams and own tickets only
    builtin @bool NOT NULL,                     -- cannot be deleted
    created_us @int NOT NULL,
    version @int NOT NULL
);

CREATE TABLE users (
    @tenant_id,
    email @text NOT NULL,                       -- as written by the person
    email_folded @text NOT NULL,                -- lower case, for look-up
    name @text NOT NULL,
    password_hash @text,                        -- Argon2id; NULL: invited, no password yet
    role_id @int NOT NULL,
    status @text NOT NULL,                      -- active, invited, disabled
    locale @text NOT NULL,                      -- BCP 47, 'en'
    time_zone @text NOT NULL,                   -- IANA name, 'UTC'
    signature @text NOT NULL,                   -- Markdown appended to replies; placeholders as in the docs
    created_us @int NOT NULL,
    updated_us @int NOT NULL,
    last_seen_us @time,                         -- last signed-in request
    version @int NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (account_id, email_folded);
CREATE INDEX users_email_any ON users (email_folded);

CREATE TABLE team (
    @tenant_id,
    name @text NOT NULL,
    description @text NOT NULL,
    archived @bool NOT NULL,
    created_us @int NOT NULL,
    updated_us @int NOT NULL,
    version @int NOT NULL
);
CREATE UNIQUE INDEX team_name ON team (account_id, name);

CREATE TABLE team_member (
    account_id @int NOT NULL,
    team_id @int NOT NULL,
    user_id @int NOT NULL,
    PRIMARY KEY (account_id, team_id, user_id)
);
CREATE INDEX team_member_user ON team_member (account_id, user_id);

CREATE TABLE session (
    hash @text NOT NULL PRIMARY KEY,            -- SHA-256 of the cookie's value
    account_id @int NOT NULL,
    user_id @int NOT NULL,
    csrf_token @text NOT NULL,                  -- sent back by the page in X-CSRF-Token
    created_us @int NOT NULL,
    last_seen_us @int NOT NULL,
    expires_us @int NOT NULL,
    successor_hash @text,                       -- after rotation: valid for a short grace only
    ip @text NOT NULL,
    user_agent @text NOT NULL
);
CREATE INDEX session_by_user ON session (account_id, user_id);

CREATE TABLE api_token (
    @tenant_id,
    user_id @int NOT NULL,                      -- acts with this user's rights, cut by permissions
    name @text NOT NULL,
    hash @text NOT NULL,                        -- SHA-256 of the token
    prefix @text NOT NULL,                      -- first characters, shown so that it can be recognised
    permissions @int NOT NULL,                  -- scope: bit set; -1 all of the user's
    created_us @int NOT NULL,
    last_used_us @time,
    expires_us @time,                           -- NULL: never
    revoked_us @time
);
CREATE UNIQUE INDEX api_token_hash ON api_token (hash, account_id);
CREATE INDEX api_token_user ON api_token (account_id, user_id);

CREATE TABLE user_link (
    hash @text NOT NULL PRIMARY KEY,            -- SHA-256 of the secret in the link
    account_id @int NOT NULL,
    user_id @int NOT NULL,
    purpose @text NOT NULL,                     -- invite, reset
    expires_us @int NOT NULL,
    used_us @time
);

CREATE TABLE login_throttle (
    key @text NOT NULL PRIMARY KEY,             -- 'user:' folded e-mail, or 'ip:' address
    failures @int NOT NULL,                     -- since the last success or quiet period
    last_failure_us @int NOT NULL,
    locked_until_us @int NOT NULL               -- 0: not locked
);

-- ---- customers ----

CREATE TABLE organization (
    @tenant_id,
    name @text NOT NULL,
    notes @text NOT NULL,
    fields @json NOT NULL,                      -- custom fields, JSON object
    created_us @int NOT NULL,
    updated_us @int NOT NULL,
    version @int NOT NULL
);
CREATE INDEX organization_name ON organization (account_id, name, id);

CREATE TABLE organization_domain (
    account_id @int NOT NULL,
    domain @text NOT NULL,                      -- lower case; new contacts of it join the organization
    organization_id @int NOT NULL,
    PRIMARY KEY (account_id, domain)
);
CREATE INDEX organization_domain_of ON organization_domain (account_id, organization_id);

CREATE TABLE contact (
    @tenant_id,
    name @text NOT NULL,                        -- '' when only an address is known
    name_folded @text NOT NULL,                 -- lower case, for look-up
    organization_id @ref,
    language @text NOT NULL,                    -- BCP 47 or ''
    time_zone @text NOT NULL,                   -- IANA name or ''
    notes @text NOT NULL,
    fields @json NOT NULL,                      -- custom fields, JSON object
    blocked @bool NOT NULL,                     -- mail is stored and logged as spam
    merged_into @ref,                           -- another contact that took over its identities
    created_us @int NOT NULL,
    updated_us @int NOT NULL,
    version @int NOT NULL
);
CREATE INDEX contact_organization ON contact (account_id, organization_id, id);

CREATE TABLE contact_identity (
    @tenant_id,
    contact_id @int NOT NULL,
    kind @text NOT NULL,                        -- email, phone, external
    value @text NOT NULL,                       -- as first seen
    value_folded @text NOT NULL,                -- for look-up: e-mail in lower case, phone as digits
    is_primary @bool NOT NULL,                  -- of its kind
    created_us @int NOT NULL
);
CREATE UNIQUE INDEX contact_identity_value ON contact_identity (account_id, kind, value_folded);
CREATE INDEX contact_identity_contact ON contact_identity (account_id, contact_id);

-- ---- tickets ----

CREATE TABLE tag (
    @tenant_id,
    name @text NOT NULL,
    name_folded @text NOT NULL,
    created_us @int NOT NULL
);
CREATE UNIQUE INDEX tag_name ON tag (account_id, name_folded);

CREATE TABLE ticket (
    @tenant_id,
    number @int NOT NULL,                       -- 1, 2, 3 … in the account
    subject @text NOT NULL,
    status @text NOT NULL,                      -- new, open, pending, on_hold, resolved, closed
    priority @text NOT NULL,                    -- urgent, high, normal, low
    severity @text,                             -- sev1 … sev4, or NULL
    type @text NOT NULL,                        -- question, incident, problem, task, feature_request
    channel @text NOT NULL,                     -- of the first message: email, web, api, import
    team_id @ref,
    assignee_id @ref,
    requester_id @int NOT NULL,                 -- contact
    mailbox_id @ref,                            -- through which it came and replies leave
    unresolved @bool NOT NULL,                  -- status is not resolved or closed (backlog)
    spam @bool NOT NULL,                        -- counts nowhere
    merged_into @ref,                           -- ticket that took over its messages; counts nowhere
    follow_up_of @ref,                          -- closed ticket that this one continues
    preview @text NOT NULL,                     -- start of the newest public message, one line
    message_count @int NOT NULL,                -- of both visibilities
    created_us @int NOT NULL,
    updated_us @int NOT NULL,                   -- any change
    activity_us @int NOT NULL,                  -- newest message; the order of lists
    customer_us @time,                          -- newest message of a customer
    agent_us @time,                             -- newest public reply of a human agent
    first_reply_us @time,                       -- first public reply of a human agent (FRT)
    first_resolved_us @time,
    resolved_us @time,                          -- last time it became resolved
    closed_us @time,
    reopened_count @int NOT NULL,
    fields @json NOT NULL,                      -- custom fields, JSON object
    version @int NOT NULL
);
CREATE UNIQUE INDEX ticket_number ON ticket (account_id, number);
-- A list of several statuses is the merge of one range for each, so that any view costs the same at any size.
CREATE INDEX ticket_status ON ticket (account_id, status, spam, activity_us, id);
CREATE INDEX ticket_team ON ticket (account_id, team_id, status, spam, activity_us, id);
CREATE INDEX ticket_assignee ON ticket (account_id, assignee_id, status, spam, activity_us, id);
CREATE INDEX ticket_requester ON ticket (account_id, requester_id, activity_us, id);
CREATE INDEX ticket_created ON ticket (account_id, created_us, id);

CREATE TABLE ticket_tag (
    account_id @int NOT NULL,
    ticket_id @int NOT NULL,
    tag_id @int NOT NULL,
    PRIMARY KEY (account_id, ticket_id, tag_id)
);
CREATE INDEX ticket_tag_tag ON ticket_tag (account_id, tag_id, ticket_id);

CREATE TABLE ticket_participant (
    account_id @int NOT NULL,
    ticket_id @int NOT NULL,
    contact_id @int NOT NULL,
    role @text NOT NULL,                        -- cc: gets replies; past: took part, no longer copied
    added_us @int NOT NULL,
    PRIMARY KEY (account_id, ticket_id, contact_id)
);
CREATE INDEX ticket_participant_contact ON ticket_participant (account_id, contact_id);

-- Numbers for the views, kept in the transaction that changes a ticket.
CREATE TABLE ticket_count (
    account_id @int NOT NULL,
    status @text NOT NULL,
    team_id @int NOT NULL,                      -- 0: none
    assignee_id @int NOT NULL,                  -- 0: none
    n @int NOT NULL,                            -- tickets, without spam and merged ones
    PRIMARY KEY (account_id, status, team_id, assignee_id)
);

CREATE TABLE message (
    @tenant_id,
    ticket_id @int NOT NULL,
    visibility @text NOT NULL,                  -- public, internal
    author_kind @text NOT NULL,                 -- contact, user, system
    author_id @ref,                             -- contact or user, by author_kind
    channel @text NOT NULL,                     -- email, web, api, import
    automatic @bool NOT NULL,                   -- automatic reply, out of office, delivery report: never the customer's answer
    subject @text NOT NULL,                     -- of the mail; '' elsewhere
    body_text @text NOT NULL,                   -- what was newly written, as plain text
    body_html @text,                            -- the same, cleaned; NULL when there was no HTML
    quoted_text @text,                          -- folded history and signature as plain text; NULL: none
    quoted_html @text,                          -- the whole cleaned HTML when something is folded; NULL: none
    addresses @json NOT NULL,                   -- {"from": {…}, "to": […], "cc": […], "bcc": […], "reply_to": […]}
    mail_id @ref,                               -- its row in mail
    delivery @text NOT NULL,                    -- none, held, queued, sent, failed, bounced, cancelled
    delivery_detail @text NOT NULL,             -- server's answer or reason
    send_at_us @time,                           -- undo window or send later: not before
    created_us @int NOT NULL,                   -- when it was written (mail: received)
    version @int NOT NULL
);
CREATE INDEX message_ticket ON message (account_id, ticket_id, id);

CREATE TABLE attachment (
    @tenant_id,
    ticket_id @ref,
    message_id @ref,                            -- NULL: uploaded, not yet used
    user_id @ref,                               -- who uploaded it; NULL: came by mail
    file_name @text NOT NULL,                   -- base name, cleaned
    content_type @text NOT NULL,                -- type/subtype in lower case
    size_bytes @int NOT NULL,
    hash @text NOT NULL,                        -- blob
    content_id @text,                           -- of an inline picture, without angle brackets
    inline @bool NOT NULL,                      -- shown in the body
    created_us @int NOT NULL
);
CREATE INDEX attachment_message ON attachment (account_id, message_id);
CREATE INDEX attachment_ticket ON attachment (account_id, ticket_id);
CREATE INDEX attachment_hash ON attachment (hash);

-- ---- e-mail ----

CREATE TABLE mailbox (
    @tenant_id,
    name @text NOT NULL,                        -- shown to agents
    address @text NOT NULL,                     -- public address; replies leave from it
    address_folded @text NOT NULL,
    from_name @text NOT NULL,                   -- display name of outgoing mail; '' = account name
    team_id @ref,                               -- new tickets go here
    active @bool NOT NULL,
    in_kind @text NOT NULL,                     -- imap, pop3, none (LMTP, pipe, forwarding)
    in_host @text NOT NULL,
    in_port @int NOT NULL,
    in_security @text NOT NULL,                 -- tls, starttls, none
    in_auth @text NOT NULL,                     -- password, xoauth2
    in_user @text NOT NULL,
    in_secret @text,                            -- sealed password
    in_folder @text NOT NULL,                   -- INBOX
    in_trusted_host @text NOT NULL,             -- authserv-id whose Authentication-Results are believed; '' none
    out_kind @text NOT NULL,                    -- smtp, none
    out_host @text NOT NULL,
    out_port @int NOT NULL,
    out_security @text NOT NULL,                -- tls, starttls, none
    out_auth @text NOT NULL,                    -- password, xoauth2, none
    out_user @text NOT NULL,
    out_secret @text,                           -- sealed password
    oauth @text,                                -- sealed JSON: token_url, client_id, client_secret, refresh_token, access_token, expires_us
    dkim_domain @text NOT NULL,
    dkim_selector @text NOT NULL,
    dkim_key @text,                             -- sealed PEM; NULL: not signed
    signature @text NOT NULL,                   -- Markdown; placeholders as in the docs
    quote_history @bool NOT NULL,               -- outgoing replies carry the earlier message
    undo_seconds @int NOT NULL,                 -- a reply leaves after this long
    backfill_since_us @time,                    -- fetch mail this old and newer; NULL: only new mail
    state @text NOT NULL,                       -- unknown, ok, failing
    state_detail @text NOT NULL,                -- last error, readable
    state_us @time,                             -- since when
    created_us @int NOT NULL,
    updated_us @int NOT NULL,
    version @int NOT NULL
);
CREATE UNIQUE INDEX mailbox_address ON mailbox (account_id, address_folded);

CREATE TABLE mailbox_folder (
    account_id @int NOT NULL,
    mailbox_id @int NOT NULL,
    folder @text NOT NULL,
    uid_validity @int NOT NULL,
    next_uid @int NOT NULL,                     -- everything below was fetched and stored (or is older than the start)
    mod_seq @int NOT NULL,                      -- CONDSTORE; 0 unknown
    backfill_uid @int NOT NULL,                 -- back-fill goes down from here; 0 done
    PRIMARY KEY (account_id, mailbox_id, folder)
);

CREATE TABLE mailbox_seen (
    account_id @int NOT NULL,
    mailbox_id @int NOT NULL,
    uidl @text NOT NULL,                        -- POP3 unique id that was stored
    seen_us @int NOT NULL,
    PRIMARY KEY (account_id, mailbox_id, uidl)
);

-- The mail log: one row for each message in and out, from receipt on.
CREATE TABLE mail (
    @tenant_id,
    direction @text NOT NULL,                   -- in, out
    state @text NOT NULL,                       -- in: received, stored, duplicate, swallowed, quarantined; out: held, queued, sending, sent, failed, bounced, cancelled
    verdict @text NOT NULL,                     -- human, auto_reply, out_of_office, delivery_report, list, own_loop, spam, or '' before it is known
    evidence @json NOT NULL,                    -- list of what was found, strongest first
    rule @text NOT NULL,                        -- which rule chose the ticket: token, references, thread_index, subject_number, follow_up, forwarded, new, none
    score @int NOT NULL,                        -- of the winning evidence, 0-100
    source @text NOT NULL,                      -- imap, pop3, lmtp, pipe, import, reply, auto
    source_ref @text NOT NULL,                  -- folder and UID, client address, file …
    mailbox_id @ref,
    raw_hash @text NOT NULL,                    -- blob of the message as received or sent; '' not composed yet
    size_bytes @int NOT NULL,
    content_hash @text NOT NULL,                -- of the parts that relays do not change: for duplicates
    header_message_id @text NOT NULL,           -- without angle brackets
    from_address @text NOT NULL,
    to_addresses @json NOT NULL,                -- envelope and header recipients
    subject @text NOT NULL,
    detail @text NOT NULL,                      -- reason of quarantine, server's answer …
    attempts @int NOT NULL,
    ticket_id @ref,
    message_id @ref,
    duplicate_of @ref,                          -- mail row
    job_id @ref,                                -- out: the job that sends it
    created_us @int NOT NULL,                   -- received or written
    updated_us @int NOT NULL
);
CREATE INDEX mail_header ON mail (account_id, header_message_id);
CREATE INDEX mail_state ON mail (account_id, state, id);
CREATE INDEX mail_ticket ON mail (account_id, ticket_id, id);

-- Everything by which a later mail can be joined to a ticket.
CREATE TABLE mail_reference (
    account_id @int NOT NULL,
    kind @text NOT NULL,                        -- message_id, thread_index
    value @text NOT NULL,
    ticket_id @int NOT NULL,
    message_id @ref,
    created_us @int NOT NULL,
    PRIMARY KEY (account_id, kind, value)
);

CREATE TABLE suppression (
    @tenant_id,
    address_folded @text NOT NULL,
    reason @text NOT NULL,                      -- hard_bounce, soft_bounces, complaint, manual
    detail @text NOT NULL,                      -- status code and text of the report
    mail_id @ref,                               -- the report
    soft_count @int NOT NULL,                   -- soft bounces counted so far
    active @bool NOT NULL,                      -- false: only counting
    created_us @int NOT NULL,
    expires_us @time                            -- NULL: never
);
CREATE UNIQUE INDEX suppression_address ON suppression (account_id, address_folded);

CREATE TABLE auto_mail_rate (
    account_id @int NOT NULL,
    key @text NOT NULL,                         -- 'address:…', 'ticket:…', 'all'
    window_us @int NOT NULL,                    -- start of the hour
    n @int NOT NULL,
    PRIMARY KEY (account_id, key, window_us)
);

-- ---- platform ----

CREATE TABLE event (
    account_id @int NOT NULL,
    seq @int NOT NULL,                          -- 1, 2, 3 … without gaps in the account
    at_us @int NOT NULL,
    type @text NOT NULL,                        -- 'ticket.created'
    ticket_id @ref,
    team_id @ref,                               -- of the ticket at that time
    assignee_id @ref,                           -- of the ticket at that time
    subject_id @ref,                            -- the thing itself: message, contact, user …
    actor_id @ref,                              -- user
    actor @text NOT NULL,                       -- user, token, system, contact
    data @json NOT NULL,                        -- JSON object
    PRIMARY KEY (account_id, seq)
);
CREATE INDEX event_ticket ON event (account_id, ticket_id, seq);

CREATE TABLE consumer_cursor (
    account_id @int NOT NULL,
    consumer @text NOT NULL,
    seq @int NOT NULL,                          -- last event that was handled
    failures @int NOT NULL,                     -- in a row
    retry_us @int NOT NULL,                     -- not before; 0 at once
    last_error @text NOT NULL,
    PRIMARY KEY (account_id, consumer)
);

CREATE TABLE job (
    @tenant_id,
    kind @text NOT NULL,
    key @text NOT NULL,                         -- '' or unique among waiting and running jobs of the kind
    payload @json NOT NULL,
    state @text NOT NULL,                       -- waiting, running, done, dead, cancelled
    run_at_us @int NOT NULL,
    attempt @int NOT NULL,
    max_attempts @int NOT NULL,
    lease_until_us @int NOT NULL,               -- running: taken over by others after this
    lease_owner @text NOT NULL,
    last_error @text NOT NULL,
    created_us @int NOT NULL,
    updated_us @int NOT NULL
);
CREATE INDEX job_due ON job (state, kind, run_at_us);
CREATE UNIQUE INDEX job_key ON job (account_id, kind, key) WHERE key <> '' AND state IN ('waiting', 'running');

CREATE TABLE idempotency (
    account_id @int NOT NULL,
    user_id @int NOT NULL,
    key @text NOT NULL,                         -- header Idempotency-Key
    request_hash @text NOT NULL,                -- method, path and body
    status @int NOT NULL,
    body @text NOT NULL,
    created_us @int NOT NULL,                   -- kept for 24 hours
    PRIMARY KEY (account_id, user_id, key)
);

CREATE TABLE blob (
    hash @text NOT NULL PRIMARY KEY,            -- SHA-256, hex
    size_bytes @int NOT NULL,
    data @bytes                                 -- NULL: a file in DIR/blobs
);
