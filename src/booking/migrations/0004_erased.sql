-- Bookings of which a person's words were erased, for as long as streams may still have events with them.
CREATE TABLE erased (
    tenant_id :uuid NOT NULL,
    id        :uuid NOT NULL,
    PRIMARY KEY (tenant_id, id)
) :clustered;
