-- Tenants and their rules of booking. The few global tables of the system: read
-- by every request (from caches), written rarely.
CREATE TABLE tenants (
    tenant_id           :uuid NOT NULL PRIMARY KEY,
    name                :text NOT NULL,
    search_name         :text NOT NULL,
    domain              :text NOT NULL,
    logo_url            :text,
    theme_primary_color :text,
    plan                :text NOT NULL,
    is_active           :bool NOT NULL,
    version             :int  NOT NULL,
    change_id           :uuid,
    created_at          :time NOT NULL,
    updated_at          :time NOT NULL,
    deleted_at          :time
) :strict;

-- A deleted tenant gives its domain back. Not an index WHERE deleted_at IS NULL: PostgreSQL takes one, while it has no
-- statistics, for so small that it reads all of it in place of the primary key.
-- :because a domain leads to one tenant, whoever asks
CREATE UNIQUE INDEX tenants_domain ON tenants (domain, COALESCE(deleted_at, 0));

CREATE TABLE tenant_settings (
    tenant_id            :uuid NOT NULL PRIMARY KEY,
    id                   :uuid NOT NULL,
    business_type        :text NOT NULL,
    timezone             :text NOT NULL,
    working_hours_start  :int  NOT NULL,
    working_hours_end    :int  NOT NULL,
    booking_interval     :int  NOT NULL,
    advance_booking_days :int  NOT NULL,
    cancellation_hours   :int  NOT NULL,
    custom_labels        :json NOT NULL,
    auto_confirm         :bool NOT NULL,
    created_at           :time NOT NULL,
    updated_at           :time NOT NULL
) :strict;

-- Events leave with the change that made them, and are sent on from here.
CREATE TABLE tenant_outbox (
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

CREATE INDEX tenant_outbox_waiting ON tenant_outbox (created_at, subject_id, ordinal) WHERE sequence IS NULL;
