-- Led by the event's id, which rises with time.
CREATE TABLE audit_effects (
    tenant_id  :uuid NOT NULL,
    consumer   :text NOT NULL,
    event_id   :uuid NOT NULL,
    applied_at :time NOT NULL,
    PRIMARY KEY (event_id, consumer, tenant_id)
) :clustered;
