-- :include db/check_rows.h

-- What `marca check` asks (app/check_table.c).

-- :name  user_checks_next :maybe
-- :scope operator
-- :in    from:uuid
-- :out   tenant_id:uuid
-- The first tenant from that id on that has a user.
SELECT u.tenant_id FROM users u WHERE u.tenant_id >= $1 ORDER BY u.tenant_id LIMIT 1;

-- :name  check_user :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   deleted_at:time?
-- Deleted ones, too.
SELECT u.deleted_at FROM users u WHERE u.tenant_id = $1 AND u.id = $2;

-- :name  check_sealed :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
-- Identity providers' secrets, as they are sealed: here `fault` is that text.
SELECT p.id, p.client_secret
  FROM identity_providers p
 WHERE p.tenant_id = $1 AND p.id > $2 AND p.deleted_at IS NULL
 ORDER BY p.id
 LIMIT $3;

-- :name  check_sessions :many
-- :scope tenant
-- :in    struct check_page: tenant_id:uuid after:uuid limit:int
-- :out   struct check_row: id:uuid fault:text?
SELECT s.id,
       CASE WHEN NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.id = s.user_id)
            THEN 'its user is not there' END AS fault
  FROM sessions s
 WHERE s.tenant_id = $1 AND s.id > $2
 ORDER BY s.id
 LIMIT $3;
