-- What a tenant rents out: things, places or people, each of one category.
CREATE TABLE categories (
    tenant_id         :uuid NOT NULL,
    id                :uuid NOT NULL,
    name              :text NOT NULL,
    search_name       :text NOT NULL,
    description       :text,
    type              :text NOT NULL,
    icon              :text,
    color             :text,
    is_active         :bool NOT NULL,
    category_metadata :json,
    touched           :int  NOT NULL,
    version           :int  NOT NULL,
    change_id         :uuid,
    created_at        :time NOT NULL,
    updated_at        :time NOT NULL,
    deleted_at        :time,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE INDEX categories_id ON categories (id);

-- A schedule is text, not JSON of the store's: it is returned as it was sent.
CREATE TABLE resources (
    tenant_id             :uuid NOT NULL,
    id                    :uuid NOT NULL,
    category_id           :uuid NOT NULL,
    name                  :text NOT NULL,
    search_name           :text NOT NULL,
    description           :text,
    status                :text NOT NULL,
    capacity              :int,
    location              :text,
    attributes            :json,
    availability_schedule :text,
    image_url             :text,
    version               :int  NOT NULL,
    change_id             :uuid,
    created_at            :time NOT NULL,
    updated_at            :time NOT NULL,
    deleted_at            :time,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT resources_of_category FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
) :strict;

CREATE INDEX resources_id ON resources (id);

CREATE INDEX resources_by_category ON resources (tenant_id, category_id, deleted_at);

-- Events leave with the change that made them, and are sent on from here.
CREATE TABLE resource_outbox (
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

CREATE INDEX resource_outbox_waiting ON resource_outbox (created_at, subject_id, ordinal) WHERE sequence IS NULL;
