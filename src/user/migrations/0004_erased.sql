-- When a person asked that nothing be known of him any more. The row stays, for bookings name it.
ALTER TABLE users ADD COLUMN erased_at :time;
