-- 0003_idempotency.sql - old keys are found without reading all of them.

CREATE INDEX idempotency_created ON idempotency (created_us);
