-- What happened, a chain a tenant: only added to. Payloads are texts as they were delivered, byte for byte, for the
-- hashes are over those bytes.
CREATE TABLE audit_events (
    tenant_id    :uuid NOT NULL,
    number       :int  NOT NULL,
    event_id     :uuid NOT NULL,
    stream       :text NOT NULL,
    sequence     :int  NOT NULL,
    type         :text NOT NULL,
    subject_id   :uuid NOT NULL,
    version      :int  NOT NULL,
    ordinal      :int  NOT NULL,
    occurred_at  :time NOT NULL,
    trace_id     :text NOT NULL,
    payload      :text NOT NULL,
    recorded_at  :time NOT NULL,
    payload_hash :text NOT NULL,
    hash         :text NOT NULL,
    PRIMARY KEY (tenant_id, number)
) :strict;

CREATE UNIQUE INDEX audit_events_id ON audit_events (tenant_id, event_id);

CREATE INDEX audit_events_by_subject ON audit_events (tenant_id, subject_id, number);

CREATE INDEX audit_events_by_type ON audit_events (tenant_id, type, number);

CREATE INDEX audit_events_by_time ON audit_events (tenant_id, occurred_at, number);

-- Where each chain ends: what the next row is hashed with, and what a truncation is seen by.
CREATE TABLE audit_heads (
    tenant_id :uuid NOT NULL PRIMARY KEY,
    number    :int  NOT NULL,
    hash      :text NOT NULL
) :clustered;

-- Led by the event's id, which rises with time.
CREATE TABLE audit_effects (
    tenant_id  :uuid NOT NULL,
    consumer   :text NOT NULL,
    event_id   :uuid NOT NULL,
    applied_at :time NOT NULL,
    PRIMARY KEY (event_id, consumer, tenant_id)
) :clustered;
