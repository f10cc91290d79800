-- :because An outbox is every tenant's; only the relay reads it.
-- :include events/room.h

-- What every room that writes events has. Of all tenants: a relay serves the database as a whole.

-- :name  :room_relay_read :one
-- :scope global
-- :out   struct relay_state: source:uuid? holder:uuid? beat:int sequence:int
SELECT r.source, r.holder, r.beat, r.sequence FROM :room_relay r WHERE r.id = 1;

-- :name  :room_relay_take :maybe
-- :scope global
-- :in    struct relay_take: holder:uuid beat:int
-- :out   struct relay_sequence: sequence:int
-- The lease goes to whoever saw that nobody uses it.
UPDATE :room_relay SET holder = $1, beat = beat + 1 WHERE id = 1 AND beat = $2
RETURNING sequence;

-- :name  :room_relay_give :none
-- :scope global
-- :in    struct relay_holder: holder:uuid
UPDATE :room_relay SET holder = NULL, beat = beat + 1 WHERE id = 1 AND holder = $1;

-- :name  :room_relay_hold :maybe
-- :scope global
-- :in    struct relay_hold: holder:uuid least:int
-- :out   struct relay_sequence: sequence:int
-- A sign of life, and the lock under which events are marked. No row: the lease is another's, or the database was set
-- back to before what its streams have had of it.
UPDATE :room_relay SET beat = beat + 1 WHERE id = 1 AND holder = $1 AND sequence >= $2
RETURNING sequence;

-- :name  :room_relay_waiting :maybe
-- :scope global
-- :out   struct relay_sequence: sequence:int
-- Is any event not marked yet?
SELECT 1 FROM :room_outbox o WHERE o.sequence IS NULL ORDER BY o.created_at, o.subject_id, o.ordinal LIMIT 1;

-- :name  :room_outbox_backlog :one
-- :scope global
-- :in    struct outbox_limit: limit:int
-- :out   struct outbox_backlog: count:int oldest:time?
-- How many events wait to be marked, up to a limit, and when the first of them happened.
SELECT COUNT(*), MIN(w.created_at)
  FROM (SELECT o.created_at FROM :room_outbox o
         WHERE o.sequence IS NULL
         ORDER BY o.created_at, o.subject_id, o.ordinal
         LIMIT $1) w;

-- :name  :room_outbox_unsent :one
-- :scope global
-- :in    struct relay_next: stream:text sequence:int limit:int
-- :out   struct outbox_backlog: count:int oldest:time?
-- The same of those that were marked after that, of one stream.
SELECT COUNT(*), MIN(w.created_at)
  FROM (SELECT o.created_at FROM :room_outbox o
         WHERE o.stream = $1 AND o.sequence > $2
         ORDER BY o.sequence
         LIMIT $3) w;

-- :name  :room_relay_mark :none
-- :scope global
-- :in    struct relay_mark: holder:uuid least:int limit:int
-- The next events of the database get the next numbers. A subject's own lie in the order of its versions, since each is
-- later than the one before (outbox_time()). Whoever marks holds the relay's row, so nobody else does.
UPDATE :room_outbox
   SET sequence = w.sequence
  FROM (SELECT o.tenant_id, o.id,
               r.sequence + ROW_NUMBER() OVER (ORDER BY o.created_at, o.subject_id, o.ordinal) AS sequence
          FROM :room_relay r, :room_outbox o
         WHERE r.id = 1 AND r.holder = $1 AND r.sequence >= $2 AND o.sequence IS NULL
         ORDER BY o.created_at, o.subject_id, o.ordinal
         LIMIT $3) w
 WHERE :room_outbox.tenant_id = w.tenant_id AND :room_outbox.id = w.id;

-- :name  :room_relay_advance :maybe
-- :scope global
-- :in    struct relay_holder: holder:uuid
-- :out   struct relay_sequence: sequence:int
-- :sqlite
UPDATE :room_relay
   SET sequence = COALESCE((SELECT MAX(o.sequence) FROM :room_outbox o
                             WHERE o.stream IN ('booking-events', 'deletion-events', 'tenant-events')
                               AND o.sequence > :room_relay.sequence), sequence)
 WHERE id = 1 AND holder = $1
RETURNING sequence;
-- :postgres
UPDATE :room_relay
   SET sequence = GREATEST(:room_relay.sequence, w.sequence)
  FROM (SELECT MAX(o.sequence) AS sequence FROM :room_relay r, :room_outbox o
         WHERE r.id = 1 AND o.stream IN ('booking-events', 'deletion-events', 'tenant-events')
           AND o.sequence > r.sequence) w
 WHERE id = 1 AND holder = $1
RETURNING :room_relay.sequence;

-- :name  :room_relay_next :many
-- :scope global
-- :in    struct relay_next: stream:text sequence:int limit:int
-- :out   struct event: id:uuid tenant_id:uuid subject_id:uuid type:text payload:json trace_id:text occurred_at:time
--        version:int ordinal:int sequence:int stream:text
-- What was marked after that, of one stream.
SELECT o.id, o.tenant_id, o.subject_id, o.type, o.payload, o.trace_id, o.created_at, o.version, o.ordinal, o.sequence,
       o.stream
  FROM :room_outbox o
 WHERE o.stream = $1 AND o.sequence > $2
 ORDER BY o.sequence
 LIMIT $3;

-- :name  :room_relay_renew :maybe
-- :scope global
-- :in    struct relay_renew: holder:uuid source:uuid
-- :out   struct relay_sequence: sequence:int
-- A new name for the database, when it has none, or when streams know more of it than it does itself.
UPDATE :room_relay SET source = $2, beat = beat + 1 WHERE id = 1 AND holder = $1
RETURNING sequence;

-- :name  :room_outbox_oldest :maybe
-- :scope global
-- :in    struct outbox_oldest: stream:text
-- :out   struct outbox_age: created_at:time
-- When the first event of a stream that is still there, and marked, happened.
SELECT o.created_at FROM :room_outbox o WHERE o.stream = $1 AND o.sequence > 0 ORDER BY o.sequence LIMIT 1;

-- :name  :room_outbox_purge :many
-- :scope global
-- :in    struct outbox_purge: stream:text sequence:int before:time limit:int
-- :out   struct relay_sequence: sequence:int
-- Of the oldest of a stream, up to one that was published, those of before.
DELETE FROM :room_outbox
 WHERE stream = $1
   AND sequence IN (SELECT o.sequence FROM :room_outbox o
                     WHERE o.stream = $1 AND o.sequence > 0 AND o.sequence <= $2 AND o.created_at < $3
                     ORDER BY o.sequence
                     LIMIT $4)
RETURNING sequence;
