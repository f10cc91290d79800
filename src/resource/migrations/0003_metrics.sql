-- What became of the bookings of each resource, counted from their events.
CREATE TABLE resource_metrics (
    tenant_id          :uuid NOT NULL,
    resource_id        :uuid NOT NULL,
    bookings_created   :int  NOT NULL,
    bookings_cancelled :int  NOT NULL,
    bookings_updated   :int  NOT NULL,
    last_event_at      :time NOT NULL,
    PRIMARY KEY (tenant_id, resource_id)
) :strict;
