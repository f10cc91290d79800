-- :include db/check_rows.h

-- What `marca check` asks (app/check_table.c).

-- :name  booking_checks_next :maybe
-- :scope operator
-- :in    from:uuid
-- :out   tenant_id:uuid
-- The first tenant from that id on that has a booking.
SELECT b.tenant_id FROM bookings b WHERE b.tenant_id >= $1 ORDER BY b.tenant_id LIMIT 1;

-- :name  check_bookings :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
SELECT b.id,
       CASE WHEN b.end_time <= b.start_time THEN 'it ends before it begins'
            WHEN b.end_time - b.start_time > 93600000000 THEN 'it is longer than 26 hours: searches for overlaps miss it'
            WHEN b.status NOT IN ('pendente', 'confirmado', 'cancelado', 'concluido', 'sem_dados') THEN 'its status is none of ours'
            WHEN b.status = 'cancelado' AND b.cancelled_at IS NULL THEN 'it is cancelled, and nobody knows when'
            WHEN NOT EXISTS (SELECT 1 FROM resource_locks l
                              WHERE l.tenant_id = $1 AND l.resource_id = b.resource_id)
            THEN 'its resource has no lock row, by which bookings queue up' END AS fault
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.id > $2
 ORDER BY b.id
 LIMIT $3;

-- :name  check_booking_events :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
-- Events are let go oldest first: so of each booking a row of versions up to its last one is left, without gaps, or none.
SELECT e.id,
       CASE WHEN b.id IS NULL THEN 'there are events of this booking, and no row'
            WHEN e.versions <> e.newest - e.oldest + 1 THEN 'a version between two that have events has none'
            WHEN e.newest <> b.version THEN 'its last change has no event' END AS fault
  FROM (SELECT o.tenant_id, o.subject_id AS id, MIN(o.version) AS oldest, MAX(o.version) AS newest,
               COUNT(DISTINCT o.version) AS versions
          FROM booking_outbox o
         WHERE o.tenant_id = $1 AND o.subject_id > $2 AND o.stream = 'booking-events'
         GROUP BY o.tenant_id, o.subject_id
         ORDER BY o.subject_id
         LIMIT $3) e
  LEFT JOIN bookings b ON b.tenant_id = $1 AND b.id = e.id
 ORDER BY e.id;

-- :name  check_booked_users :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
-- Whoever has ever booked.
SELECT DISTINCT b.user_id, CAST(NULL AS :text) AS fault
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.user_id > $2
 ORDER BY b.user_id
 LIMIT $3;

-- :name  check_booked_resources :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
SELECT l.resource_id, CAST(NULL AS :text) AS fault
  FROM resource_locks l
 WHERE l.tenant_id = $1 AND l.resource_id > $2
 ORDER BY l.resource_id
 LIMIT $3;

-- :name  check_overlaps :many
-- :scope tenant
-- :in    tenant_id:uuid resource_id:uuid capacity:int since:time limit:int
-- :out   id:uuid
-- Bookings at whose start there are more than `capacity`, of which one at least was made after `since`. The number overlapping
-- can only rise where one of them starts.
SELECT p.id
  FROM bookings p
 WHERE p.tenant_id = $1 AND p.resource_id = $2 AND p.status IN ('pendente', 'confirmado')
   AND (SELECT COUNT(*) FROM bookings b
         WHERE b.tenant_id = $1 AND b.resource_id = $2 AND b.status IN ('pendente', 'confirmado')
           AND b.start_time <= p.start_time AND b.start_time > p.start_time - 93600000000
           AND b.end_time > p.start_time) > $3
   AND (SELECT MAX(n.created_at) FROM bookings n
         WHERE n.tenant_id = $1 AND n.resource_id = $2 AND n.status IN ('pendente', 'confirmado')
           AND n.start_time <= p.start_time AND n.start_time > p.start_time - 93600000000
           AND n.end_time > p.start_time) > $4
 ORDER BY p.start_time, p.id
 LIMIT $5;

-- :name  check_still_booked :many
-- :scope tenant
-- :in    tenant_id:uuid subject_id:uuid after:time limit:int
-- :out   id:uuid
-- Bookings that stand, later than that, of a resource or a user.
SELECT b.id
  FROM bookings b
 WHERE b.tenant_id = $1 AND (b.resource_id = $2 OR b.user_id = $2) AND b.status IN ('pendente', 'confirmado')
   AND b.start_time > $3
 ORDER BY b.id
 LIMIT $4;
