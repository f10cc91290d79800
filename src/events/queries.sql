-- :because The streams are every tenant's; only consumers and the operator's commands read them.
-- :include events/bus.h

-- The embedded bus. Of all tenants, as every bus is: whoever takes an event reads in it whose it is.

-- --- Writing: source_add and head_add for a source's first, then source_move, entry_add for each event, head_move. Only
-- the first to move a source from `after` has its batch stand there, and what follows does nothing for the others.

-- :name  source_add :none
-- :scope global
-- :in    stream:text source:uuid
INSERT INTO stream_sources (stream, source, sequence) VALUES ($1, $2, 0) ON CONFLICT (stream, source) DO NOTHING;

-- :name  head_add :none
-- :scope global
-- :in    stream:text
INSERT INTO stream_heads (stream, sequence) VALUES ($1, 0) ON CONFLICT (stream) DO NOTHING;

-- :name  source_move :maybe
-- :scope global
-- :in    stream:text source:uuid after:int sequence:int batch:uuid
-- :out   sequence:int
-- No row: the stream is not where the source thinks.
UPDATE stream_sources SET sequence = $4, batch = $5 WHERE stream = $1 AND source = $2 AND sequence = $3
RETURNING sequence;

-- :name  entry_add :none
-- :scope global
-- :in    stream:text source:uuid batch:uuid place:int id:uuid tenant_id:uuid subject_id:uuid type:text payload:text
--        trace_id:text occurred_at:time version:int ordinal:int
INSERT INTO stream_entries (stream, sequence, id, tenant_id, subject_id, type, payload, trace_id, occurred_at, version,
                            ordinal)
SELECT h.stream, h.sequence + $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
  FROM stream_sources s JOIN stream_heads h ON h.stream = s.stream
 WHERE s.stream = $1 AND s.source = $2 AND s.batch = $3;

-- :name  head_move :none
-- :scope global
-- :in    stream:text source:uuid batch:uuid count:int
UPDATE stream_heads
   SET sequence = sequence + $4
 WHERE stream = $1
   AND EXISTS (SELECT 1 FROM stream_sources s WHERE s.stream = $1 AND s.source = $2 AND s.batch = $3);

-- :name  source_read :maybe
-- :scope global
-- :in    stream:text source:uuid
-- :out   sequence:int
SELECT s.sequence FROM stream_sources s WHERE s.stream = $1 AND s.source = $2;

-- --- Reading

-- :name  head_read :maybe
-- :scope global
-- :in    stream:text
-- :out   sequence:int
SELECT h.sequence FROM stream_heads h WHERE h.stream = $1;

-- :name  entries_after :many
-- :scope global
-- :in    stream:text after:int limit:int
-- :out   struct event: id:uuid tenant_id:uuid subject_id:uuid type:text payload:text trace_id:text occurred_at:time
--        version:int ordinal:int sequence:int stream:text
SELECT e.id, e.tenant_id, e.subject_id, e.type, e.payload, e.trace_id, e.occurred_at, e.version, e.ordinal, e.sequence,
       e.stream
  FROM stream_entries e
 WHERE e.stream = $1 AND e.sequence > $2
 ORDER BY e.sequence
 LIMIT $3;

-- :name  group_add :none
-- :scope global
-- :in    stream:text name:text
INSERT INTO stream_groups (stream, name, delivered) VALUES ($1, $2, 0) ON CONFLICT (stream, name) DO NOTHING;

-- :name  group_waiting :maybe
-- :scope global
-- :in    stream:text name:text
-- :out   first:int last:int
-- The places of what the group was not given yet; no row: nothing.
SELECT e.sequence, h.sequence
  FROM stream_groups g
  JOIN stream_heads h ON h.stream = g.stream
  JOIN stream_entries e ON e.stream = g.stream AND e.sequence > g.delivered
 WHERE g.stream = $1 AND g.name = $2
 ORDER BY e.sequence
 LIMIT 1;

-- To take is group_next, group_hold and group_advance in one script: all three see the same next entries.

-- :name  group_next :many
-- :scope global
-- :in    stream:text name:text limit:int
-- :out   struct event: id:uuid tenant_id:uuid subject_id:uuid type:text payload:text trace_id:text occurred_at:time
--        version:int ordinal:int sequence:int stream:text
SELECT e.id, e.tenant_id, e.subject_id, e.type, e.payload, e.trace_id, e.occurred_at, e.version, e.ordinal, e.sequence,
       e.stream
  FROM stream_groups g JOIN stream_entries e ON e.stream = g.stream AND e.sequence > g.delivered
 WHERE g.stream = $1 AND g.name = $2
 ORDER BY e.sequence
 LIMIT $3;

-- :name  group_hold :none
-- :scope global
-- :in    stream:text name:text limit:int consumer:text now:time
INSERT INTO stream_pending (stream, name, sequence, consumer, delivered_at, deliveries)
SELECT g.stream, g.name, e.sequence, $4, $5, 1
  FROM stream_groups g JOIN stream_entries e ON e.stream = g.stream AND e.sequence > g.delivered
 WHERE g.stream = $1 AND g.name = $2
 ORDER BY e.sequence
 LIMIT $3;

-- :name  group_advance :none
-- :scope global
-- :in    stream:text name:text
UPDATE stream_groups
   SET delivered = COALESCE((SELECT MAX(p.sequence) FROM stream_pending p
                              WHERE p.stream = $1 AND p.name = $2 AND p.sequence > stream_groups.delivered), delivered)
 WHERE stream = $1 AND name = $2;

-- :name  pending_due :maybe
-- :scope global
-- :in    name:text until:time
-- :out   delivered_at:time
SELECT p.delivered_at FROM stream_pending p WHERE p.name = $1 AND p.delivered_at <= $2 LIMIT 1;

-- :name  pending_ahead :maybe
-- :scope global
-- :in    name:text beyond:time
-- :out   delivered_at:time
SELECT p.delivered_at FROM stream_pending p WHERE p.name = $1 AND p.delivered_at > $2 LIMIT 1;

-- :name  pending_age :none
-- :scope global
-- :in    name:text beyond:time
-- What a clock that was set back since has dated is as old as can be.
UPDATE stream_pending SET delivered_at = 0 WHERE name = $1 AND delivered_at > $2;

-- To claim is claim_next and claim_hold in one script: both see the same oldest.

-- :name  claim_next :many
-- :scope global
-- :in    name:text until:time limit:int stream:text or_stream:text or_third:text
-- :out   struct event: id:uuid tenant_id:uuid subject_id:uuid type:text payload:text trace_id:text occurred_at:time
--        version:int ordinal:int sequence:int stream:text
SELECT e.id, e.tenant_id, e.subject_id, e.type, e.payload, e.trace_id, e.occurred_at, e.version, e.ordinal, e.sequence,
       e.stream
  FROM stream_pending p JOIN stream_entries e ON e.stream = p.stream AND e.sequence = p.sequence
 WHERE p.name = $1 AND p.delivered_at <= $2 AND p.stream IN ($4, $5, $6)
 ORDER BY p.delivered_at, p.stream, p.sequence
 LIMIT $3;

-- :name  claim_hold :none
-- :scope global
-- :in    name:text until:time limit:int stream:text or_stream:text or_third:text consumer:text now:time
UPDATE stream_pending
   SET consumer = $7, delivered_at = $8, deliveries = deliveries + 1
 WHERE (stream, name, sequence) IN (SELECT p.stream, p.name, p.sequence
                                      FROM stream_pending p
                                     WHERE p.name = $1 AND p.delivered_at <= $2 AND p.stream IN ($4, $5, $6)
                                     ORDER BY p.delivered_at, p.stream, p.sequence
                                     LIMIT $3);

-- :name  pending_ack :none
-- :scope global
-- :in    stream:text name:text first:int last:int
DELETE FROM stream_pending WHERE stream = $1 AND name = $2 AND sequence >= $3 AND sequence <= $4;

-- To bury is letter_number, letter_add and pending_ack in one script. The first two do nothing for an event that is not
-- pending: a call that is repeated leaves one letter.

-- :name  letter_number :none
-- :scope global
-- :in    stream:text name:text sequence:int
INSERT INTO stream_heads (stream, sequence)
SELECT 'dead-letters', 1 FROM stream_pending p WHERE p.stream = $1 AND p.name = $2 AND p.sequence = $3
ON CONFLICT (stream) DO UPDATE SET sequence = stream_heads.sequence + 1;

-- :name  letter_add :none
-- :scope global
-- :in    struct bus_dead: event.stream:text group:text event.sequence:int why:text tries:int buried_at:time
--        event.id:uuid event.tenant_id:uuid event.subject_id:uuid event.type:text event.payload:text event.trace_id:text
--        event.occurred_at:time event.version:int event.ordinal:int
INSERT INTO dead_letters (number, stream, name, sequence, why, tries, buried_at, id, tenant_id, subject_id, type,
                          payload, trace_id, occurred_at, version, ordinal)
SELECT h.sequence, p.stream, p.name, p.sequence, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
  FROM stream_heads h, stream_pending p
 WHERE h.stream = 'dead-letters' AND p.stream = $1 AND p.name = $2 AND p.sequence = $3;

-- --- For the operator

-- :name  groups_of_stream :many
-- :scope global
-- :in    stream:text
-- :out   stream:text name:text delivered:int pending:int first:int? last:int?
-- Where its entries begin and end, too; none: there never was one.
SELECT g.stream, g.name, g.delivered,
       (SELECT COUNT(*) FROM stream_pending p WHERE p.stream = g.stream AND p.name = g.name),
       (SELECT MIN(e.sequence) FROM stream_entries e WHERE e.stream = g.stream),
       (SELECT h.sequence FROM stream_heads h WHERE h.stream = g.stream)
  FROM stream_groups g
 WHERE g.stream = $1
 ORDER BY g.name;

-- :name  pending_of_group :many
-- :scope global
-- :in    name:text limit:int now:time
-- :out   struct bus_pending: stream:text group:text consumer:text sequence:int idle_ms:int deliveries:int
SELECT p.stream, p.name, p.consumer, p.sequence, ($3 - p.delivered_at) / 1000, p.deliveries
  FROM stream_pending p
 WHERE p.name = $1
 ORDER BY p.delivered_at, p.stream, p.sequence
 LIMIT $2;

-- :name  letters_after :many
-- :scope global
-- :in    after:int limit:int
-- :out   struct bus_dead: number:int group:text why:text tries:int buried_at:time event.id:uuid event.tenant_id:uuid
--        event.subject_id:uuid event.type:text event.payload:text event.trace_id:text event.occurred_at:time
--        event.version:int event.ordinal:int event.sequence:int event.stream:text
SELECT d.number, d.name, d.why, d.tries, d.buried_at, d.id, d.tenant_id, d.subject_id, d.type, d.payload, d.trace_id,
       d.occurred_at, d.version, d.ordinal, d.sequence, d.stream
  FROM dead_letters d
 WHERE d.number > $1
 ORDER BY d.number
 LIMIT $2;

-- :name  letter_revive :none
-- :scope global
-- :in    number:int
-- Pending again, so old that whoever claims next gets it. Not where the group stands before it (bus_seek()): there it is
-- given again all the same.
INSERT INTO stream_pending (stream, name, sequence, consumer, delivered_at, deliveries)
SELECT d.stream, d.name, d.sequence, 'revived', 0, 0
  FROM dead_letters d
  JOIN stream_entries e ON e.stream = d.stream AND e.sequence = d.sequence
  JOIN stream_groups g ON g.stream = d.stream AND g.name = d.name
 WHERE d.number = $1 AND d.sequence <= g.delivered
ON CONFLICT (stream, name, sequence) DO UPDATE SET delivered_at = 0;

-- :name  letter_given :maybe
-- :scope global
-- :in    number:int
-- :out   number:int
-- After letter_revive. No row: there is no letter, or no entry any more.
DELETE FROM dead_letters
 WHERE number = $1
   AND EXISTS (SELECT 1 FROM stream_entries e
                WHERE e.stream = dead_letters.stream AND e.sequence = dead_letters.sequence)
RETURNING number;

-- :name  letter_drop :maybe
-- :scope global
-- :in    number:int
-- :out   number:int
DELETE FROM dead_letters WHERE number = $1 RETURNING number;

-- :name  group_seek :maybe
-- :scope global
-- :in    stream:text name:text after:int
-- :out   delivered:int
-- Not beyond the stream's end: what comes next is given in any case.
UPDATE stream_groups
   SET delivered = COALESCE((SELECT CASE WHEN h.sequence < $3 THEN h.sequence ELSE $3 END
                               FROM stream_heads h WHERE h.stream = $1), 0)
 WHERE stream = $1 AND name = $2
RETURNING delivered;

-- :name  pending_forget :none
-- :scope global
-- :in    stream:text name:text after:int
-- With group_seek: these will be taken anew.
DELETE FROM stream_pending WHERE stream = $1 AND name = $2 AND sequence > $3;

-- :name  entries_trim :many
-- :scope global
-- :in    stream:text before:time limit:int
-- :out   sequence:int
-- Of the first so many: those before the first younger one, and before what any group has still to acknowledge.
DELETE FROM stream_entries
 WHERE stream = $1
   AND sequence IN (SELECT w.sequence
                      FROM (SELECT e.sequence FROM stream_entries e WHERE e.stream = $1 ORDER BY e.sequence LIMIT $3) w
                     WHERE w.sequence < COALESCE((SELECT MIN(COALESCE((SELECT MIN(p.sequence) FROM stream_pending p
                                                                        WHERE p.stream = g.stream AND p.name = g.name),
                                                                      g.delivered + 1))
                                                    FROM stream_groups g WHERE g.stream = $1), w.sequence + 1)
                       AND w.sequence < COALESCE((SELECT MIN(w.sequence)
                                                    FROM (SELECT e.sequence, e.occurred_at
                                                            FROM stream_entries e
                                                           WHERE e.stream = $1 ORDER BY e.sequence LIMIT $3) w
                                                   WHERE w.occurred_at >= $2), w.sequence + 1))
RETURNING sequence;

-- :name  stream_floor :one
-- :scope global
-- :in    stream:text
-- :out   sequence:int?
-- What comes before it, every group has acknowledged.
SELECT MIN(COALESCE((SELECT MIN(p.sequence) FROM stream_pending p WHERE p.stream = g.stream AND p.name = g.name),
                    g.delivered + 1))
  FROM stream_groups g
 WHERE g.stream = $1;

-- :name  entry_remove :none
-- :scope global
-- :in    stream:text sequence:int
DELETE FROM stream_entries WHERE stream = $1 AND sequence = $2;

-- :name  letters_trim :none
-- :scope global
-- :in    before:time limit:int
DELETE FROM dead_letters
 WHERE number IN (SELECT d.number FROM dead_letters d WHERE d.buried_at < $1 ORDER BY d.buried_at, d.number LIMIT $2);
