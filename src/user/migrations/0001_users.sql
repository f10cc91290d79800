-- People of a tenant: who books, and who runs the place.
CREATE TABLE users (
    tenant_id             :uuid NOT NULL,
    id                    :uuid NOT NULL,
    name                  :text NOT NULL,
    search_name           :text NOT NULL,
    email                 :text NOT NULL,
    email_key             :text NOT NULL,
    phone                 :text,
    user_type             :text NOT NULL,
    department            :text,
    is_active             :bool NOT NULL,
    can_book              :bool NOT NULL,
    can_manage_resources  :bool NOT NULL,
    can_manage_users      :bool NOT NULL,
    can_view_all_bookings :bool NOT NULL,
    metadata              :json,
    password_hash         :text,
    version               :int  NOT NULL,
    change_id             :uuid,
    created_at            :time NOT NULL,
    updated_at            :time NOT NULL,
    deleted_at            :time,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX users_id ON users (id);

-- A deleted user gives the address back. Not an index WHERE deleted_at IS NULL: see the domains of tenants.
CREATE UNIQUE INDEX users_email ON users (tenant_id, email_key, COALESCE(deleted_at, 0));

-- Events leave with the change that made them, and are sent on from here.
CREATE TABLE user_outbox (
    tenant_id  :uuid NOT NULL,
    id         :uuid NOT NULL,
    stream     :text NOT NULL,
    type       :text NOT NULL,
    subject_id :uuid NOT NULL,
    version    :int  NOT NULL,
    ordinal    :int  NOT NULL,
    payload    :json NOT NULL,
    trace_id   :text NOT NULL,
    created_at :time NOT NULL,
    sequence   :int,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX user_outbox_waiting ON user_outbox (created_at, subject_id, ordinal) WHERE sequence IS NULL;
