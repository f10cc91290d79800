-- :include booking/booking.h
-- :include events/bus.h
-- :include events/outbox.h
-- :include events/room.h

-- Overlap searches are bounded from below by BOOKING_LENGTH_MAX (26 hours, 93600000000 us): no booking is longer,
-- so one that began before that has ended. Without the bound they would read all of a resource's past.

-- :name  resource_lock :one
-- :scope tenant
-- :together by resource_id
-- :in    tenant_id:uuid resource_id:uuid
-- :out   version:int
-- Held until the commit, on every store. Whoever deletes a tenant or a user waits for all rows that he sees (cascade.c),
-- and a row that is not committed yet is not seen: so where many write, a new one is 0, no booking comes about under it,
-- and the script runs once more, with resource_lock_open before this.
-- :sqlite
INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES ($1, $2, 1)
ON CONFLICT (tenant_id, resource_id) DO UPDATE SET version = resource_locks.version + 1
RETURNING version;
-- :postgres
INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES ($1, $2, 0)
ON CONFLICT (tenant_id, resource_id) DO UPDATE
   SET version = CASE WHEN resource_locks.version > 0 THEN resource_locks.version + 1 ELSE 0 END
RETURNING version;

-- :name  resource_lock_open :none
-- :scope tenant
-- :in    tenant_id:uuid resource_id:uuid
-- In a script that begins after the row was committed.
UPDATE resource_locks SET version = 1 WHERE tenant_id = $1 AND resource_id = $2 AND version = 0;

-- :name  resource_locks_page :many
-- :scope tenant
-- :in    tenant_id:uuid after:uuid limit:int
-- :out   resource_id:uuid
-- Every resource that was ever booked.
SELECT l.resource_id
  FROM resource_locks l
 WHERE l.tenant_id = $1 AND l.resource_id > $2
 ORDER BY l.resource_id
 LIMIT $3;

-- :name  gone_add :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
INSERT INTO gone (tenant_id, id) VALUES ($1, $2) ON CONFLICT (tenant_id, id) DO NOTHING;

-- :name  gone_among :many
-- :scope tenant
-- :in    tenant_id:uuid resource_id:uuid user_id:uuid
-- :out   id:uuid
SELECT g.id FROM gone g WHERE g.tenant_id = $1 AND g.id IN ($1, $2, $3) ORDER BY g.id;

-- :name  booking_insert :maybe
-- :scope tenant
-- :together by id
-- :in    struct booking: tenant_id:uuid id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? change_id:uuid created_at:time
-- :out   id:uuid
-- No row when the period is taken, or when the tenant, the resource or the user is gone.
INSERT INTO bookings AS nb (tenant_id, id, resource_id, user_id, client_id, start_time, end_time, status, notes,
                            confirmation_code, recurring_enabled, recurring_pattern, version, change_id, created_at,
                            updated_at)
SELECT l.tenant_id, $2, l.resource_id, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $14
  FROM resource_locks l
 WHERE l.tenant_id = $1 AND l.resource_id = $3 AND l.version > 0
   AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = $1 AND g.id IN ($1, $3, $4))
   AND NOT EXISTS (SELECT 1 FROM bookings b
                    WHERE b.tenant_id = $1 AND b.resource_id = $3 AND b.status IN ('pendente', 'confirmado')
                      AND b.start_time < $7 AND b.start_time > $6 - 93600000000 AND b.end_time > $6)
RETURNING id;

-- :name  booking_insert_shared :maybe
-- :scope tenant
-- :in    struct booking: tenant_id:uuid id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? change_id:uuid created_at:time capacity:int
-- :out   id:uuid
-- Not :together: for many at once, PostgreSQL would look for those that overlap in all of bookings_active.
-- The same where `capacity` bookings may overlap: no row when at some instant of the period there are as many. The
-- number overlapping can only rise where one of them starts, so only those instants are looked at.
INSERT INTO bookings AS nb (tenant_id, id, resource_id, user_id, client_id, start_time, end_time, status, notes,
                            confirmation_code, recurring_enabled, recurring_pattern, version, change_id, created_at,
                            updated_at)
SELECT l.tenant_id, $2, l.resource_id, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $14
  FROM resource_locks l
 WHERE l.tenant_id = $1 AND l.resource_id = $3 AND l.version > 0
   AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = $1 AND g.id IN ($1, $3, $4))
   AND NOT EXISTS (SELECT 1 FROM bookings p
                    WHERE p.tenant_id = $1 AND p.resource_id = $3 AND p.status IN ('pendente', 'confirmado')
                      AND p.start_time < $7 AND p.start_time > $6 - 93600000000 AND p.end_time > $6
                      AND (SELECT COUNT(*) FROM bookings b
                            WHERE b.tenant_id = $1 AND b.resource_id = $3
                              AND b.status IN ('pendente', 'confirmado')
                              AND b.start_time <= CASE WHEN p.start_time > $6 THEN p.start_time ELSE $6 END
                              AND b.start_time > $6 - 93600000000
                              AND b.end_time > CASE WHEN p.start_time > $6 THEN p.start_time ELSE $6 END) >= $15)
RETURNING id;

-- :name  booking_update :maybe
-- :scope tenant
-- :in    struct booking: tenant_id:uuid id:uuid version:int user_id:uuid client_id:uuid? status:enum(booking_status)
--        notes:text? recurring_enabled:bool recurring_pattern:json? cancellation_reason:text? cancelled_at:time?
--        cancelled_by:text? change_id:uuid updated_at:time
-- :out   version:int
-- All but the period, and only where the row is still the version that was read. Another user must not be gone; who has
-- been the user all along may.
UPDATE bookings
   SET user_id = $4, client_id = $5, status = $6, notes = $7, recurring_enabled = $8, recurring_pattern = $9,
       cancellation_reason = $10, cancelled_at = $11, cancelled_by = $12, change_id = $13, updated_at = $14,
       version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
   AND (user_id = $4 OR NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = $1 AND g.id = $4))
RETURNING version;

-- :name  booking_move :maybe
-- :scope tenant
-- :in    struct booking: tenant_id:uuid id:uuid version:int resource_id:uuid start_time:time end_time:time
--        user_id:uuid client_id:uuid? status:enum(booking_status) notes:text? recurring_enabled:bool
--        recurring_pattern:json? change_id:uuid updated_at:time
-- :out   version:int
-- A change of the period or the resource: no row either when another booking is in the way, or a party is gone.
UPDATE bookings
   SET resource_id = $4, start_time = $5, end_time = $6, user_id = $7, client_id = $8, status = $9, notes = $10,
       recurring_enabled = $11, recurring_pattern = $12, change_id = $13, updated_at = $14, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
   AND EXISTS (SELECT 1 FROM resource_locks l WHERE l.tenant_id = $1 AND l.resource_id = $4 AND l.version > 0)
   AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = $1 AND g.id IN ($1, $4, $7))
   AND NOT EXISTS (SELECT 1 FROM bookings b
                    WHERE b.tenant_id = $1 AND b.resource_id = $4 AND b.status IN ('pendente', 'confirmado')
                      AND b.start_time < $6 AND b.start_time > $5 - 93600000000 AND b.end_time > $5 AND b.id <> $2)
RETURNING version;

-- :name  booking_move_shared :maybe
-- :scope tenant
-- :in    struct booking: tenant_id:uuid id:uuid version:int resource_id:uuid start_time:time end_time:time
--        user_id:uuid client_id:uuid? status:enum(booking_status) notes:text? recurring_enabled:bool
--        recurring_pattern:json? change_id:uuid updated_at:time capacity:int
-- :out   version:int
-- The same where `capacity` bookings may overlap.
UPDATE bookings
   SET resource_id = $4, start_time = $5, end_time = $6, user_id = $7, client_id = $8, status = $9, notes = $10,
       recurring_enabled = $11, recurring_pattern = $12, change_id = $13, updated_at = $14, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
   AND EXISTS (SELECT 1 FROM resource_locks l WHERE l.tenant_id = $1 AND l.resource_id = $4 AND l.version > 0)
   AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.tenant_id = $1 AND g.id IN ($1, $4, $7))
   AND NOT EXISTS (SELECT 1 FROM bookings p
                    WHERE p.tenant_id = $1 AND p.resource_id = $4 AND p.status IN ('pendente', 'confirmado')
                      AND p.start_time < $6 AND p.start_time > $5 - 93600000000 AND p.end_time > $5 AND p.id <> $2
                      AND (SELECT COUNT(*) FROM bookings b
                            WHERE b.tenant_id = $1 AND b.resource_id = $4
                              AND b.status IN ('pendente', 'confirmado')
                              AND b.start_time <= CASE WHEN p.start_time > $5 THEN p.start_time ELSE $5 END
                              AND b.start_time > $5 - 93600000000
                              AND b.end_time > CASE WHEN p.start_time > $5 THEN p.start_time ELSE $5 END
                              AND b.id <> $2) >= $15)
RETURNING version;

-- :name  bookings_page :many
-- :scope tenant
-- :in    tenant_id:uuid after:uuid limit:int
-- :out   id:uuid
SELECT b.id FROM bookings b
 WHERE b.tenant_id = $1 AND b.id > $2 AND b.deleted_at IS NULL
 ORDER BY b.id
 LIMIT $3;

-- :name  bookings_remove :none
-- :scope tenant
-- :in    tenant_id:uuid after:uuid last:uuid deleted_at:time
-- A page of them. Their tenant is gone: nobody asks for a version any more, and no event follows.
UPDATE bookings SET deleted_at = $4
 WHERE tenant_id = $1 AND id > $2 AND id <= $3 AND deleted_at IS NULL;

-- :name  booking_event :none
-- :scope tenant
-- :together
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
-- The event of the change that bears this id; none when that change did not come about.
INSERT INTO booking_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT b.tenant_id, $3, $4, $5, $6, b.id, b.version, $8, $9, $10
  FROM bookings b WHERE b.tenant_id = $1 AND b.id = $7 AND b.change_id = $2;

-- :name  booking_tenant_of :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
-- Also of one that is deleted, which booking_by_id will not find: on SQLite the index alone answers.
SELECT b.tenant_id FROM bookings b WHERE b.id = $1;

-- :name  booking_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct booking: id:uuid tenant_id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? cancellation_reason:text? cancelled_at:time? cancelled_by:text? created_at:time
--        updated_at:time version:int
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.client_id, b.start_time, b.end_time, b.status, b.notes,
       b.confirmation_code, b.recurring_enabled, b.recurring_pattern, b.cancellation_reason, b.cancelled_at,
       b.cancelled_by, b.created_at, b.updated_at, b.version
  FROM bookings b WHERE b.tenant_id = $1 AND b.id = $2 AND b.deleted_at IS NULL;

-- :name  bookings_busy :many
-- :scope tenant
-- :neighbours
-- :in    tenant_id:uuid resource_id:uuid start_time:time end_time:time
-- :out   struct span: start:time end:time
SELECT b.start_time, b.end_time
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.resource_id = $2 AND b.status IN ('pendente', 'confirmado')
   AND b.start_time < $4 AND b.start_time > $3 - 93600000000 AND b.end_time > $3
 ORDER BY b.start_time;

-- :name  bookings_conflicting :many
-- :scope tenant
-- :in    tenant_id:uuid resource_id:uuid start_time:time end_time:time except:uuid
-- :out   struct conflict: booking_id:uuid start_time:time end_time:time
SELECT b.id, b.start_time, b.end_time
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.resource_id = $2 AND b.status IN ('pendente', 'confirmado')
   AND b.start_time < $4 AND b.start_time > $3 - 93600000000 AND b.end_time > $3 AND b.id <> $5
 ORDER BY b.start_time;

-- A page of a list: by start, then id, after the last row of the page before, up to a key. `earliest` bounds the index
-- from below.

-- :name  bookings_of_tenant :many
-- :scope tenant
-- :replica
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid ends_after:time status:text? limit:int
-- :out   struct booking: id:uuid tenant_id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? cancellation_reason:text? cancelled_at:time? cancelled_by:text? created_at:time
--        updated_at:time version:int
-- All of a tenant. On SQLite the rows are joined, or it would read each before it looks at the index's end_time.
-- :sqlite
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.client_id, b.start_time, b.end_time, b.status, b.notes,
       b.confirmation_code, b.recurring_enabled, b.recurring_pattern, b.cancellation_reason, b.cancelled_at,
       b.cancelled_by, b.created_at, b.updated_at, b.version
  FROM bookings s CROSS JOIN bookings b
 WHERE s.tenant_id = $1 AND s.start_time > $2 AND (s.start_time, s.id) <= ($3, $4)
   AND (s.start_time, s.id) > ($5, $6) AND s.end_time > $7 AND ($8 IS NULL OR s.status = $8)
   AND b.tenant_id = $1 AND b.id = s.id AND b.deleted_at IS NULL
 ORDER BY s.start_time, s.id
 LIMIT $9;
-- :postgres
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.client_id, b.start_time, b.end_time, b.status, b.notes,
       b.confirmation_code, b.recurring_enabled, b.recurring_pattern, b.cancellation_reason, b.cancelled_at,
       b.cancelled_by, b.created_at, b.updated_at, b.version
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.start_time > $2 AND (b.start_time, b.id) <= ($3, $4)
   AND (b.start_time, b.id) > ($5, $6) AND b.end_time > $7 AND ($8 IS NULL OR b.status = $8)
   AND b.deleted_at IS NULL
 ORDER BY b.start_time, b.id
 LIMIT $9;

-- :name  bookings_of_user :many
-- :scope tenant
-- :replica
-- :neighbours
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid ends_after:time status:text? limit:int user_id:uuid
-- :out   struct booking: id:uuid tenant_id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? cancellation_reason:text? cancelled_at:time? cancelled_by:text? created_at:time
--        updated_at:time version:int
-- Of one user.
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.client_id, b.start_time, b.end_time, b.status, b.notes,
       b.confirmation_code, b.recurring_enabled, b.recurring_pattern, b.cancellation_reason, b.cancelled_at,
       b.cancelled_by, b.created_at, b.updated_at, b.version
  FROM bookings b :index_bookings_by_user
 WHERE b.tenant_id = $1 AND b.user_id = $10 AND b.start_time > $2 AND (b.start_time, b.id) <= ($3, $4)
   AND (b.start_time, b.id) > ($5, $6) AND b.end_time > $7 AND ($8 IS NULL OR b.status = $8)
   AND b.deleted_at IS NULL
 ORDER BY b.start_time, b.id
 LIMIT $9;

-- :name  bookings_of_user_at :many
-- :scope tenant
-- :replica
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid ends_after:time status:text? limit:int user_id:uuid resource_id:uuid
-- :out   struct booking: id:uuid tenant_id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? cancellation_reason:text? cancelled_at:time? cancelled_by:text? created_at:time
--        updated_at:time version:int
-- Of one user at one resource. A person has few bookings beside what a resource has.
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.client_id, b.start_time, b.end_time, b.status, b.notes,
       b.confirmation_code, b.recurring_enabled, b.recurring_pattern, b.cancellation_reason, b.cancelled_at,
       b.cancelled_by, b.created_at, b.updated_at, b.version
  FROM bookings b :index_bookings_by_user
 WHERE b.tenant_id = $1 AND b.user_id = $10 AND b.resource_id = $11 AND b.start_time > $2
   AND (b.start_time, b.id) <= ($3, $4) AND (b.start_time, b.id) > ($5, $6) AND b.end_time > $7
   AND ($8 IS NULL OR b.status = $8) AND b.deleted_at IS NULL
 ORDER BY b.start_time, b.id
 LIMIT $9;

-- :name  bookings_of_resource :many
-- :scope tenant
-- :replica
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid ends_after:time status:text? limit:int resource_id:uuid
-- :out   struct booking: id:uuid tenant_id:uuid resource_id:uuid user_id:uuid client_id:uuid? start_time:time
--        end_time:time status:enum(booking_status) notes:text? confirmation_code:text recurring_enabled:bool
--        recurring_pattern:json? cancellation_reason:text? cancelled_at:time? cancelled_by:text? created_at:time
--        updated_at:time version:int
-- Of one resource.
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.client_id, b.start_time, b.end_time, b.status, b.notes,
       b.confirmation_code, b.recurring_enabled, b.recurring_pattern, b.cancellation_reason, b.cancelled_at,
       b.cancelled_by, b.created_at, b.updated_at, b.version
  FROM bookings b :index_bookings_by_resource
 WHERE b.tenant_id = $1 AND b.resource_id = $10 AND b.start_time > $2 AND (b.start_time, b.id) <= ($3, $4)
   AND (b.start_time, b.id) > ($5, $6) AND b.end_time > $7 AND ($8 IS NULL OR b.status = $8)
   AND b.deleted_at IS NULL
 ORDER BY b.start_time, b.id
 LIMIT $9;

-- How far a page looks: the key of the booking that comes after `skip` others; no row where there are no more. A page that
-- leaves some of them out ends there, however few it has. Read of the index alone.

-- :name  bookings_horizon_of_tenant :maybe
-- :scope tenant
-- :replica
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid skip:int
-- :out   struct booking: start_time:time id:uuid
SELECT b.start_time, b.id
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.start_time > $2 AND (b.start_time, b.id) <= ($3, $4)
   AND (b.start_time, b.id) > ($5, $6)
 ORDER BY b.start_time, b.id
 LIMIT 1 OFFSET $7;

-- :name  bookings_horizon_of_user :maybe
-- :scope tenant
-- :replica
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid skip:int user_id:uuid
-- :out   struct booking: start_time:time id:uuid
SELECT b.start_time, b.id
  FROM bookings b :index_bookings_by_user
 WHERE b.tenant_id = $1 AND b.user_id = $8 AND b.start_time > $2 AND (b.start_time, b.id) <= ($3, $4)
   AND (b.start_time, b.id) > ($5, $6)
 ORDER BY b.start_time, b.id
 LIMIT 1 OFFSET $7;

-- :name  bookings_horizon_of_resource :maybe
-- :scope tenant
-- :replica
-- :in    struct booking_page: tenant_id:uuid earliest:time until_start:time until_id:uuid after_start:time
--        after_id:uuid skip:int resource_id:uuid
-- :out   struct booking: start_time:time id:uuid
SELECT b.start_time, b.id
  FROM bookings b :index_bookings_by_resource
 WHERE b.tenant_id = $1 AND b.resource_id = $8 AND b.start_time > $2 AND (b.start_time, b.id) <= ($3, $4)
   AND (b.start_time, b.id) > ($5, $6)
 ORDER BY b.start_time, b.id
 LIMIT 1 OFFSET $7;

-- Erasing what the bookings of a person say of him: erase.c.

-- :name  bookings_with_words :many
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid after_start:time after_id:uuid limit:int
-- :out   struct booking: id:uuid tenant_id:uuid resource_id:uuid user_id:uuid start_time:time version:int updated_at:time
-- All of a user, also those of a tenant that was deleted.
SELECT b.id, b.tenant_id, b.resource_id, b.user_id, b.start_time, b.version, b.updated_at
  FROM bookings b
 WHERE b.tenant_id = $1 AND b.user_id = $2 AND (b.start_time, b.id) > ($3, $4)
 ORDER BY b.start_time, b.id
 LIMIT $5;

-- :name  booking_erase :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int change_id:uuid updated_at:time
-- :out   version:int
UPDATE bookings
   SET notes = NULL, cancellation_reason = NULL, cancelled_by = NULL, change_id = $4, updated_at = $5,
       version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3
RETURNING version;

-- :name  outbox_with_words :many
-- :scope tenant
-- :in    tenant_id:uuid after:uuid user_id:uuid limit:int
-- :out   id:uuid type:text payload:json
-- The tenant's events of this user's bookings that can hold a person's words. Reads what the outbox has of the tenant.
SELECT o.id, o.type, o.payload
  FROM booking_outbox o JOIN bookings b ON b.tenant_id = $1 AND b.id = o.subject_id
 WHERE o.tenant_id = $1 AND o.id > $2 AND b.user_id = $3 AND o.type IN ('booking.updated', 'booking.cancelled')
 ORDER BY o.id
 LIMIT $4;

-- :name  outbox_reword :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid payload:json
UPDATE booking_outbox SET payload = $3 WHERE tenant_id = $1 AND id = $2;

-- :name  erased_add :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
INSERT INTO erased (tenant_id, id) VALUES ($1, $2) ON CONFLICT (tenant_id, id) DO NOTHING;

-- :name  erased_next :many
-- :scope global
-- :because The janitor looks through a stream for all of them at once.
-- :in    struct erased_after: tenant_id:uuid limit:int
-- :out   struct bus_subject: tenant_id:uuid id:uuid
SELECT e.tenant_id, e.id FROM erased e WHERE e.tenant_id > $1 ORDER BY e.tenant_id, e.id LIMIT $2;

-- :name  erased_done :none
-- :scope tenant
-- :in    struct bus_subject: tenant_id:uuid id:uuid
DELETE FROM erased WHERE tenant_id = $1 AND id = $2;
