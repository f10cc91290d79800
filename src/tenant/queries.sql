-- :include tenant/tenant.h
-- :include events/outbox.h

-- :name  tenant_insert :none
-- :scope tenant
-- :in    struct tenant: id:uuid name:text search_name:text domain:text logo_url:text? theme_primary_color:text?
--        plan:enum(plan) is_active:bool created_at:time change_id:uuid
-- A domain in use is refused by the index tenants_domain.
INSERT INTO tenants (tenant_id, name, search_name, domain, logo_url, theme_primary_color, plan, is_active, version,
                     created_at, updated_at, change_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9, $10);

-- :name  settings_put :none
-- :scope tenant
-- :in    struct tenant: id:uuid settings.id:uuid settings.business_type:text settings.timezone:text
--        settings.working_hours_start:int settings.working_hours_end:int settings.booking_interval:int
--        settings.advance_booking_days:int settings.cancellation_hours:int settings.custom_labels:json
--        settings.auto_confirm:bool settings.self_signup:bool settings.created_at:time settings.updated_at:time
--        change_id:uuid
-- Creates or changes, after the tenant itself: only where this change of it came about.
INSERT INTO tenant_settings AS s (tenant_id, id, business_type, timezone, working_hours_start, working_hours_end,
                                  booking_interval, advance_booking_days, cancellation_hours, custom_labels,
                                  auto_confirm, self_signup, created_at, updated_at)
SELECT t.tenant_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
  FROM tenants t WHERE t.tenant_id = $1 AND t.change_id = $15
ON CONFLICT (tenant_id) DO UPDATE
   SET business_type = excluded.business_type, timezone = excluded.timezone,
       working_hours_start = excluded.working_hours_start, working_hours_end = excluded.working_hours_end,
       booking_interval = excluded.booking_interval, advance_booking_days = excluded.advance_booking_days,
       cancellation_hours = excluded.cancellation_hours, custom_labels = excluded.custom_labels,
       auto_confirm = excluded.auto_confirm, self_signup = excluded.self_signup, updated_at = excluded.updated_at;

-- :name  tenant_by_id :maybe
-- :scope tenant
-- :in    id:uuid
-- :out   struct tenant: id:uuid name:text domain:text logo_url:text? theme_primary_color:text? plan:enum(plan)
--        is_active:bool created_at:time updated_at:time version:int
--        settings.id:uuid? settings.business_type:text? settings.timezone:text? settings.working_hours_start:int?
--        settings.working_hours_end:int? settings.booking_interval:int? settings.advance_booking_days:int?
--        settings.cancellation_hours:int? settings.custom_labels:json? settings.auto_confirm:bool
--        settings.self_signup:bool settings.created_at:time? settings.updated_at:time?
SELECT t.tenant_id, t.name, t.domain, t.logo_url, t.theme_primary_color, t.plan, t.is_active, t.created_at,
       t.updated_at, t.version, s.id, s.business_type, s.timezone, s.working_hours_start, s.working_hours_end,
       s.booking_interval, s.advance_booking_days, s.cancellation_hours, s.custom_labels,
       COALESCE(s.auto_confirm, FALSE), COALESCE(s.self_signup, FALSE), s.created_at, s.updated_at
  FROM tenants t LEFT JOIN tenant_settings s ON s.tenant_id = $1
 WHERE t.tenant_id = $1 AND t.deleted_at IS NULL;

-- :name  tenants_page :many
-- :scope operator
-- :replica
-- :in    after:uuid pattern:text? is_active:int? limit:int
-- :out   struct tenant: id:uuid name:text domain:text logo_url:text? theme_primary_color:text? plan:enum(plan)
--        is_active:bool created_at:time updated_at:time version:int
--        settings.id:uuid? settings.business_type:text? settings.timezone:text? settings.working_hours_start:int?
--        settings.working_hours_end:int? settings.booking_interval:int? settings.advance_booking_days:int?
--        settings.cancellation_hours:int? settings.custom_labels:json? settings.auto_confirm:bool
--        settings.self_signup:bool settings.created_at:time? settings.updated_at:time?
SELECT t.tenant_id, t.name, t.domain, t.logo_url, t.theme_primary_color, t.plan, t.is_active, t.created_at,
       t.updated_at, t.version, s.id, s.business_type, s.timezone, s.working_hours_start, s.working_hours_end,
       s.booking_interval, s.advance_booking_days, s.cancellation_hours, s.custom_labels,
       COALESCE(s.auto_confirm, FALSE), COALESCE(s.self_signup, FALSE), s.created_at, s.updated_at
  FROM tenants t LEFT JOIN tenant_settings s ON s.tenant_id = t.tenant_id
 WHERE t.tenant_id > $1 AND t.deleted_at IS NULL
   AND ($2 IS NULL OR t.search_name LIKE $2 ESCAPE '\')
   AND ($3 IS NULL OR t.is_active = ($3 = 1))
 ORDER BY t.tenant_id
 LIMIT $4;

-- :name  tenant_brand :maybe
-- :scope global
-- :because Anyone may ask whose a booking page is by its address; nothing else is told.
-- :in    domain:text
-- :out   struct brand: id:uuid name:text domain:text logo_url:text? theme_primary_color:text? timezone:text?
--        custom_labels:json?
SELECT t.tenant_id, t.name, t.domain, t.logo_url, t.theme_primary_color, s.timezone, s.custom_labels
  FROM tenants t LEFT JOIN tenant_settings s ON s.tenant_id = t.tenant_id
 WHERE t.domain = $1 AND t.deleted_at IS NULL;

-- :name  tenant_of_domain :maybe
-- :scope global
-- :neighbours
-- :because Whoever logs in by a tenant's domain has no tenant yet.
-- :in    domain:text
-- :out   id:uuid
SELECT t.tenant_id FROM tenants t WHERE t.domain = $1 AND t.deleted_at IS NULL;

-- :name  tenant_update :maybe
-- :scope tenant
-- :in    struct tenant: id:uuid version:int name:text search_name:text domain:text logo_url:text?
--        theme_primary_color:text? plan:enum(plan) is_active:bool updated_at:time change_id:uuid
-- :out   version:int
-- Only where the row is still the version that was read.
UPDATE tenants
   SET name = $3, search_name = $4, domain = $5, logo_url = $6, theme_primary_color = $7, plan = $8,
       is_active = $9, updated_at = $10, change_id = $11, version = version + 1
 WHERE tenant_id = $1 AND version = $2 AND deleted_at IS NULL
RETURNING version;

-- :name  tenant_remove :maybe
-- :scope tenant
-- :in    id:uuid version:int deleted_at:time change_id:uuid
-- :out   version:int
UPDATE tenants SET deleted_at = $3, updated_at = $3, change_id = $4, version = version + 1
 WHERE tenant_id = $1 AND version = $2 AND deleted_at IS NULL
RETURNING version;

-- :name  tenant_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
-- The event of the change that bears this id; none when that change did not come about.
INSERT INTO tenant_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT t.tenant_id, $3, $4, $5, $6, $7, t.version, $8, $9, $10
  FROM tenants t WHERE t.tenant_id = $1 AND t.change_id = $2;

-- :name  tenant_rules_by_id :maybe
-- :scope tenant
-- :neighbours
-- :in    id:uuid
-- :out   struct tenant_row: is_active:bool timezone:text? working_hours_start:int? working_hours_end:int?
--        booking_interval:int? advance_booking_days:int? cancellation_hours:int? auto_confirm:bool
--        self_signup:bool
SELECT t.is_active, s.timezone, s.working_hours_start, s.working_hours_end, s.booking_interval,
       s.advance_booking_days, s.cancellation_hours, COALESCE(s.auto_confirm, FALSE), COALESCE(s.self_signup, FALSE)
  FROM tenants t LEFT JOIN tenant_settings s ON s.tenant_id = $1
 WHERE t.tenant_id = $1 AND t.deleted_at IS NULL;

-- :name  tenant_deletion :maybe
-- :scope tenant
-- :in    tenant_id:uuid
-- :out   deleted_at:time?
SELECT t.deleted_at FROM tenants t WHERE t.tenant_id = $1;

-- :name  tenant_name_by_id :maybe
-- :scope tenant
-- :neighbours
-- :in    id:uuid
-- :out   name:text
SELECT t.name FROM tenants t WHERE t.tenant_id = $1 AND t.deleted_at IS NULL;
