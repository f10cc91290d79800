-- :include auth/session.h
-- :include events/outbox.h
-- :include events/room.h

-- :name  account_of_tenant :maybe
-- :scope tenant
-- :in    tenant_id:uuid email_key:text
-- :out   struct account: tenant_id:uuid id:uuid password_hash:text auth_epoch:int
-- Who may log in by that address.
SELECT u.tenant_id, u.id, u.password_hash, u.auth_epoch
  FROM users u
 WHERE u.tenant_id = $1 AND u.email_key = $2 AND u.deleted_at IS NULL AND u.is_active AND u.password_hash IS NOT NULL;

-- :name  accounts_anywhere :many
-- :scope global
-- :because Whoever logs in without naming a tenant has none yet; only what a password is tried on is read.
-- :in    email_key:text limit:int
-- :out   struct account: tenant_id:uuid id:uuid password_hash:text auth_epoch:int
-- The same in whatever tenant; the oldest first, so that nobody's account is pushed out by a newer one.
SELECT u.tenant_id, u.id, u.password_hash, u.auth_epoch
  FROM users u
 WHERE u.email_key = $1 AND u.deleted_at IS NULL AND u.is_active AND u.password_hash IS NOT NULL
 ORDER BY u.id
 LIMIT $2;

-- :name  password_rehash :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid old_hash:text new_hash:text
-- The same password, kept by today's parameters: nobody need know, and no session ends.
UPDATE users SET password_hash = $4 WHERE tenant_id = $1 AND id = $2 AND password_hash = $3 AND deleted_at IS NULL;

-- :name  user_raise_epoch :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid version:int updated_at:time change_id:uuid
-- :out   version:int
-- Every session of this user is over.
UPDATE users SET auth_epoch = auth_epoch + 1, updated_at = $4, change_id = $5, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL
RETURNING version;

-- :name  session_insert :maybe
-- :scope tenant
-- :in    struct session: tenant_id:uuid id:uuid user_id:uuid auth_epoch:int method:enum(session_method) user_agent:text?
--        address:text? created_at:time expires_at:time
-- :out   id:uuid
-- Where its user is still who he was when he proved himself.
INSERT INTO sessions (tenant_id, id, user_id, auth_epoch, method, user_agent, address, created_at, used_at, expires_at)
SELECT u.tenant_id, $2, u.id, u.auth_epoch, $5, $6, $7, $8, $8, $9
  FROM users u
 WHERE u.tenant_id = $1 AND u.id = $3 AND u.auth_epoch = $4 AND u.is_active AND u.deleted_at IS NULL
RETURNING id;

-- :name  refresh_insert :none
-- :scope tenant
-- :in    tenant_id:uuid session_id:uuid hash:text created_at:time expires_at:time
INSERT INTO refresh_tokens (tenant_id, session_id, hash, created_at, expires_at)
SELECT s.tenant_id, s.id, $3, $4, $5 FROM sessions s WHERE s.tenant_id = $1 AND s.id = $2;

-- :name  refresh_find :maybe
-- :scope tenant
-- :in    tenant_id:uuid session_id:uuid hash:text now:time
-- :out   user_id:uuid created_at:time used_at:time? expires_at:time
-- A token of a session that lives. used_at: it was used before.
SELECT s.user_id, s.created_at, t.used_at, t.expires_at
  FROM refresh_tokens t
  JOIN sessions s ON s.tenant_id = $1 AND s.id = t.session_id
  JOIN users u ON u.tenant_id = $1 AND u.id = s.user_id
 WHERE t.tenant_id = $1 AND t.session_id = $2 AND t.hash = $3
   AND s.revoked_at IS NULL AND s.expires_at > $4 AND s.auth_epoch = u.auth_epoch
   AND u.is_active AND u.deleted_at IS NULL;

-- :name  refresh_spend :maybe
-- :scope tenant
-- :in    struct refresh_step: tenant_id:uuid session_id:uuid hash:text next_hash:text now:time
-- :out   session_id:uuid
-- Of those who use a token at the same time, one gets a row.
UPDATE refresh_tokens SET used_at = $5, next_hash = $4
 WHERE tenant_id = $1 AND session_id = $2 AND hash = $3 AND used_at IS NULL AND expires_at > $5
RETURNING session_id;

-- :name  refresh_next :none
-- :scope tenant
-- :in    struct refresh_step: tenant_id:uuid session_id:uuid hash:text next_hash:text now:time expires_at:time
-- Where that exchange came about.
INSERT INTO refresh_tokens (tenant_id, session_id, hash, created_at, expires_at)
SELECT t.tenant_id, t.session_id, t.next_hash, $5, $6
  FROM refresh_tokens t
 WHERE t.tenant_id = $1 AND t.session_id = $2 AND t.hash = $3 AND t.next_hash = $4;

-- :name  session_prolong :none
-- :scope tenant
-- :in    struct refresh_step: tenant_id:uuid session_id:uuid next_hash:text now:time expires_at:time
UPDATE sessions SET used_at = $4, expires_at = $5
 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
   AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.tenant_id = $1 AND t.session_id = $2 AND t.hash = $3);

-- :name  session_alive :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct live_session: user_id:uuid expires_at:time user_type:enum(user_type) permissions.can_book:bool
--        permissions.can_manage_resources:bool permissions.can_manage_users:bool
--        permissions.can_view_all_bookings:bool
-- With what its user may do now. None when it is over, but for its time.
SELECT s.user_id, s.expires_at, u.user_type, u.can_book, u.can_manage_resources, u.can_manage_users,
       u.can_view_all_bookings
  FROM sessions s JOIN users u ON u.tenant_id = $1 AND u.id = s.user_id
 WHERE s.tenant_id = $1 AND s.id = $2 AND s.revoked_at IS NULL AND s.auth_epoch = u.auth_epoch
   AND u.is_active AND u.deleted_at IS NULL;

-- :name  session_tenant_of :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT s.tenant_id FROM sessions s WHERE s.id = $1;

-- :name  session_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid now:time
-- :out   struct session: tenant_id:uuid id:uuid user_id:uuid
SELECT s.tenant_id, s.id, s.user_id
  FROM sessions s JOIN users u ON u.tenant_id = $1 AND u.id = s.user_id
 WHERE s.tenant_id = $1 AND s.id = $2 AND s.revoked_at IS NULL AND s.expires_at > $3
   AND s.auth_epoch = u.auth_epoch AND u.deleted_at IS NULL;

-- :name  sessions_page :many
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid after:uuid now:time limit:int
-- :out   struct session: tenant_id:uuid id:uuid user_id:uuid method:enum(session_method) user_agent:text? address:text?
--        created_at:time used_at:time expires_at:time
SELECT s.tenant_id, s.id, s.user_id, s.method, s.user_agent, s.address, s.created_at, s.used_at, s.expires_at
  FROM sessions s JOIN users u ON u.tenant_id = $1 AND u.id = s.user_id
 WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.id > $3 AND s.revoked_at IS NULL AND s.expires_at > $4
   AND s.auth_epoch = u.auth_epoch AND u.deleted_at IS NULL
 ORDER BY s.id
 LIMIT $5;

-- :name  sessions_of_user :many
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
-- :out   struct session: tenant_id:uuid id:uuid user_id:uuid method:enum(session_method) user_agent:text? address:text?
--        created_at:time used_at:time expires_at:time
-- All that is kept of his logins, those that ended too.
SELECT s.tenant_id, s.id, s.user_id, s.method, s.user_agent, s.address, s.created_at, s.used_at, s.expires_at
  FROM sessions s WHERE s.tenant_id = $1 AND s.user_id = $2 ORDER BY s.id;

-- :name  refresh_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
DELETE FROM refresh_tokens
 WHERE tenant_id = $1 AND session_id IN (SELECT s.id FROM sessions s WHERE s.tenant_id = $1 AND s.user_id = $2);

-- :name  sessions_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2;

-- :name  session_revoke :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid revoked_at:time change_id:uuid
-- :out   id:uuid
UPDATE sessions SET revoked_at = $3, change_id = $4 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
RETURNING id;

-- :name  session_event :none
-- :scope tenant
-- :in    struct outbox_row: tenant_id:uuid change_id:uuid id:uuid ordinal:int stream:text type:text subject_id:uuid
--        payload:json trace_id:text created_at:time
-- A session is revoked once: its first and only version.
INSERT INTO user_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, created_at)
SELECT s.tenant_id, $3, $4, $5, $6, s.id, 1, $8, $9, $10
  FROM sessions s WHERE s.tenant_id = $1 AND s.id = $7 AND s.change_id = $2;

-- :name  sessions_purge :many
-- :scope global
-- :because What has ended is let go for all tenants at once; nothing of it is read.
-- :in    struct purge: before:time limit:int
-- :out   id:uuid
-- What has ended by itself; what was revoked goes when it would have.
DELETE FROM sessions
 WHERE (tenant_id, id) IN (SELECT s.tenant_id, s.id FROM sessions s WHERE s.expires_at < $1
                            ORDER BY s.expires_at LIMIT $2)
RETURNING id;

-- :name  refresh_purge :many
-- :scope global
-- :because What has ended is let go for all tenants at once; nothing of it is read.
-- :in    struct purge: before:time limit:int
-- :out   session_id:uuid
DELETE FROM refresh_tokens
 WHERE (tenant_id, session_id, hash) IN (SELECT t.tenant_id, t.session_id, t.hash FROM refresh_tokens t
                                          WHERE t.expires_at < $1 ORDER BY t.expires_at LIMIT $2)
RETURNING session_id;
