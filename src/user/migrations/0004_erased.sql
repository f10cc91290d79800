-- :blocking It is of before the first release.
-- When a person asked that nothing be known of him any more. The row stays, for bookings name it.
ALTER TABLE users ADD COLUMN erased_at :time;

-- For the retention: who was deleted long ago, and what was told long ago.
CREATE INDEX users_deleted ON users (deleted_at, tenant_id, id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;

CREATE INDEX notifications_by_age ON notifications (occurred_at, tenant_id, id);
