-- 0002_email.sql - leases of the e-mail channel, back-fill upwards, look-up of a sender's recent mail.

-- Who follows a mailbox or works off an account's intake when several nodes share a database.
CREATE TABLE email_lease (
    account_id @int NOT NULL,
    key @text NOT NULL,                         -- 'mailbox:ID', 'intake'
    owner @text NOT NULL,                       -- one process
    until_us @int NOT NULL,                     -- free for others after this
    PRIMARY KEY (account_id, key)
);

-- Back-fill goes up from here to backfill_uid, so that a reply is read after what it answers.
ALTER TABLE mailbox_folder ADD COLUMN backfill_next @int NOT NULL DEFAULT 0;

CREATE INDEX mail_from ON mail (account_id, from_address, id);
