-- What `marca check` asks (app/check_table.c).

-- :name  check_resource :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   deleted_at:time? changed_at:time capacity:int? category_metadata:json?
-- Deleted ones, too. changed_at: when it or its category last changed, by which capacities change.
SELECT r.deleted_at, CASE WHEN c.updated_at > r.updated_at THEN c.updated_at ELSE r.updated_at END AS changed_at,
       r.capacity, c.category_metadata
  FROM resources r
  JOIN categories c ON c.tenant_id = $1 AND c.id = r.category_id
 WHERE r.tenant_id = $1 AND r.id = $2;
