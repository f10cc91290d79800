-- What users are to be told of their bookings. One row an event, which bears its id; sent_at when it was told.
CREATE TABLE notifications (
    tenant_id   :uuid NOT NULL,
    id          :uuid NOT NULL,
    user_id     :uuid NOT NULL,
    booking_id  :uuid NOT NULL,
    type        :text NOT NULL,
    payload     :json NOT NULL,
    occurred_at :time NOT NULL,
    created_at  :time NOT NULL,
    sent_at     :time,
    attempts    :int  NOT NULL,
    PRIMARY KEY (tenant_id, id)
) :strict;

-- For whoever sends: the oldest first.
CREATE INDEX notifications_unsent ON notifications (occurred_at, id) WHERE sent_at IS NULL;
