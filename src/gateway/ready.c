/* See ready.h. */
#include "gateway/ready.h"

const char *const check_state_text[] =
	{[CHECK_OK] = "ok", [CHECK_DEGRADED] = "degraded", [CHECK_UNAVAILABLE] = "unavailable"};

static void add(struct ready *ready, const char *name, enum check_state state, bool vital)
{
	ready->checks[ready->count++] = (struct check){name, state, vital};
}

/* A schema that is newer than this binary was made by the next one, which lets the one before go on beside
 * it. */
static enum check_state schema_state(struct ctx *cx, const struct db *db)
{
	int version, known = db_schema_known(db);

	if (db_schema_read(cx, db, &version) != RC_OK || version < known)
		return CHECK_UNAVAILABLE;
	return version > known ? CHECK_DEGRADED : CHECK_OK;
}

static enum check_state worse(enum check_state a, enum check_state b)
{
	return a > b ? a : b;
}

/* What a room's requests need: its own store, or the neighbour that has it. The bus's store is told as the
 * bus. */
static void check_room(struct ctx *cx, const struct gateway *gateway, const struct service *service,
		       struct ready *ready, enum check_state *schemas)
{
	struct db *db = gateway->dbs[service->room];
	bool here = gateway->here[service->room], good = db_ping(db) == RC_OK;

	add(ready, service->name, good ? CHECK_OK : CHECK_UNAVAILABLE, here);
	if (good && here)
		*schemas = worse(*schemas, schema_state(cx, db));
}

static void check_rooms(struct ctx *cx, const struct gateway *gateway, struct ready *ready)
{
	enum check_state schemas = CHECK_OK;
	bool seen[ROOM_COUNT] = {false};

	for (size_t i = 0; i < gateway->service_count; i++) {
		int room = gateway->services[i]->room;

		if (room < 0 || seen[room] || gateway->dbs[room] == NULL)
			continue;
		seen[room] = true;
		check_room(cx, gateway, gateway->services[i], ready, &schemas);
	}
	add(ready, "migrations", schemas, true);
}

/* Without one, or with one that is behind, the primary answers all. */
static void check_replicas(const struct gateway *gateway, struct ready *ready)
{
	enum check_state state = CHECK_OK;
	struct db_replica replica;
	bool any = false;

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (gateway->dbs[room] == NULL || !db_replica(gateway->dbs[room], &replica))
			continue;
		any = true;
		if (!replica.fresh)
			state = CHECK_DEGRADED;
	}
	if (any)
		add(ready, "replicas", state, false);
}

static void check_bus(const struct gateway *gateway, struct ready *ready)
{
	struct db *db = gateway->dbs[ROOM_events];
	bool good = gateway->bus_works(gateway->arg) && (db == NULL || db_ping(db) == RC_OK);

	add(ready, "bus", good ? CHECK_OK : CHECK_UNAVAILABLE, false);
}

void ready_check(struct ctx *cx, const struct gateway *gateway, struct ready *ret)
{
	enum check_state all = CHECK_OK;

	*ret = (struct ready){.good = true};
	check_rooms(cx, gateway, ret);
	check_replicas(gateway, ret);
	check_bus(gateway, ret);
	for (size_t i = 0; i < ret->count; i++) {
		enum check_state state = ret->checks[i].state;

		if (state == CHECK_UNAVAILABLE && !ret->checks[i].vital)
			state = CHECK_DEGRADED;
		all = worse(all, state);
	}
	ret->status = check_state_text[all];
	ret->good = all != CHECK_UNAVAILABLE;
	if (http_server_draining(gateway->server)) {
		ret->status = "draining";
		ret->good = false;
	}
}
