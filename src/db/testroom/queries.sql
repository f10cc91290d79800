-- Queries of the room that the stores' own tests live in.
-- :include db/testroom/testroom.h

-- :name  thing_insert :none
-- :scope tenant
-- :together
-- :in    tenant_id:uuid id:uuid name:text colour:enum(colour) flag:bool number:int at:time document:json
--        other_id:uuid? note:text? maybe:int? maybe_at:time? extra:json?
INSERT INTO things (tenant_id, id, name, colour, flag, number, at, document, other_id, note, maybe, maybe_at, extra)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- :name  thing_add :maybe
-- :scope tenant
-- :together by id
-- :in    struct thing: tenant_id:uuid id:uuid label.name:text label.colour:enum(colour)
-- :out   id:uuid
-- No row when there is one of that id.
INSERT INTO things AS t (tenant_id, id, name, colour, flag, number, at, document)
VALUES ($1, $2, $3, $4, TRUE, 0, 0, '{}')
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING id;

-- :name  thing_by_id :maybe
-- :scope tenant
-- :together by id
-- :in    tenant_id:uuid id:uuid
-- :out   struct thing: tenant_id:uuid id:uuid label.name:text label.colour:enum(colour) flag:bool number:int
--        at:time document:json other_id:uuid? note:text? maybe:int? maybe_at:time? extra:json?
SELECT t.tenant_id, t.id, t.name, t.colour, t.flag, t.number, t.at, t.document, t.other_id, t.note, t.maybe,
       t.maybe_at, t.extra
  FROM things t
 WHERE t.tenant_id = $1 AND t.id = $2;

-- :name  things_named :many
-- :scope tenant
-- :in    tenant_id:uuid pattern:text? limit:int
-- :out   id:uuid name:text
SELECT t.id, t.name
  FROM things t
 WHERE t.tenant_id = $1 AND ($2 IS NULL OR t.name LIKE $2)
 ORDER BY t.name
 LIMIT $3;

-- :name  things_count :one
-- :scope tenant
-- :in    tenant_id:uuid
-- :out   count:int
SELECT COUNT(*) FROM things t WHERE t.tenant_id = $1;

-- :name  any_thing :one
-- :scope tenant
-- :in    tenant_id:uuid
-- :out   id:uuid
-- Breaks its promise of one row when there is none, or more.
SELECT t.id FROM things t WHERE t.tenant_id = $1;

-- :name  counter_raise :one
-- :scope tenant
-- :together by id
-- :in    tenant_id:uuid id:uuid
-- :out   version:int
-- What a room's lock row is: taken first, held until the commit.
INSERT INTO counters (tenant_id, id, version) VALUES ($1, $2, 1)
ON CONFLICT (tenant_id, id) DO UPDATE SET version = counters.version + 1
RETURNING version;

-- :name  counter_read :maybe
-- :scope tenant
-- :in    tenant_id:uuid id:uuid
-- :out   version:int
SELECT c.version FROM counters c WHERE c.tenant_id = $1 AND c.id = $2;

-- :name  thing_tenant_of :maybe
-- :scope operator
-- :in    id:uuid
-- :out   tenant_id:uuid
SELECT t.tenant_id FROM things t WHERE t.id = $1;

-- :name  hang_up :none
-- :scope global
-- Ends the connection that it runs on, where there is one.
-- :sqlite
SELECT 1;
-- :postgres
SELECT hang_up();

-- :name  nap :none
-- :scope global
-- :in    ms:int
-- :sqlite
SELECT $1;
-- :postgres
SELECT pg_sleep(CAST($1 AS double precision) / 1000);
