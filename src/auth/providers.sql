-- :include auth/oidc.h
-- :include auth/provider.h
-- :include auth/session.h

-- :name  provider_insert :none
-- :scope tenant
-- :in    struct provider: tenant_id:uuid id:uuid name:text issuer:text client_id:text client_secret:text? scopes:text
--        auto_create:bool permissions.can_book:bool permissions.can_manage_resources:bool
--        permissions.can_manage_users:bool permissions.can_view_all_bookings:bool created_at:time change_id:uuid
INSERT INTO identity_providers (tenant_id, id, name, issuer, client_id, client_secret, scopes, auto_create, can_book,
                                can_manage_resources, can_manage_users, can_view_all_bookings, created_at, updated_at,
                                change_id, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, 1);

-- :name  provider_tenant_of :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT p.tenant_id FROM identity_providers p WHERE p.id = $1 AND p.deleted_at IS NULL;

-- :name  provider_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct provider: tenant_id:uuid id:uuid name:text issuer:text client_id:text client_secret:text? scopes:text
--        auto_create:bool permissions.can_book:bool permissions.can_manage_resources:bool
--        permissions.can_manage_users:bool permissions.can_view_all_bookings:bool created_at:time updated_at:time
--        version:int
SELECT p.tenant_id, p.id, p.name, p.issuer, p.client_id, p.client_secret, p.scopes, p.auto_create, p.can_book,
       p.can_manage_resources, p.can_manage_users, p.can_view_all_bookings, p.created_at, p.updated_at, p.version
  FROM identity_providers p WHERE p.tenant_id = $1 AND p.id = $2 AND p.deleted_at IS NULL;

-- :name  provider_for_login :maybe
-- :scope global
-- :because Whoever logs in has no tenant yet; the provider that he names has one.
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT p.tenant_id FROM identity_providers p WHERE p.id = $1 AND p.deleted_at IS NULL;

-- :name  providers_page :many
-- :scope tenant
-- :in    tenant_id:uuid after:uuid limit:int
-- :out   struct provider: tenant_id:uuid id:uuid name:text issuer:text client_id:text client_secret:text? scopes:text
--        auto_create:bool permissions.can_book:bool permissions.can_manage_resources:bool
--        permissions.can_manage_users:bool permissions.can_view_all_bookings:bool created_at:time updated_at:time
--        version:int
SELECT p.tenant_id, p.id, p.name, p.issuer, p.client_id, p.client_secret, p.scopes, p.auto_create, p.can_book,
       p.can_manage_resources, p.can_manage_users, p.can_view_all_bookings, p.created_at, p.updated_at, p.version
  FROM identity_providers p
 WHERE p.tenant_id = $1 AND p.id > $2 AND p.deleted_at IS NULL
 ORDER BY p.id
 LIMIT $3;

-- :name  provider_update :maybe
-- :scope tenant
-- :in    struct provider: tenant_id:uuid id:uuid version:int name:text issuer:text client_id:text client_secret:text?
--        scopes:text auto_create:bool permissions.can_book:bool permissions.can_manage_resources:bool
--        permissions.can_manage_users:bool permissions.can_view_all_bookings:bool updated_at:time change_id:uuid
-- :out   version:int
-- Only where the row is still the version that was read.
UPDATE identity_providers
   SET name = $4, issuer = $5, client_id = $6, client_secret = $7, scopes = $8, auto_create = $9, can_book = $10,
       can_manage_resources = $11, can_manage_users = $12, can_view_all_bookings = $13, updated_at = $14,
       change_id = $15, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  provider_remove :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int deleted_at:time change_id:uuid
-- :out   version:int
-- Its secret is gone at once.
UPDATE identity_providers
   SET deleted_at = $4, updated_at = $4, client_secret = NULL, change_id = $5, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  providers_end :none
-- :scope tenant
-- :in    tenant_id:uuid deleted_at:time
-- Those of a tenant that is gone.
UPDATE identity_providers SET deleted_at = $2, updated_at = $2, client_secret = NULL
 WHERE tenant_id = $1 AND deleted_at IS NULL;

-- :name  provider_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
INSERT INTO user_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT p.tenant_id, $3, $4, $5, $6, p.id, p.version, $8, $9, $10
  FROM identity_providers p WHERE p.tenant_id = $1 AND p.id = $7 AND p.change_id = $2;

-- :name  identity_user :maybe
-- :scope tenant
-- :in    tenant_id:uuid issuer:text subject:text
-- :out   struct linked_user: id:uuid is_active:bool auth_epoch:int
-- Whom someone's login by a provider is for. None where that user is no more.
SELECT u.id, u.is_active, u.auth_epoch
  FROM identity_links l JOIN users u ON u.tenant_id = l.tenant_id AND u.id = l.user_id
 WHERE l.tenant_id = $1 AND u.tenant_id = $1 AND l.issuer = $2 AND l.subject = $3 AND u.deleted_at IS NULL;

-- :name  identity_candidate :maybe
-- :scope tenant
-- :in    tenant_id:uuid email_key:text
-- :out   struct linked_user: id:uuid is_active:bool auth_epoch:int
SELECT u.id, u.is_active, u.auth_epoch
  FROM users u WHERE u.tenant_id = $1 AND u.email_key = $2 AND u.deleted_at IS NULL;

-- :name  identity_of_user :maybe
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid issuer:text
-- :out   subject:text
-- Who that user is at that provider.
SELECT l.subject FROM identity_links l WHERE l.tenant_id = $1 AND l.user_id = $2 AND l.issuer = $3;

-- :name  identity_insert :none
-- :scope tenant
-- :in    tenant_id:uuid issuer:text subject:text user_id:uuid created_at:time
-- The link of a user who is no more gives way.
INSERT INTO identity_links (tenant_id, issuer, subject, user_id, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, issuer, subject) DO UPDATE SET user_id = $4, created_at = $5;

-- :name  identities_of_user :many
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
-- :out   struct identity_link: issuer:text subject:text created_at:time
SELECT l.issuer, l.subject, l.created_at
  FROM identity_links l WHERE l.tenant_id = $1 AND l.user_id = $2 ORDER BY l.issuer;

-- :name  identities_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
DELETE FROM identity_links WHERE tenant_id = $1 AND user_id = $2;

-- :name  login_codes_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
-- Reads what there is of the tenant: codes are kept for a minute.
DELETE FROM login_codes WHERE tenant_id = $1 AND user_id = $2;

-- :name  login_code_insert :none
-- :scope tenant
-- :in    struct login_code: tenant_id:uuid id:uuid hash:text user_id:uuid challenge:text created_at:time expires_at:time
INSERT INTO login_codes (tenant_id, id, hash, user_id, challenge, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- :name  login_code_spend :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid hash:text now:time
-- :out   struct login_code: user_id:uuid challenge:text
-- Once, also where its owner cannot prove that it is his.
UPDATE login_codes SET used_at = $4
 WHERE tenant_id = $1 AND id = $2 AND hash = $3 AND used_at IS NULL AND expires_at > $4
RETURNING user_id, challenge;

-- :name  login_account :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct account: tenant_id:uuid id:uuid auth_epoch:int
SELECT u.tenant_id, u.id, u.auth_epoch
  FROM users u WHERE u.tenant_id = $1 AND u.id = $2 AND u.is_active AND u.deleted_at IS NULL;

-- :name  login_codes_purge :many
-- :scope global
-- :because Codes that have ended, of whomever.
-- :in    struct purge: before:time limit:int
-- :out   id:uuid
DELETE FROM login_codes
 WHERE (tenant_id, id) IN (SELECT c.tenant_id, c.id FROM login_codes c WHERE c.expires_at < $1
                            ORDER BY c.expires_at LIMIT $2)
RETURNING id;
