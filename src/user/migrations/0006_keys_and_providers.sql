-- API keys, by which programs of a tenant call. Of each a hash is kept, never the key; scopes is a set of bits, by the
-- words of auth/api_key.h.
CREATE TABLE api_keys (
    tenant_id    :uuid NOT NULL,
    id           :uuid NOT NULL,
    name         :text NOT NULL,
    scopes       :int  NOT NULL,
    hash         :text NOT NULL,
    created_by   :uuid,
    created_at   :time NOT NULL,
    expires_at   :time,
    last_used_at :time,
    revoked_at   :time,
    version      :int  NOT NULL,
    change_id    :uuid,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX api_keys_id ON api_keys (id);

-- OpenID Connect providers of tenants that bring their own. client_secret is sealed (auth/keys.h). What whoever logs in
-- for the first time may do, where he gets an account by that.
CREATE TABLE identity_providers (
    tenant_id             :uuid NOT NULL,
    id                    :uuid NOT NULL,
    name                  :text NOT NULL,
    issuer                :text NOT NULL,
    client_id             :text NOT NULL,
    client_secret         :text,
    scopes                :text NOT NULL,
    auto_create           :bool NOT NULL,
    can_book              :bool NOT NULL,
    can_manage_resources  :bool NOT NULL,
    can_manage_users      :bool NOT NULL,
    can_view_all_bookings :bool NOT NULL,
    version               :int  NOT NULL,
    change_id             :uuid,
    created_at            :time NOT NULL,
    updated_at            :time NOT NULL,
    deleted_at            :time,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX identity_providers_id ON identity_providers (id);

-- Who a user is to a provider. By the issuer and not by the row above: it stays when that is made anew.
CREATE TABLE identity_links (
    tenant_id  :uuid NOT NULL,
    issuer     :text NOT NULL,
    subject    :text NOT NULL,
    user_id    :uuid NOT NULL,
    created_at :time NOT NULL,
    PRIMARY KEY (tenant_id, issuer, subject)
) :strict;

CREATE UNIQUE INDEX identity_links_user ON identity_links (tenant_id, user_id, issuer);

-- What a page is given when a login by a provider is done, and exchanges for tokens.
CREATE TABLE login_codes (
    tenant_id  :uuid NOT NULL,
    id         :uuid NOT NULL,
    hash       :text NOT NULL,
    user_id    :uuid NOT NULL,
    challenge  :text NOT NULL,
    created_at :time NOT NULL,
    expires_at :time NOT NULL,
    used_at    :time,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX login_codes_end ON login_codes (expires_at);
