-- :include resource/local.h
-- :include resource/resource.h
-- :include events/outbox.h

-- Whoever writes a resource touches its category first, and so does whoever deletes a category: one waits for the
-- other, and the statement after that sees what the first one did.

-- :name  category_touch :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- Takes the category's row; its version, which clients see, stays.
UPDATE categories SET touched = touched + 1 WHERE tenant_id = $1 AND id = $2;

-- :name  category_insert :none
-- :scope tenant
-- :in    struct category: tenant_id:uuid id:uuid name:text search_name:text description:text?
--        type:enum(category_type) icon:text? color:text? is_active:bool category_metadata:json? created_at:time
INSERT INTO categories (tenant_id, id, name, search_name, description, type, icon, color, is_active,
                        category_metadata, touched, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 1, $11, $11);

-- :name  category_tenant_of :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT c.tenant_id FROM categories c WHERE c.id = $1 AND c.deleted_at IS NULL;

-- :name  category_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct category: id:uuid tenant_id:uuid name:text description:text? type:enum(category_type) icon:text?
--        color:text? is_active:bool category_metadata:json? created_at:time updated_at:time version:int
SELECT c.id, c.tenant_id, c.name, c.description, c.type, c.icon, c.color, c.is_active, c.category_metadata,
       c.created_at, c.updated_at, c.version
  FROM categories c WHERE c.tenant_id = $1 AND c.id = $2 AND c.deleted_at IS NULL;

-- :name  categories_page :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid after:uuid pattern:text? type:text? is_active:int? limit:int
-- :out   struct category: id:uuid tenant_id:uuid name:text description:text? type:enum(category_type) icon:text?
--        color:text? is_active:bool category_metadata:json? created_at:time updated_at:time version:int
SELECT c.id, c.tenant_id, c.name, c.description, c.type, c.icon, c.color, c.is_active, c.category_metadata,
       c.created_at, c.updated_at, c.version
  FROM categories c
 WHERE c.tenant_id = $1 AND c.id > $2 AND c.deleted_at IS NULL
   AND ($3 IS NULL OR c.search_name LIKE $3 ESCAPE '\')
   AND ($4 IS NULL OR c.type = $4)
   AND ($5 IS NULL OR c.is_active = ($5 = 1))
 ORDER BY c.id
 LIMIT $6;

-- :name  category_update :maybe
-- :scope tenant
-- :in    struct category: tenant_id:uuid id:uuid version:int name:text search_name:text description:text?
--        type:enum(category_type) icon:text? color:text? is_active:bool category_metadata:json? updated_at:time
--        change_id:uuid
-- :out   version:int
-- Only where the row is still the version that was read.
UPDATE categories
   SET name = $4, search_name = $5, description = $6, type = $7, icon = $8, color = $9, is_active = $10,
       category_metadata = $11, updated_at = $12, change_id = $13, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  category_remove :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int deleted_at:time
-- :out   version:int
-- None while a resource is of this category.
UPDATE categories SET deleted_at = $4, updated_at = $4, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM resources r
                    WHERE r.tenant_id = $1 AND r.category_id = $2 AND r.deleted_at IS NULL)
RETURNING version;

-- :name  category_user :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   id:uuid
-- Any resource of this category.
SELECT r.id FROM resources r
 WHERE r.tenant_id = $1 AND r.category_id = $2 AND r.deleted_at IS NULL
 LIMIT 1;

-- :name  category_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
-- The event of the change that bears this id; none when that change did not come about.
INSERT INTO resource_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT c.tenant_id, $3, $4, $5, $6, c.id, c.version, $8, $9, $10
  FROM categories c WHERE c.tenant_id = $1 AND c.id = $7 AND c.change_id = $2;

-- :name  resource_insert :maybe
-- :scope tenant
-- :in    struct resource: tenant_id:uuid id:uuid category_id:uuid category.version:int name:text search_name:text
--        description:text? status:enum(resource_status) capacity:int? location:text? attributes:json?
--        availability_schedule:text? image_url:text? created_at:time
-- :out   id:uuid
-- Only into a category that is still the version by which the attributes were checked.
INSERT INTO resources AS n (tenant_id, id, category_id, name, search_name, description, status, capacity, location,
                            attributes, availability_schedule, image_url, version, created_at, updated_at)
SELECT c.tenant_id, $2, c.id, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $14
  FROM categories c
 WHERE c.tenant_id = $1 AND c.id = $3 AND c.version = $4 AND c.deleted_at IS NULL
RETURNING id;

-- :name  resource_tenant_of :maybe
-- :scope operator
-- :neighbours
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT r.tenant_id FROM resources r WHERE r.id = $1 AND r.deleted_at IS NULL;

-- :name  resource_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct resource: id:uuid tenant_id:uuid category_id:uuid name:text description:text?
--        status:enum(resource_status) capacity:int? location:text? attributes:json? availability_schedule:text?
--        image_url:text? created_at:time updated_at:time version:int
--        category.id:uuid category.tenant_id:uuid category.name:text category.description:text?
--        category.type:enum(category_type) category.icon:text? category.color:text? category.is_active:bool
--        category.category_metadata:json? category.created_at:time category.updated_at:time category.version:int
SELECT r.id, r.tenant_id, r.category_id, r.name, r.description, r.status, r.capacity, r.location, r.attributes,
       r.availability_schedule, r.image_url, r.created_at, r.updated_at, r.version,
       c.id, c.tenant_id, c.name, c.description, c.type, c.icon, c.color, c.is_active, c.category_metadata,
       c.created_at, c.updated_at, c.version
  FROM resources r JOIN categories c ON c.tenant_id = $1 AND c.id = r.category_id
 WHERE r.tenant_id = $1 AND r.id = $2 AND r.deleted_at IS NULL;

-- :name  resources_page :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid after:uuid pattern:text? category_id:uuid? status:text? limit:int
-- :out   struct resource: id:uuid tenant_id:uuid category_id:uuid name:text description:text?
--        status:enum(resource_status) capacity:int? location:text? attributes:json? availability_schedule:text?
--        image_url:text? created_at:time updated_at:time version:int
--        category.id:uuid category.tenant_id:uuid category.name:text category.description:text?
--        category.type:enum(category_type) category.icon:text? category.color:text? category.is_active:bool
--        category.category_metadata:json? category.created_at:time category.updated_at:time category.version:int
SELECT r.id, r.tenant_id, r.category_id, r.name, r.description, r.status, r.capacity, r.location, r.attributes,
       r.availability_schedule, r.image_url, r.created_at, r.updated_at, r.version,
       c.id, c.tenant_id, c.name, c.description, c.type, c.icon, c.color, c.is_active, c.category_metadata,
       c.created_at, c.updated_at, c.version
  FROM resources r JOIN categories c ON c.tenant_id = $1 AND c.id = r.category_id
 WHERE r.tenant_id = $1 AND r.id > $2 AND r.deleted_at IS NULL
   AND ($3 IS NULL OR r.search_name LIKE $3 ESCAPE '\')
   AND ($4 IS NULL OR r.category_id = $4)
   AND ($5 IS NULL OR r.status = $5)
 ORDER BY r.id
 LIMIT $6;

-- :name  resource_update :maybe
-- :scope tenant
-- :in    struct resource: tenant_id:uuid id:uuid version:int category_id:uuid category.version:int name:text
--        search_name:text description:text? status:enum(resource_status) capacity:int? location:text?
--        attributes:json? availability_schedule:text? image_url:text? updated_at:time change_id:uuid
-- :out   version:int
-- Only where the row is still the version that was read, and its category the one by which it was checked.
UPDATE resources
   SET category_id = $4, name = $6, search_name = $7, description = $8, status = $9, capacity = $10, location = $11,
       attributes = $12, availability_schedule = $13, image_url = $14, updated_at = $15, change_id = $16,
       version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
   AND EXISTS (SELECT 1 FROM categories c
                WHERE c.tenant_id = $1 AND c.id = $4 AND c.version = $5 AND c.deleted_at IS NULL)
RETURNING version;

-- :name  resource_remove :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int deleted_at:time change_id:uuid
-- :out   version:int
UPDATE resources SET deleted_at = $4, updated_at = $4, change_id = $5, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  resource_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
-- The event of the change that bears this id; none when that change did not come about.
INSERT INTO resource_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT r.tenant_id, $3, $4, $5, $6, r.id, r.version, $8, $9, $10
  FROM resources r WHERE r.tenant_id = $1 AND r.id = $7 AND r.change_id = $2;

-- :name  resource_rules_by_id :maybe
-- :scope tenant
-- :neighbours
-- :in    tenant_id:uuid id:uuid
-- :out   struct resource_row: status:enum(resource_status) capacity:int? availability_schedule:text?
--        category_metadata:json?
-- What client.h tells of a resource.
SELECT r.status, r.capacity, r.availability_schedule, c.category_metadata
  FROM resources r JOIN categories c ON c.tenant_id = $1 AND c.id = r.category_id
 WHERE r.tenant_id = $1 AND r.id = $2 AND r.deleted_at IS NULL;

-- :name  metrics_add :none
-- :scope tenant
-- :together
-- :in    tenant_id:uuid resource_id:uuid created:int cancelled:int updated:int at:time
-- Sums and a maximum: the order in which events come does not matter.
INSERT INTO resource_metrics AS m (tenant_id, resource_id, bookings_created, bookings_cancelled, bookings_updated,
                                   last_event_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, resource_id) DO UPDATE
   SET bookings_created = m.bookings_created + excluded.bookings_created,
       bookings_cancelled = m.bookings_cancelled + excluded.bookings_cancelled,
       bookings_updated = m.bookings_updated + excluded.bookings_updated,
       last_event_at = CASE WHEN excluded.last_event_at > m.last_event_at THEN excluded.last_event_at
                            ELSE m.last_event_at END;
