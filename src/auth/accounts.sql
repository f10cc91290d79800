-- :include auth/message.h
-- :include auth/password.h

-- :name  password_set :maybe
-- :scope tenant
-- :in    struct password_change: tenant_id:uuid id:uuid auth_epoch:int password_hash:text updated_at:time change_id:uuid
-- :out   auth_epoch:int
-- Of those who change it at the same time, one gets a row. Every session is over, and every link.
UPDATE users
   SET password_hash = $4, auth_epoch = auth_epoch + 1, updated_at = $5, change_id = $6, version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND auth_epoch = $3 AND is_active AND deleted_at IS NULL
RETURNING auth_epoch;

-- :name  address_proved :none
-- :scope tenant
-- :in    tenant_id:uuid id:uuid updated_at:time change_id:uuid
-- Of whoever signed up without proof: what he chose then is void, for it may have been somebody else.
UPDATE users
   SET address_unproved = FALSE, password_hash = NULL, auth_epoch = auth_epoch + 1, updated_at = $3, change_id = $4,
       version = version + 1
 WHERE tenant_id = $1 AND id = $2 AND address_unproved AND deleted_at IS NULL;

-- :name  person_by_id :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   struct person: tenant_id:uuid id:uuid name:text email:text email_key:text password_hash:text? auth_epoch:int
--        updated_at:time
SELECT u.tenant_id, u.id, u.name, u.email, u.email_key, u.password_hash, u.auth_epoch, u.updated_at
  FROM users u WHERE u.tenant_id = $1 AND u.id = $2 AND u.is_active AND u.deleted_at IS NULL;

-- :name  person_by_email :maybe
-- :scope tenant
-- :in    tenant_id:uuid email_key:text
-- :out   struct person: tenant_id:uuid id:uuid name:text email:text email_key:text auth_epoch:int updated_at:time
SELECT u.tenant_id, u.id, u.name, u.email, u.email_key, u.auth_epoch, u.updated_at
  FROM users u WHERE u.tenant_id = $1 AND u.email_key = $2 AND u.is_active AND u.deleted_at IS NULL;

-- :name  people_by_email :many
-- :scope global
-- :because Whoever forgot his password may not know his tenant; the answer goes to his mailbox alone.
-- :in    email_key:text limit:int
-- :out   struct person: tenant_id:uuid id:uuid name:text email:text email_key:text auth_epoch:int updated_at:time
-- The oldest first, so that nobody's account is pushed out by a newer one.
SELECT u.tenant_id, u.id, u.name, u.email, u.email_key, u.auth_epoch, u.updated_at
  FROM users u WHERE u.email_key = $1 AND u.is_active AND u.deleted_at IS NULL
 ORDER BY u.id
 LIMIT $2;

-- :name  link_add :none
-- :scope tenant
-- :in    struct password_link: tenant_id:uuid id:uuid user_id:uuid auth_epoch:int hash:text created_at:time expires_at:time
INSERT INTO password_links (tenant_id, id, user_id, auth_epoch, hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- :name  link_person :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid now:time
-- :out   struct person: tenant_id:uuid id:uuid name:text email:text email_key:text auth_epoch:int updated_at:time
--        link_hash:text
-- Whose password a link that is still good changes.
SELECT u.tenant_id, u.id, u.name, u.email, u.email_key, u.auth_epoch, u.updated_at, l.hash
  FROM password_links l JOIN users u ON u.tenant_id = $1 AND u.id = l.user_id
 WHERE l.tenant_id = $1 AND l.id = $2 AND l.expires_at > $3 AND l.auth_epoch = u.auth_epoch
   AND u.is_active AND u.deleted_at IS NULL;

-- :name  links_purge :many
-- :scope global
-- :because What has ended is let go for all tenants at once; nothing of it is read.
-- :in    struct purge: before:time limit:int
-- :out   id:uuid
DELETE FROM password_links
 WHERE (tenant_id, id) IN (SELECT l.tenant_id, l.id FROM password_links l WHERE l.expires_at < $1
                            ORDER BY l.expires_at LIMIT $2)
RETURNING id;

-- :name  links_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
DELETE FROM password_links WHERE tenant_id = $1 AND user_id = $2;

-- :name  messages_forget :none
-- :scope tenant
-- :in    tenant_id:uuid user_id:uuid
DELETE FROM messages
 WHERE tenant_id = $1
   AND recipient = (SELECT u.email_key FROM users u WHERE u.tenant_id = $1 AND u.id = $2);

-- :name  message_add :none
-- :scope tenant
-- :in    struct message: tenant_id:uuid kind:enum(message_kind) recipient:text id:uuid language:int created_at:time
--        expires_at:time quiet_since:time
-- One that is still to be sent, or was sent a moment ago, stands.
INSERT INTO messages AS m (tenant_id, kind, recipient, id, language, attempts, created_at, expires_at, next_at)
VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $6)
ON CONFLICT (tenant_id, kind, recipient) DO UPDATE
   SET id = excluded.id, language = excluded.language, attempts = 0, created_at = excluded.created_at,
       expires_at = excluded.expires_at, next_at = excluded.next_at
 WHERE m.next_at IS NULL AND m.created_at <= $8;

-- :name  messages_due :many
-- :scope global
-- :because One task of the process sends the mail of all tenants; each is then read and changed under its own.
-- :in    now:time limit:int
-- :out   struct message: tenant_id:uuid kind:enum(message_kind) recipient:text id:uuid language:int attempts:int
--        created_at:time next_at:time
SELECT m.tenant_id, m.kind, m.recipient, m.id, m.language, m.attempts, m.created_at, m.next_at
  FROM messages m WHERE m.next_at <= $1 AND m.expires_at > $1
 ORDER BY m.next_at
 LIMIT $2;

-- :name  message_claim :maybe
-- :scope tenant
-- :in    struct message: tenant_id:uuid kind:enum(message_kind) recipient:text id:uuid next_at:time claimed_until:time
-- :out   id:uuid
-- Of several processes one gets a row.
UPDATE messages SET next_at = $6, attempts = attempts + 1
 WHERE tenant_id = $1 AND kind = $2 AND recipient = $3 AND id = $4 AND next_at = $5
RETURNING id;

-- :name  message_end :none
-- :scope tenant
-- :in    struct message: tenant_id:uuid kind:enum(message_kind) recipient:text id:uuid retry_at:time?
-- Without a time: for good.
UPDATE messages SET next_at = $5 WHERE tenant_id = $1 AND kind = $2 AND recipient = $3 AND id = $4;

-- :name  messages_purge :many
-- :scope global
-- :because What has ended is let go for all tenants at once; nothing of it is read.
-- :in    struct purge: before:time limit:int
-- :out   id:uuid
DELETE FROM messages
 WHERE (tenant_id, kind, recipient) IN (SELECT m.tenant_id, m.kind, m.recipient FROM messages m WHERE m.expires_at < $1
                                         ORDER BY m.expires_at LIMIT $2)
RETURNING id;
