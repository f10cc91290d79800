-- :include events/room.h
-- :include audit/audit.h

-- :name  audit_event_insert :none
-- :scope tenant
-- :together
-- :in    struct audit_event: tenant_id:uuid number:int event_id:uuid stream:text sequence:int type:text subject_id:uuid
--        version:int ordinal:int occurred_at:time trace_id:text payload:text recorded_at:time payload_hash:text hash:text
-- Refused when the chain has that number: somebody else was faster.
INSERT INTO audit_events (tenant_id, number, event_id, stream, sequence, type, subject_id, version, ordinal,
                          occurred_at, trace_id, payload, recorded_at, payload_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- :name  audit_erase :none
-- :scope tenant
-- :in    tenant_id:uuid subject_id:uuid payload:text erased_at:time
-- What events said of a person in his own words or others'. Their place in the chain, and their hashes, stay.
UPDATE audit_events SET payload = $3, erased_at = $4
 WHERE tenant_id = $1 AND subject_id = $2 AND type IN ('booking.updated', 'booking.cancelled') AND erased_at IS NULL;

-- :name  audit_head_set :none
-- :scope tenant
-- :together
-- :in    struct audit_head: tenant_id:uuid number:int hash:text
INSERT INTO audit_heads (tenant_id, number, hash) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO UPDATE SET number = excluded.number, hash = excluded.hash;

-- :name  audit_head_read :maybe
-- :scope tenant
-- :together by tenant_id
-- :in    tenant_id:uuid
-- :out   struct audit_head: tenant_id:uuid number:int hash:text
SELECT h.tenant_id, h.number, h.hash FROM audit_heads h WHERE h.tenant_id = $1;

-- :name  audit_event_find :maybe
-- :scope tenant
-- :in    tenant_id:uuid event_id:uuid
-- :out   number:int
SELECT e.number FROM audit_events e WHERE e.tenant_id = $1 AND e.event_id = $2;

-- What `marca audit verify` goes by.

-- :name  audit_next_head :maybe
-- :scope operator
-- :in    from:uuid
-- :out   tenant_id:uuid
-- The first tenant from that id on that has a head.
SELECT h.tenant_id FROM audit_heads h WHERE h.tenant_id >= $1 ORDER BY h.tenant_id LIMIT 1;

-- :name  audit_next_chain :maybe
-- :scope operator
-- :in    from:uuid
-- :out   tenant_id:uuid
-- The first tenant from that id on that has a row: without a head it is not among the above.
SELECT e.tenant_id FROM audit_events e WHERE e.tenant_id >= $1 ORDER BY e.tenant_id LIMIT 1;

-- :name  audit_chain :many
-- :scope tenant
-- :in    tenant_id:uuid from:int limit:int
-- :out   struct audit_event: tenant_id:uuid number:int event_id:uuid stream:text sequence:int type:text subject_id:uuid
--        version:int ordinal:int occurred_at:time trace_id:text payload:text recorded_at:time payload_hash:text hash:text
--        erased_at:time?
SELECT e.tenant_id, e.number, e.event_id, e.stream, e.sequence, e.type, e.subject_id, e.version, e.ordinal,
       e.occurred_at, e.trace_id, e.payload, e.recorded_at, e.payload_hash, e.hash,
       e.erased_at
  FROM audit_events e
 WHERE e.tenant_id = $1 AND e.number >= $2
 ORDER BY e.number
 LIMIT $3;

-- A page of the list: by number, after the last row of the page before, up to `last`.

-- :name  audit_window :one
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid since:time before:time
-- :out   first:int? last:int?
-- Between which numbers lies what happened in that time? Events come in the order in which they were recorded, which is
-- nearly that of time, not quite. Reads as much of the index as the window holds.
SELECT MIN(e.number), MAX(e.number)
  FROM audit_events e
 WHERE e.tenant_id = $1 AND e.occurred_at >= $2 AND e.occurred_at < $3;

-- :name  audit_of_tenant :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid after:int last:int since:time before:time limit:int
-- :out   struct audit_event: tenant_id:uuid number:int event_id:uuid stream:text sequence:int type:text subject_id:uuid
--        version:int ordinal:int occurred_at:time trace_id:text payload:text recorded_at:time payload_hash:text hash:text
--        erased_at:time?
SELECT e.tenant_id, e.number, e.event_id, e.stream, e.sequence, e.type, e.subject_id, e.version, e.ordinal,
       e.occurred_at, e.trace_id, e.payload, e.recorded_at, e.payload_hash, e.hash,
       e.erased_at
  FROM audit_events e
 WHERE e.tenant_id = $1 AND e.number > $2 AND e.number <= $3 AND e.occurred_at >= $4 AND e.occurred_at < $5
 ORDER BY e.number
 LIMIT $6;

-- :name  audit_of_type :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid after:int last:int since:time before:time limit:int type:text
-- :out   struct audit_event: tenant_id:uuid number:int event_id:uuid stream:text sequence:int type:text subject_id:uuid
--        version:int ordinal:int occurred_at:time trace_id:text payload:text recorded_at:time payload_hash:text hash:text
--        erased_at:time?
SELECT e.tenant_id, e.number, e.event_id, e.stream, e.sequence, e.type, e.subject_id, e.version, e.ordinal,
       e.occurred_at, e.trace_id, e.payload, e.recorded_at, e.payload_hash, e.hash,
       e.erased_at
  FROM audit_events e
 WHERE e.tenant_id = $1 AND e.type = $7 AND e.number > $2 AND e.number <= $3 AND e.occurred_at >= $4
   AND e.occurred_at < $5
 ORDER BY e.number
 LIMIT $6;

-- :name  audit_of_subject :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid after:int last:int since:time before:time limit:int subject_id:uuid type:text?
-- :out   struct audit_event: tenant_id:uuid number:int event_id:uuid stream:text sequence:int type:text subject_id:uuid
--        version:int ordinal:int occurred_at:time trace_id:text payload:text recorded_at:time payload_hash:text hash:text
--        erased_at:time?
-- And of one type.
SELECT e.tenant_id, e.number, e.event_id, e.stream, e.sequence, e.type, e.subject_id, e.version, e.ordinal,
       e.occurred_at, e.trace_id, e.payload, e.recorded_at, e.payload_hash, e.hash,
       e.erased_at
  FROM audit_events e
 WHERE e.tenant_id = $1 AND e.subject_id = $7 AND e.number > $2 AND e.number <= $3 AND e.occurred_at >= $4
   AND e.occurred_at < $5 AND ($8 IS NULL OR e.type = $8)
 ORDER BY e.number
 LIMIT $6;
