-- How the token is signed that goes with a delivery: the vendor's choice.

ALTER TABLE outbox ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'ES384';
