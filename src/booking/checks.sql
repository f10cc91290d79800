-- :include booking/checks.h

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
-- :out   struct booking_check: row.id:uuid row.fault:text? resource_id:uuid user_id:uuid start_time:time end_time:time
--        version:int blocks:bool updated_at:time
-- Every booking, whatever became of it; `blocks`: it takes time.
SELECT b.id,
       CASE WHEN b.end_time <= b.start_time THEN 'it ends before it begins'
            WHEN b.end_time - b.start_time > 93600000000 THEN 'it is longer than 26 hours: searches for overlaps miss it'
            WHEN b.status NOT IN ('pendente', 'confirmado', 'cancelado', 'concluido', 'sem_dados')
            THEN 'its status is none of ours'
            WHEN b.status = 'cancelado' AND b.cancelled_at IS NULL THEN 'it is cancelled, and nobody knows when'
            WHEN NOT EXISTS (SELECT 1 FROM resource_locks l
                              WHERE l.tenant_id = $1 AND l.resource_id = b.resource_id)
            THEN 'its resource has no lock row, by which bookings queue up' END AS fault,
       b.resource_id, b.user_id, b.start_time, b.end_time, b.version,
       (b.status = 'pendente' OR b.status = 'confirmado') AS blocks, b.updated_at
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.id > $2
 ORDER BY b.id
 LIMIT $3;

-- :name  check_locks :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
-- Every resource that was ever booked.
SELECT l.resource_id, CAST(NULL AS :text) AS fault
  FROM resource_locks l
 WHERE l.tenant_id = $1 AND l.resource_id > $2
 ORDER BY l.resource_id
 LIMIT $3;
