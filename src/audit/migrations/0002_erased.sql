-- When the payload was erased at a person's request; NULL: it stands. Its hash stays in the chain.
ALTER TABLE audit_events ADD COLUMN erased_at :time;
