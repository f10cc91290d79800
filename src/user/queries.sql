-- :include user/client.h
-- :include user/privacy.h
-- :include user/user.h
-- :include events/outbox.h
-- :include events/room.h

-- :name  user_insert :none
-- :scope tenant
-- :in    struct user: tenant_id:uuid id:uuid name:text search_name:text email:text email_key:text phone:text?
--        user_type:enum(user_type) department:text? is_active:bool permissions.can_book:bool
--        permissions.can_manage_resources:bool permissions.can_manage_users:bool
--        permissions.can_view_all_bookings:bool metadata:json? password_hash:text? created_at:time
--        address_unproved:bool
-- An address in use is refused by the index users_email.
INSERT INTO users (tenant_id, id, name, search_name, email, email_key, phone, user_type, department, is_active,
                   can_book, can_manage_resources, can_manage_users, can_view_all_bookings, metadata, password_hash,
                   version, created_at, updated_at, address_unproved)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, $17, $17, $18);

-- :name  user_tenant_of :maybe
-- :scope operator
-- :neighbours
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT u.tenant_id FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL;

-- :name  user_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct user: id:uuid tenant_id:uuid name:text email:text phone:text? user_type:enum(user_type)
--        department:text? is_active:bool permissions.can_book:bool permissions.can_manage_resources:bool
--        permissions.can_manage_users:bool permissions.can_view_all_bookings:bool metadata:json?
--        password_hash:text? created_at:time updated_at:time version:int
SELECT u.id, u.tenant_id, u.name, u.email, u.phone, u.user_type, u.department, u.is_active, u.can_book,
       u.can_manage_resources, u.can_manage_users, u.can_view_all_bookings, u.metadata, u.password_hash,
       u.created_at, u.updated_at, u.version
  FROM users u WHERE u.tenant_id = $1 AND u.id = $2 AND u.deleted_at IS NULL;

-- :name  user_brief_by_id :maybe
-- :scope tenant
-- :neighbours
-- :in    tenant_id:uuid id:uuid
-- :out   struct user_brief: tenant_id:uuid is_active:bool
SELECT u.tenant_id, u.is_active FROM users u WHERE u.tenant_id = $1 AND u.id = $2 AND u.deleted_at IS NULL;

-- :name  users_page :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid after:uuid pattern:text? user_type:text? is_active:int? limit:int
-- :out   struct user: id:uuid tenant_id:uuid name:text email:text phone:text? user_type:enum(user_type)
--        department:text? is_active:bool permissions.can_book:bool permissions.can_manage_resources:bool
--        permissions.can_manage_users:bool permissions.can_view_all_bookings:bool metadata:json?
--        created_at:time updated_at:time version:int
SELECT u.id, u.tenant_id, u.name, u.email, u.phone, u.user_type, u.department, u.is_active, u.can_book,
       u.can_manage_resources, u.can_manage_users, u.can_view_all_bookings, u.metadata, u.created_at, u.updated_at,
       u.version
  FROM users u
 WHERE u.tenant_id = $1 AND u.id > $2 AND u.deleted_at IS NULL
   AND ($3 IS NULL OR u.search_name LIKE $3 ESCAPE '\')
   AND ($4 IS NULL OR u.user_type = $4)
   AND ($5 IS NULL OR u.is_active = ($5 = 1))
 ORDER BY u.id
 LIMIT $6;

-- :name  user_update :maybe
-- :scope tenant
-- :in    struct user: tenant_id:uuid id:uuid version:int name:text search_name:text email:text email_key:text
--        phone:text? user_type:enum(user_type) department:text? is_active:bool permissions.can_book:bool
--        permissions.can_manage_resources:bool permissions.can_manage_users:bool
--        permissions.can_view_all_bookings:bool metadata:json? password_hash:text? updated_at:time change_id:uuid
-- :out   version:int
-- Only where the row is still the version that was read. Another password ends every session, and so does being put
-- out: who is let in again logs in again.
UPDATE users
   SET name = $4, search_name = $5, email = $6, email_key = $7, phone = $8, user_type = $9, department = $10,
       is_active = $11, can_book = $12, can_manage_resources = $13, can_manage_users = $14,
       can_view_all_bookings = $15, metadata = $16, password_hash = $17, updated_at = $18, change_id = $19,
       version = version + 1,
       auth_epoch = auth_epoch + CASE WHEN password_hash IS DISTINCT FROM $17 THEN 1 ELSE 0 END
                               + CASE WHEN is_active AND NOT $11 THEN 1 ELSE 0 END
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  user_remove :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int deleted_at:time change_id:uuid
-- :out   version:int
-- What logs in is gone at once; the rest of the row stays, marked.
UPDATE users SET deleted_at = $4, updated_at = $4, password_hash = NULL, change_id = $5, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  user_take_back :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- Of somebody whose tenant did not come about: nothing else can know of him.
DELETE FROM users WHERE tenant_id = $1 AND id = $2;

-- :name  notification_add :none
-- :scope tenant
-- :together
-- :in    tenant_id:uuid id:uuid user_id:uuid booking_id:uuid type:text payload:json occurred_at:time created_at:time
-- Once, also when the streams are played again after it is forgotten which events have been had.
-- Nothing any more for whoever was erased.
INSERT INTO notifications (tenant_id, id, user_id, booking_id, type, payload, occurred_at, created_at, attempts)
SELECT u.tenant_id, $2, u.id, $4, $5, $6, $7, $8, 0
  FROM users u WHERE u.tenant_id = $1 AND u.id = $3 AND u.erased_at IS NULL
ON CONFLICT (tenant_id, id) DO NOTHING;

-- :name  user_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
-- The event of the change that bears this id; none when that change did not come about.
INSERT INTO user_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT u.tenant_id, $3, $4, $5, $6, u.id, u.version, $8, $9, $10
  FROM users u WHERE u.tenant_id = $1 AND u.id = $7 AND u.change_id = $2;

-- Privacy: export.c, erase.c.

-- :name  user_tenant_even_deleted :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT u.tenant_id FROM users u WHERE u.id = $1;

-- :name  user_even_deleted :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct user_trace: tenant_id:uuid id:uuid user_type:enum(user_type) permissions.can_book:bool
--        permissions.can_manage_resources:bool permissions.can_manage_users:bool
--        permissions.can_view_all_bookings:bool version:int updated_at:time deleted_at:time? erased_at:time?
SELECT u.tenant_id, u.id, u.user_type, u.can_book, u.can_manage_resources, u.can_manage_users,
       u.can_view_all_bookings, u.version, u.updated_at, u.deleted_at, u.erased_at
  FROM users u WHERE u.tenant_id = $1 AND u.id = $2;

-- :name  users_long_deleted :many
-- :scope global
-- :because The retention is the same for all tenants; each is then erased within his own.
-- :in    before:time limit:int
-- :out   struct user_trace: tenant_id:uuid id:uuid user_type:enum(user_type) version:int updated_at:time
--        deleted_at:time? erased_at:time?
SELECT u.tenant_id, u.id, u.user_type, u.version, u.updated_at, u.deleted_at, u.erased_at
  FROM users u WHERE u.deleted_at < $1 AND u.deleted_at IS NOT NULL AND u.erased_at IS NULL
 ORDER BY u.deleted_at, u.tenant_id, u.id LIMIT $2;

-- :name  notifications_purge :many
-- :scope global
-- :because What is too old is let go for all tenants at once; nothing of it is read.
-- :in    struct purge: before:time limit:int
-- :out   id:uuid
DELETE FROM notifications
 WHERE (tenant_id, id) IN (SELECT n.tenant_id, n.id FROM notifications n WHERE n.occurred_at < $1
                            ORDER BY n.occurred_at, n.tenant_id, n.id LIMIT $2)
RETURNING id;

-- :name  user_erase :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int erased_at:time change_id:uuid nobody:text
-- :out   version:int
-- The row stays, for bookings name it: it says nothing of anybody. `nobody` is unique, as addresses are.
UPDATE users
   SET name = '', search_name = '', email = '', email_key = $6, phone = NULL, department = NULL, metadata = NULL,
       password_hash = NULL, is_active = FALSE, can_book = FALSE, can_manage_resources = FALSE,
       can_manage_users = FALSE, can_view_all_bookings = FALSE, deleted_at = COALESCE(deleted_at, $4), erased_at = $4,
       updated_at = $4, change_id = $5, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3
RETURNING version;

-- :name  notifications_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
DELETE FROM notifications WHERE tenant_id = $1 AND user_id = $2;

-- :name  notifications_of_user :many
-- :scope tenant
-- :replica
-- :in    tenant_id:uuid user_id:uuid
-- :out   struct notification: id:uuid booking_id:uuid type:text payload:json occurred_at:time sent_at:time?
-- Reads what there is of the tenant: it is kept for some days.
SELECT n.id, n.booking_id, n.type, n.payload, n.occurred_at, n.sent_at
  FROM notifications n WHERE n.tenant_id = $1 AND n.user_id = $2 ORDER BY n.id;
