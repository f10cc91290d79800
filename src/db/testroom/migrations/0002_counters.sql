CREATE TABLE counters (
    tenant_id :uuid NOT NULL,
    id        :uuid NOT NULL,
    version   :int  NOT NULL,
    PRIMARY KEY (tenant_id, id)
) :strict;

-- Each dialect may have statements of its own.
-- :postgres
CREATE INDEX counters_version ON counters USING btree (version);

-- :sqlite
CREATE INDEX counters_version ON counters (version);
