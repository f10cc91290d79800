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

-- A role may end its own login's connections only; the room's queries run as another than the login.
-- :postgres
CREATE FUNCTION hang_up() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS
    'SELECT pg_terminate_backend(pg_backend_pid())';

-- What a room that has events holds: a row that a migration makes, and whoever numbers them locks.
CREATE TABLE testroom_relay (
    id       :int NOT NULL PRIMARY KEY,
    sequence :int NOT NULL
) :strict;

INSERT INTO testroom_relay (id, sequence) VALUES (1, 0);
