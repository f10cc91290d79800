-- :blocking It is of before the first release.
-- Where the room's relay stands, and what consumers have had their effect of (events/room.h).

-- Marked events, in the order in which they are published.
CREATE INDEX :room_outbox_marked ON :room_outbox (stream, sequence) WHERE sequence IS NOT NULL;

CREATE TABLE :room_relay (
    id       :int NOT NULL PRIMARY KEY,
    source   :uuid,
    holder   :uuid,
    beat     :int NOT NULL,
    sequence :int NOT NULL
) :strict;

INSERT INTO :room_relay (id, beat, sequence) VALUES (1, 0, 0);

-- Led by the event's id, which rises with time: new rows come at the end, and the oldest are found there.
CREATE TABLE :room_effects (
    tenant_id  :uuid NOT NULL,
    consumer   :text NOT NULL,
    event_id   :uuid NOT NULL,
    applied_at :time NOT NULL,
    PRIMARY KEY (event_id, consumer, tenant_id)
) :clustered;
