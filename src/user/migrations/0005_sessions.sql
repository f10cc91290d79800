-- :blocking It is of before the first release.
-- Raised when what a person proves himself by changes, or when he leaves everywhere at once: sessions of before are over.
ALTER TABLE users ADD COLUMN auth_epoch :int NOT NULL DEFAULT 0;

-- Who logs in without naming his tenant.
CREATE INDEX users_email_key ON users (email_key, id);

-- Logins. One is over when it was revoked, has expired, or its epoch is no longer the user's.
CREATE TABLE sessions (
    tenant_id  :uuid NOT NULL,
    id         :uuid NOT NULL,
    user_id    :uuid NOT NULL,
    auth_epoch :int  NOT NULL,
    method     :text NOT NULL,
    user_agent :text,
    address    :text,
    created_at :time NOT NULL,
    used_at    :time NOT NULL,
    expires_at :time NOT NULL,
    revoked_at :time,
    change_id  :uuid,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX sessions_id ON sessions (id);

CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id, id);

CREATE INDEX sessions_end ON sessions (expires_at);

-- One row a refresh token, kept after its use: so that a second use of it is known for what it is. next_hash is that of
-- the token that it was exchanged for.
CREATE TABLE refresh_tokens (
    tenant_id  :uuid NOT NULL,
    session_id :uuid NOT NULL,
    hash       :text NOT NULL,
    created_at :time NOT NULL,
    expires_at :time NOT NULL,
    used_at    :time,
    next_hash  :text,
    PRIMARY KEY (tenant_id, session_id, hash)
) :strict;

CREATE INDEX refresh_tokens_end ON refresh_tokens (expires_at);
