-- Tenants, resources and users that were deleted, by their ids, which are never used again. Each service tells of its own by
-- an event; from then on no booking is made for them here, whatever a cache may still know.
CREATE TABLE gone (
    tenant_id :uuid NOT NULL,
    id        :uuid NOT NULL,
    PRIMARY KEY (tenant_id, id)
) :clustered;
