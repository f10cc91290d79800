-- :include auth/api_key.h

-- :name  api_key_insert :none
-- :scope tenant
-- :in    struct api_key: tenant_id:uuid id:uuid name:text scopes:int hash:text created_by:uuid? created_at:time
--        expires_at:time? change_id:uuid
INSERT INTO api_keys (tenant_id, id, name, scopes, hash, created_by, created_at, expires_at, change_id, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1);

-- :name  api_key_tenant_of :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT k.tenant_id FROM api_keys k WHERE k.id = $1 AND k.revoked_at IS NULL;

-- :name  api_key_alive :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct api_key: scopes:int hash:text expires_at:time? last_used_at:time?
SELECT k.scopes, k.hash, k.expires_at, k.last_used_at
  FROM api_keys k WHERE k.tenant_id = $1 AND k.id = $2 AND k.revoked_at IS NULL;

-- :name  api_keys_page :many
-- :scope tenant
-- :in    tenant_id:uuid after:uuid limit:int
-- :out   struct api_key: tenant_id:uuid id:uuid name:text scopes:int created_by:uuid? created_at:time expires_at:time?
--        last_used_at:time?
SELECT k.tenant_id, k.id, k.name, k.scopes, k.created_by, k.created_at, k.expires_at, k.last_used_at
  FROM api_keys k
 WHERE k.tenant_id = $1 AND k.id > $2 AND k.revoked_at IS NULL
 ORDER BY k.id
 LIMIT $3;

-- :name  api_key_revoke :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid revoked_at:time change_id:uuid
-- :out   version:int
UPDATE api_keys SET revoked_at = $3, change_id = $4, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
RETURNING version;

-- :name  api_keys_end :none
-- :scope tenant
-- :in    tenant_id:uuid revoked_at:time
-- Those of a tenant that is gone: nothing can be done by them any more.
UPDATE api_keys SET revoked_at = $2 WHERE tenant_id = $1 AND revoked_at IS NULL;

-- :name  api_key_used :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid at:time unless_since:time
-- Several processes may see it used: one of them writes.
UPDATE api_keys SET last_used_at = $3
 WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $4);

-- :name  api_key_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
INSERT INTO user_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT k.tenant_id, $3, $4, $5, $6, k.id, k.version, $8, $9, $10
  FROM api_keys k WHERE k.tenant_id = $1 AND k.id = $7 AND k.change_id = $2;
