-- A column of every kind, with and without NULL.
CREATE TABLE things (
    tenant_id :uuid NOT NULL,
    id        :uuid NOT NULL,
    name      :text NOT NULL,
    colour    :text NOT NULL,
    flag      :bool NOT NULL,
    number    :int  NOT NULL,
    at        :time NOT NULL,
    document  :json NOT NULL,
    other_id  :uuid,
    note      :text,
    maybe     :int,
    maybe_at  :time,
    extra     :json,
    PRIMARY KEY (tenant_id, id)
) :strict;

CREATE UNIQUE INDEX things_name ON things (tenant_id, name);
