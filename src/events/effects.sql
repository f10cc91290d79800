-- :include events/room.h

-- What every room has that a consumer group works for.

-- :name  :room_effect_add :none
-- :scope tenant
-- :together
-- :in    struct effect: tenant_id:uuid consumer:text event_id:uuid applied_at:time
-- Refused when it is there: then the effect has been.
INSERT INTO :room_effects (tenant_id, consumer, event_id, applied_at) VALUES ($1, $2, $3, $4);

-- :name  :room_effect_find :maybe
-- :scope tenant
-- :together by event_id
-- :in    struct effect_find: tenant_id:uuid consumer:text event_id:uuid
-- :out   struct effect: applied_at:time
SELECT e.applied_at FROM :room_effects e WHERE e.tenant_id = $1 AND e.consumer = $2 AND e.event_id = $3;

-- :name  :room_effects_purge :many
-- :scope global
-- :because What is older than the retention is let go, whosever it is.
-- :in    struct effects_purge: before:uuid limit:int
-- :out   struct effect: event_id:uuid
DELETE FROM :room_effects
 WHERE event_id IN (SELECT e.event_id FROM :room_effects e WHERE e.event_id < $1 ORDER BY e.event_id LIMIT $2)
RETURNING event_id;
