-- Links to a new password. One is good while its user's epoch is the one that it was made under: so it is used once, and
-- any other change of the password voids it.
CREATE TABLE password_links (
    tenant_id  :uuid NOT NULL,
    id         :uuid NOT NULL,
    user_id    :uuid NOT NULL,
    auth_epoch :int  NOT NULL,
    hash       :text NOT NULL,
    created_at :time NOT NULL,
    expires_at :time NOT NULL,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX password_links_end ON password_links (expires_at);

-- Mail that is due: to whom and about what. What it says, and the secret in it, is made when it is sent. An address has
-- one of a kind at a time, so that nobody fills a mailbox. tenant_id is nil where none was named; next_at is null once
-- it was sent, or never will be.
CREATE TABLE messages (
    tenant_id  :uuid NOT NULL,
    kind       :text NOT NULL,
    recipient  :text NOT NULL,
    id         :uuid NOT NULL,
    language   :int  NOT NULL,
    attempts   :int  NOT NULL,
    created_at :time NOT NULL,
    expires_at :time NOT NULL,
    next_at    :time,
    PRIMARY KEY (tenant_id, kind, recipient)
) :strict;

CREATE INDEX messages_due ON messages (next_at) WHERE next_at IS NOT NULL;

CREATE INDEX messages_end ON messages (expires_at);
